//! The log and the traces: one record per fact, and no secrets.

use std::{
    fmt::{self, Debug},
    sync::LazyLock,
};

use serde_json::{Map, json};
use tracing::field::{Field, Visit};
use tracing_subscriber::{Layer, layer::SubscriberExt as _};

use super::*;

/// Collects every event as an object of its fields and its level.
#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<Map<String, Value>>>>);

impl<S: tracing::Subscriber> Layer<S> for Records {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        fields.0.insert("level".to_owned(), event.metadata().level().as_str().into());
        self.0.lock().unwrap().push(fields.0);
    }
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().to_owned(), fmt::format(format_args!("{value:?}")).into());
    }
}

/// Everything that is logged while `act` runs.
fn records_of(act: impl FnOnce()) -> Vec<Map<String, Value>> {
    // With a single subscriber in the process, the library would cache the interest of tests on other threads, which
    // have none, and disable callsites.
    static ANOTHER: LazyLock<tracing::Dispatch> =
        LazyLock::new(|| tracing::Dispatch::new(tracing_subscriber::registry()));
    LazyLock::force(&ANOTHER);
    let records = Records::default();
    let subscriber = tracing_subscriber::registry().with(records.clone());
    tracing::subscriber::with_default(subscriber, act);

    std::mem::take(&mut *records.0.lock().unwrap())
}

/// The records at `info` and above, without their level.
fn informed(act: impl FnOnce()) -> Vec<Value> {
    let mut records = records_of(act);
    records.retain(|record| record["level"] != "DEBUG");
    for record in &mut records {
        record.remove("level");
    }
    records.into_iter().map(Value::Object).collect()
}

fn click() -> Value {
    json!({"target": {"selector": "#a"}})
}

#[test]
fn a_command_leaves_one_record_of_each_step() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (session, _) = rig.open_in(browser, "", 7);
    let name = browser.to_string();
    let records = informed(|| {
        let first = rig.send(&call("click", &session, click()).id("one"));
        rig.pass(20);
        rig.answer(browser, &first.id, json!({}));
        rig.send(&call("click", &session, click()).id("two")).hang_up();
        rig.send(&call("text", &session, json!({})).id("three").timeout_ms(5)).reply = None;
    });
    let steps: Vec<_> = records.iter().filter(|record| record["id"] == "one").cloned().collect();
    assert_eq!(
        steps,
        [
            json!({"event": "received", "id": "one", "action": "click", "session": session, "destructive": false}),
            json!({"event": "forwarded", "id": "one", "ws_client": name, "tab": "t1"}),
            json!({"event": "response", "id": "one", "ok": true, "elapsed_ms": 20}),
        ]
    );
    let paced: Vec<_> = records.iter().filter(|record| record["id"] == "two").collect();
    assert_eq!(paced.len(), 2);
    assert_eq!(paced[1]["event"], "pacing_wait");
    assert!((480..=1980).contains(&paced[1]["delay_ms"].as_u64().unwrap()));
}

#[test]
fn a_timeout_is_recorded_in_the_place_of_the_response() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let records = informed(|| {
        let waiting = rig.send(&call("text", &session, json!({})).id("one").timeout_ms(5));
        rig.pass(5);
        drop(waiting);
        rig.send(&call("text", &session, json!({})).id("two").timeout_ms(0));
        let failing = rig.send(&call("text", &session, json!({})).id("three"));
        rig.answer_error(browser, &failing.id, "SCRIPT_ERROR", "m");
    });
    let ends: Vec<_> = records
        .into_iter()
        .filter(|record| record["event"] == "timeout" || record["event"] == "response")
        .collect();
    assert_eq!(
        ends,
        [
            json!({"event": "timeout", "id": "one", "elapsed_ms": 5}),
            json!({"event": "timeout", "id": "two", "elapsed_ms": 0}),
            json!({"event": "response", "id": "three", "ok": false, "elapsed_ms": 0, "error_code": "SCRIPT_ERROR"}),
        ]
    );
}

#[test]
fn connections_and_replays_are_recorded() {
    let mut rig = Rig::new();
    let records = informed(|| {
        let first = rig.browser("a");
        let session = rig.open(first, 7);
        rig.send(&call("text", &session, json!({})).id("one"));
        let second = rig.browser("a");
        rig.disconnect(first);
        rig.disconnect(second);
    });
    let events: Vec<_> = records.iter().map(|record| record["event"].as_str().unwrap()).collect();
    let expected = [
        "ws_connect",
        "received",
        "forwarded",
        "response",
        "pacing_config",
        "received",
        "forwarded",
        "ws_connect",
        "replay",
        "ws_disconnect",
        "ws_disconnect",
    ];
    assert_eq!(events, expected);
    assert_eq!(
        records[0],
        json!({"event": "ws_connect", "ws_client": "client-1", "remote": "127.0.0.1:1"})
    );
    assert_eq!(records[8], json!({"event": "replay", "id": "one", "ws_client": "client-2"}));
    assert_eq!(records[9]["reason"], "closed");
    assert_eq!(records[4]["mode"], "fast");
}

#[test]
fn the_life_of_handles_is_recorded() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let records = informed(|| {
        for _ in 0..2 {
            let client = rig.ask("elements", &session, json!({}));
            rig.answer(
                browser,
                &client.id,
                json!({"elements": [{"selector": "a"}, {"selector": "b"}]}),
            );
        }
        for handle in ["el3", "el5"] {
            rig.ask("click", &session, json!({"target": {"handle": handle}}));
        }
        rig.navigated(browser, 7, "http://x/?secret");
        rig.navigated(browser, 7, "http://x/");
        rig.ask("click", &session, json!({"target": {"handle": "el3"}}));
        rig.pass(120_000);
        rig.ask("click", &session, json!({"target": {"handle": "el3"}}));
        rig.ask("session.close", &session, json!({}));
    });
    let handles: Vec<_> = records
        .into_iter()
        .filter(|record| record["event"].as_str().unwrap().starts_with("handle_"))
        .collect();
    let minted = |first: &str, last: &str| {
        json!({"event": "handle_mint", "session": session, "tab": "t1",
        "sourceAction": "elements", "count": 2, "firstHandle": first, "lastHandle": last})
    };
    let ended = |cause: &str| json!({"event": "handle_invalidate", "session": session, "tab": "t1", "cause": cause, "count": 4});
    let resolved = |handle: &str, outcome: &str| {
        json!({"event": "handle_resolve", "handle": handle,
        "session": session, "tab": "t1", "outcome": outcome})
    };
    assert_eq!(
        handles,
        [
            minted("el1", "el2"),
            minted("el3", "el4"),
            resolved("el3", "ok"),
            resolved("el5", "not_found"),
            ended("navigation"),
            resolved("el3", "stale"),
            resolved("el3", "expired"),
            json!({"event": "handle_invalidate", "session": session, "cause": "session_close", "count": 4}),
        ]
    );
}

#[test]
fn no_record_holds_a_filled_value_a_pages_text_a_code_or_a_token() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7777);
    let mut secrets = vec!["hidden-value".to_owned(), "page-text".to_owned()];
    let records = records_of(|| {
        let code =
            rig.state.issue_code(rig.now()).expect("issued").pairing_code.expose().to_owned();
        let credential = rig.state.claim(Some(&code), "o", rig.now()).expect("the code is right");
        secrets.extend([code, credential.token.expose().to_owned()]);
        let field = json!({"target": {"selector": "#a"}, "value": "hidden-value", "method": "direct", "world": "main"});
        let form = json!({"fields": [field]});
        for (action, params) in [("fill", field), ("fill-form", form), ("text", json!({}))] {
            let client = rig.ask(action, &session, params);
            rig.answer(browser, &client.id, json!({"text": "page-text", "tabId": 7777}));
        }
        rig.state.receive(browser, "{page-text", &Bytes::from_static(b"{page-text"), rig.now());
        rig.state.activate(credential);
    });
    let log = serde_json::to_string(&records).unwrap();
    assert!(log.contains("#a"), "payloads are there");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret} in {log}");
    }
    assert!(!log.contains("7777"), "raw ids of tabs");
    let warned = records.iter().find(|record| record["level"] == "WARN");
    assert_eq!(warned.expect("a warning")["event"], "ws_bad_message");
}

#[test]
fn every_command_with_an_envelope_leaves_one_trace() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    rig.send(&call("text", "", json!({})).id("refused"));
    rig.send(&call("session.list", &"ä".repeat(200), json!({})).id("local"));
    rig.pass(3);
    let client = rig.send(&call("text", &session, json!({})).id("forwarded"));
    rig.pass(4);
    rig.answer_error(browser, &client.id, "X", "m");
    let traces = serde_json::to_value(rig.traces(3)).unwrap();
    let at = rig.now().unix_ms;
    assert_eq!(traces[0]["errorCode"], "SESSION_REQUIRED");
    assert_eq!(traces[1]["session"], "ä".repeat(64));
    assert_eq!(
        traces[2],
        json!({"id": "forwarded", "action": "text", "session": session, "receivedAt": at - 4,
               "elapsedMs": 4, "ok": false, "errorCode": "X"})
    );
}
