//! Element handles: minted by reads, replaced before forwarding, never reused, stale once the page has changed.

use serde_json::{Value, json};

use crate::support::{Daemon, FakeExtension, Tab, request};

/// The answer of an `elements` read with `count` entries: `#e0`, `#e1`, ….
fn elements(count: usize) -> Value {
    json!({"elements": (0..count).map(|n| json!({"selector": format!("#e{n}"), "tag": "button"})).collect::<Vec<_>>()})
}

/// Reads the elements of `tab` and gives the handles of the answer, in order.
async fn read(daemon: &Daemon, ext: &mut FakeExtension, tab: &Tab, count: usize) -> Vec<String> {
    let (_, reply) = ext.exchange(daemon, tab.request("elements"), elements(count)).await;
    handles(&reply.data()["elements"])
}

/// The handles of a list's entries.
fn handles(entries: &Value) -> Vec<String> {
    let entries = entries.as_array().expect("a list");
    entries.iter().filter_map(|entry| entry["handle"].as_str()).map(str::to_owned).collect()
}

/// A click on a handle.
fn click(tab: &Tab, handle: &str) -> crate::support::Request {
    tab.request("click").params(json!({"target": {"handle": handle}}))
}

/// Asserts that a handle still works, and gives the selector that it stands for.
async fn resolves(daemon: &Daemon, ext: &mut FakeExtension, tab: &Tab, handle: &str) -> String {
    let (command, reply) = ext.exchange(daemon, click(tab, handle), json!({"clicked": true})).await;
    reply.data();
    command.params()["target"]["selector"].as_str().expect("a selector").to_owned()
}

async fn misses(daemon: &Daemon, tab: &Tab, handle: &str, code: &str) -> Value {
    let error = daemon.send(click(tab, handle)).await.error(code);
    assert_eq!(error["category"], "target");
    assert_eq!(
        error["retry"],
        if code == "ELEMENT_HANDLE_SCOPE_MISMATCH" { "never" } else { "conditional" }
    );
    error
}

// --- minting ---

#[tokio::test]
async fn entries_that_carry_a_target_get_handles_and_nothing_else_changes() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let route = json!({"hosts": [{"selector": "app-shell", "index": 1}], "target": "button"});
    let entries = json!([
        {"tag": "input", "selector": "#a", "label": "Ünïcode \"label\"", "options": ["x", {"y": 1.0}]},
        {"tag": "p"},
        {"tag": "button", "route": route, "handle": "el99"},
        {"tag": "p", "handle": "el98"},
        {"tag": "a", "selector": "#b", "handle": null},
    ]);
    let (_, reply) = ext
        .exchange(&daemon, tab.request("elements"), json!({"elements": entries, "more": true}))
        .await;
    assert_eq!(
        reply.data(),
        json!({"elements": [
            {"tag": "input", "selector": "#a", "label": "Ünïcode \"label\"", "options": ["x", {"y": 1.0}], "handle": "el1"},
            {"tag": "p"},
            {"tag": "button", "route": route, "handle": "el2"},
            {"tag": "p"},
            {"tag": "a", "selector": "#b", "handle": "el3"},
        ], "more": true})
    );
    let (command, _) = ext.exchange(&daemon, click(&tab, "el2"), json!({})).await;
    assert_eq!(command.params(), &json!({"target": {"route": route}}));
}

#[tokio::test]
async fn links_get_handles_of_their_own_kind() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let links = json!({"links": [
        {"text": "One", "href": "https://example.org/1", "target": {"selector": "#one"}, "handle": "ln7"},
        {"text": "Two", "href": "https://example.org/2"},
        {"text": "Three", "href": "https://example.org/3", "target": {"selector": "#three"}},
    ], "total": 3});
    let (_, reply) = ext.exchange(&daemon, tab.request("links"), links).await;
    assert_eq!(
        reply.data(),
        json!({"links": [
            {"text": "One", "href": "https://example.org/1", "target": {"selector": "#one"}, "handle": "ln1"},
            {"text": "Two", "href": "https://example.org/2"},
            {"text": "Three", "href": "https://example.org/3", "target": {"selector": "#three"}, "handle": "ln2"},
        ], "total": 3})
    );
    assert_eq!(resolves(&daemon, &mut ext, &tab, "ln2").await, "#three");
}

#[tokio::test]
async fn numbers_go_on_counting_and_are_never_used_again() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    assert_eq!(read(&daemon, &mut ext, &tab, 2).await, ["el1", "el2"]);
    assert_eq!(read(&daemon, &mut ext, &tab, 2).await, ["el3", "el4"]);
    ext.navigated(tab.id, "https://example.org/next").await;
    assert_eq!(read(&daemon, &mut ext, &tab, 1).await, ["el5"]);
    let second = ext.open_tab_in(&daemon, &tab.session).await;
    assert_eq!(
        read(&daemon, &mut ext, &second, 1).await,
        ["el6"],
        "the session counts, not the tab"
    );
    let other = ext.open_tab(&daemon).await;
    assert_eq!(
        read(&daemon, &mut ext, &other, 1).await,
        ["el1"],
        "another session counts for itself"
    );
}

#[tokio::test]
async fn an_answer_gets_at_most_1000_handles() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let (_, reply) = ext.exchange(&daemon, tab.request("elements"), elements(1001)).await;
    let data = reply.data();
    let handles = handles(&data["elements"]);
    assert_eq!((handles.len(), &*handles[0], &*handles[999]), (1000, "el1", "el1000"));
    assert_eq!(data["elements"].as_array().map(Vec::len), Some(1001));
    assert_eq!(data["elements"][1000].get("handle"), None);
    assert_eq!(resolves(&daemon, &mut ext, &tab, "el1000").await, "#e999");
    misses(&daemon, &tab, "el1001", "ELEMENT_HANDLE_NOT_FOUND").await;
}

#[tokio::test]
async fn other_actions_and_failures_mint_nothing() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    assert_eq!(read(&daemon, &mut ext, &tab, 1).await, ["el1"]);
    let inspect = tab.request("inspect").params(json!({"selector": "p"}));
    let (_, reply) = ext.exchange(&daemon, inspect, elements(2)).await;
    assert_eq!(reply.data(), elements(2));
    let reading = daemon.begin(tab.request("elements"));
    let command = ext.receive().await;
    ext.fail(&command, "SCRIPT_ERROR", "oops").await;
    reading.reply().await.error("SCRIPT_ERROR");
    assert_eq!(
        resolves(&daemon, &mut ext, &tab, "el1").await,
        "#e0",
        "a failed read changes nothing"
    );
}

#[tokio::test]
async fn an_answer_of_another_shape_passes_as_it_is() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for data in [
        json!({"elements": "none"}),
        json!({"elements": null}),
        json!({}),
        json!({"elements": [1, "x", null, []]}),
    ] {
        let (_, reply) = ext.exchange(&daemon, tab.request("elements"), data.clone()).await;
        assert_eq!(reply.data(), data);
    }
}

// --- resolving ---

#[tokio::test]
async fn a_handle_stands_in_for_a_target_wherever_one_is_wanted() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    read(&daemon, &mut ext, &tab, 2).await;
    let (one, two) = (json!({"handle": "el1"}), json!({"handle": "el2"}));
    let (first, second) = (json!({"selector": "#e0"}), json!({"selector": "#e1"}));
    let field = |target: &Value| json!({"target": target, "value": "x", "method": "direct", "world": "isolated"});
    for (action, given, forwarded) in [
        ("click", json!({"target": one}), json!({"target": first})),
        ("hover", json!({"target": two}), json!({"target": second})),
        ("fill", field(&one), field(&first)),
        (
            "fill-form",
            json!({"fields": [field(&two), field(&json!({"selector": "#own"})), field(&one)]}),
            json!({"fields": [field(&second), field(&json!({"selector": "#own"})), field(&first)]}),
        ),
        (
            "select",
            json!({"trigger": one, "optionText": "x"}),
            json!({"trigger": first, "optionText": "x"}),
        ),
        ("scroll", json!({"target": two, "by": "half"}), json!({"target": second, "by": "half"})),
    ] {
        let (command, reply) =
            ext.exchange(&daemon, tab.request(action).params(given), json!({})).await;
        reply.data();
        assert_eq!(command.params(), &forwarded, "{action}");
    }
}

#[tokio::test]
async fn one_bad_handle_in_a_form_refuses_the_whole_form() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    read(&daemon, &mut ext, &tab, 1).await;
    let field = |handle: &str| json!({"target": {"handle": handle}, "value": "x", "method": "direct", "world": "isolated"});
    let form = tab.request("fill-form").params(json!({"fields": [field("el1"), field("el2")]}));
    let error = daemon.send(form).await.error("ELEMENT_HANDLE_NOT_FOUND");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("el2")), "{error}");
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_handle_of_another_tab_is_a_mismatch_and_one_of_another_session_unknown() {
    let (daemon, mut ext, first) = Daemon::with_tab().await;
    assert_eq!(read(&daemon, &mut ext, &first, 1).await, ["el1"]);
    ext.open_tab_in(&daemon, &first.session).await;
    misses(&daemon, &first, "el1", "ELEMENT_HANDLE_SCOPE_MISMATCH").await;
    let other = ext.open_tab(&daemon).await;
    misses(&daemon, &other, "el1", "ELEMENT_HANDLE_NOT_FOUND").await;
    daemon.send(first.request("session.bind").params(json!({"tab": "t1"}))).await.data();
    resolves(&daemon, &mut ext, &first, "el1").await;
}

// --- ends of a handle ---

#[tokio::test]
async fn a_later_read_ends_no_handle() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let old = read(&daemon, &mut ext, &tab, 1).await;
    let new = read(&daemon, &mut ext, &tab, 1).await;
    assert!(read(&daemon, &mut ext, &tab, 0).await.is_empty());
    for handle in old.iter().chain(&new) {
        resolves(&daemon, &mut ext, &tab, handle).await;
    }
}

#[tokio::test]
async fn a_handle_that_is_not_found_was_never_given_or_has_expired() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let reason = async |tab: &Tab, handle: &str| {
        let error = misses(&daemon, tab, handle, "ELEMENT_HANDLE_NOT_FOUND").await;
        assert_eq!(error["details"]["handle"], handle);
        error["details"]["reason"].as_str().expect("a reason").to_owned()
    };
    assert_eq!(reason(&tab, "el1").await, "unknown");
    read(&daemon, &mut ext, &tab, 2).await;
    for unknown in ["el3", "ln1", "el01", "el0", "el99999999999999999999"] {
        assert_eq!(reason(&tab, unknown).await, "unknown", "{unknown}");
    }
    // The handles of a closed tab are gone.
    ext.open_tab_in(&daemon, &tab.session).await;
    let close = tab.request("tab.close").params(json!({"tab": "t1"}));
    ext.exchange(&daemon, close, json!({})).await.1.data();
    assert_eq!(reason(&tab, "el2").await, "expired");
}

#[tokio::test]
async fn an_answer_that_names_another_address_makes_older_handles_stale() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let handles = read(&daemon, &mut ext, &tab, 2).await;
    let answered_at = async |ext: &mut FakeExtension, url: &str| {
        let reading = daemon.begin(tab.request("text"));
        let command = ext.receive().await;
        let mut answer = ext.success(&command, json!({"text": ""}));
        answer["page"]["url"] = json!(url);
        ext.send(answer.to_string()).await;
        reading.reply().await.data();
    };
    answered_at(&mut ext, tab.url).await;
    answered_at(&mut ext, "").await;
    resolves(&daemon, &mut ext, &tab, &handles[0]).await;
    answered_at(&mut ext, "https://example.org/elsewhere").await;
    misses(&daemon, &tab, &handles[1], "ELEMENT_HANDLE_STALE").await;
}

#[tokio::test]
async fn any_navigation_makes_the_tabs_handles_stale() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let other = ext.open_tab(&daemon).await;
    let untouched = read(&daemon, &mut ext, &other, 1).await;
    let url = "https://example.org/next";
    for (url, cause) in
        [(url, "committed"), (url, "committed"), ("https://example.org/next#x", "history_state")]
    {
        let handles = read(&daemon, &mut ext, &tab, 1).await;
        ext.navigated_by(tab.id, url, cause).await;
        misses(&daemon, &tab, &handles[0], "ELEMENT_HANDLE_STALE").await;
    }
    resolves(&daemon, &mut ext, &other, &untouched[0]).await;
}

#[tokio::test]
async fn a_handle_belongs_to_the_page_to_which_the_read_was_sent() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let reading = daemon.begin(tab.request("elements"));
    let command = ext.receive().await;
    ext.navigated(tab.id, "https://example.org/next").await;
    ext.answer(&command, elements(1)).await;
    for handle in handles(&reading.reply().await.data()["elements"]) {
        misses(&daemon, &tab, &handle, "ELEMENT_HANDLE_STALE").await;
    }
}

#[tokio::test]
async fn a_handle_is_checked_again_at_the_head_of_its_commands_queue() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let handles = read(&daemon, &mut ext, &tab, 1).await;
    let stuck = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let waiting = daemon.begin(click(&tab, &handles[0]));
    daemon.admitted(&waiting.id).await;
    ext.navigated(tab.id, "https://example.org/next").await;
    ext.answer(&command, json!({"text": ""})).await;
    stuck.reply().await.data();
    waiting.reply().await.error("ELEMENT_HANDLE_STALE");
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_dropped_connection_forgets_its_pages() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension_named("browser").await;
    let tab = ext.open_tab(&daemon).await;
    let handles = read(&daemon, &mut ext, &tab, 1).await;
    drop(ext);
    daemon.record("ws_disconnect", |_| true).await;
    let mut ext = daemon.extension_named("browser").await;
    misses(&daemon, &tab, &handles[0], "ELEMENT_HANDLE_STALE").await;
    assert!(
        read(&daemon, &mut ext, &tab, 1).await.is_empty(),
        "no handles while the page is unknown"
    );
    // The extension tells where its tabs are: reads mint again, and the older handles stay what they are.
    ext.navigated(tab.id, tab.url).await;
    let fresh = read(&daemon, &mut ext, &tab, 1).await;
    assert_eq!(fresh.len(), 1);
    assert_ne!(fresh, handles);
    resolves(&daemon, &mut ext, &tab, &fresh[0]).await;
    let code = daemon.send(click(&tab, &handles[0])).await.json()["error"]["code"].clone();
    assert!(code == "ELEMENT_HANDLE_STALE" || code == "ELEMENT_HANDLE_NOT_FOUND", "{code}");
}

#[tokio::test]
async fn pages_are_kept_per_browser() {
    let daemon = Daemon::start().await;
    let [(mut work, work_tab), (mut home, home_tab)] = daemon.two_browsers().await;
    let work_handles = read(&daemon, &mut work, &work_tab, 1).await;
    let home_handles = read(&daemon, &mut home, &home_tab, 1).await;
    home.navigated(home_tab.id, "https://example.org/next").await;
    misses(&daemon, &home_tab, &home_handles[0], "ELEMENT_HANDLE_STALE").await;
    resolves(&daemon, &mut work, &work_tab, &work_handles[0]).await;
}

#[tokio::test]
async fn closing_a_tab_removes_its_handles() {
    let (daemon, mut ext, first) = Daemon::with_tab().await;
    let handles = read(&daemon, &mut ext, &first, 1).await;
    ext.open_tab_in(&daemon, &first.session).await;
    let close = first.request("tab.close").params(json!({"tab": "t1"}));
    ext.exchange(&daemon, close, json!({})).await.1.data();
    misses(&daemon, &first, &handles[0], "ELEMENT_HANDLE_NOT_FOUND").await;
}

#[tokio::test]
async fn of_more_than_5000_handles_the_session_with_the_most_loses_its_oldest() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let mut tabs = Vec::new();
    for reads in [1, 3, 1] {
        let tab = ext.open_tab(&daemon).await;
        for _ in 0..reads {
            assert_eq!(read(&daemon, &mut ext, &tab, 1000).await.len(), 1000);
        }
        tabs.push(tab);
    }
    resolves(&daemon, &mut ext, &tabs[1], "el1").await;
    let last = ext.open_tab(&daemon).await;
    assert_eq!(read(&daemon, &mut ext, &last, 2).await.len(), 2);
    for gone in ["el2", "el3"] {
        misses(&daemon, &tabs[1], gone, "ELEMENT_HANDLE_NOT_FOUND").await;
    }
    // The one that was used last, and those of the sessions that have fewer.
    for (tab, handle) in
        [(&tabs[1], "el1"), (&tabs[1], "el4"), (&tabs[0], "el1"), (&tabs[2], "el1")]
    {
        resolves(&daemon, &mut ext, tab, handle).await;
    }
    let eviction = daemon.record("handle_invalidate", |record| record["cause"] == "cap").await;
    assert!(eviction["count"].as_u64().is_some_and(|count| count > 0), "{eviction}");
}

// --- what is recorded ---

#[tokio::test]
async fn the_life_of_handles_is_recorded() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    read(&daemon, &mut ext, &tab, 2).await;
    let mint = daemon.record("handle_mint", |_| true).await;
    for (field, value) in [
        ("session", json!(tab.session)),
        ("tab", json!("t1")),
        ("sourceAction", json!("elements")),
        ("count", json!(2)),
        ("firstHandle", json!("el1")),
        ("lastHandle", json!("el2")),
    ] {
        assert_eq!(mint[field], value, "{mint}");
    }
    resolves(&daemon, &mut ext, &tab, "el2").await;
    misses(&daemon, &tab, "el3", "ELEMENT_HANDLE_NOT_FOUND").await;
    ext.navigated(tab.id, "https://example.org/next").await;
    misses(&daemon, &tab, "el2", "ELEMENT_HANDLE_STALE").await;
    ext.open_tab_in(&daemon, &tab.session).await;
    misses(&daemon, &tab, "el2", "ELEMENT_HANDLE_SCOPE_MISMATCH").await;
    let close = tab.request("tab.close").params(json!({"tab": "t1"}));
    ext.exchange(&daemon, close, json!({})).await.1.data();
    misses(&daemon, &tab, "el2", "ELEMENT_HANDLE_NOT_FOUND").await;

    for cause in ["navigation", "tab_close"] {
        let record = daemon.record("handle_invalidate", |record| record["cause"] == cause).await;
        assert_eq!(
            (&record["session"], &record["tab"], &record["count"]),
            (&json!(tab.session), &json!("t1"), &json!(2))
        );
    }
    for (handle, outcome) in [
        ("el2", "ok"),
        ("el3", "not_found"),
        ("el2", "stale"),
        ("el2", "scope_mismatch"),
        ("el2", "expired"),
    ] {
        let fits = |record: &Value| record["handle"] == handle && record["outcome"] == outcome;
        let record = daemon.record("handle_resolve", fits).await;
        assert_eq!(record["session"], tab.session.as_str());
    }
    let closing = daemon.begin(request("session.close").session(&tab.session));
    let command = ext.receive_action("tab.close").await;
    ext.answer(&command, json!({})).await;
    closing.reply().await.data();
}
