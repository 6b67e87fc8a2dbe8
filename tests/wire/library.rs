//! The library's example does what it says.

#[path = "../../examples/read_page.rs"]
#[allow(dead_code)]
mod read_page;

use bproxy::client::{self, CallError, Session};
use bproxy::protocol::{Criteria, Elements, SnapshotData, WaitStrategy};
use serde_json::{Value, json};

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

/// Works in a session with an extension that answers by action; returns what that was sent, with its parameters.
async fn worked<T: Send + 'static>(
    answers: Value,
    work: impl FnOnce(&Session<'_>) -> Result<T, CallError> + Send + 'static,
) -> (Result<T, String>, Vec<(String, Value)>) {
    let daemon = Daemon::start().await;
    let serving = daemon
        .numbering_extension("library")
        .await
        .serve(move |command| answers.get(command.action()).map(|data| Answer::Data(data.clone())));
    let home = daemon.home.path();
    let working = tokio::task::spawn_blocking(move || {
        let client = client::connect(Some(&home)).map_err(|error| error.to_string())?;
        let session = client.session("research").map_err(|error| error.to_string())?;
        let open = session.open("https://a.example/");
        open.and_then(work).map_err(|error| error.to_string())
    });
    let done = working.await.expect("no panic");
    let seen = serving.seen();
    let of = |name: &str| seen.iter().any(|command| command.action() == name);
    assert!(of("tab.open"), "the page was opened");
    let sent = seen.iter().map(|command| (command.action().to_owned(), command.params().clone()));
    (done, sent.collect())
}

#[tokio::test]
async fn a_session_is_a_chain_of_typed_calls() {
    let tree = json!({"tree": "- button \"Send\"", "nodeCount": 1, "mark": "k1", "full": true, "handles": []});
    let act = json!({"clicked": true, "disappeared": false, "stable": true, "effects": {}});
    let answers = json!({
        "snapshot": tree,
        "text": {"text": "welcome"},
        "click": act,
        "fill": {"filled": true, "verifiedValue": "Ada", "effects": {}},
        "select": {"selected": true, "optionText": "Norway", "effects": {}},
        "press": {"pressed": 2, "effects": {}},
        "type": {"typed": 3, "effects": {}},
        "wait": {"matched": true, "elapsed": 3, "url": "https://a.example/"},
        "elements": {"elements": [], "total": 0},
    });
    let (done, sent) = worked(answers, |session| {
        let SnapshotData { tree, node_count, .. } = session.snapshot()?;
        assert_eq!((&*tree, node_count), ("- button \"Send\"", 1));
        assert_eq!(session.text_of("main")?, "welcome");
        session.click("a[href]")?;
        let save = Criteria { role: Some("button".into()), ..Criteria::default() };
        session.click(save)?;
        assert_eq!(session.fill("#name", "Ada")?.verified_value.as_deref(), Some("Ada"));
        session.select("#country", "Norway")?;
        session.press(["Control+a", "Delete"])?;
        session.type_into("#q", "abc")?;
        session.wait(WaitStrategy::Text, "welcome")?;
        session.call(Elements { form: Some(true), ..Elements::default() })?;
        session.clone().close()
    })
    .await;
    assert_eq!(done.map(|closed| closed.closed_tabs), Ok(1));
    let of = |name: &str| -> Vec<&Value> {
        sent.iter().filter(|(action, _)| action == name).map(|(_, params)| params).collect()
    };
    assert_eq!(
        of("click"),
        [
            &json!({"target": {"selector": "a[href]"}}),
            &json!({"target": {"find": {"role": "button"}}})
        ]
    );
    assert_eq!(of("press"), [&json!({"keys": ["Control+a", "Delete"]})]);
    assert_eq!(of("wait"), [&json!({"strategy": "text", "target": "welcome", "timeout": 30_000})]);
    assert_eq!(of("elements"), [&json!({"form": true})]);
}

#[tokio::test]
async fn a_typed_call_fails_where_it_had_no_effect_or_could_not_be_sent() {
    let answers = json!({"fill": {"filled": false, "verifiedValue": "old", "effects": {}}});
    let (done, _) = worked(answers, |session| session.fill("#name", "Ada")).await;
    assert!(done.expect_err("no effect").contains("does not hold"));
    let (done, sent) = worked(json!({}), |session| session.press(["NoSuch Key+"])).await;
    done.expect_err("no key");
    assert_eq!(sent.len(), 1, "only the page was opened: {sent:?}");
    let (done, _) = worked(json!({}), |session| session.click("el5")).await;
    let refused = done.expect_err("a handle that nobody gave");
    assert!(
        refused.contains("ELEMENT_HANDLE_NOT_FOUND") && refused.contains("bproxy elements"),
        "{refused}"
    );
}
