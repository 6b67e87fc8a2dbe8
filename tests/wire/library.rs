//! The library's example does what it says.

#[path = "../../examples/read_page.rs"]
#[allow(dead_code)]
mod read_page;

use serde_json::json;

use crate::support::{Answer, Daemon, Home};

/// Calls the example as its `main` does.
async fn read(home: &Home, url: &'static str) -> Result<String, String> {
    let home = home.path();
    let reading = tokio::task::spawn_blocking(move || read_page::read_page(Some(&home), url));
    reading.await.expect("no panic").map_err(|error| error.to_string())
}

#[tokio::test]
async fn the_example_reads_a_page_and_closes_its_session() {
    let daemon = Daemon::start().await;
    let serving = daemon.extension().await.serve(|command| match command.action() {
        "text" => Some(Answer::Data(json!({"text": "welcome"}))),
        _ => None,
    });
    assert_eq!(read(&daemon.home, "https://a.example/").await.as_deref(), Ok("welcome"));
    let seen: Vec<_> = serving.seen().iter().map(|command| command.action().to_owned()).collect();
    assert_eq!(seen, ["tab.open", "text", "tab.close"]);
}

#[tokio::test]
async fn the_example_says_why_it_cannot() {
    let daemon = Daemon::start().await;
    let refused = read(&daemon.home, "https://a.example/").await.expect_err("no browser");
    assert!(refused.contains("NO_EXTENSION") && refused.contains("bproxy pair"), "{refused}");
    let alone = read(&Home::new(), "https://a.example/").await.expect_err("no daemon");
    assert!(alone.contains("bproxy service start"), "{alone}");
}
