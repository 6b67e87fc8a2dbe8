//! What the person sees without opening anything: badge, tab groups, notifications.

use std::time::Duration;

use serde_json::json;

use super::rig::{Rig, text};
use super::support::{Browser, Daemon, Site, request};

const BADGE: &str = "chrome.action.getBadgeText({})";

#[tokio::test]
async fn the_badge_tells_whether_an_agent_can_work_and_waits_for_the_person() {
    let (daemon, browser, site) =
        tokio::join!(Daemon::start(), Browser::start(false), Site::start());
    let rig = Rig { daemon, browser, site };
    let eye = rig.browser.inspector().await;
    eye.until("await chrome.action.getTitle({}) === 'bproxy: not paired'").await;
    assert_eq!(eye.evaluate(BADGE).await, "");
    rig.browser.pair(rig.daemon.port, &rig.daemon.pairing_code()).await;
    eye.until(&format!("await {BADGE} === 'on'")).await;
    let page = rig.open("article.html").await;
    page.fails("HUMAN_REQUIRED", &["require-human", "--reason", "Please sign in"]).await;
    eye.until(&format!("await {BADGE} === '?'")).await;
    eye.until("(await chrome.action.getTitle({})).includes('waits for you')").await;
    page.resume().await;
    eye.until(&format!("await {BADGE} === 'on'")).await;
    rig.daemon.stop().await;
    eye.until(&format!("['!', '…'].includes(await {BADGE})")).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn a_sessions_tabs_stand_in_a_group_of_its_name() {
    let rig = Rig::new().await;
    let eye = rig.browser.inspector().await;
    let created = rig.run(&["session", "create", "--label", "Invoices"]).await.data();
    let session = text(&created["session"]);
    for page in ["article.html", "form.html"] {
        rig.run(&["tab", "open", &rig.site.url(page), "-s", &session]).await.data();
    }
    let group = "(await chrome.tabGroups.query({title: 'bproxy: Invoices'}))[0]";
    eye.until(&format!("{group}?.color === 'blue'")).await;
    let tabs = format!("(async () => (await chrome.tabs.query({{groupId: {group}.id}})).length)()");
    eye.until(&format!("await {tabs} === 2")).await;
    let unnamed = rig.open("links.html").await;
    eye.until(&format!(
        "(await chrome.tabGroups.query({{title: 'bproxy: {}'}})).length === 1",
        unnamed.session
    ))
    .await;

    rig.run(&["require-human", "--reason", "x", "-s", &session]).await.error();
    eye.until(&format!("{group}.color === 'orange'")).await;
    rig.resume(&session).await;
    eye.until(&format!("{group}.color === 'blue'")).await;

    // What the person drags out stays out, and works on.
    eye.evaluate("chrome.tabs.query({}).then((tabs) => chrome.tabs.ungroup(tabs.find(({url}) => url.endsWith('form.html')).id))").await;
    let legend = ["text", "--selector", "legend", "-s", &session];
    assert_eq!(rig.run(&legend).await.data()["text"], "Size");
    rig.run(&["navigate", &rig.site.url("links.html"), "-s", &session]).await.data();
    assert_eq!(eye.evaluate(&tabs).await, 1);
    rig.browser.close().await;
}

/// There is no desktop here to show the notification on: the click on it begins at the event that the browser makes of it.
#[tokio::test]
async fn a_click_on_the_notification_activates_the_waiting_tab() {
    let rig = Rig::new().await;
    let page = rig.open("challenge.html").await;
    let eye = rig.browser.inspector().await;
    page.fails("HUMAN_REQUIRED", &["text"]).await;
    let id = format!("paused:{}", page.session);
    let shown = format!("'{id}' in await chrome.notifications.getAll()");
    eye.until(&shown).await;
    let in_front = "(await chrome.tabs.query({ active: true })).map(({ url }) => url)";
    let waits = format!("{in_front}.includes('{}')", rig.site.url("challenge.html"));
    eye.until(&format!("!{waits}")).await;
    // The worker that showed it may have ended since.
    rig.suspend().await;
    rig.browser.in_worker(&format!("chrome.notifications.onClicked.dispatch('{id}')")).await;
    eye.until(&waits).await;
    eye.until(&format!("!({shown})")).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn a_notification_shows_a_pause_until_it_ends() {
    let rig = Rig::new().await;
    let eye = rig.browser.inspector().await;
    let page = rig.open("challenge.html").await;
    page.fails("HUMAN_REQUIRED", &["text"]).await;
    let there = format!("'paused:{}' in await chrome.notifications.getAll()", page.session);
    eye.until(&there).await;
    page.resume().await;
    eye.until(&format!("!({there})")).await;
    rig.browser.close().await;
}

/// How many fields a form has, of which a switched-off browser leaves most empty.
const FIELDS: usize = 60;

#[tokio::test]
async fn the_switch_stops_this_browser_until_the_person_turns_it_on_again() {
    let mut rig = Rig::new().await;
    let [filling, waiting, stuck] = [
        rig.visit("form.html").await,
        rig.open("article.html").await,
        rig.open("links.html").await,
    ];
    let sessions = [&filling, &waiting, &stuck].map(|visit| visit.session.clone());
    stuck.fails("HUMAN_REQUIRED", &["require-human", "--reason", "Please sign in"]).await;
    let form = filling.page("form.html").await;
    let add = format!(
        "void (document.body.innerHTML = Array.from({{length: {FIELDS}}}, (_, n) => `<input id=f${{n}}>`).join(''))"
    );
    form.evaluate(&add).await;
    let fields: Vec<_> = (0..FIELDS)
        .map(|n| json!({"target": {"selector": format!("#f{n}")}, "value": "x", "method": "direct", "world": "isolated"}))
        .collect();
    let in_session =
        |action: &str, visit: &str| request(action).session(visit).within(Duration::from_secs(60));

    // Off in the middle of an act and of a wait.
    let fill = in_session("fill-form", &sessions[0]).params(json!({"fields": fields}));
    let wait = in_session("wait", &sessions[1])
        .params(json!({"strategy": "selector", "target": "#never"}));
    // The popup is a tab here, which must not cover the one that is filled.
    let popup = rig.browser.popup().await;
    filling.data(&["tab", "activate"]).await;
    let begun = [rig.daemon.begin(fill), rig.daemon.begin(wait)];
    let filled = format!(
        "Array.from({{length: {FIELDS}}}, (_, n) => document.getElementById(`f${{n}}`).value).join('')"
    );
    form.until(&format!("{filled}.length > 2")).await;
    popup.click("#switch").await;
    for begun in begun {
        let error = begun.reply().await.error("HUMAN_REQUIRED");
        assert_eq!(error["message"], "paused by the person");
    }
    let at_the_end = text(&form.evaluate(&filled).await);
    assert!(at_the_end.len() < FIELDS, "it was stopped in the middle: {}", at_the_end.len());

    // Every command is refused, also of a session that has no tab yet, and by the next worker.
    let empty = rig.daemon.new_session().await;
    let url = rig.site.url("article.html");
    for _ in 0..2 {
        let fresh = rig.run(&["tab", "open", &url]).await;
        assert_eq!(fresh.error(), "HUMAN_REQUIRED");
        assert_eq!(fresh.json()["error"]["message"], "paused by the person");
        rig.run(&["tab", "open", &url, "-s", &empty]).await.error();
        rig.suspend().await;
    }
    let eye = rig.browser.inspector().await;
    eye.until(&format!("await {BADGE} === 'off'")).await;
    assert_eq!(form.evaluate(&filled).await, at_the_end.as_str(), "nothing more was filled");

    // On again: what it paused goes on, and what waits for the person for another reason does not.
    let popup = rig.browser.popup().await;
    popup.until("document.getElementById('switch').checked === false").await;
    popup.click("#switch").await;
    wait_for_pauses(&rig, &[&sessions[2]]).await;
    assert_eq!(
        rig.run(&["text", "--selector", "h1", "-s", &sessions[1]]).await.data()["text"],
        "The lighthouse keeper"
    );
    rig.run(&["tab", "open", &url, "-s", &empty]).await.data();
    assert_eq!(form.evaluate(&filled).await, at_the_end.as_str());

    // It outlives the browser and the daemon.
    popup.click("#switch").await;
    popup.until("document.getElementById('switch-hint').textContent !== ''").await;
    let count = rig.daemon.records("ws_connect").len();
    rig.browser = rig.browser.restart().await;
    rig.connected(count + 1).await;
    assert_eq!(rig.run(&["tab", "open", &url]).await.error(), "HUMAN_REQUIRED");
    let port = rig.daemon.port.to_string();
    rig.daemon = rig.daemon.stop().await.home.daemon().env("BPROXY_PORT", port).start().await;
    let popup = rig.browser.popup().await;
    popup.until("document.getElementById('status').dataset.state === 'connected'").await;
    assert_eq!(rig.run(&["tab", "open", &url]).await.error(), "HUMAN_REQUIRED");
    popup.click("#switch").await;
    popup.until("document.getElementById('switch-hint').textContent === ''").await;
    rig.run(&["tab", "open", &url]).await.data();
    rig.browser.close().await;
}

/// Waits until exactly these sessions are paused.
async fn wait_for_pauses(rig: &Rig, wanted: &[&str]) {
    loop {
        let status = rig.run(&["debug", "status"]).await.data();
        let paused = status["pausedSessions"].as_array().expect("a list").iter();
        let paused: Vec<_> = paused.map(|paused| text(&paused["session"])).collect();
        if paused == wanted {
            return;
        }
        assert!(paused.iter().any(|session| !wanted.contains(&&**session)), "{paused:?}");
    }
}

#[tokio::test]
async fn a_tab_that_the_extension_holds_for_no_session_is_not_touched() {
    let mut rig = Rig::new().await;
    // What is held outlives the worker and an update of the extension.
    let page = rig.open("article.html").await;
    let session = page.session.clone();
    rig.suspend().await;
    assert_eq!(page.text("h1").await, "The lighthouse keeper");
    // An update is a reload. An extension that was loaded from a directory comes back from it in developer mode only.
    let settings = rig.browser.open("chrome://extensions").await;
    settings.until("globalThis.chrome?.developerPrivate").await;
    let developer = "chrome.developerPrivate.updateProfileConfiguration({ inDeveloperMode: true })";
    settings.evaluate(developer).await;
    settings.close().await;
    let count = rig.daemon.records("ws_connect").len();
    rig.browser.in_worker("void setTimeout(() => chrome.runtime.reload())").await;
    rig.connected(count + 1).await;
    assert_eq!(page.text("h1").await, "The lighthouse keeper");

    // Commands for a tab that is held for nobody, as the person's own are, and for one that another session holds.
    let other = rig.open("links.html").await.session;
    let held = "(async () => (await chrome.storage.local.get('tabs')).tabs.held)()";
    let held = rig.browser.in_worker(held).await;
    let of = |session: &str| {
        held.as_array().expect("tabs").iter().find(|tab| tab[1] == session).expect("it")[0].clone()
    };
    let changed = json!({"tabs": {"held": [[of(&other), "zzzzzz"]], "opening": []}});
    // Written by the worker itself: a change from elsewhere wakes it, and it would write what it held before.
    rig.browser.in_worker(&format!("chrome.storage.local.set({changed})")).await;
    rig.suspend().await;
    for session in [&session, &other] {
        let read = rig.run(&["text", "-s", session]).await;
        assert_eq!(read.error(), "TAB_NOT_FOUND", "{read:?}");
    }

    // It ends with the browser.
    let page = rig.open("article.html").await.session;
    let count = rig.daemon.records("ws_connect").len();
    rig.browser = rig.browser.restart().await;
    rig.connected(count + 1).await;
    let eye = rig.browser.inspector().await;
    eye.until("(await chrome.storage.local.get('tabs')).tabs.held.length === 0").await;
    assert_eq!(rig.run(&["text", "-s", &page]).await.error(), "TAB_NOT_FOUND");
    rig.browser.close().await;
}
