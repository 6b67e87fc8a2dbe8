//! What takes real time, run in parallel: pacing (on the shortest categories), time limits, and the liveness of browsers.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Daemon, FakeExtension, Request, Tab, request};

/// Bounds of the delay between two interactions.
const INTERACTION: std::ops::Range<Duration> =
    Duration::from_millis(500)..Duration::from_millis(2000);

/// What a loaded machine may add to a delay before it counts as late.
const SLACK: Duration = Duration::from_secs(3);

/// What two clocks and a scheduler may take from a delay before it counts as early.
const JITTER: Duration = Duration::from_millis(20);

// --- liveness ---

#[tokio::test]
async fn a_silent_browser_is_dropped_and_one_that_answers_pings_is_not() {
    let daemon = Daemon::start().await;
    let alive = daemon.extension_named("alive").await.serve(|_| None);
    let mute = daemon.extension_named("mute").await;
    let started = Instant::now();
    let gone = async {
        while daemon.records("ws_disconnect").is_empty() {
            // One look a second at something that takes most of a minute.
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(70), gone)
        .await
        .expect("the mute client is dropped by 65 s");
    let took = started.elapsed();
    assert!((Duration::from_secs(44)..Duration::from_secs(68)).contains(&took), "{took:?}");
    assert_eq!(daemon.get("/health").await.json()["wsClients"], 1);
    daemon.send(request("tab.open").params(json!({"url": "about:blank"}))).await.data();
    drop((alive, mute));
}

// --- slow clients ---

/// Writes `start`, and then a byte twice a second until the daemon ends the connection; returns the daemon's answer and
/// the time until then.
async fn drip(daemon: &Daemon, start: &[u8]) -> (String, Duration) {
    let stream = TcpStream::connect(("127.0.0.1", daemon.port)).await.expect("the daemon listens");
    let (mut answers, mut drops) = stream.into_split();
    let started = Instant::now();
    let dripping = async {
        drops.write_all(start).await.expect("an open connection");
        while drops.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    tokio::select! {
        () = dripping => {}
        // A reset is an end too.
        _ = answers.read_to_end(&mut answer) => {}
    }
    (String::from_utf8(answer).expect("text"), started.elapsed())
}

#[tokio::test]
async fn a_head_or_a_body_that_trickles_in_ends_at_its_time_limit() {
    let daemon = Daemon::start().await;
    let head = format!("GET /health HTTP/1.1\r\nHost: {}\r\nX: ", daemon.host());
    let post = daemon.post_bytes(&[b' '; 200]);
    let (head, body) =
        tokio::join!(drip(&daemon, head.as_bytes()), drip(&daemon, &post[..post.len() - 200]));
    assert_eq!(head.0, "");
    assert!(
        (Duration::from_secs(29)..Duration::from_secs(30) + SLACK).contains(&head.1),
        "{head:?}"
    );
    assert!(body.0.starts_with("HTTP/1.1 400"), "{body:?}");
    assert!(
        (Duration::from_secs(9)..Duration::from_secs(12) + SLACK).contains(&body.1),
        "{body:?}"
    );
    daemon.send(request("session.list")).await.data();
}

// --- pacing ---

/// A tab whose session has human pacing.
async fn human_tab(daemon: &Daemon, ext: &mut FakeExtension) -> Tab {
    let session = daemon.new_session().await;
    ext.open_tab_in(daemon, &session).await
}

async fn with_human_tab() -> (Daemon, FakeExtension, Tab) {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let tab = human_tab(&daemon, &mut ext).await;
    (daemon, ext, tab)
}

fn click(tab: &Tab) -> Request {
    tab.request("click").params(json!({"target": {"selector": "#save"}}))
}

fn hover(tab: &Tab) -> Request {
    tab.request("hover").params(json!({"target": {"selector": "#save"}}))
}

fn fields(count: usize) -> Value {
    let field = json!({"target": {"selector": "#a"}, "value": "x", "method": "direct", "world": "isolated"});
    json!({"fields": vec![field; count]})
}

/// A form: each of its fields takes a slot, so that what follows one of three waits for more than a second.
fn form(tab: &Tab, count: usize) -> Request {
    tab.request("fill-form").params(fields(count))
}

fn assert_delay(gap: Duration, slots: u32) {
    let (least, most) = (INTERACTION.start * slots - JITTER, INTERACTION.end * slots + SLACK);
    assert!((least..most).contains(&gap), "{gap:?} is not within {least:?}..{most:?}");
}

/// Sends `request`, answers it, and gives the moment when it reached the extension.
async fn reaches(daemon: &Daemon, ext: &mut FakeExtension, request: Request) -> Instant {
    let on_its_way = daemon.begin(request);
    let command = ext.receive().await;
    let at = Instant::now();
    assert_eq!(command.id(), on_its_way.id);
    ext.answer(&command, json!({})).await;
    on_its_way.reply().await.data();
    at
}

#[tokio::test]
async fn the_first_interaction_goes_at_once_and_the_next_waits_for_its_slot() {
    let (daemon, mut ext, tab) = with_human_tab().await;
    let started = Instant::now();
    let first = reaches(&daemon, &mut ext, click(&tab)).await;
    assert!(first - started < INTERACTION.start, "the first waits for nothing");
    // Of another action, but of the same category.
    let waiting = hover(&tab);
    let id = waiting.id();
    let second = reaches(&daemon, &mut ext, waiting).await;
    assert_delay(second - first, 1);
    let record = daemon.record("pacing_wait", |record| record["id"] == id.as_str()).await;
    let delay = record["delay_ms"].as_f64().expect("a number");
    assert!((1.0..=2000.0).contains(&delay), "{record}");
    assert_eq!(daemon.records("pacing_wait").len(), 1, "what does not wait is not recorded");
}

#[tokio::test]
async fn categories_and_sessions_do_not_wait_for_each_other() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let one = human_tab(&daemon, &mut ext).await;
    let two = human_tab(&daemon, &mut ext).await;
    for tab in [&one, &two] {
        reaches(&daemon, &mut ext, click(tab)).await;
        reaches(&daemon, &mut ext, tab.request("scroll")).await;
        reaches(&daemon, &mut ext, tab.request("navigate").params(json!({"url": "about:blank"})))
            .await;
        reaches(&daemon, &mut ext, form(tab, 1)).await;
        // These have no pace at all.
        for _ in 0..3 {
            reaches(&daemon, &mut ext, tab.request("text")).await;
            reaches(&daemon, &mut ext, tab.request("tab.activate")).await;
        }
    }
    daemon.settled().await;
    assert_eq!(daemon.records("pacing_wait"), Vec::<Value>::new());
}

#[tokio::test]
async fn commands_sent_together_are_spread() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let session = daemon.new_session().await;
    // Two tabs: it is the session that has a pace, and no queue that keeps them apart.
    ext.open_tab_in(&daemon, &session).await;
    let tab = ext.open_tab_in(&daemon, &session).await;
    let mut waiting = vec![daemon.begin(click(&tab)), daemon.begin(hover(&tab))];
    for command in &waiting {
        daemon.admitted(&command.id).await;
    }
    daemon.send(tab.request("session.bind").params(json!({"tab": "t1"}))).await.data();
    waiting.push(daemon.begin(click(&tab)));
    let mut moments = Vec::new();
    for _ in 0..3 {
        let command = ext.receive().await;
        moments.push(Instant::now());
        ext.answer(&command, json!({})).await;
    }
    for command in waiting {
        command.reply().await.data();
    }
    // The first moment is when it was taken from the socket: up to the admission of the others later than its slot.
    assert_delay(moments[2] - moments[1], 1);
}

/// The delays that `count` requests got which were sent together, in milliseconds and in order.
async fn delays(count: usize, request: impl Fn(&Tab) -> Request) -> Vec<f64> {
    // A daemon of its own: what still waits in the end disturbs nobody.
    let daemon = &Daemon::start().await;
    let ext = &mut daemon.extension().await;
    let tab = human_tab(daemon, ext).await;
    reaches(daemon, ext, request(&tab)).await;
    let known = daemon.records("pacing_wait").len();
    let waiting: Vec<_> = (0..count).map(|_| daemon.begin(request(&tab))).collect();
    let records = crate::support::wait_for("a record of every wait", || {
        let records = daemon.records("pacing_wait").split_off(known);
        (records.len() == count).then_some(records)
    });
    let mut delays: Vec<_> =
        records.await.iter().map(|record| record["delay_ms"].as_f64().expect("a number")).collect();
    delays.sort_by(f64::total_cmp);
    drop(waiting);
    delays
}

#[tokio::test]
async fn every_category_has_its_own_bounds_and_each_slot_a_delay_of_its_own() {
    let select = |tab: &Tab| {
        tab.request("select").params(json!({"trigger": {"selector": "#a"}, "optionText": "x"}))
    };
    let navigate = |tab: &Tab| tab.request("navigate").params(json!({"url": "about:blank"}));
    let all: [(&str, Vec<f64>, f64, f64); 4] = [
        ("interaction", delays(6, select).await, 500.0, 2000.0),
        ("fill", delays(6, |tab| form(tab, 1)).await, 500.0, 2000.0),
        ("navigate", delays(6, navigate).await, 1500.0, 4000.0),
        ("scroll", delays(6, |tab| tab.request("scroll")).await, 4000.0, 8000.0),
    ];
    // What the requests spend on their way to the daemon counts against the delays that they are told.
    let jitter = 400.0;
    for (category, delays, least, most) in all {
        let steps: Vec<_> = delays.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(delays[0] >= least - jitter && delays[0] <= most, "{category}: {delays:?}");
        let is_within = |step: &f64| (least - jitter..=most + jitter).contains(step);
        assert!(steps.iter().all(is_within), "{category}: {steps:?}");
        let distinct: std::collections::HashSet<_> =
            steps.iter().map(|step| *step as i64).collect();
        assert!(distinct.len() > 1, "drawn for each slot, not once: {category}: {steps:?}");
    }
}

#[tokio::test]
async fn a_form_of_several_fields_takes_as_many_slots() {
    let (daemon, mut ext, tab) = with_human_tab().await;
    let first = reaches(&daemon, &mut ext, form(&tab, 3)).await;
    let fill = json!({"target": {"selector": "#a"}, "value": "x", "method": "direct", "world": "isolated"});
    let second = reaches(&daemon, &mut ext, tab.request("fill").params(fill)).await;
    assert_delay(second - first, 3);
}

#[tokio::test]
async fn a_waiting_command_counts_as_pending_and_times_out_at_its_deadline() {
    let (daemon, mut ext, tab) = with_human_tab().await;
    reaches(&daemon, &mut ext, tab.request("scroll")).await;
    let started = Instant::now();
    // The next scroll is due in four seconds at the earliest.
    daemon.send(tab.request("scroll").within(Duration::from_millis(400))).await.error("TIMEOUT");
    assert!((Duration::from_millis(390)..Duration::from_secs(2)).contains(&started.elapsed()));
    // What waits for its pace does not hold up the tab.
    let waiting = daemon.begin(tab.request("scroll"));
    daemon.admitted(&waiting.id).await;
    reaches(&daemon, &mut ext, tab.request("text")).await;
    // Its id can be joined like any other that is pending.
    let joined = daemon.begin(tab.request("text").named(&waiting.id));
    daemon.settled().await;
    assert!(!joined.has_reply());
    ext.has_nothing().await;
}

#[tokio::test]
async fn no_refusal_waits_for_pacing() {
    let (daemon, mut ext, tab) = with_human_tab().await;
    reaches(&daemon, &mut ext, click(&tab)).await;
    let unknown = json!({"target": {"handle": "el1"}});
    daemon.send(tab.request("click").params(unknown)).await.error("ELEMENT_HANDLE_NOT_FOUND");
    daemon.send(click(&tab).set("deadline", 1)).await.error("TIMEOUT");
    daemon.send(tab.request("session.unbind")).await.data();
    daemon.send(click(&tab)).await.error("TAB_NOT_FOUND");
    daemon.settled().await;
    assert!(daemon.records("pacing_wait").is_empty());
}

#[tokio::test]
async fn a_session_that_pauses_refuses_what_waits_for_its_pace() {
    let (daemon, mut ext, tab) = with_human_tab().await;
    reaches(&daemon, &mut ext, form(&tab, 3)).await;
    let waiting = daemon.begin(form(&tab, 1));
    daemon.admitted(&waiting.id).await;
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive_action("text").await;
    ext.fail(&command, "HUMAN_REQUIRED", "A riddle.").await;
    reading.reply().await.error("HUMAN_REQUIRED");
    waiting.reply().await.error("HUMAN_REQUIRED");
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_navigation_invalidates_the_handle_of_a_command_that_waits_for_its_pace() {
    let (daemon, mut ext, tab) = with_human_tab().await;
    let read = json!({"elements": [{"tag": "input", "selector": "#a"}]});
    ext.exchange(&daemon, tab.request("elements"), read).await.1.data();
    reaches(&daemon, &mut ext, form(&tab, 3)).await;
    let mut by_handle = fields(1);
    by_handle["fields"][0]["target"] = json!({"handle": "el1"});
    let waiting = daemon.begin(tab.request("fill-form").params(by_handle));
    daemon.admitted(&waiting.id).await;
    ext.navigated(tab.id, "https://example.org/next").await;
    waiting.reply().await.error("ELEMENT_HANDLE_STALE");
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_closed_tab_refuses_what_waits_for_its_pace() {
    let (daemon, mut ext, tab) = with_human_tab().await;
    reaches(&daemon, &mut ext, form(&tab, 3)).await;
    let waiting = daemon.begin(form(&tab, 1));
    daemon.admitted(&waiting.id).await;
    reaches(&daemon, &mut ext, tab.request("tab.close")).await;
    waiting.reply().await.error("TAB_NOT_FOUND");
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_hang_up_removes_a_command_but_does_not_release_its_slot() {
    let (daemon, mut ext, tab) = with_human_tab().await;
    let first = reaches(&daemon, &mut ext, form(&tab, 3)).await;
    let abandoned = daemon.begin(form(&tab, 1));
    daemon.admitted(&abandoned.id).await;
    abandoned.hang_up();
    daemon.settled().await;
    let third = reaches(&daemon, &mut ext, form(&tab, 1)).await;
    assert_delay(third - first, 4);
}

#[tokio::test]
async fn fast_sessions_have_no_pace() {
    let (daemon, mut ext, tab) = with_human_tab().await;
    let started = Instant::now();
    reaches(&daemon, &mut ext, tab.request("scroll")).await;
    let waiting = daemon.begin(tab.request("scroll"));
    daemon.admitted(&waiting.id).await;
    daemon.send(tab.request("session.bind").params(json!({"pacing": "fast"}))).await.data();
    let record = daemon.record("pacing_config", |_| true).await;
    assert_eq!((&record["session"], &record["mode"]), (&json!(tab.session), &json!("fast")));
    let info = daemon.send(request("session.list")).await.data()["sessions"][0].clone();
    assert_eq!(info["pacing"], "fast");
    // The switch releases nobody who waits already; the others go at once.
    ext.has_nothing().await;
    for _ in 0..5 {
        reaches(&daemon, &mut ext, tab.request("scroll")).await;
    }
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert!(!waiting.has_reply());
}

// --- ends ---

#[tokio::test]
async fn a_silent_extension_delays_a_close_for_five_seconds_at_most() {
    let (daemon, _ext, tab) = Daemon::with_tab().await;
    let started = Instant::now();
    assert_eq!(daemon.send(tab.request("session.close")).await.data()["closedTabs"], 0);
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(4500) && took < Duration::from_secs(8), "{took:?}");
}
