//! One version everywhere: in the program, in files, and between two programs of different versions.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use bproxy::protocol::{OLDEST, VERSION};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Home, bproxy, call, run};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const THIS: &str = env!("CARGO_PKG_VERSION");

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs git in a folder, as somebody without settings of their own.
fn git(folder: &Path, args: &[&str]) -> String {
    let settings = ["user.name=A", "user.email=a@example.org", "init.defaultBranch=main"];
    let output = Command::new("git")
        .args(settings.iter().flat_map(|setting| ["-c", setting]))
        .args(args)
        .current_dir(folder)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

// --- what the program says ---

#[tokio::test]
async fn the_program_prints_its_version_in_short_and_in_full() {
    let home = Home::new();
    let short = run(&home, &["-V"]).await;
    assert_eq!((short.code, &*short.stdout), (0, &*format!("bproxy {THIS}\n")));
    let long = run(&home, &["--version"]).await;
    let (commit, target) = (env!("BPROXY_COMMIT"), env!("BPROXY_TARGET"));
    let lines = [
        format!("bproxy {THIS}"),
        format!("protocol: {VERSION}"),
        format!("commit: {commit}"),
        format!("target: {target}\n"),
    ];
    assert_eq!((long.code, long.stdout), (0, lines.join("\n")));
    assert!(target.starts_with(std::env::consts::ARCH), "{target}");
    if Path::new(ROOT).join(".git").exists() && std::env::var_os("BPROXY_COMMIT").is_none() {
        assert_eq!(git(Path::new(ROOT), &["cat-file", "-t", commit]), "commit");
    }
}

/// `build.rs`, built by itself, and folders for it to be run in.
struct Script {
    place: TempDir,
}

impl Script {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let built = Command::new(rustc)
            .args(["--edition=2024", "--out-dir"])
            .arg(place.path())
            .arg(Path::new(ROOT).join("build.rs"))
            .status();
        assert!(built.expect("a compiler").success());
        Self { place }
    }

    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.place.path().join(name);
        fs::create_dir(&folder).expect("a fresh folder");
        folder
    }

    /// What cargo is told in a folder: the commit, and the files whose changes ask for another run.
    fn run(&self, folder: &Path, given: Option<&str>) -> (String, Vec<String>) {
        let mut command = Command::new(self.place.path().join("build"));
        command.current_dir(folder).env("TARGET", "x").env_remove("BPROXY_COMMIT");
        // A repository around the temporary directory would be somebody else's.
        command.env("GIT_CEILING_DIRECTORIES", self.place.path());
        if let Some(given) = given {
            command.env("BPROXY_COMMIT", given);
        }
        let output = command.output().expect("the script");
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stdout).expect("text");
        let all = |key: &str| {
            let values = told.lines().filter_map(|line| line.strip_prefix(key));
            values.map(str::to_owned).collect::<Vec<_>>()
        };
        let commit = all("cargo::rustc-env=BPROXY_COMMIT=");
        assert_eq!(commit.len(), 1, "{told}");
        (commit[0].clone(), all("cargo::rerun-if-changed="))
    }
}

#[test]
fn the_commit_is_the_packagers_the_published_one_or_what_git_has_checked_out() {
    let script = Script::new();
    let plain = script.folder("plain");
    assert_eq!(script.run(&plain, None), ("unknown".into(), vec!["extension".into()]));
    assert_eq!(script.run(&plain, Some("")).0, "unknown");
    assert_eq!(script.run(&plain, Some("abc\n")).0, "abc");

    let published = "{\n  \"git\": {\n    \"sha1\": \"0123abcd\"\n  },\n  \"path_in_vcs\": \"\"\n}";
    fs::write(plain.join(".cargo_vcs_info.json"), published).expect("a file");
    assert_eq!(script.run(&plain, None).0, "0123abcd");
    assert_eq!(script.run(&plain, Some("abc")).0, "abc");

    let checkout = script.folder("checkout");
    git(&checkout, &["init", "--quiet"]);
    assert_eq!(script.run(&checkout, None).0, "unknown", "there is no commit yet");
    git(&checkout, &["commit", "--quiet", "--allow-empty", "--message=One"]);
    let head = git(&checkout, &["rev-parse", "HEAD"]);
    assert_eq!(script.run(&checkout, None).0, head);
    // What is unpacked in a repository, such as a packager's, is not of its commit.
    let within = script.folder("checkout/within");
    assert_eq!(script.run(&within, None).0, "unknown");
}

#[test]
fn a_commit_changes_a_file_that_is_watched_in_a_checkout_and_in_a_worktree() {
    let script = Script::new();
    let checkout = script.folder("checkout");
    git(&checkout, &["init", "--quiet"]);
    git(&checkout, &["commit", "--quiet", "--allow-empty", "--message=One"]);
    git(&checkout, &["worktree", "add", "--quiet", "../worktree"]);
    for folder in [checkout, script.place.path().join("worktree")] {
        let (before, watched) = script.run(&folder, None);
        let watched: Vec<_> = watched.into_iter().filter(|file| file != "extension").collect();
        // Of a file that is not there cargo knows no time, and runs the script every time.
        let contents = || -> Vec<_> {
            watched.iter().map(|file| fs::read(folder.join(file)).expect("it is there")).collect()
        };
        let read = contents();
        git(&folder, &["commit", "--quiet", "--allow-empty", "--message=Two"]);
        assert_ne!(contents(), read, "{watched:?}");
        assert_ne!(script.run(&folder, None).0, before);
    }
}

// --- what files say ---

/// Where the version may be told: what is written for people and machines outside of Cargo's own files.
const TELLING: [&str; 8] =
    ["README.md", "SECURITY.md", "docs", "extension", "launchd", "packaging", "skill", "systemd"];

/// The versions in a text: three numbers right after one of these words.
fn told(text: &str) -> Vec<&str> {
    const WORDS: [&str; 3] = ["bproxy", "version", "pkgver"];
    let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
    let mut found = Vec::new();
    for line in text.lines() {
        let mut rest = 0;
        while let Some(begin) = line[rest..].find(|letter: char| letter.is_ascii_digit()) {
            let begin = rest + begin;
            let length =
                line[begin..].find(|letter| !is_part(letter)).unwrap_or(line.len() - begin);
            rest = begin + length;
            let number = line[begin..rest].trim_end_matches('.');
            let before = line[..begin].trim_end_matches('v');
            let before = before.trim_end_matches([' ', '=', ':', '"', '\'', '-', '_', '/', '`']);
            if number.split('.').count() == 3 && WORDS.iter().any(|word| before.ends_with(word)) {
                found.push(number);
            }
        }
    }
    found
}

/// The files at a path and below that are text.
fn texts(path: &Path, found: &mut Vec<(PathBuf, String)>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            texts(&entry.expect("an entry").path(), found);
        }
    } else if let Ok(text) = fs::read_to_string(path) {
        found.push((path.to_owned(), text));
    }
}

#[test]
fn a_version_is_found_where_it_follows_its_word() {
    for text in [
        "bproxy 1.2.3",
        "\"version\": \"1.2.3\"",
        "pkgver=1.2.3",
        "version = '1.2.3'",
        "/bproxy-v1.2.3.crate",
    ] {
        assert_eq!(told(text), ["1.2.3"], "{text}");
    }
    for text in [
        "at 127.0.0.1:9615",
        "other 1.2.3",
        "version 1.2",
        "bproxy listens on 127.0.0.1",
        "rust-version = \"1.95\"",
    ] {
        assert_eq!(told(text), [""; 0], "{text}");
    }
}

#[test]
fn every_file_that_states_the_version_states_this_one() {
    let mut files = Vec::new();
    for path in TELLING {
        texts(&Path::new(ROOT).join(path), &mut files);
    }
    let mut count = 0;
    for (file, text) in &files {
        for version in told(text) {
            assert_eq!(version, THIS, "{}", file.display());
            count += 1;
        }
    }
    assert!(count > 0, "the extension's manifest tells it");
    let manifest: serde_json::Value =
        serde_json::from_str(&read("extension/manifest.json")).expect("JSON");
    assert_eq!(manifest["version"], THIS);
}

#[test]
fn the_changelog_has_a_section_for_this_version_and_keeps_its_format() {
    let text = read("CHANGELOG.md");
    let (body, links) = text.split_once("\n[Unreleased]: ").expect("links in the end");
    let sections: Vec<_> = body.split("\n## ").skip(1).collect();
    assert!(sections[0].starts_with("[Unreleased]\n"), "{}", sections[0]);
    let mut versions: Vec<Vec<u32>> = Vec::new();
    for section in &sections[1..] {
        let (heading, said) = section.split_once('\n').expect("something under the heading");
        let (name, date) = heading.split_once(" - ").expect("[VERSION] - DATE");
        let name = name.trim_matches(['[', ']']);
        let is_date = date.len() == 10
            && date.split('-').map(str::len).eq([4, 2, 2])
            && date.bytes().all(|letter| letter == b'-' || letter.is_ascii_digit());
        assert!(is_date || (date == "Unreleased" && name == THIS), "{heading}");
        assert!(links.contains(&format!("\n[{name}]: https://")), "{name} has no link");
        assert!(!said.trim().is_empty(), "nothing is said of {name}");
        versions.push(name.split('.').map(|part| part.parse().expect("a number")).collect());
    }
    assert!(versions.is_sorted_by(|newer, older| newer > older), "newest first: {versions:?}");
    let this: Vec<u32> = THIS.split('.').map(|part| part.parse().expect("a number")).collect();
    assert_eq!(versions.first(), Some(&this), "Cargo.toml's version has no section");
    const GROUPS: [&str; 6] = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    for group in body.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(GROUPS.contains(&group), "{group}");
    }
}

#[test]
fn program_and_extension_speak_the_same_versions_of_the_protocol() {
    let versions: Vec<_> = (OLDEST..=VERSION).map(|version| version.to_string()).collect();
    let line = format!("export const VERSIONS = Object.freeze([{}]);", versions.join(", "));
    assert!(read("extension/contract.js").lines().any(|it| it == line), "{line}");
}

// --- what one version says of another ---

/// A state directory whose daemon is of another version, and refuses every command.
async fn refusing(version: &str) -> Home {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let home = Home::new();
    let port = listener.local_addr().expect("an address").port().to_string();
    for (file, text) in [("port", &port), ("token", &"f".repeat(64))] {
        fs::write(home.file(file), text).expect("own directory");
        fs::set_permissions(home.file(file), fs::Permissions::from_mode(0o600)).expect("own file");
    }
    let health = format!(r#"{{"status":"ok","version":"{version}","protocolVersion":9}}"#);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let length = stream.read(&mut head).await.unwrap_or(0);
            let (status, body) = match head[..length].starts_with(b"GET /health ") {
                true => ("200 OK", &*health),
                false => (
                    "400 Bad Request",
                    r#"{"ok":false,"error":{"code":"BAD_REQUEST","message":"`protocol_version`: 1 is not supported"}}"#,
                ),
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    home
}

#[tokio::test]
async fn a_command_that_a_daemon_of_another_version_refuses_says_what_to_do() {
    let home = refusing("9.0.0").await;
    for verb in [&["session", "list"][..], &["debug", "status"], &["text", "-s", "m4q7z2"]] {
        let refused = run(&home, verb).await;
        let message = refused.trouble();
        for part in ["is bproxy 9.0.0", THIS, "bproxy service restart", "`protocol_version`: 1"] {
            assert!(message.contains(part), "{message}");
        }
    }
    let mut batch = bproxy(&home.path());
    batch.arg("batch");
    let batch = call(batch, Some(b"{\"action\":\"session.list\"}\n")).await;
    assert!(batch.trouble().contains("bproxy service restart"), "{batch:?}");
    // One of this version means what it says.
    let refused = run(&refusing(THIS).await, &["session", "list"]).await;
    assert!(refused.trouble().contains("status 400: `protocol_version`: 1"), "{refused:?}");
}
