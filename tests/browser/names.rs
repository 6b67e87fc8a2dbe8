//! Roles and names beside the browser's own: for every element of the corpus that is laid out, what our page scripts say
//! of it and what Chromium tells assistive technology of it.

use std::fmt::Write as _;

use super::corpus;
use super::rig::{Rig, Visit, text};

/// How many of a hundred elements have to agree, in role and in name.
const AGREE: f64 = 99.5;

/// Asks the page's scripts, in their own world, for role and name of every element that a read can come to, and marks
/// these elements, so that the browser's can be put beside them.
const ASK: &str = r#"
(async () => {
  const tab = (await chrome.tabs.query({})).find((tab) => tab.url === ADDRESS);
  const func = () => {
    const page = globalThis.bproxy;
    page.commands.compared = () => {
      const told = [];
      page.walk(document.documentElement, (node) => {
        if (!(node instanceof Element)) return false;
        if (node.getAttribute('aria-hidden') === 'true' || !page.laidOut(node)) return false;
        if (/^(script|style|noscript|template|head)$/.test(node.localName)) return false;
        if (page.rendered(node)) {
          node.setAttribute('data-compared', String(told.length));
          told.push([page.role(node), page.accessibleName(node), page.describe(node)]);
        }
        return true;
      });
      return told;
    };
    return page.invoke('compared', {}).data;
  };
  return (await chrome.scripting.executeScript({ target: { tabId: tab.id }, func }))[0].result;
})()
"#;

/// What Chromium calls by a name of its own, and what it says of text and boxes, for which there is no line.
fn plain(role: &str) -> &str {
    match role {
        "image" => "img",
        "Iframe" => "iframe",
        "Video" => "video",
        "Audio" => "audio",
        "Date" => "date",
        "DateTime" => "datetime",
        "InputTime" => "time",
        "ColorWell" => "color",
        "DisclosureTriangle" | "DisclosureTriangleGrouped" => "button",
        "generic" | "none" => "",
        // Text-level semantics and parts of others, which have no role in ARIA.
        _ if role.starts_with(|first: char| first.is_ascii_uppercase()) => "",
        _ => role,
    }
}

/// A name without the white space that nobody hears.
fn spaced(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What came of a comparison.
#[derive(Default)]
struct Tally {
    elements: usize,
    roles: usize,
    named: usize,
    names: usize,
    differences: String,
}

/// Compares an open page with what the browser says of it.
async fn compare(visit: &Visit<'_>, page: &str) -> Tally {
    visit.data(&["elements"]).await;
    let seen = visit.page(page).await;
    // What the browser lays out only when it is scrolled to is nothing to it before that.
    seen.evaluate(
        "document.head.append(Object.assign(document.createElement('style'), {textContent: \
         '* { content-visibility: visible !important }'})), 0",
    )
    .await;
    let url = seen.evaluate("location.href").await;
    let ours = visit.rig.browser.in_worker(&ASK.replace("ADDRESS", &url.to_string())).await;
    let theirs = seen.accessible_by("data-compared").await;
    let mut tally = Tally::default();
    for (at, ours) in ours.as_array().expect("elements").iter().enumerate() {
        let [role, name, element] = [0, 1, 2].map(|part| text(&ours[part]));
        let (their_role, their_name) = theirs.get(&at.to_string()).cloned().unwrap_or_default();
        let their_role = plain(&their_role);
        if role.is_empty() && their_role.is_empty() {
            continue;
        }
        tally.elements += 1;
        tally.roles += usize::from(role == their_role);
        if role != their_role {
            let _ =
                writeln!(tally.differences, "  role {role:?}, theirs {their_role:?}: {element}");
        }
        if role.is_empty() {
            continue;
        }
        tally.named += 1;
        tally.names += usize::from(name == spaced(&their_name));
        if name != spaced(&their_name) {
            let _ =
                writeln!(tally.differences, "  {role} {name:?}, theirs {their_name:?}: {element}");
        }
    }
    let Tally { elements, roles, named, names, differences } = &tally;
    println!("{page}: {roles} of {elements} roles, {names} of {named} names\n{differences}");
    tally
}

#[tokio::test]
async fn roles_and_names_are_those_of_the_browser() {
    let rig = Rig::of(&corpus::folder().join("site")).await;
    let only = std::env::var("CORPUS_PAGES").unwrap_or_default();
    let pages = [&corpus::DOCUMENTATION[..], &corpus::TEMPLATES, &corpus::WIDGETS].concat();
    let mut total = Tally::default();
    for page in pages.iter().filter(|page| page.contains(&only)) {
        let visit = rig.open(page).await;
        let tally = compare(&visit, page).await;
        total.elements += tally.elements;
        total.roles += tally.roles;
        total.named += tally.named;
        total.names += tally.names;
        visit.data(&["tab", "close"]).await;
    }
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole as f64;
    let (roles, names) = (percent(total.roles, total.elements), percent(total.names, total.named));
    println!(
        "{} pages: roles agree for {roles:.2} % of {}, names for {names:.2} % of {}",
        pages.len(),
        total.elements,
        total.named
    );
    assert!(roles >= AGREE, "roles agree for {roles:.2} %");
    assert!(names >= AGREE, "names agree for {names:.2} %");
    rig.browser.close().await;
}

#[tokio::test]
async fn each_rule_of_names_is_kept() {
    let rig = Rig::new().await;
    let visit = rig.open("accname.html").await;
    let tally = compare(&visit, "accname.html").await;
    assert!(tally.elements > 100, "{} elements", tally.elements);
    assert_eq!(tally.differences, "");
    rig.browser.close().await;
}
