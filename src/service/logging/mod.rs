//! Writes the log: each `tracing` event becomes one line of JSON, written to files in the state directory, to standard
//! error, or to systemd's journal.
//!
//! Owns the destinations and the buffering; each event is defined where it is logged. Logging only copies the line into
//! a buffer, which a separate thread writes out. `logs` reads the log back.

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
use files::LogFiles;
pub(super) use record::LevelHandle;
use record::RecordLayer;
use writer::{Sink, Writer};

/// The prefix of this program's journal fields; a `_` follows it.
#[cfg(target_os = "linux")]
const FIELD_PREFIX: &str = "BPROXY";

/// The journal field with the record as a line of JSON.
pub(super) const RECORD_FIELD: &str = "BPROXY_RECORD";

/// The journal field with the id of the record's request.
pub(super) const ID_FIELD: &str = "BPROXY_ID";

/// The journal field with the daemon's state directory, which distinguishes the daemons of one user.
pub(super) const HOME_FIELD: &str = "BPROXY_HOME";

/// Why the log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `BPROXY_LOG` is `journald`, and the journal cannot be reached.
    #[error(
        "BPROXY_LOG is journald, and there is no journal to write to ({0}): set it to auto or file"
    )]
    Journal(#[source] io::Error),
    /// The writer could not be started.
    #[error("cannot start the thread that writes the log: {0}")]
    Thread(#[source] io::Error),
}

/// The process's log. Dropping it flushes the buffer, within a deadline; later records are lost.
pub(super) struct Log {
    /// Changes the level.
    pub(super) level: LevelHandle,
    _writer: Writer,
}

impl Log {
    /// Starts the log of the whole process, and logs panics too.
    ///
    /// # Errors
    /// When the journal is required and cannot be reached, or no thread can be started.
    pub(super) fn start(choice: LogChoice, level: LogLevel, home: &Home) -> Result<Log, Error> {
        let sink = match choice {
            LogChoice::Journald => journal(home).map_err(Error::Journal)?,
            LogChoice::Stderr => Sink::Stderr,
            LogChoice::Auto if stderr_is_the_journal() => journal(home).unwrap_or(Sink::Stderr),
            LogChoice::File | LogChoice::Auto => Sink::Files(LogFiles::new(home.logs())),
        };
        let writer = Writer::start(sink).map_err(Error::Thread)?;
        let level = LevelHandle::new(level);
        let records = RecordLayer::new(level.clone(), writer.queue());
        let subscriber = tracing_subscriber::registry().with(records);
        // Fails if the process already has a subscriber, which then stays.
        let _ = tracing::subscriber::set_global_default(subscriber);
        log_panics();
        Ok(Log { level, _writer: writer })
    }
}

#[cfg(target_os = "linux")]
fn journal(home: &Home) -> io::Result<Sink> {
    journal::JournalWriter::open(&home.real_path()).map(Sink::Journal)
}

#[cfg(not(target_os = "linux"))]
fn journal(_home: &Home) -> io::Result<Sink> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether standard error leads to the journal: systemd sets `JOURNAL_STREAM` to the device and inode of that stream.
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

/// Logs the location of every panic. Logs the message only if it is a string literal: a formatted one may quote a page.
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
            location.as_deref().unwrap_or("an unknown location")
        );
    }));
}
