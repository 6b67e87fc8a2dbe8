//! Random requests, answers and messages: each gets an answer that follows the protocol, and the daemon survives.

use std::cell::RefCell;
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::{collections::BTreeMap, path::PathBuf};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::support::{Daemon, FakeExtension, Golden, Reply, Tab, page, request};

/// Names with a meaning somewhere in the protocol: invalid input that uses them gets furthest.
const NAMES: [&str; 30] = [
    "id",
    "type",
    "ok",
    "data",
    "page",
    "error",
    "code",
    "message",
    "details",
    "tabId",
    "tab",
    "url",
    "title",
    "state",
    "busy",
    "replay",
    "elements",
    "links",
    "entries",
    "target",
    "selector",
    "route",
    "hosts",
    "index",
    "handle",
    "ts",
    "cause",
    "instanceId",
    "protocolVersion",
    "session",
];

/// Texts that mean something somewhere in the protocol.
const TEXTS: [&str; 16] = [
    "",
    "t1",
    "t0",
    "el1",
    "ln1",
    "#save",
    "about:blank",
    "navigation",
    "ping",
    "hello",
    "committed",
    "HUMAN_REQUIRED",
    "TAB_NOT_FOUND",
    "direct",
    "isolated",
    "\u{0}\u{2028}\"\\🦋",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        prop_oneof![Just(0i64), Just(1), Just(-1), Just(i64::MAX), Just(i64::MIN), any::<i64>()]
            .prop_map(Value::from),
        prop_oneof![Just(1.5f64), Just(1e300), Just(-0.0)].prop_map(Value::from),
        prop::sample::select(&TEXTS[..]).prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            any_object(inner).prop_map(Value::from),
        ]
    })
}

fn any_object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let field = (prop::sample::select(&NAMES[..]).prop_map(str::to_owned), inner);
    prop::collection::vec(field, 0..6).prop_map(|fields| fields.into_iter().collect())
}

/// A value somewhere in `json` replaced by another: almost valid input gets further than random input.
fn mutated(json: &Value, place: &prop::sample::Index, by: &Value) -> Value {
    let (mut json, by) = (json.clone(), by.clone());
    let place = match &mut json {
        Value::Object(fields) if !fields.is_empty() => {
            let at = place.index(fields.len());
            fields.values_mut().nth(at)
        }
        Value::Array(entries) if !entries.is_empty() => {
            let at = place.index(entries.len());
            entries.get_mut(at)
        }
        _ => None,
    };
    match place {
        Some(place) => *place = by,
        None => return by,
    }
    json
}

/// One daemon for all cases of a test: they add up.
struct Scene {
    daemon: Daemon,
    ext: FakeExtension,
    tab: Tab,
}

impl Scene {
    async fn new() -> Self {
        let (daemon, ext, tab) = Daemon::with_tab().await;
        Self { daemon, ext, tab }
    }

    /// Sends `request` and answers whatever comes of it with `answer`, which gets the command's id.
    async fn try_out(&mut self, request: &Value, answer: impl Fn(&str) -> Value) -> Reply {
        let body = request.to_string().into_bytes();
        let sending = self.daemon.post(&body);
        tokio::pin!(sending);
        loop {
            tokio::select! {
                reply = &mut sending => return reply,
                command = self.ext.receive() => self.ext.send(answer(command.id()).to_string()).await,
            }
        }
    }

    /// Makes sure of a session with a tab and no pace: earlier cases may have paused, unbound or closed it.
    async fn has_a_tab(&mut self) {
        let bind = json!({"tab": self.tab.tab, "pacing": "fast"});
        self.ext.resume(&self.tab.session).await;
        let bound = self.daemon.send(self.tab.request("session.bind").params(bind)).await;
        if bound.json()["ok"] != true {
            // Sessions are bounded: the old one makes room.
            let close = self.tab.request("session.close").0;
            self.try_out(&close, |id| json!({"id": id, "ok": true})).await;
            self.tab = self.ext.open_tab(&self.daemon).await;
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })
}

/// Every reply is one of the protocol's own.
fn assert_is_proper(reply: &Reply, what: &Value) -> Result<(), TestCaseError> {
    let body: Value = serde_json::from_slice(&reply.0.body).map_err(|_| {
        TestCaseError::fail(format!("{what} got {} {:?}", reply.status(), reply.0.text()))
    })?;
    let code = body["error"]["code"].as_str().unwrap_or_default();
    let is_proper = match reply.status() {
        200 => {
            body["ok"] == true && body["data"].is_object() && body["page"].is_object()
                || body["ok"] == false && !code.is_empty()
        }
        400 => {
            code == "BAD_REQUEST"
                && body["error"]["message"].as_str().is_some_and(|message| !message.is_empty())
        }
        502 => code == "NO_EXTENSION",
        _ => false,
    };
    prop_assert!(is_proper, "{} got {} {}", what, reply.status(), body);
    Ok(())
}

#[test]
fn every_request_gets_a_proper_answer() {
    let runtime = runtime();
    let scene = RefCell::new(runtime.block_on(Scene::new()));
    let golden: Vec<_> = Golden::all()
        .into_iter()
        .flat_map(|golden| {
            golden.valid.into_iter().map(move |valid| (golden.action.clone(), valid.params))
        })
        .collect();
    // What is replaced: a parameter, a part of one, or a field of the envelope.
    let strategy = (prop::sample::select(golden), any::<prop::sample::Index>(), any_json(), 0..3);
    let case = async |scene: &mut Scene, (action, params): (String, Value), place, by, depth| {
        scene.has_a_tab().await;
        let plain = scene.tab.request(&action).within(Duration::from_secs(5));
        let request = match depth {
            0 => plain.params(mutated(&params, &place, &by)).0,
            1 => {
                let mut params = params;
                if let Some(first) =
                    params.as_object_mut().and_then(|fields| fields.values_mut().next())
                {
                    *first = mutated(first, &place, &by);
                }
                plain.params(params).0
            }
            _ => mutated(&plain.params(params).0, &place, &by),
        };
        let data = json!({"tabId": 77, "url": "about:blank"});
        let answer =
            |id: &str| json!({"id": id, "ok": true, "data": data, "page": page("about:blank")});
        let reply = scene.try_out(&request, answer).await;
        assert_is_proper(&reply, &request)
    };
    runner(400)
        .run(&strategy, |(valid, place, by, depth)| {
            runtime.block_on(case(&mut scene.borrow_mut(), valid, place, by, depth))
        })
        .unwrap();
    runtime.block_on(scene.borrow().daemon.send(request("session.list"))).data();
}

#[test]
fn every_answer_and_message_leaves_the_connection_and_the_daemon_alive() {
    let runtime = runtime();
    let scene = RefCell::new(runtime.block_on(Scene::new()));
    let actions = prop::sample::select(vec![
        "text",
        "elements",
        "links",
        "debug.log",
        "tab.open",
        "tab.pin",
        "tab.close",
    ]);
    let strategy =
        (actions, any::<prop::sample::Index>(), any_json(), any_object(any_json()), any::<bool>());
    let case = async |scene: &mut Scene,
                      action: &str,
                      place,
                      by,
                      message: Map<String, Value>,
                      is_ok| {
        scene.has_a_tab().await;
        scene.ext.send(Value::from(message).to_string()).await;
        scene.ext.fence().await;

        let right = if is_ok {
            let data = json!({"tabId": 77, "url": "about:blank", "elements": [{"selector": "a"}],
                "links": [{"target": {"selector": "a"}}], "entries": [{"tab": 77}]});
            json!({"ok": true, "data": data, "page": page("about:blank")})
        } else {
            json!({"ok": false, "error": {"code": "SCRIPT_ERROR", "message": "oops", "details": {"tabId": 77}}})
        };
        let mut answer = mutated(&right, &place, &by);
        if !answer.is_object() {
            answer = json!({"data": answer});
        }
        let params = if action == "tab.open" { json!({"url": "about:blank"}) } else { json!({}) };
        let request = scene.tab.request(action).params(params).within(Duration::from_secs(5)).0;
        let with_id = |id: &str| {
            let mut answer = answer.clone();
            answer["id"] = json!(id);
            answer
        };
        let reply = scene.try_out(&request, with_id).await;
        assert_is_proper(&reply, &answer)?;
        prop_assert!(reply.json()["error"]["code"] != "TIMEOUT", "{} counts as no answer", answer);
        scene.ext.fence().await;
        Ok(())
    };
    runner(400)
        .run(&strategy, |(action, place, by, message, is_ok)| {
            runtime.block_on(case(&mut scene.borrow_mut(), action, place, by, message, is_ok))
        })
        .unwrap();
    assert!(scene.borrow().daemon.records("ws_disconnect").is_empty());
}

/// What the descriptors of the daemon lead to, each with how many do.
#[cfg(target_os = "linux")]
fn descriptors(daemon: &Daemon) -> BTreeMap<PathBuf, usize> {
    let folder = format!("/proc/{}/fd", daemon.pid().as_raw_nonzero());
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("an own process") {
        // One that was closed since has no name.
        let Ok(leads) = std::fs::read_link(entry.expect("an entry").path()) else { continue };
        let name = leads.to_string_lossy();
        let kind = name.split(":[").next().expect("a part");
        *found.entry(PathBuf::from(kind)).or_default() += 1;
    }
    found
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_that_end_leave_no_descriptor_behind() {
    let daemon = Daemon::start().await;
    daemon.pairing().await;
    // The log file is opened with the first record.
    daemon.record("pair_claim_ok", |_| true).await;
    daemon.settled().await;
    let before = descriptors(&daemon);
    for index in 0..60 {
        let mut connection = daemon.connect().await;
        match index % 3 {
            0 => connection.write("POST / HTTP/1.1\r\nHost: 127").await,
            1 => daemon.post_on(&mut connection, &request("session.list").bytes()[..20]).await,
            _ => {}
        }
        // Abruptly, without a close frame, most of them before they have said who they are.
        let mut ext = daemon.connected().await;
        if index % 4 == 0 {
            ext.hello(&format!("browser {index}")).await;
        }
    }
    let is_over = || {
        let known = |name| before.get(name).copied().unwrap_or(0);
        descriptors(&daemon).iter().all(|(name, count)| *count <= known(name))
    };
    let what = format!("the end of all connections, with nothing open but {before:?}");
    crate::support::wait_for(&what, || is_over().then_some(())).await;
    assert_eq!(daemon.get("/health").await.json()["wsClients"], 0);
}

#[tokio::test]
async fn a_browser_that_answers_wrongly_spoils_its_own_command_and_no_other() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;

    // Under another id, known or not: nobody gets it.
    let text = daemon.begin(tab.request("text").within(Duration::from_secs(1)));
    let text_command = ext.receive().await;
    let pin = daemon.begin(tab.request("tab.pin"));
    daemon.admitted(&pin.id).await;
    for id in ["nobody's", &pin.id] {
        let mut wrong = ext.success(&text_command, json!({"text": "wrong"}));
        wrong["id"] = json!(id);
        ext.send(wrong.to_string()).await;
    }
    ext.fence().await;
    assert!(!text.has_reply() && !pin.has_reply());
    // Twice: the first one counts.
    ext.answer(&text_command, json!({"text": "first"})).await;
    ext.answer(&text_command, json!({"text": "second"})).await;
    assert_eq!(text.reply().await.data()["text"], "first");
    // Never: the tab's next command is sent after this one's deadline.
    let pinning = ext.receive_action("tab.pin").await;
    ext.answer(&pinning, json!({})).await;
    pin.reply().await.data();
    let mute = daemon.begin(tab.request("text").within(Duration::from_secs(1)));
    ext.receive_action("text").await;
    let next = daemon.begin(tab.request("outline"));
    mute.reply().await.error("TIMEOUT");
    let outline = ext.receive_action("outline").await;
    ext.answer(&outline, json!({})).await;
    next.reply().await.data();
}

#[tokio::test]
async fn an_error_code_from_a_browser_is_truncated() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let code = "X".repeat(1 << 20);
    for _ in 0..3 {
        let reading = daemon.begin(tab.request("text"));
        let command = ext.receive().await;
        ext.fail(&command, &code, "oops").await;
        reading.reply().await.error(&code);
    }
    let last = daemon.send(request("debug.last").params(json!({"count": 1}))).await.data();
    assert_eq!(last["requests"][0]["errorCode"], "X".repeat(64));
    let record = daemon.record("response", |record| record["ok"] == false).await;
    assert_eq!(record["error_code"], "X".repeat(64));
}

#[tokio::test]
async fn a_pages_title_is_stored_truncated_and_relayed_whole() {
    const MOST: usize = 4096;
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for (length, kept) in [(MOST, MOST), (MOST + 1, MOST), (1 << 20, MOST)] {
        let (url, title) = ("ü".repeat(length), "é".repeat(length));
        ext.navigated(tab.id, &url).await;
        let listed = daemon.send(tab.request("tab.list")).await.data();
        assert_eq!(listed["tabs"][0]["url"], "ü".repeat(kept));

        let reading = daemon.begin(tab.request("text"));
        let command = ext.receive().await;
        let mut answer = ext.success(&command, json!({"text": ""}));
        answer["page"]["title"] = json!(title);
        ext.send(answer.to_string()).await;
        let page = reading.reply().await.json()["page"].take();
        assert_eq!((&page["url"], &page["title"]), (&json!(url), &json!(title)));
        let listed = daemon.send(tab.request("tab.list")).await.data();
        assert_eq!(listed["tabs"][0]["title"], "é".repeat(kept));
    }
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    ext.fail(&command, "HUMAN_REQUIRED", &"x".repeat(MOST + 1)).await;
    assert_eq!(reading.reply().await.error("HUMAN_REQUIRED")["message"], "x".repeat(MOST + 1));
    let refusal = daemon.send(tab.request("text")).await.error("HUMAN_REQUIRED");
    assert_eq!(refusal["message"], "x".repeat(MOST));
}
