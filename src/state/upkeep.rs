//! What happens to sessions as time passes: they are saved again, and those that nobody uses end.

use std::{collections::HashSet, time::Duration};

use rand::RngExt as _;

use crate::protocol::{
    MAX_SESSIONS, NUMBERS_AHEAD, SESSION_LIFE, SETTLING_TIME, SessionId, UPKEEP_EVERY,
};

use super::{Inner, Now, pending::Due};

impl Inner {
    /// Plans the next upkeep, if there are sessions.
    pub(super) fn schedule_upkeep(&mut self) {
        if self.next_upkeep.is_none() && self.sessions.len() > 0 {
            let at = (self.now.instant + UPKEEP_EVERY).max(self.process.started + SETTLING_TIME);
            self.next_upkeep = Some(at);
            self.pending.schedule(at, Due::Upkeep);
        }
    }

    /// Does what is due: now and then everything, in between what was asked for.
    pub(super) fn upkeep(&mut self, now: Now) {
        if self.unsaved_for.is_some_and(|again| again <= now.instant) {
            self.sessions.note_unsaved();
        }
        // So that reads find numbers that they need not save.
        let raised = self.sessions.iter_mut().map(|(_, it)| it.numbers.raise(NUMBERS_AHEAD / 2));
        if raised.filter(|raised| *raised).count() > 0 {
            self.sessions.note_unsaved();
        }
        if self.next_upkeep.is_none_or(|at| at > now.instant) {
            return;
        }
        self.next_upkeep = None;
        self.sessions.note_used_unsaved();
        let is_unused = |id: &SessionId| self.unused_for(*id, now) >= SESSION_LIFE;
        let unused = self.idle_sessions().into_iter().filter(is_unused);
        for id in unused.collect::<Vec<_>>() {
            self.end_session(id, "unused", now);
        }
        self.schedule_upkeep();
    }

    /// Whether there is room for another session, where `to_begin` are about to begin. The longest unused session
    /// without tabs makes room; none does soon after the start, before agents have come back.
    pub(super) fn make_room(&mut self, to_begin: usize, now: Now) -> bool {
        if self.sessions.len() + to_begin < MAX_SESSIONS {
            return true;
        }
        if now.instant < self.process.started + SETTLING_TIME {
            return false;
        }
        let has_tabs =
            |id: &SessionId| self.sessions.get(*id).is_some_and(|it| !it.tabs.is_empty());
        let candidates = self.idle_sessions().into_iter().filter(|id| !has_tabs(id));
        let Some(unused) = candidates.max_by_key(|id| self.unused_for(*id, now)) else {
            return false;
        };
        self.end_session(unused, "room", now);
        self.sessions.len() + to_begin < MAX_SESSIONS
    }

    /// Sessions without a pending command.
    fn idle_sessions(&self) -> Vec<SessionId> {
        let busy: HashSet<_> = self.pending.iter().map(|command| command.session).collect();
        self.sessions.iter().map(|(id, _)| id).filter(|id| !busy.contains(id)).collect()
    }

    fn unused_for(&self, id: SessionId, now: Now) -> Duration {
        let session = self.sessions.get(id);
        session.map_or(Duration::ZERO, |session| session.used.how_long(now, self.restored))
    }

    fn end_session(&mut self, id: SessionId, reason: &str, now: Now) {
        tracing::info!(event = "session_ended", session = %id, reason);
        // No client waits for this, and no request can have this id.
        let request = format!("bproxy-end-{:032x}", rand::rng().random::<u128>());
        // The session exists, so this does not fail; and the reply has no reader.
        drop(self.close_session(&request, id, i64::MAX, now));
    }
}
