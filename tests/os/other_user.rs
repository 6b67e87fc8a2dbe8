//! Another user of the machine cannot harm a person's daemon. Both are real users of a machine booted by a real
//! systemd.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::process::Child;

use crate::support::{
    BPROXY, Call, Client, FakeExtension, Pairing, User, call, own_origin, request, wait_for,
};

/// A person, and another user of the same machine.
fn two_users() -> Option<(User, User)> {
    Some((User::new()?, User::new()?))
}

/// Starts the person's daemon by hand, with a state directory that others may look into: what is in it has to guard
/// itself.
async fn started(person: &User) -> Client {
    person.sh("chmod 755 . && mkdir -m 755 .bproxy").await;
    start(person).await;
    client(person)
}

async fn start(person: &User) -> Value {
    let script = format!("{} {BPROXY} service start", variables(person));
    serde_json::from_str(&person.sh(&script).await).expect("JSON")
}

fn variables(person: &User) -> String {
    format!("BPROXY_PORT={} BPROXY_SECRETS=file BPROXY_LOG_LEVEL=debug", person.port)
}

fn client(person: &User) -> Client {
    let token = fs::read_to_string(person.file(".bproxy/token")).expect("a token");
    Client { port: person.port, token: token.trim().to_owned() }
}

/// Pairs an extension with the person's daemon.
async fn paired(person: &User, client: &Client) -> Pairing {
    let text = fs::read_to_string(person.file(".bproxy/pairing.json")).expect("a code");
    let pairing: Value = serde_json::from_str(&text).expect("JSON");
    let code = pairing["pairingCode"].as_str().expect("a code");
    let claimed = client.claim(code, &own_origin()).await.data();
    let token = claimed["extensionToken"].as_str().expect("a token").to_owned();
    Pairing { token, origin: own_origin() }
}

/// The records of one event in the person's log.
fn records(person: &User, event: &str) -> Vec<Value> {
    let files = fs::read_dir(person.file(".bproxy/logs")).into_iter().flatten().flatten();
    let text: String = files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect();
    let records = text.lines().map(|line| serde_json::from_str(line).unwrap_or_default());
    records.filter(|record: &Value| record["event"] == event).collect()
}

#[tokio::test]
async fn root_leaves_the_home_directory_of_a_person_alone() {
    let Some(person) = User::new() else { return };
    let home = format!("HOME={}", person.home());
    let mut command = person.machine.root(&["env", &home, BPROXY, "session", "list"]);
    let output = command.output().await.expect("the command runs");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    let owner = person.uid.to_string();
    assert!(told.contains(&owner) && told.contains("BPROXY_HOME"), "{told}");
    assert!(!person.file(".bproxy").exists(), "nothing of root's is left there");
}

/// Asks for the health of the daemon on a Unix socket with a program that any user has.
fn curl(socket: &str) -> String {
    format!("curl --silent --max-time 5 --unix-socket {socket} http://localhost/health")
}

#[tokio::test]
async fn the_socket_answers_its_own_user_alone() {
    let Some((person, other)) = two_users() else { return };
    started(&person).await;
    let socket = format!("{}/.bproxy/socket", person.home());
    assert!(person.sh(&curl(&socket)).await.contains("activation"));
    let refused = other.run(&["sh", "-c", &curl(&socket)]).await;
    assert!(refused.code != 0 && refused.stdout.is_empty(), "{refused:?}");
    // Root may connect to anything, and gets no answer either.
    let ask = curl(&socket);
    let asked = call(person.machine.root(&["sh", "-c", &ask]), None).await;
    assert!(asked.stdout.contains("UNAUTHORIZED"), "{asked:?}");
    wait_for("the record", || {
        records(&person, "auth_refused").into_iter().find(|record| record["layer"] == "peer")
    })
    .await;
}

#[tokio::test]
async fn another_users_listener_on_the_socket_is_told_nothing() {
    let Some(person) = User::new() else { return };
    person.sh("mkdir -m 700 .bproxy").await;
    // Root's: another user has no way into the directory.
    let path = person.file(".bproxy/socket");
    let listener = tokio::net::UnixListener::bind(&path).expect("a socket");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).expect("own socket");
    let told = person.bproxy(&["session", "list"]).await.trouble().to_owned();
    assert!(told.contains("user with id 0") && told.contains("nothing was sent"), "{told}");
    let (mut connection, _) = listener.accept().await.expect("a connection");
    let mut sent = Vec::new();
    connection.read_to_end(&mut sent).await.expect("its end");
    assert!(sent.is_empty(), "{sent:?}");
}

#[tokio::test]
async fn another_user_can_read_no_token_no_log_and_no_temporary_file() {
    let Some((person, other)) = two_users() else { return };
    let client = started(&person).await;
    let mut extension =
        FakeExtension::connect(person.port, &paired(&person, &client).await).await.expect("paired");
    let tab = extension.open_tab(&client).await;
    client.send(request("pairing.issue")).await.data();
    wait_for("the log", || records(&person, "forwarded").pop()).await;
    // What the command line puts down for its person, here a picture.
    let picture = format!("{BPROXY} screenshot -s {}", tab.session);
    let (call, ()) = tokio::join!(person.sh(&picture), async {
        let command = extension.receive_action("screenshot").await;
        extension.answer(&command, json!({"base64": "aGVsbG8=", "format": "png"})).await;
    });
    assert!(call.contains("/tmp/sessions/"), "{call}");

    let uid = person.uid;
    let search = format!(
        "find /home /tmp /var/tmp /run /dev/shm -user {uid} \\( -type f -o -type s -o -type p \\) \
         \\( -readable -o -writable \\) -not -name '.bash*' -not -name .profile 2>/dev/null || true"
    );
    let own = person.sh(&search).await;
    for file in [
        "/token",
        "/extension-token",
        "/pairing.json",
        "/port",
        "/bproxy.pid",
        "/logs/",
        "/tmp/sessions/",
    ] {
        assert!(own.contains(&format!("/.bproxy{file}")), "{file} is not among {own}");
    }
    assert_eq!(other.sh(&search).await, "", "nothing of that is for others");
    let places = format!(
        "find /home/{} -mindepth 2 -type d \\( -readable -o -executable \\) 2>/dev/null || true",
        person.name
    );
    assert_eq!(other.sh(&places).await, "", "no directory below the state directory either");

    let status: Value =
        serde_json::from_str(&person.sh(&format!("{BPROXY} service status")).await).expect("JSON");
    for file in ["environ", "mem", "maps", "cwd", "fd/0"] {
        let look =
            other.run(&["sh", "-c", &format!("head -c 1 /proc/{}/{file}", status["pid"])]).await;
        assert!(look.code != 0 && look.stdout.is_empty(), "{file}: {look:?}");
    }
}

#[tokio::test]
async fn no_crash_handler_is_handed_the_memory_of_the_daemon_or_of_a_call() {
    let Some(person) = User::new() else { return };
    let pid = start(&person).await["pid"].clone();
    // The kernel hands nobody the core of a process that is not dumpable, and then not even its own user may look inside.
    for file in ["environ", "mem", "exe", "fd/0"] {
        let look = person.run(&["sh", "-c", &format!("head -c 1 /proc/{pid}/{file}")]).await;
        assert!(look.code != 0 && look.stdout.is_empty(), "{file}: {look:?}");
    }
    // A call that waits for its next line; before it is `bproxy`, it is a shell that may be looked into.
    let script = format!(
        "mkfifo lines && exec 3<>lines; {} {BPROXY} batch <lines 3>&- & \
         until ! head -c 1 /proc/$!/environ >/dev/null 2>&1; do kill -0 $! || exit 1; done; \
         echo waits; echo '{{\"action\":\"session.list\"}}' >&3; exec 3>&-; wait $!",
        variables(&person)
    );
    let told = person.sh(&script).await;
    assert!(told.starts_with("waits\n") && told.contains(r#""ok":true"#), "{told}");
    // What a call reads of itself still works, such as its standard input by name.
    let filled = format!(
        "echo x | {} {BPROXY} fill --selector a --value-file /dev/stdin -s abcdef || true",
        variables(&person)
    );
    assert!(person.sh(&filled).await.contains("SESSION_NOT_FOUND"));
    let doctor =
        person.run(&["sh", "-c", &format!("{} {BPROXY} doctor", variables(&person))]).await;
    assert!(doctor.stdout.contains(&format!("process {pid} (bproxy)")), "{doctor:?}");
}

/// Sends bytes to the person's daemon as the other user, and gives the status line of the answer.
async fn sends(other: &User, port: u16, head: &str, body: &str) -> String {
    let script = r#"exec 3<>"/dev/tcp/127.0.0.1/$0"; printf '%s\r\nContent-Length: %d\r\n\r\n%s' "$1" "${#2}" "$2" >&3; head -n 1 <&3"#;
    let call = other.run(&["bash", "-c", script, &port.to_string(), head, body]).await;
    call.stdout.trim().to_owned()
}

#[tokio::test]
async fn the_commands_of_another_user_get_401_and_a_record() {
    let Some((person, other)) = two_users() else { return };
    let client = started(&person).await;
    let pairing = paired(&person, &client).await;
    let host = format!("Host: 127.0.0.1:{}", person.port);
    let json = "Content-Type: application/json";
    let body = String::from_utf8(request("session.list").bytes()).expect("text");
    let mut guess = client.token.clone().into_bytes();
    guess[63] = if guess[63] == b'0' { b'1' } else { b'0' };
    let guess = String::from_utf8(guess).expect("text");
    let upgrade = format!(
        "{host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nOrigin: {}\r\nSec-WebSocket-Protocol: bproxy.v1, proof.{}.{}",
        pairing.origin,
        "0".repeat(112),
        "0".repeat(64),
    );
    let tries = [
        (format!("POST / HTTP/1.1\r\n{host}\r\n{json}"), &*body),
        (format!("POST / HTTP/1.1\r\n{host}\r\n{json}\r\nAuthorization: Bearer {guess}"), &body),
        // The extension's token is none for commands, even in the right hands.
        (
            format!(
                "POST / HTTP/1.1\r\n{host}\r\n{json}\r\nAuthorization: Bearer {}",
                pairing.token
            ),
            &body,
        ),
        (format!("GET /ws HTTP/1.1\r\n{upgrade}"), ""),
        (format!("GET /secrets HTTP/1.1\r\n{host}"), ""),
    ];
    let count = tries.len();
    for (head, body) in tries {
        assert_eq!(
            sends(&other, person.port, &head, body).await,
            "HTTP/1.1 401 Unauthorized",
            "{head}"
        );
    }
    wait_for("a record of each", || {
        (records(&person, "auth_refused").len() == count).then_some(())
    })
    .await;
    assert_eq!(records(&person, "received"), Vec::<Value>::new(), "no command got in");

    // The command line does not even try, whether it is lent the person's directory or the port alone.
    let lent = format!("BPROXY_HOME=/home/{}/.bproxy {BPROXY} session list", person.name);
    let call = other.run(&["sh", "-c", &lent]).await;
    assert!(
        call.trouble().contains(&format!("belongs to the user with id {}", person.uid)),
        "{call:?}"
    );
    let port = person.port;
    other
        .sh(&format!(
            "umask 077; mkdir .bproxy; echo {port} >.bproxy/port; printf %064d 0 >.bproxy/token"
        ))
        .await;
    let call =
        other.run(&["sh", "-c", &format!("BPROXY_SECRETS=file {BPROXY} session list")]).await;
    assert!(
        call.trouble().contains(&format!("served by the user with id {}", person.uid)),
        "{call:?}"
    );
}

/// A listener of the other user on the person's port, which records everything it receives.
struct Trap {
    file: PathBuf,
    port: u16,
    _child: Child,
}

impl Trap {
    async fn set(other: &User, port: u16) -> Self {
        let script = r#"use IO::Socket::INET; $| = 1; open(my $kept, ">", "kept") or die; $kept->autoflush(1);
            my $trap = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 64,
                ReuseAddr => 1) or die;
            while (my $caller = $trap->accept) { fork and next; while (sysread($caller, my $told, 4096)) {
                syswrite($kept, $told); syswrite($caller, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"); } exit }"#;
        let mut command = other.command(&["perl", "-e", script, &port.to_string()]);
        let child = command.spawn().expect("perl");
        wait_for("the trap", || TcpStream::connect(("127.0.0.1", port)).ok()).await;
        Self { file: other.file("kept"), port, _child: child }
    }

    /// Everything received so far. A message of the test arrives first, as a fence.
    async fn kept(&self) -> String {
        use std::io::Write;
        let mut caller = TcpStream::connect(("127.0.0.1", self.port)).expect("the trap listens");
        caller.write_all(b"fence").expect("a word");
        let kept = || fs::read_to_string(&self.file).ok()?.strip_suffix("fence").map(str::to_owned);
        wait_for("the trap to keep a word", kept).await.replace("fence", "")
    }
}

#[tokio::test]
async fn another_users_listener_on_the_port_never_receives_a_token() {
    let Some((person, other)) = two_users() else { return };
    // A daemon that was killed leaves its port file and its token.
    let client = started(&person).await;
    let token = client.token.clone();
    paired(&person, &client).await;
    person.sh("kill -KILL $(cat .bproxy/bproxy.pid)").await;
    wait_for("the port to be free", || {
        TcpStream::connect(("127.0.0.1", person.port)).is_err().then_some(())
    })
    .await;
    let trap = Trap::set(&other, person.port).await;

    let variables = variables(&person);
    let told = format!("served by the user with id {}", other.uid);
    for verb in ["session list", "text -s abcdef", "debug status", "pair"] {
        let call = person.run(&["sh", "-c", &format!("{variables} {BPROXY} {verb}")]).await;
        assert!(call.trouble().contains(&told), "{verb}: {call:?}");
    }
    // Whether a daemon runs is told by its lock, whatever the port says.
    let status = person.sh(&format!("{variables} {BPROXY} service status || [ $? -eq 3 ]")).await;
    assert!(status.contains(r#""running":false"#), "{status}");
    person.run(&["sh", "-c", &format!("{variables} {BPROXY} doctor")]).await;
    let start = person.run(&["sh", "-c", &format!("{variables} {BPROXY} service start")]).await;
    assert!(start.trouble().contains(&format!("port {} is taken", person.port)), "{start:?}");
    let kept = trap.kept().await;
    assert!(!kept.contains(&token) && !kept.contains("Bearer"), "{kept}");
    assert!(!kept.contains("POST"), "no command was sent: {kept}");

    // The same on a machine where nothing of the person's has ever run.
    person.sh(&format!("{variables} {BPROXY} service stop; rm -r .bproxy")).await;
    let start = person.run(&["sh", "-c", &format!("{variables} {BPROXY} service start")]).await;
    assert!(start.trouble().contains("is taken"), "{start:?}");
    let call = person.run(&["sh", "-c", &format!("{variables} {BPROXY} session list")]).await;
    assert!(call.trouble().contains(&told), "{call:?}");
    assert_eq!(trap.kept().await, kept, "nothing more was sent");
}

/// Tries to start the person's daemon with this state directory.
async fn start_in(person: &User, home: &str) -> Call {
    let script = format!("{} BPROXY_HOME={home} {BPROXY} service start", variables(person));
    person.run(&["sh", "-c", &script]).await
}

#[tokio::test]
async fn another_users_links_are_not_followed_and_no_file_is_overwritten() {
    let Some((person, other)) = two_users() else { return };
    let precious = format!("/home/{}/precious", person.name);
    person
        .sh("mkdir -m 700 precious precious/tmp && cd precious && echo kept >tmp/work && \
             for file in token port pairing.json bproxy.pid; do echo kept >$file; done")
        .await;
    let digest = format!(
        "cd {precious} && find . -type f -exec md5sum {{}} + | sort && ls -laR --time-style=full-iso"
    );
    let before = person.sh(&digest).await;
    // In a shared directory like /tmp, and in one that is careless.
    person
        .machine
        .root(&["install", "-d", "-m", "777", "/srv/open"])
        .status()
        .await
        .expect("install");
    for place in ["/tmp", "/srv/open"] {
        let place = format!("{place}/{}", person.name);
        let refused = async |name: &str, plant: &str| {
            let home = format!("{place}-{name}");
            other.sh(&plant.replace("HOME", &home)).await;
            let call = start_in(&person, &home).await;
            call.trouble().to_owned()
        };
        let said = refused("link", &format!("ln -s {precious} HOME")).await;
        assert!(said.contains(&format!("belongs to the user with id {}", other.uid)), "{said}");
        let said = refused("own", "mkdir -m 777 HOME").await;
        assert!(said.contains(&format!("belongs to the user with id {}", other.uid)), "{said}");
        refused("nowhere", &format!("ln -s {precious}/new HOME")).await;
        refused("file", "echo text >HOME").await;
        // Inside a directory that belongs to the person nothing can be planted; inside one that others may write to it
        // could be, and so nothing is started there.
        person.sh(&format!("mkdir {place}-lent && chmod 777 {place}-lent")).await;
        let said = refused("lent", &format!("for it in token port pairing.json bproxy.pid tmp; do ln -s {precious}/$it HOME/$it; done")).await;
        assert!(said.contains("chmod 700"), "{said}");
    }
    assert_eq!(person.sh(&digest).await, before);
    // The person's own link is the person's own business.
    person.sh("mkdir elsewhere && ln -s elsewhere link").await;
    let call = start_in(&person, &format!("/home/{}/link", person.name)).await;
    assert_eq!(call.json()["running"], true, "{call:?}");
}
