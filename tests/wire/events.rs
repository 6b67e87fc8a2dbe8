//! `GET /events`: what happens, as it happens.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Connection, Daemon, Home, Response, patiently};

/// A subscription on a connection of its own.
struct Subscription {
    connection: Connection,
}

impl Subscription {
    async fn open(daemon: &Daemon) -> (Self, Response) {
        let mut connection = daemon.connect().await;
        let (host, bearer) = (daemon.host(), daemon.bearer());
        let headers = [("Host", &*host), ("Authorization", &*bearer)];
        connection.request("GET /events", &headers, b"").await;
        let head = connection.head().await;
        (Self { connection }, head)
    }

    async fn new(daemon: &Daemon) -> Self {
        let (subscription, head) = Self::open(daemon).await;
        assert_eq!(head.status, 200);
        assert_eq!(head.header("content-type"), Some("application/x-ndjson"));
        assert_eq!(head.header("transfer-encoding"), Some("chunked"));
        subscription
    }

    /// The next event.
    async fn next(&mut self) -> Value {
        let chunk = self.connection.chunk().await.expect("no end");
        let line = String::from_utf8(chunk).expect("text");
        assert!(line.ends_with('\n') && line.trim_end().lines().count() == 1, "{line:?}");
        serde_json::from_str(&line).expect("a JSON line")
    }

    /// The events up to one of this name, without level and time.
    async fn until(&mut self, name: &str) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let mut event = self.next().await;
            assert!(event["ts"].is_i64() && event["level"].is_string(), "{event}");
            let members = event.as_object_mut().expect("an object");
            members.remove("ts");
            members.remove("level");
            let is_last = event["event"] == name;
            events.push(event);
            if is_last {
                return events;
            }
        }
    }
}

#[tokio::test]
async fn a_subscriber_gets_a_line_for_each_step_of_a_command() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let mut events = Subscription::new(&daemon).await;
    let read = tab.request("text").named("mine");
    ext.exchange(&daemon, read, json!({"text": "secret page"})).await.1.data();
    let seen = events.until("response").await;
    let (session, handle) = (&tab.session, &tab.tab);
    assert_eq!(
        seen[0],
        json!({"event": "received", "id": "mine", "action": "text", "session": session, "destructive": false})
    );
    assert_eq!((&seen[1]["event"], &seen[1]["tab"]), (&json!("forwarded"), &json!(handle)));
    assert_eq!((&seen[2]["ok"], &seen[2]["id"]), (&json!(true), &json!("mine")));
    assert!(!json!(seen).to_string().contains("secret page"));
}

#[tokio::test]
async fn events_do_not_depend_on_the_level_of_the_log() {
    let daemon = Home::new().daemon().env("BPROXY_LOG_LEVEL", "warn").start().await;
    let mut events = Subscription::new(&daemon).await;
    daemon.new_session().await;
    assert_eq!(events.until("response").await[0]["event"], "received");
    assert!(daemon.records("received").is_empty());
}

#[tokio::test]
async fn two_subscribers_get_the_same_and_a_seventeenth_is_refused() {
    let daemon = Daemon::start().await;
    let mut subscriptions = Vec::new();
    for _ in 0..16 {
        subscriptions.push(Subscription::new(&daemon).await);
    }
    daemon.get("/events").await.refused(503, "OVERLOADED");
    daemon.new_session().await;
    let first = subscriptions[0].until("response").await;
    assert_eq!(subscriptions[1].until("response").await, first);
    // One that hangs up makes room.
    subscriptions.pop();
    patiently("room for a subscriber", async {
        while Subscription::open(&daemon).await.1.status != 200 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_subscriber_is_not_evicted_for_other_connections() {
    let daemon = Home::new().daemon_with_descriptors(64).start().await;
    let mut events = Subscription::new(&daemon).await;
    let mut others = Vec::new();
    // Each of them takes the place of an older one: a new one is idle for a moment at least.
    for _ in 0..80 {
        let mut other = daemon.connect().await;
        other.request("GET /health", &[("Host", &daemon.host())], b"").await;
        assert_eq!(other.response().await.status, 200);
        others.push(other);
    }
    assert!(others.iter_mut().any(Connection::is_closed_now), "there was room for all");
    daemon.new_session().await;
    events.until("response").await;
}

#[tokio::test]
async fn subscriptions_end_when_the_daemon_does_and_do_not_hold_it_up() {
    let daemon = Daemon::start().await;
    let mut events = Subscription::new(&daemon).await;
    daemon.signal(Signal::TERM);
    assert!(events.connection.chunk().await.is_none());
    drop(events);
    let exit = daemon.ended().await;
    assert!(exit.status.success(), "{}", exit.stderr);
}

#[tokio::test]
async fn events_need_the_bearer_token() {
    let daemon = Daemon::start().await;
    let mut connection = daemon.connect().await;
    connection.request("GET /events", &[("Host", &daemon.host())], b"").await;
    assert_eq!(connection.response().await.status, 401);
    let mut connection = daemon.connect().await;
    let (host, bearer) = (daemon.host(), daemon.bearer());
    let headers =
        [("Host", &*host), ("Authorization", &*bearer), ("Content-Type", "application/json")];
    connection.request("POST /events", &headers, b"").await;
    let refused = connection.response().await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET")));
}
