//! What the person sees without opening anything: badge, tab groups, notifications.

use super::rig::{Rig, text};
use super::support::{Browser, Daemon, Site};

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
