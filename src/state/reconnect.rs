//! A browser reconnects: what its new connection takes over from the old one, and which commands are resent.

use std::collections::HashSet;

use crate::protocol::{ErrorCode, HeldTab, Hello, MAX_OVERFLOWS, ProtocolError, SessionId};

use super::{
    Inner, Now,
    browsers::{BrowserId, ClientId, CloseReason, Identified, Outgoing},
    events::Event,
    pending::{Command, Phase},
};

impl Inner {
    /// A connection was silent for too long, or sent something other than a hello.
    pub(super) fn assume_anonymous(&mut self, client: ClientId, now: Now) {
        if self.browsers.browser_of(client).is_some() && !self.browsers.is_identified(client) {
            let identified = self.browsers.identify_anonymous(client);
            self.identified(client, identified, now);
        }
    }

    /// A connection has identified itself.
    pub(super) fn hello(&mut self, client: ClientId, hello: &Hello<'_>, now: Now) {
        let Some(version) = self.versions.find(hello.protocol_version) else {
            self.browsers.close(client, CloseReason::Incompatible);
            self.welcome_to(client, hello);
            self.fail_unreachable(now);
            return;
        };
        self.welcome_to(client, hello);
        self.browsers.set_version(client, version, hello.revision);
        tracing::debug!(
            event = "ws_hello",
            ws_client = %client,
            extension_version = &*hello.extension_version,
            browser = &*hello.browser,
        );
        self.dirty = true;
        let identified =
            self.browsers.identify_instance(client, &hello.instance_id, &hello.extension_version);
        // What it opened before its hello can come back from now on.
        if let Some(browser) = self.browsers.browser_of(client)
            && (self.asked_opens.name(browser, &hello.instance_id)
                || !self.sessions.tabs_of(browser).is_empty())
        {
            self.sessions.note_unsaved();
        }
        if let (1.., Some(tabs)) = (hello.revision, &hello.tabs) {
            for known in &identified.merge {
                self.drop_unlisted(*known, tabs, now);
            }
            if !tabs.is_empty() {
                self.browsers.forget_state(client);
            }
        }
        self.identified(client, identified, now);
    }

    /// A browser is back and lists the tabs that it holds for sessions: the others are gone. What is in flight there is
    /// sent again all the same, because the browser may have answered it before.
    fn drop_unlisted(&mut self, browser: BrowserId, listed: &[HeldTab<'_>], now: Now) {
        let listed: HashSet<_> = listed.iter().map(|tab| (tab.tab_id, &*tab.session)).collect();
        let mut gone = Vec::new();
        for (id, session) in self.sessions.iter() {
            let tabs = session.tabs.iter().filter(|tab| {
                tab.browser == browser && !listed.contains(&(tab.chrome_id, id.as_str()))
            });
            gone.extend(tabs.map(|tab| (id, tab.ordinal, tab.queue.clone())));
        }
        for (id, ordinal, queue) in gone {
            for key in queue {
                let phase = self.pending.get(key).map(|command| command.phase);
                if matches!(phase, Some(Phase::Sent { .. })) {
                    self.detach(key);
                }
            }
            self.drop_tab(id, ordinal, now);
        }
    }

    /// Answers a hello of revision 1 with the daemon's proof, before the connection gets anything else.
    fn welcome_to(&mut self, client: ClientId, hello: &Hello<'_>) {
        if let (1.., Some(nonce)) = (hello.revision, &hello.nonce) {
            self.welcome(client, nonce);
        }
    }

    /// A connection has ended.
    pub(super) fn disconnected(&mut self, client: ClientId, now: Now) {
        let used = self.is_used(client);
        self.browsers.disconnect(client, used);
        self.fail_unreachable(now);
    }

    /// A connection is about to end because of a message that is too large. It may be the answer to any command in flight
    /// on it; one that this happens to again is not sent any more.
    pub(super) fn overflowed(&mut self, client: ClientId, now: Now) {
        let is_in_flight =
            |command: &Command| matches!(command.phase, Phase::Sent { to, .. } if to == client);
        for key in self.pending.select(is_in_flight) {
            let Some(command) = self.pending.get_mut(key) else { continue };
            command.overflows += 1;
            if command.overflows < MAX_OVERFLOWS {
                continue;
            }
            let session = command.named_session();
            let session = session.as_ref().map_or("", SessionId::as_str);
            let message = "the browser's answers are larger than 64 MiB: ask for less of the page";
            let error = ProtocolError::new(ErrorCode::TooLarge, message, session);
            self.remember_open(key);
            self.fail(key, &error, now);
        }
    }

    /// Asks for a connection to be ended.
    pub(super) fn close(&mut self, client: ClientId, reason: CloseReason) {
        let used = self.is_used(client);
        self.browsers.end_unidentified(client, used);
        self.browsers.close(client, reason);
    }

    fn is_used(&self, client: ClientId) -> bool {
        let browser = self.browsers.browser_of(client);
        browser.is_some_and(|browser| self.used_browsers().contains(&browser))
    }

    /// From now on the connection gets its browser's messages, and commands in flight are resent.
    fn identified(&mut self, client: ClientId, identified: Identified, now: Now) {
        let Some(browser) = self.browsers.browser_of(client) else { return };
        if let Some(older) = identified.superseded {
            self.browsers.close(older, CloseReason::Superseded);
        }
        for from in &identified.merge {
            self.move_to(*from, browser);
            self.browsers.merged(*from);
        }
        if !identified.merge.is_empty() {
            self.replay(client, browser);
        }
        self.fail_unreachable(now);
        self.browsers.forget_unused(&self.used_browsers());
    }

    /// Browsers that tabs, commands or pauses belong to, or that may still answer a `tab.open`.
    fn used_browsers(&self) -> HashSet<BrowserId> {
        let tabs = self.sessions.iter().flat_map(|(_, session)| &session.tabs);
        let commands = self.pending.iter().map(|command| command.browser);
        let pauses = self.sessions.iter().filter_map(|(_, session)| session.paused.as_ref());
        let pauses = pauses.map(|pause| pause.browser);
        let others = commands.chain(pauses).chain(self.lost_opens.browsers());
        tabs.map(|tab| tab.browser).chain(others).collect()
    }

    fn move_to(&mut self, from: BrowserId, to: BrowserId) {
        let tabs = self.sessions.iter_mut().flat_map(|(_, session)| &mut session.tabs);
        tabs.filter(|tab| tab.browser == from).for_each(|tab| tab.browser = to);
        let pauses = self.sessions.iter_mut().filter_map(|(_, session)| session.paused.as_mut());
        pauses.filter(|pause| pause.browser == from).for_each(|pause| pause.browser = to);
        for command in self.pending.iter_mut().filter(|command| command.browser == from) {
            command.browser = to;
        }
        self.lost_opens.move_to(from, to);
    }

    /// Resends what earlier connections of this browser left unanswered, in the original order, and continues with
    /// commands that waited for the browser.
    fn replay(&mut self, client: ClientId, browser: BrowserId) {
        let mut in_flight = Vec::new();
        for key in self.pending.select(|command| command.browser == browser) {
            match self.pending.get(key).map(|command| command.phase) {
                Some(Phase::Sent { order, to }) if to != client => in_flight.push((order, key)),
                Some(Phase::Queued) => self.heads.push_back(key),
                _ => {}
            }
        }
        in_flight.sort_unstable();
        for (order, key) in in_flight {
            let Some(command) = self.pending.get_mut(key) else { continue };
            command.phase = Phase::Sent { order, to: client };
            command.replayed = true;
            let id = command.id.clone();
            self.emit(&Event::Replay { id: &id, ws_client: client });
            self.browsers.send(client, Outgoing::Command(key));
            self.cancel(key);
        }
    }

    /// Fails commands that were admitted awaiting a reconnect of their browser, if no connection can be that browser
    /// any more.
    fn fail_unreachable(&mut self, now: Now) {
        for key in self.pending.select(|command: &Command| command.awaiting_reconnect) {
            let Some(command) = self.pending.get_mut(key) else { continue };
            if self.browsers.client_of(command.browser).is_some() {
                command.awaiting_reconnect = false;
            } else if !self.browsers.may_return(command.browser) {
                let session = command.session;
                let error = self.no_extension(Some(session));
                self.fail(key, &error, now);
            }
        }
    }
}
