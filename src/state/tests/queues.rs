//! Tab queues: order, one in flight, joins, hang-ups, and the checks at the head of the queue.

use serde_json::json;

use super::*;

#[test]
fn a_tab_has_one_command_in_flight_and_keeps_their_order_while_tabs_run_side_by_side() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (one, two) = (rig.open(browser, 7), rig.open(browser, 8));
    let first: Vec<_> = (0..3).map(|_| rig.ask("text", &one, json!({}))).collect();
    let second: Vec<_> = (0..3).map(|_| rig.ask("text", &two, json!({}))).collect();
    for (mut first, mut second) in first.into_iter().zip(second) {
        assert_eq!(rig.sent_ids(browser), [&*first.id, &*second.id]);
        rig.answer(browser, &first.id, json!({}));
        first.data();
        rig.answer(browser, &second.id, json!({}));
        second.data();
    }
    rig.assert_clean();
}

#[test]
fn a_pending_id_is_joined_by_its_session_whatever_else_the_request_says() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let one = rig.open(browser, 7);
    let mut first = rig.ask("text", &one, json!({}));
    let mut joined = rig.send(&call("dom", &one, json!({})).id(&first.id).timeout_ms(-1));
    let mut nowhere = rig.send(&call("session.list", &one, json!({})).id(&first.id));
    assert_eq!(rig.sent_ids(browser), [&*first.id]);
    rig.answer(browser, &first.id, json!({"text": "x"}));
    for client in [&mut first, &mut joined, &mut nowhere] {
        assert_eq!(client.data(), json!({"text": "x"}));
    }
    assert_eq!(rig.traces(99).iter().filter(|trace| trace.id == first.id).count(), 1);
    let again = rig.send(&call("text", &one, json!({})).id(&first.id));
    assert_eq!(rig.sent_ids(browser), [again.id], "the id is free again");
}

#[test]
fn an_id_that_is_pending_in_another_session_is_a_command_of_its_own() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (one, two) = (rig.open(browser, 7), rig.open(browser, 8));
    let mut first = rig.ask("text", &one, json!({}));
    let mut second = rig.send(&call("text", &two, json!({})).id(&first.id));
    let unknown = call("text", "zzzzzz", json!({})).id(&first.id);
    assert_eq!(rig.send(&unknown).code(), "SESSION_NOT_FOUND");
    let mut joined = rig.send(&call("text", &two, json!({})).id(&first.id));
    assert_eq!(rig.sent_ids(browser), [&*first.id, &*first.id]);
    // Answers name only the id: the command that was sent first is answered first.
    rig.answer(browser, &first.id, json!({"text": "first"}));
    assert_eq!(first.data(), json!({"text": "first"}));
    assert!(second.waits());
    rig.answer(browser, &first.id, json!({"text": "second"}));
    for client in [&mut second, &mut joined] {
        assert_eq!(client.data(), json!({"text": "second"}));
    }
    rig.assert_clean();
}

#[test]
fn an_open_that_creates_its_session_is_joined_by_requests_without_a_session() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut first = rig.ask("tab.open", "", json!({"url": "u"}));
    let mut joined = rig.send(&call("tab.open", "", json!({"url": "u"})).id(&first.id));
    let mut other = rig.send(&call("tab.open", &session, json!({"url": "u"})).id(&first.id));
    assert_eq!(rig.sent_ids(browser).len(), 2);
    rig.answer(browser, &first.id, json!({"tabId": 8, "url": "u"}));
    assert_eq!(first.data(), joined.data());
    rig.answer(browser, &first.id, json!({"tabId": 9, "url": "u"}));
    assert_eq!(other.data()["session"], json!(session));
}

#[test]
fn a_client_that_hangs_up_takes_out_only_what_was_not_sent_and_nobody_else_wants() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut in_flight = rig.ask("text", &session, json!({}));
    let mut queued = rig.ask("text", &session, json!({}));
    let mut shared = rig.ask("text", &session, json!({}));
    let joined = rig.send(&call("text", &session, json!({})).id(&shared.id));
    in_flight.hang_up();
    queued.hang_up();
    shared.hang_up();
    assert_eq!(rig.pending(), 2);
    assert_eq!(rig.sent_ids(browser), [&*in_flight.id]);
    rig.answer(browser, &in_flight.id, json!({}));
    assert_eq!(rig.sent_ids(browser), [&*joined.id]);
}

#[test]
fn a_hang_up_after_the_answer_changes_nothing() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut first = rig.ask("text", &session, json!({}));
    rig.answer(browser, &first.id, json!({}));
    let again = rig.send(&call("text", &session, json!({})).id(&first.id));
    first.hang_up();
    assert_eq!(rig.sent_ids(browser).last(), Some(&again.id));
    assert_eq!(rig.pending(), 1);
}

#[test]
fn a_command_that_a_hang_up_moves_to_the_head_of_queue_is_checked_at_once() {
    let mut rig = Rig::new();
    let one = rig.browser("a");
    let session = rig.open(one, 7);
    let two = rig.browser("b");
    rig.disconnect(one);
    let (_, far) = rig.open_in(two, &session, 8);
    let one = rig.browser("a");
    rig.bind(&session, Some("t1"), "fast");
    rig.send(&call("text", &session, json!({})).timeout_ms(10));
    let mut front = rig.ask("text", &session, json!({}));
    let mut next = rig.ask("text", &session, json!({}));
    rig.disconnect(one);
    rig.pass(10);
    rig.bind(&session, Some(&far), "fast");
    let pausing = rig.ask("text", &session, json!({}));
    rig.answer_error(two, &pausing.id, "HUMAN_REQUIRED", "captcha");
    assert!(
        front.waits() && next.waits(),
        "the first was at the head of the queue before the pause"
    );
    front.hang_up();
    rig.pass(0);
    assert_eq!(next.code(), "HUMAN_REQUIRED");
    rig.assert_clean();
}

#[test]
fn at_most_a_hundred_commands_are_pending() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut clients: Vec<_> = (0..100).map(|_| rig.ask("text", &session, json!({}))).collect();
    assert_eq!(rig.ask("text", &session, json!({})).code(), "OVERLOADED");
    assert!(rig.send(&call("text", &session, json!({})).id(&clients[50].id)).waits());
    clients[99].hang_up();
    assert!(rig.ask("text", &session, json!({})).waits());
}

#[test]
fn binding_elsewhere_affects_later_commands_only() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    rig.open_in(browser, &session, 8);
    let first = rig.ask("text", &session, json!({}));
    let second = rig.ask("text", &session, json!({}));
    rig.bind(&session, Some("t1"), "fast");
    let third = rig.ask("text", &session, json!({}));
    rig.ask("session.unbind", &session, json!({})).data();
    let mut sent = rig.sent(browser);
    rig.answer(browser, &first.id, json!({}));
    sent.extend(rig.sent(browser));
    let tabs: Vec<_> =
        sent.iter().map(|sent| (sent["id"].clone(), sent["target"]["tabId"].clone())).collect();
    assert_eq!(
        tabs,
        [(json!(first.id), json!(8)), (json!(third.id), json!(7)), (json!(second.id), json!(8))]
    );
}

#[test]
fn a_pause_fails_what_waits_and_spares_what_is_in_flight() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    rig.open_in(browser, &session, 8);
    let mut far = rig.ask("text", &session, json!({}));
    rig.bind(&session, Some("t1"), "fast");
    let first = rig.ask("text", &session, json!({}));
    let mut queued: Vec<_> = (0..3).map(|_| rig.ask("text", &session, json!({}))).collect();
    rig.answer_error(browser, &first.id, "HUMAN_REQUIRED", "log in first");
    for client in &mut queued {
        assert_eq!(client.reply()["error"]["message"], "log in first");
    }
    assert!(far.waits());
    rig.answer(browser, &far.id, json!({}));
    far.data();
    assert_eq!(
        rig.status()["pausedSessions"],
        json!([{"session": session, "reason": "log in first"}])
    );
    rig.assert_clean();
}
