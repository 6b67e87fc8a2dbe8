//! Browsers that disconnect and reconnect: what they take over, what is resent to them, and when.

use serde_json::json;

use super::*;

#[test]
fn a_returning_instance_gets_what_was_in_flight_in_its_order_byte_for_byte_and_then_what_waited() {
    let mut rig = Rig::new();
    let first = rig.browser("a");
    let (one, two) = (rig.open(first, 7), rig.open(first, 8));
    let late = rig.ask("text", &two, json!({ "selector" : "p" }));
    let early = rig.ask("dom", &one, json!({}));
    let waiting = rig.ask("text", &one, json!({}));
    let commands = |mut sent: Vec<Bytes>| {
        sent.retain(|text| !String::from_utf8_lossy(text).contains(r#""type":"state""#));
        sent
    };
    let raw = commands(rig.sent_raw(first));
    rig.disconnect(first);
    rig.pass(60);
    let second = rig.browser("a");
    assert_eq!(commands(rig.sent_raw(second)), raw);
    rig.answer(second, &early.id, json!({}));
    assert_eq!(rig.sent_ids(second), [waiting.id]);
    rig.answer(second, &late.id, json!({}));
    let replayed: Vec<_> = rig
        .traces(9)
        .iter()
        .map(|trace| (trace.id.clone(), trace.replayed == Some(true)))
        .collect();
    assert!(replayed.contains(&(early.id, true)) && replayed.contains(&(late.id, true)));
}

#[test]
fn an_instance_that_connects_twice_keeps_the_newer_connection() {
    let mut rig = Rig::new();
    let first = rig.browser("a");
    let session = rig.open(first, 7);
    let mut client = rig.ask("text", &session, json!({}));
    rig.sent(first);
    let second = rig.browser("a");
    assert_eq!(rig.state.closing(first), Some(crate::state::CloseReason::Superseded));
    assert_eq!(rig.sent_ids(second), [&*client.id]);
    rig.answer(first, &client.id, json!({"text": "old"}));
    assert!(client.waits(), "the older connection has no say any more");
    rig.disconnect(first);
    rig.answer(second, &client.id, json!({"text": "new"}));
    assert_eq!(client.data(), json!({"text": "new"}));
    let next = rig.ask("text", &session, json!({}));
    assert_eq!(rig.sent_ids(second), [next.id]);
}

#[test]
fn what_a_connection_got_before_its_hello_is_not_sent_to_it_twice() {
    let mut rig = Rig::new();
    let first = rig.browser("a");
    let session = rig.open(first, 7);
    let text = rig.ask("text", &session, json!({}));
    rig.sent(first);
    rig.disconnect(first);
    let second = rig.connect();
    let mut open = rig.ask("tab.open", "", json!({"url": "http://x/"}));
    assert_eq!(rig.sent_ids(second), [&*open.id], "it counts as connected");
    rig.hello(second, "a");
    assert_eq!(rig.sent_ids(second), [text.id], "and gets what it missed, nothing else");
    rig.answer(second, &open.id, json!({"tabId": 9}));
    open.data();
    assert!(rig.traces(1)[0].ok && rig.traces(1)[0].replayed.is_none());
}

#[test]
fn a_hello_that_comes_second_is_ignored() {
    let mut rig = Rig::new();
    let first = rig.browser("a");
    let session = rig.open(first, 7);
    rig.disconnect(first);
    let second = rig.connect();
    rig.say(second, &json!({"type": "ping", "ts": 1}));
    rig.hello(second, "a");
    assert_eq!(rig.ask("text", &session, json!({})).code(), "NO_EXTENSION");
    let third = rig.connect();
    rig.pass(500);
    rig.hello(third, "a");
    assert_eq!(rig.ask("text", &session, json!({})).code(), "NO_EXTENSION");
}

#[test]
fn another_protocol_version_ends_the_connection() {
    let mut rig = Rig::new();
    let client = rig.connect();
    rig.hello_in(2, client, "a");
    let close = rig.state.closing(client).unwrap();
    assert_eq!(
        (close, &*close.to_string()),
        (crate::state::CloseReason::Incompatible, "this daemon speaks protocol version 1")
    );
    assert_eq!(rig.ask("tab.open", "", json!({"url": "u"})).code(), "NO_EXTENSION");
}

#[test]
fn every_browser_is_spoken_to_in_the_version_that_it_named() {
    let mut rig = Rig::new();
    rig.state.with(|inner| inner.versions = Versions { oldest: 1, newest: 2 });
    for (hello, version) in [(Some(1), 1), (Some(2), 2), (None, 1)] {
        let client = rig.connect();
        match hello {
            Some(named) => rig.hello_in(named, client, &named.to_string()),
            None => rig.pass(500),
        }
        let session = rig.open(client, 7);
        let mut text = rig.ask("text", &session, json!({}));
        assert_eq!(rig.sent(client)[0]["protocol_version"], version);
        rig.answer(client, &text.id, json!({"text": "x"}));
        assert_eq!(text.data(), json!({"text": "x"}));
        rig.ask("session.close", &session, json!({}));
        assert_eq!(rig.sent(client)[0]["protocol_version"], version, "the daemon's own too");
    }
    let clients = &rig.status()["wsClients"];
    let told: Vec<_> = (0..3).map(|at| clients[at]["protocolVersion"].clone()).collect();
    assert_eq!(told, [1, 2, 1]);
    let stranger = rig.connect();
    rig.hello_in(3, stranger, "c");
    assert_eq!(rig.state.closing(stranger), Some(crate::state::CloseReason::Incompatible));
}

#[test]
fn an_extension_that_changes_its_version_goes_on_with_its_tabs() {
    let mut rig = Rig::new();
    rig.state.with(|inner| inner.versions = Versions { oldest: 1, newest: 2 });
    let first = rig.browser("a");
    let session = rig.open(first, 7);
    rig.disconnect(first);
    let second = rig.connect();
    rig.hello_in(2, second, "a");
    rig.ask("text", &session, json!({}));
    assert_eq!(rig.sent(second)[0]["protocol_version"], 2);
}

#[test]
fn a_command_is_admitted_while_awaiting_a_reconnect_and_fails_once_none_is_possible() {
    let mut rig = Rig::new();
    let first = rig.browser("a");
    let session = rig.open(first, 7);
    rig.disconnect(first);
    assert_eq!(rig.ask("text", &session, json!({})).code(), "NO_EXTENSION");

    let other = rig.connect();
    let mut awaiting = rig.ask("text", &session, json!({}));
    assert!(awaiting.waits());
    rig.hello(other, "b");
    assert_eq!(awaiting.code(), "NO_EXTENSION");

    let silent = rig.connect();
    let mut awaiting = rig.ask("text", &session, json!({}));
    rig.pass(499);
    assert!(awaiting.waits());
    rig.pass(1);
    assert_eq!(awaiting.code(), "NO_EXTENSION");
    rig.disconnect(silent);

    let gone = rig.connect();
    let mut awaiting = rig.ask("text", &session, json!({}));
    rig.disconnect(gone);
    assert_eq!(awaiting.code(), "NO_EXTENSION");

    let back = rig.connect();
    let awaiting = rig.ask("text", &session, json!({}));
    rig.hello(back, "a");
    assert_eq!(rig.sent_ids(back), [awaiting.id]);
    rig.disconnect(back);
    rig.pass(100);
    assert_eq!(rig.pending(), 1, "from then on it waits like any other");
}

#[test]
fn an_anonymous_connection_that_drops_before_its_first_message_leaves_its_commands_to_the_next() {
    let mut rig = Rig::new();
    let first = rig.connect();
    let mut open = rig.ask("tab.open", "", json!({"url": "u"}));
    assert_eq!(rig.sent_ids(first), [&*open.id]);
    rig.pass(100);
    rig.disconnect(first);
    let second = rig.connect();
    rig.pass(500);
    assert_eq!(rig.sent_ids(second), [&*open.id]);
    rig.answer(second, &open.id, json!({"tabId": 7}));
    open.data();
}

#[test]
fn a_connection_that_sends_no_message_is_not_a_second_anonymous_client() {
    let mut rig = Rig::new();
    let first = rig.connect();
    let session = rig.open(first, 7);
    let passer_by = rig.connect();
    rig.disconnect(passer_by);
    rig.disconnect(first);
    let back = rig.connect();
    rig.pass(500);
    let client = rig.ask("text", &session, json!({}));
    assert_eq!(rig.sent_ids(back), [client.id]);
}

#[test]
fn after_two_concurrent_anonymous_clients_each_keeps_its_tabs_and_a_third_gets_none() {
    let mut rig = Rig::new();
    let (one, two) = (rig.connect(), rig.connect());
    rig.pass(500);
    let second = rig.open(two, 7);
    assert!(rig.sent(one).is_empty(), "the one connected last opens tabs");
    rig.disconnect(two);
    let third = rig.connect();
    rig.pass(500);
    assert_eq!(rig.ask("text", &second, json!({})).code(), "NO_EXTENSION");
    assert!(rig.sent(third).is_empty());
}

#[test]
fn an_answer_from_another_browser_than_asked_is_ignored() {
    let mut rig = Rig::new();
    let one = rig.browser("a");
    let session = rig.open(one, 7);
    let two = rig.browser("b");
    let mut client = rig.ask("text", &session, json!({}));
    rig.answer(two, &client.id, json!({"text": "forged"}));
    assert!(client.waits());
    rig.answer(one, &client.id, json!({"text": "true"}));
    assert_eq!(client.data(), json!({"text": "true"}));
}

#[test]
fn a_new_tab_opens_beside_the_sessions_own_else_in_the_browser_connected_last() {
    let mut rig = Rig::new();
    let one = rig.browser("a");
    let session = rig.open(one, 7);
    let two = rig.browser("b");
    rig.open_in(two, "", 7);
    rig.open_in(one, &session, 8);
    rig.ask("session.unbind", &session, json!({})).data();
    rig.open_in(one, &session, 9);
    rig.disconnect(one);
    rig.open_in(two, &session, 10);
}

#[test]
fn disconnected_browsers_without_tabs_or_commands_are_forgotten() {
    let mut rig = Rig::new();
    for number in 0..50 {
        let client = rig.browser(&format!("instance {number}"));
        rig.disconnect(client);
        let client = rig.connect();
        rig.disconnect(client);
    }
    rig.browser("last");
    assert_eq!(rig.state.with(|inner| inner.browsers.known()), 1);
}

#[test]
fn a_browser_that_may_still_answer_an_open_is_remembered() {
    let mut rig = Rig::new();
    let first = rig.browser("a");
    rig.send(&call("tab.open", "", json!({"url": "u"})).id("lost").timeout_ms(10));
    rig.sent(first);
    rig.pass(10);
    rig.disconnect(first);
    rig.browser("b");
    let back = rig.browser("a");
    rig.answer(back, "lost", json!({"tabId": 7}));
    let close = rig.sent(back).pop().expect("the tab is closed");
    assert_eq!((&close["action"], &close["target"]["tabId"]), (&json!("tab.close"), &json!(7)));
}

#[test]
fn a_new_pairing_ends_all_connections_and_their_commands_wait_for_the_next() {
    let mut rig = Rig::new();
    let first = rig.connect();
    let session = rig.open(first, 7);
    let mut text = rig.ask("text", &session, json!({}));
    rig.sent(first);
    rig.state.activate(crate::state::pairing::new_credential("chrome-extension://x"));
    assert_eq!(rig.state.closing(first), Some(crate::state::CloseReason::NewPairing));
    rig.disconnect(first);
    let second = rig.connect();
    rig.pass(500);
    assert_eq!(rig.sent_ids(second), [&*text.id]);
    rig.answer(second, &text.id, json!({}));
    text.data();
}

#[test]
fn a_connection_that_does_not_read_piles_up_no_more_than_its_bound() {
    let mut rig = Rig::new();
    let client = rig.browser("a");
    for ts in 0..1000 {
        rig.say(client, &json!({"type": "ping", "ts": ts}));
    }
    assert_eq!(rig.sent(client).len(), 256);

    let session = rig.open(client, 7);
    rig.sent(client);
    for _ in 0..1000 {
        rig.send(&call("text", &session, json!({})).timeout_ms(1));
        rig.send(&call("tab.open", &session, json!({"url": "u"})).timeout_ms(1));
        rig.pass(1);
    }
    assert_eq!(rig.state.with(|inner| inner.browsers.unsent(client)), 0);
}
