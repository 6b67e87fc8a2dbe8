//! Sessions and their tabs: creation, binding, pause and resume, closing, and the order in which commands are refused.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Daemon, FakeExtension, Request, Tab, request, wait_for};

async fn info(client: &Client, session: &str) -> Value {
    let sessions = client.send(request("session.list")).await.data()["sessions"].clone();
    let sessions = sessions.as_array().expect("a list").clone();
    sessions.into_iter().find(|info| info["id"] == session).unwrap_or(Value::Null)
}

async fn tabs(client: &Client, session: &str) -> Value {
    let data = client.send(request("tab.list").session(session)).await.data();
    assert_eq!(data["session"], session);
    data["tabs"].clone()
}

async fn bind(client: &Client, session: &str, params: Value) -> Value {
    client.send(request("session.bind").session(session).params(params)).await.data()
}

// --- creation ---

#[tokio::test]
async fn a_session_id_is_six_characters_of_base32_and_never_twice_the_same() {
    let daemon = Daemon::start().await;
    let mut ids = HashSet::new();
    for _ in 0..100 {
        let id = daemon.new_session().await;
        assert!(
            id.len() == 6 && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')),
            "{id}"
        );
        assert!(ids.insert(id));
    }
}

#[tokio::test]
async fn a_new_session_has_its_label_a_private_directory_and_human_pacing() {
    let daemon = Daemon::start().await;
    let create =
        |label: &str| daemon.send(request("session.create").params(json!({"label": label})));
    let data = create("weekly report").await.data();
    let id = data["session"].as_str().expect("an id");
    assert_eq!(data["label"], "weekly report");
    let directory = daemon.home.file(&format!("tmp/sessions/{id}"));
    assert_eq!(data["tmpDir"], directory.to_str().expect("a text path"));
    assert!(directory.is_dir());
    assert_eq!(daemon.home.mode(&format!("tmp/sessions/{id}")), 0o700);
    assert_eq!(
        info(&daemon, id).await,
        json!({"id": id, "label": "weekly report", "tab": null, "pacing": "human", "paused": false})
    );
    // An empty label is none.
    let data = create("").await.data();
    assert_eq!(data.get("label"), None);
    let id = data["session"].as_str().expect("an id");
    assert_eq!(
        info(&daemon, id).await,
        json!({"id": id, "tab": null, "pacing": "human", "paused": false})
    );
}

#[tokio::test]
async fn an_open_without_a_session_creates_one_if_it_succeeds() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let open = || request("tab.open").params(json!({"url": "https://example.org/"}));

    let opening = daemon.begin(open());
    let command = ext.receive().await;
    ext.fail(&command, "NAVIGATION_FAILED", "no such host").await;
    opening.reply().await.error("NAVIGATION_FAILED");
    let drawn = command.json["session"].as_str().expect("a drawn id").to_owned();
    assert!(info(&daemon, &drawn).await.is_null());
    daemon.send(request("text").session(&drawn)).await.error("SESSION_NOT_FOUND");

    let (command, reply) =
        ext.exchange(&daemon, open(), json!({"tabId": 7, "url": "https://example.org/"})).await;
    let data = reply.data();
    assert_eq!(command.json["session"], data["session"]);
    assert_ne!(data["session"], drawn.as_str());
    let session = data["session"].as_str().expect("an id");
    assert_eq!(info(&daemon, session).await["tab"], "t1");
    assert!(std::path::Path::new(data["tmpDir"].as_str().expect("a path")).is_dir());
}

#[tokio::test]
async fn an_open_that_names_no_integer_tab_is_a_script_error() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    for data in [json!({}), json!({"tabId": "7"}), json!({"tabId": null}), json!({"tabId": 1.5})] {
        let open = request("tab.open").params(json!({"url": "about:blank"}));
        let (_, reply) = ext.exchange(&daemon, open, data).await;
        reply.error("SCRIPT_ERROR");
    }
    assert_eq!(daemon.send(request("session.list")).await.data()["sessions"], json!([]));
}

#[tokio::test]
async fn nothing_but_an_open_creates_a_session() {
    let daemon = Daemon::start().await;
    let _ext = daemon.extension().await;
    for action in [
        "text",
        "outline",
        "tab.close",
        "tab.list",
        "debug.log",
        "session.unbind",
        "session.resume",
        "session.close",
    ] {
        daemon.send(request(action)).await.error("SESSION_REQUIRED");
    }
    daemon
        .send(request("session.bind").params(json!({"pacing": "fast"})))
        .await
        .error("SESSION_REQUIRED");
    for action in ["session.create", "session.list", "debug.last", "debug.status", "pairing.issue"]
    {
        daemon.send(request(action)).await.data();
    }
}

#[tokio::test]
async fn sessions_and_tabs_are_limited() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let session = daemon.new_session().await;
    for _ in 0..64 {
        ext.open_tab_in(&daemon, &session).await;
    }
    let open =
        |session: &str| request("tab.open").session(session).params(json!({"url": "about:blank"}));
    daemon.send(open(&session)).await.error("OVERLOADED");
    for _ in 1..256 {
        daemon.new_session().await;
    }
    daemon.send(request("session.create")).await.error("OVERLOADED");
    daemon.send(open("")).await.error("OVERLOADED");
    ext.has_nothing().await;
    // What ends makes room again.
    let (_, reply) = ext.exchange(&daemon, request("tab.close").session(&session), json!({})).await;
    reply.data();
    assert_eq!(ext.open_tab_in(&daemon, &session).await.tab, "t65");
}

#[tokio::test]
async fn opens_under_way_count_as_tabs_and_as_sessions() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let session = daemon.new_session().await;
    let open =
        |session: &str| request("tab.open").session(session).params(json!({"url": "about:blank"}));
    for _ in 0..62 {
        ext.open_tab_in(&daemon, &session).await;
    }
    let mut opens = Vec::new();
    for _ in 0..2 {
        opens.push(daemon.begin(open(&session)));
        ext.receive_action("tab.open").await;
    }
    daemon.send(open(&session)).await.error("OVERLOADED");
    for _ in 1..254 {
        daemon.new_session().await;
    }
    for _ in 0..2 {
        opens.push(daemon.begin(open("")));
        ext.receive_action("tab.open").await;
    }
    daemon.send(open("")).await.error("OVERLOADED");
    daemon.send(request("session.create")).await.error("OVERLOADED");
    ext.has_nothing().await;
}

#[tokio::test]
async fn malformed_and_unknown_sessions_are_distinguished() {
    let daemon = Daemon::start().await;
    for session in
        ["a", "abcde", "abcdefg", "ABCDEF", "abcde1", "abcde8", "abc-ef", " abcdef", "äbcdef"]
    {
        for action in ["text", "tab.list", "session.close"] {
            let error =
                daemon.send(request(action).session(session)).await.error("INVALID_SESSION_ID");
            assert_eq!((&error["category"], &error["retry"]), (&json!("target"), &json!("never")));
        }
    }
    let error =
        daemon.send(request("session.close").session("abcdef")).await.error("SESSION_NOT_FOUND");
    assert_eq!((&error["category"], &error["retry"]), (&json!("target"), &json!("conditional")));
}

// --- tabs and binding ---

#[tokio::test]
async fn tabs_are_numbered_per_session_and_never_reused() {
    let (daemon, mut ext, first) = Daemon::with_tab().await;
    assert_eq!(ext.open_tab_in(&daemon, &first.session).await.tab, "t2");
    let (_, reply) = ext.exchange(&daemon, first.request("tab.close"), json!({})).await;
    assert_eq!(reply.data(), json!({"tab": "t2", "closed": true}));
    assert_eq!(ext.open_tab_in(&daemon, &first.session).await.tab, "t3");
    assert_eq!(ext.open_tab(&daemon).await.tab, "t1", "another session counts for itself");
}

#[tokio::test]
async fn the_next_command_goes_to_the_tab_that_was_bound_last() {
    let (daemon, mut ext, first) = Daemon::with_tab().await;
    let second = ext.open_tab_in(&daemon, &first.session).await;
    let (command, _) = ext.exchange(&daemon, first.request("outline"), json!({})).await;
    assert_eq!(command.tab_id(), Some(second.id), "an open binds its tab");
    assert_eq!(
        bind(&daemon, &first.session, json!({"tab": "t1"})).await,
        json!({"session": first.session, "tab": "t1"})
    );
    let (command, _) = ext.exchange(&daemon, first.request("outline"), json!({})).await;
    assert_eq!(command.tab_id(), Some(first.id));
    // A tab that is named explicitly need not be bound, and naming it binds nothing.
    let pin = first.request("tab.pin").params(json!({"tab": "t2"}));
    let (command, reply) = ext.exchange(&daemon, pin, json!({})).await;
    assert_eq!((command.tab_id(), &reply.data()["tab"]), (Some(second.id), &json!("t2")));
    assert_eq!(command.params(), &json!({"tab": "t2"}));
    assert_eq!(info(&daemon, &first.session).await["tab"], "t1");
}

#[tokio::test]
async fn a_tab_of_another_session_is_distinguished_from_an_unknown_one() {
    let (daemon, mut ext, one) = Daemon::with_tab().await;
    ext.open_tab_in(&daemon, &one.session).await;
    let other = ext.open_tab(&daemon).await;
    for action in ["session.bind", "tab.close", "tab.activate"] {
        let named = |tab: &str| daemon.send(other.request(action).params(json!({"tab": tab})));
        named("t2").await.error("TAB_NOT_IN_SESSION");
        named("t9").await.error("TAB_HANDLE_NOT_FOUND");
        named("t99999999999999999999999").await.error("TAB_HANDLE_NOT_FOUND");
    }
    ext.has_nothing().await;
}

#[tokio::test]
async fn unbinding_takes_the_tab_away_and_may_be_repeated() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for _ in 0..2 {
        assert_eq!(daemon.send(tab.request("session.unbind")).await.data(), json!({}));
        daemon.send(tab.request("text")).await.error("TAB_NOT_FOUND");
    }
    assert_eq!(info(&daemon, &tab.session).await["tab"], Value::Null);
    assert_eq!(tabs(&daemon, &tab.session).await[0]["bound"], false, "the tab itself stays");
    bind(&daemon, &tab.session, json!({"tab": "t1"})).await;
    ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
}

#[tokio::test]
async fn a_closed_tab_is_gone_and_an_unbound_one_leaves_the_binding_alone() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    ext.open_tab_in(&daemon, &tab.session).await;
    let close = tab.request("tab.close").params(json!({"tab": "t1"}));
    ext.exchange(&daemon, close.clone().named("close-1"), json!({})).await.1.data();
    assert_eq!(info(&daemon, &tab.session).await["tab"], "t2");
    daemon.send(close.named("close-2")).await.error("TAB_HANDLE_NOT_FOUND");
    ext.exchange(&daemon, tab.request("tab.close"), json!({})).await.1.data();
    assert_eq!(info(&daemon, &tab.session).await["tab"], Value::Null);
    assert_eq!(tabs(&daemon, &tab.session).await, json!([]));
    daemon.send(tab.request("tab.close")).await.error("TAB_NOT_FOUND");
}

#[tokio::test]
async fn a_refused_close_leaves_the_tab_where_it_is() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let closing = daemon.begin(tab.request("tab.close"));
    let command = ext.receive().await;
    ext.fail(&command, "SCRIPT_ERROR", "the page objects").await;
    closing.reply().await.error("SCRIPT_ERROR");
    assert_eq!(info(&daemon, &tab.session).await["tab"], "t1");
}

#[tokio::test]
async fn the_tab_list_follows_answers_and_navigations() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    assert_eq!(
        tabs(&daemon, &tab.session).await,
        json!([{"tab": "t1", "url": tab.url, "title": "A page", "bound": true}])
    );
    ext.navigated(tab.id, "https://example.org/next?q=1").await;
    assert_eq!(
        tabs(&daemon, &tab.session).await,
        json!([{"tab": "t1", "url": "https://example.org/next?q=1", "title": "", "bound": true}])
    );
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let mut answer = ext.success(&command, json!({"text": ""}));
    answer["page"]["title"] = json!("Next");
    ext.send(answer.to_string()).await;
    reading.reply().await.data();
    assert_eq!(
        tabs(&daemon, &tab.session).await,
        json!([{"tab": "t1", "url": "https://example.org/next?q=1", "title": "Next", "bound": true}])
    );
}

#[tokio::test]
async fn a_tab_that_the_extension_reports_gone_is_dropped_with_its_queue() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let first = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let queued: Vec<_> = (0..3).map(|_| daemon.begin(tab.request("outline"))).collect();
    for waiting in &queued {
        daemon.admitted(&waiting.id).await;
    }
    ext.fail(&command, "TAB_NOT_FOUND", "no tab with that id").await;
    first.reply().await.error("TAB_NOT_FOUND");
    for waiting in queued {
        waiting.reply().await.error("TAB_NOT_FOUND");
    }
    assert_eq!(tabs(&daemon, &tab.session).await, json!([]));
    daemon.send(tab.request("text")).await.error("TAB_NOT_FOUND");
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_waiting_command_keeps_the_tab_that_it_was_admitted_for() {
    let (daemon, mut ext, first) = Daemon::with_tab().await;
    let second = ext.open_tab_in(&daemon, &first.session).await;
    let stuck = daemon.begin(first.request("text"));
    let stuck_command = ext.receive().await;
    assert_eq!(stuck_command.tab_id(), Some(second.id));
    let waiting = daemon.begin(first.request("outline"));
    daemon.admitted(&waiting.id).await;
    bind(&daemon, &first.session, json!({"tab": "t1"})).await;
    ext.exchange(&daemon, first.request("images"), json!({})).await.1.data();
    daemon.send(first.request("session.unbind")).await.data();
    ext.answer(&stuck_command, json!({"text": ""})).await;
    stuck.reply().await.data();
    let command = ext.receive_action("outline").await;
    assert_eq!(command.tab_id(), Some(second.id));
    ext.answer(&command, json!({})).await;
    waiting.reply().await.data();
}

#[tokio::test]
async fn a_waiting_command_whose_tab_is_closed_is_refused_at_the_head_of_its_queue() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let closing = daemon.begin(tab.request("tab.close"));
    let command = ext.receive_action("tab.close").await;
    let waiting = daemon.begin(tab.request("text"));
    daemon.admitted(&waiting.id).await;
    ext.answer(&command, json!({})).await;
    closing.reply().await.data();
    waiting.reply().await.error("TAB_NOT_FOUND");
    ext.has_nothing().await;
}

// --- pause and resume ---

/// Makes the extension answer a command of `tab` with HUMAN_REQUIRED.
async fn pause(daemon: &Daemon, ext: &mut crate::support::FakeExtension, tab: &Tab, reason: &str) {
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    ext.fail(&command, "HUMAN_REQUIRED", reason).await;
    let error = reading.reply().await.error("HUMAN_REQUIRED");
    assert_eq!((&error["category"], &error["retry"]), (&json!("policy"), &json!("conditional")));
    assert_eq!(error["message"], reason);
}

#[tokio::test]
async fn a_session_that_needs_a_person_is_paused_until_it_is_resumed() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let bystander = ext.open_tab(&daemon).await;
    pause(&daemon, &mut ext, &tab, "Sign in to example.org, please.").await;

    let paused = info(&daemon, &tab.session).await;
    assert_eq!(
        (&paused["paused"], &paused["pauseReason"]),
        (&json!(true), &json!("Sign in to example.org, please."))
    );
    let refused = [
        tab.request("text"),
        tab.request("debug.log"),
        tab.request("tab.close"),
        tab.request("tab.open").params(json!({"url": "about:blank"})),
        tab.request("require-human").params(json!({"reason": "again"})),
    ];
    for refused in refused {
        let error = daemon.send(refused).await.error("HUMAN_REQUIRED");
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|message| message.contains("Sign in to example.org, please."))
        );
    }
    ext.has_nothing().await;
    // What the daemon answers by itself goes on working, and so do the others.
    for local in ["tab.list", "session.list", "debug.last", "debug.status"] {
        daemon.send(tab.request(local)).await.data();
    }
    bind(&daemon, &tab.session, json!({"pacing": "fast"})).await;
    assert_eq!(info(&daemon, &tab.session).await["paused"], true);
    ext.exchange(&daemon, bystander.request("text"), json!({"text": ""})).await.1.data();

    for _ in 0..2 {
        ext.resume(&tab.session).await;
    }
    let resumed = info(&daemon, &tab.session).await;
    assert_eq!((resumed["paused"].clone(), resumed.get("pauseReason")), (json!(false), None));
    ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
}

#[tokio::test]
async fn unbinding_leaves_a_pause() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    pause(&daemon, &mut ext, &tab, "A riddle.").await;
    daemon.send(tab.request("session.unbind")).await.data();
    let info = info(&daemon, &tab.session).await;
    assert_eq!((&info["paused"], &info["tab"]), (&json!(true), &Value::Null));
    daemon.send(tab.request("text")).await.error("HUMAN_REQUIRED");
    ext.resume(&tab.session).await;
    daemon.send(tab.request("text")).await.error("TAB_NOT_FOUND");
}

#[tokio::test]
async fn a_client_does_not_resume_what_a_person_can_resume() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    pause(&daemon, &mut ext, &tab, "A riddle.").await;
    let error = daemon.send(tab.request("session.resume")).await.error("PERSON_REQUIRED");
    assert_eq!((&error["category"], &error["retry"]), (&json!("policy"), &json!("conditional")));
    let wait = format!("bproxy session wait -s {}", tab.session);
    assert_eq!(error["suggestedAction"], wait.as_str());
    let refused = daemon.send(tab.request("text")).await.error("HUMAN_REQUIRED");
    assert_eq!(refused["suggestedAction"], wait.as_str());

    // Neither by letting go of the tab, nor while the browser is away.
    daemon.send(tab.request("session.unbind")).await.data();
    daemon.send(tab.request("session.resume")).await.error("PERSON_REQUIRED");
    drop(ext);
    daemon.record("ws_disconnect", |_| true).await;
    daemon.send(tab.request("session.resume")).await.error("PERSON_REQUIRED");
    assert_eq!(info(&daemon, &tab.session).await["paused"], true);
}

#[tokio::test]
async fn a_client_resumes_a_session_that_no_person_can_resume() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.anonymous_extension().await;
    let tab = ext.open_tab(&daemon).await;
    pause(&daemon, &mut ext, &tab, "A riddle.").await;
    for _ in 0..2 {
        assert_eq!(
            daemon.send(tab.request("session.resume")).await.data(),
            json!({"session": tab.session})
        );
    }
    ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
    let empty = daemon.new_session().await;
    daemon.send(request("session.resume").session(&empty)).await.data();
}

#[tokio::test]
async fn a_person_may_let_every_client_resume() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for (number, word, resumes) in [(1, "anyone", true), (2, "person", false)] {
        let settings = format!("BPROXY_RESUME={word}\n");
        std::fs::write(daemon.home.file("config.env"), settings).expect("own directory");
        daemon.signal(Signal::HUP);
        wait_for("the reload", || (daemon.home.records("reload").len() == number).then_some(()))
            .await;
        pause(&daemon, &mut ext, &tab, "A riddle.").await;
        let resumed = daemon.send(tab.request("session.resume")).await.json();
        assert_eq!(resumed["ok"], resumes, "{word}: {resumed}");
        assert_eq!(info(&daemon, &tab.session).await["paused"], !resumes, "{word}");
    }
}

#[tokio::test]
async fn a_command_that_waits_while_its_session_pauses_is_refused_at_the_head_of_its_queue() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let first = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let waiting = daemon.begin(tab.request("outline"));
    daemon.admitted(&waiting.id).await;
    ext.fail(&command, "HUMAN_REQUIRED", "A riddle.").await;
    first.reply().await.error("HUMAN_REQUIRED");
    let error = waiting.reply().await.error("HUMAN_REQUIRED");
    assert!(
        error["message"].as_str().is_some_and(|message| message.contains("A riddle.")),
        "{error}"
    );
    ext.has_nothing().await;
}

// --- closing ---

#[tokio::test]
async fn closing_a_session_closes_its_tabs_and_leaves_nothing_behind() {
    let (daemon, mut ext, first) = Daemon::with_tab().await;
    let second = ext.open_tab_in(&daemon, &first.session).await;
    let third = ext.open_tab_in(&daemon, &first.session).await;
    let bystander = ext.open_tab(&daemon).await;
    let directory = daemon.home.file(&format!("tmp/sessions/{}", first.session));
    assert!(directory.is_dir());
    std::fs::write(directory.join("shot.png"), "a file that a command left")
        .expect("a file in the session's directory");

    let closing = daemon.begin(first.request("session.close"));
    let mut targets = HashSet::new();
    let mut ids = HashSet::new();
    for _ in 0..3 {
        let command = ext.receive_action("tab.close").await;
        assert_eq!(command.json.as_object().expect("an envelope").len(), 8, "{}", command.raw);
        ids.insert(command.id().to_owned());
        let tab = command.tab_id().expect("a tab");
        targets.insert(tab);
        if tab == second.id {
            // Not confirmed, hence not counted.
            ext.fail(&command, "SCRIPT_ERROR", "the tab objects").await;
        } else {
            ext.answer(&command, json!({})).await;
        }
    }
    assert_eq!(targets, HashSet::from([first.id, second.id, third.id]));
    assert_eq!(ids.len(), 3);
    assert_eq!(closing.reply().await.data(), json!({"session": first.session, "closedTabs": 2}));

    assert!(!directory.exists());
    assert!(info(&daemon, &first.session).await.is_null());
    let traces =
        daemon.send(request("debug.last").params(json!({"count": 200}))).await.data()["requests"]
            .clone();
    let actions: Vec<_> =
        traces.as_array().expect("a list").iter().map(|trace| trace["action"].clone()).collect();
    assert!(
        actions.contains(&json!("session.close")) && !actions.contains(&json!("tab.close")),
        "{actions:?}"
    );
    for action in ["text", "tab.list", "session.resume", "session.close"] {
        daemon.send(first.request(action)).await.error("SESSION_NOT_FOUND");
    }
    ext.exchange(&daemon, bystander.request("text"), json!({"text": ""})).await.1.data();
}

#[tokio::test]
async fn the_close_of_a_sessions_tab_is_not_replayed() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension_named("browser").await;
    let tab = ext.open_tab(&daemon).await;
    let closing = daemon.begin(tab.request("session.close").within(Duration::from_millis(1500)));
    ext.receive_action("tab.close").await;
    drop(ext);
    daemon.record("ws_disconnect", |_| true).await;
    let mut ext = daemon.extension_named("browser").await;
    ext.has_nothing().await;
    assert_eq!(closing.reply().await.data()["closedTabs"], 0);
    ext.has_nothing().await;
}

#[tokio::test]
async fn an_open_that_needs_a_person_creates_no_session() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let opening = daemon.begin(request("tab.open").params(json!({"url": "about:blank"})));
    let command = ext.receive().await;
    ext.fail(&command, "HUMAN_REQUIRED", "A riddle.").await;
    opening.reply().await.error("HUMAN_REQUIRED");
    assert_eq!(daemon.send(request("session.list")).await.data()["sessions"], json!([]));
}

#[tokio::test]
async fn closing_a_session_reaches_the_tabs_of_every_browser() {
    let daemon = Daemon::start().await;
    let mut away = daemon.extension_named("away").await;
    let tab = away.open_tab(&daemon).await;
    let mut here = daemon.extension_named("here").await;
    drop(away);
    daemon.record("ws_disconnect", |_| true).await;
    here.open_tab_in(&daemon, &tab.session).await;
    let mut away = daemon.extension_named("away").await;
    let closing = daemon.begin(tab.request("session.close"));
    for ext in [&mut away, &mut here] {
        let command = ext.receive_action("tab.close").await;
        ext.answer(&command, json!({})).await;
    }
    assert_eq!(closing.reply().await.data()["closedTabs"], 2);
}

#[tokio::test]
async fn opens_at_the_same_time_get_tabs_of_their_own() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let session = daemon.new_session().await;
    let open = || {
        daemon.begin(request("tab.open").session(&session).params(json!({"url": "about:blank"})))
    };
    let opening = [open(), open(), open()];
    let commands = [ext.receive().await, ext.receive().await, ext.receive().await];
    for (index, command) in commands.iter().enumerate().rev() {
        ext.answer(command, json!({"tabId": 100 + index, "url": "about:blank"})).await;
    }
    let mut names = HashSet::new();
    for open in opening {
        names.insert(open.reply().await.data()["tab"].as_str().expect("a tab").to_owned());
    }
    assert_eq!(names, HashSet::from(["t1", "t2", "t3"].map(str::to_owned)));
    assert_eq!(tabs(&daemon, &session).await.as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn closing_a_session_ends_its_commands_at_once() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let stuck = daemon.begin(tab.request("text"));
    ext.receive_action("text").await;
    let queued: Vec<_> = (0..3).map(|_| daemon.begin(tab.request("outline"))).collect();
    for waiting in &queued {
        daemon.admitted(&waiting.id).await;
    }
    let closing = daemon.begin(tab.request("session.close"));
    let close = ext.receive_action("tab.close").await;
    // All of them end while the close itself is still unanswered.
    stuck.reply().await.error("SESSION_NOT_FOUND");
    for waiting in queued {
        waiting.reply().await.error("SESSION_NOT_FOUND");
    }
    daemon.send(tab.request("tab.list")).await.error("SESSION_NOT_FOUND");
    assert!(!closing.has_reply());
    ext.answer(&close, json!({})).await;
    assert_eq!(closing.reply().await.data()["closedTabs"], 1);
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_silent_extension_delays_a_close_until_just_before_the_deadline() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let started = Instant::now();
    let close = tab.request("session.close").within(Duration::from_millis(800));
    assert_eq!(daemon.send(close).await.data()["closedTabs"], 0);
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(500) && took < Duration::from_secs(3), "{took:?}");
    ext.receive_action("tab.close").await;
}

#[tokio::test]
async fn a_session_without_tabs_or_without_a_browser_closes_at_once() {
    let daemon = Daemon::start().await;
    let session = daemon.new_session().await;
    let data = daemon.send(request("session.close").session(&session)).await.data();
    assert_eq!(data, json!({"session": session, "closedTabs": 0}));

    let mut ext = daemon.extension().await;
    let tab = ext.open_tab(&daemon).await;
    ext.close().await;
    daemon.record("ws_disconnect", |_| true).await;
    let started = Instant::now();
    assert_eq!(daemon.send(tab.request("session.close")).await.data()["closedTabs"], 0);
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn an_open_that_outlives_its_session_is_closed_again() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let session = daemon.new_session().await;
    let opening =
        daemon.begin(request("tab.open").session(&session).params(json!({"url": "about:blank"})));
    let open = ext.receive_action("tab.open").await;
    assert_eq!(
        daemon.send(request("session.close").session(&session)).await.data()["closedTabs"],
        0
    );
    opening.reply().await.error("SESSION_NOT_FOUND");
    ext.answer(&open, json!({"tabId": 4711, "url": "about:blank"})).await;
    let close = ext.receive_action("tab.close").await;
    assert_eq!(close.tab_id(), Some(4711));
}

#[tokio::test]
async fn a_closed_session_does_not_come_back() {
    let daemon = Daemon::start().await;
    let tab = daemon.extension().await.open_tab(&daemon).await;
    daemon.send(tab.request("session.close")).await.data();
    let daemon = daemon.restart().await;
    daemon.send(tab.request("text")).await.error("SESSION_NOT_FOUND");
    assert!(!daemon.home.file(&format!("tmp/sessions/{}", tab.session)).exists());
}

// --- the order of refusals ---

/// Reasons to refuse a command, in the order in which they count.
const REFUSALS: [&str; 9] = [
    "BAD_REQUEST",
    "SESSION_REQUIRED",
    "INVALID_SESSION_ID",
    "SESSION_NOT_FOUND",
    "NO_EXTENSION",
    "HUMAN_REQUIRED",
    "TAB_NOT_FOUND",
    "ELEMENT_HANDLE_NOT_FOUND",
    "TIMEOUT",
];

/// Sends every combination of faults that `sessions` (each with the fault it stands for) allow, and requires the first
/// fault in order to be the answer; `always` are faults of the daemon's own state.
async fn refuses_in_order(daemon: &Daemon, sessions: &[(&str, &[&str])], always: &[&str]) {
    let fine = json!({"target": {"selector": "#save"}});
    let unknown_handle = json!({"target": {"handle": "el99"}});
    let ill_formed = json!({"target": {}});
    for (session, session_faults) in sessions {
        for (params, params_fault) in [
            (&fine, None),
            (&unknown_handle, Some("ELEMENT_HANDLE_NOT_FOUND")),
            (&ill_formed, Some("BAD_REQUEST")),
        ] {
            for is_late in [false, true] {
                let mut faults: Vec<&str> =
                    session_faults.iter().chain(always).copied().chain(params_fault).collect();
                let mut click = request("click").session(session).params(params.clone());
                if is_late {
                    faults.push("TIMEOUT");
                    click = click.set("deadline", 1);
                }
                let rank = |fault: &str| {
                    REFUSALS.iter().position(|known| *known == fault).unwrap_or(usize::MAX)
                };
                let Some(expected) = faults.iter().copied().min_by_key(|fault| rank(fault)) else {
                    continue;
                };
                let body = daemon.send(click).await.json();
                assert_eq!(
                    body["error"]["code"], expected,
                    "{session:?}, {params}, late: {is_late}: {body}"
                );
            }
        }
    }
}

#[tokio::test]
async fn of_several_refusals_the_first_in_order_is_returned() {
    let (daemon, mut ext, bound) = Daemon::with_tab().await;
    let paused = ext.open_tab(&daemon).await;
    pause(&daemon, &mut ext, &paused, "A riddle.").await;
    let unbound = daemon.new_session().await;
    // An open that needs a person pauses a session that has no tab yet.
    let paused_unbound = daemon.new_session().await;
    let opening = daemon
        .begin(request("tab.open").session(&paused_unbound).params(json!({"url": "about:blank"})));
    let command = ext.receive().await;
    ext.fail(&command, "HUMAN_REQUIRED", "A riddle.").await;
    opening.reply().await.error("HUMAN_REQUIRED");

    let sessions: [(&str, &[&str]); 7] = [
        ("", &["SESSION_REQUIRED"]),
        ("NOPE", &["INVALID_SESSION_ID"]),
        ("zzzzzz", &["SESSION_NOT_FOUND"]),
        (&paused_unbound, &["HUMAN_REQUIRED", "TAB_NOT_FOUND"]),
        (&paused.session, &["HUMAN_REQUIRED"]),
        (&unbound, &["TAB_NOT_FOUND"]),
        (&bound.session, &[]),
    ];
    // Without any other fault a command would be forwarded: to an extension that answers by itself.
    let serving = ext.serve(|_| Some(Answer::Data(json!({}))));
    refuses_in_order(&daemon, &sessions, &[]).await;
    assert!(serving.seen().is_empty());

    drop(serving);
    daemon.record("ws_disconnect", |_| true).await;
    refuses_in_order(&daemon, &sessions, &["NO_EXTENSION"]).await;
}

#[tokio::test]
async fn a_full_daemon_is_the_last_reason_to_refuse() {
    let (daemon, mut ext, bound) = Daemon::with_tab().await;
    let paused = ext.open_tab(&daemon).await;
    pause(&daemon, &mut ext, &paused, "A riddle.").await;
    let unbound = daemon.new_session().await;
    let pending: Vec<_> = (0..100).map(|_| daemon.begin(bound.request("outline"))).collect();
    for waiting in &pending {
        daemon.admitted(&waiting.id).await;
    }
    let sessions: [(&str, &[&str]); 6] = [
        ("", &["SESSION_REQUIRED"]),
        ("NOPE", &["INVALID_SESSION_ID"]),
        ("zzzzzz", &["SESSION_NOT_FOUND"]),
        (&paused.session, &["HUMAN_REQUIRED"]),
        (&unbound, &["TAB_NOT_FOUND"]),
        (&bound.session, &["OVERLOADED"]),
    ];
    refuses_in_order(&daemon, &sessions, &["OVERLOADED"]).await;
    // What the daemon answers by itself is never refused for that.
    let local: [Request; 2] = [request("session.list"), bound.request("tab.list")];
    for local in local {
        daemon.send(local).await.data();
    }
    // And a close reaches the extension all the same.
    let closing = daemon.begin(bound.request("session.close"));
    loop {
        let command = ext.receive().await;
        if command.action() == "tab.close" {
            assert_eq!(command.tab_id(), Some(bound.id));
            ext.answer(&command, json!({})).await;
            break;
        }
    }
    assert_eq!(closing.reply().await.data()["closedTabs"], 1);
    for pending in pending {
        pending.reply().await.error("SESSION_NOT_FOUND");
    }
}

/// The browser says that a page has opened a tab.
async fn opened(ext: &mut FakeExtension, session: &str, opener: i64, tab: i64) {
    let told = json!({"type": "tab", "session": session, "opener": opener, "tabId": tab, "url": "https://example.org/new"});
    ext.send(told.to_string()).await;
    ext.fence().await;
}

#[tokio::test]
async fn a_tab_that_an_act_opens_becomes_one_of_its_session_which_stays_where_it_is() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    opened(&mut ext, &tab.session, tab.id, 70).await;
    opened(&mut ext, &tab.session, tab.id, 70).await;
    let list = daemon.send(request("tab.list").session(&tab.session)).await.data().clone();
    let tabs = list["tabs"].as_array().expect("tabs");
    assert_eq!(tabs.len(), 2, "told twice, it is one: {list}");
    assert_eq!((&tabs[0]["bound"], &tabs[1]["bound"]), (&json!(true), &json!(false)));
    assert_eq!(
        (&tabs[1]["tab"], &tabs[1]["url"]),
        (&json!("t2"), &json!("https://example.org/new"))
    );

    // Its opener is no tab of the session: it is closed.
    opened(&mut ext, &tab.session, 999, 71).await;
    let close = ext.receive_action("tab.close").await;
    assert_eq!(close.tab_id(), Some(71));
    let list = daemon.send(request("tab.list").session(&tab.session)).await.data().clone();
    assert_eq!(list["tabs"].as_array().expect("tabs").len(), 2);
}

#[tokio::test]
async fn a_tab_that_an_act_opens_in_a_session_without_room_is_closed() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for other in 1..64 {
        opened(&mut ext, &tab.session, tab.id, 1_000 + other).await;
    }
    opened(&mut ext, &tab.session, tab.id, 5_000).await;
    let close = ext.receive_action("tab.close").await;
    assert_eq!(close.tab_id(), Some(5_000));
    let list = daemon.send(request("tab.list").session(&tab.session)).await.data().clone();
    assert_eq!(list["tabs"].as_array().expect("tabs").len(), 64);
    // An act names no tab that is none of the session's.
    let effects =
        json!({"effects": {"opened": [{"tabId": 5_000, "url": "https://example.org/new"}]}});
    let (_, reply) = ext.exchange(&daemon, tab.request("scroll"), effects).await;
    assert_eq!(
        reply.data()["effects"]["opened"],
        json!([{"url": "https://example.org/new"}]),
        "it was opened, and is no tab of the session"
    );
}
