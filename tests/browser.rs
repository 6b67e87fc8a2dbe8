//! The whole way, with real parts: command line, daemon, extension, pages in a real Chromium.

mod support;

use serde_json::{Value, json};
use support::{Browser, Call, Daemon, Site, run, wait_for};

/// A daemon, a browser that is paired with it, and a site to visit.
struct Rig {
    daemon: Daemon,
    browser: Browser,
    site: Site,
}

impl Rig {
    async fn new() -> Self {
        let daemon = Daemon::start().await;
        let code: Value = serde_json::from_str(&daemon.home.read("pairing.json")).expect("JSON");
        let browser = Browser::start(false).await;
        browser.pair(daemon.client().port, code["pairingCode"].as_str().expect("a code")).await;
        Self { daemon, browser, site: Site::start().await }
    }

    /// A session without pauses whose tab shows a page of the site, in front.
    async fn visit(&self, page: &str) -> Visit<'_> {
        let opened = run(&self.daemon.home, &["tab", "open", &self.site.url(page)]).await.data();
        let session = opened["session"].as_str().expect("a session").to_owned();
        let visit = Visit { rig: self, session };
        visit.data(&["session", "bind", "--pacing", "fast"]).await;
        visit.data(&["tab", "activate"]).await;
        visit
    }
}

/// A session that looks at a page.
struct Visit<'a> {
    rig: &'a Rig,
    session: String,
}

impl Visit<'_> {
    async fn run(&self, args: &[&str]) -> Call {
        run(&self.rig.daemon.home, &[args, &["-s", &self.session]].concat()).await
    }

    async fn data(&self, args: &[&str]) -> Value {
        self.run(args).await.data()
    }

    /// The handle of the entry whose `member` is `text`, in a fresh read.
    async fn handle(&self, read: &str, member: &str, text: &str) -> String {
        let data = self.data(&[read]).await;
        let entries = data[read].as_array().expect("entries").iter();
        let entry = entries.clone().find(|entry| entry[member] == text);
        let entry = entry.unwrap_or_else(|| panic!("no {text:?} among {data}"));
        entry["handle"].as_str().unwrap_or_else(|| panic!("no handle: {entry}")).to_owned()
    }
}

#[tokio::test]
async fn a_page_is_read_and_acted_on_through_the_whole_chain() {
    let rig = Rig::new().await;

    let article = rig.visit("article.html").await;
    let text = article.data(&["text"]).await;
    let text = text["text"].as_str().expect("a text");
    assert!(text.contains("Every evening at seven the keeper climbed the stairs."), "{text}");
    assert!(!text.contains("not drawn") && !text.contains("Nor is this one"), "{text}");

    // A link is followed by its handle, and the handle then belongs to a page that is gone.
    let link = article.handle("links", "text", "Form").await;
    let clicked = article.run(&["click", "--element", &link]).await;
    assert_eq!(clicked.json()["page"]["title"], "Form");
    assert_eq!(clicked.data()["clicked"], true);
    let elapsed = rig.daemon.home.records("response");
    let elapsed = elapsed.last().expect("a response")["elapsed_ms"].as_u64().expect("a time");
    assert!(elapsed < 5_000, "a click that leads to another page took {elapsed} ms");
    assert_eq!(article.run(&["click", "--element", &link]).await.error(), "ELEMENT_HANDLE_STALE");

    // Fields are filled both ways, and read back.
    for (value, method) in [("Ada Lovelace", "direct"), ("Grace Hopper", "paste")] {
        let field = article.handle("elements", "label", "Full name").await;
        let fill = [
            "fill",
            "--element",
            &field,
            "--value",
            value,
            "--method",
            method,
            "--world",
            "isolated",
        ];
        assert_eq!(article.data(&fill).await, json!({"filled": true, "verifiedValue": value}));
    }
    let elements = article.data(&["elements"]).await;
    let password = elements["elements"]
        .as_array()
        .expect("elements")
        .iter()
        .find(|it| it["type"] == "password");
    assert!(password.expect("a password field").get("value").is_none(), "{elements}");

    let tree = article.data(&["snapshot", "--interactive-only"]).await;
    assert!(tree["tree"].as_str().expect("a tree").contains("Grace Hopper"), "{tree}");

    let picture = article.data(&["screenshot"]).await;
    let picture = std::fs::read(picture["path"].as_str().expect("a file")).expect("the picture");
    assert!(picture.starts_with(b"\x89PNG") && picture.len() > 1_000);

    let moved = article.run(&["navigate", &rig.site.url("links.html")]).await;
    assert_eq!(moved.json()["page"]["title"], "Links");
    assert_eq!(moved.data()["status"], 200);
    let missing = article.data(&["navigate", &rig.site.url("missing.html")]).await;
    assert_eq!(missing["status"], 404);
    let refused = article.run(&["navigate", "http://127.0.0.1:1/"]).await;
    assert_eq!(refused.error(), "NAVIGATION_FAILED");
    rig.browser.close().await;
}

#[tokio::test]
async fn acts_refuse_what_a_person_could_not_do() {
    let rig = Rig::new().await;
    let page = rig.visit("act.html").await;
    for (selector, code) in [
        ("#nowhere", "ELEMENT_NOT_FOUND"),
        (".pair", "SELECTOR_AMBIGUOUS"),
        ("#off", "ELEMENT_NOT_ACTIONABLE"),
        ("#none", "ELEMENT_NOT_ACTIONABLE"),
        ("#under", "ELEMENT_NOT_ACTIONABLE"),
    ] {
        assert_eq!(page.run(&["click", "--selector", selector]).await.error(), code, "{selector}");
    }
    page.data(&["click", "--selector", "#count"]).await;
    let text = page.data(&["text", "--selector", "#counted"]).await;
    assert_eq!(text["text"], "1", "one click, once");

    // Another tab comes to the front; acting in the first one is refused, reading is not.
    let other = rig.visit("article.html").await;
    assert_eq!(page.run(&["click", "--selector", "#count"]).await.error(), "TAB_NOT_VISIBLE");
    assert_eq!(page.data(&["text", "--selector", "#counted"]).await["text"], "1");
    assert_eq!(other.data(&["session", "close"]).await["closedTabs"], 1);
    rig.browser.close().await;
}

#[tokio::test]
async fn the_browser_comes_back_by_itself_when_its_worker_or_the_daemon_dies() {
    let rig = Rig::new().await;
    let page = rig.visit("article.html").await;
    rig.browser.stop_worker().await;
    rig.daemon.home.record("ws_disconnect", |_| true).await;
    // Any event of the browser wakes the worker; here a person opens a tab.
    let tab = rig.browser.open(&rig.site.url("links.html")).await;
    wait_for("the browser to connect again", || {
        (rig.daemon.home.records("ws_connect").len() > 1).then_some(())
    })
    .await;
    tab.close().await;
    let text = page.data(&["text"]).await;
    assert!(text["text"].as_str().expect("a text").contains("The lighthouse keeper"));
    let link = page.handle("links", "text", "Form").await;
    page.data(&["click", "--element", &link]).await;
    rig.browser.close().await;
}
