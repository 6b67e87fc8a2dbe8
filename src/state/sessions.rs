//! Sessions and their tabs: ownership, binding, pause.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::Duration,
};

use crate::protocol::{
    Caller, ErrorCode, MAX_DOCUMENT_CHARS, MAX_KEPT_CHARS, Pacing, ProtocolError, SessionId,
    SessionInfo, TabHandle, TabInfo,
};

use super::{
    Instant, Now, browsers::BrowserId, files::SessionFiles, numbers::Numbers, pacing::Pacer,
    pending::CommandKey,
};

/// A text from a page, truncated to the length that is kept.
pub(super) fn kept(text: &str) -> &str {
    text.char_indices().nth(MAX_KEPT_CHARS).map_or(text, |(end, _)| &text[..end])
}

/// Whether a text may be the mark of a document.
pub(super) fn is_mark(text: &str) -> bool {
    text.chars().count() <= MAX_DOCUMENT_CHARS
}

/// A tab of a session.
pub(super) struct Tab {
    pub(super) ordinal: u32,
    pub(super) browser: BrowserId,
    /// The browser's own id of the tab; never shown to a client.
    pub(super) chrome_id: i64,
    pub(super) url: String,
    pub(super) title: String,
    /// The mark of the document that the session's client was told of last.
    pub(super) document: Option<String>,
    /// Commands for this tab in their order; the head is in flight, or waits for its browser.
    pub(super) queue: VecDeque<CommandKey>,
}

/// Why a session is paused.
pub(super) struct Pause {
    /// What the person has to do, in the extension's words.
    pub(super) reason: String,
    /// The browser that asked for it.
    pub(super) browser: BrowserId,
}

/// When a session had its last command.
#[derive(Clone, Copy)]
pub(super) enum Used {
    /// By the clock that never jumps.
    At(Instant),
    /// Before this process, by the wall clock: unix time, ms.
    Before(i64),
}

impl Used {
    /// The unix time, ms.
    pub(super) fn unix_ms(self, now: Now) -> i64 {
        match self {
            Self::At(at) => now.unix_ms - now.instant.duration_since(at).as_millis() as i64,
            Self::Before(unix_ms) => unix_ms,
        }
    }

    /// How long ago it was. The wall clock may have jumped since it was `restored`, or have been wrong then, so that the
    /// shorter of two times counts.
    pub(super) fn how_long(self, now: Now, restored: Now) -> Duration {
        let unix_ms = match self {
            Self::At(at) => return now.instant.duration_since(at),
            Self::Before(unix_ms) => unix_ms,
        };
        let here = now.instant.duration_since(restored.instant).as_millis() as i64;
        let ms = (now.unix_ms - unix_ms).min(restored.unix_ms - unix_ms + here);
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }
}

/// A session: an agent's tabs and their settings.
pub(super) struct Session {
    /// Grows with every session, so that lists keep the order of creation.
    ordinal: u64,
    label: Option<String>,
    pub(super) bound: Option<u32>,
    pub(super) pacing: Pacing,
    pub(super) paused: Option<Pause>,
    pub(super) tabs: Vec<Tab>,
    pub(super) last_tab: u32,
    pub(super) used: Used,
    /// Who asked last, as the client said it.
    pub(super) client: Option<Caller>,
    pub(super) numbers: Numbers,
    pub(super) pacer: Pacer,
    pub(super) files: SessionFiles,
}

impl Session {
    /// The session's name for people.
    pub(super) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Why the session is paused, if it is.
    pub(super) fn pause_reason(&self) -> Option<&str> {
        self.paused.as_ref().map(|pause| &*pause.reason)
    }

    pub(super) fn tab(&self, ordinal: u32) -> Option<&Tab> {
        self.tabs.iter().find(|tab| tab.ordinal == ordinal)
    }

    pub(super) fn tab_mut(&mut self, ordinal: u32) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|tab| tab.ordinal == ordinal)
    }

    /// The tab that a new one should open beside: the bound one, else the newest.
    pub(super) fn main_tab(&self) -> Option<&Tab> {
        self.bound.and_then(|bound| self.tab(bound)).or_else(|| self.tabs.last())
    }

    /// Adds a tab; returns its ordinal.
    pub(super) fn add_tab(
        &mut self,
        browser: BrowserId,
        chrome_id: i64,
        url: &str,
        title: &str,
    ) -> u32 {
        self.last_tab += 1;
        self.bring_back_tab(self.last_tab, browser, chrome_id);
        if let Some(tab) = self.tabs.last_mut() {
            (tab.url, tab.title) = (kept(url).to_owned(), kept(title).to_owned());
        }
        self.last_tab
    }

    /// Adds a tab that had its ordinal before, of whose page nothing is known.
    pub(super) fn bring_back_tab(&mut self, ordinal: u32, browser: BrowserId, chrome_id: i64) {
        let (url, title) = (String::new(), String::new());
        let (document, queue) = (None, VecDeque::new());
        self.tabs.push(Tab { ordinal, browser, chrome_id, url, title, document, queue });
    }

    /// Removes a tab; returns it with its queued commands.
    pub(super) fn remove_tab(&mut self, ordinal: u32) -> Option<Tab> {
        let at = self.tabs.iter().position(|tab| tab.ordinal == ordinal)?;
        if self.bound == Some(ordinal) {
            self.bound = None;
        }
        Some(self.tabs.remove(at))
    }

    pub(super) fn tab_infos(&self) -> Vec<TabInfo> {
        let info = |tab: &Tab| TabInfo {
            tab: TabHandle::new(tab.ordinal),
            url: tab.url.clone(),
            title: tab.title.clone(),
            bound: self.bound == Some(tab.ordinal),
        };
        self.tabs.iter().map(info).collect()
    }

    fn info(&self, id: SessionId) -> SessionInfo {
        SessionInfo {
            id,
            label: self.label.clone(),
            tab: self.bound.map(TabHandle::new),
            pacing: self.pacing,
            paused: self.paused.is_some(),
            pause_reason: self.pause_reason().map(str::to_owned),
            client: self.client.clone(),
        }
    }
}

/// All sessions of the daemon.
#[derive(Default)]
pub(super) struct Sessions {
    map: HashMap<SessionId, Session>,
    last_ordinal: u64,
    /// Whether anything has changed that outlives the daemon.
    unsaved: bool,
    /// Whether there were commands since the sessions were saved.
    used: bool,
    /// Who asks at the moment.
    asking: Option<Caller>,
}

impl Sessions {
    pub(super) fn has(&self, id: SessionId) -> bool {
        self.map.contains_key(&id)
    }

    pub(super) fn insert(
        &mut self,
        id: SessionId,
        label: Option<String>,
        now: Instant,
    ) -> &mut Session {
        self.last_ordinal += 1;
        self.unsaved = true;
        let session = Session {
            ordinal: self.last_ordinal,
            label: label.filter(|label| !label.is_empty()),
            bound: None,
            pacing: Pacing::Human,
            paused: None,
            tabs: Vec::new(),
            last_tab: 0,
            used: Used::At(now),
            client: self.asking.clone(),
            numbers: Numbers::default(),
            pacer: Pacer::default(),
            files: SessionFiles::default(),
        };
        self.map.entry(id).insert_entry(session).into_mut()
    }

    pub(super) fn get(&self, id: SessionId) -> Option<&Session> {
        self.map.get(&id)
    }

    /// A session, to change what ends with the daemon: queues, numbers and what its tabs show.
    pub(super) fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.map.get_mut(&id)
    }

    /// A session, to change what outlives the daemon.
    pub(super) fn edit(&mut self, id: SessionId) -> Option<&mut Session> {
        self.unsaved = true;
        self.map.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: SessionId) -> Option<Session> {
        self.unsaved = true;
        self.map.remove(&id)
    }

    /// Who asks, from now on: a session that is made has been asked for by it.
    pub(super) fn set_asking(&mut self, client: Option<Caller>) {
        self.asking = client;
    }

    /// A command of `client` names this session, or none. Returns whether browsers show another client from now on.
    pub(super) fn touch(&mut self, named: &str, client: Option<Caller>, now: Instant) -> bool {
        self.set_asking(client);
        let Some(session) = named.parse().ok().and_then(|id| self.map.get_mut(&id)) else {
            return false;
        };
        session.used = Used::At(now);
        self.used = true;
        let is_other = self.asking.is_some() && session.client != self.asking;
        if is_other {
            session.client.clone_from(&self.asking);
        }
        is_other
    }

    /// Something has changed that outlives the daemon.
    pub(super) fn note_unsaved(&mut self) {
        self.unsaved = true;
    }

    /// When sessions were used outlives the daemon too, and is saved now if it was not.
    pub(super) fn note_used_unsaved(&mut self) {
        self.unsaved |= self.used;
    }

    /// Whether anything is to be saved, once.
    pub(super) fn take_unsaved(&mut self) -> bool {
        let unsaved = std::mem::take(&mut self.unsaved);
        self.used &= !unsaved;
        unsaved
    }

    pub(super) fn len(&self) -> usize {
        self.map.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (SessionId, &Session)> {
        self.map.iter().map(|(id, session)| (*id, session))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (SessionId, &mut Session)> {
        self.map.iter_mut().map(|(id, session)| (*id, session))
    }

    /// The sessions that a browser's tab belongs to, with its ordinal in each: usually one, or more if the browser
    /// answered several opens with the same tab.
    pub(super) fn owners_of(
        &self,
        browser: BrowserId,
        chrome_id: i64,
    ) -> impl Iterator<Item = (SessionId, u32)> {
        self.iter().filter_map(move |(id, session)| {
            let is_it = |tab: &&Tab| tab.browser == browser && tab.chrome_id == chrome_id;
            Some((id, session.tabs.iter().find(is_it)?.ordinal))
        })
    }

    /// Those of a browser's tabs that belong to a session, by the browser's own ids.
    pub(super) fn tabs_of(&self, browser: BrowserId) -> HashSet<i64> {
        let tabs = self.map.values().flat_map(|session| &session.tabs);
        tabs.filter(|tab| tab.browser == browser).map(|tab| tab.chrome_id).collect()
    }

    /// Sessions in the order of their creation.
    pub(super) fn in_order(&self) -> Vec<(SessionId, &Session)> {
        let mut all: Vec<_> = self.iter().collect();
        all.sort_unstable_by_key(|(_, session)| session.ordinal);
        all
    }

    pub(super) fn infos(&self) -> Vec<SessionInfo> {
        self.in_order().into_iter().map(|(id, session)| session.info(id)).collect()
    }

    /// The id in a request.
    ///
    /// # Errors
    ///
    /// The first refusal in the protocol's order: no id given, malformed id, unknown session.
    pub(super) fn check(&self, given: &str) -> Result<SessionId, ProtocolError> {
        if given.is_empty() {
            let message = "no session was given: name one with `-s`, or open a tab to get one";
            return Err(self.other(ProtocolError::new(ErrorCode::SessionRequired, message, "")));
        }
        let id: SessionId = given.parse().map_err(|()| {
            let message = "the session's id is not six characters of a-z and 2-7";
            self.other(ProtocolError::new(ErrorCode::InvalidSessionId, message, ""))
        })?;
        if self.has(id) { Ok(id) } else { Err(self.other(not_found(id))) }
    }

    /// A failure for want of a session suggests to look for another one, or where there is none to begin one.
    fn other(&self, error: ProtocolError) -> ProtocolError {
        if self.map.is_empty() { error.suggesting(FIRST_TAB) } else { error }
    }

    /// The tab that a command of this session acts on: the one it names, else the bound one.
    pub(super) fn find_tab(
        &self,
        id: SessionId,
        named: Option<&TabHandle>,
    ) -> Result<u32, ProtocolError> {
        let session = self.get(id).ok_or_else(|| not_found(id))?;
        let Some(named) = named else {
            return session.bound.ok_or_else(|| {
                let message = "the session has no tab: open one, or bind one of its tabs";
                let next = match session.main_tab() {
                    Some(tab) => {
                        format!(
                            "bproxy session bind --tab {}",
                            TabHandle::new(tab.ordinal).as_str()
                        )
                    }
                    None => FIRST_TAB.to_owned(),
                };
                ProtocolError::new(ErrorCode::TabNotFound, message, id.as_str())
                    .suggesting(format!("{next} -s {id}"))
            });
        };
        let has =
            |session: &Session| named.ordinal().filter(|ordinal| session.tab(*ordinal).is_some());
        if let Some(ordinal) = has(session) {
            return Ok(ordinal);
        }
        let (code, place) = match self.map.values().any(|session| has(session).is_some()) {
            true => (ErrorCode::TabNotInSession, "is a tab of another session"),
            false => (ErrorCode::TabHandleNotFound, "is no open tab"),
        };
        Err(ProtocolError::new(code, format!("{} {place}", named.as_str()), id.as_str()))
    }
}

/// Begins a session, or gives one a tab: from there `navigate` leads on.
const FIRST_TAB: &str = "bproxy tab open about:blank";

/// The failure of commands whose tab is gone.
pub(super) fn tab_gone(session: SessionId, ordinal: u32) -> ProtocolError {
    let message = format!("{} was closed", TabHandle::new(ordinal).as_str());
    ProtocolError::new(ErrorCode::TabNotFound, message, session.as_str())
}

/// The refusal of a session that does not, or no longer, exist.
pub(super) fn not_found(id: SessionId) -> ProtocolError {
    let message =
        format!("there is no session {id}: it was closed, or nobody used it for too long");
    ProtocolError::new(ErrorCode::SessionNotFound, message, id.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn browser() -> BrowserId {
        BrowserId::default()
    }

    #[test]
    fn tabs_are_never_numbered_twice() {
        let mut sessions = Sessions::default();
        let session = sessions.insert(SessionId::from_bits(1), None, Instant::now());
        assert_eq!(session.add_tab(browser(), 7, "", ""), 1);
        session.bound = Some(1);
        session.remove_tab(1);
        assert_eq!(session.bound, None);
        assert_eq!(session.add_tab(browser(), 7, "", ""), 2);
    }

    #[test]
    fn a_tab_that_is_not_there_is_told_from_one_of_another_session() {
        let mut sessions = Sessions::default();
        let (one, two) = (SessionId::from_bits(1), SessionId::from_bits(2));
        let now = Instant::now();
        sessions.insert(one, Some(String::new()), now).add_tab(browser(), 7, "", "");
        sessions.insert(two, None, now);
        let code = |id, name: &str| match sessions.find_tab(id, Some(&name.parse().unwrap())) {
            Ok(ordinal) => ordinal.to_string(),
            Err(error) => error.code.into_owned(),
        };
        assert_eq!(code(one, "t1"), "1");
        assert_eq!(code(two, "t1"), "TAB_NOT_IN_SESSION");
        assert_eq!(code(two, "t2"), "TAB_HANDLE_NOT_FOUND");
        assert_eq!(code(one, "t01"), "TAB_HANDLE_NOT_FOUND");
        assert_eq!(sessions.find_tab(two, None).unwrap_err().code, "TAB_NOT_FOUND");
        assert_eq!(sessions.infos()[0].label, None);
    }

    #[test]
    fn sessions_are_refused_in_the_order_of_the_protocol() {
        let sessions = Sessions::default();
        let code = |given| sessions.check(given).unwrap_err().code;
        assert_eq!(code(""), "SESSION_REQUIRED");
        assert_eq!(code("UPPER1"), "INVALID_SESSION_ID");
        assert_eq!(code("aaaaaa"), "SESSION_NOT_FOUND");
    }
}
