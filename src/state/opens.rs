//! Tabs that come: taken in by their session, or closed where nobody waits for them any more.

use std::{collections::VecDeque, sync::Arc};

use serde_json::json;

use crate::protocol::{ErrorCode, ProtocolError, SessionId, TabHandle};

use super::{
    Inner, Now,
    browsers::{BrowserId, ClientId, Outgoing},
    closing::{CLOSE_WAIT, close_message},
    pending::{CommandKey, Kind, Open, Phase},
    sessions::not_found,
    splice,
};

/// How many opens are remembered whose tabs must be closed if they come after all.
const MAX_LOST: usize = 1024;

struct LostOpen {
    id: Arc<str>,
    browser: BrowserId,
    session: SessionId,
}

/// Opens that ended before the browser answered, the oldest first.
#[derive(Default)]
pub(super) struct LostOpens(VecDeque<LostOpen>);

impl LostOpens {
    fn push(&mut self, lost: LostOpen) {
        if self.0.len() == MAX_LOST {
            self.0.pop_front();
        }
        self.0.push_back(lost);
    }

    /// The session of the open that this answer is for, once.
    pub(super) fn take(&mut self, id: &str, browser: BrowserId) -> Option<SessionId> {
        let at = self.0.iter().position(|lost| *lost.id == *id && lost.browser == browser)?;
        self.0.remove(at).map(|lost| lost.session)
    }

    pub(super) fn browsers(&self) -> impl Iterator<Item = BrowserId> {
        self.0.iter().map(|lost| lost.browser)
    }

    pub(super) fn move_to(&mut self, from: BrowserId, to: BrowserId) {
        for lost in self.0.iter_mut().filter(|lost| lost.browser == from) {
            lost.browser = to;
        }
    }
}

impl Inner {
    /// If the command is an open in flight, remembers that its tab is to be closed if it comes
    /// after all.
    pub(super) fn remember_open(&mut self, key: CommandKey) {
        let Some(command) = self.pending.get(key) else { return };
        if matches!(command.kind, Kind::Open(_)) && matches!(command.phase, Phase::Sent { .. }) {
            let (id, browser) = (command.id.clone(), command.browser);
            self.lost_opens.push(LostOpen { id, browser, session: command.session });
        }
    }

    /// Closes a tab that came when nobody waited for it any more; nobody waits for the answer.
    pub(super) fn close_stray(
        &mut self,
        client: ClientId,
        session: SessionId,
        data: &str,
        now: Now,
    ) {
        let Some(chrome_id) = splice::integer_member(data, "tabId") else { return };
        let Some(browser) = self.browsers.browser_of(client) else { return };
        // An open that was asked for again under its id may have brought the same tab already.
        if self.sessions.owner_of(browser, chrome_id).is_some() {
            return;
        }
        let deadline = now.unix_ms + CLOSE_WAIT.as_millis() as i64;
        let (_, text) = close_message(session, chrome_id, deadline);
        self.browsers.send(client, Outgoing::Note(text));
    }

    /// The new tab belongs to its session from now on, which begins with it if it is a new one.
    /// `data` and `page` are the answer's, two JSON objects. Returns the data for the client.
    ///
    /// # Errors
    ///
    /// If the answer does not tell which tab it is, or it is another session's.
    pub(super) fn take_in(
        &mut self,
        id: SessionId,
        browser: BrowserId,
        open: &Open,
        data: &str,
        page: &str,
    ) -> Result<String, ProtocolError> {
        let failed = |message| {
            let session = if open.new_session { "" } else { id.as_str() };
            Err(ProtocolError::new(ErrorCode::ScriptError, message, session))
        };
        let Some(chrome_id) = splice::integer_member(data, "tabId") else {
            return failed("the extension opened a tab without telling which");
        };
        let known = match self.sessions.owner_of(browser, chrome_id) {
            // The client asked once more for what it has.
            Some((owner, ordinal)) if owner == id => Some(ordinal),
            Some(_) => {
                return failed("the extension told of a tab that belongs to another session");
            }
            None => None,
        };
        let url = splice::text_member(data, "url").unwrap_or_else(|| open.url.clone());
        let shown = splice::text_member(page, "url").unwrap_or_else(|| url.clone());
        let title = splice::text_member(page, "title").unwrap_or_default();
        if open.new_session {
            self.sessions.insert(id, None);
            self.dirs.create(id);
        }
        self.news = true;
        let session = self.sessions.get_mut(id).ok_or_else(|| not_found(id))?;
        let ordinal = known.unwrap_or_else(|| session.open_tab(browser, chrome_id, shown, title));
        session.bound = Some(ordinal);
        if self.browsers.page(browser, chrome_id).is_none() {
            let sessions = &self.sessions;
            self.browsers.navigated(browser, chrome_id, || sessions.tabs_of(browser));
        }
        let (tab, tmp_dir) = (TabHandle::new(ordinal), self.dirs.path(id));
        Ok(json!({"session": id, "tab": tab, "bound": true, "url": url, "tmpDir": tmp_dir})
            .to_string())
    }
}
