//! The Unix socket: the same routes for the user's own programs, without a token.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::support::{Daemon, Home, bproxy, call, request, run};

/// Sends a request as it stands, and returns status and body of the answer.
async fn ask(daemon: &Daemon, head: &str, body: &str) -> (u16, Value) {
    let mut socket = UnixStream::connect(daemon.home.file("socket")).await.expect("a socket");
    let text =
        format!("{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    socket.write_all(text.as_bytes()).await.expect("a listener");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn command() -> String {
    String::from_utf8(request("session.list").bytes()).expect("text")
}

const JSON: &str = "Content-Type: application/json";

#[tokio::test]
async fn a_command_on_the_socket_needs_no_token_and_one_that_is_shown_has_to_be_right() {
    let daemon = Home::new().daemon().start().await;
    assert_eq!(daemon.home.mode("socket"), 0o600);
    assert_eq!(daemon.home.mode(""), 0o700);
    let (status, answer) = ask(&daemon, &format!("POST / HTTP/1.1\r\n{JSON}"), &command()).await;
    assert_eq!((status, &answer["ok"]), (200, &json!(true)), "{answer}");
    // Host, Origin and Sec-Fetch-Site are those of whoever asks.
    let odd = "Host: example.org\r\nOrigin: https://example.org\r\nSec-Fetch-Site: cross-site";
    let (status, _) =
        ask(&daemon, &format!("POST / HTTP/1.1\r\n{odd}\r\n{JSON}"), &command()).await;
    assert_eq!(status, 200);
    let right = format!("POST / HTTP/1.1\r\nAuthorization: {}\r\n{JSON}", daemon.bearer());
    assert_eq!(ask(&daemon, &right, &command()).await.0, 200);
    for wrong in ["Bearer x", "Basic YTpi", ""] {
        let head = format!("POST / HTTP/1.1\r\nAuthorization: {wrong}\r\n{JSON}");
        let (status, answer) = ask(&daemon, &head, &command()).await;
        assert_eq!((status, &answer["error"]["code"]), (401, &json!("UNAUTHORIZED")), "{wrong}");
    }
    let (status, health) = ask(&daemon, "GET /health HTTP/1.1\r\nHost: x", "").await;
    assert_eq!((status, &health["activation"]), (200, &json!("standalone")), "{health}");
}

#[tokio::test]
async fn what_extensions_call_is_not_on_the_socket() {
    let daemon = Home::new().daemon().start().await;
    let nonce = "0".repeat(32);
    for route in ["GET /ws", "POST /pair/claim", &format!("GET /challenge?nonce={nonce}"), "GET /x"]
    {
        let (status, answer) = ask(&daemon, &format!("{route} HTTP/1.1\r\nHost: x"), "").await;
        assert_eq!((status, &answer["error"]["code"]), (404, &json!("NOT_FOUND")), "{route}");
    }
    assert_eq!(ask(&daemon, "DELETE / HTTP/1.1\r\nHost: x", "").await.0, 405);
}

#[tokio::test]
async fn the_command_line_needs_neither_token_nor_port_where_there_is_a_socket() {
    let daemon = Home::new().daemon().start().await;
    for file in ["token", "port"] {
        fs::remove_file(daemon.home.file(file)).expect("a file");
    }
    run(&daemon.home, &["session", "list"]).await.data();
    let port = daemon.port.to_string();
    let by_port = run(&daemon.home, &["session", "list", "--port", &port]).await;
    assert!(by_port.trouble().contains("token"), "{by_port:?}");
    // Whoever removes the socket leaves the port.
    fs::write(daemon.home.file("token"), &daemon.token).expect("a file");
    let mut command = tokio::process::Command::new("chmod");
    command.arg("600").arg(daemon.home.file("token"));
    assert!(command.status().await.expect("chmod").success());
    run(&daemon.home, &["session", "list", "--port", &port]).await.data();
}

#[tokio::test]
async fn a_socket_that_a_killed_daemon_left_is_replaced_and_what_is_no_socket_is_left_alone() {
    let daemon = Home::new().daemon().start().await;
    daemon.signal(Signal::KILL);
    let home = daemon.ended().await.home;
    assert!(home.file("socket").exists(), "a killed daemon leaves it");
    let daemon = home.daemon().start().await;
    run(&daemon.home, &["session", "list"]).await.data();
    let home = daemon.stop().await.home;
    assert!(!home.file("socket").exists(), "a stopped daemon does not");
    fs::write(home.file("socket"), "mine").expect("a file");
    let daemon = home.daemon().start().await;
    let record = daemon.home.record("socket_unavailable", |_| true).await;
    assert!(record["problem"].as_str().is_some_and(|text| text.contains("socket")), "{record}");
    run(&daemon.home, &["session", "list"]).await.data();
    assert_eq!(fs::read_to_string(daemon.home.file("socket")).expect("a file"), "mine");
}

#[tokio::test]
async fn who_asks_is_told_to_the_person_the_log_and_other_clients() {
    let daemon = Home::new().daemon().start().await;
    let mut command = bproxy(&daemon.home.path());
    command.env("CLAUDECODE", "1").current_dir("/usr").args(["session", "create"]);
    let session = call(command, None).await.data()["session"].clone();
    let list = daemon.send(request("session.list")).await.data();
    let client = json!({"name": "Claude Code", "folder": "/usr"});
    assert_eq!((&list["sessions"][0]["id"], &list["sessions"][0]["client"]), (&session, &client));
    let record = daemon.home.record("received", |it| it["action"] == "session.create").await;
    assert_eq!(record["client"], client["name"], "{record}");
    // Without an agent's variables it is the program that has started the command.
    run(&daemon.home, &["session", "create"]).await.data();
    let list = daemon.send(request("session.list")).await.data();
    assert!(list["sessions"][1]["client"]["name"].is_string(), "{list}");
}
