//! A pending command on its way: pacing slot, tab queue, sending, and its end.

use serde_json::json;

use crate::protocol::{Action, ErrorCode, GIVE_UP_WAIT, ProtocolError, SessionId, Trace};

use super::{
    Inner, Now,
    browsers::Outgoing,
    events::{End, Event},
    pending::{Command, CommandKey, Due, Kind, Phase, Reply},
    sessions::tab_gone,
};

impl Inner {
    /// Reserves the pacing slot of a newly admitted command, and enqueues the command if the slot is due.
    pub(super) fn start(&mut self, key: CommandKey, action: &Action, now: Now) {
        let Some(command) = self.pending.get(key) else { return };
        let session = self.sessions.get_mut(command.session);
        let pace = action.pace().filter(|_| !command.recall);
        let slot = session.zip(pace).map_or(now.instant, |(session, pace)| {
            session.pacer.reserve(pace, session.pacing, now.instant)
        });
        tracing::debug!(
            event = "payload",
            id = &*command.id,
            action = action.name(),
            params = action.public_params()
        );
        if slot > now.instant {
            let delay_ms = (slot - now.instant).as_millis() as u64;
            let id = command.id.clone();
            self.emit(&Event::PacingWait { id: &id, delay_ms });
            self.pending.pace(key, slot);
        } else {
            self.enqueue(key, now);
        }
    }

    /// Handles everything that is due by now.
    pub(super) fn run_due(&mut self, now: Now) {
        while let Some(due) = self.pending.take_due(now.instant) {
            match due {
                Due::Deadline(key) => self.out_of_time(key, now),
                Due::Slot(key) => self.enqueue(key, now),
                Due::Abandoned(key) => self.abandoned(key, now),
                Due::Hello(client) => self.assume_anonymous(client, now),
                Due::Heads => {}
                Due::Upkeep => self.upkeep(now),
            }
        }
        self.run_heads(now);
    }

    /// The command joins its tab's queue; a new tab has none.
    fn enqueue(&mut self, key: CommandKey, now: Now) {
        let Some(command) = self.pending.get_mut(key) else { return };
        command.phase = Phase::Queued;
        let session = command.session;
        let Some(ordinal) = command.tab else {
            self.heads.push_back(key);
            return;
        };
        match self.sessions.get_mut(session).and_then(|session| session.tab_mut(ordinal)) {
            Some(tab) => {
                tab.queue.push_back(key);
                self.heads.push_back(key);
            }
            None => self.fail(key, &tab_gone(session, ordinal), now),
        }
    }

    /// Sends every command that is at the head of its queue, or fails it where it is not permitted any more.
    pub(super) fn run_heads(&mut self, now: Now) {
        while let Some(key) = self.heads.pop_front() {
            let Some(command) = self.pending.get(key).filter(|_| self.is_head(key)) else {
                continue;
            };
            match self.permit(command.session, command.tab, command.handle_page) {
                Ok(()) => self.send(key),
                Err(error) => self.fail(key, &error, now),
            }
        }
    }

    /// Whether the command waits only for its browser. A command for a new tab, or for one that is gone, has no queue.
    fn is_head(&self, key: CommandKey) -> bool {
        let Some(command) = self.pending.get(key).filter(|command| command.phase == Phase::Queued)
        else {
            return false;
        };
        let tab = command.tab.and_then(|ordinal| self.sessions.get(command.session)?.tab(ordinal));
        tab.is_none_or(|tab| tab.queue.front() == Some(&key))
    }

    /// Puts the command into its browser's outbox; if the browser is away, the command stays at the head of its queue.
    fn send(&mut self, key: CommandKey) {
        let Some(command) = self.pending.get_mut(key) else { return };
        let Some(client) = self.browsers.client_of(command.browser) else { return };
        if matches!(command.kind, Kind::OnTab(handling) if handling.mints().is_some()) {
            let session = self.sessions.get(command.session);
            let tab = session.zip(command.tab).and_then(|(session, tab)| session.tab(tab));
            let page = tab.and_then(|tab| self.browsers.page(command.browser, tab.chrome_id));
            command.sent_view = page.map(|page| page.view);
        }
        let (id, tab) = (command.id.clone(), command.tab);
        self.emit(&Event::Forwarded { id: &id, ws_client: client, tab });
        self.pending.sent(key, client);
        self.browsers.send(client, Outgoing::Command(key));
    }

    /// Ends a command with a failure.
    pub(super) fn fail(&mut self, key: CommandKey, error: &ProtocolError, now: Now) {
        let Some(command) = self.pending.get(key) else { return };
        let reply = Reply::failure(&command.id, error);
        self.end(key, reply, End::Failed(&error.code), now);
    }

    /// Ends a command: all waiters get the reply, and the next command moves to the head of the queue.
    pub(super) fn end(&mut self, key: CommandKey, reply: Reply, end: End<'_>, now: Now) {
        let Some(mut command) = self.take_out(key) else { return };
        let elapsed_ms = (now.instant - command.received).as_millis() as u64;
        self.emit_ended(&command.id, elapsed_ms, end);
        let error_code = end.error_code();
        self.traces.push(Trace {
            id: command.id.as_ref().to_owned(),
            action: command.action.into(),
            session: command.session.to_string(),
            received_at: command.received_ms,
            elapsed_ms,
            ok: error_code.is_none(),
            error_code: error_code.map(str::to_owned),
            replayed: command.replayed.then_some(true),
        });
        command.answer(reply);
    }

    /// Removes a command from everything: the table, its browser's outbox, its tab's queue.
    pub(super) fn take_out(&mut self, key: CommandKey) -> Option<Command> {
        let command = self.pending.remove(key)?;
        if let Phase::Sent { to, .. } = command.phase {
            self.browsers.unsend(to, key);
        }
        let tab = command
            .tab
            .and_then(|ordinal| self.sessions.get_mut(command.session)?.tab_mut(ordinal));
        if let Some(tab) = tab {
            let was_head = tab.queue.front() == Some(&key);
            tab.queue.retain(|queued| *queued != key);
            if was_head {
                self.heads.extend(tab.queue.front());
            }
        }
        Some(command)
    }

    /// The command's deadline has passed.
    fn out_of_time(&mut self, key: CommandKey, now: Now) {
        let Some(command) = self.pending.get(key) else { return };
        let message = match command.phase {
            Phase::Closing => return self.finish_close(key, now),
            Phase::Sent { .. } => {
                "the browser did not answer in time: give it more with `--timeout`"
            }
            Phase::Paced(_) | Phase::Queued => {
                "the command was still queued: give it more time with `--timeout`"
            }
        };
        let session = command.named_session();
        let session = session.as_ref().map_or("", SessionId::as_str);
        let error = ProtocolError::new(ErrorCode::Timeout, message, session);
        let reply = Reply::failure(&command.id, &error);
        self.remember_open(key);
        self.end(key, reply, End::TimedOut, now);
    }

    /// Nobody waits for a command in flight: notes since when, and after a while tells its browser.
    fn abandoned(&mut self, key: CommandKey, now: Now) {
        let Some(command) = self.pending.get_mut(key).filter(|command| !command.has_waiters())
        else {
            return;
        };
        match command.abandoned {
            None => {
                command.abandoned = Some(now.instant);
                self.pending.schedule(now.instant + GIVE_UP_WAIT, Due::Abandoned(key));
            }
            // A client that came and went since then has begun the wait anew.
            Some(since) if now.instant >= since + GIVE_UP_WAIT => {
                if let Some(command) = self.pending.get_mut(key) {
                    command.given_up = true;
                }
                self.cancel(key);
            }
            Some(_) => {}
        }
    }

    /// Tells the browser of a command that was given up: its waits end, its gestures do not. A browser that does not know
    /// of this is told nothing.
    pub(super) fn cancel(&mut self, key: CommandKey) {
        let Some(command) = self.pending.get(key).filter(|command| command.given_up) else {
            return;
        };
        let Phase::Sent { to, .. } = command.phase else { return };
        if self.browsers.revision_of(command.browser) >= 1 {
            let cancel = json!({"type": "cancel", "id": &*command.id}).to_string();
            self.browsers.send(to, Outgoing::Note(cancel.into()));
        }
    }

    /// A client has hung up. A command that was not sent yet ends with its last waiter; the browser is to give up one in
    /// flight when nobody asks for it again.
    pub(super) fn hang_up(&mut self, key: CommandKey, waiter: u64) {
        let Some(command) = self.pending.get_mut(key) else { return };
        command.remove_waiter(waiter);
        if command.has_waiters() {
            return;
        }
        match command.phase {
            Phase::Paced(_) | Phase::Queued => {}
            Phase::Sent { .. } => {
                // The time is not known here: the timer notes it.
                command.abandoned = None;
                let at = command.received;
                self.pending.schedule(at, Due::Abandoned(key));
                return;
            }
            Phase::Closing => return,
        }
        if let Some(command) = self.take_out(key) {
            tracing::debug!(event = "hung_up", id = &*command.id);
            // The time is not known here: the timer sends what is at the head of the queue now.
            self.pending.schedule(command.received, Due::Heads);
        }
    }
}
