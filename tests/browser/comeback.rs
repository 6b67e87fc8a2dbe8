//! The extension reconnects to the daemon without a click, however the daemon ended and however long the browser slept.

use serde_json::json;

use super::rig::{Rig, text};
use super::support::{now_ms, request, run, wait_for};

/// The popup's connection status, as an expression in it.
pub(super) const STATE: &str = "document.getElementById('status').dataset.state";

#[tokio::test]
async fn the_browser_reconnects_however_the_daemon_ended() {
    let mut rig = Rig::new().await;
    for how in ["stopped", "killed"] {
        let port = rig.daemon.port.to_string();
        let popup = rig.browser.popup().await;
        popup.until(&format!("{STATE} === 'connected'")).await;
        let exit = if how == "stopped" { rig.daemon.stop().await } else { rig.daemon.kill().await };
        popup.until(&format!("{STATE} === 'waiting'")).await;
        let advice = text(&popup.evaluate("document.getElementById('advice').textContent").await);
        assert!(!advice.is_empty(), "{how}");
        rig.daemon = exit.home.daemon().env("BPROXY_PORT", &port).start().await;
        if how == "stopped" {
            popup.click("#reconnect").await;
        }
        // Opening the popup asks at once, too.
        let second = rig.browser.popup().await;
        second.until(&format!("{STATE} === 'connected'")).await;
        second.close().await;
        popup.close().await;
        assert_eq!(
            rig.open("article.html").await.text("h1").await,
            "The lighthouse keeper",
            "{how}"
        );
    }

    // It reconnects by itself.
    let (port, connections) = (rig.daemon.port.to_string(), rig.daemon.records("ws_connect").len());
    rig.daemon = rig.daemon.stop().await.home.daemon().env("BPROXY_PORT", port).start().await;
    rig.connected(connections + 1).await;

    // Paired again: the browser that holds the old token is out, and comes in with a new code.
    let popup = rig.browser.popup().await;
    popup.until(&format!("{STATE} === 'connected'")).await;
    let issued = rig.daemon.send(request("pairing.issue")).await.data();
    rig.daemon.claim(&text(&issued["pairingCode"]), &super::support::origin('b')).await.data();
    popup.until(&format!("{STATE} === 'unpaired'")).await;
    let issued = rig.daemon.send(request("pairing.issue")).await.data();
    popup.enter_code(&text(&issued["pairingCode"]).to_lowercase()).await;
    popup.until(&format!("{STATE} === 'connected'")).await;

    // The port changed.
    let home = rig.daemon.stop().await.home;
    popup.until(&format!("{STATE} === 'waiting'")).await;
    rig.daemon = home.daemon().start().await;
    popup.set_port(rig.daemon.port).await;
    popup.until(&format!("{STATE} === 'connected'")).await;
    popup.close().await;
    assert_eq!(rig.open("article.html").await.text("h1").await, "The lighthouse keeper");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_restarted_browser_keeps_its_identity() {
    let mut rig = Rig::new().await;
    rig.open("article.html").await;
    rig.browser = rig.browser.restart().await;
    rig.connected(2).await;
    assert_eq!(rig.open("form.html").await.text("legend").await, "Size");
    rig.browser.close().await;
}

/// How far ahead the alarm is set, after its period was checked. Long enough for the worker to end by then.
const ALARM_MS: i64 = 3_000;

#[tokio::test]
async fn the_alarm_alone_restarts_an_ended_worker() {
    let rig = Rig::new().await;
    let page = rig.open("article.html").await;
    let eye = rig.browser.inspector().await;
    let alarms = eye.evaluate("chrome.alarms.getAll()").await;
    assert_eq!(alarms[0]["periodInMinutes"], 1, "{alarms}");
    assert_eq!(alarms.as_array().map(Vec::len), Some(1), "{alarms}");

    // The same alarm, only sooner. Until it comes nothing happens in the browser.
    let due = now_ms() + ALARM_MS;
    let name = text(&alarms[0]["name"]);
    eye.evaluate(&format!("chrome.alarms.create('{name}', {{ when: {due}, periodInMinutes: 1 }})"))
        .await;
    let connections = rig.daemon.records("ws_connect").len();
    rig.browser.stop_worker().await;
    rig.daemon.record("ws_disconnect", |_| true).await;
    assert!(!rig.browser.has_worker().await, "nothing else wakes it");
    rig.connected(connections + 1).await;
    let back = rig.daemon.records("ws_connect")[connections]["ts"].as_i64().expect("a time");
    assert!(back >= due, "it was back {} ms before the alarm", due - back);
    assert_eq!(page.text("h1").await, "The lighthouse keeper");
    let alarms = eye.evaluate("chrome.alarms.getAll()").await;
    assert_eq!(alarms[0]["periodInMinutes"], 1, "it goes on: {alarms}");
    rig.browser.close().await;
}

/// While it sleeps, nothing of the browser runs and the daemon disconnects. `tests/extension/connection.test.js` tests
/// longer times.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_browser_that_slept_while_the_daemon_ended_reconnects_by_itself() {
    let mut rig = Rig::new().await;
    rig.open("article.html").await;
    rig.browser.freeze();
    let (port, connections) = (rig.daemon.port.to_string(), rig.daemon.records("ws_connect").len());
    let home = rig.daemon.kill().await.home;
    rig.daemon = home.daemon().env("BPROXY_PORT", port).start().await;
    assert_eq!(rig.run(&["tab", "open", &rig.site.url("form.html")]).await.error(), "NO_EXTENSION");
    rig.browser.thaw();
    rig.connected(connections + 1).await;
    assert_eq!(rig.open("form.html").await.text("legend").await, "Size");
    rig.browser.close().await;
}

/// Kills the daemon and starts the next one, and waits until the browser is back.
async fn next_daemon(mut rig: Rig) -> Rig {
    let (port, connections) = (rig.daemon.port.to_string(), rig.daemon.records("ws_connect").len());
    let home = rig.daemon.kill().await.home;
    rig.daemon = home.daemon().env("BPROXY_PORT", port).start().await;
    // Opening the popup asks at once.
    let popup = rig.browser.popup().await;
    popup.until(&format!("{STATE} === 'connected'")).await;
    popup.close().await;
    rig.connected(connections + 1).await;
    rig
}

/// What the extension holds for sessions: tabs and their sessions.
async fn held(rig: &Rig) -> usize {
    let eye = rig.browser.inspector().await;
    let tabs =
        eye.evaluate("chrome.storage.local.get('tabs').then(({ tabs }) => tabs?.held ?? [])").await;
    eye.close().await;
    tabs.as_array().expect("held tabs").len()
}

#[tokio::test]
async fn sessions_go_on_with_the_next_daemon_and_end_with_their_browsers_tabs() {
    let mut rig = Rig::new().await;
    let [acts, waits] =
        [rig.open("act.html").await.session, rig.open("article.html").await.session];
    let paused = rig.run(&["require-human", "--reason", "sign in", "-s", &waits]).await;
    assert_eq!(paused.error(), "HUMAN_REQUIRED");
    let mut listed = rig.run(&["session", "list"]).await.data();
    rig = next_daemon(rig).await;
    // Who asked last is not kept.
    for session in listed["sessions"].as_array_mut().expect("sessions") {
        session.as_object_mut().expect("a session").remove("client");
    }
    assert_eq!(rig.run(&["session", "list"]).await.data(), listed);
    assert_eq!(held(&rig).await, 2);
    let read = rig.run(&["elements", "-s", &acts]).await.data();
    let handle = text(&read["elements"][0]["handle"]);
    rig.run(&["click", "--element", &handle, "-s", &acts]).await.data();
    assert_eq!(rig.run(&["text", "-s", &waits]).await.error(), "HUMAN_REQUIRED");
    rig.resume(&waits).await;
    rig.run(&["text", "-s", &waits]).await.data();

    // The browser restarts while no daemon runs: its tabs are gone, and what has their numbers now is the person's.
    let port = rig.daemon.port.to_string();
    let home = rig.daemon.stop().await.home;
    rig.browser = rig.browser.restart().await;
    let connections = home.records("ws_connect").len();
    rig.daemon = home.daemon().env("BPROXY_PORT", port).start().await;
    let popup = rig.browser.popup().await;
    popup.until(&format!("{STATE} === 'connected'")).await;
    popup.close().await;
    rig.connected(connections + 1).await;
    for session in [&acts, &waits] {
        assert_eq!(rig.run(&["text", "-s", session]).await.error(), "TAB_NOT_FOUND");
        assert_eq!(rig.run(&["tab", "list", "-s", session]).await.data()["tabs"], json!([]));
    }
    let opened = rig.run(&["tab", "open", &rig.site.url("article.html"), "-s", &acts]).await.data();
    assert_eq!(opened["tab"], "t2");
    rig.browser.close().await;
}

#[tokio::test]
async fn tabs_of_sessions_that_are_lost_are_let_go_and_stay_open() {
    let mut rig = Rig::new().await;
    rig.open("article.html").await;
    assert_eq!(held(&rig).await, 1);
    for file in ["sessions.json", "sessions.json~"] {
        std::fs::write(rig.daemon.home.file(file), "").expect("an own file");
    }
    rig = next_daemon(rig).await;
    assert_eq!(rig.run(&["session", "list"]).await.data()["sessions"], json!([]));
    while held(&rig).await > 0 {}
    rig.browser.find("article.html").await;
    rig.browser.close().await;
}

#[tokio::test]
async fn a_command_whose_daemon_is_killed_is_answered_by_the_next_and_done_once() {
    let mut rig = Rig::new().await;
    let session = rig.open("article.html").await.session;
    let (home, slow) = (rig.daemon.home.clone(), rig.site.url("slow?ms=3000"));
    let call = tokio::spawn(async move { run(&home, &["navigate", &slow, "-s", &session]).await });
    wait_for("the command to be forwarded", || {
        let forwarded = rig.daemon.records("received");
        forwarded.iter().any(|record| record["action"] == "navigate").then_some(())
    })
    .await;
    rig = next_daemon(rig).await;
    let call = call.await.expect("a call");
    assert!(text(&call.data()["url"]).contains("slow"), "{call:?}");
    rig.browser.close().await;
}
