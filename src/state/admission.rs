//! The way in: one request from its envelope to a refusal, a local action, or a pending command.
//!
//! The refusals come in the order of protocol §5, whatever else may be wrong.

use std::{borrow::Cow, time::Duration};

use crate::protocol::{
    Action, ErrorCode, HandleKind, MAX_DEADLINE_MS, MAX_PENDING, MAX_SESSIONS, MAX_TABS, Place,
    ProtocolError, Request, SessionId, TabHandle, failure, forwarded,
};

use super::{
    Inner, Now, Reply, State, Ticket,
    browsers::BrowserId,
    pending::{Command, Kind, Seat},
    records::{self, End, clipped},
    sessions::not_found,
    trace::Trace,
};

/// What becomes of a request.
pub enum Admission {
    /// It is answered already.
    Answered(Reply),
    /// It is to be carried out by the daemon, for this session if it is for one; the result goes to
    /// [`State::conclude`].
    Local(Option<SessionId>),
    /// It is pending.
    Pending(Ticket),
}

enum Admitted {
    Local(Option<SessionId>),
    Pending(Seat),
}

/// Where a forwarded command goes.
pub(super) struct Destination {
    pub(super) session: SessionId,
    new_session: bool,
    pub(super) browser: BrowserId,
    /// The tab's ordinal and the browser's own id of it; none for a new one.
    pub(super) tab: Option<(u32, i64)>,
    /// Whether the browser is away, and a connection that has not said who it is may be its own.
    hopeful: bool,
}

impl State {
    /// Decides about a request.
    ///
    /// Handles among its targets are replaced by what they stand for.
    pub fn admit(&self, request: &mut Request<'_>, now: Now) -> Admission {
        let admitted = self.at(now, |inner| inner.admit(request, now));
        match admitted {
            Ok(Admitted::Local(session)) => Admission::Local(session),
            Ok(Admitted::Pending(seat)) => Admission::Pending(Ticket::new(self.clone(), seat)),
            Err(error) => Admission::Answered(self.conclude(request, &Err(error), now, now)),
        }
    }

    /// The reply to a request that was refused, or carried out by the daemon itself, with its
    /// trace and its record in the log. The result is the data as a JSON text.
    pub fn conclude(
        &self,
        request: &Request<'_>,
        result: &Result<String, ProtocolError>,
        received: Now,
        now: Now,
    ) -> Reply {
        let elapsed_ms = (now.instant - received.instant).as_millis() as u64;
        let end = match result.as_ref().map_err(|error| &*error.code) {
            Ok(_) => End::Ok,
            Err(code) if code == ErrorCode::Timeout.name() => End::TimedOut,
            Err(code) => End::Failed(code),
        };
        records::ended(&request.id, elapsed_ms, end);
        let trace = Trace {
            id: request.id.as_ref().to_owned(),
            action: request.action.name(),
            session: clipped(&request.session).to_owned(),
            received_at: received.unix_ms,
            elapsed_ms,
            ok: result.is_ok(),
            error_code: end.error_code().map(str::to_owned),
            replayed: false,
        };
        self.with(|inner| inner.traces.push(trace));
        match result {
            Ok(data) => Reply::success(&request.id, data, super::answers::NO_PAGE, false),
            Err(error) => Reply::failure(&request.id, error),
        }
    }
}

impl Reply {
    /// A success; `data` and `page` are JSON texts.
    pub(super) fn success(id: &str, data: &str, page: &str, replay: bool) -> Self {
        Self { status: 200, body: crate::protocol::success(id, data, page, replay).into() }
    }

    /// A failure, with the status that protocol §1 gives it.
    pub(super) fn failure(id: &str, error: &ProtocolError) -> Self {
        let status = if error.code == ErrorCode::NoExtension.name() { 502 } else { 200 };
        Self { status, body: failure(id, error).into() }
    }
}

impl Inner {
    fn admit(&mut self, request: &mut Request<'_>, now: Now) -> Result<Admitted, ProtocolError> {
        if let Some(seat) = self.pending.join(&request.id) {
            tracing::debug!(event = "joined", id = %request.id);
            return Ok(Admitted::Pending(seat));
        }
        tracing::info!(
            event = "received",
            id = %request.id,
            action = request.action.name(),
            session = clipped(&request.session),
            destructive = request.destructive,
        );
        let session = match request.action.place() {
            Place::Daemon => return Ok(Admitted::Local(None)),
            Place::NewTab if request.session.is_empty() => None,
            Place::NewTab | Place::Session | Place::Tab => {
                Some(self.sessions.check(&request.session)?)
            }
        };
        if request.action.place() == Place::Session {
            return Ok(Admitted::Local(session));
        }
        let place = self.locate(session, request.action.tab(), request.action.place())?;
        let handle_page = self.resolve_handles(&mut request.action, &place, now)?;
        let params = match handle_page {
            Some(_) => Cow::Owned(request.action.params()),
            None => Cow::Borrowed(request.params),
        };

        let deadline_ms = request.deadline.min(now.unix_ms + MAX_DEADLINE_MS);
        let left = u64::try_from(deadline_ms.saturating_sub(now.unix_ms)).unwrap_or(0);
        if left == 0 {
            let message = "the deadline had passed before the command arrived: give it more time with `--timeout`";
            return Err(ProtocolError::new(ErrorCode::Timeout, message, place.session.as_str()));
        }
        self.check_load(&place)?;

        let session = place.session;
        let message = forwarded(
            self.browsers.version_of(place.browser),
            request,
            &params,
            session.as_str(),
            deadline_ms,
            place.tab.map(|(_, chrome_id)| chrome_id),
        );
        let mut command = Command::new(
            &request.id,
            request.action.name(),
            kind_of(&request.action, place.new_session),
            session,
            now,
            now.instant + Duration::from_millis(left),
        );
        command.tab = place.tab.map(|(ordinal, _)| ordinal);
        command.browser = place.browser;
        command.message = message.into();
        command.handle_page = handle_page;
        command.hopeful = place.hopeful;
        let seat = self.pending.insert(command);
        self.start(seat.key, &request.action, now);
        Ok(Admitted::Pending(seat))
    }

    /// An id that no session has, nor any that is about to begin or end.
    pub(super) fn draw_session_id(&self) -> SessionId {
        loop {
            let id = SessionId::from_bits(rand::random());
            if !self.sessions.has(id) && self.pending.iter().all(|command| command.session != id) {
                return id;
            }
        }
    }

    /// Where the command goes, or why it cannot go anywhere.
    fn locate(
        &self,
        session: Option<SessionId>,
        named: Option<&TabHandle>,
        place: Place,
    ) -> Result<Destination, ProtocolError> {
        let id = session.unwrap_or_else(|| self.draw_session_id());
        let known = session.and_then(|id| self.sessions.get(id));
        if place == Place::NewTab {
            let beside = known.and_then(|known| known.main_tab()).map(|tab| tab.browser);
            let connected = beside.filter(|browser| self.browsers.client_of(*browser).is_some());
            let browser = connected
                .or_else(|| self.browsers.newest())
                .ok_or_else(|| no_extension(session))?;
            self.check_pause(id)?;
            return Ok(Destination {
                session: id,
                new_session: session.is_none(),
                browser,
                tab: None,
                hopeful: false,
            });
        }
        let found = self.sessions.find_tab(id, named);
        let tab = found.as_ref().ok().and_then(|ordinal| known?.tab(*ordinal));
        let (reachable, hopeful) = match tab {
            Some(tab) if self.browsers.client_of(tab.browser).is_some() => (true, false),
            Some(tab) => (self.browsers.may_return(tab.browser), true),
            None => (self.browsers.any_connected(), false),
        };
        if !reachable {
            return Err(no_extension(session));
        }
        self.check_pause(id)?;
        let ordinal = found?;
        let tab = tab.ok_or_else(|| not_found(id))?;
        Ok(Destination {
            session: id,
            new_session: false,
            browser: tab.browser,
            tab: Some((ordinal, tab.chrome_id)),
            hopeful,
        })
    }

    pub(super) fn check_pause(&self, id: SessionId) -> Result<(), ProtocolError> {
        match self.sessions.get(id).and_then(|session| session.paused.as_ref()) {
            Some(reason) => Err(ProtocolError::new(ErrorCode::HumanRequired, reason, id.as_str())),
            None => Ok(()),
        }
    }

    /// Refuses another session if there are too many.
    pub(super) fn check_sessions(&self) -> Result<(), ProtocolError> {
        if !self.sessions.is_full() {
            return Ok(());
        }
        let message = format!(
            "there are {MAX_SESSIONS} sessions already: close one with `bproxy session close`"
        );
        Err(ProtocolError::new(ErrorCode::Overloaded, message, ""))
    }

    fn check_load(&self, place: &Destination) -> Result<(), ProtocolError> {
        let session = place.session;
        if self.pending.is_full() {
            let message =
                format!("{MAX_PENDING} commands are pending already: wait for some of them");
            return Err(ProtocolError::new(ErrorCode::Overloaded, message, session.as_str()));
        }
        if place.new_session {
            self.check_sessions()?;
        }
        let tabs = self.sessions.get(session).map_or(0, |session| session.tabs.len());
        if place.tab.is_none() && tabs >= MAX_TABS {
            let message = format!(
                "the session has {MAX_TABS} tabs already: close one with `bproxy tab close`"
            );
            return Err(ProtocolError::new(ErrorCode::Overloaded, message, session.as_str()));
        }
        Ok(())
    }
}

fn kind_of(action: &Action, new_session: bool) -> Kind {
    match action {
        Action::TabOpen(open) => Kind::Open { new_session, url: open.url.clone() },
        Action::TabClose(_) => Kind::CloseTab,
        Action::TabPin(_) => Kind::Pin(true),
        Action::TabUnpin(_) => Kind::Pin(false),
        Action::TabActivate(_) => Kind::Activate,
        Action::Elements(_) => Kind::Read(HandleKind::Element),
        Action::Links(_) => Kind::Read(HandleKind::Link),
        Action::DebugLog(_) => Kind::Log,
        _ => Kind::Relay,
    }
}

/// The failure of a command whose browser is not there.
pub(super) fn no_extension(session: Option<SessionId>) -> ProtocolError {
    let message =
        "the browser is not connected: open it, or pair its bproxy extension with this daemon";
    let session = session.as_ref().map_or("", SessionId::as_str);
    ProtocolError::new(ErrorCode::NoExtension, message, session)
}
