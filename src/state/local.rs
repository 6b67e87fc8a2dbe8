//! What the daemon's own actions do: sessions made and changed, and everything shown at a glance.

use serde::Serialize;

use crate::protocol::{Pacing, ProtocolError, SessionId, TabHandle};

use super::{
    ClientInfo, SessionInfo, State, TabInfo, Trace,
    sessions::{Session, not_found},
};

/// A snapshot for `debug.status`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // the names are the protocol's own
pub struct Status {
    pub ws_clients: Vec<ClientInfo>,
    pub sessions: Vec<SessionInfo>,
    pub session_tabs: Vec<SessionTabs>,
    pub paused_sessions: Vec<PausedSession>,
}

/// The tabs of a session, in a [`Status`].
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct SessionTabs {
    pub session: SessionId,
    pub tabs: Vec<TabInfo>,
}

/// A session that waits for a person, in a [`Status`].
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct PausedSession {
    pub session: SessionId,
    pub reason: String,
}

impl State {
    /// Makes a session.
    ///
    /// # Errors
    ///
    /// `OVERLOADED` if there are too many.
    pub fn create_session(
        &self,
        label: Option<String>,
    ) -> Result<(SessionId, String), ProtocolError> {
        self.with(|inner| {
            inner.check_sessions()?;
            let id = inner.draw_session_id();
            inner.sessions.insert(id, label);
            inner.dirs.create(id);
            Ok((id, inner.dirs.path(id)))
        })
    }

    /// Binds a session to one of its tabs, sets its pace, or both; returns the bound tab.
    ///
    /// # Errors
    ///
    /// If the tab is none of the session's.
    pub fn bind(
        &self,
        id: SessionId,
        tab: Option<&TabHandle>,
        pacing: Option<Pacing>,
    ) -> Result<Option<TabHandle>, ProtocolError> {
        self.with(|inner| {
            let tab = tab.map(|tab| inner.sessions.find_tab(id, Some(tab))).transpose()?;
            let session = inner.sessions.get_mut(id).ok_or_else(|| not_found(id))?;
            inner.news = true;
            session.bound = tab.or(session.bound);
            if let Some(pacing) = pacing {
                session.pacing = pacing;
                tracing::info!(event = "pacing_config", session = %id, mode = pacing.as_str());
            }
            Ok(session.bound.map(TabHandle::new))
        })
    }

    /// Clears a session's binding and pause.
    pub fn unbind(&self, id: SessionId) {
        self.change(id, |session| {
            session.bound = None;
            session.paused = None;
        });
    }

    /// Clears a session's pause.
    pub fn resume(&self, id: SessionId) {
        self.change(id, |session| session.paused = None);
    }

    fn change(&self, id: SessionId, change: impl FnOnce(&mut Session)) {
        self.with(|inner| {
            inner.news = true;
            inner.sessions.get_mut(id).map(change)
        });
    }

    /// All sessions, in the order of their creation.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.with(|inner| inner.sessions.infos())
    }

    /// A session's tabs, in the order of their opening.
    pub fn tabs(&self, id: SessionId) -> Vec<TabInfo> {
        self.with(|inner| inner.sessions.get(id).map(Session::tab_infos).unwrap_or_default())
    }

    /// The latest traces, oldest first.
    pub fn traces(&self, count: usize) -> Vec<Trace> {
        self.with(|inner| inner.traces.last(count))
    }

    /// How many connections and sessions there are.
    pub fn counts(&self) -> (usize, usize) {
        self.with(|inner| (inner.browsers.clients().len(), inner.sessions.len()))
    }

    /// Everything at a glance.
    pub fn status(&self) -> Status {
        self.with(|inner| {
            let in_order = inner.sessions.in_order();
            let tabs = |(id, session): &(SessionId, &Session)| SessionTabs {
                session: *id,
                tabs: session.tab_infos(),
            };
            let paused = |(id, session): &(SessionId, &Session)| {
                Some(PausedSession { session: *id, reason: session.paused.clone()? })
            };
            Status {
                ws_clients: inner.browsers.infos(),
                sessions: inner.sessions.infos(),
                session_tabs: in_order.iter().map(tabs).collect(),
                paused_sessions: in_order.iter().filter_map(paused).collect(),
            }
        })
    }
}
