//! Invariants under random faults, through the real daemon, against a model: exactly once, each tab in order, and a handle
//! never hits another page than the one it was read from.

use std::collections::{HashMap, VecDeque};

use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use serde_json::{Value, json};

use crate::support::{Command, Daemon, FakeExtension, PendingReply, Request, Tab};

/// Runs one case to its end on a runtime of its own.
fn run(case: impl Future<Output = TestCaseResult>) -> TestCaseResult {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(case)
}

fn config(cases: u32) -> ProptestConfig {
    // A case starts a process: few of them, and no file of past failures in the repository.
    ProptestConfig {
        cases,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

// --- exactly once ---

/// The fault that hits the extension at one command.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answers,
    DiesBeforeExecuting,
    DiesBeforeAnswering,
    DiesAfterAnswering,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Answers),
        1 => Just(Fate::DiesBeforeExecuting),
        1 => Just(Fate::DiesBeforeAnswering),
        1 => Just(Fate::DiesAfterAnswering),
    ]
}

/// A browser whose connection breaks now and then. It keeps what it has done, and does nothing twice.
struct Browser {
    /// Answers by id: what a restarted service worker finds in its storage.
    done: HashMap<String, Value>,
    /// How often each id was executed.
    executions: HashMap<String, usize>,
}

impl Browser {
    async fn live(&mut self, daemon: &Daemon, mut ext: FakeExtension, fates: &[Fate]) {
        let mut fates = fates.iter().copied();
        loop {
            let command = ext.receive().await;
            let fate = fates.next().unwrap_or(Fate::Answers);
            if !matches!(fate, Fate::DiesBeforeExecuting) {
                let id = command.id().to_owned();
                let data = self.done.entry(id.clone()).or_insert_with(|| {
                    *self.executions.entry(id.clone()).or_default() += 1;
                    json!({"text": id})
                });
                if !matches!(fate, Fate::DiesBeforeAnswering) {
                    let data = data.clone();
                    ext.answer(&command, data).await;
                }
            }
            if !matches!(fate, Fate::Answers) {
                drop(ext);
                ext = daemon.extension_named("browser").await;
            }
        }
    }
}

/// A client that retries a command under the same id while the browser is away.
async fn insist(daemon: &Daemon, tab: &Tab, id: &str) -> Value {
    loop {
        let reply = daemon.send(tab.request("text").named(id)).await;
        if reply.json()["error"]["code"] != "NO_EXTENSION" {
            return reply.data();
        }
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn a_command_is_carried_out_exactly_once_whatever_breaks(
        // For each command: its tab, and how many callers send it.
        commands in prop::collection::vec((0usize..3, 1usize..4), 1..20),
        fates in prop::collection::vec(fate(), 0..40),
    ) {
        run(async {
            let daemon = Daemon::start().await;
            let mut ext = daemon.extension_named("browser").await;
            let mut tabs = Vec::new();
            for _ in 0..3 {
                tabs.push(ext.open_tab(&daemon).await);
            }
            let mut browser = Browser { done: HashMap::new(), executions: HashMap::new() };
            let ids: Vec<_> = (0..commands.len()).map(|index| format!("once-{index}")).collect();
            let callers = commands.iter().zip(&ids).flat_map(|((tab, callers), id)| {
                (0..*callers).map(|_| insist(&daemon, &tabs[*tab], id)).collect::<Vec<_>>()
            });
            let answers = tokio::select! {
                () = browser.live(&daemon, ext, &fates) => unreachable!("a browser lives on"),
                answers = join_all(callers) => answers,
            };
            let expected = commands.iter().zip(&ids).flat_map(|((_, callers), id)| vec![json!({"text": id}); *callers]);
            prop_assert_eq!(answers, expected.collect::<Vec<_>>());
            for id in &ids {
                prop_assert_eq!(browser.executions.get(id), Some(&1), "{}", id);
            }
            prop_assert_eq!(browser.executions.len(), ids.len());
            Ok(())
        })?;
    }
}

// --- cuts at every byte ---

/// A browser with one tab, on the way to which something is cut.
struct Cut {
    daemon: Daemon,
    ext: FakeExtension,
    tab: Tab,
}

impl Cut {
    async fn new() -> Self {
        let daemon = Daemon::start().await;
        let mut ext = daemon.extension_named("browser").await;
        let tab = ext.open_tab(&daemon).await;
        Self { daemon, ext, tab }
    }

    /// All requests of a test are of one length, and so is what follows from them.
    fn request(&self, number: usize) -> Request {
        self.tab.request("text").named(&format!("cut-{number:04}"))
    }

    /// The connection breaks, and the browser comes back.
    async fn comes_back(&mut self) {
        self.ext = self.daemon.extension_named("browser").await;
    }

    /// Has `command` answered, which has come once more, as it came before.
    async fn finishes(&mut self, command: &Command, on_its_way: PendingReply) {
        assert_eq!(&self.ext.receive().await, command);
        self.ext.answer(command, json!({"text": command.id()})).await;
        assert_eq!(on_its_way.reply().await.data()["text"], command.id());
        self.ext.has_nothing().await;
    }
}

#[tokio::test]
async fn a_request_that_is_cut_at_any_byte_is_not_carried_out_and_may_be_sent_again() {
    let mut cut = Cut::new().await;
    let length = cut.daemon.post_bytes(&cut.request(0).bytes()).len();
    for at in 0..length {
        let request = cut.request(at);
        let mut connection = cut.daemon.connect().await;
        connection.write(&cut.daemon.post_bytes(&request.bytes())[..at]).await;
        drop(connection);
        // The first that comes of either is the whole one.
        cut.ext.exchange(&cut.daemon, request, json!({"text": ""})).await.1.data();
    }
    cut.ext.has_nothing().await;
}

#[tokio::test]
async fn a_reply_that_is_cut_at_any_byte_can_be_asked_for_again() {
    let mut cut = Cut::new().await;
    for at in 0.. {
        let request = cut.request(at);
        let mut connection = cut.daemon.connect().await;
        cut.daemon.post_on(&mut connection, &request.bytes()).await;
        let command = cut.ext.receive().await;
        cut.ext.answer(&command, json!({"text": command.id()})).await;
        let read = connection.read_and_hang_up(at).await;
        let on_its_way = cut.daemon.begin(request);
        cut.finishes(&command, on_its_way).await;
        let body = read.windows(4).position(|end| end == b"\r\n\r\n").map(|end| &read[end + 4..]);
        if body.is_some_and(|body| serde_json::from_slice::<Value>(body).is_ok()) {
            return;
        }
    }
}

#[tokio::test]
async fn a_command_that_is_cut_at_any_byte_on_its_way_to_the_browser_comes_again() {
    let mut cut = Cut::new().await;
    let probe = cut.request(0);
    let (command, _) = cut.ext.exchange(&cut.daemon, probe, json!({"text": ""})).await;
    for at in 0..command.raw.len() {
        let on_its_way = cut.daemon.begin(cut.request(at));
        cut.ext.receive_raw(at).await;
        cut.comes_back().await;
        let id = format!("cut-{at:04}");
        let again = cut.ext.receive().await;
        assert_eq!(again.id(), id);
        cut.ext.answer(&again, json!({"text": id})).await;
        assert_eq!(on_its_way.reply().await.data()["text"], *id);
        cut.ext.has_nothing().await;
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_at_any_byte_is_none_and_its_command_comes_again() {
    let mut cut = Cut::new().await;
    for at in 0.. {
        let on_its_way = cut.daemon.begin(cut.request(at));
        let command = cut.ext.receive().await;
        let answer = cut.ext.success(&command, json!({"text": command.id()})).to_string();
        let frame = crate::support::frame(answer.as_bytes());
        if at == frame.len() {
            return;
        }
        cut.ext.send_raw(&frame[..at]).await;
        cut.comes_back().await;
        cut.finishes(&command, on_its_way).await;
    }
}

// --- first in, first out ---

#[derive(Debug, Clone, Copy)]
enum Turn {
    /// A command for a tab is admitted.
    Admit(usize),
    /// The extension answers what it is doing in a tab: well, or with an error.
    Answer(usize, bool),
    /// The client of one of a tab's waiting commands hangs up.
    HangUp(usize, prop::sample::Index),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        4 => (0usize..2).prop_map(Turn::Admit),
        3 => (0usize..2, any::<bool>()).prop_map(|(tab, is_ok)| Turn::Answer(tab, is_ok)),
        1 => (0usize..2, any::<prop::sample::Index>()).prop_map(|(tab, which)| Turn::HangUp(tab, which)),
    ]
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn a_tabs_commands_go_in_order_and_one_at_a_time(turns in prop::collection::vec(turn(), 1..40)) {
        run(async {
            let (daemon, mut ext, first) = Daemon::with_tab().await;
            let tabs = [first.clone(), ext.open_tab_in(&daemon, &first.session).await];
            // What the extension is doing in each tab, and what waits there.
            let mut busy: [Option<(Command, PendingReply)>; 2] = [None, None];
            let mut waiting: [VecDeque<PendingReply>; 2] = [VecDeque::new(), VecDeque::new()];
            for turn in turns {
                match turn {
                    Turn::Admit(tab) => {
                        let pin = first.request("tab.pin").params(json!({"tab": tabs[tab].tab}));
                        waiting[tab].push_back(daemon.begin(pin));
                    }
                    Turn::Answer(tab, is_ok) => {
                        if let Some((command, on_its_way)) = busy[tab].take() {
                            if is_ok {
                                ext.answer(&command, json!({})).await;
                                on_its_way.reply().await.data();
                            } else {
                                ext.fail(&command, "SCRIPT_ERROR", "oops").await;
                                on_its_way.reply().await.error("SCRIPT_ERROR");
                            }
                        }
                    }
                    Turn::HangUp(tab, which) if !waiting[tab].is_empty() => {
                        let which = which.index(waiting[tab].len());
                        waiting[tab].remove(which).expect("one of those that wait").hang_up();
                    }
                    Turn::HangUp(_, _) => {}
                }
                daemon.settled().await;
                for tab in 0..2 {
                    if busy[tab].is_none() && let Some(next) = waiting[tab].pop_front() {
                        let command = ext.receive().await;
                        prop_assert_eq!(command.id(), &next.id);
                        prop_assert_eq!(command.tab_id(), Some(tabs[tab].id));
                        busy[tab] = Some((command, next));
                    }
                }
                ext.has_nothing().await;
            }
            Ok(())
        })?;
    }
}

// --- handles ---

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Reads so many elements of a tab.
    Read(usize, usize),
    Navigate(usize),
    /// Clicks, in a tab, one of all handles that ever were.
    Click(usize, prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0usize..2, 0usize..4).prop_map(|(tab, count)| Step::Read(tab, count)),
        1 => (0usize..2).prop_map(Step::Navigate),
        3 => (0usize..2, any::<prop::sample::Index>()).prop_map(|(tab, handle)| Step::Click(tab, handle)),
    ]
}

/// What the model knows of a handle.
struct Minted {
    tab: usize,
    epoch: usize,
    selector: String,
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn a_handle_hits_the_element_that_was_read_or_nothing(steps in prop::collection::vec(step(), 1..40)) {
        run(async {
            let (daemon, mut ext, first) = Daemon::with_tab().await;
            let tabs = [first.clone(), ext.open_tab_in(&daemon, &first.session).await];
            let mut epochs = [0, 0];
            let mut minted: Vec<Minted> = Vec::new();
            for step in steps {
                let (Step::Read(tab, _) | Step::Navigate(tab) | Step::Click(tab, _)) = step;
                let bind = first.request("session.bind").params(json!({"tab": tabs[tab].tab}));
                daemon.send(bind).await.data();
                match step {
                    Step::Read(_, count) => {
                        let selector = |n: usize| format!("#e{}", minted.len() + n);
                        let entries: Vec<_> = (0..count).map(|n| json!({"selector": selector(n), "tag": "a"})).collect();
                        let read = first.request("elements");
                        let (_, reply) = ext.exchange(&daemon, read, json!({"elements": entries})).await;
                        for entry in reply.data()["elements"].as_array().expect("a list") {
                            let selector = entry["selector"].as_str().expect("a selector").to_owned();
                            minted.push(Minted { tab, epoch: epochs[tab], selector });
                            prop_assert_eq!(&entry["handle"], &json!(format!("el{}", minted.len())));
                        }
                    }
                    Step::Navigate(_) => {
                        epochs[tab] += 1;
                        ext.navigated(tabs[tab].id, &format!("https://example.org/{}", epochs[tab])).await;
                    }
                    Step::Click(_, _) if minted.is_empty() => {}
                    Step::Click(_, index) => {
                        let index = index.index(minted.len());
                        let handle = &minted[index];
                        let click = first.request("click");
                        let click = click.params(json!({"target": {"handle": format!("el{}", index + 1)}}));
                        let refusals: &[&str] = if handle.tab != tab && handle.epoch != epochs[handle.tab] {
                            // Both are true; the protocol ranks them nowhere.
                            &["ELEMENT_HANDLE_SCOPE_MISMATCH", "ELEMENT_HANDLE_STALE"]
                        } else if handle.tab != tab {
                            &["ELEMENT_HANDLE_SCOPE_MISMATCH"]
                        } else if handle.epoch != epochs[tab] {
                            &["ELEMENT_HANDLE_STALE"]
                        } else {
                            &[]
                        };
                        if refusals.is_empty() {
                            let (command, reply) = ext.exchange(&daemon, click, json!({"clicked": true})).await;
                            reply.data();
                            prop_assert_eq!(command.tab_id(), Some(tabs[tab].id));
                            prop_assert_eq!(&command.params()["target"], &json!({"selector": handle.selector}));
                        } else {
                            let body = daemon.send(click).await.json();
                            let code = body["error"]["code"].as_str().unwrap_or_default();
                            prop_assert!(refusals.contains(&code), "{} instead of {:?}", body, refusals);
                        }
                    }
                }
            }
            ext.has_nothing().await;
            Ok(())
        })?;
    }
}
