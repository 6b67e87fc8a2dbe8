//! The user's systemd: units written, loaded and asked after, through `systemctl --user`.

use std::env;
use std::path::{Path, PathBuf};

use super::files::{self, Files};
use super::{Error, ManagedBy, Manager, View};
use crate::supervisor::systemd::{SERVICE, SOCKET, Systemctl, user_tool};
use crate::supervisor::{self, Tool};

const SOCKET_UNIT: &str = include_str!("../../../systemd/bproxy.socket");
const SERVICE_UNIT: &str = include_str!("../../../systemd/bproxy.service");
const SANDBOX: &str = include_str!("../../../systemd/bproxy.service.d/sandbox.conf");

/// What stands in the units as they are shipped.
const SHIPPED_PROGRAM: &str = "/usr/bin/bproxy";
const SHIPPED_ADDRESS: &str = "ListenStream=127.0.0.1:9615";

/// The manager of this user's services.
pub(super) struct Systemd {
    systemctl: Systemctl,
    run: Tool,
    /// The user's home directory.
    home: PathBuf,
    /// Where a user's own units lie.
    units: PathBuf,
}

impl Systemd {
    /// Of this process's user; `None` without a home directory.
    pub(super) fn of_this_user() -> Option<Systemd> {
        let home = env::home_dir()?;
        let config = env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .unwrap_or_else(|| home.join(".config"));
        Some(Systemd {
            systemctl: Systemctl::of_this_user()?,
            run: user_tool("systemd-run", &["--user", "--wait", "--collect", "--quiet"]),
            home,
            units: config.join("systemd/user"),
        })
    }

    /// Whether a service with everything that the sandbox asks for starts here.
    fn can_sandbox(&self, program: &Path) -> Result<(), supervisor::Error> {
        let settings = SANDBOX.lines().filter(|line| line.contains('=') && !line.starts_with('#'));
        let home = self.home.to_string_lossy();
        let mut args: Vec<String> = settings
            .map(|setting| format!("--property={}", setting.replace("%h", &home)))
            .collect();
        args.extend([program.to_string_lossy().into_owned(), "--version".into()]);
        self.run.run(&args).map(|_| ())
    }

    /// Forgets that units have failed, or been started too often: that there are none is no failure.
    fn forget_failures(&self) {
        let _ = self.systemctl.0.run(&["reset-failed", SOCKET, SERVICE]);
    }

    fn socket(&self) -> PathBuf {
        self.units.join(SOCKET)
    }

    fn service(&self) -> PathBuf {
        self.units.join(SERVICE)
    }

    fn sandbox(&self) -> PathBuf {
        self.units.join("bproxy.service.d/sandbox.conf")
    }
}

impl Manager for Systemd {
    fn name(&self) -> ManagedBy {
        ManagedBy::Systemd
    }

    fn view(&self) -> Result<View, Error> {
        Ok(self.systemctl.view()?)
    }

    fn units(&self, program: &Path, port: u16) -> Vec<(PathBuf, String)> {
        let address = format!("ListenStream=127.0.0.1:{port}");
        vec![
            (self.socket(), SOCKET_UNIT.replace(SHIPPED_ADDRESS, &address)),
            (self.service(), SERVICE_UNIT.replace(SHIPPED_PROGRAM, &quoted(program))),
        ]
    }

    fn outdated(&self, program: &Path, port: u16) -> Result<Vec<PathBuf>, Error> {
        let properties = "--property=Id,FragmentPath";
        let shown = self.systemctl.0.run(&["show", SOCKET, SERVICE, properties])?;
        let mut outdated = vec![];
        for (path, text) in self.units(program, port) {
            // Units of the system's are its packages' business.
            if is_elsewhere(&shown, &path) {
                continue;
            }
            if !files::holds(&path, &text) {
                outdated.push(path);
            }
        }
        let sandbox = self.sandbox();
        if sandbox.exists() && !files::holds(&sandbox, SANDBOX) {
            outdated.push(sandbox);
        }
        Ok(outdated)
    }

    fn install(&self, program: &Path, port: u16) -> Result<Files, Error> {
        let mut files = Files::default();
        for (path, text) in self.units(program, port) {
            files.write(path, &text)?;
        }
        match self.can_sandbox(program) {
            Ok(()) => files.write(self.sandbox(), SANDBOX)?,
            Err(error) => {
                files.changed |= files::remove(&self.sandbox(), &self.units)?;
                files.unsandboxed = Some(error.to_string());
            }
        }
        self.systemctl.0.run(&["daemon-reload"])?;
        self.systemctl.0.run(&["enable", "--quiet", SOCKET])?;
        Ok(files)
    }

    fn listen(&self) -> Result<(), Error> {
        self.forget_failures();
        self.systemctl.0.run(&["start", SOCKET])?;
        Ok(())
    }

    fn uninstall(&self) -> Result<Vec<PathBuf>, Error> {
        if self.view()?.installed {
            self.stop()?;
            self.systemctl.0.run(&["disable", "--quiet", SOCKET])?;
            // The folder in memory; that there is none is no failure.
            let _ = self.systemctl.0.run(&["clean", "--what=runtime", SERVICE]);
        }
        let mut removed = vec![];
        for file in [self.sandbox(), self.service(), self.socket()] {
            if files::remove(&file, &self.units)? {
                removed.push(file);
            }
        }
        self.systemctl.0.run(&["daemon-reload"])?;
        self.forget_failures();
        // Left by a first installation where there were no units before.
        files::remove_empty(&self.units, &self.home);
        Ok(removed)
    }

    fn start(&self) -> Result<(), Error> {
        self.forget_failures();
        self.systemctl.0.run(&["start", SERVICE])?;
        Ok(())
    }

    fn stop(&self) -> Result<(), Error> {
        self.systemctl.0.run(&["stop", SERVICE, SOCKET])?;
        Ok(())
    }

    fn restart(&self) -> Result<(), Error> {
        self.forget_failures();
        self.systemctl.0.run(&["restart", SERVICE])?;
        Ok(())
    }
}

/// Whether what `systemctl show` tells of the unit in the file `path` is that it was read from another one.
fn is_elsewhere(shown: &str, path: &Path) -> bool {
    let id = format!("Id={}", path.file_name().unwrap_or_default().to_string_lossy());
    let block = shown.split("\n\n").find(|block| block.lines().any(|line| line == id));
    let file = block.and_then(|block| {
        block.lines().find_map(|line| line.strip_prefix("FragmentPath=")).map(Path::new)
    });
    file.is_some_and(|file| !file.as_os_str().is_empty() && file != path)
}

/// A path as a word of `ExecStart=`.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy().replace('%', "%%").replace('$', "$$");
    if text.contains([' ', '\t', '"', '\'', '\\', ';']) {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_units_hold_what_an_installation_replaces() {
        assert_eq!(SERVICE_UNIT.matches(SHIPPED_PROGRAM).count(), 1);
        assert_eq!(SOCKET_UNIT.matches(SHIPPED_ADDRESS).count(), 1);
    }

    #[test]
    fn a_program_with_an_odd_path_is_one_word_that_nothing_is_replaced_in() {
        assert_eq!(quoted(Path::new("/usr/bin/bproxy")), "/usr/bin/bproxy");
        assert_eq!(quoted(Path::new("/a b/50%$x\"")), "\"/a b/50%%$$x\\\"\"");
    }

    #[test]
    fn units_of_the_system_are_told_from_the_users_own() {
        let shown = "Id=bproxy.socket\nFragmentPath=/usr/lib/systemd/user/bproxy.socket\n\n\
            FragmentPath=\nId=bproxy.service\n";
        assert!(is_elsewhere(shown, Path::new("/home/ada/bproxy.socket")));
        assert!(!is_elsewhere(shown, Path::new("/usr/lib/systemd/user/bproxy.socket")));
        assert!(!is_elsewhere(shown, Path::new("/home/ada/bproxy.service")));
    }
}
