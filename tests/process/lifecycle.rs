//! The daemon's process: its state directory, what it refuses to start with, one daemon per home, signals, draining, exit.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::net::TcpStream;

use crate::support::{Connection, Daemon, Exit, Home, request, wait_for};

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("an own file");
}

/// Asserts that a refusal names `file`, says what is wrong, and how to mend it; and that nothing was started.
#[track_caller]
fn assert_names(exit: &Exit, file: &Path, remedy: &[&str]) {
    let stderr = &exit.stderr;
    assert!(
        stderr.contains(file.to_str().expect("a text path")),
        "the file {file:?} is not named: {stderr}"
    );
    assert!(
        remedy.iter().any(|word| stderr.contains(word)),
        "none of {remedy:?} is suggested: {stderr}"
    );
    assert!(exit.status.code().is_some_and(|code| code > 0), "{}", exit.status);
    assert_eq!(exit.stdout, "", "nothing on stdout");
    assert!(!exit.home.file("port").exists(), "a refusing daemon writes no port");
}

// --- the state directory ---

#[tokio::test]
async fn everything_in_the_state_directory_is_private() {
    let daemon = Daemon::start().await;
    daemon.pairing().await;
    daemon.send(request("pairing.issue")).await.data();
    daemon.new_session().await;
    assert_eq!(daemon.home.mode(""), 0o700);
    for file in [
        "bproxy.pid",
        "port",
        "token",
        "extension-token",
        "pairing.json",
        "sessions.json",
        "layout",
        "socket",
    ] {
        assert_eq!(daemon.home.mode(file), 0o600, "{file}");
    }
    daemon.record("pair_claim_ok", |_| true).await;
    assert!(daemon.home.file("logs").is_dir() && daemon.home.file("tmp").is_dir());
    assert_eq!(daemon.home.read("port").trim(), daemon.port.to_string());
    assert_eq!(daemon.home.read("bproxy.pid").trim(), daemon.pid().as_raw_nonzero().to_string());
    // Whatever writes files atomically has left nothing behind.
    let mut names: Vec<_> = fs::read_dir(daemon.home.path())
        .expect("the home")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a text name"))
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "bproxy.pid",
            "extension-token",
            "layout",
            "logs",
            "pairing.json",
            "port",
            "sessions.json",
            "socket",
            "tmp",
            "token"
        ]
    );
}

#[tokio::test]
async fn a_missing_home_is_created_for_its_owner_alone() {
    let home = Home::new();
    fs::remove_dir(home.path()).expect("an empty directory");
    let daemon = home.daemon().start().await;
    assert_eq!(daemon.home.mode(""), 0o700);
}

#[tokio::test]
async fn the_temporary_directory_is_emptied_at_start() {
    let home = Home::new();
    fs::create_dir_all(home.file("tmp/sessions/abcdef")).expect("a directory");
    fs::write(home.file("tmp/sessions/abcdef/shot.png"), "old").expect("a file");
    fs::write(home.file("tmp/other"), "old").expect("a file");
    // A link is removed, not followed.
    let outside = Home::new();
    fs::write(outside.file("precious"), "kept").expect("a file");
    symlink(outside.path(), home.file("tmp/link")).expect("a link");
    let daemon = home.daemon().start().await;
    let left: Vec<_> = fs::read_dir(daemon.home.file("tmp"))
        .expect("tmp")
        .map(|it| it.expect("an entry").path())
        .collect();
    assert!(
        left.iter()
            .all(|path| path.ends_with("sessions")
                && fs::read_dir(path).expect("sessions").count() == 0),
        "{left:?}"
    );
    assert_eq!(outside.read("precious"), "kept");
}

#[tokio::test]
async fn only_loopback_is_listened_to() {
    let daemon = Daemon::start().await;
    for address in ["127.0.0.2", "::1"] {
        assert!(TcpStream::connect((address, daemon.port)).await.is_err(), "{address} answers");
    }
}

#[tokio::test]
async fn every_start_makes_a_new_daemon_token() {
    let daemon = Daemon::start().await;
    let old = daemon.client();
    let daemon = daemon.restart().await;
    assert_ne!(old.token, daemon.token);
    assert!(daemon.token.len() >= 32 && daemon.token.bytes().all(|byte| byte.is_ascii_graphic()));
    let mut connection = Connection::open(daemon.port).await;
    let (host, bearer) = (daemon.host(), old.bearer());
    connection.request("GET /", &[("Host", &host), ("Authorization", &bearer)], b"").await;
    assert_eq!(connection.response().await.status, 401);
}

// --- refusals to start ---

#[tokio::test]
async fn a_home_that_others_may_write_is_refused() {
    for mode in [0o770, 0o707, 0o777, 0o1777] {
        let home = Home::new();
        chmod(&home.path(), mode);
        let exit = home.daemon().refused().await;
        assert_names(&exit, &exit.home.path(), &["chmod"]);
        assert_eq!(exit.home.mode(""), mode, "mending is the owner's decision");
    }
}

#[tokio::test]
async fn a_home_that_others_may_read_is_accepted() {
    let home = Home::new();
    chmod(&home.path(), 0o755);
    let daemon = home.daemon().start().await;
    daemon.send(request("session.list")).await.data();
}

#[tokio::test]
async fn a_home_or_a_secret_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        // Who is not root can give nothing away, but finds a directory of another user at the root.
        let exit = Home::new().daemon().env("BPROXY_HOME", "/").refused().await;
        assert!(
            exit.stderr.contains("BPROXY_HOME") || exit.stderr.contains("chown"),
            "{}",
            exit.stderr
        );
        return;
    }
    let give_away = |path: &Path| {
        std::os::unix::fs::chown(path, Some(65534), Some(65534)).expect("root may give away")
    };
    let home = Home::new();
    give_away(&home.path());
    let exit = home.daemon().refused().await;
    assert_names(&exit, &exit.home.path(), &["chown", "BPROXY_HOME"]);

    let home = Home::new();
    fs::write(home.file("extension-token"), "a".repeat(64)).expect("a file");
    chmod(&home.file("extension-token"), 0o600);
    give_away(&home.file("extension-token"));
    let exit = home.daemon().refused().await;
    assert_names(&exit, &exit.home.file("extension-token"), &["chown", "rm ", "remove"]);
}

#[tokio::test]
async fn a_home_that_is_no_directory_is_refused() {
    let home = Home::new();
    fs::remove_dir(home.path()).expect("an empty directory");
    fs::write(home.path(), "a file").expect("a file");
    let exit = home.daemon().refused().await;
    assert!(
        exit.stderr.contains(exit.home.path().to_str().expect("a text path")),
        "{}",
        exit.stderr
    );
}

#[tokio::test]
async fn a_secret_that_others_may_read_or_write_is_refused() {
    for file in ["token", "extension-token"] {
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o666] {
            let home = Home::new();
            fs::write(home.file(file), "a".repeat(64)).expect("a file");
            chmod(&home.file(file), mode);
            let exit = home.daemon().refused().await;
            assert_names(&exit, &exit.home.file(file), &["chmod"]);
            assert_eq!(
                (exit.home.mode(file), exit.home.read(file)),
                (mode, "a".repeat(64)),
                "the file is untouched"
            );
            assert!(!exit.stderr.contains(&"a".repeat(64)));
        }
    }
}

#[tokio::test]
async fn a_link_in_place_of_a_secret_is_refused() {
    for file in ["token", "extension-token"] {
        let home = Home::new();
        let elsewhere = Home::new();
        fs::write(elsewhere.file("target"), "a".repeat(64)).expect("a file");
        chmod(&elsewhere.file("target"), 0o600);
        symlink(elsewhere.file("target"), home.file(file)).expect("a link");
        let exit = home.daemon().refused().await;
        assert_names(&exit, &exit.home.file(file), &["rm ", "remove", "Remove", "delete"]);
        assert_eq!(elsewhere.read("target"), "a".repeat(64), "what it points to is untouched");
    }
}

#[tokio::test]
async fn nothing_is_written_or_removed_through_a_link() {
    for file in ["bproxy.pid", "port", "pairing.json", "tmp"] {
        let (home, elsewhere) = (Home::new(), Home::new());
        fs::write(elsewhere.file("precious"), "kept").expect("a file");
        chmod(&elsewhere.file("precious"), 0o600);
        let target = if file == "tmp" { elsewhere.path() } else { elsewhere.file("precious") };
        symlink(target, home.file(file)).expect("a link");
        // Whether the daemon refuses or puts its own file in the link's place is its decision.
        let outcome = home.clone().daemon().start_or_end().await;
        assert_eq!(elsewhere.read("precious"), "kept", "through {file}");
        if let Ok(mut child) = outcome {
            child.kill().await.expect("an own child");
        }
    }
}

#[tokio::test]
async fn an_invalid_setting_is_refused_by_name() {
    for (name, value) in [
        ("BPROXY_PORT", "http"),
        ("BPROXY_PORT", "70000"),
        ("BPROXY_PORT", "-1"),
        ("BPROXY_SECRETS", "cloud"),
        ("BPROXY_LOG", "printer"),
        ("BPROXY_LOG_LEVEL", "loud"),
        ("BPROXY_EXTENSION_IDS", "not-an-id"),
    ] {
        let exit = Home::new().daemon().env(name, value).refused().await;
        assert!(
            exit.stderr.contains(name) && exit.stderr.contains(value),
            "{name}={value}: {}",
            exit.stderr
        );
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_refused_by_number() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let exit = Home::new().daemon().env("BPROXY_PORT", &port).refused().await;
    assert!(exit.stderr.contains(&port), "{}", exit.stderr);
    for file in ["port", "pairing.json", "token", "bproxy.pid"] {
        assert!(!exit.home.file(file).exists(), "{file} stays behind");
    }
}

// --- one daemon per home ---

#[tokio::test]
async fn a_second_daemon_in_the_same_home_is_refused_and_disturbs_nothing() {
    let daemon = Daemon::start().await;
    let files = ["bproxy.pid", "port", "token", "pairing.json"];
    let before = files.map(|file| daemon.home.read(file));
    let session = daemon.new_session().await;
    let exit = daemon.home.clone().daemon().refused().await;
    assert!(
        exit.stderr.contains(&daemon.pid().as_raw_nonzero().to_string()),
        "who runs already? {}",
        exit.stderr
    );
    assert_eq!(files.map(|file| daemon.home.read(file)), before);
    assert!(daemon.home.file(&format!("tmp/sessions/{session}")).is_dir());
    daemon.send(request("session.list")).await.data();
    daemon.stop().await;
}

#[tokio::test]
async fn of_several_starts_at_once_one_wins() {
    let home = Home::new();
    let starts: Vec<_> =
        (0..5).map(|_| tokio::spawn(home.clone().daemon().start_or_end())).collect();
    let mut winners = Vec::new();
    for start in starts {
        match start.await.expect("the start is watched") {
            Ok(child) => winners.push(child),
            Err(exit) => {
                assert!(exit.status.code().is_some_and(|code| code > 0), "{}", exit.status);
                assert!(exit.stderr.contains("running"), "{}", exit.stderr);
                assert!(!exit.stderr.contains("panicked"), "{}", exit.stderr);
            }
        }
    }
    assert_eq!(winners.len(), 1);
    // The files in the home are the winner's, not a mixture.
    let winner = &mut winners[0];
    let pid = winner.id().expect("it runs");
    assert_eq!(home.read("bproxy.pid").trim(), pid.to_string());
    let port = home.read("port").trim().parse().expect("a port");
    let client = crate::support::Client { port, token: home.read("token").trim().to_owned() };
    assert_eq!(client.get("/health").await.json()["pid"], pid);
}

#[tokio::test]
async fn a_killed_daemon_never_blocks_the_next() {
    let daemon = Daemon::start().await;
    let exit = daemon.kill().await;
    for file in ["bproxy.pid", "port", "token", "pairing.json"] {
        assert!(exit.home.file(file).exists(), "a killed daemon tidies nothing: {file}");
    }
    // The stale number may even be that of a living process: the lock decides.
    fs::write(exit.home.file("bproxy.pid"), std::process::id().to_string()).expect("an own file");
    let daemon = exit.home.daemon().start().await;
    assert_eq!(daemon.home.read("bproxy.pid").trim(), daemon.pid().as_raw_nonzero().to_string());
    daemon.send(request("session.list")).await.data();
}

// --- the end ---

#[tokio::test]
async fn a_signal_shuts_the_daemon_down_cleanly() {
    for signal in [Signal::TERM, Signal::INT] {
        let daemon = Daemon::start().await;
        daemon.pairing().await;
        daemon.send(request("pairing.issue")).await.data();
        let started = Instant::now();
        daemon.signal(signal);
        let exit = daemon.ended().await;
        assert_eq!(exit.status.code(), Some(0), "{}", exit.stderr);
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "nothing to wait for: {:?}",
            started.elapsed()
        );
        for file in ["bproxy.pid", "port", "token", "pairing.json"] {
            assert!(!exit.home.file(file).exists(), "{file} stays behind");
        }
        assert_eq!(exit.home.mode("extension-token"), 0o600);
    }
}

/// The system calls that the main thread of a daemon makes until it is ready, each with how many of its name there have
/// been. Without those whose number differs from start to start.
#[cfg(target_os = "linux")]
async fn calls_of_a_start() -> Vec<(String, usize)> {
    let home = Home::new();
    let trace = home.path().with_file_name("trace");
    let strace = ["strace", "-qqq", "-o", trace.to_str().expect("text")];
    let daemon = home.daemon_by(&strace).start().await;
    let traced = wait_for("the trace of a start", || {
        let traced = fs::read_to_string(&trace).expect("a trace");
        traced.contains("/port\") = 0").then_some(traced)
    })
    .await;
    // What was started is strace, which lets no signal disturb it.
    let pid = daemon.home.read("bproxy.pid").trim().parse().ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), Signal::TERM).expect("own process");
    daemon.ended().await;
    let mut counts = HashMap::new();
    let names = traced.lines().filter_map(|line| Some(line.split_once('(')?.0.to_owned()));
    // The first one starts the program.
    names
        .skip(1)
        .filter(|name| !["futex", "epoll_wait"].contains(&&**name))
        .map(|name| {
            let count = counts.entry(name.clone()).or_insert(0);
            *count += 1;
            (name, *count)
        })
        .collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_signal_in_any_phase_of_the_start_leaves_nothing() {
    let calls = calls_of_a_start().await;
    // Signals are held back until the event loop is told of them.
    let prepared = calls.iter().position(|(name, _)| name == "rt_sigprocmask").expect("a mask");
    for (at, (name, count)) in calls.iter().enumerate() {
        let (trace, inject) =
            (format!("trace={name}"), format!("inject={name}:signal=TERM:when={count}"));
        let strace = ["strace", "-qqq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
        let (mut child, home) = Home::new().daemon_by(&strace).spawned();
        let what = format!("the end of a daemon with SIGTERM at {name} no. {count}");
        let status = crate::support::patiently(&what, child.wait()).await.expect("an own child");
        // Before it is prepared for signals it has nothing to tidy up.
        let is_tidy = status.success() || at < prepared;
        assert!(is_tidy, "{what}: {status} {}", home.printed("stderr"));
        for file in ["bproxy.pid", "token", "pairing.json", "port"] {
            assert!(!home.file(file).exists(), "{what}: {file} stays behind");
        }
    }
}

#[tokio::test]
async fn browsers_are_told_that_the_daemon_shuts_down() {
    let daemon = Daemon::start().await;
    let (mut named, mut silent) = (daemon.extension().await, daemon.connected().await);
    daemon.signal(Signal::TERM);
    assert_eq!(named.ended().await, Some(1001));
    assert_eq!(silent.ended().await, Some(1001));
    assert_eq!(daemon.ended().await.status.code(), Some(0));
}

#[tokio::test]
async fn idle_and_half_sent_connections_do_not_delay_shutdown() {
    let daemon = Daemon::start().await;
    let mut idle = daemon.connect().await;
    daemon.post_on(&mut idle, &request("session.list").bytes()).await;
    idle.response().await;
    let mut half = daemon.connect().await;
    half.write("POST / HTTP/1.1\r\nHost: 127").await;
    let _silent = daemon.connect().await;
    let started = Instant::now();
    let exit = daemon.stop().await;
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    assert!(!exit.home.file("port").exists());
}

#[tokio::test]
async fn a_command_in_flight_is_finished_while_new_ones_are_turned_away() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    daemon.signal(Signal::TERM);
    // From some moment on every new command gets 503.
    let turned_away = async {
        loop {
            let reply = daemon.send(request("session.list")).await;
            if reply.status() == 503 {
                return reply;
            }
        }
    };
    crate::support::patiently("the first 503", turned_away).await.refused(503, "SHUTTING_DOWN");
    daemon.send(tab.request("outline")).await.refused(503, "SHUTTING_DOWN");
    ext.has_nothing().await;
    ext.answer(&command, json!({"text": "just in time"})).await;
    assert_eq!(reading.reply().await.data()["text"], "just in time");
    assert_eq!(ext.ended().await, Some(1001));
    assert_eq!(daemon.ended().await.status.code(), Some(0));
}

#[tokio::test]
async fn commands_unanswered_after_five_seconds_of_shutdown_get_503() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let stuck = daemon.begin(tab.request("text"));
    ext.receive().await;
    let queued = daemon.begin(tab.request("outline"));
    daemon.admitted(&queued.id).await;
    let started = Instant::now();
    daemon.signal(Signal::TERM);
    stuck.reply().await.refused(503, "SHUTTING_DOWN");
    let took = started.elapsed();
    assert!((Duration::from_millis(4500)..Duration::from_secs(8)).contains(&took), "{took:?}");
    queued.reply().await.refused(503, "SHUTTING_DOWN");
    assert_eq!(ext.ended().await, Some(1001));
    let exit = daemon.ended().await;
    assert_eq!(exit.status.code(), Some(0), "{}", exit.stderr);
    assert!(!exit.home.file("token").exists());
}

#[tokio::test]
async fn a_browser_that_does_not_read_does_not_delay_shutdown() {
    let (daemon, deaf, tab) = Daemon::with_tab().await;
    let value = "x".repeat(900_000);
    for _ in 0..8 {
        let fill = json!({"target": {"selector": "a"}, "value": value, "method": "direct", "world": "isolated"});
        daemon
            .send(tab.request("fill").params(fill).within(Duration::from_millis(100)))
            .await
            .error("TIMEOUT");
    }
    let started = Instant::now();
    daemon.stop().await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    drop(deaf);
}

#[tokio::test]
async fn the_log_is_whole_when_the_daemon_has_ended() {
    let daemon = Daemon::start().await;
    let ids: Vec<_> = (0..50).map(|index| format!("last-{index}")).collect();
    for id in &ids {
        daemon.send(request("session.list").named(id)).await.data();
    }
    let exit = daemon.stop().await;
    for id in &ids {
        let events: Vec<_> =
            exit.home.log().into_iter().filter(|record| record["id"] == id.as_str()).collect();
        assert!(events.iter().any(|record| record["event"] == "response"), "{id}: {events:?}");
    }
}

#[tokio::test]
async fn a_daemon_that_was_stopped_can_start_again_at_once_on_the_same_port() {
    let daemon = Daemon::start().await;
    let port = daemon.port.to_string();
    let mut ext = daemon.extension().await;
    ext.fence().await;
    let home = daemon.stop().await.home;
    let daemon = home.daemon().env("BPROXY_PORT", &port).start().await;
    assert_eq!(daemon.port.to_string(), port);
    daemon.new_session().await;
}
