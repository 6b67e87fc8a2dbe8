//! A real Chromium with the extension loaded from the repository, in a profile of its own, driven over the DevTools
//! protocol where a person would use mouse and keyboard.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

#[cfg(target_os = "linux")]
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::devtools::DevTools;
use super::page::Page;
use super::{patiently, wait_for};

pub use bproxy::extension::ID as EXTENSION_ID;

/// How long a browser may take to start on a busy machine.
pub(super) const START: Duration = Duration::from_secs(60);
/// How often the browser is asked for a state that it does not announce.
pub(super) const POLL: Duration = Duration::from_millis(10);

/// How many browsers run at once: more only slow each other down.
static BROWSERS: Semaphore = Semaphore::const_new(3);

/// A running browser; ended when dropped.
pub struct Browser {
    child: Child,
    profile: TempDir,
    devtools: DevTools,
    launch: Launch,
    /// Its permit to run.
    place: SemaphorePermit<'static>,
}

/// How a browser is started.
#[derive(Clone)]
pub struct Launch {
    /// In a window, if there is a display.
    pub visible: bool,
    /// In a window on this display, such as a `Screen` has.
    pub display: Option<String>,
    /// The folder that the extension is loaded from.
    pub extension: PathBuf,
    /// The folder of another extension to load.
    pub beside: Option<PathBuf>,
    /// Every host name resolves to this port of the machine. Otherwise only names that end in `.test` resolve to it, with
    /// their own port.
    pub only_site: Option<u16>,
    /// How many pixels of the screen make one of a page.
    pub density: u32,
}

impl Default for Launch {
    fn default() -> Self {
        let extension = Path::new(env!("CARGO_MANIFEST_DIR")).join("extension");
        Self { visible: false, display: None, extension, beside: None, only_site: None, density: 1 }
    }
}

impl Browser {
    /// Starts Chromium with the extension, in a window if there is a display and `visible` is asked for.
    ///
    /// # Panics
    /// If Chromium is not installed or does not start: a test that needs it must not pass without it.
    pub async fn start(visible: bool) -> Self {
        Self::launch(Launch { visible, ..Launch::default() }).await
    }

    /// Starts Chromium with these options.
    ///
    /// # Panics
    /// As `start` does.
    pub async fn launch(launch: Launch) -> Self {
        let place = BROWSERS.acquire().await.expect("never closed");
        Self::start_in(new_profile(), launch, place).await
    }

    /// Starts two browsers with different profiles. Both permits are taken at once: one by one, tests could deadlock.
    pub async fn start_two() -> (Self, Self) {
        let mut places = BROWSERS.acquire_many(2).await.expect("never closed");
        let place = places.split(1).expect("two places");
        let start = |place| Self::start_in(new_profile(), Launch::default(), place);
        tokio::join!(start(place), start(places))
    }

    /// Ends the browser and starts it again with the same profile.
    pub async fn restart(mut self) -> Self {
        self.end().await;
        Self::start_in(self.profile, self.launch, self.place).await
    }

    /// Kills the browser, all of its processes at once, and starts it again with the same profile.
    #[cfg(target_os = "linux")]
    pub async fn kill(mut self) -> Self {
        self.signal_all(Signal::KILL);
        patiently("the browser's end", self.child.wait()).await.expect("a child to wait for");
        Self::start_in(self.profile, self.launch, self.place).await
    }

    async fn start_in(profile: TempDir, launch: Launch, place: SemaphorePermit<'static>) -> Self {
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
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        let has_display =
            std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some();
        if let Some(display) = &launch.display {
            command.env("DISPLAY", display).env_remove("WAYLAND_DISPLAY");
        } else if !(launch.visible && has_display) {
            command.arg("--headless=new");
        }
        if launch.density != 1 {
            command.arg(format!("--force-device-scale-factor={}", launch.density));
        }
        let mut extensions = launch.extension.display().to_string();
        if let Some(beside) = &launch.beside {
            extensions += &format!(",{}", beside.display());
        }
        command.arg(format!("--load-extension={extensions}"));
        let names = match launch.only_site {
            Some(port) => format!("MAP * 127.0.0.1:{port}, EXCLUDE 127.0.0.1"),
            None => "MAP *.test 127.0.0.1".to_owned(),
        };
        command.arg(format!("--host-resolver-rules={names}"));
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
                tokio::time::sleep(POLL).await;
            }
        });
        let address = address.await.expect("Chromium opens its DevTools port");
        let devtools = DevTools::connect(&address).await;
        let browser = Self { child, profile, devtools, launch, place };
        browser.extension_loaded().await;
        browser
    }

    async fn extension_loaded(&self) {
        let start = tokio::time::Instant::now();
        while self.worker().await.is_none() {
            assert!(start.elapsed() < START, "the extension's service worker did not start");
            tokio::time::sleep(POLL).await;
        }
    }

    /// The target of the extension's service worker, if it runs.
    async fn worker(&self) -> Option<String> {
        let url = format!("chrome-extension://{EXTENSION_ID}/background.js");
        let targets = self.targets().await;
        let worker = targets.iter().find(|target| target["url"] == url.as_str())?;
        Some(worker["targetId"].as_str().expect("an id").to_owned())
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

    /// A new tab behind the one in front.
    pub async fn open_behind(&self, url: &str) -> Page<'_> {
        let params = json!({"url": url, "background": true});
        let target = self.devtools.call("Target.createTarget", params, None).await;
        self.attach(target["targetId"].as_str().expect("a target")).await
    }

    /// A new window, which is drawn whatever else is in front.
    pub async fn open_window(&self, url: &str) -> Page<'_> {
        let params = json!({"url": url, "newWindow": true});
        let target = self.devtools.call("Target.createTarget", params, None).await;
        self.attach(target["targetId"].as_str().expect("a target")).await
    }

    /// An existing tab, found by a part of its address.
    pub async fn find(&self, part_of_url: &str) -> Page<'_> {
        self.find_any("page", part_of_url).await
    }

    /// A frame of another site than the page around it, found by a part of its address.
    pub async fn find_frame(&self, part_of_url: &str) -> Page<'_> {
        self.find_any("iframe", part_of_url).await
    }

    async fn find_any(&self, kind: &str, part_of_url: &str) -> Page<'_> {
        let start = tokio::time::Instant::now();
        loop {
            let targets = self.targets().await;
            let fits = |target: &&Value| {
                target["type"] == kind
                    && target["url"].as_str().is_some_and(|url| url.contains(part_of_url))
            };
            if let Some(target) = targets.iter().find(fits) {
                return self.attach(target["targetId"].as_str().expect("a target")).await;
            }
            assert!(start.elapsed() < START, "no {kind} shows {part_of_url}: {targets:?}");
            tokio::time::sleep(POLL).await;
        }
    }

    async fn attach(&self, target: &str) -> Page<'_> {
        let params = json!({"targetId": target, "flatten": true});
        let attached = self.devtools.call("Target.attachToTarget", params, None).await;
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        Page { devtools: &self.devtools, session, target: target.to_owned() }
    }

    /// The popup, shown in a tab.
    pub async fn popup(&self) -> Page<'_> {
        let popup = self.open(&format!("chrome-extension://{EXTENSION_ID}/popup.html")).await;
        popup.until("document.getElementById('versions')?.textContent").await;
        popup
    }

    /// A page of the extension without scripts, from which tests call the extension's APIs.
    pub async fn inspector(&self) -> Page<'_> {
        let page = self.open(&format!("chrome-extension://{EXTENSION_ID}/icons/16.png")).await;
        page.until("globalThis.chrome?.tabs").await;
        page
    }

    /// Pairs the extension with the daemon on `port` as a person does: in the popup.
    pub async fn pair(&self, port: u16, code: &str) {
        let popup = self.popup().await;
        popup.set_port(port).await;
        popup.enter_code(code).await;
        popup.until("document.getElementById('status').dataset.state === 'connected'").await;
        popup.close().await;
    }

    /// Ends the service worker, as Chrome does whenever it likes. Nothing happens if it does not run.
    pub async fn stop_worker(&self) {
        let Some(worker) = self.worker().await else { return };
        // It may have ended by itself meanwhile.
        let _ =
            self.devtools.try_call("Target.closeTarget", json!({"targetId": worker}), None).await;
        let start = tokio::time::Instant::now();
        while self.worker().await.as_ref() == Some(&worker) {
            assert!(start.elapsed() < START, "the service worker did not stop");
            tokio::time::sleep(POLL).await;
        }
    }

    /// Wakes the service worker by an event: a background tab opens and closes.
    pub async fn wake_worker(&self) {
        let params = json!({"url": "about:blank", "background": true});
        let target = self.devtools.call("Target.createTarget", params, None).await;
        self.devtools
            .call("Target.closeTarget", json!({"targetId": target["targetId"]}), None)
            .await;
    }

    /// Whether the service worker runs.
    pub async fn has_worker(&self) -> bool {
        self.worker().await.is_some()
    }

    /// Evaluates an expression in the service worker, which must run.
    pub async fn in_worker(&self, expression: &str) -> Value {
        let worker = self.attach(&self.worker().await.expect("a running worker")).await;
        let value = worker.evaluate(expression).await;
        // A worker that DevTools is attached to never ends by itself.
        let params = json!({"sessionId": worker.session});
        self.devtools.call("Target.detachFromTarget", params, None).await;
        value
    }

    /// Suspends every process of the browser until `thaw`, as when the machine sleeps.
    #[cfg(target_os = "linux")]
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Resumes every process of the browser.
    #[cfg(target_os = "linux")]
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    #[cfg(target_os = "linux")]
    fn signal_all(&self, signal: Signal) {
        for pid in self.family() {
            let own = Pid::from_raw(pid.cast_signed()).expect("a process id");
            // A helper process may have ended meanwhile.
            let _ = kill_process(own, signal);
        }
    }

    /// Every process of the browser, each before its children.
    #[cfg(target_os = "linux")]
    fn family(&self) -> Vec<u32> {
        let mut family = vec![self.child.id().expect("a running child")];
        for index in 0.. {
            let Some(&pid) = family.get(index) else { break };
            for thread in
                std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten()
            {
                let children = std::fs::read_to_string(thread.path().join("children"));
                family.extend(
                    children
                        .unwrap_or_default()
                        .split_whitespace()
                        .filter_map(|pid| pid.parse::<u32>().ok()),
                );
            }
        }
        family
    }

    /// The folder that it downloads to.
    pub fn downloads(&self) -> PathBuf {
        self.profile.path().join("Downloads")
    }

    /// How many bytes of memory the processes have that run the extension, its worker first of all: all that is resident and
    /// of no file, what they share with others included.
    #[cfg(target_os = "linux")]
    pub fn extension_memory(&self) -> u64 {
        let mut bytes = 0;
        for pid in self.family() {
            let read = |what: &str| std::fs::read_to_string(format!("/proc/{pid}/{what}"));
            // A helper process may have ended meanwhile.
            let (Ok(line), Ok(status)) = (read("cmdline"), read("status")) else { continue };
            // The zygote joins the arguments of those that it starts.
            if !line.contains(" --extension-process ") {
                continue;
            }
            for name in ["RssAnon:", "RssShmem:"] {
                let line = status.lines().find_map(|line| line.strip_prefix(name));
                let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
                bytes += number.map_or(0, |text| text.parse::<u64>().expect("a number") << 10);
            }
        }
        bytes
    }

    /// Ends the browser and waits until it is gone.
    pub async fn close(mut self) {
        self.end().await;
        // The browser's helpers may still write there, which must not fail the removal.
        wait_for("the profile to be free", || std::fs::remove_dir_all(self.profile.path()).ok())
            .await;
    }

    async fn end(&mut self) {
        // The connection may end before the answer comes.
        let _ = self.devtools.try_call("Browser.close", json!({}), None).await;
        patiently("the browser's end", self.child.wait()).await.expect("a child to wait for");
    }
}

fn new_profile() -> TempDir {
    tempfile::Builder::new().prefix("bproxy-profile-").tempdir().expect("a directory")
}

fn chromium() -> PathBuf {
    std::env::var_os("CHROMIUM").map_or_else(|| "chromium".into(), Into::into)
}
