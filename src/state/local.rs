//! The daemon's own actions: creating and changing sessions, and reporting status.

use serde::Serialize;

use crate::protocol::{
    DaemonAction, DaemonInfo, DebugLastData, DebugStatusData, Pacing, PairingIssueData,
    PausedSession, ProtocolError, SessionAction, SessionBindData, SessionCreate, SessionCreateData,
    SessionId, SessionListData, SessionResumeData, SessionTabs, SessionUnbindData, TabHandle,
    TabListData, VERSION,
};

use super::{
    Inner, Now, State,
    admission::Admitted,
    events::Event,
    sessions::{Session, not_found},
};

/// How many traces `debug.last` returns by default.
const DEFAULT_TRACES: u32 = 20;

impl State {
    /// How many connections and sessions there are.
    pub fn counts(&self) -> (usize, usize) {
        self.with(|inner| (inner.browsers.clients().len(), inner.sessions.len()))
    }

    /// Whether any command is pending.
    pub fn has_pending(&self) -> bool {
        self.with(|inner| !inner.pending.is_empty())
    }
}

impl Inner {
    /// Carries out an action that needs no session; returns its data as a JSON text.
    pub(super) fn run(
        &mut self,
        action: &DaemonAction<'_>,
        now: Now,
    ) -> Result<String, ProtocolError> {
        Ok(match action {
            DaemonAction::SessionCreate(params) => json(&self.create_session(params, now)?),
            DaemonAction::SessionList => json(&SessionListData { sessions: self.sessions.infos() }),
            DaemonAction::DebugLast(params) => {
                let count = params.count.map_or(DEFAULT_TRACES, |count| count.get());
                json(&DebugLastData { requests: self.traces.last(count as usize) })
            }
            DaemonAction::DebugStatus => json(&self.status(now)),
            DaemonAction::PairingIssue => {
                let code = self.pairing.issue(now);
                if let Err(error) = self.storage.write_pairing_code(&code) {
                    tracing::warn!(event = "pairing_file_failed", problem = %error);
                }
                json(&PairingIssueData {
                    pairing_code: code.pairing_code.expose().to_owned(),
                    pairing_expires_at: code.pairing_expires_at,
                })
            }
        })
    }

    /// Carries out an action on a session. Closing one is pending until its browsers have closed its tabs.
    pub(super) fn run_in(
        &mut self,
        session: SessionId,
        action: &SessionAction<'_>,
        request_id: &str,
        deadline_ms: i64,
        now: Now,
    ) -> Result<Admitted, ProtocolError> {
        let data = match action {
            SessionAction::Bind(params) => {
                let tab = self.bind(session, params.tab.as_ref(), params.pacing)?;
                json(&SessionBindData { session, tab })
            }
            SessionAction::Unbind => {
                self.change(session, |session| session.bound = None);
                json(&SessionUnbindData {})
            }
            SessionAction::Resume => {
                self.permit_resume(session)?;
                self.change(session, |session| session.paused = None);
                json(&SessionResumeData { session })
            }
            SessionAction::TabList => {
                let tabs = self.sessions.get(session).map(Session::tab_infos).unwrap_or_default();
                json(&TabListData { session, tabs })
            }
            SessionAction::Close => {
                let waiter = self.close_session(request_id, session, deadline_ms, now)?;
                return Ok(Admitted::Pending(waiter));
            }
        };
        Ok(Admitted::Done(data))
    }

    fn create_session(
        &mut self,
        params: &SessionCreate,
        now: Now,
    ) -> Result<SessionCreateData, ProtocolError> {
        self.check_sessions(now)?;
        let label = params.label.as_ref().map(|label| label.to_string());
        let label = label.filter(|label| !label.is_empty());
        let session = self.draw_session_id();
        self.sessions.insert(session, label.clone(), now.instant);
        self.storage.create_session_dir(session);
        Ok(SessionCreateData { session, tmp_dir: self.storage.session_dir(session), label })
    }

    /// Binds a session to one of its tabs, sets its pace, or both; returns the bound tab.
    pub(super) fn bind(
        &mut self,
        id: SessionId,
        tab: Option<&TabHandle>,
        pacing: Option<Pacing>,
    ) -> Result<Option<TabHandle>, ProtocolError> {
        let tab = tab.map(|tab| self.sessions.find_tab(id, Some(tab))).transpose()?;
        let session = self.sessions.edit(id).ok_or_else(|| not_found(id))?;
        self.dirty = true;
        session.bound = tab.or(session.bound);
        session.pacing = pacing.unwrap_or(session.pacing);
        let bound = session.bound.map(TabHandle::new);
        if let Some(mode) = pacing {
            self.emit(&Event::PacingConfig { session: id, mode });
        }
        Ok(bound)
    }

    /// Changes a session, if it exists, and what browsers show of it.
    pub(super) fn change(&mut self, id: SessionId, change: impl FnOnce(&mut Session)) {
        self.dirty = true;
        self.sessions.edit(id).map(change);
    }

    pub(super) fn status(&self, now: Now) -> DebugStatusData {
        let in_order = self.sessions.in_order();
        let tabs = |(id, session): &(SessionId, &Session)| SessionTabs {
            session: *id,
            tabs: session.tab_infos(),
        };
        let paused = |(id, session): &(SessionId, &Session)| {
            Some(PausedSession { session: *id, reason: session.pause_reason()?.to_owned() })
        };
        DebugStatusData {
            daemon: DaemonInfo {
                pid: self.process.pid,
                port: self.process.port,
                uptime_sec: now.instant.duration_since(self.process.started).as_secs(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                protocol_version: VERSION,
            },
            ws_clients: self.browsers.infos(),
            sessions: self.sessions.infos(),
            session_tabs: in_order.iter().map(tabs).collect(),
            paused_sessions: in_order.iter().filter_map(paused).collect(),
        }
    }
}

/// Data as a JSON text.
pub(super) fn json(data: &impl Serialize) -> String {
    // Strings, numbers, bools and lists always serialize.
    serde_json::to_string(data).unwrap_or_default()
}
