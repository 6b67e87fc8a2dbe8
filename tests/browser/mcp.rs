//! MCP end to end: client, server, daemon, extension, pages in a real Chromium.

use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::support::{Browser, Daemon, McpClient, Site, contents, cursor, wait_for};

struct Rig {
    daemon: Daemon,
    browser: Browser,
    site: Site,
    client: McpClient,
}

impl Rig {
    async fn new() -> Self {
        let (daemon, browser, site) =
            tokio::join!(Daemon::start(), Browser::start(false), Site::start());
        browser.pair(daemon.port, &daemon.pairing_code()).await;
        let client = McpClient::start(&daemon.home, &[]).await;
        Self { daemon, browser, site, client }
    }

    /// Opens a page in front, without pauses.
    async fn visit(&mut self, page: &str) {
        let url = self.site.url(page);
        self.client.call("tab_open", json!({ "url": url })).await.text();
        self.client.call("session_bind", json!({"pacing": "fast"})).await.text();
        self.client.call("tab_activate", json!({})).await.text();
    }

    /// The handle of the control that a fresh read labels so.
    async fn element(&mut self, label: &str) -> String {
        let elements = self.client.call("elements", json!({"form": true})).await;
        let entry = elements.page().lines().find(|line| line.contains(&format!("{label:?}")));
        let entry = entry.unwrap_or_else(|| panic!("no {label:?} in {elements:?}"));
        entry.split(' ').next().expect("a handle").to_owned()
    }
}

#[tokio::test]
async fn an_agent_opens_reads_acts_verifies_and_leaves_nothing_behind() {
    let mut rig = Rig::new().await;
    rig.visit("form.html").await;
    let text = rig.client.call("text", json!({})).await;
    assert!(text.page().contains("form.html") && text.page().contains("Full name"), "{text:?}");

    let name = rig.element("Full name").await;
    let target = json!({ "handle": name });
    let fill = json!({"target": target, "value": "Ada", "method": "direct", "world": "isolated"});
    let filled = rig.client.call("fill", fill).await;
    assert!(filled.page().contains(r#""verifiedValue":"Ada""#), "{filled:?}");

    let picture = rig.client.call("screenshot", json!({})).await;
    assert!(picture.page().contains(r#""format":"png""#), "{}", picture.text());
    let image = &picture.0["content"][1];
    assert_eq!((&image["type"], &image["mimeType"]), (&json!("image"), &json!("image/png")));
    let png = data_encoding::BASE64.decode(image["data"].as_str().unwrap().as_bytes()).unwrap();
    assert!(png.starts_with(b"\x89PNG"));

    let gone = rig.client.call("click", json!({"target": {"selector": "#nowhere"}})).await;
    let error = gone.error();
    assert!(error.starts_with("click failed: ELEMENT_NOT_FOUND: <page-content mark="), "{error}");
    assert!(error.contains("\nNext: call `elements`"), "{error}");

    let sessions = rig.client.call("session_list", json!({})).await;
    assert!(sessions.text().contains(r#""label":"test-client""#), "{sessions:?}");
    rig.client.close().await;
    assert_eq!(
        super::support::run(&rig.daemon.home, &["session", "list"]).await.data()["sessions"],
        json!([])
    );
    let open = rig.browser.targets().await;
    assert!(!open.iter().any(|it| it["url"].as_str().unwrap().contains("form.html")), "{open:?}");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_long_page_is_read_in_pieces_that_together_are_the_page() {
    let mut rig = Rig::new().await;
    rig.visit("large.html").await;
    let whole = rig.client.call("text", json!({"maxChars": 1_000_000})).await;
    let whole = whole.page().to_owned();
    assert!(whole.chars().count() > 25_000, "the page is long");

    let mut reply = rig.client.call("text", json!({})).await;
    let mut pieces = String::new();
    loop {
        assert!(reply.page().chars().count() <= 25_000);
        pieces += reply.page();
        let Some(cursor) = cursor(reply.text()) else { break };
        assert!(
            reply.text().contains("more characters. Call text again with"),
            "{:?}",
            reply.text().lines().last()
        );
        reply = rig.client.call("text", json!({ "cursor": cursor })).await;
    }
    assert_eq!(pieces, whole);
    rig.browser.close().await;
}

#[tokio::test]
async fn session_wait_ends_when_the_person_resumes() {
    let mut rig = Rig::new().await;
    rig.visit("article.html").await;
    let asked = rig.client.call("require_human", json!({"reason": "Please sign in"})).await;
    let error = asked.error();
    assert!(error.contains("HUMAN_REQUIRED") && error.contains("Please sign in"), "{error}");
    assert!(error.contains("Next: tell the person") && error.contains("`session_wait`"), "{error}");

    let wait = rig.client.begin("session_wait", json!({})).await;
    let progress = rig.client.progress(wait).await;
    assert!(progress["message"].as_str().unwrap().contains("a person"), "{progress}");
    resume(&rig.browser).await;
    let resumed = rig.client.end(wait).await.expect("an answer");
    assert!(resumed.text().contains("not paused"), "{resumed:?}");
    rig.client.call("text", json!({})).await.text();
    rig.browser.close().await;
}

/// The person presses Resume in the popup.
async fn resume(browser: &Browser) {
    let popup = browser.popup().await;
    popup.until("document.querySelector('[data-resume]')").await;
    popup.click("[data-resume]").await;
}

#[tokio::test]
async fn a_hand_off_is_one_call_where_the_client_can_ask_its_person() {
    let mut rig = Rig::new().await;
    rig.client.close().await;
    rig.client = McpClient::asking(&rig.daemon.home, &[]).await;
    let url = rig.site.url("article.html");
    rig.client.call("tab_open", json!({ "url": url })).await.text();
    let reason = json!({"reason": "Please sign in"});

    // The session goes on in the browser, and the question in the client is taken back.
    let call = rig.client.begin("require_human", reason.clone()).await;
    let asked = rig.client.asked().await;
    assert!(asked["message"].as_str().unwrap().starts_with("Please sign in\n"), "{asked}");
    let progress = rig.client.progress(call).await;
    assert!(progress["message"].as_str().unwrap().contains("a person"), "{progress}");
    resume(&rig.browser).await;
    let done = rig.client.end(call).await.expect("an answer");
    assert_eq!(done.structured(), &json!({"resumed": true}));
    rig.client.settled().await;
    rig.client.call("text", json!({})).await.page();

    // That it is done, the browser says; what the person declines is not done.
    let call = rig.client.begin("require_human", reason.clone()).await;
    rig.client.asked().await;
    rig.client.say_of_person("accept").await;
    rig.client.progress(call).await;
    resume(&rig.browser).await;
    rig.client.end(call).await.expect("an answer").text();

    let call = rig.client.begin("require_human", reason).await;
    rig.client.asked().await;
    rig.client.say_of_person("decline").await;
    let declined = rig.client.end(call).await.expect("an answer");
    assert!(declined.error().contains("declined"), "{declined:?}");
    let paused = rig.client.call("text", json!({})).await;
    assert!(paused.error().contains("HUMAN_REQUIRED"), "{paused:?}");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_hand_off_waits_from_its_second_call_on_where_the_model_has_to_tell_the_person() {
    let mut rig = Rig::new().await;
    rig.client.close().await;
    rig.client = McpClient::core(&rig.daemon.home, &[]).await;
    let url = rig.site.url("article.html");
    rig.client.call("tab_open", json!({ "url": url })).await.text();
    let reason = json!({"reason": "Please sign in"});
    let first = rig.client.call("require_human", reason.clone()).await;
    assert!(first.error().contains("Next: tell the person"), "{first:?}");
    assert!(first.error().contains("`require_human`"), "{first:?}");
    let call = rig.client.begin("require_human", reason).await;
    rig.client.progress(call).await;
    resume(&rig.browser).await;
    let done = rig.client.end(call).await.expect("an answer");
    assert_eq!(done.structured(), &json!({"resumed": true}));
    rig.browser.close().await;
}

#[tokio::test]
async fn screenshots_and_downloads_are_resources() {
    let mut rig = Rig::new().await;
    rig.visit("downloads.html").await;
    assert_eq!(rig.client.ask("resources/list", json!({})).await.unwrap()["resources"], json!([]));
    let picture = rig.client.call("screenshot", json!({})).await;
    let target = json!({"selector": "#given"});
    rig.client.call("download", json!({ "target": target })).await.text();
    let listed = rig.client.ask("resources/list", json!({})).await.unwrap();
    let uris: Vec<_> =
        listed["resources"].as_array().unwrap().iter().map(|it| it["uri"].clone()).collect();
    assert_eq!(uris, ["bproxy://screenshots/1", "bproxy://downloads/1"], "{listed}");
    assert_eq!(listed["resources"][1]["name"], "given.bin", "{listed}");
    let mut read = async |uri: &str| rig.client.ask("resources/read", json!({"uri": uri})).await;
    let shot = read("bproxy://screenshots/1").await.unwrap();
    let images = picture.0["content"].as_array().unwrap();
    let image = images.iter().find(|it| it["type"] == "image").expect("a picture");
    assert_eq!(shot["contents"][0]["blob"], image["data"]);
    assert_eq!(shot["contents"][0]["mimeType"], "image/png");
    let file = read("bproxy://downloads/1").await.unwrap();
    let file =
        data_encoding::BASE64.decode(file["contents"][0]["blob"].as_str().unwrap().as_bytes());
    assert_eq!(file.unwrap(), contents("given.bin", 70_000));
    for none in [
        "bproxy://screenshots/2",
        "bproxy://downloads/2",
        "bproxy://downloads/0",
        "file:///etc/hostname",
    ] {
        assert!(read(none).await.unwrap_err().contains(none), "{none}");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn a_client_that_is_killed_leaves_no_tab_behind() {
    let mut rig = Rig::new().await;
    rig.visit("article.html").await;
    rig.client.kill().await;
    rig.daemon.record("received", |record| record["action"] == "session.close").await;
    let daemon = &rig.daemon;
    wait_for("the end of the session's close", || {
        let close =
            daemon.records("received").into_iter().find(|it| it["action"] == "session.close")?;
        daemon.records("response").into_iter().find(|it| it["id"] == close["id"])
    })
    .await;
    let open = rig.browser.targets().await;
    assert!(
        !open.iter().any(|it| it["url"].as_str().unwrap().contains("article.html")),
        "{open:?}"
    );
    rig.browser.close().await;
}

#[tokio::test]
async fn a_model_gets_the_place_of_a_download_and_a_small_text_or_picture_itself() {
    let mut rig = Rig::new().await;
    rig.visit("downloads.html").await;
    let url = rig.site.url("given/big.bin?bytes=70000");
    let big = rig.client.call("download", json!({ "url": url })).await;
    let expected = HEXLOWER.encode(&Sha256::digest(contents("big.bin", 70_000)));
    assert!(big.page().contains(&expected) && big.page().contains("big.bin\""), "{big:?}");
    assert_eq!(big.0["content"].as_array().map(Vec::len), Some(1), "{big:?}");

    let page = json!({"selector": "#data"});
    let small = rig.client.call("download", json!({ "target": page })).await;
    let resource = &small.0["content"][1]["resource"];
    assert!(resource["text"].as_str().expect("a text").contains("\nfrom data\n"), "{small:?}");
    assert!(resource["uri"].as_str().expect("an address").starts_with("file:///"), "{small:?}");
    assert_eq!(resource["mimeType"], "text/plain");

    let picture = rig.site.url("given/dot.png?bytes=100&type=image/png");
    let picture = rig.client.call("download", json!({ "url": picture })).await;
    let blob = picture.0["content"][1]["resource"]["blob"].as_str().expect("a picture");
    let bytes = data_encoding::BASE64.decode(blob.as_bytes()).expect("base64");
    assert!(bytes == contents("dot.png", 100));
    let listed = rig.client.call("download_list", json!({})).await;
    for name in ["big.bin", "data.txt", "dot.png"] {
        assert!(listed.page().contains(name), "{listed:?}");
    }
    rig.client.close().await;
    rig.browser.close().await;
}
