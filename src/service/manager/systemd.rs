//! The user's systemd: units written, loaded and asked after through `systemctl --user`.

use std::env;
use std::path::{Path, PathBuf};

use super::files::{self, Files};
use super::tool::{self, Tool};
use super::{Error, ManagedBy, Manager, View};

const SOCKET: &str = "bproxy.socket";
const SERVICE: &str = "bproxy.service";

const SOCKET_UNIT: &str = include_str!("../../../systemd/bproxy.socket");
const SERVICE_UNIT: &str = include_str!("../../../systemd/bproxy.service");
const SANDBOX: &str = include_str!("../../../systemd/bproxy.service.d/sandbox.conf");

/// What stands in the units as they are shipped.
const SHIPPED_PROGRAM: &str = "/usr/bin/bproxy";
const SHIPPED_ADDRESS: &str = "ListenStream=127.0.0.1:9615";

/// The manager of this user's services.
pub(super) struct Systemd {
    systemctl: Tool,
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
        // Missing where no login has set it, such as in a scheduled job.
        let user = rustix::process::geteuid().as_raw();
        let runtime = PathBuf::from(format!("/run/user/{user}"));
        let variables = match env::var_os("XDG_RUNTIME_DIR") {
            None if runtime.is_dir() => vec![("XDG_RUNTIME_DIR", runtime)],
            _ => vec![],
        };
        let tool = |program: &str, first| Tool {
            program: program.into(),
            first,
            variables: variables.clone(),
        };
        Some(Systemd {
            systemctl: tool("systemctl", &["--user"]),
            run: tool("systemd-run", &["--user", "--wait", "--collect", "--quiet"]),
            home,
            units: config.join("systemd/user"),
        })
    }

    /// Whether a service with everything that the sandbox asks for starts here.
    fn can_sandbox(&self, program: &Path) -> Result<(), tool::Error> {
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
        let _ = self.systemctl.run(&["reset-failed", SOCKET, SERVICE]);
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
        let properties = "--property=Id,LoadState,ActiveState,MainPID,Listen";
        let shown = self.systemctl.run(&["show", SOCKET, SERVICE, properties])?;
        Ok(parse(&shown))
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
        let shown = self.systemctl.run(&["show", SOCKET, SERVICE, properties])?;
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
        self.systemctl.run(&["daemon-reload"])?;
        self.systemctl.run(&["enable", "--quiet", SOCKET])?;
        Ok(files)
    }

    fn listen(&self) -> Result<(), Error> {
        self.forget_failures();
        self.systemctl.run(&["start", SOCKET])?;
        Ok(())
    }

    fn uninstall(&self) -> Result<Vec<PathBuf>, Error> {
        if self.view()?.installed {
            self.stop()?;
            self.systemctl.run(&["disable", "--quiet", SOCKET])?;
            // The folder in memory; that there is none is no failure.
            let _ = self.systemctl.run(&["clean", "--what=runtime", SERVICE]);
        }
        let mut removed = vec![];
        for file in [self.sandbox(), self.service(), self.socket()] {
            if files::remove(&file, &self.units)? {
                removed.push(file);
            }
        }
        self.systemctl.run(&["daemon-reload"])?;
        self.forget_failures();
        // Left by a first installation where there were no units before.
        files::remove_empty(&self.units, &self.home);
        Ok(removed)
    }

    fn start(&self) -> Result<(), Error> {
        self.forget_failures();
        self.systemctl.run(&["start", SERVICE])?;
        Ok(())
    }

    fn stop(&self) -> Result<(), Error> {
        self.systemctl.run(&["stop", SERVICE, SOCKET])?;
        Ok(())
    }

    fn restart(&self) -> Result<(), Error> {
        self.forget_failures();
        self.systemctl.run(&["restart", SERVICE])?;
        Ok(())
    }
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
