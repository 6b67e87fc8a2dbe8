//! `POST /files` and `GET /files/flN`: files from a client to a session, and from there to the extension.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::support::{
    Connection, Daemon, Home, Pairing, Reply, nonce, own_origin, patiently, request, wait_for,
};

const MIB: usize = 1024 * 1024;

/// A request for `POST /files`, right until a test says otherwise.
struct Post<'a> {
    daemon: &'a Daemon,
    query: String,
    headers: Vec<(&'static str, String)>,
}

impl<'a> Post<'a> {
    fn to(daemon: &'a Daemon, session: &str, name: &str) -> Self {
        let headers = vec![
            ("Host", daemon.host()),
            ("Authorization", daemon.bearer()),
            ("Content-Type", "application/octet-stream".to_owned()),
        ];
        Self { daemon, query: format!("session={session}&name={name}"), headers }
    }

    fn query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    fn but(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    async fn begin(&self, length: Option<u64>, body: &[u8]) -> Connection {
        let mut connection = self.daemon.connect().await;
        let length = length.map(|length| length.to_string());
        let mut headers: Vec<_> =
            self.headers.iter().map(|(name, value)| (*name, &**value)).collect();
        match &length {
            Some(length) => headers.push(("Content-Length", length)),
            None => headers.push(("Transfer-Encoding", "chunked")),
        }
        connection.request(&format!("POST /files?{}", self.query), &headers, body).await;
        connection
    }

    async fn send(&self, body: &[u8]) -> Reply {
        Reply(self.begin(Some(body.len() as u64), body).await.response().await)
    }
}

/// A proof for one fetch of a file, as the value of `Authorization`.
async fn proof(daemon: &Daemon, pairing: &Pairing, session: &str, file: &str) -> String {
    let nonce = nonce(daemon.port).await;
    let port = daemon.port.to_string();
    let proof = pairing.proof(&["bproxy file", &port, &nonce, session, file]);
    format!("Proof {nonce}.{proof}")
}

async fn fetch(daemon: &Daemon, target: &str, headers: &[(&str, &str)]) -> Reply {
    let mut connection = daemon.connect().await;
    let host = daemon.host();
    let headers = [&[("Host", &*host)], headers].concat();
    connection.request(&format!("GET {target}"), &headers, b"").await;
    Reply(connection.response().await)
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// Bytes that are not all alike.
fn noise(length: usize, seed: u8) -> Vec<u8> {
    (0..length).map(|at| (at.wrapping_mul(31) >> 3) as u8 ^ seed).collect()
}

fn directory(daemon: &Daemon, session: &str) -> PathBuf {
    daemon.home.file("tmp/sessions").join(session)
}

/// What is in the directory of a session.
fn entries(daemon: &Daemon, session: &str) -> Vec<String> {
    let entries = fs::read_dir(directory(daemon, session)).expect("the session's directory");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    names.sort();
    names
}

/// Waits until nothing is in the directory of a session but these.
async fn only(daemon: &Daemon, session: &str, expected: &[&str]) {
    wait_for("nothing half", || (entries(daemon, session) == expected).then_some(())).await;
}

#[tokio::test]
async fn a_file_is_kept_whole_and_goes_to_the_extension_alone() {
    let daemon = Daemon::start().await;
    let session = daemon.new_session().await;
    let bytes = noise(3 * MIB + 17, 1);
    let kept = Post::to(&daemon, &session, "two%20words+%C3%BC.txt").send(&bytes).await.data();
    let expected = json!({"file": "fl1", "name": "two words ü.txt", "bytes": bytes.len(), "sha256": sha256(&bytes)});
    assert_eq!(kept, expected);
    let chunked = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let mut connection = Post::to(&daemon, &session, "b").begin(None, chunked).await;
    let kept = Reply(connection.response().await).data();
    assert_eq!(
        kept,
        json!({"file": "fl2", "name": "b", "bytes": 11, "sha256": sha256(b"hello world")})
    );
    assert_eq!(Post::to(&daemon, &session, "none").send(b"").await.data()["bytes"], 0);
    let mode = |path: PathBuf| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    let at = directory(&daemon, &session);
    assert_eq!(
        (mode(at.clone()), mode(at.join("fl1")), mode(at.join("fl2/b"))),
        (0o700, 0o700, 0o600)
    );

    let pairing = daemon.pairing().await;
    let target = format!("/files/fl1?session={session}");
    let right = proof(&daemon, &pairing, &session, "fl1").await;
    let given = fetch(&daemon, &target, &[("Authorization", &right)]).await;
    assert_eq!((given.status(), &given.0.body), (200, &bytes));
    assert_eq!(given.0.header("content-type"), Some("application/octet-stream"));
    assert_eq!(given.0.header("content-length"), Some(&*bytes.len().to_string()));
    assert_eq!(given.0.header("cache-control"), Some("no-store"));
    assert!(given.0.header("access-control-allow-origin").is_none());
    let named = proof(&daemon, &pairing, &session, "fl2").await;
    let headers = [("Authorization", &*named), ("Origin", &*pairing.origin)];
    let given = fetch(&daemon, &format!("/files/fl2?session={session}"), &headers).await;
    assert_eq!(given.0.body, b"hello world");
}

#[tokio::test]
async fn a_file_is_given_for_a_proof_of_its_own_once_and_to_nobody_else() {
    let daemon = Daemon::start().await;
    let (session, other) = (daemon.new_session().await, daemon.new_session().await);
    for session in [&session, &other] {
        Post::to(&daemon, session, "a").send(b"secret").await.data();
    }
    let pairing = daemon.pairing().await;
    let target = format!("/files/fl1?session={session}");
    let right = proof(&daemon, &pairing, &session, "fl1").await;
    let refused = async |target: &str, headers: &[(&str, &str)]| {
        let reply = fetch(&daemon, target, headers).await;
        reply.refused(401, "UNAUTHORIZED")
    };
    let bearer = daemon.bearer();
    let stranger = Pairing { token: "0".repeat(64), origin: pairing.origin.clone() };
    let wrong = [
        bearer.clone(),
        "Proof".to_owned(),
        "Proof x.y".to_owned(),
        pairing.offer(daemon.port, &nonce(daemon.port).await).replacen("proof.", "Proof ", 1),
        proof(&daemon, &stranger, &session, "fl1").await,
        proof(&daemon, &pairing, &other, "fl1").await,
        proof(&daemon, &pairing, &session, "fl2").await,
    ];
    assert!(refused(&target, &[]).await.contains("proof"));
    for wrong in &wrong {
        refused(&target, &[("Authorization", wrong)]).await;
    }
    for origin in ["https://evil.example", "null", &own_origin().replace('a', "b")] {
        refused(&target, &[("Authorization", &right), ("Origin", origin)]).await;
    }
    refused(&target, &[("Authorization", &right), ("Sec-Fetch-Site", "cross-site")]).await;
    refused(&target, &[("Authorization", &right), ("Authorization", &right)]).await;
    // Nothing of this has used it up; its use does.
    let given = fetch(&daemon, &target, &[("Authorization", &right)]).await;
    assert_eq!(given.0.body, b"secret");
    refused(&target, &[("Authorization", &right)]).await;

    // With a right proof it is told what is not there.
    for (file, session) in
        [("fl2", &*session), ("fl01", &*session), ("x", &*session), ("fl1", "aaaaaa")]
    {
        let right = proof(&daemon, &pairing, session, file).await;
        let target = format!("/files/{file}?session={session}");
        let reply = fetch(&daemon, &target, &[("Authorization", &right)]).await;
        assert!(reply.refused(404, "FILE_NOT_FOUND").contains(file));
    }
    // Paths of files are known to the bearer alone.
    let post = daemon.get("/files").await;
    assert_eq!((post.status(), post.0.header("allow")), (405, Some("POST")));
    assert_eq!(daemon.get("/files/").await.status(), 404);
    assert_eq!(daemon.get("/files/fl1/x").await.status(), 404);
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_told_in_the_order_of_the_protocol() {
    let daemon = Daemon::start().await;
    let session = daemon.new_session().await;
    let post = || Post::to(&daemon, &session, "a");
    // Everything is wrong with it but what is named.
    let huge = Some(1024 * MIB as u64 + 1);
    let reply = async |post: Post<'_>| Reply(post.begin(huge, b"").await.response().await);
    let wrong = post().query("session=zzzzz1").but("Content-Type", "text/plain");
    reply(wrong.but("Authorization", "Bearer x")).await.refused(401, "UNAUTHORIZED");
    let wrong = post().query("session=zzzzz1").but("Content-Type", "text/plain");
    let message = reply(wrong).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    assert!(message.contains("application/octet-stream"), "{message}");
    let long = format!("session={session}&name={}", "x".repeat(1025));
    for (query, named) in [
        ("", "session"),
        ("name=a", "session"),
        ("session=&name=a", "session"),
        ("session=m4q7z1&name=a", "session"),
        (&format!("session={session}"), "name"),
        (&format!("session={session}&name="), "name"),
        (&format!("session={session}&name=%ff"), "name"),
        (&long, "name"),
        (&format!("session={session}&name=a&name=b"), "name"),
        (&format!("session={session}&name=a&type=b"), "type"),
    ] {
        let message = reply(post().query(query)).await.refused(400, "BAD_REQUEST");
        assert!(message.contains(&format!("`{named}`")), "{query}: {message}");
    }
    reply(post().query("session=aaaaaa&name=a")).await.refused(404, "SESSION_NOT_FOUND");
    // At once: none of these bytes are sent.
    reply(post()).await.refused(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(entries(&daemon, &session), [""; 0]);
    let longest = format!("session={session}&name={}", "x".repeat(1024));
    let kept = post().query(&longest).send(b"x").await.data();
    assert_eq!(kept["name"], "x".repeat(255));
}

#[tokio::test]
async fn names_lead_nowhere() {
    let daemon = Daemon::start().await;
    let session = daemon.new_session().await;
    for (name, kept) in [
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("a%00b%0A.txt", "ab.txt"),
        ("%2E%2E", "file"),
        (".bashrc", "bashrc"),
        ("invoice%E2%80%AEfdp.exe", "invoicefdp.exe"),
        ("%24%28id%29%3B%60x%60", "$(id);`x`"),
    ] {
        let answer = Post::to(&daemon, &session, name).send(b"x").await.data();
        assert_eq!(answer["name"], kept, "{name}");
        let file = answer["file"].as_str().expect("a file");
        let path = directory(&daemon, &session).join(file).join(kept);
        assert_eq!(fs::read(path).expect("the file"), b"x");
    }
}

#[tokio::test]
async fn a_file_that_is_cut_leaves_nothing_and_no_number() {
    let daemon = Daemon::start().await;
    let session = daemon.new_session().await;
    let post = Post::to(&daemon, &session, "a");
    for length in [Some(2 * MIB as u64), None] {
        let body = if length.is_some() { noise(MIB, 2) } else { b"5\r\nhello\r\n".to_vec() };
        let connection = post.begin(length, &body).await;
        wait_for("the beginning of a file", || {
            (entries(&daemon, &session).len() == 1).then_some(())
        })
        .await;
        drop(connection);
        only(&daemon, &session, &[]).await;
    }
    assert_eq!(post.send(b"x").await.data()["file"], "fl1");

    // A killed daemon leaves a half one, which the next removes; whole ones stay, and so do the numbers.
    let _half = post.begin(Some(2 * MIB as u64), &noise(MIB, 3)).await;
    wait_for("the beginning of a file", || (entries(&daemon, &session).len() == 2).then_some(()))
        .await;
    let daemon = daemon.kill_and_restart().await;
    assert_eq!(entries(&daemon, &session), ["fl1"]);
    assert_eq!(Post::to(&daemon, &session, "b").send(b"y").await.data()["file"], "fl2");
    let pairing = daemon.pairing().await;
    let right = proof(&daemon, &pairing, &session, "fl1").await;
    let target = format!("/files/fl1?session={session}");
    assert_eq!(fetch(&daemon, &target, &[("Authorization", &right)]).await.0.body, b"x");

    // Files end with their session, also one that is still arriving.
    let post = Post::to(&daemon, &session, "c");
    let mut arriving = post.begin(Some(2 * MIB as u64), &noise(MIB, 4)).await;
    wait_for("the beginning of a file", || (entries(&daemon, &session).len() == 3).then_some(()))
        .await;
    daemon.send(request("session.close").session(&session)).await.data();
    assert!(!directory(&daemon, &session).exists());
    arriving.write(noise(MIB, 4)).await;
    Reply(arriving.response().await).refused(404, "SESSION_NOT_FOUND");
    let right = proof(&daemon, &pairing, &session, "fl1").await;
    fetch(&daemon, &target, &[("Authorization", &right)]).await.refused(404, "FILE_NOT_FOUND");
    assert!(!directory(&daemon, &session).exists());
}

#[tokio::test]
async fn eight_files_arrive_at_once_and_no_more() {
    let daemon = Daemon::start().await;
    let session = daemon.new_session().await;
    let post = Post::to(&daemon, &session, "a");
    let mut arriving = Vec::new();
    for _ in 0..8 {
        arriving.push(post.begin(Some(6), b"hel").await);
    }
    wait_for("eight files", || (entries(&daemon, &session).len() == 8).then_some(())).await;
    let message = post.send(b"x").await.refused(503, "OVERLOADED");
    assert!(message.contains('8'), "{message}");
    // A command goes on meanwhile.
    daemon.send(request("session.list")).await.data();
    for mut connection in arriving {
        connection.write(b"lo!").await;
        assert_eq!(Reply(connection.response().await).data()["sha256"], sha256(b"hello!"));
    }
    assert_eq!(post.send(b"x").await.data()["file"], "fl9");
}

#[tokio::test]
async fn a_hundred_files_of_mixed_sizes_at_once_are_all_as_they_were() {
    let daemon = Daemon::start().await;
    let session = daemon.new_session().await;
    let pairing = daemon.pairing().await;
    // As many as may arrive at once.
    let turns = tokio::sync::Semaphore::new(8);
    let sizes = [0, 1, 100, 4095, 65_536, 65_537, 300_000, MIB + 1];
    let one = async |at: usize| {
        let bytes = noise(sizes[at % sizes.len()], at as u8);
        let post = Post::to(&daemon, &session, &format!("n{at}"));
        let turn = turns.acquire().await.expect("a turn");
        let kept = post.send(&bytes).await.data();
        drop(turn);
        assert_eq!(
            (&kept["sha256"], &kept["name"]),
            (&json!(sha256(&bytes)), &json!(format!("n{at}")))
        );
        let file = kept["file"].as_str().expect("a file");
        let right = proof(&daemon, &pairing, &session, file).await;
        let target = format!("/files/{file}?session={session}");
        let given = fetch(&daemon, &target, &[("Authorization", &right)]).await;
        assert_eq!(sha256(&given.0.body), sha256(&bytes), "{file}");
        file.to_owned()
    };
    let mut files = futures_util::future::join_all((0..100).map(one)).await;
    files.sort();
    files.dedup();
    assert_eq!(files.len(), 100);
}

#[tokio::test]
async fn the_socket_takes_files_and_gives_none() {
    let daemon = Home::new().daemon().start().await;
    let session = daemon.new_session().await;
    let ask = async |head: String, body: &str| {
        let mut socket = UnixStream::connect(daemon.home.file("socket")).await.expect("a socket");
        let length = body.len();
        let text = format!(
            "{head}\r\nHost: x\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        socket.write_all(text.as_bytes()).await.expect("a listener");
        let mut answer = String::new();
        patiently("an answer", socket.read_to_string(&mut answer)).await.expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let body: Value = serde_json::from_str(body).expect("JSON");
        (head.split(' ').nth(1).expect("a status").to_owned(), body)
    };
    let head = format!(
        "POST /files?session={session}&name=a HTTP/1.1\r\nContent-Type: application/octet-stream"
    );
    let (status, body) = ask(head, "hello").await;
    assert_eq!((&*status, &body["data"]["file"]), ("200", &json!("fl1")), "{body}");
    let (status, body) = ask(format!("GET /files/fl1?session={session} HTTP/1.1"), "").await;
    assert_eq!((&*status, &body["error"]["code"]), ("404", &json!("NOT_FOUND")));
}

#[tokio::test]
async fn a_file_that_the_session_does_not_have_is_refused_in_its_turn() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let other = daemon.new_session().await;
    daemon.give_file(&other, "a.txt", b"hello").await.data();
    let late = std::time::Duration::ZERO;
    let upload = |target: Value, file: &str| {
        tab.request("upload").params(json!({"target": target, "files": [file]}))
    };
    let target = json!({"selector": "#file"});
    // Another session's is none of this one's.
    for file in ["fl1", "fl01", "fl99999999999999999999"] {
        let error =
            daemon.send(upload(target.clone(), file).within(late)).await.error("FILE_NOT_FOUND");
        assert!(error["message"].as_str().is_some_and(|text| text.contains(file)), "{error}");
        assert_eq!(
            (&error["category"], &error["retry"]),
            (&json!("target"), &json!("conditional"))
        );
    }
    let stale = upload(json!({"handle": "el1"}), "fl1");
    daemon.send(stale).await.error("ELEMENT_HANDLE_NOT_FOUND");
    daemon.give_file(&tab.session, "a.txt", b"hello").await.data();
    daemon.send(upload(target.clone(), "fl1").within(late)).await.error("TIMEOUT");
    ext.has_nothing().await;
    // A browser that does not know of files gets none.
    let (old, mut plain, tab) = Daemon::with_tab().await;
    old.give_file(&tab.session, "a.txt", b"hello").await.data();
    let request = tab.request("upload").params(json!({"target": target, "files": ["fl1"]}));
    let error = old.send(request).await.error("SCRIPT_ERROR");
    assert!(error["message"].as_str().is_some_and(|text| text.contains("too old")), "{error}");
    plain.has_nothing().await;
}
