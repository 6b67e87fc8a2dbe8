//! Waiting, judged by the page's own clock and state.

use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{Rig, Visit, says, text, timed};
use super::support::request;

/// A wait of the command line.
fn wait<'a>(strategy: &'a str, target: &'a str) -> Vec<&'a str> {
    waiting(strategy, target, "20000")
}

fn waiting<'a>(strategy: &'a str, target: &'a str, timeout: &'a str) -> Vec<&'a str> {
    let target: &[&str] = if target.is_empty() { &[] } else { &["--target", target] };
    [&["wait", "--strategy", strategy, "--timeout", timeout], target].concat()
}

/// What was there instead of what a wait is for that ends after a moment.
async fn instead(page: &Visit<'_>, strategy: &str, target: &str) -> String {
    text(&page.fails("TIMEOUT", &waiting(strategy, target, "300")).await["details"]["there"])
}

/// In a tab that nobody sees, each wait ends once the page has done what it is for, and says before what was there.
#[tokio::test]
async fn a_wait_for_texts_and_elements_ends_when_the_page_shows_it() {
    let rig = Rig::new().await;
    for (strategy, target, there, change, holds) in [
        (
            "text",
            "ORDER  received",
            r#"the text begins "Your order"#,
            "note.textContent = 'Order received'",
            "note.textContent === 'Order received'",
        ),
        (
            "text",
            "not shown yet",
            "the text begins",
            "secret.hidden = false",
            "secret.checkVisibility()",
        ),
        (
            "text-gone",
            "please wait",
            r#"it says "Your order Please wait"#,
            "note.remove()",
            "!document.body.innerText.includes('Please')",
        ),
        (
            "gone",
            ".spinner",
            r#"there is <div id="spinner""#,
            "spinner.style.display = 'none'",
            "!spinner.checkVisibility()",
        ),
        (
            "enabled",
            "#pay",
            r#"<button id="pay"> “Pay” is disabled"#,
            "pay.disabled = false",
            "!pay.disabled",
        ),
        (
            "text",
            "within",
            "the text begins",
            "inner.contentDocument.body.textContent = 'It is within'",
            "inner.contentDocument.body.textContent === 'It is within'",
        ),
        (
            "selector",
            "#later",
            "no element matches",
            "inner.contentDocument.body.innerHTML = '<p id=later>Later</p>'",
            "inner.contentDocument.getElementById('later') !== null",
        ),
    ] {
        let page = rig.open("waits.html").await;
        let seen = page.page("waits.html").await;
        let said = instead(&page, strategy, target).await;
        assert!(said.contains(there) && said.contains("waits.html"), "{strategy} {target}: {said}");
        seen.evaluate(&format!("setTimeout(() => {{ {change}; }}, 900), 0")).await;
        let met = page.data(&wait(strategy, target)).await;
        assert_eq!(met["matched"], true, "{strategy} {target}");
        assert_eq!(seen.evaluate(holds).await, true, "{strategy} {target}");
        page.data(&["tab", "close"]).await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_is_at_rest_or_idle_half_a_second_after_it_did_something_last() {
    let rig = Rig::new().await;
    for (strategy, target, does, there) in [
        ("stable", "", "often(12, 100, (n) => { note.textContent = n; })", "the document changed"),
        ("stable", "#box", "often(12, 100, (n) => { box.style.left = `${n}px`; })", "box"),
        ("idle", "", "often(12, 100, (n) => fetch(`nothing?${n}`))", "something was loaded"),
        ("idle", "", "often(12, 100, (n) => { note.dataset.n = n; })", "the document changed"),
        (
            "idle",
            "",
            "inner.contentWindow.eval('n = 0; t = setInterval(() => { document.body.dataset.n = n; parent.last = parent.performance.now(); if (n++ > 12) clearInterval(t); }, 100)')",
            "the document changed",
        ),
    ] {
        let page = rig.visit("waits.html").await;
        let seen = page.page("waits.html").await;
        seen.evaluate(&format!("{does}, 0")).await;
        let said = instead(&page, strategy, target).await;
        assert!(said.contains(there) && said.contains("ms ago"), "{strategy}: {said}");
        let met = page.data(&wait(strategy, target)).await;
        let since = seen.evaluate("performance.now() - last").await.as_f64().expect("a time");
        assert!(since >= 490.0, "{strategy} {target} was met {since} ms after {does}: {met}");
        page.data(&["tab", "close"]).await;
    }
    // What moves elsewhere does not matter to a part; nor does it have to be drawn.
    let page = rig.open("waits.html").await;
    let seen = page.page("waits.html").await;
    seen.evaluate("setInterval(() => { note.textContent = Math.random(); }, 100), 0").await;
    page.data(&wait("stable", "#box")).await;
    let none = instead(&page, "stable", "#nothing").await;
    assert!(none.starts_with("no element matches"), "{none}");
    let still = rig.open("article.html").await;
    let met = still.data(&wait("idle", "")).await;
    assert!(met["elapsed"].as_i64() < Some(5_000), "{met}");
    rig.browser.close().await;
}

#[tokio::test]
async fn the_first_of_several_ends_a_wait_and_is_named() {
    let rig = Rig::new().await;
    let page = rig.open("waits.html").await;
    let seen = page.page("waits.html").await;
    let several = [
        "wait",
        "--strategy",
        "text",
        "--target",
        "Order received",
        "--or",
        "text=Card declined",
        "--or",
        "gone=#spinner",
        "--timeout",
    ];
    let missed = page.fails("TIMEOUT", &[&several[..], &["300"]].concat()).await;
    says(&missed, &["Order received", "Card declined", "#spinner"]);
    let there = text(&missed["details"]["there"]);
    assert!(there.contains("Please wait") && there.contains("spinner"), "{there}");
    seen.evaluate("setTimeout(() => { note.textContent = 'Card declined'; }, 500), 0").await;
    let met = page.data(&[&several[..], &["20000"]].concat()).await;
    assert_eq!((&met["matched"], &met["which"]), (&json!(true), &json!(1)));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_wait_goes_on_in_the_next_page_and_ends_with_its_tab() {
    let rig = Rig::new().await;
    let page = rig.open("waits.html").await;
    let seen = page.page("waits.html").await;
    let begin = |strategy: &str, target: &str, id: &str| {
        let params = json!({"strategy": strategy, "target": target});
        request("wait")
            .named(id)
            .session(&page.session)
            .params(params)
            .within(Duration::from_secs(60))
    };
    let waiting = rig.daemon.begin(begin("text", "lighthouse keeper", "wait-1"));
    rig.daemon.record("received", |it| it["id"] == "wait-1").await;
    seen.evaluate("setTimeout(() => { location.href = 'article.html'; }, 300), 0").await;
    assert_eq!(waiting.reply().await.data()["matched"], true);

    let waiting = rig.daemon.begin(begin("text", "never", "wait-2"));
    rig.daemon.record("forwarded", |it| it["id"] == "wait-2").await;
    let ((), elapsed) = timed(async {
        page.page("article.html").await.close().await;
        waiting.reply().await.error("TAB_NOT_FOUND");
    })
    .await;
    assert!(elapsed < 5_000, "it took {elapsed} ms");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_wait_for_a_download_ends_when_the_browser_has_the_file() {
    let rig = Rig::new().await;
    let state = "chrome.downloads.search({}).then(([it]) => [it?.state, it?.filename.split('/').at(-1), it?.bytesReceived])";
    let page = rig.open("waits.html").await;
    let none = instead(&page, "download", "").await;
    assert_eq!(none, "no act of the session has begun a download");
    let clicked = page.data(&["click", "--selector", "#file"]).await;
    assert_eq!(clicked["effects"]["downloads"][0]["state"], "in_progress", "{clicked}");
    let under_way = instead(&page, "download", "slow").await;
    assert!(under_way.contains("slow.bin is in progress, with "), "{under_way}");
    let other = instead(&page, "download", "other").await;
    assert_eq!(other, "no act of the session has begun a download");
    // It is known to the next worker, too.
    rig.suspend().await;
    let met = page.data(&wait("download", "slow")).await;
    let is: Value = rig.browser.in_worker(state).await;
    assert_eq!(is[0], "complete");
    assert_eq!(met["download"], json!({"name": is[1], "bytes": is[2]}));
    // As often as it is asked, until the next act.
    assert_eq!(page.data(&wait("download", "")).await["download"]["name"], is[1]);
    page.data(&["click", "--selector", "h1"]).await;
    instead(&page, "download", "").await;
    let others = rig.open("article.html").await;
    instead(&others, "download", "").await;
    rig.browser.close().await;
}
