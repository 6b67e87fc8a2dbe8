//! A machine in namespaces, booted by a real systemd, with a journal and with users whose service managers run.
//!
//! `machine.sh` boots it once for a test program, and it ends with that program. Its users are independent except for
//! the network, which they share: each has its own port for its daemon. A test that changes the machine itself boots
//! one for itself and its single user, with nothing of bproxy on it.
//!
//! ```ignore
//! let Some(user) = User::new() else { return };           // reported where machines cannot be booted
//! user.run(&["bproxy", "service", "install", "--now", "--port", &user.port()]).await.json();
//! user.run(&["systemctl", "--user", "start", "bproxy"]).await.succeeded();
//! ```

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdin, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::Instant;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::process::Command;

use super::cli::{Call, call};
use super::{PATIENCE, POLL, skipped};

/// Where the program under test is in the machine: a place that an installer would choose.
pub const BPROXY: &str = "/usr/local/bin/bproxy";

/// The ports of the users' daemons count from here, past the default one.
const FIRST_PORT: u16 = 9700;

/// Where the tests find programs.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// Programs that booting a machine needs.
const NEEDED: [&str; 5] = [
    "/lib/systemd/systemd",
    "/usr/bin/unshare",
    "/usr/bin/nsenter",
    "/usr/bin/dbus-daemon",
    "/lib/systemd/user/dbus.socket",
];

/// The booted machine.
pub struct Machine {
    /// The process id of its init, as seen from outside.
    pid: u32,
    /// Open as long as the machine is to run: it closes when this process ends, in whatever way.
    _hold: ChildStdin,
}

impl Machine {
    /// The machine of this test program, or `None` where none can be booted, which is reported as skipped.
    ///
    /// # Panics
    /// In continuous integration where none can be booted, and anywhere if it does not come up.
    pub fn booted() -> Option<&'static Self> {
        static MACHINE: OnceLock<Machine> = OnceLock::new();
        Self::can_boot().then(|| {
            MACHINE.get_or_init(|| {
                let machine = Self::boot();
                let program = File::open(env!("CARGO_BIN_EXE_bproxy")).expect("the program");
                let install = format!("cat >{BPROXY} && chmod 755 {BPROXY}");
                machine.now("sh", &["-c", &install], program.into());
                machine
            })
        })
    }

    /// A machine without the program under test, for the calling test alone; `None` and panics as with
    /// [`booted`](Self::booted).
    pub fn bare() -> Option<&'static Self> {
        // Machines end with the process.
        Self::can_boot().then(|| &*Box::leak(Box::new(Self::boot())))
    }

    fn can_boot() -> bool {
        static LACK: OnceLock<Option<String>> = OnceLock::new();
        let lack = LACK.get_or_init(missing_for_boot);
        if let Some(lack) = lack {
            skipped(&format!("no systemd: {lack}"));
        }
        lack.is_none()
    }

    fn boot() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/machine.sh");
        let log = tempfile::tempfile().expect("a temporary file");
        let mut child = process::Command::new("sh")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("a shell");
        let hold = child.stdin.take().expect("a pipe");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let pid = line.trim().parse().expect("the process id of a systemd");
        // It ends after this process, so nothing here can wait for it.
        drop(child);
        let machine = Self { pid, _hold: hold };
        let end = Instant::now() + PATIENCE;
        while !machine.path("/run/systemd/private").exists() {
            assert!(Instant::now() < end, "systemd does not answer");
            thread::sleep(POLL);
        }
        let booted = machine.now("systemctl", &["is-system-running", "--wait"], Stdio::null());
        assert_eq!(booted.trim(), "running");
        machine
    }

    /// Runs a program as root, and returns what it prints.
    fn now(&self, program: &str, args: &[&str], stdin: Stdio) -> String {
        let mut command = process::Command::new("nsenter");
        command.args(self.way_in()).arg(program).args(args).stdin(stdin);
        let output = command.env("PATH", PATH).output().expect("nsenter");
        assert!(output.status.success(), "{program} {args:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    fn way_in(&self) -> Vec<String> {
        let target = format!("--target={}", self.pid);
        let spaces = ["pid", "mount", "uts", "ipc", "cgroup", "net", "root", "wdns=/"];
        std::iter::once(target).chain(spaces.map(|space| format!("--{space}"))).collect()
    }

    /// A program that root runs in the machine.
    pub fn root(&self, program: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(self.way_in())
            .args(program)
            .env_clear()
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// A path of the machine as this process sees it.
    pub fn path(&self, inside: impl AsRef<Path>) -> PathBuf {
        let inside = inside.as_ref().strip_prefix("/").expect("an absolute path");
        Path::new("/proc").join(self.pid.to_string()).join("root").join(inside)
    }

    /// Moves this thread into the machine's network: connections that it opens from now on reach the daemons there.
    pub fn enter_network(&self) {
        let network = File::open(format!("/proc/{}/ns/net", self.pid)).expect("a network");
        move_into_link_name_space(network.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("a way into the network");
    }
}

/// Why no machine can be booted here, if none can.
fn missing_for_boot() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root may boot one: run the tests as root".into());
    }
    let missing = NEEDED.into_iter().find(|program| !Path::new(program).exists())?;
    Some(format!("{missing} is missing: run `make prerequisites`"))
}

/// A fresh user of the machine, whose manager runs as after a login.
pub struct User {
    pub machine: &'static Machine,
    pub name: String,
    pub uid: u32,
    /// Free for this user's daemon.
    pub port: u16,
}

impl User {
    /// A new user, and the calling thread enters the machine's network; `None` where no machine can be booted.
    pub fn new() -> Option<Self> {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let machine = Machine::booted()?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Apart from each other's: the doctor may have a setup take the next port that is free.
        Some(Self::on(machine, number, FIRST_PORT + number * 20))
    }

    /// The only user of a new machine without the program under test, whose daemon may have the default port; otherwise
    /// as [`new`](Self::new).
    pub fn alone() -> Option<Self> {
        Some(Self::on(Machine::bare()?, 0, bproxy::protocol::DEFAULT_PORT))
    }

    fn on(machine: &'static Machine, number: u16, port: u16) -> Self {
        let name = format!("tester{number}");
        // Numbered here, so that users that are created at the same time do not get the same id.
        let uid = u32::from(FIRST_PORT + number);
        let script = format!(
            "useradd --create-home --shell /bin/sh --uid {uid} {name} && loginctl enable-linger {name} && \
             systemctl start user@{uid}.service"
        );
        machine.now("flock", &["/run/users.lock", "sh", "-c", &script], Stdio::null());
        machine.enter_network();
        Self { machine, name, uid, port }
    }

    /// A program that this user runs, as in a login shell.
    pub fn command(&self, program: &[impl AsRef<OsStr>]) -> Command {
        let runtime = format!("/run/user/{}", self.uid);
        let environment = [
            format!("PATH={PATH}"),
            format!("USER={}", self.name),
            format!("LOGNAME={}", self.name),
            format!("HOME={}", self.home()),
            format!("DBUS_SESSION_BUS_ADDRESS=unix:path={runtime}/bus"),
            format!("XDG_RUNTIME_DIR={runtime}"),
        ];
        let mut command =
            self.machine.root(&["runuser", "-u", &self.name, "--", "env", "-C", &self.home()]);
        command.args(environment).args(program);
        command
    }

    /// Runs a program as this user and waits for its end.
    pub async fn run(&self, program: &[impl AsRef<OsStr>]) -> Call {
        call(self.command(program), None).await
    }

    /// Runs a shell script as this user.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn sh(&self, script: &str) -> impl Future<Output = String> {
        let command = self.command(&["sh", "-c", script]);
        let script = script.to_owned();
        async move {
            let call = call(command, None).await;
            assert_eq!(call.code, 0, "{script}: {call:?}");
            call.stdout
        }
    }

    /// Runs `bproxy`.
    pub async fn bproxy(&self, args: &[&str]) -> Call {
        self.run(&[&[BPROXY], args].concat()).await
    }

    /// Runs `systemctl --user`, which must succeed, and returns what it prints, trimmed.
    pub async fn systemctl(&self, args: &[&str]) -> String {
        let call = self.run(&[&["systemctl", "--user"], args].concat()).await;
        assert_eq!(call.code, 0, "systemctl --user {args:?}: {call:?}");
        call.stdout.trim().to_owned()
    }

    /// One property of one of the user's units, as `systemctl show` tells it.
    pub async fn property(&self, unit: &str, name: &str) -> String {
        self.systemctl(&["show", unit, "--value", "--property", name]).await
    }

    /// The user's home directory, inside.
    pub fn home(&self) -> String {
        format!("/home/{}", self.name)
    }

    /// A file in the user's home directory as this process sees it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.machine.path(self.home()).join(name)
    }
}
