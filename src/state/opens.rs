//! New tabs: added to their session, or closed if their request was abandoned.

use std::{collections::VecDeque, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::protocol::{
    CLOSE_WAIT, ErrorCode, JOURNAL_LIFE, MAX_TABS, OpenedByTab, ProtocolError, SessionId,
    TabHandle, TabOpenData,
};

use super::{
    Inner, Instant, Now,
    browsers::{BrowserId, ClientId, Outgoing},
    closing::close_message,
    json_edit,
    local::json,
    pending::{CommandKey, Kind, Phase},
    sessions::{is_mark, not_found},
};

/// How many abandoned opens are remembered, whose tabs are closed if they still arrive.
const MAX_LOST: usize = 1024;

struct LostOpen {
    id: Arc<str>,
    browser: BrowserId,
    session: SessionId,
}

/// Opens that ended before the browser answered, oldest first.
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

/// How many opens are remembered for clients that ask again: more than one daemon's end interrupts.
const MAX_ASKED: usize = 256;

/// An open as it was asked for. It is saved before the browser learns of it, so that the next daemon finds the tab.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct AskedOpen {
    pub(super) id: Arc<str>,
    pub(super) session: SessionId,
    /// Whether the client named no session.
    pub(super) unnamed: bool,
    /// The browser that it went to, in this process.
    #[serde(skip)]
    pub(super) browser: BrowserId,
    /// The same, once it has said hello.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) instance: Option<String>,
}

/// The latest opens, oldest first, as long as a browser's journal knows them.
#[derive(Default)]
pub(super) struct AskedOpens(VecDeque<(Instant, AskedOpen)>);

impl AskedOpens {
    pub(super) fn push(&mut self, open: AskedOpen, now: Instant) {
        let is_old = |at: &Instant| now.duration_since(*at) > JOURNAL_LIFE;
        while self.0.front().is_some_and(|(at, _)| is_old(at)) || self.0.len() >= MAX_ASKED {
            self.0.pop_front();
        }
        self.0.push_back((now, open));
    }

    pub(super) fn find(&self, id: &str, named: Option<SessionId>) -> Option<&AskedOpen> {
        let is_it = |open: &&AskedOpen| {
            *open.id == *id
                && if open.unnamed { named.is_none() } else { named == Some(open.session) }
        };
        self.0.iter().rev().map(|(_, open)| open).find(is_it)
    }

    /// The browser has said hello; returns whether an open went there before.
    pub(super) fn name(&mut self, browser: BrowserId, instance: &str) -> bool {
        let opens = self.0.iter_mut().map(|(_, open)| open);
        let unnamed = opens.filter(|open| open.browser == browser && open.instance.is_none());
        unnamed.map(|open| open.instance = Some(instance.to_owned())).count() > 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &AskedOpen> {
        self.0.iter().map(|(_, open)| open)
    }
}

/// A tab as the browser has opened it.
pub(super) struct Opened<'a> {
    pub(super) browser: BrowserId,
    /// The answer's data, a JSON object.
    pub(super) data: &'a str,
    /// The answer's page, a JSON object.
    pub(super) page: &'a str,
    /// Whether the browser answered from its dedupe log.
    pub(super) replay: bool,
    /// Whether the first numbers of a new session were reserved for it.
    pub(super) numbered: bool,
}

impl Inner {
    /// If the command is an open in flight, remembers to close its tab if it still arrives.
    pub(super) fn remember_open(&mut self, key: CommandKey) {
        let Some(command) = self.pending.get(key) else { return };
        if matches!(command.kind, Kind::Open { .. }) && matches!(command.phase, Phase::Sent { .. })
        {
            let (id, browser) = (command.id.clone(), command.browser);
            self.lost_opens.push(LostOpen { id, browser, session: command.session });
        }
    }

    /// A page in a tab of a session opened another tab: the session gets it if it has room, and stays on its own tab.
    pub(super) fn adopt(&mut self, client: ClientId, opened: &OpenedByTab<'_>, now: Now) {
        let Some(browser) = self.browsers.browser_of(client) else { return };
        let Ok(id) = opened.session.parse::<SessionId>() else { return };
        // It may be told of again, after a connection was lost.
        if self.sessions.owners_of(browser, opened.tab_id).next().is_some() {
            return;
        }
        let under_way = self
            .pending
            .iter()
            .filter(|command| command.session == id && matches!(command.kind, Kind::Open { .. }))
            .count();
        let has_opener =
            self.sessions.owners_of(browser, opened.opener).any(|(owner, _)| owner == id);
        let session = self
            .sessions
            .get_mut(id)
            .filter(|session| has_opener && session.tabs.len() + under_way < MAX_TABS);
        let Some(session) = session else {
            return self.close_unowned(client, id, opened.tab_id, now);
        };
        session.add_tab(browser, opened.tab_id, &opened.url, "");
        self.dirty = true;
        if self.browsers.page(browser, opened.tab_id).is_none() {
            let sessions = &self.sessions;
            let owned = || sessions.tabs_of(browser);
            self.browsers.navigated(browser, opened.tab_id, &opened.url, false, owned);
        }
    }

    /// Closes a tab whose request was abandoned. The answer to the close is ignored.
    pub(super) fn close_stray(
        &mut self,
        client: ClientId,
        session: SessionId,
        data: &str,
        now: Now,
    ) {
        let Some(chrome_id) = json_edit::integer_member(data, "tabId") else { return };
        let Some(browser) = self.browsers.browser_of(client) else { return };
        // A retry of the open under the same id may have returned the same tab already.
        if self.sessions.owners_of(browser, chrome_id).next().is_some() {
            return;
        }
        self.close_unowned(client, session, chrome_id, now);
    }

    /// Has the browser close a tab that no session has.
    fn close_unowned(&mut self, client: ClientId, session: SessionId, chrome_id: i64, now: Now) {
        let Some(browser) = self.browsers.browser_of(client) else { return };
        let deadline = now.unix_ms + CLOSE_WAIT.as_millis() as i64;
        let version = self.browsers.version_of(browser);
        let (_, text) = close_message(version, session, chrome_id, deadline);
        self.browsers.send(client, Outgoing::Note(text));
    }

    /// Adds a new tab to its session, and creates the session if it is new. Returns both, and the data for the client.
    pub(super) fn add_opened_tab(
        &mut self,
        id: SessionId,
        new_session: bool,
        asked: &str,
        opened: &Opened<'_>,
        now: Now,
    ) -> Result<((SessionId, u32), String), ProtocolError> {
        let Some(chrome_id) = json_edit::integer_member(opened.data, "tabId") else {
            return Err(ProtocolError::new(
                ErrorCode::ScriptError,
                "the extension opened a tab without an id",
                if new_session { "" } else { id.as_str() },
            ));
        };
        let url = json_edit::text_member(opened.data, "url").unwrap_or_else(|| asked.to_owned());
        let shown = json_edit::text_member(opened.page, "url").unwrap_or_else(|| url.clone());
        let title = json_edit::text_member(opened.page, "title").unwrap_or_default();
        let document = json_edit::text_member(opened.page, "document").filter(|it| is_mark(it));

        // A replayed answer may name a tab that the session has already: the client retried, and gets the same tab.
        let mut owners = self.sessions.owners_of(opened.browser, chrome_id);
        let known = owners.find(|(owner, _)| opened.replay && (new_session || *owner == id));
        drop(owners);
        let id = known.map_or(id, |(owner, _)| owner);
        if new_session && known.is_none() {
            self.sessions.insert(id, None, now.instant);
            self.storage.create_session_dir(id);
        }
        self.dirty = true;
        let session = self.sessions.edit(id).ok_or_else(|| not_found(id))?;
        if new_session && known.is_none() && opened.numbered {
            session.numbers.reserve();
        }
        let ordinal = match known {
            Some((_, ordinal)) => ordinal,
            None => session.add_tab(opened.browser, chrome_id, &shown, &title),
        };
        session.bound = Some(ordinal);
        if let Some(tab) = session.tab_mut(ordinal)
            && document.is_some()
        {
            tab.document = document;
        }
        if self.browsers.page(opened.browser, chrome_id).is_none() {
            let sessions = &self.sessions;
            let owned = || sessions.tabs_of(opened.browser);
            self.browsers.navigated(opened.browser, chrome_id, &shown, false, owned);
        }
        let tmp_dir = self.storage.session_dir(id);
        let data = TabOpenData {
            session: id,
            tab: TabHandle::new(ordinal),
            bound: true,
            url,
            tmp_dir,
            then: None,
            then_error: None,
        };
        Ok(((id, ordinal), json(&data)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn of_more_opens_than_are_remembered_or_older_ones_the_oldest_are_forgotten() {
        let (mut asked, now) = (AskedOpens::default(), Instant::now());
        let session = SessionId::from_bits(1);
        let open = |id: usize| AskedOpen {
            id: id.to_string().into(),
            session,
            unnamed: id.is_multiple_of(2),
            browser: BrowserId::default(),
            instance: None,
        };
        for id in 0..=MAX_ASKED {
            asked.push(open(id), now);
        }
        assert_eq!(asked.iter().count(), MAX_ASKED);
        assert!(asked.find("0", None).is_none());
        assert!(asked.find("2", None).is_some() && asked.find("2", Some(session)).is_none());
        assert!(asked.find("1", Some(session)).is_some() && asked.find("1", None).is_none());
        asked.push(open(9999), now + JOURNAL_LIFE + Duration::from_secs(1));
        assert_eq!(asked.iter().count(), 1);
    }

    #[test]
    fn of_more_lost_opens_than_are_remembered_the_oldest_is_forgotten() {
        let mut lost = LostOpens::default();
        let browser = BrowserId::default();
        let session = SessionId::from_bits(1);
        for number in 0..MAX_LOST + 1 {
            lost.push(LostOpen { id: number.to_string().into(), browser, session });
            assert_eq!(lost.0.len(), (number + 1).min(MAX_LOST));
        }
        assert!(lost.take("0", browser).is_none());
        assert!(lost.take("1", browser).is_some());
    }
}
