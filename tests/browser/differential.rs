//! The browser itself as the measure: the same steps on the same page, once through bproxy and once as trusted input
//! through the DevTools protocol in a page that has the focus, leave the same state and the same events. The cases are in
//! `tests/fixtures/differential`; those that differ are listed with their reasons in `differential.txt`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::rig::{Rig, Visit};
use super::support::{Page, request};

/// A case differs: in a page that has the focus, or in a tab that nobody sees.
const LISTED: &str = include_str!("differential.txt");
const PAGE: &str = "differential/index.html";
/// The share that has to agree, in percent.
const GOAL: f64 = 98.0;

/// Where cases are tried through bproxy.
#[derive(Clone, Copy)]
enum Where {
    Focused,
    Unseen,
}

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
fn differences(trusted: &Value, ours: &Value, place: Where) -> Vec<String> {
    let mut found = Vec::new();
    let (state, own) = (&trusted["state"], &ours["state"]);
    let keys: BTreeSet<&String> =
        [state, own].into_iter().filter_map(Value::as_object).flat_map(|it| it.keys()).collect();
    for key in keys {
        if state[key] != own[key] {
            found.push(format!("{key}: {} and not {}", state[key], own[key]));
        }
    }
    let (log, own) = (texts(&trusted["log"]), texts(&ours["log"]));
    if let Some(at) = (0..log.len().max(own.len())).find(|&at| log.get(at) != own.get(at)) {
        found.push(format!("event {at}: {:?} and not {:?}", log.get(at), own.get(at)));
    }
    // Where nothing is drawn the browser sends no `select`.
    let later = |of: &Value| -> Vec<String> {
        let kept = |text: &String| matches!(place, Where::Focused) || !text.starts_with("select");
        texts(&of["later"]).into_iter().filter(kept).collect()
    };
    if later(trusted) != later(ours) {
        found.push(format!("later: {:?} and not {:?}", later(trusted), later(ours)));
    }
    found
}

fn texts(list: &Value) -> Vec<String> {
    serde_json::from_value(list.clone()).expect("texts")
}

/// The reasons for differences, by case: for pages that have the focus, and for unseen ones.
fn listed() -> [BTreeMap<String, String>; 2] {
    let mut listed = [BTreeMap::new(), BTreeMap::new()];
    for line in LISTED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (case, reason) = line.split_once(" -- ").expect("a case, and its reason");
        let unseen_only = case.strip_prefix("unseen ");
        if unseen_only.is_none() {
            listed[0].insert(case.to_owned(), reason.to_owned());
        }
        listed[1].insert(unseen_only.unwrap_or(case).to_owned(), reason.to_owned());
    }
    listed
}

#[tokio::test]
async fn keys_do_what_they_do_in_the_browser() {
    let rig = Rig::new().await;
    let url = rig.site.url(PAGE);
    let measure = rig.browser.open_window(&url).await;
    measure.pretend_focus().await;
    measure
        .until("document.readyState === 'complete' && document.visibilityState === 'visible'")
        .await;
    let names = names(&measure).await;
    assert!(names.len() >= 400, "{} cases", names.len());

    let focused = rig.open_url(&format!("{url}?focused")).await;
    let focused_page = focused.page("?focused").await;
    focused_page.pretend_focus().await;
    let unseen = rig.open_url(&format!("{url}?unseen")).await;
    let unseen_page = unseen.page("?unseen").await;
    for page in [&focused_page, &unseen_page] {
        page.until("document.readyState === 'complete'").await;
    }
    assert_eq!(unseen_page.evaluate("document.hasFocus()").await, json!(false));

    let mut differing = [BTreeMap::new(), BTreeMap::new()];
    for (case, name) in names.iter().enumerate() {
        let (expected, in_focus, in_the_dark) = tokio::join!(
            trusted(&measure, case),
            through_bproxy(&focused, &focused_page, case),
            through_bproxy(&unseen, &unseen_page, case),
        );
        for (place, outcome) in [(Where::Focused, in_focus), (Where::Unseen, in_the_dark)] {
            let found = differences(&expected, &outcome, place);
            if !found.is_empty() {
                differing[place as usize].insert(name.clone(), found.join("\n    "));
            }
        }
    }
    rig.browser.close().await;

    let mut faults = Vec::new();
    for ((listed, differing), place) in
        listed().iter().zip(&differing).zip(["with the focus", "unseen"])
    {
        let share = 100.0 * (names.len() - differing.len()) as f64 / names.len() as f64;
        println!("{place}: {share:.1} % of {} cases agree with the browser", names.len());
        if share < GOAL {
            faults.push(format!("{place}: only {share:.1} % agree"));
        }
        for (name, how) in differing.iter().filter(|(name, _)| !listed.contains_key(*name)) {
            faults.push(format!("{place}, {name} differs:\n    {how}"));
        }
        for name in listed.keys().filter(|name| !differing.contains_key(*name)) {
            let why = if names.contains(name) { "agrees now" } else { "is no case" };
            faults.push(format!("{place}, {name} is listed but {why}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
