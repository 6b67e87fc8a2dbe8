//! What the daemon's process is kept from, tried from inside that very process.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::support::{BPROXY, User, call, patiently, skipped};

/// Makes calls inside a process of the machine; returns what came of each.
async fn inside(user: &User, pid: &str, calls: &[String]) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/inside.py");
    let args = ["/usr/bin/python3", "-", pid].map(str::to_owned);
    let mut command = user.machine.root(&[&args[..], calls].concat());
    command.stdin(Stdio::from(File::open(script).expect("the script")));
    let done = call(command, None).await;
    assert_eq!(done.code, 0, "{done:?}");
    done.stdout.lines().map(str::to_owned).collect()
}

/// Makes one call inside a process of the machine.
async fn try_inside(user: &User, pid: &str, what: &str) -> String {
    inside(user, pid, &[what.to_owned()]).await.remove(0)
}

/// A person's files that a daemon has no business with.
async fn with_private_files(user: &User) -> [String; 3] {
    user.sh("mkdir -p -m 700 .ssh .config/app && echo key >.ssh/id_ed25519 && echo x >.config/app/secret && echo x >notes")
        .await;
    [".ssh/id_ed25519", ".config/app/secret", "notes"].map(|file| format!("{}/{file}", user.home()))
}

/// Tries what no daemon may do, whether it is a service or was started by hand.
async fn is_confined(user: &User, pid: &str, own: &str) {
    // The daemon itself is in order, and so is the way to try it.
    assert_eq!(try_inside(user, pid, &format!("open:{own}/layout")).await, "ok");
    assert_eq!(try_inside(user, pid, &format!("write:{own}/tmp/file")).await, "ok");
    assert_eq!(try_inside(user, pid, "open:/etc/passwd").await, "ok");
    assert_eq!(try_inside(user, pid, "socket:1").await, "ok");
    for file in with_private_files(user).await {
        for kind in ["open", "write"] {
            let tried = try_inside(user, pid, &format!("{kind}:{file}")).await;
            let hidden = ["EACCES", "ENOENT", "EROFS", "EPERM"].contains(&&*tried);
            assert!(hidden, "{kind} {file}: {tried}");
        }
    }
    for place in ["/tmp/file", "/var/tmp/file", "/etc/file", "/dev/shm/file"] {
        let tried = try_inside(user, pid, &format!("write:{place}")).await;
        assert!(["EACCES", "EROFS", "EPERM"].contains(&&*tried), "{place}: {tried}");
    }
    // Internet protocol, of both versions, packets, and the kernel's own.
    for family in [2, 10, 17, 16] {
        let tried = try_inside(user, pid, &format!("socket:{family}")).await;
        assert!(["EPERM", "EAFNOSUPPORT"].contains(&&*tried), "family {family}: {tried}");
    }
    for program in ["/bin/sh", BPROXY, "/usr/bin/env"] {
        let tried = try_inside(user, pid, &format!("run:{program}")).await;
        assert_eq!(tried, "EPERM", "{program}");
    }
    // The user's service manager, a process of the same user.
    let manager = user.sh("systemctl --user show --property=MainPID --value dbus.service").await;
    let tried = try_inside(user, pid, &format!("signal:{}", manager.trim())).await;
    assert_ne!(tried, "ok", "a signal to another process");
    let other = format!("open:/proc/{}/environ", manager.trim());
    assert_ne!(try_inside(user, pid, &other).await, "ok", "another process");
}

#[tokio::test]
async fn the_service_reads_no_file_of_its_person_reaches_no_host_and_runs_no_program() {
    let Some(user) = User::new() else { return };
    let args = ["service", "install", "--now", "--port", &user.port.to_string()];
    let installed = user.bproxy(&args).await.json();
    assert!(installed["unsandboxed"].is_null(), "{installed}");
    user.bproxy(&["session", "create"]).await.data();
    let pid = user.property("bproxy.service", "MainPID").await;
    is_confined(&user, &pid, &format!("{}/.bproxy", user.home())).await;
    // It has no network but the sockets that were handed over.
    let network = |pid: &str| fs::read_link(user.machine.path(format!("/proc/{pid}/ns/net")));
    assert_ne!(network(&pid).expect("a network"), network("1").expect("a network"));
    // Other programs of the user are out of its sight, and so are their sockets.
    let runtime = format!("/run/user/{}", user.uid);
    let hidden = try_inside(&user, &pid, &format!("open:{runtime}/systemd/private")).await;
    assert_eq!(hidden, "ENOENT");
    user.bproxy(&["session", "list"]).await.data();
}

#[tokio::test]
async fn a_daemon_that_was_started_by_hand_is_confined_without_namespaces() {
    let Some(user) = User::new() else { return };
    let home = "/var/tmp/".to_owned() + &user.name;
    let start = format!("BPROXY_PORT={} bproxy --home {home} service start", user.port);
    let started: Value = serde_json::from_str(&user.sh(&start).await).expect("JSON");
    let pid = started["pid"].to_string();
    let find = format!("cat {home}/logs/* 2>/dev/null | grep '\"event\":\"sandbox\"' || true");
    let recording = async {
        loop {
            let record = user.sh(&find).await;
            if !record.is_empty() {
                return record;
            }
        }
    };
    let record = patiently("the record of the sandbox", recording).await;
    let record: Value = serde_json::from_str(&record).expect("a record");
    assert_eq!(record["seccomp"], true, "{record}");
    if record["landlock"] == "none" {
        return skipped("the kernel has no Landlock");
    }
    let list = format!("bproxy --home {home} session create");
    user.sh(&list).await;
    is_confined(&user, &pid, &home).await;
    user.sh(&list).await;
    user.sh(&format!("bproxy --home {home} service stop")).await;
    assert!(!user.machine.path(&home).join("socket").exists(), "the socket is left");
}
