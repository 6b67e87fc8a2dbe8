//! Tabs that arrive on time, late, twice, or after their client hung up.

use serde_json::json;

use super::*;

fn url() -> Value {
    json!({"url": "http://site/"})
}

/// The tab that the browser is asked to close, in one message and no other.
#[track_caller]
fn closed(rig: &mut Rig, browser: ClientId) -> i64 {
    let sent = rig.sent(browser);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["action"], "tab.close");
    sent[0]["target"]["tabId"].as_i64().expect("a tab")
}

#[test]
fn an_implicit_session_exists_only_once_its_tab_does() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let mut open = rig.ask("tab.open", "", url());
    let sent = rig.sent(browser).remove(0);
    assert_eq!(sent["target"], Value::Null);
    let session = sent["session"].as_str().unwrap().to_owned();
    assert_eq!(rig.state.counts().1, 0);
    assert!(rig.files.disk().dirs.is_empty());
    rig.answer(browser, &open.id, json!({"tabId": 7, "url": "http://other/"}));
    assert_eq!(
        open.data(),
        json!({"session": session, "tab": "t1", "bound": true, "url": "http://other/",
               "tmpDir": format!("/tmp/{session}")})
    );
    assert_eq!(rig.files.disk().dirs[0].as_str(), session);
    assert_eq!(rig.traces(1)[0].session, session);
}

#[test]
fn an_open_that_fails_makes_no_session_and_names_none_to_go_on_with() {
    for (code, message) in [
        (
            "NAVIGATION_FAILED",
            json!({"ok": false, "error": {"code": "NAVIGATION_FAILED", "message": "m"}}),
        ),
        (
            "HUMAN_REQUIRED",
            json!({"ok": false, "error": {"code": "HUMAN_REQUIRED", "message": "m"}}),
        ),
        ("SCRIPT_ERROR", json!({"ok": true, "data": {}, "page": {}})),
        ("SCRIPT_ERROR", json!({"ok": true, "data": {"tabId": "7"}, "page": {}})),
        ("SCRIPT_ERROR", json!({"ok": true})),
        ("SCRIPT_ERROR", json!({"ok": 1})),
    ] {
        let mut rig = Rig::new();
        let browser = rig.browser("a");
        let mut open = rig.ask("tab.open", "", url());
        let session = rig.sent(browser).remove(0)["session"].as_str().unwrap().to_owned();
        let mut answer = message.clone();
        answer["id"] = open.id.clone().into();
        rig.say(browser, &answer);
        assert_eq!(open.code(), code, "{message}");
        assert!(!open.reply().to_string().contains(&session), "{}", open.reply());
        assert_eq!(rig.state.counts().1, 0);
        rig.assert_clean();
    }
}

#[test]
fn a_tab_that_comes_after_its_command_timed_out_is_closed() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let mut open = rig.send(&call("tab.open", "", url()).timeout_ms(100));
    rig.sent(browser);
    rig.pass(100);
    assert_eq!(open.code(), "TIMEOUT");
    rig.answer(browser, &open.id, json!({"tabId": 7}));
    assert_eq!(closed(&mut rig, browser), 7);
    rig.answer(browser, &open.id, json!({"tabId": 7}));
    assert!(rig.sent(browser).is_empty(), "once");
    assert_eq!(rig.state.counts().1, 0);
}

#[test]
fn a_tab_that_comes_after_its_client_hung_up_is_closed() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let mut open = rig.ask("tab.open", "", url());
    rig.sent(browser);
    open.hang_up();
    rig.answer(browser, &open.id, json!({"tabId": 7}));
    assert_eq!(closed(&mut rig, browser), 7);
    rig.assert_clean();
    assert_eq!(rig.state.counts().1, 0);
}

#[test]
fn a_tab_that_comes_after_its_session_was_closed_is_closed() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut open = rig.ask("tab.open", &session, url());
    rig.sent(browser);
    let mut close = rig.ask("session.close", &session, json!({}));
    assert_eq!(open.code(), "SESSION_NOT_FOUND");
    let close_id = rig.sent_ids(browser).remove(0);
    rig.answer(browser, &close_id, json!({}));
    assert_eq!(close.data()["closedTabs"], 1);
    rig.answer(browser, &open.id, json!({"tabId": 8}));
    assert_eq!(closed(&mut rig, browser), 8);
}

#[test]
fn a_client_that_joined_keeps_the_tab_of_one_that_hung_up() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let mut first = rig.ask("tab.open", "", url());
    let mut second = rig.send(&call("tab.open", "", url()).id(&first.id));
    first.hang_up();
    rig.answer(browser, &second.id, json!({"tabId": 7}));
    assert_eq!(second.data()["tab"], "t1");
}

#[test]
fn an_open_that_was_never_written_is_forgotten_with_its_command() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let mut open = rig.send(&call("tab.open", "", url()).timeout_ms(100));
    rig.pass(100);
    assert_eq!(open.code(), "TIMEOUT");
    assert!(rig.sent(browser).is_empty());
}

#[test]
fn a_second_answer_under_an_id_used_again_closes_no_tab_that_is_owned() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    rig.send(&call("tab.open", "", url()).id("x").timeout_ms(100));
    rig.sent(browser);
    rig.pass(100);
    let mut again = rig.send(&call("tab.open", "", url()).id("x"));
    rig.sent(browser);
    rig.answer(browser, "x", json!({"tabId": 7}));
    again.data();
    rig.answer(browser, "x", json!({"tabId": 7}));
    assert!(rig.sent(browser).is_empty());
}

#[test]
fn a_tab_that_the_browser_names_from_memory_keeps_its_name() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (session, tab) = rig.open_in(browser, "", 7);
    let mut again = rig.ask("tab.open", &session, url());
    let answer =
        json!({"id": again.id, "ok": true, "data": {"tabId": 7}, "page": page(), "replay": true});
    rig.say(browser, &answer);
    assert_eq!(again.data()["tab"], tab);
    assert!(rig.traces(1)[0].replayed.is_some());
}

#[test]
fn a_tab_id_returned_by_two_opens_serves_both_sessions() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (one, two) = (rig.open(browser, 7), rig.open(browser, 7));
    let texts = [rig.ask("text", &one, json!({})), rig.ask("text", &two, json!({}))];
    assert_eq!(rig.sent_ids(browser), texts.map(|text| text.id));
    rig.navigated(browser, 7, "http://next/");
    for session in [one, two] {
        let tabs = rig.tabs(session.parse().unwrap());
        assert_eq!(serde_json::to_value(tabs).unwrap()[0]["url"], "http://next/");
    }
}

#[test]
fn an_open_that_is_asked_for_again_gives_the_session_that_it_made() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (session, tab) = rig.open_in(browser, "", 7);
    let mut again = rig.ask("tab.open", "", url());
    let answer =
        json!({"id": again.id, "ok": true, "data": {"tabId": 7}, "page": page(), "replay": true});
    rig.say(browser, &answer);
    let data = again.data();
    assert_eq!((&data["session"], &data["tab"]), (&json!(session), &json!(tab)));
}

#[test]
fn opens_run_outside_any_queue() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let text = rig.ask("text", &session, json!({}));
    let one = rig.ask("tab.open", &session, url());
    let two = rig.ask("tab.open", &session, url());
    assert_eq!(rig.sent_ids(browser), [text.id, one.id, two.id]);
}
