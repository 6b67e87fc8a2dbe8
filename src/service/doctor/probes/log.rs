//! Probes of the log's destinations.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::configuration::set_command;
use super::{Failure, Probe, shell};
use crate::config::LogChoice;
use crate::home::Home;
use crate::service::doctor::deadline::WAIT;
use crate::service::status::ManagedBy;

/// How often to check whether `journalctl` has ended.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Whether the log can be written.
pub(in crate::service::doctor) fn log(
    choice: LogChoice,
    managed_by: ManagedBy,
    home: &Home,
) -> Probe {
    match (choice, managed_by) {
        (LogChoice::Stderr, _) => return Ok(("standard error".into(), ())),
        (LogChoice::Journald, _) | (LogChoice::Auto, ManagedBy::Systemd) => {
            return Ok(("the journal".into(), ()));
        }
        (LogChoice::File | LogChoice::Auto, _) => {}
    }
    let logs = home.logs();
    // The daemon creates the directory if it is missing.
    let dir = if logs.symlink_metadata().is_ok() { logs.clone() } else { home.path().to_owned() };
    if !dir.is_dir() {
        return Err(Failure::new(
            format!("{} is not a directory", logs.display()),
            shell::move_away(&logs),
        ));
    }
    match rustix::fs::access(&dir, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK) {
        Ok(()) => Ok((format!("files in {}", logs.display()), ())),
        Err(error) => Err(Failure::new(
            format!("cannot write into {}: {error}", dir.display()),
            format!("chmod u+rwx {}", shell::word(&dir)),
        )),
    }
}

/// Whether the journal takes records and can be read.
pub(in crate::service::doctor) fn journal(
    choice: LogChoice,
    managed_by: ManagedBy,
    home: &Path,
) -> Probe {
    let socket = Path::new("/run/systemd/journal/socket");
    if !socket.exists() {
        return match choice {
            LogChoice::Journald => Err(Failure::new(
                "BPROXY_LOG is journald, and this machine has no journal",
                set_command(home, "BPROXY_LOG", "auto"),
            )),
            _ => Ok(("this machine has none".into(), ())),
        };
    }
    let failed =
        |detail: String| Failure::for_person(detail, "see `systemctl status systemd-journald`");
    std::os::unix::net::UnixDatagram::unbound()
        .and_then(|datagram| datagram.connect(socket))
        .map_err(|error| failed(format!("it does not take records: {error}")))?;
    let mut program = Command::new("journalctl")
        .args(["--quiet", "--no-pager", "--lines=0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("journalctl cannot be run: {error}")))?;
    let deadline = Instant::now() + WAIT;
    loop {
        match program.try_wait() {
            Ok(Some(status)) if status.success() => {
                return Ok(("takes records and can be read".into(), ()));
            }
            Ok(None) if Instant::now() < deadline => thread::sleep(POLL_INTERVAL),
            ended => {
                let _ = program.kill();
                let _ = program.wait();
                if matches!(ended, Ok(None)) {
                    return Err(failed("it does not answer".to_owned()));
                }
                let problem = "cannot be read by you";
                let is_needed = choice == LogChoice::Journald
                    || choice == LogChoice::Auto && managed_by == ManagedBy::Systemd;
                return match is_needed {
                    true => Err(Failure::new(
                        format!("it {problem}, as where it is kept in memory alone"),
                        set_command(home, "BPROXY_LOG", "file"),
                    )),
                    false => Ok((format!("{problem}, and not used"), ())),
                };
            }
        }
    }
}
