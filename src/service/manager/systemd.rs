//! The daemon as a service of the user's systemd, through `systemctl --user`.

use std::env;
use std::path::{Path, PathBuf};

use super::files::{self, WrittenFiles};
use super::install::entries;
use super::{Error, ManagedBy, Manager, ServiceState};
use crate::runtime_dir;
use crate::supervisor::systemd::{SERVICE, SOCKET, Systemctl, user_command};
use crate::supervisor::{self, ManagerCommand};

const SOCKET_UNIT: &str = include_str!("../../../systemd/bproxy.socket");
const SERVICE_UNIT: &str = include_str!("../../../systemd/bproxy.service");
const SANDBOX: &str = include_str!("../../../systemd/bproxy.service.d/sandbox.conf");

/// The parts of the shipped units that an installation replaces.
const SHIPPED_PROGRAM: &str = "/usr/bin/bproxy";
const SHIPPED_CONDITION: &str = "ConditionFileIsExecutable=/usr/bin/bproxy";
const SHIPPED_ADDRESS: &str = "ListenStream=127.0.0.1:9615";

/// The systemd of one user.
pub(super) struct Systemd {
    systemctl: Systemctl,
    systemd_run: ManagerCommand,
    /// The user's home directory.
    home: PathBuf,
    /// The folder of the user's own units.
    units: PathBuf,
}

impl Systemd {
    /// The systemd of this process's user; `None` without a home directory.
    pub(super) fn for_current_user() -> Option<Systemd> {
        let home = env::home_dir()?;
        let config = env::var_os("XDG_CONFIG_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .unwrap_or_else(|| home.join(".config"));
        Some(Systemd {
            systemctl: Systemctl::for_current_user()?,
            systemd_run: user_command("systemd-run", &["--user", "--wait", "--collect", "--quiet"]),
            home,
            units: config.join("systemd/user"),
        })
    }

    /// The text of the sandbox file. A program in the home directory has to be let in.
    fn sandbox_text(&self, program: &Path) -> String {
        if !program.starts_with(&self.home) {
            return SANDBOX.to_owned();
        }
        format!("{SANDBOX}# The program itself.\nBindReadOnlyPaths={}\n", quoted(program))
    }

    /// Checks that a transient service with all settings of the sandbox file starts on this machine.
    fn check_sandbox(&self, program: &Path) -> Result<(), supervisor::Error> {
        let text = self.sandbox_text(program);
        let settings = text.lines().filter(|line| line.contains('=') && !line.starts_with('#'));
        let home = self.home.to_string_lossy();
        let runtime = runtime_dir::user_runtime_dir().unwrap_or_default();
        let runtime = runtime.to_string_lossy();
        let resolved = |setting: &str| setting.replace("%h", &home).replace("%t", &runtime);
        let mut args: Vec<String> =
            settings.map(|setting| format!("--property={}", resolved(setting))).collect();
        args.extend([program.to_string_lossy().into_owned(), "--version".into()]);
        self.systemd_run.run(&args).map(|_| ())
    }

    /// Clears the units' failed state and start counters. Fails if they are not loaded, which is ignored.
    fn reset_failed(&self) {
        let _ = self.systemctl.0.run(&["reset-failed", SOCKET, SERVICE]);
    }

    /// systemd takes a unit that it has skipped for one that it has started.
    fn ensure_not_skipped(&self, units: &[&'static str]) -> Result<(), Error> {
        for unit in units {
            let shown = self.systemctl.0.run(&["show", "--property=ConditionResult", unit])?;
            if shown.trim() == "ConditionResult=no" {
                return Err(Error::Skipped { unit });
            }
        }
        Ok(())
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

    fn query(&self) -> Result<ServiceState, Error> {
        Ok(self.systemctl.query()?)
    }

    fn units(&self, program: &Path, port: u16) -> Vec<(PathBuf, String)> {
        let address = format!("ListenStream=127.0.0.1:{port}");
        let condition = format!("ConditionFileIsExecutable={}", escaped(program));
        let socket = SOCKET_UNIT.replace(SHIPPED_CONDITION, &condition);
        vec![
            (self.socket(), socket.replace(SHIPPED_ADDRESS, &address)),
            (self.service(), SERVICE_UNIT.replace(SHIPPED_PROGRAM, &quoted(program))),
        ]
    }

    fn outdated(&self, program: &Path, port: u16) -> Result<Vec<PathBuf>, Error> {
        let properties = "--property=Id,FragmentPath";
        let shown = self.systemctl.0.run(&["show", SOCKET, SERVICE, properties])?;
        let mut outdated = vec![];
        for (path, text) in self.units(program, port) {
            // Units installed by a package are up to that package.
            if is_loaded_from_elsewhere(&shown, &path) {
                continue;
            }
            if !files::holds(&path, &text) {
                outdated.push(path);
            }
        }
        let sandbox = self.sandbox();
        if sandbox.exists() && !files::holds(&sandbox, &self.sandbox_text(program)) {
            outdated.push(sandbox);
        }
        Ok(outdated)
    }

    fn install(&self, program: &Path, port: u16) -> Result<WrittenFiles, Error> {
        let mut files = WrittenFiles::default();
        for (path, text) in self.units(program, port) {
            files.write(path, &text)?;
        }
        match self.check_sandbox(program) {
            Ok(()) => files.write(self.sandbox(), &self.sandbox_text(program))?,
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
        self.reset_failed();
        self.systemctl.0.run(&["start", SOCKET])?;
        self.ensure_not_skipped(&[SOCKET])
    }

    fn uninstall(&self) -> Result<Vec<PathBuf>, Error> {
        if self.query()?.installed {
            self.stop()?;
            self.systemctl.0.run(&["disable", "--quiet", SOCKET])?;
            // Removes the runtime directory. Fails if it does not exist, which is ignored.
            let _ = self.systemctl.0.run(&["clean", "--what=runtime", SERVICE]);
        }
        let mut removed = vec![];
        for file in [self.sandbox(), self.service(), self.socket()] {
            if files::remove(&file, &self.units)? {
                removed.push(file);
            }
        }
        self.systemctl.0.run(&["daemon-reload"])?;
        self.reset_failed();
        // The installation may have created the folders above, too.
        files::remove_empty(&self.units, &self.home);
        Ok(removed)
    }

    fn leftovers(&self) -> Vec<PathBuf> {
        // The person's own drop-ins, and the units of a package.
        let drop_ins = [SOCKET, SERVICE].map(|unit| self.units.join(format!("{unit}.d")));
        let mut left: Vec<_> = drop_ins.iter().flat_map(|folder| entries(folder)).collect();
        let shown = self.systemctl.0.run(&["show", SOCKET, SERVICE, "--property=FragmentPath"]);
        let shown = shown.unwrap_or_default();
        let units = shown.lines().filter_map(|line| line.strip_prefix("FragmentPath="));
        left.extend(units.filter(|path| !path.is_empty()).map(PathBuf::from));
        left
    }

    fn start(&self) -> Result<(), Error> {
        self.reset_failed();
        self.systemctl.0.run(&["start", SERVICE])?;
        self.ensure_not_skipped(&[SOCKET, SERVICE])
    }

    fn stop(&self) -> Result<(), Error> {
        self.systemctl.0.run(&["stop", SERVICE, SOCKET])?;
        Ok(())
    }

    fn restart(&self) -> Result<(), Error> {
        self.reset_failed();
        self.systemctl.0.run(&["restart", SERVICE])?;
        self.ensure_not_skipped(&[SOCKET, SERVICE])
    }
}

/// Whether, according to `systemctl show`, the unit in the file `path` is loaded from another file.
fn is_loaded_from_elsewhere(shown: &str, path: &Path) -> bool {
    let id = format!("Id={}", path.file_name().unwrap_or_default().to_string_lossy());
    let block = shown.split("\n\n").find(|block| block.lines().any(|line| line == id));
    let file = block.and_then(|block| {
        block.lines().find_map(|line| line.strip_prefix("FragmentPath=")).map(Path::new)
    });
    file.is_some_and(|file| !file.as_os_str().is_empty() && file != path)
}

/// A path in a unit, where it is the whole value.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%%")
}

/// Quotes a path as one word of `ExecStart=`.
fn quoted(path: &Path) -> String {
    let text = escaped(path).replace('$', "$$");
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
        assert_eq!(SOCKET_UNIT.matches(SHIPPED_CONDITION).count(), 1);
    }

    #[test]
    fn a_program_path_with_special_characters_is_quoted_and_escaped() {
        assert_eq!(quoted(Path::new("/usr/bin/bproxy")), "/usr/bin/bproxy");
        assert_eq!(quoted(Path::new("/a b/50%$x\"")), "\"/a b/50%%$$x\\\"\"");
    }

    #[test]
    fn units_of_a_package_are_distinguished_from_the_users_own() {
        let shown = "Id=bproxy.socket\nFragmentPath=/usr/lib/systemd/user/bproxy.socket\n\n\
            FragmentPath=\nId=bproxy.service\n";
        assert!(is_loaded_from_elsewhere(shown, Path::new("/home/ada/bproxy.socket")));
        assert!(!is_loaded_from_elsewhere(shown, Path::new("/usr/lib/systemd/user/bproxy.socket")));
        assert!(!is_loaded_from_elsewhere(shown, Path::new("/home/ada/bproxy.service")));
    }
}
