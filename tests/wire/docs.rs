//! The pages of `docs/`: their sections and the commands they tell people to paste.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::support::{Answer, Daemon, Home, call, run};

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_page_and_every_decision_is_listed_in_its_index() {
    for folder in ["", "decisions"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(folder);
        let index = page(Path::new(folder).join("README.md").to_str().expect("text"));
        for entry in std::fs::read_dir(path).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("text");
            if name.ends_with(".md") && name != "README.md" {
                assert!(index.contains(&format!("]({name})")), "docs/{folder}: no {name}");
            }
        }
    }
}

#[tokio::test]
async fn troubleshooting_has_a_section_for_every_hop_of_doctor() {
    let report = run(&Home::new(), &["doctor"]).await.json();
    let checks = report["checks"].as_array().expect("checks");
    let hops: Vec<_> = checks.iter().map(|check| check["hop"].as_str().expect("a name")).collect();
    let page = page("troubleshooting.md");
    let sections: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(sections, hops, "the sections are the hops, in their order");
}

/// The lines to paste in one part of a page.
fn lines_to_paste(page: &str, part: &str) -> String {
    let start = page.find(&format!("\n## {part}\n")).expect("the part");
    let text = &page[start + 1..];
    let text = text.find("\n## ").map_or(text, |end| &text[..end]);
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().expect("a first part")).collect()
}

#[tokio::test]
async fn the_lines_for_the_shell_can_be_pasted() {
    let daemon = Daemon::start().await;
    let serving = daemon.extension().await.serve(|command| match command.action() {
        "text" => Some(Answer::Data(json!({"text": "welcome"}))),
        "links" => Some(Answer::Data(json!({"links": [], "total": 0}))),
        "snapshot" => Some(Answer::Data(json!({"tree": "", "nodeCount": 0}))),
        _ => None,
    });
    let bin = Path::new(env!("CARGO_BIN_EXE_bproxy")).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let script = lines_to_paste(&page("agents.md"), "Plain shell");
    assert!(script.matches("\nbproxy ").count() >= 9, "{script}");
    let mut command = Command::new("bash");
    command
        .args(["--norc", "-euo", "pipefail", "-c", &script])
        .env_clear()
        .envs(crate::support::counted())
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("HOME", daemon.home.path())
        .env("BPROXY_HOME", daemon.home.path())
        .env("BPROXY_SECRETS", "file")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let call = call(command, None).await;
    assert_eq!((call.code, &*call.stderr), (0, ""), "{call:?}");
    assert!(call.stdout.contains(r#""id":"mine""#), "{call:?}");
    let seen: Vec<_> = serving.seen().iter().map(|command| command.action().to_owned()).collect();
    assert_eq!(seen, ["tab.open", "text", "links", "snapshot", "text", "links", "tab.close"]);
    assert!(daemon.home.file(".local/share/man/man1/bproxy-tab-open.1").exists());
}
