//! Benchmarks what an agent waits for: whole calls of the command line, to a page in a real Chromium and back
//! (`make bench`).
//!
//! The first rows cover only part of that path, so that the table shows where the time goes: a process that does nothing,
//! a call to the daemon, a call to the extension, and then calls that read or change a page. Where it is installed
//! (`make bench PEERS=1`), some rows alternate with the same call of agent-browser, a command line with a browser of its own.

#[path = "../tests/support/mod.rs"]
mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use support::{Browser, Daemon, Desktop, Home, Site, bproxy};

/// Calls before the measured ones, because a browser optimizes what it has done before.
const WARM_UP: usize = 30;
const CALLS: usize = 100;

/// A row of the table: one call of the command line, measured repeatedly.
struct Row {
    name: &'static str,
    /// The arguments. If there are several sets of them, the calls alternate between them.
    words: Vec<Vec<String>>,
    /// Whether the call goes to the daemon with its tokens in the keyring.
    keyring: bool,
    /// The upper limit of the median, in ms.
    goal: Option<f64>,
    latencies: Vec<Duration>,
    /// The arguments of agent-browser for the same, and what it took.
    beside: Vec<Vec<String>>,
    beside_latencies: Vec<Duration>,
}

impl Row {
    fn new(name: &'static str, words: &[&str], goal: Option<f64>) -> Row {
        let row = Row {
            name,
            words: Vec::new(),
            keyring: false,
            goal,
            latencies: Vec::new(),
            beside: Vec::new(),
            beside_latencies: Vec::new(),
        };
        row.or(words)
    }

    fn or(mut self, words: &[&str]) -> Row {
        self.words.push(words.iter().map(ToString::to_string).collect());
        self
    }

    fn beside(mut self, words: &[&str]) -> Row {
        self.beside.push(words.iter().map(ToString::to_string).collect());
        self
    }
}

/// A quantile of sorted times, in ms.
fn quantile(latencies: &[Duration], share: f64) -> f64 {
    latencies[(share * (latencies.len() - 1) as f64) as usize].as_secs_f64() * 1e3
}

/// agent-browser with a browser of its own, in a folder of its own; ended when dropped.
struct Beside {
    program: PathBuf,
    home: tempfile::TempDir,
}

impl Beside {
    fn new() -> Option<Beside> {
        let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
        let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!(
            "tests/corpus/peers/node_modules/agent-browser/bin/agent-browser-{system}-{arch}"
        ));
        let home = tempfile::tempdir().expect("a temporary directory");
        if !program.exists() {
            return None;
        }
        // As it comes from the registry, only its own installer makes it executable.
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755))
            .expect("own file");
        Some(Beside { program, home })
    }

    fn command(&self, words: &[String]) -> Command {
        let chromium = std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
        let mut command = Command::new(&self.program);
        command
            .env("HOME", self.home.path())
            .env("AGENT_BROWSER_EXECUTABLE_PATH", chromium)
            .env("AGENT_BROWSER_ARGS", "--no-sandbox")
            .args(words);
        command
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.command(&["close".to_owned(), "--all".to_owned()]).output();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (daemon, browser, site) =
        tokio::join!(Daemon::start(), Browser::start(false), Site::start());
    browser.pair(daemon.port, &daemon.pairing_code()).await;
    let essay = session(&daemon, &site.url("essay.html")).await;
    let directory = session(&daemon, &site.url("directory.html")).await;
    let travels = session(&daemon, &site.url("article.html")).await;
    let quiet = site.url("later.html?by=timer&after=0");
    let still = session(&daemon, &quiet).await;
    let (article, login) = (site.url("article.html"), site.url("login.html"));
    let kept = match Desktop::new().await {
        Some(desktop) => {
            let daemon = Home::new().daemon().envs(desktop.env()).env("BPROXY_SECRETS", "keyring");
            Some((desktop, daemon.start().await))
        }
        None => None,
    };
    let mut rows = vec![
        Row::new("bproxy --version: a process", &["--version"], Some(1.1)),
        Row::new("debug status: and the daemon", &["debug", "status"], Some(1.9)),
        Row::new(
            "debug log: and the extension",
            &["debug", "log", "-s", &essay, "--limit", "1"],
            None,
        ),
        Row::new("text: and a page of 20 KB", &["text", "-s", &essay], Some(3.5))
            .beside(&["get", "text", "body"]),
        Row::new("links: 300 of them", &["links", "-s", &directory], Some(15.0)),
        Row::new("elements: 300 of them", &["elements", "-s", &directory], Some(15.0)),
        Row::new("snapshot: of the same page", &["snapshot", "-s", &directory], Some(15.0)),
        Row::new(
            "click: that does nothing",
            &["click", "--selector", "#nothing", "-s", &still],
            Some(30.0),
        )
        .beside(&["click", "#nothing"]),
        Row::new(
            "navigate: between small pages",
            &["navigate", &article, "-s", &travels],
            Some(50.0),
        )
        .or(&["navigate", &login, "-s", &travels])
        .beside(&["open", &article])
        .beside(&["open", &login]),
    ];
    let beside = Beside::new();
    if kept.is_some() {
        let row = Row::new("debug status: by a keyring's token", &["debug", "status"], Some(2.9));
        rows.insert(2, Row { keyring: true, ..row });
    }
    for row in &mut rows {
        if let (Some(beside), Some(first)) = (&beside, row.beside.first()) {
            let page = if first[0] == "click" { &quiet } else { &site.url("essay.html") };
            call("agent-browser", beside.command(&["open".to_owned(), page.clone()])).await;
        }
        for number in 0..WARM_UP + CALLS {
            let mut command = match &kept {
                Some((desktop, kept)) if row.keyring => {
                    desktop.bproxy(&kept.home.path(), "keyring")
                }
                _ => bproxy(&daemon.home.path()),
            };
            command.args(&row.words[number % row.words.len()]);
            let latencies = call(row.name, command.into_std()).await;
            if number >= WARM_UP {
                row.latencies.push(latencies);
            }
            let (Some(beside), false) = (&beside, row.beside.is_empty()) else { continue };
            let words = &row.beside[number % row.beside.len()];
            let latencies = call("agent-browser", beside.command(words)).await;
            if number >= WARM_UP {
                row.beside_latencies.push(latencies);
            }
        }
    }
    println!(
        "{:34} {:>9} {:>9} {:>9} {:>8} {:>21}",
        "ms", "p50", "p10", "p90", "goal", "agent-browser p50 p10"
    );
    for row in &mut rows {
        row.latencies.sort_unstable();
        row.beside_latencies.sort_unstable();
        let at = |share| quantile(&row.latencies, share);
        let goal = row.goal.map_or_else(String::new, |goal| {
            format!("≤ {goal}{}", if at(0.5) <= goal { "" } else { " !" })
        });
        let beside = match &row.beside_latencies[..] {
            [] => String::new(),
            times => format!("{:.2} {:.2}", quantile(times, 0.5), quantile(times, 0.1)),
        };
        let [middle, least, most] = [0.5, 0.1, 0.9].map(at);
        println!("{:34} {middle:>9.2} {least:>9.2} {most:>9.2} {goal:>8} {beside:>21}", row.name);
    }
    println!("load: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    browser.close().await;
    if let Some((_desktop, daemon)) = kept {
        daemon.stop().await;
    }
    daemon.stop().await;
}

/// Measures a call, on a separate thread so that the event loop's other work does not count.
async fn call(name: &'static str, mut command: Command) -> Duration {
    let call = move || {
        let begin = Instant::now();
        let output = command.output().expect("a call");
        let latencies = begin.elapsed();
        assert!(output.status.success(), "{name}: {output:?}");
        latencies
    };
    tokio::task::spawn_blocking(call).await.expect("a call that succeeds")
}

/// Opens a session without pacing whose tab shows `url` in the foreground, because browsers throttle background tabs.
async fn session(daemon: &Daemon, url: &str) -> String {
    let opened = support::run(&daemon.home, &["tab", "open", url]).await.data();
    let session = opened["session"].as_str().expect("a session").to_owned();
    for words in [&["session", "bind", "--pacing", "fast"][..], &["tab", "activate"]] {
        support::run(&daemon.home, &[words, &["-s", &session]].concat()).await.data();
    }
    session
}
