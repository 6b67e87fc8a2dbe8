//! Output for people: text instead of JSON, and suggestions for mistyped verbs.

use serde_json::json;

use crate::support::{Answer, Call, Daemon, Home, Serving, Terminal, bproxy, call, run};

/// A daemon whose browser answers by `script`, and a session with a tab.
async fn rig(
    script: impl FnMut(&crate::support::Command) -> Option<Answer> + Send + 'static,
) -> (Daemon, String, Serving) {
    let daemon = Daemon::start().await;
    let mut extension = daemon.extension().await;
    let session = extension.open_tab(&daemon).await.session;
    (daemon, session, extension.serve(script))
}

/// A call whose standard output is a terminal, with one more variable; what the terminal showed.
async fn on_terminal(daemon: &Daemon, args: &[&str], variable: (&str, &str)) -> String {
    let (terminal, inside) = Terminal::new();
    let mut command = bproxy(&daemon.home.path());
    command.args(args).env(variable.0, variable.1).stdout(inside);
    let mut child = command.spawn().expect("the bproxy binary runs");
    // With the command the last inner end goes.
    drop(command);
    let status = crate::support::patiently("a call", child.wait()).await.expect("a child");
    assert!(status.success());
    terminal.shown()
}

fn shown(call: &Call) -> &str {
    assert_eq!((call.code, &*call.stderr), (0, ""), "{call:?}");
    &call.stdout
}

#[tokio::test]
async fn a_page_is_shown_as_its_text_and_its_links_as_lines() {
    let link =
        json!({"text": "A story", "href": "https://a.example/", "target": {"selector": "#a"}});
    let (daemon, session, _serving) = rig(move |command| match command.action() {
        "text" => Some(Answer::Data(json!({"text": "Title\n\u{1b}[31mred"}))),
        "links" => Some(Answer::Data(json!({"links": [link], "total": 1}))),
        _ => None,
    })
    .await;
    let show =
        async |verb: &str| run(&daemon.home, &[verb, "--output", "text", "-s", &session]).await;
    assert_eq!(shown(&show("text").await), "Title\n\u{fffd}[31mred\n");
    let links = show("links").await;
    assert_eq!(shown(&links), "ln1 \"A story\" https://a.example/\n");
    let cut = ["text", "--limit-chars", "3", "--output", "text", "-s", &session];
    assert_eq!(shown(&run(&daemon.home, &cut).await), "Tit\n");
}

#[tokio::test]
async fn sessions_and_the_service_are_shown_as_aligned_text() {
    let (daemon, session, _serving) = rig(|_| None).await;
    let list = run(&daemon.home, &["session", "list", "--output", "text"]).await;
    let lines: Vec<_> = shown(&list).lines().collect();
    assert!(
        lines[0].starts_with("ID      TAB  ") && lines[1].starts_with(&format!("{session}  t1   "))
    );
    let status = run(&daemon.home, &["service", "status", "--output", "text"]).await;
    assert!(shown(&status).starts_with("running          yes\n"), "{status:?}");
    let health = run(&daemon.home, &["health", "--output", "text"]).await;
    assert!(shown(&health).contains("\nstatus"), "{health:?}");
    let doctor = run(&daemon.home, &["doctor", "--output", "text"]).await;
    assert!(doctor.stdout.contains("✓ daemon"), "{doctor:?}");
}

#[tokio::test]
async fn a_failure_goes_to_standard_error_with_a_suggestion() {
    let daemon = Daemon::start().await;
    let text = run(&daemon.home, &["text", "--output", "text", "-s", "aaaaaa"]).await;
    assert_eq!((text.code, &*text.stdout), (1, ""));
    assert!(
        text.stderr.contains("(SESSION_NOT_FOUND)")
            && text.stderr.contains("try: bproxy tab open about:blank"),
        "{text:?}"
    );
}

#[tokio::test]
async fn colour_is_used_on_terminals_unless_disabled() {
    let (daemon, _session, _serving) = rig(|_| None).await;
    let list = ["session", "list", "--output", "text"];
    let bold = "\u{1b}[1m";
    assert!(on_terminal(&daemon, &list, ("TERM", "xterm")).await.contains(bold));
    assert!(!on_terminal(&daemon, &list, ("NO_COLOR", "1")).await.contains('\u{1b}'));
    assert!(!on_terminal(&daemon, &list, ("TERM", "dumb")).await.contains('\u{1b}'));
    assert!(!run(&daemon.home, &list).await.stdout.contains('\u{1b}'));
    let json = on_terminal(&daemon, &["session", "list"], ("TERM", "xterm")).await;
    assert!(json.starts_with('{'), "JSON is the default on terminals too: {json}");
}

#[tokio::test]
async fn an_unknown_verb_is_answered_with_suggestions() {
    let home = Home::new();
    for (line, tip) in [
        ("open", "'tab open'"),
        ("close", "'session close', 'tab close'"),
        ("tab.open", "'tab open'"),
        ("session open", "'tab open'"),
        ("tab opne", "'open'"),
        ("clik", "'click'"),
        ("links --limt 3", "'--limit'"),
        ("wait --strategy urll --target x", "'url'"),
    ] {
        let mut command = bproxy(&home.path());
        command.args(line.split(' '));
        let call = call(command, None).await;
        assert!(call.trouble().contains("tip: ") && call.stderr.contains(tip), "{line}: {call:?}");
    }
}
