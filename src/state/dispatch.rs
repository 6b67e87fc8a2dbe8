//! One pending command on its way: pacing slot, tab queue, sending, and its end.

use crate::protocol::{Action, ErrorCode, ProtocolError, SessionId, TabHandle};

use super::{
    Inner, Now, Reply,
    browsers::Outgoing,
    closing::tab_gone,
    pending::{Command, CommandKey, Due, Kind, Phase},
    records::{self, End},
    sessions::not_found,
    trace::Trace,
};

impl Inner {
    /// A command that was just admitted takes its pacing slot, and its place in its tab's queue if
    /// that is now.
    pub(super) fn start(&mut self, key: CommandKey, action: &Action, now: Now) {
        let Some(command) = self.pending.get(key) else { return };
        let session = self.sessions.get_mut(command.session);
        let slot = session.zip(action.pace()).map_or(now.instant, |(session, pace)| {
            session.pacer.reserve(pace, session.pacing, now.instant)
        });
        tracing::debug!(
            event = "payload",
            id = &*command.id,
            action = action.name(),
            params = records::redacted(action)
        );
        if slot > now.instant {
            let delay_ms = (slot - now.instant).as_millis() as u64;
            tracing::info!(event = "pacing_wait", id = &*command.id, delay_ms);
            self.pending.pace(key, slot);
        } else {
            self.enqueue(key, now);
        }
    }

    /// Does what is due by now.
    pub(super) fn run_due(&mut self, now: Now) {
        while let Some(due) = self.pending.take_due(now.instant) {
            match due {
                Due::Deadline(key) => self.out_of_time(key, now),
                Due::Slot(key) => self.enqueue(key, now),
                Due::Hello(client) => self.silent(client, now),
                Due::Turns => {}
            }
        }
        self.run_turns(now);
    }

    /// The command joins its tab's queue; a new tab has none.
    fn enqueue(&mut self, key: CommandKey, now: Now) {
        let Some(command) = self.pending.get_mut(key) else { return };
        command.phase = Phase::Queued;
        let session = command.session;
        let Some(ordinal) = command.tab else {
            self.turns.push_back(key);
            return;
        };
        match self.sessions.get_mut(session).and_then(|session| session.tab_mut(ordinal)) {
            Some(tab) => {
                tab.queue.push_back(key);
                self.turns.push_back(key);
            }
            None => self.fail(key, &tab_gone(session, ordinal), now),
        }
    }

    /// Lets every command go on whose turn has come, until there are no more.
    pub(super) fn run_turns(&mut self, now: Now) {
        while let Some(key) = self.turns.pop_front() {
            match self.check_turn(key) {
                Ok(true) => self.send(key),
                Ok(false) => {}
                Err(error) => self.fail(key, &error, now),
            }
        }
    }

    /// Whether it is the command's turn.
    ///
    /// # Errors
    ///
    /// If it is, but what the command was admitted for does not hold any more.
    fn check_turn(&self, key: CommandKey) -> Result<bool, ProtocolError> {
        let waiting = self.pending.get(key).filter(|command| command.phase == Phase::Queued);
        let Some(command) = waiting else { return Ok(false) };
        let id = command.session;
        let Some(ordinal) = command.tab else {
            self.check_pause(id)?;
            return Ok(true);
        };
        let session = self.sessions.get(id).ok_or_else(|| not_found(id))?;
        let tab = session.tab(ordinal);
        if tab.is_some_and(|tab| tab.queue.front() != Some(&key)) {
            return Ok(false);
        }
        self.check_pause(id)?;
        let tab = tab.ok_or_else(|| tab_gone(id, ordinal))?;
        let page = self.browsers.page(tab.browser, tab.chrome_id);
        if command.handle_page.is_some_and(|read| Some(read) != page) {
            let message = "the page changed while the command waited: read it again";
            return Err(ProtocolError::new(ErrorCode::ElementHandleStale, message, id.as_str()));
        }
        Ok(true)
    }

    /// Puts the command into its browser's outbox; if the browser is away, the command stays first
    /// in its queue.
    fn send(&mut self, key: CommandKey) {
        let Some(command) = self.pending.get_mut(key) else { return };
        let Some(client) = self.browsers.client_of(command.browser) else { return };
        if matches!(command.kind, Kind::Read(_)) {
            let session = self.sessions.get(command.session);
            let tab = session.zip(command.tab).and_then(|(session, tab)| session.tab(tab));
            command.sent_page =
                tab.and_then(|tab| self.browsers.page(command.browser, tab.chrome_id));
        }
        let tab = command.tab.map(TabHandle::new);
        tracing::info!(
            event = "forwarded",
            id = &*command.id,
            ws_client = %client,
            tab = tab.as_ref().map(TabHandle::as_str),
        );
        self.pending.sent(key, client);
        self.browsers.send(client, Outgoing::Command(key));
    }

    /// Ends a command with a failure.
    pub(super) fn fail(&mut self, key: CommandKey, error: &ProtocolError, now: Now) {
        let Some(command) = self.pending.get(key) else { return };
        let reply = Reply::failure(&command.id, error);
        self.end(key, reply, End::Failed(&error.code), now);
    }

    /// Ends a command: everybody who waits gets the reply, and the next one in its queue has its
    /// turn.
    pub(super) fn end(&mut self, key: CommandKey, reply: Reply, end: End<'_>, now: Now) {
        let Some(mut command) = self.take_out(key) else { return };
        let elapsed_ms = (now.instant - command.received).as_millis() as u64;
        records::ended(&command.id, elapsed_ms, end);
        let error_code = end.error_code();
        self.traces.push(Trace {
            id: command.id.as_ref().to_owned(),
            action: command.action,
            session: command.session.to_string(),
            received_at: command.received_ms,
            elapsed_ms,
            ok: error_code.is_none(),
            error_code: error_code.map(str::to_owned),
            replayed: command.replayed,
        });
        command.answer(reply);
    }

    /// Takes a command out of everything: the table, its browser's outbox, its tab's queue.
    pub(super) fn take_out(&mut self, key: CommandKey) -> Option<Command> {
        let command = self.pending.remove(key)?;
        if let Phase::Sent { to, .. } = command.phase {
            self.browsers.unsend(to, key);
        }
        let tab = command
            .tab
            .and_then(|ordinal| self.sessions.get_mut(command.session)?.tab_mut(ordinal));
        if let Some(tab) = tab {
            let was_first = tab.queue.front() == Some(&key);
            tab.queue.retain(|queued| *queued != key);
            if was_first {
                self.turns.extend(tab.queue.front());
            }
        }
        Some(command)
    }

    /// The command's time is over.
    fn out_of_time(&mut self, key: CommandKey, now: Now) {
        let Some(command) = self.pending.get(key) else { return };
        let message = match command.phase {
            Phase::Closing => return self.finish_close(key, now),
            Phase::Sent { .. } => {
                "the browser did not answer in time: give it more with `--timeout`"
            }
            Phase::Paced(_) | Phase::Queued => {
                "the command was still waiting for its turn: give it more time with `--timeout`"
            }
        };
        let session = command.named_session();
        let session = session.as_ref().map_or("", SessionId::as_str);
        let error = ProtocolError::new(ErrorCode::Timeout, message, session);
        let reply = Reply::failure(&command.id, &error);
        self.remember_open(key);
        self.end(key, reply, End::TimedOut, now);
    }

    /// A client waits no more. A command that was not sent yet ends with its last client.
    pub(super) fn hang_up(&mut self, key: CommandKey, seat: u64) {
        let Some(command) = self.pending.get_mut(key) else { return };
        command.leave(seat);
        let waits = matches!(command.phase, Phase::Paced(_) | Phase::Queued);
        if command.has_waiters() || !waits {
            return;
        }
        if let Some(command) = self.take_out(key) {
            tracing::debug!(event = "hung_up", id = &*command.id);
            // Whose turn it is now is for the timer to see to, which knows what time it is.
            self.pending.schedule(command.received, Due::Turns);
        }
    }
}
