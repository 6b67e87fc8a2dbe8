//! The session state that people see in their browser, and what they can do with sessions.

use serde_json::json;

use super::*;

impl Rig {
    /// The sessions that the person at this browser was shown, one list for each time.
    fn shown(&mut self, client: ClientId) -> Vec<Value> {
        let sent = self.sent_raw(client).into_iter();
        let sent = sent.map(|text| serde_json::from_slice::<Value>(&text).expect("a JSON message"));
        sent.filter(|message| message["type"] == "state")
            .map(|message| message["sessions"].clone())
            .collect()
    }
}

#[test]
fn a_person_is_shown_the_sessions_of_their_browser_once_for_every_change() {
    let mut rig = Rig::new();
    let (one, two) = (rig.browser("a"), rig.browser("b"));
    assert!(
        rig.shown(one).is_empty() && rig.shown(two).is_empty(),
        "a connection without sessions is not dirty"
    );
    let session = rig.open(two, 7);
    assert_eq!(
        rig.shown(two),
        [json!([{"session": session, "tab": "t1", "title": "Site", "paused": false}])]
    );
    let client = rig.ask("text", &session, json!({}));
    rig.answer(two, &client.id, json!({}));
    assert!(rig.shown(two).is_empty(), "the page is the same");
    let client = rig.ask("text", &session, json!({}));
    rig.answer_error(two, &client.id, "HUMAN_REQUIRED", "captcha");
    assert_eq!(
        rig.shown(two),
        [
            json!([{"session": session, "tab": "t1", "title": "Site", "paused": true, "pauseReason": "captcha"}])
        ]
    );
    assert!(rig.shown(one).is_empty(), "it concerns the other browser");
    rig.say(two, &json!({"type": "session.resume", "session": session}));
    assert_eq!(rig.shown(two)[0][0]["paused"], false);
    let again = rig.browser("b");
    assert_eq!(rig.shown(again)[0][0]["session"], session);
}

#[test]
fn a_browser_of_revision_1_is_told_who_asks_for_its_sessions() {
    let mut rig = Rig::new();
    let new = rig.numbering_browser("a");
    let first = rig.open(new, 7);
    let old = rig.browser("b");
    let sessions = [first, rig.open(old, 8)];
    let (_, _) = (rig.shown(new), rig.shown(old));
    let agent = json!({"name": "Claude Code", "folder": "/home/ada"});
    for session in &sessions {
        rig.send(&call("session.bind", session, json!({"pacing": "fast"})).by(agent.clone()));
    }
    assert_eq!(rig.shown(new).last().expect("a state")[0]["client"], agent);
    assert!(rig.shown(old).is_empty(), "an older one is told nothing");
    // A command that does not say it changes nothing, and another client is told at once.
    let client = rig.ask("text", &sessions[0], json!({}));
    rig.answer(new, &client.id, json!({}));
    assert!(rig.shown(new).is_empty());
    let other = json!({"name": "zsh"});
    let client = rig.send(&call("text", &sessions[0], json!({})).by(other.clone()));
    rig.answer(new, &client.id, json!({}));
    assert_eq!(rig.shown(new).last().expect("a state")[0]["client"], other);
    let list = rig.ask("session.list", "", json!({})).data();
    assert_eq!((&list["sessions"][0]["client"], &list["sessions"][1]["client"]), (&other, &agent));
}

#[test]
fn an_unsent_session_state_is_replaced_by_the_latest() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    for number in 0..1000 {
        rig.say(browser, &json!({"type": "ping", "ts": number}));
        let client = rig.ask("text", &session, json!({}));
        rig.answer_error(browser, &client.id, "HUMAN_REQUIRED", &number.to_string());
        rig.say(browser, &json!({"type": "session.resume", "session": session}));
    }
    let shown = rig.shown(browser);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0][0]["paused"], false);
}

#[test]
fn an_anonymous_connection_gets_no_session_state_and_cannot_close_a_session() {
    let mut rig = Rig::new();
    let anonymous = rig.connect();
    let session = rig.open(anonymous, 7);
    rig.say(anonymous, &json!({"type": "session.close", "session": session}));
    assert!(rig.shown(anonymous).is_empty());
    assert_eq!(rig.state.counts().1, 1);
}

#[test]
fn a_person_resumes_and_closes_what_lives_in_their_browser_and_nothing_else() {
    let mut rig = Rig::new();
    let one = rig.browser("a");
    let here = [rig.open(one, 7), rig.open(one, 8)];
    let two = rig.browser("b");
    let there = rig.open(two, 7);
    let mut text = rig.ask("text", &here[0], json!({}));
    rig.answer_error(one, &text.id, "HUMAN_REQUIRED", "captcha");
    assert_eq!(text.code(), "HUMAN_REQUIRED");
    for (client, session) in [(two, &here[0]), (one, &there)] {
        rig.say(client, &json!({"type": "session.resume", "session": session}));
        rig.say(client, &json!({"type": "session.close", "session": session}));
    }
    assert_eq!(
        (rig.status()["pausedSessions"].as_array().unwrap().len(), rig.state.counts().1),
        (1, 3)
    );
    rig.say(one, &json!({"type": "session.resume", "session": here[0]}));
    assert_eq!(rig.status()["pausedSessions"], json!([]));

    let mut text = rig.ask("text", &here[1], json!({}));
    rig.sent(one);
    rig.say(one, &json!({"type": "session.close_all"}));
    assert_eq!(text.code(), "SESSION_NOT_FOUND");
    let closes = rig.sent(one);
    assert_eq!(closes.iter().map(|close| &close["target"]["tabId"]).collect::<Vec<_>>(), [7, 8]);
    assert_eq!(rig.status()["sessions"][0]["id"], there);
    assert_eq!(rig.pending(), 2);
    for close in closes {
        rig.answer(one, close["id"].as_str().unwrap(), json!({}));
    }
    rig.assert_clean();
}
