//! Probes of what a daemon reads before it serves: configuration, state directory, tokens.

use std::path::Path;

use super::{Failure, Probe, RESTART, START};
use crate::config::{self, Config, Origin, SecretsChoice};
use crate::home::{self, Home};
use crate::secrets::{self, KeyringError};
use crate::service::status::ManagedBy;
use crate::settings;

/// Whether the daemon's configuration is valid. A daemon that a service manager starts does not see this shell's
/// environment; only the location of its tokens is read from there, because that is where commands look for them.
pub(in crate::service::doctor) fn configuration(
    home: &Path,
    managed_by: ManagedBy,
) -> Probe<Config> {
    let config = match managed_by {
        ManagedBy::Itself => Config::from_env(Some(home)),
        ManagedBy::Systemd | ManagedBy::Launchd => Config::from_settings(home)
            .and_then(|config| Ok(Config { secrets: config::secrets_from_env(home)?, ..config })),
    };
    match config {
        Ok(config) => Ok(("valid".into(), config)),
        Err(error) => {
            let edit = || format!("edit {}", settings::path(home).display());
            let fix = match &error {
                config::Error::Invalid { variable, origin: Origin::Environment, .. } => {
                    format!("unset {variable}")
                }
                config::Error::Invalid { origin: Origin::Settings(_), .. }
                | config::Error::Settings(_) => edit(),
                config::Error::NoHome => "export BPROXY_HOME=DIRECTORY".into(),
                config::Error::OthersHome { owner, .. } => {
                    format!("sudo -u '#{owner}' bproxy doctor")
                }
                config::Error::Home(error) => fix_for_home(error),
            };
            Err(Failure::new(error, fix))
        }
    }
}

/// The command that sets a variable for the daemon, however it is started.
pub(super) fn set_command(home: &Path, variable: &str, value: &str) -> String {
    let line = format!("echo {variable}={value} >>{} && {RESTART}", settings::path(home).display());
    // A variable in this shell takes precedence over the file.
    match std::env::var_os(variable) {
        Some(_) => format!("unset {variable} && {line}"),
        None => line,
    }
}

/// The command that makes an unusable state directory usable.
fn fix_for_home(error: &home::Error) -> String {
    let move_away = |path: &Path| format!("mv {0} {0}.old", path.display());
    match error {
        home::Error::Mode { path, fix, .. } => format!("chmod {fix} {}", path.display()),
        home::Error::Owner { path, user, .. } => format!("sudo chown {user} {}", path.display()),
        home::Error::Symlink { path } => format!("rm {}", path.display()),
        home::Error::Kind { path, .. } => move_away(path),
        home::Error::Replaced(_) => RESTART.to_owned(),
        home::Error::Io { path, .. } => format!("ls -ld {}", path.display()),
        home::Error::Layout(home::LayoutError::Newer { path, .. }) => {
            format!("install a newer bproxy, or pair again after `{}`", move_away(path))
        }
        home::Error::Layout(home::LayoutError::Damaged { file, .. }) => {
            format!("echo {} >{}", home::LAYOUT, file.display())
        }
    }
}

/// Whether the state directory and the secrets in it have the right owner and modes.
pub(in crate::service::doctor) fn home(path: &Path) -> Probe<Home> {
    let failed = |error: home::Error| {
        let fix = fix_for_home(&error);
        Failure::new(error, fix)
    };
    let Some(home) = Home::find(path).map_err(failed)? else {
        return Err(Failure::new(format!("{} does not exist yet", path.display()), START));
    };
    for secret in [home.token(), home.extension_token(), home.pairing(), home.port()] {
        home.read_secret(&secret).map_err(failed)?;
    }
    Ok((format!("{}, yours alone", home.path().display()), home))
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
        Some(Err(error)) if !needed => {
            Ok((format!("{name}: tokens are in files, because {error}"), ()))
        }
        Some(Err(error)) => {
            let fix = match &error {
                KeyringError::Locked => format!("unlock the keyring, then `{RESTART}`"),
                KeyringError::NoSession => "export XDG_RUNTIME_DIR=/run/user/$(id -u)".into(),
                KeyringError::NoDefault
                | KeyringError::Unreachable(_)
                | KeyringError::Failed(_)
                | KeyringError::TimedOut => set_command(home.path(), "BPROXY_SECRETS", "file"),
            };
            Err(Failure::new(format!("{name}: the tokens belong in the keyring, but {error}"), fix))
        }
    }
}
