//! Closing tabs and sessions: commands that wait for them fail, and browsers are told to close them.

use std::{collections::HashSet, time::Duration};

use bytes::Bytes;
use rand::RngExt as _;
use serde_json::json;

use crate::protocol::{
    CLOSE_WAIT, NO_PAGE, ProtocolError, SessionClose, SessionCloseData, SessionId, Spec as _,
    TabClose,
};

use super::{
    Inner, Now,
    browsers::Outgoing,
    events::End,
    local::json,
    pending::{Command, CommandKey, Kind, Phase, Reply, Waiter},
    sessions::{Tab, not_found, tab_gone},
};

/// How long before the client's deadline the reply is sent, so that it arrives in time (protocol §5).
const CLOSE_MARGIN_MS: i64 = 100;

impl Inner {
    /// The tab is gone: its handles too, and everything that waits for it fails.
    pub(super) fn drop_tab(&mut self, id: SessionId, ordinal: u32, now: Now) {
        let Some(tab) = self.sessions.edit(id).and_then(|session| session.remove_tab(ordinal))
        else {
            return;
        };
        self.dirty = true;
        let count = self.handles.forget_tab(id, ordinal);
        self.emit_invalidated(Some(id), Some(ordinal), "tab_close", count);
        for key in tab.queue {
            self.fail(key, &tab_gone(id, ordinal), now);
        }
    }

    /// Closes a session. It is gone and its commands fail at once; the closing of its tabs is pending.
    pub(super) fn close_session(
        &mut self,
        request_id: &str,
        id: SessionId,
        deadline_ms: i64,
        now: Now,
    ) -> Result<Waiter, ProtocolError> {
        let session = self.sessions.remove(id).ok_or_else(|| not_found(id))?;
        self.dirty = true;
        self.storage.remove_session_dir(id);
        let count = self.handles.forget_session(id);
        self.emit_invalidated(Some(id), None, "session_close", count);
        for key in self.pending.select(|command| command.session == id) {
            self.remember_open(key);
            self.fail(key, &not_found(id), now);
        }
        let wait_ms = deadline_ms.saturating_sub(now.unix_ms + CLOSE_MARGIN_MS).max(0) as u64;
        let wait = CLOSE_WAIT.min(Duration::from_millis(wait_ms));
        let waiting =
            self.close_tabs(id, &session.tabs, now.unix_ms + CLOSE_WAIT.as_millis() as i64);
        let kind = Kind::CloseSession { waiting: waiting.clone(), closed: 0 };
        let deadline = now.instant + wait;
        let mut command = Command::new(request_id, SessionClose::ROW.name, kind, id, now, deadline);
        command.phase = Phase::Closing;
        let waiter = self.pending.insert(command);
        self.closes.extend(waiting.into_iter().map(|close| (close, waiter.key)));
        self.finish_close_if_done(waiter.key, now);
        Ok(waiter)
    }

    /// Asks the browsers to close these tabs; returns the ids of the messages.
    fn close_tabs(&mut self, id: SessionId, tabs: &[Tab], deadline_ms: i64) -> HashSet<String> {
        let mut waiting = HashSet::new();
        for tab in tabs {
            if let Some(client) = self.browsers.client_of(tab.browser) {
                let version = self.browsers.version_of(tab.browser);
                let (close, text) = close_message(version, id, tab.chrome_id, deadline_ms);
                self.browsers.send(client, Outgoing::Note(text));
                waiting.insert(close);
            }
        }
        waiting
    }

    /// A browser has answered the close of a tab; false if the close of no session waits for that.
    pub(super) fn tab_closed(&mut self, close: &str, confirmed: bool, now: Now) -> bool {
        let Some(key) = self.closes.remove(close) else { return false };
        if let Some(Kind::CloseSession { waiting, closed }) =
            self.pending.get_mut(key).map(|command| &mut command.kind)
        {
            waiting.remove(close);
            *closed += usize::from(confirmed);
        }
        self.finish_close_if_done(key, now);
        true
    }

    /// Answers the close of a session if all its tabs are dealt with.
    fn finish_close_if_done(&mut self, key: CommandKey, now: Now) {
        let done = self.pending.get(key).is_some_and(
            |command| matches!(&command.kind, Kind::CloseSession { waiting, .. } if waiting.is_empty()),
        );
        if done {
            self.finish_close(key, now);
        }
    }

    /// Answers the close of a session, even if tabs are still open.
    pub(super) fn finish_close(&mut self, key: CommandKey, now: Now) {
        let Some(command) = self.pending.get(key) else { return };
        let Kind::CloseSession { waiting, closed } = &command.kind else { return };
        for close in waiting {
            self.closes.remove(close);
        }
        let data = json(&SessionCloseData { session: command.session, closed_tabs: *closed });
        let reply = Reply::success(&command.id, &data, NO_PAGE, false);
        self.end(key, reply, End::Ok, now);
    }
}

/// A `tab.close` of the daemon's own, in a protocol version, and its id.
pub(super) fn close_message(
    version: u32,
    session: SessionId,
    chrome_id: i64,
    deadline: i64,
) -> (String, Bytes) {
    let id = format!("bproxy-close-{:032x}", rand::rng().random::<u128>());
    let message = json!({
        "protocol_version": version, "id": id, "action": TabClose::ROW.name, "params": {}, "session": session,
        "deadline": deadline, "destructive": TabClose::ROW.effect.destructive(), "target": {"tabId": chrome_id},
    });
    (id, message.to_string().into())
}
