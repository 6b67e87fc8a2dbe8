//! Waiting: for a sleeping browser, for a person, for the next event.

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::{
    Answer, Daemon, FakeExtension, Tab, Terminal, bproxy, call, patiently, request, run, wait_for,
};

/// A session that waits for its person.
async fn paused(daemon: &Daemon, ext: &mut FakeExtension) -> Tab {
    let tab = ext.open_tab(daemon).await;
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    ext.fail(&command, "HUMAN_REQUIRED", "prove that you are human").await;
    reading.reply().await.error("HUMAN_REQUIRED");
    tab
}

#[tokio::test]
async fn a_command_waits_for_a_browser_that_is_not_there_yet_and_is_done_once() {
    let daemon = Daemon::start().await;
    daemon.pairing().await;
    let mut command = bproxy(&daemon.home.path());
    command.args(["tab", "open", "https://a.example/", "--wait-extension", "60"]);
    let opening = tokio::spawn(call(command, None));
    daemon.record("response", |record| record["error_code"] == "NO_EXTENSION").await;
    let serving = daemon.extension().await.serve(|_| None);
    let data = patiently("the tab", opening).await.expect("no panic").data();
    assert_eq!(data["url"], "https://a.example/");
    assert_eq!(serving.seen().len(), 1);
    // Nothing was tried while nobody could answer.
    daemon.record("response", |record| record["ok"] == true).await;
    assert_eq!(daemon.records("received").len(), 2);
}

#[tokio::test]
async fn a_batch_waits_for_the_browser_too() {
    let daemon = Daemon::start().await;
    daemon.pairing().await;
    let mut command = bproxy(&daemon.home.path());
    command.args(["batch", "--wait-extension", "60"]);
    let line = br#"{"action":"tab.open","params":{"url":"https://a.example/"}}"#;
    let opening = tokio::spawn(call(command, Some(line)));
    daemon.record("response", |record| record["error_code"] == "NO_EXTENSION").await;
    let _serving = daemon.extension().await.serve(|_| None);
    patiently("the tab", opening).await.expect("no panic").data();
}

#[tokio::test]
async fn the_wait_for_a_browser_ends_and_other_failures_are_not_waited_for() {
    let daemon = Daemon::start().await;
    let open = ["tab", "open", "https://a.example/", "--wait-extension", "1"];
    assert_eq!(run(&daemon.home, &open).await.error(), "NO_EXTENSION");
    let text = ["text", "-s", "aaaaaa", "--wait-extension", "3600"];
    assert_eq!(run(&daemon.home, &text).await.error(), "SESSION_NOT_FOUND");
    let _serving = daemon.extension().await.serve(|command| {
        (command.action() == "tab.open").then_some(Answer::Error("NAVIGATION_FAILED", "no"))
    });
    let open = ["tab", "open", "https://a.example/", "--wait-extension", "3600"];
    assert_eq!(run(&daemon.home, &open).await.error(), "NAVIGATION_FAILED");
}

#[tokio::test]
async fn session_wait_ends_when_the_person_resumes_the_session() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let tab = paused(&daemon, &mut ext).await;
    let (terminal, inside) = Terminal::new();
    let mut command = bproxy(&daemon.home.path());
    command.args(["session", "wait", "-s", &tab.session]).stderr(inside);
    let waiting = tokio::spawn(call_and_drop(command));
    daemon.record("received", |record| record["action"] == "session.list").await;
    ext.send(json!({"type": "session.resume", "session": tab.session}).to_string()).await;
    let data = patiently("the wait's end", waiting).await.expect("no panic").data();
    assert_eq!((&data["id"], &data["paused"]), (&json!(tab.session), &json!(false)));
    let shown = terminal.shown();
    assert!(shown.contains("prove that you are human"), "{shown}");

    let at_once = run(&daemon.home, &["session", "wait", "-s", &tab.session]).await;
    assert_eq!(at_once.data()["paused"], false);
    assert_eq!(at_once.stderr, "", "without a terminal there is no spinner");
}

/// With the command the last inner end of its terminal goes.
async fn call_and_drop(command: tokio::process::Command) -> crate::support::Call {
    call(command, None).await
}

#[tokio::test]
async fn session_wait_reports_a_timeout() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let tab = paused(&daemon, &mut ext).await;
    let wait = async |session: &str| {
        run(&daemon.home, &["session", "wait", "--for", "1", "-s", session]).await
    };
    let late = wait(&tab.session).await;
    assert_eq!(late.error(), "TIMEOUT");
    let message = late.json()["error"]["message"].clone();
    assert!(message.as_str().expect("a text").contains("prove that you are human"), "{message}");
    assert_eq!(wait("aaaaaa").await.error(), "SESSION_NOT_FOUND");
    let none = run(&daemon.home, &["session", "wait"]).await;
    assert_eq!(none.error(), "SESSION_REQUIRED");
}

#[tokio::test]
async fn session_wait_ends_with_the_session() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let tab = paused(&daemon, &mut ext).await;
    let mut command = bproxy(&daemon.home.path());
    command.args(["session", "wait", "-s", &tab.session]);
    let waiting = tokio::spawn(call(command, None));
    daemon.record("received", |record| record["action"] == "session.list").await;
    ext.send(json!({"type": "session.close", "session": tab.session}).to_string()).await;
    let call = patiently("the wait's end", waiting).await.expect("no panic");
    assert_eq!(call.error(), "SESSION_NOT_FOUND");
}

/// A stream of events, once it has begun.
async fn events(
    daemon: &Daemon,
    args: &[&str],
    ping: impl Fn() -> crate::support::Request,
) -> (tokio::process::Child, tokio::io::Lines<BufReader<tokio::process::ChildStdout>>) {
    let mut command = bproxy(&daemon.home.path());
    command.arg("events").args(args).stdout(std::process::Stdio::piped());
    let mut child = command.spawn().expect("the bproxy binary runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    loop {
        daemon.send(ping()).await;
        let first = tokio::time::timeout(std::time::Duration::from_millis(500), lines.next_line());
        if let Ok(line) = first.await {
            assert!(line.expect("text").is_some(), "the stream goes on");
            return (child, lines);
        }
    }
}

#[tokio::test]
async fn events_are_shown_as_they_happen_and_nothing_else() {
    let daemon = Daemon::start().await;
    daemon.send(request("session.list").named("before")).await;
    daemon.record("response", |record| record["id"] == "before").await;
    let (_child, mut lines) = events(&daemon, &[], || request("session.list")).await;
    let mut ext = daemon.extension().await;
    let tab = paused(&daemon, &mut ext).await;
    ext.send(json!({"type": "session.resume", "session": tab.session}).to_string()).await;
    let mut seen = Vec::new();
    loop {
        let line = patiently("an event", lines.next_line()).await.expect("text").expect("a line");
        let event: Value = serde_json::from_str(&line).expect("JSON");
        assert_ne!(event["id"], "before");
        seen.push(event["event"].as_str().expect("a name").to_owned());
        if event["event"] == "person" {
            break;
        }
    }
    for event in ["pair_claim_ok", "ws_connect", "received", "forwarded", "response"] {
        assert!(seen.iter().any(|seen| seen == event), "{event} is not in {seen:?}");
    }
    assert!(!seen.iter().any(|seen| seen == "start" || seen == "ws_hello"), "{seen:?}");
}

#[tokio::test]
async fn events_of_a_session_leave_the_others_out() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let (one, two) = (ext.open_tab(&daemon).await, ext.open_tab(&daemon).await);
    let ping = || one.request("tab.list");
    let (_child, mut lines) = events(&daemon, &["-s", &one.session], ping).await;
    daemon.send(two.request("tab.list").named("other")).await.data();
    daemon.send(one.request("tab.list").named("last")).await.data();
    loop {
        let line = patiently("an event", lines.next_line()).await.expect("text").expect("a line");
        let event: Value = serde_json::from_str(&line).expect("JSON");
        assert_ne!(event["id"], "other");
        if event["id"] == "last" && event["event"] == "response" {
            break;
        }
    }
}

#[tokio::test]
async fn events_go_on_when_the_daemon_is_restarted_in_the_middle_of_a_command() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let (_child, mut lines) = events(&daemon, &[], || request("session.list")).await;
    let slow = daemon.begin(tab.request("text"));
    let command = ext.receive_action("text").await;
    daemon.signal(Signal::TERM);
    // Meanwhile the stream has ended, and its reader looks for a daemon that takes new requests.
    patiently("refusals", async { while daemon.get("/events").await.status() != 503 {} }).await;
    ext.answer(&command, json!({"text": ""})).await;
    slow.reply().await.data();
    let daemon = daemon.ended().await.home.daemon().start().await;
    patiently("an event of the next daemon", async {
        loop {
            daemon.send(request("session.list").named("next")).await;
            let line =
                tokio::time::timeout(std::time::Duration::from_millis(100), lines.next_line());
            if let Ok(line) = line.await
                && line.expect("text").expect("the stream goes on").contains("\"next\"")
            {
                break;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn events_end_when_their_reader_goes_away() {
    let daemon = Daemon::start().await;
    let (mut child, lines) = events(&daemon, &[], || request("session.list")).await;
    drop(lines);
    let status = wait_for("the end of the stream", || {
        let id = format!("p{}", crate::support::now_ms());
        tokio::spawn({
            let client = daemon.client();
            async move { client.send(request("session.list").named(&id)).await }
        });
        child.try_wait().expect("a child")
    })
    .await;
    assert!(status.success());
    let home = crate::support::Home::new();
    std::fs::remove_dir(home.path()).expect("own directory");
    let nothing = run(&home, &["events"]).await;
    assert!(nothing.trouble().contains("bproxy service start"));
}
