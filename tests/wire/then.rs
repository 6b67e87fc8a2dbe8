//! Reads that acts, opens and navigations bring along.

use serde_json::{Value, json};

use crate::support::{Command, Daemon, Request, Tab, request};

fn click(tab: &Tab, then: Value) -> Request {
    tab.request("click").params(json!({"target": {"selector": "#a"}, "then": then}))
}

/// The numbers that a command may give.
fn block(command: &Command) -> (Option<u64>, Option<u64>) {
    (command.target()["el"].as_u64(), command.target()["ln"].as_u64())
}

#[tokio::test]
async fn every_act_takes_a_read_along_and_its_parameters_are_forwarded_as_they_came() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let target = json!({"selector": "#a"});
    for (action, params) in [
        ("click", json!({"target": target})),
        ("hover", json!({"target": target})),
        ("press", json!({"keys": ["a"]})),
        ("type", json!({"text": "a"})),
        ("drag", json!({"from": target, "by": {"x": 1, "y": 1}})),
        ("select-text", json!({"target": target})),
        ("select", json!({"trigger": target, "optionText": "a"})),
        ("fill", json!({"target": target, "value": "a"})),
        ("fill-form", json!({"fields": [{"target": target, "value": "a"}]})),
        ("scroll", json!({})),
        ("navigate", json!({"url": "about:blank"})),
        ("back", json!({})),
        ("forward", json!({})),
        ("reload", json!({})),
        ("tab.activate", json!({})),
    ] {
        for then in [
            json!({"action": "snapshot", "params": {"interactiveOnly": true}}),
            json!({"action": "text"}),
            json!({"action": "find", "params": {"name": "Save"}}),
            json!({"action": "elements"}),
            json!({"action": "links", "params": {"limit": 5}}),
        ] {
            let mut params = params.clone();
            params["then"] = then;
            let request = tab.request(action).params(params.clone());
            let data = json!({"then": {"text": "x"}});
            let (command, reply) = ext.exchange(&daemon, request, data).await;
            assert_eq!(command.params(), &params, "{action}");
            assert_eq!(block(&command), (Some(1), Some(1)), "{action}");
            assert_eq!(reply.data()["then"], json!({"text": "x"}), "{action}");
        }
    }
}

#[tokio::test]
async fn what_is_no_read_to_bring_along_is_refused() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    for (then, problem) in [
        (json!({"action": "dom"}), "`dom`"),
        (json!({"action": "click"}), "`click`"),
        (json!({}), "missing field `action`"),
        (json!(null), "params.then"),
        (json!(["text"]), "an object"),
        (json!({"action": "text", "params": null}), "params.then.params"),
        (json!({"action": "text", "params": {"colour": 1}}), "unknown field `colour`"),
        (json!({"action": "links", "params": {"limit": 0}}), "0 is out of range"),
        (json!({"action": "find", "params": {}}), "at least one of"),
        (json!({"action": "text", "more": 1}), "unknown field `more`"),
    ] {
        let message = daemon.send(click(&tab, then.clone())).await.refused(400, "BAD_REQUEST");
        assert!(message.contains(problem), "{then}: {message}");
    }
    let then = json!({"then": {"action": "text"}});
    for action in ["tab.close", "tab.pin", "text", "screenshot"] {
        daemon.send(tab.request(action).params(then.clone())).await.refused(400, "BAD_REQUEST");
    }
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_browser_that_names_no_revision_is_not_sent_one() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for request in [
        click(&tab, json!({"action": "text"})),
        request("tab.open").params(json!({"url": "about:blank", "then": {"action": "text"}})),
    ] {
        let error = daemon.send(request).await.error("SCRIPT_ERROR");
        assert!(error["message"].as_str().is_some_and(|it| it.contains("update it")), "{error}");
    }
    ext.has_nothing().await;
}

#[tokio::test]
async fn what_an_act_and_its_read_name_gets_handles_of_one_block() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let then = json!({"action": "elements"});
    let elements =
        json!([{"tag": "input", "n": 2}, {"tag": "button", "n": 1}, {"tag": "p", "n": 5000}]);
    let data = json!({"clicked": true, "then": {"elements": elements},
        "effects": {"focus": {"role": "textbox", "name": "x", "n": 1}}});
    let (_, reply) = ext.exchange(&daemon, click(&tab, then), data).await;
    assert_eq!(
        reply.data(),
        json!({"clicked": true, "effects": {"focus": {"role": "textbox", "name": "x", "handle": "el1"}},
            "then": {"elements": [{"tag": "input", "handle": "el2"}, {"tag": "button", "handle": "el1"}, {"tag": "p"}]}})
    );
    let links = json!({"links": [{"text": "One", "n": 1}], "total": 1});
    let data = json!({"clicked": true, "then": links});
    let (command, reply) =
        ext.exchange(&daemon, click(&tab, json!({"action": "links"})), data).await;
    assert_eq!(block(&command), (Some(3), Some(1)));
    assert_eq!(reply.data()["then"]["links"], json!([{"text": "One", "handle": "ln1"}]));
    let tree = json!({"tree": "- button \"Save\" [el3]", "nodeCount": 1, "handles": [3]});
    let data = json!({"clicked": true, "then": tree});
    let (command, reply) =
        ext.exchange(&daemon, click(&tab, json!({"action": "snapshot"})), data).await;
    assert_eq!(block(&command), (Some(3), Some(2)));
    let tree = json!({"tree": "- button \"Save\" [el3]", "nodeCount": 1});
    assert_eq!(reply.data(), json!({"clicked": true, "then": tree}));
    let by_handle = tab.request("click").params(json!({"target": {"handle": "el3"}}));
    let (command, _) = ext.exchange(&daemon, by_handle, json!({})).await;
    assert_eq!(
        (block(&command), command.params()["target"]["handle"].as_str()),
        ((Some(4), Some(2)), Some("el3"))
    );
}

#[tokio::test]
async fn a_tab_that_is_opened_brings_the_first_read_of_its_page() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let open = |session: &str| {
        let params = json!({"url": "https://a.example/", "then": {"action": "elements"}});
        let open = request("tab.open").params(params);
        if session.is_empty() { open } else { open.session(session) }
    };
    for (session, tab_id) in [("", 901), (tab.session.as_str(), 902)] {
        let opening = daemon.begin(open(session));
        let command = ext.receive_action("tab.open").await;
        assert_eq!(command.target(), &json!({"el": 1, "ln": 1}));
        let data = json!({"tabId": tab_id, "url": "https://a.example/",
            "then": {"elements": [{"tag": "button", "n": 1}, {"tag": "a", "n": 2}]}});
        ext.answer_in(&command, "D9", data).await;
        let data = opening.reply().await.data();
        let elements = json!([{"tag": "button", "handle": "el1"}, {"tag": "a", "handle": "el2"}]);
        assert_eq!(data["then"], json!({"elements": elements}), "{data}");
        assert!(data["tab"].is_string() && data.get("tabId").is_none(), "{data}");
        let owner = data["session"].as_str().expect("a session");
        let click = request("click").session(owner).params(json!({"target": {"handle": "el2"}}));
        let (command, reply) = ext.exchange(&daemon, click, json!({"clicked": true})).await;
        reply.data();
        let target = json!({"tabId": tab_id, "document": "D9", "el": 3, "ln": 1});
        assert_eq!(
            (command.target(), &command.params()["target"]["handle"]),
            (&target, &json!("el2"))
        );
    }
}

#[tokio::test]
async fn a_read_that_fails_leaves_the_act_done() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let error = json!({"code": "TIMEOUT", "message": "too late", "suggestedAction": "bproxy text"});
    let failed = json!({"clicked": true, "thenError": error});
    let then = json!({"action": "snapshot"});
    let (_, reply) = ext.exchange(&daemon, click(&tab, then.clone()), failed.clone()).await;
    assert_eq!(reply.data(), failed);
    let activate = tab.request("tab.activate").params(json!({"then": then}));
    let (_, reply) =
        ext.exchange(&daemon, activate, json!({"activated": true, "thenError": error})).await;
    assert_eq!(reply.data(), json!({"tab": "t1", "activated": true, "thenError": error}));
}
