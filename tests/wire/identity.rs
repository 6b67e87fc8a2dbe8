//! Browsers of revision 1: numbers for elements, handles that the page's side resolves, and marks of documents.

use serde_json::{Value, json};

use crate::support::{Command, Daemon, FakeExtension, Request, Tab};

/// A click on a handle.
fn click(tab: &Tab, handle: &str) -> Request {
    tab.request("click").params(json!({"target": {"handle": handle}}))
}

/// An entry of a list for each of these numbers.
fn entries(numbers: impl IntoIterator<Item = u64>) -> Vec<Value> {
    numbers
        .into_iter()
        .map(|n| json!({"tag": "button", "selector": format!("#e{n}"), "n": n}))
        .collect()
}

/// The handles of a list's entries, `None` where an entry has none.
fn handles(entries: &Value) -> Vec<Option<&str>> {
    let entries = entries.as_array().expect("a list");
    entries.iter().map(|entry| entry["handle"].as_str()).collect()
}

/// Reads elements that the page's side gives these numbers; returns the command and the data.
async fn read(
    daemon: &Daemon,
    ext: &mut FakeExtension,
    tab: &Tab,
    numbers: impl IntoIterator<Item = u64>,
) -> (Command, Value) {
    let data = json!({"elements": entries(numbers)});
    let (command, reply) = ext.exchange(daemon, tab.request("elements"), data).await;
    (command, reply.data())
}

/// The numbers that a command may give.
fn block(command: &Command) -> (Option<u64>, Option<u64>) {
    (command.target()["el"].as_u64(), command.target()["ln"].as_u64())
}

/// The numbers that the next command that may give some gets. It gives none, so that they are free again.
async fn next(daemon: &Daemon, ext: &mut FakeExtension, tab: &Tab) -> (Option<u64>, Option<u64>) {
    block(&read(daemon, ext, tab, []).await.0)
}

// --- numbers ---

#[tokio::test]
async fn commands_that_list_elements_reserve_numbers_and_no_others_do() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    for (action, params) in [
        ("elements", json!({})),
        ("links", json!({})),
        ("snapshot", json!({})),
        ("table", json!({})),
        ("screenshot", json!({"marks": true})),
        ("scroll", json!({})),
        ("click", json!({"target": {"selector": "#a"}})),
    ] {
        let request = tab.request(action).params(params);
        let (command, reply) = ext.exchange(&daemon, request, json!({})).await;
        reply.data();
        assert_eq!(command.target(), &json!({"tabId": tab.id, "el": 1, "ln": 1}), "{action}");
    }
    let find = tab.request("find").params(json!({"name": "Save"}));
    let (command, _) = ext.exchange(&daemon, find, json!({"matches": [], "total": 0})).await;
    assert_eq!(command.target(), &json!({"tabId": tab.id, "el": 1, "ln": 1}));
    for action in ["text", "images", "outline", "dom", "debug.log"] {
        let (command, _) = ext.exchange(&daemon, tab.request(action), json!({})).await;
        assert_eq!(command.target(), &json!({"tabId": tab.id}), "{action}");
    }
}

#[tokio::test]
async fn a_browser_that_names_no_revision_is_sent_nothing_new() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let reading = daemon.begin(tab.request("elements"));
    let command = ext.receive().await;
    assert_eq!(command.target(), &json!({"tabId": tab.id}));
    let data = json!({"elements": [{"selector": "#a", "n": 7}, {"tag": "p", "n": 8}]});
    ext.answer_in(&command, "D1", data).await;
    assert_eq!(
        reading.reply().await.data(),
        json!({"elements": [{"handle": "el1", "selector": "#a", "n": 7}, {"tag": "p", "n": 8}]})
    );
    let (command, _) = ext.exchange(&daemon, click(&tab, "el1"), json!({})).await;
    assert_eq!(command.target(), &json!({"tabId": tab.id}));
    assert_eq!(command.params(), &json!({"target": {"selector": "#a"}}));
    // What would only make the answer shorter is left out.
    let short = tab.request("links").params(json!({"limit": 2, "targets": false}));
    let (command, _) = ext.exchange(&daemon, short, json!({"links": [], "total": 0})).await;
    assert_eq!(command.params(), &json!({"limit": 2}));
    let data = json!({"tree": "", "nodeCount": 0, "handles": [1]});
    let (command, reply) = ext.exchange(&daemon, tab.request("snapshot"), data.clone()).await;
    assert_eq!((command.target(), reply.data()), (&json!({"tabId": tab.id}), data));
}

#[tokio::test]
async fn what_a_browser_is_too_old_for_is_refused_and_not_sent() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for (action, params) in [
        ("frames", json!({})),
        ("find", json!({"name": "Save"})),
        ("text", json!({"frame": "f1"})),
        ("elements", json!({"contains": "x", "targets": false})),
        ("scroll", json!({"frame": "f1"})),
        ("wait", json!({"strategy": "selector", "target": "p", "frame": "f1"})),
        ("click", json!({"target": {"selector": "p", "frame": "f1"}})),
        ("click", json!({"target": {"find": {"name": "Save"}}})),
        ("click", json!({"target": {"selector": "p"}, "count": 2})),
        ("click", json!({"target": {"selector": "p"}, "dialog": {"answer": "accept"}})),
        ("hover", json!({"target": {"selector": "p"}, "at": {"x": 0, "y": 0}})),
        ("drag", json!({"from": {"selector": "p"}, "by": {"x": 1, "y": 1}})),
        ("select-text", json!({"target": {"selector": "p"}})),
        ("press", json!({"keys": ["Enter"]})),
        ("type", json!({"text": "x"})),
        (
            "select",
            json!({"trigger": {"selector": "p"}, "optionText": "x", "dialog": {"answer": "accept"}}),
        ),
        ("fill", json!({"target": {"selector": "p"}, "value": "x"})),
        (
            "fill",
            json!({"target": {"selector": "p"}, "value": "x", "method": "auto", "world": "main"}),
        ),
        (
            "fill",
            json!({"target": {"selector": "p"}, "value": "x", "method": "paste", "world": "main", "blur": true}),
        ),
        ("fill-form", json!({"fields": [{"target": {"selector": "p"}, "value": "x"}]})),
        ("navigate", json!({"url": "https://example.org/", "until": "parsed"})),
        ("tab.open", json!({"url": "https://example.org/", "window": "own"})),
        ("back", json!({})),
        ("forward", json!({})),
        ("reload", json!({})),
    ] {
        let error = daemon.send(tab.request(action).params(params)).await.error("SCRIPT_ERROR");
        assert!(error["message"].as_str().is_some_and(|it| it.contains("update it")), "{error}");
    }
    ext.has_nothing().await;
    // What it was made for goes to it as ever.
    for (action, params) in [
        ("click", json!({"target": {"selector": "p"}})),
        (
            "fill",
            json!({"target": {"selector": "p"}, "value": "x", "method": "paste", "world": "main"}),
        ),
        ("navigate", json!({"url": "https://example.org/"})),
    ] {
        let request = tab.request(action).params(params.clone());
        let (command, reply) = ext.exchange(&daemon, request, json!({})).await;
        reply.data();
        assert_eq!(command.params(), &params, "{action}");
    }
}

#[tokio::test]
async fn the_candidates_of_an_ambiguous_target_get_handles() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let find = || tab.request("click").params(json!({"target": {"find": {"name": "Save"}}}));
    // One that is not ambiguous gives no number.
    for _ in 0..2 {
        let (command, _) = ext.exchange(&daemon, find(), json!({"clicked": true})).await;
        assert_eq!(block(&command), (Some(1), Some(1)));
    }
    let clicking = daemon.begin(find());
    let command = ext.receive().await;
    let candidates = json!([{"n": 2, "role": "button", "name": "Save"}, {"role": "link", "name": "x"},
        {"n": 5000, "role": "link", "name": "beyond"}]);
    let error = json!({"code": "SELECTOR_AMBIGUOUS", "message": "3 match", "details": {"candidates": candidates}});
    ext.send(json!({"id": command.id(), "ok": false, "error": error}).to_string()).await;
    let error = clicking.reply().await.error("SELECTOR_AMBIGUOUS");
    let expected = json!([{"handle": "el2", "role": "button", "name": "Save"}, {"role": "link", "name": "x"},
        {"role": "link", "name": "beyond"}]);
    assert_eq!(error["details"]["candidates"], expected);
    let (command, _) = ext.exchange(&daemon, click(&tab, "el2"), json!({})).await;
    assert_eq!(command.params(), &json!({"target": {"handle": "el2"}}));
    // After a failure no number is free again.
    assert_eq!(next(&daemon, &mut ext, &tab).await, (Some(1001), Some(1001)));
}

#[tokio::test]
async fn a_number_becomes_a_handle_in_its_place_and_nothing_else_changes() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let data = json!({"elements": [
        {"tag": "input", "n": 3, "label": "Ünïcode \"n\"", "options": ["x", {"n": 1.0}]},
        {"tag": "p", "selector": "#p"},
        {"n": 1, "tag": "a", "handle": "el77"},
    ], "more": {"n": 5}});
    let (_, reply) = ext.exchange(&daemon, tab.request("elements"), data).await;
    assert_eq!(
        reply.data(),
        json!({"elements": [
            {"tag": "input", "handle": "el3", "label": "Ünïcode \"n\"", "options": ["x", {"n": 1.0}]},
            {"tag": "p", "selector": "#p"},
            {"handle": "el1", "tag": "a"},
        ], "more": {"n": 5}})
    );
    let links = json!({"links": [{"text": "One", "href": "https://example.org/1", "target": {"selector": "#one"}, "n": 2}], "total": 1});
    let (_, reply) = ext.exchange(&daemon, tab.request("links"), links).await;
    assert_eq!(handles(&reply.data()["links"]), [Some("ln2")]);
    assert_eq!(next(&daemon, &mut ext, &tab).await, (Some(4), Some(3)));
}

#[tokio::test]
async fn what_got_the_focus_by_an_act_gets_a_handle_and_opened_tabs_their_names() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let acted = |focus: Value| {
        let opened = json!([{"tabId": tab.id, "url": "https://a.example/"}, {"tabId": 4_711, "url": "https://b.example/"}]);
        json!({"clicked": true, "effects": {"focus": focus, "scrolled": 1.5, "opened": opened}})
    };
    let click = || tab.request("click").params(json!({"target": {"selector": "#a"}}));
    let focus = json!({"role": "button", "name": "\"n\":1", "n": 7});
    let (_, reply) = ext.exchange(&daemon, click(), acted(focus)).await;
    let opened = json!([{"tab": "t1", "url": "https://a.example/"}, {"url": "https://b.example/"}]);
    let focus = json!({"role": "button", "name": "\"n\":1", "handle": "el7"});
    assert_eq!(
        reply.data(),
        json!({"clicked": true, "effects": {"focus": focus, "scrolled": 1.5, "opened": opened}})
    );
    let (command, reply) = ext.exchange(&daemon, self::click(&tab, "el7"), json!({})).await;
    reply.data();
    assert_eq!(command.params(), &json!({"target": {"handle": "el7"}}));
    assert_eq!(block(&command), (Some(8), Some(1)));

    // A number that the page's side cannot have given, and a handle of its own making.
    for focus in [
        json!({"role": "button", "name": "", "n": 4_000}),
        json!({"role": "button", "name": "", "handle": "el7"}),
    ] {
        let (_, reply) = ext.exchange(&daemon, click(), acted(focus)).await;
        let bare = json!({"role": "button", "name": ""});
        assert_eq!(reply.data()["effects"]["focus"], bare);
    }
}

#[tokio::test]
async fn entries_without_numbers_get_handles_in_order_if_none_has_one() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let data = json!({"elements": [{"selector": "#a"}, {"tag": "p"}, {"selector": "#b"}]});
    let (_, reply) = ext.exchange(&daemon, tab.request("elements"), data).await;
    assert_eq!(handles(&reply.data()["elements"]), [Some("el1"), None, Some("el2")]);
    let (command, _) = ext.exchange(&daemon, click(&tab, "el2"), json!({})).await;
    assert_eq!(command.params(), &json!({"target": {"selector": "#b"}}));
    assert_eq!(next(&daemon, &mut ext, &tab).await, (Some(3), Some(1)));
}

#[tokio::test]
async fn an_n_that_is_no_number_of_this_tab_is_taken_out() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let numbers = [
        json!(1000),
        json!(1001),
        json!(0),
        json!(-1),
        json!("1"),
        json!(1.5),
        json!(null),
        json!([1]),
        json!(1000),
        json!(u64::MAX),
        json!(1),
    ];
    let data: Vec<_> = numbers.iter().map(|n| json!({"selector": "#a", "n": n})).collect();
    let (_, reply) =
        ext.exchange(&daemon, tab.request("elements"), json!({"elements": data})).await;
    let data = reply.data();
    let mut wanted = vec![None; 11];
    (wanted[0], wanted[10]) = (Some("el1000"), Some("el1"));
    assert_eq!(handles(&data["elements"]), wanted);
    assert!(
        data["elements"].as_array().expect("a list").iter().all(|entry| entry.get("n").is_none())
    );
    // A number that another tab of the session holds.
    let second = ext.open_tab_in(&daemon, &tab.session).await;
    let (command, data) = read(&daemon, &mut ext, &second, [1, 2, 1001]).await;
    assert_eq!(block(&command).0, Some(1001));
    assert_eq!(handles(&data["elements"]), [None, Some("el2"), Some("el1001")]);
    // Another session counts for itself.
    let other = ext.open_tab(&daemon).await;
    let (_, data) = read(&daemon, &mut ext, &other, [1]).await;
    assert_eq!(handles(&data["elements"]), [Some("el1")]);
}

#[tokio::test]
async fn an_element_that_is_read_again_keeps_its_handle() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    read(&daemon, &mut ext, &tab, [1, 2]).await;
    let (command, data) = read(&daemon, &mut ext, &tab, [2, 3, 1]).await;
    assert_eq!(block(&command), (Some(3), Some(1)));
    assert_eq!(handles(&data["elements"]), [Some("el2"), Some("el3"), Some("el1")]);
    assert_eq!(next(&daemon, &mut ext, &tab).await, (Some(4), Some(1)));
}

#[tokio::test]
async fn numbers_that_were_not_used_are_free_unless_others_were_reserved_since() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let second = ext.open_tab_in(&daemon, &tab.session).await;
    let bind = |tab: &Tab| tab.request("session.bind").params(json!({"tab": tab.tab}));
    daemon.send(bind(&tab)).await.data();
    let early = daemon.begin(tab.request("elements"));
    let early_command = ext.receive().await;
    daemon.send(bind(&second)).await.data();
    let late = daemon.begin(second.request("links"));
    let late_command = ext.receive().await;
    assert_eq!(
        (block(&early_command), block(&late_command)),
        ((Some(1), Some(1)), (Some(1001), Some(1001)))
    );
    ext.answer(&early_command, json!({"elements": entries([1])})).await;
    early.reply().await.data();
    let links = json!([{"text": "", "href": "", "n": 1005}]);
    ext.answer(&late_command, json!({"links": links, "total": 1})).await;
    assert_eq!(handles(&late.reply().await.data()["links"]), [Some("ln1005")]);
    assert_eq!(next(&daemon, &mut ext, &second).await, (Some(1001), Some(1006)));
}

#[tokio::test]
async fn after_a_failure_a_timeout_or_a_hang_up_no_number_is_free() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let reading = daemon.begin(tab.request("elements"));
    let command = ext.receive().await;
    ext.fail(&command, "SCRIPT_ERROR", "oops").await;
    reading.reply().await.error("SCRIPT_ERROR");
    assert_eq!(next(&daemon, &mut ext, &tab).await, (Some(1001), Some(1001)));

    let reading =
        daemon.begin(tab.request("elements").within(std::time::Duration::from_millis(200)));
    ext.receive().await;
    reading.reply().await.error("TIMEOUT");
    assert_eq!(next(&daemon, &mut ext, &tab).await, (Some(2001), Some(2001)));

    let reading = daemon.begin(tab.request("elements"));
    let command = ext.receive().await;
    reading.hang_up();
    daemon.settled().await;
    ext.answer(&command, json!({"elements": []})).await;
    ext.fence().await;
    assert_eq!(next(&daemon, &mut ext, &tab).await, (Some(3001), Some(3001)));

    // A command that is refused reserves nothing.
    daemon.send(tab.request("elements").set("deadline", 1)).await.error("TIMEOUT");
    assert_eq!(next(&daemon, &mut ext, &tab).await, (Some(3001), Some(3001)));
}

#[tokio::test]
async fn the_handles_of_a_snapshot_are_recorded_and_taken_out() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let tree = "- button \"Save [el9]\" [el2]\n- link \"x\" [el1]";
    let data = json!({"tree": tree, "nodeCount": 2, "handles": [2, 1, 1, "3", 1001]});
    let (_, reply) = ext.exchange(&daemon, tab.request("snapshot"), data).await;
    assert_eq!(reply.data(), json!({"tree": tree, "nodeCount": 2}));
    for handle in ["el1", "el2"] {
        let (command, _) = ext.exchange(&daemon, click(&tab, handle), json!({})).await;
        assert_eq!(command.params(), &json!({"target": {"handle": handle}}));
    }
    daemon.send(click(&tab, "el9")).await.error("ELEMENT_HANDLE_NOT_FOUND");
    daemon.send(click(&tab, "el1001")).await.error("ELEMENT_HANDLE_NOT_FOUND");
    let mint = daemon.record("handle_mint", |_| true).await;
    assert_eq!((&mint["sourceAction"], &mint["count"]), (&json!("snapshot"), &json!(2)));
}

#[tokio::test]
async fn at_an_unknown_page_nothing_is_numbered() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    read(&daemon, &mut ext, &tab, [1]).await;
    drop(ext);
    daemon.record("ws_disconnect", |_| true).await;
    let mut ext = daemon.numbering_extension("numbers").await;
    daemon.send(click(&tab, "el1")).await.error("ELEMENT_HANDLE_STALE");
    let (command, data) = read(&daemon, &mut ext, &tab, [1]).await;
    assert_eq!(command.target(), &json!({"tabId": tab.id}));
    assert_eq!(data, json!({"elements": [{"tag": "button", "selector": "#e1"}]}));
    ext.navigated(tab.id, tab.url).await;
    let (command, data) = read(&daemon, &mut ext, &tab, [1, 2]).await;
    assert_eq!(block(&command), (Some(2), Some(1)));
    assert_eq!(handles(&data["elements"]), [Some("el1"), Some("el2")]);
    ext.exchange(&daemon, click(&tab, "el1"), json!({})).await.1.data();
}

#[tokio::test]
async fn an_answer_gets_at_most_1000_handles_whatever_their_numbers() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    read(&daemon, &mut ext, &tab, 1..=500).await;
    let (_, data) = read(&daemon, &mut ext, &tab, 1..=1100).await;
    let handles = handles(&data["elements"]);
    assert_eq!((handles[999], &handles[1000..]), (Some("el1000"), &[None; 100][..]));
    // The page's side has given those numbers all the same.
    assert_eq!(next(&daemon, &mut ext, &tab).await, (Some(1101), Some(1)));
}

// --- handles ---

#[tokio::test]
async fn a_handle_with_a_number_is_forwarded_as_it_is() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    read(&daemon, &mut ext, &tab, [1, 2]).await;
    let field = |handle: &str| json!({"target": {"handle": handle}, "value": "x", "method": "direct", "world": "isolated"});
    for (action, params) in [
        ("click", json!({"target": {"handle": "el1"}})),
        ("hover", json!({"target": {"handle": "el2"}})),
        ("fill", field("el1")),
        ("fill-form", json!({"fields": [field("el2"), field("el1")]})),
        ("select", json!({"trigger": {"handle": "el1"}, "optionText": "x"})),
        ("scroll", json!({"target": {"handle": "el2"}, "by": "half"})),
    ] {
        let (command, reply) =
            ext.exchange(&daemon, tab.request(action).params(params.clone()), json!({})).await;
        reply.data();
        assert_eq!(command.params(), &params, "{action}");
    }
}

#[tokio::test]
async fn only_a_navigation_to_another_document_makes_numbered_handles_stale() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    read(&daemon, &mut ext, &tab, [1]).await;
    ext.navigated_by(tab.id, "https://example.org/start#x", "history_state").await;
    ext.exchange(&daemon, click(&tab, "el1"), json!({})).await.1.data();
    // An answer at another address is no other document either.
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let mut answer = ext.success(&command, json!({"text": ""}));
    answer["page"]["url"] = json!("https://example.org/pushed");
    ext.send(answer.to_string()).await;
    reading.reply().await.data();
    ext.exchange(&daemon, click(&tab, "el1"), json!({})).await.1.data();
    ext.navigated_by(tab.id, "https://example.org/next", "committed").await;
    daemon.send(click(&tab, "el1")).await.error("ELEMENT_HANDLE_STALE");
    let invalidated = daemon.record("handle_invalidate", |_| true).await;
    assert_eq!((&invalidated["cause"], &invalidated["count"]), (&json!("navigation"), &json!(1)));
}

#[tokio::test]
async fn a_numbered_handle_is_for_the_page_as_it_is_when_the_answer_arrives() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let reading = daemon.begin(tab.request("elements"));
    let command = ext.receive().await;
    ext.navigated(tab.id, "https://example.org/next").await;
    ext.answer(&command, json!({"elements": entries([1])})).await;
    reading.reply().await.data();
    ext.exchange(&daemon, click(&tab, "el1"), json!({})).await.1.data();
}

#[tokio::test]
async fn a_failure_of_the_page_about_a_handle_reaches_the_client() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    read(&daemon, &mut ext, &tab, [1]).await;
    let clicking = daemon.begin(click(&tab, "el1"));
    let command = ext.receive().await;
    let details = json!({"was": {"role": "button", "name": "Cancel"}, "is": {"role": "button", "name": "Pay"}});
    let error =
        json!({"code": "ELEMENT_HANDLE_STALE", "message": "another button", "details": details});
    let failure = json!({"protocol_version": 1, "id": command.id(), "ok": false, "error": error});
    ext.send(failure.to_string()).await;
    let error = clicking.reply().await.error("ELEMENT_HANDLE_STALE");
    assert_eq!((&error["details"], &error["category"]), (&details, &json!("target")));
}

// --- documents ---

#[tokio::test]
async fn commands_carry_the_document_that_their_client_was_told_of_last() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let other = ext.open_tab(&daemon).await;
    let answered = async |ext: &mut FakeExtension, document: &str| {
        let reading = daemon.begin(tab.request("text"));
        let command = ext.receive().await;
        ext.answer_in(&command, document, json!({"text": ""})).await;
        (command, reading.reply().await)
    };
    let (command, reply) = answered(&mut ext, "D1").await;
    assert_eq!(command.target(), &json!({"tabId": tab.id}));
    assert_eq!(reply.json()["page"]["document"], "D1");
    let (command, _) = answered(&mut ext, "D\"2").await;
    assert_eq!(command.target(), &json!({"tabId": tab.id, "document": "D1"}));
    // A navigation message is nothing that the client is told.
    ext.navigated(tab.id, "https://example.org/next").await;
    for action in ["text", "tab.pin", "debug.log"] {
        let (command, _) = ext.exchange(&daemon, tab.request(action), json!({})).await;
        assert_eq!(command.target(), &json!({"tabId": tab.id, "document": "D\"2"}), "{action}");
    }
    let (command, _) = ext.exchange(&daemon, tab.request("elements"), json!({})).await;
    assert_eq!(command.target(), &json!({"tabId": tab.id, "document": "D\"2", "el": 1, "ln": 1}));
    let (command, _) = ext.exchange(&daemon, other.request("text"), json!({})).await;
    assert_eq!(command.target(), &json!({"tabId": other.id}), "another tab");
}

#[tokio::test]
async fn a_document_is_a_text_of_64_characters_at_most() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    for (document, kept) in [
        (json!("é".repeat(64)), Some("é".repeat(64))),
        (json!("x".repeat(65)), Some("é".repeat(64))),
        (json!(7), Some("é".repeat(64))),
        (json!(null), Some("é".repeat(64))),
        (json!(""), Some(String::new())),
    ] {
        let reading = daemon.begin(tab.request("text"));
        let command = ext.receive().await;
        let mut answer = ext.success(&command, json!({"text": ""}));
        answer["page"]["document"] = document.clone();
        // The other members are kept whatever the mark is.
        let title = format!("with {document}");
        answer["page"]["title"] = json!(title);
        ext.send(answer.to_string()).await;
        assert_eq!(reading.reply().await.json()["page"]["document"], document, "as it came");
        let tabs = daemon.send(tab.request("tab.list")).await.data();
        assert_eq!(tabs["tabs"][0]["title"], title);
        let (command, _) = ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await;
        assert_eq!(command.target()["document"].as_str().map(str::to_owned), kept, "{document}");
    }
}

#[tokio::test]
async fn the_document_of_a_new_tab_comes_with_the_answer_that_opens_it() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.numbering_extension("numbers").await;
    let url = "https://example.org/start";
    let opening = daemon.begin(crate::support::request("tab.open").params(json!({"url": url})));
    let command = ext.receive().await;
    assert_eq!(command.target(), &json!(null));
    ext.answer_in(&command, "D1", json!({"tabId": 7, "url": url})).await;
    let session = opening.reply().await.data()["session"].as_str().expect("a session").to_owned();
    let request = crate::support::request("text").session(&session);
    let (command, _) = ext.exchange(&daemon, request, json!({"text": ""})).await;
    assert_eq!(command.target(), &json!({"tabId": 7, "document": "D1"}));
}

#[tokio::test]
async fn a_command_keeps_the_document_of_its_admission() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let first = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let waiting = daemon.begin(click(&tab, "el1").params(json!({"target": {"selector": "#a"}})));
    daemon.admitted(&waiting.id).await;
    ext.answer_in(&command, "D1", json!({"text": ""})).await;
    first.reply().await.data();
    let command = ext.receive().await;
    let unknown = json!({"tabId": tab.id, "el": 1, "ln": 1});
    assert_eq!(command.target(), &unknown, "nobody knew it on admission");
    ext.answer(&command, json!({})).await;
    waiting.reply().await.data();
}

#[tokio::test]
async fn a_changed_page_tells_its_document_address_and_title() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    ext.answer_in(&command, "D1", json!({"text": ""})).await;
    reading.reply().await.data();
    let clicking = daemon.begin(tab.request("click").params(json!({"target": {"selector": "#a"}})));
    let command = ext.receive().await;
    let target = json!({"tabId": tab.id, "document": "D1", "el": 1, "ln": 1});
    assert_eq!(command.target(), &target);
    let page = json!({"url": "https://example.org/next", "title": "Next", "document": "D2"});
    let details = json!({"page": page, "done": 1});
    let error = json!({"code": "PAGE_CHANGED", "message": "another page", "details": details});
    let failure = json!({"protocol_version": 1, "id": command.id(), "ok": false, "error": error});
    ext.send(failure.to_string()).await;
    let error = clicking.reply().await.error("PAGE_CHANGED");
    assert_eq!(
        (&error["category"], &error["retry"], &error["details"]),
        (&json!("execution"), &json!("conditional"), &details)
    );
    assert!(error["suggestedAction"].as_str().is_some_and(|it| it.starts_with("bproxy ")));
    let tabs = daemon.send(tab.request("tab.list")).await.data();
    assert_eq!(
        (&tabs["tabs"][0]["url"], &tabs["tabs"][0]["title"]),
        (&page["url"], &page["title"])
    );
    let (command, _) = ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await;
    assert_eq!(command.target(), &json!({"tabId": tab.id, "document": "D2"}));
}

#[tokio::test]
async fn an_answer_that_nobody_waited_for_tells_nobody_its_document() {
    let (daemon, mut ext, tab) = Daemon::with_numbering_tab().await;
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    reading.hang_up();
    daemon.settled().await;
    ext.answer_in(&command, "D1", json!({"text": ""})).await;
    let (command, _) = ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await;
    assert_eq!(command.target(), &json!({"tabId": tab.id}));
}
