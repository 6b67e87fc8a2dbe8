//! Pages that capture the pointer of an act, which no hand moves.

use serde_json::json;

use super::rig::Rig;

#[tokio::test]
async fn a_page_captures_the_pointer_of_an_act_as_it_does_a_mouse() {
    let rig = Rig::new().await;
    let page = rig.open("capture.html").await;
    let seen = page.page("capture.html").await;
    page.data(&["click", "--selector", "#one"]).await;
    // As a mouse leaves them in Chromium.
    let outcomes = json!([
        "undefined",
        "true",
        "false",
        "undefined",
        "NotFoundError",
        "TypeError",
        "TypeError"
    ]);
    assert_eq!(seen.evaluate("window.outcomes").await, outcomes);
    let log = json!([
        "pointerdown one",
        "mousedown one",
        "gotpointercapture two",
        "true",
        "pointerup two",
        "mouseup two",
        "lostpointercapture two",
        "false",
        "click two"
    ]);
    assert_eq!(seen.evaluate("window.log").await, log);
    // The next press is where it is made.
    page.data(&["click", "--selector", "#two"]).await;
    assert_eq!(seen.evaluate("window.log.at(-1)").await, "click two");
    assert_eq!(seen.evaluate("window.log.slice(9)[0]").await, "pointerdown two");
    rig.browser.close().await;
}
