//! Clients that break HTTP, or use it too slowly or too often: they are refused and do not delay others.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Client, Connection, Daemon, Home, origin, request};

/// How many connections there may be at once.
const MOST: usize = 900;

/// `POST /` with everything right but its body and what says how long that is.
fn head(client: &Client, framing: &str) -> String {
    let (host, bearer) = (client.host(), client.bearer());
    format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nAuthorization: {bearer}\r\n\
         Content-Type: application/json\r\n{framing}\r\n"
    )
}

/// A request that a smuggler wants to pass off as one of the bearer's.
fn smuggled(client: &Client) -> String {
    format!("GET /smuggled HTTP/1.1\r\nHost: {}\r\n\r\n", client.host())
}

/// Everything that comes back until the connection ends, response by response.
async fn statuses(connection: &mut Connection) -> Vec<u16> {
    let mut statuses = Vec::new();
    while let Some(response) = connection.response_or_end().await {
        statuses.push(response.status);
    }
    statuses
}

// --- smuggling ---

#[tokio::test]
async fn a_request_whose_end_can_be_read_in_two_ways_is_refused_and_ends_its_connection() {
    let daemon = Daemon::start().await;
    let body = String::from_utf8(request("session.list").bytes()).expect("text");
    let length = body.len();
    let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let cases = [
        ("two lengths", format!("Content-Length: {length}\r\nContent-Length: 0\r\n"), &body),
        ("a list of lengths", format!("Content-Length: {length}, 0\r\n"), &body),
        ("a list of equal lengths", format!("Content-Length: {length}, {length}\r\n"), &body),
        ("a signed length", format!("Content-Length: +{length}\r\n"), &body),
        ("a negative length", "Content-Length: -1\r\n".to_owned(), &body),
        ("a hexadecimal length", "Content-Length: 0x10\r\n".to_owned(), &body),
        ("a huge length", format!("Content-Length: {}\r\n", "9".repeat(30)), &body),
        ("a folded length", format!("Content-Length:\r\n {length}\r\n"), &body),
        ("a folded header", format!("X: y\r\n z\r\nContent-Length: {length}\r\n"), &body),
        ("a space before the colon", format!("Content-Length : {length}\r\n"), &body),
        ("another coding", "Transfer-Encoding: xchunked\r\n".to_owned(), &chunked),
        ("a coding after chunked", "Transfer-Encoding: chunked, gzip\r\n".to_owned(), &chunked),
        ("a length in words", "Content-Length: ten\r\n".to_owned(), &body),
    ];
    for (what, framing, body) in cases {
        let mut connection = daemon.connect().await;
        connection.write(head(&daemon, &framing) + body + &smuggled(&daemon)).await;
        assert_eq!(statuses(&mut connection).await, [400], "{what}");
    }
    assert!(daemon.records("received").is_empty());
}

#[tokio::test]
async fn data_after_a_body_is_a_separate_request_that_needs_its_own_secret() {
    let daemon = Daemon::start().await;
    let body = String::from_utf8(request("session.list").bytes()).expect("text");
    let length = body.len();
    let chunked = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let cases: [(&str, String, &String, &[u16]); 4] = [
        // Where both are given, chunks win, and nothing that follows is read.
        (
            "a length and chunks",
            format!("Content-Length: {}\r\nTransfer-Encoding: chunked\r\n", chunked.len() + 500),
            &chunked,
            &[200],
        ),
        (
            "chunks and a length",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n".to_owned(),
            &chunked,
            &[200],
        ),
        (
            "the same length twice",
            format!("Content-Length: {length}\r\n").repeat(2),
            &body,
            &[200, 401],
        ),
        ("one length", format!("Content-Length: {length}\r\n"), &body, &[200, 401]),
    ];
    for (what, framing, body, expected) in cases {
        let mut connection = daemon.connect().await;
        connection.write(head(&daemon, &framing) + body + &smuggled(&daemon)).await;
        assert_eq!(statuses(&mut connection).await, expected, "{what}");
    }
    crate::support::wait_for("two refusals", || {
        (daemon.records("auth_refused").len() == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn malformed_chunks_end_their_connection() {
    let daemon = Daemon::start().await;
    for chunks in [
        "zz\r\n",
        "-1\r\n",
        "0x5\r\nhello\r\n",
        "ffffffffffffffffff\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "\r\n\r\n",
        "5 5\r\nhello\r\n",
    ] {
        let mut connection = daemon.connect().await;
        let framing = "Transfer-Encoding: chunked\r\n";
        connection.write(head(&daemon, framing) + chunks + &smuggled(&daemon)).await;
        assert_eq!(statuses(&mut connection).await, [400], "{chunks:?}");
    }
    // What extends a chunk may be as long as a head, and no longer.
    let mut connection = daemon.connect().await;
    let framing = "Transfer-Encoding: chunked\r\n";
    connection.write(head(&daemon, framing) + "5;" + &"x".repeat(1 << 20)).await;
    assert_eq!(statuses(&mut connection).await, [400]);
}

// --- other protocols ---

#[tokio::test]
async fn other_versions_of_http_are_not_spoken() {
    let daemon = Daemon::start().await;
    let host = daemon.host();
    let settings = "\0\0\0\x04\0\0\0\0\0";
    let preface = format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{settings}");
    let in_words = format!("GET /health HTTP/2.0\r\nHost: {host}\r\n\r\n");
    let next = format!("GET /health HTTP/1.2\r\nHost: {host}\r\n\r\n");
    for (what, bytes, expected) in [
        // Its clients expect no answer in HTTP/1.1.
        ("HTTP/2 with prior knowledge", &*preface, &[][..]),
        ("HTTP/2 in words", &in_words, &[400]),
        ("HTTP/1.2", &next, &[400]),
        ("HTTP/0.9", "GET /health\r\n", &[400]),
    ] {
        let mut connection = daemon.connect().await;
        connection.write(bytes).await;
        assert_eq!(statuses(&mut connection).await, expected, "{what}");
    }
    // An upgrade to it is no more than a header.
    let mut connection = daemon.connect().await;
    let headers = [
        ("Host", &*host),
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAMAAABkAAQAAP__"),
    ];
    connection.request("GET /health", &headers, b"").await;
    assert_eq!(connection.response().await.json()["status"], "ok");
}

// --- floods ---

#[tokio::test]
async fn a_head_has_as_many_lines_as_it_may_and_no_more() {
    let daemon = Daemon::start().await;
    let host = daemon.host();
    for (count, status) in [(100, 200), (101, 431)] {
        let mut headers = vec![("Host", &*host)];
        headers.resize(count, ("X", "y"));
        let mut connection = daemon.connect().await;
        connection.request("GET /health", &headers, b"").await;
        assert_eq!(connection.response().await.status, status, "{count} lines");
    }
}

#[tokio::test]
async fn a_head_is_as_long_as_it_may_be_and_no_longer() {
    const LONGEST: usize = 64 * 1024;
    let daemon = Daemon::start().await;
    let start = format!("GET /health HTTP/1.1\r\nHost: {}\r\nX: ", daemon.host());
    for (length, status) in [(LONGEST, 200), (LONGEST + 1, 431)] {
        let head = start.clone() + &"x".repeat(length - start.len() - 4) + "\r\n\r\n";
        // All but the last byte, and then that, so that the daemon looks at both; and all of it at once.
        for first in [length - 1, 0] {
            let (first, last) = head.split_at(first);
            let mut connection = daemon.connect().await;
            connection.write(first).await;
            daemon.settled().await;
            connection.write(last).await;
            let response = connection.response_or_end().await.expect("a response");
            assert_eq!(response.status, status, "{length} bytes");
        }
    }
    for length in [LONGEST + 100, 100_000, 2 * LONGEST - 1000] {
        let mut connection = daemon.connect().await;
        connection.write(start.clone() + &"x".repeat(length - start.len() - 4) + "\r\n\r\n").await;
        let response = connection.response_or_end().await.expect("a response");
        assert_eq!(response.status, 431, "{length} bytes");
    }
}

#[tokio::test]
async fn floods_of_headers_do_not_delay_others() {
    let daemon = Daemon::start().await;
    let flood = format!("GET / HTTP/1.1\r\n{}", "X-Y: z\r\n".repeat(100_000));
    let mut floods = Vec::new();
    for _ in 0..20 {
        let (client, flood) = (daemon.client(), flood.clone());
        floods.push(tokio::spawn(async move {
            let mut connection = client.connect().await;
            connection.write(flood).await;
            statuses(&mut connection).await
        }));
    }
    daemon.send(request("session.list")).await.data();
    for flood in floods {
        let statuses = flood.await.expect("a client");
        assert_eq!(statuses, [431]);
    }
    let rss = daemon.get("/health").await.json()["rssBytes"].as_u64().expect("a number");
    assert!(rss < 60 << 20, "{} MiB", rss >> 20);
}

// --- many connections ---

/// The sorted latencies of commands to two daemons in alternation, so that other load affects both alike.
async fn latencies(clients: [&Client; 2]) -> [Vec<Duration>; 2] {
    let mut latencies = [Vec::new(), Vec::new()];
    for _ in 0..50 {
        for (client, latencies) in clients.into_iter().zip(&mut latencies) {
            let started = Instant::now();
            client.send(request("session.list")).await.data();
            latencies.push(started.elapsed());
        }
    }
    latencies.iter_mut().for_each(|latencies| latencies.sort());
    latencies
}

/// Asserts that commands among others are answered as on a quiet daemon. A busy machine slows both, some of them a lot; but
/// none waits until the time of a body or a head is over, which is 10 s at least.
#[track_caller]
fn assert_unhindered([alone, crowded]: [Vec<Duration>; 2]) {
    let (median, slowest) = (crowded[crowded.len() / 2], crowded[crowded.len() - 1]);
    assert!(median < alone[alone.len() / 2] * 10 + Duration::from_millis(20), "{median:?}");
    assert!(slowest < alone[alone.len() - 1] + Duration::from_secs(8), "{slowest:?}");
}

/// A connection that takes up room: silent, in the middle of its head, or done with a request that anybody may make.
async fn idler(client: &Client, number: usize) -> Connection {
    let mut connection = client.connect().await;
    let host = client.host();
    match number % 3 {
        0 => {}
        1 => connection.write(format!("POST / HTTP/1.1\r\nHost: {host}")).await,
        _ => {
            connection.request("GET /health", &[("Host", &host)], b"").await;
            connection.response().await;
        }
    }
    connection
}

#[tokio::test]
async fn a_thousand_idle_connections_leave_commands_their_latency() {
    let (daemon, quiet) = tokio::join!(Daemon::start(), Daemon::start());
    let mut idle = Vec::new();
    for number in 0..1_000 {
        idle.push(idler(&daemon, number).await);
    }
    assert_unhindered(latencies([&quiet, &daemon]).await);
    // That there was no room is said, but not again and again.
    daemon.record("accept_failed", |_| true).await;
    assert_eq!(daemon.records("accept_failed").len(), 1);
}

#[tokio::test]
async fn claims_of_a_mebibyte_take_no_memory() {
    const CLAIMS: usize = 300;
    let daemon = Daemon::start().await;
    let rss = async || daemon.get("/health").await.json()["rssBytes"].as_u64().expect("a number");
    let before = rss().await;
    let head = format!(
        "POST /pair/claim HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        daemon.host(),
        origin('b'),
        1 << 20
    );
    let claim = head + &"x".repeat((1 << 20) - 1);
    let mut claims = Vec::new();
    for _ in 0..CLAIMS {
        let mut connection = daemon.connect().await;
        connection.write(&claim).await;
        assert_eq!(connection.response_or_end().await.expect("a response").status, 413);
        claims.push(connection);
    }
    let grown = rss().await.saturating_sub(before);
    assert!(grown < 30 << 20, "{} MiB", grown >> 20);
}

#[tokio::test]
async fn a_burst_of_connections_waits_for_the_daemon_and_not_for_retransmissions() {
    Daemon::start().await.takes_a_burst().await;
}

#[tokio::test]
async fn unfinished_claims_do_not_block_commands() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let quiet = Daemon::start().await;
    let head = format!(
        "POST /pair/claim HTTP/1.1\r\nHost: {}\r\nOrigin: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{\"code\": ",
        daemon.host(),
        origin('b')
    );
    // All places, and some more: anybody on this machine can begin a claim, and its body has ten seconds.
    let mut claims = Vec::new();
    for _ in 0..MOST + 100 {
        let mut claim = daemon.connect().await;
        claim.write(&head).await;
        claims.push(claim);
    }
    assert_unhindered(latencies([&quiet, &daemon]).await);
    ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
    // An honest claim succeeds as well.
    daemon.send(request("pairing.issue")).await.data();
    daemon.pair_as(&origin('b')).await;
    drop(claims);
}

#[tokio::test]
async fn a_connection_over_the_limit_evicts_the_longest_idle_one() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    // Older than all that is idle, but at work.
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    daemon.settled().await;
    // The browser has one of the places, its command another.
    let mut idle = Vec::new();
    for number in 0..MOST - 3 {
        idle.push(idler(&daemon, number).await);
    }
    // It has an answer, so all before it have been accepted; and none of them had to go.
    let last = idler(&daemon, 2).await;
    assert!(idle.iter_mut().all(|connection| !connection.is_closed_now()));
    let one_more = idler(&daemon, 2).await;
    idle[0].closed().await;
    assert!(idle[1..].iter_mut().all(|connection| !connection.is_closed_now()));
    ext.answer(&command, json!({"text": "at last"})).await;
    reading.reply().await.data();
    ext.fence().await;
    drop((last, one_more));
}

/// Commands go on while twice as many connections as there can be descriptors are held open.
async fn serves_among_idle_connections(daemon: &Daemon) {
    let mut ext = daemon.extension().await;
    let tab = ext.open_tab(daemon).await;
    let mut idle = Vec::new();
    for _ in 0..128 {
        idle.push(daemon.connect().await);
    }
    for _ in 0..5 {
        ext.exchange(daemon, tab.request("text"), json!({"text": ""})).await.1.data();
    }
    drop(idle);
    // If no connection can be evicted, new ones wait: all of these are busy.
    let busy: Vec<_> = (0..80).map(|_| daemon.begin(tab.request("text"))).collect();
    for _ in &busy {
        let command = ext.receive_action("text").await;
        ext.answer(&command, json!({"text": ""})).await;
    }
    for command in busy {
        command.reply().await.data();
    }
    ext.fence().await;
}

#[tokio::test]
async fn a_daemon_with_few_descriptors_serves_as_many_as_it_can_and_keeps_its_log() {
    let daemon = Home::new().daemon_with_descriptors(64).start().await;
    serves_among_idle_connections(&daemon).await;
    daemon.record("accept_failed", |_| true).await;
    assert_eq!(daemon.records("accept_failed").len(), 1);
    let is_text = |record: &serde_json::Value| record["action"] == "text";
    crate::support::wait_for("a record of every command", || {
        let count = daemon.records("received").into_iter().filter(is_text).count();
        (count == 85).then_some(())
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_daemon_that_runs_out_of_descriptors_goes_on_with_those_it_has() {
    use rustix::process::{Resource, Rlimit, prlimit};

    let daemon = Daemon::start().await;
    // Its log is open from the first record on.
    daemon.record("start", |_| true).await;
    let few = Rlimit { current: Some(64), maximum: Some(64) };
    prlimit(Some(daemon.pid()), Resource::Nofile, few).expect("an own child");
    serves_among_idle_connections(&daemon).await;
    let record = daemon.record("accept_failed", |_| true).await;
    assert!(record["problem"].as_str().is_some_and(|it| it.contains("open files")), "{record}");
}
