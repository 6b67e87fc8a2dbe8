//! Completions in real shells, and the manual pages in `man`.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::support::{Daemon, FakeExtension, Home, Terminal, call, patiently, request, run};

const BPROXY: &str = env!("CARGO_BIN_EXE_bproxy");

/// A daemon with a session called `mail` that has two tabs, and another session with one.
struct Rig {
    daemon: Daemon,
    _extension: FakeExtension,
    mail: String,
    other: String,
}

impl Rig {
    async fn new() -> Self {
        let daemon = Daemon::start().await;
        let mut extension = daemon.extension().await;
        let create = request("session.create").params(json!({"label": "mail"}));
        let mail = daemon.send(create).await.data()["session"].as_str().expect("an id").to_owned();
        extension.open_tab_in(&daemon, &mail).await;
        extension.open_tab_in(&daemon, &mail).await;
        let other = extension.open_tab(&daemon).await.session;
        Self { daemon, _extension: extension, mail, other }
    }

    fn shell(&self, program: &str) -> Command {
        shell(&self.daemon.home, program)
    }

    /// What bash offers in place of the last word of the line.
    async fn bash(&self, line: &str) -> Vec<String> {
        let script = format!(
            "source <({BPROXY} completions bash)\n\
             COMP_WORDS=({line})\n\
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
             _clap_complete_bproxy bproxy \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let mut command = self.shell("bash");
        command.args(["--norc", "-c", &script]);
        lines(command).await
    }
}

/// A shell that knows the state directory and nothing of the person who runs the tests.
fn shell(home: &Home, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(crate::support::counted())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .env("TERM", "dumb")
        .env("BPROXY_HOME", home.path())
        .env("BPROXY_SECRETS", "file")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn lines(command: Command) -> Vec<String> {
    let call = call(command, None).await;
    assert_eq!((call.code, &*call.stderr), (0, ""), "{call:?}");
    call.stdout.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn bash_completes_verbs_flags_words_sessions_and_tabs() {
    let rig = Rig::new().await;
    let (mail, other) = (&rig.mail, &rig.other);
    assert_eq!(rig.bash("bproxy sna").await, ["snapshot"]);
    assert_eq!(rig.bash("bproxy tab a").await, ["activate"]);
    assert_eq!(rig.bash("bproxy links --vis").await, ["--visible-only"]);
    assert_eq!(rig.bash("bproxy session bind --pacing f").await, ["fast"]);
    assert_eq!(rig.bash("bproxy text -s ''").await, [&**mail, &**other]);
    assert_eq!(rig.bash(&format!("bproxy text -s {}", &mail[..5])).await, [&**mail]);
    assert_eq!(rig.bash(&format!("bproxy tab close -s {mail} --tab ''")).await, ["t1", "t2"]);
    assert_eq!(rig.bash(&format!("bproxy tab close -s {other} --tab ''")).await, ["t1"]);
    assert_eq!(rig.bash(&format!("bproxy session bind -s {other} --tab t")).await, ["t1"]);
}

#[tokio::test]
async fn fish_completes_sessions_and_tabs_with_what_they_are() {
    let rig = Rig::new().await;
    let complete = async |line: &str| {
        let mut command = rig.shell("fish");
        let script = format!("{BPROXY} completions fish | source; complete -C '{line}'");
        command.args(["--no-config", "-c", &script]);
        lines(command).await
    };
    let sessions = complete("bproxy text -s ").await;
    assert_eq!(sessions, [format!("{}\tmail", rig.mail), format!("{}\tt1", rig.other)]);
    let tabs = complete(&format!("bproxy tab close -s {} --tab ", rig.mail)).await;
    assert!(tabs.len() == 2 && tabs[1].starts_with("t2"), "{tabs:?}");
    let verbs = complete("bproxy scr").await;
    assert!(verbs.iter().any(|verb| verb.starts_with("screenshot\t")), "{verbs:?}");
}

#[tokio::test]
async fn zsh_completes_a_session_while_it_is_typed() {
    let rig = Rig::new().await;
    let (terminal, inside) = Terminal::new();
    let end = || Stdio::from(File::try_clone(&inside).expect("a copy"));
    let mut command = rig.shell("zsh");
    let path = Path::new(BPROXY).parent().expect("a folder").display().to_string();
    let search = std::env::var("PATH").unwrap_or_default();
    command
        .args(["-f", "-i"])
        .env("PATH", format!("{path}:{search}"))
        .stdin(end())
        .stdout(end())
        .stderr(end());
    let mut child = command.spawn().expect("zsh runs");
    drop((command, inside));
    terminal.type_in("autoload -Uz compinit; compinit -u -D; source <(bproxy completions zsh)\n");
    let begun = &rig.mail[..5];
    terminal.type_in(&format!("bproxy tab list -s {begun}\t\n"));
    terminal.type_in("exit\n");
    patiently("the shell's end", child.wait()).await.expect("a child");
    // The daemon has heard of the whole session, of which only the beginning was typed.
    let heard = rig.daemon.record("received", |record| record["action"] == "tab.list").await;
    assert_eq!(heard["session"], rig.mail, "{}", terminal.shown());
}

#[tokio::test]
async fn without_a_daemon_there_is_nothing_to_complete_and_none_is_started() {
    let home = Home::new();
    let mut command = shell(&home, BPROXY);
    command.env("BPROXY_COMPLETE", "fish").args(["--", "bproxy", "text", "-s", ""]);
    assert_eq!(lines(command).await, [""; 0]);
    assert!(!home.file("port").exists());
    let bad = run(&home, &["completions", "tcsh"]).await;
    assert!(bad.trouble().contains("bash, zsh, fish"));
}

#[tokio::test]
async fn every_verb_has_a_manual_page_that_man_can_show() {
    let home = Home::new();
    let pages = home.file("man");
    let path = pages.to_str().expect("a path");
    assert_eq!(run(&home, &["man", path]).await.json()["path"], path);
    for (page, parts) in [
        ("man1/bproxy.1", &["Drives the browser", "bproxy-tab(1)", "--wait-extension"][..]),
        ("man1/bproxy-tab-open.1", &["SYNOPSIS", "bproxy tab open https://example.org"]),
        ("man1/bproxy-session-wait.1", &["--for"]),
        ("man5/config.env.5", &["BPROXY_LOG_LEVEL"]),
        ("man8/bproxy.service.8", &["systemctl --user enable --now bproxy.socket"]),
    ] {
        let mut command = shell(&home, "man");
        command.args(["--warnings", "-P", "cat", "-l", &format!("{path}/{page}")]);
        command.env("MANWIDTH", "200");
        let text = lines(command).await.join("\n");
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }
    let printed = run(&home, &["man"]).await;
    assert_eq!(printed.stdout, home.read("man/man1/bproxy.1"));
}

#[tokio::test]
async fn no_manual_page_has_a_fault() {
    let home = Home::new();
    let pages = home.file("man");
    run(&home, &["man", pages.to_str().expect("a path")]).await.json();
    let mut command = shell(&home, "sh");
    command.args(["-c", "ls $0/*/* | wc -l; mandoc -Tlint $0/*/*"]).arg(&pages);
    let found = lines(command).await;
    assert!(found[0].parse::<usize>().is_ok_and(|pages| pages > 70), "{found:?}");
    assert_eq!(found[1..], [] as [&str; 0]);
    // One date for all who build the same release.
    let mut command = shell(&home, BPROXY);
    command.arg("man").env("SOURCE_DATE_EPOCH", "1778198400");
    let title = concat!(".TH BPROXY 1 2026-05-08 \"bproxy ", env!("CARGO_PKG_VERSION"), "\"");
    assert!(lines(command).await.iter().any(|line| line.starts_with(title)));
}
