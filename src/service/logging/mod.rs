//! The log: records of `tracing` events as JSON lines, in files of the state directory, on standard error, or in the
//! journal.
//!
//! Owns where they go and how soon. What is logged is said where it happens. A record costs its maker a copy into a
//! buffer; a thread writes the buffer out.

mod files;
#[cfg(target_os = "linux")]
mod journal;
mod record;
mod writer;

use std::io;
use std::os::unix::fs::MetadataExt;

use tracing_subscriber::layer::SubscriberExt;

use crate::config::{LogChoice, LogLevel};
use crate::home::Home;
use files::Files;
pub(super) use record::Level;
use record::Records;
use writer::{Sink, Writer};

/// What the journal's fields of this program begin with, before a `_`.
#[cfg(target_os = "linux")]
const PREFIX: &str = "BPROXY";

/// The journal's field that has the record as a line of JSON.
pub(super) const RECORD: &str = "BPROXY_RECORD";

/// The journal's field that has the id of the request that a record is of.
pub(super) const ID: &str = "BPROXY_ID";

/// The journal's field that tells the daemons of one user apart.
pub(super) const HOME: &str = "BPROXY_HOME";

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal is asked for.
    #[error(
        "BPROXY_LOG is journald, and there is no journal to write to ({0}): set it to auto or file"
    )]
    Journal(#[source] io::Error),
    /// The writer could not be started.
    #[error("cannot start the thread that writes the log: {0}")]
    Thread(#[source] io::Error),
}

/// The running log. Dropping it writes out what is left, as far as that goes soon; what is logged after that is lost.
pub(super) struct Log {
    /// How much is logged.
    pub(super) level: Level,
    _writer: Writer,
}

impl Log {
    /// Makes this the log of the whole process, panics included.
    ///
    /// # Errors
    /// When the log that is asked for cannot be had.
    pub(super) fn start(choice: LogChoice, level: LogLevel, home: &Home) -> Result<Log, Error> {
        let sink = match choice {
            LogChoice::Journald => journal(home).map_err(Error::Journal)?,
            LogChoice::Stderr => Sink::Stderr,
            LogChoice::Auto if stderr_is_the_journal() => journal(home).unwrap_or(Sink::Stderr),
            LogChoice::File | LogChoice::Auto => Sink::Files(Files::new(home.logs())),
        };
        let writer = Writer::start(sink).map_err(Error::Thread)?;
        let level = Level::new(level);
        let records = Records::new(level.clone(), writer.queue());
        let subscriber = tracing_subscriber::registry().with(records);
        // A process has one log: whoever set one before keeps it.
        let _ = tracing::subscriber::set_global_default(subscriber);
        log_panics();
        Ok(Log { level, _writer: writer })
    }
}

#[cfg(target_os = "linux")]
fn journal(home: &Home) -> io::Result<Sink> {
    journal::Journal::open(&home.real_path()).map(Sink::Journal)
}

#[cfg(not(target_os = "linux"))]
fn journal(_home: &Home) -> io::Result<Sink> {
    Err(io::ErrorKind::Unsupported.into())
}

/// systemd says in `JOURNAL_STREAM` which device and inode of standard error lead to the journal.
fn stderr_is_the_journal() -> bool {
    let Some(stream) = std::env::var("JOURNAL_STREAM").ok() else {
        return false;
    };
    let Ok(stderr) = rustix::stdio::stderr().try_clone_to_owned() else {
        return false;
    };
    let Ok(metadata) = std::fs::File::from(stderr).metadata() else {
        return false;
    };
    stream == format!("{}:{}", metadata.dev(), metadata.ino())
}

/// Logs where every panic happened. Its message is told only where it is fixed text: a formatted one may quote a page.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let message = panic.payload().downcast_ref::<&'static str>();
        tracing::error!(
            event = "panic",
            location = location.as_deref(),
            message = message.copied()
        );
        eprintln!(
            "bproxy: internal error at {}",
            location.as_deref().unwrap_or("an unknown place")
        );
    }));
}
