//! Listeners that are not the daemon: the extension tells them nothing, says so in its popup, and comes back to the
//! daemon. What `doctor` says of them is tested here too.

use std::process::Stdio;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::comeback::STATE;
use super::rig::{Rig, text};
use super::support::{
    Browser, Call, Home, Page, Pairing, Site, bproxy, call, run, skipped, wait_for,
};

/// What the popup says of such a listener.
const STRANGER: &str = "is not the daemon that this browser is paired with; run “bproxy doctor”";

/// What a rogue does after the upgrade, which it only gets to if it knows the token.
#[derive(Clone, Copy)]
enum Socket {
    /// It sends commands, and never a proof.
    Silent,
    /// It sends commands and a wrong proof.
    Lying,
    /// It closes with a code that ends a pairing.
    Closing(u16),
}

/// A listener in place of the daemon. It keeps everything that it is told.
struct Rogue {
    told: Arc<Mutex<Vec<String>>>,
    port: u16,
    task: JoinHandle<()>,
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Rogue {
    /// Listens on `port`. With a pairing it answers challenges as the daemon does, otherwise with a guess.
    async fn on(port: u16, known: Option<(Pairing, Socket)>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        let port = listener.local_addr().expect("an address").port();
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = told.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(meet(stream, port, known.clone(), kept.clone()));
            }
        });
        Self { told, port, task }
    }

    /// A relay on a port of its own to the daemon on `port`, which rewrites what names the port.
    async fn relay(to: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let told = Arc::new(Mutex::new(Vec::new()));
        let kept = told.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move {
                    let head = head(&mut stream).await?;
                    kept.lock().expect("no panic inside").push(head.clone());
                    let mut daemon = TcpStream::connect(("127.0.0.1", to)).await.ok()?;
                    let head = head.replace(&format!(":{port}"), &format!(":{to}"));
                    daemon.write_all(head.as_bytes()).await.ok()?;
                    tokio::io::copy_bidirectional(&mut stream, &mut daemon).await.ok()
                });
            }
        });
        Self { told, port, task }
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().expect("no panic inside").clone()
    }

    /// Waits until it was told something that begins so.
    async fn was_told(&self, start: &str) {
        wait_for(start, || self.told().iter().any(|it| it.starts_with(start)).then_some(())).await;
    }

    /// Asserts that nobody has told it anything but challenges and questions after its health.
    fn got_nothing(&self) {
        for told in self.told() {
            let known = ["GET /challenge?nonce=", "GET /health"];
            assert!(known.iter().any(|start| told.starts_with(start)), "{told}");
            assert!(!told.contains("Cookie") && !told.contains("Authorization"), "{told}");
        }
    }
}

/// Reads the head of a request.
async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Answers one request.
async fn meet(
    mut stream: TcpStream,
    port: u16,
    known: Option<(Pairing, Socket)>,
    told: Arc<Mutex<Vec<String>>>,
) -> Option<()> {
    let head = head(&mut stream).await?;
    told.lock().expect("no panic inside").push(head.clone());
    let own = "f".repeat(112);
    let body = if let Some((_, rest)) = head.split_once("GET /challenge?nonce=") {
        let asked = rest.split_once(' ')?.0;
        let lines = ["bproxy daemon", &port.to_string(), asked, &own];
        let proof = match &known {
            Some((pairing, _)) => pairing.proof(&lines),
            None => "0".repeat(64),
        };
        json!({"ok": true, "data": {"nonce": own, "proof": proof}})
    } else if head.starts_with("GET /ws ") {
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))?;
        let accept = derive_accept_key(key.trim().as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Protocol: bproxy.v1\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.ok()?;
        return converse(stream, known?.1, &told).await;
    } else {
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "protocolVersion": 1})
    };
    let body = body.to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

/// Gives orders over a connection, and keeps what it is told.
async fn converse(stream: TcpStream, manner: Socket, told: &Mutex<Vec<String>>) -> Option<()> {
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let order = |id: &str, action: &str, params: Value, target: Value| {
        json!({"protocol_version": 1, "id": id, "action": action, "params": params, "session": "m4q7z2",
            "deadline": super::support::now_ms() + 30_000, "destructive": false, "target": target})
    };
    let mut orders = vec![
        order("order-1", "tab.open", json!({"url": "http://127.0.0.1:1/stolen"}), Value::Null),
        json!({"type": "state", "sessions": [{"session": "m4q7z2", "paused": false}]}),
    ];
    // The numbers of tabs are easy to guess.
    for tab in 1..50 {
        let id = format!("read-{tab}");
        orders.push(order(&id, "text", json!({}), json!({"tabId": tab})));
    }
    match manner {
        Socket::Silent => {}
        Socket::Lying => orders.push(json!({"type": "welcome", "proof": "0".repeat(64)})),
        Socket::Closing(_) => orders.clear(),
    }
    for order in orders {
        socket.send(Message::text(order.to_string())).await.ok()?;
    }
    if let Socket::Closing(code) = manner {
        // Not earlier: a browser that is closed to sends no hello.
        let hello = socket.next().await?.ok()?.into_text().ok()?;
        told.lock().expect("no panic inside").push(hello.to_string());
        let reason = Utf8Bytes::from_static("gone");
        socket.close(Some(CloseFrame { code: code.into(), reason })).await.ok()?;
    }
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            told.lock().expect("no panic inside").push(text.to_string());
        }
    }
    told.lock().expect("no panic inside").push("closed".to_owned());
    Some(())
}

/// The pairing as the daemon has stored it.
fn stored(home: &Home) -> Pairing {
    let stored = home.read("extension-token");
    let token = stored.lines().next().expect("a token").to_owned();
    Pairing { token, origin: String::new() }
}

async fn says_stranger(popup: &Page<'_>, port: u16) {
    popup.until(&format!("{STATE} === 'waiting'")).await;
    let words = format!("What answers on port {port} {STRANGER}");
    let advice = "document.getElementById('advice').textContent";
    popup.until(&format!("{advice}.includes({})", json!(words))).await;
    // It is asked again by the alarm or by the person, and by nothing else.
    popup.until("document.getElementById('reconnect').hidden").await;
}

/// What `doctor` says, in an environment where a daemon would use this port.
async fn doctor(home: &Home, port: u16) -> Call {
    let mut command = bproxy(&home.path());
    command.arg("doctor").args(["--output", "json"]).env("BPROXY_PORT", port.to_string());
    call(command, None).await
}

/// Starts the daemon again: the browser comes back to it with the pairing that it has kept.
async fn comes_back(browser: Browser, site: Site, home: Home, port: u16) {
    let daemon = home.daemon().env("BPROXY_PORT", port.to_string()).start().await;
    let popup = browser.popup().await;
    popup.until(&format!("{STATE} === 'connected'")).await;
    popup.close().await;
    let rig = Rig { daemon, browser, site };
    assert_eq!(rig.open("article.html").await.text("h1").await, "The lighthouse keeper");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_listener_in_place_of_the_daemon_gets_nothing_and_is_named() {
    let rig = Rig::new().await;
    rig.open("article.html").await;
    let Rig { daemon, browser, site } = rig;
    let (port, home) = (daemon.port, daemon.stop().await.home);
    let rogue = Rogue::on(port, None).await;
    let popup = browser.popup().await;
    rogue.was_told("GET /challenge").await;
    says_stranger(&popup, port).await;
    rogue.got_nothing();

    let report = doctor(&home, port).await;
    assert_eq!(report.code, 1, "{report:?}");
    let own = rustix::process::geteuid().as_raw();
    let user = format!("port {port} belongs to the user with id {own} (");
    let process = format!(": process {} (", std::process::id());
    assert!(report.stdout.contains(&user) && report.stdout.contains(&process), "{report:?}");
    popup.close().await;
    drop(rogue);
    wait_for("the port", || std::net::TcpListener::bind(("127.0.0.1", port)).ok()).await;
    comes_back(browser, site, home, port).await;
}

/// A program that answers every request, and keeps what it is told.
const TRAP: &str = r#"use IO::Socket::INET; $| = 1;
    my $trap = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 64, ReuseAddr => 1) or die;
    print "ready\n";
    while (my $caller = $trap->accept) { fork and next; sysread($caller, my $told, 65536); print $told;
        my $body = '{"ok":true,"data":{"nonce":"' . ("f" x 112) . '","proof":"' . ("0" x 64) . '"}}';
        syswrite($caller, "HTTP/1.1 200 OK\r\nContent-Length: " . length($body) . "\r\nConnection: close\r\n\r\n$body"); exit }"#;

/// Lets a program take the port of a daemon that was killed, before the next one starts: `command` runs a program of
/// Perl's with the arguments that follow. It is told nothing, by the extension or by commands, and everybody names it:
/// the popup, `doctor` as a program of `user`, and the daemon that cannot start.
async fn takes_the_port(mut command: Command, user: u32) {
    let rig = Rig::new().await;
    rig.open("article.html").await;
    let Rig { daemon, browser, site } = rig;
    let (port, home) = (daemon.port, daemon.kill().await.home);
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.path().join("kept");
    command.args(["perl", "-e", TRAP, &port.to_string()]).stdin(Stdio::null()).kill_on_drop(true);
    let mut trap = command.stdout(std::fs::File::create(&kept).expect("a file")).spawn();
    let trap = trap.as_mut().expect("a trap");
    let told = || std::fs::read_to_string(&kept).unwrap_or_default();
    wait_for("the trap", || told().contains("ready").then_some(())).await;

    let popup = browser.popup().await;
    wait_for("a challenge", || told().contains("GET /challenge?nonce=").then_some(())).await;
    says_stranger(&popup, port).await;
    let report = doctor(&home, port).await;
    assert!(report.code == 1 && report.stdout.contains("(perl)"), "{report:?}");
    let tokens = [stored(&home).token, home.read("token")];
    assert_eq!(run(&home, &["session", "list"]).await.code, 2);
    let start = home.daemon().env("BPROXY_PORT", port.to_string()).refused().await;
    let taken = format!("port {port} is taken by process ");
    assert!(start.stderr.contains(&taken) && start.stderr.contains("(perl)"), "{}", start.stderr);
    // The daemon that could not start has removed the port file of the one before.
    let home = start.home;
    assert_eq!(run(&home, &["session", "list"]).await.code, 2);
    let report = doctor(&home, port).await;
    let named = format!("port {port} belongs to the user with id {user} (");
    assert!(report.code == 1 && report.stdout.contains(&named), "{report:?}");
    let told = told();
    for word in [&*tokens[0], tokens[1].trim(), "Sec-WebSocket", "POST", "hello", "proof."] {
        assert!(!told.contains(word), "{word}: {told}");
    }
    popup.close().await;
    trap.kill().await.expect("an own child");
    wait_for("the port", || std::net::TcpListener::bind(("127.0.0.1", port)).ok()).await;
    comes_back(browser, site, home, port).await;
}

#[tokio::test]
async fn another_users_listener_gets_nothing_and_is_named() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can start a program of another user");
    }
    // The user `nobody`.
    let user = 65534;
    let mut command = Command::new("env");
    command.uid(user).gid(user);
    takes_the_port(command, user).await;
}

/// A program in a sandbox of its own that is left nothing but the programs of the system and the loopback network.
#[tokio::test]
async fn a_sandboxed_listener_gets_nothing_and_is_named() {
    let mut command = Command::new("bwrap");
    command.args([
        "--unshare-all",
        "--share-net",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
    ]);
    command.args([
        "--uid", "1000", "--gid", "1000", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp",
    ]);
    command.args(["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"]);
    command.args(["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"]);
    takes_the_port(command, rustix::process::geteuid().as_raw()).await;
}

#[tokio::test]
async fn a_relay_on_another_port_gets_nothing() {
    let rig = Rig::new().await;
    let relay = Rogue::relay(rig.daemon.port).await;
    let popup = rig.browser.popup().await;
    popup.until(&format!("{STATE} === 'connected'")).await;
    popup.set_port(relay.port).await;
    relay.was_told("GET /challenge").await;
    says_stranger(&popup, relay.port).await;
    relay.got_nothing();
    assert_eq!(rig.daemon.records("ws_connect").len(), 1);
    let report = doctor(&rig.daemon.home, rig.daemon.port).await;
    let named = format!("its popup has to name port {}", rig.daemon.port);
    assert!(report.code == 1 && report.stdout.contains(&named), "{report:?}");

    popup.set_port(rig.daemon.port).await;
    popup.until(&format!("{STATE} === 'connected'")).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn a_connection_without_the_right_proof_is_told_and_obeyed_nothing() {
    let rig = Rig::new().await;
    rig.open("article.html").await;
    let Rig { daemon, browser, site } = rig;
    let (port, home) = (daemon.port, daemon.stop().await.home);
    let tabs = "(await chrome.tabs.query({})).map(({url}) => url).sort().join()";
    let kept = "chrome.storage.local.get(['pairing', 'instanceId']).then(JSON.stringify)";
    let popup = browser.popup().await;
    let before = text(&popup.evaluate(kept).await);
    for manner in [Socket::Silent, Socket::Lying, Socket::Closing(4001), Socket::Closing(4000)] {
        let pairing = stored(&home);
        let rogue = Rogue::on(port, Some((pairing.clone(), manner))).await;
        let shown = text(&popup.evaluate(&format!("(async () => {tabs})()")).await);
        // Opening the popup asks at once.
        let second = browser.popup().await;
        rogue.was_told(r#"{"type":"hello""#).await;
        if !matches!(manner, Socket::Closing(_)) {
            rogue.was_told("closed").await;
            says_stranger(&popup, port).await;
        }
        second.close().await;
        let told = rogue.told();
        let mut messages = told.iter().filter(|told| told.starts_with('{'));
        assert!(messages.all(|told| told.starts_with(r#"{"type":"hello""#)), "{told:?}");
        assert!(!told.iter().any(|told| told.contains(&pairing.token)), "{told:?}");
        popup.until(&format!("{tabs} === {}", json!(shown))).await;
        assert_eq!(text(&popup.evaluate(kept).await), before, "pairing and identity are kept");
        drop(rogue);
        wait_for("the port", || std::net::TcpListener::bind(("127.0.0.1", port)).ok()).await;
    }
    popup.close().await;
    comes_back(browser, site, home, port).await;
}
