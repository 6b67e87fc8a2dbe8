//! Keys in pages with frames, of the same origin and of others, as the pages in the frames hear of them.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, text};
use super::support::{Page, patiently};

/// A page with a frame of its own origin and one of another, both loaded.
async fn page(rig: &Rig) -> Visit<'_> {
    let page = rig.open("frames/acts.html").await;
    let loaded = async {
        loop {
            let tree = text(&page.data(&["snapshot"]).await["tree"]);
            if tree.matches("\"Later\"").count() == 2 {
                return;
            }
        }
    };
    patiently("the frames", loaded).await;
    page
}

/// What the page and its frames heard since the last call: that of each document by itself, because nothing orders one
/// process's events with those of another.
async fn heard(seen: &Page<'_>, whose: &str) -> Vec<String> {
    let all = seen.evaluate("heard.map(String)").await;
    let all: Vec<String> = serde_json::from_value(all).expect("texts");
    all.iter().filter_map(|it| it.strip_prefix(whose).map(str::to_owned)).collect()
}

#[tokio::test]
async fn keys_go_to_what_has_the_focus_in_whichever_frame_that_is() {
    let rig = Rig::new().await;
    let page = page(&rig).await;
    let seen = page.page("acts.html").await;
    page.data(&["press", "--selector", "#first", "x"]).await;
    let entered = page.data(&["press", "Tab"]).await;
    assert_eq!(entered["effects"]["focus"]["name"], "Name", "{entered}");
    page.data(&["type", "Ada"]).await;
    // Into the frame of the other origin, by its own stops, and out of it.
    page.data(&["press", "Tab", "x", "Tab", "Tab"]).await;
    let typed = page.data(&["type", "Lovelace"]).await;
    assert_eq!((&typed["typed"], &typed["value"]), (&json!(8), &json!("Lovelace")));
    page.data(&["press", "Tab", "y", "Tab", "Tab", "z"]).await;
    seen.until("heard.includes('other: focusout plain')").await;
    assert_eq!(seen.evaluate("[first.value, last.value]").await, json!(["x", "z"]));
    assert_eq!(
        seen.evaluate(
            "['name', 'city'].map((it) => same.contentDocument.getElementById(it).value)"
        )
        .await,
        json!(["Ada", "x"])
    );
    let other = heard(&seen, "other: ").await;
    let order = [
        "focusin name",
        "keyup name Tab",
        "keyup name L",
        "keyup name o",
        "keyup name v",
        "keyup name e",
        "keyup name l",
        "keyup name a",
        "keyup name c",
        "keyup name e",
        "change name Lovelace",
        "focusout name",
        "focusin city",
        "keyup city Tab",
        "keyup city y",
        "change city y",
        "focusout city",
        "focusin plain",
        "keyup plain Tab",
        "focusout plain",
    ];
    assert_eq!(other, order);
    // The page heard that its fields were left, and nothing of the keys in its frames.
    let own: Vec<_> = heard(&seen, "focus").await;
    assert_eq!(own, ["in first", "out first", "in last"]);

    // Back again, and by a target in a frame.
    page.data(&["press", "Shift+Tab", "Shift+Tab", "End", "!"]).await;
    seen.until("heard.includes('other: keyup city !')").await;
    let frame = text(
        &page.entries("elements").await.iter().rfind(|it| it["label"] == "Name").expect("it")["frame"],
    );
    let target = ["type", "--selector", "#name", "--frame", &frame, "--replace", "Ada"];
    assert_eq!(page.data(&target).await["value"], "Ada");
    page.data(&["press", "Tab", "End", "?"]).await;
    seen.until("heard.includes('other: keyup city ?')").await;
    assert_eq!(seen.evaluate("document.activeElement.id").await, "other");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_press_in_another_frame_takes_the_focus_from_where_it_was() {
    let rig = Rig::new().await;
    let page = page(&rig).await;
    let seen = page.page("acts.html").await;
    page.data(&["press", "--selector", "#first", "x"]).await;
    let elements = page.entries("elements").await;
    let fields: Vec<&Value> = elements.iter().filter(|it| it["label"] == "City").collect();
    for (at, field) in fields.iter().enumerate() {
        let handle = text(&field["handle"]);
        let clicked = page.data(&["click", "--element", &handle]).await;
        assert_eq!(
            clicked["effects"]["focus"],
            json!({"role": "textbox", "name": "City", "handle": handle})
        );
        page.data(&["type", &format!("{at}")]).await;
    }
    page.data(&["click", "--selector", "#last"]).await;
    seen.until("heard.includes('other: focusout city')").await;
    assert_eq!(heard(&seen, "focus").await, ["in first", "out first", "in last"]);
    assert_eq!(heard(&seen, "same: focus").await, ["in city", "out city"]);
    assert_eq!(heard(&seen, "other: focus").await, ["in city", "out city"]);
    assert!(heard(&seen, "other: change").await.contains(&" city 1".to_owned()));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_drag_out_of_a_frame_is_refused_with_the_reason() {
    let rig = Rig::new().await;
    let page = page(&rig).await;
    let seen = page.page("acts.html").await;
    let elements = page.entries("elements").await;
    let handle = |label: &str| {
        let entry = elements.iter().find(|it| it["label"] == label).expect("an entry");
        text(&entry["handle"])
    };
    let drag = ["drag", "--element", &handle("Plain"), "--to-element", &handle("Last")];
    let error = page.fails("ELEMENT_NOT_ACTIONABLE", &drag).await;
    assert!(text(&error["message"]).contains("in different frames"), "{error}");
    assert_eq!(seen.evaluate("heard").await, json!([]), "nothing was pressed");
    rig.browser.close().await;
}
