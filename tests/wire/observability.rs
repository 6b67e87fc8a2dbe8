//! What the daemon reports about itself, in log records, traces and status, and what it never reports.

use serde_json::{Value, json};

use crate::support::{Daemon, FakeExtension, Home, request};

async fn last(daemon: &Daemon, params: Value) -> Vec<Value> {
    let data = daemon.send(request("debug.last").params(params)).await.data();
    assert_eq!(data.as_object().map(serde_json::Map::len), Some(1), "{data}");
    data["requests"].as_array().expect("a list").clone()
}

/// All records of one command, without their times.
fn of_command(log: &[Value], id: &str) -> Vec<Value> {
    log.iter().filter(|record| record["id"] == id).cloned().collect()
}

fn events(records: &[Value]) -> Vec<&str> {
    records.iter().map(|record| record["event"].as_str().expect("an event")).collect()
}

// --- log records ---

#[tokio::test]
async fn the_log_is_json_lines_in_a_file_of_the_day() {
    let before = crate::support::now_ms();
    let daemon = Daemon::start().await;
    daemon.new_session().await;
    let exit = daemon.stop().await;
    let names: Vec<_> = std::fs::read_dir(exit.home.file("logs"))
        .expect("logs")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a text name"))
        .collect();
    let date = std::process::Command::new("date")
        .args(["-u", "+%F.log"])
        .output()
        .expect("date runs")
        .stdout;
    let date = String::from_utf8(date).expect("a date").trim().to_owned();
    // Around midnight there may be two, of which the newer is today's.
    assert!(names.contains(&date), "{names:?} without {date}");
    let log = exit.home.log();
    assert!(!log.is_empty());
    for record in &log {
        let ts = record["ts"].as_i64().unwrap_or_else(|| panic!("no time: {record}"));
        assert!((before..=crate::support::now_ms()).contains(&ts), "{record}");
        assert!(record["level"].is_string() && record["event"].is_string(), "{record}");
    }
}

#[tokio::test]
async fn a_commands_life_is_recorded_under_its_id() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let done = tab.request("text").set("destructive", true);
    let (done_id, failed_id, late_id) = (done.id(), "failed", "late");
    ext.exchange(&daemon, done, json!({"text": ""})).await.1.data();
    let failing = daemon.begin(tab.request("text").named(failed_id));
    let command = ext.receive().await;
    ext.fail(&command, "ELEMENT_NOT_FOUND", "nothing there").await;
    failing.reply().await.error("ELEMENT_NOT_FOUND");
    let late = tab.request("text").named(late_id).within(std::time::Duration::from_millis(150));
    let deadline = late.0["deadline"].as_i64().expect("a time");
    daemon.send(late).await.error("TIMEOUT");
    let log = daemon.stop().await.home.log();

    let records = of_command(&log, &done_id);
    assert_eq!(events(&records), ["received", "forwarded", "response"]);
    assert_eq!(
        (&records[0]["action"], &records[0]["session"], &records[0]["destructive"]),
        (&json!("text"), &json!(tab.session), &json!(true))
    );
    assert_eq!(records[1]["tab"], "t1");
    assert!(!records[1]["ws_client"].is_null(), "{}", records[1]);
    assert_eq!((&records[2]["ok"], records[2].get("error_code")), (&json!(true), None));
    assert!(
        records[2]["elapsed_ms"].as_f64().is_some_and(|elapsed| (0.0..20_000.0).contains(&elapsed))
    );

    let records = of_command(&log, failed_id);
    assert_eq!(events(&records), ["received", "forwarded", "response"]);
    assert_eq!(
        (&records[2]["ok"], &records[2]["error_code"]),
        (&json!(false), &json!("ELEMENT_NOT_FOUND"))
    );

    let records = of_command(&log, late_id);
    assert_eq!(events(&records), ["received", "forwarded", "timeout"]);
    // What was left of its time when it arrived, but for the difference between two clocks.
    let left = deadline - records[0]["ts"].as_i64().expect("a time");
    assert!(
        records[2]["elapsed_ms"].as_f64().is_some_and(|elapsed| elapsed >= left as f64 - 10.0),
        "{left} ms left: {}",
        records[2]
    );
}

/// Sends a command that is refused, one that the daemon answers itself and one that is malformed, with those ids.
async fn send_what_stays_in_the_daemon(daemon: &Daemon) {
    daemon.send(request("text").named("refused")).await.error("SESSION_REQUIRED");
    daemon.send(request("session.list").named("local")).await.data();
    daemon
        .send(request("session.list").named("malformed").params(json!({"x": 1})))
        .await
        .refused(400, "BAD_REQUEST");
}

#[tokio::test]
async fn refused_and_local_commands_are_recorded_like_any_other() {
    let daemon = Daemon::start().await;
    send_what_stays_in_the_daemon(&daemon).await;
    let log = daemon.stop().await.home.log();
    let refused = of_command(&log, "refused");
    assert_eq!(events(&refused), ["received", "response"]);
    assert_eq!(refused[1]["error_code"], "SESSION_REQUIRED");
    assert_eq!(events(&of_command(&log, "local")), ["received", "response"]);
    // What got no envelope is no command.
    assert!(!events(&of_command(&log, "malformed")).contains(&"response"));
}

#[tokio::test]
async fn connections_are_recorded() {
    let daemon = Daemon::start().await;
    let ext = daemon.extension().await;
    let connect = daemon.record("ws_connect", |_| true).await;
    assert!(
        connect["remote"].as_str().is_some_and(|remote| remote.starts_with("127.0.0.1")),
        "{connect}"
    );
    ext.close().await;
    let disconnect = daemon.record("ws_disconnect", |_| true).await;
    assert_eq!(disconnect["ws_client"], connect["ws_client"]);
    assert!(disconnect["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{disconnect}");
}

/// Runs commands full of things that no log may hold, and gives that log.
async fn log_of_a_day(level: &str) -> (String, FakeTexts) {
    let daemon = Home::new().daemon().env("BPROXY_LOG_LEVEL", level).start().await;
    let mut ext = daemon.extension().await;
    let tab = ext.open_tab(&daemon).await;
    let texts = FakeTexts {
        filled: ["filled-alpha", "filled-beta", "filled-gamma"],
        page: ["page-text-alpha", "page-text-beta", "page-text-gamma"],
        query: "query-secret",
        tab: tab.id,
    };
    let [alpha, beta, gamma] = texts.filled;
    let field = |value: &str| json!({"target": {"selector": "#a"}, "value": value, "method": "direct", "world": "isolated"});
    let done = json!({"filled": true, "verifiedValue": alpha});
    ext.exchange(&daemon, tab.request("fill").params(field(alpha)), done).await.1.data();
    let form = json!({"fields": [field(beta), field(gamma)]});
    let done =
        json!({"results": [{"target": {"selector": "#a"}, "filled": true, "verifiedValue": beta}]});
    ext.exchange(&daemon, tab.request("fill-form").params(form), done).await.1.data();
    // Half a value is still a value.
    let mut refused = field(alpha);
    refused["method"] = json!("type");
    daemon.send(tab.request("fill").params(refused)).await.refused(400, "BAD_REQUEST");
    let elements = json!({"elements": [{"selector": "#a", "tag": "input", "value": alpha, "label": texts.page[2]}]});
    ext.exchange(&daemon, tab.request("elements"), elements).await.1.data();
    ext.exchange(&daemon, tab.request("text"), json!({"text": texts.page[0]})).await.1.data();
    let html = format!("<p>{}</p>", texts.page[1]);
    ext.exchange(&daemon, tab.request("dom"), json!({"html": html})).await.1.data();
    let url = format!("https://example.org/path?token={}", texts.query);
    ext.navigated(tab.id, &url).await;
    let navigate = tab.request("navigate").params(json!({"url": url}));
    ext.exchange(&daemon, navigate, json!({"url": url, "title": "", "loadTime": 1})).await.1.data();
    // Not even when the extension says it in a message that means nothing.
    ext.send(format!("not JSON: {}", texts.page[0])).await;
    ext.send(json!({"id": "nobody", "ok": true, "data": {"text": texts.page[0]}}).to_string())
        .await;
    ext.fence().await;
    let exit = daemon.stop().await;
    assert_eq!(exit.stderr, "", "the log goes to its file");
    (exit.home.log_text(), texts)
}

struct FakeTexts {
    filled: [&'static str; 3],
    page: [&'static str; 3],
    query: &'static str,
    tab: i64,
}

#[tokio::test]
async fn no_level_logs_what_was_filled_or_read() {
    for level in ["debug", "info"] {
        let (log, texts) = log_of_a_day(level).await;
        for secret in texts.filled.iter().chain(&texts.page) {
            assert!(!log.contains(secret), "{secret} at {level}: {log}");
        }
    }
}

#[tokio::test]
async fn raw_tabs_and_queries_appear_at_debug_only() {
    let (log, texts) = log_of_a_day("info").await;
    assert!(log.contains("\"forwarded\""));
    assert!(!log.contains(&texts.tab.to_string()), "{log}");
    assert!(!log.contains(texts.query), "{log}");
    assert!(!log.contains("\"debug\"") && !log.contains("\"DEBUG\""));
}

#[tokio::test]
async fn debug_adds_payloads() {
    let (info, _) = log_of_a_day("info").await;
    let (debug, _) = log_of_a_day("debug").await;
    assert!(!info.contains("#a"), "no payload at info");
    assert!(debug.contains("#a"), "the payload at debug: {debug}");
}

#[tokio::test]
async fn warn_logs_only_what_is_unexpected() {
    let (log, _) = log_of_a_day("warn").await;
    for event in ["received", "forwarded", "response", "ws_connect", "handle_mint"] {
        assert!(!log.contains(&format!("\"{event}\"")), "{log}");
    }
    assert!(log.contains("ws_bad_message"), "{log}");
}

// --- traces ---

#[tokio::test]
async fn every_command_that_got_an_envelope_leaves_one_trace() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let before = crate::support::now_ms();
    let open = request("tab.open").named("open").params(json!({"url": "about:blank"}));
    let (_, reply) = ext.exchange(&daemon, open, json!({"tabId": 5, "url": "about:blank"})).await;
    let session = reply.data()["session"].as_str().expect("a session").to_owned();
    send_what_stays_in_the_daemon(&daemon).await;
    let failing = daemon.begin(request("text").session(&session).named("failed"));
    let command = ext.receive().await;
    ext.fail(&command, "SOMETHING_NEW", "well").await;
    failing.reply().await.error("SOMETHING_NEW");

    let mut traces = last(&daemon, json!({})).await;
    for trace in &mut traces {
        let received = trace["receivedAt"].as_i64().expect("a time");
        assert!((before..=crate::support::now_ms()).contains(&received), "{trace}");
        assert!(
            trace["elapsedMs"].as_f64().is_some_and(|elapsed| (0.0..20_000.0).contains(&elapsed)),
            "{trace}"
        );
        let trace = trace.as_object_mut().expect("a trace");
        trace.remove("receivedAt");
        trace.remove("elapsedMs");
        if trace.get("replayed") == Some(&json!(false)) {
            trace.remove("replayed");
        }
    }
    assert_eq!(
        traces,
        [
            json!({"id": "open", "action": "tab.open", "session": session, "ok": true}),
            json!({"id": "refused", "action": "text", "session": "", "ok": false, "errorCode": "SESSION_REQUIRED"}),
            json!({"id": "local", "action": "session.list", "session": "", "ok": true}),
            json!({"id": "failed", "action": "text", "session": session, "ok": false, "errorCode": "SOMETHING_NEW"}),
        ]
    );
}

#[tokio::test]
async fn the_last_200_traces_are_kept_oldest_first() {
    let daemon = Daemon::start().await;
    for index in 0..230 {
        daemon.send(request("session.list").named(&format!("n{index}"))).await.data();
    }
    let ids = |traces: Vec<Value>| {
        traces.iter().map(|it| it["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    let all = ids(last(&daemon, json!({"count": 200})).await);
    assert_eq!((all.len(), &*all[0], &*all[199]), (200, "n30", "n229"));
    // By now that very request has left a trace too.
    let some = last(&daemon, json!({})).await;
    assert_eq!((some.len(), &some[19]["action"]), (20, &json!("debug.last")));
    let few = last(&daemon, json!({"count": 3})).await;
    assert_eq!(
        few.iter().map(|it| &it["action"]).collect::<Vec<_>>(),
        ["session.list", "debug.last", "debug.last"]
    );
}

// --- status ---

#[tokio::test]
async fn status_shows_the_daemon_its_browsers_and_its_sessions() {
    let daemon = Daemon::start().await;
    let _anonymous: FakeExtension = daemon.anonymous_extension().await;
    let mut named = daemon.extension().await;
    named.number_tabs_from(987_654_321);
    let tab = named.open_tab(&daemon).await;
    named.open_tab_in(&daemon, &tab.session).await;
    let bare = daemon.new_session().await;
    let reading = daemon.begin(tab.request("text"));
    let command = named.receive().await;
    named.fail(&command, "HUMAN_REQUIRED", "A riddle.").await;
    reading.reply().await.error("HUMAN_REQUIRED");

    let status = daemon.send(request("debug.status")).await.data();
    let own = &status["daemon"];
    assert_eq!(own["pid"], daemon.pid().as_raw_nonzero().get());
    assert_eq!(own["port"], daemon.port);
    assert_eq!(
        (&own["version"], &own["protocolVersion"]),
        (&json!(env!("CARGO_PKG_VERSION")), &json!(1))
    );
    assert!(own["uptimeSec"].as_f64().is_some_and(|uptime| uptime < 60.0), "{own}");
    let clients = status["wsClients"].as_array().expect("a list");
    assert_eq!(clients.len(), 2);
    for client in clients {
        assert!(!client["id"].is_null() && client["connectedAt"].is_i64(), "{client}");
    }
    assert!(clients.iter().any(|client| client["protocolVersion"] == 1));
    let sessions = status["sessions"].as_array().expect("a list");
    assert_eq!(sessions.len(), 2);
    let paused =
        sessions.iter().find(|info| info["id"] == tab.session.as_str()).expect("the session");
    assert_eq!(
        paused,
        &json!({"id": tab.session, "tab": "t2", "pacing": "fast", "paused": true, "pauseReason": "A riddle."})
    );
    assert_eq!(status["pausedSessions"], json!([{"session": tab.session, "reason": "A riddle."}]));
    let tabs = status["sessionTabs"].as_array().expect("a list");
    let of_session =
        tabs.iter().find(|entry| entry["session"] == tab.session.as_str()).expect("its tabs");
    let names: Vec<_> =
        of_session["tabs"].as_array().expect("a list").iter().map(|tab| &tab["tab"]).collect();
    assert_eq!(names, ["t1", "t2"]);
    assert!(!status.to_string().contains("98765432"), "no raw tab: {status}");
    assert!(sessions.iter().any(|info| info["id"] == bare.as_str()));
}
