//! The service worker's life: it ends in the middle of a command, and nothing is lost or done twice.

use serde_json::json;

use super::rig::{Rig, Visit, says};
use super::support::{Request, request};

/// A click on what counts its clicks.
fn click(page: &Visit<'_>) -> Request {
    request("click").session(&page.session).params(json!({"target": {"selector": "#count"}}))
}

fn read(page: &Visit<'_>) -> Request {
    request("text").session(&page.session).params(json!({"selector": "#counted"}))
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
    rig.woken(connections + 1).await;
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
