//! Pairing: codes, claims and their failures, the throttle, and the life of the extension's token.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::{Daemon, FakeExtension, Home, Pairing, Reply, now_ms, origin, request};

const ALPHABET: &str = "ABCDEFGHJKMNPQRSTWXYZ23456789";
const CODE_LIFE_MS: i64 = 5 * 60 * 1000;

fn assert_is_code(code: &str) {
    let (first, second) = code.split_once('-').unwrap_or_else(|| panic!("no dash: {code}"));
    assert!(first.len() == 4 && second.len() == 4, "{code}");
    assert!(first.chars().chain(second.chars()).all(|letter| ALPHABET.contains(letter)), "{code}");
}

/// A failure of the pairing route: nothing but its code.
#[track_caller]
fn failed(reply: &Reply, status: u16, code: &str) {
    assert_eq!(
        (reply.status(), reply.json()),
        (status, json!({"ok": false, "error": {"code": code}}))
    );
}

async fn issue(daemon: &Daemon) -> String {
    let data = daemon.send(request("pairing.issue")).await.data();
    data["pairingCode"].as_str().expect("a code").to_owned()
}

/// A well-formed code that is certainly not the current one.
fn wrong(code: &str) -> String {
    let replacement = if code.starts_with('A') { "B" } else { "A" };
    format!("{replacement}{}", &code[1..])
}

// --- codes ---

#[tokio::test]
async fn a_daemon_starts_with_a_code_in_its_pairing_file() {
    let before = now_ms();
    let daemon = Daemon::start().await;
    assert_eq!(daemon.home.mode("pairing.json"), 0o600);
    let file: Value = serde_json::from_str(&daemon.home.read("pairing.json")).expect("JSON");
    assert_is_code(file["pairingCode"].as_str().expect("a code"));
    let issued = file["issuedAt"].as_i64().expect("a time");
    assert!((before..=now_ms()).contains(&issued), "{file}");
    assert_eq!(file["pairingExpiresAt"], issued + CODE_LIFE_MS);
    assert_eq!(file.as_object().map(serde_json::Map::len), Some(3), "{file}");
}

#[tokio::test]
async fn issuing_makes_a_fresh_code_and_voids_the_one_before() {
    let daemon = Daemon::start().await;
    let mut codes = HashSet::from([daemon.pairing_code()]);
    for _ in 0..50 {
        let before = now_ms();
        let data = daemon.send(request("pairing.issue")).await.data();
        let code = data["pairingCode"].as_str().expect("a code").to_owned();
        assert_is_code(&code);
        let expires = data["pairingExpiresAt"].as_i64().expect("a time");
        assert!((before + CODE_LIFE_MS..=now_ms() + CODE_LIFE_MS).contains(&expires), "{data}");
        assert_eq!(data.as_object().map(serde_json::Map::len), Some(2), "{data}");
        assert_eq!(daemon.pairing_code(), code, "the file follows");
        assert!(codes.insert(code));
    }
    assert_eq!(daemon.home.mode("pairing.json"), 0o600);
    let current = daemon.pairing_code();
    let voided = codes.iter().find(|code| **code != current).expect("one of fifty");
    failed(&daemon.claim(voided, &origin('a')).await, 401, "PAIRING_CODE_INVALID");
    daemon.claim(&current, &origin('a')).await.data();
}

#[tokio::test]
async fn a_code_is_compared_without_case_spaces_and_dash() {
    let daemon = Daemon::start().await;
    for spell in [
        (|code: &str| code.to_lowercase()) as fn(&str) -> String,
        |code| code.replace('-', ""),
        |code| code.replace('-', " "),
        |code| format!("  {} ", code.to_lowercase()),
        |code| code.chars().map(|letter| format!("{letter} ")).collect(),
    ] {
        let code = spell(&issue(&daemon).await);
        daemon.claim(&code, &origin('a')).await.data();
    }
}

// --- claims ---

#[tokio::test]
async fn a_claim_gives_everything_that_an_extension_needs() {
    let daemon = Daemon::start().await;
    let before = now_ms();
    let reply = daemon.claim(&daemon.pairing_code(), &origin('a')).await;
    let data = reply.data();
    let token = data["extensionToken"].as_str().expect("a token");
    assert!(token.len() >= 32, "a token that nobody guesses");
    assert_eq!(data["wsUrl"], format!("ws://127.0.0.1:{}/ws", daemon.port));
    assert_eq!(data["protocolVersion"], 1);
    let issued = data["issuedAt"].as_i64().expect("a time");
    assert!((before..=now_ms()).contains(&issued), "{issued}");
    assert_eq!(data["expiresAt"], issued + CODE_LIFE_MS);
    assert!(data["nonce"].as_str().is_some_and(|nonce| !nonce.is_empty()));
    assert_eq!(data.as_object().map(serde_json::Map::len), Some(6), "{data}");
    assert_eq!(reply.json().as_object().map(serde_json::Map::len), Some(2), "ok and data");

    assert!(!daemon.home.file("pairing.json").exists(), "a claimed code is removed");
    assert_eq!(daemon.home.mode("extension-token"), 0o600);
    assert!(!token.contains(&daemon.token) && !daemon.token.contains(token));
    let pairing = Pairing { token: token.to_owned(), origin: origin('a') };
    FakeExtension::connect(daemon.port, &pairing)
        .await
        .expect("the token is valid at once")
        .fence()
        .await;
    daemon.record("pair_claim_ok", |_| true).await;
}

#[tokio::test]
async fn tokens_and_nonces_never_repeat() {
    let daemon = Daemon::start().await;
    let mut seen = HashSet::new();
    for _ in 0..20 {
        let data = daemon.claim(&issue(&daemon).await, &origin('a')).await.data();
        for field in ["nonce", "extensionToken"] {
            assert!(seen.insert(data[field].as_str().expect("text").to_owned()), "{field} repeats");
        }
    }
}

#[tokio::test]
async fn a_code_works_once_and_is_consumed_until_the_next_is_issued() {
    let daemon = Daemon::start().await;
    let code = daemon.pairing_code();
    daemon.claim(&code, &origin('a')).await.data();
    failed(&daemon.claim(&code, &origin('a')).await, 401, "PAIRING_CODE_CONSUMED");
    failed(&daemon.claim(&wrong(&code), &origin('a')).await, 401, "PAIRING_CODE_INVALID");
    let record = daemon
        .record("pair_claim_failed", |record| record["code"] == "PAIRING_CODE_CONSUMED")
        .await;
    assert!(!record.to_string().contains(&code));
    issue(&daemon).await;
    failed(&daemon.claim(&code, &origin('a')).await, 401, "PAIRING_CODE_INVALID");
}

#[tokio::test]
async fn one_code_claimed_by_many_at_once_gives_one_token() {
    let daemon = Daemon::start().await;
    let code = daemon.pairing_code();
    let claims: Vec<_> = (0..4)
        .map(|_| {
            let (client, code) = (daemon.client(), code.clone());
            tokio::spawn(async move { client.claim(&code, &origin('a')).await.status() })
        })
        .collect();
    let mut statuses = Vec::new();
    for claim in claims {
        statuses.push(claim.await.expect("the claim ends well"));
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401]);
}

#[tokio::test]
async fn a_claim_that_is_not_a_code_is_invalid() {
    let daemon = Daemon::start().await;
    let code = daemon.pairing_code();
    let extra = json!({"code": code, "more": 1});
    for body in [json!({}), json!({"code": 7}), json!({"code": null}), extra] {
        failed(
            &daemon.claim_with(body.to_string().as_bytes(), &origin('a')).await,
            400,
            "PAIRING_CODE_INVALID",
        );
    }
    daemon.claim(&code, &origin('a')).await.data();
    let daemon = Daemon::start().await;
    // No more than four failures: the throttle is another test's matter.
    for text in ["", "ABCD", "ABCD-EFGH-ABCD", &"A".repeat(900)] {
        failed(&daemon.claim(text, &origin('a')).await, 401, "PAIRING_CODE_INVALID");
    }
    // A port after the code is for people; the popup takes it off.
    let daemon = Daemon::start().await;
    let code = daemon.pairing_code();
    for text in [format!("{code}@{}", daemon.port), format!("{code}@")] {
        failed(&daemon.claim(&text, &origin('a')).await, 401, "PAIRING_CODE_INVALID");
    }
    daemon.claim(&code, &origin('a')).await.data();
}

#[tokio::test]
async fn the_pairing_route_has_the_statuses_of_any_route() {
    let daemon = Daemon::start().await;
    for body in ["", "{", "not JSON", "[1,"] {
        daemon.claim_with(body.as_bytes(), &origin('a')).await.refused(400, "BAD_REQUEST");
    }
    daemon.claim_with(&[b' '; 1024], &origin('a')).await.refused(400, "BAD_REQUEST");
    for length in [1025, 1 << 20] {
        let claim = vec![b' '; length];
        daemon.claim_with(&claim, &origin('a')).await.refused(413, "PAYLOAD_TOO_LARGE");
    }
    let mut connection = daemon.connect().await;
    let (host, origin) = (daemon.host(), origin('a'));
    let headers = [
        ("Host", &*host),
        ("Origin", &*origin),
        ("Content-Type", "text/plain"),
        ("Content-Length", "2"),
    ];
    connection.request("POST /pair/claim", &headers, b"{}").await;
    Reply(connection.response().await).refused(415, "UNSUPPORTED_MEDIA_TYPE");
    // None of these counts towards the throttle.
    for _ in 0..4 {
        failed(&daemon.claim("AAAA-AAAA", &origin).await, 401, "PAIRING_CODE_INVALID");
    }
    daemon.claim(&daemon.pairing_code(), &origin).await.data();
}

#[tokio::test]
async fn a_token_that_cannot_be_stored_leaves_the_code_valid() {
    let daemon = Daemon::start().await;
    // Nothing can be put in the place of a directory that is not empty.
    let place = daemon.home.file("extension-token");
    std::fs::create_dir(&place).expect("a directory");
    std::fs::write(place.join("file"), "").expect("a file");
    let code = daemon.pairing_code();
    let reply = daemon.claim(&code, &origin('a')).await;
    assert_eq!((reply.status(), &reply.json()["error"]["code"]), (500, &json!("STORE_FAILED")));
    std::fs::remove_dir_all(&place).expect("an own directory");
    assert_eq!(daemon.pairing_code(), code);
    daemon.pair_as(&origin('a')).await;
    daemon.extension().await.open_tab(&daemon).await;
}

// --- the throttle ---

#[tokio::test]
async fn five_failures_block_the_route_for_everyone() {
    let daemon = Daemon::start().await;
    let code = daemon.pairing_code();
    // Every kind of failure counts, and a success resets nothing.
    failed(&daemon.claim_with(b"{}", &origin('a')).await, 400, "PAIRING_CODE_INVALID");
    failed(&daemon.claim(&wrong(&code), &origin('b')).await, 401, "PAIRING_CODE_INVALID");
    daemon.claim(&code, &origin('a')).await.data();
    failed(&daemon.claim(&code, &origin('a')).await, 401, "PAIRING_CODE_CONSUMED");
    let code = issue(&daemon).await;
    for _ in 0..2 {
        failed(&daemon.claim(&wrong(&code), &origin('a')).await, 401, "PAIRING_CODE_INVALID");
    }
    for _ in 0..3 {
        let throttled = daemon.claim(&code, &origin('a')).await;
        failed(&throttled, 429, "PAIRING_RATE_LIMITED");
        let wait: u64 =
            throttled.0.header("retry-after").expect("a time").parse().expect("seconds");
        assert!((1..=60).contains(&wait), "{wait}");
    }
    failed(&daemon.claim_with(b"{}", &origin('a')).await, 429, "PAIRING_RATE_LIMITED");
    daemon.record("pair_claim_rate_limited", |_| true).await;
    assert_eq!(daemon.records("pair_claim_failed").len(), 5);
    // The code is still there for later, and the rest of the daemon does not care.
    assert_eq!(daemon.pairing_code(), code);
    daemon.new_session().await;
}

#[tokio::test]
async fn the_gate_refuses_without_counting() {
    let daemon = Daemon::start().await;
    for _ in 0..6 {
        daemon.claim("AAAA-AAAA", "https://evil.example").await.refused(401, "UNAUTHORIZED");
    }
    daemon.claim(&daemon.pairing_code(), &origin('a')).await.data();
}

// --- the life of a token ---

#[tokio::test]
async fn the_token_survives_restarts_together_with_its_origin() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pair_as(&origin('c')).await;
    let daemon = daemon.restart().await.restart().await;
    let mut ext =
        FakeExtension::connect(daemon.port, &pairing).await.expect("no new pairing is needed");
    ext.open_tab(&daemon).await;
    let stranger = Pairing { origin: origin('d'), ..pairing };
    assert_eq!(FakeExtension::connect(daemon.port, &stranger).await.err(), Some(401));
}

#[tokio::test]
async fn a_stored_token_without_an_origin_belongs_to_the_first_that_connects() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pair_as(&origin('c')).await;
    let home = daemon.stop().await.home;
    std::fs::write(home.file("extension-token"), &pairing.token)
        .expect("the token's file, its mode kept");
    let daemon = home.daemon().start().await;
    let first = Pairing { origin: origin('d'), ..pairing.clone() };
    FakeExtension::connect(daemon.port, &first).await.expect("the first to connect").fence().await;
    assert_eq!(FakeExtension::connect(daemon.port, &pairing).await.err(), Some(401));
    let daemon = daemon.restart().await;
    assert_eq!(FakeExtension::connect(daemon.port, &pairing).await.err(), Some(401));
    FakeExtension::connect(daemon.port, &first).await.expect("bound for good").fence().await;
}

#[tokio::test]
async fn the_token_survives_a_kill() {
    let daemon = Daemon::start().await;
    let pairing = daemon.pair_as(&origin('c')).await;
    let daemon = daemon.kill().await.home.daemon().start().await;
    FakeExtension::connect(daemon.port, &pairing)
        .await
        .expect("no new pairing is needed")
        .fence()
        .await;
}

#[tokio::test]
async fn only_the_latest_token_is_valid_also_after_a_restart() {
    let daemon = Daemon::start().await;
    let old = daemon.pair_as(&origin('a')).await;
    issue(&daemon).await;
    let new = daemon.pair_as(&origin('a')).await;
    assert_eq!(FakeExtension::connect(daemon.port, &old).await.err(), Some(401));
    let daemon = daemon.restart().await;
    assert_eq!(FakeExtension::connect(daemon.port, &old).await.err(), Some(401));
    FakeExtension::connect(daemon.port, &new).await.expect("the latest token").fence().await;
}

#[tokio::test]
async fn codes_do_not_survive_a_restart() {
    let daemon = Daemon::start().await;
    let code = daemon.pairing_code();
    let daemon = daemon.restart().await;
    assert_ne!(daemon.pairing_code(), code);
    failed(&daemon.claim(&code, &origin('a')).await, 401, "PAIRING_CODE_INVALID");
}

#[tokio::test]
async fn no_log_holds_a_code_or_a_token() {
    let daemon = Home::new().daemon().env("BPROXY_LOG_LEVEL", "debug").start().await;
    let code = daemon.pairing_code();
    failed(&daemon.claim(&wrong(&code), &origin('a')).await, 401, "PAIRING_CODE_INVALID");
    let pairing = daemon.pair_as(&origin('a')).await;
    let next = issue(&daemon).await;
    let mut ext = FakeExtension::connect(daemon.port, &pairing).await.expect("a paired extension");
    ext.open_tab(&daemon).await;
    let token = daemon.token.clone();
    let exit = daemon.stop().await;
    let log = exit.home.log_text();
    assert!(log.contains("pair_claim_ok"));
    for secret in [&code, &wrong(&code), &next, &pairing.token, &token] {
        let plain = secret.replace('-', "");
        assert!(!log.contains(secret.as_str()) && !log.contains(&plain), "a secret in the log");
        assert!(!exit.stderr.contains(secret.as_str()), "a secret on stderr");
    }
    assert!(
        !log.contains(&crate::support::base64url(pairing.token.as_bytes())),
        "an encoded secret in the log"
    );
}
