//! What reacts to a click, whether it says so or not: on the pages of small tasks, the elements that have listeners of
//! their own, by the browser's own word, beside those that our reads list.

use std::path::Path;

use serde_json::{Value, json};

use super::rig::{Rig, Visit, text};
use super::support::{Page, Site};

/// On how many of a hundred pages with something that reacts all of it is listed.
const ALL_FOUND: f64 = 78.0;

/// Marks the visible elements of the task that have a listener for a press, or a control's own reaction, and none of these in
/// them, and counts them.
/// `getEventListeners` is DevTools' own.
const MARK: &str = r#"(() => {
  const area = document.querySelector('#area');
  const presses = ['click', 'mousedown', 'mouseup', 'pointerdown', 'touchstart', 'dblclick'];
  const own = 'a[href], button, input, select, textarea, [onclick]';
  const found = [];
  for (const element of area?.querySelectorAll('*') ?? []) {
    const { width, height } = element.getBoundingClientRect();
    if (width === 0 || height === 0 || getComputedStyle(element).visibility !== 'visible') continue;
    const listeners = getEventListeners(element);
    if (!presses.some((it) => listeners[it]?.length > 0) && !element.matches(own)) continue;
    found.push(element);
  }
  // What only holds such elements hears their events.
  const targets = found.filter((it) => !found.some((other) => other !== it && it.contains(other)));
  for (const it of targets) it.setAttribute('data-reacts', '');
  return targets.length;
})()"#;

/// How many of the marked are none of those that the selectors name.
const MISSED: &str = r#"((selectors) => {
  const listed = new Set(selectors.map((it) => document.querySelector(it)));
  return [...document.querySelectorAll('[data-reacts]')]
    .filter((it) => !listed.has(it))
    .map((it) => it.cloneNode(false).outerHTML.slice(0, 120));
})"#;

/// The selectors of the entries of both lists.
async fn listed(visit: &Visit<'_>) -> Vec<Value> {
    let mut selectors = Vec::new();
    for read in ["elements", "links"] {
        let entries = visit.entries(read).await;
        let selector = |it: &Value| [&it["selector"], &it["target"]["selector"]].map(Clone::clone);
        selectors.extend(entries.iter().flat_map(selector).filter(Value::is_string));
    }
    selectors
}

/// The names of the tasks.
fn tasks(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).expect("pages: run `make miniwob`");
    let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> =
        names.filter_map(|it| it.strip_suffix(".html").map(str::to_owned)).collect();
    names.sort();
    names
}

async fn begin(task: &str, visit: &Visit<'_>, seen: &Page<'_>, pages: &Site) {
    visit.data(&["navigate", &pages.url(&format!("miniwob/{task}.html"))]).await;
    seen.until("window.core?.cover_div && document.readyState === 'complete'").await;
    seen.evaluate("Math.seedrandom('1'), core.startEpisodeReal(), 0").await;
}

#[tokio::test]
async fn what_shows_that_it_reacts_is_listed_once() {
    let rig = Rig::new().await;
    let page = rig.open("clickables.html").await;
    let elements = page.entries("elements").await;
    let told = |it: &Value| format!("{} {}", it["role"], it["label"]).replace('"', "");
    let listed: Vec<_> = elements.iter().map(told).collect();
    let expected = [
        "clickable By its cursor",
        "clickable A card with a star and words",
        "clickable with a star",
        "clickable Under the pointer",
        "clickable A handle",
        "clickable By its attribute",
        "clickable In the tab order",
        "clickable Can be dragged",
        "clickable By its own style",
        "button Save now",
        "clickable A drawn box",
        "checkbox A real box",
        "row A row",
        "tab Files Close",
        "button Close",
    ];
    assert_eq!(listed, expected);

    let tree = text(&page.data(&["snapshot"]).await["tree"]);
    let marks: Vec<_> = elements.iter().map(|it| format!("[{}]", text(&it["handle"]))).collect();
    for (mark, line) in marks.iter().zip(expected) {
        assert!(tree.contains(mark), "{line} has no handle in {tree}");
    }
    let found = page.data(&["find", "--role", "clickable", "--name", "drawn"]).await;
    assert_eq!(found["total"], 1, "{found}");
    rig.browser.close().await;
}

#[tokio::test]
#[ignore = "make miniwob runs it"]
async fn what_reacts_on_pages_of_small_tasks_is_listed() {
    let rig = Rig::new().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/miniwob/miniwob/html");
    let pages = Site::of(&folder).await;
    let visit = rig.visit("article.html").await;
    let seen = visit.page("article.html").await;
    let (mut with_targets, mut all_found) = (0, 0);
    let (mut reacting, mut found) = (0, 0);
    for task in tasks(&folder.join("miniwob")) {
        begin(&task, &visit, &seen, &pages).await;
        let count = seen.evaluate_as_console(MARK).await.as_u64().expect("a number");
        if count == 0 {
            continue;
        }
        let selectors = json!(listed(&visit).await);
        let missed = seen.evaluate(&format!("{MISSED}({selectors})")).await;
        let missed: Vec<_> = missed.as_array().expect("a list").iter().map(text).collect();
        with_targets += 1;
        all_found += u32::from(missed.is_empty());
        reacting += count;
        found += count - missed.len() as u64;
        if !missed.is_empty() {
            println!("{task}: {} of {count} missed: {missed:?}", missed.len());
        }
    }
    let percent = 100.0 * f64::from(all_found) / f64::from(with_targets);
    println!(
        "all is listed on {all_found} of {with_targets} pages; {found} of {reacting} elements"
    );
    assert!(percent >= ALL_FOUND, "all is listed on {percent:.1} % of the pages");
    rig.browser.close().await;
}
