//! Where the log goes, and that logging never blocks the daemon. What is logged is tested with the feature that logs it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::{Daemon, Home, bproxy, request, run, wait_for};

/// The only log file.
#[track_caller]
fn log_file(home: &Home) -> std::path::PathBuf {
    let mut files = fs::read_dir(home.file("logs"))
        .expect("a directory")
        .map(|file| file.expect("a file").path());
    let file = files.next().expect("a log");
    // At midnight a second one is no fault.
    files.last().unwrap_or(file)
}

#[tokio::test]
async fn records_go_to_a_file_of_the_day_which_only_its_user_can_read() {
    let daemon = Daemon::start().await;
    daemon.send(request("session.list").named("one")).await.data();
    let record = daemon.record("received", |record| record["id"] == "one").await;
    assert_eq!((&record["level"], &record["action"]), (&"info".into(), &"session.list".into()));
    assert!((crate::support::now_ms() - record["ts"].as_i64().expect("a time")).abs() < 60_000);
    let file = log_file(&daemon.home);
    let name = file.file_name().expect("a name").to_str().expect("text");
    assert!(
        name.len() == "2026-05-08.log".len() && name.starts_with("20") && name.ends_with(".log"),
        "{name}"
    );
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_eq!(daemon.home.mode("logs"), 0o700);
}

#[tokio::test]
async fn all_records_are_there_when_the_daemon_has_ended() {
    let daemon = Daemon::start().await;
    for number in 0..100 {
        daemon.send(request("session.list").named(&number.to_string())).await.data();
    }
    let exit = daemon.stop().await;
    assert_eq!(exit.home.records("response").len(), 100);
    assert_eq!(exit.home.log().last().expect("records")["event"], "stop");
}

#[tokio::test]
async fn a_removed_log_file_is_created_again() {
    let daemon = Daemon::start().await;
    daemon.record("start", |_| true).await;
    let logs = daemon.home.file("logs");
    for file in fs::read_dir(&logs).expect("own directory") {
        fs::remove_file(file.expect("a log").path()).expect("own file");
    }
    daemon.send(request("session.list").named("later")).await.data();
    daemon.record("received", |record| record["id"] == "later").await;
    fs::remove_dir_all(&logs).expect("own directory");
    daemon.send(request("session.list").named("last")).await.data();
    daemon.record("received", |record| record["id"] == "last").await;
}

#[tokio::test]
async fn an_unwritable_log_is_reported_once_and_counted_and_the_daemon_continues() {
    let daemon = Daemon::start().await;
    daemon.record("start", |_| true).await;
    let logs = daemon.home.file("logs");
    fs::remove_dir_all(&logs).expect("own directory");
    fs::write(&logs, "in the way").expect("a file");
    let said = || daemon.home.printed("stderr").matches("cannot write the log").count();
    daemon.send(request("session.list")).await.data();
    wait_for("a word about the log", || (said() == 1).then_some(())).await;
    for _ in 0..3 {
        daemon.send(request("session.list")).await.data();
    }
    fs::remove_file(&logs).expect("own file");
    daemon.send(request("session.list").named("later")).await.data();
    daemon.record("received", |record| record["id"] == "later").await;
    let lost = daemon.records("log_lost");
    assert!(lost.len() == 1 && lost[0]["records"].as_u64() >= Some(2), "{lost:?}");
    assert_eq!(said(), 1);
}

#[tokio::test]
async fn the_level_decides_what_is_logged() {
    let daemon = Home::new().daemon().env("BPROXY_LOG_LEVEL", "warn").start().await;
    daemon.send(request("session.list")).await.data();
    let exit = daemon.stop().await;
    assert_eq!(exit.home.log(), Vec::<Value>::new());
}

#[tokio::test]
async fn the_level_changes_while_the_daemon_runs() {
    let daemon = Daemon::start().await;
    daemon.record("start", |_| true).await;
    let settings = daemon.home.file("config.env");
    let reloads = async |level: &str, count: usize| {
        fs::write(&settings, format!("BPROXY_LOG_LEVEL={level}\n")).expect("own directory");
        daemon.signal(rustix::process::Signal::HUP);
        wait_for("the reload", || (daemon.records("reload").len() == count).then_some(())).await;
    };
    reloads("debug", 1).await;
    let mut extension = daemon.extension().await;
    extension.fence().await;
    daemon.record("ws_hello", |record| record["level"] == "debug").await;
    reloads("info", 2).await;
    daemon.send(request("session.list").named("later")).await.data();
    daemon.record("response", |record| record["id"] == "later").await;
    let debug = || daemon.log().iter().filter(|record| record["level"] == "debug").count();
    let before = debug();
    let again = daemon.extension().await;
    daemon.send(request("session.list").named("last")).await.data();
    daemon.record("response", |record| record["id"] == "last").await;
    assert_eq!(debug(), before);
    drop(again);
}

#[tokio::test]
async fn the_log_goes_to_standard_error_if_configured() {
    let daemon = Home::new().daemon().env("BPROXY_LOG", "stderr").start().await;
    daemon.send(request("session.list").named("one")).await.data();
    let exit = daemon.stop().await;
    assert!(!exit.home.file("logs").exists());
    let records: Vec<Value> = exit
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    assert!(records.iter().any(|record| record["event"] == "received" && record["id"] == "one"));
}

#[tokio::test]
async fn a_hanging_log_delays_neither_requests_nor_shutdown() {
    let daemon = Daemon::start().await;
    daemon.record("start", |_| true).await;
    let file = log_file(&daemon.home);
    fs::remove_file(&file).expect("own file");
    // Opening one for writing waits for somebody who reads.
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mkfifoat(rustix::fs::CWD, &file, mode).expect("own directory");
    for _ in 0..100 {
        daemon.send(request("session.list")).await.data();
    }
    let before = std::time::Instant::now();
    // Before anything else reads the log, as the harness does when it is asked for records.
    assert!(daemon.stop().await.status.success());
    assert!(before.elapsed() < std::time::Duration::from_secs(5), "{:?}", before.elapsed());
}

/// The lines that `service logs` shows.
async fn logs(home: &Home, args: &[&str]) -> Vec<Value> {
    let call = run(home, &[&["service", "logs"], args].concat()).await;
    assert_eq!(call.code, 0, "{call:?}");
    call.stdout.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

#[tokio::test]
async fn the_log_is_shown_as_it_was_written() {
    let daemon = Daemon::start().await;
    for id in ["one", "two"] {
        daemon.send(request("session.list").named(id)).await.data();
    }
    let home = daemon.stop().await.home;
    assert_eq!(logs(&home, &[]).await, home.log());
    let one = logs(&home, &["--id", "one"]).await;
    let events: Vec<_> = one.iter().map(|record| &record["event"]).collect();
    assert_eq!(events, ["received", "response"]);
    assert_eq!(logs(&home, &["--since", "1h"]).await, home.log());
    assert_eq!(logs(&home, &["--since", "99999999999999"]).await, Vec::<Value>::new());
    assert_eq!(logs(&Home::new(), &[]).await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_sessions_log_has_the_whole_life_of_its_requests_and_no_others() {
    let (daemon, mut extension, tab) = Daemon::with_tab().await;
    let other = extension.open_tab(&daemon).await;
    for (tab, id) in [(&tab, "ours"), (&other, "theirs")] {
        let text = daemon.begin(tab.request("text").named(id));
        let command = extension.receive().await;
        extension.answer(&command, serde_json::json!({"text": "hello"})).await;
        text.reply().await.data();
    }
    let home = daemon.stop().await.home;
    let shown = logs(&home, &["-s", &tab.session]).await;
    let life: Vec<_> = shown.iter().filter(|record| record["id"] == "ours").collect();
    let events: Vec<_> = life.iter().map(|record| &record["event"]).collect();
    assert_eq!(events, ["received", "forwarded", "response"]);
    assert!(shown.iter().all(|record| record["id"] != "theirs"), "{shown:?}");
}

#[tokio::test]
async fn a_log_that_is_followed_shows_what_comes_until_its_reader_goes() {
    let daemon = Daemon::start().await;
    let mut command = bproxy(&daemon.home.path());
    command.args(["service", "logs", "--follow", "--id", "later"]);
    let mut follower = command.spawn().expect("the bproxy binary runs");
    let mut lines = BufReader::new(follower.stdout.take().expect("a pipe")).lines();
    for _ in 0..2 {
        daemon.send(request("session.list").named("later")).await.data();
    }
    for event in ["received", "response", "received", "response"] {
        let line = crate::support::patiently("a line", lines.next_line()).await.expect("text");
        let record: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        assert_eq!((&record["event"], &record["id"]), (&event.into(), &"later".into()));
    }
    drop(lines);
    daemon.send(request("session.list").named("later")).await.data();
    let status =
        crate::support::patiently("the follower's end", follower.wait()).await.expect("a child");
    assert!(status.success(), "{status}");
}
