//! The gate in front of every route: four layers in their order, before any body is read, without telling what exists.

use std::collections::HashSet;

use serde_json::json;

use crate::support::{
    CHALLENGE, Client, Connection, Daemon, FakeExtension, Home, Pairing, Reply, Response,
    base64url, challenge, nonce, origin, own_origin, request,
};

/// A request head in the making: everything right until a test says otherwise.
#[derive(Clone)]
struct Head {
    line: String,
    headers: Vec<(String, String)>,
}

impl Head {
    /// `POST /` as the command line sends it.
    fn command(client: &Client) -> Self {
        Self { line: "POST /".to_owned(), headers: Vec::new() }
            .with("Host", &client.host())
            .with("Authorization", &client.bearer())
            .with("Content-Type", "application/json")
    }

    /// `POST /pair/claim` as the popup sends it.
    fn claim(client: &Client) -> Self {
        Self { line: "POST /pair/claim".to_owned(), headers: Vec::new() }
            .with("Host", &client.host())
            .with("Origin", &origin('a'))
            .with("Content-Type", "application/json")
    }

    /// `GET /ws` as the service worker sends it, once: with a proof of its own.
    async fn upgrade(client: &Client, pairing: &Pairing) -> Self {
        Self { line: "GET /ws".to_owned(), headers: Vec::new() }
            .with("Host", &client.host())
            .with("Origin", &pairing.origin)
            .with("Connection", "Upgrade")
            .with("Upgrade", "websocket")
            .with("Sec-WebSocket-Version", "13")
            .with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .with("Sec-WebSocket-Protocol", &pairing.subprotocols(client.port).await)
    }

    fn line(mut self, line: &str) -> Self {
        self.line = line.to_owned();
        self
    }

    /// Adds a header line.
    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Replaces a header.
    fn but(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    /// Sends the head and `body`; leaves the connection open for more.
    async fn open(&self, client: &Client, body: &[u8]) -> (Connection, Response) {
        let mut connection = client.connect().await;
        let headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        connection.request(&self.line, &headers, body).await;
        let response = connection.response().await;
        (connection, response)
    }

    /// Sends the head and `body` with its length.
    async fn send(&self, client: &Client, body: &[u8]) -> Reply {
        let counted = self.clone().with("Content-Length", &body.len().to_string());
        Reply(counted.open(client, body).await.1)
    }
}

/// The refusals of one daemon's gate, and whether its log has all of them.
struct Gate<'a> {
    daemon: &'a Daemon,
    /// Layer by layer, in order; each with what was sent.
    refusals: Vec<(&'static str, Head)>,
}

impl<'a> Gate<'a> {
    fn of(daemon: &'a Daemon) -> Self {
        Self { daemon, refusals: Vec::new() }
    }

    /// Asserts that the gate refuses this and closes the connection; gives the message, which an upgrade need not have.
    async fn refuses(&mut self, head: Head, layer: &'static str) -> String {
        let (mut connection, response) = head.open(self.daemon, b"").await;
        assert_eq!(response.status, 401, "{} {:?}: {}", head.line, head.headers, response.text());
        connection.closed().await;
        let may_be_empty = head.line == "GET /ws" && response.body.is_empty();
        self.refusals.push((layer, head));
        if may_be_empty { String::new() } else { Reply(response).refused(401, "UNAUTHORIZED") }
    }

    /// Asserts that the log has these refusals and no others, with their layers.
    async fn recorded(self) {
        let count = self.refusals.len();
        let records = crate::support::wait_for("a record of every refusal", || {
            let records = self.daemon.records("auth_refused");
            (records.len() >= count).then_some(records)
        })
        .await;
        assert_eq!(records.len(), count);
        for ((layer, head), record) in self.refusals.iter().zip(records) {
            assert_eq!(record["layer"], *layer, "{} {:?}", head.line, head.headers);
        }
    }
}

fn listing() -> Vec<u8> {
    request("session.list").bytes()
}

// --- layer by layer ---

#[tokio::test]
async fn the_host_is_the_loopback_listener_by_number_or_name() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    let head = Head::command(&daemon);
    let port = daemon.port;
    for host in [format!("127.0.0.1:{port}"), format!("localhost:{port}")] {
        head.clone().but("Host", &host).send(&daemon, &listing()).await.data();
    }
    for host in [
        "127.0.0.1".to_owned(),
        "localhost".to_owned(),
        format!("127.0.0.1:{}", port - 1),
        format!("127.0.0.1:{port}0"),
        format!("127.0.0.2:{port}"),
        format!("0.0.0.0:{port}"),
        format!("[::1]:{port}"),
        format!("localhost.:{port}"),
        format!("evil.example:{port}"),
        format!("evil.example@127.0.0.1:{port}"),
        format!("127.0.0.1:{port}.evil.example"),
        format!("127.0.0.1:{port},127.0.0.1:{port}"),
        format!("user@127.0.0.1:{port}"),
        format!("user:password@localhost:{port}"),
        format!("127.0.0.1:{port}@evil.example"),
        format!("127.0.0.1.:{port}"),
        format!("LOCALHOST:{port}"),
        format!("Localhost:{port}"),
        format!("localhost:0{port}"),
        format!("localhost:{port}/"),
        format!("localhost: {port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("[localhost]:{port}"),
        format!("127.1:{port}"),
        format!("2130706433:{port}"),
        format!("0x7f.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}"),
        String::new(),
    ] {
        gate.refuses(head.clone().but("Host", &host), "host").await;
    }
    gate.recorded().await;
}

#[tokio::test]
async fn a_missing_or_doubled_host_is_refused() {
    let daemon = Daemon::start().await;
    let head = Head::command(&daemon);
    for head in [
        head.clone().without("Host"),
        head.clone().with("Host", &daemon.host()),
        head.clone().with("Host", "evil.example"),
        head.but("Host", "evil.example").with("Host", &daemon.host()),
    ] {
        let (mut connection, response) = head.with("Content-Length", "0").open(&daemon, b"").await;
        assert!([400, 401].contains(&response.status), "{}", response.status);
        connection.closed().await;
    }
}

#[tokio::test]
async fn an_origin_on_a_route_of_the_command_line_is_refused() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    for line in ["POST /", "GET /health", "GET /challenge", "GET /nothing"] {
        for value in [&*origin('a'), "http://127.0.0.1", "https://evil.example", "null", ""] {
            let head = Head::command(&daemon).line(line).with("Origin", value);
            gate.refuses(head, "origin").await;
        }
    }
    gate.recorded().await;
}

#[tokio::test]
async fn the_extensions_routes_want_the_origin_of_an_extension() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    let pairing = daemon.pairing().await;
    let id = "a".repeat(32);
    let origins = [
        "null".to_owned(),
        String::new(),
        "https://evil.example".to_owned(),
        format!("http://127.0.0.1:{}", daemon.port),
        format!("moz-extension://{id}"),
        format!("chrome-extension://{}", "a".repeat(31)),
        format!("chrome-extension://{}", "a".repeat(33)),
        format!("chrome-extension://{}q", "a".repeat(31)),
        format!("chrome-extension://{}", "A".repeat(32)),
        format!("chrome-extension://{id}/"),
        format!("chrome-extension://{id}:80"),
        format!("xchrome-extension://{id}"),
        id,
    ];
    for head in [Head::claim(&daemon), Head::upgrade(&daemon, &pairing).await] {
        gate.refuses(head.clone().without("Origin"), "origin").await;
        gate.refuses(head.clone().with("Origin", "https://evil.example"), "origin").await;
        for value in &origins {
            gate.refuses(head.clone().but("Origin", value), "origin").await;
        }
        // Several, even where each would do by itself.
        gate.refuses(head.clone().with("Origin", &origin('a')), "origin").await;
        let list = format!("{} {}", origin('a'), origin('b'));
        gate.refuses(head.clone().but("Origin", &list), "origin").await;
        let list = format!("{}, {}", origin('a'), origin('a'));
        gate.refuses(head.clone().but("Origin", &list), "origin").await;
    }
    gate.recorded().await;
}

#[tokio::test]
async fn a_request_from_another_site_is_refused() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    let pairing = daemon.pairing().await;
    let command = Head::command(&daemon);
    for site in ["none", "same-origin"] {
        command.clone().with("Sec-Fetch-Site", site).send(&daemon, &listing()).await.data();
        let (_, response) = Head::upgrade(&daemon, &pairing)
            .await
            .with("Sec-Fetch-Site", site)
            .open(&daemon, b"")
            .await;
        assert_eq!(response.status, 101);
    }
    for head in [command, Head::claim(&daemon), Head::upgrade(&daemon, &pairing).await] {
        for site in ["cross-site", "same-site", "", "None", "none, none", "anything"] {
            gate.refuses(head.clone().with("Sec-Fetch-Site", site), "fetch_site").await;
        }
        let twice = head.with("Sec-Fetch-Site", "none").with("Sec-Fetch-Site", "cross-site");
        gate.refuses(twice, "fetch_site").await;
    }
    gate.recorded().await;
}

#[tokio::test]
async fn a_command_needs_the_daemon_token_and_no_other() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    let pairing = daemon.pairing().await;
    let token = daemon.token.clone();
    let head = Head::command(&daemon);
    gate.refuses(head.clone().without("Authorization"), "secret").await;
    gate.refuses(head.clone().with("Authorization", &daemon.bearer()), "secret").await;
    for value in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        token.clone(),
        format!("Basic {token}"),
        format!("Bearer {token}x"),
        format!("Bearer {}", &token[..token.len() - 1]),
        format!("Bearer x{}", &token[1..]),
        format!("Bearer {token} {token}"),
        format!("Bearer {}", pairing.token),
        format!("Bearer {}", "x".repeat(4000)),
    ] {
        gate.refuses(head.clone().but("Authorization", &value), "secret").await;
    }
    // Several are as good as none, whichever of them is right.
    for (first, second) in
        [(daemon.bearer(), "Bearer wrong".to_owned()), ("Basic eDp5".to_owned(), daemon.bearer())]
    {
        let several = head.clone().but("Authorization", &first).with("Authorization", &second);
        gate.refuses(several, "secret").await;
    }
    head.send(&daemon, &listing()).await.data();
    gate.recorded().await;
}

/// The token with the byte at `place` changed in its lowest bit.
fn off_by_one(token: &str, place: usize) -> String {
    let mut bytes = token.as_bytes().to_vec();
    bytes[place] ^= 1;
    String::from_utf8(bytes).expect("ASCII stays ASCII")
}

#[tokio::test]
async fn a_token_that_is_wrong_in_one_byte_is_refused_wherever_that_is() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    let pairing = daemon.pairing().await;
    for place in 0..daemon.token.len() {
        let value = format!("Bearer {}", off_by_one(&daemon.token, place));
        gate.refuses(Head::command(&daemon).but("Authorization", &value), "secret").await;
    }
    for place in 0..pairing.token.len() {
        let wrong = Pairing { token: off_by_one(&pairing.token, place), ..pairing.clone() };
        gate.refuses(Head::upgrade(&daemon, &wrong).await, "secret").await;
    }
    // The same for each digit of the proof itself.
    let nonce = nonce(daemon.port).await;
    let offer = pairing.offer(daemon.port, &nonce);
    for place in 0..64 {
        let at = offer.len() - 64 + place;
        let digit = if offer.as_bytes()[at] == b'0' { "1" } else { "0" };
        let wrong = format!("bproxy.v1, {}{digit}{}", &offer[..at], &offer[at + 1..]);
        let head = Head::upgrade(&daemon, &pairing).await.but("Sec-WebSocket-Protocol", &wrong);
        gate.refuses(head, "secret").await;
    }
    gate.recorded().await;
    let right = Head::upgrade(&daemon, &pairing).await;
    assert_eq!(right.open(&daemon, b"").await.1.status, 101);
}

#[tokio::test]
async fn unknown_paths_are_revealed_only_to_the_bearer() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    for line in ["GET /nothing", "GET /", "PUT /", "POST /health", "GET /pair", "DELETE /health"] {
        let head = Head::command(&daemon).line(line).without("Authorization");
        gate.refuses(head, "secret").await;
        let wrong = Head::command(&daemon).line(line).but("Authorization", "Bearer wrong");
        gate.refuses(wrong, "secret").await;
    }
    gate.recorded().await;
}

#[tokio::test]
async fn an_upgrade_needs_one_right_proof_that_was_not_used_before() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    let pairing = daemon.pairing().await;
    let port = daemon.port;
    let head = Head::upgrade(&daemon, &pairing).await;
    gate.refuses(head.clone().without("Sec-WebSocket-Protocol"), "secret").await;
    let token = base64url(pairing.token.as_bytes());
    let with_token = |token: &str| Pairing { token: token.to_owned(), ..pairing.clone() };
    let good = nonce(port).await;
    let foreign = nonce(Daemon::start().await.port).await;
    let offer = pairing.offer(port, &good);
    let proof = offer.rsplit_once('.').expect("a proof").1;
    for value in [
        "bproxy.v1".to_owned(),
        // The token itself opens nothing, however it is shown.
        format!("bproxy.v1, auth.{token}"),
        format!("bproxy.v1, proof.{good}.{token}"),
        format!("bproxy.v1, {token}"),
        "bproxy.v1, proof.".to_owned(),
        "bproxy.v1, proof..".to_owned(),
        format!("bproxy.v1, proof.{good}"),
        format!("bproxy.v1, proof.{good}."),
        format!("bproxy.v1, proof.{good}.{}", &proof[2..]),
        format!("bproxy.v1, proof.{good}.{proof}00"),
        format!("bproxy.v1, proof.{good}.{proof}.{proof}"),
        format!("bproxy.v1, {offer}, {offer}"),
        format!("bproxy.v1, {offer}, proof.x.y"),
        // Of another key, another port, another nonce.
        format!("bproxy.v1, {}", with_token(&daemon.token).offer(port, &good)),
        format!("bproxy.v1, {}", with_token("").offer(port, &good)),
        format!("bproxy.v1, {}", pairing.offer(port + 1, &good)),
        format!("bproxy.v1, {}", pairing.offer(port, &foreign)),
        format!("bproxy.v1, {}", pairing.offer(port, &"0".repeat(good.len()))),
        format!("bproxy.v1, proof.{}.{proof}", nonce(port).await),
        // Of another purpose.
        format!(
            "bproxy.v1, proof.{good}.{}",
            pairing.proof(&["bproxy socket", &port.to_string(), &good, CHALLENGE])
        ),
    ] {
        gate.refuses(head.clone().but("Sec-WebSocket-Protocol", &value), "secret").await;
    }
    let bearer = head
        .clone()
        .without("Sec-WebSocket-Protocol")
        .with("Authorization", &format!("Bearer {}", pairing.token));
    gate.refuses(bearer, "secret").await;

    let right = head.but("Sec-WebSocket-Protocol", &format!("{offer}, bproxy.v1"));
    let (_connection, response) = right.open(&daemon, b"").await;
    assert_eq!(response.status, 101);
    assert_eq!(response.header("sec-websocket-protocol"), Some("bproxy.v1"));
    gate.refuses(right, "secret").await;
    gate.recorded().await;
}

#[tokio::test]
async fn of_many_upgrades_with_one_proof_at_once_one_gets_a_connection() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let head = Head::upgrade(&daemon, &pairing).await;
    let upgrades = (0..32).map(|_| async { head.open(&daemon, b"").await });
    let opened = futures_util::future::join_all(upgrades).await;
    let mut statuses: Vec<_> = opened.iter().map(|(_, response)| response.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 101);
    assert!(statuses[1..].iter().all(|status| *status == 401), "{statuses:?}");
}

#[tokio::test]
async fn a_daemon_proves_to_know_the_token_for_each_challenge_anew() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let port = daemon.port.to_string();
    let mut nonces = HashSet::new();
    for asked in ["0".repeat(32), "aF".repeat(32), CHALLENGE.to_owned(), CHALLENGE.to_owned()] {
        let reply = challenge(daemon.port, &asked).await;
        assert_eq!(reply.0.header("cache-control"), Some("no-store"));
        let data = reply.data();
        assert_eq!(data.as_object().map(serde_json::Map::len), Some(2), "{data}");
        let nonce = data["nonce"].as_str().expect("a nonce");
        let is_hex = nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_hex && (32..=128).contains(&nonce.len()), "{nonce}");
        assert_eq!(data["proof"], pairing.proof(&["bproxy daemon", &port, &asked, nonce]));
        assert!(nonces.insert(nonce.to_owned()), "it repeats");
    }
    assert!(daemon.records("auth_refused").is_empty());
}

#[tokio::test]
async fn a_challenge_has_one_nonce_and_no_origin() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let mut gate = Gate::of(&daemon);
    let right = format!("GET /challenge?nonce={CHALLENGE}");
    let anyone = Head { line: right.clone(), headers: Vec::new() }.with("Host", &daemon.host());
    for value in [&*pairing.origin, "https://evil.example", "null", ""] {
        gate.refuses(anyone.clone().with("Origin", value), "origin").await;
    }
    gate.refuses(anyone.clone().but("Host", "evil.example"), "host").await;
    gate.refuses(anyone.clone().with("Sec-Fetch-Site", "cross-site"), "fetch_site").await;
    anyone.clone().with("Sec-Fetch-Site", "none").send(&daemon, b"").await.data();

    let (short, long) = ("0".repeat(31), "0".repeat(65));
    for query in [
        "",
        "?",
        "?nonce",
        "?nonce=",
        &format!("?nonce={short}"),
        &format!("?nonce={long}"),
        &format!("?nonce={}", "g".repeat(32)),
        &format!("?nonce={}%30", "0".repeat(32)),
        &format!("?nonce={CHALLENGE}&nonce={CHALLENGE}"),
        &format!("?nonce={CHALLENGE}&x=1"),
        &format!("?x=1&nonce={CHALLENGE}"),
        &format!("?nonce={CHALLENGE}&"),
        &format!("?Nonce={CHALLENGE}"),
        &format!("?challenge={CHALLENGE}"),
    ] {
        let reply = anyone.clone().line(&format!("GET /challenge{query}")).send(&daemon, b"").await;
        let message = reply.refused(400, "BAD_REQUEST");
        assert!(message.contains("nonce"), "{query}: {message}");
    }
    let post = Head::command(&daemon).line(&right.replace("GET", "POST"));
    gate.refuses(post.clone().without("Authorization"), "secret").await;
    let reply = post.send(&daemon, b"").await;
    assert_eq!(reply.0.header("allow"), Some("GET"));
    reply.refused(405, "METHOD_NOT_ALLOWED");
    gate.recorded().await;
}

#[tokio::test]
async fn a_daemon_that_is_not_paired_proves_nothing() {
    let daemon = Daemon::start().await;
    let data = challenge(daemon.port, CHALLENGE).await.data();
    let nonce = data["nonce"].as_str().expect("a nonce");
    for token in ["", &*daemon.token, "null"] {
        let guess = Pairing { token: token.to_owned(), origin: origin('a') };
        let lines = ["bproxy daemon", &daemon.port.to_string(), CHALLENGE, nonce];
        assert_ne!(data["proof"], guess.proof(&lines));
        assert_eq!(FakeExtension::connect(daemon.port, &guess).await.err(), Some(401));
    }
}

#[tokio::test]
async fn a_nonce_does_not_outlive_its_process() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let port = daemon.port;
    let nonce = nonce(port).await;
    let home = daemon.stop().await.home;
    let daemon = home.daemon().env("BPROXY_PORT", port.to_string()).start().await;
    let mut gate = Gate::of(&daemon);
    let old = format!("bproxy.v1, {}", pairing.offer(port, &nonce));
    let head = Head::upgrade(&daemon, &pairing).await;
    gate.refuses(head.clone().but("Sec-WebSocket-Protocol", &old), "secret").await;
    gate.recorded().await;
    assert_eq!(head.open(&daemon, b"").await.1.status, 101);
}

#[tokio::test]
async fn no_number_of_challenges_voids_one() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let head = Head::upgrade(&daemon, &pairing).await;
    let mut connection = daemon.connect().await;
    let host = daemon.host();
    for _ in 0..200 {
        let line = format!("GET /challenge?nonce={CHALLENGE}");
        connection.request(&line, &[("Host", &host)], b"").await;
        assert_eq!(connection.response().await.status, 200);
    }
    assert_eq!(head.open(&daemon, b"").await.1.status, 101);
}

#[tokio::test]
async fn an_upgrade_that_does_not_offer_the_protocol_is_400() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    for others in ["", "bproxy.v2, ", "BPROXY.V1, "] {
        let offer = pairing.offer(daemon.port, &nonce(daemon.port).await);
        let value = format!("{others}{offer}");
        let head = Head::upgrade(&daemon, &pairing).await.but("Sec-WebSocket-Protocol", &value);
        assert_eq!(head.open(&daemon, b"").await.1.status, 400, "{value}");
    }
}

#[tokio::test]
async fn an_upgrade_echoes_only_the_protocol_and_negotiates_no_extension() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let head = Head::upgrade(&daemon, &pairing)
        .await
        .with("Sec-WebSocket-Extensions", "permessage-deflate");
    let (_, response) = head.open(&daemon, b"").await;
    assert_eq!(response.status, 101);
    let protocols: Vec<_> =
        response.headers.iter().filter(|(name, _)| name == "sec-websocket-protocol").collect();
    assert_eq!(protocols.len(), 1);
    assert_eq!(protocols[0].1, "bproxy.v1");
    assert_eq!(response.header("sec-websocket-extensions"), None);
}

#[tokio::test]
async fn a_target_in_absolute_form_is_held_to_the_same_host() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    let head = Head::command(&daemon);
    let own = format!("POST http://{}/", daemon.host());
    head.clone().line(&own).send(&daemon, &listing()).await.data();
    let host = daemon.host();
    for target in [
        "http://evil.example/".to_owned(),
        "http://127.0.0.1/".to_owned(),
        "http://127.0.0.1:1/".to_owned(),
        format!("http://user@{host}/"),
        format!("http://{host}@evil.example/"),
        format!("http://LOCALHOST:{}/", daemon.port),
        format!("http://localhost.:{}/", daemon.port),
        format!("http://[::1]:{}/", daemon.port),
    ] {
        gate.refuses(head.clone().line(&format!("POST {target}")), "host").await;
    }
    // An authority alone, as a tunnel is asked for.
    for line in ["CONNECT evil.example:443", "CONNECT 127.0.0.1:1", "POST evil.example", "GET x"] {
        gate.refuses(head.clone().line(line), "host").await;
    }
    let tunnel = head.clone().line(&format!("CONNECT {host}"));
    gate.refuses(tunnel.clone().without("Authorization"), "secret").await;
    tunnel.send(&daemon, b"").await.refused(405, "METHOD_NOT_ALLOWED");
    assert!(daemon.records("panic").is_empty());
    gate.refuses(head.line(&own).but("Host", "evil.example"), "host").await;
    gate.recorded().await;
}

#[tokio::test]
async fn an_upgrade_is_a_websocket_upgrade_or_refused() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    for what in [
        "no Upgrade",
        "another Upgrade",
        "no Connection",
        "no Sec-WebSocket-Key",
        "another Sec-WebSocket-Version",
        "no Sec-WebSocket-Version",
    ] {
        let (kind, name) = what.split_once(' ').expect("two words");
        let head = Head::upgrade(&daemon, &pairing).await.without(name);
        let head = if kind == "another" { head.with(name, "8") } else { head };
        let (_, response) = head.open(&daemon, b"").await;
        assert!((400..500).contains(&response.status), "{what}: {}", response.status);
        assert_ne!(response.status, 401, "{what}");
    }
    assert_eq!(daemon.get("/health").await.json()["wsClients"], 0);
    let head = Head::upgrade(&daemon, &pairing).await;
    let many = head.but("Connection", "keep-alive, upgrade").but("Upgrade", "WebSocket");
    assert_eq!(many.open(&daemon, b"").await.1.status, 101);
}

#[tokio::test]
async fn other_spellings_of_a_path_reach_no_route() {
    let daemon = Daemon::start().await;
    for path in ["/ws/", "//ws", "/%77s", "/WS", "/./ws", "/ws?x=1/"] {
        // With the daemon token alone nobody becomes an extension.
        let upgrade = Head::command(&daemon)
            .line(&format!("GET {path}"))
            .with("Connection", "Upgrade")
            .with("Upgrade", "websocket")
            .with("Sec-WebSocket-Version", "13")
            .with("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .with("Sec-WebSocket-Protocol", "bproxy.v1");
        let (_, response) = upgrade.open(&daemon, b"").await;
        let expected = if path.starts_with("/ws?") { 401 } else { 404 };
        assert_eq!(response.status, expected, "{path}: {}", response.text());
    }
    let code = json!({"code": daemon.pairing_code()}).to_string();
    for path in ["/pair/claim/", "//pair/claim", "/pair//claim", "/pair/%63laim"] {
        let claim = Head::command(&daemon).line(&format!("POST {path}"));
        claim.send(&daemon, code.as_bytes()).await.refused(404, "NOT_FOUND");
    }
    assert!(daemon.records("ws_connect").is_empty() && daemon.records("pair_claim_ok").is_empty());
}

#[tokio::test]
async fn no_extension_is_admitted_before_any_pairing() {
    let daemon = Daemon::start().await;
    for token in ["", "x", &daemon.token.clone()] {
        let pairing = Pairing { token: token.to_owned(), origin: origin('a') };
        assert_eq!(FakeExtension::connect(daemon.port, &pairing).await.err(), Some(401));
    }
}

#[tokio::test]
async fn layers_are_checked_in_order_and_the_message_names_the_first_that_fails() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    let all_wrong = Head::command(&daemon)
        .but("Host", "evil.example")
        .with("Origin", "https://evil.example")
        .with("Sec-Fetch-Site", "cross-site")
        .without("Authorization");
    let named = |message: &str, word: &str| {
        assert!(message.to_lowercase().contains(word), "{word}: {message}")
    };
    named(&gate.refuses(all_wrong.clone(), "host").await, "host");
    let host_right = all_wrong.but("Host", &daemon.host());
    named(&gate.refuses(host_right.clone(), "origin").await, "origin");
    let origin_right = host_right.without("Origin");
    named(&gate.refuses(origin_right.clone(), "fetch_site").await, "fetch");
    let site_right = origin_right.without("Sec-Fetch-Site");
    named(&gate.refuses(site_right.clone(), "secret").await, "token");

    let pairing = daemon.pairing().await;
    let all_wrong = Head::upgrade(&daemon, &pairing)
        .await
        .but("Host", "evil.example")
        .without("Origin")
        .with("Sec-Fetch-Site", "cross-site")
        .but("Sec-WebSocket-Protocol", "nothing");
    gate.refuses(all_wrong.clone(), "host").await;
    let host_right = all_wrong.but("Host", &daemon.host());
    gate.refuses(host_right.clone(), "origin").await;
    let origin_right = host_right.with("Origin", &pairing.origin);
    gate.refuses(origin_right.clone(), "fetch_site").await;
    // A wrong token outranks the missing protocol.
    gate.refuses(origin_right.without("Sec-Fetch-Site"), "secret").await;
    gate.recorded().await;
}

// --- before the body ---

#[tokio::test]
async fn a_refusal_comes_before_the_body_is_read() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    let bad = Head::command(&daemon).but("Authorization", "Bearer wrong");
    // The body never comes; were it awaited, so would be the answer.
    gate.refuses(bad.clone().with("Content-Length", "1000000"), "secret").await;
    gate.refuses(bad.clone().with("Transfer-Encoding", "chunked"), "secret").await;
    gate.refuses(bad.clone().with("Content-Length", "100000000"), "secret").await;
    let head = bad.clone().with("Content-Length", "9").with("Expect", "100-continue");
    gate.refuses(head, "secret").await;
    let claim = Head::claim(&daemon).but("Origin", "null").with("Content-Length", "100");
    gate.refuses(claim, "origin").await;
    gate.recorded().await;
    // What the body holds does not matter either.
    for body in ["{", "[]", ""] {
        bad.send(&daemon, body.as_bytes()).await.refused(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn a_refused_connection_carries_no_second_request() {
    let daemon = Daemon::start().await;
    let mut connection = daemon.connect().await;
    let good = format!(
        "GET /health HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n\r\n",
        daemon.host(),
        daemon.bearer()
    );
    connection.write(format!("GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n{good}")).await;
    assert_eq!(connection.response().await.status, 401);
    connection.closed().await;
}

#[tokio::test]
async fn options_is_refused_and_no_answer_carries_cors_headers() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pairing().await;
    let command = Head::command(&daemon);
    let mut responses = vec![
        command.send(&daemon, &listing()).await.0,
        command.clone().line("GET /health").send(&daemon, b"").await.0,
        command.clone().with("Origin", &origin('a')).send(&daemon, b"").await.0,
        Head::claim(&daemon).send(&daemon, b"{}").await.0,
        Head::upgrade(&daemon, &pairing).await.open(&daemon, b"").await.1,
    ];
    for path in ["/", "/health", "/challenge", "/pair/claim", "/ws", "/nothing", "*"] {
        let preflight = Head::claim(&daemon)
            .line(&format!("OPTIONS {path}"))
            .with("Access-Control-Request-Method", "POST")
            .with("Access-Control-Request-Headers", "content-type");
        for head in [preflight, command.clone().line(&format!("OPTIONS {path}"))] {
            let response = head.send(&daemon, b"").await.0;
            assert_eq!(response.status, 401, "OPTIONS {path}");
            responses.push(response);
        }
    }
    for response in responses {
        let cors: Vec<_> = response
            .headers
            .iter()
            .filter(|(name, _)| name.starts_with("access-control-"))
            .collect();
        assert!(cors.is_empty(), "{cors:?}");
    }
}

#[tokio::test]
async fn malformed_and_oversized_heads_end_their_connection_only() {
    let daemon = Daemon::start().await;
    let huge =
        format!("GET / HTTP/1.1\r\nHost: {}\r\nX: {}\r\n\r\n", daemon.host(), "x".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X-Y: z\r\n".repeat(10_000));
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00".as_slice(),
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n",
        huge.as_bytes(),
        many.as_bytes(),
    ] {
        let mut connection = daemon.connect().await;
        connection.write(bytes).await;
        if let Some(response) = connection.response_or_end().await {
            assert!((400..=431).contains(&response.status), "{}", response.status);
            connection.closed().await;
        }
    }
    daemon.send(request("session.list")).await.data();
}

// --- what is recorded ---

#[tokio::test]
async fn a_refusal_is_recorded_with_route_and_layer_and_without_what_was_shown() {
    let daemon = Daemon::start().await;
    let mut gate = Gate::of(&daemon);
    let pairing = daemon.pairing().await;
    let head = Head::command(&daemon).but("Authorization", "Bearer guessed-secret");
    gate.refuses(head, "secret").await;
    gate.refuses(Head::claim(&daemon).but("Origin", "null"), "origin").await;
    let other = Pairing { token: "guessed-secret".to_owned(), ..pairing };
    gate.refuses(Head::upgrade(&daemon, &other).await, "secret").await;
    gate.recorded().await;
    let routes: Vec<_> =
        daemon.records("auth_refused").iter().map(|record| record["route"].clone()).collect();
    assert_eq!(routes, ["/", "/pair/claim", "/ws"]);
    assert!(!daemon.home.log_text().contains("guessed-secret"));
    assert!(!daemon.home.log_text().contains(&base64url(b"guessed-secret")));
}

// --- health ---

#[tokio::test]
async fn health_tells_any_local_client_that_the_daemon_is_up() {
    let daemon = Daemon::start().await;
    let anyone = Head::command(&daemon).line("GET /health").without("Authorization");
    let expected =
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "protocolVersion": 1});
    assert_eq!(anyone.send(&daemon, b"").await.json(), expected);
    // A wrong bearer just gets no detail.
    let wrong = anyone.with("Authorization", "Bearer wrong").send(&daemon, b"").await;
    assert_eq!((wrong.status(), wrong.json()), (200, expected));
}

#[tokio::test]
async fn health_gives_details_to_the_bearer() {
    let daemon = Daemon::start().await;
    let _ext = daemon.extension().await;
    daemon.new_session().await;
    daemon.new_session().await;
    let health = daemon.get("/health").await.json();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["pid"], daemon.pid().as_raw_nonzero().get());
    assert_eq!(health["wsClients"], 1);
    assert_eq!(health["sessions"], 2);
    assert_eq!(health["activation"], "standalone");
    assert_eq!(health["secretStore"], "file");
    assert!(
        health["uptimeSec"].as_f64().is_some_and(|uptime| (0.0..60.0).contains(&uptime)),
        "{health}"
    );
    assert!(health["rssBytes"].as_u64().is_some_and(|rss| rss > 100_000), "{health}");
    assert_eq!(health.as_object().expect("an object").len(), 10, "{health}");
}

// --- which extension ---

#[tokio::test]
async fn a_token_serves_only_the_extension_that_claimed_it() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pair_as(&origin('b')).await;
    let other = Pairing { origin: origin('c'), ..pairing.clone() };
    let mut gate = Gate::of(&daemon);
    gate.refuses(Head::upgrade(&daemon, &other).await, "origin").await;
    gate.recorded().await;
    FakeExtension::connect(daemon.port, &pairing)
        .await
        .expect("its own extension is admitted")
        .fence()
        .await;
}

#[tokio::test]
async fn without_a_list_only_the_programs_own_extension_may_claim_or_connect() {
    let own = || Home::new().daemon().without_env("BPROXY_EXTENSION_IDS").start();
    let daemon = own().await;
    let mut gate = Gate::of(&daemon);
    gate.refuses(Head::claim(&daemon).but("Origin", &origin('a')), "origin").await;
    let pairing = daemon.pair_as(&own_origin()).await;
    let other = Pairing { origin: origin('a'), ..pairing.clone() };
    gate.refuses(Head::upgrade(&daemon, &other).await, "origin").await;
    gate.recorded().await;
    FakeExtension::connect(daemon.port, &pairing).await.expect("its own extension").fence().await;

    // A pairing that was made while others were allowed ends with the setting.
    let daemon = Home::new().daemon().env("BPROXY_EXTENSION_IDS", "*").start().await;
    let foreign = daemon.pair_as(&origin('a')).await;
    FakeExtension::connect(daemon.port, &foreign).await.expect("any extension").fence().await;
    let home = daemon.stop().await.home;
    let daemon = home.daemon().without_env("BPROXY_EXTENSION_IDS").start().await;
    assert_eq!(FakeExtension::connect(daemon.port, &foreign).await.err(), Some(401));
}

#[tokio::test]
async fn a_foreign_origin_is_refused_before_its_proof_is_judged() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pair_as(&origin('b')).await;
    let other = Pairing { origin: origin('c'), token: "wrong".to_owned() };
    let mut gate = Gate::of(&daemon);
    gate.refuses(Head::upgrade(&daemon, &other).await, "origin").await;
    let bare = Head::upgrade(&daemon, &other).await.but("Sec-WebSocket-Protocol", "bproxy.v1");
    gate.refuses(bare.clone(), "origin").await;
    gate.refuses(bare.but("Origin", &pairing.origin), "secret").await;
    gate.recorded().await;
}

#[tokio::test]
async fn only_the_listed_extensions_may_claim_or_connect() {
    let listed = format!("{},{}", "b".repeat(32), "c".repeat(32));
    let daemon = Home::new().daemon().env("BPROXY_EXTENSION_IDS", &listed).start().await;
    let code = daemon.pairing_code();
    daemon.claim(&code, &origin('a')).await.refused(401, "UNAUTHORIZED");
    let record = daemon.record("auth_refused", |_| true).await;
    assert_eq!((&record["route"], &record["layer"]), (&json!("/pair/claim"), &json!("origin")));
    let pairing = daemon.pair_as(&origin('c')).await;
    FakeExtension::connect(daemon.port, &pairing)
        .await
        .expect("a listed extension is admitted")
        .fence()
        .await;

    // The list of another run may leave out the extension that is paired.
    let home = daemon.stop().await.home;
    let daemon = home.daemon().env("BPROXY_EXTENSION_IDS", "b".repeat(32)).start().await;
    assert_eq!(FakeExtension::connect(daemon.port, &pairing).await.err(), Some(401));
}
