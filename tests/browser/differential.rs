//! The browser itself as the measure: the same steps on the same page, once through bproxy in a tab that nobody sees and once as trusted input
//! through the DevTools protocol in a page that has the focus, leave the same state and the same events. The cases are in
//! `tests/fixtures/differential`; those that differ are listed with their reasons in `differential.txt`.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rig::{Rig, Visit};
use super::support::{Page, request};

const LISTED: &str = include_str!("differential.txt");
const PAGE: &str = "differential/index.html";
/// The page has loaded, with all its cases.
const READY: &str = "document.readyState === 'complete' && window.all?.length";
/// The share that has to agree, in percent.
const GOAL: f64 = 98.0;

/// How many pages try cases at the same time, in either way: most of the time is spent waiting for pages to come to rest.
const LANES: usize = 4;

/// How often the browser is asked again about a frame of another origin: the focus goes from one process to another in a
/// time of its own, and a key that comes before goes to the one that it has left.
const AGAIN: usize = 5;

#[derive(Deserialize)]
struct Case {
    name: String,
    shares_clipboard: bool,
    has_strangers: bool,
}

/// The cases of each page, by their place in the list. Those that use the clipboard, which all pages of a browser share,
/// are in the first one.
fn dealt(cases: &[Case]) -> [Vec<usize>; LANES] {
    let mut lanes = [const { Vec::new() }; LANES];
    let (shared, own): (Vec<_>, Vec<_>) =
        (0..cases.len()).partition(|&at| cases[at].shares_clipboard);
    lanes[0] = shared;
    for case in own {
        lanes.iter_mut().min_by_key(|lane| lane.len()).expect("lanes").push(case);
    }
    lanes
}

async fn trusted(page: &Page<'_>, case: usize) -> Value {
    let mut plan = page.evaluate(&format!("begin({case}).then(() => trusted({case}, 0))")).await;
    loop {
        let calls = plan["calls"].as_array().expect("calls");
        for calls in calls.chunks(if plan["slowly"] == true { 1 } else { calls.len() }) {
            page.input(calls).await;
            if plan["slowly"] == true {
                page.evaluate("sync()").await;
            }
        }
        let Some(next) = plan["next"].as_u64() else { break };
        plan = page.evaluate(&format!("trusted({case}, {next})")).await;
    }
    page.evaluate("end()").await
}

async fn through_bproxy(visit: &Visit<'_>, page: &Page<'_>, case: usize) -> Value {
    let begun = format!("begin({case}).then(() => commands(all[{case}].steps))");
    let commands = page.evaluate(&begun).await;
    for command in commands.as_array().expect("commands") {
        let action = command["action"].as_str().expect("an action");
        let sent = request(action).session(&visit.session).params(command["params"].clone());
        let reply = visit.rig.daemon.send(sent).await;
        if reply.json()["ok"] == false {
            return json!({"state": {"refused": reply.json()["error"]["message"]}, "log": [], "later": []});
        }
    }
    page.evaluate("end()").await
}

/// What differs between two outcomes, in a few lines.
fn differences(trusted: &Value, ours: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let (state, own) = (&trusted["state"], &ours["state"]);
    let keys: BTreeSet<&String> =
        [state, own].into_iter().filter_map(Value::as_object).flat_map(|it| it.keys()).collect();
    for key in keys {
        if state[key] != own[key] {
            found.push(format!("{key}: {} and not {}", state[key], own[key]));
        }
    }
    // A page that nobody sees learns by the first act that what the set-up focused has the focus, and its window.
    let (log, mut own) = (texts(&trusted["log"]), texts(&ours["log"]));
    if !log.first().is_some_and(|first| first.starts_with("focus ")) {
        let window = usize::from(own.first().is_some_and(|it| it.starts_with("focus window")));
        let told = own[window..].iter().zip(["focus ", "focusin "]);
        let told = told.take_while(|(it, kind)| it.starts_with(kind)).count();
        own.drain(..window + if told == 2 { 2 } else { 0 });
    }
    if let Some(at) = (0..log.len().max(own.len())).find(|&at| log.get(at) != own.get(at)) {
        found.push(format!("event {at}: {:?} and not {:?}", log.get(at), own.get(at)));
    }
    // Where nothing is drawn the browser sends no `select`.
    let later = |of: &Value| -> Vec<String> {
        texts(&of["later"]).into_iter().filter(|text| !text.starts_with("select")).collect()
    };
    if later(trusted) != later(ours) {
        found.push(format!("later: {:?} and not {:?}", later(trusted), later(ours)));
    }
    found
}

fn texts(list: &Value) -> Vec<String> {
    serde_json::from_value(list.clone()).expect("texts")
}

/// The reasons for differences, by case.
fn listed() -> BTreeMap<&'static str, &'static str> {
    let lines = LISTED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(" -- ").expect("a case, and its reason")).collect()
}

/// Only cases whose name contains this are tried.
fn chosen() -> Option<String> {
    std::env::var("BPROXY_CASES").ok()
}

async fn measured(rig: &Rig, cases: &[usize]) -> Vec<(usize, Value)> {
    let page = rig.browser.open_window(&rig.site.url(PAGE)).await;
    page.pretend_focus().await;
    page.until(&format!("{READY} && document.visibilityState === 'visible'")).await;
    let mut outcomes = Vec::new();
    for &case in cases {
        outcomes.push((case, trusted(&page, case).await));
    }
    outcomes
}

async fn tried(rig: &Rig, cases: &[usize], lane: usize) -> Vec<(usize, Value)> {
    let mark = format!("lane-{lane}");
    let visit = rig.open_url(&format!("{}?{mark}", rig.site.url(PAGE))).await;
    let page = visit.page(&mark).await;
    page.until(READY).await;
    assert_eq!(page.evaluate("document.hasFocus()").await, false);
    let mut outcomes = Vec::new();
    for &case in cases {
        outcomes.push((case, through_bproxy(&visit, &page, case).await));
    }
    outcomes
}

#[tokio::test]
async fn keys_clicks_and_drags_do_what_they_do_in_the_browser() {
    let rig = Rig::new().await;
    let first = rig.browser.open(&rig.site.url(PAGE)).await;
    first.until(READY).await;
    let listing = "all.map((it) => ({ name: it.name, \
        shares_clipboard: sharesClipboard(it), has_strangers: hasStrangers(it) }))";
    let cases = first.evaluate(listing).await;
    let cases: Vec<Case> = serde_json::from_value(cases).expect("cases");
    first.close().await;
    assert!(cases.len() >= 400, "{} cases", cases.len());
    let chosen = chosen();
    let is_chosen = |name: &str| chosen.as_ref().is_none_or(|part| name.contains(part.as_str()));
    let lanes = dealt(&cases)
        .map(|lane| lane.into_iter().filter(|&at| is_chosen(&cases[at].name)).collect::<Vec<_>>());
    let began = std::time::Instant::now();
    let (expected, ours) = tokio::join!(
        join_all(lanes.iter().map(|lane| measured(&rig, lane))),
        join_all(lanes.iter().enumerate().map(|(at, lane)| tried(&rig, lane, at))),
    );
    let all = |of: Vec<Vec<_>>| of.into_iter().flatten().collect::<BTreeMap<usize, Value>>();
    let (mut expected, ours) = (all(expected), all(ours));
    println!("{} cases in {:.1} s", expected.len(), began.elapsed().as_secs_f64());
    let differ = |expected: &BTreeMap<usize, Value>, at: &usize| {
        !differences(&expected[at], &ours[at]).is_empty()
    };
    for again in 1..=AGAIN {
        let timed = ours.keys().filter(|&at| cases[*at].has_strangers && differ(&expected, at));
        let timed: Vec<usize> = timed.copied().collect();
        if timed.is_empty() {
            break;
        }
        println!("{} with a frame of another origin differ, look {again}", timed.len());
        expected.extend(measured(&rig, &timed).await);
    }
    rig.browser.close().await;

    let listed = listed();
    let (mut agreeing, mut faults) = (0, Vec::new());
    let count = expected.len();
    for (case, Case { name, .. }) in cases.iter().enumerate().filter(|(_, it)| is_chosen(&it.name))
    {
        let found = differences(&expected[&case], &ours[&case]);
        agreeing += usize::from(found.is_empty());
        match (found.is_empty(), listed.contains_key(&**name)) {
            (false, false) => faults.push(format!("{name} differs:\n    {}", found.join("\n    "))),
            (true, true) => faults.push(format!("{name} is listed but agrees now")),
            _ => {}
        }
    }
    for name in listed.keys().filter(|name| !cases.iter().any(|it| it.name == **name)) {
        faults.push(format!("{name} is listed but is no case"));
    }
    let share = 100.0 * f64::from(u32::try_from(agreeing).expect("few"))
        / f64::from(u32::try_from(count).expect("few"));
    println!("{share:.1} % of {count} cases agree with the browser");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(share >= GOAL, "only {share:.1} % agree");
}
