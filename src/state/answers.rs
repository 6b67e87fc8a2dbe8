//! Messages from the extension: their effects on the state, and the replies made from answers.

use std::{borrow::Cow, fmt::Write as _};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::protocol::{
    Answer, AnswerHandling, ErrorCode, Message, Mints, NO_PAGE, Navigation, Outcome, ProtocolError,
    SessionId, TabActivateData, TabCloseData, TabHandle, TabPinData,
};

use super::{
    Inner, Now,
    browsers::{BrowserId, ClientId, Outgoing},
    events::End,
    handles::Page,
    json_edit::{self, Members},
    local::json,
    opens::Opened,
    pending::{CommandKey, Kind, Reply, ReplyKind},
    sessions::{Pause, is_mark, kept},
};

/// What an answer says of the page, as far as the daemon keeps it. A member that is no text counts as not told, and leaves
/// the others as they are.
#[derive(Default)]
struct ShownPage<'a> {
    url: Option<Cow<'a, str>>,
    title: Option<Cow<'a, str>>,
    document: Option<Cow<'a, str>>,
}

impl<'a> ShownPage<'a> {
    /// The page of a success, a JSON object.
    fn parse(json: &'a str) -> Self {
        #[derive(Deserialize)]
        struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

        let Ok(members) = serde_json::from_str::<Members<'a>>(json) else { return Self::default() };
        let text =
            |name| serde_json::from_str::<Text<'a>>(members.get(name)?).ok().map(|text| text.0);
        Self { url: text("url"), title: text("title"), document: text("document") }
    }

    /// The page in the details of a failure.
    fn of(page: &'a Value) -> Self {
        let text = |name| page.get(name)?.as_str().map(Cow::Borrowed);
        Self { url: text("url"), title: text("title"), document: text("document") }
    }
}

impl Inner {
    /// A text message from a connection: `text`, which are the bytes of `frame`.
    pub(super) fn receive(&mut self, client: ClientId, text: &str, frame: &Bytes, now: Now) {
        if self.browsers.closing(client).is_some() {
            return;
        }
        let message = Message::parse(text);
        let is_first = self.browsers.hears(client);
        match &message {
            // One that waits for the daemon's proof is answered however late it comes: a browser that has much to do
            // would take the silence for a stranger's.
            Ok(Message::Hello(hello))
                if !self.browsers.is_identified(client) || is_first && hello.revision >= 1 =>
            {
                return self.hello(client, hello, now);
            }
            _ => self.assume_anonymous(client, now),
        }
        let problem = match message {
            Ok(Message::Answer(answer)) => self.answered(client, &answer, frame, now),
            Ok(Message::Ping { ts }) => {
                let pong = format!(r#"{{"type":"pong","ts":{ts}}}"#);
                self.browsers.send(client, Outgoing::Note(pong.into()));
                None
            }
            Ok(Message::Navigation(navigation)) => {
                self.navigated(client, &navigation);
                None
            }
            Ok(Message::Tab(opened)) => {
                self.adopt(client, &opened, now);
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

    /// A tab shows a new page: handles from the previous one are stale.
    fn navigated(&mut self, client: ClientId, navigation: &Navigation<'_>) {
        let Some(browser) = self.browsers.browser_of(client) else { return };
        let Navigation { tab_id, url, same_document } = navigation;
        let before = self.browsers.page(browser, *tab_id);
        let sessions = &self.sessions;
        let owned = || sessions.tabs_of(browser);
        self.browsers.navigated(browser, *tab_id, url, *same_document, owned);
        let owners: Vec<_> = self.sessions.owners_of(browser, *tab_id).collect();
        for (id, ordinal) in owners {
            let session = self.sessions.get_mut(id);
            if let Some(tab) = session.and_then(|session| session.tab_mut(ordinal)) {
                tab.url = kept(url).to_owned();
                tab.title.clear();
                self.dirty = true;
            }
        }
        self.page_changed(browser, *tab_id, before);
    }

    /// Records the handles that end because a tab no longer shows the page `before`.
    fn page_changed(&self, browser: BrowserId, chrome_id: i64, before: Option<Page>) {
        let after = self.browsers.page(browser, chrome_id);
        let Some((before, after)) = before.zip(after).filter(|(before, after)| before != after)
        else {
            return;
        };
        for (id, ordinal) in self.sessions.owners_of(browser, chrome_id) {
            let count = self.handles.ended(id, ordinal, before, after);
            self.emit_invalidated(Some(id), Some(ordinal), "navigation", count);
        }
    }

    /// An answer, expected or not; returns what is wrong with one that is not.
    fn answered(
        &mut self,
        client: ClientId,
        answer: &Answer<'_>,
        frame: &Bytes,
        now: Now,
    ) -> Option<&'static str> {
        let browser = self.browsers.browser_of(client)?;
        if let Some(key) = self.pending.in_flight(&answer.id, browser) {
            self.resolve(client, key, answer, frame, now);
            return None;
        }
        let ok = matches!(answer.outcome, Some(Outcome::Ok { .. } | Outcome::Bare));
        if self.tab_closed(&answer.id, ok, now) {
            return None;
        }
        match (self.lost_opens.take(&answer.id, browser), &answer.outcome) {
            (None, _) => return Some("an answer without a pending command"),
            (Some(session), Some(Outcome::Ok { data, .. })) => {
                self.close_stray(client, session, data, now);
            }
            (Some(_), _) => {}
        }
        None
    }

    /// The answer to a pending command.
    fn resolve(
        &mut self,
        client: ClientId,
        key: CommandKey,
        answer: &Answer<'_>,
        frame: &Bytes,
        now: Now,
    ) {
        tracing::debug!(event = "payload", id = &*answer.id, answer_bytes = frame.len());
        let Some(command) = self.pending.get_mut(key) else { return };
        command.replayed |= answer.replay;
        let session = command.session;
        let orphan = matches!(command.kind, Kind::Open { .. }) && !command.has_waiters();
        let result = match &answer.outcome {
            Some(Outcome::Ok { data, .. }) if orphan => {
                // The client has hung up, and no session owns the tab.
                self.take_out(key);
                self.close_stray(client, session, data, now);
                return;
            }
            Some(Outcome::Ok { data, page }) => self.succeed(key, answer, frame, data, page, now),
            Some(Outcome::Bare) => self
                .tab_done(key, now)
                .map(|data| Reply::success(&answer.id, &data, NO_PAGE, answer.replay)),
            Some(Outcome::Failed { code, message, suggested_action, details }) => {
                let mut details = details.clone();
                details.iter_mut().for_each(json_edit::drop_tab_ids);
                self.mint_candidates(key, &mut details, now);
                let (message, suggestion) = (message.clone(), suggested_action.clone());
                Err(self.reported(key, code, message, suggestion, details, now))
            }
            None => Err(self.invalid_answer(key)),
        };
        match result {
            Ok(reply) => self.end(key, reply, End::Ok, now),
            Err(error) => self.fail(key, &error, now),
        }
    }

    /// A failure that the extension reports, and its consequences for the session and the tab.
    fn reported(
        &mut self,
        key: CommandKey,
        code: &str,
        message: String,
        suggestion: Option<String>,
        details: Option<Value>,
        now: Now,
    ) -> ProtocolError {
        let Some(command) = self.pending.get(key) else { return self.invalid_answer(key) };
        let (session, tab, named) = (command.session, command.tab, command.named_session());
        let browser = command.browser;
        if code == ErrorCode::HumanRequired.name()
            && let Some(session) = self.sessions.edit(session)
        {
            session.paused = Some(Pause { reason: kept(&message).to_owned(), browser });
            self.dirty = true;
        }
        if let Some(page) = details.as_ref().and_then(|details| details.get("page")) {
            self.remember_page(key, &ShownPage::of(page));
        }
        if code == ErrorCode::TabNotFound.name()
            && let Some(ordinal) = tab
        {
            self.detach(key);
            self.drop_tab(session, ordinal, now);
        }
        // A session that an open would have begun does not exist.
        let suggestion = match named {
            Some(_) => suggestion,
            None => {
                suggestion.map(|line| line.trim_end_matches(&format!(" -s {session}")).to_owned())
            }
        };
        let named = named.as_ref().map_or("", SessionId::as_str);
        ProtocolError::from_extension(code, message, suggestion, details, named)
    }

    /// Takes a command out of its tab's queue, which is about to be dropped with all in it.
    pub(super) fn detach(&mut self, key: CommandKey) {
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
        frame: &Bytes,
        data: &str,
        page: &str,
        now: Now,
    ) -> Result<Reply, ProtocolError> {
        let Some(command) = self.pending.get(key) else { return Err(self.invalid_answer(key)) };
        let (session, browser) = (command.session, command.browser);
        let (mut owner, then) = (command.tab.map(|ordinal| (session, ordinal)), command.then);
        let own_data = match &command.kind {
            Kind::Open { new_session, url, client } => {
                self.sessions.set_asking(client.clone());
                let (new_session, url) = (*new_session, url.clone());
                let numbered = command.block.is_some();
                let opened = Opened { browser, data, page, replay: answer.replay, numbered };
                let (tab, data) = self.add_opened_tab(session, new_session, &url, &opened, now)?;
                owner = Some(tab);
                Some(data)
            }
            Kind::OnTab(
                AnswerHandling::ClosesTab
                | AnswerHandling::PinsTab(_)
                | AnswerHandling::ActivatesTab,
            ) => Some(self.tab_done(key, now)?),
            Kind::OnTab(
                handling @ (AnswerHandling::MintsHandles(_) | AnswerHandling::ReportsEffects),
            ) => {
                let handling = *handling;
                let minted = owner
                    .zip(handling.mints())
                    .and_then(|(owner, mints)| self.mint(key, owner, mints, data, now));
                match handling {
                    AnswerHandling::ReportsEffects => {
                        let name = |chrome_id| self.name_of_tab(session, browser, chrome_id);
                        let data = minted.as_deref().unwrap_or(data);
                        json_edit::with_opened_tabs(data, name).or(minted)
                    }
                    _ => minted,
                }
            }
            Kind::OnTab(AnswerHandling::NamesTabs) => {
                let name = |chrome_id| self.name_of_tab(session, browser, chrome_id);
                Some(json_edit::with_tab_names(data, name))
            }
            Kind::OnTab(AnswerHandling::Relayed) | Kind::CloseSession { .. } => None,
        };
        let own_data = match (then, owner) {
            (Some(mints), Some(owner)) => self.with_read(key, owner, mints, data, own_data, now),
            _ => own_data,
        };
        self.release_unused(key, owner.map_or(session, |(session, _)| session));
        self.remember_page(key, &ShownPage::parse(page));
        if own_data.is_none() && answer.relayable && !json_edit::mentions_tab_id(frame) {
            return Ok(Reply { kind: ReplyKind::Answered, body: frame.clone() });
        }
        let data = json_edit::without_tab_ids(own_data.as_deref().unwrap_or(data));
        let page = json_edit::without_tab_ids(page);
        Ok(Reply::success(&answer.id, &data, &page, answer.replay))
    }

    /// The data of a command with what the extension says of the read that it brought along: `own_data`, if the daemon
    /// makes those itself.
    fn with_read(
        &mut self,
        key: CommandKey,
        owner: (SessionId, u32),
        mints: Option<Mints>,
        data: &str,
        own_data: Option<String>,
        now: Now,
    ) -> Option<String> {
        let told: Members<'_> = serde_json::from_str(data).ok()?;
        let read = told.get("then");
        let minted =
            mints.zip(read).and_then(|(mints, read)| self.mint(key, owner, mints, read, now));
        let mut members = String::new();
        for (name, text) in
            [("then", minted.as_deref().or(read)), ("thenError", told.get("thenError"))]
        {
            let Some(text) = text else { continue };
            // Writing to a string cannot fail.
            let _ =
                write!(members, r#"{}"{name}":{text}"#, if members.is_empty() { "" } else { "," });
        }
        if minted.is_none() && own_data.is_none() {
            return None;
        }
        let own: Members<'_> = serde_json::from_str(own_data.as_deref().unwrap_or(data)).ok()?;
        Some(own.written(&members, &["then", "thenError"]))
    }

    /// The name of the browser's tab in a session that has it.
    fn name_of_tab(
        &self,
        session: SessionId,
        browser: BrowserId,
        chrome_id: i64,
    ) -> Option<String> {
        let mut owners = self.sessions.owners_of(browser, chrome_id);
        let (_, ordinal) = owners.find(|(owner, _)| *owner == session)?;
        Some(TabHandle::new(ordinal).as_str().to_owned())
    }

    /// The client is told what the tab shows: its address, title and document.
    fn remember_page(&mut self, key: CommandKey, page: &ShownPage<'_>) {
        let Some(command) = self.pending.get(key) else { return };
        let (browser, is_awaited) = (command.browser, command.has_waiters());
        let session = self.sessions.get_mut(command.session);
        let Some(tab) = session.zip(command.tab).and_then(|(it, ordinal)| it.tab_mut(ordinal))
        else {
            return;
        };
        for (known, shown) in [(&mut tab.url, &page.url), (&mut tab.title, &page.title)] {
            let Some(shown) = shown else { continue };
            let shown = kept(shown);
            if shown != known {
                *known = shown.to_owned();
                self.dirty = true;
            }
        }
        // A client that hung up is not told anything.
        if let Some(document) = page.document.as_deref().filter(|_| is_awaited)
            && is_mark(document)
            && tab.document.as_deref() != Some(document)
        {
            tab.document = Some(document.to_owned());
        }
        let chrome_id = tab.chrome_id;
        if let Some(url) = page.url.as_deref().filter(|url| !url.is_empty()) {
            let before = self.browsers.page(browser, chrome_id);
            self.browsers.shows(browser, chrome_id, url);
            self.page_changed(browser, chrome_id, before);
        }
    }

    /// Applies a successful action on a tab to its session. Returns the data for the client.
    fn tab_done(&mut self, key: CommandKey, now: Now) -> Result<String, ProtocolError> {
        let command = self.pending.get(key);
        let Some((command, ordinal)) = command.and_then(|command| Some((command, command.tab?)))
        else {
            return Err(self.invalid_answer(key));
        };
        let (session, tab) = (command.session, TabHandle::new(ordinal));
        match command.kind {
            Kind::OnTab(AnswerHandling::ClosesTab) => {
                self.detach(key);
                self.drop_tab(session, ordinal, now);
                Ok(json(&TabCloseData { tab, closed: true }))
            }
            Kind::OnTab(AnswerHandling::PinsTab(pinned)) => Ok(json(&TabPinData { tab, pinned })),
            Kind::OnTab(AnswerHandling::ActivatesTab) => {
                // What the person was shown is what the session goes on with.
                if let Some(session) = self.sessions.get_mut(session) {
                    session.bound = Some(ordinal);
                    self.dirty = true;
                }
                Ok(json(&TabActivateData { tab, activated: true, then: None, then_error: None }))
            }
            Kind::OnTab(
                AnswerHandling::Relayed
                | AnswerHandling::MintsHandles(_)
                | AnswerHandling::ReportsEffects
                | AnswerHandling::NamesTabs,
            )
            | Kind::Open { .. }
            | Kind::CloseSession { .. } => Err(self.invalid_answer(key)),
        }
    }

    fn invalid_answer(&self, key: CommandKey) -> ProtocolError {
        let session = self.pending.get(key).and_then(|command| command.named_session());
        let message =
            "the extension's answer violates the protocol: update the extension or the daemon";
        let session = session.as_ref().map_or("", SessionId::as_str);
        ProtocolError::new(ErrorCode::ScriptError, message, session)
    }
}
