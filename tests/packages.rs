//! The Debian package and the RPM as people get them: what they hold, and a life with each on a real system, from its
//! installation over an upgrade in the middle of work to its removal.

#![cfg(target_os = "linux")]

mod support;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use memchr::memmem;
use serde_json::Value;
use support::{
    Browser, Call, Client, FakeExtension, Launch, Pairing, Site, User, artefact, artefacts, origin,
    patiently,
};
use tempfile::TempDir;

/// A package manager also looks after the rest of the system, such as the index of all manual pages.
const INSTALLING: Duration = Duration::from_secs(120);

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Higher than any, and as long, so that it can take the place of the real one in the program.
fn higher_version() -> String {
    VERSION.replace(|letter: char| letter.is_ascii_digit(), "9")
}

/// A kind of package, with its manager.
#[derive(Clone, Copy)]
enum Kind {
    Deb,
    Rpm,
}

impl Kind {
    /// The package that has been made.
    fn package(self) -> Option<PathBuf> {
        artefact(match self {
            Kind::Deb => ".deb",
            Kind::Rpm => ".rpm",
        })
    }

    /// The same package in a higher version, which its program tells as well, in a folder of its own.
    fn higher(self) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (artefacts().join("release"), folder.path().join("release"));
        fs::create_dir(&to).expect("a folder");
        for part in ["bproxy", "assets", "debian"] {
            output("cp", &["-r", path(&from.join(part)), path(&to)]);
        }
        let program = to.join("bproxy");
        let mut bytes = fs::read(&program).expect("the program");
        let version = higher_version();
        let places: Vec<_> = memmem::find_iter(&bytes, VERSION).collect();
        for place in places {
            bytes[place..place + version.len()].copy_from_slice(version.as_bytes());
        }
        fs::write(&program, bytes).expect("the program");
        let (deb, rpm) = (format!("{version}-1"), format!("version = \"{version}\""));
        let args = match self {
            Kind::Deb => vec!["deb", "--no-build", "--no-strip", "--fast", "--deb-version", &deb],
            Kind::Rpm => vec!["generate-rpm", "--auto-req=builtin", "--set-metadata", &rpm],
        };
        let package = folder.path().join("bproxy");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(args).arg("--output").arg(&package).env("CARGO_TARGET_DIR", folder.path());
        succeeded(cargo.env("CARGO_NET_OFFLINE", "true").current_dir(env!("CARGO_MANIFEST_DIR")));
        (folder, package)
    }

    /// Lays out what a package holds in a folder, and tells the files with their modes and owners.
    fn unpack(self, package: &Path, folder: &Path) -> BTreeSet<String> {
        let (package, folder) = (path(package), path(folder));
        let listed = match self {
            Kind::Deb => {
                output("dpkg-deb", &["--extract", package, folder]);
                output("dpkg-deb", &["--contents", package])
            }
            Kind::Rpm => {
                let root = ["--root", folder, "--install", "--nodeps", "--noscripts", package];
                output("rpm", &root);
                let format =
                    "[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} - - - %{FILENAMES}\n]";
                output("rpm", &["--query", "--package", "--queryformat", format, package])
            }
        };
        let files = listed.lines().filter(|line| !line.starts_with('d'));
        let file = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            format!("{} {} {}", words[0], words[1], words[5].trim_start_matches('.'))
        };
        files.map(file).collect()
    }

    /// Installs a package, or upgrades to it.
    async fn install(self, user: &User, package: &Path) {
        let inside = format!("/tmp/bproxy.{}", if matches!(self, Kind::Deb) { "deb" } else { "rpm" });
        fs::copy(package, user.machine.path(&inside)).expect("a copy");
        let manager: &[&str] = match self {
            Kind::Deb => &["apt-get", "install", "--yes"],
            // The database of RPM on this Debian knows of no other package.
            Kind::Rpm => &["rpm", "--upgrade", "--nodeps"],
        };
        root(user, &[manager, &[&inside]].concat()).await;
    }

    async fn remove(self, user: &User) {
        let manager: &[&str] = match self {
            Kind::Deb => &["apt-get", "remove", "--yes", "bproxy"],
            Kind::Rpm => &["rpm", "--erase", "bproxy"],
        };
        root(user, manager).await;
    }
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// What a program prints, which must succeed.
#[track_caller]
fn output(program: &str, args: &[&str]) -> String {
    succeeded(Command::new(program).args(args))
}

#[track_caller]
fn succeeded(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// What root does to the user's machine, which must succeed.
async fn root(user: &User, program: &[&str]) -> String {
    let mut command = user.machine.root(program);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    let ended = tokio::time::timeout(INSTALLING, command.output()).await;
    let output = ended.expect("it ends in time").expect("it runs");
    assert!(output.status.success(), "{program:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// All files of the machine but those of people, and what package managers keep for themselves.
async fn files(user: &User) -> String {
    let find = "find / -xdev \\( -path /home -o -path /root -o -path /work -o -path /var/cache -o -path /var/log \
                -o -path /var/lib/apt -o -path /var/lib/rpm -o -path '/var/lib/dpkg/*-old' \\) -prune -o -print; \
                find /run /dev/shm -name '*bproxy*'";
    let files = root(user, &["sh", "-c", find]).await;
    let files: BTreeSet<_> = files.lines().collect();
    files.into_iter().collect::<Vec<_>>().join("\n")
}

/// Files below a folder, by their paths from there.
fn below(folder: &Path) -> Vec<String> {
    let found = output("find", &[path(folder), "-type", "f", "-printf", "%P\\n"]);
    found.lines().map(str::to_owned).collect()
}

/// What both kinds of package have to hold, besides the places for their licence and their changes.
fn expected() -> BTreeSet<String> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = tempfile::tempdir().expect("a folder");
    output(env!("CARGO_BIN_EXE_bproxy"), &["man", path(pages.path())]);
    let programs = ["/usr/bin/bproxy", "/usr/libexec/bproxy/user-services"];
    let files = [
        "/usr/lib/systemd/user/bproxy.service",
        "/usr/lib/systemd/user/bproxy.socket",
        "/usr/share/bash-completion/completions/bproxy",
        "/usr/share/fish/vendor_completions.d/bproxy.fish",
        "/usr/share/doc/bproxy/README.md",
        "/usr/share/doc/bproxy/SECURITY.md",
        "/usr/share/bproxy/sandbox.conf",
    ];
    let in_folder = |folder: &Path, place: &str| {
        let place = place.to_owned();
        below(folder).into_iter().map(move |file| format!("{place}/{file}"))
    };
    let documents = fs::read_dir(repository.join("docs")).expect("docs");
    let documents = documents.map(|entry| entry.expect("an entry").file_name());
    let documents = documents.map(|name| name.into_string().expect("a name"));
    let documents = documents.filter(|name| name.ends_with(".md"));
    let files = files
        .map(str::to_owned)
        .into_iter()
        .chain(in_folder(pages.path(), "/usr/share/man/man1").map(|page| page + ".gz"))
        .chain(in_folder(&repository.join("extension"), "/usr/share/bproxy/extension"))
        .chain(documents.map(|name| format!("/usr/share/doc/bproxy/docs/{name}")));
    let programs = programs.map(|program| format!("-rwxr-xr-x root/root {program}"));
    files.map(|file| format!("-rw-r--r-- root/root {file}")).chain(programs).collect()
}

#[track_caller]
fn assert_holds(kind: Kind, own: &[&str]) {
    let Some(package) = kind.package() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let held = kind.unpack(&package, folder.path());
    let own = own.iter().map(|file| format!("-rw-r--r-- root/root {file}"));
    let expected: BTreeSet<_> = expected().into_iter().chain(own).collect();
    let missing: Vec<_> = expected.difference(&held).collect();
    let surplus: Vec<_> = held.difference(&expected).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing: {missing:?}, surplus: {surplus:?}");
    // As they are in the repository and were built.
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let usr = folder.path().join("usr");
    output("diff", &["-r", path(&repository.join("extension")), path(&usr.join("share/bproxy/extension"))]);
    for (made, held) in [
        (artefacts().join("release/bproxy"), "bin/bproxy"),
        (repository.join("systemd/bproxy.service"), "lib/systemd/user/bproxy.service"),
        (repository.join("systemd/bproxy.socket"), "lib/systemd/user/bproxy.socket"),
    ] {
        output("cmp", &[path(&made), path(&usr.join(held))]);
    }
}

#[test]
fn the_debian_package_holds_everything_at_its_place() {
    assert_holds(
        Kind::Deb,
        &[
            "/usr/share/zsh/vendor-completions/_bproxy",
            "/usr/share/doc/bproxy/copyright",
            "/usr/share/doc/bproxy/changelog.gz",
            "/usr/share/doc/bproxy/changelog.Debian.gz",
        ],
    );
}

#[test]
fn the_rpm_holds_everything_at_its_place() {
    assert_holds(
        Kind::Rpm,
        &[
            "/usr/share/zsh/site-functions/_bproxy",
            "/usr/share/licenses/bproxy/LICENSE",
            "/usr/share/doc/bproxy/CHANGELOG.md",
        ],
    );
}

#[test]
fn lintian_finds_nothing_in_the_debian_package() {
    let Some(package) = Kind::Deb.package() else { return };
    let found = output("lintian", &["--fail-on", "error,warning", "--allow-root", path(&package)]);
    assert_eq!(found, "");
}

#[test]
fn rpmlint_finds_nothing_in_the_rpm() {
    let Some(package) = Kind::Rpm.package() else { return };
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/rpm/rpmlint.toml");
    output("rpmlint", &["--strict", "--config", path(&config), path(&package)]);
}

#[tokio::test]
async fn a_life_with_the_debian_package() {
    life(Kind::Deb).await;
}

#[tokio::test]
async fn a_life_with_the_rpm() {
    life(Kind::Rpm).await;
}

/// Installed, used by a person with a browser, upgraded in the middle of that, removed.
async fn life(kind: Kind) {
    let Some(package) = kind.package() else { return };
    let Some(user) = User::alone() else { return };
    let before = files(&user).await;

    kind.install(&user, &package).await;
    user.systemctl(&["enable", "--now", "bproxy.socket"]).await;
    let bproxy = async |args: &[&str]| user.run(&[&["bproxy"], args].concat()).await;
    bproxy(&["session", "list"]).await.data();
    let health = bproxy(&["health"]).await.json();
    assert_eq!((&*health["activation"], &*health["version"]), ("systemd", VERSION));

    let site = Site::start().await;
    let unpacked = tempfile::tempdir().expect("a folder");
    kind.unpack(&package, unpacked.path());
    let extension = unpacked.path().join("usr/share/bproxy/extension");
    let browser = Browser::launch(Launch { extension, ..Launch::default() }).await;
    let code = bproxy(&["pair"]).await.data()["pairingCode"].as_str().expect("a code").to_owned();
    browser.pair(user.port, &code).await;

    // As fast as one agent can, while the package is upgraded.
    let (_folder, higher) = kind.higher();
    let is_upgraded = Cell::new(false);
    let asking = async {
        while !is_upgraded.get() {
            bproxy(&["session", "list"]).await.data();
        }
    };
    let opening = async {
        let mut visits = 0;
        while !is_upgraded.get() || visits < 3 {
            let url = site.url(&format!("article.html?visit={visits}."));
            bproxy(&["--wait-extension", "60", "tab", "open", &url]).await.data();
            visits += 1;
        }
        visits
    };
    let upgrading = async {
        kind.install(&user, &higher).await;
        is_upgraded.set(true);
    };
    let ((), visits, ()) = tokio::join!(asking, opening, upgrading);
    let after = bproxy(&["health"]).await.json();
    assert_eq!(after["version"], higher_version());
    assert_ne!(after["pid"], health["pid"]);
    assert_eq!(user.property("bproxy.service", "NRestarts").await, "0");
    let journal = user.sh("journalctl --user --unit=bproxy.socket --output=cat").await;
    assert!(!journal.contains("Closed"), "the socket is kept all the time: {journal}");
    // It comes back by itself, and each page has been opened, once.
    bproxy(&["--wait-extension", "60", "tab", "open", &site.url("form.html")]).await.data();
    assert_eq!(bproxy(&["health"]).await.json()["wsClients"], 1);
    let tabs = browser.targets().await;
    for visit in 0..visits {
        let part = format!("visit={visit}.");
        let shows = |tab: &&Value| tab["url"].as_str().is_some_and(|url| url.contains(&part));
        assert_eq!(tabs.iter().filter(shows).count(), 1, "{part}: {tabs:?}");
    }

    kind.remove(&user).await;
    let left = "for link in /proc/[0-9]*/exe; do readlink $link; done | grep bproxy; ss -Hltn sport = :9615; true";
    assert_eq!(root(&user, &["sh", "-c", left]).await, "");
    if matches!(kind, Kind::Deb) {
        root(&user, &["apt-get", "purge", "--yes", "bproxy"]).await;
    }
    let after = files(&user).await;
    let diff: Vec<_> = similar(&before, &after);
    assert!(diff.is_empty(), "{diff:?}");
    // What is the person's own stays.
    assert!(user.file(".bproxy").is_dir());
    browser.close().await;
}

/// What only one of two lists has.
fn similar<'a>(before: &'a str, after: &'a str) -> Vec<&'a str> {
    let (before, after): (BTreeSet<_>, BTreeSet<_>) = (before.lines().collect(), after.lines().collect());
    before.symmetric_difference(&after).copied().collect()
}
