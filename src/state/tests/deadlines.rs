//! Deadlines and other waits: over exactly when the protocol says, in every phase.

use serde_json::json;

use super::*;

/// A browser that knows what was added to the protocol.
fn revised(rig: &mut Rig, instance: &str) -> ClientId {
    let client = rig.connect();
    let hello = json!({"type": "hello", "revision": 1, "instanceId": instance, "extensionVersion": "1",
                       "protocolVersion": 1, "browser": "b"});
    rig.say(client, &hello);
    client
}

fn cancel(client: &Client) -> Value {
    json!({"type": "cancel", "id": client.id})
}

#[test]
fn a_command_in_flight_is_given_up_five_seconds_after_its_last_client_is_gone() {
    let mut rig = Rig::new();
    let browser = revised(&mut rig, "a");
    let session = rig.open(browser, 7);
    let mut first = rig.ask("wait", &session, json!({"strategy": "url", "target": "never"}));
    rig.sent(browser);
    first.hang_up();
    rig.pass(4_000);
    // A client that asks again and goes too begins the wait anew.
    let again = call("wait", &session, json!({"strategy": "url", "target": "never"})).id(&first.id);
    let mut second = rig.send(&again);
    rig.pass(60);
    second.hang_up();
    rig.pass(4_900);
    assert!(rig.sent(browser).is_empty());
    rig.pass(100);
    assert_eq!(rig.sent(browser), [cancel(&first)]);
    rig.pass(10_000);
    assert!(rig.sent(browser).is_empty(), "once is enough");

    // It may have got lost with the connection.
    rig.disconnect(browser);
    let browser = revised(&mut rig, "a");
    let sent = rig.sent(browser);
    assert_eq!((&sent[0]["id"], &sent[1]), (&json!(first.id), &cancel(&first)));
    rig.answer(browser, &first.id, json!({"matched": false, "elapsed": 1}));
    rig.assert_clean();
}

#[test]
fn a_command_that_somebody_waits_for_is_not_given_up() {
    let mut rig = Rig::new();
    let browser = revised(&mut rig, "a");
    let session = rig.open(browser, 7);
    let mut first = rig.ask("wait", &session, json!({"strategy": "url", "target": "never"}));
    let again = call("wait", &session, json!({"strategy": "url", "target": "never"})).id(&first.id);
    let second = rig.send(&again);
    rig.sent(browser);
    first.hang_up();
    rig.pass(20_000);
    assert!(rig.sent(browser).is_empty());
    drop(second);
}

#[test]
fn a_browser_that_does_not_know_of_giving_up_is_told_nothing() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut client = rig.ask("wait", &session, json!({"strategy": "url", "target": "never"}));
    rig.sent(browser);
    client.hang_up();
    rig.pass(20_000);
    assert!(rig.sent(browser).is_empty());
}

/// The command fails at its deadline and not a millisecond before.
#[track_caller]
fn times_out_after(rig: &mut Rig, client: &mut Client, ms: u64) {
    rig.pass(ms - 1);
    assert!(client.waits(), "too early");
    rig.pass(1);
    assert_eq!(client.code(), "TIMEOUT");
}

#[test]
fn a_command_in_flight_ends_at_its_deadline() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut client = rig.send(&call("text", &session, json!({})).timeout_ms(1234));
    times_out_after(&mut rig, &mut client, 1234);
    rig.answer(browser, &client.id, json!({"text": "late"}));
    assert_eq!(client.code(), "TIMEOUT");
    rig.assert_clean();
}

#[test]
fn a_command_in_the_queue_ends_at_its_deadline_and_is_never_sent() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let first = rig.ask("text", &session, json!({}));
    let mut second = rig.send(&call("text", &session, json!({})).timeout_ms(77));
    let third = rig.ask("text", &session, json!({}));
    times_out_after(&mut rig, &mut second, 77);
    assert_eq!(rig.sent_ids(browser), [&*first.id]);
    rig.answer(browser, &first.id, json!({}));
    assert_eq!(rig.sent_ids(browser), [third.id]);
}

#[test]
fn commands_of_one_queue_that_end_at_the_same_moment_are_not_sent_after_each_other() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let calls = call("text", &session, json!({})).timeout_ms(50);
    let mut clients: Vec<_> = (0..3).map(|_| rig.send(&calls)).collect();
    rig.pass(50);
    assert!(clients.iter_mut().all(|client| client.code() == "TIMEOUT"));
    assert!(rig.sent(browser).is_empty(), "nothing that has ended is sent");
    let forwarded = rig.traces(9);
    assert_eq!(forwarded.iter().filter(|trace| !trace.ok).count(), 3);
}

#[test]
fn a_command_that_waits_for_its_slot_ends_at_its_deadline() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (session, _) = rig.open_in(browser, "", 7);
    let first = rig.ask("scroll", &session, json!({}));
    let mut second = rig.send(&call("scroll", &session, json!({})).timeout_ms(3999));
    times_out_after(&mut rig, &mut second, 3999);
    rig.pass(10_000);
    assert_eq!(rig.sent_ids(browser), [first.id]);
}

#[test]
fn a_command_whose_browser_is_away_ends_at_its_deadline() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut first = rig.send(&call("text", &session, json!({})).timeout_ms(500));
    let mut second = rig.send(&call("text", &session, json!({})).timeout_ms(900));
    rig.disconnect(browser);
    times_out_after(&mut rig, &mut first, 500);
    times_out_after(&mut rig, &mut second, 400);
    rig.assert_clean();
}

#[test]
fn a_deadline_holds_even_if_the_timer_is_late() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut client = rig.send(&call("text", &session, json!({})).timeout_ms(10));
    rig.sent(browser);
    rig.now += Duration::from_millis(10);
    rig.answer(browser, &client.id, json!({}));
    assert_eq!(client.code(), "TIMEOUT");
    let mut again = rig.send(&call("text", &session, json!({})).id(&client.id));
    assert!(again.waits());
    assert_eq!(rig.sent_ids(browser), [again.id]);
}

#[test]
fn a_deadline_is_brought_forward_to_ten_minutes() {
    for timeout_ms in [600_000, 600_001, i64::MAX / 2] {
        let mut rig = Rig::new();
        let browser = rig.browser("a");
        let session = rig.open(browser, 7);
        let mut client = rig.send(&call("text", &session, json!({})).timeout_ms(timeout_ms));
        assert_eq!(rig.sent(browser)[0]["deadline"], rig.now().unix_ms + 600_000);
        times_out_after(&mut rig, &mut client, 600_000);
    }
}

#[test]
fn a_connection_is_anonymous_after_half_a_second_of_silence() {
    let mut rig = Rig::new();
    let first = rig.connect();
    let (session, _) = rig.open_in(first, "", 7);
    let mut client = rig.ask("text", &session, json!({}));
    rig.disconnect(first);
    let second = rig.connect();
    rig.pass(499);
    assert!(rig.sent(second).is_empty());
    rig.pass(1);
    assert_eq!(rig.sent_ids(second), [&*client.id]);
    rig.answer(second, &client.id, json!({}));
    client.data();
}

#[test]
fn the_close_of_a_session_waits_five_seconds_or_until_just_before_its_deadline() {
    for (timeout_ms, waits_ms) in [(30_000, 5000), (5_099, 4_999), (150, 50)] {
        let mut rig = Rig::new();
        let browser = rig.browser("a");
        let session = rig.open(browser, 7);
        let mut close =
            rig.send(&call("session.close", &session, json!({})).timeout_ms(timeout_ms));
        rig.pass(waits_ms - 1);
        assert!(close.waits());
        rig.pass(1);
        assert_eq!(close.data(), json!({"session": session, "closedTabs": 0}));
        rig.assert_clean();
    }
}
