//! What every browser test starts with: a daemon, a browser paired with it, a site, and sessions that visit it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::support::{
    Browser, Call, Daemon, Launch, Page, Screen, Site, now_ms, patiently, run, wait_for,
};

/// How long a worker that was woken may take to connect, until it is woken once more.
const AGAIN: Duration = Duration::from_secs(5);

/// A daemon, a browser that is paired with it, and a site to visit.
pub(super) struct Rig {
    pub(super) daemon: Daemon,
    pub(super) browser: Browser,
    pub(super) site: Site,
}

impl Rig {
    pub(super) async fn new() -> Self {
        let (daemon, browser, site) =
            tokio::join!(Daemon::start(), Browser::start(false), Site::start());
        browser.pair(daemon.port, &daemon.pairing_code()).await;
        Self { daemon, browser, site }.paired().await
    }

    /// The same with a browser in which every host name resolves to the site.
    pub(super) async fn of_all_names() -> Self {
        let (daemon, site) = tokio::join!(Daemon::start(), Site::start());
        let launch = Launch { only_site: Some(site.port()), ..Launch::default() };
        let browser = Browser::launch(launch).await;
        browser.pair(daemon.port, &daemon.pairing_code()).await;
        Self { daemon, browser, site }.paired().await
    }

    /// The same with the pages of a folder, which reach nothing else.
    pub(super) async fn of(folder: &Path) -> Self {
        let (daemon, site) = tokio::join!(Daemon::start(), Site::of(folder));
        let launch = Launch { only_site: Some(site.port()), ..Launch::default() };
        let browser = Browser::launch(launch).await;
        browser.pair(daemon.port, &daemon.pairing_code()).await;
        Self { daemon, browser, site }.paired().await
    }

    /// The same with a browser in a window on a screen.
    pub(super) async fn on(screen: &Screen) -> Self {
        Self::at_density(screen, 1).await
    }

    /// The same on a screen of this density.
    pub(super) async fn at_density(screen: &Screen, density: u32) -> Self {
        let (daemon, site) = tokio::join!(Daemon::start(), Site::start());
        let display = Some(screen.display.clone());
        let launch = Launch { display, density, ..Launch::default() };
        let browser = Browser::launch(launch).await;
        browser.pair(daemon.port, &daemon.pairing_code()).await;
        Self { daemon, browser, site }.paired().await
    }

    /// The log tells of things a moment later: connections that are counted in it from now on are new ones.
    async fn paired(self) -> Self {
        self.connected(1).await;
        self
    }

    /// A call of the command line.
    pub(super) async fn run(&self, args: &[&str]) -> Call {
        run(&self.daemon.home, args).await
    }

    /// A session without pauses whose tab shows a page of the site, in the background.
    pub(super) async fn open(&self, page: &str) -> Visit<'_> {
        self.open_url(&self.site.url(page)).await
    }

    /// A session without pauses whose tab shows an address, in the background.
    pub(super) async fn open_url(&self, url: &str) -> Visit<'_> {
        let opened = self.run(&["tab", "open", url]).await.data();
        let visit = Visit { rig: self, session: text(&opened["session"]) };
        visit.data(&["session", "bind", "--pacing", "fast"]).await;
        visit
    }

    /// A session without pauses whose tab shows a page of the site, in front.
    pub(super) async fn visit(&self, page: &str) -> Visit<'_> {
        let visit = self.open(page).await;
        visit.data(&["tab", "activate"]).await;
        visit
    }

    /// An example in Python, with the program and the package as they are here, and without arguments yet.
    pub(super) fn example(&self, name: &str) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bin = Path::new(env!("CARGO_BIN_EXE_bproxy")).parent().expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("python3");
        command
            .arg(root.join("examples").join(name))
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("PYTHONPATH", root.join("clients/python"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("BPROXY_HOME", self.daemon.home.path())
            .env("BPROXY_SECRETS", "file")
            .env_remove("BPROXY_SESSION")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Waits until the browser has connected `count` times in all, and is there.
    pub(super) async fn connected(&self, count: usize) {
        wait_for(&format!("connection {count} of the browser"), || {
            (self.daemon.records("ws_connect").len() >= count).then_some(())
        })
        .await;
    }

    /// Resumes a session as its person does: in the popup.
    pub(super) async fn resume(&self, session: &str) {
        let popup = self.browser.popup().await;
        let button = format!("[data-resume='{session}']");
        popup.until(&format!("document.querySelector(\"{button}\")")).await;
        popup.click(&button).await;
        popup.until(&format!("document.querySelector(\"{button}\") === null")).await;
        popup.close().await;
    }

    /// Ends the worker, and has it come back by an event of the browser.
    pub(super) async fn suspend(&self) {
        let count = self.daemon.records("ws_connect").len();
        self.browser.stop_worker().await;
        self.woken(count + 1).await;
    }

    /// Wakes the worker until it has connected `count` times in all: an event that comes while it still ends is lost.
    pub(super) async fn woken(&self, count: usize) {
        let connects = async {
            loop {
                self.browser.wake_worker().await;
                if tokio::time::timeout(AGAIN, self.connected(count)).await.is_ok() {
                    break;
                }
            }
        };
        patiently("the worker to wake and connect", connects).await;
    }

    /// Waits until the daemon has a browser.
    pub(super) async fn present(&self) {
        wait_for("a browser", || {
            let ends = self.daemon.records("ws_disconnect").len();
            (self.daemon.records("ws_connect").len() > ends).then_some(())
        })
        .await;
    }
}

/// The data of an act without what every act answers.
pub(super) fn own(mut data: Value) -> Value {
    let members = data.as_object_mut().expect("data");
    for name in ["effects", "hidden", "suggestedAction"] {
        members.remove(name);
    }
    data
}

/// A session whose tab shows a page.
pub(super) struct Visit<'a> {
    pub(super) rig: &'a Rig,
    pub(super) session: String,
}

impl Visit<'_> {
    pub(super) async fn run(&self, args: &[&str]) -> Call {
        self.rig.run(&[args, &["-s", &self.session]].concat()).await
    }

    pub(super) async fn data(&self, args: &[&str]) -> Value {
        self.run(args).await.data()
    }

    /// Resumes the session as its person does.
    pub(super) async fn resume(&self) {
        self.rig.resume(&self.session).await;
    }

    /// The error of a call that must fail.
    pub(super) async fn error(&self, args: &[&str]) -> Value {
        let call = self.run(args).await;
        call.error();
        call.json()["error"].clone()
    }

    /// The error of a call that must fail with `code`.
    pub(super) async fn fails(&self, code: &str, args: &[&str]) -> Value {
        let error = self.error(args).await;
        assert_eq!(error["code"], code, "{args:?}: {error}");
        error
    }

    /// What an element says.
    pub(super) async fn text(&self, selector: &str) -> String {
        text(&self.data(&["text", "--selector", selector]).await["text"])
    }

    /// What a frame says.
    pub(super) async fn text_in(&self, frame: &str) -> String {
        text(&self.data(&["text", "--frame", frame]).await["text"])
    }

    /// Fills a field, which may not take the value.
    pub(super) async fn fill(&self, selector: &str, value: &str, method: &str) -> Value {
        let args = ["fill", "--selector", selector, "--value", value, "--method", method];
        let call = self.run(&args).await;
        own(match call.json()["data"]["filled"] {
            Value::Bool(false) => call.without_effect(),
            _ => call.data(),
        })
    }

    /// The entries of a fresh read.
    pub(super) async fn entries(&self, read: &str) -> Vec<Value> {
        let flags: &[&str] = if read == "images" { &[] } else { &["--targets"] };
        self.data(&[&[read], flags].concat()).await[read].as_array().expect("entries").clone()
    }

    /// The handle of the entry whose `member` is `wanted`, in a fresh read.
    pub(super) async fn handle(&self, read: &str, member: &str, wanted: &str) -> String {
        let entries = self.entries(read).await;
        let entry = entries.iter().find(|entry| entry[member] == wanted);
        let entry = entry.unwrap_or_else(|| panic!("no {wanted:?} among {entries:?}"));
        text(&entry["handle"])
    }

    /// How long the daemon saw a call take. Milliseconds.
    pub(super) async fn elapsed(&self, call: &Call) -> u64 {
        let id = call.json()["id"].clone();
        let record = self.rig.daemon.record("response", |record| record["id"] == id).await;
        record["elapsed_ms"].as_u64().expect("a time")
    }

    /// The page as DevTools sees it, by a part of its address.
    pub(super) async fn page(&self, part_of_url: &str) -> Page<'_> {
        self.rig.browser.find(part_of_url).await
    }
}

/// A JSON text.
#[track_caller]
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Whether the message of `error` contains every one of `parts`.
#[track_caller]
pub(super) fn says(error: &Value, parts: &[&str]) {
    let message = text(&error["message"]);
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

/// Runs `work` and tells how long it took. Milliseconds.
pub(super) async fn timed<T>(work: impl Future<Output = T>) -> (T, i64) {
    let began = now_ms();
    let outcome = work.await;
    (outcome, now_ms() - began)
}
