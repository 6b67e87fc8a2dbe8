//! Probes of what a daemon reads before it serves: its configuration, and where its tokens are.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use super::{Failure, Probe, RESTART, home, shell};
use crate::config::{self, Config, Origin, SecretsChoice};
use crate::home::Home;
use crate::secrets::{self, KeyringError};
use crate::service::doctor::units::Units;
use crate::service::status::ManagedBy;
use crate::settings;

/// Whether the daemon's configuration is valid. A daemon that a service manager starts does not see this shell's
/// environment; only the location of its tokens is read from there, because that is where commands look for them.
pub(in crate::service::doctor) fn configuration(
    path: &Path,
    managed_by: ManagedBy,
    units: Option<&Units>,
) -> Probe<Config> {
    let config = match managed_by {
        ManagedBy::Itself => Config::from_env(Some(path)),
        ManagedBy::Systemd | ManagedBy::Launchd => {
            let variables = units.map(Units::environment).unwrap_or_default();
            if let Some((name, value)) =
                variables.iter().rev().find(|(name, _)| name == config::HOME)
                && Path::new(value) != path
            {
                let detail = format!(
                    "the service has {name}={value}, so that its daemon serves another state directory than {}",
                    path.display()
                );
                return Err(Failure::new(detail, without(units, name)));
            }
            let config = Config::of_service(path, &variables);
            config.and_then(|config| {
                Ok(Config { secrets: config::secrets_from_env(path)?, ..config })
            })
        }
    };
    match config {
        Ok(config) => Ok(("valid".into(), config)),
        Err(error) => Err(invalid(path, &error, units)),
    }
}

fn without(units: Option<&Units>, variable: &str) -> String {
    units.map_or_else(|| RESTART.to_owned(), |units| units.without(variable))
}

fn invalid(home: &Path, error: &config::Error, units: Option<&Units>) -> Failure {
    let file = settings::path(home);
    let command = match error {
        config::Error::Invalid { variable, origin: Origin::Environment, .. } => {
            format!("unset {variable}")
        }
        config::Error::Invalid { variable, origin: Origin::Service, .. } => {
            without(units, variable)
        }
        config::Error::Invalid { variable, origin: Origin::Settings(_), .. } => {
            // The file as it was stays beside it.
            format!("sed -i.old '/^[[:space:]]*{variable}[[:space:]]*=/d' {}", shell::word(&file))
        }
        config::Error::Settings(error) => settings_command(&file, error),
        config::Error::Home(error) => home::fix(error),
        config::Error::NoHome => {
            return Failure::for_person(error, "set BPROXY_HOME to a directory of yours");
        }
        config::Error::OthersHome { owner, .. } => format!("sudo -u '#{owner}' bproxy doctor"),
    };
    Failure::new(error, command)
}

fn settings_command(file: &Path, error: &settings::Error) -> String {
    let name = shell::word(file);
    match error {
        settings::Error::Line { number, .. } => format!("sed -i.old {number}d {name}"),
        settings::Error::Writable { .. } => format!("chmod 600 {name}"),
        // A copy is this user's own; only what cannot be read has to be taken over.
        settings::Error::Owner { .. } if File::open(file).is_ok() => {
            format!("cp {name} {name}.new && mv -f {name}.new {name}")
        }
        settings::Error::Owner { .. } => shell::take_over(file),
        settings::Error::Io { source, .. } if source.kind() == ErrorKind::PermissionDenied => {
            format!("chmod 600 {name}")
        }
        settings::Error::Io { .. } => shell::move_away(file),
    }
}

/// The command that sets a variable for the daemon, however it is started.
pub(super) fn set_command(home: &Path, variable: &str, value: &str) -> String {
    let file = shell::word(&settings::path(home));
    let line = format!("echo {variable}={value} >>{file} && {RESTART}");
    // A variable in this shell takes precedence over the file.
    match std::env::var_os(variable) {
        Some(_) => format!("unset {variable} && {line}"),
        None => line,
    }
}

/// Where the tokens are stored, and whether that store works.
pub(in crate::service::doctor) fn secrets(choice: SecretsChoice, home: &Home) -> Probe {
    let stores = secrets::inspect(choice, home);
    let name = match choice {
        SecretsChoice::File => "file",
        SecretsChoice::Keyring => "keyring",
        SecretsChoice::Auto => "auto",
    };
    let needed = stores.in_keyring || choice == SecretsChoice::Keyring;
    match stores.keyring {
        None => Ok((format!("{name}: tokens are in files"), ())),
        Some(Ok(())) => {
            let status =
                if stores.in_keyring { "in the keyring" } else { "to go into the keyring" };
            Ok((format!("{name}: tokens are {status}, which answers and is unlocked"), ()))
        }
        Some(Err(error)) if !needed && !stores.may_be_in_keyring => {
            Ok((format!("{name}: tokens are in files, because {error}"), ()))
        }
        Some(Err(error)) => {
            let detail = format!("{name}: the tokens belong in the keyring, but {error}");
            Err(match &error {
                KeyringError::Locked => Failure::for_person(
                    detail,
                    "unlock the keyring in your desktop's password manager; the daemon then goes on by itself",
                ),
                KeyringError::NoSession if is_elsewhere() => {
                    Failure::new(detail, format!("unset {}", crate::runtime_dir::VARIABLE))
                }
                _ => Failure::new(detail, set_command(home.path(), "BPROXY_SECRETS", "file")),
            })
        }
    }
}

/// Whether this user has a D-Bus session that a variable of this shell hides.
fn is_elsewhere() -> bool {
    let user = rustix::process::geteuid().as_raw();
    std::env::var_os(crate::runtime_dir::VARIABLE).is_some()
        && Path::new(&format!("/run/user/{user}/bus")).exists()
}
