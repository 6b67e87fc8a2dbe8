//! What pages do a moment after an act: what its answer tells, and how long an act on a page that does nothing takes.

use std::time::{Duration, Instant};

use serde_json::json;

use super::rig::Rig;
use super::support::request;

/// A way in which a page reacts to an act.
struct Reaction {
    by: String,
    hidden: bool,
    after: u64,
    /// Whether the answer tells of it, as the table of docs/performance.md says.
    told: bool,
}

fn reactions() -> Vec<Reaction> {
    let rows = include_str!("../../docs/performance.md").lines().filter_map(|line| {
        let (by, rest) = line.strip_prefix("| `")?.split_once('`')?;
        let cells: Vec<_> = rest.split('|').map(str::trim).collect();
        let told = |cell: &str| match cell {
            "told" => Some(true),
            "not" => Some(false),
            _ => None,
        };
        let told: Option<Vec<_>> =
            cells[1..cells.len() - 1].iter().map(|cell| told(cell)).collect();
        Some((by.to_owned(), cells[0].contains("nobody sees"), told?))
    });
    rows.flat_map(|(by, hidden, told)| {
        assert_eq!(told.len(), AFTER.len(), "{by}");
        let each = AFTER.iter().zip(told);
        each.map(|(&after, told)| Reaction { by: by.clone(), hidden, after, told })
            .collect::<Vec<_>>()
    })
    .collect()
}

/// How often a page may react too late, for want of a processor.
const TRIES: usize = 5;

/// The columns of the table. Milliseconds.
const AFTER: [u64; 4] = [0, 10, 50, 200];

#[tokio::test]
async fn the_answer_of_an_act_tells_what_a_page_does_a_moment_later() {
    let rig = Rig::new().await;
    let (shown, behind) = (rig.visit("article.html").await, rig.open("article.html").await);
    let reactions = reactions();
    assert_eq!(reactions.len(), 8 * AFTER.len());
    let mut wrong = Vec::new();
    for Reaction { by, hidden, after, told } in reactions {
        let page = if hidden { &behind } else { &shown };
        let address = rig.site.url(&format!("later.html?by={by}&after={after}"));
        // What is told of later than is promised does no harm. On a busy machine a page comes to react late.
        let mut left = if told { TRIES } else { 0 };
        while left > 0 {
            page.data(&["navigate", &address]).await;
            let call = page.run(&["click", "--selector", "#act"]).await;
            let effects = call.data()["effects"].take();
            let came = match by.as_str() {
                "navigation" => call.json()["page"]["title"] == "The lighthouse keeper",
                _ => effects["focus"]["name"] == "Came",
            };
            if came {
                break;
            }
            left -= 1;
            if left == 0 {
                wrong.push(format!("{by} after {after} ms, hidden: {hidden}"));
            }
        }
    }
    assert!(wrong.is_empty(), "not told of: {wrong:?}");
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
