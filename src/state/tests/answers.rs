//! Which parts of the extension's answers reach clients, and which never do.

use serde_json::json;

use super::*;

/// A rig with a browser and a session that has the tab 7777.
fn with_tab() -> (Rig, ClientId, String) {
    let mut rig = Rig::new();
    let browser = rig.browser("a");
    let session = rig.open(browser, 7777);
    (rig, browser, session)
}

/// What the client gets when the extension answers with this, under the command's own id.
fn relayed(action: &'static str, params: Value, mut answer: Value) -> Value {
    let (mut rig, browser, session) = with_tab();
    let mut client = rig.ask(action, &session, params);
    rig.sent(browser);
    answer["id"] = client.id.clone().into();
    rig.say(browser, &answer);
    client.reply()
}

#[test]
fn raw_tab_ids_never_reach_clients() {
    let nested = json!({"tabId": 7777, "a": [{"b": {"tabId": 7777, "c": 1}}]});
    let page = json!({"url": "u", "title": "t", "state": "ready", "busy": false, "tabId": 7777});
    for action in ["text", "elements", "links", "debug.log", "tab.pin", "tab.activate", "outline"] {
        let answer = json!({"protocol_version": 1, "ok": true, "data": nested, "page": page, "replay": false});
        let reply = relayed(action, json!({}), answer);
        assert_eq!(reply["ok"], true, "{action}");
        assert!(!reply.to_string().contains("7777"), "{action}: {reply}");
    }
    let error = json!({"code": "X", "message": "m", "details": nested});
    let reply = relayed("text", json!({}), json!({"ok": false, "error": error}));
    assert_eq!(reply["error"]["details"], json!({"a": [{"b": {"c": 1}}]}));
}

#[test]
fn the_extensions_log_names_the_sessions_tabs_and_no_others() {
    let (mut rig, browser, session) = with_tab();
    rig.open(browser, 8888);
    let mut log = rig.ask("debug.log", &session, json!({}));
    let entries =
        json!([{"tab": 7777, "m": 1}, {"tab": 8888}, {"tab": 9}, {"tab": null}, {"m": 2}]);
    rig.answer(browser, &log.id, json!({"entries": entries}));
    assert_eq!(
        log.data()["entries"],
        json!([{"tab": "t1", "m": 1}, {"tab": null}, {"tab": null}, {"tab": null}, {"m": 2}])
    );
}

#[test]
fn anything_but_a_valid_answer_is_a_script_error() {
    for answer in [
        json!({}),
        json!({"ok": "true"}),
        json!({"ok": true}),
        json!({"ok": true, "data": {}}),
        json!({"ok": true, "data": [], "page": {}}),
        json!({"ok": true, "data": {}, "page": null}),
        json!({"ok": false}),
        json!({"ok": false, "error": {"code": "X"}}),
        json!({"ok": false, "error": {"code": 1, "message": "m"}}),
    ] {
        let reply = relayed("text", json!({}), answer.clone());
        assert_eq!(reply["error"]["code"], "SCRIPT_ERROR", "{answer}");
        assert_eq!(reply["error"]["category"], "execution");
    }
}

#[test]
fn any_success_is_enough_for_an_action_on_a_tab() {
    for (action, data) in [
        ("tab.close", json!({"tab": "t1", "closed": true})),
        ("tab.pin", json!({"tab": "t1", "pinned": true})),
        ("tab.unpin", json!({"tab": "t1", "pinned": false})),
        ("tab.activate", json!({"tab": "t1", "activated": true})),
    ] {
        for answer in [json!({"ok": true}), json!({"ok": true, "data": {"x": 1}, "page": page()})] {
            assert_eq!(relayed(action, json!({}), answer)["data"], data);
        }
    }
}

#[test]
fn the_extensions_replay_is_passed_on_where_it_is_a_boolean() {
    for (said, heard) in [(json!(true), true), (json!(false), false), (json!("yes"), false)] {
        let answer = json!({"ok": true, "data": {}, "page": page(), "replay": said});
        assert_eq!(relayed("text", json!({}), answer)["replay"], heard);
    }
}

#[test]
fn numbers_and_order_in_the_data_stay_as_they_were_written() {
    let (mut rig, browser, session) = with_tab();
    let data = r#"{"z":1.50,"a":12345678901234567890123,"m":{"x":[1e2,"\u00e4"]}}"#;
    for extra in ["", r#","more":1"#] {
        let mut client = rig.ask("text", &session, json!({}));
        let text = format!(
            r#"{{"protocol_version":1,"id":"{}","ok":true,"data":{data},"page":{{"url":"u"}},"replay":false{extra}}}"#,
            client.id
        );
        rig.state.receive(browser, &text, &text.clone().into(), rig.now());
        assert_eq!(client.reply()["replay"], false);
        let body = client.reply.expect("the reply").body;
        assert!(str::from_utf8(&body).unwrap().contains(data));
    }
}

#[test]
fn unsolicited_answers_are_ignored() {
    let (mut rig, browser, session) = with_tab();
    let mut first = rig.ask("text", &session, json!({}));
    let mut queued = rig.ask("text", &session, json!({}));
    rig.answer(browser, &queued.id, json!({"text": "too early"}));
    rig.answer(browser, "nobody", json!({}));
    assert!(first.waits() && queued.waits());
    rig.answer(browser, &first.id, json!({}));
    rig.answer(browser, &first.id, json!({"text": "twice"}));
    assert_eq!(first.data(), json!({}));
    assert!(queued.waits());
}

#[test]
fn a_tab_is_listed_with_the_latest_known_title_and_address() {
    let (mut rig, browser, session) = with_tab();
    let id = session.parse().unwrap();
    let tabs = |rig: &Rig| rig.tabs(id)[0].clone();
    assert_eq!(
        tabs(&rig),
        json!({"tab": "t1", "url": "http://site/", "title": "Site", "bound": true})
    );
    rig.navigated(browser, 7777, "http://next/");
    assert_eq!(tabs(&rig)["url"], "http://next/");
    assert_eq!(tabs(&rig)["title"], "");
    let client = rig.ask("text", &session, json!({}));
    rig.answer(browser, &client.id, json!({}));
    assert_eq!(tabs(&rig)["title"], "Site");
}

#[test]
fn a_command_can_use_the_widest_texts() {
    let (mut rig, browser, session) = with_tab();
    let id = "\u{1f600}\"\\\n".repeat(32);
    let mut client = rig.send(&call("text", &session, json!({"selector": "\u{0}\u{7f}ä"})).id(&id));
    let sent = rig.sent(browser).remove(0);
    assert_eq!((&sent["id"], &sent["params"]["selector"]), (&json!(id), &json!("\u{0}\u{7f}ä")));
    rig.answer(browser, &id, json!({}));
    assert_eq!(client.reply()["id"], json!(id));
}
