//! Navigation, tabs, waits and screenshots.

use std::time::Duration;

use serde_json::json;

use super::rig::{Rig, says, text, timed};
use super::support::request;

#[tokio::test]
async fn a_navigation_ends_with_the_page_or_the_browsers_reason() {
    let rig = Rig::new().await;
    let page = rig.open("links.html").await;
    let site = &rig.site;
    let there = page.data(&["navigate", &site.url("article.html")]).await;
    assert_eq!(
        (&there["url"], &there["title"], &there["status"]),
        (&json!(site.url("article.html")), &json!("The lighthouse keeper"), &json!(200))
    );
    assert!(there["loadTime"].is_u64());
    assert_eq!(
        page.data(&["navigate", &site.url("redirect")]).await["url"],
        site.url("article.html")
    );
    assert_eq!(page.data(&["navigate", &site.url("missing.html")]).await["status"], 404);
    let fragment = page.data(&["navigate", &site.url("missing.html#part")]).await;
    assert_eq!(fragment["url"], site.url("missing.html#part"), "within the same document");
    assert_eq!(
        page.data(&["navigate", &site.url("slow?ms=300")]).await["title"],
        "The lighthouse keeper"
    );
    let pdf = page.run(&["navigate", &site.url("paper.pdf")]).await;
    assert_eq!(pdf.json()["page"]["url"], site.url("paper.pdf"));
    says(&page.fails("SCRIPT_ERROR", &["text"]).await, &["PDF"]);

    for (url, reason) in [
        ("http://127.0.0.1:1/", "net::ERR_"),
        ("http://does-not-exist.invalid/", "net::ERR_NAME_NOT_RESOLVED"),
        (&site.url("download"), "download"),
        (&site.url("nothing"), "nothing to show"),
        ("chrome://version/", "chrome: pages"),
        ("javascript:alert(1)", "javascript: pages"),
        ("article.html", "absolute"),
    ] {
        let (error, elapsed) = timed(page.fails("NAVIGATION_FAILED", &["navigate", url])).await;
        says(&error, &[reason]);
        assert!(elapsed < 5_000, "{url} took {elapsed} ms");
    }
    let error = page.fails("TIMEOUT", &["navigate", &site.url("never"), "--timeout", "700"]).await;
    assert_eq!(error["category"], "transport");
    // Whatever it was, the tab works on.
    assert_eq!(page.data(&["navigate", &site.url("form.html")]).await["title"], "Form");

    for url in ["http://127.0.0.1:1/", "chrome://settings/", &site.url("download")] {
        let before = rig.browser.targets().await.len();
        let call = rig.run(&["tab", "open", url]).await;
        assert_eq!(call.error(), "NAVIGATION_FAILED", "{url}");
        let after = rig.browser.targets().await.len();
        assert_eq!(before, after, "an open that failed leaves no tab");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn pages_closed_to_extensions_fail_at_once_with_the_reason() {
    let rig = Rig::of_all_names().await;
    let page = rig.visit("article.html").await;
    let seen = page.page("article.html").await;
    for (closed, why) in [
        ("chrome://version/", "no extension"),
        ("http://chromewebstore.google.com/article.html", "no extension"),
        ("http://files.example/paper.pdf", "PDF"),
    ] {
        // The person goes there.
        seen.go(closed).await;
        page.data(&["wait", "--strategy", "url", "--target", closed]).await;
        for command in [&["text"][..], &["click", "--selector", "body"], &["snapshot"]] {
            let (error, elapsed) = timed(page.fails("SCRIPT_ERROR", command)).await;
            says(&error, &[why, "navigate"]);
            assert!(elapsed < 2_000, "{command:?} took {elapsed} ms");
        }
    }
    // The browser's page for an address that did not load is another matter.
    page.fails("NAVIGATION_FAILED", &["navigate", "http://127.0.0.1:1/"]).await;
    says(&page.fails("NAVIGATION_FAILED", &["text"]).await, &["error page"]);
    page.data(&["navigate", &rig.site.url("form.html")]).await;
    assert!(page.text("#order").await.contains("Full name"));
    rig.browser.close().await;
}

#[tokio::test]
async fn tabs_open_in_the_background_activate_and_close() {
    let rig = Rig::new().await;
    let eye = rig.browser.inspector().await;
    let active = "chrome.tabs.query({active: true}).then(([tab]) => tab.url)";
    let in_front = eye.evaluate(active).await;
    let page = rig.open("article.html").await;
    let second = page.data(&["tab", "open", &rig.site.url("form.html")]).await;
    assert_eq!(
        (&second["tab"], &second["bound"], &second["url"]),
        (&json!("t2"), &json!(true), &json!(rig.site.url("form.html")))
    );
    assert_eq!(eye.evaluate(active).await, in_front, "opening a tab steals nothing");

    let tab =
        "chrome.tabs.query({}).then((tabs) => tabs.find(({url}) => url.endsWith('form.html')))";
    assert_eq!(page.data(&["tab", "pin"]).await, json!({"tab": "t2", "pinned": true}));
    assert_eq!(eye.evaluate(&format!("{tab}.then((tab) => tab.pinned)")).await, true);
    assert_eq!(page.data(&["tab", "unpin"]).await, json!({"tab": "t2", "pinned": false}));
    assert_eq!(eye.evaluate(&format!("{tab}.then((tab) => tab.pinned)")).await, false);
    assert_eq!(page.data(&["tab", "activate"]).await, json!({"tab": "t2", "activated": true}));
    assert_eq!(eye.evaluate(active).await, rig.site.url("form.html"));

    // A picture needs the tab in front, or the leave to put it there.
    let picture = page.data(&["screenshot"]).await;
    let png = std::fs::read(text(&picture["path"])).expect("the picture");
    assert!(png.starts_with(b"\x89PNG") && png.len() > 1_000);
    assert_eq!(picture["format"], "png");
    page.data(&["session", "bind", "--tab", "t1"]).await;
    page.fails("TAB_NOT_VISIBLE", &["screenshot"]).await;
    page.data(&["screenshot", "--activate"]).await;
    assert_eq!(eye.evaluate(active).await, rig.site.url("article.html"));
    page.fails("DEBUGGER_DISABLED", &["screenshot", "--debugger"]).await;

    let tabs = page.data(&["tab", "list"]).await["tabs"].clone();
    assert_eq!(tabs.as_array().map(Vec::len), Some(2), "{tabs}");
    assert_eq!(
        page.data(&["tab", "close", "--tab", "t2"]).await,
        json!({"tab": "t2", "closed": true})
    );
    assert_eq!(eye.evaluate(&format!("{tab}.then((tab) => tab === undefined)")).await, true);
    // One that the person closes is gone, too.
    page.page("article.html").await.close().await;
    page.fails("TAB_NOT_FOUND", &["text"]).await;
    assert_eq!(page.data(&["tab", "list"]).await["tabs"], json!([]));
    rig.browser.close().await;
}

#[tokio::test]
async fn the_address_of_a_link_is_gone_to_by_its_handle_and_never_passes_through_a_shell() {
    let rig = Rig::new().await;
    let page = rig.open("links.html").await;
    let seen = page.page("links.html").await;
    let written = "article.html?a=$IFS$(id)`id`;b|c&d='\"";
    let add = format!(
        "document.body.insertAdjacentHTML('beforeend', '<p id=card><a>Tricky</a></p><button>Press</button>'), \
         document.querySelector('#card a').setAttribute('href', {}), document.querySelector('#card a').href",
        json!(written)
    );
    let address = text(&seen.evaluate(&add).await);
    assert_eq!(address, rig.site.url("article.html?a=$IFS$(id)`id`;b|c&d=%27%22"));
    let link = page.handle("links", "text", "Tricky").await;
    let button = page.handle("elements", "label", "Press").await;

    let inspected = page.data(&["inspect", "--element", &link]).await;
    assert_eq!(inspected["total"], 1, "{inspected}");
    assert_eq!(inspected["elements"][0]["href"], address, "{inspected}");
    assert_eq!(inspected["elements"][0]["attributes"]["href"], written, "{inspected}");

    // No link, and no address either.
    let refused = page.fails("ELEMENT_NOT_ACTIONABLE", &["navigate", "--element", &button]).await;
    says(&refused, &[&button, "is no link"]);
    assert_eq!(
        refused["suggestedAction"],
        format!("bproxy click --element {button} -s {}", page.session)
    );
    page.fails("ELEMENT_HANDLE_NOT_FOUND", &["navigate", "--element", "ln999"]).await;
    let tabs = page.data(&["tab", "list"]).await;
    assert_eq!(tabs["tabs"][0]["url"], rig.site.url("links.html"), "nothing has gone anywhere");

    let opened = page.data(&["tab", "open", "--element", &link]).await;
    assert_eq!((&opened["tab"], &opened["url"]), (&json!("t2"), &json!(address)));
    page.data(&["session", "bind", "--tab", "t1"]).await;
    let there = page.data(&["navigate", "--element", &link]).await;
    assert_eq!((&there["url"], &there["status"]), (&json!(address), &json!(200)));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_wait_ends_when_it_is_met_or_says_that_it_was_not() {
    let rig = Rig::new().await;
    let page = rig.visit("act.html").await;
    let seen = page.page("act.html").await;
    let wait = |strategy, target, timeout| {
        ["wait", "--strategy", strategy, "--target", target, "--timeout", timeout]
    };
    let begun = std::time::Instant::now();
    let missed = page.fails("TIMEOUT", &wait("selector", "#later", "300")).await;
    assert!(begun.elapsed() >= Duration::from_millis(300), "{missed}");
    says(&missed, &["no visible element matched \"#later\""]);
    let there = text(&missed["details"]["there"]);
    assert!(
        there.starts_with("no element matches, on http") && there.contains("act.html"),
        "{there}"
    );
    seen.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<p class=veiled hidden>Later</p>'), 0",
    )
    .await;
    let veiled = page.fails("TIMEOUT", &wait("selector", ".veiled", "100")).await;
    let there = text(&veiled["details"]["there"]);
    assert!(there.starts_with("1 match, none visible"), "{there}");
    seen.evaluate("setTimeout(() => document.body.insertAdjacentHTML('beforeend', '<p id=later>Later</p>'), 300), 0").await;
    let met = page.data(&wait("selector", "#later", "10000")).await;
    assert_eq!(met["matched"], true);
    assert!(met["elapsed"].as_i64() < Some(5_000), "{met}");
    says(
        &page.fails("SCRIPT_ERROR", &wait("selector", "p[", "300")).await,
        &["not a valid CSS selector"],
    );

    seen.evaluate("setTimeout(() => history.pushState({}, '', '/act.html?done=1'), 300), 0").await;
    assert_eq!(page.data(&wait("url", "*?done=1", "10000")).await["matched"], true);
    let elsewhere = page.fails("TIMEOUT", &wait("url", "elsewhere", "100")).await;
    let there = text(&elsewhere["details"]["there"]);
    assert!(there.contains("/act.html?done=1"), "{there}");
    page.fails("TIMEOUT", &wait("navigation", "elsewhere", "1")).await;

    let leave = async {
        rig.daemon.record("received", |it| it["id"] == "wait-1").await;
        seen.evaluate("setTimeout(() => { location.href = 'article.html'; }, 300), 0").await;
    };
    let request = request("wait")
        .named("wait-1")
        .session(&page.session)
        .params(json!({"strategy": "navigation", "target": "article"}));
    let (waited, ()) = tokio::join!(rig.daemon.send(request), leave);
    assert_eq!(waited.data()["matched"], true);
    assert_eq!(page.text("h1").await, "The lighthouse keeper");
    rig.browser.close().await;
}

#[tokio::test]
async fn the_extension_tells_what_it_did() {
    let rig = Rig::new().await;
    let page = rig.open("article.html").await;
    let id = text(&page.run(&["text"]).await.json()["id"]);
    let log = page.data(&["debug", "log", "--id", &id]).await;
    let events: Vec<_> = log["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|it| (&it["event"], &it["tab"]))
        .collect();
    assert_eq!(events, [(&json!("received"), &json!("t1")), (&json!("answered"), &json!("t1"))]);
    let two = page.data(&["debug", "log", "--limit", "2"]).await;
    assert_eq!(two["entries"].as_array().map(Vec::len), Some(2));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_pattern_of_many_stars_holds_nobody_up() {
    let rig = Rig::new().await;
    let page = rig.open("article.html").await;
    let address = rig.site.url(&format!("article.html?{}", "ab".repeat(20_000)));
    page.data(&["navigate", &address]).await;
    let pattern = format!("{}c", "*ab".repeat(30));
    let wait = ["wait", "--strategy", "url", "--target", &pattern, "--timeout", "1000"];
    let ((), elapsed) = timed(async {
        page.run(&wait).await;
    })
    .await;
    assert!(elapsed < 10_000, "it took {elapsed} ms");
    let other = rig.open("form.html").await;
    assert!(other.text("#order").await.contains("Full name"));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_that_never_finishes_loading_is_answered_and_used_without_waiting_for_it() {
    let rig = Rig::new().await;
    let ((page, state), opened) = timed(async {
        let call = rig.run(&["tab", "open", &rig.site.url("endless")]).await;
        (text(&call.data()["session"]), call.json()["page"]["state"].clone())
    })
    .await;
    assert_eq!(state, "loading");
    assert!(opened < 15_000, "the open took {opened} ms");
    let run = async |args: &[&str]| {
        let (call, elapsed) = timed(rig.run(&[args, &["-s", &page]].concat())).await;
        call.data();
        (call.json()["page"]["state"].clone(), elapsed)
    };
    run(&["session", "bind", "--pacing", "fast"]).await;
    run(&["tab", "activate"]).await;
    for call in [
        &["text"][..],
        &["click", "--selector", "#count"],
        &["click", "--selector", "#hash"],
        &["hover", "--selector", "#hover"],
        &["scroll", "--by", "half"],
        &["snapshot"],
    ] {
        let (state, elapsed) = run(call).await;
        assert_eq!(state, "loading", "{call:?}");
        assert!(elapsed < 3_000, "{call:?} took {elapsed} ms");
    }
    // An act that leads to such a page waits for it once, and not long.
    let site = rig.site.url("endless");
    let there = rig.browser.find("endless").await;
    there.evaluate(&format!("document.getElementById('go').href = '{site}?again'")).await;
    let (_, elapsed) = run(&["click", "--selector", "#go"]).await;
    assert!(elapsed < 8_000, "the click took {elapsed} ms");
    let (state, elapsed) = run(&["click", "--selector", "#count"]).await;
    assert_eq!(state, "loading");
    assert!(elapsed < 4_000, "the click after it took {elapsed} ms");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_tab_that_crashed_says_so_and_can_be_used_again() {
    let rig = Rig::new().await;
    let page = rig.visit("article.html").await;
    let seen = page.page("article.html").await;
    let eye = rig.browser.inspector().await;
    let gone =
        "chrome.tabs.query({}).then((tabs) => tabs.some(({status}) => status === 'unloaded'))";
    tokio::select! { () = seen.crash() => {}, () = eye.until(gone) => {} }
    for command in [&["text"][..], &["click", "--selector", "body"], &["snapshot"]] {
        let error = page.fails("SCRIPT_ERROR", command).await;
        says(&error, &["crashed", "navigate"]);
    }
    page.data(&["navigate", &rig.site.url("form.html")]).await;
    assert!(page.text("#order").await.contains("Full name"));
    rig.browser.close().await;
}
