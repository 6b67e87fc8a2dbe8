//! `bproxy doctor` mends what it names: setups are broken one by one, and its own commands, run as they stand, bring a
//! working command back in two rounds at most.

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::support::{User, call, patiently};

/// How many setups are broken at the same time.
const AT_ONCE: usize = 4;

/// What is said to a shell of the setup to break it, and the hop at which the doctor has to notice.
type Setup = (&'static str, &'static str, &'static str);

/// In a state directory `$B` of its own, for daemons that are started by hand.
const FILES: &[Setup] = &[
    ("a directory that was never made", "home", ":"),
    ("a directory that its group may write to", "home", "up; down; chmod 770 $B"),
    ("a directory that everybody may write to, under a daemon", "home", "up; chmod 777 $B"),
    ("a file in place of the directory", "home", "echo x >$B"),
    ("a link that leads nowhere", "home", "ln -s /nowhere/at/all $B"),
    ("a directory that is closed to its owner", "home", "up; down; chmod 000 $B"),
    ("a directory that its owner cannot write to", "home", "up; down; chmod 500 $B"),
    (
        "a directory that was removed under a daemon",
        "home",
        "up; kill -STOP $(cat $B/bproxy.pid); rm -rf $B",
    ),
    (
        "a directory that was replaced under a daemon",
        "socket",
        "up; mv $B $B.moved; mkdir -m 700 $B",
    ),
    ("a token that others can read", "home", "up; chmod 644 $B/token"),
    ("a token that its owner cannot read", "home", "up; chmod 000 $B/token"),
    ("a token that is a link", "home", "up; down; ln -s /etc/hostname $B/token"),
    ("a token that is a directory", "home", "up; down; mkdir $B/token"),
    ("a token that is too short", "home", "up; down; echo short >$B/token; chmod 600 $B/token"),
    ("a token that is empty", "home", "up; : >$B/token"),
    ("a token of another daemon", "token", "up; printf %064d 7 >$B/token"),
    ("a token that is gone", "token", "up; rm $B/token"),
    ("a token of another user", "home", "up; sudo chown 4711 $B/token"),
    (
        "a pairing that others can read",
        "home",
        "up; printf %043d 1 >$B/extension-token; chmod 640 $B/extension-token; down",
    ),
    (
        "a pairing that is damaged",
        "home",
        "up; down; echo x >$B/extension-token; chmod 600 $B/extension-token",
    ),
    ("a pairing that is a directory", "home", "up; down; mkdir -p $B/extension-token/x"),
    ("a pairing that is a link", "home", "up; down; ln -s token $B/extension-token"),
    (
        "a pairing of another user",
        "home",
        "up; down; printf %043d 1 >$B/extension-token; chmod 600 $B/extension-token; sudo chown 4711 $B/extension-token",
    ),
    ("a pairing code that others can read", "home", "up; chmod 644 $B/pairing.json"),
    ("a pairing code that is a directory", "home", "up; down; mkdir $B/pairing.json"),
    (
        "sessions that others can read",
        "home",
        "up; bproxy session create; chmod 644 $B/sessions.json",
    ),
    ("a port file that others can read", "home", "up; chmod 644 $B/port"),
    ("a port file without a port", "socket", "up; echo x >$B/port"),
    ("a port file that is a directory", "home", "up; down; mkdir $B/port"),
    ("a port file that is gone", "socket", "up; rm $B/port"),
    ("a daemon that was killed", "socket", "up; kill -KILL $(cat $B/bproxy.pid)"),
    ("a daemon that hangs", "daemon", "up; kill -STOP $(cat $B/bproxy.pid)"),
    ("a lock that is a directory", "home", "up; down; mkdir $B/bproxy.pid"),
    ("a lock that is a link", "home", "up; down; ln -s /etc/hostname $B/bproxy.pid"),
    (
        "a lock that its owner cannot open",
        "home",
        "up; down; : >$B/bproxy.pid; chmod 000 $B/bproxy.pid",
    ),
    ("a lock of another user", "home", "up; down; : >$B/bproxy.pid; sudo chown 4711 $B/bproxy.pid"),
    ("a file in place of the log", "log", "up; down; rm -r $B/logs; : >$B/logs"),
    ("a log that cannot be written", "log", "up; down; chmod 500 $B/logs"),
    (
        "temporary files that are closed to their owner",
        "home",
        "up; down; mkdir $B/tmp/x; chmod 000 $B/tmp",
    ),
    ("temporary files of another user", "home", "up; down; mkdir $B/tmp/x; sudo chown 4711 $B/tmp"),
    ("a layout that is no number", "home", "up; down; echo one >$B/layout"),
    ("a layout of a newer version", "home", "up; down; echo 7 >$B/layout"),
    ("a layout that is a directory", "home", "up; down; rm $B/layout; mkdir $B/layout"),
    (
        "a setting with a value that is not valid",
        "configuration",
        "up; down; echo BPROXY_LOG_LEVEL=loud >$B/config.env",
    ),
    (
        "a setting that nobody knows",
        "configuration",
        "up; down; printf '# mine\\nBPROXY_PROT=1\\n' >$B/config.env",
    ),
    ("a setting without a value", "configuration", "up; down; echo export >$B/config.env"),
    (
        "settings that others can write",
        "configuration",
        "up; down; : >$B/config.env; chmod 666 $B/config.env",
    ),
    (
        "settings that their owner cannot read",
        "configuration",
        "up; down; : >$B/config.env; chmod 000 $B/config.env",
    ),
    ("settings that are a directory", "configuration", "up; down; mkdir $B/config.env"),
    ("settings that are no text", "configuration", "up; down; printf '\\377\\376' >$B/config.env"),
    (
        "settings of another user that can be read",
        "configuration",
        "up; down; echo BPROXY_LOG_LEVEL=warn >$B/config.env; sudo chown 4711 $B/config.env",
    ),
    (
        "settings of another user that cannot be read",
        "configuration",
        "up; down; : >$B/config.env; chmod 600 $B/config.env; sudo chown 4711 $B/config.env",
    ),
    (
        "a port that another program has",
        "socket",
        "up; down; BPROXY_HOME=$B.other bproxy service start",
    ),
    (
        "a port of the system",
        "socket",
        "up; down; unset BPROXY_PORT; echo BPROXY_PORT=80 >$B/config.env",
    ),
    (
        "a variable with a value that is not valid",
        "configuration",
        "up; down; export BPROXY_LOG_LEVEL=loud",
    ),
    ("a variable that is no number", "configuration", "up; down; export BPROXY_IDLE_EXIT=15min"),
    (
        "a keyring that is not there",
        "secrets",
        "up; down; export BPROXY_SECRETS=keyring DBUS_SESSION_BUS_ADDRESS=unix:path=/nowhere",
    ),
    (
        "a disk that the log has filled",
        "space",
        "up; down; head -c 2000000 /dev/zero >$B/logs/2020-01-01.log",
    ),
];

/// With the service installed for the user's systemd on port `$P`; `$D` is the folder of the units.
const SERVICES: &[Setup] = &[
    ("a service that was stopped", "service", "systemctl --user stop bproxy.socket bproxy.service"),
    ("a socket unit that is gone", "service", "rm $D/bproxy.socket"),
    ("a service unit that is gone", "service", "rm $D/bproxy.service"),
    (
        "units that are gone, and systemd knows",
        "service",
        "systemctl --user stop bproxy.socket; rm $D/bproxy.socket; reload",
    ),
    ("a unit that was edited", "service", "echo '# by hand' >>$D/bproxy.service"),
    (
        "a unit with a program that is gone",
        "service",
        "sed -i s,/usr/local/bin/bproxy,/nowhere/bproxy, $D/bproxy.service; reload; again",
    ),
    (
        "a sandbox that was edited",
        "service",
        "echo PrivateNetwork=maybe >>$D/bproxy.service.d/sandbox.conf",
    ),
    (
        "a service that is masked",
        "service",
        "systemctl --user stop bproxy.socket bproxy.service; ln -sf /dev/null $D/bproxy.service; reload",
    ),
    (
        "a socket that is masked",
        "service",
        "systemctl --user stop bproxy.socket bproxy.service; ln -sf /dev/null $D/bproxy.socket; reload",
    ),
    (
        "a drop-in with another program",
        "service",
        "drop service Service ExecStart= ExecStart=/bin/false; again",
    ),
    (
        "a drop-in with a directory that is not there",
        "service",
        "drop service Service WorkingDirectory=/nowhere; again",
    ),
    (
        "a drop-in with a condition that does not hold",
        "service",
        "drop service Unit ConditionPathExists=/nowhere; again",
    ),
    (
        "a drop-in that allows too few files",
        "service",
        "drop service Service LimitNOFILE=20; again",
    ),
    (
        "a drop-in with another name of the socket",
        "service",
        "drop socket Socket FileDescriptorName=other; stop; again",
    ),
    (
        "a drop-in with a second socket",
        "service",
        "drop socket Socket ListenStream=127.0.0.1:$((P + 5000)); stop; again",
    ),
    (
        "a drop-in with a setting that is not valid",
        "configuration",
        "drop service Service Environment=BPROXY_LOG_LEVEL=loud; again",
    ),
    (
        "a drop-in with another state directory",
        "configuration",
        "drop service Service Environment=BPROXY_HOME=%h/elsewhere; again",
    ),
    (
        "a variable of the manager that is not valid",
        "configuration",
        "systemctl --user set-environment BPROXY_LOG_LEVEL=loud; again",
    ),
    (
        "another state directory for all services",
        "configuration",
        "systemctl --user set-environment BPROXY_HOME=$HOME/elsewhere; again",
    ),
    (
        "a setting of the manager's own files",
        "configuration",
        "mkdir -p .config/environment.d; echo BPROXY_LOG=nowhere >.config/environment.d/mine.conf; systemctl --user set-environment BPROXY_LOG=nowhere; again",
    ),
    (
        "a service with a setting that is not valid",
        "configuration",
        "echo BPROXY_LOG_LEVEL=loud >.bproxy/config.env; again",
    ),
    (
        "a service with a token that others can read",
        "home",
        "bproxy session list; chmod 644 .bproxy/token; again",
    ),
    (
        "a service with a damaged layout",
        "home",
        "bproxy session list; echo one >.bproxy/layout; again",
    ),
    (
        "a service with a damaged pairing",
        "home",
        "bproxy session list; echo x >.bproxy/extension-token; chmod 600 .bproxy/extension-token; again",
    ),
    (
        "a service with the token of another daemon",
        "token",
        "bproxy session list; printf %064d 7 >.bproxy/token",
    ),
    (
        "a service whose daemon hangs",
        "daemon",
        "bproxy session list; kill -STOP $(cat .bproxy/bproxy.pid)",
    ),
    (
        "a service whose port another program has",
        "service",
        "stop; BPROXY_HOME=$HOME/other BPROXY_PORT=$P bproxy service start",
    ),
    (
        "a manager that hangs",
        "service",
        "stop; kill -STOP $(systemctl --user show-environment >/dev/null; pgrep -u $(id -u) -x systemd)",
    ),
    ("a runtime directory that is not there", "service", "stop; export XDG_RUNTIME_DIR=/nowhere"),
];

/// What the scripts of the setups call.
const WORDS: &str = r#"
up() { bproxy service start; }
down() { bproxy service stop; }
reload() { systemctl --user daemon-reload; }
stop() { systemctl --user stop bproxy.socket bproxy.service; }
again() { reload; systemctl --user reset-failed; systemctl --user restart bproxy.socket; systemctl --user restart bproxy.service; }
drop() {
    unit=$1 section=$2; shift 2
    mkdir -p $D/bproxy.$unit.d
    { echo "[$section]"; printf '%s\n' "$@"; } >$D/bproxy.$unit.d/mine.conf
}
"#;

/// A shell that a person has open.
struct Shell {
    _child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
}

impl Shell {
    fn open(user: &User) -> Self {
        let mut command = user.command(&["sh"]);
        command.stdin(std::process::Stdio::piped());
        let mut child = command.spawn().expect("a shell");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { _child: child, stdin, stdout }
    }

    /// Runs a script; its output, that of errors included, and its exit status.
    async fn run(&mut self, script: &str) -> (String, i32) {
        const END: &str = "the end of the script: ";
        let line =
            format!("{{ {script}\n}} </dev/null 2>&1\nstatus=$?; echo; echo \"{END}$status\"\n");
        self.stdin.write_all(line.as_bytes()).await.expect("the shell reads");
        let mut output = String::new();
        loop {
            let line = patiently(script, self.stdout.next_line()).await.expect("text");
            let line = line.unwrap_or_else(|| panic!("the shell ended in {script}: {output}"));
            if let Some(status) = line.strip_prefix(END) {
                return (output.trim().to_owned(), status.parse().expect("a number"));
            }
            output.push_str(&line);
            output.push('\n');
        }
    }

    /// What the doctor says.
    async fn doctor(&mut self) -> Value {
        let (output, _) = self.run("bproxy doctor --json 2>/dev/null").await;
        serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}"))
    }
}

/// Breaks a setup and has it mended; what went wrong, if it was not.
async fn mended(shell: &mut Shell, (name, hop, script): Setup) -> Result<(), String> {
    shell.run(script).await;
    let mut story = format!("{name}:");
    for round in 1..=2 {
        let report = shell.doctor().await;
        if round == 1 && report["failing"] != hop {
            let checks = report["checks"].as_array().expect("checks").iter();
            let failed: Vec<_> = checks.filter(|check| check["state"] == "failed").collect();
            return Err(format!("{story} the doctor does not name {hop} first: {failed:?}"));
        }
        for check in report["checks"].as_array().expect("checks") {
            if check["state"] != "failed" {
                continue;
            }
            story.push_str(&format!("\n  {round}: {}: {}", check["hop"], check["detail"]));
            if check["command"] == true {
                let command = check["fix"].as_str().expect("text");
                let (output, status) = shell.run(command).await;
                story.push_str(&format!("\n    $ {command}\n    [{status}] {output}"));
            }
        }
        let (output, status) = shell.run("bproxy session list").await;
        let report = shell.doctor().await;
        if status == 0 && report["failing"] == "browser" {
            return Ok(());
        }
        story.push_str(&format!("\n    then [{status}] {output}; {} fails", report["failing"]));
    }
    Err(story)
}

fn assert_all_mended(results: Vec<Result<(), String>>) {
    let failed: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "{} not mended:\n{}", failed.len(), failed.join("\n"));
}

/// A `sudo` that asks nobody.
async fn allow_sudo(user: &User) {
    let script = "cp /usr/bin/env /usr/local/bin/sudo.new && chmod 4755 /usr/local/bin/sudo.new && \
                  mv /usr/local/bin/sudo.new /usr/local/bin/sudo";
    let made = call(user.machine.root(&["sh", "-c", script]), None).await;
    assert_eq!(made.code, 0, "{made:?}");
}

#[tokio::test]
async fn broken_files_and_settings_are_mended_by_the_doctors_own_commands() {
    let Some(user) = User::new() else { return };
    allow_sudo(&user).await;
    // Below the ports that the system gives to whoever asks for none, which may be taken at any time.
    let (user, first) = (&user, 20_000);
    let results = stream::iter(FILES.iter().enumerate()).map(async |(number, setup)| {
        let (home, port) = (format!("{}/b{number}", user.home()), first + number * 20);
        if setup.1 == "space" {
            let options = format!("size=1m,uid={},mode=700", user.uid);
            user.sh(&format!("mkdir {home}")).await;
            let mount = user.machine.root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs", &home]);
            assert_eq!(call(mount, None).await.code, 0);
        }
        let mut shell = Shell::open(user);
        let words = format!("B={home}; export BPROXY_HOME=$B BPROXY_PORT={port} BPROXY_SECRETS=file\n{WORDS}");
        shell.run(&words).await;
        let result = mended(&mut shell, *setup).await;
        shell.run("kill -CONT $(cat $B/bproxy.pid); bproxy service stop; BPROXY_HOME=$B.other bproxy service stop; \
                   BPROXY_HOME=$B.moved bproxy service stop").await;
        result
    });
    assert_all_mended(results.buffer_unordered(AT_ONCE).collect().await);
}

/// Installs the service anew.
const PREPARE: &str = "\
    systemctl --user unset-environment BPROXY_HOME BPROXY_LOG BPROXY_LOG_LEVEL; mkdir -p -m 700 .bproxy; \
    echo BPROXY_SECRETS=file >.bproxy/config.env; \
    bproxy service install --now --port $P && bproxy service restart";

/// Breaks every fourth setup of a service.
async fn every_fourth_service_from(first: usize) {
    let Some(user) = User::new() else { return };
    let mut results = Vec::new();
    for setup in SERVICES.iter().skip(first).step_by(4) {
        let mut shell = Shell::open(&user);
        let words = format!("P={}; D=.config/systemd/user\n{WORDS}", user.port);
        shell.run(&words).await;
        // A manager that many tests ask at the same time may be too late once.
        let mut said = Vec::new();
        for _ in 0..2 {
            let (output, status) = shell.run(PREPARE).await;
            if status == 0 {
                break;
            }
            let (journal, _) = shell.run("journalctl --user --no-pager --lines=40; ss -ltnp").await;
            said.push(format!("{output}\n{journal}"));
        }
        assert!(said.len() < 2, "before {}: {}", setup.0, said.join("\n"));
        results.push(mended(&mut shell, *setup).await);
        shell
            .run("bproxy service uninstall; BPROXY_HOME=$HOME/other bproxy service stop; \
                  rm -rf $D elsewhere other .bproxy .config/environment.d; mkdir -m 700 .bproxy; reload")
            .await;
    }
    assert_all_mended(results);
}

#[tokio::test]
async fn broken_services_are_mended_by_the_doctors_own_commands() {
    every_fourth_service_from(0).await;
}

#[tokio::test]
async fn more_broken_services_are_mended_by_the_doctors_own_commands() {
    every_fourth_service_from(1).await;
}

#[tokio::test]
async fn even_more_broken_services_are_mended_by_the_doctors_own_commands() {
    every_fourth_service_from(2).await;
}

#[tokio::test]
async fn the_other_broken_services_are_mended_by_the_doctors_own_commands() {
    every_fourth_service_from(3).await;
}
