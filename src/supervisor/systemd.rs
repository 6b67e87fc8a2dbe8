//! What the user's systemd knows of the daemon's units, asked through `systemctl --user`.

use std::env;
use std::path::PathBuf;

use super::{Error, Tool, View};

/// The unit that listens.
pub(crate) const SOCKET: &str = "bproxy.socket";

/// The unit that is the daemon.
pub(crate) const SERVICE: &str = "bproxy.service";

/// `systemctl --user`.
pub(crate) struct Systemctl(pub(crate) Tool);

impl Systemctl {
    /// For the manager of this process's user; `None` without a home directory.
    pub(crate) fn of_this_user() -> Option<Systemctl> {
        super::user_home()?;
        Some(Systemctl(user_tool("systemctl", &["--user"])))
    }

    /// Asks after both units.
    ///
    /// # Errors
    /// When no systemd answers.
    pub(crate) fn view(&self) -> Result<View, Error> {
        let properties = "--property=Id,LoadState,ActiveState,MainPID,Listen";
        Ok(parse(&self.0.run(&["show", SOCKET, SERVICE, properties])?))
    }
}

/// A program of systemd's that talks to the manager of this process's user.
pub(crate) fn user_tool(program: &str, first: &'static [&'static str]) -> Tool {
    // Missing where no login has set it, such as in a scheduled job.
    let user = rustix::process::geteuid().as_raw();
    let runtime = PathBuf::from(format!("/run/user/{user}"));
    let variables = match env::var_os("XDG_RUNTIME_DIR") {
        None if runtime.is_dir() => vec![("XDG_RUNTIME_DIR", runtime)],
        _ => vec![],
    };
    Tool { program: program.into(), first, variables }
}

/// What `systemctl show` tells of the two units: one block of lines each.
fn parse(shown: &str) -> View {
    let mut view = View::default();
    for block in shown.split("\n\n") {
        let value =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let is_active = matches!(value("ActiveState"), Some("active" | "reloading" | "activating"));
        match value("Id") {
            Some(SOCKET) => {
                view.installed = value("LoadState") == Some("loaded");
                let address = value("Listen").and_then(|listen| listen.strip_suffix(" (Stream)"));
                view.unit_port =
                    address.and_then(|address| address.rsplit(':').next()?.parse().ok());
                view.port = view.unit_port.filter(|_| is_active);
            }
            Some(SERVICE) => {
                let pid = value("MainPID").and_then(|pid| pid.parse().ok());
                view.pid = pid.filter(|pid| *pid != 0);
            }
            _ => {}
        }
    }
    view
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemctl_shows_is_understood() {
        let shown = "MainPID=42\nId=bproxy.service\nLoadState=loaded\nActiveState=active\n\n\
            Listen=127.0.0.1:9700 (Stream)\nId=bproxy.socket\nLoadState=loaded\nActiveState=active\n";
        let (installed, pid, port) = (true, Some(42), Some(9700));
        assert_eq!(parse(shown), View { installed, pid, port, unit_port: port });
        let stopped = shown.replace("=active", "=inactive").replace("=42", "=0");
        assert_eq!(parse(&stopped), View { installed, pid: None, port: None, unit_port: port });
        let missing = "Id=bproxy.socket\nLoadState=not-found\nActiveState=inactive\n";
        assert_eq!(parse(missing), View::default());
    }
}
