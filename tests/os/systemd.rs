//! The daemon as a service of a real systemd: units, activation, restarts, recovery, sandbox.

#![cfg(target_os = "linux")]

#[path = "../../examples/read_page.rs"]
#[allow(dead_code)]
mod read_page;

use std::fs;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::UnixListener;

use crate::support::{
    Answer, BPROXY, Client, FakeExtension, Pairing, User, call, own_origin, patiently,
};

/// A user for whom the service is installed and the socket listens.
async fn served() -> Option<User> {
    let user = User::new()?;
    let installed = install(&user).await;
    assert_eq!(installed["listening"], true, "{installed}");
    Some(user)
}

async fn install(user: &User) -> Value {
    user.bproxy(&["service", "install", "--now", "--port", &user.port.to_string()]).await.json()
}

/// Changes a unit as `systemctl --user edit` does.
async fn edit(user: &User, unit: &str, text: &str) {
    let folder = format!("{}/.config/systemd/user/{unit}.d", user.home());
    user.sh(&format!("mkdir -p {folder} && printf '{text}\\n' >{folder}/zz-test.conf")).await;
    user.systemctl(&["daemon-reload"]).await;
}

/// Waits until a property of a unit has a value.
async fn until(user: &User, unit: &str, property: &str, value: &str) {
    let waiting = async {
        while user.property(unit, property).await != value {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    patiently(&format!("{property}={value} of {unit}"), waiting).await;
}

/// Waits until the service's journal has all of these words: what a process has said arrives when it has ended. The journal
/// asks the system then to which unit it belonged, and may find it gone; its name is known before.
async fn told(user: &User, words: &[&str]) {
    let journal =
        "for of in --unit=bproxy --identifier=bproxy; do journalctl --user $of --output=cat; done";
    let telling = async {
        loop {
            let journal = user.sh(journal).await;
            if words.iter().all(|word| journal.contains(word)) {
                return;
            }
        }
    };
    patiently(&format!("{words:?} in the journal"), telling).await;
}

async fn states(user: &User) -> (String, String) {
    let state = |unit| user.property(unit, "ActiveState");
    (state("bproxy.service").await, state("bproxy.socket").await)
}

fn both(service: &str, socket: &str) -> (String, String) {
    (service.to_owned(), socket.to_owned())
}

async fn main_pid(user: &User) -> String {
    user.property("bproxy.service", "MainPID").await
}

/// What a client of this process needs to talk to the user's daemon.
fn client(user: &User) -> Client {
    let token = fs::read_to_string(user.file(".bproxy/token")).expect("a token");
    Client { port: user.port, token }
}

/// Pairs an extension with the user's daemon.
async fn pair(user: &User) -> Pairing {
    let issued = user.bproxy(&["pair"]).await.data();
    let code = issued["pairingCode"].as_str().expect("a code");
    let reply = client(user).claim(code, &own_origin()).await;
    let token = reply.data()["extensionToken"].as_str().expect("a token").to_owned();
    Pairing { token, origin: own_origin() }
}

#[tokio::test]
async fn the_first_command_on_an_idle_machine_starts_the_daemon_and_is_answered() {
    let Some(user) = served().await else { return };
    assert_eq!(states(&user).await, both("inactive", "active"));
    assert!(!user.file(".bproxy/token").exists(), "no daemon has ever run");
    user.bproxy(&["session", "list"]).await.data();
    assert_eq!(states(&user).await, both("active", "active"));
    let health = user.bproxy(&["health"]).await.json();
    assert_eq!(health["activation"], "systemd");
    assert_eq!(health["pid"].to_string(), main_pid(&user).await);
}

#[tokio::test]
async fn an_extension_that_comes_first_starts_the_daemon_and_the_command_line_follows() {
    let Some(user) = served().await else { return };
    let early = Client { port: user.port, token: String::new() };
    assert_eq!(early.get("/health").await.json()["status"], "ok");
    let first = main_pid(&user).await;
    user.bproxy(&["session", "list"]).await.data();
    assert_eq!(main_pid(&user).await, first);
}

#[tokio::test]
async fn many_concurrent_first_commands_share_one_token() {
    let Some(user) = served().await else { return };
    let calls = user.sh(
        "for i in $(seq 8); do bproxy session list >out.$i & done; wait; cat out.* | grep -c '\"ok\":true'",
    );
    assert_eq!(calls.await.trim(), "8");
}

#[tokio::test]
async fn no_command_is_refused_while_the_service_is_restarted() {
    let Some(user) = served().await else { return };
    // 200 commands, one after the other.
    let commands = async {
        let mut refused = String::new();
        for _ in 0..10 {
            let script = "for i in $(seq 20); do bproxy session list >/dev/null || echo refused; done; touch begun";
            refused += &user.sh(script).await;
        }
        refused
    };
    let restarts = async {
        while !user.file("begun").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for _ in 0..5 {
            let before = main_pid(&user).await;
            user.systemctl(&["restart", "bproxy"]).await;
            assert_ne!(main_pid(&user).await, before);
        }
    };
    let (refused, ()) = tokio::join!(commands, restarts);
    assert_eq!(refused, "");
    let journal = user.sh("journalctl --user --unit=bproxy.socket --output=cat").await;
    assert!(!journal.contains("Closed"), "the socket is kept all the time: {journal}");
}

#[tokio::test]
async fn a_killed_daemon_is_replaced_and_the_extension_comes_back_without_pairing() {
    let Some(user) = served().await else { return };
    let pairing = pair(&user).await;
    let before = main_pid(&user).await;
    user.systemctl(&["kill", "--signal=KILL", "bproxy.service"]).await;
    until(&user, "bproxy.service", "NRestarts", "1").await;
    let mut extension = patiently("the upgrade", FakeExtension::connect(user.port, &pairing))
        .await
        .expect("the extension is let in");
    extension.fence().await;
    assert_ne!(main_pid(&user).await, before);
    assert_eq!(user.bproxy(&["health"]).await.json()["wsClients"], 1);
}

#[tokio::test]
async fn a_daemon_that_is_told_to_end_is_started_by_the_next_connection() {
    let Some(user) = served().await else { return };
    user.bproxy(&["session", "list"]).await.data();
    let before = main_pid(&user).await;
    user.systemctl(&["kill", "--signal=TERM", "bproxy.service"]).await;
    until(&user, "bproxy.service", "ActiveState", "inactive").await;
    assert_eq!(user.property("bproxy.service", "Result").await, "success");
    assert_eq!(states(&user).await, both("inactive", "active"));
    user.bproxy(&["session", "list"]).await.data();
    assert_ne!(main_pid(&user).await, before);
    assert_eq!(user.property("bproxy.service", "NRestarts").await, "0");
}

#[tokio::test]
async fn a_daemon_that_hangs_is_replaced() {
    let Some(user) = served().await else { return };
    edit(&user, "bproxy.service", "[Service]\\nWatchdogSec=1s").await;
    user.systemctl(&["start", "bproxy"]).await;
    let before = main_pid(&user).await;
    user.systemctl(&["kill", "--signal=STOP", "bproxy.service"]).await;
    until(&user, "bproxy.service", "NRestarts", "1").await;
    user.bproxy(&["session", "list"]).await.data();
    assert_ne!(main_pid(&user).await, before);
    told(&user, &["Watchdog timeout"]).await;
}

#[tokio::test]
async fn a_responsive_daemon_is_not_killed_by_its_watchdog() {
    let Some(user) = served().await else { return };
    edit(&user, "bproxy.service", "[Service]\\nWatchdogSec=500ms").await;
    user.systemctl(&["start", "bproxy"]).await;
    let before = main_pid(&user).await;
    let at = async |property: &str| {
        user.property("bproxy.service", property).await.parse::<u64>().expect("microseconds")
    };
    let started = at("ExecMainStartTimestampMonotonic").await;
    let outlasting =
        async { while at("WatchdogTimestampMonotonic").await < started + 1_500_000 {} };
    patiently("three times as long", outlasting).await;
    assert_eq!(main_pid(&user).await, before);
    assert_eq!(user.property("bproxy.service", "NRestarts").await, "0");
}

#[tokio::test]
async fn stop_leaves_no_process_no_listener_and_no_transient_file() {
    let Some(user) = served().await else { return };
    user.systemctl(&["start", "bproxy"]).await;
    let pid = main_pid(&user).await;
    // As the extension does, which wants its daemon back.
    let port = user.port;
    let reconnecting = tokio::spawn(async move {
        loop {
            let _ = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    user.systemctl(&["stop", "bproxy"]).await;
    until(&user, "bproxy.socket", "ActiveState", "inactive").await;
    until(&user, "bproxy.service", "ActiveState", "inactive").await;
    reconnecting.abort();
    assert_eq!(states(&user).await, both("inactive", "inactive"));
    assert!(!user.machine.path(format!("/proc/{pid}")).exists());
    assert_eq!(user.sh(&format!("ss -Hltn sport = :{}", user.port)).await, "");
    for transient in ["port", "bproxy.pid", "pairing.json"] {
        assert!(!user.file(&format!(".bproxy/{transient}")).exists(), "{transient} is left");
    }
    // Nothing that tries to connect starts it again.
    let message = user.bproxy(&["session", "list"]).await.trouble().to_owned();
    assert!(message.contains("bproxy service start"), "{message}");
    assert_eq!(states(&user).await, both("inactive", "inactive"));
}

#[tokio::test]
async fn start_brings_the_socket_and_enable_lasts_until_the_next_login() {
    let Some(user) = User::new() else { return };
    user.bproxy(&["service", "install", "--port", &user.port.to_string()]).await.json();
    assert_eq!(states(&user).await, both("inactive", "inactive"));
    user.systemctl(&["start", "bproxy"]).await;
    assert_eq!(states(&user).await, both("active", "active"));
    user.systemctl(&["disable", "bproxy"]).await;
    login_again(&user).await;
    assert_eq!(states(&user).await, both("inactive", "inactive"));
    user.systemctl(&["enable", "bproxy"]).await;
    login_again(&user).await;
    assert_eq!(states(&user).await, both("inactive", "active"));
    user.bproxy(&["session", "list"]).await.data();
}

/// Ends the user's manager and starts it anew, as logging out and in does.
async fn login_again(user: &User) {
    let manager = format!("user@{}.service", user.uid);
    let restart = user.machine.root(&["systemctl", "restart", &manager]);
    assert_eq!(crate::support::call(restart, None).await.code, 0);
}

#[tokio::test]
async fn the_service_is_active_only_when_the_daemon_answers() {
    let Some(user) = served().await else { return };
    // The daemon reads its tokens before anything else, from a keyring on a bus that says nothing.
    let path = user.file("bus");
    let bus = UnixListener::bind(&path).expect("a socket");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).expect("own socket");
    let address = format!(
        "[Service]\\nEnvironment=DBUS_SESSION_BUS_ADDRESS=unix:path={0}/bus\\nBindPaths={0}/bus",
        user.home()
    );
    edit(&user, "bproxy.service", &address).await;
    user.sh("echo BPROXY_SECRETS=keyring >.bproxy/config.env").await;
    user.systemctl(&["start", "--no-block", "bproxy"]).await;
    let waiting = patiently("the daemon's look for its keyring", bus.accept()).await;
    assert_eq!(user.property("bproxy.service", "ActiveState").await, "activating");
    // The next try finds that it does without.
    user.sh("echo BPROXY_SECRETS=file >.bproxy/config.env").await;
    drop(waiting);
    until(&user, "bproxy.service", "ActiveState", "failed").await;
    user.bproxy(&["session", "list"]).await.data();
    until(&user, "bproxy.service", "ActiveState", "active").await;
}

#[tokio::test]
async fn an_unused_daemon_ends_and_the_next_command_starts_another() {
    let Some(user) = served().await else { return };
    assert!(user.property("bproxy.service", "ExecStart").await.contains("--idle-exit=900"));
    user.sh("echo BPROXY_IDLE_EXIT=1 >.bproxy/config.env").await;
    user.bproxy(&["session", "list"]).await.data();
    let first = main_pid(&user).await;
    until(&user, "bproxy.service", "ActiveState", "inactive").await;
    assert_eq!(user.property("bproxy.service", "Result").await, "success");
    assert_eq!(states(&user).await, both("inactive", "active"));
    user.bproxy(&["session", "list"]).await.data();
    assert_ne!(main_pid(&user).await, first);
}

/// A program that uses the library, in the environment of its user.
#[test]
#[ignore = "run by another test, as a user of the booted machine"]
fn program_that_reads_a_page() {
    match read_page::read_page(None, "https://a.example/") {
        Ok(text) => println!("read: {text}"),
        Err(error) => println!("error: {error}"),
    }
}

/// Runs that program as the user, and returns what it prints.
async fn run_program(user: &User) -> String {
    let this = File::open(std::env::current_exe().expect("this program")).expect("its file");
    let program = format!("{}/program", user.home());
    let mut install = user.command(&["sh", "-c", "cat >$0 && chmod 755 $0", &program]);
    assert!(install.stdin(this).status().await.expect("a shell").success());
    let args = ["program_that_reads_a_page", "--ignored", "--nocapture"];
    let call = user.run(&[&[&*program], &args[..]].concat()).await;
    assert_eq!(call.code, 0, "{call:?}");
    assert!(call.stdout.contains("1 passed"), "{call:?}");
    call.stdout
}

#[tokio::test]
async fn a_library_program_starts_an_unused_daemon_and_reads_a_page() {
    let Some(user) = served().await else { return };
    user.sh("echo BPROXY_IDLE_EXIT=1 >.bproxy/config.env").await;
    let pairing = pair(&user).await;
    let first = main_pid(&user).await;
    until(&user, "bproxy.service", "ActiveState", "inactive").await;
    assert_eq!(states(&user).await, both("inactive", "active"));
    let alone = run_program(&user).await;
    assert!(alone.contains("error: NO_EXTENSION"), "a daemon answers: {alone}");
    until(&user, "bproxy.service", "ActiveState", "inactive").await;
    let extension = FakeExtension::connect(user.port, &pairing).await.expect("it is let in");
    let _serving = extension.serve(|command| match command.action() {
        "text" => Some(Answer::Data(json!({"text": "welcome"}))),
        _ => None,
    });
    let connected = run_program(&user).await;
    assert!(connected.contains("read: welcome"), "{connected}");
    assert_ne!(main_pid(&user).await, first);
}

#[tokio::test]
async fn a_bad_configuration_is_logged_in_the_journal_and_not_retried() {
    let Some(user) = served().await else { return };
    edit(&user, "bproxy.service", "[Service]\\nEnvironment=BPROXY_LOG_LEVEL=loud").await;
    let start = user.run(&["systemctl", "--user", "start", "bproxy"]).await;
    assert_ne!(start.code, 0);
    assert_eq!(user.property("bproxy.service", "NRestarts").await, "0");
    assert_eq!(user.property("bproxy.service", "ExecMainStatus").await, "78");
    told(&user, &["BPROXY_LOG_LEVEL", "loud"]).await;
}

/// A way to break a service so that its daemon cannot start, and to mend it.
struct Fault {
    breaks: &'static str,
    mends: &'static str,
    /// What the answer names.
    named: &'static str,
}

/// Breaks a service, sees that everybody who asks is told why and what mends it, mends it, and sees it work.
async fn a_failed_start_is_explained(user: &User, fault: &Fault) {
    user.systemctl(&["stop", "bproxy.service"]).await;
    user.systemctl(&["start", "bproxy.socket"]).await;
    user.sh(fault.breaks).await;
    let begun = user.property("bproxy.service", "ExecMainStartTimestampMonotonic").await;
    let client = Client { port: user.port, token: String::new() };
    for _ in 0..30 {
        // As the extension asks.
        let answer = client.get(&format!("/challenge?nonce={}", "0".repeat(32))).await;
        assert_eq!(answer.status(), 503, "{}: {answer:?}", fault.breaks);
        let error = &answer.json()["error"];
        assert_eq!(error["code"], "CANNOT_START");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains(fault.named), "{message:?} names {:?}", fault.named);
    }
    let told = user.bproxy(&["session", "list"]).await.trouble().to_owned();
    assert!(told.contains(fault.named), "{told:?} names {:?}", fault.named);
    assert_ne!(user.property("bproxy.service", "ExecMainStartTimestampMonotonic").await, begun);
    // Nobody waits any more, and nothing starts it.
    until(user, "bproxy.service", "ActiveState", "failed").await;
    let last = user.property("bproxy.service", "ExecMainStartTimestampMonotonic").await;
    assert_eq!(user.property("bproxy.service", "NRestarts").await, "0");
    assert_eq!(user.property("bproxy.socket", "ActiveState").await, "active");
    user.sh(fault.mends).await;
    assert_eq!(user.property("bproxy.service", "ExecMainStartTimestampMonotonic").await, last);
    user.bproxy(&["session", "list"]).await.data();
    assert_eq!(states(user).await, both("active", "active"));
}

#[tokio::test]
async fn a_daemon_that_cannot_start_says_why_to_those_who_wait_and_works_once_it_is_mended() {
    let Some(user) = served().await else { return };
    user.bproxy(&["session", "list"]).await.data();
    let faults = [
        Fault {
            breaks: "echo BPROXY_LOG_LEVEL=loud >.bproxy/config.env",
            mends: "rm .bproxy/config.env",
            named: "BPROXY_LOG_LEVEL",
        },
        Fault {
            breaks: "chmod 644 .bproxy/token",
            mends: "chmod 600 .bproxy/token",
            named: "chmod 600",
        },
        Fault {
            breaks: "echo 2 >.bproxy/layout",
            mends: "echo 1 >.bproxy/layout",
            named: "layout 2",
        },
    ];
    for fault in &faults {
        a_failed_start_is_explained(&user, fault).await;
    }
}

#[tokio::test]
async fn a_daemon_on_a_full_or_read_only_disk_says_so_to_those_who_wait() {
    let Some(user) = served().await else { return };
    user.systemctl(&["stop", "bproxy.service"]).await;
    let home = format!("{}/.bproxy", user.home());
    let mount = async |options: &str| {
        let options = format!("{options},uid={},mode=700", user.uid);
        let args = ["mount", "-t", "tmpfs", "-o", &options, "tmpfs", &home];
        let mounted = crate::support::call(user.machine.root(&args), None).await;
        assert_eq!(mounted.code, 0, "{mounted:?}");
    };
    mount("size=1m").await;
    a_failed_start_is_explained(
        &user,
        &Fault {
            breaks: "head -c 2M /dev/zero >.bproxy/filler || true",
            mends: "rm .bproxy/filler",
            named: "No space left",
        },
    )
    .await;
    user.systemctl(&["stop", "bproxy.service"]).await;
    user.systemctl(&["start", "bproxy.socket"]).await;
    mount("ro").await;
    let told = user.bproxy(&["session", "list"]).await.trouble().to_owned();
    assert!(told.contains("Read-only file system"), "{told}");
    until(&user, "bproxy.service", "ActiveState", "failed").await;
    assert_eq!(user.property("bproxy.socket", "ActiveState").await, "active");
    let unmounted = user.machine.root(&["umount", &home]);
    assert_eq!(crate::support::call(unmounted, None).await.code, 0);
    user.bproxy(&["session", "list"]).await.data();
}

#[tokio::test]
async fn a_program_that_is_removed_causes_no_storm_and_serves_those_who_wait_once_it_is_back() {
    let Some(user) = User::new() else { return };
    let program = format!("{}/bin/bproxy", user.home());
    user.sh(&format!("mkdir bin && cp {BPROXY} bin/bproxy")).await;
    let args = [&*program, "service", "install", "--now", "--port", &user.port.to_string()];
    let installed = user.run(&args).await.json();
    assert!(installed["unsandboxed"].is_null(), "a program at home has a sandbox: {installed}");
    user.sh("mv bin/bproxy bin/away").await;
    let waiting = user.command(&[BPROXY, "session", "list"]);
    let waiting = tokio::spawn(crate::support::call(waiting, None));
    let failed = async {
        // As the namespace of the sandbox or the program itself is missed first.
        while !["203", "226"].contains(&&*user.property("bproxy.service", "ExecMainStatus").await) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    patiently("a start without its program", failed).await;
    let restarts = async || user.property("bproxy.service", "NRestarts").await.parse::<u32>();
    let (began, before) = (std::time::Instant::now(), restarts().await.expect("a number"));
    let three = async { while restarts().await.expect("a number") < before + 3 {} };
    patiently("three more starts", three).await;
    assert!(began.elapsed() >= Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(user.property("bproxy.socket", "ActiveState").await, "active");
    user.sh("mv bin/away bin/bproxy").await;
    waiting.await.expect("no panic").data();
}

#[tokio::test]
async fn a_socket_under_another_name_is_refused_in_the_journal() {
    let Some(user) = served().await else { return };
    user.systemctl(&["stop", "bproxy.socket"]).await;
    edit(&user, "bproxy.socket", "[Socket]\\nFileDescriptorName=other").await;
    assert_ne!(user.run(&["systemctl", "--user", "start", "bproxy"]).await.code, 0);
    assert_eq!(user.property("bproxy.service", "ExecMainStatus").await, "78");
    told(&user, &["LISTEN_FDNAMES", "other"]).await;
}

#[tokio::test]
async fn a_reload_changes_settings_of_the_running_daemon() {
    let Some(user) = served().await else { return };
    let pairing = pair(&user).await;
    let before = main_pid(&user).await;
    let other = "p".repeat(32);
    user.sh(&format!("echo BPROXY_EXTENSION_IDS={other} >.bproxy/config.env")).await;
    user.systemctl(&["reload", "bproxy"]).await;
    until(&user, "bproxy.service", "ActiveState", "active").await;
    let refused =
        async { while FakeExtension::connect(user.port, &pairing).await.err() != Some(401) {} };
    patiently("a refusal", refused).await;
    assert_eq!(main_pid(&user).await, before);
}

#[tokio::test]
async fn root_has_no_service_and_is_told_so() {
    let Some(user) = User::new() else { return };
    let port = user.port;
    let script = format!(
        "mkdir -p /run/user/0 && systemctl start user@0.service && export HOME=/root XDG_RUNTIME_DIR=/run/user/0 && \
         bproxy service install --now --port {port}"
    );
    let refused = call(user.machine.root(&["sh", "-c", &script]), None).await;
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("not for root"), "{refused:?}");
    assert_eq!(user.sh(&format!("ss -Hltn sport = :{port}")).await, "");
}

#[tokio::test]
async fn the_units_are_sound_and_the_sandbox_is_tight() {
    let Some(user) = served().await else { return };
    let units = "bproxy.service bproxy.socket";
    assert_eq!(user.sh(&format!("systemd-analyze --user verify --man=no {units} 2>&1")).await, "");
    let exposure = "systemd-analyze --user security bproxy.service --no-pager | tail -n 1";
    let exposure = user.sh(exposure).await;
    let level = exposure.split_whitespace().find_map(|word| word.parse::<f64>().ok());
    assert!(level.is_some_and(|level| level <= 1.0), "{exposure}");
}

#[tokio::test]
async fn in_the_sandbox_the_daemon_has_its_state_directory_and_the_journal_and_nothing_else() {
    let Some(user) = served().await else { return };
    let opened = user.bproxy(&["session", "create"]).await.data();
    let tmp = opened["tmpDir"].as_str().expect("a directory");
    assert!(user.machine.path(tmp).is_dir());
    pair(&user).await;
    assert!(user.file(".bproxy/extension-token").exists());
    told(&user, &["session.create"]).await;
    let mounts = user.machine.path(format!("/proc/{}/mounts", main_pid(&user).await));
    let mounts = fs::read_to_string(mounts).expect("mounts");
    let options = |place: &str| {
        let mount = mounts.lines().rfind(|line| line.split(' ').nth(1) == Some(place));
        mount.and_then(|line| line.split(' ').nth(3)).unwrap_or_default().to_owned()
    };
    assert!(options("/").starts_with("ro"), "{mounts}");
    assert!(options(&format!("{}/.bproxy", user.home())).starts_with("rw"), "{mounts}");
}

#[tokio::test]
async fn a_state_directory_that_is_deleted_comes_back_with_the_next_start() {
    let Some(user) = served().await else { return };
    assert_eq!(user.property("bproxy.service", "ProtectSystem").await, "strict");
    user.bproxy(&["session", "list"]).await.data();
    // Under a running daemon, and then while there is none.
    user.sh("rm -r .bproxy").await;
    user.systemctl(&["restart", "bproxy"]).await;
    user.bproxy(&["session", "list"]).await.data();
    user.systemctl(&["stop", "bproxy.service"]).await;
    user.systemctl(&["start", "bproxy.socket"]).await;
    user.sh("rm -r .bproxy").await;
    // As the extension does, which makes no directories.
    let early = Client { port: user.port, token: String::new() };
    assert_eq!(early.get("/health").await.json()["status"], "ok");
    assert_eq!(user.sh("stat -c %a .bproxy").await.trim(), "700");
    user.bproxy(&["session", "list"]).await.data();
}

#[tokio::test]
async fn where_user_namespaces_are_forbidden_the_service_runs_without_the_sandbox() {
    let Some(user) = User::new() else { return };
    user.sh(
        "mkdir bin && printf '#!/bin/sh\\nexit 1\\n' >bin/systemd-run && chmod +x bin/systemd-run",
    )
    .await;
    let port = user.port;
    let script = format!("PATH=$HOME/bin:$PATH bproxy service install --now --port {port}");
    let installed = user.run(&["sh", "-c", &script]).await;
    assert!(installed.stderr.contains("without its sandbox"), "{installed:?}");
    let installed = installed.json();
    let reason = installed["unsandboxed"].as_str().expect("a reason");
    assert!(reason.contains("systemd-run"), "{installed}");
    assert_eq!(installed["files"].as_array().map(Vec::len), Some(2), "{installed}");
    user.bproxy(&["session", "list"]).await.data();
    assert_eq!(user.property("bproxy.service", "PrivateUsers").await, "no");
    assert_eq!(user.property("bproxy.service", "NoNewPrivileges").await, "yes");
}

#[tokio::test]
async fn the_verbs_of_the_command_line_go_through_the_manager() {
    let Some(user) = served().await else { return };
    let version = env!("CARGO_PKG_VERSION");
    let call = user.bproxy(&["service", "status"]).await;
    let (status, code) = (call.json(), call.code);
    assert_eq!(code, 3, "{call:?}");
    let stopped =
        json!({"running": false, "version": version, "protocolVersion": 1, "managedBy": "systemd"});
    assert_eq!(status, stopped);
    let started = user.bproxy(&["service", "start"]).await.json();
    assert_eq!(started["pid"].to_string(), main_pid(&user).await);
    assert_eq!(started["port"], user.port);
    assert_eq!(started["managedBy"], "systemd");
    assert!(started["pairingCode"].is_string() && started["pairingExpiresAt"].is_u64());
    let message = user.bproxy(&["service", "start"]).await.trouble().to_owned();
    assert!(message.contains("already running"), "{message}");
    let mut status = user.bproxy(&["service", "status"]).await.json();
    let running = json!({"running": true, "pid": started["pid"], "port": user.port, "version": version,
        "protocolVersion": 1, "managedBy": "systemd"});
    // Where the tokens are is told besides, and depends on the machine.
    status.as_object_mut().expect("an object").retain(|key, _| running.get(key).is_some());
    assert_eq!(status, running);
    let restarted = user.bproxy(&["service", "restart"]).await.json();
    assert_ne!(restarted["pid"], started["pid"]);
    assert_eq!(restarted["pid"].to_string(), main_pid(&user).await);
    // A job of the system's has no variables that a login sets.
    let bare = user.sh("env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS bproxy service stop");
    assert_eq!(bare.await.trim(), r#"{"running":false,"managedBy":"systemd"}"#);
    assert_eq!(states(&user).await, both("inactive", "inactive"));
}

#[tokio::test]
async fn a_daemon_started_by_hand_is_recognized_and_replaced_by_the_service() {
    let Some(user) = User::new() else { return };
    let script = format!("BPROXY_PORT={} bproxy service start", user.port);
    let by_hand: Value = serde_json::from_str(&user.sh(&script).await).expect("JSON");
    assert_eq!(by_hand["managedBy"], "self");
    user.bproxy(&["service", "install", "--port", &user.port.to_string()]).await.json();
    let status = user.bproxy(&["service", "status"]).await.json();
    assert_eq!((&status["pid"], &status["managedBy"]), (&by_hand["pid"], &json!("self")));
    install(&user).await;
    assert!(!user.machine.path(format!("/proc/{}", by_hand["pid"])).exists());
    let health = user.bproxy(&["health"]).await.json();
    assert_eq!(health["activation"], "systemd");
}

#[tokio::test]
async fn the_port_that_a_killed_daemon_has_left_does_not_hide_the_service() {
    let Some(user) = User::new() else { return };
    let by_hand = user.port + 7;
    user.sh(&format!(
        "BPROXY_PORT={by_hand} bproxy service start && kill -9 $(cat .bproxy/bproxy.pid)"
    ))
    .await;
    let left = || fs::read_to_string(user.file(".bproxy/port")).unwrap_or_default();
    assert_eq!(left().trim(), by_hand.to_string());
    user.bproxy(&["service", "install", "--port", &user.port.to_string()]).await.json();
    user.systemctl(&["start", "bproxy.socket"]).await;
    assert_eq!(left().trim(), by_hand.to_string());
    user.bproxy(&["session", "list"]).await.data();
    assert_eq!(user.bproxy(&["health"]).await.json()["activation"], "systemd");
    user.systemctl(&["stop", "bproxy"]).await;
    user.sh(&format!("umask 077; echo {by_hand} >.bproxy/port")).await;
    install(&user).await;
    assert_eq!(left(), "");
}

#[tokio::test]
async fn installing_again_changes_nothing_and_keeps_the_daemon_running() {
    let Some(user) = User::new() else { return };
    let first = install(&user).await;
    user.bproxy(&["session", "list"]).await.data();
    let before = main_pid(&user).await;
    assert_eq!(install(&user).await, first);
    assert_eq!(main_pid(&user).await, before);
    for file in first["files"].as_array().expect("files") {
        let path = user.machine.path(file.as_str().expect("a path"));
        let text = fs::read_to_string(&path).expect("an installed file");
        assert!(!text.contains("/target/"), "{text}");
    }
    // Another port is taken over at the next login, or at once.
    let moved = user.port + 7;
    let args = ["service", "install", "--port", &moved.to_string(), "--now"];
    let later = user.bproxy(&args[..4]).await.json();
    assert_eq!((&later["port"], &later["listening"]), (&json!(moved), &json!(false)), "{later}");
    assert_eq!(main_pid(&user).await, before);
    let now = user.bproxy(&args).await.json();
    assert_eq!((&now["port"], &now["listening"]), (&json!(moved), &json!(true)), "{now}");
    assert_eq!(user.bproxy(&["service", "start"]).await.json()["port"], moved);
}

#[tokio::test]
async fn install_use_and_uninstall_leave_the_machine_as_it_was() {
    let Some(user) = User::new() else { return };
    // The managers of systemd and of the message bus make files of their own as soon as they are used.
    let everything = "find . /run/user/$(id -u) -path '/run/*/systemd*' -prune -o -path '/run/*/dbus-1*' -prune \
                      -o -print | sort";
    let units = "systemctl --user list-unit-files --no-legend 'bproxy*'; true";
    // The keyring's daemon makes files of its own too, and may be there or not.
    user.sh("busctl --user call org.freedesktop.secrets / org.freedesktop.DBus.Peer Ping || true")
        .await;
    let before = (user.sh(everything).await, user.sh(units).await);
    install(&user).await;
    pair(&user).await;
    user.bproxy(&["session", "create"]).await.data();
    assert_ne!(user.sh(units).await, before.1);
    let gone = user.bproxy(&["service", "uninstall"]).await.json();
    assert_eq!((&gone["installed"], &gone["tokens"]), (&json!(false), &json!("removed")));
    assert_eq!(gone["files"].as_array().map(Vec::len), Some(3));
    assert_eq!((user.sh(everything).await, user.sh(units).await), before);
    assert_eq!(user.sh(&format!("ss -Hltn sport = :{}", user.port)).await, "");
    // Once more is no error.
    assert_eq!(user.bproxy(&["service", "uninstall"]).await.json()["files"], json!([]));
}

#[tokio::test]
async fn uninstall_can_keep_the_tokens_so_that_the_extension_stays_paired() {
    let Some(user) = served().await else { return };
    let pairing = pair(&user).await;
    edit(&user, "bproxy.service", "[Service]\\nEnvironment=MINE=1").await;
    user.sh("echo '# mine' >.bproxy/config.env").await;
    let gone = user.bproxy(&["service", "uninstall", "--keep-tokens"]).await;
    let kept = gone.json();
    assert_eq!(kept["tokens"], "kept");
    // What is the person's own stays, and that is said.
    for file in [
        ".bproxy/config.env",
        ".bproxy/extension-token",
        ".config/systemd/user/bproxy.service.d/zz-test.conf",
    ] {
        let path = format!("{}/{file}", user.home());
        assert!(user.file(file).exists(), "{file}");
        let listed = kept["kept"].as_array().expect("a list");
        assert!(listed.contains(&json!(path)) && gone.stderr.contains(&path), "{gone:?}");
    }
    assert!(gone.stderr.contains("bproxy mcp uninstall"), "{gone:?}");
    user.sh("rm -r .config/systemd/user/bproxy.service.d .bproxy/config.env").await;
    install(&user).await;
    let mut extension = FakeExtension::connect(user.port, &pairing).await.expect("it is let in");
    extension.fence().await;
}

#[tokio::test]
async fn a_service_of_a_newer_layout_is_neither_stopped_nor_replaced_nor_removed() {
    let Some(user) = served().await else { return };
    user.bproxy(&["session", "create"]).await.data();
    let before = (main_pid(&user).await, states(&user).await);
    fs::write(user.file(".bproxy/layout"), "2\n").expect("the user's file");
    let port = user.port.to_string();
    for verb in [
        &["stop"][..],
        &["start"],
        &["restart"],
        &["install", "--now", "--port", &port],
        &["uninstall"],
        &["uninstall", "--keep-tokens"],
    ] {
        let refused = user.bproxy(&[&["service"], verb].concat()).await;
        assert!(refused.trouble().contains("layout 2"), "{verb:?}: {refused:?}");
    }
    assert_eq!((main_pid(&user).await, states(&user).await), before);
    fs::write(user.file(".bproxy/layout"), "1\n").expect("the user's file");
    let sessions = user.bproxy(&["session", "list"]).await.data();
    assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(1), "{sessions}");
}

#[tokio::test]
async fn a_temporary_program_or_another_state_directory_cannot_be_a_service() {
    let Some(user) = User::new() else { return };
    user.sh(&format!("mkdir -p target/debug && cp {BPROXY} target/debug")).await;
    let message =
        user.run(&["target/debug/bproxy", "service", "install"]).await.trouble().to_owned();
    assert!(message.contains("target/debug/bproxy") && message.contains("install"), "{message}");
    let message = user.bproxy(&["--home", "/tmp/x", "service", "install"]).await;
    assert!(message.trouble().contains("/tmp/x"), "{message:?}");
    assert!(!user.file(".config/systemd").exists());
}

#[tokio::test]
async fn a_port_in_the_environment_is_used_by_an_installation_and_named_where_it_has_no_effect() {
    let Some(user) = User::new() else { return };
    let set = format!("BPROXY_PORT={}", user.port);
    let installed = user.run(&["env", &set, BPROXY, "service", "install", "--now"]).await.json();
    assert_eq!((&installed["port"], &installed["listening"]), (&json!(user.port), &json!(true)));
    for verb in ["start", "restart"] {
        user.systemctl(&["stop", "bproxy.service"]).await;
        let started = user.run(&["env", "BPROXY_PORT=9999", BPROXY, "service", verb]).await;
        assert_eq!(started.json()["port"], user.port);
        for part in ["BPROXY_PORT=9999 has no effect", "install --now --port 9999"] {
            assert!(started.stderr.contains(part), "{started:?}");
        }
    }
    let quiet = user.run(&["env", &set, BPROXY, "service", "restart"]).await;
    assert_eq!(quiet.stderr, "");
}

#[tokio::test]
async fn a_service_that_failed_is_told_from_one_that_was_stopped() {
    let Some(user) = served().await else { return };
    let folder = ".config/systemd/user/bproxy.service.d";
    let text = "[Service]\\nExecStart=\\nExecStart=/bin/false\\nRestart=no\\n";
    user.sh(&format!("mkdir -p {folder} && printf '{text}' >{folder}/zz-test.conf")).await;
    user.systemctl(&["daemon-reload"]).await;
    user.sh("systemctl --user start bproxy.service || true").await;
    let call = user.bproxy(&["service", "status"]).await;
    assert_eq!((call.code, &call.json()["running"]), (3, &json!(false)));
    assert!(call.json()["failed"].is_string(), "{call:?}");
    assert!(
        call.stderr.contains("has failed") && call.stderr.contains("bproxy doctor"),
        "{call:?}"
    );
    user.sh(&format!("rm {folder}/zz-test.conf")).await;
    user.systemctl(&["daemon-reload"]).await;
    user.bproxy(&["service", "restart"]).await.json();
    assert_eq!(user.bproxy(&["service", "status"]).await.code, 0);
}

#[tokio::test]
async fn a_manager_that_hangs_holds_an_upgrade_up_for_some_seconds_only() {
    let Some(user) = User::alone() else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/user-services");
    fs::copy(script, user.machine.path("/usr/local/bin/user-services")).expect("root's folder");
    let stop = format!(
        "kill -STOP $(systemctl show --value --property=MainPID user@{}.service)",
        user.uid
    );
    assert_eq!(call(user.machine.root(&["sh", "-c", &stop]), None).await.code, 0);
    let before = Instant::now();
    let upgrade =
        call(user.machine.root(&["sh", "/usr/local/bin/user-services", "restart"]), None).await;
    assert_eq!(upgrade.code, 0, "{upgrade:?}");
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
}
