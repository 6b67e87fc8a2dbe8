//! Browsers and the connections they come and go with.
//!
//! A browser is what tabs belong to; it outlives its connections. A new connection is nobody's
//! until it says hello, says something else, or has been silent for a while; then it becomes a
//! browser that is known already, or a new one (protocol §6).

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use serde::Serialize;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::protocol::{MAX_PAGES, OLDEST};

use super::{handles::Epoch, pending::CommandKey};

/// How many unsent messages of the daemon's own a browser that does not read may pile up. Commands
/// are bounded by the pending table; these are pongs and closes of tabs.
const MAX_NOTES: usize = 256;

/// Identifies a browser while the daemon runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(super) struct BrowserId(u64);

/// Identifies a connection while the daemon runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ClientId(u64);

impl std::fmt::Display for ClientId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "client-{}", self.0)
    }
}

/// What is known of who a browser is.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Identity {
    Unknown,
    Plain,
    Instance(String),
}

struct Browser {
    identity: Identity,
    /// The protocol version it speaks.
    version: u32,
    client: Option<ClientId>,
    /// What its tabs show, as its navigation messages tell.
    pages: HashMap<i64, Epoch>,
}

/// Something for a browser to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Outgoing {
    /// The message of a pending command.
    Command(CommandKey),
    /// A message of the daemon's own.
    Note(Utf8Bytes),
    /// How the browser's sessions stand when this is written; see [`Browsers::shown`].
    Sessions,
}

/// Why and how a connection is to be ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CloseWith {
    /// The WebSocket close code.
    pub code: u16,
    /// For the other side, and the log.
    pub reason: &'static str,
}

struct Client {
    browser: BrowserId,
    connected_at: i64,
    /// Counts connections and ends of connections, to tell which of them overlapped.
    began: u64,
    identified: bool,
    extension_version: Option<String>,
    outbox: VecDeque<Outgoing>,
    /// What the person in front of it was shown last, or is about to be.
    shown: Utf8Bytes,
    close: Option<CloseWith>,
    wake: Arc<Notify>,
}

/// A connection as clients of the daemon see it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientInfo {
    id: String,
    connected_at: i64,
    protocol_version: u32,
    /// The extension's own version, where it introduced itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    extension_version: Option<String>,
}

/// What the identification of a connection changes for everybody else.
#[derive(Default)]
pub(super) struct Identified {
    /// These browsers are the connection's browser from now on.
    pub(super) merge: Vec<BrowserId>,
    /// This connection of the same browser is to be ended.
    pub(super) superseded: Option<ClientId>,
}

/// All browsers and connections of the daemon.
#[derive(Default)]
pub(super) struct Browsers {
    browsers: HashMap<BrowserId, Browser>,
    clients: HashMap<ClientId, Client>,
    last_browser: u64,
    last_client: u64,
    clock: u64,
    last_plain_end: u64,
    /// Whether two plain clients were ever connected at the same time: then nobody can tell which
    /// of them a third one is.
    plain_crowd: bool,
}

impl Browsers {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// A new connection, of a browser that nobody knows yet.
    pub(super) fn connect(&mut self, now_ms: i64) -> (ClientId, Arc<Notify>) {
        self.last_browser += 1;
        self.last_client += 1;
        let (browser, client) = (BrowserId(self.last_browser), ClientId(self.last_client));
        let wake = Arc::new(Notify::new());
        let began = self.tick();
        self.browsers.insert(
            browser,
            Browser {
                identity: Identity::Unknown,
                // One that names no version cannot know of a later one.
                version: OLDEST,
                client: Some(client),
                pages: HashMap::new(),
            },
        );
        self.clients.insert(
            client,
            Client {
                browser,
                connected_at: now_ms,
                began,
                identified: false,
                extension_version: None,
                outbox: VecDeque::new(),
                shown: super::person::nothing().into(),
                close: None,
                wake: wake.clone(),
            },
        );
        (client, wake)
    }

    /// The connection's browser speaks this protocol version from now on.
    pub(super) fn speaks(&mut self, client: ClientId, version: u32) {
        let browser = self.browser_of(client).and_then(|browser| self.browsers.get_mut(&browser));
        if let Some(browser) = browser {
            browser.version = version;
        }
    }

    /// The connection says hello: it is the browser of that instance.
    pub(super) fn identify_instance(
        &mut self,
        client: ClientId,
        instance: &str,
        extension_version: &str,
    ) -> Identified {
        let Some(own) = self.clients.get_mut(&client) else { return Identified::default() };
        own.identified = true;
        own.extension_version = Some(extension_version.to_owned());
        let browser = own.browser;
        let identity = Identity::Instance(instance.to_owned());
        let known =
            self.browsers.iter().find(|(_, known)| known.identity == identity).map(|(id, _)| *id);
        if let Some(known) = known {
            let superseded = self.browsers.get(&known).and_then(|known| known.client);
            self.set_identity(browser, identity);
            return Identified { merge: vec![known], superseded };
        }
        self.set_identity(browser, identity);
        Identified::default()
    }

    /// The connection is a plain one. It takes over what plain ones before it left, while there
    /// was never more than one of them at a time.
    pub(super) fn identify_plain(&mut self, client: ClientId) -> Identified {
        let Some(own) = self.clients.get_mut(&client) else { return Identified::default() };
        own.identified = true;
        let (browser, began) = (own.browser, own.began);
        let others = self.clients.keys().any(|id| *id != client && self.is_plain(*id));
        self.plain_crowd |= others || self.last_plain_end > began;
        self.set_identity(browser, Identity::Plain);
        if self.plain_crowd {
            return Identified::default();
        }
        let left = self.browsers.iter().filter(|(id, left)| {
            **id != browser && left.client.is_none() && left.identity == Identity::Plain
        });
        Identified { merge: left.map(|(id, _)| *id).collect(), superseded: None }
    }

    fn set_identity(&mut self, browser: BrowserId, identity: Identity) {
        if let Some(browser) = self.browsers.get_mut(&browser) {
            browser.identity = identity;
        }
    }

    fn is_plain(&self, client: ClientId) -> bool {
        let browser = self.browser_of(client).and_then(|browser| self.browsers.get(&browser));
        browser.is_some_and(|browser| browser.identity == Identity::Plain)
            && self.closing(client).is_none()
    }

    /// Forgets a browser whose tabs and commands another one has taken over.
    pub(super) fn merged(&mut self, from: BrowserId) {
        self.browsers.remove(&from);
    }

    /// The connection's browser is away from now on, and what its tabs show is unknown.
    fn leave(&mut self, client: ClientId) {
        if self.is_plain(client) {
            self.last_plain_end = self.tick();
        }
        let browser = self.browser_of(client).and_then(|browser| self.browsers.get_mut(&browser));
        if let Some(browser) = browser.filter(|browser| browser.client == Some(client)) {
            browser.client = None;
            browser.pages.clear();
        }
    }

    /// The connection has ended. Its browser stays, unless it never said who it was and nothing is
    /// `used` of it: then it was nobody.
    pub(super) fn disconnect(&mut self, client: ClientId, used: bool) {
        self.end_unidentified(client, used);
        self.leave(client);
        if let Some(browser) = self.clients.remove(&client).map(|client| client.browser)
            && self.browsers.get(&browser).is_some_and(|left| left.identity == Identity::Unknown)
        {
            self.browsers.remove(&browser);
        }
    }

    /// A connection ends that may not have said who it is. What it was sent belongs to whoever
    /// comes next without a hello.
    pub(super) fn end_unidentified(&mut self, client: ClientId, used: bool) {
        if used && !self.is_identified(client) {
            self.identify_plain(client);
        }
    }

    /// Forgets browsers that are away and not `used`.
    pub(super) fn forget_unused(&mut self, used: &HashSet<BrowserId>) {
        self.browsers.retain(|id, browser| browser.client.is_some() || used.contains(id));
    }

    /// The connection of a browser, if it has one.
    pub(super) fn client_of(&self, browser: BrowserId) -> Option<ClientId> {
        self.browsers.get(&browser)?.client
    }

    /// The protocol version that a browser speaks.
    pub(super) fn version_of(&self, browser: BrowserId) -> u32 {
        self.browsers.get(&browser).map_or(OLDEST, |browser| browser.version)
    }

    /// The browser behind a connection.
    pub(super) fn browser_of(&self, client: ClientId) -> Option<BrowserId> {
        Some(self.clients.get(&client)?.browser)
    }

    /// The connections that said hello, with their browsers.
    pub(super) fn introduced(&self) -> Vec<(ClientId, BrowserId)> {
        let instances = self
            .browsers
            .iter()
            .filter(|(_, known)| matches!(known.identity, Identity::Instance(_)));
        instances.filter_map(|(id, known)| Some((known.client?, *id))).collect()
    }

    /// Shows a person how their sessions stand, if that is news. What they have not been sent yet
    /// is replaced by it.
    pub(super) fn show(&mut self, client: ClientId, text: String) {
        let Some(client) = self.clients.get_mut(&client) else { return };
        if *client.shown == *text {
            return;
        }
        client.shown = text.into();
        if !client.outbox.contains(&Outgoing::Sessions) {
            client.outbox.push_back(Outgoing::Sessions);
        }
        client.wake.notify_one();
    }

    /// How the sessions stand, for the person in front of this connection.
    pub(super) fn shown(&self, client: ClientId) -> Option<Utf8Bytes> {
        Some(self.clients.get(&client)?.shown.clone())
    }

    pub(super) fn is_identified(&self, client: ClientId) -> bool {
        self.clients.get(&client).is_some_and(|client| client.identified)
    }

    /// How many browsers are remembered.
    #[cfg(test)]
    pub(super) fn known(&self) -> usize {
        self.browsers.len()
    }

    /// How much waits to be written to a connection.
    #[cfg(test)]
    pub(super) fn unsent(&self, client: ClientId) -> usize {
        self.clients[&client].outbox.len()
    }

    /// Whether a connection that has not said who it is may turn out to be this browser.
    pub(super) fn may_return(&self, browser: BrowserId) -> bool {
        let Some(away) = self.browsers.get(&browser) else { return false };
        let mut nobody = self.clients.values().filter(|client| !client.identified);
        match away.identity {
            Identity::Unknown => false,
            Identity::Instance(_) => nobody.next().is_some(),
            Identity::Plain => {
                let crowd =
                    self.plain_crowd || self.clients.keys().any(|client| self.is_plain(*client));
                !crowd && nobody.any(|client| client.began > self.last_plain_end)
            }
        }
    }

    /// The browser of the connection that was made last.
    pub(super) fn newest(&self) -> Option<BrowserId> {
        let newest = self.clients.values().filter(|client| client.close.is_none());
        newest.max_by_key(|client| client.began).map(|client| client.browser)
    }

    /// Whether anybody is connected.
    pub(super) fn any_connected(&self) -> bool {
        self.newest().is_some()
    }

    /// Every connection that is not about to end.
    pub(super) fn clients(&self) -> Vec<ClientId> {
        let open = self.clients.iter().filter(|(_, client)| client.close.is_none());
        let mut all: Vec<_> = open.map(|(id, _)| *id).collect();
        all.sort_unstable();
        all
    }

    pub(super) fn infos(&self) -> Vec<ClientInfo> {
        let info = |id: &ClientId| ClientInfo {
            id: id.to_string(),
            connected_at: self.clients[id].connected_at,
            protocol_version: self.version_of(self.clients[id].browser),
            extension_version: self.clients[id].extension_version.clone(),
        };
        self.clients().iter().map(info).collect()
    }

    /// What a tab shows, as far as it is known.
    pub(super) fn page(&self, browser: BrowserId, tab: i64) -> Option<Epoch> {
        self.browsers.get(&browser)?.pages.get(&tab).copied()
    }

    /// A tab shows a new page. `owned` tells which tabs belong to a session: others are forgotten
    /// before them when there are too many.
    pub(super) fn navigated(
        &mut self,
        browser: BrowserId,
        tab: i64,
        owned: impl FnOnce() -> HashSet<i64>,
    ) {
        let epoch = Epoch(self.tick());
        let Some(pages) = self.browsers.get_mut(&browser).map(|browser| &mut browser.pages) else {
            return;
        };
        pages.insert(tab, epoch);
        if pages.len() > MAX_PAGES {
            let owned = owned();
            let oldest = pages.iter().min_by_key(|(tab, epoch)| (owned.contains(tab), **epoch));
            if let Some(tab) = oldest.map(|(tab, _)| *tab) {
                pages.remove(&tab);
            }
        }
    }

    /// Puts something into a browser's outbox and wakes the writer.
    pub(super) fn send(&mut self, client: ClientId, outgoing: Outgoing) {
        let Some(client) = self.clients.get_mut(&client) else { return };
        if matches!(outgoing, Outgoing::Note(_)) {
            let notes =
                client.outbox.iter().filter(|waiting| matches!(waiting, Outgoing::Note(_))).count();
            if notes >= MAX_NOTES {
                return;
            }
        }
        client.outbox.push_back(outgoing);
        client.wake.notify_one();
    }

    /// The next thing to write, in the order of [`Browsers::send`].
    pub(super) fn next_outgoing(&mut self, client: ClientId) -> Option<Outgoing> {
        self.clients.get_mut(&client)?.outbox.pop_front()
    }

    /// Drops a command from an outbox, where nobody waits for it any more.
    pub(super) fn unsend(&mut self, client: ClientId, key: CommandKey) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.outbox.retain(|waiting| *waiting != Outgoing::Command(key));
        }
    }

    /// Asks for a connection to be ended, once; the first reason stays. Nothing more is sent to it.
    pub(super) fn close(&mut self, client: ClientId, with: CloseWith) {
        self.leave(client);
        if let Some(client) = self.clients.get_mut(&client) {
            client.identified = true;
            client.outbox.clear();
            client.close.get_or_insert(with);
            client.wake.notify_one();
        }
    }

    /// How the connection is to be ended, if it is.
    pub(super) fn closing(&self, client: ClientId) -> Option<CloseWith> {
        self.clients.get(&client)?.close
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_plain_client_takes_over_what_the_one_before_left() {
        let mut browsers = Browsers::default();
        let (first, _) = browsers.connect(0);
        browsers.identify_plain(first);
        let left = browsers.browser_of(first).unwrap();
        browsers.disconnect(first, false);
        assert!(!browsers.may_return(left));
        let (second, _) = browsers.connect(0);
        assert!(browsers.may_return(left));
        assert_eq!(browsers.identify_plain(second).merge, [left]);
    }

    #[test]
    fn after_a_crowd_of_plain_clients_nobody_takes_anything_over() {
        let mut browsers = Browsers::default();
        let (first, _) = browsers.connect(0);
        let (second, _) = browsers.connect(0);
        browsers.identify_plain(first);
        let left = browsers.browser_of(first).unwrap();
        browsers.disconnect(first, false);
        assert!(!browsers.may_return(left), "it was connected while the first one was");
        assert!(browsers.identify_plain(second).merge.is_empty());
        browsers.disconnect(second, false);
        let (third, _) = browsers.connect(0);
        assert!(!browsers.may_return(left));
        assert!(browsers.identify_plain(third).merge.is_empty());
    }

    #[test]
    fn an_instance_takes_over_its_tabs_and_ends_its_older_connection() {
        let mut browsers = Browsers::default();
        let (first, _) = browsers.connect(0);
        assert!(browsers.identify_instance(first, "a", "1").merge.is_empty());
        let (other, _) = browsers.connect(0);
        assert!(browsers.identify_instance(other, "b", "1").merge.is_empty());
        let known = browsers.browser_of(first).unwrap();
        let (second, _) = browsers.connect(0);
        let identified = browsers.identify_instance(second, "a", "1");
        assert_eq!(identified.merge, [known]);
        assert_eq!(identified.superseded, Some(first));
    }

    #[test]
    fn the_oldest_page_of_a_tab_that_nobody_holds_is_forgotten_first() {
        let mut browsers = Browsers::default();
        let (client, _) = browsers.connect(0);
        let browser = browsers.browser_of(client).unwrap();
        for tab in 0..MAX_PAGES as i64 {
            browsers.navigated(browser, tab, || HashSet::from([0]));
        }
        assert!(browsers.page(browser, 0).is_some() && browsers.page(browser, 1).is_some());
        browsers.navigated(browser, MAX_PAGES as i64, || HashSet::from([0]));
        assert!(browsers.page(browser, 0).is_some());
        assert!(browsers.page(browser, 1).is_none());
        assert!(browsers.page(browser, 2).is_some());
    }
}
