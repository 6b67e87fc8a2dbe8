//! The cost of a command as a number that is the same on every machine: allocations of the daemon's thread.
//!
//! The bounds are generous. They catch a command that becomes many times as expensive, not one that becomes a little slower;
//! `make bench` is for that.

use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use allocation_counter::AllocationInfo;
use bproxy::daemon::{Activation, Listeners, Options, serve};
use bproxy::home::Home;
use bproxy::secrets::{ExtensionCredential, FileStore, Secret};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, Client, FakeExtension, Pairing, origin};

/// A daemon on a thread of this process, whose allocations are counted.
struct Counted {
    client: Client,
    pairing: Pairing,
    shutdown: CancellationToken,
    thread: JoinHandle<AllocationInfo>,
    _home: tempfile::TempDir,
}

impl Counted {
    fn start() -> Counted {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let home = Home::open(&dir.path().join("home")).expect("a state directory");
        let (daemon_token, token) = (Secret::random_hex(), Secret::random_base64url());
        let pairing = Pairing { token: token.expose().to_owned(), origin: origin('a') };
        let extension = ExtensionCredential { token, origin: Some(pairing.origin.clone()) };
        let options = Options {
            secrets: Arc::new(FileStore::new(home.clone())),
            home,
            daemon_token: daemon_token.clone(),
            extension: Some(extension),
            extension_ids: None,
            resume: bproxy::config::Resume::Person,
            activation: Activation::Standalone,
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let client = Client { port, token: daemon_token.expose().to_owned() };
        let shutdown = CancellationToken::new();
        let (ready, is_ready) = mpsc::channel();
        let thread = thread::spawn({
            let shutdown = shutdown.clone();
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .expect("a runtime");
                allocation_counter::measure(|| {
                    let ready = |_| ready.send(()).expect("a test that waits");
                    let listeners = Listeners { port: listener, local: None };
                    runtime.block_on(serve(listeners, options, ready, shutdown)).expect("a daemon");
                })
            }
        });
        is_ready.recv().expect("a daemon that becomes ready");
        Counted { client, pairing, shutdown, thread, _home: dir }
    }

    fn stop(self) -> AllocationInfo {
        self.shutdown.cancel();
        self.thread.join().expect("a daemon that ends well")
    }
}

/// Allocations and bytes, as numbers of one command.
#[derive(Debug)]
struct Cost {
    allocations: f64,
    bytes: f64,
}

/// The cost of one read that is answered with so much text, in a daemon of so many sessions with 30 tabs each.
async fn of_one_read(text_bytes: usize, sessions: usize) -> Cost {
    /// Enough that the daemon keeps nothing more of later ones.
    const EARLIER: u64 = 250;
    const COUNTED: u64 = 200;
    let earlier = reads(EARLIER, text_bytes, sessions).await;
    let all = reads(EARLIER + COUNTED, text_bytes, sessions).await;
    let each = |all: u64, earlier: u64| (all - earlier) as f64 / COUNTED as f64;
    Cost {
        allocations: each(all.count_total, earlier.count_total),
        bytes: each(all.bytes_total, earlier.bytes_total),
    }
}

/// What the thread of a daemon allocates from its start to its end, with so many reads in between.
async fn reads(count: u64, text_bytes: usize, sessions: usize) -> AllocationInfo {
    let daemon = Counted::start();
    let client = daemon.client.clone();
    let mut extension =
        FakeExtension::connect(client.port, &daemon.pairing).await.expect("an upgrade");
    extension.hello("one").await;
    extension.fence().await;
    let mut tab = extension.open_tab(&client).await;
    for session in 0..sessions {
        if session > 0 {
            tab = extension.open_tab(&client).await;
        }
        for _ in 1..30 {
            extension.open_tab_in(&client, &tab.session).await;
        }
    }
    let data = json!({"text": "x".repeat(text_bytes)});
    let serving = extension.serve(move |_| Some(Answer::Data(data.clone())));
    let mut connection = client.connect().await;
    for _ in 0..count {
        client.post_on(&mut connection, &tab.request("text").bytes()).await;
        let response = connection.response().await;
        assert!(response.status == 200 && response.body.len() > text_bytes);
    }
    drop(serving);
    daemon.stop()
}

#[tokio::test]
async fn a_small_read_takes_few_allocations() {
    let cost = of_one_read(200, 1).await;
    assert!(cost.allocations < 80.0 && cost.bytes < 16.0 * 1024.0, "{cost:?}");
}

#[tokio::test]
async fn a_large_answer_is_passed_on_and_not_copied() {
    const BYTES: usize = 1024 * 1024;
    let cost = of_one_read(BYTES, 1).await;
    assert!(cost.bytes < 2.0 * BYTES as f64, "{cost:?}");
}

#[tokio::test]
async fn a_read_costs_no_more_among_many_sessions_and_tabs() {
    let (alone, among_many) = (of_one_read(200, 1).await, of_one_read(200, 16).await);
    assert!(among_many.allocations < 1.1 * alone.allocations, "{alone:?} {among_many:?}");
    assert!(among_many.bytes < 1.1 * alone.bytes, "{alone:?} {among_many:?}");
}
