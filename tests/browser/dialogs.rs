//! The dialogs that an act calls up: answered, told, and never seen by the page.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, text};
use super::support::Screen;

/// Clicks, with flags, and tells what the page says afterwards.
async fn click(page: &Visit<'_>, id: &str, flags: &[&str]) -> String {
    page.data(&[&["click", "--selector", id], flags].concat()).await;
    page.text("#said").await
}

/// Every dialog is answered as the act says, wherever the tab is.
async fn answers_every_dialog(page: &Visit<'_>) {
    let accept = ["--dialog", "accept"];
    let accept_text = ["--dialog", "accept", "--dialog-text", "Ada"];
    let dismiss = ["--dialog", "dismiss"];
    for (id, flags, said) in [
        ("#alert", &[][..], "undefined"),
        ("#confirm", &[], "false"),
        ("#confirm", &accept, "true"),
        ("#confirm", &dismiss, "false"),
        ("#prompt", &[], "null"),
        ("#prompt", &accept, "Nobody"),
        ("#prompt", &accept_text, "Ada"),
        ("#print", &[], "undefined"),
        ("#many", &[], "three"),
    ] {
        assert_eq!(click(page, id, flags).await, said, "{id} {flags:?}");
    }
    page.data(&["fill", "--selector", "#name", "--value", "Ada", "--dialog", "accept"]).await;
    assert_eq!(page.text("#said").await, "true");
    let seen = page.page("dialogs.html").await;
    assert_eq!(seen.evaluate("window.printed").await, json!(["before", "after"]));
    assert_eq!(seen.evaluate("window.isNative()").await, true);
}

/// What the frames answer to the page when it has each of them ask.
async fn frames_say(page: &Visit<'_>, flags: &[&str]) -> Value {
    let seen = page.page("dialogs.html").await;
    seen.evaluate("window.answers.length = 0").await;
    click(page, "#frames", flags).await;
    seen.until("window.answers.length === 3").await;
    seen.evaluate("window.answers.sort()").await
}

async fn answers_in_frames(page: &Visit<'_>) {
    for (flags, answer) in [(&[][..], "false"), (&["--dialog", "accept"], "true")] {
        let wanted: Vec<_> = ["127.0.0.1", "far.test", "written"]
            .iter()
            .map(|frame| format!("{frame} confirm {answer}"))
            .collect();
        assert_eq!(frames_say(page, flags).await, json!(wanted), "{flags:?}");
    }
}

#[tokio::test]
async fn dialogs_of_an_act_are_answered_as_it_says() {
    let rig = Rig::new().await;
    let page = rig.visit("dialogs.html").await;
    answers_every_dialog(&page).await;
    answers_in_frames(&page).await;
    assert_eq!(click(&page, "#later", &["--dialog", "accept"]).await, "true", "within the act");
    let _front = rig.visit("form.html").await;
    page.page("dialogs.html").await.until("document.visibilityState === 'hidden'").await;
    answers_every_dialog(&page).await;
    answers_in_frames(&page).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn no_dialog_of_an_act_blocks_a_browser_with_windows() {
    let mut screen = Screen::start().await;
    let rig = Rig::on(&screen).await;
    let page = rig.visit("dialogs.html").await;
    answers_every_dialog(&page).await;
    answers_in_frames(&page).await;
    screen.open_window();
    let seen = page.page("dialogs.html").await;
    seen.until("!document.hasFocus()").await;
    answers_every_dialog(&page).await;
    answers_in_frames(&page).await;
    let _front = rig.visit("form.html").await;
    seen.until("document.visibilityState === 'hidden'").await;
    answers_every_dialog(&page).await;
    answers_in_frames(&page).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_cannot_tell_its_functions_from_the_browsers_during_an_act() {
    let rig = Rig::new().await;
    let page = rig.visit("dialogs.html").await;
    let seen = page.page("dialogs.html").await;
    let before = text(&seen.evaluate("window.looks()").await);
    click(&page, "#look", &[]).await;
    assert_eq!(seen.evaluate("window.wasNative").await, false, "the guard is there");
    let during = text(&seen.evaluate("window.during").await);
    let parse = |text: &str| serde_json::from_str::<Vec<Value>>(text).expect("a list");
    for (before, during) in parse(&before).into_iter().zip(parse(&during)) {
        assert_eq!(during, before);
    }
    assert_eq!(seen.evaluate("window.isNative()").await, true, "and is gone");
    assert_eq!(text(&seen.evaluate("window.looks()").await), before);
    rig.browser.close().await;
}
