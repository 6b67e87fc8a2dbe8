//! Browsers and their connections.
//!
//! A browser is what tabs belong to; it outlives its connections. A new connection belongs to a browser of its own
//! until it identifies itself (protocol §6): then it is merged with the known browser of that identity, or stays a new
//! one.

mod identity;
mod outbox;
mod pages;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
};

use bytes::Bytes;
use serde::{Serialize, Serializer};
use tokio::sync::Notify;

use crate::protocol::{ClientInfo, OLDEST, Versions};

pub(super) use identity::Identified;
use identity::{AnonymousClients, Identity};
use outbox::Outbox;
pub(super) use outbox::Outgoing;
use pages::Pages;

/// Identifies a browser while the daemon runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(super) struct BrowserId(u64);

/// Identifies a connection while the daemon runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ClientId(u64);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "client-{}", self.0)
    }
}

impl Serialize for ClientId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Why the daemon ends a connection. The text is for the other side, and for the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseReason {
    /// The same browser has connected again.
    Superseded,
    /// Another pairing has replaced the token that it connected with.
    NewPairing,
    /// It speaks no protocol version that this daemon speaks.
    Incompatible,
    /// The daemon is shutting down.
    ShuttingDown,
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Superseded => f.write_str("a newer connection took over"),
            Self::NewPairing => f.write_str("a new pairing replaced this token"),
            Self::Incompatible => {
                write!(f, "this daemon speaks protocol version {}", Versions::SPOKEN)
            }
            Self::ShuttingDown => f.write_str("the daemon is shutting down"),
        }
    }
}

struct Browser {
    identity: Identity,
    /// The protocol version that it speaks.
    version: u32,
    /// Which additions to that version it knows.
    revision: i64,
    /// Its connection, while it has one.
    client: Option<ClientId>,
    pages: Pages,
}

impl Browser {
    fn new(identity: Identity, client: Option<ClientId>) -> Self {
        // The version of a connection that names none.
        Self { identity, version: OLDEST, revision: 0, client, pages: Pages::default() }
    }
}

struct Client {
    browser: BrowserId,
    connected_at: i64,
    /// When it was made, in ticks of the browsers' clock.
    began: u64,
    identified: bool,
    /// Whether it has sent anything.
    spoke: bool,
    extension_version: Option<String>,
    /// The daemon's nonce that it was opened with.
    nonce: String,
    outbox: Outbox,
    closing: Option<CloseReason>,
    wake: Arc<Notify>,
}

/// All browsers and connections of the daemon.
#[derive(Default)]
pub(super) struct Browsers {
    browsers: HashMap<BrowserId, Browser>,
    clients: HashMap<ClientId, Client>,
    last_browser: u64,
    last_client: u64,
    /// Counts connections, disconnections and navigations, to tell which came first.
    clock: u64,
    anonymous: AnonymousClients,
}

impl Browsers {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    /// Adds a connection, of a browser that is not identified yet.
    pub(super) fn connect(&mut self, now_ms: i64) -> (ClientId, Arc<Notify>) {
        self.last_browser += 1;
        self.last_client += 1;
        let (browser, client) = (BrowserId(self.last_browser), ClientId(self.last_client));
        let wake = Arc::new(Notify::new());
        let began = self.tick();
        self.browsers.insert(browser, Browser::new(Identity::Unknown, Some(client)));
        self.clients.insert(
            client,
            Client {
                browser,
                connected_at: now_ms,
                began,
                identified: false,
                spoke: false,
                extension_version: None,
                nonce: String::new(),
                outbox: Outbox::new(super::person::no_sessions().into()),
                closing: None,
                wake: wake.clone(),
            },
        );
        (client, wake)
    }

    /// Sets the protocol version that the connection's browser speaks, and which additions to it.
    pub(super) fn set_version(&mut self, client: ClientId, version: u32, revision: i64) {
        if let Some(browser) = self.browser_mut(client) {
            (browser.version, browser.revision) = (version, revision);
        }
    }

    fn browser_mut(&mut self, client: ClientId) -> Option<&mut Browser> {
        self.browsers.get_mut(&self.clients.get(&client)?.browser)
    }

    /// Marks the connection's browser as away; its tabs' pages are unknown from now on.
    fn leave(&mut self, client: ClientId) {
        if self.is_anonymous(client) {
            self.anonymous.last_end = self.tick();
        }
        let browser = self.browser_mut(client).filter(|browser| browser.client == Some(client));
        if let Some(browser) = browser {
            browser.client = None;
            browser.pages = Pages::default();
        }
    }

    /// Removes a connection that has ended. Its browser stays, unless it never identified itself and is not `used`.
    pub(super) fn disconnect(&mut self, client: ClientId, used: bool) {
        self.end_unidentified(client, used);
        self.leave(client);
        if let Some(browser) = self.clients.remove(&client).map(|client| client.browser)
            && self.browsers.get(&browser).is_some_and(|left| left.identity == Identity::Unknown)
        {
            self.browsers.remove(&browser);
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

    /// Which additions to its protocol version a browser knows: 0 for none. Only from 1 on may it be sent document marks
    /// and numbers of elements.
    pub(super) fn revision_of(&self, browser: BrowserId) -> i64 {
        self.browsers.get(&browser).map_or(0, |browser| browser.revision)
    }

    /// The browser behind a connection.
    pub(super) fn browser_of(&self, client: ClientId) -> Option<BrowserId> {
        Some(self.clients.get(&client)?.browser)
    }

    /// The browser of the connection that was made last.
    pub(super) fn newest(&self) -> Option<BrowserId> {
        let open = self.clients.values().filter(|client| client.closing.is_none());
        open.max_by_key(|client| client.began).map(|client| client.browser)
    }

    /// Whether any browser is connected.
    pub(super) fn any_connected(&self) -> bool {
        self.newest().is_some()
    }

    /// Every connection that is not about to end.
    pub(super) fn clients(&self) -> Vec<ClientId> {
        let open = self.clients.iter().filter(|(_, client)| client.closing.is_none());
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

    /// Queues a message in a connection's outbox and wakes its writer.
    pub(super) fn send(&mut self, client: ClientId, outgoing: Outgoing) {
        if let Some(client) = self.clients.get_mut(&client)
            && client.outbox.push(outgoing)
        {
            client.wake.notify_one();
        }
    }

    /// Queues a message of the daemon's own before all others, and wakes the connection's writer.
    pub(super) fn send_first(&mut self, client: ClientId, note: Bytes) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.outbox.push_first(note);
            client.wake.notify_one();
        }
    }

    /// Remembers the daemon's nonce that a connection was opened with.
    pub(super) fn set_nonce(&mut self, client: ClientId, nonce: &str) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.nonce = nonce.to_owned();
        }
    }

    /// The daemon's nonce that a connection was opened with.
    pub(super) fn nonce_of(&self, client: ClientId) -> Option<&str> {
        Some(&self.clients.get(&client)?.nonce)
    }

    /// The connection's browser may show anything of its sessions: the state of them is sent, whatever it is.
    pub(super) fn forget_state(&mut self, client: ClientId) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.outbox.forget_state();
        }
    }

    /// Sends the state of its sessions to a connection, if it has changed. It replaces one that is not sent yet.
    pub(super) fn push_state(&mut self, client: ClientId, state: String) {
        if let Some(client) = self.clients.get_mut(&client)
            && client.outbox.push_state(state)
        {
            client.wake.notify_one();
        }
    }

    /// The next thing to write, in the order of [`Browsers::send`].
    pub(super) fn next_outgoing(&mut self, client: ClientId) -> Option<Outgoing> {
        self.clients.get_mut(&client)?.outbox.pop()
    }

    /// The state of its sessions, as the connection has been sent it or is about to be.
    pub(super) fn session_state(&self, client: ClientId) -> Option<Bytes> {
        Some(self.clients.get(&client)?.outbox.session_state())
    }

    /// Drops a command from an outbox, because it has no waiters left.
    pub(super) fn unsend(&mut self, client: ClientId, key: super::CommandKey) {
        if let Some(client) = self.clients.get_mut(&client) {
            client.outbox.remove(key);
        }
    }

    /// Asks for a connection to be ended, once; the first reason stays. Nothing more is sent to it.
    pub(super) fn close(&mut self, client: ClientId, reason: CloseReason) {
        self.leave(client);
        if let Some(client) = self.clients.get_mut(&client) {
            client.identified = true;
            client.outbox.clear();
            client.closing.get_or_insert(reason);
            client.wake.notify_one();
        }
    }

    /// Why the connection is to be ended, if it is.
    pub(super) fn closing(&self, client: ClientId) -> Option<CloseReason> {
        self.clients.get(&client)?.closing
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
}
