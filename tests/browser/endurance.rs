//! Many commands across many restarts of the service worker.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::rig::{Rig, Visit, says};
use super::support::{Request, request, wait_for};

/// The outcome of many commands.
struct Tally {
    /// How many more may be begun.
    allowed: Semaphore,
    answered: AtomicUsize,
    refused: AtomicUsize,
}

impl Tally {
    /// Sends `count` commands, one after the other; those refused because no browser is connected are retried. Returns
    /// their data, or `None` for an act whose worker ended in the middle of it.
    async fn run(
        &self,
        rig: &Rig,
        count: usize,
        command: impl Fn(usize) -> Request,
    ) -> Vec<Option<Value>> {
        let mut outcomes = Vec::new();
        while outcomes.len() < count {
            let leave = self.allowed.acquire().await.expect("never closed");
            let reply = rig.daemon.send(command(outcomes.len())).await.json();
            let error = &reply["error"];
            outcomes.push(match error["code"].as_str() {
                None => {
                    assert_eq!(reply["ok"], true, "{reply}");
                    Some(reply["data"].clone())
                }
                Some("SCRIPT_ERROR") => {
                    says(error, &["unknown"]);
                    None
                }
                Some("NO_EXTENSION") => {
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    rig.present().await;
                    continue;
                }
                Some(_) => panic!("{reply}"),
            });
            leave.forget();
            self.answered.fetch_add(1, Ordering::Relaxed);
        }
        outcomes
    }
}

/// In an idle hour Chrome ends the worker about once for each alarm that woke it: once a minute.
const SUSPENDS_OF_AN_HOUR: usize = 60;

#[tokio::test]
async fn of_a_thousand_commands_none_is_lost_or_done_twice_across_an_hours_worth_of_suspends() {
    const CLICKS: usize = 200;
    const READS: usize = 300;
    const PINS: usize = 200;
    const ALL: usize = CLICKS + 2 * READS + PINS;
    const PER_LIFE: usize = ALL / SUSPENDS_OF_AN_HOUR;
    /// Of these; the others are on their way when the worker ends.
    const ANSWERED: usize = 4;
    let rig = Rig::new().await;
    let (clicked, one, two) = (
        rig.visit("tally.html?clicks").await,
        rig.open("tally.html?one").await,
        rig.open("tally.html?two").await,
    );
    let pinned = rig.open("links.html").await;
    let tally = Tally {
        allowed: Semaphore::new(0),
        answered: AtomicUsize::new(0),
        refused: AtomicUsize::new(0),
    };
    let answered = || tally.answered.load(Ordering::Relaxed);
    let suspends = async {
        for _ in 0..SUSPENDS_OF_AN_HOUR {
            let before = answered();
            tally.allowed.add_permits(PER_LIFE);
            wait_for("commands to be answered", || (answered() >= before + ANSWERED).then_some(()))
                .await;
            rig.suspend().await;
        }
        tally.allowed.add_permits(ALL % SUSPENDS_OF_AN_HOUR);
    };
    let button = |index: usize| format!("#b{}", index % CLICKS);
    let text_of = |page: &Visit<'_>, index| {
        request("text").session(&page.session).params(json!({"selector": button(index)}))
    };
    let click = |index| {
        request("click")
            .session(&clicked.session)
            .params(json!({"target": {"selector": button(index)}}))
    };
    let pin = |index: usize| {
        request(if index.is_multiple_of(2) { "tab.pin" } else { "tab.unpin" })
            .session(&pinned.session)
    };
    let ((), clicks, ones, twos, pins) = tokio::join!(
        suspends,
        tally.run(&rig, CLICKS, click),
        tally.run(&rig, READS, |index| text_of(&one, index)),
        tally.run(&rig, READS, |index| text_of(&two, index)),
        tally.run(&rig, PINS, pin),
    );
    assert_eq!(answered(), ALL);

    // Every read got its own answer, and no read an unknown one.
    for (index, read) in ones.iter().enumerate().chain(twos.iter().enumerate()) {
        let read = read.as_ref().unwrap_or_else(|| panic!("read {index} is unknown"));
        assert_eq!(read["text"], format!("Button {}", index % CLICKS));
    }
    // What was answered was done, once; what is unknown at most once.
    let seen = clicked.page("tally.html?clicks").await;
    let counts = seen.evaluate("window.clicks").await;
    for (index, click) in clicks.iter().enumerate() {
        let count = counts[index].as_u64().expect("a count");
        let expected = if click.is_some() { 1..=1 } else { 0..=1 };
        assert!(expected.contains(&count), "button {index} was clicked {count} times: {click:?}");
    }
    for (index, pin) in pins.iter().enumerate() {
        let Some(pin) = pin else { continue };
        assert_eq!(pin["pinned"], index.is_multiple_of(2));
    }
    let unknown = |outcomes: &[Option<Value>]| outcomes.iter().filter(|it| it.is_none()).count();
    println!(
        "{SUSPENDS_OF_AN_HOUR} suspends; outcome unknown of {} clicks and {} pins; {} refused and asked again",
        unknown(&clicks),
        unknown(&pins),
        tally.refused.load(Ordering::Relaxed)
    );
    rig.browser.close().await;
}
