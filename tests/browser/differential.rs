//! The browser itself as the measure: the same steps on the same page, once through bproxy in a tab that nobody sees and once as trusted input
//! through the DevTools protocol in a page that has the focus, leave the same state and the same events. The cases are in
//! `tests/fixtures/differential`; those that differ are listed with their reasons in `differential.txt`.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde_json::Value;

use super::rig::{Rig, Visit};
use super::support::{Page, request};

const LISTED: &str = include_str!("differential.txt");
const PAGE: &str = "differential/index.html";
/// The share that has to agree, in percent.
const GOAL: f64 = 98.0;

/// How many pages try cases through bproxy at the same time: most of the time is spent waiting for pages to come to rest.
/// Trusted input is tried in one page, because all pages share its clipboard.
const LANES: usize = 4;

/// The cases, by their place on the page.
async fn names(page: &Page<'_>) -> Vec<String> {
    let names = page.evaluate("all.map(({ name }) => name)").await;
    serde_json::from_value(names).expect("names")
}

async fn trusted(page: &Page<'_>, case: usize) -> Value {
    page.evaluate(&format!("begin({case})")).await;
    let steps = page.evaluate(&format!("all[{case}].steps")).await;
    for step in steps.as_array().expect("steps") {
        let calls = page.evaluate(&format!("trusted({step})")).await;
        page.input(calls.as_array().expect("calls")).await;
    }
    page.evaluate("end()").await
}

async fn through_bproxy(visit: &Visit<'_>, page: &Page<'_>, case: usize) -> Value {
    page.evaluate(&format!("begin({case})")).await;
    let commands = page.evaluate(&format!("commands(all[{case}].steps)")).await;
    for command in commands.as_array().expect("commands") {
        let action = command["action"].as_str().expect("an action");
        let sent = request(action).session(&visit.session).params(command["params"].clone());
        visit.rig.daemon.send(sent).await.data();
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
    // A page that nobody sees learns by the first key that what the set-up focused has the focus.
    let (log, mut own) = (texts(&trusted["log"]), texts(&ours["log"]));
    let told = own.iter().zip(["focus ", "focusin "]).take_while(|(it, kind)| it.starts_with(kind));
    let told = told.count();
    if told == 2 && !log.first().is_some_and(|first| first.starts_with("focus ")) {
        own.drain(..told);
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

/// Runs the cases, dealt out among pages.
async fn dealt<F: Future<Output = Vec<(usize, Value)>>>(lanes: Vec<F>) -> BTreeMap<usize, Value> {
    join_all(lanes).await.into_iter().flatten().collect()
}

async fn measured(rig: &Rig, count: usize) -> BTreeMap<usize, Value> {
    let page = rig.browser.open_window(&rig.site.url(PAGE)).await;
    page.pretend_focus().await;
    page.until("document.readyState === 'complete' && document.visibilityState === 'visible'")
        .await;
    let mut outcomes = BTreeMap::new();
    for case in 0..count {
        outcomes.insert(case, trusted(&page, case).await);
    }
    outcomes
}

async fn tried(rig: &Rig, count: usize, lane: usize) -> Vec<(usize, Value)> {
    let mark = format!("lane-{lane}");
    let visit = rig.open_url(&format!("{}?{mark}", rig.site.url(PAGE))).await;
    let page = visit.page(&mark).await;
    page.until("document.readyState === 'complete'").await;
    assert_eq!(page.evaluate("document.hasFocus()").await, false);
    let mut outcomes = Vec::new();
    for case in (lane..count).step_by(LANES) {
        outcomes.push((case, through_bproxy(&visit, &page, case).await));
    }
    outcomes
}

#[tokio::test]
async fn keys_do_what_they_do_in_the_browser() {
    let rig = Rig::new().await;
    let first = rig.browser.open(&rig.site.url(PAGE)).await;
    first.until("document.readyState === 'complete'").await;
    let names = names(&first).await;
    first.close().await;
    let count = names.len();
    assert!(count >= 400, "{count} cases");
    let (expected, ours) = tokio::join!(
        measured(&rig, count),
        dealt((0..LANES).map(|lane| tried(&rig, count, lane)).collect()),
    );
    rig.browser.close().await;

    let listed = listed();
    let (mut agreeing, mut faults) = (0, Vec::new());
    for (case, name) in names.iter().enumerate() {
        let found = differences(&expected[&case], &ours[&case]);
        agreeing += usize::from(found.is_empty());
        match (found.is_empty(), listed.contains_key(&**name)) {
            (false, false) => faults.push(format!("{name} differs:\n    {}", found.join("\n    "))),
            (true, true) => faults.push(format!("{name} is listed but agrees now")),
            _ => {}
        }
    }
    for name in listed.keys().filter(|name| !names.iter().any(|it| it == *name)) {
        faults.push(format!("{name} is listed but is no case"));
    }
    let share = 100.0 * f64::from(u32::try_from(agreeing).expect("few"))
        / f64::from(u32::try_from(count).expect("few"));
    println!("{share:.1} % of {count} cases agree with the browser");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(share >= GOAL, "only {share:.1} % agree");
}
