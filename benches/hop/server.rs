//! A server in a separate process: starts it, measures it through `/proc`, kills it.

use std::collections::HashMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bproxy::protocol::Proof;
use rustix::thread::{CpuSet, sched_setaffinity};
use tempfile::TempDir;

use crate::browser::{Browser, ORIGIN};
use crate::client::Client;

/// The processor of the server; everything else runs on [`TOOLS_CPU`].
const SERVER_CPU: usize = 0;
const TOOLS_CPU: usize = 1;

/// How long a server may take to start, far more than it needs.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// Which server is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// The minimal server in `floor.rs`.
    Floor,
    /// The daemon.
    Bproxy,
}

impl Kind {
    /// Its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Floor => "floor",
            Kind::Bproxy => "bproxy",
        }
    }
}

/// A running server; killed when dropped.
pub(crate) struct Server {
    kind: Kind,
    child: Child,
    dir: TempDir,
    /// The port that it listens on.
    pub(crate) port: u16,
    /// The token of clients.
    pub(crate) token: Rc<str>,
    /// The token of the browser.
    browser_token: String,
    /// The time from spawning it until it accepted a connection.
    pub(crate) started_in: Duration,
}

/// Pins this process, and the processes that it starts, to one processor.
pub(crate) fn pin_to(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor);
    // Fails on a machine with one processor, where there is no choice.
    let _ = sched_setaffinity(None, &set);
}

/// Keeps this process off the server's processor.
pub(crate) fn pin_tools() {
    pin_to(TOOLS_CPU);
}

impl Server {
    /// Starts a server and pairs with it.
    pub(crate) async fn start(kind: Kind) -> Server {
        let dir = tempfile::tempdir().expect("a temporary directory");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).expect("own directory");
        let port = free_port();
        let mut command = match kind {
            Kind::Floor => {
                let mut floor = Command::new(std::env::current_exe().expect("this program"));
                floor.args(["floor", &port.to_string()]);
                floor
            }
            Kind::Bproxy => {
                let mut daemon = Command::new(env!("CARGO_BIN_EXE_bproxy"));
                daemon
                    .arg("daemon")
                    .env("BPROXY_HOME", dir.path())
                    .env("BPROXY_PORT", port.to_string())
                    .env("BPROXY_SECRETS", "file")
                    .env("BPROXY_LOG", "file")
                    .env("BPROXY_LOG_LEVEL", "info");
                daemon
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null());
        pin_to(SERVER_CPU);
        let begin = Instant::now();
        let mut child = command.spawn().expect("the server's program");
        pin_tools();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none() && begin.elapsed() < START_DEADLINE, "{kind:?} did not start");
            std::thread::sleep(Duration::from_micros(100));
        }
        let started_in = begin.elapsed();
        let mut server = Server {
            kind,
            child,
            dir,
            port,
            token: "none".into(),
            browser_token: "none".into(),
            started_in,
        };
        if kind == Kind::Bproxy {
            server.pair().await;
        }
        server
    }

    async fn pair(&mut self) {
        let begin = Instant::now();
        while !self.home().join("port").exists() {
            assert!(begin.elapsed() < START_DEADLINE, "the daemon did not become ready");
            std::thread::sleep(Duration::from_millis(1));
        }
        let home = self.home();
        let read = |name: &str| fs::read_to_string(home.join(name)).expect(name);
        self.token = read("token").trim().into();
        let pairing: serde_json::Value = serde_json::from_str(&read("pairing.json")).expect("JSON");
        let claim = format!(r#"{{"code":{}}}"#, pairing["pairingCode"]);
        let mut client = Client::new(self.port, "none".into(), false);
        let answer = client.post("/pair/claim", &format!("Origin: {ORIGIN}\r\n"), &claim).await;
        let answer: serde_json::Value = serde_json::from_slice(answer).expect("JSON");
        self.browser_token = answer["data"]["extensionToken"].as_str().expect("a token").into();
    }

    /// Connects a browser that answers reads with `text`.
    pub(crate) async fn browser(&self, text: Rc<str>) -> Browser {
        let mut offered = "bproxy.v1".to_owned();
        if self.kind == Kind::Bproxy {
            let mut client = self.client(false);
            let challenge = client.get(&format!("/challenge?nonce={:032}", 0)).await;
            let challenge: serde_json::Value = serde_json::from_slice(challenge).expect("JSON");
            let nonce = challenge["data"]["nonce"].as_str().expect("a nonce");
            let proof = Proof::Extension { nonce }.of(&self.browser_token, self.port);
            offered.push_str(&format!(", proof.{nonce}.{proof}"));
        }
        Browser::connect(self.port, &offered, text).await
    }

    /// An agent's client.
    pub(crate) fn client(&self, keep_alive: bool) -> Client {
        Client::new(self.port, self.token.clone(), keep_alive)
    }

    /// Opens sessions with one tab each and no pacing. The floor has no sessions.
    pub(crate) async fn sessions(&self, count: usize) -> Vec<Rc<str>> {
        if self.kind == Kind::Floor {
            return vec!["none".into(); count];
        }
        let mut client = self.client(true);
        let mut sessions: Vec<Rc<str>> = Vec::with_capacity(count);
        for _ in 0..count {
            let opened = client.command("tab.open", r#"{"url":"https://example.com/"}"#, "").await;
            let session = crate::wire::text(opened, "session").expect("a session");
            let session: Rc<str> = str::from_utf8(session).expect("ASCII").into();
            client.command("session.bind", r#"{"pacing":"fast"}"#, &session).await;
            sessions.push(session);
        }
        sessions
    }

    /// Closes sessions, so that the limit allows the next ones.
    pub(crate) async fn close(&self, sessions: &[Rc<str>]) {
        let mut client = self.client(true);
        for session in sessions.iter().filter(|_| self.kind == Kind::Bproxy) {
            client.command("session.close", "{}", session).await;
        }
    }

    /// The daemon's state directory.
    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    /// The processor time of its threads so far.
    pub(crate) fn cpu(&self) -> Duration {
        let running = self.threads("schedstat", |text| text.split(' ').next()?.parse().ok());
        Duration::from_nanos(running.values().sum())
    }

    /// How often its threads wake up while `watched` runs, counted by how often they go to sleep.
    pub(crate) async fn wake_ups(&self, watched: impl Future<Output = ()>) -> u64 {
        let sleeps = || {
            self.threads("status", |text| {
                let line =
                    text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
                line.trim().parse().ok()
            })
        };
        let before = sleeps();
        watched.await;
        // The counts of threads that have ended meanwhile are lost.
        let after = sleeps();
        after.iter().map(|(id, after)| after - before.get(id).unwrap_or(&0)).sum()
    }

    /// Reads a number for each thread from its file in `/proc`, by thread id.
    fn threads(&self, file: &str, number: impl Fn(&str) -> Option<u64>) -> HashMap<String, u64> {
        let threads = fs::read_dir(self.proc("task")).expect("a running process");
        let read = |thread: fs::DirEntry| {
            let text = fs::read_to_string(thread.path().join(file)).ok()?;
            let id = thread.file_name().to_string_lossy().into_owned();
            Some((id, number(&text).expect("a number")))
        };
        threads.filter_map(|thread| read(thread.ok()?)).collect()
    }

    /// Resident memory in MiB.
    pub(crate) fn memory(&self) -> f64 {
        let status = fs::read_to_string(self.proc("status")).expect("a running process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
    }

    fn proc(&self, file: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{file}", self.child.id()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails if it has ended already, which another check has then reported.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A free port below the ephemeral ones: a client that connects to a free ephemeral port may connect to itself.
fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
