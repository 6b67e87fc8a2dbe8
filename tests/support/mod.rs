//! The harness of the integration tests: a real daemon from the built binary, a raw HTTP client, and a fake browser
//! extension over a real WebSocket. It knows the wire protocol and nothing of the daemon's internals.
//!
//! A test reads like this:
//!
//! ```ignore
//! let daemon = Daemon::start().await;                     // its own home and port, killed on drop
//! let mut ext = daemon.extension().await;                 // paired, connected, has said hello
//! let tab = ext.open_tab(&daemon).await;                  // a session with `fast` pacing and a bound tab
//! // The three at once: let (daemon, mut ext, tab) = Daemon::with_tab().await;
//! let text = daemon.begin(tab.request("text"));           // sent on its own connection, not yet answered
//! let command = ext.receive().await;                      // what the daemon forwards
//! ext.answer(&command, json!({"text": "hello"})).await;
//! assert_eq!(text.reply().await.data()["text"], "hello");
//! ```
//!
//! - [`Home`] is a temporary state directory; [`Daemon`] is one run of `bproxy daemon` in it. With another
//!   environment: `Home::new().daemon().env("BPROXY_EXTENSION_IDS", "…").start().await`; for a start that must fail:
//!   `.refused().await`. `stop`, `restart` and `kill` return the home or the next daemon.
//! - [`Client`] speaks HTTP to it ([`Daemon`] dereferences to it): `send` for a whole round trip, `begin` for a command
//!   whose reply is awaited later, [`Connection`] for bytes that no well-behaved client would send.
//! - [`FakeExtension`] is driven by the test (`receive`, `answer`, `fail`, `fence`), or answers by itself after `serve`.
//!   `exchange` is one whole round trip.
//! - [`Browser`] is a real Chromium with the extension, [`Site`] serves it the pages of `tests/fixtures`.
//! - [`Disk`] is a small file system of its own, to be full.
//! - [`Desktop`] is a D-Bus session with a real keyring.
//! - [`Screen`] is an X display of its own with a window manager, where another window can take the focus.
//! - [`run`] is one call of the command line; [`Call`] is its exit code and output.
//! - [`User`] is a user of a machine that a real systemd has booted; [`Machine`] is that machine.
//! - [`artefact`] is what people install, as `make packages` has made it.
//! - [`Golden`] reads the golden wire files.
//!
//! No wait here is a fixed sleep: each polls for a condition and panics after [`PATIENCE`], naming what it waited for.
//! That something does *not* happen is shown by a fence: a later round trip on the same ordered channel completes
//! without it.

// Each test program compiles this harness and uses a part of it, so what is unused in one is no finding.
#![allow(dead_code, unreachable_pub, unused_imports)]

mod artefacts;
mod browser;
mod cli;
mod client;
mod daemon;
mod devtools;
#[cfg(target_os = "linux")]
mod disk;
mod extension;
mod given;
mod golden;
mod http;
mod keyring;
mod mcp;
mod page;
mod screen;
mod site;
#[cfg(target_os = "linux")]
mod systemd;
mod terminal;

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub use artefacts::{artefact, artefacts};
pub use browser::{Browser, EXTENSION_ID, Launch};
pub use cli::{Call, StopOnDrop, bproxy, call, run};
pub use client::{Client, PendingReply, Reply, Request, request};
pub use daemon::{Daemon, Exit, Home};
#[cfg(target_os = "linux")]
pub use disk::Disk;
pub use extension::{
    Answer, CHALLENGE, Command, FakeExtension, Pairing, Serving, Tab, base64url, challenge, frame,
    nonce, origin, own_origin, page,
};
pub use given::contents;
pub use golden::{Golden, Invalid, Valid};
pub use http::{Connection, Response};
pub use keyring::Desktop;
pub use mcp::{McpClient, Reply as ToolReply, cursor};
pub use page::Page;
pub use screen::Screen;
pub use site::Site;
#[cfg(target_os = "linux")]
pub use systemd::{BPROXY, Machine, User};
pub use terminal::Terminal;

/// The longest wait of a test before it panics: far above what a loaded machine needs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition is polled.
pub const POLL: Duration = Duration::from_millis(5);

/// Now, in Unix milliseconds, as in the protocol.
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(now.as_millis()).expect("milliseconds fit")
}

/// The number in a variable of the environment, if there is one: with it a test does more than it does by itself.
pub fn number(variable: &str) -> Option<usize> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text}")))
}

/// The environment variable that says where coverage is counted, if it is: kept for every bproxy, also where the
/// environment is cleared.
pub fn counted() -> Option<(&'static str, std::ffi::OsString)> {
    const PROFILE: &str = "LLVM_PROFILE_FILE";
    Some((PROFILE, std::env::var_os(PROFILE)?))
}

/// The settings of bproxy in tests: this state directory, any free port, any extension, and no keyring or journal.
pub fn settings(home: &Path) -> [(&'static str, &OsStr); 5] {
    [
        ("BPROXY_HOME", home.as_os_str()),
        ("BPROXY_PORT", OsStr::new("0")),
        ("BPROXY_SECRETS", OsStr::new("file")),
        ("BPROXY_EXTENSION_IDS", OsStr::new("*")),
        ("BPROXY_LOG", OsStr::new("file")),
    ]
}

/// Polls until `probe` gives a value.
///
/// # Panics
/// After [`PATIENCE`], naming `what`.
pub async fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let end = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(tokio::time::Instant::now() < end, "waited {PATIENCE:?} in vain for {what}");
        tokio::time::sleep(POLL).await;
    }
}

/// Awaits `future` for at most [`PATIENCE`].
///
/// # Panics
/// After that, naming `what`.
pub async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} in vain for {what}"),
    }
}

/// Reports on standard error that the calling test is skipped. Written past the test runner, which hides the output of
/// passing tests.
///
/// # Panics
/// In continuous integration, where nothing may be skipped.
pub fn skipped(reason: &str) {
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    assert!(std::env::var_os("CI").is_none(), "{reason}");
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED {test} ({count} so far): {reason}");
}
