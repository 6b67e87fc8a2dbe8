//! The log in a real journal, written by the daemon as a service of a real systemd.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::support::{
    BPROXY, Client, FakeExtension, Pairing, User, call, own_origin, patiently, request,
};

/// Runs `script` until it prints something.
async fn until_printed(user: &User, what: &str, script: &str) -> String {
    patiently(what, async {
        loop {
            let text = user.sh(script).await;
            if !text.trim().is_empty() {
                return text;
            }
        }
    })
    .await
}

/// A daemon that runs as a transient service: its standard error is the journal.
async fn service(user: &User, variables: &str) {
    let port = user.port;
    user.sh(&format!(
        "systemd-run --user --quiet --unit=bproxy-log --setenv=BPROXY_PORT={port} --setenv=BPROXY_SECRETS=file \
         {variables} {BPROXY} daemon"
    ))
    .await;
    until_printed(user, "the daemon", "cat .bproxy/port 2>/dev/null || true").await;
}

/// The entries that `journalctl --user` finds, once there are so many.
async fn entries(user: &User, matches: &str, count: usize) -> Vec<Value> {
    patiently("the journal", async {
        loop {
            let found =
                user.sh(&format!("journalctl --user --quiet --output=json {matches}")).await;
            let entries: Vec<Value> = found
                .lines()
                .map(|line| serde_json::from_str(line).expect("an entry in JSON"))
                .collect();
            if entries.len() >= count {
                return entries;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_services_records_are_in_the_journal_with_fields_to_ask_for() {
    let Some(user) = User::new() else { return };
    service(&user, "").await;
    let answer = user.bproxy(&["session", "create", "--label", "x"]).await.json();
    let (id, session) = (answer["id"].as_str().expect("an id"), &answer["data"]["session"]);
    let life = entries(&user, &format!("BPROXY_ID={id}"), 2).await;
    let events: Vec<_> = life.iter().map(|entry| &entry["BPROXY_EVENT"]).collect();
    assert_eq!(events, ["received", "response"]);
    let received = &life[0];
    for (field, value) in [
        ("BPROXY_ACTION", "session.create"),
        ("BPROXY_DESTRUCTIVE", "false"),
        ("PRIORITY", "6"),
        ("SYSLOG_IDENTIFIER", "bproxy"),
        ("_SYSTEMD_USER_UNIT", "bproxy-log.service"),
        ("BPROXY_HOME", &format!("{}/.bproxy", user.home())),
    ] {
        assert_eq!(received[field], value, "{field}");
    }
    let message = received["MESSAGE"].as_str().expect("text");
    assert!(message.starts_with("received action=session.create"), "{message}");

    // What names the session can be asked for by it.
    let session = session.as_str().expect("a session");
    user.bproxy(&["session", "bind", "-s", session, "--pacing", "fast"]).await.json();
    let of_session =
        entries(&user, &format!("BPROXY_SESSION={session} BPROXY_EVENT=received"), 1).await;
    assert_eq!(of_session[0]["BPROXY_ACTION"], "session.bind");

    // What should not happen has the priority of a warning.
    let script = "exec 3<>/dev/tcp/127.0.0.1/PORT; printf 'GET / HTTP/1.1\\r\\nHost: evil\\r\\n\\r\\n' >&3; cat <&3";
    let refused = script.replace("PORT", &user.port.to_string());
    user.run(&["bash", "-c", &refused]).await;
    let warning = entries(&user, "BPROXY_EVENT=auth_refused", 1).await;
    assert_eq!(warning[0]["PRIORITY"], "4");
    assert_eq!(
        user.sh("ls .bproxy").await.matches("logs").count(),
        0,
        "no files beside the journal"
    );
}

#[tokio::test]
async fn the_journal_is_shown_as_the_lines_that_a_file_would_have() {
    let Some(user) = User::new() else { return };
    service(&user, "").await;
    let answer = user.bproxy(&["session", "list"]).await.json();
    let id = answer["id"].as_str().expect("an id");
    entries(&user, &format!("BPROXY_ID={id}"), 2).await;
    let shown = user.bproxy(&["service", "logs", "--id", id]).await;
    let records: Vec<Value> =
        shown.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let events: Vec<_> = records.iter().map(|record| &record["event"]).collect();
    assert_eq!(events, ["received", "response"]);
    assert!(records[0]["destructive"] == false && records[1]["elapsed_ms"].is_u64(), "{records:?}");
}

#[tokio::test]
async fn a_journal_that_is_followed_begins_with_its_latest_records_and_shows_each_once() {
    let Some(user) = User::new() else { return };
    service(&user, "").await;
    let client = client(&user);
    let requests = async |name: &str| {
        for number in 0..20 {
            client.send(request("session.list").named(&format!("{name}-{number}"))).await.data();
        }
    };
    requests("before").await;
    entries(&user, "BPROXY_EVENT=response", 20).await;
    let mut command = user.command(&[BPROXY, "service", "logs", "--follow"]);
    let mut follower = command.spawn().expect("nsenter runs");
    let mut lines = BufReader::new(follower.stdout.take().expect("a pipe")).lines();
    let mut shown = vec![];
    // Logged while what is there is read.
    let logging = requests("after");
    let reading = patiently("the last record", async {
        loop {
            let line = lines.next_line().await.expect("text").expect("a line");
            let record: Value = serde_json::from_str(&line).expect("JSON");
            let text = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
            shown.push((text("id"), text("event")));
            if shown.last() == Some(&("after-19".into(), "response".into())) {
                return;
            }
        }
    });
    tokio::join!(logging, reading);
    let expected = |names: &[&str]| {
        let ids =
            names.iter().flat_map(|name| (0..20).map(move |number| format!("{name}-{number}")));
        ids.flat_map(|id| [(id.clone(), "received".to_owned()), (id, "response".to_owned())])
            .collect::<Vec<_>>()
    };
    let all = expected(&["before", "after"]);
    assert!(all.ends_with(&shown), "neither lost nor twice nor out of order: {shown:?}");
    assert!(shown.len() <= 10 + expected(&["after"]).len(), "{shown:?}");
}

#[tokio::test]
async fn queries_are_filtered_by_the_journal_where_possible() {
    let Some(user) = User::new() else { return };
    service(&user, "").await;
    // Notes what it is asked, and asks on.
    let note = "#!/bin/sh\necho \"$@\" >>asked\nexec /usr/bin/journalctl \"$@\"\n";
    fs::create_dir(user.file("bin")).expect("own directory");
    fs::write(user.file("bin/journalctl"), note).expect("own file");
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(user.file("bin/journalctl"), executable).expect("own file");
    let path = "PATH=$HOME/bin:$PATH";
    let shown =
        user.sh(&format!("{path} bproxy service logs --id one --since 1714000030999")).await;
    assert_eq!(shown, "");
    let asked = user.sh("cat asked").await;
    assert!(asked.contains("BPROXY_ID=one") && asked.contains("--since=@1714000030"), "{asked}");
    let id =
        user.bproxy(&["session", "list"]).await.json()["id"].as_str().expect("an id").to_owned();
    entries(&user, &format!("BPROXY_ID={id}"), 2).await;
    let shown = user.sh(&format!("{path} bproxy service logs --id {id} --since 1h")).await;
    assert_eq!(shown.lines().count(), 2, "{shown}");
}

#[tokio::test]
async fn the_journal_can_be_configured_where_standard_error_is_elsewhere() {
    let Some(user) = User::new() else { return };
    service(&user, "--setenv=BPROXY_LOG=journald --property=StandardError=null").await;
    let started = entries(&user, "BPROXY_EVENT=start", 1).await;
    assert_eq!(started[0]["_SYSTEMD_USER_UNIT"], "bproxy-log.service");
}

/// What a client of this process needs to talk to the user's daemon.
fn client(user: &User) -> Client {
    let token = fs::read_to_string(user.file(".bproxy/token")).expect("a token");
    Client { port: user.port, token }
}

#[tokio::test]
async fn a_record_of_any_length_is_in_the_journal_whole() {
    let Some(user) = User::new() else { return };
    service(&user, "--setenv=BPROXY_LOG_LEVEL=debug").await;
    let client = client(&user);
    let code = fs::read_to_string(user.file(".bproxy/pairing.json")).expect("a pairing code");
    let code: Value = serde_json::from_str(&code).expect("JSON");
    let code = code["pairingCode"].as_str().expect("a code");
    let claimed = client.claim(code, &own_origin()).await.data();
    let token = claimed["extensionToken"].as_str().expect("a token").to_owned();
    let pairing = Pairing { token, origin: own_origin() };
    let mut extension =
        FakeExtension::connect(user.port, &pairing).await.expect("the extension is let in");
    extension.hello("one").await;
    // Longer than any datagram may be.
    let url = format!("https://example.org/{}", "x".repeat(600_000));
    let open = client.begin(request("tab.open").named("long").params(json!({"url": url})));
    extension.receive().await;
    open.hang_up();
    let payload = entries(&user, "--all BPROXY_ID=long BPROXY_EVENT=payload", 1).await;
    assert!(payload[0]["BPROXY_PARAMS"].as_str().expect("text").contains(&url));
    assert_eq!(payload[0]["PRIORITY"], "7");
    let record: Value =
        serde_json::from_str(payload[0]["BPROXY_RECORD"].as_str().expect("text")).expect("JSON");
    assert_eq!(record["params"], payload[0]["BPROXY_PARAMS"]);
    let message = payload[0]["MESSAGE"].as_str().expect("text");
    assert!(message.starts_with("payload ") && message.len() < 1000, "{message}");
}

/// A daemon that sees another `/run/systemd/journal` than the machine's: what `mount` puts there.
fn secluded(user: &User, mount: &str) -> tokio::process::Command {
    let port = user.port;
    let script = format!(
        "{mount} && BPROXY_LOG=journald BPROXY_PORT={port} BPROXY_SECRETS=file exec {BPROXY} daemon"
    );
    user.command(&["unshare", "--map-root-user", "--mount", "sh", "-c", &script])
}

#[tokio::test]
async fn a_hanging_journal_delays_neither_requests_nor_shutdown() {
    /// Records wait for a journal in its socket, as many as the system lets them, and then in the daemon.
    const REQUESTS: usize = 2000;
    let Some(user) = User::new() else { return };
    let path = user.file("hanging");
    let journal = UnixDatagram::bind(&path).expect("a socket");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).expect("own socket");
    let mount = "mount --bind hanging /run/systemd/journal/socket";
    let mut daemon = secluded(&user, mount).spawn().expect("nsenter runs");
    until_printed(&user, "the daemon", "cat .bproxy/port 2>/dev/null || true").await;
    let client = client(&user);
    for _ in 0..REQUESTS {
        client.send(request("session.list")).await.data();
    }
    user.sh("kill $(cat .bproxy/bproxy.pid)").await;
    let ended = patiently("the daemon's end", daemon.wait()).await.expect("a child");
    assert!(ended.success(), "{ended}");
    journal.set_nonblocking(true).expect("own socket");
    let mut entry = [0; 4096];
    let taken = std::iter::from_fn(|| journal.recv(&mut entry).ok()).count();
    assert!(taken > 1 && taken < REQUESTS, "{taken} entries fitted into the socket");
}

#[tokio::test]
async fn a_journal_that_is_kept_in_memory_alone_is_shown_or_it_is_said_why_not_and_what_helps() {
    let Some(user) = User::alone() else { return };
    fs::copy(env!("CARGO_BIN_EXE_bproxy"), user.machine.path(BPROXY)).expect("a program");
    let volatile = "printf '[Journal]\\nStorage=volatile\\n' >/etc/systemd/journald.conf.d/volatile.conf && \
                    systemctl restart systemd-journald && rm -rf /var/log/journal";
    let made = call(user.machine.root(&["sh", "-c", volatile]), None).await;
    assert_eq!(made.code, 0, "{made:?}");
    service(&user, "").await;
    user.bproxy(&["session", "create"]).await.data();
    let logs = user.bproxy(&["service", "logs"]).await;
    if !logs.stdout.contains("session.create") {
        // The journal in memory is the system's, and not every user may read it.
        assert!(logs.stderr.contains("BPROXY_LOG=file"), "{logs:?}");
    }
    // With what it names, the log is in files.
    user.sh("echo BPROXY_LOG=file >>.bproxy/config.env; systemctl --user stop bproxy-log").await;
    service(&user, "").await;
    user.bproxy(&["session", "create"]).await.data();
    until_printed(
        &user,
        "the log",
        "bproxy service logs 2>/dev/null | grep session.create || true",
    )
    .await;
}

#[tokio::test]
async fn a_required_journal_that_is_missing_ends_the_start() {
    let Some(user) = User::new() else { return };
    let call =
        crate::support::call(secluded(&user, "mount -t tmpfs none /run/systemd/journal"), None)
            .await;
    assert_eq!(call.code, 78, "{call:?}");
    assert!(call.stderr.contains("no journal"), "{call:?}");
}

#[tokio::test]
async fn a_start_that_requires_a_missing_journal_leaves_no_files() {
    let Some(user) = User::new() else { return };
    let script = format!(
        "mount -t tmpfs none /run/systemd/journal && HOME=/tmp/{0} && mkdir $HOME && cd $HOME && \
         export HOME BPROXY_LOG=journald BPROXY_PORT=0 BPROXY_SECRETS=file && \
         ! {BPROXY} daemon 2>said && grep -q journal said && ls -A .bproxy",
        user.name
    );
    let start = user.machine.root(&["unshare", "--mount", "sh", "-c", &script]);
    let call = crate::support::call(start, None).await;
    assert_eq!((call.code, &*call.stdout), (0, ""), "{call:?}");
}

#[tokio::test]
async fn files_are_written_where_only_standard_output_is_the_journal() {
    let Some(user) = User::new() else { return };
    service(&user, "--property=StandardError=null").await;
    until_printed(&user, "a log file", "cat .bproxy/logs/*.log 2>/dev/null || true").await;
    assert!(entries(&user, "BPROXY_EVENT=start", 0).await.is_empty());
}

#[tokio::test]
async fn a_doctor_finds_the_journal() {
    let Some(user) = User::new() else { return };
    service(&user, "").await;
    let report = user.bproxy(&["doctor"]).await;
    assert_eq!(report.code, 1, "{report:?}");
    let report: Value = serde_json::from_str(report.stdout.trim()).expect("JSON");
    assert_eq!(report["failing"], "browser", "{report}");
    let checks = report["checks"].as_array().expect("checks");
    let journal = checks.iter().find(|check| check["hop"] == "journal").expect("a check");
    assert_eq!(journal["detail"], "takes records and can be read");
}
