//! The flags that every verb takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::{Error, output, render};
use crate::client::{self, Client};
use crate::config;
use crate::home::Home;
use crate::protocol::MAX_DEADLINE_MS;
use crate::service::lock::Watch;
use crate::service::{manager, token};

/// How to show what comes of a call.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One line of JSON
    Json,
    /// Plain text, and tables for lists
    Text,
}

/// The longest wait for a browser, in seconds. A person who starts it needs no hour.
const LONGEST_WAIT: u64 = 60 * 60;

/// Flags before or after any verb.
#[derive(Args, Clone)]
#[command(next_help_heading = "Options of every verb")]
pub(super) struct Globals {
    /// The session to act in
    #[arg(short, long, global = true, env = "BPROXY_SESSION", value_name = "ID")]
    session: Option<String>,

    /// How long the command may take, in milliseconds
    #[arg(long, global = true, default_value_t = 30_000, value_name = "MS",
        value_parser = clap::value_parser!(u64).range(1..=MAX_DEADLINE_MS.cast_unsigned()))]
    timeout: u64,

    /// Wait so long for a browser that is not connected; one that sleeps wakes within a minute
    #[arg(long, global = true, default_value_t = 0, value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(0..=LONGEST_WAIT), hide_default_value = true)]
    wait_extension: u64,

    /// The state directory [default: ~/.bproxy, or BPROXY_HOME]
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) home: Option<PathBuf>,

    /// What to show, but for what comes as lines: JSON for programs, text for people [default: json]
    #[arg(long, global = true, value_name = "FORMAT")]
    output: Option<Format>,

    /// Say on standard error what is done
    #[arg(short, long, global = true)]
    verbose: bool,
}

impl Globals {
    /// The session given; empty for none.
    pub(super) fn session(&self) -> &str {
        self.session.as_deref().unwrap_or_default()
    }

    /// How long the command may take.
    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout)
    }

    /// How long a browser that is not connected is waited for.
    pub(super) fn wait_extension(&self) -> Duration {
        Duration::from_secs(self.wait_extension)
    }

    /// How to show what comes of the call, if that was said.
    pub(super) fn format(&self) -> Option<Format> {
        self.output
    }

    /// Shows what came of the call, in JSON, as it was asked for.
    pub(super) fn print(&self, json: Vec<u8>) -> Result<(), Error> {
        match self.output {
            None | Some(Format::Json) => output::line(json),
            Some(Format::Text) => render::show(&json),
        }
    }

    /// The state directory, which may not be there yet.
    pub(super) fn home_path(&self) -> Result<PathBuf, Error> {
        match &self.home {
            Some(path) => Ok(path.clone()),
            None => Ok(config::home_from_env()?),
        }
    }

    /// The state directory of a daemon.
    pub(super) fn home(&self) -> Result<Home, Error> {
        Ok(Home::find(&self.home_path()?)?.ok_or(client::Error::NotRunning)?)
    }

    /// A way to the daemon, with its token.
    pub(super) fn client(&self) -> Result<Client, Error> {
        let path = self.home_path()?;
        let choice = config::secrets_from_env(&path)?;
        let home = Home::find(&path)?;
        if let Some(home) = home.as_ref().filter(|home| is_served(home)) {
            match Client::with_token(home, choice) {
                Err(client::Error::NotRunning) => {}
                found => return Ok(found?),
            }
        }
        // A service manager may listen for a daemon that does not run, and has perhaps never run. The port that a killed
        // one has left says nothing of that.
        let Some(port) = manager::listening_port(&path) else {
            let home = home.ok_or(client::Error::NotRunning)?;
            return Ok(Client::with_token(&home, choice)?);
        };
        let home = Home::open(&path)?;
        Ok(Client::new(port, token::ensure_for_client(choice, &home)?))
    }

    /// Tells on standard error, where that is wanted.
    pub(super) fn verbose(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            output::say(&text());
        }
    }
}

/// Whether a daemon has the state directory.
fn is_served(home: &Home) -> bool {
    Watch::open(home).ok().flatten().is_some_and(|watch| watch.daemon().is_some())
}

/// Takes one of the protocol's words, and shows them all in the help.
pub(super) fn word<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: std::str::FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}

/// Takes a text that the protocol checks.
pub(super) fn checked<T: TryFrom<String, Error = String>>(text: &str) -> Result<T, String> {
    T::try_from(text.to_owned())
}
