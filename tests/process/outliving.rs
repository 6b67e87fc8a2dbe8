//! Daemons that are killed at any moment: no session is lost, no command is carried out twice, and every client learns what
//! came of its command.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::sync::RwLock;
use tokio::task::{LocalSet, spawn_local};

use crate::support::{
    Client, Command, Daemon, FakeExtension, Pairing, Request, page, request, run, wait_for,
};

const AGENTS: usize = 8;

/// How many daemons are killed. `OUTLIVING_KILLS` sets another number.
const KILLS: u64 = 200;

/// A browser of revision 1 that keeps a journal, as the extension does.
#[derive(Default)]
struct Browser {
    /// Its answers, by session and id.
    journal: RefCell<HashMap<(String, String), Value>>,
    /// How often each command was carried out, by its id.
    done: RefCell<BTreeMap<String, u32>>,
    /// The tabs that it holds, and their sessions.
    held: RefCell<BTreeMap<i64, String>>,
    /// The last tab that it had when it was last started anew.
    gone: Cell<i64>,
    tabs: Cell<i64>,
    connections: Cell<u64>,
    /// Whether it is to be started anew: it has no tabs then, and still its journal.
    restarts: Cell<bool>,
}

impl Browser {
    /// Connects to each daemon, one after the other.
    async fn run(self: Rc<Self>, client: Rc<RwLock<Client>>, pairing: Pairing) {
        loop {
            let daemon = client.read().await;
            let mut extension =
                FakeExtension::connect(daemon.port, &pairing).await.expect("an upgrade");
            drop(daemon);
            let held: Vec<_> =
                self.held.borrow().iter().map(|(tab, session)| (*tab, session.clone())).collect();
            let listed: Vec<_> = held.iter().map(|(tab, session)| (*tab, &**session)).collect();
            extension.hello_holding("browser", &listed).await;
            self.connections.set(self.connections.get() + 1);
            while let Some(command) = extension.receive_or_end().await {
                let answer = self.carry_out(&command);
                extension.try_send(answer.to_string()).await;
                if self.restarts.replace(false) {
                    self.held.borrow_mut().clear();
                    self.gone.set(self.tabs.get());
                    break;
                }
            }
        }
    }

    fn carry_out(&self, command: &Command) -> Value {
        let session = command.json["session"].as_str().expect("a session").to_owned();
        let key = (session.clone(), command.id().to_owned());
        let recall = command.target()["recall"] == true;
        if let Some(known) = self.journal.borrow().get(&key) {
            let mut answer = known.clone();
            answer["replay"] = json!(true);
            if let Some(tab) = answer["data"]["tabId"].as_i64() {
                self.held.borrow_mut().insert(tab, session);
            }
            return answer;
        }
        if recall {
            let error = json!({"code": "OUTCOME_UNKNOWN", "message": "not begun", "details": {"started": false}});
            return json!({"protocol_version": 1, "id": command.id(), "ok": false, "error": error});
        }
        let mut data = json!({"clicked": true, "disappeared": false, "stable": true});
        match (command.action(), command.tab_id()) {
            ("tab.open", None) => {
                let tab = self.tabs.get() + 1;
                self.tabs.set(tab);
                self.held.borrow_mut().insert(tab, session);
                data = json!({"tabId": tab, "url": "https://example.com/"});
            }
            // The daemon's own: the open of a client that has gone.
            ("tab.close", Some(tab)) => _ = self.held.borrow_mut().remove(&tab),
            (_, Some(tab)) if tab <= self.gone.get() => {
                let error = json!({"code": "TAB_NOT_FOUND", "message": "gone with the browser"});
                return json!({"protocol_version": 1, "id": command.id(), "ok": false, "error": error});
            }
            (_, Some(tab)) => {
                assert_eq!(self.held.borrow().get(&tab), Some(&session), "{command:?}");
            }
            other => panic!("{other:?}"),
        }
        *self.done.borrow_mut().entry(command.id().to_owned()).or_default() += 1;
        let answer = json!({"protocol_version": 1, "id": command.id(), "ok": true, "data": data,
            "page": page("https://example.com/"), "replay": false});
        self.journal.borrow_mut().insert(key, answer.clone());
        answer
    }
}

/// Sends a request; none if the daemon ends before it answers.
async fn send(client: &RwLock<Client>, request: &Request) -> Option<Value> {
    let client = client.read().await;
    let mut connection = client.connect().await;
    let bytes = client.post_bytes(&request.bytes());
    drop(client);
    connection.write(bytes).await;
    let answer = connection.response_or_end().await?;
    Some(answer.json())
}

/// What a client learns of its command, from the daemon that it sent it to or from a later one, which it has asked.
async fn learn(client: &RwLock<Client>, request: Request) -> (Value, bool) {
    let (mut question, mut asked) = (request, false);
    loop {
        if let Some(reply) = send(client, &question).await {
            let code = reply["error"]["code"].as_str().unwrap_or_default();
            match code {
                // Nothing was done, unless this was asked again.
                "NO_EXTENSION" => {}
                "SHUTTING_DOWN" => panic!("nobody shuts it down"),
                _ => return (reply, asked),
            }
        } else {
            (question, asked) = (question.set("again", true), true);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// What one agent knows of its commands.
#[derive(Default)]
struct Record {
    session: String,
    done: Vec<String>,
    not_done: Vec<String>,
    /// Those whose tab is gone, with the browser that could have told.
    unknown: Vec<String>,
}

async fn act(client: Rc<RwLock<Client>>, number: usize, stop: Rc<Cell<bool>>) -> Record {
    let mut record = Record::default();
    let mut next = 0;
    let mut id = || {
        next += 1;
        format!("{number}-{next}")
    };
    let mut has_tab = false;
    while !stop.get() {
        let id = id();
        let command = match has_tab {
            false => request("tab.open")
                .session(&record.session)
                .params(json!({"url": "https://example.com/"})),
            true => request("click")
                .session(&record.session)
                .params(json!({"target": {"selector": "#go"}})),
        };
        let (reply, asked) = learn(&client, command.named(&id)).await;
        if reply["ok"] == true {
            record.done.push(id);
            has_tab = true;
            if record.session.is_empty() {
                record.session = reply["data"]["session"].as_str().expect("a session").to_owned();
                loop {
                    let fast = request("session.bind").session(&record.session);
                    let fast = fast.params(json!({"pacing": "fast"}));
                    // Again is no harm here.
                    if send(&client, &fast).await.is_some_and(|reply| reply["ok"] == true) {
                        break;
                    }
                }
            }
        } else if reply["error"]["code"] == "TAB_NOT_FOUND" {
            has_tab = false;
            if asked { record.unknown.push(id) } else { record.not_done.push(id) }
        } else {
            assert_eq!(reply["error"]["code"], "OUTCOME_UNKNOWN", "{reply}");
            assert_eq!(reply["error"]["details"]["started"], false, "{reply}");
            record.not_done.push(id);
        }
    }
    record
}

#[tokio::test]
async fn two_hundred_daemons_killed_at_any_moment_lose_no_session_and_double_no_command() {
    let kills =
        std::env::var("OUTLIVING_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
    let seed: u64 = rand::random();
    println!("seed {seed}");
    LocalSet::new().run_until(kill_daemons(kills, SmallRng::seed_from_u64(seed))).await;
}

async fn kill_daemons(kills: u64, mut dice: SmallRng) {
    let mut daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let paused =
        daemon.send(request("session.create").params(json!({"label": "waits"}))).await.data();
    let client = Rc::new(RwLock::new(daemon.client()));
    let browser = Rc::new(Browser::default());
    let browsing = spawn_local(browser.clone().run(client.clone(), pairing));
    let stop = Rc::new(Cell::new(false));
    let agents: Vec<_> =
        (0..AGENTS).map(|number| spawn_local(act(client.clone(), number, stop.clone()))).collect();
    for kill in 0..kills {
        // Four times in that day the browser is started anew.
        if kill % (kills / 4).max(1) == kills / 8 {
            browser.restarts.set(true);
        }
        let (connections, done) = (browser.connections.get(), browser.done.borrow().len());
        // At any moment: before the browser is there, and after it has carried out some commands.
        let more = dice.random_range(0..6);
        if more > 0 {
            wait_for("some commands", || {
                assert!(!browsing.is_finished() && agents.iter().all(|agent| !agent.is_finished()));
                let is_there = browser.connections.get() > connections || kill == 0;
                (is_there && browser.done.borrow().len() >= done + more).then_some(())
            })
            .await;
        }
        tokio::time::sleep(Duration::from_micros(dice.random_range(0..4000))).await;
        let mut current = client.write().await;
        daemon = daemon.kill_and_restart().await;
        *current = daemon.client();
    }
    stop.set(true);
    let mut records = Vec::new();
    for agent in agents {
        records.push(agent.await.expect("an agent that ends well"));
    }
    let listed = daemon.send(request("session.list")).await.data();
    let listed = listed["sessions"].as_array().expect("sessions");
    assert!(listed.iter().any(|it| it["id"] == paused["session"] && it["label"] == "waits"));
    let carried_out = browser.done.borrow();
    assert!(carried_out.values().all(|times| *times == 1), "{carried_out:?}");
    let (mut done, mut not_done, mut unknown) = (0, 0, 0);
    for record in &records {
        let session = listed.iter().find(|it| it["id"] == record.session);
        let session = session.unwrap_or_else(|| panic!("{} is lost", record.session));
        assert_eq!(session["pacing"], "fast", "{session}");
        assert!(record.done.iter().all(|id| carried_out.contains_key(id)));
        assert!(record.not_done.iter().all(|id| !carried_out.contains_key(id)));
        (done, not_done) = (done + record.done.len(), not_done + record.not_done.len());
        unknown += record.unknown.iter().filter(|id| carried_out.contains_key(*id)).count();
    }
    println!(
        "{done} done, {not_done} not begun, {unknown} done in tabs that are gone, {} carried out",
        carried_out.len()
    );
    assert_eq!(done + unknown, carried_out.len(), "each was answered to its client");
    assert!(
        !browser.restarts.get() && browser.tabs.get() > AGENTS as i64,
        "the browser was started anew"
    );
    browsing.abort();
}

#[tokio::test]
async fn a_daemon_that_was_stopped_and_goes_on_has_lost_nothing() {
    let (daemon, mut extension, tab) = Daemon::with_numbering_tab().await;
    let text = daemon.begin(tab.request("text"));
    let command = extension.receive().await;
    let before = daemon.send(request("session.list")).await.data();
    daemon.signal(rustix::process::Signal::STOP);
    let waits = daemon.begin(request("session.list"));
    extension.answer(&command, json!({"text": "x"})).await;
    daemon.signal(rustix::process::Signal::CONT);
    assert_eq!(text.reply().await.data()["text"], "x");
    assert_eq!(waits.reply().await.data(), before);
    let daemon = daemon.kill_and_restart().await;
    assert_eq!(daemon.send(request("session.list")).await.data(), before);
}

#[tokio::test]
async fn the_command_line_asks_the_next_daemon_and_tells_the_truth() {
    for (answer, code) in [("done", 0), ("never begun", 1)] {
        let daemon = Daemon::start().await;
        let mut extension = daemon.numbering_extension("a").await;
        let tab = extension.open_tab(&daemon).await;
        let (home, session) = (daemon.home.clone(), tab.session.clone());
        let call = tokio::spawn(async move {
            run(&home, &["click", "--selector", "#go", "-s", &session]).await
        });
        let command = extension.receive().await;
        let daemon = daemon.kill_and_restart().await;
        let mut extension = daemon.holding_extension("a", &[(tab.id, &tab.session)]).await;
        let question = extension.receive().await;
        assert_eq!(question.id(), command.id());
        assert_eq!(question.target()["recall"], true);
        match code {
            0 => {
                let data = json!({"clicked": true, "disappeared": false, "stable": true});
                extension.answer(&question, data).await;
            }
            _ => extension.fail(&question, "OUTCOME_UNKNOWN", "click was not begun").await,
        }
        let call = call.await.expect("a call");
        assert_eq!(call.code, code, "{answer}: {call:?}");
        let shown = call.json();
        assert_eq!((&shown["id"], &shown["ok"]), (&json!(command.id()), &json!(code == 0)));
    }
}

#[tokio::test]
async fn where_no_daemon_follows_the_command_line_says_that_nobody_knows() {
    let daemon = Daemon::start().await;
    let mut extension = daemon.numbering_extension("a").await;
    let tab = extension.open_tab(&daemon).await;
    let (home, session) = (daemon.home.clone(), tab.session.clone());
    let call =
        tokio::spawn(
            async move { run(&home, &["click", "--selector", "#go", "-s", &session]).await },
        );
    extension.receive().await;
    let exit = daemon.kill().await;
    let call = call.await.expect("a call");
    assert!(call.trouble().contains("it may have been carried out"), "{call:?}");
    drop(exit);
}
