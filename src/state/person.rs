//! The person in front of a browser: what they are shown of its sessions, and what they may do.

use rand::RngExt as _;
use serde::Serialize;

use crate::protocol::{PersonAct, SessionId, TabHandle};

use super::{
    Inner, Now,
    browsers::{BrowserId, ClientId},
    sessions::Session,
};

/// A session as the person sees it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
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
}

impl Inner {
    /// Tells every browser that said hello how its sessions stand, if that is news to it.
    pub(super) fn show_sessions(&mut self) {
        if !std::mem::take(&mut self.news) {
            return;
        }
        for (client, browser) in self.browsers.introduced() {
            let text = self.shown(browser);
            self.browsers.show(client, text);
        }
    }

    fn shown(&self, browser: BrowserId) -> String {
        let sessions = self.sessions.in_order();
        let here = sessions.iter().filter(|(_, session)| lives_in(session, browser));
        let shown: Vec<_> = here
            .map(|(id, session)| {
                let tab = session.main_tab();
                Shown {
                    session: *id,
                    label: session.label(),
                    tab: tab.map(|tab| TabHandle::new(tab.ordinal)),
                    title: tab.map(|tab| &*tab.title),
                    paused: session.paused.is_some(),
                    pause_reason: session.paused.as_deref(),
                }
            })
            .collect();
        message(&shown)
    }

    /// Does what the person asks for, where the session has a tab in their browser.
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
            let Some(session) =
                self.sessions.get_mut(id).filter(|session| lives_in(session, browser))
            else {
                continue;
            };
            tracing::info!(event = "person", session = %id, act = name);
            self.news = true;
            match act {
                PersonAct::Resume(_) => session.paused = None,
                PersonAct::Close(_) | PersonAct::CloseAll => self.person_closes(id, now),
            }
        }
    }

    fn person_closes(&mut self, id: SessionId, now: Now) {
        // No client waits for that, and none can have asked under this id.
        let request = format!("bproxy-person-{:032x}", rand::rng().random::<u128>());
        // The session was there a line ago, so this does not fail; and nobody takes the seat.
        drop(self.close_session(&request, id, i64::MAX, now));
    }
}

fn message(shown: &[Shown<'_>]) -> String {
    serde_json::json!({"type": "state", "sessions": shown}).to_string()
}

/// What a browser without sessions would be shown; it starts from there, so that is not news to it.
pub(super) fn nothing() -> String {
    message(&[])
}

fn lives_in(session: &Session, browser: BrowserId) -> bool {
    session.tabs.iter().any(|tab| tab.browser == browser)
}
