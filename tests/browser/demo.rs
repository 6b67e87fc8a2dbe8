//! The main job on real input: an agent's commands travel from the command line through the daemon and the extension
//! to a page in a real Chromium, and back. `make demo` shows it, `make test` checks it.

use serde_json::Value;

use super::support::{Browser, Home, Site, bproxy, call};

/// The commands of the demonstration, shown as a person would type them.
struct Terminal {
    home: Home,
}

impl Terminal {
    /// Runs a command that must succeed, shows it with its answer, and returns the answer.
    async fn run(&self, line: &str) -> Value {
        println!("\n$ bproxy {line}");
        let mut command = bproxy(&self.home.path());
        command.args(shell_words(line));
        let call = call(command, None).await;
        assert!(call.code == 0, "bproxy {line}: {call:?}");
        print!("{}", shortened(&call.stdout));
        call.json()
    }
}

/// Words at spaces, with double quotes around words that have some.
fn shell_words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

/// A long answer cut to what fits a screen.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 1200;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}… ({} bytes)\n", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// Ends the daemon if the demonstration stops half way.
struct StopOnDrop<'a>(&'a Terminal);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new(env!("CARGO_BIN_EXE_bproxy"))
            .args(["service", "stop"])
            .env("BPROXY_HOME", self.0.home.path())
            .stdout(std::process::Stdio::null())
            .status();
    }
}

#[tokio::test]
async fn every_command_reaches_the_page_and_comes_back() {
    println!(
        "A daemon in a throwaway home, a Chromium with a throwaway profile, pages from tests/fixtures."
    );
    let site = Site::start().await;
    let terminal = Terminal { home: Home::new() };

    let started = terminal.run("service start").await;
    let guard = StopOnDrop(&terminal);
    let port = started["port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
    let code = started["pairingCode"].as_str().expect("a code");

    println!("\n(Chromium starts; the code goes into the extension's popup.)");
    let browser = Browser::start(true).await;
    browser.pair(port, code).await;
    terminal.run("status").await;

    let opened = terminal.run(&format!("tab open {}", site.url("article.html"))).await;
    let session = opened["data"]["session"].as_str().expect("a session").to_owned();
    let text = terminal.run(&format!("text -s {session}")).await;
    assert!(text["data"]["text"].as_str().expect("a text").contains("The lighthouse keeper"));

    let links = terminal.run(&format!("links -s {session}")).await;
    let link = links["data"]["links"]
        .as_array()
        .expect("links")
        .iter()
        .find(|link| link["text"] == "Form");
    let handle = link.and_then(|link| link["handle"].as_str()).expect("a link with a handle");
    // A tab opens in the background; acting on it needs it in front, as for a person.
    terminal.run(&format!("tab activate -s {session}")).await;
    let clicked = terminal.run(&format!("click -s {session} --element {handle}")).await;
    assert_eq!(clicked["data"]["clicked"], true);
    terminal.run(&format!("wait -s {session} --strategy url --target form.html")).await;

    let elements = terminal.run(&format!("elements -s {session} --form")).await;
    let field = elements["data"]["elements"].as_array().expect("elements").iter();
    let field = field.clone().find(|field| field["label"] == "Full name");
    let handle = field.and_then(|field| field["handle"].as_str()).expect("a field with a handle");
    let filled = terminal
        .run(&format!(
            "fill -s {session} --element {handle} --value \"Ada Lovelace\" --method paste --world isolated"
        ))
        .await;
    assert_eq!(filled["data"]["verifiedValue"], "Ada Lovelace");

    let shot = terminal.run(&format!("screenshot -s {session} --activate")).await;
    let file = shot["data"]["path"].as_str().expect("a file");
    let size = std::fs::metadata(file).expect("the screenshot").len();
    println!("(a picture of {size} bytes)");
    assert!(size > 1000);

    terminal.run("debug last --count 5").await;
    let closed = terminal.run(&format!("session close -s {session}")).await;
    assert_eq!(closed["data"]["closedTabs"], 1);

    browser.close().await;
    drop(guard);
    assert!(!terminal.home.file("port").exists(), "the daemon stopped and tidied up");
    println!("\nDone: every command reached the page and came back.");
}
