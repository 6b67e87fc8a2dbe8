//! A desktop session for one test: its own D-Bus, and on it the real GNOME Keyring, stored in memory.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use super::{bproxy, skipped, wait_for};

const PARTS: [&str; 5] =
    ["dbus-daemon", "dbus-monitor", "dbus-send", "gnome-keyring-daemon", "secret-tool"];

/// Without activation: only what a test has started runs.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"#;

/// A D-Bus session, ended when dropped.
pub struct Desktop {
    root: TempDir,
    _bus: Child,
    keyring: Option<Child>,
}

impl Desktop {
    /// Whether the parts are installed; if not, the calling test is reported as skipped.
    ///
    /// # Panics
    /// In continuous integration if they are not.
    pub fn is_there() -> bool {
        let missing: Vec<_> = PARTS.iter().filter(|part| !installed(part)).collect();
        if !missing.is_empty() {
            skipped(&format!("not installed: {missing:?}, run `make prerequisites`"));
        }
        missing.is_empty()
    }

    /// A session without a keyring; `None` where the parts are not installed.
    pub async fn bare() -> Option<Self> {
        if !Self::is_there() {
            return None;
        }
        let root = tempfile::Builder::new()
            .prefix("bproxy-desktop-")
            .tempdir_in("/dev/shm")
            .expect("a directory in memory");
        let run = root.path().join("run");
        fs::create_dir(&run).expect("a fresh directory");
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).expect("own directory");
        let socket = run.join("bus");
        let config = root.path().join("bus.xml");
        fs::write(&config, BUS.replace("SOCKET", &socket.display().to_string())).expect("a file");
        let bus = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--nopidfile"])
            .env_clear()
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("dbus-daemon runs");
        wait_for("the bus", || socket.exists().then_some(())).await;
        Some(Self { root, _bus: bus, keyring: None })
    }

    /// A session with an unlocked keyring.
    pub async fn new() -> Option<Self> {
        let mut desktop = Self::bare().await?;
        desktop.start_keyring(true).await;
        Some(desktop)
    }

    /// Starts the keyring. One that has not been unlocked before in this session has no collection.
    pub async fn start_keyring(&mut self, unlock: bool) {
        let mut command = Command::new("gnome-keyring-daemon");
        command.args(["--foreground", "--components=secrets"]);
        if unlock {
            command.arg("--unlock");
        }
        let mut child = command
            .env_clear()
            .envs(self.env())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("gnome-keyring-daemon runs");
        let mut password = child.stdin.take().expect("a pipe");
        password.write_all(b"password").await.expect("the keyring reads its password");
        drop(password);
        self.keyring = Some(child);
        wait_for("the keyring", || {
            self.secret_tool(&["search", "no", "such"]).status.success().then_some(())
        })
        .await;
    }

    /// Kills the keyring.
    pub async fn kill_keyring(&mut self) {
        let mut child = self.keyring.take().expect("a keyring to kill");
        child.kill().await.expect("an own child");
        wait_for("the keyring's end", || {
            (!self.secret_tool(&["search", "no", "such"]).status.success()).then_some(())
        })
        .await;
    }

    /// Makes the keyring hang for the rest of the test.
    pub fn stop_keyring(&self) {
        let pid = self.keyring.as_ref().and_then(Child::id).expect("a keyring");
        let pid = Pid::from_raw(pid.cast_signed()).expect("a process id");
        kill_process(pid, Signal::STOP).expect("an own child");
    }

    /// Unlocks the default collection, as the person does who signs in.
    pub async fn unlock(&mut self) {
        self.kill_keyring().await;
        self.start_keyring(true).await;
    }

    /// Locks the default collection, as the person can.
    pub fn lock(&self) {
        let locked = std::process::Command::new("dbus-send")
            .args(["--session", "--print-reply", "--dest=org.freedesktop.secrets"])
            .args(["/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock"])
            .arg("array:objpath:/org/freedesktop/secrets/aliases/default")
            .env_clear()
            .envs(self.env())
            .output()
            .expect("dbus-send runs");
        assert!(locked.status.success(), "{locked:?}");
    }

    /// Records the messages to the keyring from now on.
    pub async fn monitor(&self) -> BusMonitor {
        let file = self.root.path().join("messages");
        let monitor = Command::new("dbus-monitor")
            .args(["--session", "destination=org.freedesktop.secrets"])
            .env_clear()
            .envs(self.env())
            .stdin(Stdio::null())
            .stdout(fs::File::create(&file).expect("a file"))
            .kill_on_drop(true)
            .spawn()
            .expect("dbus-monitor runs");
        let recorded = BusMonitor { _monitor: monitor, file };
        recorded.messages(self).await;
        recorded
    }

    /// The environment that connects a process to this session.
    pub fn env(&self) -> Vec<(&'static str, OsString)> {
        let run = self.runtime();
        let mut address = OsString::from("unix:path=");
        address.push(run.join("bus"));
        vec![
            ("DBUS_SESSION_BUS_ADDRESS", address),
            ("XDG_RUNTIME_DIR", run.into()),
            ("XDG_DATA_HOME", self.root.path().join("data").into()),
            ("XDG_CONFIG_HOME", self.root.path().join("config").into()),
            ("XDG_CACHE_HOME", self.root.path().join("cache").into()),
            ("HOME", self.root.path().into()),
        ]
    }

    /// `XDG_RUNTIME_DIR`.
    pub fn runtime(&self) -> PathBuf {
        self.root.path().join("run")
    }

    /// The accounts that the keyring has items of bproxy for, in order.
    pub fn accounts(&self) -> Vec<String> {
        let found = self.secret_tool(&["search", "--all", "service", "bproxy"]);
        assert!(found.status.success(), "{found:?}");
        // The attributes are printed on standard error.
        let text = String::from_utf8(found.stderr).expect("text");
        let name = "attribute.username = ";
        let mut accounts: Vec<_> =
            text.lines().filter_map(|line| line.strip_prefix(name)).map(str::to_owned).collect();
        accounts.sort();
        accounts
    }

    /// The secret of one account.
    pub fn secret(&self, account: &str) -> String {
        let found = self.secret_tool(&["lookup", "service", "bproxy", "username", account]);
        assert!(found.status.success(), "{account}: {found:?}");
        String::from_utf8(found.stdout).expect("text")
    }

    fn secret_tool(&self, args: &[&str]) -> Output {
        std::process::Command::new("secret-tool")
            .args(args)
            .env_clear()
            .envs(self.env())
            .output()
            .expect("secret-tool runs")
    }

    /// A call of the command line in this session.
    pub fn bproxy(&self, home: &Path, store: &str) -> Command {
        let mut command = bproxy(home);
        command.envs(self.env()).env("BPROXY_SECRETS", store);
        command
    }
}

/// The recorded messages to the keyring; recording ends when it is dropped.
pub struct BusMonitor {
    _monitor: Child,
    file: PathBuf,
}

impl BusMonitor {
    /// All messages so far.
    pub async fn messages(&self, desktop: &Desktop) -> String {
        static FENCES: AtomicUsize = AtomicUsize::new(0);
        let fence = format!("fence{}", FENCES.fetch_add(1, Ordering::Relaxed));
        wait_for("the monitor to catch up", || {
            // A monitor that has just started misses some messages, so the fence is sent again.
            desktop.secret_tool(&["search", "fence", &fence]);
            let text = fs::read_to_string(&self.file).expect("a file");
            text.contains(&fence).then_some(text)
        })
        .await
    }
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).exists())
}
