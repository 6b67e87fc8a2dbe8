//! The command line against a real daemon: what it sends, what it prints, how it exits.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{
    Answer, Call, Daemon, FakeExtension, Home, Serving, Terminal, bproxy, call, patiently, run,
};

/// A daemon, a session with a bound tab and no pacing, and an extension that answers by `script`.
struct Rig {
    daemon: Daemon,
    session: String,
    extension: Serving,
}

impl Rig {
    async fn new(
        script: impl FnMut(&crate::support::Command) -> Option<Answer> + Send + 'static,
    ) -> Self {
        let daemon = Daemon::start().await;
        let mut extension: FakeExtension = daemon.numbering_extension("instance").await;
        let session = extension.open_tab(&daemon).await.session;
        Self { daemon, session, extension: extension.serve(script) }
    }

    /// Calls a verb in the session.
    async fn run(&self, args: &[&str]) -> Call {
        run(&self.daemon.home, &[args, &["-s", &self.session]].concat()).await
    }

    /// What the extension was sent last.
    fn last(&self) -> crate::support::Command {
        self.extension.seen().pop().expect("a forwarded command")
    }
}

/// Answers every command with these data.
fn always(data: Value) -> impl FnMut(&crate::support::Command) -> Option<Answer> {
    move |_| Some(Answer::Data(data.clone()))
}

// --- what is sent ---

#[tokio::test]
async fn every_verb_sends_its_action_with_its_parameters() {
    let rig = Rig::new(|_| None).await;
    let target = json!({"selector": "#a"});
    let route = r##"{"hosts":[{"selector":"x-a","index":1}],"target":"b"}"##;
    let fields = json!([{"target": target, "value": "x", "method": "direct", "world": "isolated"}]);
    let form = fields.to_string();
    let verbs: &[(&[&str], &str, Value)] = &[
        (&["tab", "pin"], "tab.pin", json!({})),
        (&["tab", "unpin", "--tab", "t1"], "tab.unpin", json!({"tab": "t1"})),
        (&["tab", "activate"], "tab.activate", json!({})),
        (&["navigate", "https://a.example/"], "navigate", json!({"url": "https://a.example/"})),
        (&["navigate", "--url", "about:blank"], "navigate", json!({"url": "about:blank"})),
        (&["text", "--selector", "main"], "text", json!({"selector": "main"})),
        (&["links"], "links", json!({"targets": false})),
        (&["links", "--targets"], "links", json!({})),
        (
            &[
                "links",
                "--selector",
                "nav",
                "--visible-only",
                "--limit",
                "5",
                "--href-contains",
                "/x",
                "--offset",
                "7",
            ],
            "links",
            json!({"selector": "nav", "visibleOnly": true, "limit": 5, "hrefContains": "/x", "offset": 7, "targets": false}),
        ),
        (&["images", "--selector", "p"], "images", json!({"selector": "p"})),
        (&["elements", "--form", "--targets"], "elements", json!({"form": true})),
        (
            &[
                "elements",
                "--contains",
                "-1",
                "--role",
                "button",
                "--limit",
                "9",
                "--offset",
                "18",
                "--hidden",
            ],
            "elements",
            json!({"contains": "-1", "role": "button", "limit": 9, "offset": 18, "hidden": true, "targets": false}),
        ),
        (&["outline"], "outline", json!({})),
        (&["dom", "--selector", "p", "--depth", "3"], "dom", json!({"selector": "p", "depth": 3})),
        (
            &["inspect", "--selector", "p", "--properties", "color,display", "--limit", "2"],
            "inspect",
            json!({"selector": "p", "properties": ["color", "display"], "limit": 2}),
        ),
        (
            &["snapshot", "--selector", "p", "--max-depth", "4", "--interactive-only"],
            "snapshot",
            json!({"selector": "p", "maxDepth": 4, "interactiveOnly": true}),
        ),
        (
            &["snapshot", "--contains", "-1", "--since", "k3", "--limit-chars", "900", "--hidden"],
            "snapshot",
            json!({"contains": "-1", "since": "k3", "limitChars": 900, "hidden": true}),
        ),
        (&["scroll"], "scroll", json!({})),
        (
            &["scroll", "--selector", "#a", "--by", "300px", "--direction", "up"],
            "scroll",
            json!({"target": target, "by": "300px", "direction": "up"}),
        ),
        (&["click", "--selector", "#a"], "click", json!({"target": target})),
        (
            &["click", "--route-json", route],
            "click",
            json!({"target": {"route": serde_json::from_str::<Value>(route).unwrap()}}),
        ),
        (&["hover", "--selector", "#a"], "hover", json!({"target": target})),
        (
            &[
                "click", "--role", "button", "--name", "Save", "--exact", "--index", "1",
                "--frame", "f2",
            ],
            "click",
            json!({"target": {"find": {"role": "button", "name": "Save", "exact": true, "nth": 1}, "frame": "f2"}}),
        ),
        (
            &["hover", "--has-text", "-1", "--label", "b", "--placeholder", "c", "--test-id", "d"],
            "hover",
            json!({"target": {"find": {"text": "-1", "label": "b", "placeholder": "c", "testId": "d"}}}),
        ),
        (
            &["click", "--selector", "#a", "--frame", "f1"],
            "click",
            json!({"target": {"selector": "#a", "frame": "f1"}}),
        ),
        (&["scroll", "--frame", "f1"], "scroll", json!({"frame": "f1"})),
        (&["frames"], "frames", json!({})),
        (
            &["find", "--name", "Save", "--limit", "3", "--frame", "f2"],
            "find",
            json!({"name": "Save", "limit": 3, "frame": "f2"}),
        ),
        (&["text", "--frame", "f1"], "text", json!({"frame": "f1"})),
        (
            &["inspect", "--selector", "p", "--frame", "f1"],
            "inspect",
            json!({"selector": "p", "frame": "f1"}),
        ),
        (
            &["fill", "--selector", "#a", "--value", "-x"],
            "fill",
            json!({"target": target, "value": "-x"}),
        ),
        (
            &["fill", "--selector", "#a", "--value", "", "--method", "runtime-api"],
            "fill",
            json!({"target": target, "value": "", "method": "runtime-api"}),
        ),
        (
            &["fill", "--selector", "#a", "--value", "x", "--world", "main", "--keep-focus"],
            "fill",
            json!({"target": target, "value": "x", "world": "main", "blur": false}),
        ),
        (&["fill-form", "--json", &form], "fill-form", json!({"fields": fields})),
        (
            &["select", "--selector", "#a", "--option-text", "Norway"],
            "select",
            json!({"trigger": target, "optionText": "Norway"}),
        ),
        (
            &["wait", "--strategy", "selector", "--target", "#a", "--timeout", "5000"],
            "wait",
            json!({"strategy": "selector", "target": "#a", "timeout": 5000}),
        ),
        (
            &["require-human", "--reason", "sign in", "--for-attach", "x"],
            "require-human",
            json!({"reason": "sign in", "forAttach": "x"}),
        ),
        (
            &["debug", "log", "--id", "a", "--limit", "3"],
            "debug.log",
            json!({"id": "a", "limit": 3}),
        ),
        (&["tab", "close"], "tab.close", json!({})),
    ];
    for (args, action, params) in verbs {
        rig.run(args).await.data();
        let sent = rig.last();
        assert_eq!((sent.action(), sent.params()), (*action, params), "{args:?}");
        let acts = ["tab.close", "navigate", "click", "fill", "fill-form", "select"];
        assert_eq!(sent.json["destructive"], acts.contains(action), "{args:?}");
    }
}

#[tokio::test]
async fn the_verbs_of_sessions_and_debugging_are_answered_by_the_daemon() {
    let daemon = Daemon::start().await;
    let home = &daemon.home;
    let created = run(home, &["session", "create", "--label", "research"]).await.data();
    let session = created["session"].as_str().expect("an id");
    assert_eq!(created["label"], "research");
    let listed = run(home, &["session", "list"]).await.data();
    assert_eq!(listed["sessions"][0]["id"], session);
    let bound = run(home, &["session", "bind", "--pacing", "fast", "-s", session]).await.data();
    assert_eq!(bound["session"], session);
    for verb in
        [["session", "unbind"], ["session", "resume"], ["tab", "list"], ["session", "close"]]
    {
        run(home, &[&verb[..], &["-s", session]].concat()).await.data();
    }
    let last = run(home, &["debug", "last", "--count", "2"]).await.data();
    assert_eq!(last["requests"].as_array().expect("traces").len(), 2);
    for status in [&["debug", "status"][..], &["status"]] {
        assert_eq!(run(home, status).await.data()["daemon"]["port"], daemon.port);
    }
    let health = run(home, &["health"]).await;
    assert_eq!((health.code, &health.json()["status"]), (0, &json!("ok")));
    assert!(health.json()["pid"].is_number(), "the token adds detail: {health:?}");
}

#[tokio::test]
async fn the_session_comes_from_its_flag_or_else_from_the_environment() {
    let rig = Rig::new(|_| None).await;
    let with_variable = |session: &str, args: &[&str]| {
        let mut command = bproxy(&rig.daemon.home.path());
        command.env("BPROXY_SESSION", session).args(args);
        call(command, None)
    };
    with_variable(&rig.session, &["outline"]).await.data();
    with_variable("aaaaaa", &["outline", "--session", &rig.session]).await.data();
    assert_eq!(with_variable("aaaaaa", &["outline"]).await.error(), "SESSION_NOT_FOUND");
    assert_eq!(run(&rig.daemon.home, &["outline"]).await.error(), "SESSION_REQUIRED");
    with_variable("aaaaaa", &["session", "list"]).await.data();
}

#[tokio::test]
async fn a_tab_opens_in_a_session_of_its_own_where_none_is_given() {
    let rig = Rig::new(|_| None).await;
    let opened = run(&rig.daemon.home, &["tab", "open", "https://a.example/"]).await.data();
    assert_ne!(opened["session"], rig.session);
    assert_eq!(rig.last().params(), &json!({"url": "https://a.example/"}));
    assert_eq!(
        rig.run(&["tab", "open", "--url", "https://b.example/"]).await.data()["session"],
        rig.session
    );
}

#[tokio::test]
async fn the_timeout_becomes_the_deadline() {
    let rig = Rig::new(|_| Some(Answer::Silence)).await;
    let before = crate::support::now_ms();
    assert_eq!(rig.run(&["outline", "--timeout", "300"]).await.error(), "TIMEOUT");
    let deadline = rig.last().json["deadline"].as_i64().expect("a deadline");
    // The answer comes on the dot, not earlier.
    assert!((before + 300..=crate::support::now_ms()).contains(&deadline), "{before} {deadline}");
}

#[tokio::test]
async fn a_value_comes_from_a_flag_or_as_a_private_one_from_a_file_or_standard_input() {
    let rig = Rig::new(|_| None).await;
    let text = "first line\n\"second\" – línea\n";
    let file = rig.daemon.home.file("value");
    std::fs::write(&file, text).expect("a file");
    let path = file.to_str().expect("a path");
    rig.run(&["fill", "--selector", "a", "--value-file", path]).await.data();
    let given = |private: Option<bool>| {
        let params = rig.last().params().clone();
        assert_eq!((&params["value"], params["private"].as_bool()), (&json!(text), private));
    };
    given(Some(true));
    rig.run(&["fill", "--selector", "a", "--value", text]).await.data();
    given(None);
    let mut command = bproxy(&rig.daemon.home.path());
    command.args(["fill", "--element", "el1", "--value-stdin", "-s", &rig.session]);
    let refused = call(command, Some(text.as_bytes())).await;
    assert_eq!(refused.error(), "ELEMENT_HANDLE_NOT_FOUND");
    let mut command = bproxy(&rig.daemon.home.path());
    command.args(["fill", "--selector", "a", "--value-stdin", "-s", &rig.session]);
    call(command, Some(text.as_bytes())).await.data();
    given(Some(true));
    let field = json!({"target": {"selector": "a"}, "value": text, "method": "direct", "world": "isolated"});
    let mut told = field.clone();
    told["private"] = json!(false);
    let form = json!([field, told]).to_string();
    std::fs::write(&file, &form).expect("a file");
    for (flags, private) in [(["--file", path], json!(true)), (["--json", &form], json!(null))] {
        rig.run(&[&["fill-form"], &flags[..]].concat()).await.data();
        let fields = rig.last().params()["fields"].clone();
        assert_eq!((&fields[0]["private"], &fields[1]["private"]), (&private, &json!(false)));
    }
    let missing = rig.run(&["fill", "--selector", "a", "--value-file", "/nowhere/at/all"]).await;
    assert!(
        missing.trouble().contains("--value-file") && missing.trouble().contains("/nowhere/at/all")
    );
}

#[tokio::test]
async fn an_invalid_flag_is_named_with_the_valid_values() {
    let home = Home::new();
    for (args, flag, right) in [
        (&["links", "--limit", "0"][..], "--limit", "1 to 5000"),
        (&["wait", "--strategy", "luck", "--target", "x"], "--strategy", "navigation"),
        (&["scroll", "--by", "3 px"], "--by", "viewport"),
        (&["tab", "close", "--tab", "7"], "--tab", "t1"),
        (&["click", "--element", "e1"], "--element", "el1"),
        (&["click"], "--selector", "--route-json"),
        (&["click", "--selector", "a", "--element", "el1"], "--selector", "cannot be used with"),
        (&["fill", "--selector", "a"], "--value", "--value-stdin"),
        (
            &["click", "--route-json", r#"{"hosts":[],"target":"a"}"#],
            "--route-json",
            "one shadow host",
        ),
        (&["click", "--route-json", r#"{"hosts":"a"}"#], "--route-json", "expected {\"hosts\""),
        (&["session", "bind"], "--tab", "--pacing"),
        (&["fill-form", "--json", "[]"], "--json", "1 to 100"),
        (&["outline", "--timeout", "0"], "--timeout", "600000"),
    ] {
        let call = run(&home, args).await;
        let message = call.trouble();
        assert!(message.contains(flag) && message.contains(right), "{args:?}: {message}");
    }
}

// --- what is printed ---

#[tokio::test]
async fn a_failure_is_shown_as_it_came_and_exits_with_1() {
    let rig = Rig::new(|_| Some(Answer::Error("ELEMENT_NOT_FOUND", "no such thing"))).await;
    let call = rig.run(&["click", "--selector", "#a"]).await;
    assert_eq!(call.error(), "ELEMENT_NOT_FOUND");
    assert_eq!(call.json()["error"]["message"], "no such thing");
    assert_eq!(call.stderr, "");
    let daemon = Daemon::start().await;
    assert_eq!(run(&daemon.home, &["tab", "open", "about:blank"]).await.error(), "NO_EXTENSION");
}

#[tokio::test]
async fn a_success_without_effect_is_shown_as_it_came_and_exits_with_1() {
    let target = json!({"selector": "#a"});
    let fields = json!([{"target": target, "value": "x", "method": "direct", "world": "isolated"}]);
    let form = ["fill-form", "--json", &fields.to_string()].map(str::to_owned);
    let result = |filled| json!({"target": target, "filled": filled, "verifiedValue": "y"});
    let verbs = [
        ("fill --selector #a --value x", json!({"filled": false, "verifiedValue": "y"})),
        ("select --selector #a --option-text x", json!({"selected": false, "optionText": "y"})),
        ("wait --strategy url --target x", json!({"matched": false, "elapsed": 1})),
    ];
    let verbs = verbs.map(|(args, data)| (args.split(' ').map(str::to_owned).collect(), data));
    let results = json!({"results": [result(true), result(false), result(true)]});
    for (args, data) in verbs.into_iter().chain([(form.to_vec(), results)]) {
        let rig = Rig::new(always(data.clone())).await;
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let call = rig.run(&args).await;
        assert_eq!(call.without_effect(), data, "{args:?}");
        assert_eq!(call.stderr, "");
    }
    let rig = Rig::new(always(json!({"results": [result(true), result(true)]}))).await;
    rig.run(&["fill-form", "--json", &fields.to_string()]).await.data();
}

#[tokio::test]
async fn the_address_of_a_link_is_looked_up_and_then_gone_to() {
    let address = "https://a.example/?q=$IFS";
    let entry = |more: Value| {
        let mut entry = json!({"tag": "a", "role": "link", "label": "", "text": "", "attributes": {},
            "rect": {"x": 0, "y": 0, "width": 0, "height": 0}, "visible": true, "enabled": true, "styles": {}});
        entry
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        json!({"elements": [entry], "total": 1})
    };
    for (data, goes) in [
        (entry(json!({"selector": "#a", "href": address})), true),
        (entry(json!({"selector": "#a"})), false),
        (json!({"elements": [], "total": 0}), false),
    ] {
        let rig = Rig::new(move |command| match command.action() {
            "links" => Some(Answer::Data(json!({"links": [
                {"text": "a", "href": address, "target": {"selector": "#a"}}], "total": 1}))),
            "inspect" => Some(Answer::Data(data.clone())),
            _ => None,
        })
        .await;
        let link = rig.run(&["links"]).await.data()["links"][0]["handle"].clone();
        let link = link.as_str().expect("a handle");
        let gone = rig.run(&["navigate", "--element", link]).await;
        let looked =
            json!({"selector": "a[href], area[href]", "target": {"selector": "#a"}, "limit": 1});
        if goes {
            gone.data();
            assert_eq!(rig.last().params(), &json!({"url": address}));
        } else {
            assert_eq!(gone.error(), "ELEMENT_NOT_ACTIONABLE");
            assert_eq!(rig.last().params(), &looked);
        }
        // A failed look-up is the answer.
        let unknown = rig.run(&["tab", "open", "--element", "el99"]).await;
        assert_eq!(unknown.error(), "ELEMENT_HANDLE_NOT_FOUND");
        let both = rig.run(&["navigate", "https://a.example/", "--element", link]).await;
        assert!(both.trouble().contains("cannot be used with"), "{both:?}");
    }
}

#[tokio::test]
async fn a_large_answer_comes_whole_and_on_one_line() {
    let text = "a line of text – \"quoted\"\n".repeat(300_000);
    let rig = Rig::new(always(json!({"text": text}))).await;
    assert_eq!(rig.run(&["text"]).await.data()["text"], text);
}

#[tokio::test]
async fn an_excerpt_of_a_text_begins_after_a_marker_and_ends_at_a_limit() {
    let rig = Rig::new(always(json!({"text": "Menu\nResults: één, twee, drie"}))).await;
    let excerpt = rig.run(&["text", "--after", "Results: ", "--limit-chars", "3"]).await;
    assert_eq!(excerpt.data(), json!({"text": "één", "truncated": true}));
    assert_eq!(excerpt.json()["page"]["state"], "ready");
    let whole = rig.run(&["text", "--limit-chars", "1000"]).await.data();
    assert_eq!(whole, json!({"text": "Menu\nResults: één, twee, drie"}));
    assert!(rig.run(&["text", "--after", "vier"]).await.trouble().contains("--after"));
}

#[tokio::test]
async fn a_screenshot_becomes_a_file_whose_path_is_printed() {
    let rig = Rig::new(always(json!({"base64": "aGVsbG8=", "format": "png"}))).await;
    let data = rig.run(&["screenshot", "--activate"]).await.data();
    assert_eq!(rig.last().params(), &json!({"activate": true}));
    assert!(data.get("base64").is_none());
    let path = Path::new(data["path"].as_str().expect("a path"));
    assert_eq!(std::fs::read(path).expect("a file"), b"hello");
    assert_eq!(
        path.parent(),
        Some(&*rig.daemon.home.file(&format!("tmp/sessions/{}", rig.session)))
    );
    let elsewhere = rig.daemon.home.file("pictures");
    let data =
        rig.run(&["screenshot", "--output-dir", elsewhere.to_str().expect("a path")]).await.data();
    assert_eq!(Path::new(data["path"].as_str().expect("a path")).parent(), Some(&*elsewhere));
}

#[tokio::test]
async fn the_token_is_nowhere_in_what_a_call_prints() {
    let rig = Rig::new(|_| None).await;
    let token = &rig.daemon.token;
    for args in [
        &["outline", "-v"][..],
        &["health", "-v"],
        &["status", "-v"],
        &["pair", "-v"],
        &["service", "status"],
    ] {
        let call = rig.run(args).await;
        assert_eq!(call.code, 0, "{call:?}");
        assert!(!call.stdout.contains(token) && !call.stderr.contains(token), "{args:?}");
    }
    assert!(rig.run(&["outline", "-v"]).await.stderr.contains("outline"), "-v tells what is done");
}

// --- whom it talks to ---

#[tokio::test]
async fn without_a_daemon_a_call_says_how_to_start_one() {
    let home = Home::new();
    assert!(run(&home, &["outline"]).await.trouble().contains("bproxy service start"));
    // A daemon that was killed leaves its port and its token behind.
    let killed = Daemon::start().await.kill().await;
    assert!(run(&killed.home, &["outline"]).await.trouble().contains("bproxy service start"));
}

#[tokio::test]
async fn a_token_that_others_can_read_is_not_sent() {
    use std::os::unix::fs::PermissionsExt;
    let daemon = Daemon::start().await;
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(daemon.home.file("token"), open).expect("own file");
    let port = daemon.port.to_string();
    let call = run(&daemon.home, &["session", "list", "--port", &port]).await;
    assert!(call.trouble().contains("token") && call.trouble().contains("chmod 600"), "{call:?}");
    assert_eq!(daemon.records("received"), Vec::<Value>::new());
    let health = run(&daemon.home, &["health", "--port", &port]).await;
    assert_eq!((health.code, &health.json()["status"]), (0, &json!("ok")));
    assert!(
        health.json().get("pid").is_none() && health.stderr.contains("chmod 600"),
        "{health:?}"
    );
}

#[tokio::test]
async fn proxy_variables_are_ignored() {
    let daemon = Daemon::start().await;
    let mut command = bproxy(&daemon.home.path());
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:1");
    }
    command.args(["session", "list"]);
    call(command, None).await.data();
}

#[tokio::test]
async fn a_daemon_that_refuses_the_token_is_reported_with_its_reason() {
    let daemon = Daemon::start().await;
    std::fs::write(daemon.home.file("token"), "0".repeat(64)).expect("own file");
    let port = daemon.port.to_string();
    let call = run(&daemon.home, &["session", "list", "--port", &port]).await;
    assert!(call.trouble().contains("401"), "{call:?}");
}

// --- pairing ---

#[tokio::test]
async fn pair_prints_a_code_that_can_be_claimed() {
    let daemon = Daemon::start().await;
    let data = run(&daemon.home, &["pair"]).await.data();
    let code = data["pairingCode"].as_str().expect("a code");
    assert!(data["pairingExpiresAt"].as_i64().expect("a time") > crate::support::now_ms());
    assert_eq!(daemon.claim(code, &crate::support::origin('a')).await.status(), 200);
}

#[tokio::test]
async fn a_pairing_code_is_shown_to_people_with_a_port_that_is_not_the_default() {
    let daemon = Daemon::start().await;
    let shown = run(&daemon.home, &["pair", "--output", "text"]).await;
    let code = daemon.pairing_code();
    assert!(shown.stdout.contains(&format!("{code}@{}", daemon.port)), "{shown:?}");
    assert_eq!(run(&daemon.home, &["pair"]).await.data()["pairingCode"], daemon.pairing_code());

    let home = daemon.stop().await.home;
    let started = run(&home, &["service", "start", "--output", "text"]).await;
    let issued: Value = serde_json::from_str(&home.read("pairing.json")).expect("JSON");
    let code = issued["pairingCode"].as_str().expect("a code").to_owned();
    let port = home.read("port");
    run(&home, &["service", "stop"]).await;
    assert_eq!(code.len(), 9);
    assert!(started.stdout.contains(&format!("{code}@{}", port.trim())), "{started:?}");
}

/// A person who runs `bproxy pair` in a terminal.
struct Pairing {
    terminal: Terminal,
    child: tokio::process::Child,
    code: String,
}

impl Pairing {
    /// Begun, and waiting for the code to be claimed.
    async fn begun(home: &Home) -> Self {
        use tokio::io::{AsyncBufReadExt, BufReader};

        let (terminal, inside) = Terminal::new();
        let mut command = bproxy(&home.path());
        command.arg("pair").stdin(inside.try_clone().expect("a copy")).stderr(inside);
        let mut child = command.spawn().expect("the bproxy binary runs");
        // The command holds the terminal's inner end; with it the last one goes when the call ends.
        drop(command);
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        patiently("the answer", stdout.read_line(&mut line)).await.expect("a line");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        let code = answer["data"]["pairingCode"].as_str().expect("a code").to_owned();
        assert!(child.try_wait().expect("a child").is_none(), "it waits");
        Self { terminal, child, code }
    }

    /// Its exit status, and what it has shown.
    async fn ended(mut self) -> (Option<i32>, String) {
        let status = patiently("the end", self.child.wait()).await.expect("a child");
        (status.code(), self.terminal.shown())
    }
}

#[tokio::test]
async fn pair_in_a_terminal_waits_until_the_code_is_claimed() {
    let daemon = Daemon::start().await;
    let pairing = Pairing::begun(&daemon.home).await;
    let code = pairing.code.clone();
    assert_eq!(daemon.claim(&code, &crate::support::origin('a')).await.status(), 200);
    let (status, shown) = pairing.ended().await;
    assert_eq!(status, Some(0));
    let code = format!("type {code}@{} into", daemon.port);
    assert!(shown.contains(&code) && shown.contains("left") && shown.contains("paired"), "{shown}");
}

#[tokio::test]
async fn pair_in_a_terminal_ends_when_its_code_is_void_and_says_why() {
    let daemon = Daemon::start().await;
    let pairing = Pairing::begun(&daemon.home).await;
    daemon.send(crate::support::request("pairing.issue")).await.data();
    let (status, shown) = pairing.ended().await;
    assert!(status == Some(2) && shown.contains("another code"), "{status:?} {shown}");
    let pairing = Pairing::begun(&daemon.home).await;
    let _exit = daemon.stop().await;
    let (status, shown) = pairing.ended().await;
    assert!(status == Some(2) && shown.contains("the daemon has stopped"), "{status:?} {shown}");
}

#[tokio::test]
async fn a_session_in_the_environment_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStrExt;
    let home = Home::new();
    let mut command = crate::support::bproxy(&home.path());
    command.args(["session", "list"]).env("BPROXY_SESSION", std::ffi::OsStr::from_bytes(b"\xff"));
    let call = crate::support::call(command, None).await;
    assert!(call.trouble().contains("BPROXY_SESSION") && call.stderr.contains("UTF-8"), "{call:?}");
}
