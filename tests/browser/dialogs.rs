//! The dialogs that an act calls up: answered, told, and never seen by the page.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, text};
use super::support::Screen;

/// Clicks, with flags, and tells what the page says afterwards.
async fn click(page: &Visit<'_>, id: &str, flags: &[&str]) -> String {
    page.data(&[&["click", "--selector", id], flags].concat()).await;
    page.text("#said").await
}

/// Every dialog is answered as the act says, and told, wherever the tab is.
async fn answers_every_dialog(page: &Visit<'_>) {
    let accept = ["--dialog", "accept"];
    let accept_text = ["--dialog", "accept", "--dialog-text", "Ada"];
    let dismiss = ["--dialog", "dismiss"];
    for (kind, message, flags, said) in [
        ("alert", "Look here", &[][..], "undefined"),
        ("confirm", "Delete?", &[], "false"),
        ("confirm", "Delete?", &accept, "true"),
        ("confirm", "Delete?", &dismiss, "false"),
        ("prompt", "Your name?", &[], "null"),
        ("prompt", "Your name?", &accept, "Nobody"),
        ("prompt", "Your name?", &accept_text, "Ada"),
        ("print", "", &[], "undefined"),
    ] {
        let id = format!("#{kind}");
        let click = [&["click", "--selector", &id], flags].concat();
        let answer = if flags.contains(&"accept") { "accept" } else { "dismiss" };
        let told = json!([{"type": kind, "message": message, "answer": answer}]);
        assert_eq!(page.data(&click).await["effects"]["dialogs"], told, "{kind} {flags:?}");
        assert_eq!(page.text("#said").await, said, "{kind} {flags:?}");
    }
    let many = page.data(&["click", "--selector", "#many"]).await;
    let told = many["effects"]["dialogs"].as_array().expect("dialogs");
    assert_eq!(told.iter().map(|it| &it["message"]).collect::<Vec<_>>(), ["0", "1", "2"]);
    assert_eq!(page.text("#said").await, "three");

    let fill = ["fill", "--selector", "#name", "--value", "Ada", "--dialog", "accept"];
    assert_eq!(page.data(&fill).await["effects"]["dialogs"][0]["message"], "Really?");
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

#[tokio::test]
async fn what_a_page_keeps_or_puts_in_place_of_its_functions_is_left_to_it() {
    let rig = Rig::new().await;
    let page = rig.visit("dialogs.html").await;
    let seen = page.page("dialogs.html").await;
    click(&page, "#keep", &[]).await;
    assert_eq!(seen.evaluate("window.kept === confirm").await, false);
    assert_eq!(seen.evaluate("window.kept.name + window.kept.length").await, "confirm0");

    // What the page puts there during an act, or has put there before, is its own.
    assert_eq!(click(&page, "#own", &[]).await, "mine");
    assert_eq!(seen.evaluate("alert === window.mine").await, true);
    let data = page.data(&["click", "--selector", "#own"]).await;
    assert_eq!(data["effects"].get("dialogs"), None);
    assert_eq!(page.text("#said").await, "mine");
    assert_eq!(seen.evaluate("confirm === originals.get('confirm')").await, true);
    rig.browser.close().await;
}

#[tokio::test]
async fn the_browsers_functions_are_back_however_an_act_ends() {
    let rig = Rig::new().await;
    let page = rig.visit("dialogs.html").await;
    let seen = page.page("dialogs.html").await;
    page.fails("ELEMENT_NOT_FOUND", &["click", "--selector", "#nowhere"]).await;
    assert_eq!(seen.evaluate("window.isNative()").await, true, "after a failure");
    let late = ["click", "--selector", "#restless", "--timeout", "400"];
    page.fails("TIMEOUT", &late).await;
    seen.until("window.isNative()").await;
    assert_eq!(click(&page, "#confirm", &["--dialog", "accept"]).await, "true");

    // The worker ends in the middle: the guard ends with the deadline.
    let ended = ["click", "--selector", "#restless", "--timeout", "3000"];
    let stop = async {
        seen.until("!window.isNative()").await;
        rig.suspend().await;
    };
    let (call, ()) = tokio::join!(page.run(&ended), stop);
    call.error();
    seen.until("window.isNative()").await;
    rig.browser.close().await;
}
