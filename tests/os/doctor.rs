//! `bproxy doctor`: it names each hop that fails and how to fix it, and reports success only if all hops work.

use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::{BPROXY, Call, Daemon, Desktop, Home, Terminal, User, bproxy, call, run};

async fn doctor(home: &Home) -> Call {
    doctor_with(home, &[]).await
}

async fn doctor_with(home: &Home, variables: &[(&str, &str)]) -> Call {
    let mut command = bproxy(&home.path());
    command.arg("doctor").envs(variables.iter().copied());
    call(command, None).await
}

fn check<'a>(report: &'a Value, hop: &str) -> &'a Value {
    let checks = report["checks"].as_array().expect("checks");
    checks.iter().find(|check| check["hop"] == hop).unwrap_or_else(|| panic!("no {hop}: {report}"))
}

/// The hop is the first that fails, for this reason and with this remedy.
#[track_caller]
fn assert_fails(call: &Call, hop: &str, detail: &str, fix: &str) {
    assert_eq!(call.code, 1, "{call:?}");
    let report = call.json();
    assert_eq!((&report["ok"], &report["failing"]), (&false.into(), &hop.into()), "{report}");
    let check = check(&report, hop);
    assert_eq!(check["state"], "failed");
    for (field, part) in [("detail", detail), ("fix", fix)] {
        assert!(check[field].as_str().expect("text").contains(part), "{field} of {check}");
    }
}

/// A state directory whose port file names this port.
fn home_with_port(port: u16) -> Home {
    let home = Home::new();
    fs::write(home.file("port"), port.to_string()).expect("own directory");
    fs::set_permissions(home.file("port"), fs::Permissions::from_mode(0o600)).expect("own file");
    home
}

/// Something that answers every request with this body, in place of a daemon.
async fn answering(body: &'static str) -> Home {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let home = home_with_port(listener.local_addr().expect("an address").port());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    home
}

/// A copy of the program in a directory of its own.
fn copied_program() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a directory");
    let copy = dir.path().join("bproxy");
    // By another process: a file that this one has open for writing cannot be run, and a child that
    // another test starts meanwhile holds it open too.
    let copied =
        std::process::Command::new("cp").arg(env!("CARGO_BIN_EXE_bproxy")).arg(&copy).status();
    assert!(copied.expect("cp runs").success());
    (dir, copy)
}

async fn doctor_of(program: &Path, home: &Home) -> Call {
    let mut command = Command::new(program);
    command
        .arg("doctor")
        .env_clear()
        .envs(crate::support::counted())
        .env("BPROXY_HOME", home.path())
        .env("BPROXY_SECRETS", "file")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    call(command, None).await
}

#[tokio::test]
async fn all_is_well_from_the_program_to_a_connected_browser() {
    let daemon = Daemon::start().await;
    let _extension = daemon.extension().await;
    let call = doctor(&daemon.home).await;
    assert_eq!(call.code, 0, "{call:?}");
    let report = call.json();
    assert_eq!((&report["ok"], &report["failing"]), (&true.into(), &Value::Null));
    let hops: Vec<_> = report["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .inspect(|check| assert!(check["state"] == "ok" && check.get("fix").is_none(), "{check}"))
        .map(|check| check["hop"].as_str().expect("a name"))
        .collect();
    let expected = [
        "program",
        "clock",
        "versions",
        "home",
        "space",
        "configuration",
        "secrets",
        "service",
        "sandbox",
        "linger",
        "log",
        "journal",
        "socket",
        "daemon",
        "protocol",
        "token",
        "browser",
    ];
    assert_eq!(hops, expected);
    let socket = check(&report, "socket")["detail"].as_str().expect("text");
    let pid = daemon.pid().as_raw_nonzero().to_string();
    assert!(socket.contains(&daemon.port.to_string()) && socket.contains(&pid), "{socket}");
    assert!(!call.stdout.contains(&daemon.token), "a report never shows the token");
}

#[tokio::test]
async fn a_program_that_is_no_longer_installed_is_named() {
    let (_dir, copy) = copied_program();
    let file = File::open(&copy).expect("a copy");
    fs::remove_file(&copy).expect("own file");
    let open = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
    let call = doctor_of(Path::new(&open), &Home::new()).await;
    assert_fails(&call, "program", "no longer there", "which bproxy");
}

#[tokio::test]
async fn a_clock_behind_the_program_is_named() {
    let (_dir, copy) = copied_program();
    let future = SystemTime::now() + Duration::from_secs(10 * 24 * 60 * 60);
    let file = File::open(&copy).expect("a copy");
    file.set_modified(future).expect("own file");
    drop(file);
    let call = doctor_of(&copy, &Home::new()).await;
    assert_fails(&call, "clock", "behind", "timedatectl");
}

#[tokio::test]
async fn an_invalid_variable_is_named() {
    let call = doctor_with(&Home::new(), &[("BPROXY_PORT", "http")]).await;
    assert_fails(&call, "configuration", "BPROXY_PORT", "unset BPROXY_PORT");
    assert_eq!(check(&call.json(), "secrets")["state"], "skipped");
}

#[tokio::test]
async fn a_missing_home_is_named() {
    let home = Home::new();
    fs::remove_dir(home.path()).expect("own directory");
    assert_fails(&doctor(&home).await, "home", "does not exist", "bproxy service start");
    assert!(!home.path().exists(), "looking makes nothing");
}

#[tokio::test]
async fn a_home_and_a_token_that_are_open_to_others_are_named_with_their_chmod() {
    let home = Home::new();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o770)).expect("own directory");
    assert_fails(&doctor(&home).await, "home", "mode 770", "chmod 700");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).expect("own directory");
    fs::write(home.file("token"), "0123456789abcdef").expect("own directory");
    fs::set_permissions(home.file("token"), fs::Permissions::from_mode(0o644)).expect("own file");
    assert_fails(&doctor(&home).await, "home", "token has mode 644", "chmod 600");
    fs::remove_file(home.file("token")).expect("own file");
    std::os::unix::fs::symlink("/nowhere", home.file("token")).expect("own directory");
    assert_fails(&doctor(&home).await, "home", "symbolic link", "rm ");
}

#[tokio::test]
async fn a_required_keyring_that_is_missing_is_named() {
    let call = doctor_with(&Home::new(), &[("BPROXY_SECRETS", "keyring")]).await;
    assert_fails(&call, "secrets", "no D-Bus session", "echo BPROXY_SECRETS=file >>");
    let call = doctor_with(&Home::new(), &[("BPROXY_SECRETS", "auto")]).await;
    assert_eq!(check(&call.json(), "secrets")["state"], "ok", "files will do: {call:?}");
}

#[tokio::test]
async fn a_locked_keyring_with_the_tokens_in_it_is_named() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon =
        Home::new().daemon().envs(desktop.env()).env("BPROXY_SECRETS", "keyring").start().await;
    let examine = async || {
        let mut command = desktop.bproxy(&daemon.home.path(), "auto");
        command.arg("doctor");
        call(command, None).await
    };
    let report = examine().await.json();
    assert_eq!(report["failing"], "browser", "{report}");
    let detail = check(&report, "secrets")["detail"].as_str().expect("text");
    assert!(detail.contains("in the keyring"), "{detail}");
    desktop.lock();
    assert_fails(&examine().await, "secrets", "locked", "unlock the keyring");
}

#[tokio::test]
async fn a_log_that_cannot_be_written_is_named() {
    let home = Home::new();
    fs::write(home.file("logs"), "in the way").expect("own directory");
    assert_fails(&doctor(&home).await, "log", "not a directory", "mv ");
}

#[tokio::test]
async fn a_missing_journal_is_named_where_the_log_should_go_there() {
    let home = Home::new();
    // Over a directory of its own, nothing of the machine's journal is to be seen.
    let script = "mount -t tmpfs tmpfs /run && exec \"$@\"";
    let mut command = Command::new("unshare");
    command
        .args([
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            script,
            "sh",
            env!("CARGO_BIN_EXE_bproxy"),
        ])
        .arg("doctor")
        .env("BPROXY_HOME", home.path())
        .env("BPROXY_SECRETS", "file")
        .env("BPROXY_LOG", "journald")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let call = call(command, None).await;
    assert_fails(&call, "journal", "no journal", "unset BPROXY_LOG && echo BPROXY_LOG=auto >>");
}

#[tokio::test]
async fn a_daemon_that_does_not_run_is_named() {
    let call = doctor(&Home::new()).await;
    assert_fails(&call, "socket", "no daemon runs", "bproxy service start");
    assert_eq!(check(&call.json(), "browser")["state"], "skipped");
}

#[tokio::test]
async fn a_port_without_a_listener_is_named() {
    let daemon = Daemon::start().await;
    let port = daemon.port;
    let home = daemon.kill().await.home;
    let detail = format!("nobody listens on 127.0.0.1:{port}");
    assert_fails(&doctor(&home).await, "socket", &detail, "bproxy service restart");
    let home = home_with_port(0);
    assert_fails(&doctor(&home).await, "socket", "does not hold a port", "bproxy service restart");
}

#[tokio::test]
async fn a_daemon_that_hangs_is_named_within_seconds() {
    let daemon = Daemon::start().await;
    daemon.signal(Signal::STOP);
    let before = Instant::now();
    let call = doctor(&daemon.home).await;
    assert_fails(&call, "daemon", "did not answer in time", "bproxy service restart");
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_stranger_on_the_port_is_named() {
    let home = answering("hello").await;
    assert_fails(&doctor(&home).await, "daemon", "not bproxy", "bproxy service restart");
}

#[tokio::test]
async fn a_daemon_of_another_version_is_named() {
    let home = answering(r#"{"status":"ok","version":"0.0.9","protocolVersion":1}"#).await;
    assert_fails(&doctor(&home).await, "daemon", "0.0.9", "bproxy service restart");
}

#[tokio::test]
async fn a_daemon_of_another_protocol_is_named() {
    let health = concat!(
        r#"{"status":"ok","version":""#,
        env!("CARGO_PKG_VERSION"),
        r#"","protocolVersion":2}"#
    );
    let home = answering(health).await;
    assert_fails(&doctor(&home).await, "protocol", "version 2", "bproxy service restart");
}

#[tokio::test]
async fn a_missing_or_rejected_token_is_named() {
    let daemon = Daemon::start().await;
    fs::write(daemon.home.file("token"), "f".repeat(64)).expect("own file");
    let call = doctor(&daemon.home).await;
    assert_fails(&call, "token", "does not accept", "bproxy service restart");
    fs::remove_file(daemon.home.file("token")).expect("own file");
    let call = doctor(&daemon.home).await;
    assert_fails(&call, "token", "token is missing", "bproxy service restart");
}

#[tokio::test]
async fn a_browser_that_is_not_connected_is_named() {
    let daemon = Daemon::start().await;
    let call = doctor(&daemon.home).await;
    assert_fails(&call, "browser", "none is connected", "bproxy pair");
    assert_eq!(check(&call.json(), "token")["state"], json!("ok"));
}

#[tokio::test]
async fn an_extension_of_another_version_is_named() {
    let daemon = Daemon::start().await;
    let mut extension = daemon.connected().await;
    extension.hello_of("one", "0.0.9", 1).await;
    extension.fence().await;
    let fix = "bproxy extension install, then reload it";
    assert_fails(&doctor(&daemon.home).await, "browser", "its extension is 0.0.9", fix);
}

#[tokio::test]
async fn a_keyring_that_does_not_answer_is_named_within_seconds() {
    let Some(desktop) = Desktop::new().await else { return };
    desktop.stop_keyring();
    let home = Home::new();
    let before = Instant::now();
    let mut command = desktop.bproxy(&home.path(), "keyring");
    command.arg("doctor");
    let fix =
        format!("unset BPROXY_SECRETS && echo BPROXY_SECRETS=file >>{}", home.path().display());
    assert_fails(&call(command, None).await, "secrets", "did not answer within 2 seconds", &fix);
    assert!(before.elapsed() < Duration::from_secs(10), "{:?}", before.elapsed());
}

#[tokio::test]
async fn a_person_at_a_terminal_gets_a_line_for_each_hop_unless_json_is_asked_for() {
    let home = Home::new();
    for (args, json) in [(&["doctor"][..], false), (&["doctor", "--json"], true)] {
        let (terminal, inside) = Terminal::new();
        let mut command = bproxy(&home.path());
        command.args(args).stdout(inside);
        let mut child = command.spawn().expect("the bproxy binary runs");
        drop(command);
        let status = crate::support::patiently("the report", child.wait()).await.expect("a child");
        assert_eq!(status.code(), Some(1));
        let shown = terminal.shown();
        assert_eq!(shown.contains("✓ program") && shown.contains("→ bproxy service start"), !json);
        assert_eq!(serde_json::from_str::<Value>(shown.trim()).is_ok(), json, "{shown}");
    }
}

#[tokio::test]
async fn a_home_that_belongs_to_another_is_named_with_its_chown() {
    let Some(user) = User::new() else { return };
    user.sh("mkdir -m 700 .bproxy").await;
    let stranger = user.machine.root(&["chown", "4711", &format!("{}/.bproxy", user.home())]);
    assert_eq!(call(stranger, None).await.code, 0);
    let fix = format!("sudo chown -R {} {}/.bproxy", user.uid, user.home());
    assert_fails(&user.bproxy(&["doctor"]).await, "home", "4711", &fix);
}

#[tokio::test]
async fn a_port_held_by_another_user_is_named_with_a_workaround() {
    let (Some(user), Some(stranger)) = (User::new(), User::new()) else { return };
    let port = stranger.port;
    stranger.sh(&format!("BPROXY_PORT={port} bproxy service start")).await;
    user.sh(&format!("umask 077; mkdir .bproxy; echo {port} >.bproxy/port")).await;
    let detail = format!("port {port} belongs to the user with id {}", stranger.uid);
    assert_fails(&user.bproxy(&["doctor"]).await, "socket", &detail, "echo BPROXY_PORT=");
    // A service cannot listen there either.
    user.sh("rm .bproxy/port").await;
    user.bproxy(&["service", "install", "--port", &port.to_string()]).await.json();
    let message = user.bproxy(&["service", "start"]).await.trouble().to_owned();
    let taken =
        format!("port {port} is taken by the user with id {} ({})", stranger.uid, stranger.name);
    assert!(message.contains(&taken) && message.contains("install --now --port"), "{message}");
    let message = user.bproxy(&["pair"]).await.trouble().to_owned();
    let served =
        format!("port {port} is served by the user with id {} ({})", stranger.uid, stranger.name);
    assert!(message.contains(&served) && message.contains("install --now --port"), "{message}");
    let detail = format!("port {port} is taken");
    let fix = "bproxy service install --now --port";
    assert_fails(&user.bproxy(&["doctor"]).await, "service", &detail, fix);
    stranger.bproxy(&["service", "stop"]).await.json();
}

#[tokio::test]
async fn a_journal_that_its_user_cannot_read_is_named() {
    let Some(user) = User::new() else { return };
    user.sh("mkdir -m 700 .bproxy").await;
    // In place of the journal's files, a directory of root's, as where the journal is kept in memory alone.
    let script =
        "mount --rbind /root /var/log/journal && mount -t tmpfs none /run/log && exec \"$@\"";
    let closed = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh"];
    let doctor = ["env", "BPROXY_LOG=journald", BPROXY, "doctor"];
    let call = user.run(&[&closed[..], &doctor].concat()).await;
    let fix = format!("unset BPROXY_LOG && echo BPROXY_LOG=file >>{}", user.home());
    assert_fails(&call, "journal", "cannot be read by you", &fix);
    let logs = user.run(&[&closed[..], &[BPROXY, "service", "logs"]].concat()).await;
    assert_eq!((logs.code, &*logs.stdout), (0, ""));
    assert!(logs.stderr.contains("BPROXY_LOG=file"), "{logs:?}");
    // Files are read all the same.
    user.sh("mkdir -m 700 .bproxy/logs; echo '{\"ts\":1,\"event\":\"start\"}' >.bproxy/logs/2020-01-01.log").await;
    let logs = user.run(&[&closed[..], &[BPROXY, "service", "logs"]].concat()).await;
    assert!(logs.stdout.contains("start") && logs.stderr.is_empty(), "{logs:?}");
}

/// A user with the service installed, and what the doctor says there.
async fn examined(user: &User) -> Value {
    let call = user.bproxy(&["doctor"]).await;
    assert_eq!(call.code, 1, "no browser is connected: {call:?}");
    call.json()
}

#[tokio::test]
async fn a_service_that_waits_for_its_first_connection_passes() {
    let Some(user) = User::new() else { return };
    let port = user.port.to_string();
    user.bproxy(&["service", "install", "--now", "--port", &port]).await.json();
    let report = examined(&user).await;
    assert_eq!(report["failing"], "browser", "{report}");
    let detail = check(&report, "service")["detail"].as_str().expect("text");
    assert!(detail.contains("systemd") && detail.contains(&port), "{detail}");
    let token = check(&report, "token")["detail"].as_str().expect("text");
    assert!(token.contains("systemd daemon"), "{token}");
    assert_eq!(check(&report, "log")["detail"], "the journal");
}

#[tokio::test]
async fn outdated_units_are_named_with_the_command_that_renews_them() {
    let Some(user) = User::new() else { return };
    let port = user.port.to_string();
    user.bproxy(&["service", "install", "--now", "--port", &port]).await.json();
    user.sh("echo '# by hand' >>.config/systemd/user/bproxy.service").await;
    let call = user.bproxy(&["doctor"]).await;
    let fix = format!("bproxy service install --now --port {port}");
    assert_fails(&call, "service", "bproxy.service", &fix);
    user.sh(&format!("{BPROXY} service install --now --port {port}")).await;
    assert_eq!(examined(&user).await["failing"], "browser");
}

#[tokio::test]
async fn units_that_have_gone_missing_are_named() {
    let Some(user) = User::new() else { return };
    let port = user.port.to_string();
    user.bproxy(&["service", "install", "--now", "--port", &port]).await.json();
    let fix = format!("bproxy service install --now --port {port}");
    for unit in ["bproxy.service", "bproxy.socket"] {
        user.sh(&format!("rm .config/systemd/user/{unit}")).await;
        assert_fails(&user.bproxy(&["doctor"]).await, "service", unit, &fix);
        user.sh(&fix).await;
    }
    // The sandbox is where it works alone.
    user.sh("rm -r .config/systemd/user/bproxy.service.d; systemctl --user daemon-reload").await;
    assert_eq!(examined(&user).await["failing"], "browser");
}

#[tokio::test]
async fn a_services_settings_are_fixed_where_the_manager_reads_them() {
    let Some(user) = User::new() else { return };
    let port = user.port.to_string();
    user.bproxy(&["service", "install", "--now", "--port", &port]).await.json();
    // What this shell says of the port and the log is nothing to the service.
    let shell = "BPROXY_PORT=http BPROXY_LOG=nowhere bproxy doctor; true";
    let report: Value = serde_json::from_str(&user.sh(shell).await).expect("JSON");
    assert_eq!(report["failing"], "browser", "{report}");
    let file = format!("{}/.bproxy/config.env", user.home());
    user.sh("echo BPROXY_LOG_LEVEL=loud >.bproxy/config.env").await;
    let call = user.bproxy(&["doctor"]).await;
    assert_fails(&call, "configuration", &format!("in {file}"), "sed -i.old");
    user.sh("echo BPROXY_SECRETS=keyring >.bproxy/config.env").await;
    let call = user.run(&["env", "-u", "DBUS_SESSION_BUS_ADDRESS", BPROXY, "doctor"]).await;
    assert_eq!(call.json()["failing"], "secrets", "{call:?}");
}

#[tokio::test]
async fn a_service_that_does_not_listen_is_named() {
    let Some(user) = User::new() else { return };
    let port = user.port.to_string();
    user.bproxy(&["service", "install", "--now", "--port", &port]).await.json();
    user.bproxy(&["service", "stop"]).await.json();
    let call = user.bproxy(&["doctor"]).await;
    assert_fails(&call, "service", "does not listen", "bproxy service start");
}

/// A state directory of a daemon that has a pairing, a code, a session and an address in its log, and the secrets.
async fn with_secrets() -> (Daemon, Vec<String>) {
    let daemon = Home::new().daemon().env("BPROXY_LOG_LEVEL", "debug").start().await;
    let mut extension = daemon.extension().await;
    let token = daemon.pairing().await.token;
    let tab = extension.open_tab(&daemon).await;
    extension.fence().await;
    drop((extension, tab));
    let code = run(&daemon.home, &["pair"]).await.data()["pairingCode"]
        .as_str()
        .expect("a code")
        .to_owned();
    let secrets = vec![daemon.token.clone(), token, code];
    (daemon, secrets)
}

#[tokio::test]
async fn a_report_for_others_has_no_token_no_code_and_no_address() {
    let (daemon, secrets) = with_secrets().await;
    daemon.record("start", |_| true).await;
    let file = daemon.home.file("report.txt");
    let mut command = bproxy(&daemon.home.path());
    command
        .args(["doctor", "--report"])
        .arg(&file)
        .env("BPROXY_SESSION", "https://secret.example/a?b=c");
    let call = call(command, None).await;
    assert!(call.stderr.contains("look through"), "{call:?}");
    let text = fs::read_to_string(&file).expect("a report");
    for secret in secrets {
        assert!(!text.contains(&secret), "a secret is in {text}");
    }
    assert!(!text.contains("://") && !text.contains("secret.example"), "{text}");
    for part in
        ["## doctor", "✓ program", "## files", "## log", "\"event\":\"start\"", "extension-token"]
    {
        assert!(text.contains(part), "no {part}: {text}");
    }
    assert_eq!(fs::metadata(&file).expect("a report").permissions().mode() & 0o777, 0o600);
    let mut again = bproxy(&daemon.home.path());
    again.args(["doctor", "--report"]).arg(&file);
    assert!(crate::support::call(again, None).await.code != 0, "an older report stays");
}

#[tokio::test]
async fn what_fails_is_fixed_once_the_person_agrees() {
    let home = Home::new();
    fs::write(home.file("logs"), "in the way").expect("own directory");
    let fix = async |answers: Option<&[u8]>| {
        let mut command = bproxy(&home.path());
        command.args(["doctor", "--fix"]);
        if answers.is_none() {
            command.arg("--yes");
        }
        call(command, answers).await
    };
    let asked = fix(Some(b"n\nn\nn\n")).await;
    assert!(asked.stderr.contains("run `mv ") && asked.stderr.contains("[y/N]"), "{asked:?}");
    assert_eq!(asked.json()["failing"], "log");
    assert!(home.file("logs").is_file(), "nothing is changed without a yes");
    let fixed = fix(None).await;
    assert!(fixed.stderr.contains("run: mv "), "{fixed:?}");
    assert_eq!(fixed.json()["failing"], "browser", "{fixed:?}");
    let mut stop = bproxy(&home.path());
    stop.args(["service", "stop"]);
    call(stop, None).await.json();
}
