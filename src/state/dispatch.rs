//! One pending command on its way: pacing slot, tab queue, sending, replay, and every way to end.

use std::{collections::HashSet, time::Duration};

use rand::RngExt as _;
use serde_json::json;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::protocol::{Action, ErrorCode, ProtocolError, SessionId, TabHandle, VERSION};

use super::{
    Inner, Now, Reply,
    admission::{browser_away, log_end},
    browsers::{BrowserId, ClientId, CloseWith, Identified, Outgoing},
    pending::{Command, CommandKey, Kind, Phase},
    sessions::{Tab, not_found},
    trace::Trace,
};

/// How long the end of a session waits for browsers to close its tabs, at most (protocol §5).
const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// What is kept of a client's own deadline for the reply to arrive in time (protocol §5).
const CLOSE_MARGIN_MS: i64 = 100;
/// How many opens are remembered whose tabs must be closed if they come after all.
const MAX_LOST_OPENS: usize = 1024;

impl Inner {
    /// A command that was just admitted takes its pacing slot, and its place in its tab's queue if
    /// that is now.
    pub(super) fn start(&mut self, key: CommandKey, action: &Action, now: Now) {
        let Some(command) = self.pending.get(key) else { return };
        let id = command.id.clone();
        let session = self.sessions.get_mut(command.session);
        let slot = session.zip(action.pace()).map_or(now.instant, |(session, pace)| {
            let mode = session.pacing;
            session.pacer.reserve(pace, mode, now.instant)
        });
        tracing::debug!(
            event = "payload",
            id = &*id,
            action = action.name(),
            params = redacted(action)
        );
        if slot > now.instant {
            let delay_ms = (slot - now.instant).as_millis() as u64;
            tracing::info!(event = "pacing_wait", id = &*id, delay_ms);
            self.pending.pace(key, slot);
        } else {
            self.enqueue(key, now);
        }
    }

    /// The command joins its tab's queue; a new tab has none.
    pub(super) fn enqueue(&mut self, key: CommandKey, now: Now) {
        let Some(command) = self.pending.get_mut(key) else { return };
        command.phase = Phase::Queued;
        let Some(ordinal) = command.tab else {
            self.turns.push_back(key);
            return;
        };
        let session = command.session;
        match self.sessions.get_mut(session).and_then(|session| session.tab_mut(ordinal)) {
            Some(tab) => {
                tab.queue.push_back(key);
                if tab.queue.len() == 1 {
                    self.turns.push_back(key);
                }
            }
            None => self.fail(key, tab_gone(session, ordinal), now),
        }
    }

    /// Lets every command go on whose turn has come, until there are no more.
    pub(super) fn run_turns(&mut self, now: Now) {
        while let Some(key) = self.turns.pop_front() {
            if self.pending.get(key).is_some_and(|command| command.phase == Phase::Queued) {
                match self.check_turn(key) {
                    Ok(()) => self.send(key),
                    Err(error) => self.fail(key, error, now),
                }
            }
        }
    }

    /// Whether what the command was admitted for still holds.
    fn check_turn(&self, key: CommandKey) -> Result<(), ProtocolError> {
        let Some(command) = self.pending.get(key) else { return Ok(()) };
        self.check_pause(command.session)?;
        let Some(ordinal) = command.tab else { return Ok(()) };
        let session =
            self.sessions.get(command.session).ok_or_else(|| not_found(command.session))?;
        let tab = session.tab(ordinal).ok_or_else(|| tab_gone(command.session, ordinal))?;
        if command.handle_page.is_some()
            && command.handle_page.as_ref() != self.browsers.page(tab.browser, tab.chrome_id)
        {
            let message = "the page changed while the command waited: read it again";
            return Err(ProtocolError::new(
                ErrorCode::ElementHandleStale,
                message,
                command.session.as_str(),
            ));
        }
        Ok(())
    }

    /// Puts the command into its browser's outbox; if the browser is away, the command stays first
    /// in its queue.
    fn send(&mut self, key: CommandKey) {
        let Some(command) = self.pending.get_mut(key) else { return };
        let Some(client) = self.browsers.client_of(command.browser) else { return };
        let tab = command.tab.map(TabHandle::new);
        if matches!(command.kind, Kind::Read(_)) {
            let chrome_id = self.sessions.get(command.session).zip(command.tab);
            let chrome_id = chrome_id
                .and_then(|(session, ordinal)| session.tab(ordinal))
                .map(|tab| tab.chrome_id);
            command.sent_page =
                chrome_id.and_then(|id| self.browsers.page(command.browser, id)).cloned();
        }
        tracing::info!(
            event = "forwarded",
            id = &*command.id,
            ws_client = %client,
            tab = tab.as_ref().map(TabHandle::as_str),
        );
        self.pending.sent(key);
        self.browsers.send(client, Outgoing::Command(key));
    }

    /// Ends a command with a failure.
    pub(super) fn fail(&mut self, key: CommandKey, error: ProtocolError, now: Now) {
        let Some(id) = self.pending.get(key).map(|command| command.id.clone()) else { return };
        self.finish(key, Reply::failure(&id, &error), Some(&error.code), false, now);
    }

    /// Ends a command with its reply. `from_memory` tells that the extension had run it before.
    pub(super) fn finish(
        &mut self,
        key: CommandKey,
        reply: Reply,
        error_code: Option<&str>,
        from_memory: bool,
        now: Now,
    ) {
        self.end(key, reply, End { error_code, timed_out: false, from_memory }, now);
    }

    /// Ends a command: everybody who waits gets the reply, and the next one in its queue has its
    /// turn.
    fn end(&mut self, key: CommandKey, reply: Reply, end: End<'_>, now: Now) {
        let Some(mut command) = self.pending.remove(key) else { return };
        let elapsed_ms = (now.instant - command.received).as_millis() as u64;
        log_end(&command.id, elapsed_ms, end.error_code, end.timed_out);
        self.traces.push(Trace {
            id: command.id.as_ref().to_owned(),
            action: command.action,
            session: command.session.to_string(),
            received_at: command.received_ms,
            elapsed_ms,
            ok: end.error_code.is_none(),
            error_code: end.error_code.map(str::to_owned),
            replayed: command.replayed || end.from_memory,
        });
        command.answer(reply);
        self.unqueue(key, &command);
    }

    /// Takes a command that has ended out of its queue and out of its browser's outbox.
    fn unqueue(&mut self, key: CommandKey, command: &Command) {
        if matches!(command.phase, Phase::Sent(_)) {
            if let Some(client) = self.browsers.client_of(command.browser) {
                self.browsers.unsend(client, key);
            }
        }
        let Some(ordinal) = command.tab else { return };
        let Some(tab) =
            self.sessions.get_mut(command.session).and_then(|session| session.tab_mut(ordinal))
        else {
            return;
        };
        let was_first = tab.queue.front() == Some(&key);
        tab.queue.retain(|queued| *queued != key);
        if was_first {
            self.turns.extend(tab.queue.front());
        }
    }

    /// The command's time is over.
    pub(super) fn out_of_time(&mut self, key: CommandKey, now: Now) {
        let Some(command) = self.pending.get(key) else { return };
        if command.phase == Phase::Closing {
            self.finish_close(key, now);
            return;
        }
        let message = match command.phase {
            Phase::Sent(_) => "the browser did not answer in time: give it more with `--timeout`",
            _ => "the command was still waiting for its turn: give it more time with `--timeout`",
        };
        let error = ProtocolError::new(ErrorCode::Timeout, message, command.session.as_str());
        let reply = Reply::failure(&command.id, &error);
        self.remember_open(key);
        self.end(
            key,
            reply,
            End { error_code: Some(&error.code), timed_out: true, from_memory: false },
            now,
        );
    }

    /// A client waits no more. A command that was not sent yet ends with its last client.
    pub(super) fn hang_up(&mut self, key: CommandKey, seat: u64) {
        let alone = self.pending.leave(key, seat);
        let waits = self
            .pending
            .get(key)
            .is_some_and(|command| matches!(command.phase, Phase::Paced(_) | Phase::Queued));
        if alone
            && waits
            && let Some(command) = self.pending.remove(key)
        {
            tracing::debug!(event = "hung_up", id = &*command.id);
            self.unqueue(key, &command);
        }
    }

    /// If the command opens a tab, remembers that the tab is to be closed if it comes after all.
    fn remember_open(&mut self, key: CommandKey) {
        let Some(command) = self.pending.get(key) else { return };
        if matches!(command.kind, Kind::Open { .. }) && matches!(command.phase, Phase::Sent(_)) {
            if self.lost_opens.len() == MAX_LOST_OPENS {
                self.lost_opens.pop_front();
            }
            self.lost_opens.push_back((command.id.clone(), command.browser, command.session));
        }
    }

    /// The session of an open that ended before this answer came, once.
    pub(super) fn take_lost_open(&mut self, id: &str, browser: BrowserId) -> Option<SessionId> {
        let at =
            self.lost_opens.iter().position(|(lost, from, _)| **lost == *id && *from == browser)?;
        self.lost_opens.remove(at).map(|(.., session)| session)
    }

    /// Closes a tab that nobody owns; nobody waits for the answer.
    pub(super) fn close_stray(
        &mut self,
        client: ClientId,
        session: SessionId,
        chrome_id: i64,
        now: Now,
    ) {
        let deadline = now.unix_ms + CLOSE_WAIT.as_millis() as i64;
        let (_, text) = close_message(session, chrome_id, deadline);
        self.browsers.send(client, Outgoing::Note(text));
    }

    /// A connection has said nothing for too long, or something that is no hello.
    pub(super) fn silent(&mut self, client: ClientId, now: Now) {
        if self.browsers.browser_of(client).is_some() && !self.browsers.is_identified(client) {
            let identified = self.browsers.identify_plain(client);
            self.identified(client, identified, now);
        }
    }

    /// A connection has said who it is.
    pub(super) fn hello(&mut self, client: ClientId, hello: &crate::protocol::Hello<'_>, now: Now) {
        if hello.protocol_version != i64::from(VERSION) {
            let with = CloseWith { code: 4002, reason: "unsupported protocol version" };
            self.browsers.close(client, with);
            self.give_up_hope(now);
            return;
        }
        tracing::debug!(
            event = "ws_hello",
            ws_client = %client,
            extension_version = &*hello.extension_version,
            browser = &*hello.browser,
        );
        self.news = true;
        let identified = self.browsers.identify_instance(client, &hello.instance_id);
        self.identified(client, identified, now);
    }

    /// What belongs to the connection's browser is sent to it from now on, and what was in flight
    /// is sent once more.
    fn identified(&mut self, client: ClientId, identified: Identified, now: Now) {
        let Some(browser) = self.browsers.browser_of(client) else { return };
        if let Some(older) = identified.superseded {
            self.browsers
                .close(older, CloseWith { code: 4000, reason: "a newer connection took over" });
        }
        for from in identified.merge {
            self.move_to(from, browser);
            self.browsers.merged(from);
            self.replay(client, browser);
        }
        self.give_up_hope(now);
        let (sessions, pending) = (&self.sessions, &self.pending);
        self.browsers.forget_unused(|browser| {
            sessions
                .iter()
                .any(|(_, session)| session.tabs.iter().any(|tab| tab.browser == browser))
                || !pending.select(|command| command.browser == browser).is_empty()
        });
    }

    fn move_to(&mut self, from: BrowserId, to: BrowserId) {
        for (_, session) in self.sessions.iter_mut() {
            session
                .tabs
                .iter_mut()
                .filter(|tab| tab.browser == from)
                .for_each(|tab| tab.browser = to);
        }
        for command in self.pending.iter_mut().filter(|command| command.browser == from) {
            command.browser = to;
        }
        for lost in self.lost_opens.iter_mut().filter(|lost| lost.1 == from) {
            lost.1 = to;
        }
    }

    fn replay(&mut self, client: ClientId, browser: BrowserId) {
        let began_here =
            |command: &Command| command.browser == browser && command.phase != Phase::Closing;
        let mut in_flight: Vec<_> = self
            .pending
            .select(|command| began_here(command) && matches!(command.phase, Phase::Sent(_)))
            .into_iter()
            .filter_map(|key| match self.pending.get(key)?.phase {
                Phase::Sent(order) => Some((order, key)),
                _ => None,
            })
            .collect();
        in_flight.sort_unstable();
        for (_, key) in in_flight {
            let Some(command) = self.pending.get_mut(key) else { continue };
            // What is in the new connection's outbox already goes there once.
            if self.browsers.is_outgoing(client, key) {
                continue;
            }
            command.replayed = true;
            tracing::info!(event = "replay", id = &*command.id, ws_client = %client);
            self.browsers.send(client, Outgoing::Command(key));
        }
        let waiting =
            self.pending.select(|command| began_here(command) && command.phase == Phase::Queued);
        let first = |key: &CommandKey| {
            let command = self.pending.get(*key)?;
            let tab = self.sessions.get(command.session)?.tab(command.tab?)?;
            (tab.queue.front() == Some(key)).then_some(*key)
        };
        self.turns.extend(waiting.iter().filter_map(first));
    }

    /// Fails commands that were let in because a connection might have been their browser's, where
    /// none can be any more.
    pub(super) fn give_up_hope(&mut self, now: Now) {
        for key in self.pending.select(|command| command.hopeful) {
            let Some(command) = self.pending.get_mut(key) else { continue };
            if self.browsers.client_of(command.browser).is_some() {
                command.hopeful = false;
            } else if !self.browsers.may_return(command.browser) {
                let error = browser_away(command.session);
                self.fail(key, error, now);
            }
        }
    }

    /// The tab is gone: its handles too, and everything that waits for it fails.
    pub(super) fn drop_tab(&mut self, id: SessionId, ordinal: u32, now: Now) {
        let Some(tab) = self.sessions.get_mut(id).and_then(|session| session.remove_tab(ordinal))
        else {
            return;
        };
        self.news = true;
        let count = self.handles.forget_tab(id, ordinal);
        log_invalidated(Some(id), Some(ordinal), "tab_close", count);
        for key in tab.queue {
            self.fail(key, tab_gone(id, ordinal), now);
        }
    }

    /// Ends a session. Its commands fail at once; the closing of its tabs is pending.
    pub(super) fn close_session(
        &mut self,
        request_id: &str,
        id: SessionId,
        deadline_ms: i64,
        now: Now,
    ) -> Result<CommandKey, ProtocolError> {
        let session = self.sessions.remove(id).ok_or_else(|| not_found(id))?;
        self.news = true;
        self.dirs.remove(id);
        let count = self.handles.forget_session(id);
        log_invalidated(Some(id), None, "session_close", count);
        for key in
            self.pending.select(|command| command.session == id && command.phase != Phase::Closing)
        {
            self.remember_open(key);
            self.fail(key, not_found(id), now);
        }
        let wait_ms = deadline_ms.saturating_sub(now.unix_ms + CLOSE_MARGIN_MS).max(0) as u64;
        let wait = CLOSE_WAIT.min(Duration::from_millis(wait_ms));
        let waiting =
            self.close_tabs(id, &session.tabs, now.unix_ms + CLOSE_WAIT.as_millis() as i64);
        let mut command = Command::new(
            request_id,
            "session.close",
            Kind::CloseSession { waiting: waiting.clone(), closed: 0 },
            id,
            None,
            BrowserId::default(),
            Utf8Bytes::default(),
            (now.instant, now.unix_ms, now.instant + wait),
        );
        command.phase = Phase::Closing;
        let key = self.pending.insert(command);
        self.closes.extend(waiting.into_iter().map(|close| (close, key)));
        Ok(key)
    }

    /// Asks the browsers to close these tabs; returns the ids of the messages.
    fn close_tabs(&mut self, id: SessionId, tabs: &[Tab], deadline_ms: i64) -> HashSet<String> {
        let mut waiting = HashSet::new();
        for tab in tabs {
            if let Some(client) = self.browsers.client_of(tab.browser) {
                let (close, text) = close_message(id, tab.chrome_id, deadline_ms);
                self.browsers.send(client, Outgoing::Note(text));
                waiting.insert(close);
            }
        }
        waiting
    }

    /// Answers the end of a session if it waits for nothing any more.
    pub(super) fn conclude_close(&mut self, key: CommandKey, now: Now) {
        let done = self.pending.get(key).is_some_and(
            |command| matches!(&command.kind, Kind::CloseSession { waiting, .. } if waiting.is_empty()),
        );
        if done {
            self.finish_close(key, now);
        }
    }

    fn finish_close(&mut self, key: CommandKey, now: Now) {
        let Some(command) = self.pending.get(key) else { return };
        let Kind::CloseSession { waiting, closed } = &command.kind else { return };
        for close in waiting {
            self.closes.remove(close);
        }
        let data = json!({"session": command.session, "closedTabs": closed}).to_string();
        let reply = Reply::success(&command.id, &data, super::answers::NO_PAGE, false);
        self.finish(key, reply, None, false, now);
    }
}

/// How a command ended.
struct End<'a> {
    error_code: Option<&'a str>,
    timed_out: bool,
    from_memory: bool,
}

/// The record of handles that have ended; none if there were none.
pub(super) fn log_invalidated(
    session: Option<SessionId>,
    tab: Option<u32>,
    cause: &str,
    count: usize,
) {
    if count > 0 {
        let session = session.as_ref().map(SessionId::as_str);
        let tab = tab.map(TabHandle::new);
        let tab = tab.as_ref().map(TabHandle::as_str);
        tracing::info!(event = "handle_invalidate", session, tab, cause, count);
    }
}

fn tab_gone(session: SessionId, ordinal: u32) -> ProtocolError {
    let message = format!("{} was closed", TabHandle::new(ordinal).as_str());
    ProtocolError::new(ErrorCode::TabNotFound, message, session.as_str())
}

/// A `tab.close` of the daemon's own, and its id.
fn close_message(session: SessionId, chrome_id: i64, deadline: i64) -> (String, Utf8Bytes) {
    let id = format!("bproxy-close-{:032x}", rand::rng().random::<u128>());
    let message = json!({
        "protocol_version": VERSION, "id": id, "action": "tab.close", "params": {}, "session": session,
        "deadline": deadline, "destructive": true, "target": {"tabId": chrome_id},
    });
    (id, message.to_string().into())
}

/// The parameters for the log, without what is filled in.
fn redacted(action: &Action) -> String {
    match action {
        Action::Fill(_) | Action::FillForm(_) => {
            let mut params = serde_json::from_str(&action.params()).unwrap_or_default();
            hide_values(&mut params);
            params.to_string()
        }
        _ => action.params(),
    }
}

fn hide_values(params: &mut serde_json::Value) {
    if let Some(value) = params.get_mut("value") {
        *value = "…".into();
    }
    if let Some(fields) = params.get_mut("fields").and_then(serde_json::Value::as_array_mut) {
        fields.iter_mut().for_each(hide_values);
    }
}
