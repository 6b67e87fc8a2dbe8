//! The focus that acts move: pages hear of it alike, whether their window has the focus or another one.

use serde_json::Value;

use super::rig::{Rig, Visit};
use super::support::Screen;

/// What a page hears of acts that move the focus.
async fn heard(page: &Visit<'_>) -> Value {
    page.fill("#first", "Ann", "direct").await;
    for selector in ["#second", "#text", "#label", "#host", "#button", "#second", "#jumps", "#text"]
    {
        page.data(&["click", "--selector", selector]).await;
    }
    page.page("focus.html").await.evaluate("window.log").await
}

#[tokio::test]
async fn focus_events_come_as_ever_while_another_window_has_the_focus() {
    let mut screen = Screen::start().await;
    let rig = Rig::on(&screen).await;
    let page = rig.visit("focus.html").await;
    let seen = page.page("focus.html").await;
    seen.until("document.hasFocus()").await;
    let with_focus = heard(&page).await;
    assert!(with_focus.as_array().is_some_and(|log| log.len() > 30), "{with_focus:#}");

    page.data(&["navigate", &rig.site.url("focus.html?again")]).await;
    screen.open_window();
    seen.until("!document.hasFocus()").await;
    let without = heard(&page).await;
    assert_eq!(seen.evaluate("document.hasFocus()").await, false, "acts take nobody's focus");
    assert_eq!(without, with_focus);
    rig.browser.close().await;
}
