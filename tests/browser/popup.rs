//! The popup: what it says in each state, in words and in pictures, and its use by keyboard and screen reader.

use std::path::PathBuf;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::rig::{Rig, text};
use super::support::{Browser, Daemon, Page, request, run};

/// The popup's own width. CSS pixels.
const WIDTH: u64 = 352;
/// Fonts differ from machine to machine, and the lines with them.
const HEIGHT_TOLERANCE: f64 = 0.2;
/// If set, the pictures under `docs/popup` are made again.
const UPDATE: &str = "BPROXY_UPDATE_PICTURES";

/// Compares a picture of the popup with the one under `docs/popup` by its size, or makes that one anew.
async fn pictured(popup: &Page<'_>, name: &str, scheme: &str) {
    let png = popup.picture(WIDTH, scheme).await;
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/popup"));
    let file = folder.join(format!("{name}.png"));
    if std::env::var_os(UPDATE).is_some() {
        std::fs::create_dir_all(&folder).expect("a folder for the pictures");
        std::fs::write(&file, &png).expect("a place for the picture");
    }
    let known = std::fs::read(&file).unwrap_or_else(|error| {
        panic!("{}: {error}; run the test with {UPDATE}=1 to make it", file.display())
    });
    let ((width, height), (known_width, known_height)) = (size(&png), size(&known));
    let differs = (f64::from(height) / f64::from(known_height) - 1.0).abs() > HEIGHT_TOLERANCE;
    assert!(
        width == known_width && !differs,
        "{} shows {known_width}x{known_height}, the popup is {width}x{height} now; run the test with {UPDATE}=1",
        file.display()
    );
}

/// Width and height of a PNG.
fn size(png: &[u8]) -> (u32, u32) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n") && &png[12..16] == b"IHDR", "no PNG");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}

async fn says(popup: &Page<'_>, id: &str, part: &str) {
    let script = format!("document.getElementById('{id}').innerText.includes({part:?})");
    popup.until(&script).await;
}

async fn state_is(popup: &Page<'_>, state: &str) {
    popup.until(&format!("document.getElementById('status').dataset.state === '{state}'")).await;
}

/// Whatever is asked of its port gets this answer.
async fn stub(status: &'static str, headers: &'static str, body: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

#[tokio::test]
async fn pairing_explains_failures_and_accepts_any_spelling_of_the_code() {
    let (daemon, browser) = tokio::join!(Daemon::start(), Browser::start(false));
    let popup = browser.popup().await;
    state_is(&popup, "unpaired").await;
    popup.until("document.activeElement.id === 'code'").await;
    pictured(&popup, "unpaired", "light").await;

    popup.fill("port", "99999").await;
    popup.click("#save-port").await;
    says(&popup, "message", "from 1 to 65535").await;
    popup.set_port(1).await;
    popup.enter_code("ABCD-EFGH").await;
    says(&popup, "message", "bproxy service start").await;
    // The daemon's codes live for five minutes: that one is too old is said by a stub, in the daemon's words.
    for (status, headers, body, words) in [
        (
            "401 Unauthorized",
            "",
            r#"{"ok":false,"error":{"code":"PAIRING_CODE_EXPIRED"}}"#,
            "This code has expired",
        ),
        (
            "429 Too Many Requests",
            "Retry-After: 17\r\n",
            r#"{"ok":false,"error":{"code":"PAIRING_RATE_LIMITED"}}"#,
            "Wait 17 seconds",
        ),
        ("200 OK", "", "{}", "is not the bproxy daemon"),
    ] {
        popup.set_port(stub(status, headers, body).await).await;
        popup.enter_code("ABCD-EFGH").await;
        says(&popup, "message", words).await;
    }

    popup.set_port(daemon.port).await;
    popup.enter_code("ABCD").await;
    says(&popup, "message", "8 letters and digits").await;
    popup.enter_code("ZZZZ-ZZZZ").await;
    says(&popup, "message", "does not know this code").await;
    popup.until("document.getElementById('code').getAttribute('aria-invalid') === 'true'").await;
    pictured(&popup, "wrong-code", "light").await;

    // With the keyboard alone: the code pasted in lower case, without its dash, and Enter.
    let code = daemon.pairing_code();
    popup.until("document.activeElement.id === 'code'").await;
    popup.evaluate("document.getElementById('code').value = ''").await;
    popup.insert(&format!(" {} ", code.to_lowercase().replace('-', ""))).await;
    popup.press("Enter", 13).await;
    state_is(&popup, "connected").await;
    says(&popup, "versions", &format!("port {}", daemon.port)).await;
    says(&popup, "versions", &format!("daemon {}", env!("CARGO_PKG_VERSION"))).await;
    popup.until("document.querySelector('.mismatch') === null").await;
    pictured(&popup, "connected", "light").await;
    pictured(&popup, "connected-dark", "dark").await;

    popup.click("#unpair").await;
    state_is(&popup, "unpaired").await;
    popup.enter_code(&code).await;
    says(&popup, "message", "used already").await;
    for _ in 0..3 {
        popup.enter_code("ZZZZ-ZZZZ").await;
        popup.until("!document.getElementById('pair').disabled && document.getElementById('message').textContent").await;
    }
    popup.enter_code("ZZZZ-ZZZZ").await;
    let limited = r"/^Too many wrong codes\. Wait [1-6]?\d seconds,/";
    let message = "document.getElementById('message').textContent";
    popup.until(&format!("{limited}.test({message})")).await;
    // The right one is not accepted until then either.
    let issued = daemon.send(request("pairing.issue")).await.data();
    popup.enter_code(&text(&issued["pairingCode"])).await;
    popup
        .until(&format!("!document.getElementById('pair').disabled && {limited}.test({message})"))
        .await;
    state_is(&popup, "unpaired").await;
    pictured(&popup, "rate-limited", "light").await;
    browser.close().await;
}

#[tokio::test]
async fn the_popup_takes_the_port_from_a_code() {
    let (daemon, browser) = tokio::join!(Daemon::start(), Browser::start(false));
    let shown = run(&daemon.home, &["pair", "--output", "text"]).await.stdout;
    let code = shown.split_whitespace().find(|word| word.contains('@')).expect("a code");
    let popup = browser.popup().await;
    popup.until("document.getElementById('port').value === '9615'").await;
    popup.enter_code(&code.to_lowercase()).await;
    state_is(&popup, "connected").await;
    popup.until(&format!("document.getElementById('port').value === '{}'", daemon.port)).await;
    popup.enter_code(&format!("{code}9999")).await;
    says(&popup, "message", "from 1 to 65535").await;
    state_is(&popup, "connected").await;
    browser.close().await;
}

#[tokio::test]
async fn the_popup_is_used_by_keyboard_and_told_to_screen_readers() {
    let rig = Rig::new().await;
    rig.open("article.html").await;
    let popup = rig.browser.popup().await;
    popup.until("document.querySelectorAll('#sessions li').length === 1").await;
    popup
        .evaluate("document.getElementById('settings').open = true; document.querySelector('[data-close]').focus()")
        .await;
    let mut order = Vec::new();
    let focused = "(({id, dataset, localName}) => id || Object.keys(dataset)[0] || localName)(document.activeElement)";
    for _ in 0..5 {
        popup.press("Tab", 9).await;
        order.push(text(&popup.evaluate(focused).await));
    }
    assert_eq!(order, ["close-all", "summary", "port", "save-port", "unpair"]);

    let told = popup.accessible().await;
    let parts = told.iter().filter(|(role, _)| {
        matches!(&**role, "button" | "textbox" | "list" | "heading" | "status")
    });
    for (role, name) in parts.clone().filter(|(role, _)| role != "list" && role != "status") {
        assert!(!name.is_empty(), "a {role} has no name: {told:?}");
    }
    for wanted in ["button", "textbox", "list", "heading", "status"] {
        assert!(parts.clone().any(|(role, _)| role == wanted), "no {wanted}: {told:?}");
    }
    assert!(told.iter().any(|(_, name)| name == "Daemon’s port"), "{told:?}");
    rig.browser.close().await;
}

#[tokio::test]
async fn sessions_are_shown_resumed_and_stopped() {
    let mut rig = Rig::new().await;
    let created = rig.run(&["session", "create", "--label", "Invoices"]).await.data();
    let invoices = text(&created["session"]);
    let url = rig.site.url("article.html");
    rig.run(&["tab", "open", &url, "-s", &invoices]).await.data();
    let other = rig.open("form.html").await.session;
    let popup = rig.browser.popup().await;
    popup.until("document.querySelectorAll('#sessions li').length === 2").await;
    says(&popup, "sessions", "Invoices · t1").await;
    says(&popup, "sessions", "The lighthouse keeper").await;

    let pause = ["require-human", "--reason", "Please sign in", "-s", &invoices];
    assert_eq!(rig.run(&pause).await.error(), "HUMAN_REQUIRED");
    says(&popup, "sessions", "Paused: Please sign in").await;
    pictured(&popup, "sessions", "light").await;
    pictured(&popup, "sessions-dark", "dark").await;
    popup.click(&format!("[data-resume='{invoices}']")).await;
    popup.until("document.querySelector('[data-resume]') === null").await;
    rig.run(&["text", "-s", &invoices]).await.data();

    popup.click(&format!("[data-close='{invoices}']")).await;
    popup.until("document.querySelectorAll('#sessions li').length === 1").await;
    assert_eq!(rig.run(&["text", "-s", &invoices]).await.error(), "SESSION_NOT_FOUND");
    rig.run(&["text", "-s", &other]).await.data();
    popup.click("#close-all").await;
    popup.until("document.getElementById('held').hidden").await;
    popup.until("document.getElementById('switch').checked === false").await;
    assert_eq!(rig.run(&["tab", "open", &url]).await.error(), "HUMAN_REQUIRED");
    popup.click("#switch").await;
    popup.until("document.getElementById('switch-hint').textContent === ''").await;
    assert_eq!(rig.run(&["session", "list"]).await.data()["sessions"], serde_json::json!([]));
    popup.until("chrome.tabs.query({}).then((tabs) => !tabs.some(({url}) => url.endsWith('.html') && url.startsWith('http')))").await;

    // Words for a daemon that is gone, and for a pairing that another one has replaced.
    let issued = rig.daemon.send(request("pairing.issue")).await.data();
    rig.daemon.claim(&text(&issued["pairingCode"]), &super::support::origin('b')).await.data();
    state_is(&popup, "unpaired").await;
    says(&popup, "advice", "Another pairing has replaced this one").await;
    let issued = rig.daemon.send(request("pairing.issue")).await.data();
    popup.enter_code(&text(&issued["pairingCode"])).await;
    state_is(&popup, "connected").await;
    rig.daemon.stop().await;
    says(&popup, "advice", "bproxy service start").await;
    popup.until("!document.getElementById('reconnect').hidden").await;
    pictured(&popup, "daemon-stopped", "light").await;
    rig.daemon = Daemon::start().await;
    rig.browser.close().await;
}
