//! Two profiles of one person, both paired with the daemon.

use super::rig::text;
use super::support::{Browser, Daemon, Site, request, run};

#[tokio::test]
async fn two_browsers_keep_to_their_own_tabs() {
    let (daemon, site) = tokio::join!(Daemon::start(), Site::start());
    let (one, two) = Browser::start_two().await;
    one.pair(daemon.port, &daemon.pairing_code()).await;
    let open = |page: &str| {
        let (home, url) = (daemon.home.clone(), site.url(page));
        async move { text(&run(&home, &["tab", "open", &url]).await.data()["session"]) }
    };
    let first = open("article.html").await;
    one.find("article.html").await;

    // The second one is given the same pairing, as `extension/README.md` has a person do it, and is the latest from now on.
    let popup = one.popup().await;
    let pairing = popup.evaluate("chrome.storage.local.get(['pairing', 'port'])").await;
    popup.close().await;
    let popup = two.popup().await;
    popup.evaluate(&format!("chrome.storage.local.set({pairing})")).await;
    popup.until("document.getElementById('status').dataset.state === 'connected'").await;
    popup.close().await;
    assert!(daemon.records("ws_disconnect").is_empty(), "the first one stays");
    let second = open("form.html").await;
    two.find("form.html").await;
    assert_eq!(
        run(&daemon.home, &["text", "--selector", "h1", "-s", &first]).await.data()["text"],
        "The lighthouse keeper"
    );
    assert_eq!(
        run(&daemon.home, &["text", "--selector", "legend", "-s", &second]).await.data()["text"],
        "Size"
    );
    let elsewhere = one.targets().await;
    assert!(!elsewhere.iter().any(|it| it["url"] == site.url("form.html")), "{elsewhere:?}");

    // A new pairing counts alone: the other browser is out until it pairs again.
    let issued = daemon.send(request("pairing.issue")).await.data();
    let popup = two.popup().await;
    popup.click("#unpair").await;
    popup.until("document.getElementById('status').dataset.state === 'unpaired'").await;
    popup.enter_code(&text(&issued["pairingCode"])).await;
    popup.until("document.getElementById('status').dataset.state === 'connected'").await;
    popup.close().await;
    let popup = one.popup().await;
    popup.until("document.getElementById('status').dataset.state === 'unpaired'").await;
    assert_eq!(run(&daemon.home, &["text", "-s", &first]).await.error(), "NO_EXTENSION");
    assert_eq!(
        run(&daemon.home, &["text", "--selector", "legend", "-s", &second]).await.data()["text"],
        "Size"
    );
    tokio::join!(one.close(), two.close());
}
