//! The daemon as a LaunchAgent of the user's launchd, through `launchctl`.

use std::path::{Path, PathBuf};

use super::files::{self, WrittenFiles};
use super::{Error, ManagedBy, Manager, ServiceState};
use crate::config;
use crate::home;
use crate::supervisor::launchd::{LABEL, Launchctl};

const AGENT: &str = include_str!("../../../launchd/io.github.bproxy.plist");

/// The parts of the shipped plist that an installation replaces.
const SHIPPED_PROGRAM: &str = "/usr/local/bin/bproxy";
const SHIPPED_PORT: &str = "<string>9615</string>";
const SHIPPED_LOG: &str = "/dev/null";
const SHIPPED_SOCKET: &str = "/Users/Shared/bproxy.socket";

/// The launchd of one user.
pub(super) struct Launchd(Launchctl);

impl Launchd {
    /// The launchd of this process's user; `None` without a home directory.
    pub(super) fn for_current_user() -> Option<Launchd> {
        Launchctl::for_current_user().map(Launchd)
    }

    fn load(&self) -> Result<(), Error> {
        let plist = self.0.plist();
        let plist = plist.to_string_lossy();
        self.0.run_either(&["bootstrap", &self.0.domain, &plist], &["load", &plist])?;
        Ok(())
    }

    fn is_loaded(&self) -> bool {
        self.0.describe().is_ok()
    }
}

impl Manager for Launchd {
    fn name(&self) -> ManagedBy {
        ManagedBy::Launchd
    }

    fn query(&self) -> Result<ServiceState, Error> {
        Ok(self.0.query())
    }

    fn units(&self, program: &Path, port: u16) -> Vec<(PathBuf, String)> {
        let log = self.0.home.join("Library/Logs/bproxy.log");
        // In the state directory: there is no runtime directory.
        let socket = config::default_home().unwrap_or_default().join(home::SOCKET);
        let text = AGENT
            .replace(SHIPPED_PROGRAM, &escaped(program))
            .replace(SHIPPED_PORT, &format!("<string>{port}</string>"))
            .replace(SHIPPED_LOG, &escaped(&log))
            .replace(SHIPPED_SOCKET, &escaped(&socket));
        vec![(self.0.plist(), text)]
    }

    fn outdated(&self, program: &Path, port: u16) -> Result<Vec<PathBuf>, Error> {
        let units = self.units(program, port).into_iter();
        Ok(units.filter(|(path, text)| !files::holds(path, text)).map(|(path, _)| path).collect())
    }

    fn install(&self, program: &Path, port: u16) -> Result<WrittenFiles, Error> {
        let mut files = WrittenFiles::default();
        for (path, text) in self.units(program, port) {
            files.write(path, &text)?;
        }
        Ok(files)
    }

    fn listen(&self) -> Result<(), Error> {
        if !self.is_loaded() {
            self.load()?;
        }
        Ok(())
    }

    fn uninstall(&self) -> Result<Vec<PathBuf>, Error> {
        self.stop()?;
        let was_there = files::remove(&self.0.plist(), &self.0.home.join("Library/LaunchAgents"))?;
        Ok(was_there.then(|| self.0.plist()).into_iter().collect())
    }

    fn leftovers(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn start(&self) -> Result<(), Error> {
        if !self.is_loaded() {
            self.load()?;
        }
        self.0.run_either(&["kickstart", &self.0.target()], &["start", LABEL])?;
        Ok(())
    }

    fn stop(&self) -> Result<(), Error> {
        if self.is_loaded() {
            let plist = self.0.plist();
            self.0.run_either(
                &["bootout", &self.0.target()],
                &["unload", &plist.to_string_lossy()],
            )?;
        }
        Ok(())
    }

    fn restart(&self) -> Result<(), Error> {
        if !self.is_loaded() {
            return self.start();
        }
        // Older versions cannot restart a job: stop it and start it. If the start fails, the next connection starts it.
        if self.0.command.run(&["kickstart", "-k", &self.0.target()]).is_err() {
            self.0.command.run(&["stop", LABEL])?;
            self.0.command.run(&["start", LABEL])?;
        }
        Ok(())
    }
}

/// Escapes a path for XML.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::supervisor::launchd::port;

    /// A fake launchctl: records its calls, keeps track of one job, and fails for the given subcommands.
    struct Fake {
        directory: tempfile::TempDir,
        launchd: Launchd,
    }

    impl Fake {
        fn new(unknown: &str) -> Fake {
            let directory = tempfile::tempdir().unwrap();
            let program = directory.path().join("launchctl");
            let script = format!(
                "#!/bin/sh\ncd {}\necho \"$@\" >>calls\ncase $1 in {unknown}) exit 64;; bootstrap|load) touch loaded;; \
                 bootout|unload) rm loaded;; kickstart|start) touch running;; print|list) [ -e loaded ] || exit 113; \
                 [ -e running ] && echo '\tpid = 42';; esac; true\n",
                directory.path().display()
            );
            // Written by another process: a child that another test thread forks meanwhile would inherit a descriptor open
            // for writing, and the script could not be executed (ETXTBSY).
            let write = "printf %s \"$2\" >\"$1\" && chmod 755 \"$1\"";
            let mut shell = std::process::Command::new("sh");
            shell.args(["-c", write, "sh"]).arg(&program).arg(&script);
            assert!(shell.status().unwrap().success());
            let launchd = Launchd(Launchctl::with(program, directory.path().to_owned()));
            Fake { directory, launchd }
        }

        fn calls(&self) -> String {
            fs::read_to_string(self.directory.path().join("calls")).unwrap_or_default()
        }
    }

    #[test]
    fn the_shipped_agent_holds_what_an_installation_replaces() {
        assert_eq!(AGENT.matches(SHIPPED_PROGRAM).count(), 1);
        assert_eq!(AGENT.matches(SHIPPED_PORT).count(), 1);
        assert_eq!(AGENT.matches(SHIPPED_LOG).count(), 2);
        assert_eq!(port(AGENT), Some(9615));
    }

    #[test]
    fn an_installed_agent_is_a_plist_with_the_socket_and_without_keep_alive() {
        let fake = Fake::new("none");
        let files = fake.launchd.install(Path::new("/opt/a&b/bproxy"), 9700).unwrap();
        let plist = plist::Value::from_file(&files.paths[0]).unwrap();
        let agent = plist.as_dictionary().unwrap();
        assert_eq!(agent["Label"].as_string(), Some(LABEL));
        let arguments: Vec<_> = agent["ProgramArguments"].as_array().unwrap().iter().collect();
        assert_eq!(arguments[0].as_string(), Some("/opt/a&b/bproxy"));
        assert_eq!(arguments[1].as_string(), Some("daemon"));
        let socket = agent["Sockets"].as_dictionary().unwrap()["bproxy"].as_dictionary().unwrap();
        assert_eq!(socket["SockNodeName"].as_string(), Some("127.0.0.1"));
        assert_eq!(socket["SockServiceName"].as_string(), Some("9700"));
        assert!(!agent.contains_key("KeepAlive") && !agent.contains_key("RunAtLoad"));
        for log in ["StandardOutPath", "StandardErrorPath"] {
            let log = Path::new(agent[log].as_string().unwrap());
            assert!(log.starts_with(fake.directory.path()), "{}", log.display());
        }
    }

    #[test]
    fn the_agents_lifecycle_is_the_same_on_current_and_older_systems() {
        for unknown in ["none", "bootstrap|bootout|kickstart|print"] {
            let Fake { launchd, .. } = &Fake::new(unknown);
            let query = || launchd.query().unwrap();
            assert_eq!(query(), ServiceState::default());
            launchd.install(Path::new("/usr/local/bin/bproxy"), 9700).unwrap();
            assert_eq!(
                query(),
                ServiceState {
                    installed: true,
                    pid: None,
                    port: None,
                    unit_port: Some(9700),
                    failed: None
                }
            );
            launchd.listen().unwrap();
            assert_eq!(
                query(),
                ServiceState {
                    installed: true,
                    pid: None,
                    port: Some(9700),
                    unit_port: Some(9700),
                    failed: None
                }
            );
            launchd.start().unwrap();
            launchd.restart().unwrap();
            assert_eq!(query().pid, Some(42));
            launchd.stop().unwrap();
            launchd.stop().unwrap();
            assert_eq!(
                query(),
                ServiceState {
                    installed: true,
                    pid: None,
                    port: None,
                    unit_port: Some(9700),
                    failed: None
                }
            );
            assert_eq!(launchd.uninstall().unwrap(), [launchd.0.plist()]);
            assert_eq!(query(), ServiceState::default());
        }
    }

    #[test]
    fn older_systems_get_the_older_subcommands() {
        let fake = Fake::new("bootstrap|bootout|kickstart|print");
        fake.launchd.install(Path::new("/usr/local/bin/bproxy"), 9615).unwrap();
        fake.launchd.start().unwrap();
        fake.launchd.stop().unwrap();
        let calls = fake.calls();
        for word in ["load /", "start io.github.bproxy", "unload /", "list io.github.bproxy"] {
            assert!(calls.lines().any(|call| call.starts_with(word)), "{word}: {calls}");
        }
    }
}
