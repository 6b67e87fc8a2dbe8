//! What systemd knows about the daemon's units, and what is wrong with them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::report::Failure;
use super::shell;
use crate::protocol::DEFAULT_PORT;
use crate::supervisor::systemd::{SERVICE, SOCKET, Systemctl};
use crate::supervisor::{self, Error};

const PROPERTIES: &str = "--property=Id,LoadState,ActiveState,Result,ExecMainStatus,NRestarts,NeedDaemonReload,\
    FragmentPath,DropInPaths,Environment,ConditionResult,ConditionTimestampMonotonic,Listen,FileDescriptorName";

/// Why a service cannot be asked about.
pub(super) enum Silent {
    /// None is installed.
    NotInstalled,
    /// Its manager does not answer.
    Unreachable(String),
}

/// The units of an installed service.
pub(super) struct Units {
    socket: Properties,
    service: Properties,
    /// What the manager gives every service.
    environment: Vec<(String, String)>,
}

struct Properties(HashMap<String, String>);

impl Properties {
    fn of(shown: &str, unit: &str) -> Properties {
        let id = format!("Id={unit}");
        let block = shown.split("\n\n").find(|block| block.lines().any(|line| line == id));
        let lines = block.unwrap_or_default().lines().filter_map(|line| line.split_once('='));
        let mut properties = HashMap::<String, String>::new();
        // A unit with several sockets has a line for each.
        for (name, value) in lines {
            let all = properties.entry(name.to_owned()).or_default();
            all.push_str(if all.is_empty() { "" } else { " " });
            all.push_str(value);
        }
        Properties(properties)
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn drop_ins(&self) -> impl Iterator<Item = PathBuf> {
        self.get("DropInPaths").split_whitespace().map(PathBuf::from)
    }
}

impl Units {
    /// Asks systemd for the units of `home`'s daemon.
    pub(super) fn of(home: &Path) -> Result<Units, Silent> {
        let systemctl = supervisor::serves(home).then(Systemctl::for_current_user).flatten();
        let systemctl = systemctl.ok_or(Silent::NotInstalled)?;
        let unreachable = |error: Error| match own_folder().is_some_and(|own| is_installed(&own)) {
            true => Silent::Unreachable(error.to_string()),
            false => Silent::NotInstalled,
        };
        let shown = systemctl.0.run(&["show", SOCKET, SERVICE, PROPERTIES]).map_err(unreachable)?;
        let environment = systemctl.0.run(&["show-environment"]).map_err(unreachable)?;
        let (socket, service) = (Properties::of(&shown, SOCKET), Properties::of(&shown, SERVICE));
        if socket.get("LoadState") == "not-found"
            && !own_folder().is_some_and(|own| is_installed(&own))
        {
            return Err(Silent::NotInstalled);
        }
        let environment = variables(environment.lines());
        Ok(Units { socket, service, environment })
    }

    /// The variables that the daemon gets; of those with the same name, the last counts.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let own = variables(self.service.get("Environment").split_whitespace());
        self.environment.iter().cloned().chain(own).collect()
    }

    /// The command that takes a variable away from the service.
    pub(super) fn without(&self, variable: &str) -> String {
        let is_managers = self.environment.iter().any(|(name, _)| name == variable);
        let mut commands = Vec::new();
        if is_managers {
            // The manager reads these files too.
            let files = environment_files().filter(|file| {
                fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("{variable}=")))
            });
            let files: Vec<_> = files.map(|file| shell::word(&file)).collect();
            if !files.is_empty() {
                commands.push(format!("sed -i.old '/^{variable}=/d' {}", files.join(" ")));
                commands.push("systemctl --user daemon-reload".to_owned());
            }
            commands.push(format!("systemctl --user unset-environment {variable}"));
        }
        let drop_ins: Vec<_> = self
            .changes()
            .filter(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(variable)))
            .collect();
        if !drop_ins.is_empty() {
            commands.push(revert(&drop_ins));
        }
        commands.push(super::RESTART.to_owned());
        shell::all(&commands)
    }

    /// The drop-ins that no installation makes.
    fn changes(&self) -> impl Iterator<Item = PathBuf> {
        let all = self.service.drop_ins().chain(self.socket.drop_ins());
        all.filter(|path| !path.ends_with("bproxy.service.d/sandbox.conf"))
    }

    /// Whether the daemon has its sandbox.
    pub(super) fn is_sandboxed(&self) -> bool {
        self.service.drop_ins().any(|path| path.ends_with("bproxy.service.d/sandbox.conf"))
    }

    fn both(&self) -> [(&'static str, &Properties); 2] {
        [(SOCKET, &self.socket), (SERVICE, &self.service)]
    }

    /// A unit that systemd refuses to load.
    pub(super) fn refused(&self) -> Option<Failure> {
        let port = self.port().unwrap_or(DEFAULT_PORT);
        let install = format!("bproxy service install --now --port {port}");
        self.both().into_iter().find_map(|(unit, properties)| match properties.get("LoadState") {
            "loaded" => None,
            "masked" => {
                let detail = format!("{unit} is masked, so that it cannot start");
                let unmask = format!("systemctl --user unmask --quiet {SOCKET} {SERVICE}");
                Some(Failure::new(detail, format!("{unmask} && {install}")))
            }
            "not-found" => Some(Failure::new(format!("{unit} is missing"), install.clone())),
            state => {
                let detail = format!("systemd cannot load {unit} ({state})");
                let changes: Vec<_> = self.changes().collect();
                let revert = (!changes.is_empty()).then(|| revert(&changes));
                let commands: Vec<_> = revert.into_iter().chain([install.clone()]).collect();
                Some(Failure::new(detail, shell::all(&commands)))
            }
        })
    }

    /// Files that systemd has not read again since they changed.
    pub(super) fn unread(&self) -> Option<Failure> {
        let (unit, _) =
            self.both().into_iter().find(|(_, unit)| unit.get("NeedDaemonReload") == "yes")?;
        let command = format!("systemctl --user daemon-reload && {}", super::RESTART);
        Some(Failure::new(
            format!("{unit} has changed, and systemd has not read it again"),
            command,
        ))
    }

    /// How the units failed; `None` if they did not. `explained` says that an earlier hop has the reason.
    pub(super) fn failed(&self, last_error: Option<String>, explained: bool) -> Option<Failure> {
        let ended = self.both().into_iter().find_map(|(unit, properties)| {
            let (state, result) = (properties.get("ActiveState"), properties.get("Result"));
            // Between two attempts nothing is wrong yet with the next one.
            let is_retried =
                state == "activating" && !matches!(properties.get("NRestarts"), "" | "0");
            let is_failed = state == "failed" || is_retried || !matches!(result, "" | "success");
            let is_skipped = properties.get("ConditionResult") == "no"
                && properties.get("ConditionTimestampMonotonic") != "0";
            if is_skipped {
                return Some(format!(
                    "{unit} did not start, because one of its conditions does not hold"
                ));
            }
            is_failed.then(|| format!("{unit} failed ({result}){}", self.exit()))
        })?;
        let detail = match last_error {
            Some(error) => format!("{ended}; its last error: {error}"),
            None => ended,
        };
        let changes: Vec<_> = self.changes().collect();
        let command = match self.service.get("ExecMainStatus").parse() {
            _ if explained => super::RESTART.to_owned(),
            // The program, or what the sandbox needs, is not there: installing again finds out.
            Ok(200..=242) if changes.is_empty() => {
                format!(
                    "bproxy service install --now --port {}",
                    self.port().unwrap_or(DEFAULT_PORT)
                )
            }
            _ if changes.is_empty() => super::RESTART.to_owned(),
            _ => format!("{} && {}", revert(&changes), super::RESTART),
        };
        Some(Failure::new(detail, command))
    }

    fn exit(&self) -> String {
        let restarts = match self.service.get("NRestarts") {
            "" | "0" => String::new(),
            "1" => ", started again once".to_owned(),
            times => format!(", started again {times} times"),
        };
        match self.service.get("ExecMainStatus") {
            "" | "0" => restarts,
            status => format!(", exit status {status}{restarts}"),
        }
    }

    /// A socket that is not the daemon's: drop-ins have changed it.
    pub(super) fn foreign_socket(&self) -> Option<Failure> {
        let listen = self.socket.get("Listen");
        let name = self.socket.get("FileDescriptorName");
        let is_own = listen.contains("127.0.0.1:") && matches!(name, "" | "bproxy");
        let changes: Vec<_> = self.socket.drop_ins().collect();
        if is_own || changes.is_empty() {
            return None;
        }
        let detail = format!(
            "{SOCKET} listens on {listen} under the name {name:?}, which is not the daemon's socket"
        );
        Some(Failure::new(detail, format!("{} && {}", revert(&changes), super::RESTART)))
    }

    fn port(&self) -> Option<u16> {
        let listen = self.socket.get("Listen").split_whitespace();
        let mut addresses = listen.filter_map(|part| part.strip_prefix("127.0.0.1:"));
        addresses.next_back()?.parse().ok()
    }
}

/// The command that moves drop-ins aside, where systemd passes them over.
fn revert(changes: &[PathBuf]) -> String {
    let moves = changes.iter().map(|path| {
        let aside = path.with_extension("conf.off");
        let (path, aside) = (shell::word(path), shell::word(&aside));
        let is_own = own_folder().is_some_and(|own| Path::new(&path).starts_with(own));
        let is_runtime = Path::new(&path).starts_with("/run/user");
        let sudo = if is_own || is_runtime { "" } else { "sudo " };
        format!("{sudo}mv {path} {aside}")
    });
    let commands: Vec<_> = moves.chain(["systemctl --user daemon-reload".to_owned()]).collect();
    shell::all(&commands)
}

/// Variables in the form in which systemd shows them.
fn variables<'a>(words: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let plain = |text: &str| text.trim_matches('"').to_owned();
    words
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect()
}

/// The folder of the user's own configuration.
fn config_folder() -> Option<PathBuf> {
    let given = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    given
        .filter(|path| path.is_absolute())
        .or_else(|| Some(supervisor::user_home()?.join(".config")))
}

/// The folder of the user's own units.
fn own_folder() -> Option<PathBuf> {
    Some(config_folder()?.join("systemd/user"))
}

/// Whether this user has units of their own, or has enabled those of a package.
fn is_installed(own: &Path) -> bool {
    let enabled = Path::new("sockets.target.wants").join(SOCKET);
    [Path::new(SOCKET), Path::new(SERVICE), &enabled]
        .iter()
        .any(|file| own.join(file).symlink_metadata().is_ok())
}

fn environment_files() -> impl Iterator<Item = PathBuf> {
    let folder = config_folder().map(|folder| folder.join("environment.d"));
    let entries =
        folder.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
}

/// The command that helps a user's manager that does not answer.
pub(super) fn wake() -> Failure {
    let user = rustix::process::geteuid().as_raw();
    let detail = "systemd, which manages this user's services, does not answer within 3 seconds";
    match stopped_manager(user) {
        Some(pid) => Failure::new(
            format!("{detail}: its process {pid} is stopped"),
            format!("kill -CONT {pid}"),
        ),
        None => Failure::new(detail, format!("sudo systemctl restart user@{user}.service")),
    }
}

/// The process of the user's manager, if it was stopped by a signal.
fn stopped_manager(user: u32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let is_own = process.metadata().is_ok_and(|metadata| metadata.uid() == user);
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        (is_own && stat.contains("(systemd) T ")).then_some(pid)
    })
}

/// Why the manager cannot be reached, and the command that helps.
pub(super) fn unreachable(reason: &str) -> Failure {
    let detail = format!("installed for systemd, which cannot be reached: {reason}");
    let user = rustix::process::geteuid().as_raw();
    let mounted = PathBuf::from(format!("/run/user/{user}"));
    match std::env::var_os(crate::runtime_dir::VARIABLE) {
        Some(given) if Path::new(&given) != mounted && mounted.exists() => {
            Failure::new(detail, format!("unset {}", crate::runtime_dir::VARIABLE))
        }
        _ => {
            Failure::new(detail, "loginctl enable-linger || sudo loginctl enable-linger $(id -un)")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &str = "Id=bproxy.socket\nLoadState=loaded\nActiveState=active\nResult=success\n\
        Listen=127.0.0.1:9700 (Stream)\nListen=/run/user/1/bproxy/socket (Stream)\nFileDescriptorName=bproxy\nDropInPaths=\n\n\
        Id=bproxy.service\nLoadState=loaded\nActiveState=failed\nResult=exit-code\nExecMainStatus=78\nNRestarts=2\n\
        DropInPaths=/home/ada/.config/systemd/user/bproxy.service.d/sandbox.conf /etc/x.conf\n\
        Environment=BPROXY_LOG=file \"BPROXY_IDLE_EXIT=5\"\n";

    fn units(shown: &str) -> Units {
        let environment = variables(["BPROXY_LOG=journald", "HOME=/home/ada"].into_iter());
        Units {
            socket: Properties::of(shown, SOCKET),
            service: Properties::of(shown, SERVICE),
            environment,
        }
    }

    #[test]
    fn a_units_own_variables_come_after_those_of_the_manager() {
        let environment = units(SHOWN).environment();
        let last =
            |name: &str| environment.iter().rev().find(|(key, _)| key == name).unwrap().1.clone();
        assert_eq!((last("BPROXY_LOG"), last("BPROXY_IDLE_EXIT")), ("file".into(), "5".into()));
    }

    #[test]
    fn of_the_drop_ins_only_the_sandbox_belongs_to_the_service() {
        let units = units(SHOWN);
        assert!(units.is_sandboxed());
        assert_eq!(units.changes().collect::<Vec<_>>(), [PathBuf::from("/etc/x.conf")]);
        assert_eq!(units.port(), Some(9700));
    }

    #[test]
    fn a_failure_names_its_result_its_exit_status_and_how_often_it_came() {
        let units = units(SHOWN);
        let failure = units.failed(Some("no".into()), false).unwrap();
        for part in ["exit-code", "78", "started again 2 times", "its last error: no"] {
            assert!(failure.detail().contains(part), "{}", failure.detail());
        }
    }
}
