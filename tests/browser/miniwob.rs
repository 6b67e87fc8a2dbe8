//! The tasks of MiniWoB++ (`make miniwob`): small pages that say what to do, and pay a reward when it is done. The policy in
//! `tests/miniwob` does them through the command line alone. Here is what surrounds it: the browser, the seeds, and the
//! rewards, which are the page's own word.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::rig::{Rig, Visit, text};
use super::support::{Page, Screen, Site, settings};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// With how many cases of a task the policy has to be rewarded. The pages draw them from the seeds 1, 2, 3, …
const CASES: usize = 3;
/// Longer than any task gives.
const LONGEST: Duration = Duration::from_secs(60);

/// A run of `tests/miniwob/play.py` in a session.
struct Policy {
    // Killed when dropped.
    _process: Child,
    tasks: ChildStdin,
    outcomes: Lines<BufReader<ChildStdout>>,
}

impl Policy {
    fn of(visit: &Visit<'_>) -> Self {
        let home = visit.rig.daemon.home.path();
        let mut process = Command::new("python3")
            .arg(Path::new(ROOT).join("tests/miniwob/play.py"))
            .args([env!("CARGO_BIN_EXE_bproxy"), &visit.session])
            .envs(settings(&home))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start python3: {error}; install it"));
        let tasks = process.stdin.take().expect("its input");
        let outcomes = BufReader::new(process.stdout.take().expect("its output")).lines();
        Self { _process: process, tasks, outcomes }
    }

    /// Does the task that the page shows, and gives the error if there was one, and whether what the page asks for fits
    /// several things.
    async fn play(&mut self, task: &str) -> (Option<String>, bool) {
        self.tasks.write_all(format!("{task}\n").as_bytes()).await.expect("a policy that reads");
        let outcome = tokio::time::timeout(LONGEST, self.outcomes.next_line()).await;
        let outcome = outcome.unwrap_or_else(|_| panic!("the policy for {task} goes on and on"));
        let line = outcome.expect("its output").expect("a policy that runs");
        let outcome: Value = serde_json::from_str(&line).expect("JSON");
        (outcome["error"].as_str().map(str::to_owned), outcome["ambiguous"] == true)
    }
}

/// The names of all tasks for which there is a policy, or of those in `MINIWOB_TASKS`.
async fn tasks() -> Vec<String> {
    if let Ok(some) = std::env::var("MINIWOB_TASKS") {
        return some.split_whitespace().map(str::to_owned).collect();
    }
    let play = Path::new(ROOT).join("tests/miniwob/play.py");
    let output = Command::new("python3").arg("-B").arg(play).output().await.expect("python3");
    let names = String::from_utf8(output.stdout).expect("UTF-8");
    names.lines().map(str::to_owned).collect()
}

/// What came of a case of a task.
enum Outcome {
    Paid(f64),
    Unpaid(String),
    /// Its time ran out, which on a busy machine is not the policy's fault.
    Late,
    /// What the page asks for fits several things.
    Ambiguous(String),
}

impl Outcome {
    /// Lets the policy do a case of a task in the tab that `seen` shows.
    async fn of(
        task: &str,
        seed: usize,
        visit: &Visit<'_>,
        seen: &Page<'_>,
        pages: &Site,
        policy: &mut Policy,
    ) -> Self {
        visit.data(&["navigate", &pages.url(&format!("miniwob/{task}.html"))]).await;
        seen.until("window.core?.cover_div && document.readyState === 'complete'").await;
        seen.evaluate(&format!("Math.seedrandom('{seed}')")).await;
        let (error, ambiguous) = policy.play(task).await;
        match error {
            Some(why) if ambiguous => return Self::Ambiguous(why),
            None => seen.until("WOB_DONE_GLOBAL").await,
            _ => {}
        }
        let reward = seen.evaluate("WOB_REWARD_GLOBAL").await.as_f64().expect("a number");
        let query = text(&seen.evaluate("document.querySelector('#query').innerText").await);
        match error {
            _ if reward > 0.0 => Self::Paid(reward),
            _ if seen.evaluate("WOB_REWARD_REASON").await == "timed out" => Self::Late,
            error => {
                let why = error.unwrap_or_else(|| format!("reward {reward}"));
                Self::Unpaid(format!("seed {seed}, {query}: {why}"))
            }
        }
    }
}

/// Does each task in several cases, in a session of this browser, and says which of them were not rewarded. A case that fits
/// several things is passed over; one whose time ran out is done once more.
async fn play_all(rig: &Rig, screen: Option<&mut Screen>) {
    let pages = Site::of(&Path::new(ROOT).join("target/miniwob/miniwob/html")).await;
    let visit = rig.visit("article.html").await;
    let mut policy = Policy::of(&visit);
    let seen = visit.page("article.html").await;
    let behind = screen.is_some();
    if let Some(screen) = screen {
        seen.until("document.hasFocus()").await;
        screen.open_window();
        seen.until("!document.hasFocus()").await;
    }
    let tasks = tasks().await;
    let mut unpaid: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for task in &tasks {
        let mut cases = 0;
        for seed in 1.. {
            if cases == CASES {
                break;
            }
            let mut outcome = Outcome::of(task, seed, &visit, &seen, &pages, &mut policy).await;
            if let Outcome::Late = outcome {
                println!("{task} {seed}: its time ran out; once more");
                outcome = Outcome::of(task, seed, &visit, &seen, &pages, &mut policy).await;
            }
            let focused = seen.evaluate("document.hasFocus()").await;
            assert!(focused != json!(true) || !behind, "{task}: another window is in front");
            cases += 1;
            match outcome {
                Outcome::Paid(reward) => println!("{task} {seed}: {reward:.2}"),
                Outcome::Ambiguous(why) => {
                    println!("{task} {seed}: passed over, {why}");
                    cases -= 1;
                }
                Outcome::Late => unpaid.entry(task).or_default().push(format!("seed {seed}: late")),
                Outcome::Unpaid(why) => {
                    println!("{task} {seed}: NOT PAID, {why}");
                    unpaid.entry(task).or_default().push(why);
                }
            }
        }
    }
    println!("{} of {} tasks rewarded in all cases", tasks.len() - unpaid.len(), tasks.len());
    assert!(unpaid.is_empty(), "not rewarded: {unpaid:#?}");
}

#[tokio::test]
#[ignore = "make miniwob runs it"]
async fn the_policy_is_rewarded_for_the_tasks() {
    let rig = Rig::new().await;
    play_all(&rig, None).await;
    rig.browser.close().await;
}

#[tokio::test]
#[ignore = "make miniwob runs it"]
async fn the_policy_is_rewarded_while_another_window_has_the_focus() {
    let mut screen = Screen::start().await;
    let rig = Rig::on(&screen).await;
    play_all(&rig, Some(&mut screen)).await;
    rig.browser.close().await;
}
