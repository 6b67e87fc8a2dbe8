//! Where the daemon's log goes, and that nothing about it gets in the daemon's way. What is logged is tested with what
//! it is logged about.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use support::{Daemon, Home, request, wait_for};

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
    assert!((support::now_ms() - record["ts"].as_i64().expect("a time")).abs() < 60_000);
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
async fn a_log_that_is_removed_is_made_anew() {
    let daemon = Daemon::start().await;
    daemon.record("start", |_| true).await;
    fs::remove_dir_all(daemon.home.file("logs")).expect("own directory");
    daemon.send(request("session.list").named("later")).await.data();
    daemon.record("received", |record| record["id"] == "later").await;
}

#[tokio::test]
async fn a_log_that_cannot_be_written_is_said_once_and_counted_and_the_daemon_goes_on() {
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
async fn the_log_goes_to_standard_error_where_that_is_asked_for() {
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
