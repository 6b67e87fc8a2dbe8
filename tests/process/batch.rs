//! Many commands in one process: one request per line in, one answer per line out.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::support::{Answer, Daemon, bproxy, call, patiently};

/// A running `bproxy batch`.
struct Batch {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Batch {
    fn start(daemon: &Daemon, args: &[&str]) -> Self {
        let mut command = bproxy(&daemon.home.path());
        let command = command.arg("batch").args(args).stdin(Stdio::piped());
        let mut child = command.spawn().expect("the bproxy binary runs");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output }
    }

    /// Writes a line and reads its answer.
    async fn ask(&mut self, line: &Value) -> Value {
        let line = format!("{line}\n");
        self.input.write_all(line.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        patiently("an answer", self.output.read_line(&mut answer)).await.expect("a line");
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
    }

    /// Ends the input and waits for the exit status.
    async fn end(self) -> i32 {
        let Self { mut child, input, .. } = self;
        drop(input);
        patiently("the end", child.wait()).await.expect("a child").code().expect("a code")
    }
}

/// Runs a batch of these lines.
async fn batch(daemon: &Daemon, args: &[&str], lines: &str) -> (i32, Vec<Value>) {
    let mut command = bproxy(&daemon.home.path());
    command.arg("batch").args(args);
    let call = call(command, Some(lines.as_bytes())).await;
    let answers = call.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    (call.code, answers.collect())
}

#[tokio::test]
async fn each_line_is_answered_before_the_next_is_read() {
    let daemon = Daemon::start().await;
    let ext = daemon.extension().await;
    let _serving = ext.serve(|command| {
        (command.action() == "text").then(|| Answer::Data(json!({"text": command.id()})))
    });
    let mut batch = Batch::start(&daemon, &[]);
    let open = json!({"action": "tab.open", "params": {"url": "https://a.example/"}});
    let opened = batch.ask(&open).await;
    let session = opened["data"]["session"].as_str().expect("a session").to_owned();
    for id in ["one", "two", "three"] {
        let line = json!({"action": "text", "session": session, "id": id});
        let answer = batch.ask(&line).await;
        assert_eq!((&answer["id"], &answer["data"]["text"]), (&json!(id), &json!(id)));
    }
    assert_eq!(batch.end().await, 0);
}

#[tokio::test]
async fn the_session_and_the_timeout_of_the_call_are_those_of_lines_without_their_own() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let (one, two) = (ext.open_tab(&daemon).await, ext.open_tab(&daemon).await);
    let serving = ext.serve(|_| Some(Answer::Silence));
    let before = crate::support::now_ms();
    let lines = [
        json!({"action": "text"}),
        json!({"action": "links", "session": two.session, "timeout": 200}),
        json!({"action": "session.list", "session": "aaaaaa"}),
        json!({"action": "wait", "params": {"strategy": "url", "target": "x", "timeout": 1}}),
    ];
    let lines = lines.map(|line| line.to_string()).join("\n");
    let (code, answers) = batch(&daemon, &["-s", &one.session, "--timeout", "100"], &lines).await;
    assert_eq!(code, 1);
    let codes: Vec<_> = answers.iter().map(|answer| answer["error"]["code"].clone()).collect();
    assert_eq!(json!(codes), json!(["TIMEOUT", "TIMEOUT", null, "TIMEOUT"]));
    let seen = serving.seen();
    let deadline = |at: usize| seen[at].json["deadline"].as_i64().expect("a deadline") - before;
    assert_eq!(seen[0].json["session"], *one.session);
    assert_eq!(seen[1].json["session"], *two.session);
    assert!(deadline(0) >= 100 && deadline(1) >= 300 && deadline(2) >= 2300);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn all_commands_travel_over_one_connection() {
    let daemon = Daemon::start().await;
    let mut batch = Batch::start(&daemon, &[]);
    let list = json!({"action": "session.list"});
    batch.ask(&list).await;
    let pid = batch.child.id().expect("a process");
    // The sockets of a process are links that tell their number.
    let sockets = || -> Vec<_> {
        let links = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("own child");
        let links = links.filter_map(|link| std::fs::read_link(link.ok()?.path()).ok());
        links.filter(|link| link.to_string_lossy().starts_with("socket:")).collect()
    };
    let first = sockets();
    assert_eq!(first.len(), 1);
    for _ in 0..10 {
        batch.ask(&list).await;
    }
    assert_eq!(sockets(), first);
    assert_eq!(batch.end().await, 0);
}

#[tokio::test]
async fn a_connection_closed_by_the_daemon_is_reopened() {
    let daemon = Daemon::start().await;
    let port = daemon.port.to_string();
    let mut batch = Batch::start(&daemon, &[]);
    let list = json!({"action": "session.list"});
    assert_eq!(batch.ask(&list).await["ok"], true);
    let home = daemon.stop().await.home;
    let _another = home.daemon().env("BPROXY_PORT", &port).start().await;
    assert_eq!(batch.ask(&list).await["ok"], true, "it reaches the next daemon");
}

#[tokio::test]
async fn an_invalid_line_is_answered_and_the_next_one_is_processed() {
    let daemon = Daemon::start().await;
    let long = format!(r##"{{"action":"tab.open","params":{{"url":"{}"}}}}"##, "x".repeat(1 << 20));
    let lines = [
        "nonsense",
        r#"{"action":"session.lits","id":"a"}"#,
        r#"{"action":"links","params":{"limit":0},"id":"b"}"#,
        r#"{"action":"session.list","sesion":"x"}"#,
        r#"{"action":"session.bind","id":"c"}"#,
        r#"{"action":"text","timeout":0}"#,
        &long,
        "",
        r#"{"action":"session.list"}"#,
    ];
    let (code, answers) = batch(&daemon, &[], &lines.join("\n")).await;
    assert_eq!((code, answers.len()), (1, 8));
    let expected = [
        (json!(null), "\"action\""),
        (json!("a"), "did you mean `session.list`?"),
        (json!("b"), "`params.limit`: 0 is out of range"),
        (json!(null), "sesion"),
        (json!("c"), "at least one of `tab`, `pacing`"),
        (json!(null), "`timeout`"),
        (json!(null), "not a request"),
    ];
    for (answer, (id, part)) in answers.iter().zip(expected) {
        let error = &answer["error"];
        assert_eq!((&answer["id"], &error["code"]), (&id, &json!("BAD_REQUEST")), "{answer}");
        assert!(error["message"].as_str().expect("a text").contains(part), "{answer}");
    }
    assert_eq!(answers[7]["ok"], true);
}

#[tokio::test]
async fn it_stops_on_the_first_error_if_requested() {
    let daemon = Daemon::start().await;
    let lines = "{\"action\":\"session.list\"}\n{\"action\":\"text\",\"session\":\"aaaaaa\"}\n{\"action\":\"session.list\"}\n";
    let oks = |answers: &[Value]| json!(answers.iter().map(|it| &it["ok"]).collect::<Vec<_>>());
    let (code, answers) = batch(&daemon, &["--stop-on-error"], lines).await;
    assert_eq!((code, oks(&answers)), (1, json!([true, false])));
    let (code, answers) = batch(&daemon, &[], lines).await;
    assert_eq!((code, oks(&answers)), (1, json!([true, false, true])));
    let (code, answers) = batch(&daemon, &[], "").await;
    assert_eq!((code, answers.len()), (0, 0));
}

#[tokio::test]
async fn a_command_without_effect_counts_as_failed() {
    let daemon = Daemon::start().await;
    let mut extension = daemon.extension().await;
    let session = extension.open_tab(&daemon).await.session;
    let _extension = extension.serve(|command| match command.action() {
        "fill" => Some(Answer::Data(json!({"filled": false, "verifiedValue": ""}))),
        _ => None,
    });
    let fill = json!({"action": "fill", "session": session, "params":
        {"target": {"selector": "#a"}, "value": "x", "method": "direct", "world": "isolated"}});
    let lines = format!("{fill}\n{{\"action\":\"session.list\"}}\n");
    let (code, answers) = batch(&daemon, &["--stop-on-error"], &lines).await;
    assert_eq!((code, answers.len(), &answers[0]["ok"]), (1, 1, &json!(true)));
    let (code, answers) = batch(&daemon, &[], &lines).await;
    assert_eq!((code, answers.len()), (1, 2));
}
