//! A disk that is soon full: a small file system in a mount namespace of its own, where nothing else on the machine is
//! touched. Everybody of this user can use it by a path that leads through `/proc`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use super::patiently;

/// It ends when dropped.
pub struct Disk {
    /// Keeps the namespace.
    holder: Child,
    place: TempDir,
}

impl Disk {
    /// A disk of this size, such as `256k`.
    ///
    /// # Panics
    /// If the system lets this user make none.
    pub async fn of(size: &str) -> Self {
        let place = tempfile::tempdir().expect("a folder");
        let mut command = Command::new("unshare");
        // Without privileges, in a user namespace, where the system lets users make some.
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        let script = "mount -t tmpfs -o size=$0,mode=700 tmpfs \"$1\" && echo ready && exec cat";
        let mut holder = command
            .args(["--mount", "--propagation=private", "sh", "-c", script, size])
            .arg(place.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("unshare");
        let mut ready = [0; 6];
        let said = holder.stdout.as_mut().expect("its words").read_exact(&mut ready);
        patiently("a mount", said).await.expect("a file system of its own");
        Self { holder, place }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        let pid = self.holder.id().expect("a running holder");
        PathBuf::from(format!("/proc/{pid}/root{}", self.place.path().display()))
    }

    /// Where programs have it that are started by `entering`: the kernel keeps those in a sandbox from following a path through
    /// the namespaces of others.
    pub fn inside(&self) -> &Path {
        self.place.path()
    }

    /// The command that starts another one where the disk is mounted.
    pub fn entering(&self) -> Vec<String> {
        let target = format!("--target={}", self.holder.id().expect("a running holder"));
        let mut command = vec!["nsenter".to_owned(), target];
        if !rustix::process::geteuid().is_root() {
            command.extend(["--user", "--preserve-credentials"].map(str::to_owned));
        }
        command.push("--mount".to_owned());
        command
    }

    /// Makes it the folder at `path`, where nothing is, or an empty folder.
    pub fn take_the_place_of(&self, path: &Path) {
        let _ = fs::remove_dir(path);
        std::os::unix::fs::symlink(self.path(), path).expect("a free place");
    }

    /// Fills it up to the last block.
    pub fn fill(&self) {
        let mut file = fs::File::create(self.filler()).expect("room for a name");
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    /// Makes room again.
    pub fn free(&self) {
        fs::remove_file(self.filler()).expect("what fills it");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    /// What is on it, but for what fills it.
    pub fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("the disk").flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "filler").collect()
    }
}
