//! Queries the user's systemd for the daemon's units, through `systemctl --user`.

use super::{Error, ManagerCommand, ServiceState};
use crate::runtime_dir;

/// The unit of the listening socket.
pub(crate) const SOCKET: &str = "bproxy.socket";

/// The unit of the daemon.
pub(crate) const SERVICE: &str = "bproxy.service";

/// `systemctl --user`.
pub(crate) struct Systemctl(pub(crate) ManagerCommand);

impl Systemctl {
    /// `systemctl` for this process's user; `None` without a home directory.
    pub(crate) fn for_current_user() -> Option<Systemctl> {
        super::user_home()?;
        Some(Systemctl(user_command("systemctl", &["--user"])))
    }

    /// Queries the state of both units.
    ///
    /// # Errors
    /// When systemd does not answer.
    pub(crate) fn query(&self) -> Result<ServiceState, Error> {
        let properties = "--property=Id,LoadState,ActiveState,Result,MainPID,Listen";
        Ok(parse(&self.0.run(&["show", SOCKET, SERVICE, properties])?))
    }
}

/// A command that talks to the systemd of this process's user.
pub(crate) fn user_command(program: &str, leading_args: &'static [&'static str]) -> ManagerCommand {
    // A process outside a login session may have no such variable.
    let runtime = runtime_dir::user_runtime_dir();
    let env = runtime.into_iter().map(|dir| (runtime_dir::VARIABLE, dir)).collect();
    ManagerCommand { program: program.into(), leading_args, env }
}

/// Parses the output of `systemctl show` for the two units, one block of lines each.
fn parse(shown: &str) -> ServiceState {
    let mut state = ServiceState::default();
    for block in shown.split("\n\n") {
        let value =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        if value("ActiveState") == Some("failed") {
            state.failed = value("Result").map(str::to_owned).or(state.failed);
        }
        let is_active = matches!(value("ActiveState"), Some("active" | "reloading" | "activating"));
        match value("Id") {
            Some(SOCKET) => {
                state.installed = value("LoadState") == Some("loaded");
                // A line for each socket, of which one is a port.
                let mut listens = block.lines().filter_map(|line| line.strip_prefix("Listen="));
                state.unit_port = listens.find_map(|listen| {
                    listen.strip_suffix(" (Stream)")?.rsplit(':').next()?.parse().ok()
                });
                state.port = state.unit_port.filter(|_| is_active);
            }
            Some(SERVICE) => {
                let pid = value("MainPID").and_then(|pid| pid.parse().ok());
                state.pid = pid.filter(|pid| *pid != 0);
            }
            _ => {}
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_systemctl_show_is_parsed() {
        let shown = "MainPID=42\nId=bproxy.service\nLoadState=loaded\nActiveState=active\n\n\
            Listen=/run/user/1/bproxy/socket (Stream)\nListen=127.0.0.1:9700 (Stream)\nId=bproxy.socket\nLoadState=loaded\nActiveState=active\n";
        let (installed, pid, port) = (true, Some(42), Some(9700));
        assert_eq!(
            parse(shown),
            ServiceState { installed, pid, port, unit_port: port, failed: None }
        );
        let stopped = shown.replace("=active", "=inactive").replace("=42", "=0");
        assert_eq!(
            parse(&stopped),
            ServiceState { installed, pid: None, port: None, unit_port: port, failed: None }
        );
        let failed = shown.replace("ActiveState=active", "ActiveState=failed\nResult=exit-code");
        assert_eq!(parse(&failed).failed.as_deref(), Some("exit-code"));
        let missing = "Id=bproxy.socket\nLoadState=not-found\nActiveState=inactive\n";
        assert_eq!(parse(missing), ServiceState::default());
    }
}
