//! The person at a browser: what its popup shows of the sessions there, and what its buttons do.

use rand::RngExt as _;
use serde::Serialize;

use crate::{
    config::Resume,
    protocol::{Caller, ErrorCode, PersonAct, ProtocolError, SessionId, TabHandle},
};

use super::{
    Inner, Now,
    browsers::{BrowserId, ClientId},
    events::Event,
    sessions::Session,
};

/// A session as the popup shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionState<'a> {
    session: SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tab: Option<TabHandle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    paused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pause_reason: Option<&'a str>,
    /// Only for browsers of revision 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'a Caller>,
}

impl Inner {
    /// Sends every browser that said hello the state of its sessions, if that has changed.
    pub(super) fn push_session_state(&mut self) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        for (client, browser) in self.browsers.introduced() {
            let message = self.session_state(browser);
            self.browsers.push_state(client, message);
        }
    }

    fn session_state(&self, browser: BrowserId) -> String {
        let knows_clients = self.browsers.revision_of(browser) >= 1;
        let sessions = self.sessions.in_order();
        let here = sessions.iter().filter(|(_, session)| has_tab_in(session, browser));
        let shown: Vec<_> = here
            .map(|(id, session)| {
                let tab = session.main_tab();
                SessionState {
                    session: *id,
                    label: session.label(),
                    tab: tab.map(|tab| TabHandle::new(tab.ordinal)),
                    title: tab.map(|tab| &*tab.title),
                    paused: session.paused.is_some(),
                    pause_reason: session.pause_reason(),
                    client: session.client.as_ref().filter(|_| knows_clients),
                }
            })
            .collect();
        message(&shown)
    }

    /// Decides whether a client may resume a session: the word of the person counts where they have a popup to give it in.
    ///
    /// # Errors
    ///
    /// A tab of the session belongs to a browser that said hello, connected or not.
    pub(super) fn permit_resume(&self, id: SessionId) -> Result<(), ProtocolError> {
        let has_person = |session: &Session| {
            session.tabs.iter().any(|tab| self.browsers.said_hello(tab.browser))
        };
        if self.resume == Resume::Anyone || !self.sessions.get(id).is_some_and(has_person) {
            return Ok(());
        }
        let message = "only the person may resume this session: ask them to press Resume in the popup of the bproxy \
                       extension, and wait for it";
        Err(ProtocolError::new(ErrorCode::PersonRequired, message, id.as_str()))
    }

    /// Does what the person asks for, where the session has a tab in their browser or was paused by it.
    pub(super) fn person_acts(&mut self, client: ClientId, act: &PersonAct<'_>, now: Now) {
        let Some(browser) = self.browsers.browser_of(client) else { return };
        if !self.browsers.introduced().iter().any(|(introduced, _)| *introduced == client) {
            return;
        }
        let (name, sessions) = match act {
            PersonAct::Resume(id) => ("resume", vec![id.parse().ok()]),
            PersonAct::Close(id) => ("close", vec![id.parse().ok()]),
            PersonAct::CloseAll => {
                ("close", self.sessions.in_order().into_iter().map(|(id, _)| Some(id)).collect())
            }
        };
        for id in sessions.into_iter().flatten() {
            let Some(session) = self.sessions.get(id) else { continue };
            // A pause may come before the first tab: of an open that needs the person.
            let resumes = matches!(act, PersonAct::Resume(_))
                && session.paused.as_ref().is_some_and(|pause| pause.browser == browser);
            if !resumes && !has_tab_in(session, browser) {
                continue;
            }
            self.emit(&Event::Person { session: id, act: name });
            match act {
                PersonAct::Resume(_) => self.change(id, |session| session.paused = None),
                PersonAct::Close(_) | PersonAct::CloseAll => self.person_closes(id, now),
            }
        }
    }

    fn person_closes(&mut self, id: SessionId, now: Now) {
        // No client waits for this, and no request can have this id.
        let request = format!("bproxy-person-{:032x}", rand::rng().random::<u128>());
        // The session was found above, so this does not fail; and the reply has no reader.
        drop(self.close_session(&request, id, i64::MAX, now));
    }
}

fn message(shown: &[SessionState<'_>]) -> String {
    serde_json::json!({"type": "state", "sessions": shown}).to_string()
}

/// The state of a browser without sessions. A new connection starts from it, so it is not sent.
pub(super) fn no_sessions() -> String {
    message(&[])
}

fn has_tab_in(session: &Session, browser: BrowserId) -> bool {
    session.tabs.iter().any(|tab| tab.browser == browser)
}
