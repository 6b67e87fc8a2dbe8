//! Going back, forward and to the same page anew; and how far a new page has to come.

use serde_json::json;

use super::rig::{Rig, says, timed};

#[tokio::test]
async fn the_history_is_gone_through_and_where_it_ends_is_said() {
    let rig = Rig::new().await;
    let page = rig.open("article.html").await;
    says(&page.fails("NAVIGATION_FAILED", &["back"]).await, &["back"]);
    page.data(&["navigate", &rig.site.url("act.html")]).await;
    // Entries that no person made: of another address, and of the same document.
    page.data(&["click", "--selector", "#spa"]).await;
    let seen = page.page("act.html").await;
    let back = page.run(&["back"]).await;
    assert_eq!(back.data()["url"], rig.site.url("act.html"), "{back:?}");
    assert_eq!(back.json()["page"]["url"], rig.site.url("act.html"));
    assert_eq!(seen.evaluate("location.pathname + location.search").await, "/act.html");
    let back = page.data(&["back"]).await;
    assert_eq!(
        (&back["url"], &back["title"]),
        (&json!(rig.site.url("article.html")), &json!("The lighthouse keeper"))
    );
    assert_eq!(page.text("h1").await, "The lighthouse keeper");
    page.fails("NAVIGATION_FAILED", &["back"]).await;
    assert_eq!(page.text("h1").await, "The lighthouse keeper", "it stays where it was");
    assert_eq!(page.data(&["forward"]).await["title"], "Acts");
    page.data(&["forward"]).await;
    page.fails("NAVIGATION_FAILED", &["forward"]).await;

    page.data(&["navigate", &rig.site.url("act.html")]).await;
    page.data(&["click", "--selector", "#count"]).await;
    assert_eq!(page.text("#counted").await, "1");
    let reloaded = page.data(&["reload"]).await;
    assert_eq!((&reloaded["title"], &reloaded["status"]), (&json!("Acts"), &json!(200)));
    assert_eq!(page.text("#counted").await, "0", "it was loaded anew");
    // Another site's entry.
    page.data(&["navigate", &rig.site.other_url("form.html")]).await;
    assert_eq!(page.data(&["back"]).await["title"], "Acts");
    assert_eq!(page.data(&["forward"]).await["title"], "Form");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_is_waited_for_as_far_as_is_asked() {
    let rig = Rig::new().await;
    let endless = rig.site.url("endless");
    let open = ["tab", "open", &endless, "--until", "committed"];
    let (call, took) = timed(rig.run(&open)).await;
    assert_eq!(call.json()["page"]["state"], "loading", "{call:?}");
    assert!(took < 8_000, "it took {took} ms");
    let page = rig.open("article.html").await;
    let committed = ["navigate", &endless, "--until", "committed"];
    let (call, took) = timed(page.run(&committed)).await;
    assert_eq!(call.json()["page"]["state"], "loading", "{call:?}");
    assert!(took < 8_000, "it took {took} ms");
    // A document that is complete, with an image that never comes.
    let pending = rig.site.url("pending.html");
    let (call, took) = timed(page.run(&["navigate", &pending, "--until", "parsed"])).await;
    assert_eq!(call.json()["page"]["state"], "loading", "{call:?}");
    assert!(took < 8_000, "it took {took} ms");
    assert_eq!(page.text("#end").await, "The end of the document");
    let loaded = page.run(&["navigate", &rig.site.url("article.html"), "--until", "load"]).await;
    assert_eq!(loaded.json()["page"]["state"], "ready");
    rig.browser.close().await;
}
