//! Admitting a request: refused, answered by the daemon itself, or pending.
//!
//! The refusals come in the order of protocol §5, whatever else may be wrong.

use std::{borrow::Cow, time::Duration};

use serde_json::json;

use crate::protocol::{
    self, ErrorCode, MAX_DEADLINE_MS, MAX_PENDING, MAX_SESSIONS, MAX_TABS, NO_PAGE, Place,
    ProtocolError, Request, Route, SessionId, TabHandle, Trace, forwarded,
};

use super::{
    Inner, Now, ReplyFuture, State,
    browsers::BrowserId,
    events::{End, Event, truncated},
    handles::HandlePage,
    numbers::{Block, Numbers},
    opens::AskedOpen,
    pending::{Command, Due, Kind, Reply, ReplyKind, Waiter},
    sessions::{not_found, tab_gone},
    targets::Resolved,
};

/// The outcome of admitting a request.
pub enum Admission {
    /// It is answered: refused, or carried out by the daemon itself.
    Answered(Reply),
    /// It is pending.
    Pending(ReplyFuture),
    /// Nothing is admitted any more: the daemon is shutting down.
    Draining,
}

/// The outcome for a request that was not refused.
pub(super) enum Admitted {
    /// The daemon carried it out itself; these are the data as a JSON text.
    Done(String),
    Pending(Waiter),
}

/// Where a forwarded command goes.
pub(super) struct Destination {
    pub(super) session: SessionId,
    pub(super) new_session: bool,
    pub(super) browser: BrowserId,
    /// The tab's ordinal and the browser's own id of it; none for a new one.
    pub(super) tab: Option<(u32, i64)>,
    /// Whether the browser is disconnected, and an unidentified connection may turn out to be its reconnect.
    pub(super) awaiting_reconnect: bool,
}

impl State {
    /// Decides about a request, and carries it out if its action is the daemon's own.
    ///
    /// Handles among its targets are replaced by what they stand for.
    pub fn admit(&self, request: &mut Request<'_>, now: Now) -> Admission {
        let admitted = self.at(now, |inner| {
            if inner.draining {
                return None;
            }
            let result = match inner.admit(request, now) {
                Ok(Admitted::Pending(waiter)) => return Some(Err(waiter)),
                Ok(Admitted::Done(data)) => Ok(data),
                Err(error) => Err(error),
            };
            Some(Ok(inner.conclude(request, result, now)))
        });
        match admitted {
            None => Admission::Draining,
            Some(Ok(reply)) => Admission::Answered(reply),
            // Made without the lock, which dropping it takes: so a panic under the lock cannot drop it there.
            Some(Err(waiter)) => Admission::Pending(ReplyFuture::new(self.clone(), waiter)),
        }
    }
}

impl Reply {
    /// A success; `data` and `page` are JSON texts.
    pub(super) fn success(id: &str, data: &str, page: &str, replay: bool) -> Self {
        let body = protocol::success(id, data, page, replay).into();
        Self { kind: ReplyKind::Answered, body }
    }

    pub(super) fn failure(id: &str, error: &ProtocolError) -> Self {
        let kind = match error.code == ErrorCode::NoExtension.name() {
            true => ReplyKind::NoBrowser,
            false => ReplyKind::Answered,
        };
        Self { kind, body: protocol::failure(id, error).into() }
    }
}

impl Inner {
    fn admit(&mut self, request: &mut Request<'_>, now: Now) -> Result<Admitted, ProtocolError> {
        if let Some(waiter) = self.pending.join(&request.id, &request.session) {
            tracing::debug!(event = "joined", id = %request.id);
            return Ok(Admitted::Pending(waiter));
        }
        self.dirty |= self.sessions.touch(&request.session, request.client.clone(), now.instant);
        self.emit(&Event::Received {
            id: &request.id,
            action: request.action.name(),
            session: truncated(&request.session),
            destructive: request.destructive,
            client: request.client.as_ref(),
        });
        let (destination, kind) = match request.action.route() {
            Route::Daemon(action) => {
                self.answer_again(request)?;
                return self.run(&action, now).map(Admitted::Done);
            }
            Route::Session(action) => {
                let session = self.sessions.check(&request.session)?;
                self.answer_again(request)?;
                return self.run_in(session, &action, &request.id, request.deadline, now);
            }
            Route::NewTab(url) => {
                let session = match &*request.session {
                    "" => None,
                    given => Some(self.sessions.check(given)?),
                };
                let asked =
                    if request.again { self.locate_open_again(&request.id, session) } else { None };
                let destination = match asked {
                    Some(destination) => {
                        self.permit(destination.session, None, HandlePage::default())?;
                        destination
                    }
                    None => self.locate_new_tab(session)?,
                };
                let new_session = destination.new_session;
                (
                    destination,
                    Kind::Open { new_session, url: url.to_owned(), client: request.client.clone() },
                )
            }
            Route::Tab(named, handling) => {
                let session = self.sessions.check(&request.session)?;
                (self.locate_tab(session, named)?, Kind::OnTab(handling))
            }
        };
        let handles = match request.again {
            true => Resolved::default(),
            false => self.resolve_handles(&mut request.action, &destination, now)?,
        };
        let files = self.given_files(destination.session, request.action.files())?;
        let is_plain = self.browsers.revision_of(destination.browser) < 1;
        let simplified = is_plain && request.action.simplify();
        let params = match handles.replaced || simplified {
            _ if !files.is_empty() => Cow::Owned(request.action.params_with(&files)),
            true => Cow::Owned(request.action.params()),
            false => Cow::Borrowed(request.params),
        };

        let deadline_ms = request.deadline.min(now.unix_ms + MAX_DEADLINE_MS);
        let left = u64::try_from(deadline_ms.saturating_sub(now.unix_ms)).unwrap_or(0);
        let session = destination.session;
        if left == 0 {
            let message = "the deadline had passed before the command arrived: give it more time with `--timeout`";
            let error = ProtocolError::new(ErrorCode::Timeout, message, session.as_str());
            return Err(error.with_details(json!({"now": now.unix_ms})));
        }
        self.check_load(&destination, now)?;
        if request.again {
            self.can_recall(&destination)?;
        } else {
            self.check_revision(request, &destination)?;
        }

        // From here on nothing refuses the command.
        self.handles.use_again(session, &handles.keys, now.instant);
        if let (Kind::Open { .. }, false) = (&kind, request.again) {
            self.remember_asked(request, &destination, now);
        }
        let mints = matches!(kind, Kind::OnTab(handling) if handling.mints().is_some())
            || request.action.finds()
            || request.action.then().is_some();
        let block =
            if mints && !request.again { self.reserve_numbers(&destination, now) } else { None };
        let place = match (destination.tab, request.again) {
            (None, false) => {
                block.map(|block| Place { numbers: Some(block.first), ..Place::default() })
            }
            (tab, true) => {
                Some(Place { tab: tab.map(|(_, id)| id), recall: true, ..Place::default() })
            }
            (Some((ordinal, id)), false) => Some(Place {
                tab: Some(id),
                document: self.known_document(&destination, ordinal),
                numbers: block.map(|block| block.first),
                recall: false,
            }),
        };
        let message = forwarded(
            self.browsers.version_of(destination.browser),
            request,
            &params,
            session.as_str(),
            deadline_ms,
            place,
        );
        let mut command = Command::new(
            &request.id,
            request.action.name(),
            kind,
            session,
            now,
            now.instant + Duration::from_millis(left),
        );
        command.tab = destination.tab.map(|(ordinal, _)| ordinal);
        command.browser = destination.browser;
        command.recall = request.again;
        command.message = message.into();
        command.handle_page = handles.page;
        command.block = block;
        command.then = request.action.then();
        command.awaiting_reconnect = destination.awaiting_reconnect;
        let waiter = self.pending.insert(command);
        self.start(waiter.key, &request.action, now);
        Ok(Admitted::Pending(waiter))
    }

    /// Refuses what the browser's extension is too old to understand.
    fn check_revision(
        &self,
        request: &mut Request<'_>,
        destination: &Destination,
    ) -> Result<(), ProtocolError> {
        if request.action.revision() <= self.browsers.revision_of(destination.browser) {
            return Ok(());
        }
        let session = destination.session;
        // Of a browser that was there before this daemon it is not known until it is back.
        if self.browsers.client_of(destination.browser).is_none() {
            return Err(self.no_extension(Some(session)));
        }
        let message = format!(
            "the extension in this browser is too old for what {} asks for: update it",
            request.action.name()
        );
        Err(ProtocolError::new(ErrorCode::ScriptError, message, session.as_str()))
    }

    /// Numbers for the elements that the answer of a command will list, if its browser numbers elements and the page is
    /// known or new. Those of a session that begins with the answer are its first.
    fn reserve_numbers(&mut self, destination: &Destination, now: Now) -> Option<Block> {
        if self.browsers.revision_of(destination.browser) < 1 {
            return None;
        }
        if let Some((_, chrome_id)) = destination.tab {
            self.browsers.page(destination.browser, chrome_id)?;
        }
        if destination.new_session {
            return Some(Numbers::default().reserve());
        }
        let session = self.sessions.get_mut(destination.session)?;
        let block = session.numbers.reserve();
        if session.numbers.near_marks() {
            self.pending.schedule(now.instant, Due::Upkeep);
        }
        if session.numbers.raise(0) {
            self.sessions.note_unsaved();
        }
        Some(block)
    }

    /// Remembers where an open goes, before the browser learns of it.
    fn remember_asked(&mut self, request: &Request<'_>, destination: &Destination, now: Now) {
        let open = AskedOpen {
            id: request.id.as_ref().into(),
            session: destination.session,
            unnamed: request.session.is_empty(),
            browser: destination.browser,
            instance: self.browsers.instance_of(destination.browser).map(str::to_owned),
        };
        self.asked_opens.push(open, now.instant);
        self.sessions.note_unsaved();
    }

    /// The mark of the document that the client was told of last, if the browser knows such marks.
    fn known_document(&self, destination: &Destination, ordinal: u32) -> Option<&str> {
        let marks = self.browsers.revision_of(destination.browser) >= 1;
        let session = self.sessions.get(destination.session).filter(|_| marks)?;
        session.tab(ordinal)?.document.as_deref()
    }

    /// The reply to a request that has ended on admission, with its trace and its event.
    fn conclude(
        &mut self,
        request: &Request<'_>,
        result: Result<String, ProtocolError>,
        now: Now,
    ) -> Reply {
        let end = match result.as_ref().map_err(|error| &*error.code) {
            Ok(_) => End::Ok,
            Err(code) if code == ErrorCode::Timeout.name() => End::TimedOut,
            Err(code) => End::Failed(code),
        };
        self.emit_ended(&request.id, 0, end);
        self.traces.push(Trace {
            id: request.id.as_ref().to_owned(),
            action: request.action.name().into(),
            session: truncated(&request.session).to_owned(),
            received_at: now.unix_ms,
            elapsed_ms: 0,
            ok: result.is_ok(),
            error_code: end.error_code().map(str::to_owned),
            replayed: None,
        });
        match result {
            Ok(data) => Reply::success(&request.id, &data, NO_PAGE, false),
            Err(error) => Reply::failure(&request.id, &error),
        }
    }

    /// Decides whether a command may act: once when it is admitted, and again at the head of its queue, because
    /// conditions may have changed since its admission. Everything that a person may allow or forbid is decided here.
    ///
    /// # Errors
    ///
    /// The session is paused, the tab is gone, or the page that its handles were read from is.
    pub(super) fn permit(
        &self,
        id: SessionId,
        tab: Option<u32>,
        handle_page: HandlePage,
    ) -> Result<(), ProtocolError> {
        let session = self.sessions.get(id);
        if let Some(reason) = session.and_then(|session| session.pause_reason()) {
            return Err(ProtocolError::new(ErrorCode::HumanRequired, reason, id.as_str()));
        }
        let Some(ordinal) = tab else { return Ok(()) };
        let session = session.ok_or_else(|| not_found(id))?;
        let tab = session.tab(ordinal).ok_or_else(|| tab_gone(id, ordinal))?;
        let page = self.browsers.page(tab.browser, tab.chrome_id);
        if !handle_page.is_on(page) {
            let message = "the page changed while the command waited: read it again";
            return Err(ProtocolError::new(ErrorCode::ElementHandleStale, message, id.as_str()));
        }
        Ok(())
    }

    /// An id that is used by no session, including those about to begin or end.
    pub(super) fn draw_session_id(&self) -> SessionId {
        loop {
            let id = SessionId::from_bits(rand::random());
            let is_asked = self.asked_opens.iter().any(|open| open.session == id);
            let is_pending = || self.pending.iter().any(|command| command.session == id);
            if !self.sessions.has(id) && !is_asked && !is_pending() {
                return id;
            }
        }
    }

    /// The browser that a new tab opens in: that of the session's main tab if it is connected, else the newest.
    fn locate_new_tab(&self, session: Option<SessionId>) -> Result<Destination, ProtocolError> {
        let id = session.unwrap_or_else(|| self.draw_session_id());
        let beside = self.sessions.get(id).and_then(|session| session.main_tab());
        let browser = beside
            .map(|tab| tab.browser)
            .filter(|browser| self.browsers.client_of(*browser).is_some())
            .or_else(|| self.browsers.newest())
            .ok_or_else(|| self.no_extension(session))?;
        self.permit(id, None, HandlePage::default())?;
        Ok(Destination {
            session: id,
            new_session: session.is_none(),
            browser,
            tab: None,
            awaiting_reconnect: false,
        })
    }

    /// The tab that a command goes to: the one it names, else the bound one.
    fn locate_tab(
        &self,
        id: SessionId,
        named: Option<&TabHandle>,
    ) -> Result<Destination, ProtocolError> {
        let found = self.sessions.find_tab(id, named);
        let tab = found.as_ref().ok().and_then(|ordinal| self.sessions.get(id)?.tab(*ordinal));
        let (reachable, awaiting_reconnect) = match tab {
            Some(tab) if self.browsers.client_of(tab.browser).is_some() => (true, false),
            Some(tab) => (self.browsers.may_return(tab.browser), true),
            None => (self.browsers.any_connected(), false),
        };
        if !reachable {
            return Err(self.no_extension(Some(id)));
        }
        self.permit(id, tab.map(|tab| tab.ordinal), HandlePage::default())?;
        let ordinal = found?;
        let tab = tab.ok_or_else(|| not_found(id))?;
        Ok(Destination {
            session: id,
            new_session: false,
            browser: tab.browser,
            tab: Some((ordinal, tab.chrome_id)),
            awaiting_reconnect,
        })
    }

    /// Refuses another session if there are too many, those that opens under way will begin included.
    pub(super) fn check_sessions(&mut self, now: Now) -> Result<(), ProtocolError> {
        let to_begin = self
            .pending
            .iter()
            .filter(|command| matches!(command.kind, Kind::Open { new_session: true, .. }));
        let to_begin = to_begin.count();
        if self.make_room(to_begin, now) {
            return Ok(());
        }
        let message = format!(
            "there are {MAX_SESSIONS} sessions already: close one with `bproxy session close`"
        );
        Err(ProtocolError::new(ErrorCode::Overloaded, message, "")
            .suggesting("bproxy session list"))
    }

    fn check_load(&mut self, destination: &Destination, now: Now) -> Result<(), ProtocolError> {
        let session = destination.session;
        if self.pending.is_full() {
            let message =
                format!("{MAX_PENDING} commands are pending already: wait for some of them");
            return Err(ProtocolError::new(ErrorCode::Overloaded, message, session.as_str()));
        }
        if destination.new_session {
            self.check_sessions(now)?;
        }
        let tabs = self.sessions.get(session).map_or(0, |session| session.tabs.len());
        let to_open = self.pending.iter().filter(|command| {
            command.session == session && matches!(command.kind, Kind::Open { .. })
        });
        if destination.tab.is_none() && tabs + to_open.count() >= MAX_TABS {
            let message = format!(
                "the session has {MAX_TABS} tabs already: close one with `bproxy tab close`"
            );
            return Err(ProtocolError::new(ErrorCode::Overloaded, message, session.as_str())
                .suggesting(format!("bproxy tab list -s {session}")));
        }
        Ok(())
    }

    /// The failure of a command whose browser is not connected.
    pub(super) fn no_extension(&self, session: Option<SessionId>) -> ProtocolError {
        let session = session.as_ref().map_or("", SessionId::as_str);
        let Some(reason) = self.pairing.unreadable() else {
            let message = "the browser is not connected: open it, or pair its bproxy extension with this daemon";
            let error = ProtocolError::new(ErrorCode::NoExtension, message, session);
            // Another pairing would void the one that there is.
            let is_paired = self.pairing.credential().is_some();
            return if is_paired { error.suggesting("bproxy doctor") } else { error };
        };
        let message = format!(
            "the browser cannot connect, because its pairing is in the keyring, and {reason}; it connects by itself then"
        );
        ProtocolError {
            // Pairing again would void the pairing in the keyring.
            suggested_action: Some("bproxy doctor".to_owned()),
            ..ProtocolError::new(ErrorCode::NoExtension, message, session)
        }
    }
}
