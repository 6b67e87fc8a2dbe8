//! The identity of a connection: the browser of a known instance, or an anonymous client.
//!
//! An anonymous client sends no hello. It takes over the tabs of its predecessor as long as there has never been more
//! than one at a time; otherwise its predecessor would be ambiguous.

use super::{Browser, BrowserId, Browsers, ClientId};

/// What is known about a browser's identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Identity {
    /// Its connection has not said anything yet.
    Unknown,
    /// Its connection sends no hello.
    Anonymous,
    /// Its connection said hello with this instance id.
    Instance(String),
}

/// What is known about all anonymous clients together.
#[derive(Default)]
pub(super) struct AnonymousClients {
    /// When the last of them ended, in ticks of the browsers' clock.
    pub(super) last_end: u64,
    /// Whether two of them were ever connected at the same time.
    pub(super) overlapped: bool,
}

/// What the identification of a connection changes for others.
#[derive(Default)]
pub(in crate::state) struct Identified {
    /// These browsers are the connection's browser from now on.
    pub(in crate::state) merge: Vec<BrowserId>,
    /// This connection of the same browser is to be ended.
    pub(in crate::state) superseded: Option<ClientId>,
}

impl Browsers {
    /// The connection said hello: it is the browser of that instance.
    pub(in crate::state) fn identify_instance(
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
        let known = self.browsers.iter().find(|(_, known)| known.identity == identity);
        let known = known.map(|(id, known)| (*id, known.client));
        self.set_identity(browser, identity);
        match known {
            Some((known, superseded)) => Identified { merge: vec![known], superseded },
            None => Identified::default(),
        }
    }

    /// The connection is an anonymous one. It takes over what those before it left, unless any two ever overlapped.
    pub(in crate::state) fn identify_anonymous(&mut self, client: ClientId) -> Identified {
        let Some(own) = self.clients.get_mut(&client) else { return Identified::default() };
        own.identified = true;
        let (browser, began) = (own.browser, own.began);
        let others = self.clients.keys().any(|id| *id != client && self.is_anonymous(*id));
        self.anonymous.overlapped |= others || self.anonymous.last_end > began;
        self.set_identity(browser, Identity::Anonymous);
        if self.anonymous.overlapped {
            return Identified::default();
        }
        let left = self.browsers.iter().filter(|(id, left)| {
            **id != browser && left.client.is_none() && left.identity == Identity::Anonymous
        });
        Identified { merge: left.map(|(id, _)| *id).collect(), superseded: None }
    }

    fn set_identity(&mut self, browser: BrowserId, identity: Identity) {
        if let Some(browser) = self.browsers.get_mut(&browser) {
            browser.identity = identity;
        }
    }

    /// Whether the connection is an anonymous one that is not about to end.
    pub(super) fn is_anonymous(&self, client: ClientId) -> bool {
        let browser = self.browser_of(client).and_then(|browser| self.browsers.get(&browser));
        browser.is_some_and(|browser| browser.identity == Identity::Anonymous)
            && self.closing(client).is_none()
    }

    pub(in crate::state) fn is_identified(&self, client: ClientId) -> bool {
        self.clients.get(&client).is_some_and(|client| client.identified)
    }

    /// A connection has sent a message; returns whether it is the first.
    pub(in crate::state) fn hears(&mut self, client: ClientId) -> bool {
        let client = self.clients.get_mut(&client);
        client.is_some_and(|client| !std::mem::replace(&mut client.spoke, true))
    }

    /// The connections that said hello, with their browsers.
    pub(in crate::state) fn introduced(&self) -> Vec<(ClientId, BrowserId)> {
        let instances = self
            .browsers
            .iter()
            .filter(|(_, known)| matches!(known.identity, Identity::Instance(_)));
        instances.filter_map(|(id, known)| Some((known.client?, *id))).collect()
    }

    /// Whether the browser said hello, on this connection or an earlier one.
    pub(in crate::state) fn said_hello(&self, browser: BrowserId) -> bool {
        let known = self.browsers.get(&browser);
        known.is_some_and(|known| matches!(known.identity, Identity::Instance(_)))
    }

    /// A browser that said hello to an earlier daemon, and is away.
    pub(in crate::state) fn remember(&mut self, instance: &str) -> BrowserId {
        self.last_browser += 1;
        let browser = BrowserId(self.last_browser);
        let identity = Identity::Instance(instance.to_owned());
        self.browsers.insert(browser, Browser::new(identity, None));
        browser
    }

    /// The browsers that said hello, with their instances, in the order in which they came.
    pub(in crate::state) fn instances(&self) -> Vec<(BrowserId, String)> {
        let mut all: Vec<_> = self
            .browsers
            .keys()
            .filter_map(|id| Some((*id, self.instance_of(*id)?.to_owned())))
            .collect();
        all.sort_unstable();
        all
    }

    /// The instance of a browser that said hello.
    pub(in crate::state) fn instance_of(&self, browser: BrowserId) -> Option<&str> {
        match &self.browsers.get(&browser)?.identity {
            Identity::Instance(instance) => Some(instance),
            Identity::Unknown | Identity::Anonymous => None,
        }
    }

    /// The browser of an instance, if it is known.
    pub(in crate::state) fn of_instance(&self, instance: &str) -> Option<BrowserId> {
        let is_it = |id: &&BrowserId| self.instance_of(**id) == Some(instance);
        self.browsers.keys().find(is_it).copied()
    }

    /// Forgets a browser whose tabs and commands another one has taken over.
    pub(in crate::state) fn merged(&mut self, from: BrowserId) {
        self.browsers.remove(&from);
    }

    /// A connection ends. If it never identified itself but is `used`, it counts as anonymous: what it was sent belongs
    /// to the next anonymous connection.
    pub(in crate::state) fn end_unidentified(&mut self, client: ClientId, used: bool) {
        if used && !self.is_identified(client) {
            self.identify_anonymous(client);
        }
    }

    /// Whether a connection that has not identified itself yet may turn out to be this browser.
    pub(in crate::state) fn may_return(&self, browser: BrowserId) -> bool {
        let Some(away) = self.browsers.get(&browser) else { return false };
        let mut unidentified = self.clients.values().filter(|client| !client.identified);
        match away.identity {
            Identity::Unknown => false,
            Identity::Instance(_) => unidentified.next().is_some(),
            Identity::Anonymous => {
                let ambiguous = self.anonymous.overlapped
                    || self.clients.keys().any(|client| self.is_anonymous(*client));
                !ambiguous && unidentified.any(|client| client.began > self.anonymous.last_end)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_anonymous_client_takes_over_what_the_one_before_left() {
        let mut browsers = Browsers::default();
        let (first, _) = browsers.connect(0);
        browsers.identify_anonymous(first);
        let left = browsers.browser_of(first).unwrap();
        browsers.disconnect(first, false);
        assert!(!browsers.may_return(left));
        let (second, _) = browsers.connect(0);
        assert!(browsers.may_return(left));
        assert_eq!(browsers.identify_anonymous(second).merge, [left]);
    }

    #[test]
    fn after_anonymous_clients_overlapped_nobody_takes_anything_over() {
        let mut browsers = Browsers::default();
        let (first, _) = browsers.connect(0);
        let (second, _) = browsers.connect(0);
        browsers.identify_anonymous(first);
        let left = browsers.browser_of(first).unwrap();
        browsers.disconnect(first, false);
        assert!(!browsers.may_return(left), "it was connected while the first one was");
        assert!(browsers.identify_anonymous(second).merge.is_empty());
        browsers.disconnect(second, false);
        let (third, _) = browsers.connect(0);
        assert!(!browsers.may_return(left));
        assert!(browsers.identify_anonymous(third).merge.is_empty());
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
}
