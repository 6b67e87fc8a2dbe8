//! `bproxy token …`: where the tokens are stored, and rotating one.

use std::fs;

use serde_json::Value;

use crate::support::{Daemon, Desktop, Home, call, request, run};

/// Stops the daemon that a call has started.
async fn stop(home: &Home) {
    assert_eq!(run(home, &["service", "stop"]).await.json()["running"], false);
}

#[tokio::test]
async fn the_location_of_the_tokens_is_printed_and_the_tokens_are_not() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    for verb in ["path", "where"] {
        let call = run(&daemon.home, &["token", verb]).await;
        let places = call.json();
        assert_eq!(places["store"], "file");
        assert_eq!(places["daemonToken"], daemon.home.file("token").to_str().expect("text"));
        assert_eq!(
            places["extensionToken"],
            daemon.home.file("extension-token").to_str().expect("text")
        );
        assert_eq!(places["copy"], Value::Null);
        assert!(!call.stdout.contains(&daemon.token) && !call.stdout.contains(&pairing.token));
    }
}

#[tokio::test]
async fn the_location_in_the_keyring_is_printed_with_service_and_account() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon =
        Home::new().daemon().envs(desktop.env()).env("BPROXY_SECRETS", "keyring").start().await;
    for store in ["keyring", "auto"] {
        let mut command = desktop.bproxy(&daemon.home.path(), store);
        command.args(["token", "path"]);
        let places = call(command, None).await.json();
        assert_eq!(places["store"], "keyring");
        let place = places["daemonToken"].as_str().expect("a place");
        assert!(place.contains("service bproxy, account daemon-token"), "{place}");
        let copy = places["copy"].as_str().expect("a copy");
        assert!(fs::metadata(copy).is_ok_and(|file| file.is_file()), "{copy}");
    }
}

#[tokio::test]
async fn a_rotated_token_takes_the_place_of_the_old_one_and_the_pairing_stays() {
    let home = Home::new();
    let started = run(&home, &["service", "start"]).await.json();
    let old = home.read("token");
    let rotated = run(&home, &["token", "rotate"]).await;
    assert_eq!(rotated.json(), serde_json::json!({"rotated": true, "restarted": true}));
    let new = home.read("token");
    assert!(old != new && !rotated.stdout.contains(new.trim()));
    let status = run(&home, &["service", "status"]).await.json();
    assert!(status["running"] == true && status["pid"] != started["pid"], "{status}");
    run(&home, &["session", "list"]).await.data();
    let port = status["port"].as_u64().expect("a port") as u16;
    let with_old = crate::support::Client { port, token: old.trim().to_owned() };
    assert_eq!(with_old.send(request("session.list")).await.0.status, 401);
    stop(&home).await;
}

#[tokio::test]
async fn a_token_that_waits_for_an_activated_daemon_is_rotated_without_one() {
    let home = Home::new();
    let token = home.file("token");
    fs::write(&token, "f".repeat(64)).expect("own directory");
    fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600))
        .expect("own file");
    let rotated = run(&home, &["token", "rotate"]).await.json();
    assert_eq!(rotated, serde_json::json!({"rotated": true, "restarted": false}));
    assert!(home.read("token") != "f".repeat(64));
    assert_eq!(home.mode("token"), 0o600);
}

#[tokio::test]
async fn printing_the_location_of_the_tokens_creates_nothing() {
    let home = Home::new();
    let absent = home.file("absent");
    let mut command = crate::support::bproxy(&absent);
    command.args(["token", "path"]);
    let places = call(command, None).await.json();
    assert_eq!(places["daemonToken"], absent.join("token").to_str().expect("text"));
    let mut command = crate::support::bproxy(&absent);
    command.args(["token", "rotate"]);
    assert_eq!(call(command, None).await.json()["restarted"], false);
    assert!(!absent.exists());
}

#[tokio::test]
async fn a_token_in_a_locked_keyring_is_not_rotated_and_its_daemon_goes_on() {
    let Some(desktop) = Desktop::new().await else { return };
    let daemon =
        Home::new().daemon().envs(desktop.env()).env("BPROXY_SECRETS", "keyring").start().await;
    daemon.pairing().await;
    desktop.lock();
    for store in ["auto", "keyring"] {
        let mut rotate = desktop.bproxy(&daemon.home.path(), store);
        rotate.args(["token", "rotate"]);
        let call = call(rotate, None).await;
        assert!(call.trouble().contains("the keyring is locked"), "{call:?}");
    }
    let mut list = desktop.bproxy(&daemon.home.path(), "auto");
    list.args(["session", "list"]);
    call(list, None).await.data();
    let home = daemon.stop().await.home;

    // Nor is it where only the pairing is there, as long as nobody can tell.
    let mut rotate = desktop.bproxy(&home.path(), "auto");
    rotate.args(["token", "rotate"]);
    let call = call(rotate, None).await;
    assert!(call.trouble().contains("the keyring is locked"), "{call:?}");
}
