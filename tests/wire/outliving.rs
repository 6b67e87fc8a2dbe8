//! What outlives the daemon (protocol §5), and asking the next one about a command.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::support::{Daemon, FakeExtension, Home, Tab, request};

/// The sessions as `session.list` tells them.
async fn sessions(daemon: &Daemon) -> Vec<Value> {
    let data = daemon.send(request("session.list")).await.data();
    data["sessions"].as_array().expect("sessions").clone()
}

/// A daemon with a browser that numbers elements, `a`, and two sessions in it: one with two tabs and a label, and one that
/// is paused.
async fn busy() -> (Daemon, FakeExtension, [Tab; 2]) {
    let daemon = Daemon::start().await;
    let mut extension = daemon.numbering_extension("a").await;
    let first = extension.open_tab(&daemon).await;
    let paused = extension.open_tab(&daemon).await;
    let text = daemon.begin(paused.request("text"));
    let command = extension.receive().await;
    extension.fail(&command, "HUMAN_REQUIRED", "sign in").await;
    text.reply().await.error("HUMAN_REQUIRED");
    (daemon, extension, [first, paused])
}

#[tokio::test]
async fn sessions_come_back_after_any_end_of_the_daemon() {
    for kill in [false, true] {
        let (daemon, _, [first, paused]) = busy().await;
        let create = request("session.create").params(json!({"label": "mail"}));
        let labelled = daemon.send(create).await.data();
        let note = daemon.home.file(&format!("tmp/sessions/{}/note", first.session));
        fs::write(&note, "kept").expect("an own directory");
        let before = sessions(&daemon).await;
        assert_eq!((&before[0]["pacing"], &before[0]["tab"]), (&json!("fast"), &json!(first.tab)));
        assert_eq!(before[1]["pauseReason"], "sign in");

        let daemon = if kill { daemon.kill_and_restart().await } else { daemon.restart().await };
        assert_eq!(sessions(&daemon).await, before, "killed: {kill}");
        assert_eq!(fs::read_to_string(&note).expect("a note"), "kept");
        let dir = labelled["tmpDir"].as_str().expect("a directory");
        assert_eq!(fs::metadata(dir).expect("its directory").mode() & 0o777, 0o700);

        daemon.send(first.request("text")).await.error("NO_EXTENSION");
        daemon.send(paused.request("session.resume")).await.error("PERSON_REQUIRED");
        let held = [(first.id, &*first.session), (paused.id, &*paused.session)];
        let mut extension = daemon.holding_extension("a", &held).await;
        daemon.send(paused.request("text")).await.error("HUMAN_REQUIRED");
        extension.resume(&paused.session).await;
        for tab in [&first, &paused] {
            let (command, reply) =
                extension.exchange(&daemon, tab.request("text"), json!({"text": "x"})).await;
            assert_eq!(command.tab_id(), Some(tab.id));
            assert_eq!(reply.data()["text"], "x");
        }
        let next = daemon.begin(first.request("tab.open").params(json!({"url": first.url})));
        let command = extension.receive().await;
        extension.answer(&command, json!({"tabId": 99, "url": first.url})).await;
        assert_eq!(next.reply().await.data()["tab"], "t2");
    }
}

#[tokio::test]
async fn tabs_that_a_returning_browser_does_not_list_are_dropped() {
    let (daemon, _, [first, paused]) = busy().await;
    let daemon = daemon.kill_and_restart().await;
    let mut extension = daemon.holding_extension("a", &[(paused.id, &paused.session)]).await;
    daemon.send(first.request("text")).await.error("TAB_NOT_FOUND");
    let tabs = daemon.send(first.request("tab.list")).await.data();
    assert_eq!(tabs["tabs"], json!([]));
    extension.fence().await;
    let shown: Vec<_> = extension.states.iter().map(|state| &state[0]["session"]).collect();
    assert_eq!(shown, [&json!(paused.session)]);
}

#[tokio::test]
async fn a_browser_that_holds_tabs_is_told_that_there_are_no_sessions_for_them() {
    let daemon = Daemon::start().await;
    let mut extension = daemon.holding_extension("a", &[(7, "m4q7z2")]).await;
    extension.fence().await;
    assert_eq!(extension.states, [json!([])]);
}

#[tokio::test]
async fn a_plain_clients_tabs_do_not_come_back_and_its_sessions_do() {
    let daemon = Daemon::start().await;
    let mut plain = daemon.anonymous_extension().await;
    let tab = plain.open_tab(&daemon).await;
    drop(plain);
    let daemon = daemon.restart().await;
    let mut plain = daemon.anonymous_extension().await;
    let listed = sessions(&daemon).await;
    assert_eq!((&listed[0]["id"], &listed[0]["tab"]), (&json!(tab.session), &json!(null)));
    daemon.send(tab.request("text")).await.error("TAB_NOT_FOUND");
    let open = daemon.begin(tab.request("tab.open").params(json!({"url": tab.url})));
    let command = plain.receive().await;
    plain.answer(&command, json!({"tabId": tab.id, "url": tab.url})).await;
    assert_eq!(open.reply().await.data()["tab"], "t2", "ordinals are never used again");
}

#[tokio::test]
async fn what_a_command_changed_is_saved_before_its_answer() {
    let home = Home::new();
    let mut known = Vec::new();
    for round in 0..10 {
        let daemon = home.clone().daemon().start().await;
        assert_eq!(sessions(&daemon).await, known, "round {round}");
        let session = daemon.new_session().await;
        if round % 2 == 0 {
            let bind = request("session.bind").session(&session).params(json!({"pacing": "fast"}));
            daemon.send(bind).await.data();
        }
        known = sessions(&daemon).await;
        daemon.kill().await;
    }
    assert_eq!(known.len(), 10);
}

#[tokio::test]
async fn a_read_and_an_act_write_nothing() {
    let (daemon, mut extension, [tab, _]) = busy().await;
    extension.navigated(tab.id, tab.url).await;
    let file = daemon.home.file("sessions.json");
    let identity = || fs::metadata(&file).map(|it| (it.ino(), it.mtime_nsec())).expect("a file");
    let before = identity();
    for (action, data) in [
        ("elements", json!({"elements": [{"n": 1, "tag": "a"}]})),
        ("text", json!({"text": "x"})),
        ("links", json!({"links": [{"n": 1, "text": "a"}], "total": 1})),
    ] {
        extension.exchange(&daemon, tab.request(action), data).await.1.data();
    }
    let click = tab.request("click").params(json!({"target": {"handle": "el1"}}));
    extension.exchange(&daemon, click, json!({"clicked": true})).await.1.data();
    assert_eq!(identity(), before);
}

#[tokio::test]
async fn a_damaged_file_gives_the_sessions_before_and_two_a_clear_word() {
    let (daemon, _, _) = busy().await;
    let listed = sessions(&daemon).await;
    let home = daemon.stop().await.home;
    let (last, before) = (home.file("sessions.json"), home.file("sessions.json~"));
    let whole = fs::read(&last).expect("sessions");
    assert_eq!(fs::metadata(&last).expect("sessions").mode() & 0o777, 0o600);
    let kept = fs::read(&before).expect("sessions");
    // Every byte is tried beside the file itself.
    for cut in (0..whole.len()).step_by(whole.len() / 8) {
        fs::write(&last, &whole[..cut]).expect("an own file");
        fs::write(&before, &kept).expect("an own file");
        let daemon = home.clone().daemon().start().await;
        assert_eq!(sessions(&daemon).await, listed, "cut at {cut}");
        assert_eq!(daemon.records("sessions_lost"), [] as [Value; 0]);
        daemon.kill().await;
    }
    fs::write(&last, &whole[..9]).expect("an own file");
    fs::write(&before, "").expect("an own file");
    let daemon = home.daemon().start().await;
    assert_eq!(sessions(&daemon).await, [] as [Value; 0]);
    let lost = daemon.record("sessions_lost", |_| true).await;
    assert_eq!(lost["level"], "warn");
    assert!(lost["problem"].as_str().is_some_and(|it| it.contains("damaged")), "{lost}");
    assert_eq!(fs::read(daemon.home.file("sessions.json.damaged")).expect("it"), &whole[..9]);
    assert!(daemon.home.file("sessions.json~.damaged").exists());
    daemon.new_session().await;
    assert_eq!(sessions(&daemon.kill_and_restart().await).await.len(), 1);
}

#[tokio::test]
async fn the_file_of_the_sessions_holds_nothing_of_a_page() {
    let (daemon, mut extension, [tab, _]) = busy().await;
    extension.navigated(tab.id, "https://secret.example/path?token=1").await;
    let title = json!({"url": "https://secret.example/", "title": "secret", "state": "ready", "busy": false});
    let text = daemon.begin(tab.request("text"));
    let command = extension.receive().await;
    let mut answer = extension.success(&command, json!({"text": "secret"}));
    answer["page"] = title;
    extension.send(answer.to_string()).await;
    text.reply().await.data();
    let fill = json!({"target": {"selector": "#secret"}, "value": "secret", "method": "direct", "world": "isolated"});
    let data = json!({"filled": true, "verifiedValue": "secret"});
    extension.exchange(&daemon, tab.request("fill").params(fill), data).await.1.data();
    daemon.new_session().await;
    let home = daemon.stop().await.home;
    for name in ["sessions.json", "sessions.json~"] {
        let text = home.read(name);
        assert!(text.contains(&tab.session) && !text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn asking_again_is_forwarded_as_a_recall_and_answered_as_the_browser_says() {
    let (daemon, _, [tab, _]) = busy().await;
    let daemon = daemon.kill_and_restart().await;
    let again = |action: &str, params: Value| tab.request(action).params(params).set("again", true);
    let click = again("click", json!({"target": {"handle": "el7"}}));
    daemon.send(click.clone()).await.error("NO_EXTENSION");
    // Nor is the browser too old for what it was asked for before.
    daemon.send(again("press", json!({"keys": ["Enter"]}))).await.error("NO_EXTENSION");
    let mut extension = daemon.holding_extension("a", &[(tab.id, &tab.session)]).await;
    extension.navigated(tab.id, tab.url).await;

    let asked = daemon.begin(click.clone());
    let command = extension.receive().await;
    assert_eq!(command.target(), &json!({"tabId": tab.id, "recall": true}));
    assert_eq!(command.params(), &json!({"target": {"handle": "el7"}}));
    let mut fields: Vec<_> = command.json.as_object().expect("an object").keys().collect();
    fields.sort();
    let expected = [
        "action",
        "deadline",
        "destructive",
        "id",
        "params",
        "protocol_version",
        "session",
        "target",
    ];
    assert_eq!(fields, expected);
    let mut answer = extension.success(&command, json!({"clicked": true}));
    answer["replay"] = json!(true);
    extension.send(answer.to_string()).await;
    let reply = asked.reply().await;
    assert_eq!((&reply.data()["clicked"], &reply.json()["replay"]), (&json!(true), &json!(true)));

    let asked = daemon.begin(again("elements", json!({})));
    let command = extension.receive().await;
    assert_eq!(command.target(), &json!({"tabId": tab.id, "recall": true}), "no numbers");
    let error = json!({"code": "OUTCOME_UNKNOWN", "message": "m", "details": {"started": false}});
    let answer = json!({"protocol_version": 1, "id": command.id(), "ok": false, "error": error});
    extension.send(answer.to_string()).await;
    let error = asked.reply().await.error("OUTCOME_UNKNOWN");
    assert_eq!(error["details"], json!({"started": false}));
    assert_eq!((&error["category"], &error["retry"]), (&json!("execution"), &json!("conditional")));

    daemon
        .send(again("text", json!({})).set("again", false).set("deadline", 1))
        .await
        .error("TIMEOUT");
    for wrong in [json!(null), json!(1), json!("yes")] {
        let refused = daemon.send(again("text", json!({})).set("again", wrong)).await;
        assert!(refused.refused(400, "BAD_REQUEST").contains("`again`"));
    }
}

#[tokio::test]
async fn asking_again_about_an_open_leads_to_its_tab_and_session() {
    let daemon = Daemon::start().await;
    let mut extension = daemon.numbering_extension("a").await;
    let open = request("tab.open").params(json!({"url": "https://example.com/"}));
    let lost = daemon.begin(open.clone());
    let command = extension.receive().await;
    let session = command.json["session"].as_str().expect("a session").to_owned();
    let daemon = daemon.kill_and_restart().await;
    lost.hang_up();
    let mut extension = daemon.holding_extension("a", &[(7, &session)]).await;
    let asked = daemon.begin(open.set("again", true));
    let command = extension.receive().await;
    assert_eq!(command.target(), &json!({"recall": true}));
    assert_eq!(command.json["session"], session);
    let mut answer =
        extension.success(&command, json!({"tabId": 7, "url": "https://example.com/"}));
    answer["replay"] = json!(true);
    extension.send(answer.to_string()).await;
    let data = asked.reply().await.data();
    assert_eq!((&data["session"], &data["tab"]), (&json!(session), &json!("t1")));
}

#[tokio::test]
async fn asking_again_carries_out_no_action_of_the_daemons_own() {
    let daemon = Daemon::start().await;
    let session = daemon.new_session().await;
    for action in ["session.create", "session.close", "pairing.issue"] {
        let again = request(action).session(&session).set("again", true);
        let error = daemon.send(again).await.error("OUTCOME_UNKNOWN");
        assert_eq!(error["details"]["started"], true, "{action}");
    }
    let list = daemon.send(request("session.list").set("again", true)).await.data();
    assert_eq!(list["sessions"].as_array().map(Vec::len), Some(1));
}
