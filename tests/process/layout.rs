//! A state directory with a newer layout is left untouched by every command.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Daemon, Home, request, run};

/// Every verb that has to do with the state directory.
const VERBS: [&[&str]; 21] = [
    &["service", "start"],
    &["service", "start", "--foreground"],
    &["service", "stop"],
    &["service", "restart"],
    &["service", "status"],
    &["service", "logs"],
    &["session", "list"],
    &["session", "wait", "-s", "m4q7z2"],
    &["tab", "open", "https://example.org"],
    &["text", "-s", "m4q7z2"],
    &["screenshot", "-s", "m4q7z2"],
    &["pair"],
    &["health"],
    &["status"],
    &["debug", "last"],
    &["events"],
    &["batch"],
    &["token", "rotate"],
    &["token", "path"],
    &["extension", "install"],
    &["daemon"],
];

/// Every file of a folder and below: which one it is, how long, and when it or what is known of it was changed.
fn listing(folder: &Path, found: &mut BTreeMap<PathBuf, (u64, u64, i64, i64)>) {
    let metadata = fs::symlink_metadata(folder).expect("an own file");
    let changed = metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec();
    let written = metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec();
    found.insert(folder.to_owned(), (metadata.ino(), metadata.size(), written, changed));
    if metadata.is_dir() {
        for entry in fs::read_dir(folder).expect("an own folder") {
            listing(&entry.expect("an entry").path(), found);
        }
    }
}

fn listed(home: &Home) -> BTreeMap<PathBuf, (u64, u64, i64, i64)> {
    let mut found = BTreeMap::new();
    listing(&home.path(), &mut found);
    found
}

/// Asks for everything, and finds each refused in these words, and the directory as it was.
async fn assert_refused(home: &Home, words: &[&str]) {
    let before = listed(home);
    for verb in VERBS {
        let refused = run(home, verb).await;
        let code = if verb == ["daemon"] { 78 } else { 2 };
        assert!(refused.code == code && refused.stdout.is_empty(), "{verb:?}: {refused:?}");
        for words in words.iter().chain(&["nothing was touched"]) {
            assert!(refused.stderr.contains(words), "{verb:?}: {refused:?}");
        }
        assert_eq!(listed(home), before, "{verb:?}");
    }
}

/// What the doctor says of the state directory.
fn checked_home(report: &Value) -> Value {
    let checks = report["checks"].as_array().expect("a list");
    checks.iter().find(|check| check["hop"] == "home").expect("the hop").clone()
}

/// A state directory with all that a daemon and a browser leave in it.
async fn used() -> Home {
    let daemon = Daemon::start().await;
    daemon.pairing().await;
    fs::write(daemon.home.file("config.env"), "# mine\n").expect("own file");
    let home = daemon.kill().await.home;
    assert_eq!(home.read("layout"), "1\n");
    home
}

#[tokio::test]
async fn a_newer_layout_is_refused_with_what_to_do_and_nothing_is_touched() {
    let home = used().await;
    fs::write(home.file("layout"), "2\n").expect("own file");
    // Nor is anything else in it understood.
    fs::write(home.file("config.env"), "BPROXY_COLOUR=blue\n").expect("own file");
    let place = home.path().display().to_string();
    assert_refused(&home, &[&place, "layout 2", "knows 1", "newer bproxy", "BPROXY_HOME"]).await;

    let before = listed(&home);
    let doctor = run(&home, &["doctor"]).await;
    assert_eq!((doctor.code, &doctor.json()["failing"]), (1, &json!("home")), "{doctor:?}");
    let check = &checked_home(&doctor.json());
    let detail = check["detail"].as_str().expect("text");
    assert!(detail.contains("layout 2") && detail.contains("install a newer bproxy"), "{check}");
    // What a command can do without a newer program: it loses nothing.
    assert!(check["fix"].as_str().expect("text").starts_with("mv "), "{check}");
    assert_eq!(listed(&home), before);
}

#[tokio::test]
async fn an_invalid_layout_file_is_refused_with_what_to_do_and_nothing_is_touched() {
    let home = used().await;
    fs::write(home.file("layout"), "one\n").expect("own file");
    assert_refused(&home, &[home.file("layout").to_str().expect("text"), "one", "writes 1"]).await;
    let doctor = run(&home, &["doctor"]).await.json();
    let fix = checked_home(&doctor)["fix"].as_str().expect("what mends it").to_owned();
    let mended = tokio::process::Command::new("sh").args(["-c", &fix]).status().await;
    assert!(mended.expect("a shell").success(), "{fix}");
    home.daemon().start().await.send(request("session.list")).await.data();
}

#[tokio::test]
async fn a_running_daemon_of_a_newer_layout_is_not_harmed() {
    let daemon = Daemon::start().await;
    fs::write(daemon.home.file("layout"), "2\n").expect("own file");
    let (pid, token) = (daemon.home.read("bproxy.pid"), daemon.home.read("token"));
    for verb in VERBS {
        let refused = run(&daemon.home, verb).await;
        assert!(refused.stderr.contains("layout 2"), "{verb:?}: {refused:?}");
        daemon.send(request("session.list")).await.data();
    }
    assert_eq!((daemon.home.read("bproxy.pid"), daemon.home.read("token")), (pid, token));
}

#[tokio::test]
async fn a_directory_without_a_layout_file_has_layout_1() {
    let home = used().await;
    fs::remove_file(home.file("layout")).expect("own file");
    assert!(!run(&home, &["service", "status"]).await.json()["running"].as_bool().expect("a fact"));
    assert!(!home.file("layout").exists(), "asking changes nothing");
    let token = home.read("extension-token");
    let daemon = home.daemon().start().await;
    assert_eq!((daemon.home.read("layout"), daemon.home.mode("layout")), ("1\n".into(), 0o600));
    assert_eq!(daemon.home.read("extension-token"), token);
}
