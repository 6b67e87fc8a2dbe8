//! Extension and daemon of different versions: what still works, and the messages where it does not.

use std::fs;
use std::path::Path;

use super::comeback::STATE;
use super::rig::{Rig, text};
use super::support::{Browser, Daemon, EXTENSION_ID, Launch, Page, Site, run};

/// The line of the extension that says which protocol versions it speaks.
const SPOKEN: &str = "export const VERSIONS = Object.freeze([1]);";

/// A copy of the extension in which one file says something else.
fn changed(file: &str, from: &str, to: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let original = Launch::default().extension;
    let mut folders = vec![original.clone()];
    while let Some(next) = folders.pop() {
        let copy = folder.path().join(next.strip_prefix(&original).expect("below it"));
        fs::create_dir_all(&copy).expect("a folder");
        for entry in fs::read_dir(&next).expect("a folder").map(|it| it.expect("an entry")) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                fs::copy(entry.path(), copy.join(entry.file_name())).expect("a copy");
            }
        }
    }
    let file = folder.path().join(file);
    let text = fs::read_to_string(&file).expect("a file of the extension");
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).expect("a file");
    folder
}

/// A copy of the extension that speaks other versions of the protocol.
fn speaking(versions: &str) -> tempfile::TempDir {
    changed("contract.js", SPOKEN, &SPOKEN.replace("[1]", versions))
}

/// A daemon, a site, and a browser with this copy of the extension, which is not paired yet.
async fn with(extension: &Path) -> Rig {
    let launch = Launch { extension: extension.to_owned(), ..Launch::default() };
    let (daemon, browser, site) =
        tokio::join!(Daemon::start(), Browser::launch(launch), Site::start());
    Rig { daemon, browser, site }
}

async fn says(popup: &Page<'_>, id: &str, words: &str) {
    popup.until(&format!("document.getElementById('{id}').textContent.includes('{words}')")).await;
}

#[tokio::test]
async fn an_extension_of_a_newer_protocol_speaks_the_daemons_if_it_can() {
    let folder = speaking("[1, 2]");
    let rig = with(folder.path()).await;
    rig.browser.pair(rig.daemon.port, &rig.daemon.pairing_code()).await;
    rig.connected(2).await;
    let page = rig.open("article.html").await;
    assert_eq!(page.text("h1").await, "The lighthouse keeper");
    let ended = rig.daemon.records("ws_disconnect");
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(ended[0]["reason"], "this daemon speaks protocol version 1");
    let clients = rig.run(&["debug", "status"]).await.data()["wsClients"].clone();
    assert_eq!(clients[0]["protocolVersion"], 1, "{clients}");

    // The same again after the daemon was away: it may be a newer one by then.
    let mut rig = rig;
    let port = rig.daemon.port.to_string();
    let home = rig.daemon.stop().await.home;
    rig.daemon = home.daemon().env("BPROXY_PORT", port).start().await;
    rig.connected(4).await;
    assert_eq!(rig.open("article.html").await.text("h1").await, "The lighthouse keeper");
    rig.browser.close().await;
}

#[tokio::test]
async fn an_extension_that_is_too_new_or_too_old_says_what_to_update_and_leaves_the_daemon_alone() {
    for (versions, advice) in [("[2]", "Update bproxy"), ("[0]", "bproxy extension install")] {
        let folder = speaking(versions);
        let rig = with(folder.path()).await;
        let popup = rig.browser.popup().await;
        popup.set_port(rig.daemon.port).await;
        popup.enter_code(&rig.daemon.pairing_code()).await;
        popup.until(&format!("{STATE} === 'waiting'")).await;
        says(&popup, "advice", advice).await;
        // No try is planned; opening the popup, like the alarm, makes one.
        popup.until("document.getElementById('reconnect').hidden").await;
        let tries = rig.daemon.records("ws_connect").len();
        let second = rig.browser.popup().await;
        rig.connected(tries + 1).await;
        popup.until(&format!("{STATE} === 'waiting'")).await;
        says(&second, "advice", advice).await;
        rig.browser.close().await;
    }
}

#[tokio::test]
async fn versions_that_differ_are_told_and_an_upgrade_goes_on_where_the_old_one_was() {
    let version = |it: &str| format!("\"version\": \"{it}\"");
    let folder = changed("manifest.json", &version(env!("CARGO_PKG_VERSION")), &version("0.0.9"));
    let rig = with(folder.path()).await;
    rig.browser.pair(rig.daemon.port, &rig.daemon.pairing_code()).await;
    let versions = async || {
        let status = rig.run(&["debug", "status"]).await.data();
        text(&status["wsClients"][0]["extensionVersion"])
    };
    let page = rig.open("article.html").await;
    assert_eq!(versions().await, "0.0.9");
    let popup = rig.browser.popup().await;
    popup
        .until(
            "document.querySelector('.mismatch')?.textContent.includes('bproxy extension install')",
        )
        .await;
    let told = text(&popup.evaluate("document.getElementById('versions').textContent").await);
    let daemon = format!("daemon {}", env!("CARGO_PKG_VERSION"));
    assert!(told.contains("Extension 0.0.9") && told.contains(&daemon), "{told}");
    let doctor = run(&rig.daemon.home, &["doctor"]).await;
    assert!(doctor.stdout.contains("0.0.9"), "{doctor:?}");

    // What the popup says, done: the new files, and the extension loaded anew.
    let installed = rig.run(&["extension", "install", &folder.path().display().to_string()]).await;
    assert_eq!(installed.code, 0, "{installed:?}");
    let connections = rig.daemon.records("ws_connect").len();
    popup.close().await;
    let extensions = rig.browser.open("chrome://extensions").await;
    extensions.until("globalThis.chrome?.developerPrivate").await;
    for call in [
        "updateProfileConfiguration({ inDeveloperMode: true })".to_owned(),
        format!("reload('{EXTENSION_ID}')"),
    ] {
        extensions.evaluate(&format!("chrome.developerPrivate.{call}.then(() => true)")).await;
    }
    rig.connected(connections + 1).await;
    assert_eq!(versions().await, env!("CARGO_PKG_VERSION"));
    assert_eq!(page.text("h1").await, "The lighthouse keeper", "its tab is still the session's");
    let popup = rig.browser.popup().await;
    popup.until(&format!("{STATE} === 'connected'")).await;
    popup.until("document.getElementById('versions').textContent.includes('daemon')").await;
    assert_eq!(
        popup.evaluate("document.querySelector('.mismatch')").await,
        serde_json::Value::Null
    );
    rig.browser.close().await;
}
