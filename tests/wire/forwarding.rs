//! From admission to answer: queues, deadlines, joining, replay, several browsers, and messages from the extension.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Daemon, FakeExtension, origin, page, request};

/// The trace of one command, from `debug.last`.
async fn trace(daemon: &Daemon, id: &str) -> Value {
    let last = request("debug.last").params(json!({"count": 200}));
    let requests = daemon.send(last).await.data()["requests"].clone();
    let mut found = requests.as_array().expect("a list").iter().filter(|trace| trace["id"] == id);
    let trace = found.next().cloned().unwrap_or_else(|| panic!("no trace of {id}: {requests}"));
    assert!(found.next().is_none(), "more than one trace of {id}: {requests}");
    trace
}

/// Waits until the daemon knows that a browser has gone. `count` are the disconnections so far.
async fn gone(daemon: &Daemon, count: usize) {
    crate::support::wait_for("the end of a connection", || {
        (daemon.records("ws_disconnect").len() >= count).then_some(())
    })
    .await;
}

// --- queues ---

#[tokio::test]
async fn commands_of_one_tab_go_one_by_one_in_the_order_of_their_admission() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let mut sent = Vec::new();
    for _ in 0..6 {
        let command = daemon.begin(tab.request("text"));
        daemon.admitted(&command.id).await;
        sent.push(command);
    }
    for command in sent {
        let received = ext.receive().await;
        assert_eq!(received.id(), command.id);
        ext.has_nothing().await;
        ext.answer(&received, json!({"text": command.id})).await;
        assert_eq!(command.reply().await.data()["text"], received.id());
    }
}

#[tokio::test]
async fn a_failure_lets_the_next_command_go_too() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let first = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let second = daemon.begin(tab.request("outline"));
    ext.fail(&command, "SCRIPT_ERROR", "oops").await;
    first.reply().await.error("SCRIPT_ERROR");
    let command = ext.receive_action("outline").await;
    ext.answer(&command, json!({})).await;
    second.reply().await.data();
}

#[tokio::test]
async fn tabs_run_in_parallel_and_answers_come_in_any_order() {
    let (daemon, mut ext, one) = Daemon::with_tab().await;
    let two = ext.open_tab_in(&daemon, &one.session).await;
    let three = ext.open_tab(&daemon).await;
    let pin = |tab: &str| one.request("tab.pin").params(json!({"tab": tab}));
    let sent =
        [daemon.begin(pin("t1")), daemon.begin(pin("t2")), daemon.begin(three.request("text"))];
    let mut received = [ext.receive().await, ext.receive().await, ext.receive().await];
    received.sort_by_key(|command| command.tab_id());
    assert_eq!(
        received.each_ref().map(|command| command.tab_id()),
        [Some(one.id), Some(two.id), Some(three.id)]
    );
    for command in received.iter().rev() {
        ext.answer(command, json!({})).await;
    }
    for command in sent {
        command.reply().await.data();
    }
}

#[tokio::test]
async fn an_open_waits_for_no_queue() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let _stuck = daemon.begin(tab.request("text"));
    ext.receive_action("text").await;
    assert_eq!(ext.open_tab_in(&daemon, &tab.session).await.tab, "t2");
}

#[tokio::test]
async fn a_hundred_commands_may_be_pending_and_no_more() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let other = ext.open_tab(&daemon).await;
    let mut pending = vec![daemon.begin(tab.request("text"))];
    let first = ext.receive().await;
    pending.extend((0..98).map(|_| daemon.begin(tab.request("outline"))));
    for command in &pending {
        daemon.admitted(&command.id).await;
    }
    // The hundredth is an open: it counts although it waits in no queue.
    let opening = daemon.begin(tab.request("tab.open").params(json!({"url": "about:blank"})));
    let open = ext.receive_action("tab.open").await;
    let error = daemon.send(other.request("text")).await.error("OVERLOADED");
    assert_eq!((&error["category"], &error["retry"]), (&json!("transport"), &json!("safe")));
    daemon
        .send(request("tab.open").params(json!({"url": "about:blank"})))
        .await
        .error("OVERLOADED");
    // Joining takes no room.
    let joined = daemon.begin(tab.request("text").named(first.id()));
    daemon.settled().await;

    ext.answer(&first, json!({"text": "done"})).await;
    pending.remove(0).reply().await.data();
    joined.reply().await.data();
    let next = ext.receive_action("outline").await;
    ext.exchange(&daemon, other.request("text"), json!({"text": ""})).await.1.data();
    ext.answer(&open, json!({"tabId": 1, "url": "about:blank"})).await;
    opening.reply().await.data();
    ext.answer(&next, json!({})).await;
    let at = pending
        .iter()
        .position(|command| command.id == next.id())
        .expect("one of those that waited");
    pending.remove(at).reply().await.data();
}

// --- joining ---

#[tokio::test]
async fn a_request_with_a_pending_id_joins_it_if_its_session_is_the_same_whatever_else_it_says() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let id = "01HZX9C2K8";
    let first = daemon.begin(tab.request("text").named(id));
    let command = ext.receive().await;
    let joined = [
        daemon.begin(tab.request("text").named(id)),
        daemon.begin(tab.request("click").params(json!({"target": {"selector": "a"}})).named(id)),
        daemon.begin(tab.request("session.list").named(id)),
        daemon.begin(tab.request("text").named(id).set("deadline", 1)),
    ];
    // Validity comes first.
    daemon
        .send(tab.request("text").named(id).params(json!({"selector": 1})))
        .await
        .refused(400, "BAD_REQUEST");
    // Each of them has joined before the answer comes: nothing else has happened to it.
    ext.has_nothing().await;
    daemon.settled().await;
    assert!(joined.iter().all(|request| !request.has_reply()));
    ext.answer(&command, json!({"text": "once"})).await;
    let answer = first.reply().await;
    answer.data();
    for request in joined {
        assert_eq!(request.reply().await.0.body, answer.0.body);
    }
    trace(&daemon, id).await;
    daemon.record("response", |record| record["id"] == id).await;
    let received = daemon.records("received");
    assert_eq!(received.iter().filter(|record| record["id"] == id).count(), 1);

    // Afterwards the id is free again.
    ext.exchange(&daemon, tab.request("text").named(id), json!({"text": "twice"})).await.1.data();
}

#[tokio::test]
async fn an_id_that_is_pending_in_another_session_is_free() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let other = ext.open_tab(&daemon).await;
    let id = "01HZX9C2K8";
    let first = daemon.begin(tab.request("text").named(id));
    let command = ext.receive().await;
    // Nothing is learnt about it, by whoever does not name its session.
    daemon.send(request("text").named(id)).await.error("SESSION_REQUIRED");
    daemon.send(request("text").session("no session").named(id)).await.error("INVALID_SESSION_ID");
    daemon.send(request("text").session("zzzzzz").named(id)).await.error("SESSION_NOT_FOUND");
    daemon.send(request("session.list").named(id)).await.data();
    daemon.send(other.request("tab.list").named(id)).await.data();
    let second = daemon.begin(other.request("text").named(id));
    let other_command = ext.receive().await;
    assert_eq!((command.tab_id(), other_command.tab_id()), (Some(tab.id), Some(other.id)));
    ext.answer(&command, json!({"text": "first"})).await;
    assert_eq!(first.reply().await.data()["text"], "first");
    ext.answer(&other_command, json!({"text": "second"})).await;
    assert_eq!(second.reply().await.data()["text"], "second");
}

#[tokio::test]
async fn a_waiting_command_lives_as_long_as_one_of_its_callers() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let stuck = daemon.begin(tab.request("text"));
    let stuck_command = ext.receive().await;
    let first = daemon.begin(tab.request("outline").named("shared"));
    daemon.admitted("shared").await;
    let second = daemon.begin(tab.request("outline").named("shared"));
    daemon.settled().await;
    first.hang_up();
    daemon.settled().await;
    ext.answer(&stuck_command, json!({"text": ""})).await;
    stuck.reply().await.data();
    let command = ext.receive_action("outline").await;
    ext.answer(&command, json!({"landmarks": []})).await;
    second.reply().await.data();
}

// --- deadlines and hang-ups ---

#[tokio::test]
async fn a_command_times_out_in_the_queue_and_is_never_sent() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let stuck = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let started = Instant::now();
    daemon.send(tab.request("outline").within(Duration::from_millis(300))).await.error("TIMEOUT");
    assert!((Duration::from_millis(290)..Duration::from_secs(2)).contains(&started.elapsed()));
    ext.answer(&command, json!({"text": ""})).await;
    stuck.reply().await.data();
    ext.exchange(&daemon, tab.request("images"), json!({"images": []})).await.1.data();
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_late_answer_is_dropped_and_the_tab_goes_on() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let late = daemon.begin(tab.request("text").within(Duration::from_millis(200)));
    let command = ext.receive().await;
    let next = daemon.begin(tab.request("outline"));
    late.reply().await.error("TIMEOUT");
    let next_command = ext.receive_action("outline").await;
    ext.answer(&command, json!({"text": "too late"})).await;
    // Neither does a late pause pause anything.
    ext.fail(&command, "HUMAN_REQUIRED", "too late").await;
    ext.answer(&next_command, json!({"landmarks": [], "headings": []})).await;
    assert_eq!(next.reply().await.data(), json!({"landmarks": [], "headings": []}));
    let trace = trace(&daemon, command.id()).await;
    assert_eq!((&trace["ok"], &trace["errorCode"]), (&json!(false), &json!("TIMEOUT")));
}

#[tokio::test]
async fn a_late_open_is_closed_again() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let session = daemon.new_session().await;
    for session in ["", &session] {
        let open = request("tab.open").session(session).params(json!({"url": "about:blank"}));
        let opening = daemon.begin(open.within(Duration::from_millis(200)));
        let command = ext.receive_action("tab.open").await;
        opening.reply().await.error("TIMEOUT");
        ext.answer(&command, json!({"tabId": 4711, "url": "about:blank"})).await;
        let close = ext.receive_action("tab.close").await;
        assert_eq!(close.tab_id(), Some(4711));
        assert_eq!(close.json.as_object().expect("an envelope").len(), 8, "{}", close.raw);
        ext.answer(&close, json!({})).await;
        // An open that failed has left no tab to close.
        let open = request("tab.open").session(session).params(json!({"url": "about:blank"}));
        let opening = daemon.begin(open.within(Duration::from_millis(200)));
        let command = ext.receive_action("tab.open").await;
        opening.reply().await.error("TIMEOUT");
        ext.fail(&command, "NAVIGATION_FAILED", "no such host").await;
        ext.has_nothing().await;
    }
    let sessions = daemon.send(request("session.list")).await.data()["sessions"].clone();
    assert_eq!(sessions.as_array().map(Vec::len), Some(1), "no session of a late open: {sessions}");
}

#[tokio::test]
async fn an_open_whose_client_has_hung_up_is_closed_again() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let opening = daemon.begin(request("tab.open").params(json!({"url": "about:blank"})));
    let command = ext.receive_action("tab.open").await;
    opening.hang_up();
    daemon.settled().await;
    ext.answer(&command, json!({"tabId": 4711, "url": "about:blank"})).await;
    let close = ext.receive_action("tab.close").await;
    assert_eq!(close.tab_id(), Some(4711));
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_its_waiting_command_out() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let stuck = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let waiting = daemon.begin(tab.request("outline"));
    daemon.admitted(&waiting.id).await;
    waiting.hang_up();
    daemon.settled().await;
    let last = daemon.begin(tab.request("images"));
    ext.answer(&command, json!({"text": ""})).await;
    stuck.reply().await.data();
    let command = ext.receive_action("images").await;
    ext.answer(&command, json!({"images": []})).await;
    last.reply().await.data();
}

#[tokio::test]
async fn a_command_in_flight_runs_on_without_its_client() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let abandoned = daemon.begin(tab.request("text").named("abandoned"));
    let command = ext.receive().await;
    abandoned.hang_up();
    daemon.settled().await;
    // It still holds the tab.
    let next = daemon.begin(tab.request("outline"));
    daemon.admitted(&next.id).await;
    ext.has_nothing().await;
    ext.fail(&command, "HUMAN_REQUIRED", "A riddle.").await;
    next.reply().await.error("HUMAN_REQUIRED");
    let trace = trace(&daemon, "abandoned").await;
    assert_eq!(trace["errorCode"], "HUMAN_REQUIRED");
}

// --- replay ---

#[tokio::test]
async fn commands_in_flight_are_sent_again_byte_for_byte_and_in_order() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension_named("browser").await;
    let one = ext.open_tab(&daemon).await;
    let two = ext.open_tab(&daemon).await;
    let three = ext.open_tab(&daemon).await;
    let mut pending = Vec::new();
    let mut received = Vec::new();
    for tab in [&two, &one, &three] {
        let odd = tab
            .request("text")
            .params(json!({"selector": "a[title=\"ü\\n\"]"}))
            .set("destructive", true);
        pending.push(daemon.begin(odd));
        received.push(ext.receive().await);
    }
    let queued = daemon.begin(one.request("outline"));
    daemon.admitted(&queued.id).await;
    // The third is answered before the connection breaks: it is not sent again.
    ext.answer(&received[2], json!({"text": ""})).await;
    pending.remove(2).reply().await.data();
    drop(ext);
    gone(&daemon, 1).await;

    let mut ext = daemon.extension_named("browser").await;
    for command in &received[..2] {
        assert_eq!(ext.receive().await.raw, command.raw);
    }
    ext.has_nothing().await;
    for command in &received[..2] {
        ext.answer(command, json!({"text": ""})).await;
    }
    for command in pending {
        command.reply().await.data();
    }
    let command = ext.receive_action("outline").await;
    ext.answer(&command, json!({})).await;
    queued.reply().await.data();

    assert_eq!(trace(&daemon, received[0].id()).await["replayed"], true);
    assert_ne!(trace(&daemon, received[2].id()).await["replayed"], true);
    let mut replays: Vec<_> = Vec::new();
    daemon.record("replay", |record| record["id"] == received[1].id()).await;
    for record in daemon.records("replay") {
        assert!(record["ws_client"].is_string() || record["ws_client"].is_number(), "{record}");
        replays.push(record["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(replays, [received[0].id(), received[1].id()]);
}

#[tokio::test]
async fn a_command_at_the_head_of_its_queue_waits_while_its_browser_is_away() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension_named("browser").await;
    let tab = ext.open_tab(&daemon).await;
    let first = daemon.begin(tab.request("text").within(Duration::from_millis(600)));
    ext.receive().await;
    let second = daemon.begin(tab.request("outline"));
    let third = daemon.begin(tab.request("images").within(Duration::from_millis(1000)));
    daemon.admitted(&second.id).await;
    daemon.admitted(&third.id).await;
    drop(ext);
    gone(&daemon, 1).await;
    daemon.send(tab.request("dom")).await.error("NO_EXTENSION");
    first.reply().await.error("TIMEOUT");
    third.reply().await.error("TIMEOUT");
    assert!(!second.has_reply());
    let mut ext = daemon.extension_named("browser").await;
    let command = ext.receive_action("outline").await;
    ext.answer(&command, json!({})).await;
    second.reply().await.data();
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_command_is_replayed_at_every_reconnect_until_it_is_answered() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension_named("browser").await;
    let tab = ext.open_tab(&daemon).await;
    let reading = daemon.begin(tab.request("text"));
    let first = ext.receive().await;
    for _ in 0..3 {
        // The new connection takes over from the old one, which may still stand.
        let mut next = daemon.extension_named("browser").await;
        assert_eq!(next.receive().await.raw, first.raw);
        assert_eq!(ext.ended().await, Some(4000));
        ext = next;
    }
    ext.answer(&first, json!({"text": ""})).await;
    reading.reply().await.data();
    trace(&daemon, first.id()).await;
}

#[tokio::test]
async fn an_unidentified_connection_may_be_the_browser_that_was_away() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension_named("browser").await;
    let tab = ext.open_tab(&daemon).await;
    drop(ext);
    gone(&daemon, 1).await;
    let mut stranger = daemon.connected().await;
    let reading = daemon.begin(tab.request("text"));
    daemon.settled().await;
    assert!(!reading.has_reply());
    stranger.hello("stranger").await;
    reading.reply().await.error("NO_EXTENSION");
    stranger.has_nothing().await;

    let mut ext = daemon.connected().await;
    let reading = daemon.begin(tab.request("text"));
    daemon.settled().await;
    ext.hello("browser").await;
    let command = ext.receive_action("text").await;
    ext.answer(&command, json!({"text": ""})).await;
    reading.reply().await.data();
    stranger.has_nothing().await;
}

#[tokio::test]
async fn an_open_in_flight_survives_the_connection_too() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension_named("browser").await;
    let opening = daemon.begin(request("tab.open").params(json!({"url": "about:blank"})));
    let command = ext.receive_action("tab.open").await;
    drop(ext);
    gone(&daemon, 1).await;
    let mut ext = daemon.extension_named("browser").await;
    assert_eq!(ext.receive().await.raw, command.raw);
    ext.answer(&command, json!({"tabId": 5, "url": "about:blank"})).await;
    assert_eq!(opening.reply().await.data()["tab"], "t1");
    ext.has_nothing().await;
}

// --- which browser ---

#[tokio::test]
async fn a_tab_belongs_to_the_browser_that_opened_it() {
    let daemon = Daemon::start().await;
    let [(mut work, work_tab), (mut home, home_tab)] = daemon.two_browsers().await;
    work.exchange(&daemon, work_tab.request("text"), json!({"text": "work"})).await.1.data();
    home.exchange(&daemon, home_tab.request("text"), json!({"text": "home"})).await.1.data();

    drop(work);
    gone(&daemon, 1).await;
    daemon.send(work_tab.request("text")).await.error("NO_EXTENSION");
    home.exchange(&daemon, home_tab.request("text"), json!({"text": "home"})).await.1.data();
    let mut work = daemon.extension_named("work").await;
    work.exchange(&daemon, work_tab.request("text"), json!({"text": "work"})).await.1.data();
    home.has_nothing().await;
}

#[tokio::test]
async fn an_open_goes_to_the_sessions_browser_else_to_the_one_connected_last() {
    let daemon = Daemon::start().await;
    let mut work = daemon.extension_named("work").await;
    let work_tab = work.open_tab(&daemon).await;
    let mut home = daemon.extension_named("home").await;
    // A session without tabs: the browser connected last.
    let home_tab = home.open_tab(&daemon).await;
    // A session with a bound tab: that tab's browser.
    assert_eq!(work.open_tab_in(&daemon, &work_tab.session).await.tab, "t2");
    // Nothing bound: the newest tab's browser.
    daemon.send(work_tab.request("session.unbind")).await.data();
    assert_eq!(work.open_tab_in(&daemon, &work_tab.session).await.tab, "t3");
    assert_eq!(home.open_tab_in(&daemon, &home_tab.session).await.tab, "t2");
    // That browser is away: the one connected last.
    drop(work);
    gone(&daemon, 1).await;
    let mixed = home.open_tab_in(&daemon, &work_tab.session).await;
    assert_eq!(mixed.tab, "t4");
    // And now the bound tab is there.
    let mut work = daemon.extension_named("work").await;
    home.open_tab_in(&daemon, &work_tab.session).await;
    let bind = work_tab.request("session.bind").params(json!({"tab": "t1"}));
    daemon.send(bind).await.data();
    work.open_tab_in(&daemon, &work_tab.session).await;
    // Without a session at all: the one connected last.
    let open = request("tab.open").params(json!({"url": "about:blank"}));
    work.exchange(&daemon, open, json!({"tabId": 1, "url": "about:blank"})).await.1.data();
    home.has_nothing().await;
}

#[tokio::test]
async fn the_newest_tab_decides_where_a_session_without_a_bound_tab_opens() {
    let daemon = Daemon::start().await;
    let mut first = daemon.extension_named("first").await;
    let tab = first.open_tab(&daemon).await;
    let mut second = daemon.extension_named("second").await;
    drop(first);
    gone(&daemon, 1).await;
    second.open_tab_in(&daemon, &tab.session).await;
    let mut first = daemon.extension_named("first").await;
    daemon.send(tab.request("session.unbind")).await.data();
    // `first` connected last, but the newest tab is in `second`.
    second.open_tab_in(&daemon, &tab.session).await;
    first.has_nothing().await;
}

#[tokio::test]
async fn a_client_counts_as_connected_from_the_upgrade_on() {
    let daemon = Daemon::start().await;
    let mut silent = daemon.connected().await;
    let open = request("tab.open").params(json!({"url": "about:blank"}));
    silent.exchange(&daemon, open, json!({"tabId": 1, "url": "about:blank"})).await.1.data();
}

// --- hello ---

#[tokio::test]
async fn a_second_connection_of_the_same_instance_ends_the_first_and_takes_its_tabs() {
    let daemon = Daemon::start().await;
    let mut old = daemon.extension_named("browser").await;
    let tab = old.open_tab(&daemon).await;
    let mut new = daemon.extension_named("browser").await;
    assert_eq!(old.ended().await, Some(4000));
    new.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
    assert_eq!(daemon.get("/health").await.json()["wsClients"], 1);
}

#[tokio::test]
async fn another_protocol_version_is_closed_with_4002() {
    let daemon = Daemon::start().await;
    for version in [0, 2] {
        let mut ext = daemon.connected().await;
        ext.hello_with("browser", version).await;
        assert_eq!(ext.ended().await, Some(4002));
    }
}

#[tokio::test]
async fn a_hello_that_comes_later_is_ignored() {
    let daemon = Daemon::start().await;
    let mut named = daemon.extension_named("named").await;
    let tab = named.open_tab(&daemon).await;
    // Neither from one that has introduced itself, nor from an anonymous one.
    let mut anonymous = daemon.anonymous_extension().await;
    anonymous.hello("named").await;
    anonymous.fence().await;
    let mut other = daemon.extension_named("other").await;
    other.hello("named").await;
    other.hello_with("named", 2).await;
    other.fence().await;
    named.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
    anonymous.has_nothing().await;
    other.has_nothing().await;
}

#[tokio::test]
async fn a_silent_client_is_anonymous_after_half_a_second_and_takes_over_the_tabs_of_the_previous_one()
 {
    let daemon = Daemon::start().await;
    let mut old = daemon.anonymous_extension().await;
    let tab = old.open_tab(&daemon).await;
    let reading = daemon.begin(tab.request("text"));
    let command = old.receive().await;
    drop(old);
    gone(&daemon, 1).await;
    let started = Instant::now();
    let mut silent = daemon.connected().await;
    assert_eq!(silent.receive().await.raw, command.raw);
    assert!(started.elapsed() >= Duration::from_millis(450), "{:?}", started.elapsed());
    silent.answer(&command, json!({"text": ""})).await;
    reading.reply().await.data();
    // Too late for a hello.
    silent.hello("late").await;
    silent.fence().await;
    silent.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
}

#[tokio::test]
async fn concurrent_anonymous_clients_never_take_over_from_each_other() {
    let daemon = Daemon::start().await;
    let mut one = daemon.anonymous_extension().await;
    let tab = one.open_tab(&daemon).await;
    let mut two = daemon.anonymous_extension().await;
    let other = two.open_tab(&daemon).await;
    drop(one);
    gone(&daemon, 1).await;
    drop(two);
    gone(&daemon, 2).await;
    let mut three = daemon.anonymous_extension().await;
    daemon.send(tab.request("text")).await.error("NO_EXTENSION");
    daemon.send(other.request("text")).await.error("NO_EXTENSION");
    let own = three.open_tab(&daemon).await;
    three.exchange(&daemon, own.request("text"), json!({"text": ""})).await.1.data();
}

#[tokio::test]
async fn an_identified_client_takes_over_nothing_from_an_anonymous_or_another_identified_one() {
    let daemon = Daemon::start().await;
    let mut anonymous = daemon.anonymous_extension().await;
    let anonymous_tab = anonymous.open_tab(&daemon).await;
    drop(anonymous);
    gone(&daemon, 1).await;
    let mut named = daemon.extension_named("one").await;
    let named_tab = named.open_tab(&daemon).await;
    daemon.send(anonymous_tab.request("text")).await.error("NO_EXTENSION");
    drop(named);
    gone(&daemon, 2).await;
    let _two = daemon.extension_named("two").await;
    daemon.send(named_tab.request("text")).await.error("NO_EXTENSION");
    let mut anonymous = daemon.anonymous_extension().await;
    anonymous.exchange(&daemon, anonymous_tab.request("text"), json!({"text": ""})).await.1.data();
    daemon.send(named_tab.request("text")).await.error("NO_EXTENSION");
}

// --- what an extension may say ---

#[tokio::test]
async fn an_invalid_answer_is_a_script_error() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let page = page("https://example.org/");
    let error = json!({"code": "SCRIPT_ERROR", "message": "oops"});
    let not_answers = [
        json!({}),
        json!({"data": {}, "page": page}),
        json!({"ok": "true", "data": {}, "page": page}),
        json!({"ok": 1, "data": {}, "page": page}),
        json!({"ok": null, "data": {}, "page": page}),
        json!({"ok": true}),
        json!({"ok": true, "data": {}}),
        json!({"ok": true, "page": page}),
        json!({"ok": true, "data": [], "page": page}),
        json!({"ok": true, "data": "text", "page": page}),
        json!({"ok": true, "data": null, "page": page}),
        json!({"ok": true, "data": {}, "page": []}),
        json!({"ok": true, "data": {}, "page": null}),
        json!({"ok": true, "error": error}),
        json!({"ok": false}),
        json!({"ok": false, "data": {}, "page": page}),
        json!({"ok": false, "error": "oops"}),
        json!({"ok": false, "error": {}}),
        json!({"ok": false, "error": {"code": "SCRIPT_ERROR"}}),
        json!({"ok": false, "error": {"message": "oops"}}),
        json!({"ok": false, "error": {"code": 7, "message": "oops"}}),
        json!({"ok": false, "error": {"code": "SCRIPT_ERROR", "message": null}}),
    ];
    for mut message in not_answers {
        let reading = daemon.begin(tab.request("text"));
        message["id"] = json!(ext.receive().await.id());
        ext.send(message.to_string()).await;
        let body = reading.reply().await.json();
        assert_eq!(body["error"]["code"], "SCRIPT_ERROR", "{message}: {body}");
        assert_ne!(body["error"]["message"], "oops", "{message}: {body}");
    }
    ext.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
}

#[tokio::test]
async fn unknown_messages_are_ignored_and_the_connection_stays_open() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    ext.send_message(Message::binary(vec![0, 1, 2])).await;
    ext.send_message(Message::binary(ext.success(&command, json!({})).to_string())).await;
    ext.send_message(Message::Ping("hello".into())).await;
    for text in [
        "",
        "null",
        "17",
        "[]",
        "\"text\"",
        "{}",
        "{",
        "not JSON",
        r#"{"id":"nobody","ok":true,"data":{},"page":{}}"#,
        r#"{"id":7,"ok":true,"data":{},"page":{}}"#,
        r#"{"type":"unknown"}"#,
        r#"{"type":7}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"navigation"}"#,
        r#"{"type":"navigation","tabId":"1","url":"https://example.org/","cause":"committed"}"#,
        r#"{"type":"navigation","tabId":1,"url":null,"cause":"committed"}"#,
        r#"{"type":"navigation","tabId":1,"url":"https://example.org/","cause":"whim"}"#,
        r#"{"type":"hello"}"#,
    ] {
        ext.send(text).await;
    }
    ext.send("[".repeat(100_000)).await;
    ext.fence().await;
    ext.answer(&command, json!({"text": "still here"})).await;
    assert_eq!(reading.reply().await.data()["text"], "still here");
    // Bad JSON is worth a warning; it says nothing about what was in it.
    let warning = daemon.record("ws_bad_message", |_| true).await;
    assert_eq!(warning["level"].as_str().map(str::to_lowercase).as_deref(), Some("warn"));
    assert!(daemon.records("ws_disconnect").is_empty());
}

#[tokio::test]
async fn a_ping_is_answered_with_its_own_time() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    for ts in ["0", "-1", "1714000027000", "1714000027000.5", "9007199254740993"] {
        ext.send(format!(r#"{{"type":"ping","ts":{ts}}}"#)).await;
        assert_eq!(ext.next_text().await, format!(r#"{{"type":"pong","ts":{ts}}}"#));
    }
    ext.fence().await;
}

#[tokio::test]
async fn an_answer_in_fragments_counts_as_one() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let text = ext.success(&command, json!({"text": "in pieces"})).to_string();
    let pieces: Vec<_> = text.as_bytes().chunks(10).collect();
    for (index, piece) in pieces.iter().enumerate() {
        let (is_first, is_last) = (index == 0, index + 1 == pieces.len());
        ext.send_raw(&frame(is_last, if is_first { 1 } else { 0 }, piece)).await;
    }
    assert_eq!(reading.reply().await.data()["text"], "in pieces");
}

/// A masked frame (with the mask that changes nothing).
fn frame(is_last: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126, "a short frame");
    let mut bytes = vec![u8::from(is_last) << 7 | opcode, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    bytes.extend_from_slice(payload);
    bytes
}

#[tokio::test]
async fn frames_that_break_the_protocol_end_their_connection_with_the_reason() {
    let daemon = Daemon::start().await;
    let mut bystander = daemon.extension().await;
    let too_large =
        [&[0x81, 0xff][..], &((64u64 << 20) + 1).to_be_bytes(), &[0; 4], &[b' '; 100]].concat();
    let cases = [
        ("a reserved bit", vec![0xc1, 0x80, 0, 0, 0, 0], 1002),
        ("an unknown opcode", frame(true, 3, b""), 1002),
        ("no mask", b"\x81\x02{}".to_vec(), 1002),
        ("a continuation of nothing", frame(true, 0, b"x"), 1002),
        ("a fragmented ping", frame(false, 9, b""), 1002),
        ("text that is not UTF-8", frame(true, 1, b"\xff\xfe"), 1007),
        ("a message over 64 MiB", too_large, 1009),
    ];
    for (what, bytes, code) in cases {
        let mut ext = daemon.extension().await;
        ext.send_raw(&bytes).await;
        assert_eq!(ext.ended().await, Some(code), "{what}");
    }
    bystander.open_tab(&daemon).await;
}

#[tokio::test]
async fn a_new_pairing_closes_those_that_hold_the_old_token() {
    let daemon = Daemon::start().await;
    let mut old = daemon.extension().await;
    let old_pairing = daemon.pairing().await;
    daemon.send(request("pairing.issue")).await.data();
    old.fence().await;
    let new_pairing = daemon.pair_as(&origin('d')).await;
    assert_eq!(old.ended().await, Some(4001));
    assert_ne!(new_pairing.token, old_pairing.token);
    assert_eq!(FakeExtension::connect(daemon.port, &old_pairing).await.err(), Some(401));
    daemon.extension().await.open_tab(&daemon).await;
}

#[tokio::test]
async fn a_flood_of_invalid_messages_does_not_delay_others() {
    let daemon = Daemon::start().await;
    let mut noisy = daemon.extension_named("noisy").await;
    let mut quiet = daemon.extension_named("quiet").await;
    let tab = quiet.open_tab(&daemon).await;
    for number in 0..5_000 {
        noisy.send("nonsense").await;
        // Far more tabs than are remembered.
        let url = "https://example.org/";
        let navigation =
            json!({"type": "navigation", "tabId": number, "url": url, "cause": "committed"});
        noisy.send(navigation.to_string()).await;
    }
    quiet.exchange(&daemon, tab.request("text"), json!({"text": ""})).await.1.data();
    noisy.fence().await;
}

#[tokio::test]
async fn a_tab_that_is_opened_twice_serves_both_sessions() {
    let (daemon, mut ext, first) = Daemon::with_tab().await;
    let session = daemon.new_session().await;
    let open = request("tab.open").session(&session).params(json!({"url": "about:blank"}));
    let data = json!({"tabId": first.id, "url": "about:blank"});
    ext.exchange(&daemon, open, data).await.1.data();
    for session in [&first.session, &session] {
        let reading = request("text").session(session);
        let (command, _) = ext.exchange(&daemon, reading, json!({"text": ""})).await;
        assert_eq!(command.tab_id(), Some(first.id));
    }
}

#[tokio::test]
async fn an_open_that_is_answered_again_gives_back_the_session_and_the_tab_of_the_first() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let open = || request("tab.open").named("open").params(json!({"url": "about:blank"}));
    let data = json!({"tabId": 5, "url": "about:blank"});
    let (_, first) = ext.exchange(&daemon, open(), data.clone()).await;
    // The client never saw that answer and asks again; the extension has it in store.
    let asking = daemon.begin(open());
    let command = ext.receive_action("tab.open").await;
    let mut answer = ext.success(&command, data);
    answer["replay"] = json!(true);
    ext.send(answer.to_string()).await;
    assert_eq!(asking.reply().await.data(), first.data());
    let sessions = daemon.send(request("session.list")).await.data()["sessions"].clone();
    assert_eq!(sessions.as_array().map(Vec::len), Some(1), "{sessions}");
    ext.has_nothing().await;
}
