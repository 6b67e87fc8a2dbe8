//! The Debian package and the RPM: their contents, and installing, upgrading at work and removing each on a real system.

#![cfg(target_os = "linux")]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use memchr::memmem;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Browser, Call, Client, FakeExtension, Launch, Pairing, Site, Terminal, User, artefact,
    artefacts, call, own_origin, patiently,
};

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
    fn ending(self) -> &'static str {
        match self {
            Kind::Deb => ".deb",
            Kind::Rpm => ".rpm",
        }
    }

    /// The package that has been made.
    fn package(self) -> Option<PathBuf> {
        artefact(self.ending())
    }

    /// The same package in a higher version, which its program tells when it is asked for that, in a folder of its own.
    fn higher(self) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let (from, to) = (artefacts().join("release"), folder.path().join("release"));
        fs::create_dir(&to).expect("a folder");
        for part in ["bproxy", "assets", "debian", "third-party.txt"] {
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
        let package = folder.path().join(format!("bproxy{}", self.ending()));
        let repository = env!("CARGO_MANIFEST_DIR");
        match self {
            Kind::Deb => {
                let mut cargo = Command::new(env!("CARGO"));
                cargo.args(["deb", "--no-build", "--no-strip", "--fast", "--deb-version"]);
                cargo.arg(format!("{version}-1")).arg("--output").arg(&package);
                cargo.env("CARGO_TARGET_DIR", folder.path()).env("CARGO_NET_OFFLINE", "true");
                succeeded(cargo.current_dir(repository));
            }
            Kind::Rpm => {
                let mut script = Command::new("packaging/rpm/package");
                script.arg(&to).arg(&version).arg(folder.path()).current_dir(repository);
                succeeded(&mut script);
                let made = fs::read_dir(folder.path()).expect("a folder");
                let mut made = made.map(|entry| entry.expect("an entry").path());
                let made = made.find(|path| path.extension().is_some_and(|it| it == "rpm"));
                fs::rename(made.expect("a package"), &package).expect("a rename");
            }
        }
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
            // In one of the two, root has no name.
            let owner = words[1].replace("0/0", "root/root");
            format!("{} {owner} {}", words[0], words[5].trim_start_matches('.'))
        };
        files.map(file).collect()
    }

    /// Installs a package, or upgrades to it.
    async fn install(self, user: &User, package: &Path) {
        let inside = format!("/tmp/bproxy{}", self.ending());
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

/// All files in the system's directories but those that package managers keep for themselves, and those of bproxy in
/// shared ones.
async fn files(user: &User) -> BTreeSet<String> {
    // The machine shows the files around it as they change: the repository, which other tests build in, may be anywhere.
    let find = "find /bin/ /etc /lib/ /opt /sbin/ /usr /var -xdev \\( -path \"$0\" -o -path /var/cache -o -path /var/log \
                -o -path /var/tmp -o -path /var/lib/apt -o -path /var/lib/PackageKit -o -path /var/lib/rpm \
                -o -path '/var/lib/dpkg/*-old' \\) -prune -o -print; \
                find / -maxdepth 1; find /run /dev/shm /var/tmp -name '*bproxy*'";
    let repository = env!("CARGO_MANIFEST_DIR");
    root(user, &["sh", "-c", find, repository]).await.lines().map(str::to_owned).collect()
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
    let programs = [
        "/usr/bin/bproxy",
        "/usr/lib/systemd/user-generators/bproxy-sandbox",
        "/usr/libexec/bproxy/user-services",
    ];
    let files = [
        "/usr/lib/systemd/user/bproxy.service",
        "/usr/lib/systemd/user/bproxy.service.d/sandbox.conf",
        "/usr/lib/systemd/user/bproxy.socket",
        "/usr/share/bash-completion/completions/bproxy",
        "/usr/share/fish/vendor_completions.d/bproxy.fish",
        "/usr/share/doc/bproxy/README.md",
        "/usr/share/doc/bproxy/SECURITY.md",
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
        .chain(in_folder(pages.path(), "/usr/share/man").map(|page| page + ".gz"))
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
    output(
        "diff",
        &["-r", path(&repository.join("extension")), path(&usr.join("share/bproxy/extension"))],
    );
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
            "/usr/share/doc/bproxy/third-party.txt",
            "/usr/share/doc/bproxy/changelog.gz",
            "/usr/share/doc/bproxy/changelog.Debian.gz",
            "/usr/share/lintian/overrides/bproxy",
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
            "/usr/share/licenses/bproxy/third-party.txt",
            "/usr/share/doc/bproxy/CHANGELOG.md",
        ],
    );
}

/// The crates that the program is made of, as `name version`.
fn crates() -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    let tree = ["tree", "--edges=normal", "--prefix=none", "--format={p}", "--locked", "--offline"];
    let tree = succeeded(cargo.args(tree).current_dir(env!("CARGO_MANIFEST_DIR")));
    let words = tree.lines().filter_map(|line| line.split_once(" v"));
    let crates =
        words.map(|(name, rest)| format!("{name} {}", rest.split(' ').next().expect("a version")));
    crates.filter(|it| !it.starts_with("bproxy ")).collect()
}

#[track_caller]
fn assert_has_licences(text: &str) {
    let all = crates();
    assert!(all.len() > 100, "{all:?}");
    for it in &all {
        assert!(text.contains(&format!("\n{it}: ")), "{it} is not named");
    }
    // Not their names alone, but the words.
    for words in ["Permission is hereby granted", "Apache License"] {
        assert!(text.contains(words), "{words}");
    }
}

#[test]
fn packages_and_tarball_have_the_licences_of_all_crates_in_the_program() {
    for (kind, place) in [
        (Kind::Deb, "usr/share/doc/bproxy/third-party.txt"),
        (Kind::Rpm, "usr/share/licenses/bproxy/third-party.txt"),
    ] {
        let Some(package) = kind.package() else { return };
        let folder = tempfile::tempdir().expect("a folder");
        kind.unpack(&package, folder.path());
        assert_has_licences(&fs::read_to_string(folder.path().join(place)).expect("a file"));
    }
    let Some(tarball) = artefact(".tar.gz") else { return };
    let file = "*/share/doc/bproxy/third-party.txt";
    assert_has_licences(&output("tar", &["-xzOf", path(&tarball), "--wildcards", file]));
}

#[test]
fn debian_can_parse_the_copyright_of_its_package() {
    let Some(package) = Kind::Deb.package() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    Kind::Deb.unpack(&package, folder.path());
    let file = folder.path().join("usr/share/doc/bproxy/copyright");
    let script = "import sys; from debian.copyright import Copyright; \
                  it = Copyright(open(sys.argv[1]), strict=True); \
                  print(it.header.upstream_name, it.find_files_paragraph('src/main.rs').license.synopsis, \
                  *[text.license.synopsis for text in it.all_license_paragraphs()])";
    assert_eq!(output("/usr/bin/python3", &["-c", script, path(&file)]), "bproxy Expat Expat\n");
    let suggested = output("dpkg-deb", &["--field", path(&package), "Suggests"]);
    assert!(suggested.contains("gnome-keyring"), "{suggested}");
}

/// Give or take a tenth of a megabyte, for other compilers.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_documented_size_of_the_program_is_correct() {
    if Kind::Deb.package().is_none() {
        return;
    }
    let size = fs::metadata(artefacts().join("release/bproxy")).expect("a program").len();
    let fits = [0, 100_000].into_iter().flat_map(|more| [size + more, size.saturating_sub(more)]);
    let mut facts = fits.map(|size| format!("The release binary has {:.1} MB.", size as f64 / 1e6));
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/dependencies.md");
    let document = fs::read_to_string(document).expect("a document");
    assert!(facts.any(|fact| document.contains(&fact)), "docs/dependencies.md: {size} bytes");
}

#[test]
fn lintian_finds_nothing_in_the_debian_package() {
    let Some(package) = Kind::Deb.package() else { return };
    let found = output("lintian", &["--fail-on", "error,warning", "--allow-root", path(&package)]);
    assert_eq!(found, "");
}

#[test]
fn the_rpm_describes_itself_and_says_what_has_changed() {
    let Some(package) = Kind::Rpm.package() else { return };
    let asked = |format: &str| {
        output("rpm", &["--query", "--package", "--queryformat", format, path(&package)])
    };
    let (summary, description) = (asked("%{SUMMARY}"), asked("%{DESCRIPTION}"));
    assert!(description.len() > summary.len() && !description.contains(&summary), "{description}");
    let version = concat!("- ", env!("CARGO_PKG_VERSION"), "-1");
    assert!(asked("[%{CHANGELOGNAME}\n]").trim_end().ends_with(version));
    assert!(asked("[%{CHANGELOGTEXT}\n]").contains("CHANGELOG.md"));
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
    if matches!(kind, Kind::Rpm) {
        // Folders of other packages, on systems that are built of RPMs.
        root(&user, &["mkdir", "-p", "/usr/share/licenses", "/usr/share/zsh/site-functions"]).await;
    }
    let before = files(&user).await;

    kind.install(&user, &package).await;
    assert_eq!(listener(&user).await, "", "nobody has asked for it");
    user.systemctl(&["enable", "--now", "bproxy.socket"]).await;
    bproxy(&user, &["session", "list"]).await.data();
    assert_eq!(bproxy(&user, &["health"]).await.json()["activation"], "systemd");
    let exposure = "systemd-analyze --user security bproxy.service --no-pager | tail -n 1";
    let exposure = user.sh(exposure).await;
    let level = exposure.split_whitespace().find_map(|word| word.parse::<f64>().ok());
    assert!(level.is_some_and(|level| level <= 1.0), "as packaged: {exposure}");
    if matches!(kind, Kind::Deb) {
        shells_and_man_find_it(&user).await;
    }

    let unpacked = tempfile::tempdir().expect("a folder");
    kind.unpack(&package, unpacked.path());
    let extension = unpacked.path().join("usr/share/bproxy/extension");
    let browser = Browser::launch(Launch { extension, ..Launch::default() }).await;
    let pairing = bproxy(&user, &["pair"]).await.data();
    browser.pair(user.port, pairing["pairingCode"].as_str().expect("a code")).await;
    upgrade_at_work(kind, &user, &browser).await;

    kind.remove(&user).await;
    let states = user.run(&["systemctl", "--user", "is-active", "bproxy.service", "bproxy.socket"]);
    assert_eq!(states.await.stdout, "inactive\ninactive\n");
    assert_eq!(listener(&user).await, "");
    let running = "for link in /proc/[0-9]*/exe; do readlink $link; done | grep bproxy; true";
    assert_eq!(root(&user, &["sh", "-c", running]).await, "");
    if matches!(kind, Kind::Deb) {
        root(&user, &["dpkg", "--purge", "bproxy"]).await;
    }
    let after = files(&user).await;
    let differing: Vec<_> = before.symmetric_difference(&after).collect();
    assert!(differing.is_empty(), "{differing:?}");
    assert!(user.file(".bproxy").is_dir(), "what is the person's own stays");
    browser.close().await;
}

async fn bproxy(user: &User, args: &[&str]) -> Call {
    user.run(&[&["bproxy"], args].concat()).await
}

/// Who listens on the user's port.
async fn listener(user: &User) -> String {
    user.sh(&format!("ss -Hltn sport = :{}", user.port)).await
}

async fn shells_and_man_find_it(user: &User) {
    let script = "source /usr/share/bash-completion/completions/bproxy; COMP_WORDS=(bproxy hea); COMP_CWORD=1; \
                  _clap_complete_bproxy bproxy hea bproxy; echo ${COMPREPLY[@]}";
    assert_eq!(user.run(&["bash", "--norc", "-c", script]).await.stdout, "health\n");
    let offered = user.run(&["fish", "-c", "complete -C 'bproxy hea'"]).await;
    assert!(offered.stdout.starts_with("health\t"), "{offered:?}");

    let (terminal, inside) = Terminal::new();
    let end = || Stdio::from(File::try_clone(&inside).expect("a copy"));
    let mut zsh = user.command(&["zsh", "-f", "-i"]);
    let mut zsh = zsh.stdin(end()).stdout(end()).stderr(end()).spawn().expect("zsh runs");
    terminal.type_in("autoload -Uz compinit; compinit -u -D\n");
    terminal.type_in("bproxy hea\t >of-zsh\nexit\n");
    patiently("the shell's end", zsh.wait()).await.expect("a child");
    let said = fs::read_to_string(user.file("of-zsh")).unwrap_or_default();
    assert!(said.contains("\"activation\""), "{said:?}: {}", terminal.shown());

    for (section, page) in [("1", "bproxy-tab-open"), ("5", "config.env"), ("8", "bproxy.service")]
    {
        let found = user.run(&["man", "--where", section, page]).await;
        assert_eq!(found.stdout, format!("/usr/share/man/man{section}/{page}.{section}.gz\n"));
    }
}

/// An upgrade while commands come in as fast as two agents can give them, one of which opens pages.
async fn upgrade_at_work(kind: Kind, user: &User, browser: &Browser) {
    let pid = async || user.property("bproxy.service", "MainPID").await;
    let before = pid().await;
    let (_folder, higher) = kind.higher();
    let site = Site::start().await;
    let is_upgraded = Cell::new(false);
    let asking = async {
        while !is_upgraded.get() {
            bproxy(user, &["session", "list"]).await.data();
        }
    };
    let opening = async {
        let mut visits = 0;
        while !is_upgraded.get() {
            let url = site.url(&format!("article.html?visit={visits}."));
            bproxy(user, &["--wait-extension", "60", "tab", "open", &url]).await.data();
            visits += 1;
        }
        visits
    };
    let upgrading = async {
        kind.install(user, &higher).await;
        is_upgraded.set(true);
    };
    let ((), visits, ()) = tokio::join!(asking, opening, upgrading);
    let version = user.run(&["bproxy", "--version"]).await.stdout;
    assert!(version.contains(&higher_version()), "{version}");
    // The daemon's program is the new one: that of the old one has been removed.
    let after = pid().await;
    assert_ne!(after, before);
    let program = root(user, &["readlink", &format!("/proc/{after}/exe")]).await;
    assert_eq!(program, "/usr/bin/bproxy\n");
    assert_eq!(user.property("bproxy.service", "NRestarts").await, "0");
    let journal = user.sh("journalctl --user --unit=bproxy.socket --output=cat").await;
    assert!(!journal.contains("Closed"), "the socket is kept all the time: {journal}");

    let url = site.url(&format!("article.html?visit={visits}."));
    bproxy(user, &["--wait-extension", "60", "tab", "open", &url]).await.data();
    assert_eq!(bproxy(user, &["health"]).await.json()["wsClients"], 1);
    let tabs = browser.targets().await;
    for visit in 0..=visits {
        let part = format!("visit={visit}.");
        let shows = |tab: &&Value| tab["url"].as_str().is_some_and(|url| url.contains(&part));
        assert_eq!(tabs.iter().filter(shows).count(), 1, "{part}: {tabs:?}");
    }
}

#[tokio::test]
async fn a_persons_own_service_is_left_alone_until_it_is_handed_over() {
    let Some(package) = Kind::Deb.package() else { return };
    let Some(user) = User::alone() else { return };
    let own = "mkdir -p .cargo/bin && cat >.cargo/bin/bproxy && chmod 755 .cargo/bin/bproxy";
    let program = fs::read(env!("CARGO_BIN_EXE_bproxy")).expect("the program");
    call(user.command(&["sh", "-c", own]), Some(&program)).await;
    user.sh("~/.cargo/bin/bproxy service install --now").await;
    let pairing = pair(&user).await;
    let pid = async || user.property("bproxy.service", "MainPID").await;
    let before = pid().await;

    Kind::Deb.install(&user, &package).await;
    let (_folder, higher) = Kind::Deb.higher();
    Kind::Deb.install(&user, &higher).await;
    assert_eq!(pid().await, before, "upgraded");
    Kind::Deb.remove(&user).await;
    assert_eq!(pid().await, before, "removed");

    Kind::Deb.install(&user, &package).await;
    let hop = async || {
        let report = bproxy(&user, &["doctor"]).await.json();
        let checks = report["checks"].as_array().expect("checks").clone();
        checks.into_iter().find(|check| check["hop"] == "service").expect("a hop")
    };
    let found = hop().await;
    assert_eq!(found["state"], "failed");
    let unit = format!("{}/.config/systemd/user/bproxy.service", user.home());
    assert!(found["detail"].as_str().expect("a text").contains(&unit), "{found}");
    // As docs/install.md says.
    bproxy(&user, &["service", "uninstall", "--keep-tokens"]).await.json();
    user.systemctl(&["enable", "--now", "bproxy.socket"]).await;
    assert_eq!(hop().await["state"], "ok");
    let shown = user.property("bproxy.service", "FragmentPath").await;
    assert_eq!(shown, "/usr/lib/systemd/user/bproxy.service");
    let mut extension = FakeExtension::connect(user.port, &pairing).await.expect("it is paired");
    extension.fence().await;

    // The package's own sandbox.
    bproxy(&user, &["session", "list"]).await.data();
    assert_eq!(user.property("bproxy.service", "ProtectSystem").await, "strict");
    assert_eq!(hop().await["state"], "ok");

    // What a person does before the package goes.
    bproxy(&user, &["service", "uninstall"]).await.json();
    assert_eq!(listener(&user).await, "");
    assert!(!user.file(".bproxy").exists() && !user.file(".config/systemd").exists());
}

/// Pairs an extension with the daemon of the user's own program.
async fn pair(user: &User) -> Pairing {
    let issued = user.run(&[".cargo/bin/bproxy", "pair"]).await.data();
    let token = fs::read_to_string(user.file(".bproxy/token")).expect("a token");
    let client = Client { port: user.port, token };
    let code = issued["pairingCode"].as_str().expect("a code");
    let reply = client.claim(code, &own_origin()).await;
    let token = reply.data()["extensionToken"].as_str().expect("a token").to_owned();
    Pairing { token, origin: own_origin() }
}
