//! Where tokens, pairing codes and filled values must not appear: in the log at any level, the journal, any process's
//! arguments or environment, printed output, or any file not made for them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{
    Answer, BPROXY, Call, Client, Command as Forwarded, Daemon, FakeExtension, Home, Pairing,
    Serving, StopOnDrop, User, base64url, bproxy, call, origin, own_origin, patiently, request,
    run, wait_for,
};

/// What must not show, under the name to complain by. Its `Debug` and the messages of this file have the names alone.
#[derive(Default)]
struct Secrets(BTreeMap<String, String>);

impl Secrets {
    fn add(&mut self, name: &str, secret: &str) {
        assert!(secret.len() >= 8, "{name} is too short to look for");
        self.0.insert(name.to_owned(), secret.to_owned());
        self.0.insert(format!("{name}, encoded"), base64url(secret.as_bytes()));
        if name.contains("code") {
            self.0.insert(format!("{name}, without its dash"), secret.replace('-', ""));
        }
    }

    /// # Panics
    /// If `text` has one of them.
    #[track_caller]
    fn are_not_in(&self, place: &str, text: &[u8]) {
        for (name, secret) in &self.0 {
            assert!(
                memchr::memmem::find(text, secret.as_bytes()).is_none(),
                "{place} has the {name}"
            );
        }
    }

    /// # Panics
    /// If the arguments or the environment of a process of this machine has one of them.
    fn are_not_in_processes(&self) {
        let mut looked_at = 0;
        for process in fs::read_dir("/proc").expect("processes").flatten() {
            for part in ["cmdline", "environ"] {
                // It may have ended, or belong to somebody else.
                let Ok(text) = fs::read(process.path().join(part)) else { continue };
                self.are_not_in(&format!("{} of {}", part, process.path().display()), &text);
                looked_at += 1;
            }
        }
        assert!(looked_at > 2, "no processes to look at");
    }

    /// # Panics
    /// If a file of `folder` or below has one of them, but for those made for that.
    fn are_not_in_files(&self, folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                self.are_not_in_files(&path);
            } else if !["token", "extension-token", "pairing.json"]
                .contains(&name.to_str().expect("text"))
            {
                self.are_not_in(&path.display().to_string(), &fs::read(&path).unwrap_or_default());
            }
        }
    }
}

/// A person at the command line, and what their calls have printed.
struct Person {
    /// Makes a call of the program under test.
    command: Box<dyn Fn() -> Command>,
    printed: Vec<(String, Call)>,
}

impl Person {
    fn new(command: impl Fn() -> Command + 'static) -> Self {
        Self { command: Box::new(command), printed: Vec::new() }
    }

    async fn run(&mut self, args: &[&str], stdin: Option<&str>) {
        let mut command = (self.command)();
        command.args(args);
        let call = call(command, stdin.map(str::as_bytes)).await;
        self.printed.push((args.join(" "), call));
    }

    fn last(&self) -> &Call {
        &self.printed.last().expect("a call").1
    }

    /// # Panics
    /// If a call has printed a secret: other than a value that the person has just filled in, in the answer to that.
    fn has_seen_no(&self, secrets: &Secrets) {
        for (args, call) in &self.printed {
            secrets.are_not_in(&format!("the complaint of `{args}`"), call.stderr.as_bytes());
            if !args.starts_with("fill") && !args.starts_with("elements") {
                secrets.are_not_in(&format!("the answer to `{args}`"), call.stdout.as_bytes());
            }
        }
    }
}

/// Claims the code that the state directory holds. Returns the pairing, and adds code and token to the secrets.
async fn claim(
    client: &Client,
    pairing_file: &Path,
    origin: &str,
    secrets: &mut Secrets,
) -> Pairing {
    let pairing: Value =
        serde_json::from_slice(&fs::read(pairing_file).expect("a code")).expect("JSON");
    let code = pairing["pairingCode"].as_str().expect("a code");
    secrets.add(&format!("code of {origin}"), code);
    if origin == own_origin() {
        let wrong = code.chars().rev().collect::<String>();
        client.claim(&wrong, origin).await;
        let more = json!({"code": code, "more": 1}).to_string();
        client.claim_with(more.as_bytes(), origin).await;
    }
    let claimed = client.claim(code, origin).await.data();
    let token = claimed["extensionToken"].as_str().expect("a token").to_owned();
    secrets.add(&format!("extension's token of {origin}"), &token);
    client.claim(code, origin).await;
    Pairing { token, origin: origin.to_owned() }
}

/// An extension that says back what it was told to fill in, wherever a page would.
async fn serving(port: u16, pairing: &Pairing, filled: &[String; 3]) -> Serving {
    let mut extension = FakeExtension::connect(port, pairing).await.expect("a paired extension");
    extension.hello_of_revision_1("one").await;
    // Nonsense that quotes.
    extension.send(format!("not JSON: {}", filled[0])).await;
    extension
        .send(json!({"id": "nobody", "ok": true, "data": {"text": filled[1]}}).to_string())
        .await;
    extension.fence().await;
    let filled = filled.clone();
    extension.serve(move |command: &Forwarded| {
        let verified = json!({"filled": true, "verifiedValue": filled[0]});
        Some(match command.action() {
            "fill" if command.params()["target"]["selector"] == "#refused" => {
                Answer::Error("ELEMENT_NOT_ACTIONABLE", "it is hidden")
            }
            "fill" if command.params()["target"]["selector"] == "#mute" => Answer::Silence,
            "fill" => Answer::Data(verified),
            "fill-form" => {
                Answer::Data(json!({"results": [{"target": {"selector": "#a"}, "filled": true,
                "verifiedValue": filled[1]}]}))
            }
            "elements" => Answer::Data(
                json!({"elements": [{"selector": "#a", "tag": "input", "value": filled[0]}]}),
            ),
            "links" => Answer::Data(json!({"links": [{"text": "a", "href": "https://example.org/",
                "target": {"selector": "a"}}], "total": 1})),
            "screenshot" => Answer::Data(json!({"base64": "aGVsbG8=", "format": "png"})),
            "require-human" => Answer::Error("HUMAN_REQUIRED", "please look"),
            "debug.log" => Answer::Data(json!({"entries": []})),
            _ => return None,
        })
    })
}

/// One command of every kind, with errors, refusals and waits among them.
async fn day(person: &mut Person, filled: &[String; 3], secrets: &Secrets, scratch: (&Path, &str)) {
    person.run(&["tab", "open", "https://example.org/?q=1"], None).await;
    let session = person.last().data()["session"].as_str().expect("a session").to_owned();
    let (folder, inside) = scratch;
    let field = |selector: &str, value: &str| json!({"target": {"selector": selector}, "value": value, "method": "direct", "world": "isolated"});
    let form = json!([field("#a", &filled[0]), field("#b", &filled[1])]).to_string();
    let broken = form.replace("isolated", "elsewhere");
    let files = [("VALUE", &filled[2]), ("FORM", &form), ("BROKEN", &broken)];
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a scratch file");
    }
    let commands: [(&str, Option<&str>); 44] = [
        ("session bind --pacing fast", None),
        ("session create --label x", None),
        ("session list", None),
        ("tab list", None),
        ("navigate https://example.org/there?q=1", None),
        ("text", None),
        ("links", None),
        ("images", None),
        ("elements --form", None),
        ("outline", None),
        ("dom --depth 2", None),
        ("inspect --selector p", None),
        ("snapshot", None),
        ("scroll --by end", None),
        ("click --selector a", None),
        ("hover --selector a", None),
        ("fill --selector #a --value-stdin", Some(&filled[0])),
        ("fill --element el1 --value-stdin --method paste", Some(&filled[1])),
        ("fill --selector #a --value-file VALUE", None),
        ("fill --element el77 --value-stdin", Some(&filled[0])),
        ("fill --selector #refused --value-stdin", Some(&filled[0])),
        ("fill --selector #mute --value-stdin --timeout 300", Some(&filled[0])),
        ("fill --value-stdin", None),
        ("fill-form --file FORM", None),
        ("fill-form --file BROKEN", None),
        ("select --selector #a --option-text b", None),
        ("screenshot", None),
        ("wait --strategy selector --target p", None),
        ("tab pin", None),
        ("tab unpin", None),
        ("tab activate", None),
        ("debug log", None),
        ("debug last", None),
        ("debug status", None),
        ("text -s zzzzzz", None),
        ("text -s nothing!", None),
        ("require-human --reason please", None),
        ("text", None),
        ("session resume", None),
        ("session unbind", None),
        ("text", None),
        ("session close", None),
        ("text", None),
        ("health", None),
    ];
    for (line, stdin) in commands {
        let line = ["VALUE", "FORM", "BROKEN"]
            .iter()
            .fold(line.to_owned(), |line, name| line.replace(name, &format!("{inside}/{name}")));
        let mut args: Vec<_> = line.split(' ').collect();
        let needs_session =
            !["session create", "session list", "debug last", "debug status", "health"]
                .iter()
                .any(|verb| line.starts_with(verb));
        if needs_session && !line.contains(" -s ") {
            args.extend(["-s", &session]);
        }
        person.run(&args, stdin).await;
    }
    for (name, _) in files {
        fs::remove_file(folder.join(name)).expect("own file");
    }
    // The answers came from the daemon, and the ones that had to went well.
    let went_well = person.printed.iter().filter(|(_, call)| call.code == 0).count();
    assert!(
        went_well >= 30,
        "{:?}",
        person.printed.iter().map(|(args, call)| (args, call.code)).collect::<Vec<_>>()
    );
    secrets.are_not_in_processes();
}

fn filled() -> [String; 3] {
    ["alpha", "beta", "gamma"].map(|name| format!("filled-{name}-{}", std::process::id()))
}

#[tokio::test]
async fn no_secret_shows_in_a_log_a_file_a_process_or_an_output() {
    let home = Home::new();
    fs::write(home.file("config.env"), "BPROXY_LOG_LEVEL=debug\n").expect("own directory");
    let mut secrets = Secrets::default();
    let filled = filled();
    for (number, value) in filled.iter().enumerate() {
        secrets.add(&format!("filled value {number}"), value);
    }
    // What starts a daemon tells its person the code; nothing else does.
    let started = run(&home, &["service", "start"]).await;
    let _guard = StopOnDrop::in_home(&home);
    let port: u16 = started.json()["port"].as_u64().expect("a port") as u16;
    let token = || home.read("token").trim().to_owned();
    let client = Client { port, token: token() };
    secrets.add("daemon's token", &client.token);
    let mut person = Person::new({
        let path = home.path();
        move || bproxy(&path)
    });
    claim(&client, &home.file("pairing.json"), &own_origin(), &mut secrets).await;
    client.send(request("pairing.issue")).await.data();
    let pairing = claim(&client, &home.file("pairing.json"), &origin('b'), &mut secrets).await;
    // Refusals of every layer quote nothing of what they were shown.
    let mut stolen = Pairing { token: pairing.token.clone(), origin: origin('c') };
    assert_eq!(FakeExtension::connect(port, &stolen).await.err(), Some(401));
    stolen.token = client.token.clone();
    assert_eq!(FakeExtension::connect(port, &stolen).await.err(), Some(401));
    let wrong = Client { port, token: pairing.token.clone() };
    assert_eq!(wrong.send(request("session.list")).await.status(), 401);
    let in_body =
        request("text").set("token", client.token.clone()).params(json!({"value": filled[0]}));
    assert_eq!(client.send(in_body).await.status(), 400);
    client.get(&format!("/{}", client.token)).await.refused(404, "NOT_FOUND");

    let serving = serving(port, &pairing, &filled).await;
    let scratch = home.path().parent().expect("a folder").to_owned();
    day(&mut person, &filled, &secrets, (&scratch, scratch.to_str().expect("text"))).await;
    for args in [
        &["service", "status"][..],
        &["service", "logs"],
        &["doctor"],
        &["token", "path"],
        &["token", "rotate"],
    ] {
        person.run(args, None).await;
        secrets.are_not_in_processes();
    }
    assert_ne!(token(), client.token, "rotated");
    secrets.add("daemon's next token", &token());
    person.run(&["session", "list"], None).await;
    person.run(&["service", "start"], None).await;
    person.last().trouble();
    for action in ["fill", "fill-form", "screenshot", "select", "require-human"] {
        serving.saw(action).await;
    }
    drop(serving);
    secrets.are_not_in_processes();
    person.run(&["service", "stop"], None).await;
    person.has_seen_no(&secrets);
    secrets.are_not_in_files(home.path().parent().expect("the test's folder"));
    let log = home.log_text();
    for event in
        ["forwarded", "auth_refused", "pair_claim_failed", "pair_claim_ok", "timeout", "payload"]
    {
        assert!(log.contains(event), "the log had nothing to say of {event}");
    }
}

#[tokio::test]
async fn no_secret_shows_in_the_journal_of_a_service() {
    let Some(user) = User::new() else { return };
    let port = user.port;
    user.sh(&format!(
        "systemd-run --user --quiet --unit=bproxy-secrets --setenv=BPROXY_PORT={port} --setenv=BPROXY_SECRETS=file \
         --setenv=BPROXY_LOG_LEVEL=debug {BPROXY} daemon"
    ))
    .await;
    let pairing_file = user.file(".bproxy/pairing.json");
    wait_for("the daemon", || user.file(".bproxy/port").exists().then_some(())).await;
    let token = fs::read_to_string(user.file(".bproxy/token")).expect("a token").trim().to_owned();
    let client = Client { port, token };
    let mut secrets = Secrets::default();
    let filled = filled();
    for (number, value) in filled.iter().enumerate() {
        secrets.add(&format!("filled value {number}"), value);
    }
    secrets.add("daemon's token", &client.token);
    let pairing = claim(&client, &pairing_file, &own_origin(), &mut secrets).await;
    let serving = serving(port, &pairing, &filled).await;
    let (machine, name, home) = (user.machine, user.name.clone(), user.home());
    let mut person = Person::new(move || {
        let set = format!("HOME={home}");
        machine.root(&["runuser", "-u", &name, "--", "env", &set, "BPROXY_SECRETS=file", BPROXY])
    });
    let scratch = (user.file(""), user.home());
    day(&mut person, &filled, &secrets, (&scratch.0, &scratch.1)).await;
    person.has_seen_no(&secrets);
    for action in ["fill", "fill-form", "screenshot", "select", "require-human"] {
        serving.saw(action).await;
    }
    drop(serving);
    user.systemctl(&["stop", "bproxy-secrets"]).await;
    let machine = user.machine;
    let journal = async |args: &[&str]| {
        let mut command = machine.root(&["journalctl", "--output=export", "--quiet"]);
        command.args(args).output().await.expect("journalctl").stdout
    };
    // Other tests have users on this machine.
    let own = format!("_UID={}", user.uid);
    let records = patiently("the journal", async {
        loop {
            let text = journal(&[&own]).await;
            if memchr::memmem::find(&text, br#""event":"stop""#).is_some() {
                return text;
            }
        }
    })
    .await;
    assert!(memchr::memmem::find(&records, b"auth_refused").is_none(), "nothing was refused");
    assert!(
        memchr::memmem::find(&records, br##""#refused""##).is_some(),
        "payloads are there, less what was filled"
    );
    secrets.are_not_in("the journal", &journal(&[]).await);
}

#[tokio::test]
async fn no_secret_is_in_a_process_while_a_command_waits() {
    let (daemon, mut extension, tab) = Daemon::with_numbering_tab().await;
    let mut secrets = Secrets::default();
    secrets.add("daemon's token", &daemon.token);
    secrets.add("extension's token", &daemon.pairing().await.token);
    let value = format!("waiting-{}", std::process::id());
    secrets.add("filled value", &value);
    let mut command = bproxy(&daemon.home.path());
    command.args(["fill", "-s", &tab.session, "--selector", "#a", "--value-stdin"]);
    let (call, ()) = tokio::join!(call(command, Some(value.as_bytes())), async {
        let command = extension.receive_action("fill").await;
        assert_eq!(command.params()["value"], value);
        secrets.are_not_in_processes();
        extension.answer(&command, json!({"filled": true, "verifiedValue": ""})).await;
    });
    assert_eq!(call.data()["filled"], true);
}

#[tokio::test]
async fn neither_the_daemon_nor_a_call_dumps_core() {
    let daemon = Daemon::start().await;
    let limit = |pid: u32| {
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).expect("limits");
        let core =
            limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
        core.split_whitespace().skip(4).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(limit(daemon.pid().as_raw_nonzero().get().cast_unsigned()), ["0", "0"]);
    let mut extension = daemon.extension().await;
    let tab = extension.open_tab(&daemon).await;
    let mut command = bproxy(&daemon.home.path());
    let mut child =
        command.args(["text", "-s", &tab.session]).spawn().expect("the bproxy binary runs");
    extension.receive_action("text").await;
    assert_eq!(limit(child.id().expect("a running call")), ["0", "0"]);
    child.kill().await.expect("own child");
}
