//! Under any sequence of reads, navigations and reconnects, a handle resolves to the element that it was given to, on
//! the same page, or to nothing; whether the browser numbers elements or names targets.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;

const TABS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Bind(usize),
    /// Reads so many new entries, and perhaps the ones before again.
    Read {
        links: bool,
        count: usize,
        again: bool,
        /// Whether the tab navigates between sending and answer.
        navigates: bool,
        /// Whether the answer is a failure.
        fails: bool,
    },
    Navigate {
        tab: usize,
        same_document: bool,
    },
    /// The address changes, and the message about it is late.
    Move(usize),
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
    let rarely = || prop::bool::weighted(0.2);
    let step = prop_oneof![
        2 => (0..TABS).prop_map(Step::Bind),
        5 => (any::<bool>(), prop_oneof![9 => 0..30usize, 1 => 900..1300usize], any::<bool>(), rarely(), rarely())
            .prop_map(|(links, count, again, navigates, fails)| Step::Read { links, count, again, navigates, fails }),
        1 => (0..TABS, any::<bool>())
            .prop_map(|(tab, same_document)| Step::Navigate { tab, same_document }),
        1 => (0..TABS).prop_map(Step::Move),
        1 => Just(Step::Reconnect),
        8 => (any::<prop::sample::Index>(), any::<bool>(), rarely())
            .prop_map(|(which, busy, navigates)| Step::Click { which, busy, navigates }),
        1 => (1..130_000u64).prop_map(Step::Pass),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..40)
}

/// What a handle was given to.
#[derive(Clone, Debug)]
struct Given {
    name: String,
    /// A selector, or the page's own name for an element that it has numbered.
    element: String,
    tab: usize,
    /// The page that it is for.
    page: u64,
    used: Instant,
}

struct Tab {
    name: String,
    /// The browser's own id.
    id: i64,
    /// Whether the daemon knows its page.
    known: bool,
    view: u64,
    document: u64,
    /// Whether its address has changed since an answer or a navigation named it.
    moved: bool,
    /// What the page's side has numbered in its document: handles with the elements that they are for.
    numbered: Vec<(String, String)>,
}

/// The tabs, and all handles ever given.
struct World {
    rig: Rig,
    /// Whether the browser numbers elements.
    numbers: bool,
    browser: ClientId,
    session: String,
    tabs: Vec<Tab>,
    bound: usize,
    given: Vec<Given>,
    /// The handles that the daemon holds, least recently used first.
    held: Vec<String>,
    clock: u64,
}

impl World {
    fn new(numbers: bool) -> Self {
        let mut rig = Rig::new();
        let browser = if numbers { rig.numbering_browser("a") } else { rig.browser("a") };
        let session = rig.open(browser, 100);
        let mut names = vec!["t1".to_owned()];
        for id in 101..100 + TABS as i64 {
            names.push(rig.open_in(browser, &session, id).1);
        }
        let tab = |(name, id)| Tab {
            name,
            id,
            known: true,
            view: 0,
            document: 0,
            moved: false,
            numbered: Vec::new(),
        };
        let tabs = names.into_iter().zip(100..).map(tab).collect();
        let (given, held) = (Vec::new(), Vec::new());
        Self { rig, numbers, browser, session, tabs, bound: TABS - 1, given, held, clock: 0 }
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn navigate(&mut self, tab: usize, same_document: bool) {
        let now = self.tick();
        let shown = &mut self.tabs[tab];
        if !same_document || !shown.known {
            shown.document = now;
        }
        if !same_document {
            shown.numbered.clear();
        }
        (shown.view, shown.known, shown.moved) = (now, true, false);
        let (id, cause) = (shown.id, if same_document { "history_state" } else { "committed" });
        self.rig.shows(id, "http://same/");
        let navigation =
            json!({"type": "navigation", "tabId": id, "url": "http://same/", "cause": cause});
        self.rig.say(self.browser, &navigation);
    }

    /// An answer has named the tab's address.
    fn answered(&mut self, tab: usize) {
        let now = self.tick();
        let shown = &mut self.tabs[tab];
        if shown.known && std::mem::take(&mut shown.moved) {
            shown.view = now;
        }
    }

    /// What the current page of a tab is for new handles.
    fn page(&self, tab: usize) -> u64 {
        if self.numbers { self.tabs[tab].document } else { self.tabs[tab].view }
    }

    /// The entries of a read that the page's side answers: what it has numbered before, if so wished, and new elements.
    fn entries(&mut self, links: bool, count: usize, again: bool, block: &Value) -> Vec<Value> {
        let (prefix, mut next) =
            if links { ("ln", block["ln"].as_u64()) } else { ("el", block["el"].as_u64()) };
        let end = next.map(|first| first + 999);
        let (read, tab) = (self.tick(), &mut self.tabs[self.bound]);
        let known = tab.numbered.iter().filter(|(handle, _)| again && handle.starts_with(prefix));
        let entry = |(handle, element): &(String, String)| {
            let number: u64 = handle[2..].parse().unwrap();
            json!({"text": element, "n": number})
        };
        let mut entries: Vec<_> = known.map(entry).collect();
        for at in 0..count {
            let element = format!("#n{read}-{at}");
            match next.filter(|next| Some(*next) <= end) {
                Some(number) => {
                    next = Some(number + 1);
                    tab.numbered.push((format!("{prefix}{number}"), element.clone()));
                    entries.push(json!({"text": element, "n": number, "selector": element, "target": {"selector": element}}));
                }
                None if self.numbers => entries.push(json!({"text": element, "selector": element})),
                None if links => {
                    entries.push(json!({"text": element, "target": {"selector": element}}))
                }
                None => {
                    entries.push(json!({"text": element, "selector": element, "handle": "el1"}))
                }
            }
        }
        entries
    }

    fn read(&mut self, links: bool, count: usize, again: bool, navigates: bool, fails: bool) {
        let list = if links { "links" } else { "elements" };
        let mut client = self.rig.ask(list, &self.session, json!({}));
        let sent = self.rig.sent(self.browser).pop().expect("the read is sent");
        let tab = self.bound;
        let block = &sent["target"];
        assert_eq!(block["el"].is_u64(), self.numbers && self.tabs[tab].known);
        let page = self.page(tab);
        let entries = self.entries(links, count, again, block);
        if navigates {
            self.navigate(tab, false);
        }
        if fails {
            self.rig.answer_error(self.browser, &client.id, "SCRIPT_ERROR", "oops");
            return;
        }
        let page = if self.numbers { self.page(tab) } else { page };
        let used = self.rig.now;
        self.rig.answer(self.browser, &client.id, json!({ list: entries }));
        self.answered(tab);
        for entry in client.data()[list].as_array().unwrap() {
            assert!(entry.get("n").is_none(), "{entry}");
            let Some(name) = entry["handle"].as_str().map(str::to_owned) else { continue };
            let element = entry["text"].as_str().unwrap().to_owned();
            self.held.retain(|held| *held != name);
            self.held.push(name.clone());
            match self.given.iter_mut().find(|given| given.name == name) {
                Some(given) => {
                    assert!(self.numbers, "{name} was given twice");
                    assert_eq!(
                        (&given.element, given.tab),
                        (&element, tab),
                        "{name} was given twice"
                    );
                    (given.page, given.used) = (page, used);
                }
                None => self.given.push(Given { name, element, tab, page, used }),
            }
        }
        self.evict();
    }

    fn evict(&mut self) {
        if self.held.len() > 5000 {
            let now = self.rig.now;
            let alive = self.given.iter().filter(|given| is_alive(given, now));
            let alive: HashSet<_> = alive.map(|given| &*given.name).collect();
            self.held.retain(|name| alive.contains(&**name));
            self.held.drain(..self.held.len().saturating_sub(5000));
        }
    }

    /// Whether the handle must work on the bound tab now.
    fn is_good(&self, given: &Given) -> bool {
        self.held.contains(&given.name)
            && is_alive(given, self.rig.now)
            && given.tab == self.bound
            && self.tabs[given.tab].known
            && given.page == self.page(given.tab)
    }

    fn click(&mut self, which: prop::sample::Index, busy: bool, navigates: bool) {
        if self.given.is_empty() {
            return;
        }
        let which = which.index(self.given.len());
        let given = self.given[which].clone();
        let good = self.is_good(&given);
        let blocking = busy.then(|| self.rig.ask("text", &self.session, json!({})));
        let params = json!({"target": {"handle": given.name}});
        let mut client = self.rig.ask("click", &self.session, params);
        assert_eq!(client.waits(), good, "{} is admitted exactly if it is good", given.name);
        if good {
            self.given[which].used = self.rig.now;
            self.held.retain(|held| *held != given.name);
            self.held.push(given.name.clone());
        }
        if navigates {
            self.navigate(self.bound, false);
        }
        if let Some(blocking) = blocking {
            self.rig.answer(self.browser, &blocking.id, json!({}));
            self.answered(self.bound);
        }
        let goes_on = good && (!busy || given.page == self.page(given.tab));
        let sent = self.rig.sent(self.browser);
        let sent = sent.iter().find(|sent| sent["id"] == client.id);
        assert_eq!(sent.is_some(), goes_on);
        if let Some(sent) = sent {
            assert_eq!(sent["target"]["tabId"], self.tabs[given.tab].id);
            let target = &sent["params"]["target"];
            if self.numbers {
                assert_eq!(*target, json!({"handle": given.name}));
                let numbered = &self.tabs[given.tab].numbered;
                let found = numbered.iter().find(|(handle, _)| *handle == given.name);
                assert!(found.is_none_or(|(_, element)| *element == given.element));
            } else {
                assert_eq!(*target, json!({"selector": given.element}));
            }
            self.rig.answer(self.browser, &client.id, json!({}));
            self.answered(self.bound);
            client.data();
        } else {
            assert!(client.code().starts_with("ELEMENT_HANDLE_"), "{}", client.code());
        }
    }

    fn reconnect(&mut self) {
        self.rig.disconnect(self.browser);
        self.browser = match self.numbers {
            true => self.rig.numbering_browser("a"),
            false => self.rig.browser("a"),
        };
        for tab in &mut self.tabs {
            tab.known = false;
        }
    }

    fn reopen(&mut self) {
        let close = self.rig.ask("tab.close", &self.session, json!({}));
        self.rig.sent(self.browser);
        self.rig.answer(self.browser, &close.id, json!({}));
        let id = self.tabs[self.bound].id + TABS as i64;
        let (_, name) = self.rig.open_in(self.browser, &self.session, id);
        let now = self.tick();
        let numbered = Vec::new();
        self.tabs[self.bound] =
            Tab { name, id, known: true, view: now, document: now, moved: false, numbered };
        let gone: Vec<_> = self.given.iter().filter(|given| given.tab == self.bound).collect();
        self.held.retain(|held| gone.iter().all(|given| given.name != *held));
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Bind(tab) => {
                self.bound = tab;
                let name = self.tabs[tab].name.clone();
                self.rig.bind(&self.session, Some(&name), "fast");
            }
            Step::Read { links, count, again, navigates, fails } => {
                self.read(links, count, again, navigates, fails);
            }
            Step::Navigate { tab, same_document } => self.navigate(tab, same_document),
            Step::Move(tab) => {
                let url = format!("http://moved/{}", self.tick());
                self.rig.shows(self.tabs[tab].id, &url);
                self.tabs[tab].moved = true;
            }
            Step::Reconnect => self.reconnect(),
            Step::Click { which, busy, navigates } => self.click(which, busy, navigates),
            Step::Pass(ms) => self.rig.pass(ms),
            Step::Reopen => self.reopen(),
        }
    }
}

fn is_alive(given: &Given, now: Instant) -> bool {
    now - given.used < Duration::from_secs(120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_handle_is_its_own_element_or_refused(steps in steps(), numbers in any::<bool>()) {
        let mut world = World::new(numbers);
        for step in &steps {
            world.take(step);
        }
    }
}
