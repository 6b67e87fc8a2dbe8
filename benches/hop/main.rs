//! Benchmarks what a command costs in the daemon, compared to a floor: a minimal server for the same hop (`make bench`).
//!
//! Every round measures a fresh floor and a fresh daemon under the same load, each on a processor of its own. Absolute
//! times vary with the machine's other work, but affect both servers of a round alike, so the result is the median of the
//! rounds' ratios. Every answer is checked. `docs/performance.md` says how to read the table.

mod browser;
mod client;
mod floor;
mod report;
mod server;
mod wire;

use std::cell::Cell;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::task::{JoinSet, LocalSet};

use report::{Figures, Goal, Report};
use server::{Kind, Server};

/// The size of a typical answer's text.
const SMALL: usize = 200;
const MIB: usize = 1024 * 1024;

/// The number of warm-up commands before a measurement, by the size of their answers.
const WARM_UP: [(usize, usize); 3] = [(SMALL, 10_000), (MIB, 40), (5 * MIB, 10)];

const WARM_UP_SESSIONS: usize = 4;

/// The limits of the daemon's state (docs/protocol.md), to which the benchmark fills it.
const FULL_SESSIONS: usize = 256;
const FULL_TABS: usize = 2000;
/// The number of reads, with 200 links each, that fills the table of handles.
const FULL_READS: usize = 5;

/// How long to observe an idle daemon.
const IDLE: Duration = Duration::from_secs(60);

/// The number of calls of the command line in every round.
const CALLS: usize = 100;

#[derive(Parser)]
#[command(about = "Compares the daemon with a minimal server for the same hop")]
struct Options {
    /// The number of rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// A factor for the number of commands.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Passed by cargo; ignored.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A load profile, and what to measure under it.
struct Scenario {
    name: &'static str,
    commands: usize,
    concurrency: usize,
    answer_bytes: usize,
    keep_alive: bool,
    figures: &'static [(Figure, Goal)],
}

/// A quantity that a scenario measures.
#[derive(Clone, Copy)]
enum Figure {
    /// The median latency, in µs.
    P50,
    /// The 99th percentile of the latency, in µs.
    P99,
    /// The server's processor time per 10,000 commands, in ms.
    Cpu,
    /// The throughput, in commands per second.
    PerSecond,
}

const SCENARIOS: [Scenario; 6] = [
    Scenario {
        name: "one at a time",
        commands: 5000,
        concurrency: 1,
        answer_bytes: SMALL,
        keep_alive: true,
        figures: &[
            (Figure::P50, Goal::AtMost(1.25)),
            (Figure::P99, Goal::AtMost(1.5)),
            (Figure::Cpu, Goal::AtMost(1.5)),
        ],
    },
    Scenario {
        name: "one at a time, new connections",
        commands: 5000,
        concurrency: 1,
        answer_bytes: SMALL,
        keep_alive: false,
        figures: &[(Figure::P50, Goal::AtMost(1.25)), (Figure::P99, Goal::AtMost(1.5))],
    },
    Scenario {
        name: "16 at a time",
        commands: 60_000,
        concurrency: 16,
        answer_bytes: SMALL,
        keep_alive: true,
        figures: &[(Figure::Cpu, Goal::AtMost(2.5)), (Figure::PerSecond, Goal::AtLeast(0.45))],
    },
    Scenario {
        name: "64 at a time",
        commands: 60_000,
        concurrency: 64,
        answer_bytes: SMALL,
        keep_alive: true,
        figures: &[(Figure::Cpu, Goal::AtMost(2.5)), (Figure::PerSecond, Goal::AtLeast(0.45))],
    },
    Scenario {
        name: "answers of 1 MiB",
        commands: 400,
        concurrency: 4,
        answer_bytes: MIB,
        keep_alive: true,
        figures: &[(Figure::PerSecond, Goal::AtLeast(0.7))],
    },
    Scenario {
        name: "answers of 5 MiB",
        commands: 100,
        concurrency: 4,
        answer_bytes: 5 * MIB,
        keep_alive: true,
        figures: &[(Figure::PerSecond, Goal::AtLeast(0.7))],
    },
];

fn main() {
    // This program is also the floor's server, which it starts as a child process.
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, role, port] = &arguments[..]
        && role == "floor"
    {
        return floor::serve(port.parse().expect("a port"));
    }
    let options = Options::parse();
    server::pin_tools();
    let mut report = Report::default();
    LocalSet::new().block_on(&runtime(), async {
        for round in 1..=options.rounds {
            for kind in [Kind::Floor, Kind::Bproxy] {
                eprintln!("round {round} of {}: {}", options.rounds, kind.name());
                let is_last = round == options.rounds;
                report.add(kind, measure(kind, options.scale, is_last).await);
            }
        }
    });
    report.print();
    report.write();
}

/// A single-threaded runtime, like the daemon's.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Measures one server in one round.
async fn measure(kind: Kind, scale: f64, is_last: bool) -> Figures {
    let mut figures = Figures::default();
    let server = Server::start(kind).await;
    figures.add("start", "ms", server.started_in.as_secs_f64() * 1e3, Goal::Own(8.0));
    let mut answer_bytes = 0;
    let mut browser = None;
    for scenario in &SCENARIOS {
        if answer_bytes != scenario.answer_bytes {
            answer_bytes = scenario.answer_bytes;
            drop(browser.take());
            browser = Some(server.browser(wire::page_text(answer_bytes).into()).await);
            if answer_bytes == SMALL {
                figures.add("memory, idle", "MiB", server.memory(), Goal::Own(8.0));
            }
            let (_, commands) =
                WARM_UP.into_iter().find(|(bytes, _)| *bytes == answer_bytes).expect("a number");
            let sessions = server.sessions(WARM_UP_SESSIONS).await;
            load(&server, &sessions, commands, true).await;
            server.close(&sessions).await;
        }
        run(&server, scenario, scenario.name, scale, &mut figures).await;
        if scenario.concurrency == 64 {
            figures.add("memory, after 64 at a time", "MiB", server.memory(), Goal::Own(12.0));
        }
    }
    figures.add("memory, after answers of 5 MiB", "MiB", server.memory(), Goal::None);
    if is_last && kind == Kind::Bproxy {
        idle(&server, &mut figures).await;
    }
    drop(browser.take());
    let _browser = server.browser(wire::page_text(SMALL).into()).await;
    if kind == Kind::Bproxy {
        calls(&server, &mut figures);
        fill(&server).await;
    }
    let (empty, full) = (SCENARIOS[0].name, "one at a time, full of state");
    run(&server, &SCENARIOS[0], full, scale, &mut figures).await;
    for what in ["p50", "processor"] {
        let value = |name| figures.value(&format!("{name}: {what}")).expect("measured before");
        let growth = value(full) / value(empty);
        figures.add(format!("full / empty: {what}"), "", growth, Goal::Own(1.1));
    }
    figures
}

async fn run(server: &Server, scenario: &Scenario, name: &str, scale: f64, figures: &mut Figures) {
    let commands = (scenario.commands as f64 * scale).max(1.0) as usize;
    let sessions = server.sessions(scenario.concurrency).await;
    let cpu = server.cpu();
    let begin = Instant::now();
    let mut latencies = load(server, &sessions, commands, scenario.keep_alive).await;
    let elapsed = begin.elapsed();
    let cpu = server.cpu().saturating_sub(cpu);
    server.close(&sessions).await;
    latencies.sort_unstable();
    let quantile = |share: f64| latencies[(share * (latencies.len() - 1) as f64) as usize];
    for (figure, goal) in scenario.figures {
        let (what, unit, value) = match figure {
            Figure::P50 => ("p50", "µs", quantile(0.5).as_secs_f64() * 1e6),
            Figure::P99 => ("p99", "µs", quantile(0.99).as_secs_f64() * 1e6),
            Figure::Cpu => ("processor", "ms/10k", cpu.as_secs_f64() * 1e3 * 1e4 / commands as f64),
            Figure::PerSecond => ("commands", "1/s", commands as f64 / elapsed.as_secs_f64()),
        };
        figures.add(format!("{name}: {what}"), unit, value, *goal);
    }
}

/// Sends reads, one at a time for each session. Returns the latencies.
async fn load(
    server: &Server,
    sessions: &[Rc<str>],
    commands: usize,
    keep_alive: bool,
) -> Vec<Duration> {
    let left = Rc::new(Cell::new(commands));
    let mut agents = JoinSet::new();
    for session in sessions {
        let (session, left) = (session.clone(), left.clone());
        let mut client = server.client(keep_alive);
        agents.spawn_local(async move {
            let mut latencies = Vec::new();
            while let Some(others) = left.get().checked_sub(1) {
                left.set(others);
                let begin = Instant::now();
                client.command("text", "{}", &session).await;
                latencies.push(begin.elapsed());
            }
            latencies
        });
    }
    agents.join_all().await.concat()
}

/// Fills the daemon's state to its limits. Its ring of traces is full after that many commands.
async fn fill(server: &Server) {
    // The measurement needs one session.
    let sessions = server.sessions(FULL_SESSIONS - 1).await;
    let mut client = server.client(true);
    for tab in sessions.len()..FULL_TABS {
        let session = &sessions[tab % sessions.len()];
        client.command("tab.open", r#"{"url":"https://example.com/"}"#, session).await;
    }
    for session in sessions.iter().take(FULL_READS) {
        client.command("links", "{}", session).await;
    }
}

/// Measures an idle daemon with a connected browser.
async fn idle(server: &Server, figures: &mut Figures) {
    eprintln!("watching an idle daemon for {} s", IDLE.as_secs());
    let cpu = server.cpu();
    let wake_ups = server.wake_ups(tokio::time::sleep(IDLE)).await;
    let share = server.cpu().saturating_sub(cpu).as_secs_f64() / IDLE.as_secs_f64();
    figures.add("memory, a minute later", "MiB", server.memory(), Goal::Own(16.0));
    figures.add("idle: share of a processor", "%", share * 100.0, Goal::Own(0.1));
    figures.add("idle: wake-ups", "1/min", wake_ups as f64, Goal::None);
}

/// Measures whole calls of the command line, and of `/bin/true` for comparison.
fn calls(server: &Server, figures: &mut Figures) {
    let bproxy = env!("CARGO_BIN_EXE_bproxy");
    let port = server.port.to_string();
    let by_port = ["debug", "status", "--port", &port];
    let programs: [(&str, Goal, &str, &[&str]); 4] = [
        ("process: true", Goal::None, "/bin/true", &[]),
        ("process: bproxy --version", Goal::Own(1.1), bproxy, &["--version"]),
        ("process: bproxy debug status", Goal::Own(1.9), bproxy, &["debug", "status"]),
        ("process: the same, by the port", Goal::None, bproxy, &by_port),
    ];
    let mut took = [const { Vec::new() }; 4];
    for _ in 0..CALLS {
        for ((.., program, arguments), took) in programs.iter().zip(&mut took) {
            let mut command = Command::new(program);
            command
                .args(*arguments)
                .env("BPROXY_HOME", server.home())
                .env("BPROXY_SECRETS", "file");
            command.stdin(Stdio::null()).stdout(Stdio::null());
            let begin = Instant::now();
            let status = command.status().expect("the program");
            took.push(begin.elapsed());
            assert!(status.success(), "{program} {arguments:?}: {status}");
        }
    }
    for ((name, goal, ..), mut took) in programs.into_iter().zip(took) {
        took.sort_unstable();
        figures.add(name, "ms", took[CALLS / 2].as_secs_f64() * 1e3, goal);
    }
}
