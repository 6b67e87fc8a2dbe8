//! Under any sequence of reads, navigations and reconnects, a handle resolves to the element that it was given to, on
//! the same page, or to nothing.

use std::collections::HashMap;

use proptest::prelude::*;
use serde_json::json;

use super::*;

const TABS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Bind(usize),
    /// Reads so many entries, perhaps with a navigation between sending and answer.
    Read {
        links: bool,
        count: usize,
        navigates: bool,
    },
    Navigate(usize),
    Reconnect,
    /// Names one of all handles ever given, perhaps while the tab is busy and then navigates.
    Click {
        which: prop::sample::Index,
        busy: bool,
        navigates: bool,
    },
    Pass(u64),
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..TABS).prop_map(Step::Bind),
        4 => (any::<bool>(), 0..260usize, prop::bool::weighted(0.2))
            .prop_map(|(links, count, navigates)| Step::Read { links, count, navigates }),
        1 => (0..TABS).prop_map(Step::Navigate),
        1 => Just(Step::Reconnect),
        8 => (any::<prop::sample::Index>(), any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(which, busy, navigates)| Step::Click { which, busy, navigates }),
        1 => (1..130_000u64).prop_map(Step::Pass),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

/// What a handle was given to.
#[derive(Clone)]
struct Given {
    name: String,
    selector: String,
    tab: usize,
    links: bool,
    page: u64,
    read: u64,
    at: Instant,
}

/// The tabs, and all handles ever given.
struct World {
    rig: Rig,
    browser: ClientId,
    session: String,
    /// For each tab: its name, the browser's own id, and its page.
    tabs: Vec<(String, i64, u64)>,
    bound: usize,
    given: Vec<Given>,
    /// The latest read of each tab and kind.
    latest: HashMap<(usize, bool), u64>,
    clock: u64,
}

impl World {
    fn new() -> Self {
        let mut rig = Rig::new();
        let browser = rig.browser("a");
        let session = rig.open(browser, 100);
        let mut tabs = vec![("t1".to_owned(), 100, 0)];
        for id in 101..100 + TABS as i64 {
            let (_, name) = rig.open_in(browser, &session, id);
            tabs.push((name, id, 0));
        }
        let (given, latest) = (Vec::new(), HashMap::new());
        Self { rig, browser, session, tabs, bound: TABS - 1, given, latest, clock: 0 }
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn navigate(&mut self, tab: usize) {
        self.tabs[tab].2 = self.tick();
        self.rig.navigated(self.browser, self.tabs[tab].1, "http://same/");
    }

    fn read(&mut self, links: bool, count: usize, navigates: bool) {
        let (action, list) = if links { ("links", "links") } else { ("elements", "elements") };
        let mut client = self.rig.ask(action, &self.session, json!({}));
        self.rig.sent(self.browser);
        let (tab, read) = (self.bound, self.tick());
        let (page, at) = (self.tabs[tab].2, self.rig.now);
        if navigates {
            self.navigate(tab);
        }
        let entries: Vec<_> = (0..count)
            .map(|at| format!("#n{read}-{at}"))
            .map(|selector| match links {
                true => json!({"text": selector, "target": {"selector": selector}}),
                false => json!({"selector": selector, "handle": "el1"}),
            })
            .collect();
        self.rig.answer(self.browser, &client.id, json!({ list: entries }));
        self.latest.insert((tab, links), read);
        for entry in client.data()[list].as_array().unwrap() {
            let Some(name) = entry["handle"].as_str().map(str::to_owned) else { continue };
            let selector =
                entry["selector"].as_str().or(entry["text"].as_str()).unwrap().to_owned();
            assert!(self.given.iter().all(|given| given.name != name), "{name} was given twice");
            self.given.push(Given { name, selector, tab, links, page, read, at });
        }
    }

    /// Whether the handle must work on the bound tab now.
    fn is_good(&self, given: &Given) -> bool {
        let alive =
            |given: &&Given| self.latest.get(&(given.tab, given.links)) == Some(&given.read);
        let after = self.given.iter().filter(alive).filter(|other| other.read > given.read).count();
        // Those of the same read that come after it are younger as well.
        let same = self.given.iter().filter(|other| other.read == given.read);
        let after = after + same.skip_while(|other| other.name != given.name).count();
        alive(&given)
            && given.tab == self.bound
            && given.page == self.tabs[given.tab].2
            && self.rig.now - given.at < Duration::from_secs(120)
            && after <= 1000
    }

    fn click(&mut self, which: prop::sample::Index, busy: bool, navigates: bool) {
        if self.given.is_empty() {
            return;
        }
        let given = self.given[which.index(self.given.len())].clone();
        let good = self.is_good(&given);
        let blocking = busy.then(|| self.rig.ask("text", &self.session, json!({})));
        let params = json!({"target": {"handle": given.name}});
        let mut client = self.rig.ask("click", &self.session, params);
        assert_eq!(client.waits(), good, "{} is admitted exactly if it is good", given.name);
        if navigates {
            self.navigate(self.bound);
        }
        if let Some(blocking) = blocking {
            self.rig.answer(self.browser, &blocking.id, json!({}));
        }
        let sent = self.rig.sent(self.browser);
        let sent = sent.iter().find(|sent| sent["id"] == client.id);
        assert_eq!(sent.is_some(), good && !(busy && navigates));
        if let Some(sent) = sent {
            assert_eq!(sent["params"]["target"], json!({"selector": given.selector}));
            assert_eq!(sent["target"]["tabId"], self.tabs[given.tab].1);
            self.rig.answer(self.browser, &client.id, json!({}));
            client.data();
        } else {
            assert!(client.code().starts_with("ELEMENT_HANDLE_"), "{}", client.code());
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Bind(tab) => {
                self.bound = *tab;
                let name = self.tabs[*tab].0.clone();
                self.rig.bind(&self.session, Some(&name), "fast");
            }
            Step::Read { links, count, navigates } => self.read(*links, *count, *navigates),
            Step::Navigate(tab) => self.navigate(*tab),
            Step::Reconnect => {
                self.rig.disconnect(self.browser);
                self.browser = self.rig.browser("a");
                for tab in 0..TABS {
                    self.tabs[tab].2 = self.tick();
                }
            }
            Step::Click { which, busy, navigates } => self.click(*which, *busy, *navigates),
            Step::Pass(ms) => self.rig.pass(*ms),
            Step::Reopen => {
                let close = self.rig.ask("tab.close", &self.session, json!({}));
                self.rig.sent(self.browser);
                self.rig.answer(self.browser, &close.id, json!({}));
                let id = self.tabs[self.bound].1 + TABS as i64;
                let (_, name) = self.rig.open_in(self.browser, &self.session, id);
                let page = self.tick();
                self.tabs[self.bound] = (name, id, page);
                self.latest.remove(&(self.bound, true));
                self.latest.remove(&(self.bound, false));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_handle_is_its_own_element_or_refused(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
    }
}
