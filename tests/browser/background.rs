//! Acting in tabs that nobody sees.

use serde_json::json;

use super::rig::{Rig, text};

#[tokio::test]
async fn acts_work_in_a_tab_that_nobody_sees() {
    let rig = Rig::new().await;
    let page = rig.open("act.html").await;
    let front = rig.visit("form.html").await;
    let seen = page.page("act.html").await;
    let is_hidden = || async { seen.evaluate("document.visibilityState").await == "hidden" };
    assert!(is_hidden().await);

    page.data(&["click", "--selector", "#count"]).await;
    assert_eq!(page.text("#counted").await, "1");
    page.data(&["hover", "--selector", "#hover"]).await;
    assert_eq!(page.text("#hover").await, "Hovered");
    assert_eq!(page.data(&["scroll", "--by", "300px"]).await["scrolledPx"], 300);
    page.data(&["click", "--selector", "#far"]).await;
    assert_eq!(seen.evaluate("document.title").await, "Far clicked", "it was scrolled into view");
    let gone = page.run(&["click", "--selector", "#go"]).await;
    assert_eq!(gone.json()["page"]["title"], "The lighthouse keeper", "{gone:?}");
    page.fails("TAB_NOT_VISIBLE", &["screenshot"]).await;

    for address in ["select.html", "form.html"] {
        page.data(&["navigate", &rig.site.url(address)]).await;
        if address == "form.html" {
            assert_eq!(page.fill("#name", "Ada", "direct").await["verifiedValue"], "Ada");
            assert_eq!(page.fill("#story", "upon a", "paste").await["verifiedValue"], "upon a");
        } else {
            let select = ["select", "--selector", "#button", "--option-text", "Quince"];
            assert_eq!(page.data(&select).await["selected"], json!(true));
            assert!(page.text("#log").await.ends_with("fruit:Quince"));
        }
    }
    let shown = front.page("form.html").await;
    let _ = text(&shown.evaluate("document.title").await);
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_that_waits_for_being_drawn_is_told_of_with_what_helps() {
    let rig = Rig::new().await;
    let page = rig.open("effects.html").await;
    let seen = page.page("effects.html").await;
    let still = page.data(&["click", "--selector", "#quiet"]).await;
    assert_eq!((&still["hidden"], &still["stable"]), (&json!(true), &json!(true)), "{still}");
    assert!(still.get("suggestedAction").is_none(), "{still}");
    let fading = page.data(&["click", "--selector", "#fade"]).await;
    assert_eq!((&fading["hidden"], &fading["stable"]), (&json!(true), &json!(false)), "{fading}");
    assert_eq!(fading["suggestedAction"], "bproxy tab activate");
    let opacity = "getComputedStyle(document.querySelector('#panel')).opacity";
    assert_eq!(seen.evaluate(opacity).await, "0", "nothing moves in a page that is not drawn");

    page.data(&["tab", "activate"]).await;
    seen.until(&format!("{opacity} === '1'")).await;
    let shown = page.data(&["click", "--selector", "#quiet"]).await;
    assert!(shown.get("hidden").is_none(), "{shown}");
    rig.browser.close().await;
}
