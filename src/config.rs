//! The configuration: read from the environment, and for variables not set there from `config.env`.
//!
//! A variable that is set and empty is as if it were not set.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::extension;
use crate::home;
use crate::protocol::DEFAULT_PORT;
use crate::settings::{self, Settings};

/// The variable that names the state directory.
pub(crate) const HOME: &str = "BPROXY_HOME";
const PORT: &str = "BPROXY_PORT";
const SECRETS: &str = "BPROXY_SECRETS";
const LOG: &str = "BPROXY_LOG";
const LOG_LEVEL: &str = "BPROXY_LOG_LEVEL";
const EXTENSION_IDS: &str = "BPROXY_EXTENSION_IDS";
const RESUME: &str = "BPROXY_RESUME";
const IDLE_EXIT: &str = "BPROXY_IDLE_EXIT";

/// The variables that `config.env` may set: all but `BPROXY_HOME`, which says where that file is.
pub(crate) const SETTINGS: [&str; 7] =
    [PORT, SECRETS, LOG, LOG_LEVEL, EXTENSION_IDS, RESUME, IDLE_EXIT];

/// A Chrome extension id is 32 letters from a to p.
const EXTENSION_ID_LENGTH: usize = 32;

/// Where a variable is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the environment of this process.
    Environment,
    /// In the environment that a service manager gives the daemon.
    Service,
    /// In this file.
    Settings(PathBuf),
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Environment => f.write_str("the environment"),
            Origin::Service => f.write_str("the environment of the service"),
            Origin::Settings(path) => path.display().fmt(f),
        }
    }
}

/// Why the configuration is invalid.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable has an invalid value.
    #[error("{variable} is {value:?} in {origin}: it must be {expected}")]
    Invalid {
        /// The variable's name.
        variable: &'static str,
        /// Its value.
        value: OsString,
        /// Where it is set.
        origin: Origin,
        /// Which values are valid.
        expected: &'static str,
    },
    /// `BPROXY_HOME` is not set, and the user has no home directory for the default.
    #[error("this user has no home directory to keep the state in: set BPROXY_HOME to a directory")]
    NoHome,
    /// This process runs as root in the home directory of somebody else, as after `sudo -E`: files of root there would
    /// lock that user out.
    #[error(
        "{home:?} belongs to the user with id {owner}, but this process runs as root: run bproxy as that user, without \
         sudo, or set BPROXY_HOME to a directory of root's"
    )]
    OthersHome {
        /// The home directory.
        home: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// `config.env` is invalid or cannot be read.
    #[error(transparent)]
    Settings(#[from] settings::Error),
    /// The state directory cannot be used, or has a layout that this version does not know.
    #[error(transparent)]
    Home(#[from] home::Error),
}

/// Where the tokens are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretsChoice {
    /// Files of mode 0600 in the state directory.
    File,
    /// The keyring of the desktop.
    Keyring,
    /// The keyring if it works, else files.
    Auto,
}

/// Where the log goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogChoice {
    /// One file a day in the state directory.
    File,
    /// Standard error.
    Stderr,
    /// The system's journal.
    Journald,
    /// The journal if standard error leads there, else files.
    Auto,
}

/// The least severe level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// Everything, with the payloads of commands and answers.
    Debug,
    /// Every command, from its arrival to its answer.
    Info,
    /// Warnings and errors.
    Warn,
}

/// Who may resume a paused session that has a tab in a browser that said hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resume {
    /// The person alone, in the popup of that browser.
    Person,
    /// Every client too.
    Anyone,
}

/// The daemon's configuration.
#[derive(Debug)]
pub struct Config {
    /// The state directory.
    pub home: PathBuf,
    /// The port to bind; 0 takes a free one.
    pub port: u16,
    /// Where the tokens are stored.
    pub secrets: SecretsChoice,
    /// Where the log goes.
    pub log: LogChoice,
    /// The least severe level that is logged.
    pub log_level: LogLevel,
    /// The extensions that may pair and connect; `None` allows any.
    pub extension_ids: Option<Vec<String>>,
    /// Who may resume a paused session.
    pub resume: Resume,
    /// How long a socket-activated daemon stays idle before it exits; zero means never, `None` that it is not set.
    pub idle_exit: Option<Duration>,
}

/// Looks up a variable: its value, and where it is set.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<(OsString, Origin)>;

impl Config {
    /// Reads the environment, and `config.env` for the variables not set there. `home` takes precedence over
    /// `BPROXY_HOME`.
    ///
    /// # Errors
    /// Names the first invalid variable, and its valid values.
    pub fn from_env(home: Option<&Path>) -> Result<Config, Error> {
        let home = match home {
            Some(home) => home.to_owned(),
            None => home_from_env()?,
        };
        let settings = settings(&home)?;
        Config::from_lookup(&home, &|name| {
            from_environment(name).or_else(|| from_file(&home, &settings, name))
        })
    }

    /// The configuration of a daemon that a service manager starts: the variables that it gives the daemon, and
    /// `config.env` in `home` for the others.
    ///
    /// # Errors
    /// Names the first invalid variable, and its valid values.
    pub fn of_service(home: &Path, variables: &[(String, String)]) -> Result<Config, Error> {
        let settings = settings(home)?;
        Config::from_lookup(home, &|name| {
            let given =
                variables.iter().rev().find(|(key, value)| key == name && !value.is_empty());
            let given = given.map(|(_, value)| (value.into(), Origin::Service));
            given.or_else(|| from_file(home, &settings, name))
        })
    }

    fn from_lookup(home: &Path, lookup: Lookup<'_>) -> Result<Config, Error> {
        Ok(Config {
            home: home.to_owned(),
            port: port(lookup)?.unwrap_or(DEFAULT_PORT),
            secrets: secrets(lookup)?,
            log: parse(lookup, LOG, "file, stderr, journald or auto", |text| match text {
                "file" => Some(LogChoice::File),
                "stderr" => Some(LogChoice::Stderr),
                "journald" => Some(LogChoice::Journald),
                "auto" => Some(LogChoice::Auto),
                _ => None,
            })?
            .unwrap_or(LogChoice::Auto),
            log_level: parse(lookup, LOG_LEVEL, "debug, info or warn", |text| match text {
                "debug" => Some(LogLevel::Debug),
                "info" => Some(LogLevel::Info),
                "warn" => Some(LogLevel::Warn),
                _ => None,
            })?
            .unwrap_or(LogLevel::Info),
            extension_ids: parse(
                lookup,
                EXTENSION_IDS,
                "* for any extension, or extension ids, each 32 letters from a to p, separated by commas",
                extension_ids,
            )?
            .unwrap_or_else(|| Some(vec![extension::ID.to_owned()])),
            resume: parse(lookup, RESUME, "person or anyone", |text| match text {
                "person" => Some(Resume::Person),
                "anyone" => Some(Resume::Anyone),
                _ => None,
            })?
            .unwrap_or(Resume::Person),
            idle_exit: parse(lookup, IDLE_EXIT, "a number of seconds, 0 for never", |text| {
                text.parse().ok().map(Duration::from_secs)
            })?,
        })
    }
}

/// The state directory of this process: `BPROXY_HOME`, else `.bproxy` in the user's home.
///
/// # Errors
/// When the variable is not set and the user has no home directory, or this is root with the home directory of another
/// user.
pub fn home_from_env() -> Result<PathBuf, Error> {
    home(&from_environment)
}

/// Where the tokens of the state directory `home` are stored: `BPROXY_SECRETS`, from the environment or `config.env`.
///
/// # Errors
/// When the variable, or a line of `config.env`, is invalid.
pub fn secrets_from_env(home: &Path) -> Result<SecretsChoice, Error> {
    let settings = settings(home)?;
    secrets(&|name| from_environment(name).or_else(|| from_file(home, &settings, name)))
}

/// The port that `BPROXY_PORT` names, in the environment or `config.env`; `None` if it is not set.
///
/// # Errors
/// When the variable, or a line of `config.env`, is invalid.
pub fn port_from_env(home: &Path) -> Result<Option<u16>, Error> {
    let settings = settings(home)?;
    port(&|name| from_environment(name).or_else(|| from_file(home, &settings, name)))
}

fn port(lookup: Lookup<'_>) -> Result<Option<u16>, Error> {
    parse(lookup, PORT, "a port number from 0 (any free port) to 65535", |text| text.parse().ok())
}

/// Reads `config.env`, after checking the layout: in an unknown one the file may mean something else.
fn settings(home: &Path) -> Result<Settings, Error> {
    home::check_layout(home)?;
    Ok(Settings::read(home, &SETTINGS)?)
}

fn from_environment(name: &str) -> Option<(OsString, Origin)> {
    let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
    Some((value, Origin::Environment))
}

fn from_file(home: &Path, settings: &Settings, name: &str) -> Option<(OsString, Origin)> {
    let value = settings.get(name).filter(|value| !value.is_empty())?;
    Some((value.into(), Origin::Settings(settings::path(home))))
}

fn secrets(lookup: Lookup<'_>) -> Result<SecretsChoice, Error> {
    let choice = parse(lookup, SECRETS, "file, keyring or auto", |text| match text {
        "file" => Some(SecretsChoice::File),
        "keyring" => Some(SecretsChoice::Keyring),
        "auto" => Some(SecretsChoice::Auto),
        _ => None,
    })?;
    Ok(choice.unwrap_or(SecretsChoice::Auto))
}

fn home(lookup: Lookup<'_>) -> Result<PathBuf, Error> {
    match lookup(HOME) {
        Some((value, _)) => Ok(value.into()),
        None => {
            let user_home = user_home().ok_or(Error::NoHome)?;
            check_owner(&user_home, rustix::process::geteuid().as_raw())?;
            Ok(in_user_home(&user_home))
        }
    }
}

/// The default state directory, `~/.bproxy`; `None` if the user has no home directory.
pub fn default_home() -> Option<PathBuf> {
    Some(in_user_home(&user_home()?))
}

fn in_user_home(user_home: &Path) -> PathBuf {
    user_home.join(".bproxy")
}

/// The user's home directory. Users of services have `/`, which is nobody's.
fn user_home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute() && home != Path::new("/"))
}

/// Refuses the home directory of another user to root.
fn check_owner(user_home: &Path, user: u32) -> Result<(), Error> {
    match std::fs::metadata(user_home) {
        Ok(metadata) if user == 0 && metadata.uid() != 0 => {
            Err(Error::OthersHome { home: user_home.to_owned(), owner: metadata.uid() })
        }
        // A directory that is missing or unreadable is reported when it is used.
        _ => Ok(()),
    }
}

fn parse<T>(
    lookup: Lookup<'_>,
    variable: &'static str,
    expected: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Some((value, origin)) = lookup(variable) else {
        return Ok(None);
    };
    match value.to_str().and_then(read) {
        Some(parsed) => Ok(Some(parsed)),
        None => Err(Error::Invalid { variable, value, origin, expected }),
    }
}

/// The named extensions, or `None` inside for any.
fn extension_ids(text: &str) -> Option<Option<Vec<String>>> {
    match text {
        "*" => Some(None),
        list => list.split(',').map(|id| extension_id(id.trim())).collect::<Option<_>>().map(Some),
    }
}

fn extension_id(text: &str) -> Option<String> {
    let valid =
        text.len() == EXTENSION_ID_LENGTH && text.bytes().all(|byte| matches!(byte, b'a'..=b'p'));
    valid.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, Error> {
        let lookup = |name: &str| {
            let (_, value) = variables.iter().find(|(key, _)| *key == name)?;
            Some((OsString::from(value), Origin::Environment))
        };
        Config::from_lookup(&home(&lookup)?, &lookup)
    }

    #[test]
    fn an_empty_environment_gives_the_defaults() {
        let config = config(&[(HOME, "/somewhere")]).unwrap();
        assert_eq!(config.port, 9615);
        assert_eq!(config.secrets, SecretsChoice::Auto);
        assert_eq!(config.log, LogChoice::Auto);
        assert_eq!(config.log_level, LogLevel::Info);
        assert_eq!(config.extension_ids, Some(vec![extension::ID.to_owned()]));
        assert_eq!(config.resume, Resume::Person);
        assert_eq!(config.idle_exit, None);
    }

    #[test]
    fn every_variable_is_read() {
        let (a, b) = ("a".repeat(32), "p".repeat(32));
        let config = config(&[
            (HOME, "/other"),
            (PORT, "0"),
            (SECRETS, "file"),
            (LOG, "stderr"),
            (LOG_LEVEL, "debug"),
            (EXTENSION_IDS, &format!("{a}, {b}")),
            (RESUME, "anyone"),
            (IDLE_EXIT, "900"),
        ])
        .unwrap();
        assert_eq!(config.home, PathBuf::from("/other"));
        assert_eq!(config.port, 0);
        assert_eq!(config.secrets, SecretsChoice::File);
        assert_eq!(config.log, LogChoice::Stderr);
        assert_eq!(config.log_level, LogLevel::Debug);
        assert_eq!(config.extension_ids, Some(vec![a, b]));
        assert_eq!(config.resume, Resume::Anyone);
        assert_eq!(config.idle_exit, Some(Duration::from_secs(900)));
    }

    #[test]
    fn a_star_allows_any_extension() {
        let config = config(&[(HOME, "/other"), (EXTENSION_IDS, "*")]).unwrap();
        assert_eq!(config.extension_ids, None);
    }

    #[test]
    fn an_empty_line_of_the_settings_is_as_if_it_were_not_there() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config.env"), "BPROXY_PORT=\nBPROXY_LOG_LEVEL=debug\n")
            .unwrap();
        let config = Config::of_service(home.path(), &[]).unwrap();
        assert_eq!((config.port, config.log_level), (DEFAULT_PORT, LogLevel::Debug));
    }

    #[test]
    fn only_root_is_refused_the_home_directory_of_somebody_else() {
        let home = tempfile::tempdir().unwrap();
        let owner = std::fs::metadata(home.path()).unwrap().uid();
        check_owner(home.path(), 1000).unwrap();
        assert_eq!(check_owner(home.path(), 0).is_ok(), owner == 0);
        check_owner(&home.path().join("missing"), 0).unwrap();
    }

    #[test]
    fn a_bad_line_is_blamed_on_its_file() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("config.env");
        std::fs::write(&file, "BPROXY_LOG_LEVEL=loud\n").unwrap();
        let error = Config::of_service(home.path(), &[]).unwrap_err();
        let Error::Invalid { origin, .. } = &error else { panic!("{error}") };
        assert_eq!(*origin, Origin::Settings(file.clone()));
        assert!(error.to_string().contains(file.to_str().unwrap()), "{error}");
    }

    #[test]
    fn a_bad_value_is_refused_with_its_variable_its_value_and_the_valid_values() {
        for (variable, value, expected) in [
            (PORT, "80000", "65535"),
            (PORT, "http", "65535"),
            (SECRETS, "vault", "keyring"),
            (LOG, "syslog", "journald"),
            (LOG_LEVEL, "trace", "warn"),
            (EXTENSION_IDS, "abc", "32 letters"),
            (EXTENSION_IDS, &format!("*,{}", "a".repeat(32)), "32 letters"),
            (RESUME, "agent", "anyone"),
            (IDLE_EXIT, "15min", "seconds"),
        ] {
            let message = config(&[(variable, value)]).unwrap_err().to_string();
            assert!(
                message.contains(variable) && message.contains(&format!("{value:?}")),
                "{message}"
            );
            assert!(message.contains(expected), "{message}");
        }
    }
}
