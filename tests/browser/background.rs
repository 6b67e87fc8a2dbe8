//! Acting in tabs that nobody sees.

use futures_util::future::join_all;
use serde_json::json;

use super::rig::{Rig, Visit, text, timed};
use super::support::Screen;

#[tokio::test]
async fn acts_work_in_a_tab_that_nobody_sees() {
    let rig = Rig::new().await;
    let page = rig.open("act.html").await;
    let front = rig.visit("form.html").await;
    let seen = page.page("act.html").await;
    let is_hidden = || async { seen.evaluate("document.visibilityState").await == "hidden" };
    assert!(is_hidden().await);

    page.data(&["click", "--selector", "#count"]).await;
    assert_eq!(page.text("#counted").await, "1");
    page.data(&["hover", "--selector", "#hover"]).await;
    assert_eq!(page.text("#hover").await, "Hovered");
    assert_eq!(page.data(&["scroll", "--by", "300px"]).await["scrolledPx"], 300);
    page.data(&["click", "--selector", "#far"]).await;
    assert_eq!(seen.evaluate("document.title").await, "Far clicked", "it was scrolled into view");
    let gone = page.run(&["click", "--selector", "#go"]).await;
    assert_eq!(gone.json()["page"]["title"], "The lighthouse keeper", "{gone:?}");
    page.fails("TAB_NOT_VISIBLE", &["screenshot"]).await;

    for address in ["select.html", "form.html"] {
        page.data(&["navigate", &rig.site.url(address)]).await;
        if address == "form.html" {
            assert_eq!(page.fill("#name", "Ada", "direct").await["verifiedValue"], "Ada");
            assert_eq!(page.fill("#story", "upon a", "paste").await["verifiedValue"], "upon a");
        } else {
            let select = ["select", "--selector", "#button", "--option-text", "Quince"];
            assert_eq!(page.data(&select).await["selected"], json!(true));
            assert!(page.text("#log").await.ends_with("fruit:Quince"));
        }
    }
    let shown = front.page("form.html").await;
    let _ = text(&shown.evaluate("document.title").await);
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_that_waits_for_being_drawn_is_told_of_with_what_helps() {
    let rig = Rig::new().await;
    let page = rig.open("effects.html").await;
    let seen = page.page("effects.html").await;
    let still = page.data(&["click", "--selector", "#quiet"]).await;
    assert_eq!((&still["hidden"], &still["stable"]), (&json!(true), &json!(true)), "{still}");
    assert!(still.get("suggestedAction").is_none(), "{still}");
    for waiting in ["#frame", "#fade"] {
        let fading = page.data(&["click", "--selector", waiting]).await;
        let told = (&fading["hidden"], &fading["stable"]);
        assert_eq!(told, (&json!(true), &json!(false)), "{waiting}: {fading}");
        assert_eq!(fading["suggestedAction"], "bproxy tab activate");
    }
    let opacity = "getComputedStyle(document.querySelector('#panel')).opacity";
    assert_eq!(seen.evaluate(opacity).await, "0", "nothing moves in a page that is not drawn");

    page.data(&["tab", "activate"]).await;
    seen.until(&format!("{opacity} === '1'")).await;
    let shown = page.data(&["click", "--selector", "#quiet"]).await;
    assert!(shown.get("hidden").is_none(), "{shown}");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_window_of_its_own_is_drawn_and_takes_nobody_s_focus() {
    let screen = Screen::start().await;
    let rig = Rig::on(&screen).await;
    let person = rig.browser.open(&rig.site.url("person.html")).await;
    person.until("document.hasFocus() && document.readyState === 'complete'").await;
    person.evaluate("watch()").await;
    let page = rig.open("article.html").await;
    let shown = "document.visibilityState === 'visible'";
    assert!(!page.page("article.html").await.evaluate(shown).await.as_bool().expect("a bool"));
    page.fails("TAB_NOT_VISIBLE", &["screenshot"]).await;
    for address in ["act.html", "form.html"] {
        page.data(&["tab", "open", &rig.site.url(address), "--window", "own"]).await;
        page.page(address).await.until(shown).await;
        let (picture, took) = timed(page.data(&["screenshot"])).await;
        assert_eq!(picture["format"], "png", "{address}, after {took} ms");
    }
    assert_eq!(rig.browser.in_worker("chrome.windows.getAll().then((all) => all.length)").await, 2);
    assert_eq!(person.evaluate("document.hasFocus()").await, true, "the person keeps the focus");
    assert_eq!(person.evaluate("window.disturbed").await, json!([]));

    // A tab that another one of its window hides cannot be pictured; one that is activated is bound.
    page.data(&["session", "bind", "--tab", "t2"]).await;
    page.fails("TAB_NOT_VISIBLE", &["screenshot"]).await;
    page.data(&["session", "close"]).await;
    assert_eq!(rig.browser.in_worker("chrome.windows.getAll().then((all) => all.length)").await, 1);
    rig.browser.close().await;
}

#[tokio::test]
async fn a_tab_that_is_activated_is_the_one_that_the_session_goes_on_with() {
    let rig = Rig::new().await;
    let page = rig.open("article.html").await;
    page.data(&["tab", "open", &rig.site.url("form.html")]).await;
    page.data(&["tab", "activate", "--tab", "t1"]).await;
    assert_eq!(page.text("h1").await, "The lighthouse keeper");
    assert_eq!(page.data(&["tab", "list"]).await["tabs"][0]["bound"], true);
    rig.browser.close().await;
}

/// What a session does in its tab, one after the other.
async fn work(page: &Visit<'_>, round: usize) {
    page.data(&["click", "--selector", "#count"]).await;
    page.data(&["hover", "--selector", "#hover"]).await;
    page.data(&["scroll", "--by", "half"]).await;
    page.data(&["click", "--selector", "#far"]).await;
    page.data(&["navigate", &page.rig.site.url(&format!("form.html?{round}"))]).await;
    page.fill("#name", "Ada", "direct").await;
    page.fill("#note", "from an agent", "paste").await;
    page.data(&["click", "--selector", "[name=agree]"]).await;
    page.data(&["select", "--selector", "#colour", "--option-text", "Green"]).await;
    page.data(&["back"]).await;
    page.data(&["tab", "open", &page.rig.site.url("article.html")]).await;
    page.data(&["tab", "close"]).await;
    page.data(&["session", "bind", "--tab", "t1"]).await;
}

#[tokio::test]
async fn ten_sessions_act_at_once_and_the_person_who_types_is_never_disturbed() {
    let mut screen = Screen::start().await;
    screen.open_window();
    let rig = Rig::on(&screen).await;
    let person = rig.browser.open(&rig.site.url("person.html")).await;
    person.until("document.hasFocus() && document.activeElement?.id === 'written'").await;
    let order = "chrome.tabs.query({}).then((tabs) => tabs.filter(({url}) => !/act.html|form.html|article.html/.test(url)).map(({url, active, index}) => `${url} ${active} ${index}`))";
    // What the person has: words that they marked, a place on the page, their tabs and windows.
    let place = "[scrollY, screenX, screenY, outerWidth, outerHeight, document.activeElement.id]";
    person.evaluate("scrollTo(0, 100)").await;
    let pages = join_all((0..10).map(|_| rig.open("act.html"))).await;
    person.until("document.hasFocus() && document.readyState === 'complete'").await;
    person.evaluate("watch()").await;
    let before = (
        rig.browser.in_worker(order).await,
        person.evaluate(place).await,
        screen.stacking().await,
        screen.active().await,
    );
    let line = "the person writes a letter, and nobody takes a single word of it away ";
    let letter = async {
        for _ in 0..4 {
            screen.type_text(line).await;
        }
    };
    let rounds = join_all(pages.iter().enumerate().map(|(round, page)| work(page, round)));
    tokio::join!(letter, rounds);

    assert_eq!(person.evaluate("document.querySelector('#written').value").await, line.repeat(4));
    assert_eq!(person.evaluate("window.disturbed").await, json!([]));
    let after = (
        rig.browser.in_worker(order).await,
        person.evaluate(place).await,
        screen.stacking().await,
        screen.active().await,
    );
    assert_eq!(after, before);
    rig.browser.close().await;
}
