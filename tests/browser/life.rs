//! Living with Chrome: the worker, the daemon and the browser end at any moment, and nothing is lost or done twice.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::rig::{Rig, Visit, says, text};
use super::support::{Browser, Daemon, Request, Site, request, run, wait_for};

/// A click on what counts its clicks.
fn click(page: &Visit<'_>) -> Request {
    request("click").session(&page.session).params(json!({"target": {"selector": "#count"}}))
}

fn read(page: &Visit<'_>) -> Request {
    request("text").session(&page.session).params(json!({"selector": "#counted"}))
}

impl Rig {
    /// Ends the worker, and has it come back by an event of the browser.
    pub(super) async fn suspend(&self) {
        let count = self.daemon.records("ws_connect").len();
        self.browser.stop_worker().await;
        self.browser.wake_worker().await;
        self.connected(count + 1).await;
    }
}

#[tokio::test]
async fn the_worker_may_end_before_during_and_after_a_command() {
    let rig = Rig::new().await;
    let page = rig.visit("busy.html").await;
    let daemon = &rig.daemon;

    // Before: without its browser a command is refused and not kept.
    let connections = daemon.records("ws_connect").len();
    rig.browser.stop_worker().await;
    daemon.record("ws_disconnect", |_| true).await;
    daemon.send(click(&page)).await.error("NO_EXTENSION");
    rig.browser.wake_worker().await;
    rig.connected(connections + 1).await;
    assert_eq!(page.text("#counted").await, "0");

    // After: what ran is answered from the store, by the next worker too.
    let once = click(&page).named("click-once");
    daemon.send(once.clone()).await.data();
    rig.suspend().await;
    let again = daemon.send(once.clone()).await;
    assert_eq!((&again.data()["clicked"], &again.json()["replay"]), (&json!(true), &json!(true)));
    assert_eq!(page.text("#counted").await, "1", "clicked once");
    let other = daemon.send(read(&page).named("click-once")).await;
    assert_eq!(other.data()["text"], "1", "the id is free for another command");

    // During: the page is busy, so that the commands are under way for as long as it takes.
    let keep = |count: &str| format!("document.getElementById('counted').textContent = '{count}'");
    let seen = page.page("busy.html").await;
    for (what, under_way, outcome) in
        [("an act", click(&page), Err(())), ("a read", read(&page), Ok("10"))]
    {
        seen.evaluate(&keep("10")).await;
        seen.evaluate("document.getElementById('busy').click()").await;
        let id = under_way.id();
        let waiting = daemon.begin(under_way);
        daemon.record("forwarded", |it| it["id"] == *id).await;
        rig.suspend().await;
        let reply = waiting.reply().await;
        daemon.record("replay", |it| it["id"] == *id).await;
        match outcome {
            Ok(held) => assert_eq!(reply.data()["text"], held, "{what} is read again"),
            Err(()) => says(&reply.error("SCRIPT_ERROR"), &["unknown"]),
        }
        let count: u32 = page.text("#counted").await.parse().expect("a number");
        assert!((10..=11).contains(&count), "{what}: clicked {count} - 10 times");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn the_worker_may_end_while_a_command_waits_for_its_page() {
    let rig = Rig::new().await;
    let daemon = &rig.daemon;
    let begin = async |command: Request| {
        let id = command.id();
        let waiting = daemon.begin(command);
        daemon.record("forwarded", |it| it["id"] == *id).await;
        waiting
    };
    let tabs = async |url: &str| {
        let targets = rig.browser.targets().await;
        targets.iter().filter(|it| it["type"] == "page" && it["url"] == url).count()
    };

    // The click is done, and the page does not come to rest.
    let page = rig.visit("hang.html").await;
    let seen = page.page("hang.html").await;
    seen.evaluate("window.clicks = 0; document.getElementById('ticker').addEventListener('click', () => clicks += 1)").await;
    let waiting = begin(
        request("click").session(&page.session).params(json!({"target": {"selector": "#ticker"}})),
    )
    .await;
    seen.until("clicks === 1").await;
    rig.suspend().await;
    says(&waiting.reply().await.error("SCRIPT_ERROR"), &["click", "unknown"]);
    assert_eq!(seen.evaluate("clicks").await, 1, "it was not done again");

    // A page that is being loaded comes all the same.
    let page = rig.open("article.html?first").await;
    let slow = rig.site.url("slow?ms=2000");
    let waiting =
        begin(request("navigate").session(&page.session).params(json!({"url": slow}))).await;
    rig.suspend().await;
    says(&waiting.reply().await.error("SCRIPT_ERROR"), &["navigate", "unknown"]);
    page.data(&["wait", "--strategy", "url", "--target", "slow"]).await;
    assert_eq!(page.text("h1").await, "The lighthouse keeper");

    // A tab whose opening nobody can answer for any more is closed: no session has it.
    let slow = rig.site.url("slow?ms=2001");
    let waiting = begin(request("tab.open").params(json!({"url": slow}))).await;
    let eye = rig.browser.inspector().await;
    let opening = format!(
        "(await chrome.tabs.query({{}})).some((tab) => [tab.url, tab.pendingUrl].includes('{slow}'))"
    );
    eye.until(&opening).await;
    rig.suspend().await;
    says(&waiting.reply().await.error("SCRIPT_ERROR"), &["tab.open", "unknown"]);
    eye.until(&format!("!({opening})")).await;
    assert_eq!(tabs(&slow).await, 0);

    // What only looks goes on looking.
    let seen = page.page("slow?ms=2000").await;
    let waiting = begin(
        request("wait")
            .session(&page.session)
            .params(json!({"strategy": "selector", "target": "#later"})),
    )
    .await;
    rig.suspend().await;
    seen.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=later>Later</p>')").await;
    assert_eq!(waiting.reply().await.data()["matched"], true);
    rig.browser.close().await;
}

#[tokio::test]
async fn a_worker_that_ends_keeps_the_handles_the_pages_and_the_log() {
    let rig = Rig::new().await;
    let page = rig.visit("article.html").await;
    page.handle("links", "text", "Form").await;
    rig.suspend().await;
    // The daemon is told again where the tabs are; the next read makes handles that work.
    let link = page.handle("links", "text", "Form").await;
    page.data(&["click", "--element", &link]).await;
    assert!(page.text("#order").await.contains("Full name"));
    rig.browser.close().await;
}

#[tokio::test]
async fn two_browsers_keep_to_their_own_tabs() {
    let (daemon, site) = tokio::join!(Daemon::start(), Site::start());
    let (one, two) = Browser::start_two().await;
    one.pair(daemon.port, &daemon.pairing_code()).await;
    let open = |page: &str| {
        let (home, url) = (daemon.home.clone(), site.url(page));
        async move { text(&run(&home, &["tab", "open", &url]).await.data()["session"]) }
    };
    let first = open("article.html").await;
    one.find("article.html").await;

    // The second one is given the same pairing, as `extension/README.md` has a person do it, and is the latest from now on.
    let popup = one.popup().await;
    let pairing = popup.evaluate("chrome.storage.local.get(['pairing', 'port'])").await;
    popup.close().await;
    let popup = two.popup().await;
    popup.evaluate(&format!("chrome.storage.local.set({pairing})")).await;
    popup.until("document.getElementById('status').dataset.state === 'connected'").await;
    popup.close().await;
    assert!(daemon.records("ws_disconnect").is_empty(), "the first one stays");
    let second = open("form.html").await;
    two.find("form.html").await;
    assert_eq!(
        run(&daemon.home, &["text", "--selector", "h1", "-s", &first]).await.data()["text"],
        "The lighthouse keeper"
    );
    assert_eq!(
        run(&daemon.home, &["text", "--selector", "legend", "-s", &second]).await.data()["text"],
        "Size"
    );
    let elsewhere = one.targets().await;
    assert!(!elsewhere.iter().any(|it| it["url"] == site.url("form.html")), "{elsewhere:?}");

    // A new pairing counts alone: the other browser is out until it pairs again.
    let issued = daemon.send(request("pairing.issue")).await.data();
    let popup = two.popup().await;
    popup.click("#unpair").await;
    popup.until("document.getElementById('status').dataset.state === 'unpaired'").await;
    popup.enter_code(&text(&issued["pairingCode"])).await;
    popup.until("document.getElementById('status').dataset.state === 'connected'").await;
    popup.close().await;
    let popup = one.popup().await;
    popup.until("document.getElementById('status').dataset.state === 'unpaired'").await;
    assert_eq!(run(&daemon.home, &["text", "-s", &first]).await.error(), "NO_EXTENSION");
    assert_eq!(
        run(&daemon.home, &["text", "--selector", "legend", "-s", &second]).await.data()["text"],
        "Size"
    );
    tokio::join!(one.close(), two.close());
}

/// What came of many commands.
struct Tally {
    /// How many more may be begun.
    allowed: Semaphore,
    answered: AtomicUsize,
    refused: AtomicUsize,
}

impl Tally {
    /// Has `count` commands answered, one after the other; what is refused for want of a browser is asked anew.
    /// Gives their data, or nothing for an act whose worker ended in the middle of it.
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

impl Rig {
    /// Waits until the daemon has a browser.
    async fn present(&self) {
        wait_for("a browser", || {
            let ends = self.daemon.records("ws_disconnect").len();
            (self.daemon.records("ws_connect").len() > ends).then_some(())
        })
        .await;
    }
}

/// In an hour without much to do Chrome ends the worker about once for each alarm that woke it: once a minute.
const SUSPENDS_OF_AN_HOUR: usize = 60;

#[tokio::test]
async fn of_a_thousand_commands_none_is_lost_or_done_twice_in_an_hours_worth_of_suspends() {
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
