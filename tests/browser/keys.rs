//! Keys and typing through the command line.

use serde_json::{Value, json};

use super::rig::{Rig, says, text};
use super::support::{bproxy, call};

/// The data of `type`, without what every act tells.
fn told(data: &Value) -> Value {
    let kept = |(name, _): &(&String, &Value)| ["typed", "value"].contains(&name.as_str());
    data.as_object()
        .expect("data")
        .iter()
        .filter(kept)
        .map(|(name, it)| (name.clone(), it.clone()))
        .collect()
}

#[tokio::test]
async fn keys_go_to_an_element_or_to_what_has_the_focus() {
    let rig = Rig::new().await;
    let page = rig.open("keys.html").await;
    let seen = page.page("keys.html").await;
    let pressed =
        page.data(&["press", "--selector", "#name", "a", "Shift+b", "Backspace", "c"]).await;
    assert_eq!(pressed["pressed"], 4);
    assert_eq!(seen.evaluate("$('name').value").await, "ac");
    page.data(&["press", "Tab", "x"]).await;
    assert_eq!(seen.evaluate("$('city').value").await, "x", "the focus moved on");
    page.data(&["press", "Enter"]).await;
    assert_eq!(page.text("#log").await, "sent name=ac&city=x by go");

    // A label stands for its field; what takes no focus is refused, and so is a name that no key has.
    page.data(&["press", "--selector", "#label", "z"]).await;
    assert_eq!(seen.evaluate("$('name').value").await, "acz");
    let press = |selector| ["press", "--selector", selector, "a"];
    says(&page.fails("ELEMENT_NOT_ACTIONABLE", &press("#text")).await, &["takes no focus"]);
    says(&page.fails("ELEMENT_NOT_ACTIONABLE", &press("#off")).await, &["disabled"]);
    says(&page.fails("SCRIPT_ERROR", &["press", "Entr"]).await, &["no key is named Entr"]);
    assert!(page.run(&["press", "ctrl+a"]).await.trouble().contains("is no key"));
    rig.browser.close().await;
}

#[tokio::test]
async fn typing_is_key_by_key_and_tells_what_the_field_holds() {
    let rig = Rig::new().await;
    let page = rig.open("keys.html").await;
    let seen = page.page("keys.html").await;
    let typed = page.data(&["type", "--selector", "#name", "Ada L."]).await;
    assert_eq!(told(&typed), json!({"typed": 6, "value": "Ada L."}));
    assert_eq!(seen.evaluate("keyups").await, json!(["A", "d", "a", " ", "L", "."]));
    let more = page.data(&["type", " x"]).await;
    assert_eq!(told(&more), json!({"typed": 2, "value": "Ada L. x"}));
    let replaced = page.data(&["type", "--selector", "#name", "--replace", "né 漢"]).await;
    assert_eq!(told(&replaced), json!({"typed": 4, "value": "né 漢"}));
    let emptied = page.data(&["type", "--selector", "#name", "--replace", ""]).await;
    assert_eq!(told(&emptied), json!({"typed": 0, "value": ""}));

    // Its limits hold; the text goes to the end of what a field holds.
    let short = page.data(&["type", "--selector", "#short", "defg"]).await;
    assert_eq!(told(&short), json!({"typed": 4, "value": "abcde"}));
    let read_only = ["type", "--selector", "#fixed", "x"];
    says(&page.fails("ELEMENT_NOT_ACTIONABLE", &read_only).await, &["read-only"]);

    // A line break is Enter: a new line, a new paragraph, or a form that is sent.
    let lines = page.data(&["type", "--selector", "#area", "one\ntwo"]).await;
    assert_eq!(told(&lines), json!({"typed": 7, "value": "one\ntwo"}));
    let paragraphs = page.data(&["type", "--selector", "#rich", "one\ntwo"]).await;
    assert_eq!(told(&paragraphs), json!({"typed": 7, "value": "one\ntwo"}));
    page.data(&["type", "--selector", "#city", "Ulm\n"]).await;
    assert_eq!(page.text("#log").await, "sent name=&city=Ulm by go");

    // What is private is in no answer.
    let secret = page.data(&["type", "--selector", "#password", "s3cret"]).await;
    assert_eq!(told(&secret), json!({"typed": 6}));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_text_from_standard_input_is_kept_out_of_the_answer() {
    let rig = Rig::new().await;
    let page = rig.open("keys.html").await;
    let seen = page.page("keys.html").await;
    let args = ["type", "--selector", "#name", "--text-stdin", "-s", &page.session];
    let mut command = bproxy(&rig.daemon.home.path());
    command.args(args);
    let call = call(command, Some(b"quiet")).await;
    assert_eq!(told(&call.data()), json!({"typed": 5}));
    assert_eq!(seen.evaluate("$('name').value").await, "quiet");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_long_text_arrives_whole_and_in_time() {
    let rig = Rig::new().await;
    let page = rig.open("keys.html").await;
    let seen = page.page("keys.html").await;
    for (selector, held) in [("#area", "$('area').value"), ("#rich", "$('rich').innerText")] {
        let long = "All work and no play makes a dull page. ".repeat(2_500);
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &long).expect("a text");
        let path = file.path().display().to_string();
        let typed = page.data(&["type", "--selector", selector, "--text-file", &path]).await;
        assert_eq!(typed["typed"], 100_000);
        let same = format!("{held}.replaceAll('\\u00a0', ' ') === {}", json!(long));
        assert_eq!(seen.evaluate(&same).await, true, "{selector}");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn the_clipboard_is_the_sessions_own_and_goes_with_it_to_other_pages() {
    let rig = Rig::new().await;
    let page = rig.open("keys.html").await;
    page.data(&["type", "--selector", "#name", "mine"]).await;
    page.data(&["press", "Control+a", "Control+x"]).await;
    page.data(&["navigate", &rig.site.url("keys.html?2")]).await;
    page.data(&["press", "--selector", "#city", "Control+v"]).await;
    let seen = page.page("keys.html?2").await;
    assert_eq!(seen.evaluate("$('city').value").await, "mine");
    let other = rig.open("keys.html?3").await;
    other.data(&["press", "--selector", "#city", "Control+v"]).await;
    let seen = other.page("keys.html?3").await;
    assert_eq!(seen.evaluate("$('city').value").await, "", "another session has another one");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_key_that_leads_to_another_page_succeeds_and_further_keys_stay_away_from_it() {
    let rig = Rig::new().await;
    let page = rig.open("keys.html").await;
    let left = page.run(&["press", "--selector", "#away", "Enter"]).await;
    assert!(text(&left.json()["page"]["url"]).ends_with("article.html"), "{left:?}");
    assert_eq!(left.data()["pressed"], 1);

    page.data(&["navigate", &rig.site.url("keys.html")]).await;
    let keys = ["press", "--selector", "#away", "Enter", "x", "x", "x", "x", "x", "x", "x", "x"];
    let call = page.run(&keys).await;
    // Where the other page comes late, the keys went to this one.
    if call.json()["ok"] == false {
        let error = &call.json()["error"];
        assert_eq!(error["code"], "PAGE_CHANGED", "{error}");
        assert!(error["details"]["done"].as_u64().is_some_and(|done| (1..9).contains(&done)));
    }
    rig.browser.close().await;
}
