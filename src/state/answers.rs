//! What the extension says, and what clients get to hear of it.

use serde_json::json;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::protocol::{
    Answer, ErrorCode, HandleKind, Message, Navigation, Outcome, ProtocolError, TabHandle,
};

use super::{
    Inner, Now, Reply,
    browsers::{BrowserId, ClientId, Outgoing},
    dispatch::log_invalidated,
    handles::MAX_PER_READ,
    pending::{Command, CommandKey, Kind, Phase},
    splice,
};

/// The page in answers that no page gave.
pub(super) const NO_PAGE: &str = r#"{"url":"","title":"","state":"ready","busy":false}"#;

impl Inner {
    /// A text message from a connection.
    pub(super) fn receive(&mut self, client: ClientId, text: &Utf8Bytes, now: Now) {
        if self.browsers.closing(client).is_some() {
            return;
        }
        let message = Message::parse(text);
        if !self.browsers.is_identified(client) {
            match &message {
                Ok(Message::Hello(hello)) => return self.hello(client, hello, now),
                _ => self.silent(client, now),
            }
        }
        let problem = match message {
            Ok(Message::Answer(answer)) => self.answered(client, &answer, text, now),
            Ok(Message::Ping { ts }) => {
                let pong = format!(r#"{{"type":"pong","ts":{ts}}}"#);
                self.browsers.send(client, Outgoing::Note(pong.into()));
                None
            }
            Ok(Message::Navigation(navigation)) => {
                self.navigated(client, &navigation);
                None
            }
            Ok(Message::Person(act)) => {
                self.person_acts(client, &act, now);
                None
            }
            Ok(Message::Hello(_)) => Some("a hello that is not the first message"),
            Ok(Message::Other(problem)) => Some(problem),
            Err(error) => {
                tracing::warn!(event = "ws_bad_message", ws_client = %client, problem = %error);
                None
            }
        };
        if let Some(problem) = problem {
            tracing::debug!(event = "ws_bad_message", ws_client = %client, problem);
        }
    }

    /// A tab shows a new page, and what was read from the one before is stale.
    fn navigated(&mut self, client: ClientId, navigation: &Navigation<'_>) {
        let Some(browser) = self.browsers.browser_of(client) else { return };
        let chrome_id = navigation.tab_id;
        let sessions = &self.sessions;
        let owned = |id| {
            sessions.iter().any(|(_, session)| {
                session.tabs.iter().any(|tab| tab.browser == browser && tab.chrome_id == id)
            })
        };
        self.browsers.navigated(browser, chrome_id, &navigation.url, owned);
        for (id, session) in self.sessions.iter_mut() {
            for tab in session
                .tabs
                .iter_mut()
                .filter(|tab| tab.browser == browser && tab.chrome_id == chrome_id)
            {
                self.news = true;
                tab.url = navigation.url.clone().into_owned();
                tab.title.clear();
                let count = self.handles.mark_stale(id, tab.ordinal);
                log_invalidated(Some(id), Some(tab.ordinal), "navigation", count);
            }
        }
    }

    /// An answer, expected or not; returns what is wrong with one that is not.
    fn answered(
        &mut self,
        client: ClientId,
        answer: &Answer<'_>,
        text: &Utf8Bytes,
        now: Now,
    ) -> Option<&'static str> {
        let browser = self.browsers.browser_of(client)?;
        let asked = |command: &Command| {
            matches!(command.phase, Phase::Sent(_)) && command.browser == browser
        };
        if let Some(key) =
            self.pending.key_of(&answer.id).filter(|key| self.pending.get(*key).is_some_and(asked))
        {
            self.resolve(client, key, answer, text, now);
        } else if let Some(key) = self.closes.remove(&*answer.id) {
            if let Some(Kind::CloseSession { waiting, closed }) =
                self.pending.get_mut(key).map(|command| &mut command.kind)
            {
                waiting.remove(&*answer.id);
                *closed +=
                    usize::from(matches!(answer.outcome, Some(Outcome::Ok { .. } | Outcome::Bare)));
            }
            self.conclude_close(key, now);
        } else if let Some(session) = self.take_lost_open(&answer.id, browser) {
            if let Some(Outcome::Ok { data, .. }) = answer.outcome
                && let Some(chrome_id) = splice::integer_member(data, "tabId")
            {
                self.close_stray(client, session, chrome_id, now);
            }
        } else {
            return Some("an answer that nobody waits for");
        }
        None
    }

    /// The answer to a command that waits for it.
    fn resolve(
        &mut self,
        client: ClientId,
        key: CommandKey,
        answer: &Answer<'_>,
        text: &Utf8Bytes,
        now: Now,
    ) {
        tracing::debug!(event = "payload", id = &*answer.id, answer_bytes = text.len());
        let Some(command) = self.pending.get(key) else { return };
        let (session, tab) = (command.session, command.tab);
        let orphan = matches!(command.kind, Kind::Open { .. }) && !command.has_waiters();
        let result = match &answer.outcome {
            Some(Outcome::Failed { code, message, suggested_action, details }) => {
                let mut details = details.clone();
                details.iter_mut().for_each(splice::drop_tab_ids);
                if code == ErrorCode::HumanRequired.name()
                    && let Some(session) = self.sessions.get_mut(session)
                {
                    session.paused = Some(message.clone());
                    self.news = true;
                }
                if code == ErrorCode::TabNotFound.name()
                    && let Some(ordinal) = tab
                {
                    self.detach(key);
                    self.drop_tab(session, ordinal, now);
                }
                let (message, suggestion) = (message.clone(), suggested_action.clone());
                Err(ProtocolError::from_extension(
                    code,
                    message,
                    suggestion,
                    details,
                    session.as_str(),
                ))
            }
            Some(Outcome::Ok { data, page }) if orphan => {
                // Whoever asked for the tab has gone, so nobody would ever close it.
                let _ = page;
                if let Some(chrome_id) = splice::integer_member(data, "tabId") {
                    self.close_stray(client, session, chrome_id, now);
                }
                self.pending.remove(key);
                return;
            }
            Some(Outcome::Ok { data, page }) => self.succeed(key, answer, text, data, page, now),
            Some(Outcome::Bare) => self.succeed_bare(key, answer, now),
            None => Err(invalid_answer(session.as_str())),
        };
        match result {
            Ok(reply) => self.finish(key, reply, None, answer.replay, now),
            Err(error) => {
                let reply = Reply::failure(&answer.id, &error);
                self.finish(key, reply, Some(&error.code), answer.replay, now);
            }
        }
    }

    /// Takes a command out of its tab's queue, which is about to be dropped with all in it.
    fn detach(&mut self, key: CommandKey) {
        let Some(command) = self.pending.get(key) else { return };
        let tab = command
            .tab
            .and_then(|ordinal| self.sessions.get_mut(command.session)?.tab_mut(ordinal));
        if let Some(tab) = tab {
            tab.queue.retain(|queued| *queued != key);
        }
    }

    /// A success with data and page.
    fn succeed(
        &mut self,
        key: CommandKey,
        answer: &Answer<'_>,
        text: &Utf8Bytes,
        data: &str,
        page: &str,
        now: Now,
    ) -> Result<Reply, ProtocolError> {
        let Some(command) = self.pending.get(key) else { return Err(invalid_answer("")) };
        let session = command.session;
        let own_data = match &command.kind {
            Kind::Open { new_session, url } => {
                let (new_session, asked) = (*new_session, url.clone());
                let browser = command.browser;
                Some(self.opened(session, new_session, browser, &asked, data, page)?)
            }
            Kind::CloseTab | Kind::Pin(_) | Kind::Activate => Some(self.tab_done(key, now)?),
            Kind::Read(kind) => {
                let kind = *kind;
                Some(self.read(key, kind, data, now))
            }
            Kind::Log => {
                let (sessions, browser) = (&self.sessions, command.browser);
                let name = |chrome_id| {
                    let tabs = &sessions.get(session)?.tabs;
                    let tab = tabs
                        .iter()
                        .find(|tab| tab.browser == browser && tab.chrome_id == chrome_id)?;
                    Some(TabHandle::new(tab.ordinal).as_str().to_owned())
                };
                Some(splice::with_tab_names(data, name))
            }
            Kind::Relay | Kind::CloseSession { .. } => None,
        };
        self.remember_page(key, page);
        if own_data.is_none() && answer.relayable && !splice::mentions_tab_id(text) {
            return Ok(Reply { status: 200, body: text.clone().into() });
        }
        let data = own_data.map_or_else(
            || splice::without_tab_ids(data),
            |own| splice::without_tab_ids(&own).into_owned().into(),
        );
        let page = splice::without_tab_ids(page);
        Ok(Reply::success(&answer.id, &data, &page, answer.replay))
    }

    /// A success that says nothing else: enough for what is done to a tab.
    fn succeed_bare(
        &mut self,
        key: CommandKey,
        answer: &Answer<'_>,
        now: Now,
    ) -> Result<Reply, ProtocolError> {
        let data = self.tab_done(key, now)?;
        Ok(Reply::success(&answer.id, &data, NO_PAGE, answer.replay))
    }

    /// The tab's title and address, as the answer tells them.
    fn remember_page(&mut self, key: CommandKey, page: &str) {
        let Some(command) = self.pending.get(key) else { return };
        let Some(tab) = command
            .tab
            .and_then(|ordinal| self.sessions.get_mut(command.session)?.tab_mut(ordinal))
        else {
            return;
        };
        #[derive(serde::Deserialize)]
        struct Shown<'a> {
            #[serde(borrow)]
            url: Option<std::borrow::Cow<'a, str>>,
            #[serde(borrow)]
            title: Option<std::borrow::Cow<'a, str>>,
        }
        let Ok(shown) = serde_json::from_str::<Shown<'_>>(page) else { return };
        for (kept, shown) in [(&mut tab.url, shown.url), (&mut tab.title, shown.title)] {
            if let Some(shown) = shown.filter(|shown| **shown != **kept) {
                *kept = shown.into_owned();
                self.news = true;
            }
        }
    }

    /// The new tab belongs to its session from now on, which begins with it if it is a new one.
    fn opened(
        &mut self,
        id: crate::protocol::SessionId,
        new_session: bool,
        browser: BrowserId,
        asked: &str,
        data: &str,
        page: &str,
    ) -> Result<String, ProtocolError> {
        let Some(chrome_id) = splice::integer_member(data, "tabId") else {
            return Err(ProtocolError::new(
                ErrorCode::ScriptError,
                "the extension opened a tab without telling which",
                if new_session { "" } else { id.as_str() },
            ));
        };
        let url = splice::text_member(data, "url").unwrap_or_else(|| asked.to_owned());
        if new_session {
            self.sessions.insert(id, None);
            self.dirs.create(id);
        }
        let shown = splice::text_member(page, "url").unwrap_or_else(|| url.clone());
        let title = splice::text_member(page, "title").unwrap_or_default();
        let Some(session) = self.sessions.get_mut(id) else {
            return Err(super::sessions::not_found(id));
        };
        self.news = true;
        let tab = session.open_tab(browser, chrome_id, shown.clone(), title);
        self.browsers.opened(browser, chrome_id, &shown, |_| false);
        let tmp_dir = self.dirs.path(id);
        Ok(json!({"session": id, "tab": tab, "bound": true, "url": url, "tmpDir": tmp_dir})
            .to_string())
    }

    /// What was asked for was done to the tab.
    fn tab_done(&mut self, key: CommandKey, now: Now) -> Result<String, ProtocolError> {
        let Some(command) = self.pending.get(key) else { return Err(invalid_answer("")) };
        let (session, Some(ordinal)) = (command.session, command.tab) else {
            return Err(invalid_answer(command.session.as_str()));
        };
        let tab = TabHandle::new(ordinal);
        Ok(match command.kind {
            Kind::CloseTab => {
                self.detach(key);
                self.drop_tab(session, ordinal, now);
                json!({"tab": tab, "closed": true})
            }
            Kind::Pin(pinned) => json!({"tab": tab, "pinned": pinned}),
            Kind::Activate => json!({"tab": tab, "activated": true}),
            _ => return Err(invalid_answer(session.as_str())),
        }
        .to_string())
    }

    /// The data of a read, with fresh handles instead of those of the read before.
    fn read(&mut self, key: CommandKey, kind: HandleKind, data: &str, now: Now) -> String {
        let Some(command) = self.pending.get(key) else { return data.to_owned() };
        let (id, Some(ordinal)) = (command.session, command.tab) else { return data.to_owned() };
        let page = command.sent_page.clone();
        let replaced = self.handles.forget_read(id, ordinal, kind);
        log_invalidated(Some(id), Some(ordinal), "reread", replaced);
        let targets = match page {
            Some(_) => splice::targets(data, kind, MAX_PER_READ),
            None => Vec::new(),
        };
        let count = targets.len();
        let first = match self.sessions.get_mut(id) {
            Some(session) if count > 0 => session.number_handles(kind, count),
            _ => 0,
        };
        if let Some(page) = page
            && count > 0
        {
            let evicted = self.handles.mint((id, ordinal, kind), page, first, targets, now.instant);
            log_invalidated(None, None, "cap", evicted);
            let tab = TabHandle::new(ordinal);
            tracing::info!(
                event = "handle_mint",
                session = %id,
                tab = tab.as_str(),
                sourceAction = kind.source_action(),
                count,
                firstHandle = format!("{}{first}", kind.prefix()),
                lastHandle = format!("{}{}", kind.prefix(), first + count as u32 - 1),
            );
        }
        splice::with_handles(data, kind, first, count)
    }
}

fn invalid_answer(session: &str) -> ProtocolError {
    let message =
        "the extension's answer does not hold to the protocol: update the extension or the daemon";
    ProtocolError::new(ErrorCode::ScriptError, message, session)
}
