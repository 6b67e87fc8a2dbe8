//! The way back to the daemon, without a click: however it went, and however long the browser was away.

use std::path::Path;

use super::rig::{Rig, text};
use super::support::{Browser, Daemon, Site, now_ms, request, run};

/// What the popup says of the connection, as an expression in it.
const STATE: &str = "document.getElementById('status').dataset.state";

#[tokio::test]
async fn the_browser_finds_the_daemon_again_however_it_went() {
    let mut rig = Rig::new().await;
    let popup_state = "document.getElementById('status').dataset.state";
    for how in ["stopped", "killed"] {
        let port = rig.daemon.port.to_string();
        let popup = rig.browser.popup().await;
        popup.until(&format!("{popup_state} === 'connected'")).await;
        let exit = if how == "stopped" { rig.daemon.stop().await } else { rig.daemon.kill().await };
        popup.until(&format!("{popup_state} === 'waiting'")).await;
        let advice = text(&popup.evaluate("document.getElementById('advice').textContent").await);
        assert!(!advice.is_empty(), "{how}");
        rig.daemon = exit.home.daemon().env("BPROXY_PORT", &port).start().await;
        if how == "stopped" {
            popup.click("#reconnect").await;
        }
        // Opening the popup asks at once, too.
        let second = rig.browser.popup().await;
        second.until(&format!("{popup_state} === 'connected'")).await;
        second.close().await;
        popup.close().await;
        assert_eq!(
            rig.open("article.html").await.text("h1").await,
            "The lighthouse keeper",
            "{how}"
        );
    }

    // Without anybody's doing it comes back by itself.
    let (port, connections) = (rig.daemon.port.to_string(), rig.daemon.records("ws_connect").len());
    rig.daemon = rig.daemon.stop().await.home.daemon().env("BPROXY_PORT", port).start().await;
    rig.connected(connections + 1).await;
    let eye = rig.browser.inspector().await;
    let alarms = eye.evaluate("chrome.alarms.getAll()").await;
    assert_eq!(alarms[0]["periodInMinutes"], 1, "and wakes for it within a minute: {alarms}");
    eye.close().await;

    // Paired again: the browser that holds the old token is out, and comes in with a new code.
    let popup = rig.browser.popup().await;
    popup.until(&format!("{popup_state} === 'connected'")).await;
    let issued = rig.daemon.send(request("pairing.issue")).await.data();
    rig.daemon.claim(&text(&issued["pairingCode"]), &super::support::origin('b')).await.data();
    popup.until(&format!("{popup_state} === 'unpaired'")).await;
    let issued = rig.daemon.send(request("pairing.issue")).await.data();
    popup.enter_code(&text(&issued["pairingCode"]).to_lowercase()).await;
    popup.until(&format!("{popup_state} === 'connected'")).await;

    // The port changed.
    let home = rig.daemon.stop().await.home;
    popup.until(&format!("{popup_state} === 'waiting'")).await;
    rig.daemon = home.daemon().start().await;
    popup.set_port(rig.daemon.port).await;
    popup.until(&format!("{popup_state} === 'connected'")).await;
    popup.close().await;
    assert_eq!(rig.open("article.html").await.text("h1").await, "The lighthouse keeper");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_browser_that_starts_again_is_the_same_one() {
    let mut rig = Rig::new().await;
    rig.open("article.html").await;
    rig.browser = rig.browser.restart().await;
    rig.connected(2).await;
    assert_eq!(rig.open("form.html").await.text("legend").await, "Size");
    rig.browser.close().await;
}

