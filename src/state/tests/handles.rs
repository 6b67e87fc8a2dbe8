//! Handles: minted for the page of the moment of sending, and gone with it.

use serde_json::json;

use super::*;

/// Reads the tab's elements, `count` of them; returns their handles.
fn read(rig: &mut Rig, browser: ClientId, session: &str, count: usize) -> Vec<String> {
    let mut client = rig.ask("elements", session, json!({}));
    rig.sent(browser);
    let elements: Vec<_> = (0..count)
        .map(|at| json!({"tag": "a", "selector": format!("#{}-{at}", client.id)}))
        .collect();
    rig.answer(browser, &client.id, json!({"elements": elements}));
    let data = client.data();
    let handles = data["elements"].as_array().unwrap().iter();
    handles.filter_map(|element| Some(element["handle"].as_str()?.to_owned())).collect()
}

fn click(rig: &mut Rig, session: &str, handle: &str) -> Client {
    rig.ask("click", session, json!({"target": {"handle": handle}}))
}

#[test]
fn handles_are_numbered_on_and_replaced_by_what_they_stand_for() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    assert_eq!(read(&mut rig, browser, &session, 2), ["el1", "el2"]);
    assert_eq!(read(&mut rig, browser, &session, 2), ["el3", "el4"]);
    assert_eq!(click(&mut rig, &session, "el5").code(), "ELEMENT_HANDLE_NOT_FOUND");
    let client = click(&mut rig, &session, "el2");
    let sent = rig.sent(browser).remove(0);
    assert!(sent["params"]["target"]["selector"].as_str().unwrap().ends_with("-1"), "{sent}");
    rig.answer(browser, &client.id, json!({}));
    let other = rig.open(browser, 8);
    assert_eq!(read(&mut rig, browser, &other, 1), ["el1"], "every session counts for itself");
}

/// The reason for which a handle is not found.
fn reason(mut client: Client) -> String {
    let error = client.reply()["error"].clone();
    assert_eq!(error["code"], "ELEMENT_HANDLE_NOT_FOUND");
    error["details"]["reason"].as_str().expect("a reason").to_owned()
}

#[test]
fn a_handle_lives_for_two_minutes_after_the_last_command_that_used_it() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    read(&mut rig, browser, &session, 2);
    rig.pass(119_999);
    let client = click(&mut rig, &session, "el1");
    rig.answer(browser, &client.id, json!({}));
    rig.pass(1);
    assert_eq!(reason(click(&mut rig, &session, "el2")), "expired");
    rig.pass(119_998);
    let client = click(&mut rig, &session, "el1");
    rig.answer(browser, &client.id, json!({}));
    // A command that is refused does not use it.
    rig.pass(119_999);
    let late = call("click", &session, json!({"target": {"handle": "el1"}})).timeout_ms(0);
    assert_eq!(rig.send(&late).code(), "TIMEOUT");
    rig.pass(1);
    assert_eq!(reason(click(&mut rig, &session, "el1")), "expired");
}

#[test]
fn a_read_gets_at_most_1000_handles_and_all_together_at_most_5000_the_oldest_of_the_largest_go_first()
 {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let sessions: Vec<_> = (0..4).map(|tab| rig.open(browser, tab)).collect();
    for session in &sessions {
        assert_eq!(read(&mut rig, browser, session, 1250).len(), 1000);
    }
    assert_eq!(read(&mut rig, browser, &sessions[2], 1000).len(), 1000);
    read(&mut rig, browser, &sessions[0], 3);
    assert_eq!(reason(click(&mut rig, &sessions[2], "el3")), "expired");
    for (session, handle) in [(0, "el1"), (1, "el1"), (3, "el1"), (2, "el4"), (0, "el1003")] {
        assert!(click(&mut rig, &sessions[session], handle).waits(), "{handle} of {session}");
    }
}

#[test]
fn an_answer_that_names_another_address_ends_handles_before_any_navigation_message() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    read(&mut rig, browser, &session, 1);
    rig.shows(7, "http://site/next");
    let client = rig.ask("text", &session, json!({}));
    rig.answer(browser, &client.id, json!({}));
    assert_eq!(click(&mut rig, &session, "el1").code(), "ELEMENT_HANDLE_STALE");
    // A read that found the page changed hands out nothing that works.
    rig.shows(7, "http://site/last");
    assert_eq!(read(&mut rig, browser, &session, 1), ["el2"]);
    assert_eq!(click(&mut rig, &session, "el2").code(), "ELEMENT_HANDLE_STALE");
    assert_eq!(read(&mut rig, browser, &session, 1), ["el3"]);
    assert!(click(&mut rig, &session, "el3").waits());
}

#[test]
fn a_page_that_changed_between_sending_and_answer_leaves_stale_handles() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut client = rig.ask("elements", &session, json!({}));
    rig.navigated(browser, 7, "http://next/");
    rig.answer(browser, &client.id, json!({"elements": [{"selector": "a"}]}));
    assert_eq!(client.data()["elements"][0]["handle"], "el1");
    assert_eq!(click(&mut rig, &session, "el1").code(), "ELEMENT_HANDLE_STALE");
}

#[test]
fn handles_are_minted_for_the_page_when_the_read_was_sent_not_when_it_was_admitted() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let first = rig.ask("text", &session, json!({}));
    let read = rig.ask("elements", &session, json!({}));
    rig.navigated(browser, 7, "http://next/");
    rig.answer(browser, &first.id, json!({}));
    rig.answer(browser, &read.id, json!({"elements": [{"selector": "a"}]}));
    assert!(click(&mut rig, &session, "el1").waits());
}

#[test]
fn a_command_with_a_handle_is_refused_if_the_page_changes_while_it_waits() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    read(&mut rig, browser, &session, 1);
    let first = rig.ask("text", &session, json!({}));
    let mut waiting = click(&mut rig, &session, "el1");
    rig.navigated(browser, 7, "http://site/");
    assert_eq!(rig.sent_ids(browser), [&*first.id]);
    rig.answer(browser, &first.id, json!({}));
    assert_eq!(waiting.code(), "ELEMENT_HANDLE_STALE", "the same address is another page");
    assert!(rig.sent(browser).is_empty());
}

#[test]
fn a_dropped_connection_makes_handles_stale_until_the_page_is_read_after_a_navigation() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    read(&mut rig, browser, &session, 1);
    rig.disconnect(browser);
    let browser = rig.connect();
    assert_eq!(click(&mut rig, &session, "el1").code(), "ELEMENT_HANDLE_STALE");
    rig.hello(browser, "a");
    assert_eq!(click(&mut rig, &session, "el1").code(), "ELEMENT_HANDLE_STALE");
    assert!(read(&mut rig, browser, &session, 1).is_empty(), "the page is unknown");
    rig.navigated(browser, 7, "http://site/");
    assert_eq!(click(&mut rig, &session, "el1").code(), "ELEMENT_HANDLE_STALE");
    assert_eq!(read(&mut rig, browser, &session, 1), ["el2"]);
    assert!(click(&mut rig, &session, "el2").waits());
}

#[test]
fn a_read_that_was_sent_again_gives_no_handles_that_work() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut client = rig.ask("elements", &session, json!({}));
    rig.disconnect(browser);
    let browser = rig.browser("a");
    rig.navigated(browser, 7, "http://site/");
    rig.answer(browser, &client.id, json!({"elements": [{"selector": "a"}]}));
    if let Some(handle) = client.data()["elements"][0]["handle"].as_str() {
        assert_eq!(click(&mut rig, &session, handle).code(), "ELEMENT_HANDLE_STALE");
    }
}

#[test]
fn a_handle_belongs_to_its_tab_and_its_session() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    read(&mut rig, browser, &session, 1);
    rig.open_in(browser, &session, 8);
    rig.sent(browser);
    assert_eq!(click(&mut rig, &session, "el1").code(), "ELEMENT_HANDLE_SCOPE_MISMATCH");
    let other = rig.open(browser, 9);
    assert_eq!(click(&mut rig, &other, "el1").code(), "ELEMENT_HANDLE_NOT_FOUND");
    rig.bind(&session, Some("t1"), "fast");
    let close = rig.ask("tab.close", &session, json!({}));
    rig.answer(browser, &close.id, json!({}));
    rig.bind(&session, Some("t2"), "fast");
    assert_eq!(click(&mut rig, &session, "el1").code(), "ELEMENT_HANDLE_NOT_FOUND");
}

#[test]
fn every_field_of_a_form_may_be_a_handle_and_one_bad_one_refuses_all() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    read(&mut rig, browser, &session, 2);
    let field = |handle: &str| json!({"target": {"handle": handle}, "value": "v", "method": "direct", "world": "main"});
    let mut bad = rig.ask("fill-form", &session, json!({"fields": [field("el1"), field("el9")]}));
    assert_eq!(bad.code(), "ELEMENT_HANDLE_NOT_FOUND");
    assert_eq!(bad.reply()["error"]["details"], json!({"handle": "el9", "reason": "unknown"}));
    rig.ask("fill-form", &session, json!({"fields": [field("el1"), field("el2")]}));
    assert!(!rig.sent(browser).remove(0)["params"].to_string().contains("handle"));
}

#[test]
fn opening_tabs_forgets_pages_that_nobody_owns_before_others() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 1);
    read(&mut rig, browser, &session, 1);
    for tab in 1000..2100 {
        rig.navigated(browser, tab, "http://noise/");
    }
    rig.open_in(browser, &session, 5000);
    rig.bind(&session, Some("t1"), "fast");
    assert!(click(&mut rig, &session, "el1").waits());
}
