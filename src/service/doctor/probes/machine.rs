//! Probes of what surrounds the daemon: its sandbox, whether it outlives the login, the versions of everything.

use std::process::{Command, Stdio};

use super::Probe;
use crate::extension;
use crate::protocol;
use crate::service::doctor::units::Units;

/// Whether the daemon has its sandbox.
pub(in crate::service::doctor) fn sandbox(units: Option<&Units>) -> Probe {
    let text = match units {
        Some(units) if units.is_sandboxed() => "the service has one",
        Some(_) => "the service has none: `bproxy service install` says why",
        None => "none: the daemon is no service of systemd",
    };
    Ok((text.into(), ()))
}

/// Whether the daemon goes on when its user logs out.
pub(in crate::service::doctor) fn linger(units: Option<&Units>) -> Probe {
    if units.is_none() {
        return Ok(("the daemon is no service of systemd".into(), ()));
    }
    let user = rustix::process::geteuid().as_raw().to_string();
    let text = match output("loginctl", &["show-user", &user, "--property=Linger"]).as_deref() {
        Some("Linger=yes") => "on: the service is there without a login",
        Some(_) => "off: the service ends at the logout; `loginctl enable-linger` lets it go on",
        None => "not known: loginctl does not tell",
    };
    Ok((text.into(), ()))
}

/// The versions of everything that takes part.
pub(in crate::service::doctor) fn versions(units: Option<&Units>) -> Probe {
    let system = rustix::system::uname();
    let text = |name: &std::ffi::CStr| name.to_string_lossy().into_owned();
    let mut versions = vec![
        format!("bproxy {}", env!("CARGO_PKG_VERSION")),
        format!("protocol {}", protocol::VERSION),
        format!("extension {}", extension::version().unwrap_or_else(|| "unknown".into())),
        format!("{} {}", text(system.sysname()), text(system.release())),
    ];
    if units.is_some()
        && let Some(version) = output("systemctl", &["--version"])
    {
        versions.push(version.lines().next().unwrap_or_default().to_owned());
    }
    Ok((versions.join(", "), ()))
}

/// What a program prints, trimmed; `None` if it fails.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(args).env("LC_ALL", "C").stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
