//! What outlives the daemon, what does not, and asking again.

use super::*;
use crate::{
    protocol::{MAX_SESSIONS, NUMBERS_AHEAD},
    state::Kept,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl Rig {
    /// The daemon has ended in whatever way, and another one starts in its place.
    fn next_daemon(&mut self) {
        let files = self.files.clone();
        let kept = match files.disk().sessions.clone() {
            saved if saved.is_empty() => Kept::default(),
            saved => Kept::parse(&saved).expect("whole sessions"),
        };
        let process = Process { pid: 2, port: 9615, started: self.now };
        self.state = State::new(process, None, Box::new(files));
        self.state.restore(kept, self.now()).unwrap();
        self.timer = self.state.timer();
        self.armed = self.state.arm();
    }

    /// A browser that numbers elements is back, and holds these tabs.
    fn returning_browser(&mut self, instance: &str, tabs: &[(i64, &str)]) -> ClientId {
        let client = self.connect();
        let tabs: Vec<_> =
            tabs.iter().map(|(id, session)| json!({"tabId": id, "session": session})).collect();
        let hello = json!({"type": "hello", "instanceId": instance, "extensionVersion": "1",
                           "protocolVersion": 1, "browser": "b", "revision": 1, "tabs": tabs});
        self.say(client, &hello);
        client
    }

    fn saves(&self) -> usize {
        self.files.disk().saves
    }

    fn sessions(&self) -> Value {
        self.status()["sessions"].clone()
    }

    /// Asks what came of an earlier command.
    fn ask_again(
        &mut self,
        action: &'static str,
        session: &str,
        params: Value,
        id: &str,
    ) -> Client {
        let now = self.now();
        let body = json!({
            "protocol_version": 1, "id": id, "action": action, "params": params, "session": session,
            "deadline": now.unix_ms + 30_000, "again": true,
        })
        .to_string();
        let mut request = Request::parse(body.as_bytes()).expect("a valid request");
        let (pending, reply) = match self.state.admit(&mut request, now) {
            Admission::Answered(reply) => (None, Some(reply)),
            Admission::Pending(pending) => (Some(pending), None),
            Admission::Draining => panic!("the state drains"),
        };
        Client { id: id.to_owned(), pending, reply }
    }
}

#[test]
fn sessions_tabs_binding_pace_pause_and_label_come_back() {
    let mut rig = Rig::new();
    let browser = rig.numbering_browser("a");
    let labelled = rig.ask("session.create", "", json!({"label": "mail"})).data();
    let labelled = labelled["session"].as_str().unwrap().to_owned();
    rig.open_in(browser, &labelled, 7);
    rig.open_in(browser, &labelled, 8);
    rig.ask("session.bind", &labelled, json!({"tab": "t1"})).data();
    let fast = rig.open(browser, 9);
    let text = rig.ask("text", &fast, json!({}));
    rig.sent(browser);
    rig.answer_error(browser, &text.id, "HUMAN_REQUIRED", "sign in");
    let (before, tabs) = (rig.sessions(), rig.status()["sessionTabs"].clone());

    rig.next_daemon();
    assert_eq!(rig.sessions(), before);
    let mut blank = tabs;
    for session in blank.as_array_mut().unwrap() {
        for tab in session["tabs"].as_array_mut().unwrap() {
            (tab["url"], tab["title"]) = (json!(""), json!(""));
        }
    }
    assert_eq!(rig.status()["sessionTabs"], blank, "titles and addresses are not kept");
    assert_eq!(rig.files.disk().dirs.len(), 2);

    assert_eq!(rig.ask("text", &labelled, json!({})).code(), "NO_EXTENSION");
    let browser = rig.returning_browser("a", &[(7, &labelled), (8, &labelled), (9, &fast)]);
    assert_eq!(rig.ask("text", &fast, json!({})).code(), "HUMAN_REQUIRED");
    assert_eq!(rig.ask("session.resume", &fast, json!({})).code(), "PERSON_REQUIRED");
    rig.say(browser, &json!({"type": "session.resume", "session": fast}));
    let mut text = rig.ask("text", &labelled, json!({}));
    assert_eq!(rig.sent(browser)[0]["target"], json!({"tabId": 7}));
    rig.answer(browser, &text.id, json!({"text": "x"}));
    assert_eq!(text.data()["text"], "x");
    assert_eq!(rig.open_in(browser, &labelled, 10).1, "t3");
}

#[test]
fn a_tab_that_its_browser_does_not_list_is_gone() {
    let mut rig = Rig::new();
    let browser = rig.numbering_browser("a");
    let session = rig.open(browser, 7);
    rig.open_in(browser, &session, 8);
    let other = rig.numbering_browser("b");
    let elsewhere = rig.open(other, 8);
    rig.next_daemon();
    // Another session's tab of this number is none of this session's.
    rig.returning_browser("a", &[(8, &elsewhere), (7, &session)]);
    assert_eq!(rig.tabs(session.parse().unwrap()).as_array().unwrap().len(), 1);
    assert_eq!(rig.sessions()[0]["tab"], json!(null), "the bound tab is gone");
    assert_eq!(rig.ask("text", &session, json!({})).code(), "TAB_NOT_FOUND");
    assert_eq!(rig.tabs(elsewhere.parse().unwrap()).as_array().unwrap().len(), 1);
}

#[test]
fn a_browser_that_lists_no_tabs_keeps_them_if_it_does_not_say_so() {
    let mut rig = Rig::new();
    let browser = rig.numbering_browser("a");
    let session = rig.open(browser, 7);
    rig.disconnect(browser);
    let browser = rig.numbering_browser("a");
    assert_eq!(rig.tabs(session.parse().unwrap()).as_array().unwrap().len(), 1);
    rig.disconnect(browser);
    rig.returning_browser("a", &[]);
    assert_eq!(rig.tabs(session.parse().unwrap()), json!([]));
}

#[test]
fn a_command_in_flight_for_a_tab_that_is_gone_is_sent_again_and_those_behind_it_fail() {
    let mut rig = Rig::new();
    let browser = rig.numbering_browser("a");
    let session = rig.open(browser, 7);
    let mut close = rig.ask("tab.close", &session, json!({}));
    let mut text = rig.ask("text", &session, json!({}));
    assert_eq!(rig.sent_ids(browser), [close.id.clone()]);
    rig.disconnect(browser);
    let browser = rig.returning_browser("a", &[]);
    assert_eq!(text.code(), "TAB_NOT_FOUND");
    assert_eq!(rig.sent_ids(browser), [close.id.clone()]);
    rig.answer(browser, &close.id, json!({"closed": true}));
    assert_eq!(close.data()["closed"], true);
    rig.assert_clean();
}

#[test]
fn a_browser_that_lists_tabs_is_sent_the_state_even_if_there_is_none() {
    let mut rig = Rig::new();
    let state = json!({"type": "state", "sessions": []});
    let sent = |rig: &mut Rig, client| {
        let sent = rig.sent_raw(client).into_iter();
        sent.map(|text| serde_json::from_slice::<Value>(&text).unwrap()).collect::<Vec<_>>()
    };
    let holder = rig.returning_browser("a", &[(7, "m4q7z2")]);
    assert_eq!(sent(&mut rig, holder), [state]);
    let other = rig.returning_browser("b", &[]);
    assert_eq!(sent(&mut rig, other), [] as [Value; 0]);
}

#[test]
fn tabs_of_a_client_that_said_no_hello_do_not_come_back_and_its_sessions_do() {
    let mut rig = Rig::new();
    let client = rig.connect();
    rig.say(client, &json!({"type": "ping", "ts": 1}));
    rig.sent(client);
    let session = rig.open(client, 7);
    rig.next_daemon();
    assert_eq!(rig.sessions()[0]["id"], session);
    assert_eq!(rig.sessions()[0]["tab"], json!(null));
    assert_eq!(rig.sessions()[0]["pacing"], "fast");
    let client = rig.connect();
    rig.say(client, &json!({"type": "ping", "ts": 1}));
    rig.sent(client);
    assert_eq!(rig.open_in(client, &session, 7).1, "t2", "ordinals are never used again");
}

#[test]
fn a_closed_session_does_not_come_back() {
    let mut rig = Rig::new();
    let session = rig.create_session();
    rig.ask("session.close", session.as_str(), json!({})).data();
    rig.next_daemon();
    assert_eq!(rig.sessions(), json!([]));
}

#[test]
fn no_read_and_no_act_saves_anything() {
    let mut rig = Rig::new();
    let browser = rig.numbering_browser("a");
    let session = rig.open(browser, 7);
    rig.navigated(browser, 7, "http://site/");
    let saves = rig.saves();
    // Each uses all numbers that were reserved for it.
    for action in ["elements", "links", "text"].repeat(3) {
        let read = rig.ask(action, &session, json!({}));
        let sent = rig.sent(browser).pop().unwrap();
        let list: Vec<_> = match sent["target"]["el"].as_u64() {
            Some(first) => (first..first + 1000).map(|n| json!({"n": n})).collect(),
            None => Vec::new(),
        };
        let name = if action == "text" { "x" } else { action };
        rig.answer(browser, &read.id, json!({(name): list}));
        assert_eq!(rig.saves(), saves, "{action}");
    }
}

#[test]
fn numbers_of_handles_go_on_above_all_that_were_given() {
    let mut rig = Rig::new();
    let browser = rig.numbering_browser("a");
    let session = rig.open(browser, 7);
    rig.navigated(browser, 7, "http://site/");
    let mut highest = 0;
    for round in 0..60 {
        let read = rig.ask("elements", &session, json!({}));
        let sent = rig.sent(browser).pop().unwrap();
        let first = sent["target"]["el"].as_u64().unwrap();
        assert!(first > highest, "round {round}");
        highest = first + 999;
        rig.answer(browser, &read.id, json!({"elements": [{"n": highest}]}));
        let saved: Value = serde_json::from_slice(&rig.files.disk().sessions).unwrap();
        let mark = saved["sessions"][0]["numbers"][0].as_u64().unwrap();
        assert!(mark >= highest && mark.is_multiple_of(NUMBERS_AHEAD), "{mark} after {highest}");
    }
    rig.next_daemon();
    assert_eq!(rig.ask("session.list", "", json!({})).data()["sessions"][0]["id"], session);
    let browser = rig.returning_browser("a", &[(7, &session)]);
    rig.navigated(browser, 7, "http://site/");
    rig.ask("elements", &session, json!({}));
    assert!(rig.sent(browser).pop().unwrap()["target"]["el"].as_u64().unwrap() > highest);
    let handle = json!({"target": {"handle": "el5"}});
    let details = rig.ask("click", &session, handle).reply()["error"]["details"].clone();
    assert_eq!(details["reason"], "expired");
}

#[test]
fn while_the_disk_is_full_commands_go_on_and_later_all_is_saved() {
    let mut rig = Rig::new();
    let mut events = rig.state.subscribe().unwrap();
    let mut recorded = || {
        let lines = std::iter::from_fn(|| events.try_recv().ok());
        let events = lines.map(|line| serde_json::from_slice::<Value>(&line).unwrap());
        events.filter(|event| event["event"] == "sessions_not_saved").count()
    };
    rig.files.disk().full = true;
    let session = rig.create_session();
    rig.create_session();
    rig.pass(10_000);
    assert_eq!(recorded(), 1);
    rig.files.disk().full = false;
    rig.pass(1_000);
    rig.next_daemon();
    assert_eq!(rig.sessions().as_array().unwrap().len(), 2);
    assert_eq!(rig.sessions()[0]["id"], session.as_str());
}

#[test]
fn a_session_ends_after_seven_days_without_a_command_in_one_daemon_or_several() {
    let mut rig = Rig::new();
    let (unused, used) = (rig.create_session(), rig.create_session());
    for _ in 0..6 {
        rig.pass(DAY_MS);
        rig.ask("tab.list", used.as_str(), json!({})).data();
    }
    assert_eq!(rig.sessions().as_array().unwrap().len(), 2);
    rig.pass(DAY_MS / 2);
    rig.next_daemon();
    rig.pass(DAY_MS / 2 + 600_000);
    assert_eq!(rig.sessions().as_array().unwrap().len(), 1);
    assert_eq!(rig.sessions()[0]["id"], used.as_str());
    assert!(!rig.files.disk().dirs.contains(&unused));
    rig.pass(7 * DAY_MS);
    assert_eq!(rig.sessions(), json!([]));
}

#[test]
fn no_session_ends_for_being_unused_in_a_daemons_first_ten_minutes() {
    let mut rig = Rig::new();
    let (kept, left) = (rig.create_session(), rig.create_session());
    rig.pass(6 * DAY_MS);
    rig.now += Duration::from_secs(30 * 24 * 60 * 60);
    rig.next_daemon();
    rig.pass(599_000);
    assert_eq!(rig.sessions().as_array().unwrap().len(), 2);
    rig.ask("tab.list", kept.as_str(), json!({})).data();
    rig.pass(1_000);
    assert_eq!(rig.sessions()[0]["id"], kept.as_str());
    assert!(!rig.files.disk().dirs.contains(&left));
}

#[test]
fn a_wall_clock_that_jumps_ends_no_session() {
    let mut rig = Rig::new();
    rig.create_session();
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    // The wall clock alone: the rig derives it from when it began.
    rig.began -= year;
    rig.pass(3 * 600_000);
    assert_eq!(rig.sessions().as_array().unwrap().len(), 1);
    // At a start the clock is wrong, and is set soon after.
    rig.next_daemon();
    rig.began += year;
    rig.pass(3 * 600_000);
    assert_eq!(rig.sessions().as_array().unwrap().len(), 1);
    // It was right, and jumps.
    rig.next_daemon();
    rig.began -= year;
    rig.pass(3 * 600_000);
    assert_eq!(rig.sessions().as_array().unwrap().len(), 1);
}

#[test]
fn the_longest_unused_session_without_tabs_makes_room_but_not_soon_after_the_start() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let with_tab = rig.open(browser, 7);
    let sessions: Vec<_> = (1..MAX_SESSIONS).map(|_| rig.create_session()).collect();
    assert_eq!(rig.ask("session.create", "", json!({})).code(), "OVERLOADED");
    rig.pass(600_000);
    rig.ask("tab.list", sessions[0].as_str(), json!({})).data();
    rig.pass(1);
    let new = rig.create_session();
    let has = |rig: &Rig, id: &str| {
        rig.sessions().as_array().unwrap().iter().any(|session| session["id"] == id)
    };
    assert_eq!(rig.sessions().as_array().unwrap().len(), MAX_SESSIONS);
    assert!(has(&rig, &with_tab) && has(&rig, sessions[0].as_str()) && has(&rig, new.as_str()));
    let open = rig.ask("tab.open", "", json!({"url": "http://site/"}));
    assert_eq!(rig.sent_ids(browser), [open.id]);
}

#[test]
fn when_a_session_was_used_is_saved_now_and_then_and_not_by_its_commands() {
    let mut rig = Rig::new();
    let session = rig.create_session();
    let used = |rig: &Rig| {
        let saved: Value = serde_json::from_slice(&rig.files.disk().sessions).unwrap();
        saved["sessions"][0]["used_ms"].as_i64().unwrap()
    };
    rig.pass(5_000);
    rig.ask("tab.list", session.as_str(), json!({})).data();
    assert_eq!(used(&rig), EPOCH_MS);
    rig.pass(600_000);
    assert_eq!(used(&rig), EPOCH_MS + 5_000);
    let saves = rig.saves();
    rig.pass(6_000_000);
    assert_eq!(rig.saves(), saves, "nothing has changed since");
    rig.state.save(rig.now());
    assert_eq!(rig.saves(), saves + 1);
}

#[test]
fn what_is_not_sound_is_not_taken_for_sessions() {
    let session = |tabs: Value, bound: Value, last: u32| {
        json!({"id": "m4q7z2", "pacing": "fast", "tabs": tabs, "bound": bound, "last_tab": last,
               "numbers": [0, 0], "used_ms": 0})
    };
    let kept = |sessions: Value| {
        let kept = json!({"browsers": ["a"], "sessions": sessions, "opens": []}).to_string();
        Kept::parse(kept.as_bytes()).is_some()
    };
    let sound = session(json!([[1, 0, 7], [3, 0, 8]]), json!(3), 3);
    assert!(kept(json!([sound])));
    assert!(!kept(json!([sound, sound])), "an id twice");
    for (tabs, bound, last) in [
        (json!([[1, 1, 7]]), json!(1), 1),
        (json!([[2, 0, 7], [1, 0, 8]]), json!(1), 2),
        (json!([[1, 0, 7]]), json!(2), 2),
        (json!([[2, 0, 7]]), json!(null), 1),
        (json!([[0, 0, 7]]), json!(null), 1),
    ] {
        assert!(!kept(json!([session(tabs.clone(), bound, last)])), "{tabs}");
    }
    assert!(Kept::parse(b"[]").is_none());
}

// --- asking again ---

#[test]
fn asking_again_is_a_recall_with_the_parameters_as_they_came() {
    let mut rig = Rig::new();
    let browser = rig.numbering_browser("a");
    let session = rig.open(browser, 7);
    let params = json!({"target": {"handle": "el5"}});
    rig.next_daemon();
    let mut none = rig.ask_again("click", &session, params.clone(), "x1");
    assert_eq!(none.code(), "NO_EXTENSION");
    let browser = rig.returning_browser("a", &[(7, &session)]);
    rig.navigated(browser, 7, "http://site/");
    let mut click = rig.ask_again("click", &session, params.clone(), "x1");
    let sent = rig.sent(browser);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["target"], json!({"tabId": 7, "recall": true}));
    assert_eq!((&sent[0]["id"], &sent[0]["params"]), (&json!("x1"), &params));
    let answer = json!({"protocol_version": 1, "id": "x1", "ok": true, "page": page(), "replay": true,
        "data": {"clicked": true}});
    rig.say(browser, &answer);
    assert_eq!(click.reply()["replay"], true);
    let mut click = rig.ask_again("click", &session, params, "x2");
    rig.sent(browser);
    let error = json!({"code": "OUTCOME_UNKNOWN", "message": "m", "details": {"started": false}});
    rig.say(browser, &json!({"protocol_version": 1, "id": "x2", "ok": false, "error": error}));
    assert_eq!(click.reply()["error"]["details"], json!({"started": false}));
    rig.assert_clean();
}

#[test]
fn asking_again_reserves_no_numbers_and_waits_for_no_pace() {
    let mut rig = Rig::new();
    let browser = rig.numbering_browser("a");
    let session = rig.open_in(browser, "", 7).0;
    rig.navigated(browser, 7, "http://site/");
    for id in ["x1", "x2"] {
        let params = json!({"target": {"selector": "a"}});
        rig.ask_again("click", &session, params, id);
        assert_eq!(rig.sent_ids(browser), [id]);
        rig.answer_error(browser, id, "OUTCOME_UNKNOWN", "m");
    }
    rig.ask_again("elements", &session, json!({}), "x3");
    assert_eq!(rig.sent(browser)[0]["target"], json!({"tabId": 7, "recall": true}));
}

#[test]
fn an_open_that_its_daemon_did_not_survive_is_found_in_its_browser_and_session() {
    let mut rig = Rig::new();
    let browser = rig.numbering_browser("a");
    let other = rig.numbering_browser("b");
    let existing = rig.create_session();
    rig.disconnect(other);
    let url = json!({"url": "http://site/"});
    let opens = [("o1", ""), ("o2", existing.as_str())];
    let mut sessions = Vec::new();
    for (id, session) in opens {
        rig.send(&call("tab.open", session, url.clone()).id(id));
        sessions.push(rig.sent(browser)[0]["session"].clone());
    }
    rig.next_daemon();
    let browser = rig.returning_browser("a", &[]);
    let other = rig.numbering_browser("b");
    for (at, (id, session)) in opens.into_iter().enumerate() {
        let mut open = rig.ask_again("tab.open", session, url.clone(), id);
        let sent = rig.sent(browser);
        assert_eq!(sent[0]["target"], json!({"recall": true}));
        assert_eq!(sent[0]["session"], sessions[at]);
        let answer = json!({"protocol_version": 1, "id": id, "ok": true, "page": page(), "replay": true,
            "data": {"tabId": 7 + at, "url": "http://site/"}});
        rig.say(browser, &answer);
        assert_eq!(open.data()["session"], sessions[at]);
        assert_eq!(open.data()["tab"], "t1");
    }
    assert_eq!(rig.sent_ids(other), [] as [String; 0]);
    // The client asks once more: the tab is the same.
    let mut open = rig.ask_again("tab.open", "", url, "o1");
    rig.sent(browser);
    let answer = json!({"protocol_version": 1, "id": "o1", "ok": true, "page": page(), "replay": true,
        "data": {"tabId": 7, "url": "http://site/"}});
    rig.say(browser, &answer);
    assert_eq!(
        (open.data()["session"].clone(), open.data()["tab"].clone()),
        (sessions[0].clone(), json!("t1"))
    );
}

#[test]
fn an_open_that_went_to_a_browser_before_its_hello_is_found_there_too() {
    let mut rig = Rig::new();
    let url = json!({"url": "http://site/"});
    let client = rig.connect();
    rig.send(&call("tab.open", "", url.clone()).id("o1"));
    let session = rig.sent(client)[0]["session"].clone();
    let hello = json!({"type": "hello", "instanceId": "a", "extensionVersion": "1",
                       "protocolVersion": 1, "browser": "b", "revision": 1});
    rig.say(client, &hello);
    rig.next_daemon();
    let browser = rig.returning_browser("a", &[]);
    let other = rig.numbering_browser("b");
    rig.ask_again("tab.open", "", url, "o1");
    assert_eq!(rig.sent(browser)[0]["session"], session);
    assert_eq!(rig.sent_ids(other), [] as [String; 0]);
}

#[test]
fn a_browser_without_a_journal_is_not_asked() {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7);
    let mut text = rig.ask_again("text", &session, json!({}), "x1");
    assert_eq!(text.code(), "OUTCOME_UNKNOWN");
    assert_eq!(text.reply()["error"]["details"], json!({"started": true}));
    assert_eq!(rig.sent_ids(browser), [] as [String; 0]);
}

#[test]
fn a_browser_that_has_not_said_hello_yet_is_not_there_to_be_asked() {
    let mut rig = Rig::new();
    let client = rig.connect();
    let url = json!({"url": "http://site/"});
    assert_eq!(rig.ask_again("tab.open", "", url.clone(), "o1").code(), "NO_EXTENSION");
    let hello = json!({"type": "hello", "instanceId": "a", "extensionVersion": "1",
                       "protocolVersion": 1, "browser": "b", "revision": 1});
    rig.say(client, &hello);
    assert!(rig.ask_again("tab.open", "", url, "o1").waits());
}

#[test]
fn the_daemons_own_actions_are_not_carried_out_by_asking_again() {
    let mut rig = Rig::new();
    let session = rig.create_session();
    let mut create = rig.ask_again("session.create", "", json!({}), "x1");
    assert_eq!(create.code(), "OUTCOME_UNKNOWN");
    let mut close = rig.ask_again("session.close", session.as_str(), json!({}), "x2");
    assert_eq!(close.code(), "OUTCOME_UNKNOWN");
    let mut list = rig.ask_again("session.list", "", json!({}), "x3");
    assert_eq!(list.data()["sessions"].as_array().unwrap().len(), 1);
    let mut gone = rig.ask_again("session.close", "aaaaaa", json!({}), "x4");
    assert_eq!(gone.code(), "SESSION_NOT_FOUND");
}
