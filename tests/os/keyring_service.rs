//! A service's tokens in a real keyring, under a real systemd: in the sandbox, locked, rotated, after a kill.

use crate::support::{Client, Desktop, User, patiently, request};

/// A user whose keyring is unlocked and for whom the service is installed.
async fn served() -> Option<User> {
    if !Desktop::is_there() {
        return None;
    }
    let user = User::new()?;
    unlock(&user).await;
    let port = user.port.to_string();
    let installed = user.bproxy(&["service", "install", "--now", "--port", &port]).await.json();
    assert!(installed["files"].to_string().contains("sandbox"), "{installed}");
    Some(user)
}

async fn unlock(user: &User) {
    user.sh("printf password | gnome-keyring-daemon --replace --unlock --components=secrets --daemonize")
        .await;
}

async fn lock(user: &User) {
    user.sh(
        "dbus-send --session --print-reply --dest=org.freedesktop.secrets /org/freedesktop/secrets \
         org.freedesktop.Secret.Service.Lock array:objpath:/org/freedesktop/secrets/aliases/default",
    )
    .await;
}

/// Waits until the daemon says that its tokens are in the keyring.
async fn in_keyring(user: &User) {
    patiently("the keyring", async {
        while user.bproxy(&["health"]).await.json()["secretStore"] != "keyring" {}
    })
    .await;
}

/// Ends the daemon as idleness does: the manager goes on listening.
async fn idle(user: &User) {
    let pid = user.property("bproxy.service", "MainPID").await;
    user.sh(&format!("kill -TERM {pid}")).await;
    patiently("the daemon's end", async {
        while user.property("bproxy.service", "ActiveState").await != "inactive" {}
    })
    .await;
    assert_eq!(user.property("bproxy.socket", "ActiveState").await, "active");
}

async fn accounts(user: &User) -> String {
    let found = user.sh("secret-tool search --all service bproxy 2>&1 | grep username || true");
    found.await.trim().to_owned()
}

async fn token(user: &User) -> String {
    user.sh("secret-tool lookup service bproxy username daemon-token").await
}

#[tokio::test]
async fn a_service_in_its_sandbox_keeps_its_tokens_in_the_keyring_from_first_use_to_uninstall() {
    let Some(user) = served().await else { return };
    // The token of the first call is made before any daemon has run.
    user.bproxy(&["session", "list"]).await.data();
    in_keyring(&user).await;
    assert_eq!(accounts(&user).await, "attribute.username = daemon-token");
    let first = token(&user).await;
    assert_eq!(user.sh(&format!("grep -rl {first} .bproxy || true")).await, "");

    // An activated daemon goes on with the token that it has.
    user.systemctl(&["restart", "bproxy"]).await;
    user.bproxy(&["session", "list"]).await.data();
    assert_eq!(user.bproxy(&["health"]).await.json()["secretStore"], "keyring");
    assert_eq!(token(&user).await, first);

    user.bproxy(&["service", "uninstall"]).await.json();
    assert_eq!(accounts(&user).await, "");
    assert_eq!(user.sh("ls -d .bproxy $XDG_RUNTIME_DIR/bproxy 2>/dev/null || true").await, "");
}

#[tokio::test]
async fn a_command_starts_a_daemon_whose_keyring_is_locked_and_the_token_goes_back_there_later() {
    let Some(user) = served().await else { return };
    user.bproxy(&["session", "list"]).await.data();
    in_keyring(&user).await;
    idle(&user).await;
    lock(&user).await;
    user.bproxy(&["session", "list"]).await.data();
    let health = user.bproxy(&["health"]).await.json();
    assert_eq!(health["secretStore"], "file");
    assert!(health["secretStoreReason"].to_string().contains("locked"), "{health}");
    assert!(user.file(".bproxy/token").exists());

    idle(&user).await;
    unlock(&user).await;
    user.bproxy(&["session", "list"]).await.data();
    in_keyring(&user).await;
    assert!(!user.file(".bproxy/token").exists());
    assert_eq!(accounts(&user).await, "attribute.username = daemon-token");
    user.bproxy(&["service", "uninstall"]).await.json();
}

/// What `bproxy mcp` answers to a call of a tool, started as MCP clients do: with six variables and no others.
async fn mcp_call(user: &User, tool: &str) -> serde_json::Value {
    let messages = [
        serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}}),
        serde_json::json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        serde_json::json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call",
            "params": {"name": tool, "arguments": {}}}),
    ];
    let lines = messages.map(|message| format!("'{message}'")).join(" ");
    let bare = "env -i HOME=\"$HOME\" LOGNAME=\"$LOGNAME\" PATH=\"$PATH\" SHELL=/bin/sh TERM=xterm USER=\"$USER\"";
    let answers = user.sh(&format!("printf '%s\\n' {lines} | {bare} bproxy mcp --tools all")).await;
    let mut answers =
        answers.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    answers.find(|answer| answer["id"] == 2).expect("an answer to the call")
}

#[tokio::test]
async fn an_mcp_server_without_the_variables_of_a_login_finds_the_keyring() {
    let Some(user) = served().await else { return };
    user.bproxy(&["session", "list"]).await.data();
    in_keyring(&user).await;
    // A daemon that runs has a copy of the token in memory; one that is activated has not.
    idle(&user).await;
    let before = token(&user).await;
    let answer = mcp_call(&user, "session_list").await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
    assert_eq!(token(&user).await, before, "no other token is made");
    assert_eq!(user.bproxy(&["health"]).await.json()["secretStore"], "keyring");
}

#[tokio::test]
async fn a_token_in_the_keyring_is_rotated_by_a_service_that_runs_and_by_one_that_waits() {
    let Some(user) = served().await else { return };
    user.bproxy(&["session", "list"]).await.data();
    in_keyring(&user).await;
    for restarted in [true, false] {
        if !restarted {
            idle(&user).await;
        }
        let old = token(&user).await;
        let rotated = user.bproxy(&["token", "rotate"]).await.json();
        assert_eq!(rotated, serde_json::json!({"rotated": true, "restarted": restarted}));
        assert_ne!(token(&user).await, old);
        user.bproxy(&["session", "list"]).await.data();
        assert_eq!(user.bproxy(&["health"]).await.json()["secretStore"], "keyring");
        let with_old = Client { port: user.port, token: old };
        assert_eq!(with_old.send(request("session.list")).await.0.status, 401);
    }
}

#[tokio::test]
async fn a_rotation_that_cannot_reach_the_old_token_fails_and_stops_nothing() {
    let Some(user) = served().await else { return };
    user.bproxy(&["session", "list"]).await.data();
    in_keyring(&user).await;
    let before = user.property("bproxy.service", "MainPID").await;
    lock(&user).await;
    let call = user.bproxy(&["token", "rotate"]).await;
    assert!(call.trouble().contains("the keyring is locked"), "{call:?}");
    assert_eq!(user.property("bproxy.service", "MainPID").await, before);
    user.bproxy(&["session", "list"]).await.data();
}

#[tokio::test]
async fn the_token_of_a_service_outlives_a_daemon_that_was_killed_and_a_stop() {
    let Some(user) = User::new() else { return };
    let port = user.port.to_string();
    user.bproxy(&["service", "install", "--now", "--port", &port]).await.json();
    let folder = ".config/systemd/user/bproxy.service.d";
    let text = "[Service]\\nRestartSec=60\\nEnvironment=BPROXY_SECRETS=file\\n";
    user.sh(&format!("mkdir -p {folder} && printf '{text}' >{folder}/zz-test.conf")).await;
    user.systemctl(&["daemon-reload"]).await;
    user.bproxy(&["session", "list"]).await.data();
    let kept = user.sh("cat .bproxy/token").await;
    let pid = user.property("bproxy.service", "MainPID").await;
    user.sh(&format!("kill -KILL {pid}")).await;
    user.bproxy(&["service", "stop"]).await.json();
    assert!(!user.file(".bproxy/bproxy.pid").exists(), "what the killed one left is removed");
    assert_eq!(user.sh("cat .bproxy/token").await, kept);
    user.bproxy(&["service", "start"]).await.json();
    user.bproxy(&["session", "list"]).await.data();
    assert_eq!(user.sh("cat .bproxy/token").await, kept);
}
