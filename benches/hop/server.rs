//! A server as a process of its own: started, looked at from outside, ended.

use std::collections::HashMap;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rustix::thread::{CpuSet, sched_setaffinity};
use tempfile::TempDir;

use crate::browser::{Browser, ORIGIN};
use crate::client::Client;

/// Where the server runs; everything else is on [`TOOLS`].
const SERVER: usize = 0;
const TOOLS: usize = 1;

/// No server takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which program carries the commands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// This one, without a rule.
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
    /// Where it listens.
    pub(crate) port: u16,
    /// What clients show.
    pub(crate) token: Rc<str>,
    /// What the browser shows.
    browser_token: String,
    /// From before its start until a connection was accepted.
    pub(crate) started_in: Duration,
}

/// Keeps this process, and what it starts, on one processor.
pub(crate) fn stay_on(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor);
    // On a machine with one processor there is nothing to choose.
    let _ = sched_setaffinity(None, &set);
}

/// Keeps the tools off the server's processor.
pub(crate) fn stay_away() {
    stay_on(TOOLS);
}

impl Server {
    /// Starts one, and pairs with it.
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
        stay_on(SERVER);
        let begin = Instant::now();
        let mut child = command.spawn().expect("the server's program");
        stay_away();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = child.try_wait().expect("a child");
            assert!(ended.is_none() && begin.elapsed() < PATIENCE, "{kind:?} did not start");
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
            assert!(begin.elapsed() < PATIENCE, "the daemon did not become ready");
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

    /// A browser that answers reads with `text`.
    pub(crate) async fn browser(&self, text: Rc<str>) -> Browser {
        Browser::connect(self.port, &self.browser_token, text).await
    }

    /// An agent's client.
    pub(crate) fn client(&self, keep_alive: bool) -> Client {
        Client::new(self.port, self.token.clone(), keep_alive)
    }

    /// Sessions, each with a tab of its own, that no pause holds up. The floor knows none, and needs none.
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

    /// Closes sessions, so that the next ones find room.
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

    /// How long its threads have been running on a processor.
    pub(crate) fn cpu(&self) -> Duration {
        let running = self.threads("schedstat", |text| text.split(' ').next()?.parse().ok());
        Duration::from_nanos(running.values().sum())
    }

    /// How often its lasting threads go to sleep, which is how often they are woken, while `watched` runs.
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
        // A thread that has ended meanwhile takes its number with it.
        let after = sleeps();
        after.iter().map(|(id, after)| after - before.get(id).unwrap_or(&0)).sum()
    }

    /// A number of each thread, by its id.
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
        // It may have ended by itself, which then has been noticed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Below the ports that the system gives to clients: a connection to such a one may reach itself.
fn free_port() -> u16 {
    loop {
        let port = rand::random_range(20_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
