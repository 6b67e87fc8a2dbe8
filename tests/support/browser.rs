//! A real Chromium with the extension loaded from the repository, in a profile of its own, driven over the DevTools
//! protocol where a person would use mouse and keyboard.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{patiently, wait_for};

pub use bproxy::extension::ID as EXTENSION_ID;

/// How long a browser may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A running browser; ended when dropped.
pub struct Browser {
    child: Child,
    profile: TempDir,
    devtools: DevTools,
}

impl Browser {
    /// Starts Chromium with the extension, in a window if there is a display and `visible` is asked for.
    ///
    /// # Panics
    /// If Chromium is not installed or does not start: a test that needs it must not pass without it.
    pub async fn start(visible: bool) -> Self {
        Self::start_in(
            tempfile::Builder::new().prefix("bproxy-profile-").tempdir().expect("a directory"),
            visible,
        )
        .await
    }

    async fn start_in(profile: TempDir, visible: bool) -> Self {
        let extension = Path::new(env!("CARGO_MANIFEST_DIR")).join("extension");
        let log = std::fs::File::create(profile.path().join("chromium.log")).expect("a fresh file");
        let _ = std::fs::remove_file(profile.path().join("DevToolsActivePort"));
        let mut command = Command::new(chromium());
        command
            .args([
                "--no-first-run",
                "--no-default-browser-check",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-quic",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--password-store=basic",
                "--disable-features=DisableLoadExtensionCommandLineSwitch",
                "--remote-debugging-port=0",
                "--window-size=1200,900",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--load-extension={}", extension.display()))
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        let has_display =
            std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some();
        if !(visible && has_display) {
            command.arg("--headless=new");
        }
        if rustix::process::geteuid().is_root() {
            command.arg("--no-sandbox");
        }
        let mut child = command.arg("about:blank").spawn().unwrap_or_else(|error| {
            panic!("cannot start {}: {error}; install the package chromium", chromium().display())
        });
        let port_file = profile.path().join("DevToolsActivePort");
        let address = tokio::time::timeout(START, async {
            loop {
                if let Some(status) = child.try_wait().expect("a child to ask") {
                    let log = std::fs::read_to_string(profile.path().join("chromium.log"))
                        .unwrap_or_default();
                    panic!("Chromium ended with {status}: {log}");
                }
                if let Ok(text) = std::fs::read_to_string(&port_file)
                    && let Some((port, path)) = text.trim().split_once('\n')
                {
                    return format!("ws://127.0.0.1:{port}{path}");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let address = address.await.expect("Chromium opens its DevTools port");
        let devtools = DevTools::connect(&address).await;
        let browser = Self { child, profile, devtools };
        browser.extension_loaded().await;
        browser
    }

    async fn extension_loaded(&self) {
        let worker = format!("chrome-extension://{EXTENSION_ID}/background.js");
        let start = tokio::time::Instant::now();
        while !self.targets().await.iter().any(|target| target["url"] == worker.as_str()) {
            assert!(start.elapsed() < START, "the extension's service worker did not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything that DevTools can attach to.
    pub async fn targets(&self) -> Vec<Value> {
        let targets = self.devtools.call("Target.getTargets", json!({}), None).await;
        targets["targetInfos"].as_array().cloned().unwrap_or_default()
    }

    /// A new tab, made in the browser and not by the extension.
    pub async fn open(&self, url: &str) -> Page<'_> {
        let target = self.devtools.call("Target.createTarget", json!({"url": url}), None).await;
        self.attach(target["targetId"].as_str().expect("a target")).await
    }

    /// A tab that is there already, by a part of its address.
    pub async fn find(&self, part_of_url: &str) -> Page<'_> {
        let start = tokio::time::Instant::now();
        loop {
            let targets = self.targets().await;
            let fits = |target: &&Value| {
                target["type"] == "page"
                    && target["url"].as_str().is_some_and(|url| url.contains(part_of_url))
            };
            if let Some(target) = targets.iter().find(fits) {
                return self.attach(target["targetId"].as_str().expect("a target")).await;
            }
            assert!(start.elapsed() < START, "no tab shows {part_of_url}: {targets:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn attach(&self, target: &str) -> Page<'_> {
        let params = json!({"targetId": target, "flatten": true});
        let attached = self.devtools.call("Target.attachToTarget", params, None).await;
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        Page { devtools: &self.devtools, session, target: target.to_owned() }
    }

    /// Pairs the extension with the daemon on `port` as a person does: in the popup, which is shown in a tab.
    pub async fn pair(&self, port: u16, code: &str) {
        let popup = self.open(&format!("chrome-extension://{EXTENSION_ID}/popup.html")).await;
        popup.until("document.getElementById('status')?.dataset.state === 'unpaired'").await;
        popup.fill("port", &port.to_string()).await;
        popup.evaluate("document.getElementById('save-port').click()").await;
        popup.until("document.getElementById('message').textContent.includes('saved')").await;
        popup.fill("code", code).await;
        popup.evaluate("document.getElementById('pair').click()").await;
        popup.until("document.getElementById('status').dataset.state === 'connected'").await;
        popup.close().await;
    }

    /// Ends the service worker, as Chrome does whenever it likes.
    pub async fn stop_worker(&self) {
        let worker = format!("chrome-extension://{EXTENSION_ID}/background.js");
        let targets = self.targets().await;
        let worker = targets
            .iter()
            .find(|target| target["url"] == worker.as_str())
            .expect("a service worker");
        self.devtools
            .call("Target.closeTarget", json!({"targetId": worker["targetId"]}), None)
            .await;
    }

    /// Ends the browser and waits until it is gone.
    pub async fn close(mut self) {
        self.devtools.send("Browser.close").await;
        patiently("the browser's end", self.child.wait()).await.expect("a child to wait for");
        // What the browser's helpers still write there must not fail the removal.
        wait_for("the profile to be free", || std::fs::remove_dir_all(self.profile.path()).ok())
            .await;
    }
}

fn chromium() -> PathBuf {
    std::env::var_os("CHROMIUM").map_or_else(|| "chromium".into(), Into::into)
}

/// A tab, seen from DevTools.
pub struct Page<'a> {
    devtools: &'a DevTools,
    session: String,
    target: String,
}

impl Page<'_> {
    /// The value of a JavaScript expression in the page, awaited if it is a promise.
    pub async fn evaluate(&self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.devtools.call("Runtime.evaluate", params, Some(&self.session)).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression is true.
    pub async fn until(&self, expression: &str) {
        let start = tokio::time::Instant::now();
        loop {
            let value = self.evaluate(&format!("Boolean({expression})")).await;
            if value == true {
                return;
            }
            if start.elapsed() > START {
                let text = self.evaluate("document.body.innerText").await;
                panic!("waited in vain for {expression}; the page says: {text}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Types into an input of the page.
    async fn fill(&self, id: &str, value: &str) {
        let (id, value) = (json!(id), json!(value));
        self.evaluate(&format!(
            "{{ const input = document.getElementById({id}); input.value = {value}; \
             input.dispatchEvent(new Event('input', {{ bubbles: true }})); }}"
        ))
        .await;
    }

    /// Closes the tab.
    pub async fn close(self) {
        self.devtools.call("Target.closeTarget", json!({"targetId": self.target}), None).await;
    }
}

/// The DevTools connection: one call at a time.
struct DevTools {
    socket: Mutex<WebSocketStream<MaybeTlsStream<TcpStream>>>,
    last_id: AtomicU64,
}

impl DevTools {
    async fn connect(address: &str) -> Self {
        let (socket, _) =
            patiently("DevTools", connect_async(address)).await.expect("a DevTools connection");
        Self { socket: Mutex::new(socket), last_id: AtomicU64::new(0) }
    }

    async fn call(&self, method: &str, params: Value, session: Option<&str>) -> Value {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut socket = self.socket.lock().await;
        socket.send(Message::text(message.to_string())).await.expect("DevTools listens");
        loop {
            let next = patiently(method, socket.next())
                .await
                .expect("DevTools goes on")
                .expect("a message");
            let Message::Text(text) = next else { continue };
            let answer: Value = serde_json::from_str(&text).expect("DevTools speaks JSON");
            if answer["id"] == id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// A call that may end the connection before it is answered.
    async fn send(&self, method: &str) {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let message = json!({"id": id, "method": method}).to_string();
        let _ = self.socket.lock().await.send(Message::text(message)).await;
    }
}
