//! The probes, one for each hop. None takes longer than its deadline.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;

use super::Failure;
use crate::client::{self, Client, Endpoint};
use crate::config::{self, Config, LogChoice, Origin, SecretsChoice};
use crate::home::lock::Watch;
use crate::home::{self, Home};
use crate::loopback::{self, Listener};
use crate::protocol::{self, Action, Health, NoParams};
use crate::secrets::{self, Trouble};
use crate::service::lifecycle::ManagedBy;
use crate::service::manager::Service;
use crate::settings;

/// How long the daemon may take to tell of its browsers. It is answered from memory.
const STATUS_WAIT: Duration = Duration::from_secs(3);

/// How long `journalctl` may take to find that it can read. A cold disk takes a second.
const JOURNAL_WAIT: Duration = Duration::from_secs(5);

/// How often is looked whether it has.
const LOOK: Duration = Duration::from_millis(20);

/// Time zones and clocks set by hand are a day apart at most.
const CLOCK_LEEWAY: Duration = Duration::from_secs(24 * 60 * 60);

const START: &str = "bproxy service start";
const RESTART: &str = "bproxy service restart";

type Found<T = ()> = Result<(String, T), Failure>;

/// This binary, which has to be the one that is installed.
pub(super) fn program() -> Found {
    let path = std::env::current_exe().map_err(|error| {
        Failure::new(format!("cannot find this program: {error}"), "which bproxy")
    })?;
    let detail = format!(
        "bproxy {}, protocol {}, {}",
        env!("CARGO_PKG_VERSION"),
        protocol::VERSION,
        path.display()
    );
    match path.exists() {
        true => Ok((detail, ())),
        false => Err(Failure::new(format!("{detail} is no longer there"), "which bproxy")),
    }
}

/// The clock: deadlines travel as points in time.
pub(super) fn clock() -> Found {
    let built = std::env::current_exe().and_then(fs::metadata).and_then(|file| file.modified());
    let now = SystemTime::now();
    match built {
        Ok(built) if now + CLOCK_LEEWAY < built => Err(Failure::new(
            "the clock is behind: this program's file is from the future",
            "sudo timedatectl set-ntp true",
        )),
        _ => Ok(("not behind this program's file".into(), ())),
    }
}

/// What the daemon is told: one that a service manager starts hears nothing of this shell's environment, but for where
/// commands find its tokens.
pub(super) fn configuration(home: &Path, managed_by: ManagedBy) -> Found<Config> {
    let config = match managed_by {
        ManagedBy::Itself => Config::from_env(Some(home)),
        ManagedBy::Systemd | ManagedBy::Launchd => Config::from_settings(home)
            .and_then(|config| Ok(Config { secrets: config::secrets_from_env(home)?, ..config })),
    };
    match config {
        Ok(config) => Ok(("can be followed".into(), config)),
        Err(error) => {
            let edit = || format!("edit {}", settings::path(home).display());
            let fix = match &error {
                config::Error::Invalid { variable, origin: Origin::Environment, .. } => {
                    format!("unset {variable}")
                }
                config::Error::Invalid { origin: Origin::Settings(_), .. }
                | config::Error::Settings(_) => edit(),
                config::Error::NoHome => "export BPROXY_HOME=DIRECTORY".into(),
                config::Error::Home(error) => mend(error),
            };
            Err(Failure::new(error, fix))
        }
    }
}

/// What changes a setting for the daemon, whoever starts it.
fn set(home: &Path, variable: &str, value: &str) -> String {
    let line = format!("echo {variable}={value} >>{} && {RESTART}", settings::path(home).display());
    // What this shell says goes before the file.
    match std::env::var_os(variable) {
        Some(_) => format!("unset {variable} && {line}"),
        None => line,
    }
}

/// What mends a state directory that cannot be used.
fn mend(error: &home::Error) -> String {
    let aside = |path: &Path| format!("mv {0} {0}.old", path.display());
    match error {
        home::Error::Mode { path, fix, .. } => format!("chmod {fix} {}", path.display()),
        home::Error::Owner { path, user, .. } => format!("sudo chown {user} {}", path.display()),
        home::Error::Symlink { path } => format!("rm {}", path.display()),
        home::Error::Kind { path, .. } => aside(path),
        home::Error::Moved(_) => RESTART.to_owned(),
        home::Error::Io { path, .. } => format!("ls -ld {}", path.display()),
        home::Error::Layout(home::LayoutError::Newer { path, .. }) => {
            format!("install a newer bproxy, or pair anew after `{}`", aside(path))
        }
        home::Error::Layout(home::LayoutError::Damaged { file, .. }) => {
            format!("echo {} >{}", home::LAYOUT, file.display())
        }
    }
}

/// The state directory, its owner and modes, and those of the secrets in it.
pub(super) fn home(path: &Path) -> Found<Home> {
    let failed = |error: home::Error| {
        let fix = mend(&error);
        Failure::new(error, fix)
    };
    let Some(home) = Home::find(path).map_err(failed)? else {
        return Err(Failure::new(format!("{} is not there yet", path.display()), START));
    };
    for secret in [home.token(), home.extension_token(), home.pairing(), home.port()] {
        home.read_secret(&secret).map_err(failed)?;
    }
    Ok((format!("{}, yours alone", home.path().display()), home))
}

/// Where the tokens are, and whether that can be used.
pub(super) fn secrets(choice: SecretsChoice, home: &Home) -> Found {
    let kept = secrets::inspect(choice, home);
    let what = match choice {
        SecretsChoice::File => "file",
        SecretsChoice::Keyring => "keyring",
        SecretsChoice::Auto => "auto",
    };
    let needed = kept.in_keyring || choice == SecretsChoice::Keyring;
    match kept.keyring {
        None => Ok((format!("{what}: tokens are in files"), ())),
        Some(Ok(())) => {
            let place = if kept.in_keyring { "in the keyring" } else { "to go into the keyring" };
            Ok((format!("{what}: tokens are {place}, which answers and is unlocked"), ()))
        }
        Some(Err(trouble)) if !needed => {
            Ok((format!("{what}: tokens are in files, because {trouble}"), ()))
        }
        Some(Err(trouble)) => {
            let fix = match &trouble {
                Trouble::Locked => format!("unlock the keyring, then `{RESTART}`"),
                Trouble::NoSession => "export XDG_RUNTIME_DIR=/run/user/$(id -u)".into(),
                Trouble::NoDefault
                | Trouble::Unreachable(_)
                | Trouble::Failed(_)
                | Trouble::Slow => set(home.path(), "BPROXY_SECRETS", "file"),
            };
            Err(Failure::new(
                format!("{what}: the tokens belong into the keyring, but {trouble}"),
                fix,
            ))
        }
    }
}

/// Whether the service manager has what this program would install, and listens.
pub(super) fn service(service: Option<&Service>) -> Found {
    let Some(service) = service else {
        return Ok(("not installed: the daemon is started by hand".into(), ()));
    };
    let name = service.managed_by().as_str();
    let Some(port) = service.port else {
        let detail = format!("installed for {name}, which does not listen");
        let taken = service.unit_port.filter(|port| {
            loopback::listener(*port).is_ok_and(|listener| matches!(listener, Listener::User(_)))
        });
        return Err(match taken {
            Some(port) => Failure::new(
                format!("{detail}: port {port} is taken by {}", holder(port)),
                elsewhere(port),
            ),
            None => Failure::new(detail, START),
        });
    };
    let outdated = service.outdated(port).map_err(|error| {
        Failure::new(error, "which bproxy, then `service install` with that one")
    })?;
    if !outdated.is_empty() {
        let paths: Vec<_> = outdated.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::new(
            format!("missing, or not as this program would write it: {}", paths.join(", ")),
            format!("bproxy service install --now --port {port}"),
        ));
    }
    Ok((format!("installed for {name}, which listens on port {port}"), ()))
}

/// Whether the log can be written.
pub(super) fn log(choice: LogChoice, managed_by: ManagedBy, home: &Home) -> Found {
    match (choice, managed_by) {
        (LogChoice::Stderr, _) => return Ok(("standard error".into(), ())),
        (LogChoice::Journald, _) | (LogChoice::Auto, ManagedBy::Systemd) => {
            return Ok(("the journal".into(), ()));
        }
        (LogChoice::File | LogChoice::Auto, _) => {}
    }
    let logs = home.logs();
    // As long as there is none, the daemon makes it.
    let dir = if logs.symlink_metadata().is_ok() { logs.clone() } else { home.path().to_owned() };
    if !dir.is_dir() {
        return Err(Failure::new(
            format!("{} is not a directory", logs.display()),
            format!("mv {0} {0}.old", logs.display()),
        ));
    }
    match rustix::fs::access(&dir, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK) {
        Ok(()) => Ok((format!("files in {}", logs.display()), ())),
        Err(error) => Err(Failure::new(
            format!("cannot write into {}: {error}", dir.display()),
            format!("chmod u+rwx {}", dir.display()),
        )),
    }
}

/// Whether the journal takes records and gives them back.
pub(super) fn journal(choice: LogChoice, home: &Path) -> Found {
    let socket = Path::new("/run/systemd/journal/socket");
    if !socket.exists() {
        return match choice {
            LogChoice::Journald => Err(Failure::new(
                "BPROXY_LOG is journald, and this machine has no journal",
                set(home, "BPROXY_LOG", "auto"),
            )),
            _ => Ok(("this machine has none".into(), ())),
        };
    }
    let failed = |detail: String| Failure::new(detail, "systemctl status systemd-journald");
    std::os::unix::net::UnixDatagram::unbound()
        .and_then(|datagram| datagram.connect(socket))
        .map_err(|error| failed(format!("it does not take records: {error}")))?;
    let mut program = Command::new("journalctl")
        .args(["--quiet", "--no-pager", "--lines=0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(format!("journalctl cannot be run: {error}")))?;
    let end = Instant::now() + JOURNAL_WAIT;
    loop {
        match program.try_wait() {
            Ok(Some(status)) if status.success() => {
                return Ok(("takes records and can be read".into(), ()));
            }
            Ok(None) if Instant::now() < end => thread::sleep(LOOK),
            ended => {
                let _ = program.kill();
                let _ = program.wait();
                let waited = matches!(ended, Ok(None));
                let problem = if waited { "does not answer" } else { "cannot be read by you" };
                return Err(failed(format!("it {problem}")));
            }
        }
    }
}

/// Who listens where the daemon said it would, or for a daemon that does not run.
pub(super) fn socket(home: &Home, service: Option<&Service>) -> Found<u16> {
    let (port, held) = match Endpoint::find(home.path()) {
        Ok(Endpoint::Running { port, .. }) => (port, None),
        Ok(Endpoint::Activated { port }) => (port, Some(port)),
        Err(client::Error::NotRunning) => {
            return Err(match Watch::open(home).ok().flatten().and_then(|watch| watch.daemon()) {
                None => Failure::new("no daemon runs", START),
                Some(pid) => Failure::new(
                    format!(
                        "the daemon (process {}) is starting or stopping",
                        pid.as_raw_nonzero()
                    ),
                    RESTART,
                ),
            });
        }
        Err(error) => return Err(Failure::new(error, RESTART)),
    };
    match loopback::listener(port) {
        Ok(Listener::User(user)) if user == rustix::process::geteuid().as_raw() => {
            Ok((format!("127.0.0.1:{port}, {}", holder(port)), port))
        }
        Ok(Listener::User(user)) => Err(Failure::new(
            format!("port {port} belongs to the user with id {user}: {}", holder(port)),
            match service {
                Some(_) => elsewhere(port),
                None => set(home.path(), "BPROXY_PORT", &another(port).to_string()),
            },
        )),
        Ok(Listener::Nobody) => Err(Failure::new(
            format!("nobody listens on 127.0.0.1:{port}"),
            match held {
                Some(port) => format!("bproxy service install --now --port {port}"),
                None => RESTART.into(),
            },
        )),
        Ok(Listener::Untold) => Ok((format!("127.0.0.1:{port}"), port)),
        Err(error) => {
            Err(Failure::new(format!("cannot tell who listens on port {port}: {error}"), RESTART))
        }
    }
}

/// Who listens on a port.
fn holder(port: u16) -> String {
    match loopback::holder(port) {
        Some((pid, name)) => format!("process {pid} ({name})"),
        None => "a process that cannot be seen from here".into(),
    }
}

/// What makes a service listen on another port.
fn elsewhere(port: u16) -> String {
    format!("bproxy service install --now --port {}", another(port))
}

/// A port to try instead.
fn another(port: u16) -> u16 {
    if port == u16::MAX { protocol::DEFAULT_PORT } else { port + 1 }
}

/// Whether the daemon answers, and is of this version.
pub(super) fn daemon(port: u16) -> Found<Health> {
    let health = Client::anonymous(port).health().map_err(|error| match error {
        client::Error::UnknownAnswer { status: 200, .. } => {
            Failure::new("what answers is no bproxy", RESTART)
        }
        error => Failure::new(error, RESTART),
    })?;
    let version = env!("CARGO_PKG_VERSION");
    if health.version != version {
        let detail = format!("it is bproxy {}, and this is {version}", health.version);
        return Err(Failure::new(detail, RESTART));
    }
    Ok((format!("bproxy {version} answers"), health))
}

/// Whether the daemon speaks this version of the protocol.
pub(super) fn protocol(health: &Health) -> Found {
    match health.protocol_version {
        protocol::VERSION => Ok((format!("version {}", protocol::VERSION), ())),
        other => Err(Failure::new(
            format!("the daemon speaks version {other}, this program {}", protocol::VERSION),
            RESTART,
        )),
    }
}

/// Whether the daemon takes the token that a command would show.
pub(super) fn token(port: u16, home: &Home, choice: SecretsChoice) -> Found<Client> {
    let failed = |error: client::Error| Failure::new(error, RESTART);
    let token = secrets::client_token(choice, home).map_err(|error| failed(error.into()))?;
    let client = Client::new(port, token.ok_or_else(|| failed(client::Error::NoToken))?);
    let health = client.health().map_err(failed)?;
    let Health {
        activation: Some(activation),
        secret_store: Some(secret_store),
        secret_store_reason,
        ..
    } = health
    else {
        return Err(Failure::new("the daemon does not take the token", RESTART));
    };
    let reason =
        secret_store_reason.map_or_else(String::new, |reason| format!(", because {reason}"));
    Ok((format!("taken; {activation} daemon, tokens in the {secret_store}{reason}"), client))
}

/// Whether a browser is connected, with the extension of this version.
pub(super) fn browser(client: &Client) -> Found {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Data {
        ws_clients: Vec<Browser>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Browser {
        id: String,
        extension_version: Option<String>,
    }
    let action = Action::DebugStatus(NoParams {});
    let answer = client
        .command(&client::request_id(), &action, "", STATUS_WAIT)
        .map_err(|error| Failure::new(error, RESTART))?;
    let Ok(Data { ws_clients }) = answer.data() else {
        return Err(Failure::new("the daemon does not tell of its browsers", RESTART));
    };
    if ws_clients.is_empty() {
        return Err(Failure::new(
            "none is connected: open Chrome with the bproxy extension, which connects within a minute",
            "bproxy pair",
        ));
    }
    let ours = crate::extension::version();
    let other = ws_clients
        .iter()
        .find(|browser| browser.extension_version.is_some() && browser.extension_version != ours);
    if let (Some(Browser { extension_version: Some(theirs), .. }), Some(ours)) = (other, &ours) {
        return Err(Failure::new(
            format!("its extension is {theirs}, and this binary has {ours}"),
            "bproxy extension install, then reload it at chrome://extensions",
        ));
    }
    let told = |browser: &Browser| match &browser.extension_version {
        Some(version) => format!("{} (extension {version})", browser.id),
        None => browser.id.clone(),
    };
    let browsers: Vec<_> = ws_clients.iter().map(told).collect();
    Ok((format!("connected: {}", browsers.join(", ")), ()))
}
