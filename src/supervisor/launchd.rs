//! What the user's launchd knows of the daemon's agent, asked through `launchctl`.
//!
//! Each call is made the way of today's macOS, in the user's graphical session, and where that fails the way of older
//! ones.

use std::path::PathBuf;

use super::{Error, Tool, View};

/// The agent's name.
pub(crate) const LABEL: &str = "io.github.bproxy";

/// `launchctl`, for the agent of one user.
pub(crate) struct Launchctl {
    pub(crate) tool: Tool,
    /// The user's home directory.
    pub(crate) home: PathBuf,
    /// The user's graphical session, as launchctl names it.
    pub(crate) domain: String,
}

impl Launchctl {
    /// For this process's user; `None` without a home directory.
    pub(crate) fn of_this_user() -> Option<Launchctl> {
        Some(Launchctl::with("launchctl".into(), super::user_home()?))
    }

    pub(crate) fn with(program: PathBuf, home: PathBuf) -> Launchctl {
        let tool = Tool { program, first: &[], variables: vec![] };
        let domain = format!("gui/{}", rustix::process::geteuid().as_raw());
        Launchctl { tool, home, domain }
    }

    /// The agent's file.
    pub(crate) fn plist(&self) -> PathBuf {
        self.home.join("Library/LaunchAgents").join(format!("{LABEL}.plist"))
    }

    /// The agent, as launchctl names it.
    pub(crate) fn target(&self) -> String {
        format!("{}/{LABEL}", self.domain)
    }

    /// One call or, where that fails, the same in the way of older systems.
    pub(crate) fn either(&self, today: &[&str], before: &[&str]) -> Result<String, Error> {
        self.tool.run(today).or_else(|error| self.tool.run(before).map_err(|_| error))
    }

    /// What launchd says of the agent; an error where it is not loaded.
    pub(crate) fn described(&self) -> Result<String, Error> {
        self.either(&["print", &self.target()], &["list", LABEL])
    }

    /// Looks at the agent's file and asks after its job.
    pub(crate) fn view(&self) -> View {
        let text = std::fs::read_to_string(self.plist()).unwrap_or_default();
        let described = self.described().ok();
        let unit_port = port(&text);
        let port = described.as_ref().and(unit_port);
        let pid = described.as_deref().and_then(pid);
        View { installed: !text.is_empty(), pid, port, unit_port }
    }
}

/// The process id in what `launchctl print` (`pid = 42`) or `launchctl list` (`"PID" = 42;`) says.
fn pid(described: &str) -> Option<i32> {
    described.lines().find_map(|line| {
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
    fn the_process_is_found_in_either_description() {
        assert_eq!(pid("\tstate = running\n\tpid = 42\n"), Some(42));
        assert_eq!(pid("{\n\t\"PID\" = 43;\n};\n"), Some(43));
        assert_eq!(pid("\tstate = not running\n"), None);
    }
}
