//! The person in front of the browser: what they see, and what they can do.

use serde_json::{Value, json};

use crate::support::{Daemon, FakeExtension, request};

/// What the browser was told last, after everything before has arrived.
async fn latest(ext: &mut FakeExtension) -> Value {
    ext.fence().await;
    ext.states.last().cloned().unwrap_or(Value::Null)
}

#[tokio::test]
async fn a_browser_is_sent_its_sessions_only_when_they_change() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    assert_eq!(latest(&mut ext).await, Value::Null, "there is nothing to tell yet");

    let label = daemon.send(request("session.create").params(json!({"label": "mail"}))).await;
    let session = label.data()["session"].as_str().expect("a session").to_owned();
    assert_eq!(latest(&mut ext).await, Value::Null, "the session has no tab in this browser");
    let open = request("tab.open").params(json!({"url": "https://example.org/"})).session(&session);
    ext.exchange(&daemon, open, json!({"tabId": 7, "url": "https://example.org/"})).await;
    let told = latest(&mut ext).await;
    let title = told[0]["title"].clone();
    assert_eq!(
        told,
        json!([{"session": session, "label": "mail", "tab": "t1", "title": title, "paused": false}])
    );
    assert!(title.is_string());

    let count = ext.states.len();
    ext.exchange(&daemon, request("text").session(&session), json!({"text": "x"})).await;
    assert_eq!(latest(&mut ext).await, told);
    assert_eq!(ext.states.len(), count, "nothing has changed");
}

#[tokio::test]
async fn the_person_resumes_a_paused_session() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    ext.fail(&command, "HUMAN_REQUIRED", "prove that you are human").await;
    reading.reply().await.error("HUMAN_REQUIRED");
    let told = latest(&mut ext).await;
    assert_eq!(
        (&told[0]["paused"], &told[0]["pauseReason"]),
        (&json!(true), &json!("prove that you are human"))
    );

    ext.send(json!({"type": "session.resume", "session": tab.session}).to_string()).await;
    assert_eq!(latest(&mut ext).await[0]["paused"], false);
    let reply = ext.exchange(&daemon, tab.request("text"), json!({"text": "welcome"})).await.1;
    assert_eq!(reply.data()["text"], "welcome");
}

#[tokio::test]
async fn the_person_resumes_what_their_browser_paused_before_it_had_a_tab() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension_named("browser").await;
    let session = daemon.new_session().await;
    let open = request("tab.open").params(json!({"url": "about:blank"})).session(&session);
    let opening = daemon.begin(open.clone());
    let command = ext.receive().await;
    ext.fail(&command, "HUMAN_REQUIRED", "paused by the person").await;
    opening.reply().await.error("HUMAN_REQUIRED");
    let mut other = daemon.extension_named("other").await;
    other.resume(&session).await;
    daemon.send(open.clone()).await.error("HUMAN_REQUIRED");

    // Also after its browser was away.
    ext.close().await;
    let mut ext = daemon.extension_named("browser").await;
    ext.resume(&session).await;
    let (_, reply) = ext.exchange(&daemon, open, json!({"tabId": 7, "url": "about:blank"})).await;
    assert_eq!(reply.data()["tab"], "t1");
}

#[tokio::test]
async fn the_person_ends_one_session_or_all_of_this_browser_and_no_other() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let (one, two) = (ext.open_tab(&daemon).await, ext.open_tab(&daemon).await);
    let mut other = daemon.extension().await;
    let elsewhere = other.open_tab(&daemon).await;

    let waiting = daemon.begin(one.request("text"));
    ext.receive_action("text").await;
    ext.send(json!({"type": "session.close", "session": one.session}).to_string()).await;
    waiting.reply().await.error("SESSION_NOT_FOUND");
    let close = ext.receive_action("tab.close").await;
    assert_eq!(close.tab_id(), Some(one.id));

    ext.send(json!({"type": "session.close", "session": elsewhere.session}).to_string()).await;
    ext.send(json!({"type": "session.close_all"}).to_string()).await;
    assert_eq!(ext.receive_action("tab.close").await.tab_id(), Some(two.id));
    assert_eq!(latest(&mut ext).await, json!([]));
    let left = daemon.send(request("session.list")).await.data()["sessions"].clone();
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
    assert_eq!(left[0]["id"], elsewhere.session);
}
