//! The user's launchd: a LaunchAgent written, loaded and asked after, through `launchctl`.

use std::path::{Path, PathBuf};

use super::files::{self, Files};
use super::{Error, ManagedBy, Manager, View};
use crate::supervisor::launchd::{LABEL, Launchctl};

const AGENT: &str = include_str!("../../../launchd/io.github.bproxy.plist");

/// What stands in the plist as it is shipped.
const SHIPPED_PROGRAM: &str = "/usr/local/bin/bproxy";
const SHIPPED_PORT: &str = "<string>9615</string>";
const SHIPPED_LOG: &str = "/Users/Shared/bproxy.log";

/// The manager of this user's agents.
pub(super) struct Launchd(Launchctl);

impl Launchd {
    /// Of this process's user; `None` without a home directory.
    pub(super) fn of_this_user() -> Option<Launchd> {
        Launchctl::of_this_user().map(Launchd)
    }

    fn load(&self) -> Result<(), Error> {
        let plist = self.0.plist();
        let plist = plist.to_string_lossy();
        self.0.either(&["bootstrap", &self.0.domain, &plist], &["load", &plist])?;
        Ok(())
    }

    fn is_loaded(&self) -> bool {
        self.0.described().is_ok()
    }
}

impl Manager for Launchd {
    fn name(&self) -> ManagedBy {
        ManagedBy::Launchd
    }

    fn view(&self) -> Result<View, Error> {
        Ok(self.0.view())
    }

    fn units(&self, program: &Path, port: u16) -> Vec<(PathBuf, String)> {
        let log = self.0.home.join("Library/Logs/bproxy.log");
        let text = AGENT
            .replace(SHIPPED_PROGRAM, &escaped(program))
            .replace(SHIPPED_PORT, &format!("<string>{port}</string>"))
            .replace(SHIPPED_LOG, &escaped(&log));
        vec![(self.0.plist(), text)]
    }

    fn outdated(&self, program: &Path, port: u16) -> Result<Vec<PathBuf>, Error> {
        let units = self.units(program, port).into_iter();
        Ok(units.filter(|(path, text)| !files::holds(path, text)).map(|(path, _)| path).collect())
    }

    fn install(&self, program: &Path, port: u16) -> Result<Files, Error> {
        let mut files = Files::default();
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

    fn start(&self) -> Result<(), Error> {
        if !self.is_loaded() {
            self.load()?;
        }
        self.0.either(&["kickstart", &self.0.target()], &["start", LABEL])?;
        Ok(())
    }

    fn stop(&self) -> Result<(), Error> {
        if self.is_loaded() {
            let plist = self.0.plist();
            self.0.either(&["bootout", &self.0.target()], &["unload", &plist.to_string_lossy()])?;
        }
        Ok(())
    }

    fn restart(&self) -> Result<(), Error> {
        if !self.is_loaded() {
            return self.start();
        }
        // Older systems have no word for it: there the job is stopped, and started by the next connection at the latest.
        if self.0.tool.run(&["kickstart", "-k", &self.0.target()]).is_err() {
            self.0.tool.run(&["stop", LABEL])?;
            self.0.tool.run(&["start", LABEL])?;
        }
        Ok(())
    }
}

/// A path as text in XML.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::supervisor::launchd::port;

    /// A launchctl that notes its calls, knows a loaded job, and fails at the words that it is told to.
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
            // Written by another process: as long as one that this process forks has it open for writing, it cannot be run.
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
    fn an_installed_agent_is_a_plist_with_the_socket_and_nothing_that_keeps_it_busy() {
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
    fn a_life_of_the_agent_is_the_same_on_todays_and_on_older_systems() {
        for unknown in ["none", "bootstrap|bootout|kickstart|print"] {
            let Fake { launchd, .. } = &Fake::new(unknown);
            let view = || launchd.view().unwrap();
            assert_eq!(view(), View::default());
            launchd.install(Path::new("/usr/local/bin/bproxy"), 9700).unwrap();
            assert_eq!(
                view(),
                View { installed: true, pid: None, port: None, unit_port: Some(9700) }
            );
            launchd.listen().unwrap();
            assert_eq!(
                view(),
                View { installed: true, pid: None, port: Some(9700), unit_port: Some(9700) }
            );
            launchd.start().unwrap();
            launchd.restart().unwrap();
            assert_eq!(view().pid, Some(42));
            launchd.stop().unwrap();
            launchd.stop().unwrap();
            assert_eq!(
                view(),
                View { installed: true, pid: None, port: None, unit_port: Some(9700) }
            );
            assert_eq!(launchd.uninstall().unwrap(), [launchd.0.plist()]);
            assert_eq!(view(), View::default());
        }
    }

    #[test]
    fn older_systems_are_spoken_to_in_their_words() {
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
