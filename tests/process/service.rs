//! `bproxy service …`: starting, stopping and inspecting a daemon from the command line.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::{Value, json};

use crate::support::{Daemon, Home, PATIENCE};

/// A state directory; dropping it ends its daemon, if one still runs.
struct Place {
    home: Home,
}

impl Place {
    fn new() -> Self {
        Self { home: Home::new() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bproxy"));
        command
            .args(args)
            .env_clear()
            .envs(crate::support::counted())
            .envs(crate::support::settings(&self.home.path()))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the bproxy binary runs")
    }

    /// The one line of JSON that a call prints which exits with 0.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        json_of(&self.run(args))
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.home.path()).expect("a state directory");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
            .collect();
        names.sort();
        names
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let status = self.run(&["service", "status"]);
        let status: Value = serde_json::from_slice(&status.stdout).unwrap_or_default();
        if let Some(pid) = status["pid"].as_i64() {
            let _ = kill_process(as_pid(pid), Signal::KILL);
        }
    }
}

#[track_caller]
fn json_of(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    line_of(output)
}

/// The one line of JSON of a call.
#[track_caller]
fn line_of(output: &Output) -> Value {
    let text = str::from_utf8(&output.stdout).expect("text");
    assert_eq!(text.matches('\n').count(), 1, "{output:?}");
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// The message of a call that exits with 2 and prints nothing on standard output.
#[track_caller]
fn trouble(output: &Output) -> String {
    assert!(output.status.code() == Some(2) && output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr.clone()).expect("text")
}

fn as_pid(pid: i64) -> Pid {
    Pid::from_raw(i32::try_from(pid).expect("a process id")).expect("a process id")
}

/// Whether a process is there and has not ended. One that has ended may wait to be noticed by its parent.
fn lives(pid: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    let ended = state
        .is_ok_and(|state| state.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")));
    test_kill_process(pid).is_ok() && !ended
}

#[test]
fn a_started_daemon_tells_its_pid_port_and_pairing_code_and_runs_on() {
    let place = Place::new();
    let started = place.json(&["service", "start"]);
    let pid = started["pid"].as_i64().expect("a process id");
    let port = started["port"].as_u64().expect("a port");
    assert_eq!(started["running"], true);
    assert!(lives(as_pid(pid)));
    assert_eq!(place.home.read("port").trim(), port.to_string());
    assert_eq!(place.home.read("bproxy.pid").trim(), pid.to_string());
    let pairing: Value = serde_json::from_str(&place.home.read("pairing.json")).expect("JSON");
    assert_eq!(started["pairingCode"], pairing["pairingCode"]);
    assert_eq!(started["pairingExpiresAt"], pairing["pairingExpiresAt"]);
    assert_eq!(
        place.json(&["service", "status"]),
        json!({"running": true, "pid": pid, "port": port, "version": env!("CARGO_PKG_VERSION"), "protocolVersion": 1, "managedBy": "self"})
    );
}

#[test]
fn a_started_daemon_has_a_session_of_its_own_and_holds_no_stream_of_its_starter() {
    let place = Place::new();
    let started = place.json(&["service", "start"]);
    let pid = started["pid"].as_i64().expect("a process id");
    let session = rustix::process::getsid(Some(as_pid(pid))).expect("a session");
    assert_eq!(session, as_pid(pid));
    for stream in 0..3 {
        let target = fs::read_link(format!("/proc/{pid}/fd/{stream}")).expect("a stream");
        assert_eq!(target, PathBuf::from("/dev/null"));
    }
}

#[test]
fn a_stopped_daemon_has_ended_and_left_nothing_transient() {
    let place = Place::new();
    let pid = as_pid(place.json(&["service", "start"])["pid"].as_i64().expect("a process id"));
    assert_eq!(place.json(&["service", "stop"]), json!({"running": false, "managedBy": "self"}));
    assert!(!lives(pid));
    assert_eq!(place.files(), ["layout", "logs", "tmp"]);
    assert_eq!(place.json(&["service", "stop"]), json!({"running": false, "managedBy": "self"}));
    let status = place.run(&["service", "status"]);
    assert_eq!(status.status.code(), Some(3), "{status:?}");
    assert_eq!(
        line_of(&status),
        json!({"running": false, "version": env!("CARGO_PKG_VERSION"), "protocolVersion": 1, "managedBy": "self"})
    );
}

#[test]
fn a_second_start_is_refused_and_leaves_the_first_daemon_alone() {
    let place = Place::new();
    let first = place.json(&["service", "start"]);
    let message = trouble(&place.run(&["service", "start"]));
    assert!(
        message.contains("already running") && message.contains(&first["pid"].to_string()),
        "{message}"
    );
    assert_eq!(place.json(&["service", "status"])["pid"], first["pid"]);
}

#[test]
fn starts_at_the_same_time_give_one_daemon_and_clear_errors() {
    let place = Place::new();
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let mut command = place.command(&["service", "start"]);
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the bproxy binary runs")
        })
        .collect();
    let outputs: Vec<_> =
        starts.into_iter().map(|start| start.wait_with_output().expect("a child")).collect();
    let (winners, losers): (Vec<_>, Vec<_>) =
        outputs.iter().partition(|output| output.status.success());
    assert_eq!(winners.len(), 1, "{outputs:?}");
    for loser in losers {
        assert!(trouble(loser).contains("already running"), "{loser:?}");
    }
    assert_eq!(place.json(&["service", "status"])["pid"], json_of(winners[0])["pid"]);
}

#[test]
fn files_of_a_killed_daemon_never_block_a_start() {
    let place = Place::new();
    let killed = as_pid(place.json(&["service", "start"])["pid"].as_i64().expect("a process id"));
    kill_process(killed, Signal::KILL).expect("own process");
    let end = Instant::now() + PATIENCE;
    while line_of(&place.run(&["service", "status"]))["running"] == true {
        assert!(Instant::now() < end, "the killed daemon goes on holding its lock");
    }
    assert!(place.files().contains(&"bproxy.pid".to_owned()), "a killed daemon cannot tidy up");
    assert_eq!(place.json(&["service", "start"])["running"], true);
}

#[test]
fn stop_cleans_up_after_a_killed_daemon() {
    let place = Place::new();
    let killed = as_pid(place.json(&["service", "start"])["pid"].as_i64().expect("a process id"));
    kill_process(killed, Signal::KILL).expect("own process");
    assert_eq!(place.json(&["service", "stop"]), json!({"running": false, "managedBy": "self"}));
    let files = place.files();
    // A daemon that is killed at once has not written a log yet.
    assert!(files.iter().all(|name| ["layout", "logs", "tmp"].contains(&&**name)), "{files:?}");
}

#[test]
fn a_restart_replaces_the_daemon_or_starts_one() {
    let place = Place::new();
    let first = place.json(&["service", "restart"]);
    let second = place.json(&["service", "restart"]);
    assert_ne!(first["pid"], second["pid"]);
    assert!(!lives(as_pid(first["pid"].as_i64().expect("a process id"))));
    assert_ne!(first["pairingCode"], second["pairingCode"]);
}

#[test]
fn a_start_on_a_taken_port_names_the_port_and_its_holder() {
    let place = Place::new();
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = socket.local_addr().expect("an address").port().to_string();
    let output =
        place.command(&["service", "start"]).env("BPROXY_PORT", &port).output().expect("a call");
    let message = trouble(&output);
    assert!(message.contains(&port), "{message}");
    assert!(message.contains(&std::process::id().to_string()), "{message}");
    assert!(!place.files().contains(&"bproxy.pid".to_owned()));
}

#[test]
fn a_start_with_a_bad_setting_names_it_and_a_daemon_exits_with_78() {
    let place = Place::new();
    for (name, value) in [
        ("BPROXY_PORT", "65536"),
        ("BPROXY_LOG", "syslog"),
        ("BPROXY_LOG_LEVEL", "all"),
        ("BPROXY_SECRETS", "x"),
        ("BPROXY_EXTENSION_IDS", "abc"),
    ] {
        let output =
            place.command(&["service", "start"]).env(name, value).output().expect("a call");
        let message = trouble(&output);
        assert!(message.contains(name) && message.contains(value), "{message}");
        let output = place.command(&["daemon"]).env(name, value).output().expect("a call");
        assert_eq!(output.status.code(), Some(78), "{output:?}");
    }
}

#[test]
fn a_secret_that_others_can_read_stops_the_start_and_is_left_as_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    for name in ["token", "extension-token", "pairing.json"] {
        let file = place.home.file(name);
        fs::write(&file, "0123456789abcdef0123456789abcdef").expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("own file");
        let message = trouble(&place.run(&["service", "start"]));
        assert!(message.contains(name) && message.contains("chmod 600"), "{message}");
        assert_eq!(
            fs::metadata(&file).expect("it is still there").permissions().mode() & 0o777,
            0o640
        );
        fs::remove_file(&file).expect("own file");
        std::os::unix::fs::symlink("/dev/null", &file).expect("a link");
        let message = trouble(&place.run(&["service", "start"]));
        assert!(message.contains(name) && message.contains("link"), "{message}");
        fs::remove_file(&file).expect("own link");
    }
}

#[test]
fn a_daemon_that_hangs_is_reported_by_status_and_by_stop() {
    let place = Place::new();
    let pid = as_pid(place.json(&["service", "start"])["pid"].as_i64().expect("a process id"));
    kill_process(pid, Signal::STOP).expect("own process");
    let status = place.run(&["service", "status"]);
    assert_eq!(json_of(&status)["running"], true);
    assert!(String::from_utf8_lossy(&status.stderr).contains("does not answer"), "{status:?}");
    let start = Instant::now();
    let message = trouble(&place.run(&["service", "stop"]));
    assert!(
        message.contains("kill -9") && message.contains(&pid.as_raw_nonzero().to_string()),
        "{message}"
    );
    assert!(start.elapsed() > Duration::from_secs(5), "a daemon may drain for five seconds");
    kill_process(pid, Signal::KILL).expect("own process");
}

#[tokio::test]
async fn a_daemon_in_the_foreground_is_seen_and_stopped_from_elsewhere() {
    let daemon = Daemon::start().await;
    let place = Place { home: Home::new() };
    let elsewhere = |args: &[&str]| {
        json_of(
            &place.command(args).env("BPROXY_HOME", daemon.home.path()).output().expect("a call"),
        )
    };
    assert_eq!(elsewhere(&["service", "status"])["pid"], daemon.pid().as_raw_nonzero().get());
    assert_eq!(elsewhere(&["service", "stop"]), json!({"running": false, "managedBy": "self"}));
    assert!(daemon.ended().await.status.success());
}

#[test]
fn start_in_the_foreground_tells_the_same_and_ends_with_its_terminal() {
    use std::io::{BufRead, BufReader};
    let place = Place::new();
    let mut command = place.command(&["service", "start", "--foreground"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the bproxy binary runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let started: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(started["pid"], child.id());
    assert_eq!(started["running"], true);
    kill_process(as_pid(child.id().into()), Signal::HUP).expect("own child");
    assert!(child.wait().expect("a child").success());
    assert_eq!(place.files(), ["layout", "logs", "tmp"]);
}

/// Kills a daemon and waits until it has ended. Its first thread may be a zombie while others still hold its locks.
fn kill(pid: i64) {
    kill_process(as_pid(pid), Signal::KILL).expect("an own process");
    let end = Instant::now() + PATIENCE;
    let is_alive = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
        !stat.is_empty() && (threads > 1 || !stat.contains(") Z "))
    };
    while is_alive() {
        assert!(Instant::now() < end, "{pid} does not end");
    }
}

#[test]
fn stops_that_tidy_up_after_a_crash_at_the_same_time_are_not_taken_for_the_daemon() {
    let place = Place::new();
    for _ in 0..20 {
        let pid = place.json(&["service", "start"])["pid"].as_i64().expect("a process id");
        kill(pid);
        let calls = [&["service", "stop"][..], &["service", "status"]];
        let calls = calls.into_iter().cycle().take(8).map(|args| {
            let mut command = place.command(args);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().expect("the bproxy binary runs")
        });
        for call in calls.collect::<Vec<_>>() {
            let output = call.wait_with_output().expect("an own child");
            assert_eq!(line_of(&output)["running"], false, "{output:?}");
            assert!(matches!(output.status.code(), Some(0 | 3)), "{output:?}");
        }
        assert!(!place.files().iter().any(|file| file == "bproxy.pid" || file == "port"));
        place.json(&["service", "start"]);
        place.json(&["service", "stop"]);
    }
}

#[test]
fn a_start_waits_for_one_that_tidies_up() {
    let place = Place::new();
    for _ in 0..10 {
        let pid = place.json(&["service", "start"])["pid"].as_i64().expect("a process id");
        kill(pid);
        let mut stop =
            place.command(&["service", "stop"]).stdout(Stdio::null()).spawn().expect("runs");
        let started = place.json(&["service", "restart"]);
        assert_eq!(started["running"], true);
        assert!(stop.wait().expect("an own child").success());
        place.json(&["service", "stop"]);
    }
}

#[test]
fn a_daemon_that_may_open_too_few_files_says_so_and_ends() {
    let place = Place::new();
    for (limit, starts) in [(20, false), (33, false), (34, true)] {
        let mut command = Command::new("sh");
        let script = format!("ulimit -Sn {limit}; ulimit -Hn {limit}; exec \"$@\"");
        command.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_bproxy"), "service", "start"]);
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(crate::support::settings(&place.home.path()));
        let output = command.output().expect("a shell");
        if starts {
            json_of(&output);
            continue;
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            stderr.contains(&format!("{limit} files")) && stderr.contains("34 at least"),
            "{stderr}"
        );
        assert!(stderr.contains("ulimit -n") && stderr.contains("LimitNOFILE="), "{stderr}");
    }
    // A limit that the process may raise itself is no obstacle.
    place.json(&["service", "stop"]);
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -Sn 20; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_bproxy"),
        "service",
        "start",
    ]);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .envs(crate::support::settings(&place.home.path()));
    json_of(&command.output().expect("a shell"));
}

#[test]
fn a_daemon_that_hangs_costs_a_call_little_more_than_its_time_limit() {
    let place = Place::new();
    let pid = place.json(&["service", "start"])["pid"].as_i64().expect("a process id");
    kill_process(as_pid(pid), Signal::STOP).expect("an own process");
    let before = Instant::now();
    let call = place.run(&["--timeout", "1000", "session", "list"]);
    let elapsed = before.elapsed();
    kill_process(as_pid(pid), Signal::CONT).expect("an own process");
    assert_eq!(call.status.code(), Some(2), "{call:?}");
    assert!(String::from_utf8_lossy(&call.stderr).contains("did not answer in time"), "{call:?}");
    assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
}

#[test]
fn the_port_stays_when_the_token_is_rotated() {
    let place = Place::new();
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let start = place.command(&["service", "start"]).env("BPROXY_PORT", port.to_string()).output();
    assert_eq!(json_of(&start.expect("the bproxy binary runs"))["port"], port);
    place.json(&["token", "rotate"]);
    assert_eq!(place.json(&["service", "status"])["port"], port);
}
