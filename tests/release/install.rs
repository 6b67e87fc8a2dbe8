//! `packaging/install.sh` as people run it, on what `make packages` has made: what it installs, what it refuses, and that
//! uninstalling leaves nothing behind.

#![cfg(target_os = "linux")]

use std::borrow::BorrowMut;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Home, artefact};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/install.sh");

/// Where a person installs a release, and what they install it from.
struct Place {
    folder: TempDir,
    /// The release, with its SHA-256 beside it.
    tarball: PathBuf,
    /// The state directory of its daemon.
    home: Home,
}

impl Place {
    /// None, said and counted, where no release has been made.
    fn new() -> Option<Self> {
        let made = artefact(".tar.gz")?;
        let folder = tempfile::tempdir().expect("a folder");
        let tarball = folder.path().join(made.file_name().expect("a name"));
        fs::copy(&made, &tarball).expect("a copy");
        fs::copy(sha256_file(&made), sha256_file(&tarball)).expect("a copy");
        Some(Self { folder, tarball, home: Home::new() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Not there before the first installation, and of a name that a careless script stumbles over.
    fn prefix(&self) -> PathBuf {
        self.path("my $HOME; it's * here/local")
    }

    fn program(&self) -> PathBuf {
        self.prefix().join("bin/bproxy")
    }

    /// A program with nothing of this process's environment but the search path.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").expect("a search path"))
            .env("HOME", self.folder.path())
            .envs(crate::support::settings(&self.home.path()))
            .stdin(Stdio::null());
        command
    }

    /// The script, told to use the prefix.
    fn script(&self, args: &[&str]) -> Command {
        let mut command = self.command("sh");
        command.arg(SCRIPT).arg("--prefix").arg(self.prefix()).args(args);
        command
    }

    fn tarball(&self) -> &str {
        self.tarball.to_str().expect("text")
    }

    fn install(&self) -> String {
        succeeded(self.script(&[self.tarball()]))
    }

    fn uninstall(&self) -> String {
        succeeded(self.script(&["--uninstall"]))
    }

    fn bproxy(&self, args: &[&str]) -> Value {
        let mut command = self.command(self.program());
        serde_json::from_str(&succeeded(command.args(args))).expect("JSON")
    }

    /// Lays out the release, and returns its folder.
    fn unpacked(&self) -> PathBuf {
        let folder = self.path("unpacked");
        fs::create_dir(&folder).expect("a folder");
        let mut tar = self.command("tar");
        succeeded(tar.arg("-xzf").arg(&self.tarball).arg("-C").arg(&folder));
        let entry = fs::read_dir(&folder).expect("a folder").next().expect("one entry");
        entry.expect("an entry").path()
    }

    /// Packs a changed release, which has a SHA-256 of its own, in place of the first.
    fn pack(&self, release: &Path) {
        let folder = release.parent().expect("a folder");
        let mut tar = self.command("tar");
        succeeded(tar.arg("-czf").arg(&self.tarball).arg("-C").arg(folder).arg("."));
        let mut sha256sum = self.command("sha256sum");
        let sum = succeeded(sha256sum.arg(&self.tarball));
        fs::write(sha256_file(&self.tarball), sum).expect("the SHA-256");
    }

    /// All that is installed, with contents and modes.
    fn installed(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut files = BTreeMap::new();
        collect(&self.prefix(), &mut files);
        files
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The daemon that a failed test leaves.
        if self.program().exists() {
            let _ = self.command(self.program()).args(["service", "stop"]).output();
        }
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else {
            let mode = path.metadata().expect("a file").permissions().mode() & 0o777;
            let contents = fs::read(&path).expect("contents");
            files.insert(path, (mode, contents));
        }
    }
}

fn sha256_file(tarball: &Path) -> PathBuf {
    PathBuf::from(format!("{}.sha256", tarball.display()))
}

#[track_caller]
fn succeeded(mut command: impl BorrowMut<Command>) -> String {
    let command = command.borrow_mut();
    let output = command.output().expect("it runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The message of a script that refuses.
#[track_caller]
fn refused(mut command: Command) -> String {
    let output = command.output().expect("it runs");
    assert!(output.status.code() == Some(1) && output.stdout.is_empty(), "{command:?}: {output:?}");
    let message = String::from_utf8(output.stderr).expect("text");
    assert!(message.starts_with("install.sh: ") && message.lines().count() == 1, "{message}");
    message
}

/// A folder with stand-ins for programs, to be put before all others in the search path.
fn stand_ins(place: &Place, programs: &[(&str, &str)]) -> OsString {
    let folder = place.path("stand-ins");
    fs::create_dir(&folder).expect("a folder");
    for (name, script) in programs {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let path = std::env::var("PATH").expect("a search path");
    format!("{}:{path}", folder.display()).into()
}

#[test]
fn an_unpacked_release_installs_what_it_lists_and_nothing_else() {
    let Some(place) = Place::new() else { return };
    let release = place.unpacked();
    let mut script = place.command("sh");
    let told =
        succeeded(script.arg(release.join("install.sh")).arg("--prefix").arg(place.prefix()));
    let program = place.program();
    assert!(told.contains(program.to_str().expect("text")), "{told}");
    assert!(
        told.contains("is not in your PATH") && told.contains("service install --now"),
        "{told}"
    );

    let list = fs::read_to_string(release.join("files")).expect("the list");
    let mut listed: Vec<_> = list.lines().map(|file| place.prefix().join(file)).collect();
    listed.push(place.prefix().join("share/bproxy/installed"));
    listed.sort();
    let installed = place.installed();
    assert_eq!(installed.keys().cloned().collect::<Vec<_>>(), listed);
    for (path, (mode, _)) in &installed {
        let is_program = [program.clone(), path.with_file_name("install.sh")].contains(path);
        assert_eq!(*mode, if is_program { 0o755 } else { 0o644 }, "{}", path.display());
    }
    for file in [
        "share/man/man1/bproxy-tab-open.1.gz",
        "share/bash-completion/completions/bproxy",
        "share/bproxy/extension/manifest.json",
        "share/doc/bproxy/LICENSE",
    ] {
        assert!(place.prefix().join(file).exists(), "{file}");
    }
    let version = succeeded(place.command(&program).arg("--version"));
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    let status = place.command(&program).args(["service", "status"]).output().expect("it runs");
    assert_eq!(status.status.code(), Some(3), "{status:?}");
}

#[test]
fn a_program_on_the_search_path_is_told_without_a_warning() {
    let Some(place) = Place::new() else { return };
    let search = format!("{}:/usr/bin:/bin", place.program().parent().expect("a folder").display());
    let mut script = place.script(&[place.tarball()]);
    let told = succeeded(script.env("PATH", search));
    assert!(!told.contains("PATH"), "{told}");
}

#[test]
fn a_tarball_that_is_not_the_expected_one_is_refused_and_nothing_changes() {
    let Some(place) = Place::new() else { return };
    place.install();
    let before = place.installed();

    let mut bytes = fs::read(&place.tarball).expect("the tarball");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&place.tarball, bytes).expect("the tarball");
    let message = refused(place.script(&[place.tarball()]));
    let sum = fs::read_to_string(sha256_file(&place.tarball)).expect("the SHA-256");
    let expected = sum.split(' ').next().expect("a hash");
    assert!(message.contains("not unpacked") && message.contains(expected), "{message}");

    let zeros = "0".repeat(64);
    let message = refused(place.script(&["--sha256", &zeros, place.tarball()]));
    assert!(message.contains(&zeros), "what is given counts: {message}");
    for nonsense in ["", "abc", "x"] {
        fs::write(sha256_file(&place.tarball), nonsense).expect("the SHA-256");
        let message = refused(place.script(&[place.tarball()]));
        assert!(message.contains("no SHA-256"), "{message}");
    }
    fs::remove_file(sha256_file(&place.tarball)).expect("it was there");
    let message = refused(place.script(&[place.tarball()]));
    assert!(message.contains("--sha256"), "{message}");
    assert_eq!(place.installed(), before);
}

#[test]
fn an_upgrade_leaves_the_running_daemon_alone_and_nothing_of_the_old_version() {
    let Some(place) = Place::new() else { return };
    place.install();
    let started = place.bproxy(&["service", "start"]);

    let release = place.unpacked();
    let files = fs::read_to_string(release.join("files")).expect("the list");
    let files = files.replace("share/doc/bproxy/README.md\n", "share/new/page\n");
    fs::write(release.join("files"), files).expect("the list");
    fs::create_dir(release.join("share/new")).expect("a folder");
    fs::write(release.join("share/new/page"), "new").expect("a file");
    let mut program = fs::read(release.join("bin/bproxy")).expect("the program");
    program.extend(b"of another version");
    fs::write(release.join("bin/bproxy"), &program).expect("the program");
    place.pack(&release);
    let told = place.install();
    assert!(told.contains("bproxy service restart"), "{told}");

    let installed = place.installed();
    assert_eq!(installed[&place.program()], (0o755, program));
    assert!(!installed.contains_key(&place.prefix().join("share/doc/bproxy/README.md")));
    assert_eq!(installed[&place.prefix().join("share/new/page")].1, b"new");
    assert!(installed.keys().all(|path| path.extension().is_none_or(|it| it != "new")));
    let status = place.bproxy(&["service", "status"]);
    assert_eq!((&status["running"], &status["pid"]), (&true.into(), &started["pid"]));
    let restarted = place.bproxy(&["service", "restart"]);
    assert_ne!(restarted["pid"], started["pid"]);

    place.uninstall();
    assert!(!place.prefix().exists());
}

#[test]
fn removal_stops_the_daemon_and_takes_exactly_what_was_installed() {
    let Some(place) = Place::new() else { return };
    let (own, empty) = (place.prefix().join("bin/own"), place.prefix().join("share/man"));
    fs::create_dir_all(own.parent().expect("a folder")).expect("a folder");
    fs::create_dir_all(&empty).expect("a folder");
    fs::write(&own, "own").expect("a file");
    place.install();
    let pid = place.bproxy(&["service", "start"])["pid"].to_string();
    // Installed over it, so that the daemon's program is one that has no name any more.
    place.install();

    // By the copy that was installed, which knows where it is.
    let mut script = place.command("sh");
    script.arg(place.prefix().join("share/bproxy/install.sh")).arg("--uninstall");
    let told = succeeded(script);
    assert!(told.contains(&format!("rm -r {}", place.home.path().display())), "{told}");
    // What has ended has no program any more, even if nobody has asked for its exit status yet.
    assert!(fs::read_link(Path::new("/proc").join(&pid).join("exe")).is_err(), "it runs still");
    assert_eq!(place.installed().into_keys().collect::<Vec<_>>(), [own]);
    assert!(empty.is_dir() && !place.prefix().join("share/bproxy").exists());

    let message = refused(place.script(&["--uninstall"]));
    assert!(message.contains("nothing to remove"), "{message}");
}

#[test]
fn a_file_of_somebody_else_is_not_overwritten() {
    let Some(place) = Place::new() else { return };
    fs::create_dir_all(place.program().parent().expect("a folder")).expect("a folder");
    fs::write(place.program(), "theirs").expect("a file");
    let message = refused(place.script(&[place.tarball()]));
    assert!(message.contains(place.program().to_str().expect("text")), "{message}");
    assert_eq!(place.installed().len(), 1);
    assert_eq!(fs::read(place.program()).expect("the file"), b"theirs");
}

#[test]
fn an_interrupted_installation_can_be_repeated_and_removed() {
    let Some(place) = Place::new() else { return };
    let failing = "case $2 in *.1.gz.new) exit 1 ;; esac; exec /bin/cp \"$@\"";
    let path = stand_ins(&place, &[("cp", failing)]);
    let message = refused(with_path(place.script(&[place.tarball()]), &path));
    assert!(message.contains("cannot write"), "{message}");
    assert!(place.program().exists() && !place.prefix().join("share/zsh").exists());
    place.install();
    let whole = place.installed();
    place.uninstall();

    refused(with_path(place.script(&[place.tarball()]), &path));
    place.uninstall();
    assert!(!place.prefix().exists());
    place.install();
    assert_eq!(place.installed(), whole);
}

fn with_path(mut command: Command, path: &OsStr) -> Command {
    command.env("PATH", path);
    command
}

#[test]
fn a_release_that_does_not_run_here_is_not_installed() {
    let Some(place) = Place::new() else { return };
    let release = place.unpacked();
    fs::write(release.join("bin/bproxy"), "#!/no/such/loader\n").expect("a program");
    place.pack(&release);
    let message = refused(place.script(&[place.tarball()]));
    assert!(message.contains("does not run here") && message.contains("-linux-musl"), "{message}");
    assert!(!place.prefix().exists());
}

#[test]
fn impossible_requests_are_refused_with_what_to_do() {
    let Some(place) = Place::new() else { return };
    let told = |args: &[&str], words: &[&str]| {
        let message = refused(place.script(args));
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    };
    told(&["--bogus"], &["--bogus", "--help"]);
    told(&["--sha256"], &["--sha256 needs a value"]);
    told(&["a.tar.gz", "b.tar.gz"], &["one tarball at a time"]);
    told(&["/nowhere/bproxy.tar.gz"], &["cannot read /nowhere/bproxy.tar.gz"]);
    // Where not even root can make a folder.
    let below_a_file = format!("{}/local", place.tarball());
    told(
        &["--prefix", &below_a_file, place.tarball()],
        &["cannot write", &below_a_file, "--prefix"],
    );

    let path = stand_ins(&place, &[("uname", "case $1 in -s) echo Plan9 ;; *) echo mips ;; esac")]);
    let message = refused(with_path(place.script(&[]), &path));
    assert!(message.contains("no release for Plan9 on mips"), "{message}");
    assert!(message.contains("cargo install bproxy"), "{message}");
    assert!(!place.prefix().exists());
}

#[test]
fn the_version_is_that_of_the_release() {
    let output = Command::new("sh").args([SCRIPT, "--version"]).output().expect("a shell");
    let version = concat!("install.sh ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), version);
}

/// A mirror on the loopback interface, of one release.
struct Mirror {
    server: Child,
    url: String,
}

impl Mirror {
    fn of(place: &Place) -> Self {
        let root = place.path("mirror");
        let folder = root.join(concat!("v", env!("CARGO_PKG_VERSION")));
        fs::create_dir_all(&folder).expect("a folder");
        for file in [place.tarball.clone(), sha256_file(&place.tarball)] {
            fs::copy(&file, folder.join(file.file_name().expect("a name"))).expect("a copy");
        }
        let mut server = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(&root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        let stdout = server.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let port = line.split(" port ").nth(1).and_then(|rest| rest.split(' ').next());
        let url = format!("http://127.0.0.1:{}/", port.expect("a port"));
        Self { server, url }
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_release_is_downloaded_and_checked_by_either_tool() {
    let Some(place) = Place::new() else { return };
    let mirror = Mirror::of(&place);
    for tool in ["curl", "wget"] {
        // All that the script may use, and one of the two.
        let folder = place.path(tool);
        fs::create_dir(&folder).expect("a folder");
        for name in [
            "awk",
            "cat",
            "cp",
            "cut",
            "dirname",
            "getconf",
            "grep",
            "gzip",
            "head",
            "mkdir",
            "mktemp",
            "mv",
            "readlink",
            "rm",
            "rmdir",
            "sed",
            "sh",
            "sha256sum",
            "sort",
            "tar",
            "tr",
            "uname",
            tool,
        ] {
            let program = std::env::split_paths(&std::env::var_os("PATH").expect("a search path"))
                .map(|folder| folder.join(name))
                .find(|program| program.exists());
            let program = program.unwrap_or_else(|| panic!("{name} is missing"));
            symlink(program, folder.join(name)).expect("a link");
        }
        let script = |args: &[&str]| {
            with_path(
                place.script(&[&["--base-url", &mirror.url], args].concat()),
                folder.as_os_str(),
            )
        };
        let told = succeeded(script(&[]));
        assert!(told.contains("installed bproxy"), "{told}");
        place.uninstall();
        assert!(!place.prefix().exists());

        let message = refused_after(script(&["--release", "9.9.9"]));
        assert!(message.contains("cannot download") && message.contains("/v9.9.9/"), "{message}");
        let message = refused(script(&["--sha256", &"0".repeat(64)]));
        assert!(message.contains("not unpacked"), "{message}");
        assert!(!place.prefix().exists());
    }
}

/// The last line of what a script says that refuses after another program has complained.
#[track_caller]
fn refused_after(mut command: Command) -> String {
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{command:?}: {output:?}");
    let message = String::from_utf8(output.stderr).expect("text");
    message.lines().last().expect("a message").to_owned()
}

#[tokio::test]
async fn removal_uninstalls_the_service_of_a_real_systemd_first() {
    let Some(place) = Place::new() else { return };
    let Some(user) = crate::support::User::new() else { return };
    for file in [PathBuf::from(SCRIPT), place.tarball.clone(), sha256_file(&place.tarball)] {
        fs::copy(&file, user.file(file.file_name().expect("a name").to_str().expect("text")))
            .expect("a copy");
    }
    let tarball = place.tarball.file_name().expect("a name").to_str().expect("text");
    // A keyring that was started makes folders of its own.
    let files = "find . -type f -o -path '*bproxy*' | sort";
    let before = user.sh(files).await;
    user.sh(&format!("sh install.sh {tarball}")).await;
    let program = format!("{}/.local/bin/bproxy", user.home());
    let port = user.port.to_string();
    user.run(&[&*program, "service", "install", "--now", "--port", &port]).await.json();
    user.run(&[&*program, "session", "list"]).await.data();
    assert_eq!(user.property("bproxy.service", "ActiveState").await, "active");

    // Over a running service: the next restart takes the new program.
    user.sh(&format!("sh install.sh {tarball}")).await;
    user.systemctl(&["restart", "bproxy"]).await;
    user.run(&[&*program, "session", "list"]).await.data();

    let told = user.sh("sh install.sh --uninstall").await;
    assert!(told.contains("removed bproxy"), "{told}");
    assert_eq!(user.property("bproxy.socket", "LoadState").await, "not-found");
    assert_eq!(user.sh(files).await, before);
    assert!(!user.file(".local/bin").exists());
}
