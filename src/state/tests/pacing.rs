//! Pacing: when commands are sent, to the millisecond.

use serde_json::json;

use super::*;
use crate::state::pending::Phase;

fn click() -> Value {
    json!({"target": {"selector": "#a"}})
}

/// Lets time pass until something is sent; returns how long that took.
fn wait_for_one(rig: &mut Rig, browser: ClientId) -> (u64, String) {
    for ms in 0..=20_000 {
        let mut sent = rig.sent_ids(browser);
        assert!(sent.len() <= 1, "released together: {sent:?}");
        if let Some(id) = sent.pop() {
            return (ms, id);
        }
        rig.pass(1);
    }
    panic!("nothing was sent in 20 s");
}

#[test]
fn commands_sent_together_are_released_one_by_one_exactly_at_their_slots() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (session, _) = rig.open_in(browser, "", 7);
    let mut clients: Vec<_> = (0..6).map(|_| rig.ask("click", &session, click())).collect();
    let slots: Vec<_> = rig.state.with(|inner| {
        let slot = |client: &Client| {
            let command = inner.pending.iter().find(|command| *command.id == *client.id)?;
            match command.phase {
                Phase::Paced(slot) => Some(slot),
                _ => Some(command.received),
            }
        };
        clients.iter().filter_map(slot).collect()
    });
    assert_eq!(slots.len(), clients.len());
    let began = rig.now;
    for (client, slot) in clients.iter_mut().zip(slots) {
        let (pause, id) = wait_for_one(&mut rig, browser);
        assert_eq!(id, client.id);
        assert!(pause == 0 && rig.now == began || (500..=2000).contains(&pause), "{pause}");
        assert_eq!(rig.now, slot);
        rig.answer(browser, &id, json!({}));
        client.data();
    }
    rig.assert_clean();
}

#[test]
fn a_slot_is_kept_by_a_command_that_timed_out_or_was_abandoned() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (session, _) = rig.open_in(browser, "", 7);
    rig.ask("navigate", &session, json!({"url": "http://x/"})).hang_up();
    let first = rig.sent_ids(browser).pop().expect("it goes at once");
    rig.answer(browser, &first, json!({}));
    let mut late =
        rig.send(&call("navigate", &session, json!({"url": "http://x/"})).timeout_ms(10));
    let mut gone = rig.ask("navigate", &session, json!({"url": "http://x/"}));
    let last = rig.ask("navigate", &session, json!({"url": "http://x/"}));
    gone.hang_up();
    rig.pass(10);
    assert_eq!(late.code(), "TIMEOUT");
    let (waited, id) = wait_for_one(&mut rig, browser);
    assert_eq!(id, last.id);
    assert!((4500 - 10..=12_000).contains(&waited), "three pauses after the first: {waited}");
}

#[test]
fn becoming_fast_releases_nothing_and_lets_later_commands_pass() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (session, _) = rig.open_in(browser, "", 7);
    let first = rig.ask("click", &session, click());
    let second = rig.ask("click", &session, click());
    rig.bind(&session, None, "fast");
    let third = rig.ask("click", &session, click());
    assert_eq!(rig.sent_ids(browser), [&*first.id]);
    rig.answer(browser, &first.id, json!({}));
    assert_eq!(rig.sent_ids(browser), [&*third.id]);
    rig.answer(browser, &third.id, json!({}));
    let (waited, id) = wait_for_one(&mut rig, browser);
    assert_eq!(id, second.id);
    assert!((500..=2000).contains(&waited), "{waited}");
}

#[test]
fn sessions_and_categories_do_not_wait_for_each_other() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (one, _) = rig.open_in(browser, "", 7);
    let (two, _) = rig.open_in(browser, "", 8);
    let mut sent = Vec::new();
    for (session, action, params) in [
        (&one, "click", click()),
        (&two, "click", click()),
        (&one, "scroll", json!({})),
        (&one, "navigate", json!({"url": "http://x/"})),
        (
            &one,
            "fill",
            json!({"target": {"selector": "a"}, "value": "", "method": "direct", "world": "main"}),
        ),
    ] {
        let mut client = rig.ask(action, session, params);
        assert_eq!(rig.sent_ids(browser), [&*client.id], "{action}");
        rig.answer(browser, &client.id, json!({}));
        client.data();
        sent.push(client);
    }
}

#[test]
fn a_refused_command_takes_no_slot() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (session, _) = rig.open_in(browser, "", 7);
    assert_eq!(rig.send(&call("click", &session, click()).timeout_ms(0)).code(), "TIMEOUT");
    let client = rig.ask("click", &session, click());
    assert_eq!(rig.sent_ids(browser), [&*client.id]);
}

#[test]
fn what_waits_for_its_slot_is_checked_again_when_it_comes() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let (session, _) = rig.open_in(browser, "", 7);
    let first = rig.ask("scroll", &session, json!({}));
    let mut second = rig.ask("scroll", &session, json!({}));
    rig.answer_error(browser, &first.id, "HUMAN_REQUIRED", "captcha");
    rig.pass(3999);
    assert!(second.waits(), "nobody looks before its slot");
    rig.pass(4001);
    assert_eq!(second.reply()["error"]["message"], "captcha");

    let (session, _) = rig.open_in(browser, "", 8);
    rig.ask("scroll", &session, json!({}));
    let first = rig.sent_ids(browser).remove(0);
    rig.answer(browser, &first, json!({}));
    let mut second = rig.ask("scroll", &session, json!({}));
    let mut close = rig.ask("tab.close", &session, json!({}));
    rig.answer(browser, &close.id, json!({}));
    close.data();
    rig.pass(3999);
    assert!(second.waits());
    rig.pass(4001);
    assert_eq!(second.code(), "TAB_NOT_FOUND");
    assert!(!rig.sent_ids(browser).contains(&second.id));
    rig.assert_clean();
}
