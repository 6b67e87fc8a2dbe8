//! Tabs that an act opens: they become tabs of its session, and the person's tab stays in front.

use std::time::Instant;

use serde_json::{Value, json};

use super::rig::{Rig, Visit, text};
use super::support::{PATIENCE, Screen};

/// What an opened page knows of where it comes from.
const ORIGIN: &str = "[document.referrer.split('/').at(-1), window.opener !== null, window.name]";

async fn opens_tabs_behind(rig: &Rig) {
    let page = rig.open("opener.html").await;
    let front = rig.visit("form.html").await;
    let eye = front.page("form.html").await;
    let mut ordinal = 1;
    for (id, query, referrer, has_opener, flashed) in [
        ("#blank b", "blank", "opener.html", false, false),
        ("#named", "named", "opener.html", false, false),
        ("#silent", "silent", "", false, false),
        ("#window", "window", "opener.html", true, true),
        ("#severed", "severed", "opener.html", false, false),
        ("#get", "get", "opener.html", false, true),
        ("#post", "post", "opener.html", false, true),
    ] {
        let data = page.data(&["click", "--selector", id]).await;
        ordinal += 1;
        let opened = &data["effects"]["opened"][0];
        assert_eq!(opened["tab"], format!("t{ordinal}"), "{id}: {data}");
        assert_eq!(opened["flashed"] == true, flashed, "{id}: {data}");
        let address = rig.site.url(&format!("opened.html?{query}"));
        assert!(text(&opened["url"]).starts_with(&address), "where it goes: {data}");
        let shown = page.page(&format!("opened.html?{query}")).await;
        shown.until("document.readyState === 'complete'").await;
        let origin = json!([referrer, has_opener, ""]);
        assert_eq!(shown.evaluate(ORIGIN).await, origin, "{id}");
        eye.until("document.visibilityState === 'visible'").await;
        let list = page.data(&["tab", "list"]).await;
        let tabs = list["tabs"].as_array().expect("tabs");
        assert_eq!(tabs.len(), ordinal, "{id}: {list}");
        let bound: Vec<_> = tabs.iter().filter(|tab| tab["bound"] == true).collect();
        assert_eq!(bound.len(), 1);
        assert_eq!(bound[0]["tab"], "t1", "the bound tab stays");
    }
    // With other buttons and keys.
    for how in [
        ["click", "--selector", "#plain", "--button", "middle"],
        ["click", "--selector", "#plain", "--modifiers", "Shift"],
        ["click", "--selector", "#plain", "--modifiers", "Control"],
    ] {
        let data = page.data(&how).await;
        ordinal += 1;
        let tab = &data["effects"]["opened"][0]["tab"];
        assert_eq!(tab, &format!("t{ordinal}"), "{how:?}: {data}");
        eye.until("document.visibilityState === 'visible'").await;
    }
    let seen = page.page("opener.html").await;
    assert_eq!(seen.evaluate("window.opened.document.title").await, "Opened", "a real window");
    page.data(&["session", "bind", "--tab", "t2"]).await;
    assert_eq!(page.text("h1").await, "Opened", "the session works in it");
    let closed = page.data(&["session", "close"]).await;
    assert_eq!(closed["closedTabs"], Value::from(ordinal));
    assert_eq!(text(&eye.evaluate("document.visibilityState").await), "visible");
}

/// Functions that a guard stands in for while an act lasts.
const NATIVES: &str = "[window.open, window.setTimeout, window.fetch, HTMLFormElement.prototype.submit, \
                       HTMLFormElement.prototype.requestSubmit, Function.prototype.toString]";

/// What a page opens a second after the act, as the browser would let it after a person's click.
async fn adopts_tabs_that_come_later(rig: &Rig) {
    // Told apart from what else is open.
    let front = rig.visit("form.html?front").await;
    let eye = front.page("form.html?front").await;
    for framed in [false, true] {
        let page = rig.open("opener.html").await;
        let seen = page.page("opener.html").await;
        let mut place = Vec::new();
        if framed {
            let frame = "document.body.innerHTML = '<iframe src=\"opener.html?framed\" width=800 height=500></iframe>'; 0";
            seen.evaluate(frame).await;
            seen.until("frames[0].document.getElementById('late') !== null").await;
            let frames = page.data(&["frames"]).await;
            place = vec!["--frame".to_owned(), text(&frames["frames"][0]["frame"])];
        }
        seen.evaluate(&format!("window.before = {NATIVES}; 0")).await;
        for (index, name) in ["link", "window", "severed", "form", "waited"].iter().enumerate() {
            let mut act = vec!["click", "--role", "button", "--name", name, "--exact"];
            act.extend(place.iter().map(String::as_str));
            page.data(&act).await;
            let same = format!("{NATIVES}.every((it, index) => it === before[index])");
            assert_eq!(seen.evaluate(&same).await, true, "{name}: nothing is left behind");
            let tabs = listed(&page, index + 2).await;
            assert!(text(&tabs[index + 1]["url"]).contains("opened.html"), "{name}: {tabs:?}");
            eye.until("document.visibilityState === 'visible'").await;
            seen.until(&same).await;
        }
        page.data(&["session", "close"]).await;
    }
}

/// The session's tabs, once there are so many and the last one has its page.
async fn listed(page: &Visit<'_>, count: usize) -> Vec<Value> {
    let end = Instant::now() + PATIENCE;
    loop {
        let list = page.data(&["tab", "list"]).await;
        let tabs = list["tabs"].as_array().expect("tabs").clone();
        let is_there =
            |tab: &Value| !["", "about:blank"].contains(&tab["url"].as_str().unwrap_or(""));
        if tabs.len() == count && tabs.iter().all(is_there) {
            return tabs;
        }
        assert!(Instant::now() < end, "{count} tabs: {list}");
    }
}

#[tokio::test]
async fn tabs_that_come_a_second_after_the_act_are_its_sessions_too() {
    let rig = Rig::new().await;
    adopts_tabs_that_come_later(&rig).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn tabs_that_an_act_opens_are_its_sessions_and_stay_behind() {
    let rig = Rig::new().await;
    opens_tabs_behind(&rig).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn in_a_browser_with_windows_the_persons_tab_stays_in_front() {
    let screen = Screen::start().await;
    let rig = Rig::on(&screen).await;
    opens_tabs_behind(&rig).await;
    adopts_tabs_that_come_later(&rig).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_that_asks_before_it_is_left_is_left_by_an_act_without_a_question() {
    let rig = Rig::new().await;
    for visible in [true, false] {
        let page =
            if visible { rig.visit("leaving.html").await } else { rig.open("leaving.html").await };
        page.data(&["type", "--selector", "#draft", "unsaved"]).await;
        let left = page.run(&["click", "--selector", "#leave"]).await;
        assert_eq!(left.json()["page"]["url"], rig.site.url("article.html"), "{left:?}");
        assert_eq!(left.data()["effects"]["navigated"], rig.site.url("article.html"));
    }
    rig.browser.close().await;
}
