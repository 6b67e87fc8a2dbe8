//! The skill: each of its command lines is run, in order, against a real page; and it is installed where agents look.

use std::path::Path;

use serde_json::Value;
use tokio::process::Command;

use super::support::{Browser, Call, Daemon, Site, bproxy, call};

const TEXT: &str = include_str!("../../skill/SKILL.md");

/// The lines of the skill's shell blocks.
fn lines() -> Vec<&'static str> {
    let blocks = TEXT.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks.flat_map(str::lines).collect()
}

/// Runs a line as a shell does, with the built `bproxy`.
pub(super) async fn shell(daemon: &Daemon, session: &str, line: &str) -> Call {
    let binary = Path::new(env!("CARGO_BIN_EXE_bproxy"));
    let mut path = std::ffi::OsString::from(binary.parent().expect("a folder"));
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let plain = bproxy(&daemon.home.path());
    let mut command = Command::new("sh");
    command.args(["-c", line]).kill_on_drop(true);
    command.stdin(std::process::Stdio::null());
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    command
        .env_clear()
        .envs(plain.as_std().get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", path);
    if !session.is_empty() {
        command.env("BPROXY_SESSION", session);
    }
    call(command, None).await
}

/// Does what the person does when the page is as it should be.
async fn resume(browser: &Browser) {
    let popup = browser.popup().await;
    popup.until("document.querySelector('[data-resume]')").await;
    popup.click("[data-resume]").await;
    popup.until("document.querySelector('[data-resume]') === null").await;
    popup.close().await;
}

#[tokio::test]
async fn every_command_line_of_the_skill_does_what_it_says() {
    let (daemon, browser, site) =
        tokio::join!(Daemon::start(), Browser::start(false), Site::start());
    browser.pair(daemon.port, &daemon.pairing_code()).await;
    let lines = lines();
    assert!(lines.len() > 20, "{lines:?}");
    let mut session = String::new();
    for line in lines {
        if line == "export BPROXY_SESSION=m4q7z2" {
            continue;
        }
        let here = line
            .replace("https://example.org/signup.html", &site.url("signup.html"))
            .replace("https://example.org/", &site.url("article.html"));
        let ran = async { shell(&daemon, &session, &here).await };
        let ran = match line.contains("session wait") {
            true => tokio::join!(ran, resume(&browser)).0,
            false => ran.await,
        };
        match line.contains("require-human") {
            true => assert_eq!(ran.error(), "HUMAN_REQUIRED"),
            false => _ = ran.data(),
        }
        let data = ran.json()["data"].clone();
        if line.contains("tab open") {
            session = data["session"].as_str().expect("a session").to_owned();
        }
        if line.starts_with("bproxy fill ") {
            assert_eq!(data["filled"], true, "{line}: {ran:?}");
        }
        if line.contains("--selector '#done'") {
            assert_eq!(data["text"], "Thank you!");
        }
    }
    browser.close().await;
}

#[tokio::test]
async fn the_skill_is_installed_where_each_agent_looks_for_it() {
    let home = tempfile::tempdir().expect("a directory");
    let install = async |args: &[&str]| -> Vec<String> {
        let mut command = bproxy(home.path());
        command.current_dir(home.path()).args(["skill", "install"]).args(args);
        let ran = call(command, None).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        let paths = ran.json()["paths"].as_array().expect("paths").clone();
        let relative = |path: &Value| {
            let path = Path::new(path.as_str().expect("a path"));
            assert_eq!(std::fs::read_to_string(path).expect("a skill"), TEXT);
            path.strip_prefix(home.path()).expect("below the home").display().to_string()
        };
        paths.iter().map(relative).collect()
    };
    assert_eq!(install(&[]).await, [".agents/skills/bproxy/SKILL.md"]);
    let agents = ["--agent", "claude", "--agent", "codex", "--agent", "cursor"];
    assert_eq!(
        install(&agents).await,
        [
            ".agents/skills/bproxy/SKILL.md",
            ".claude/skills/bproxy/SKILL.md",
            ".cursor/skills/bproxy/SKILL.md"
        ]
    );
    assert_eq!(
        install(&["--agent", "copilot", "work"]).await,
        ["work/.github/skills/bproxy/SKILL.md"]
    );

    let mut read = bproxy(home.path());
    read.args(["skill", "install", "--output", "text"]);
    let read = call(read, None).await.stdout;
    let shown = home.path().join(".agents/skills/bproxy/SKILL.md").display().to_string();
    assert!(read.contains(&shown) && !read.contains('{'), "not for people: {read}");

    let mut show = bproxy(home.path());
    show.args(["skill", "show"]);
    assert_eq!(call(show, None).await.stdout, TEXT);
    let mut show = bproxy(home.path());
    show.args(["skill", "show", "frames"]);
    let section =
        std::fs::read_to_string(home.path().join(".agents/skills/bproxy/references/frames.md"));
    assert_eq!(call(show, None).await.stdout, section.expect("a section"));
}
