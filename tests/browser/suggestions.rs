//! Errors lead on: what each suggests is run as it stands, by a shell that remembers nothing, in the situation that it is
//! for, and is seen to help there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::rig::{Rig, Visit, says, text};
use super::skill::shell;
use super::support::{Call, run};

/// What an error suggests.
#[track_caller]
fn suggested(error: &Value) -> String {
    text(&error["suggestedAction"])
}

impl Rig {
    /// Runs a command line as it stands.
    async fn literally(&self, line: &str) -> Call {
        shell(&self.daemon, "", line).await
    }
}

impl Visit<'_> {
    /// Fails with `code`, and runs what that suggests, which begins with `next`. Returns the data of that, which succeeds.
    async fn led(&self, code: &str, args: &[&str], next: &str) -> Value {
        let error = self.fails(code, args).await;
        let line = suggested(&error);
        assert!(line.starts_with(&format!("bproxy {next}")), "{args:?}: {line}");
        let ran = self.rig.literally(&line).await;
        assert!(ran.code == 0 && ran.json()["ok"] == true, "{args:?}: {line}: {ran:?}");
        ran.data()
    }
}

/// The handle of the entry of a list whose `member` is `wanted`.
#[track_caller]
fn handle(data: &Value, list: &str, member: &str, wanted: &str) -> String {
    let entries = data[list].as_array().expect("a list");
    let entry = entries.iter().find(|entry| entry[member] == wanted);
    text(&entry.unwrap_or_else(|| panic!("no {wanted} in {data}"))["handle"])
}

#[tokio::test]
async fn what_is_suggested_for_elements_names_or_shows_one_to_act_on() {
    let rig = Rig::new().await;
    let page = rig.open("act.html").await;

    let listed =
        page.led("ELEMENT_NOT_FOUND", &["click", "--selector", "#nope"], "elements -s").await;
    let count = handle(&listed, "elements", "label", "Count");
    page.data(&["click", "--element", &count]).await;
    assert_eq!(page.text("#counted").await, "1");
    let listed =
        page.led("SELECTOR_AMBIGUOUS", &["click", "--selector", ".pair"], "elements -s").await;
    page.data(&["click", "--element", &handle(&listed, "elements", "label", "Second")]).await;
    let unknown = ["click", "--element", "el9999"];
    let listed = page.led("ELEMENT_HANDLE_NOT_FOUND", &unknown, "elements -s").await;
    assert_eq!(handle(&listed, "elements", "label", "Count"), count, "the same element");
    let unknown = ["click", "--element", "ln9999"];
    let listed = page.led("ELEMENT_HANDLE_NOT_FOUND", &unknown, "links -s").await;
    let go = handle(&listed, "links", "text", "Go");

    // What covers it, and that it is disabled, is seen in a snapshot.
    let seen =
        page.led("ELEMENT_NOT_ACTIONABLE", &["click", "--selector", "#under"], "snapshot").await;
    assert!(text(&seen["tree"]).contains("Banner"), "{seen}");
    let seen =
        page.led("ELEMENT_NOT_ACTIONABLE", &["click", "--selector", "#off"], "snapshot").await;
    assert!(text(&seen["tree"]).contains("disabled"), "{seen}");
    let seen = page.led("SCRIPT_ERROR", &["click", "--selector", "p >"], "snapshot").await;
    assert!(text(&seen["tree"]).contains("\"Count\""), "{seen}");
    let empty = page.run(&["click", "--selector", ""]).await;
    assert!(empty.trouble().contains("an example: bproxy click --element"), "{empty:?}");

    // An element that is gone, and a page that is.
    let vanish = page.handle("elements", "label", "Vanish").await;
    page.data(&["click", "--element", &vanish]).await;
    page.data(&["wait", "--strategy", "gone", "--target", "#vanish"]).await;
    let listed =
        page.led("ELEMENT_HANDLE_STALE", &["click", "--element", &vanish], "elements -s").await;
    assert_eq!(handle(&listed, "elements", "label", "Count"), count);
    page.data(&["reload"]).await;
    let stale = ["click", "--element", &go];
    let listed = page.led("ELEMENT_HANDLE_STALE", &stale, "links -s").await;
    page.data(&["click", "--element", &handle(&listed, "links", "text", "Go")]).await;
    page.data(&["wait", "--strategy", "url", "--target", "*/article.html"]).await;

    let listed = page.led("FRAME_NOT_FOUND", &["text", "--frame", "f9"], "frames -s").await;
    assert_eq!(listed["frames"], json!([]));
    let told = page
        .rig
        .literally(&suggested(&page.fails("SCRIPT_ERROR", &["press", "Entre"]).await))
        .await;
    assert!(told.code == 0 && told.stdout.contains("bproxy press"), "{told:?}");
    rig.browser.close().await;
}

#[tokio::test]
async fn what_is_suggested_for_a_field_fills_it_and_a_form_names_the_field() {
    let rig = Rig::new().await;
    let page = rig.open("form.html").await;
    let tricky = "it's $(id) `id` \"x\"";
    let other_world = ["--value", tricky, "--method", "paste", "--world", "main"];
    let fill = [&["fill", "--label", "Full name"][..], &other_world].concat();
    let filled = page.led("SCRIPT_ERROR", &fill, "fill --label").await;
    assert_eq!(filled["verifiedValue"], tricky);
    let held = page.page("form.html").await.evaluate("document.getElementById('name').value").await;
    assert_eq!(held, tricky, "no shell has run any of it");

    let email = r##"{"target":{"selector":"[name=email]"},"value":"a@example.org"}"##;
    let off = r##"{"target":{"selector":"[name=off]"},"value":"x"}"##;
    let form = format!("[{email},{off}]");
    let refused = page.fails("ELEMENT_NOT_ACTIONABLE", &["fill-form", "--json", &form]).await;
    assert_eq!(refused["details"]["field"], 2, "{refused}");
    says(&refused, &["field 2 of 2", "is disabled"]);
    let seen = rig.literally(&suggested(&refused)).await.data();
    assert!(text(&seen["tree"]).contains("\"Off\""), "{seen}");

    for act in [&["click"][..], &["fill", "--value", "x"]] {
        let refused = page
            .fails("ELEMENT_NOT_ACTIONABLE", &[act, &["--selector", "[name=paper]"]].concat())
            .await;
        let told = rig.literally(&suggested(&refused)).await;
        assert!(told.code == 0 && told.stdout.contains("bproxy upload --element"), "{told:?}");
    }
    rig.browser.close().await;
}

/// A server that hangs up on everybody until it is told to answer.
pub(super) struct Later {
    port: u16,
    answers: Arc<AtomicBool>,
}

impl Later {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let answers = Arc::new(AtomicBool::new(false));
        let told = answers.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answers = told.clone();
                tokio::spawn(async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    // A browser connects ahead of its requests.
                    if answers.load(Ordering::SeqCst) {
                        let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<p>Back again";
                        let _ = stream.write_all(page.as_bytes()).await;
                    }
                });
            }
        });
        Self { port, answers }
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    pub(super) fn answer(&self, yes: bool) {
        self.answers.store(yes, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn what_is_suggested_for_a_page_that_does_not_load_loads_it_or_shows_what_is_there() {
    let rig = Rig::new().await;
    let page = rig.open("article.html").await;
    let without_scheme = format!("127.0.0.1:{}/form.html?a=$(id)&b='c'", rig.site.port());
    let there = page.led("NAVIGATION_FAILED", &["navigate", &without_scheme], "navigate").await;
    assert!(text(&there["url"]).contains("/form.html?a=$(id)&b="), "{there}");
    let refused = page.fails("NAVIGATION_FAILED", &["navigate", "mailto:a@example.org"]).await;
    let told = rig.literally(&suggested(&refused)).await;
    assert!(told.stdout.contains("bproxy navigate https://"), "{told:?}");

    for open in [&["navigate"][..], &["tab", "open"]] {
        let refused =
            page.fails("NAVIGATION_FAILED", &[open, &[&rig.site.url("download")]].concat()).await;
        let told = rig.literally(&suggested(&refused)).await;
        assert!(told.code == 0 && told.stdout.contains("bproxy download --url"), "{told:?}");
    }

    let server = Later::start().await;
    let refused = page.fails("NAVIGATION_FAILED", &["navigate", &server.url()]).await;
    server.answer(true);
    let there = rig.literally(&suggested(&refused)).await.data();
    assert_eq!(there["url"], server.url());
    assert_eq!(page.text("p").await, "Back again");
    server.answer(false);
    // Failing to load again leaves the browser's own page of the failure.
    page.fails("NAVIGATION_FAILED", &["reload"]).await;
    let refused = page.fails("NAVIGATION_FAILED", &["text"]).await;
    server.answer(true);
    rig.literally(&suggested(&refused)).await.data();
    assert_eq!(page.text("p").await, "Back again");
    server.answer(false);
    let refused = rig.run(&["tab", "open", &server.url()]).await;
    assert_eq!(refused.error(), "NAVIGATION_FAILED");
    server.answer(true);
    let opened = rig.literally(&suggested(&refused.json()["error"])).await.data();
    assert_eq!(opened["url"], server.url());

    let fresh = rig.open("article.html").await;
    let seen = fresh.led("NAVIGATION_FAILED", &["back"], "snapshot").await;
    assert!(text(&seen["tree"]).contains("heading"), "{seen}");
    fresh.data(&["navigate", "about:blank"]).await;
    let listed = fresh.led("SCRIPT_ERROR", &["text"], "tab list").await;
    assert_eq!(listed["tabs"][0]["url"], "about:blank");

    let waiting = ["wait", "--strategy", "text", "--target", "never", "--timeout", "300"];
    let page = rig.open("article.html").await;
    let call = page.run(&waiting).await;
    assert_eq!((call.code, call.error().as_str()), (1, "TIMEOUT"));
    rig.literally(&suggested(&call.json()["error"])).await.data();
    rig.browser.close().await;
}

#[tokio::test]
async fn what_is_suggested_for_a_tab_gives_the_session_one() {
    let rig = Rig::new().await;
    let page = rig.open("act.html").await;
    let count = page.handle("elements", "label", "Count").await;
    page.data(&["tab", "open", &rig.site.url("article.html")]).await;
    let of_other = ["click", "--element", &count];
    page.led("ELEMENT_HANDLE_SCOPE_MISMATCH", &of_other, "session bind --tab t1 -s").await;
    page.data(&of_other).await;
    assert_eq!(page.text("#counted").await, "1");

    page.data(&["session", "unbind"]).await;
    page.led("TAB_NOT_FOUND", &["text"], "session bind --tab t").await;
    page.data(&["text"]).await;
    let listed =
        page.led("TAB_HANDLE_NOT_FOUND", &["tab", "close", "--tab", "t9"], "tab list").await;
    assert_eq!(listed["tabs"].as_array().map(Vec::len), Some(2), "{listed}");
    for tab in ["t1", "t2"] {
        page.data(&["tab", "close", "--tab", tab]).await;
    }
    page.led("TAB_NOT_FOUND", &["text"], "tab open about:blank -s").await;
    page.data(&["navigate", &rig.site.url("act.html")]).await;
    assert_eq!(page.text("#counted").await, "0");

    page.led("TAB_NOT_VISIBLE", &["screenshot"], "screenshot --activate").await;
    page.led("DEBUGGER_DISABLED", &["screenshot", "--debugger"], "screenshot --activate").await;

    page.run(&["require-human", "--reason", "Please look"]).await;
    let refused = page.fails("HUMAN_REQUIRED", &["text"]).await;
    let line = suggested(&refused);
    assert!(line.starts_with("bproxy session wait"), "{line}");
    let (waited, ()) = tokio::join!(rig.literally(&line), page.resume());
    waited.data();
    page.data(&["text"]).await;
    let session = page.session.clone();
    let Rig { daemon, browser, .. } = rig;
    browser.close().await;

    daemon.record("ws_disconnect", |_| true).await;
    let refused = run(&daemon.home, &["text", "-s", &session]).await;
    assert_eq!(refused.error(), "NO_EXTENSION");
    let line = suggested(&refused.json()["error"]);
    assert_eq!(line, "bproxy doctor");
    // It ends with 1, since the browser is missing, and says so.
    let told = shell(&daemon, "", &line).await;
    assert!(told.stdout.contains("browser"), "{told:?}");
}

#[tokio::test]
async fn what_is_suggested_without_a_session_names_one_or_begins_one() {
    let rig = Rig::new().await;
    let none = rig.literally("bproxy text --selector 'main p'").await;
    assert_eq!(none.error(), "SESSION_REQUIRED");
    let begun = rig.literally(&suggested(&none.json()["error"])).await.data();
    let first = text(&begun["session"]);

    // The session of this shell and folder is named.
    let address = rig.site.url("article.html");
    let forgot = rig.literally(&format!("bproxy navigate '{address}'")).await;
    assert_eq!(forgot.error(), "SESSION_REQUIRED");
    let line = suggested(&forgot.json()["error"]);
    assert_eq!(line, format!("bproxy navigate {address} -s {first}"));
    assert_eq!(rig.literally(&line).await.data()["url"], address);

    // Of several, the person or agent has to choose.
    let second = text(&rig.literally("bproxy tab open about:blank").await.data()["session"]);
    let forgot = rig.literally("bproxy text").await;
    let listed = rig.literally(&suggested(&forgot.json()["error"])).await.data();
    let ids: Vec<_> =
        listed["sessions"].as_array().expect("sessions").iter().map(|it| text(&it["id"])).collect();
    assert_eq!(ids, [&*first, &*second]);

    // A variable that names a session that is gone is named.
    for session in [&second, &first] {
        rig.literally(&format!("bproxy session close -s {session}")).await.data();
    }
    for stale in [&*first, "no-session"] {
        let gone = shell(&rig.daemon, stale, "bproxy text").await;
        says(&gone.json()["error"], &["BPROXY_SESSION is", stale, "unset BPROXY_SESSION"]);
        let begun = shell(&rig.daemon, stale, &suggested(&gone.json()["error"])).await.data();
        let session = text(&begun["session"]);
        let gone = shell(&rig.daemon, stale, &format!("bproxy tab open '{address}'")).await;
        let opened = shell(&rig.daemon, stale, &suggested(&gone.json()["error"])).await.data();
        assert_eq!(opened["url"], address);
        let gone = shell(&rig.daemon, stale, "bproxy text").await;
        let listed = shell(&rig.daemon, stale, &suggested(&gone.json()["error"])).await.data();
        assert_eq!(listed["sessions"].as_array().map(Vec::len), Some(2), "{listed}");
        // Whichever other words of the line say the same, and where a flag does, it is the flag.
        let gone = shell(&rig.daemon, stale, &format!("bproxy find --name {stale}")).await;
        says(&gone.json()["error"], &["BPROXY_SESSION is", stale]);
        let gone = shell(&rig.daemon, stale, &format!("bproxy text -s{stale}")).await;
        assert!(!text(&gone.json()["error"]["message"]).contains("BPROXY_SESSION"), "{gone:?}");
        for session in [session, text(&opened["session"])] {
            rig.literally(&format!("bproxy session close -s {session}")).await.data();
        }
    }
    let gone = rig.literally(&format!("bproxy text -s {first}")).await;
    let message = text(&gone.json()["error"]["message"]);
    assert!(!message.contains("BPROXY_SESSION"), "a flag named it: {message}");
    rig.browser.close().await;
}
