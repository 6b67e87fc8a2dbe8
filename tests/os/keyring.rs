//! Tokens in a real keyring: nowhere else, moved when the setting changes, and in files where no keyring can be used.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::{Call, Client, Daemon, Desktop, Home, PATIENCE, call, request, wait_for};

/// How long the daemon waits for a keyring.
const KEYRING_WAIT: Duration = Duration::from_secs(2);

async fn start(desktop: &Desktop, home: Home, store: &str) -> Daemon {
    home.daemon().envs(desktop.env()).env("BPROXY_SECRETS", store).start().await
}

async fn run(desktop: &Desktop, home: &Home, store: &str, args: &[&str]) -> Call {
    let mut command = desktop.bproxy(&home.path(), store);
    command.args(args);
    call(command, None).await
}

/// The daemon's health, as its user sees it.
async fn health(desktop: &Desktop, daemon: &Daemon, store: &str) -> Value {
    let health = run(desktop, &daemon.home, store, &["health"]).await.json();
    assert!(health["pid"].is_u64(), "the token was not taken: {health}");
    health
}

/// Waits until the daemon has chosen a store.
async fn settled(desktop: &Desktop, daemon: &Daemon) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let health = health(desktop, daemon, "auto").await;
        if health["secretStore"] == "keyring" || health["secretStoreReason"].is_string() {
            return health;
        }
        assert!(Instant::now() < end, "never settled: {health}");
    }
}

fn account(name: &str, home: &Home) -> String {
    format!("{name}@{}", home.path().canonicalize().expect("a home").display())
}

/// A client with the token that is in the keyring.
fn client(desktop: &Desktop, daemon: &Daemon) -> Client {
    Client { port: daemon.port, token: desktop.secret(&account("daemon-token", &daemon.home)) }
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

#[track_caller]
fn assert_nowhere(secret: &str, dir: &Path) {
    for file in files_below(dir) {
        let bytes = fs::read(&file).unwrap_or_default();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "a token lies in {}", file.display());
    }
}

#[tokio::test]
async fn tokens_are_in_the_keyring_and_nowhere_on_disk() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "keyring").await;
    let pairing = daemon.pairing().await;
    let _extension = daemon.extension().await;
    let (token, extension) =
        (account("daemon-token", &daemon.home), account("extension-token", &daemon.home));
    assert_eq!(desktop.accounts(), [token.clone(), extension.clone()]);
    assert_eq!(desktop.secret(&extension), format!("{}\n{}", pairing.token, pairing.origin));
    client(&desktop, &daemon).send(request("session.list")).await.data();
    let health = health(&desktop, &daemon, "keyring").await;
    assert_eq!(health["secretStore"], "keyring");
    assert_eq!(health["secretStoreReason"], Value::Null);
    for secret in [&desktop.secret(&token), &pairing.token] {
        assert_nowhere(secret, &daemon.home.path());
    }
}

#[tokio::test]
async fn a_daemon_that_ends_leaves_the_pairing_in_the_keyring_and_nothing_else() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "keyring").await;
    daemon.pairing().await;
    let copies = desktop.runtime().join("bproxy");
    assert_eq!(files_below(&copies).len(), 1);
    let home = daemon.stop().await.home;
    assert_eq!(desktop.accounts(), [account("extension-token", &home)]);
    assert_eq!(files_below(&copies), Vec::<PathBuf>::new());
    assert!(!home.file("token").exists() && !home.file("extension-token").exists());
}

#[tokio::test]
async fn a_command_needs_no_keyring_while_the_daemon_runs() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "keyring").await;
    let port = daemon.port.to_string();
    for (store, args) in [
        ("auto", &["session", "list"][..]),
        ("auto", &["session", "list", "--port", &port]),
        ("keyring", &["session", "list", "--port", &port]),
    ] {
        let mut command = desktop.bproxy(&daemon.home.path(), store);
        command.args(args).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
        call(command, None).await.data();
    }
}

#[tokio::test]
async fn a_command_by_the_port_asks_the_keyring_where_there_is_no_copy_in_memory() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "keyring").await;
    let port = daemon.port.to_string();
    let list = ["session", "list", "--port", &port];
    fs::remove_dir_all(desktop.runtime().join("bproxy")).expect("own directory");
    for store in ["auto", "keyring"] {
        run(&desktop, &daemon.home, store, &list).await.data();
    }
    let mut command = desktop.bproxy(&daemon.home.path(), "auto");
    command.args(list).env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    let call = call(command, None).await;
    assert!(call.trouble().contains("no keyring can be reached"), "{call:?}");
}

#[tokio::test]
async fn a_pairing_survives_the_way_into_the_keyring_and_back() {
    let Some(desktop) = Desktop::new().await else { return };
    let mut daemon = start(&desktop, Home::new(), "file").await;
    let pairing = daemon.pairing().await;
    assert_eq!(desktop.accounts(), Vec::<String>::new());
    for (store, kept) in [("keyring", 2), ("file", 0), ("auto", 2), ("auto", 2), ("keyring", 2)] {
        let home = daemon.stop().await.home;
        daemon = start(&desktop, home, store).await;
        if store == "auto" {
            assert_eq!(settled(&desktop, &daemon).await["secretStore"], "keyring");
        }
        let extension = crate::support::FakeExtension::connect(daemon.port, &pairing).await;
        assert!(extension.is_ok(), "the pairing is lost on the way to {store}");
        assert_eq!(desktop.accounts().len(), kept, "{store}");
        let files = ["token", "extension-token"].map(|file| daemon.home.file(file).exists());
        assert_eq!(files, [kept == 0; 2], "{store}");
    }
}

#[tokio::test]
async fn auto_moves_into_the_keyring_while_commands_go_on() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "auto").await;
    for _ in 0..20 {
        run(&desktop, &daemon.home, "auto", &["session", "list"]).await.data();
    }
    assert_eq!(settled(&desktop, &daemon).await["secretStore"], "keyring");
    assert!(!daemon.home.file("token").exists());
    let secret = desktop.secret(&account("daemon-token", &daemon.home));
    assert_nowhere(&secret, &daemon.home.path());
}

/// Falls back to files with a reason, which is told everywhere, once.
async fn assert_falls_back(desktop: &Desktop, reason: &str) {
    let daemon = start(desktop, Home::new(), "auto").await;
    let health = settled(desktop, &daemon).await;
    assert_eq!(health["secretStore"], "file");
    assert!(health["secretStoreReason"].as_str().expect("a reason").contains(reason), "{health}");
    let status = run(desktop, &daemon.home, "auto", &["service", "status"]).await.json();
    assert_eq!(status["secretStore"], "file");
    assert_eq!(status["secretStoreReason"], health["secretStoreReason"]);
    let mut extension = daemon.extension().await;
    extension.fence().await;
    assert_eq!(daemon.home.mode("token"), 0o600);
    assert_eq!(daemon.home.mode("extension-token"), 0o600);
    let home = daemon.stop().await.home;
    let warnings = home.records("keyring_not_used");
    assert!(warnings.len() == 1 && warnings[0]["level"] == "warn", "{warnings:?}");

    let exit = home.daemon().envs(desktop.env()).env("BPROXY_SECRETS", "keyring").refused().await;
    assert!(exit.stderr.contains(reason), "{}", exit.stderr);
    assert!(exit.home.file("extension-token").exists(), "a failed move must leave the pairing");
}

#[tokio::test]
async fn a_locked_keyring_falls_back_to_files() {
    let Some(desktop) = Desktop::new().await else { return };
    desktop.lock();
    assert_falls_back(&desktop, "the keyring is locked").await;
}

#[tokio::test]
async fn a_locked_keyring_is_never_asked_to_unlock() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "keyring").await;
    daemon.pairing().await;
    let home = daemon.stop().await.home;
    desktop.lock();
    let monitor = desktop.monitor().await;
    // The items that this home has are locked too.
    let exit = home.daemon().envs(desktop.env()).env("BPROXY_SECRETS", "keyring").refused().await;
    assert!(exit.stderr.contains("the keyring is locked"), "{}", exit.stderr);
    let daemon = start(&desktop, exit.home, "auto").await;
    assert_eq!(settled(&desktop, &daemon).await["secretStore"], "file");
    let asked = monitor.messages(&desktop).await;
    assert!(asked.contains("member=ReadAlias"), "{asked}");
    assert!(!asked.contains("member=Unlock") && !asked.contains("member=Prompt"), "{asked}");
}

#[tokio::test]
async fn a_missing_keyring_falls_back_to_files() {
    let Some(desktop) = Desktop::bare().await else { return };
    assert_falls_back(&desktop, "no keyring can be reached").await;
}

#[tokio::test]
async fn a_secret_service_without_a_keyring_falls_back_to_files() {
    let Some(mut desktop) = Desktop::bare().await else { return };
    desktop.start_keyring(false).await;
    assert_falls_back(&desktop, "there is no default keyring").await;
}

#[tokio::test]
async fn without_a_session_the_keyring_is_not_accessed_and_the_reason_is_reported() {
    let daemon = Home::new().daemon().env("BPROXY_SECRETS", "auto").start().await;
    let warning = daemon.record("keyring_not_used", |_| true).await;
    assert!(warning["problem"].as_str().expect("a reason").contains("no D-Bus session"));
    let exit = daemon.stop().await.home.daemon().env("BPROXY_SECRETS", "keyring").refused().await;
    assert!(exit.stderr.contains("no D-Bus session"), "{}", exit.stderr);
}

#[tokio::test]
async fn a_hanging_keyring_delays_no_start_and_no_command() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "file").await;
    let pairing = daemon.pairing().await;
    let home = daemon.stop().await.home;
    desktop.stop_keyring();
    let before = Instant::now();
    let daemon = start(&desktop, home, "auto").await;
    let extension = crate::support::FakeExtension::connect(daemon.port, &pairing).await;
    run(&desktop, &daemon.home, "auto", &["session", "list"]).await.data();
    assert!(before.elapsed() < KEYRING_WAIT, "{:?}", before.elapsed());
    assert!(extension.is_ok());
    let health = settled(&desktop, &daemon).await;
    assert!(health["secretStoreReason"].as_str().expect("a reason").contains("did not answer"));
    // Each connection to a bus has a thread.
    let tasks = format!("/proc/{}/task", daemon.pid().as_raw_nonzero());
    wait_for("the end of the connection", || {
        let mut tasks = fs::read_dir(&tasks).expect("tasks").flatten();
        let name = |task: fs::DirEntry| fs::read_to_string(task.path().join("comm"));
        let is_connected = tasks.any(|task| name(task).is_ok_and(|name| name.starts_with("zbus")));
        (!is_connected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_start_waits_only_a_bounded_time_for_a_hanging_keyring_with_the_pairing() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "keyring").await;
    daemon.pairing().await;
    let home = daemon.stop().await.home;
    desktop.stop_keyring();
    let before = Instant::now();
    let daemon = start(&desktop, home, "auto").await;
    assert!(before.elapsed() >= KEYRING_WAIT, "{:?}", before.elapsed());
    let health = health(&desktop, &daemon, "auto").await;
    assert_eq!(health["secretStore"], "file");
    assert!(health["secretStoreReason"].as_str().expect("a reason").contains("did not answer"));
}

#[tokio::test]
async fn a_daemon_that_cannot_read_its_pairing_answers_no_challenge() {
    use crate::support::{CHALLENGE, FakeExtension, challenge};
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "keyring").await;
    daemon.pairing().await;
    challenge(daemon.port, CHALLENGE).await.data();
    let home = daemon.stop().await.home;
    desktop.lock();
    let daemon = start(&desktop, home, "auto").await;
    let reply = challenge(daemon.port, CHALLENGE).await;
    assert_eq!(reply.0.header("cache-control"), Some("no-store"));
    let message = reply.refused(503, "KEYRING_LOCKED");
    assert!(message.contains("unlock it") && message.contains("do not pair again"), "{message}");
    challenge(daemon.port, "short").await.refused(400, "BAD_REQUEST");

    // A new pairing needs no keyring.
    let code = run(&desktop, &daemon.home, "auto", &["pair"]).await.data()["pairingCode"].clone();
    let reply = daemon.claim(code.as_str().expect("a code"), &crate::support::origin('b')).await;
    let token = reply.data()["extensionToken"].as_str().expect("a token").to_owned();
    let pairing = crate::support::Pairing { token, origin: crate::support::origin('b') };
    assert!(FakeExtension::connect(daemon.port, &pairing).await.is_ok());
}

#[tokio::test]
async fn a_daemon_that_started_while_the_keyring_was_locked_takes_its_browser_back_once_it_is_unlocked()
 {
    use crate::support::{CHALLENGE, FakeExtension, challenge};
    let Some(mut desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "keyring").await;
    let pairing = daemon.pairing().await;
    let mut home = daemon.stop().await.home;
    // By itself, and at the next request of a browser.
    for asked in [false, true] {
        desktop.lock();
        let daemon = start(&desktop, home, "auto").await;
        let command = ["tab", "open", "https://example.org"];
        let refused = run(&desktop, &daemon.home, "auto", &command).await.json();
        let error = &refused["error"];
        assert_eq!(error["code"], "NO_EXTENSION", "{refused}");
        assert_eq!(error["suggestedAction"], "bproxy doctor");
        assert!(error["message"].to_string().contains("locked: unlock it"), "{refused}");
        let health = self::health(&desktop, &daemon, "auto").await;
        assert!(health["pairingUnreadable"].to_string().contains("locked"), "{health}");
        assert_eq!(FakeExtension::connect(daemon.port, &pairing).await.err(), Some(503));
        let doctor = run(&desktop, &daemon.home, "auto", &["doctor"]).await.stdout;
        assert!(doctor.contains("locked") && !doctor.contains("bproxy pair"), "{doctor}");

        desktop.unlock().await;
        let unlocked = Instant::now();
        if asked {
            wait_for_async("the challenge", async || {
                challenge(daemon.port, CHALLENGE).await.0.status == 200
            })
            .await;
            assert!(unlocked.elapsed() < Duration::from_secs(3), "{:?}", unlocked.elapsed());
        } else {
            wait_for_async("the pairing", async || {
                let health = self::health(&desktop, &daemon, "auto").await;
                health["pairingUnreadable"].is_null()
            })
            .await;
            assert!(unlocked.elapsed() < Duration::from_secs(3), "{:?}", unlocked.elapsed());
        }
        assert!(FakeExtension::connect(daemon.port, &pairing).await.is_ok());
        let health = self::health(&desktop, &daemon, "auto").await;
        assert_eq!(
            (&health["secretStore"], &health["secretStoreReason"]),
            (&"keyring".into(), &Value::Null)
        );
        assert!(
            !daemon.home.file("token").exists() && !daemon.home.file("extension-token").exists()
        );
        home = daemon.stop().await.home;
        assert_eq!(home.records("keyring_used").len(), if asked { 2 } else { 1 });
        assert_eq!(
            home.records("keyring_not_used").len(),
            if asked { 2 } else { 1 },
            "once for each daemon"
        );
    }
}

/// Waits until a condition that has to be asked for holds.
async fn wait_for_async(what: &str, holds: impl AsyncFn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < end, "no {what}");
    }
}

#[tokio::test]
async fn a_keyring_that_dies_or_locks_leaves_the_daemon_working() {
    for locks in [false, true] {
        let Some(mut desktop) = Desktop::new().await else { return };
        let daemon = start(&desktop, Home::new(), "auto").await;
        assert_eq!(settled(&desktop, &daemon).await["secretStore"], "keyring");
        let mut extension = daemon.extension().await;
        if locks {
            desktop.lock();
        } else {
            desktop.kill_keyring().await;
        }
        extension.fence().await;
        run(&desktop, &daemon.home, "auto", &["session", "list"]).await.data();
        let again =
            crate::support::FakeExtension::connect(daemon.port, &daemon.pairing().await).await;
        assert!(again.is_ok());

        let code =
            run(&desktop, &daemon.home, "auto", &["pair"]).await.data()["pairingCode"].clone();
        let code = code.as_str().expect("a code");
        daemon.claim(code, &crate::support::origin('b')).await.data();
        let health = health(&desktop, &daemon, "auto").await;
        assert_eq!(health["secretStore"], "file");
        assert!(health["secretStoreReason"].is_string(), "{health}");
        daemon.stop().await;
    }
}

#[tokio::test]
async fn a_restarted_keyring_is_used_again() {
    let Some(mut desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "auto").await;
    assert_eq!(settled(&desktop, &daemon).await["secretStore"], "keyring");
    desktop.kill_keyring().await;
    desktop.start_keyring(true).await;
    let pairing = daemon.pairing().await;
    assert_eq!(health(&desktop, &daemon, "auto").await["secretStore"], "keyring");
    assert!(!daemon.home.file("extension-token").exists());
    let daemon = start(&desktop, daemon.stop().await.home, "auto").await;
    assert_eq!(settled(&desktop, &daemon).await["secretStore"], "keyring");
    assert!(crate::support::FakeExtension::connect(daemon.port, &pairing).await.is_ok());
}

#[tokio::test]
async fn two_homes_have_items_of_their_own_and_the_default_home_plain_ones() {
    let Some(desktop) = Desktop::new().await else { return };
    let (one, two) = (
        start(&desktop, Home::new(), "keyring").await,
        start(&desktop, Home::new(), "keyring").await,
    );
    let (token_one, token_two) = (client(&desktop, &one).token, client(&desktop, &two).token);
    assert_ne!(token_one, token_two);
    for daemon in [&one, &two] {
        run(&desktop, &daemon.home, "keyring", &["session", "list"]).await.data();
    }

    let default = Home::new();
    let user = default.path();
    let mut plain = desktop.bproxy(&user.join(".bproxy"), "keyring");
    plain.arg("daemon").env("HOME", &user);
    let mut child = plain.spawn().expect("the bproxy binary runs");
    wait_for("an item of the default home", || {
        desktop.accounts().contains(&"daemon-token".to_owned()).then_some(())
    })
    .await;
    child.kill().await.expect("an own child");
}

#[tokio::test]
async fn a_start_that_waits_for_a_keyring_that_hangs_is_ended_in_good_order_by_a_signal() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "keyring").await;
    daemon.pairing().await;
    let mut home = daemon.stop().await.home;
    desktop.stop_keyring();
    for store in ["auto", "keyring"] {
        let setup = home.daemon().envs(desktop.env()).env("BPROXY_SECRETS", store);
        let (mut child, ended) = setup.spawned();
        let own = child.id().expect("a running child").to_string();
        wait_for("the lock", || {
            let pid = fs::read_to_string(ended.file("bproxy.pid")).unwrap_or_default();
            (pid.trim() == own).then_some(())
        })
        .await;
        let pid = Pid::from_raw(own.parse().expect("a number")).expect("a process id");
        kill_process(pid, Signal::TERM).expect("an own child");
        let status = child.wait().await.expect("an own child");
        assert!(status.success(), "{store}: {status}");
        assert!(ended.records("start").len() == 1, "a daemon that is to end does not get ready");
        for file in ["bproxy.pid", "port", "token", "pairing.json"] {
            assert!(!ended.file(file).exists(), "{store}: {file} stays behind");
        }
        home = ended;
    }
}

#[tokio::test]
async fn uninstalling_leaves_nothing_in_the_keyring_without_a_service_too() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon = start(&desktop, Home::new(), "keyring").await;
    daemon.pairing().await;
    let home = daemon.stop().await.home;
    assert_eq!(desktop.accounts(), [account("extension-token", &home)]);
    let gone = run(&desktop, &home, "keyring", &["service", "uninstall"]).await.json();
    assert_eq!((&gone["tokens"], &gone["managedBy"]), (&"removed".into(), &"self".into()));
    assert_eq!(desktop.accounts(), Vec::<String>::new());
    assert!(!home.path().exists());
}
