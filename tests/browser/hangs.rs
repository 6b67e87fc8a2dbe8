//! Pages that hang, open a dialog, or never stop changing.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{Rig, own, timed};
use super::support::request;

#[tokio::test]
async fn a_page_that_hangs_ends_only_its_own_commands() {
    let rig = Rig::new().await;
    let other = rig.open_url(&rig.site.other_url("article.html")).await;
    for trap in ["#loop", "#alert"] {
        let page = rig.visit("hang.html").await;
        let click = ["click", "--selector", trap, "--timeout", "1500"];
        let read = async {
            let is_there = |it: &Value| it["action"] == "click" && it["session"] == *page.session;
            rig.daemon.record("received", is_there).await;
            other.text("h1").await
        };
        let (hung, title) = tokio::join!(page.run(&click), read);
        assert_eq!(hung.error(), "TIMEOUT", "{trap}");
        assert_eq!(title, "The lighthouse keeper", "another tab goes on");
        page.fails("TIMEOUT", &["text", "--timeout", "500"]).await;
        assert_eq!(page.data(&["tab", "list"]).await["tabs"][0]["tab"], "t1");
        assert_eq!(page.data(&["session", "close"]).await["closedTabs"], 1, "{trap}");
    }
    assert_eq!(other.text("h1").await, "The lighthouse keeper");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_wait_whose_client_hung_up_leaves_its_tab_to_the_next_command() {
    let rig = Rig::new().await;
    let page = rig.open("article.html").await;
    let wait = request("wait").session(&page.session).within(Duration::from_secs(120));
    let wait = wait.params(json!({"strategy": "selector", "target": "#never"}));
    let waiting = rig.daemon.begin(wait);
    let id = waiting.id.clone();
    rig.daemon.record("forwarded", |record| record["id"] == id.as_str()).await;
    waiting.hang_up();
    let (title, took) = timed(page.text("h1")).await;
    assert_eq!(title, "The lighthouse keeper");
    assert!(took < 15_000, "the tab was free after {took} ms");
    rig.browser.close().await;
}

#[tokio::test]
async fn an_act_on_a_page_that_never_rests_says_that_it_is_not_stable() {
    let rig = Rig::new().await;
    let page = rig.visit("hang.html").await;
    let ticking = page.data(&["click", "--selector", "#ticker"]).await;
    assert_eq!(own(ticking), json!({"clicked": true, "disappeared": false, "stable": false}));
    rig.browser.close().await;
}

#[tokio::test]
async fn an_act_that_a_busy_page_reaches_after_its_deadline_is_not_done() {
    let rig = Rig::new().await;
    let page = rig.visit("busy.html").await;
    let busy = page.run(&["click", "--selector", "#busy", "--timeout", "1000"]).await;
    assert_eq!(busy.error(), "TIMEOUT", "the page is busy while the click settles");
    page.fails("TIMEOUT", &["click", "--selector", "#count", "--timeout", "300"]).await;
    assert_eq!(page.text("#counted").await, "0", "nothing happens after the deadline");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_that_lets_no_script_begin_is_blocked_and_nothing_is_done_in_it_later() {
    let rig = Rig::new().await;
    let page = rig.visit("hang.html").await;
    let seen = page.page("hang.html").await;
    // Busy for so long that a click is given up, and no longer than the one after it waits.
    let busy = "setTimeout(() => { const end = Date.now() + 9000; while (Date.now() < end); }, 0)";
    seen.evaluate(&format!("void {busy}")).await;
    let (error, took) =
        timed(page.fails("PAGE_BLOCKED", &["click", "--selector", "#counter"])).await;
    assert!((4_500..15_000).contains(&took), "it took {took} ms");
    assert_eq!(error["retry"], "conditional");
    let eye = rig.browser.inspector().await;
    let badge = "chrome.action.getBadgeText({})";
    assert_eq!(eye.evaluate(badge).await, "!", "the person is told");
    assert_eq!(
        page.text("#counter").await,
        "0",
        "the click was not done when the page had time again"
    );
    eye.until(&format!("(await {badge}) === 'on'")).await;
    page.data(&["click", "--selector", "#counter"]).await;
    assert_eq!(page.text("#counter").await, "1");
    rig.browser.close().await;
}
