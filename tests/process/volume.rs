//! Messages of many megabytes, and clients and browsers that do not read: memory is bounded and others are not delayed.

use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Answer, Daemon, PATIENCE, Reply, nonce, page};

fn resident(health: &Reply) -> u64 {
    health.json()["rssBytes"].as_u64().expect("a number")
}

#[tokio::test]
async fn large_answers_are_not_kept() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let before = resident(&daemon.get("/health").await);
    let base64 = "QUJD".repeat(1 << 20);
    let shot = json!({"base64": base64, "format": "png"});
    for _ in 0..20 {
        let (_, reply) = ext.exchange(&daemon, tab.request("screenshot"), shot.clone()).await;
        assert_eq!(reply.status(), 200);
    }
    // Twenty answers of 4 MiB went through; what one needed is kept for the next one.
    let busy = resident(&daemon.get("/health").await);
    assert!(busy < 60 << 20, "{} MiB", busy >> 20);

    // A heartbeat, or the end of the connection, is when memory goes back.
    ext.close().await;
    let end = Instant::now() + PATIENCE;
    loop {
        let left = resident(&daemon.get("/health").await);
        if left < before + (3 << 20) {
            break;
        }
        assert!(Instant::now() < end, "{before} bytes before, {busy} while busy, {left} are left");
    }
}

#[tokio::test]
async fn a_file_of_300_mib_takes_little_memory_either_way() {
    const PIECE: usize = 1 << 20;
    const PIECES: usize = 300;
    const MOST: u64 = 8 << 20;
    let daemon = Daemon::start().await;
    let session = daemon.new_session().await;
    let pairing = daemon.pairing().await;
    let piece: Vec<u8> = (0..PIECE).map(|at| ((at * 31) >> 3) as u8).collect();
    let mut hash = Sha256::new();
    (0..PIECES).for_each(|_| hash.update(&piece));
    let hash = hash.finalize();
    let before = resident(&daemon.get("/health").await);
    let mut most = before;

    let mut connection = daemon.connect().await;
    let (host, bearer, length) = (daemon.host(), daemon.bearer(), (PIECE * PIECES).to_string());
    let headers = [
        ("Host", &*host),
        ("Authorization", &*bearer),
        ("Content-Type", "application/octet-stream"),
        ("Content-Length", &*length),
    ];
    let line = format!("POST /files?session={session}&name=long.mkv");
    connection.request(&line, &headers, b"").await;
    for number in 0..PIECES {
        connection.write(&piece).await;
        if number % 10 == 0 {
            most = most.max(resident(&daemon.get("/health").await));
        }
    }
    let kept = Reply(connection.response().await).data();
    assert_eq!(kept["sha256"], HEXLOWER.encode(&hash));
    let taken = most - before;
    assert!(taken < MOST, "{} KiB", taken >> 10);

    let (nonce, port) = (nonce(daemon.port).await, daemon.port.to_string());
    let proof = pairing.proof(&["bproxy file", &port, &nonce, &session, "fl1"]);
    let proof = format!("Proof {nonce}.{proof}");
    let line = format!("GET /files/fl1?session={session}");
    connection.request(&line, &[("Host", &*host), ("Authorization", &*proof)], b"").await;
    let head = connection.head().await;
    assert_eq!((head.status, head.header("content-length")), (200, Some(&*length)));
    let mut given = Sha256::new();
    for number in 0..PIECES {
        given.update(connection.exactly(PIECE).await);
        if number % 10 == 0 {
            most = most.max(resident(&daemon.get("/health").await));
        }
    }
    assert_eq!(given.finalize(), hash);
    println!("taken {} KiB, given {} KiB more than before", taken >> 10, (most - before) >> 10);
    assert!(most - before < MOST, "{} KiB", (most - before) >> 10);
}

#[tokio::test]
async fn a_browser_that_does_not_read_fills_only_its_own_bounds() {
    let daemon = Daemon::start().await;
    let mut deaf = daemon.extension_named("deaf").await;
    let deaf_tabs = [deaf.open_tab(&daemon).await, deaf.open_tab(&daemon).await];
    let mut other = daemon.extension_named("other").await;
    let tab = other.open_tab(&daemon).await;
    let before = resident(&daemon.get("/health").await);

    // Opens wait in no queue: what the sockets do not take waits in the daemon.
    let url = format!("https://example.org/{}", "x".repeat(200_000));
    let open =
        |number: usize| deaf_tabs[number % 2].request("tab.open").params(json!({"url": url}));
    let mut opens: Vec<_> = (0..99).map(|number| daemon.begin(open(number))).collect();
    let is_open = |record: &Value| record["action"] == "tab.open";
    crate::support::wait_for("all opens but one", || {
        // Two tabs were opened before for this browser, one for the other.
        let count = daemon.records("received").into_iter().filter(is_open).count();
        (count == 3 + 99).then_some(())
    })
    .await;
    // Flooding the daemon with pings does not make it keep all the answers.
    for ts in 0..2_000 {
        deaf.send(json!({"type": "ping", "ts": ts}).to_string()).await;
    }
    other.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
    opens.push(daemon.begin(open(99)));
    daemon.admitted(&opens[99].id).await;
    daemon.send(tab.request("text")).await.error("OVERLOADED");
    let grown = resident(&daemon.get("/health").await).saturating_sub(before);
    // Each is kept once as it came and once as it is forwarded, at most.
    assert!(grown < 2 * 100 * (1 << 20), "{} MiB", grown >> 20);

    // It was slow, no more than that: everything gets its answer.
    let mut tab_id = 0;
    let serving = deaf.serve(move |_| {
        tab_id += 1;
        Some(Answer::Data(json!({"tabId": tab_id, "url": "about:blank"})))
    });
    for open in opens {
        open.reply().await.data();
    }
    assert_eq!(serving.seen().len(), 100);
    other.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
}

#[tokio::test]
async fn a_browser_that_pings_and_does_not_read_is_closed_and_takes_no_memory() {
    let daemon = Daemon::start().await;
    let mut deaf = daemon.extension_named("deaf").await;
    let before = resident(&daemon.get("/health").await);
    // A mask that changes nothing, and the longest payload.
    let ping = [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[b'x'; 125]].concat();
    let pings = ping.repeat(8_000);
    let flood = async {
        for _ in 0..128 {
            deaf.send_raw(&pings).await;
        }
    };
    let most = async {
        let mut most = 0;
        while daemon.records("ws_disconnect").is_empty() {
            most = most.max(resident(&daemon.get("/health").await));
        }
        most
    };
    // The flood ends with the connection.
    let ((), most) =
        crate::support::patiently("the end of the flood", async { tokio::join!(flood, most) })
            .await;
    assert!(most.saturating_sub(before) < 20 << 20, "{} MiB", (most - before) >> 20);
    assert_eq!(daemon.records("ws_disconnect")[0]["reason"], "pongs are not read");
}

#[tokio::test]
async fn a_browser_that_reads_may_ping_as_it_likes() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for _ in 0..2_000 {
        ext.send_message(Message::Ping("x".repeat(125).into())).await;
    }
    ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
}

#[tokio::test]
async fn a_command_whose_answer_is_over_64_mib_twice_fails_and_is_not_sent_again() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension_named("verbose").await;
    let (large, small) = (ext.open_tab(&daemon).await, ext.open_tab(&daemon).await);
    let reading = daemon.begin(large.request("text"));
    let first = ext.receive().await;
    let header = [&[0x81, 0x80 | 127][..], &((64u64 << 20) + 1).to_be_bytes(), &[0; 4]].concat();
    ext.send_raw(&header).await;
    assert_eq!(ext.ended().await, Some(1009));

    // Once is no reason to give it up: it may have been another command's answer.
    let mut ext = daemon.extension_named("verbose").await;
    assert_eq!(ext.receive().await, first);
    let queued = daemon.begin(large.request("outline"));
    daemon.admitted(&queued.id).await;
    let other = daemon.begin(small.request("text"));
    let bystander = ext.receive().await;
    ext.send_raw(&header).await;
    assert_eq!(ext.ended().await, Some(1009));
    let error = reading.reply().await.error("TOO_LARGE");
    assert_eq!((&error["category"], &error["retry"]), (&json!("execution"), &json!("conditional")));

    // What was in flight once only comes again, and what waited has its turn.
    let mut ext = daemon.extension_named("verbose").await;
    let mut again = [ext.receive().await, ext.receive().await];
    again.sort_by_key(|command| command.action().to_owned());
    assert_eq!((again[0].id(), &again[1]), (&*queued.id, &bystander));
    for (command, data) in
        again.iter().zip([json!({"landmarks": [], "headings": []}), json!({"text": ""})])
    {
        ext.answer(command, data).await;
    }
    queued.reply().await.data();
    other.reply().await.data();
}

#[tokio::test]
async fn a_message_of_64_mib_is_read_and_one_byte_more_ends_its_connection() {
    const MOST: usize = 64 << 20;
    let daemon = Daemon::start().await;
    let mut other = daemon.extension_named("other").await;
    let tab = other.open_tab(&daemon).await;
    let mut ext = daemon.extension_named("verbose").await;
    let mut message = r#"{"type":"ping","ts":0}"#.to_owned();
    message += &" ".repeat(MOST - message.len());
    ext.send(message).await;
    assert_eq!(ext.next_text().await, r#"{"type":"pong","ts":0}"#);
    // In pieces, of which none is too large by itself. The mask is one that changes nothing.
    let half = [&[0x80 | 127][..], &((MOST / 2) as u64).to_be_bytes(), &[0; 4]].concat();
    let pieces = [
        [&[0x01][..], &half, &vec![b' '; MOST / 2]].concat(),
        [&[0x00][..], &half, &vec![b' '; MOST / 2]].concat(),
        [0x80, 0x80 | 1, 0, 0, 0, 0, b' '].to_vec(),
    ];
    for piece in pieces {
        ext.send_raw(&piece).await;
    }
    assert_eq!(ext.ended().await, Some(1009));
    other.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
}

#[tokio::test]
async fn ten_megabytes_of_nesting_harm_neither_the_daemon_nor_the_command_line() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let nest = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    // Deep enough to overflow any stack; text that is scanned several times can be smaller.
    let (large, deep) = (nest(5_000_000), nest(300_000));
    let page = page("about:blank").to_string();
    let ok = |data: String| format!(r#""ok":true,"data":{data},"page":{page}"#);
    let details = format!(r#"{{"code":"X","message":"y","details":{{"z":{deep}}}}}"#);
    // As data, inside of what is looked through for handles and tab ids, as details of an error, as anything else.
    let answers = [
        (&["text"][..], ok(format!(r#"{{"text":{large}}}"#))),
        (&["text"], ok(format!(r#"{{"tabId":1,"text":{deep}}}"#))),
        (&["elements"], ok(format!(r#"{{"elements":{deep}}}"#))),
        (&["elements"], ok(format!(r#"{{"elements":[{{"selector":{deep}}}]}}"#))),
        (&["debug", "log"], ok(format!(r#"{{"entries":{deep}}}"#))),
        (&["text"], format!(r#""ok":true,"data":{{}},"page":{{"url":{deep}}}"#)),
        (&["text"], format!(r#""ok":false,"error":{details}"#)),
        (&["text"], format!(r#""ok":{deep}"#)),
    ];
    for (words, answer) in answers {
        let args = [words, &["--session", &tab.session]].concat();
        let answering = async {
            let command = ext.receive().await;
            ext.send(format!(r#"{{"id":"{}",{answer}}}"#, command.id())).await;
        };
        let (call, ()) = tokio::join!(crate::support::run(&daemon.home, &args), answering);
        // It has ended by itself, whatever it made of that.
        assert!(!call.stderr.contains("panic"), "{words:?}: {}", call.stderr);
    }
    for message in [format!(r#"{{"type":{deep}}}"#), large[..large.len() / 2].to_owned(), deep] {
        ext.send(message).await;
    }
    ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
    assert!(daemon.records("panic").is_empty());
}

#[tokio::test]
async fn an_extension_that_does_not_read_does_not_delay_others() {
    let daemon = Daemon::start().await;
    let mut deaf = daemon.extension_named("deaf").await;
    let deaf_tab = deaf.open_tab(&daemon).await;
    let mut other = daemon.extension_named("other").await;
    let tab = other.open_tab(&daemon).await;
    // More than any socket buffer takes; each is answered with TIMEOUT while the deaf one reads nothing.
    let large = "x".repeat(900_000);
    for _ in 0..12 {
        let fill = json!({"target": {"selector": "a"}, "value": large, "method": "direct", "world": "isolated"});
        let fill = deaf_tab.request("fill").params(fill).within(Duration::from_millis(250));
        daemon.send(fill).await.error("TIMEOUT");
    }
    other.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
    drop(deaf);
}

#[tokio::test]
async fn a_client_that_does_not_read_its_answer_does_not_delay_others() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let mut deaf = daemon.connect().await;
    daemon.post_on(&mut deaf, &tab.request("screenshot").bytes()).await;
    let command = ext.receive_action("screenshot").await;
    // More than the socket's buffers take.
    ext.answer(&command, json!({"base64": "QUJD".repeat(5 << 20), "format": "png"})).await;
    ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
    let started = Instant::now();
    daemon.stop().await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[tokio::test]
async fn an_answer_of_many_megabytes_is_relayed_whole() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let base64 = "QUJD".repeat(5 << 20);
    let (_, reply) = ext
        .exchange(&daemon, tab.request("screenshot"), json!({"base64": base64, "format": "png"}))
        .await;
    let data = reply.data();
    assert!(data["base64"] == base64.as_str() && data["format"] == "png");
}
