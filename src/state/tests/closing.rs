//! The end of tabs and sessions.

use serde_json::json;

use super::*;

#[test]
fn a_session_is_gone_at_once_and_takes_its_commands_with_it() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (session, _) = rig.open_in(browser, "", 7);
    let (other, _) = rig.open_in(browser, "", 9);
    rig.open_in(browser, &session, 8);
    let mut in_flight = rig.ask("text", &session, json!({}));
    let mut queued = rig.ask("text", &session, json!({}));
    rig.sent(browser);
    let mut unsent = rig.ask("tab.open", &session, json!({"url": "u"}));
    rig.bind(&session, Some("t1"), "human");
    let mut first = rig.ask("click", &session, json!({"target": {"selector": "a"}}));
    let mut paced = rig.ask("click", &session, json!({"target": {"selector": "a"}}));
    let mut close = rig.ask("session.close", &session, json!({}));
    for client in [&mut in_flight, &mut queued, &mut unsent, &mut first, &mut paced] {
        assert_eq!(client.code(), "SESSION_NOT_FOUND");
    }
    assert_eq!(rig.ask("text", &session, json!({})).code(), "SESSION_NOT_FOUND");
    assert!(!rig.files.disk().dirs.iter().any(|dir| dir.as_str() == session));
    let sent = rig.sent(browser);
    let tabs: Vec<_> = sent.iter().map(|close| close["target"]["tabId"].clone()).collect();
    assert_eq!(tabs, [7, 8], "only the closes, not what never went out: {sent:?}");
    assert!(close.waits());
    rig.answer(browser, sent[0]["id"].as_str().unwrap(), json!({}));
    rig.answer_error(browser, sent[1]["id"].as_str().unwrap(), "TAB_NOT_FOUND", "gone");
    assert_eq!(close.data(), json!({"session": session, "closedTabs": 1}));
    assert!(rig.traces(99).iter().all(|trace| trace.action != "tab.close"));
    assert_eq!(rig.ask("session.bind", &other, json!({"pacing": "fast"})).reply()["ok"], true);
    rig.assert_clean();
}

#[test]
fn a_session_without_reachable_tabs_closes_at_once() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let empty = rig.create_session();
    rig.disconnect(browser);
    for session in [session, empty.to_string()] {
        let mut close = rig.ask("session.close", &session, json!({}));
        assert_eq!(close.data()["closedTabs"], 0);
    }
    rig.assert_clean();
}

#[test]
fn closes_are_not_bounded_by_the_pending_commands() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (full, session) = (rig.open(browser, 7), rig.open(browser, 8));
    let mut clients: Vec<_> = (0..100).map(|_| rig.ask("text", &full, json!({}))).collect();
    assert_eq!(rig.ask("text", &session, json!({})).code(), "OVERLOADED");
    rig.sent(browser);
    let mut close = rig.ask("session.close", &session, json!({}));
    let id = rig.sent_ids(browser).remove(0);
    rig.answer(browser, &id, json!({}));
    assert_eq!(close.data()["closedTabs"], 1);
    assert!(clients.iter_mut().all(Client::waits));
}

#[test]
fn a_late_close_confirmation_is_ignored() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut close = rig.ask("session.close", &session, json!({}));
    let id = rig.sent_ids(browser).remove(0);
    rig.pass(5000);
    assert_eq!(close.data()["closedTabs"], 0);
    rig.answer(browser, &id, json!({}));
    rig.assert_clean();
}

#[test]
fn a_close_continues_after_its_client_hangs_up() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    rig.ask("session.close", &session, json!({})).hang_up();
    assert_eq!(rig.sent(browser).len(), 1);
    rig.pass(5000);
    rig.assert_clean();
}

#[test]
fn a_tab_that_is_closed_fails_its_queue_and_unbinds() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut close = rig.ask("tab.close", &session, json!({}));
    let mut queued = rig.ask("text", &session, json!({}));
    rig.say(browser, &json!({"id": close.id, "ok": true}));
    assert_eq!(close.data(), json!({"tab": "t1", "closed": true}));
    assert_eq!(queued.code(), "TAB_NOT_FOUND");
    assert_eq!(rig.status()["sessions"][0]["tab"], Value::Null);
    assert_eq!(rig.open_in_order(browser, &session), "t2");
}

#[test]
fn a_tab_that_the_browser_misses_is_dropped_with_its_queue() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut text = rig.ask("text", &session, json!({}));
    let mut queued = rig.ask("dom", &session, json!({}));
    rig.answer_error(browser, &text.id, "TAB_NOT_FOUND", "no tab");
    assert_eq!(text.reply()["error"]["message"], "no tab");
    assert_eq!(queued.code(), "TAB_NOT_FOUND");
    assert_eq!(rig.ask("text", &session, json!({})).code(), "TAB_NOT_FOUND");
    let named = json!({"tab": "t1"});
    assert_eq!(rig.ask("tab.pin", &session, named).code(), "TAB_HANDLE_NOT_FOUND");
    rig.assert_clean();
}

#[test]
fn draining_ends_with_the_last_command() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut text = rig.ask("text", &session, json!({}));
    rig.state.drain();
    assert!(rig.state.is_draining());
    let state = rig.state.clone();
    let mut drained = std::pin::pin!(state.drained());
    let mut context = Context::from_waker(Waker::noop());
    assert!(drained.as_mut().poll(&mut context).is_pending());
    rig.answer(browser, &text.id, json!({}));
    text.data();
    assert!(drained.as_mut().poll(&mut context).is_ready());
}

#[test]
fn commands_pending_at_the_end_get_the_final_reply() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut clients: Vec<_> = (0..3).map(|_| rig.ask("text", &session, json!({}))).collect();
    rig.state.abort_all(&Reply { kind: ReplyKind::ShuttingDown, body: "{}".into() });
    assert!(clients.iter_mut().all(|client| client.reply() == json!({})));
    rig.state.close_all(crate::state::CloseReason::ShuttingDown);
    assert!(rig.sent(browser).is_empty());
    rig.assert_clean();
}

impl Rig {
    /// Opens one more tab in a session; returns its name.
    fn open_in_order(&mut self, browser: ClientId, session: &str) -> String {
        self.open_in(browser, session, 99).1
    }
}
