//! Many agents and several browsers while everything that can fail does: no command is lost or carried out twice, each tab's
//! commands keep their order, and the daemon does not grow.
//!
//! `make test` runs a short one. `make soak` runs 200,000 commands and prints a report. `SOAK_COMMANDS` sets the number,
//! `SOAK_SEED` the random seed.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::rc::Rc;
use std::time::Instant;

use rand::rngs::SmallRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::{RwLock, watch};
use tokio::task::{JoinHandle, LocalSet, spawn_local};

use crate::support::{
    Client, Command, Connection, Daemon, FakeExtension, Pairing, Request, frame, page, patiently,
    request, wait_for,
};

const AGENTS: usize = 16;
const BROWSERS: usize = 3;

/// How many commands a short soak sends, and which part of all is sent before the daemon is measured.
const SHORT: u64 = 4000;
const WARM_UP: u64 = 4;

/// How often the daemon is killed, all in all, and how many commands pass in between.
const KILLS: u64 = 5;
const BETWEEN_KILLS: u64 = 200;
/// After so many looks without a change, what is open stays open.
const SETTLED: u32 = 300;

/// One in so many.
#[derive(Clone, Copy)]
struct Odds(u32);

/// The fault that hits a browser at a command.
const DIES: Odds = Odds(300);
/// What an agent does to a command instead of sending it and waiting.
const MISHAP: Odds = Odds(8);

impl Odds {
    fn hit(self, dice: &mut impl Rng) -> bool {
        dice.random_ratio(1, self.0)
    }
}

/// The state shared by agents and browsers.
struct World {
    /// Taken for reading while a connection is made, and for writing while the daemon is replaced.
    client: RwLock<Client>,
    pairing: Pairing,
    seed: u64,
    commands: Cell<u64>,
    target: Cell<u64>,
    tally: RefCell<BTreeMap<String, u64>>,
    /// How many browsers are connected.
    connected: watch::Sender<usize>,
    journals: Vec<RefCell<Journal>>,
}

/// A browser's memory, which outlives its connections.
#[derive(Default)]
struct Journal {
    /// Its answers, by the command's id.
    answers: HashMap<String, Value>,
    /// The last command that was carried out in each tab: the agent and its number.
    last: HashMap<i64, (usize, u64)>,
    tabs: i64,
}

impl World {
    fn dice(&self, number: usize) -> SmallRng {
        SmallRng::seed_from_u64(self.seed.wrapping_add(number as u64))
    }

    fn count(&self, what: impl Into<String>) {
        *self.tally.borrow_mut().entry(what.into()).or_default() += 1;
    }

    async fn connect(&self) -> (Client, Connection) {
        let client = self.client.read().await;
        (client.clone(), client.connect().await)
    }
}

// --- browsers ---

/// A browser that comes back whenever its connection breaks, and does nothing twice.
async fn browse(world: Rc<World>, number: usize) {
    let mut dice = world.dice(1000 + number);
    loop {
        let client = world.client.read().await;
        let mut extension =
            FakeExtension::connect(client.port, &world.pairing).await.expect("an upgrade");
        drop(client);
        // On a busy machine it comes late; one of revision 1 counts then too.
        extension.hello_of_revision_1(&format!("browser-{number}")).await;
        world.connected.send_modify(|count| *count += 1);
        while let Some(command) = extension.receive_or_end().await {
            if DIES.hit(&mut dice) {
                world.count("a browser's connection cut before it acted");
                break;
            }
            let text = world.journals[number].borrow_mut().carry_out(number, &command).to_string();
            if DIES.hit(&mut dice) {
                let frame = frame(text.as_bytes());
                let cut = dice.random_range(0..frame.len());
                extension.send_raw(&frame[..cut]).await;
                world.count("a browser's connection cut within its answer");
                break;
            }
            // A daemon that was just killed is noticed by what comes next.
            extension.try_send(text).await;
        }
        world.connected.send_modify(|count| *count -= 1);
    }
}

impl Journal {
    fn carry_out(&mut self, number: usize, command: &Command) -> Value {
        let id = command.id();
        if let Some(answer) = self.answers.get(id) {
            let mut answer = answer.clone();
            answer["replay"] = true.into();
            return answer;
        }
        let mut data = json!({"text": id});
        match command.tab_id() {
            // The daemon's own: an orphaned tab, or the end of a session.
            Some(_) if command.action() == "tab.close" => {}
            Some(tab) => {
                let this = parse(id);
                let last = self.last.insert(tab, this);
                // An agent that gets a new session after the daemon ended gets a new tab as well.
                let is_later = last.is_none_or(|last| last.0 == this.0 && last.1 < this.1);
                assert!(is_later, "tab {tab}: {this:?} after {last:?}");
            }
            None => {
                self.tabs += 1;
                // Browsers may give the same numbers to their tabs.
                data = json!({"tabId": self.tabs, "url": format!("https://example.com/{number}")});
            }
        }
        let answer = json!({"protocol_version": 1, "id": id, "ok": true, "data": data,
            "page": page("https://example.com/"), "replay": false});
        self.answers.insert(id.to_owned(), answer.clone());
        answer
    }
}

/// `agent-number` of an id.
fn parse(id: &str) -> (usize, u64) {
    let (agent, number) = id.split_once('-').expect("an id of this test");
    (agent.parse().expect("an agent"), number.parse().expect("a number"))
}

// --- agents ---

/// What an agent does to one of its commands.
#[derive(Clone, Copy)]
enum Mishap {
    /// Sends it on two connections at once.
    Twice,
    /// Loses the connection while it sends, and sends it again.
    Cut,
    /// Hangs up before the answer, and asks again.
    Insists,
    /// Hangs up before the answer, and goes on to the next.
    GivesUp,
}

/// Sends commands one after the other in a session of its own, until all have been sent.
async fn act(world: Rc<World>, number: usize, first: u64) {
    let mut dice = world.dice(number);
    let mut session: Option<String> = None;
    for command in first.. {
        if world.commands.get() >= world.target.get() {
            return;
        }
        world.commands.set(world.commands.get() + 1);
        let id = format!("{number}-{command}");
        let request = match &session {
            Some(session) => {
                let action = ["text", "click", "links"][dice.random_range(0..3)];
                let params = match action {
                    "click" => json!({"target": {"selector": "#go"}}),
                    _ => json!({}),
                };
                request(action).named(&id).session(session).params(params)
            }
            None => request("tab.open").named(&id).params(json!({"url": "https://example.com/"})),
        };
        let mishap = MISHAP.hit(&mut dice).then(|| {
            [Mishap::Twice, Mishap::Cut, Mishap::Insists, Mishap::GivesUp][dice.random_range(0..4)]
        });
        let Some(reply) = command_through(&world, &request, mishap, &mut dice).await else {
            continue;
        };
        if reply["ok"] == true {
            if session.is_none() {
                let opened = reply["data"]["session"].as_str().expect("a session").to_owned();
                let fast = crate::support::request("session.bind").session(&opened);
                let fast = fast.params(json!({"pacing": "fast"}));
                // The daemon may have been killed since; then the session is gone, which the next command tells.
                send(&world, &fast).await;
                session = Some(opened);
            } else if let Some(text) = reply["data"]["text"].as_str() {
                assert_eq!(text, id, "the answer of another command");
            }
            world.count(if reply["replay"] == true { "answered again" } else { "answered" });
        } else {
            let code = reply["error"]["code"].as_str().expect("a code").to_owned();
            match &*code {
                // The daemon was replaced; and no tab is closed here.
                "SESSION_NOT_FOUND" => session = None,
                // Its browser is away for a moment.
                "NO_EXTENSION" => {
                    let mut connected = world.connected.subscribe();
                    let all = connected.wait_for(|count| *count == BROWSERS);
                    patiently("all browsers", all).await.expect("a world");
                }
                _ => panic!("{reply}"),
            }
            world.count(format!("refused: {code}"));
        }
    }
}

/// Gets a command through, whatever happens to it on the way; none if the agent has given it up.
async fn command_through(
    world: &World,
    request: &Request,
    mishap: Option<Mishap>,
    dice: &mut SmallRng,
) -> Option<Value> {
    match mishap {
        None => {}
        Some(Mishap::Twice) => {
            world.count("sent twice at once");
            let (one, other) = tokio::join!(send(world, request), send(world, request));
            if let (Some(one), Some(other)) = (one, other) {
                // The first may have been answered before the second came, which then finds the browser away.
                let is_refused = |reply: &Value| reply["error"]["code"] == "NO_EXTENSION";
                let agree = one["ok"] == other["ok"] || is_refused(&one) || is_refused(&other);
                assert!(agree, "{one} {other}");
                let mut reply = if is_refused(&one) { other } else { one };
                reply["replay"] = false.into();
                return Some(reply);
            }
        }
        Some(Mishap::Cut) => {
            world.count("cut while it was sent");
            let (client, mut connection) = world.connect().await;
            let bytes = client.post_bytes(&request.bytes());
            connection.write(&bytes[..dice.random_range(0..bytes.len())]).await;
        }
        Some(Mishap::Insists | Mishap::GivesUp) => {
            let (client, mut connection) = world.connect().await;
            client.post_on(&mut connection, &request.bytes()).await;
            for _ in 0..dice.random_range(0..4) {
                tokio::task::yield_now().await;
            }
            drop(connection);
            if matches!(mishap, Some(Mishap::GivesUp)) {
                world.count("given up");
                return None;
            }
            world.count("hung up and asked again");
        }
    }
    loop {
        // Only a daemon that is killed leaves a command without an answer.
        if let Some(reply) = send(world, request).await {
            return Some(reply);
        }
        world.count("lost with a killed daemon and asked again");
    }
}

/// Sends a command and waits for its answer; none if the daemon ends first.
async fn send(world: &World, request: &Request) -> Option<Value> {
    let (client, mut connection) = world.connect().await;
    client.post_on(&mut connection, &request.bytes()).await;
    let response = connection.response_or_end().await?;
    Some(response.json())
}

// --- the soak ---

struct Soak {
    world: Rc<World>,
    /// Away only while it is replaced.
    daemon: Option<Daemon>,
    first: u64,
}

impl Soak {
    /// Lets the agents send so many more commands; kills the daemon half way, if it is to be `killed`.
    async fn run(&mut self, commands: u64, killed: bool) {
        let world = self.world.clone();
        let before = world.commands.get();
        world.target.set(before + commands);
        // Ids are never used again.
        let first = self.first;
        self.first += commands;
        let agents: Vec<JoinHandle<()>> =
            (0..AGENTS).map(|number| spawn_local(act(world.clone(), number, first))).collect();
        if killed {
            let half = || (world.commands.get() >= before + commands / 2).then_some(());
            wait_for("half of the commands", half).await;
            self.replace().await;
        }
        for agent in agents {
            agent.await.expect("an agent that ends well");
        }
        self.close_sessions().await;
    }

    /// So that the daemon is measured with nothing to do.
    async fn close_sessions(&self) {
        let client = self.world.client.read().await.clone();
        let sessions = client.send(request("session.list")).await.data();
        for session in sessions["sessions"].as_array().expect("sessions") {
            let session = session["id"].as_str().expect("an id");
            client.send(request("session.close").session(session)).await.data();
        }
    }

    /// Kills the daemon while commands are on their way, and starts the next one.
    async fn replace(&mut self) {
        let mut client = self.world.client.write().await;
        let daemon = self.daemon.take().expect("a running daemon");
        let daemon = daemon.kill().await.home.daemon().start().await;
        *client = daemon.client();
        self.daemon = Some(daemon);
    }

    fn proc(&self, file: &str) -> String {
        let daemon = self.daemon.as_ref().expect("a running daemon");
        format!("/proc/{}/{file}", daemon.pid().as_raw_nonzero())
    }

    /// Resident memory in KiB.
    fn memory(&self) -> f64 {
        let status = fs::read_to_string(self.proc("status")).expect("a running daemon");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Descriptors that are open once all connections but the browsers' have ended, and a file that is being written is
    /// closed: the fewest that are seen until there are no more than `most`, or none have come or gone for a while.
    async fn descriptors(&self, most: usize) -> usize {
        let count = || fs::read_dir(self.proc("fd")).expect("a running daemon").count();
        let (mut least, mut unchanged) = (usize::MAX, 0);
        wait_for("connections to end", || {
            let now = count();
            unchanged = if now < least { 0 } else { unchanged + 1 };
            least = least.min(now);
            (least <= most || unchanged == SETTLED).then_some(())
        })
        .await;
        least
    }
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}: set it to a number")))
}

#[tokio::test]
async fn nothing_is_lost_or_done_twice_and_the_daemon_does_not_grow() {
    let commands = variable("SOAK_COMMANDS").unwrap_or(SHORT);
    let seed = variable("SOAK_SEED").unwrap_or_else(rand::random);
    println!("SOAK_SEED={seed}");
    LocalSet::new().run_until(soak(commands, seed)).await;
}

async fn soak(commands: u64, seed: u64) {
    let daemon = Daemon::start().await;
    let world = Rc::new(World {
        client: RwLock::new(daemon.client()),
        pairing: daemon.pairing().await,
        seed,
        commands: Cell::default(),
        target: Cell::default(),
        tally: RefCell::default(),
        connected: watch::Sender::default(),
        journals: (0..BROWSERS).map(|_| RefCell::default()).collect(),
    });
    let browsers: Vec<_> =
        (0..BROWSERS).map(|number| spawn_local(browse(world.clone(), number))).collect();
    let mut soak = Soak { world: world.clone(), daemon: Some(daemon), first: 0 };

    soak.run(commands / WARM_UP, false).await;
    let (memory, descriptors) = (soak.memory(), soak.descriptors(0).await);
    let begin = Instant::now();
    let rest = commands - commands / WARM_UP;
    soak.run(rest, false).await;
    let per_second = rest as f64 / begin.elapsed().as_secs_f64();
    let (memory_after, descriptors_after) = (soak.memory(), soak.descriptors(descriptors).await);
    println!("{per_second:.0} commands a second");
    println!("memory: {memory} KiB, {memory_after} KiB at the end");
    println!("descriptors: {descriptors}, {descriptors_after} at the end");

    for _ in 0..KILLS {
        soak.run(BETWEEN_KILLS, true).await;
    }

    for (what, count) in &*world.tally.borrow() {
        println!("{count:>8} {what}");
    }
    for browser in browsers {
        assert!(!browser.is_finished(), "a browser found a fault");
        browser.abort();
    }
    assert!(memory_after < 1.05 * memory, "from {memory} KiB to {memory_after} KiB");
    assert!(descriptors_after <= descriptors, "from {descriptors} to {descriptors_after}");
    let carried_out: usize =
        world.journals.iter().map(|journal| journal.borrow().answers.len()).sum();
    println!("{carried_out:>8} carried out, of {} commands", world.commands.get());
    soak.daemon.expect("a running daemon").stop().await;
}
