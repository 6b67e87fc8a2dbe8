//! Pages that hang, open a dialog, or never stop changing.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{Rig, timed};
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
    assert_eq!((&ticking["clicked"], &ticking["stable"]), (&json!(true), &json!(false)));
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
