//! What pages do a moment after an act: what its answer tells, and how long an act on a page that does nothing takes.

use std::time::{Duration, Instant};

use serde_json::json;

use super::rig::Rig;
use super::support::request;

/// Ways in which a page reacts, after how many milliseconds, and whether the answer tells of it.
const TABLE: &[(&str, u64, bool)] = &[
    ("timer", 0, true),
    ("timer", 10, true),
    ("timer", 50, true),
    ("timer", 200, false),
    ("frames", 0, true),
    ("frames", 10, true),
    ("frames", 50, true),
    ("frames", 200, false),
    ("fetch", 0, true),
    ("fetch", 10, true),
    ("fetch", 50, true),
    ("fetch", 200, true),
    ("navigation", 0, true),
    ("navigation", 10, true),
    ("navigation", 50, true),
    ("navigation", 200, false),
];

#[tokio::test]
async fn the_answer_of_an_act_tells_what_a_page_does_a_moment_later() {
    let rig = Rig::new().await;
    let page = rig.visit("article.html").await;
    let mut told = Vec::new();
    for (by, after, _) in TABLE {
        page.data(&["navigate", &rig.site.url(&format!("later.html?by={by}&after={after}"))]).await;
        let call = page.run(&["click", "--selector", "#act"]).await;
        let effects = call.data()["effects"].take();
        let came = match *by {
            "navigation" => call.json()["page"]["title"] == "The lighthouse keeper",
            _ => effects["focus"]["name"] == "Came",
        };
        told.push((*by, *after, came));
    }
    println!("{told:?}");
    // What is told of later than is promised does no harm.
    for ((by, after, promised), (_, _, came)) in TABLE.iter().zip(&told) {
        assert!(*came || !promised, "{by} after {after} ms: {told:?}");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn an_act_that_leads_to_pages_without_end_is_answered() {
    let rig = Rig::new().await;
    let page = rig.visit("article.html").await;
    let seen = page.page("article.html").await;
    seen.evaluate("document.body.innerHTML = '<a href=restless.html>On</a>'; 0").await;
    let data = page.data(&["click", "--selector", "a", "--timeout", "60000"]).await;
    assert_eq!(data["stable"], false, "{data}");
    assert!(data["effects"]["navigated"].to_string().contains("restless"), "{data}");
    rig.browser.close().await;
}

/// What an act may take on a page that does nothing.
const FEW: Duration = Duration::from_millis(30);
const ACTS: usize = 30;
/// A machine that is busy all the time gets so many acts to be less so for a moment.
const ACTS_MAX: usize = 1_000;

#[tokio::test]
async fn an_act_on_a_page_that_does_nothing_takes_few_milliseconds() {
    let rig = Rig::new().await;
    for visible in [true, false] {
        let address = "later.html?by=timer&after=0";
        let page = if visible { rig.visit(address).await } else { rig.open(address).await };
        let mut times: Vec<Duration> = Vec::new();
        // The fastest of many says what it costs on a machine that does nothing else.
        while times.len() < ACTS || (times.len() < ACTS_MAX && times.iter().all(|it| *it >= FEW)) {
            let click = request("click")
                .session(&page.session)
                .within(Duration::from_secs(30))
                .params(json!({"target": {"selector": "#nothing"}}));
            let began = Instant::now();
            let data = rig.daemon.send(click).await.data();
            times.push(began.elapsed());
            assert_eq!((&data["stable"], &data["effects"]), (&json!(true), &json!({})), "{data}");
        }
        times.sort();
        println!("visible: {visible}, median {:?}, least {:?}", times[times.len() / 2], times[0]);
        assert!(times[0] < FEW, "{times:?}");
    }
    rig.browser.close().await;
}
