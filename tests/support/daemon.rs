//! One run of `bproxy daemon` in its own state directory: start, readiness, log, signals, exit.

use std::fs;
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::client::{Client, request};
use super::extension::{FakeExtension, Pairing, Tab, origin};
use super::{patiently, wait_for};

/// A state directory (0700), deleted with its last clone.
#[derive(Clone)]
pub struct Home {
    /// Holds the state directory and, beside it, what the daemons print.
    root: Arc<TempDir>,
}

impl Home {
    pub fn new() -> Self {
        let root = tempfile::Builder::new()
            .prefix("bproxy-test-")
            .tempdir()
            .expect("a temporary directory");
        let home = Self { root: Arc::new(root) };
        fs::create_dir(home.path()).expect("a fresh directory");
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).expect("own directory");
        home
    }

    /// The directory that `BPROXY_HOME` names.
    pub fn path(&self) -> PathBuf {
        self.root.path().join("home")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The file's text.
    ///
    /// # Panics
    /// If it is not there.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name))
            .unwrap_or_else(|error| panic!("reading {name}: {error}"))
    }

    /// Permission bits of a file, or of the home itself for `""`.
    pub fn mode(&self, name: &str) -> u32 {
        let path = if name.is_empty() { self.path() } else { self.file(name) };
        fs::metadata(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).mode()
            & 0o7777
    }

    /// A daemon to be started here, in the environment of tests.
    pub fn daemon(self) -> Setup {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bproxy"));
        command.arg("daemon").stdin(Stdio::null());
        self.setup(command)
    }

    /// A daemon to be started here by socket activation, as systemd does it.
    pub fn activated(self, descriptor: impl Into<OwnedFd>) -> Setup {
        // LISTEN_PID has to be the daemon's, which is the shell's: it execs the daemon.
        let script =
            "exec 3<&0 </dev/null; LISTEN_PID=${LISTEN_PID-$$}; export LISTEN_PID; exec \"$@\"";
        let mut command = Command::new("sh");
        command
            .args(["-c", script, "sh", env!("CARGO_BIN_EXE_bproxy"), "daemon", "--activated"])
            .stdin(Stdio::from(descriptor.into()));
        let mut setup = self.setup(command);
        setup.command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "bproxy");
        setup
    }

    /// A daemon to be started here that may have no more than `count` descriptors.
    pub fn daemon_with_descriptors(self, count: usize) -> Setup {
        self.daemon_by(&["sh", "-c", &format!("ulimit -n {count}; exec \"$@\""), "sh"])
    }

    /// A daemon to be started here by another program, which gets its command line after its own arguments.
    pub fn daemon_by(self, starter: &[&str]) -> Setup {
        let mut command = Command::new(starter[0]);
        command
            .args(&starter[1..])
            .args([env!("CARGO_BIN_EXE_bproxy"), "daemon"])
            .stdin(Stdio::null());
        self.setup(command)
    }

    fn setup(self, mut command: Command) -> Setup {
        command
            .env_clear()
            .envs(super::counted())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root.path())
            .envs(super::settings(&self.path()))
            .kill_on_drop(true);
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let output = |name: &str| self.root.path().join(format!("{run:06}.{name}"));
        Setup { stdout: output("stdout"), stderr: output("stderr"), home: self, command }
    }

    /// All records of the log so far, in order.
    ///
    /// # Panics
    /// If a whole line is not a JSON object.
    pub fn log(&self) -> Vec<Value> {
        let mut files: Vec<_> = fs::read_dir(self.file("logs"))
            .into_iter()
            .flatten()
            .map(|entry| entry.expect("a log").path())
            .collect();
        files.sort();
        let text: String =
            files.iter().map(|file| fs::read_to_string(file).expect("a readable log")).collect();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| {
                serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("log line {line:?}: {error}"))
            })
            .collect()
    }

    /// The log's text, as on disk.
    pub fn log_text(&self) -> String {
        self.log().iter().map(|record| format!("{record}\n")).collect()
    }

    /// The records of one event.
    pub fn records(&self, event: &str) -> Vec<Value> {
        self.log().into_iter().filter(|record| record["event"] == event).collect()
    }

    /// Waits for a record of `event` that `fits`.
    pub async fn record(&self, event: &str, fits: impl Fn(&Value) -> bool) -> Value {
        wait_for(&format!("a log record {event:?}"), || self.records(event).into_iter().find(&fits))
            .await
    }

    /// The output of this home's daemons so far on `stdout` or `stderr`, in the order of their starts.
    pub fn printed(&self, stream: &str) -> String {
        let entries = fs::read_dir(self.root.path()).expect("the root");
        let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == stream));
        files.sort();
        files.iter().map(|path| read(path)).collect()
    }
}

impl Default for Home {
    fn default() -> Self {
        Self::new()
    }
}

/// A daemon about to start.
pub struct Setup {
    home: Home,
    command: Command,
    /// Where this run's output goes.
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Setup {
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub fn envs(
        mut self,
        variables: impl IntoIterator<Item = (&'static str, std::ffi::OsString)>,
    ) -> Self {
        self.command.envs(variables);
        self
    }

    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    fn spawn(&mut self) -> Child {
        let sink = |path: &Path| fs::File::create(path).expect("a fresh file");
        let (stdout, stderr) = (sink(&self.stdout), sink(&self.stderr));
        self.command.stdout(stdout).stderr(stderr).spawn().expect("the bproxy binary runs")
    }

    /// Starts the daemon and waits until it is ready: until it has written its `port` file.
    ///
    /// # Panics
    /// If it ends instead, with what it said.
    pub async fn start(mut self) -> Daemon {
        let identity =
            |path: &Path| fs::metadata(path).ok().map(|it| (it.ino(), it.mtime(), it.mtime_nsec()));
        let port_file = self.home.file("port");
        let stale = identity(&port_file);
        let mut child = self.spawn();
        let port = wait_for("the daemon's port file", || {
            if let Some(status) = child.try_wait().expect("a child to ask") {
                panic!("the daemon ended with {status}: {}", read(&self.stderr));
            }
            let fresh = identity(&port_file).is_some_and(|found| Some(found) != stale);
            fresh.then(|| read(&port_file).trim().parse().ok()).flatten()
        })
        .await;
        // Where it is in the keyring, the test has to ask for it itself.
        let token = read(&self.home.file("token")).trim().to_owned();
        let (client, home, pairing) = (Client { port, token }, self.home.clone(), Mutex::new(None));
        Daemon { client, home, child, pairing, setup: self }
    }

    /// Starts a daemon and leaves everything else to the caller. The home goes away when the returned one does.
    pub fn spawned(mut self) -> (Child, Home) {
        (self.spawn(), self.home)
    }

    /// Starts a daemon that must refuse to run, and waits for its end.
    pub async fn refused(mut self) -> Exit {
        let mut child = self.spawn();
        let status =
            patiently("the daemon's refusal", child.wait()).await.expect("a child to wait for");
        assert!(!status.success(), "the daemon ended well instead of refusing");
        Exit::of(status, &self)
    }

    /// Starts a daemon and waits either for its readiness or for its end.
    pub async fn start_or_end(mut self) -> Result<Child, Exit> {
        let mut child = self.spawn();
        let pid_file = self.home.file("bproxy.pid");
        let own = child.id().expect("a running child").to_string();
        let end = wait_for("a daemon's readiness or end", || {
            let ended = child.try_wait().expect("a child to ask");
            let has_port =
                fs::symlink_metadata(self.home.file("port")).is_ok_and(|port| port.is_file());
            let is_ready = has_port && read(&pid_file).trim() == own;
            if ended.is_some() || is_ready { Some(ended) } else { None }
        });
        match end.await {
            Some(status) => Err(Exit::of(status, &self)),
            None => Ok(child),
        }
    }
}

/// How a daemon ended, and the home that it left.
pub struct Exit {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
    pub home: Home,
}

impl Exit {
    fn of(status: ExitStatus, setup: &Setup) -> Self {
        Self {
            status,
            stdout: read(&setup.stdout),
            stderr: read(&setup.stderr),
            home: setup.home.clone(),
        }
    }
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    client: Client,
    pub home: Home,
    child: Child,
    /// How it was started.
    setup: Setup,
    /// How this daemon's extensions were paired; kept over restarts, as a browser does.
    pairing: Mutex<Option<Pairing>>,
}

impl Deref for Daemon {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Daemon {
    /// Starts a daemon with nothing special in a fresh home.
    pub async fn start() -> Self {
        Home::new().daemon().start().await
    }

    /// Starts a daemon with a connected extension that has opened one tab.
    pub async fn with_tab() -> (Self, FakeExtension, Tab) {
        let daemon = Self::start().await;
        let mut extension = daemon.extension().await;
        let tab = extension.open_tab(&daemon).await;
        (daemon, extension, tab)
    }

    pub fn client(&self) -> Client {
        self.client.clone()
    }

    pub fn pid(&self) -> Pid {
        let pid = self.child.id().expect("a child that has not been waited for");
        Pid::from_raw(pid.cast_signed()).expect("a process id")
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a signal to an own child");
    }

    /// Connects often, as far as the system allows, while the daemon accepts nothing.
    ///
    /// # Panics
    /// If a connection had to be tried again, or if the daemon does not serve afterwards.
    pub async fn takes_a_burst(&self) {
        let allowed = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
        let burst = allowed.trim().parse().unwrap_or(128).min(900) - 28;
        self.signal(Signal::STOP);
        let started = Instant::now();
        let mut waiting = Vec::new();
        for _ in 0..burst {
            waiting.push(self.connect().await);
        }
        // A connection that finds the queue full tries again after a second.
        assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
        self.signal(Signal::CONT);
        self.send(request("session.list")).await.data();
    }

    /// Waits for the daemon's end.
    pub async fn ended(mut self) -> Exit {
        let status =
            patiently("the daemon's end", self.child.wait()).await.expect("a child to wait for");
        Exit::of(status, &self.setup)
    }

    /// Ends the daemon by SIGTERM and requires exit status 0.
    pub async fn stop(self) -> Exit {
        self.signal(Signal::TERM);
        let exit = self.ended().await;
        assert!(exit.status.success(), "the daemon ended with {}: {}", exit.status, exit.stderr);
        exit
    }

    /// Stops the daemon and starts the next one in the same home. The extension stays paired.
    pub async fn restart(self) -> Self {
        let pairing = self.pairing.lock().expect("no panic inside").clone();
        let daemon = self.stop().await.home.daemon().start().await;
        *daemon.pairing.lock().expect("no panic inside") = pairing;
        daemon
    }

    /// Kills the daemon and starts the next one in the same home. The extension stays paired.
    pub async fn kill_and_restart(self) -> Self {
        let pairing = self.pairing.lock().expect("no panic inside").clone();
        let daemon = self.kill().await.home.daemon().start().await;
        *daemon.pairing.lock().expect("no panic inside") = pairing;
        daemon
    }

    /// Ends the daemon by SIGKILL: it can tidy nothing.
    pub async fn kill(self) -> Exit {
        self.signal(Signal::KILL);
        self.ended().await
    }

    pub fn log(&self) -> Vec<Value> {
        self.home.log()
    }

    pub fn records(&self, event: &str) -> Vec<Value> {
        self.home.records(event)
    }

    pub async fn record(&self, event: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.home.record(event, fits).await
    }

    /// Waits until the daemon has taken in the command `id`, as its log tells; a round trip through the daemon then
    /// makes sure that it has also finished with its admission.
    pub async fn admitted(&self, id: &str) {
        self.record("received", |record| record["id"] == id).await;
        self.get("/health").await;
    }

    /// Several round trips on later connections, for what neither the log nor the extension tells (a join, a hang-up):
    /// by then the daemon has dealt with what earlier connections brought.
    pub async fn settled(&self) {
        for _ in 0..5 {
            self.get("/health").await;
        }
    }

    /// The pairing code that can be claimed now.
    pub fn pairing_code(&self) -> String {
        let pairing: Value =
            serde_json::from_str(&self.home.read("pairing.json")).expect("JSON in pairing.json");
        pairing["pairingCode"].as_str().expect("a code in pairing.json").to_owned()
    }

    /// Claims the current code for the extension of `origin`.
    pub async fn pair_as(&self, origin: &str) -> Pairing {
        let reply = self.claim(&self.pairing_code(), origin).await;
        let token = reply.data()["extensionToken"].as_str().expect("a token").to_owned();
        let pairing = Pairing { token, origin: origin.to_owned() };
        *self.pairing.lock().expect("no panic inside") = Some(pairing.clone());
        pairing
    }

    /// The pairing of this daemon's extensions, made on the first call.
    pub async fn pairing(&self) -> Pairing {
        let known = self.pairing.lock().expect("no panic inside").clone();
        match known {
            Some(pairing) => pairing,
            None => self.pair_as(&origin('a')).await,
        }
    }

    /// A connected extension that has not said anything.
    pub async fn connected(&self) -> FakeExtension {
        let pairing = self.pairing().await;
        FakeExtension::connect(self.port, &pairing)
            .await
            .unwrap_or_else(|status| panic!("the upgrade got {status}"))
    }

    /// A connected extension that has introduced itself as `instance`.
    pub async fn extension_named(&self, instance: &str) -> FakeExtension {
        let mut extension = self.connected().await;
        extension.hello(instance).await;
        extension.fence().await;
        extension
    }

    /// A connected extension that numbers elements and marks documents, of this instance.
    pub async fn numbering_extension(&self, instance: &str) -> FakeExtension {
        let mut extension = self.connected().await;
        extension.hello_of_revision_1(instance).await;
        extension.fence().await;
        extension
    }

    /// A connected extension of this instance that holds these tabs for sessions.
    pub async fn holding_extension(&self, instance: &str, tabs: &[(i64, &str)]) -> FakeExtension {
        let mut extension = self.connected().await;
        extension.hello_holding(instance, tabs).await;
        extension.fence().await;
        extension
    }

    /// A daemon with a browser that numbers elements, and a tab in it.
    pub async fn with_numbering_tab() -> (Self, FakeExtension, Tab) {
        let daemon = Self::start().await;
        let mut extension = daemon.numbering_extension("numbers").await;
        let tab = extension.open_tab(&daemon).await;
        (daemon, extension, tab)
    }

    /// A connected extension that has introduced itself, with an instance of its own.
    pub async fn extension(&self) -> FakeExtension {
        self.extension_named(&super::request("instance").id()).await
    }

    /// Two browsers, `work` and `home`, each with a tab; both tabs have the same raw number, as may happen.
    pub async fn two_browsers(&self) -> [(FakeExtension, Tab); 2] {
        let mut work = self.extension_named("work").await;
        work.number_tabs_from(10);
        let work_tab = work.open_tab(self).await;
        let mut home = self.extension_named("home").await;
        home.number_tabs_from(10);
        let home_tab = home.open_tab(self).await;
        assert_eq!(work_tab.id, home_tab.id);
        [(work, work_tab), (home, home_tab)]
    }

    /// A connected, anonymous extension: its first message was not a hello.
    pub async fn anonymous_extension(&self) -> FakeExtension {
        let mut extension = self.connected().await;
        extension.fence().await;
        extension
    }
}

/// The file's text, or nothing.
fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
