//! Socket activation and notifications, at the protocol level: the test plays the service manager.

#![cfg(target_os = "linux")]

use std::fs;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{
    Client, Daemon, FakeExtension, Home, own_origin, patiently, request, wait_for,
};

/// A socket as a manager holds it, and one more handle on it to hand over.
fn socket() -> (TcpListener, TcpListener) {
    let held = TcpListener::bind("127.0.0.1:0").expect("a port");
    let handed = held.try_clone().expect("a second handle");
    (held, handed)
}

fn port(socket: &TcpListener) -> u16 {
    socket.local_addr().expect("an address").port()
}

async fn health(client: &Client) -> Value {
    let mut connection = client.connect().await;
    let headers = [("Host", client.host()), ("Authorization", client.bearer())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    connection.request("GET /health", &headers, b"").await;
    connection.response().await.json()
}

#[tokio::test]
async fn an_activated_daemon_serves_the_socket_that_it_is_given_and_never_closes_it_for_others() {
    let (held, handed) = socket();
    let daemon = Home::new().activated(handed).start().await;
    assert_eq!(daemon.port, port(&held));
    assert_eq!(health(&daemon).await["activation"], "systemd");
    let home = daemon.stop().await.home;
    let waiting = TcpStream::connect(("127.0.0.1", port(&held)));
    assert!(waiting.is_ok(), "the socket goes on taking connections for the next daemon");
    for transient in ["port", "bproxy.pid", "pairing.json"] {
        assert!(!home.file(transient).exists(), "{transient} is left");
    }
}

#[tokio::test]
async fn the_socket_is_not_inherited_and_never_waited_on() {
    let (_held, handed) = socket();
    let daemon = Home::new().activated(handed).start().await;
    let info = format!("/proc/{}/fdinfo/3", daemon.pid().as_raw_nonzero());
    let info = fs::read_to_string(info).expect("the third descriptor");
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).expect("flags");
    let flags = u32::from_str_radix(flags.trim(), 8).expect("octal flags");
    let wanted = rustix::fs::OFlags::CLOEXEC | rustix::fs::OFlags::NONBLOCK;
    assert_eq!(flags & wanted.bits(), wanted.bits(), "{info}");
}

#[tokio::test]
async fn a_wrong_socket_ends_the_start_with_78_and_says_what_it_got() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("socket");
    let everywhere = TcpListener::bind("0.0.0.0:0").expect("a port");
    let at = everywhere.local_addr().expect("an address").to_string();
    let (listener, handed) = socket();
    let connection = TcpStream::connect(listener.local_addr().expect("an address"));
    let cases: [(OwnedFd, &str); 5] = [
        (UnixListener::bind(&path).expect("a socket").into(), "1 are Unix sockets"),
        (UdpSocket::bind("127.0.0.1:0").expect("a socket").into(), "datagram"),
        (everywhere.into(), &at),
        (connection.expect("a connection").into(), "not a listening"),
        (fs::File::open("/dev/null").expect("a file").into(), "not a socket"),
    ];
    for (descriptor, got) in cases {
        let exit = Home::new().activated(descriptor).refused().await;
        assert_eq!(exit.status.code(), Some(78), "{}", exit.stderr);
        assert!(exit.stderr.contains("\"bproxy\"") && exit.stderr.contains(got), "{}", exit.stderr);
        assert!(!exit.home.file("token").exists(), "a refused start leaves nothing");
    }
    drop(handed);
}

#[tokio::test]
async fn a_socket_under_a_wrong_name_or_for_another_process_ends_the_start_with_78() {
    for (variable, value) in
        [("LISTEN_FDNAMES", "http"), ("LISTEN_FDNAMES", "a:b"), ("LISTEN_PID", "1")]
    {
        let exit = Home::new().activated(socket().1).env(variable, value).refused().await;
        assert_eq!(exit.status.code(), Some(78), "{}", exit.stderr);
        let message = exit.stderr;
        assert!(message.contains(variable) && message.contains(value), "{message}");
        assert!(message.contains("\"bproxy\""), "{message}");
    }
}

#[tokio::test]
async fn an_expected_socket_that_is_missing_is_an_error_that_names_it() {
    let exit = Home::new().activated(socket().1).without_env("LISTEN_FDS").refused().await;
    assert_eq!(exit.status.code(), Some(78));
    assert!(exit.stderr.contains("\"bproxy\""), "{}", exit.stderr);
}

#[tokio::test]
async fn socket_activate_of_systemd_starts_the_daemon_for_the_first_connection() {
    for name in [None, Some("--fdname=bproxy")] {
        let home = Home::new();
        // Free a moment ago; the program takes no socket from outside.
        let port = port(&socket().0);
        let mut command = tokio::process::Command::new("systemd-socket-activate");
        command
            .arg(format!("--listen=127.0.0.1:{port}"))
            .args(name)
            .args(["-E", "PATH", "-E", "HOME", "-E", "BPROXY_HOME", "-E", "BPROXY_SECRETS"])
            .args(["-E", "BPROXY_LOG", env!("CARGO_BIN_EXE_bproxy"), "daemon"])
            .env("HOME", home.path())
            .env("BPROXY_HOME", home.path())
            .env("BPROXY_SECRETS", "file")
            .env("BPROXY_LOG", "file")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let _activator =
            command.spawn().expect("systemd-socket-activate, from the package systemd");
        wait_for("the socket", || TcpStream::connect(("127.0.0.1", port)).ok()).await;
        wait_for("the daemon", || home.file("port").exists().then_some(())).await;
        let token = home.read("token");
        let health = health(&Client { port, token }).await;
        assert_eq!(health["activation"], "systemd");
    }
}

#[tokio::test]
async fn an_activated_daemon_goes_on_with_the_stored_token_and_leaves_it() {
    let (_held, handed) = socket();
    let again = handed.try_clone().expect("a handle");
    let first = Home::new().activated(handed).start().await;
    let (token, home) = (first.token.clone(), first.stop().await.home);
    assert_eq!(home.read("token"), token);
    let second = home.activated(again).start().await;
    assert_eq!(second.token, token);
    // A standalone daemon in the same place makes its own, and takes it along.
    let standalone = second.stop().await.home.daemon().start().await;
    assert_ne!(standalone.token, token);
    assert!(!standalone.stop().await.home.file("token").exists());
}

#[tokio::test]
async fn no_request_is_refused_while_one_daemon_follows_another_on_the_socket() {
    const REQUESTS: usize = 200;
    let (held, handed) = socket();
    let mut daemon = Home::new().activated(handed).start().await;
    let client = daemon.client();
    let requests = tokio::spawn(async move {
        for number in 0..REQUESTS {
            let reply = patiently("an answer", client.send(request("session.list"))).await;
            assert_eq!(reply.status(), 200, "request {number}");
        }
    });
    while !requests.is_finished() {
        let handed = held.try_clone().expect("a handle");
        daemon = daemon.stop().await.home.activated(handed).start().await;
    }
    requests.await.expect("no request is refused");
}

#[tokio::test]
async fn a_connection_that_was_made_before_the_stop_gets_its_request_answered_after_it() {
    let (_held, handed) = socket();
    let daemon = Home::new().activated(handed).start().await;
    let mut early = daemon.connect().await;
    daemon.settled().await;
    daemon.signal(Signal::TERM);
    daemon.record("shutdown", |_| true).await;
    daemon.post_on(&mut early, &request("session.list").bytes()).await;
    assert_eq!(early.response().await.status, 200);
    assert!(daemon.ended().await.status.success());
}

#[tokio::test]
async fn the_extension_comes_back_with_its_token_after_the_daemon_was_killed() {
    let (held, handed) = socket();
    let daemon = Home::new().activated(handed).start().await;
    let pairing = daemon.pairing().await;
    let mut extension = FakeExtension::connect(daemon.port, &pairing).await.expect("it is let in");
    extension.fence().await;
    let home = daemon.kill().await.home;
    let daemon = home.activated(held.try_clone().expect("a handle")).start().await;
    let mut extension = FakeExtension::connect(daemon.port, &pairing).await.expect("it is let in");
    extension.fence().await;
}

#[tokio::test]
async fn sessions_bindings_and_pauses_pass_from_one_daemon_on_the_socket_to_the_next() {
    let (held, handed) = socket();
    let mut daemon = Home::new().activated(handed).start().await;
    let pairing = daemon.pairing().await;
    let mut extension = daemon.numbering_extension("a").await;
    let [tab, paused] = [extension.open_tab(&daemon).await, extension.open_tab(&daemon).await];
    let text = daemon.begin(paused.request("text"));
    let command = extension.receive().await;
    extension.fail(&command, "HUMAN_REQUIRED", "sign in").await;
    text.reply().await.error("HUMAN_REQUIRED");
    let before = daemon.send(request("session.list")).await.data();
    for end in [Signal::TERM, Signal::KILL, Signal::TERM] {
        // The next one is called before this one has ended, as in an upgrade.
        let waits = daemon.begin(request("session.list"));
        daemon.signal(end);
        let home = daemon.ended().await.home;
        daemon = home.activated(held.try_clone().expect("a handle")).start().await;
        if end == Signal::TERM {
            assert_eq!(waits.reply().await.data(), before);
        }
        assert_eq!(daemon.send(request("session.list")).await.data(), before, "{end:?}");
        let mut extension = FakeExtension::connect(daemon.port, &pairing).await.expect("let in");
        let tabs = [(tab.id, &*tab.session), (paused.id, &*paused.session)];
        extension.hello_holding("a", &tabs).await;
        extension.fence().await;
        let (command, reply) =
            extension.exchange(&daemon, tab.request("text"), json!({"text": "x"})).await;
        assert_eq!((command.tab_id(), &reply.data()["text"]), (Some(tab.id), &json!("x")));
        daemon.send(paused.request("text")).await.error("HUMAN_REQUIRED");
    }
}

#[tokio::test]
async fn an_idle_daemon_exits_cleanly_after_its_idle_time() {
    let start = Instant::now();
    let daemon = Home::new().activated(socket().1).env("BPROXY_IDLE_EXIT", "1").start().await;
    let exit = daemon.ended().await;
    assert!(exit.status.success(), "{}", exit.stderr);
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(exit.home.records("idle_exit").len(), 1);
}

/// Waits longer than a daemon with an idle time of one second runs.
async fn time_to_end() {
    let unused = Home::new().activated(socket().1).env("BPROXY_IDLE_EXIT", "1").start().await;
    assert!(unused.ended().await.status.success());
}

#[tokio::test]
async fn a_browser_request_or_event_subscriber_keeps_the_daemon_running_and_a_session_does_not() {
    let idle = || Home::new().activated(socket().1).env("BPROXY_IDLE_EXIT", "1");
    let (with_session, with_browser, with_requests, with_reader) =
        tokio::join!(idle().start(), idle().start(), idle().start(), idle().start());
    with_session.new_session().await;
    let browser = with_browser.extension().await;
    let (mut reader, host, bearer) =
        (with_reader.connect().await, with_reader.host(), with_reader.bearer());
    let headers = [("Host", &*host), ("Authorization", &*bearer)];
    reader.request("GET /events", &headers, b"").await;
    assert_eq!(reader.head().await.status, 200);
    let requests = async {
        loop {
            with_requests.get("/health").await;
        }
    };
    tokio::select! {
        () = requests => {}
        () = time_to_end() => {}
    }
    for daemon in [&with_browser, &with_requests, &with_reader] {
        assert_eq!(daemon.records("idle_exit"), [] as [Value; 0]);
    }
    let ended = with_session.ended().await;
    assert!(ended.status.success());
    assert_eq!(ended.home.records("idle_exit").len(), 1);
    browser.close().await;
    drop(reader);
    for daemon in [with_browser, with_requests, with_reader] {
        assert!(daemon.ended().await.status.success());
    }
}

#[tokio::test]
async fn a_refused_request_does_not_keep_the_daemon_running() {
    let (held, handed) = socket();
    let daemon = Home::new().activated(handed).env("BPROXY_IDLE_EXIT", "1").start().await;
    let stranger = Client { token: "f".repeat(64), ..daemon.client() };
    assert_eq!(stranger.send(request("session.list")).await.status(), 401);
    let refused = tokio::spawn(async move {
        loop {
            stranger.send(request("session.list")).await;
        }
    });
    assert!(daemon.ended().await.status.success());
    // What comes now waits for the next daemon, of which there is none.
    refused.abort();
    drop(held);
}

#[tokio::test]
async fn the_idle_time_set_by_a_person_takes_precedence() {
    let start = |said: &str| {
        let home = Home::new();
        fs::write(home.file("config.env"), said).expect("own directory");
        home.activated(socket().1).arg("--idle-exit=1").start()
    };
    let (forever, unsaid) = tokio::join!(start("BPROXY_IDLE_EXIT=0\n"), start(""));
    assert!(unsaid.ended().await.status.success());
    time_to_end().await;
    assert_eq!(forever.get("/health").await.status(), 200);
}

#[tokio::test]
async fn a_daemon_with_its_own_socket_never_exits_when_idle() {
    let daemon = Home::new().daemon().env("BPROXY_IDLE_EXIT", "1").start().await;
    time_to_end().await;
    assert_eq!(daemon.get("/health").await.status(), 200);
}

/// The notification socket of a service manager.
struct Manager {
    socket: tokio::net::UnixDatagram,
    _directory: tempfile::TempDir,
    path: std::path::PathBuf,
}

impl Manager {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_nonblocking(true).expect("a socket");
        let socket = tokio::net::UnixDatagram::from_std(socket).expect("a socket");
        Self { socket, _directory: directory, path }
    }

    /// The next message's lines.
    async fn hear(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let length = patiently("a message", self.socket.recv(&mut bytes)).await.expect("bytes");
        str::from_utf8(&bytes[..length]).expect("text").lines().map(str::to_owned).collect()
    }

    /// The next message that has this line, or one beginning so.
    async fn hear_of(&self, what: &str) -> Vec<String> {
        loop {
            let lines = self.hear().await;
            if lines.iter().any(|line| line.starts_with(what)) {
                return lines;
            }
        }
    }
}

#[tokio::test]
async fn a_manager_is_notified_of_readiness_only_when_requests_are_answered() {
    let manager = Manager::new();
    let (held, handed) = socket();
    let port = port(&held);
    let (mut child, home) =
        Home::new().activated(handed).env("NOTIFY_SOCKET", &manager.path).spawned();
    let lines = manager.hear().await;
    assert_eq!(lines, ["READY=1", &format!("STATUS=port {port}, 0 browsers, 0 sessions")]);
    let client = Client { port, token: home.read("token") };
    assert_eq!(client.send(request("session.list")).await.status(), 200);
    child.start_kill().expect("own child");
    let _ = child.wait().await;
}

#[tokio::test]
async fn a_manager_is_notified_of_the_status_and_the_stop() {
    let manager = Manager::new();
    let setup = Home::new().activated(socket().1).env("NOTIFY_SOCKET", &manager.path);
    let daemon = setup.start().await;
    manager.hear_of("READY=1").await;
    daemon.new_session().await;
    let port = daemon.port;
    manager.hear_of(&format!("STATUS=port {port}, 0 browsers, 1 session")).await;
    let extension = daemon.extension().await;
    manager.hear_of(&format!("STATUS=port {port}, 1 browser, 1 session")).await;
    extension.close().await;
    manager.hear_of(&format!("STATUS=port {port}, 0 browsers, 1 session")).await;
    daemon.signal(Signal::TERM);
    manager.hear_of("STOPPING=1").await;
    assert!(daemon.ended().await.status.success());
}

#[tokio::test]
async fn the_watchdog_is_pinged_unless_the_daemon_hangs() {
    let manager = Manager::new();
    let daemon = Home::new()
        .activated(socket().1)
        .env("NOTIFY_SOCKET", &manager.path)
        .env("WATCHDOG_USEC", "200000")
        .start()
        .await;
    let start = Instant::now();
    for _ in 0..10 {
        manager.hear_of("WATCHDOG=1").await;
    }
    assert!(start.elapsed() < Duration::from_secs(2), "more often than once in an interval");
    daemon.signal(Signal::STOP);
    wait_for("the daemon to stand still", || {
        let state = fs::read_to_string(format!("/proc/{}/stat", daemon.pid().as_raw_nonzero()));
        state.expect("a process").contains(") T ").then_some(())
    })
    .await;
    // Earlier messages are still in the socket.
    while tokio::time::timeout(Duration::from_millis(50), manager.hear()).await.is_ok() {}
    let silence = tokio::time::timeout(Duration::from_millis(600), manager.hear()).await;
    assert!(silence.is_err(), "{silence:?}");
    daemon.signal(Signal::CONT);
    manager.hear_of("WATCHDOG=1").await;
}

#[tokio::test]
async fn a_handed_over_socket_takes_a_burst_of_connections() {
    Home::new().activated(socket().1).start().await.takes_a_burst().await;
}

#[tokio::test]
async fn a_reload_is_notified_and_reads_the_allowed_extensions_from_the_settings_file() {
    let manager = Manager::new();
    // Settings of the environment would outrank the file's.
    let setup = Home::new().activated(socket().1).without_env("BPROXY_EXTENSION_IDS");
    let daemon = setup.env("NOTIFY_SOCKET", &manager.path).start().await;
    let pairing = daemon.pair_as(&own_origin()).await;
    let settings = daemon.home.file("config.env");
    fs::write(&settings, format!("BPROXY_EXTENSION_IDS={}\n", "p".repeat(32))).expect("a file");
    daemon.signal(Signal::HUP);
    let lines = manager.hear_of("RELOADING=1").await;
    assert!(lines.iter().any(|line| line.starts_with("MONOTONIC_USEC=")), "{lines:?}");
    manager.hear_of("READY=1").await;
    assert_eq!(FakeExtension::connect(daemon.port, &pairing).await.err(), Some(401));
    // An invalid setting changes nothing.
    fs::write(&settings, "BPROXY_EXTENSION_IDS=x\n").expect("a file");
    daemon.signal(Signal::HUP);
    manager.hear_of("READY=1").await;
    daemon.record("reload_failed", |_| true).await;
    assert_eq!(FakeExtension::connect(daemon.port, &pairing).await.err(), Some(401));
    fs::remove_file(&settings).expect("own file");
    daemon.signal(Signal::HUP);
    manager.hear_of("READY=1").await;
    assert!(FakeExtension::connect(daemon.port, &pairing).await.is_ok());
}

#[tokio::test]
async fn a_daemon_without_a_manager_reloads_too_and_logs_more_or_less_from_then_on() {
    let daemon = Daemon::start().await;
    let settings = daemon.home.file("config.env");
    let mut extension = daemon.extension().await;
    let tab = extension.open_tab(&daemon).await;
    fs::write(&settings, "BPROXY_LOG_LEVEL=debug\n").expect("a file");
    daemon.signal(Signal::HUP);
    daemon.record("reload", |_| true).await;
    assert_eq!(daemon.records("payload"), [] as [Value; 0]);
    let text = json!({"text": ""});
    extension.exchange(&daemon, tab.request("text").named("detailed"), text.clone()).await;
    daemon.record("payload", |record| record["id"] == "detailed").await;
    fs::remove_file(&settings).expect("own file");
    daemon.signal(Signal::HUP);
    wait_for("the second reload", || (daemon.records("reload").len() == 2).then_some(())).await;
    extension.exchange(&daemon, tab.request("text").named("plain"), text).await;
    daemon.record("response", |record| record["id"] == "plain").await;
    assert!(daemon.records("payload").iter().all(|record| record["id"] != "plain"));
}
