//! However connections fail: every command gets one reply by its deadline, browsers carry out each at most once and in
//! the order of its tab, and no command is lost before its deadline.

use std::collections::{HashMap, HashSet, VecDeque};

use proptest::{prelude::*, sample::Index};
use serde_json::json;

use super::*;
use crate::state::pending::Phase;

const BROWSERS: usize = 2;
const TABS: i64 = 3;

#[derive(Clone, Debug)]
enum Step {
    /// A command for a tab of some browser, with so much time.
    Ask {
        browser: usize,
        tab: i64,
        action: Asked,
        timeout_ms: i64,
    },
    Join(Index),
    HangUp(Index),
    /// Whether or not the older connection is still alive.
    Connect {
        browser: usize,
        hello: bool,
    },
    Disconnect(usize),
    /// The browser reads and carries out what it is sent.
    Work(usize),
    /// The browser sends the oldest answer that it has, or a random one.
    Answer {
        browser: usize,
        which: Option<Index>,
    },
    Pass(u64),
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Text,
    Click,
    Open,
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let browser = || 0..BROWSERS;
    let asked = prop_oneof![
        8 => Just(Asked::Text), 4 => Just(Asked::Click), 3 => Just(Asked::Open), 1 => Just(Asked::Close),
    ];
    let step = prop_oneof![
        8 => (browser(), 0..TABS, asked, 1..3000i64)
            .prop_map(|(browser, tab, action, timeout_ms)| Step::Ask { browser, tab, action, timeout_ms }),
        1 => any::<Index>().prop_map(Step::Join),
        1 => any::<Index>().prop_map(Step::HangUp),
        2 => browser().prop_map(|browser| Step::Connect { browser, hello: true }),
        // Only one of them: two anonymous ones in sequence count as the same.
        1 => Just(Step::Connect { browser: 0, hello: false }),
        2 => browser().prop_map(Step::Disconnect),
        6 => browser().prop_map(Step::Work),
        6 => (browser(), prop::option::of(any::<Index>()))
            .prop_map(|(browser, which)| Step::Answer { browser, which }),
        2 => (0..700u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 1..120)
}

/// A browser: it carries out what it has not carried out before, and remembers its answers.
#[derive(Default)]
struct Browser {
    client: Option<ClientId>,
    said_hello: bool,
    /// What it was sent under each id, to the byte.
    messages: HashMap<String, Bytes>,
    /// What it was sent on this connection.
    seen_here: HashSet<String>,
    memory: HashMap<String, Value>,
    /// Answers that wait to be sent.
    ready: VecDeque<String>,
    /// Of each tab, the commands that were carried out, in that order.
    carried_out: HashMap<i64, Vec<u32>>,
    /// Tabs that are open, by the browser's own account.
    open: HashSet<i64>,
    last_tab: i64,
}

/// A command, and what is known of it.
struct Asking {
    client: Client,
    joined: Vec<Client>,
    deadline: Instant,
    hung_up: bool,
}

struct World {
    rig: Rig,
    browsers: Vec<Browser>,
    /// One session for each browser, with [`TABS`] tabs.
    sessions: Vec<String>,
    asked: Vec<Asking>,
}

impl World {
    fn new() -> Self {
        let mut rig = Rig::new();
        let (mut browsers, mut sessions) = (Vec::new(), Vec::new());
        for number in 0..BROWSERS {
            let client = rig.browser(&number.to_string());
            let first = 1000 * (number as i64 + 1);
            let session = rig.open(client, first);
            for tab in 1..TABS {
                rig.open_in(client, &session, first + tab);
            }
            let open = (first..first + TABS).collect();
            let last_tab = first + TABS;
            let client = Some(client);
            browsers.push(Browser {
                client,
                said_hello: true,
                open,
                last_tab,
                ..Browser::default()
            });
            sessions.push(session);
        }
        Self { rig, browsers, sessions, asked: Vec::new() }
    }

    fn ask(&mut self, browser: usize, tab: i64, action: Asked, timeout_ms: i64) {
        let session = self.sessions[browser].clone();
        let tab = format!("t{}", tab + 1);
        let parsed = tab.parse().unwrap();
        let id = session.parse().unwrap();
        if self.rig.state.with(|inner| inner.bind(id, Some(&parsed), None)).is_err() {
            return;
        }
        let (action, params) = match action {
            Asked::Text => ("text", json!({})),
            Asked::Click => ("click", json!({"target": {"selector": "a"}})),
            Asked::Open => ("tab.open", json!({"url": "u"})),
            Asked::Close => ("tab.close", json!({})),
        };
        let request = call(action, &session, params).id(&self.asked.len().to_string());
        let client = self.rig.send(&request.timeout_ms(timeout_ms));
        let deadline = self.rig.now + Duration::from_millis(timeout_ms as u64);
        self.asked.push(Asking { client, joined: Vec::new(), deadline, hung_up: false });
    }

    fn join(&mut self, which: Index) {
        let mut waiting: Vec<_> = self.asked.iter_mut().filter(|asked| !asked.hung_up).collect();
        waiting.retain_mut(|asked| asked.client.waits());
        if waiting.is_empty() {
            return;
        }
        let at = which.index(waiting.len());
        let id = waiting[at].client.id.clone();
        let joined = self.rig.send(&call("text", "", json!({})).id(&id));
        let asked = self.asked.iter_mut().find(|asked| asked.client.id == id).expect("it is there");
        asked.joined.push(joined);
    }

    fn connect(&mut self, number: usize, hello: bool) {
        if !hello {
            // Two anonymous ones at once would each keep what they have, and get nothing back.
            self.disconnect(number);
        }
        let client = self.rig.connect();
        let browser = &mut self.browsers[number];
        let older = browser.client.replace(client);
        let replaced = std::mem::replace(&mut browser.said_hello, hello) && hello;
        browser.seen_here.clear();
        if hello {
            self.rig.hello(client, &number.to_string());
        }
        if let Some(older) = older {
            assert!(
                !replaced || self.rig.sent(older).is_empty(),
                "nothing goes to a connection that was replaced"
            );
            self.rig.disconnect(older);
        }
    }

    fn disconnect(&mut self, number: usize) {
        if let Some(client) = self.browsers[number].client.take() {
            self.rig.disconnect(client);
        }
    }

    fn work(&mut self, number: usize) -> bool {
        let Browser { client: Some(client), .. } = self.browsers[number] else { return false };
        let texts = self.rig.sent_raw(client);
        let worked = !texts.is_empty();
        let browser = &mut self.browsers[number];
        for text in texts {
            let message: Value = serde_json::from_slice(&text).unwrap();
            let Some(id) = message["id"].as_str().map(str::to_owned) else { continue };
            assert!(browser.seen_here.insert(id.clone()), "{id} came twice on one connection");
            let known = browser.messages.entry(id.clone()).or_insert_with(|| text.clone());
            assert_eq!(*known, text, "a replay is the same to the byte");
            if !browser.memory.contains_key(&id) {
                let outcome = carry_out(browser, &message, &id);
                browser.memory.insert(id.clone(), outcome);
            }
            browser.ready.push_back(id);
        }
        worked
    }

    fn answer(&mut self, number: usize, which: Option<Index>) -> bool {
        let browser = &mut self.browsers[number];
        let (Some(client), false) = (browser.client, browser.ready.is_empty()) else {
            return false;
        };
        let at = which.map_or(0, |which| which.index(browser.ready.len()));
        let id = browser.ready.remove(at).expect("it is there");
        let message = browser.memory[&id].clone();
        self.rig.say(client, &message);
        true
    }

    /// What holds at any time.
    fn check(&mut self) {
        let now = self.rig.now;
        for asked in self.asked.iter_mut().filter(|asked| !asked.hung_up) {
            for client in std::iter::once(&mut asked.client).chain(&mut asked.joined) {
                assert!(now < asked.deadline || !client.waits(), "{} is late", client.id);
                if let Some(reply) = client.poll().filter(|reply| reply["ok"] == true) {
                    let mut executed =
                        self.browsers.iter().filter_map(|browser| browser.memory.get(&client.id));
                    let first = executed.next().expect("it was carried out");
                    assert!(executed.next().is_none(), "and in one browser");
                    let number = &reply["data"]["number"];
                    assert!(number.is_null() || *number == first["data"]["number"]);
                }
            }
        }
        self.rig.state.with(|inner| {
            assert!(inner.pending.iter().count() <= 100 && inner.heads.is_empty());
            let mut in_flight = HashSet::new();
            for command in inner.pending.iter() {
                if let (Phase::Sent { .. }, Some(tab)) = (command.phase, command.tab) {
                    assert!(in_flight.insert((command.session, tab)), "one in flight per tab");
                }
            }
        });
        for browser in &self.browsers {
            for order in browser.carried_out.values() {
                assert!(order.is_sorted(), "the order of a tab: {order:?}");
            }
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Ask { browser, tab, action, timeout_ms } => {
                self.ask(browser, tab, action, timeout_ms);
            }
            Step::Join(which) => self.join(which),
            Step::HangUp(which) if !self.asked.is_empty() => {
                let at = which.index(self.asked.len());
                let asked = &mut self.asked[at];
                asked.hung_up = true;
                asked.client.hang_up();
                asked.joined.iter_mut().for_each(Client::hang_up);
                self.rig.pass(0);
            }
            Step::HangUp(_) => {}
            Step::Connect { browser, hello } => self.connect(browser, hello),
            Step::Disconnect(browser) => self.disconnect(browser),
            Step::Work(browser) => drop(self.work(browser)),
            Step::Answer { browser, which } => drop(self.answer(browser, which)),
            Step::Pass(ms) => self.rig.pass(ms),
        }
    }

    /// The commands that anonymous connections left are done, in no time.
    fn recover_plain(&mut self) {
        self.connect(0, false);
        self.rig
            .say(self.browsers[0].client.expect("connected"), &json!({"type": "ping", "ts": 1}));
        self.settle();
    }

    /// All browsers come back and do what they are asked, in no time.
    fn recover(&mut self) {
        for number in 0..BROWSERS {
            self.work(number);
            self.connect(number, true);
        }
        self.settle();
    }

    fn settle(&mut self) {
        while (0..BROWSERS).any(|number| self.work(number) | self.answer(number, None)) {}
    }
}

/// What the browser does, and its answer.
fn carry_out(browser: &mut Browser, message: &Value, id: &str) -> Value {
    let ok = |data: Value| json!({"protocol_version": 1, "id": id, "ok": true, "data": data, "page": page(), "replay": false});
    if message["action"] == "tab.open" {
        browser.last_tab += 1;
        browser.open.insert(browser.last_tab);
        return ok(json!({"tabId": browser.last_tab}));
    }
    let tab = message["target"]["tabId"].as_i64().expect("a tab");
    if !browser.open.contains(&tab) {
        let error = json!({"code": "TAB_NOT_FOUND", "message": "no tab"});
        return json!({"protocol_version": 1, "id": id, "ok": false, "error": error});
    }
    // The daemon's own closes have ids of their own kind and no place in the order.
    if let Ok(number) = id.parse::<u32>() {
        browser.carried_out.entry(tab).or_default().push(number);
    }
    if message["action"] == "tab.close" {
        browser.open.remove(&tab);
    }
    ok(json!({"number": id}))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_command_ends_once_and_none_is_lost(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
            world.check();
        }
        world.recover_plain();
        world.recover();
        world.check();
        let now = world.rig.now;
        for asked in world.asked.iter_mut().filter(|asked| !asked.hung_up && asked.deadline > now) {
            prop_assert!(!asked.client.waits(), "{} was lost", asked.client.id);
        }
        world.rig.pass(3000);
        world.check();
        world.rig.assert_clean();
    }

    #[test]
    fn browsers_that_always_say_hello_keep_no_tab_that_nobody_owns(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            match step {
                Step::Connect { hello: false, .. } => continue,
                // A close that was not read when its connection ended is not sent again.
                Step::Connect { browser, .. } | Step::Disconnect(browser) => drop(world.work(*browser)),
                _ => {}
            }
            world.take(step);
        }
        world.rig.pass(3000);
        world.recover();
        let owned: HashSet<_> = world.rig.state.with(|inner| {
            let tabs = inner.sessions.iter().flat_map(|(_, session)| &session.tabs);
            tabs.map(|tab| tab.chrome_id).collect()
        });
        for browser in &world.browsers {
            prop_assert!(browser.open.is_subset(&owned), "{:?} of {:?}", browser.open, owned);
        }
    }
}
