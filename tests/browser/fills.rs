//! Filling the editors and frameworks that real pages use, as bundled by `tests/fixtures/editors`.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, own, says, text};

/// Lines and letters that editors like to get wrong.
const STORY: &str = "It was “dark”\nand <b>stormy</b> & wet";

/// An editor: its page, the element to write into, the name it is found by.
const EDITORS: [(&str, &str, &str); 6] = [
    ("quill", ".ql-editor", "quill"),
    ("lexical", "#root", "lexical"),
    ("prosemirror", ".ProseMirror", "prosemirror"),
    ("codemirror", ".cm-content", "codemirror"),
    ("slate", "#story", "slate"),
    ("monaco", ".monaco-editor", "monaco"),
];

/// The address of an editor's page.
fn built(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/editors/dist/");
    let file = format!("{folder}{name}.html");
    let built = std::fs::exists(&file).expect("a folder to look into");
    assert!(built, "{file} is missing: run `make editors` first");
    format!("editors/dist/{name}.html")
}

/// What the editor's own state holds, as the page shows it.
async fn model(page: &Visit<'_>, name: &str) -> Value {
    let seen = page.page(&format!("{name}.html")).await;
    seen.evaluate("document.getElementById('model').textContent.replace(/\\n+/g, '\\n').trim()")
        .await
}

#[tokio::test]
async fn editors_take_what_is_pasted_and_what_their_own_interface_is_given() {
    let rig = Rig::new().await;
    for (name, selector, kind) in EDITORS {
        let page = rig.visit(&built(name)).await;
        page.data(&["wait", "--strategy", "selector", "--target", selector]).await;
        let kinds = page.entries("elements").await;
        assert!(kinds.iter().any(|it| it["runtimeHandle"] == kind), "{name}: {kinds:?}");

        let seen = page.page(&format!("{name}.html")).await;
        let globals = "Object.getOwnPropertyNames(window).sort()";
        let before = seen.evaluate(globals).await;
        let methods =
            if name == "monaco" { &["runtime-api"][..] } else { &["paste", "runtime-api"] };
        for method in methods {
            // Twice, so that what was there before is replaced, too.
            for story in [STORY, "The end"] {
                let filled = page.fill(selector, story, method).await;
                assert_eq!(filled["filled"], true, "{name} {method}: {filled}");
                // What is drawn has blank lines between paragraphs.
                let held = text(&filled["verifiedValue"]).replace("\n\n", "\n");
                assert_eq!(held, story, "{name} {method}");
                assert_eq!(model(&page, name).await, story, "{name} {method}");
            }
        }
        assert_eq!(
            seen.evaluate(globals).await,
            before,
            "{name}: nothing is left in the page's world"
        );
        let direct = ["fill", "--selector", selector, "--value", "x", "--method", "direct"];
        says(&page.fails("ELEMENT_NOT_ACTIONABLE", &direct).await, &[kind, "runtime-api"]);
        assert_eq!(model(&page, name).await, "The end", "{name} was left alone");
        page.data(&["session", "close"]).await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn fields_that_a_framework_controls_keep_what_they_are_given() {
    let rig = Rig::new().await;
    for name in ["react", "vue"] {
        let page = rig.visit(&built(name)).await;
        for method in ["direct", "paste"] {
            for (selector, value, held) in [
                ("#name", method, method),
                ("#note", "two\nlines", "two\nlines"),
                ("#agreed", "true", "true"),
                ("#colour", "Green", "green"),
            ] {
                let filled = page.fill(selector, value, method).await;
                assert_eq!(
                    filled,
                    json!({"filled": true, "verifiedValue": held}),
                    "{name} {selector} {method}"
                );
            }
            let state: Value = serde_json::from_str(&page.text("#state").await).expect("the state");
            let wanted =
                json!({"name": method, "note": "two\nlines", "agreed": true, "colour": "green"});
            assert_eq!(state, wanted, "{name} {method}");
        }
        let chosen = page.data(&["select", "--selector", "#colour", "--option-text", "Red"]).await;
        assert_eq!(own(chosen), json!({"selected": true, "optionText": "Red"}), "{name}");
        page.data(&["click", "--selector", "#agreed"]).await;
        let state: Value = serde_json::from_str(&page.text("#state").await).expect("the state");
        assert_eq!((&state["agreed"], &state["colour"]), (&json!(false), &json!("red")), "{name}");
        if name == "react" {
            let fixed = page.fill("#fixed", "other", "direct").await;
            assert_eq!(
                fixed,
                json!({"filled": false, "verifiedValue": "fixed"}),
                "the field takes nothing"
            );
        }
        page.data(&["session", "close"]).await;
    }
    rig.browser.close().await;
}
