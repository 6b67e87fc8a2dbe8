//! Faults around a running daemon: full disks, clocks that jump, files that are damaged or moved.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{
    Client, Daemon, FakeExtension, Home, Pairing, StopOnDrop, bproxy, call, now_ms, origin,
    request, run, wait_for,
};

fn chmod(path: PathBuf, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("an own file");
}

/// A daemon whose state directory is a small file system of its own, which only it and what enters its mount namespace
/// can see.
#[cfg(target_os = "linux")]
struct Cramped {
    client: Client,
    child: tokio::process::Child,
    home: Home,
    stderr: PathBuf,
}

#[cfg(target_os = "linux")]
impl Cramped {
    const SIZE: &str = "256k";

    async fn start() -> Self {
        let home = Home::new();
        let stderr = home.path().with_file_name("stderr");
        let mut command = tokio::process::Command::new("unshare");
        // Without privileges, in a user namespace, where the system lets users make some.
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        let script = "mount -t tmpfs -o size=$0,mode=700 tmpfs \"$BPROXY_HOME\" && exec \"$@\"";
        command
            .args(["--mount", "--propagation=private", "sh", "-c", script, Self::SIZE])
            .args([env!("CARGO_BIN_EXE_bproxy"), "daemon"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(std::process::Stdio::null())
            .stderr(fs::File::create(&stderr).expect("a fresh file"))
            .stdout(std::process::Stdio::null())
            .kill_on_drop(true);
        for (name, value) in bproxy(&home.path()).as_std().get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let mut child = command.spawn().expect("unshare");
        let root = format!("/proc/{}/root", child.id().expect("a child"));
        let inside = PathBuf::from(format!("{root}{}", home.path().display()));
        let port = wait_for("the daemon", || {
            let ended = child.try_wait().expect("a child to ask");
            assert!(ended.is_none(), "{ended:?}: {:?}", fs::read_to_string(&stderr));
            fs::read_to_string(inside.join("port")).ok()?.trim().parse().ok()
        })
        .await;
        let token = fs::read_to_string(inside.join("token")).expect("a token").trim().to_owned();
        Self { client: Client { port, token }, child, home, stderr }
    }

    /// The path of a file of the state directory, as seen from this process.
    fn file(&self, name: &str) -> PathBuf {
        let pid = self.child.id().expect("a running daemon");
        PathBuf::from(format!("/proc/{pid}/root{}/{name}", self.home.path().display()))
    }

    /// Runs a script that finds the state directory's place in `$0`, where the daemon has it.
    async fn sh(&self, script: &str) {
        let mut command = tokio::process::Command::new("nsenter");
        command.arg(format!("--target={}", self.child.id().expect("a running daemon")));
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--preserve-credentials"]);
        }
        let place = self.home.path();
        let status = command.args(["--mount", "sh", "-c", script]).arg(place).status().await;
        assert!(status.expect("nsenter").success(), "{script}");
    }

    /// How often the daemon reported that the log cannot be written.
    fn said(&self) -> usize {
        fs::read_to_string(&self.stderr).expect("its words").matches("cannot write the log").count()
    }

    fn log(&self) -> String {
        let files = fs::read_dir(self.file("logs")).into_iter().flatten().flatten();
        files.map(|file| fs::read_to_string(file.path()).unwrap_or_default()).collect()
    }

    fn code(&self) -> String {
        let text = fs::read(self.file("pairing.json")).expect("a code");
        let pairing: Value = serde_json::from_slice(&text).expect("JSON");
        pairing["pairingCode"].as_str().expect("a code").to_owned()
    }

    /// Commands on every path through the daemon, until it reports that its log is full, and some more.
    async fn goes_on(&self, extension: &mut FakeExtension) {
        let tab = extension.open_tab(&self.client).await;
        let end = now_ms() + 20_000;
        while self.said() == 0 {
            assert!(now_ms() < end, "no word about the log");
            self.client.send(request("session.list")).await.data();
        }
        for _ in 0..20 {
            let (_, reply) =
                extension.exchange(&self.client, tab.request("text"), json!({"text": "x"})).await;
            reply.data();
        }
        let created = self.client.send(request("session.create")).await.data();
        self.client
            .send(request("session.close").session(created["session"].as_str().expect("an id")))
            .await
            .data();
        self.client.send(request("pairing.issue")).await.data();
        assert_eq!(self.said(), 1, "said once");
    }

    /// The log tells how much is missing, and what comes now.
    async fn recovers(&self) {
        self.client.send(request("session.list").named("later")).await.data();
        wait_for("the log", || self.log().contains(r#""id":"later""#).then_some(())).await;
        let log = self.log();
        let lost: Vec<_> = log.lines().filter(|line| line.contains("log_lost")).collect();
        assert_eq!(lost.len(), 1, "{lost:?}");
        assert!(
            log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()),
            "whole lines alone"
        );
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_fills_the_disk_is_refused_and_leaves_nothing() {
    let daemon = Cramped::start().await;
    let session = daemon.client.new_session().await;
    let directory = daemon.file("tmp/sessions").join(&session);
    let names = || {
        let entries = fs::read_dir(&directory).expect("the session's directory").flatten();
        entries.map(|entry| entry.file_name()).collect::<Vec<_>>()
    };
    assert_eq!(daemon.client.give_file(&session, "a", &[0; 1000]).await.data()["file"], "fl1");
    for _ in 0..2 {
        let message = daemon
            .client
            .give_file(&session, "a", &[0; 512 * 1024])
            .await
            .refused(507, "STORAGE_FULL");
        assert!(message.contains("disk") && message.contains("BPROXY_HOME"), "{message}");
        wait_for("nothing half", || (names() == ["fl1"]).then_some(())).await;
    }
    // What fits is taken again.
    assert_eq!(daemon.client.give_file(&session, "a", &[0; 1000]).await.data()["file"], "fl2");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_full_disk_commands_continue_and_the_failing_log_is_reported_once() {
    let daemon = Cramped::start().await;
    let claimed = daemon.client.claim(&daemon.code(), &origin('a')).await.data();
    let token = claimed["extensionToken"].as_str().expect("a token").to_owned();
    let pairing = Pairing { token: token.clone(), origin: origin('a') };
    let mut extension = FakeExtension::connect(daemon.client.port, &pairing).await.expect("paired");
    daemon.client.send(request("pairing.issue")).await.data();
    let code = daemon.code();
    let filler = daemon.file("filler");
    let mut file = fs::File::create(&filler).expect("room for a name");
    while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    drop(file);
    // A token that cannot be stored is not given out, and the one before stays.
    assert_eq!(daemon.client.claim(&code, &origin('b')).await.status(), 500);
    assert!(fs::read_to_string(daemon.file("extension-token")).expect("it").contains(&token));
    daemon.goes_on(&mut extension).await;
    let leftovers = fs::read_dir(daemon.file("")).expect("the home").flatten();
    let leftovers = leftovers
        .filter(|file| file.file_name().to_str().is_some_and(|name| name.starts_with('.')));
    assert_eq!(leftovers.count(), 0, "nothing half-written is left");
    fs::remove_file(filler).expect("own file");
    daemon.recovers().await;
    daemon.client.send(request("pairing.issue")).await.data();
    daemon.client.claim(&daemon.code(), &origin('b')).await.data();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn on_a_full_disk_sessions_go_on_and_are_saved_when_there_is_room() {
    let daemon = Cramped::start().await;
    let client = &daemon.client;
    let (host, bearer) = (client.host(), client.bearer());
    let mut events = client.connect().await;
    events.request("GET /events", &[("Host", &host), ("Authorization", &bearer)], b"").await;
    assert_eq!(events.head().await.status, 200);
    let first = client.new_session().await;
    let filler = daemon.file("filler");
    let mut file = fs::File::create(&filler).expect("room for a name");
    while std::io::Write::write_all(&mut file, &[0; 4096]).is_ok() {}
    drop(file);
    let mut sessions = vec![first];
    for _ in 0..20 {
        sessions.push(client.new_session().await);
    }
    let saved = || fs::read_to_string(daemon.file("sessions.json")).expect("sessions");
    assert!(saved().contains(&sessions[0]) && !saved().contains(&sessions[20]));
    client.send(request("session.list").named("the last")).await.data();
    let mut recorded = String::new();
    while !recorded.contains("the last") {
        recorded += &String::from_utf8(events.chunk().await.expect("events")).expect("text");
    }
    assert_eq!(recorded.matches(r#""event":"sessions_not_saved""#).count(), 1, "{recorded}");
    fs::remove_file(filler).expect("own file");
    let all = || sessions.iter().all(|session| saved().contains(session)).then_some(());
    wait_for("all sessions to be saved", all).await;
    assert!(!daemon.file("sessions.json.new").exists());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn in_a_home_that_became_read_only_commands_continue_and_the_failing_log_is_reported_once() {
    let daemon = Cramped::start().await;
    let claimed = daemon.client.claim(&daemon.code(), &origin('a')).await.data();
    let token = claimed["extensionToken"].as_str().expect("a token").to_owned();
    let pairing = Pairing { token, origin: origin('a') };
    let mut extension = FakeExtension::connect(daemon.client.port, &pairing).await.expect("paired");
    // Another mount on top: below it the daemon holds its lock file open for writing.
    daemon.sh(r#"mount --bind "$0" "$0" && mount -o remount,bind,ro "$0""#).await;
    daemon.goes_on(&mut extension).await;
    daemon.sh(r#"umount "$0""#).await;
    daemon.recovers().await;
}

#[tokio::test]
async fn a_start_that_cannot_write_a_file_says_which_and_leaves_nothing() {
    let home = Home::new();
    // A directory in the place of a file cannot be replaced, not even by root.
    fs::create_dir_all(home.file("token/in-the-way")).expect("own directory");
    let exit = home.daemon().refused().await;
    let token = exit.home.file("token");
    assert!(exit.stderr.contains(token.to_str().expect("text")), "{}", exit.stderr);
    for file in ["port", "pairing.json", "bproxy.pid"] {
        assert!(!exit.home.file(file).exists(), "{file} stays behind");
    }
}

// --- clocks ---

/// A wall clock that a test moves.
#[cfg(target_os = "linux")]
struct Clock {
    offset: PathBuf,
    library: PathBuf,
    seconds: i64,
}

#[cfg(target_os = "linux")]
impl Clock {
    fn new(home: &Home) -> Self {
        let library = home.path().with_file_name("clock.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/clock.c");
        let compiled = std::process::Command::new("cc")
            .args(["-shared", "-fPIC", "-Wall", "-Werror", source, "-o"])
            .arg(&library)
            .status();
        assert!(compiled.expect("a C compiler").success());
        // Where the daemon may read it.
        let clock = Self { offset: home.file("offset"), library, seconds: 0 };
        fs::write(&clock.offset, "0").expect("a file");
        clock
    }

    fn set(&mut self, seconds: i64) {
        let fresh = self.offset.with_extension("new");
        fs::write(&fresh, seconds.to_string()).expect("a file");
        fs::rename(fresh, &self.offset).expect("own files");
        self.seconds = seconds;
    }

    /// A request of a client whose clock was moved along, as on one machine.
    fn request(&self, request: crate::support::Request) -> crate::support::Request {
        request.set("deadline", now_ms() + self.seconds * 1000 + 60_000)
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_clock_that_jumps_changes_no_deadline_pause_or_expiry() {
    const DAY: i64 = 24 * 60 * 60;
    for jump in [DAY, -DAY] {
        let home = Home::new();
        let mut clock = Clock::new(&home);
        let setup =
            home.daemon().env("LD_PRELOAD", &clock.library).env("CLOCK_OFFSET", &clock.offset);
        let daemon = setup.start().await;
        let mut extension = daemon.extension().await;
        let tab = extension.open_tab(&daemon).await;
        let elements = json!({"elements": [{"selector": "#a", "tag": "input"}]});
        extension.exchange(&daemon, tab.request("elements"), elements).await.1.data();
        daemon.send(request("pairing.issue")).await.data();
        let code = daemon.pairing_code();
        let slow = extension.open_tab(&daemon).await;
        daemon.send(slow.request("session.bind").params(json!({"pacing": "human"}))).await.data();
        let away = slow.request("navigate").params(json!({"url": "https://example.org/"}));
        let loaded = json!({"url": "https://example.org/", "title": "", "loadTime": 1});
        extension.exchange(&daemon, away.clone(), loaded).await.1.data();
        let waiting = daemon.begin(tab.request("text"));
        let command = extension.receive().await;

        clock.set(jump);
        daemon.send(clock.request(request("session.list").named("jumped"))).await.data();
        let jumped = daemon.record("received", |record| record["id"] == "jumped").await;
        let logged = jumped["ts"].as_i64().expect("a time");
        assert!((logged - now_ms() - jump * 1000).abs() < 60_000, "the clock did jump: {jumped}");
        assert!(!waiting.has_reply(), "it did not time out");
        extension.answer(&command, json!({"text": "in time"})).await;
        assert_eq!(waiting.reply().await.data()["text"], "in time");
        // A handle has its two minutes, and a code (below) its five, by the clock that nobody sets.
        let click = tab.request("click").params(json!({"target": {"handle": "el1"}}));
        let clicked = json!({"clicked": true, "disappeared": false, "stable": true});
        extension.exchange(&daemon, clock.request(click), clicked).await.1.data();
        // A pause is as long as ever.
        let again = clock.request(away.named("again"));
        let again = daemon.begin(again);
        let paced = daemon.record("pacing_wait", |record| record["id"] == "again").await;
        assert!(paced["delay_ms"].as_i64().is_some_and(|ms| (0..=4000).contains(&ms)), "{paced}");
        again.hang_up();
        // A command that means to wait a short time does, and no longer.
        let short = tab.request("text").set("deadline", now_ms() + jump * 1000 + 300);
        let short = daemon.begin(short);
        short.reply().await.error("TIMEOUT");
        daemon.claim(&code, &origin('a')).await.data();
        daemon.stop().await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn clocks_of_client_and_daemon_that_differ_keep_no_command_from_its_time() {
    const DAY: i64 = 24 * 60 * 60;
    for difference in [DAY, -DAY, 40] {
        let home = Home::new();
        let mut clock = Clock::new(&home);
        clock.set(difference);
        let setup =
            home.daemon().env("LD_PRELOAD", &clock.library).env("CLOCK_OFFSET", &clock.offset);
        let daemon = setup.start().await;
        let extension = daemon.extension().await.serve(|_| None);
        // By a connection of its own, and by one for many commands.
        let opened = run(&daemon.home, &["tab", "open", "https://a.example/"]).await.data();
        let session = opened["session"].as_str().expect("a session");
        let line = format!(
            r#"{{"action":"tab.open","params":{{"url":"https://b.example/"}},"session":"{session}"}}"#
        );
        let mut batch = bproxy(&daemon.home.path());
        batch.arg("batch");
        let done = call(batch, Some(format!("{line}\n{line}\n").as_bytes())).await;
        assert_eq!((done.code, done.stdout.lines().count()), (0, 2), "{done:?}");
        for _ in 0..3 {
            extension.saw("tab.open").await;
        }
        let jumped = daemon.record("received", |record| record["action"] == "tab.open").await;
        let logged = jumped["ts"].as_i64().expect("a time");
        assert!((logged - now_ms() - difference * 1000).abs() < 30_000, "they differ: {jumped}");
        daemon.stop().await;
    }
}

// --- files of the state directory ---

const DAMAGED: [&[u8]; 7] =
    [b"", b"{", br#"{"pairingCode":"ABCD-"#, b"null", b"\xff\xfe\0", b"-1\n", b"999999999999"];

#[tokio::test]
async fn a_damaged_port_or_pairing_file_keeps_no_daemon_from_starting() {
    let home = Home::new();
    for damaged in DAMAGED {
        for file in ["port", "pairing.json", "bproxy.pid"] {
            fs::write(home.file(file), damaged).expect("own directory");
            chmod(home.file(file), 0o600);
        }
        let daemon = home.clone().daemon().start().await;
        daemon.claim(&daemon.pairing_code(), &origin('a')).await.data();
        assert_eq!(run(&home, &["session", "list"]).await.data()["sessions"], json!([]));
        daemon.stop().await;
    }
}

#[tokio::test]
async fn a_port_or_pairing_file_damaged_while_a_daemon_runs_is_reported_and_repaired_by_a_restart()
{
    let home = Home::new();
    let _guard = StopOnDrop::in_home(&home);
    let started = run(&home, &["service", "start"]).await.json();
    for damaged in DAMAGED {
        for file in ["port", "pairing.json"] {
            fs::write(home.file(file), damaged).expect("own file");
        }
        // The socket needs neither.
        run(&home, &["session", "list"]).await.data();
        let status = run(&home, &["service", "status"]).await.json();
        assert_eq!((&status["running"], &status["pid"]), (&json!(true), &started["pid"]));
        run(&home, &["service", "start"]).await.trouble();
        run(&home, &["doctor"]).await;
        // A fresh code takes the place of the damaged one.
        let client = Client {
            port: started["port"].as_u64().expect("a port") as u16,
            token: home.read("token").trim().to_owned(),
        };
        let code = client.send(request("pairing.issue")).await.data()["pairingCode"].clone();
        assert!(home.read("pairing.json").contains(code.as_str().expect("a code")));
    }
    let restarted = run(&home, &["service", "restart"]).await.json();
    assert_ne!(restarted["pid"], started["pid"]);
    run(&home, &["session", "list"]).await.data();
    fs::write(home.file("port"), "half").expect("own file");
    assert_eq!(run(&home, &["service", "stop"]).await.json()["running"], false);
    assert!(!home.file("port").exists() && !home.file("bproxy.pid").exists());
}

#[tokio::test]
async fn a_home_swapped_for_a_link_to_where_it_went_changes_nothing() {
    let (daemon, mut extension, tab) = Daemon::with_tab().await;
    let moved = daemon.home.path().with_file_name("moved");
    fs::rename(daemon.home.path(), &moved).expect("own directory");
    symlink(&moved, daemon.home.path()).expect("a link");
    extension.exchange(&daemon, tab.request("text"), json!({"text": "x"})).await.1.data();
    run(&daemon.home, &["session", "list"]).await.data();
    daemon.send(request("session.list").named("later")).await.data();
    daemon.record("received", |record| record["id"] == "later").await;
    let exit = daemon.stop().await;
    for file in ["port", "token", "pairing.json", "bproxy.pid"] {
        assert!(!moved.join(file).exists(), "{file} stays behind");
    }
    let daemon = exit.home.daemon().start().await;
    run(&daemon.home, &["session", "list"]).await.data();
}

#[tokio::test]
async fn a_home_swapped_for_a_link_to_another_directory_leaves_that_directory_unchanged() {
    let (daemon, mut extension, tab) = Daemon::with_tab().await;
    let (moved, other) = (daemon.home.path().with_file_name("moved"), Home::new());
    fs::create_dir(other.file("tmp")).expect("own directory");
    let precious = ["token", "port", "pairing.json", "bproxy.pid", "tmp/work", "notes"];
    for file in precious {
        fs::write(other.file(file), "kept").expect("own file");
    }
    fs::rename(daemon.home.path(), &moved).expect("own directory");
    symlink(other.path(), daemon.home.path()).expect("a link");
    extension.exchange(&daemon, tab.request("text"), json!({"text": "x"})).await.1.data();
    daemon.send(tab.request("session.close")).await;
    daemon.stop().await;
    for file in precious {
        assert_eq!(fs::read_to_string(other.file(file)).ok().as_deref(), Some("kept"), "{file}");
    }
}

#[tokio::test]
async fn whoever_listens_where_a_killed_daemon_did_is_told_nothing_secret() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let daemon = Daemon::start().await;
    let (home, port) = (daemon.home.clone(), daemon.port);
    daemon.kill().await;
    assert!(home.file("port").exists() && home.file("token").exists(), "nothing was tidied up");
    // Another program of the same user, maybe in a sandbox: the port's owner proves nothing.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let kept = kept.clone();
            tokio::spawn(async move {
                let mut bytes = [0; 4096];
                let read = stream.read(&mut bytes).await.unwrap_or(0);
                kept.lock().expect("a list").extend_from_slice(&bytes[..read]);
                let health = format!(
                    r#"{{"status":"ok","version":"{}","protocolVersion":1}}"#,
                    env!("CARGO_PKG_VERSION")
                );
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", health.len());
                let _ = stream.write_all(format!("{head}{health}").as_bytes()).await;
            });
        }
    });
    for verb in [
        "session list",
        "text -s abcdef",
        "health",
        "pair",
        "batch",
        "token rotate",
        "service status",
    ] {
        let call = run(&home, &verb.split(' ').collect::<Vec<_>>()).await;
        let told = String::from_utf8_lossy(&heard.lock().expect("a list")).into_owned();
        assert_eq!(told, "", "{verb}: {call:?}");
        match verb {
            "service status" => assert_eq!(call.json()["running"], false),
            "token rotate" => {}
            _ => assert!(call.trouble().contains("is not running"), "{verb}: {call:?}"),
        }
    }
    // Doctor asks who it is, and sends no more.
    let report = run(&home, &["doctor"]).await;
    assert!(report.stdout.contains("it gets no token"), "{report:?}");
    let told = String::from_utf8_lossy(&heard.lock().expect("a list")).into_owned();
    assert!(
        told.contains("GET /health") && !told.contains("Bearer") && !told.contains("POST"),
        "{told}"
    );
    let token = fs::read_to_string(home.file("token")).unwrap_or_default();
    assert!(token.is_empty() || !told.contains(token.trim()), "{told}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_daemon_outside_of_a_container_is_found_by_its_lock() {
    let daemon = Daemon::start().await;
    let mut command = tokio::process::Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command
        .args(["--pid", "--fork", "--kill-child", "--mount-proc"])
        .args([env!("CARGO_BIN_EXE_bproxy"), "session", "list"])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    for (name, value) in bproxy(&daemon.home.path()).as_std().get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let listed = crate::support::call(command, None).await.data();
    assert_eq!(listed["sessions"], json!([]));
}
