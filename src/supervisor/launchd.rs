//! Queries the user's launchd for the daemon's agent, through `launchctl`.
//!
//! Each call uses the subcommand of current macOS versions, in the user's graphical session, and falls back to that of
//! older versions.

use std::path::PathBuf;

use super::{Error, ManagerCommand, ServiceState};

/// The agent's name.
pub(crate) const LABEL: &str = "io.github.bproxy";

/// `launchctl`, for the agent of one user.
pub(crate) struct Launchctl {
    pub(crate) command: ManagerCommand,
    /// The user's home directory.
    pub(crate) home: PathBuf,
    /// The user's graphical session, as launchctl names it.
    pub(crate) domain: String,
}

impl Launchctl {
    /// `launchctl` for this process's user; `None` without a home directory.
    pub(crate) fn for_current_user() -> Option<Launchctl> {
        Some(Launchctl::with("launchctl".into(), super::user_home()?))
    }

    pub(crate) fn with(program: PathBuf, home: PathBuf) -> Launchctl {
        let command = ManagerCommand { program, leading_args: &[], env: vec![] };
        let domain = format!("gui/{}", rustix::process::geteuid().as_raw());
        Launchctl { command, home, domain }
    }

    /// The agent's file.
    pub(crate) fn plist(&self) -> PathBuf {
        self.home.join("Library/LaunchAgents").join(format!("{LABEL}.plist"))
    }

    /// The agent, as launchctl names it.
    pub(crate) fn target(&self) -> String {
        format!("{}/{LABEL}", self.domain)
    }

    /// Runs the current form of a subcommand and, if that fails, its older form. If both fail, returns the first error.
    pub(crate) fn run_either(&self, current: &[&str], older: &[&str]) -> Result<String, Error> {
        self.command.run(current).or_else(|error| self.command.run(older).map_err(|_| error))
    }

    /// `launchctl`'s description of the agent; fails if the agent is not loaded.
    pub(crate) fn describe(&self) -> Result<String, Error> {
        self.run_either(&["print", &self.target()], &["list", LABEL])
    }

    /// Reads the agent's file and queries its job.
    pub(crate) fn query(&self) -> ServiceState {
        let text = std::fs::read_to_string(self.plist()).unwrap_or_default();
        let description = self.describe().ok();
        let unit_port = port(&text);
        let port = description.as_ref().and(unit_port);
        let pid = description.as_deref().and_then(pid);
        ServiceState { installed: !text.is_empty(), pid, port, unit_port, failed: None }
    }
}

/// The process id in the output of `launchctl print` (`pid = 42`) or `launchctl list` (`"PID" = 42;`).
fn pid(description: &str) -> Option<i32> {
    description.lines().find_map(|line| {
        let (name, value) = line.split_once(" = ")?;
        let is_pid = matches!(name.trim(), "pid" | "\"PID\"");
        is_pid.then(|| value.trim().trim_end_matches(';').parse().ok()).flatten()
    })
}

/// The port in a plist that this program has written.
pub(crate) fn port(plist: &str) -> Option<u16> {
    let (_, rest) = plist.split_once("<key>SockServiceName</key>")?;
    let (_, rest) = rest.split_once("<string>")?;
    rest.split_once("</string>")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_found_in_both_kinds_of_description() {
        assert_eq!(pid("\tstate = running\n\tpid = 42\n"), Some(42));
        assert_eq!(pid("{\n\t\"PID\" = 43;\n};\n"), Some(43));
        assert_eq!(pid("\tstate = not running\n"), None);
    }
}
