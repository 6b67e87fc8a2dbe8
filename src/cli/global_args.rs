//! The flags that every verb accepts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, ValueEnum};

use super::{Error, caller, output, render};
use crate::client::{self, Client};
use crate::config;
use crate::home::Home;
use crate::protocol::MAX_DEADLINE_MS;

/// How to show a result.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One line of JSON
    Json,
    /// Plain text, and tables for lists
    Text,
    /// Comma-separated values, for the verb table
    Csv,
}

/// The longest wait for a browser, in seconds: a person does not take an hour to start it.
const MAX_WAIT_EXTENSION: u64 = 60 * 60;

/// The variable that names the session where no flag does.
pub(super) const SESSION_VARIABLE: &str = "BPROXY_SESSION";

/// The text of a session's id.
fn text(given: OsString) -> Result<String, &'static str> {
    given
        .into_string()
        .map_err(|_| "it is no UTF-8 text; without -s it is the value of BPROXY_SESSION")
}

/// Flags before or after any verb.
#[derive(Args, Clone)]
#[command(next_help_heading = "Options of every verb")]
pub(super) struct Globals {
    /// The session to act in
    #[arg(short, long, global = true, env = SESSION_VARIABLE, value_name = "ID",
        value_parser = OsStringValueParser::new().try_map(text))]
    session: Option<String>,

    /// Whether the environment names the session, and no flag does
    #[arg(skip)]
    is_session_of_environment: bool,

    /// How long the command may take, in milliseconds
    #[arg(long, global = true, default_value_t = 30_000, value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=MAX_DEADLINE_MS.cast_unsigned()))]
    timeout: u64,

    /// How long to wait for a browser that is not connected; a sleeping one wakes within a minute
    #[arg(long, global = true, default_value_t = 0, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(0..=MAX_WAIT_EXTENSION), hide_default_value = true)]
    wait_extension: u64,

    /// The state directory [default: ~/.bproxy, or BPROXY_HOME]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) home: Option<PathBuf>,

    /// Call the daemon on this port, with its token, and not by its socket
    #[arg(long, global = true, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) port: Option<u16>,

    /// How to print the result: JSON for programs, text for people; log lines and events are always JSON [default: json]
    #[arg(long, global = true, value_name = "FORMAT")]
    output: Option<Format>,

    /// Report progress on standard error
    #[arg(short, long, global = true)]
    verbose: bool,
}

impl Globals {
    /// The session given; empty for none.
    pub(super) fn session(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }

    /// Notes what only the whole line's matches tell: where its values come from.
    pub(super) fn note_sources(&mut self, matches: &ArgMatches) {
        self.is_session_of_environment =
            matches.value_source("session") == Some(ValueSource::EnvVariable);
    }

    /// Whether the environment names the session, and no flag does.
    pub(super) fn is_session_of_environment(&self) -> bool {
        self.is_session_of_environment
    }

    /// How long the command may take.
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout)
    }

    /// How long to wait for a browser that is not connected.
    pub(super) fn wait_extension(&self) -> Duration {
        Duration::from_secs(self.wait_extension)
    }

    /// How to print the result, if that was given.
    pub(super) fn format(&self) -> Option<Format> {
        self.output
    }

    /// Prints a result, given as JSON, in the format that was asked for.
    pub(super) fn print(&self, json: Vec<u8>) -> Result<(), Error> {
        match self.output {
            None | Some(Format::Json | Format::Csv) => output::line(json),
            Some(Format::Text) => render::show(&json),
        }
    }

    /// The state directory, which may not exist yet.
    pub(super) fn home_path(&self) -> Result<PathBuf, Error> {
        match &self.home {
            Some(path) => Ok(path.clone()),
            None => Ok(config::home_from_env()?),
        }
    }

    /// The state directory, which exists where a daemon runs.
    pub(super) fn home(&self) -> Result<Home, Error> {
        Ok(Home::find(&self.home_path()?)?.ok_or(client::Error::NotRunning)?)
    }

    /// A client of the daemon.
    pub(super) fn client(&self) -> Result<Client, Error> {
        Ok(self.connect()?)
    }

    /// Finds the daemon, or the next one.
    pub(super) fn connect(&self) -> Result<Client, client::Error> {
        let home = self.home.as_deref();
        let client = match self.port {
            Some(port) => client::connect_port(home, port),
            None => client::connect(home),
        };
        Ok(client?.on_behalf_of(caller::of_this_process()))
    }

    /// Writes a message to standard error, with --verbose.
    pub(super) fn verbose(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            output::say(&text());
        }
    }
}

/// Parses one of the protocol's words, and lists them all in the help.
pub(super) fn word<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: std::str::FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}

/// Parses a CSS selector, of which only the page knows whether it is one.
pub(super) fn css(text: &str) -> Result<String, &'static str> {
    match text.trim().is_empty() {
        true => Err(
            "it is empty: write what the element matches, such as 'form input', or name it with --element",
        ),
        false => Ok(text.to_owned()),
    }
}

/// Parses a text that the protocol validates.
pub(super) fn checked<T: TryFrom<String, Error = String>>(text: &str) -> Result<T, String> {
    T::try_from(text.to_owned())
}
