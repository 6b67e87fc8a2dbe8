//! The daemon's proof on the connection itself, for extensions whose hello asks for it.

use serde_json::{Value, json};

use crate::support::{CHALLENGE, Daemon, FakeExtension, Pairing, request, wait_for};

/// The welcome that only the daemon of this pairing can give on this connection.
fn expected(daemon: &Daemon, pairing: &Pairing, extension: &FakeExtension, nonce: &str) -> Value {
    let port = daemon.port.to_string();
    let proof = pairing.proof(&["bproxy socket", &port, &extension.nonce, nonce]);
    json!({"type": "welcome", "proof": proof})
}

#[tokio::test]
async fn a_hello_of_revision_1_is_answered_with_a_proof() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    for nonce in [CHALLENGE.to_owned(), "f".repeat(64)] {
        let mut extension = daemon.connected().await;
        extension.hello_with_nonce("work", &nonce).await;
        let welcome = expected(&daemon, &pairing, &extension, &nonce);
        assert_eq!(extension.next_json().await, welcome);
        extension.fence().await;
        extension.has_nothing().await;
        assert!(extension.welcomes.is_empty(), "once is enough");
    }
}

#[tokio::test]
async fn the_proof_comes_before_the_state_and_before_commands_that_are_sent_again() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let mut first = daemon.extension_named("work").await;
    let tab = first.open_tab(&daemon).await;
    let read = daemon.begin(tab.request("text"));
    first.receive_action("text").await;
    drop(first);

    let mut second = daemon.connected().await;
    second.hello_with_nonce("work", CHALLENGE).await;
    let welcome = expected(&daemon, &pairing, &second, CHALLENGE);
    assert_eq!(second.next_json().await, welcome);
    let command = second.receive_action("text").await;
    second.answer(&command, json!({"text": "hello"})).await;
    read.reply().await.data();
}

/// A browser that has much to do says hello late. It has been taken for an anonymous client by then.
#[tokio::test]
async fn a_hello_that_comes_late_is_answered_if_it_is_the_first_message() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let mut first = daemon.numbering_extension("work").await;
    let tab = first.open_tab(&daemon).await;
    drop(first);
    wait_for("the end of the connection", || {
        (!daemon.records("ws_disconnect").is_empty()).then_some(())
    })
    .await;

    let mut late = daemon.connected().await;
    // It is refused once no connection can be the tab's browser any more.
    daemon.send(tab.request("text")).await.error("NO_EXTENSION");
    late.hello_of_revision_1("work").await;
    assert_eq!(late.next_json().await, expected(&daemon, &pairing, &late, CHALLENGE));
    late.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();

    let mut talkative = daemon.anonymous_extension().await;
    talkative.hello_of_revision_1("work").await;
    talkative.fence().await;
    assert!(talkative.welcomes.is_empty());
    late.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
}

#[tokio::test]
async fn a_hello_in_an_unknown_version_gets_the_proof_before_it_is_refused() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let mut extension = daemon.connected().await;
    let hello = json!({"type": "hello", "instanceId": "work", "extensionVersion": "9",
        "protocolVersion": 99, "browser": "Chromium 156", "revision": 1, "nonce": CHALLENGE});
    extension.send(hello.to_string()).await;
    let welcome = expected(&daemon, &pairing, &extension, CHALLENGE);
    assert_eq!(extension.next_json().await, welcome);
    assert_eq!(extension.ended().await, Some(4002));
}

#[tokio::test]
async fn other_hellos_get_no_proof() {
    let daemon = Daemon::start().await;
    let mut extension = daemon.connected().await;
    let hello = json!({"type": "hello", "instanceId": "work", "extensionVersion": "0.1.0",
        "protocolVersion": 1, "browser": "Chromium 156", "nonce": CHALLENGE});
    extension.send(hello.to_string()).await;
    extension.has_nothing().await;
    assert!(extension.welcomes.is_empty());

    // One with an ill-typed member is none at all: its client stays anonymous.
    for (member, value) in
        [("nonce", json!("short")), ("nonce", json!(null)), ("revision", json!("1"))]
    {
        let mut extension = daemon.connected().await;
        let mut hello = hello.clone();
        hello["instanceId"] = json!("home");
        hello["revision"] = json!(1);
        hello[member] = value;
        extension.send(hello.to_string()).await;
        extension.has_nothing().await;
        assert!(extension.welcomes.is_empty(), "{hello}");
        let status = daemon.send(request("debug.status")).await.data();
        let clients = status["wsClients"].as_array().expect("clients");
        assert!(clients.last().expect("it").get("extensionVersion").is_none(), "{hello}: {status}");
    }
}
