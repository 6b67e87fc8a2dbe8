//! Reads the log back, from the files and from the journal, as the JSON lines that `logging` wrote, oldest first.
//!
//! Reads both, because an earlier daemon may have logged to the other one. Knows only the fields that a query can name.

mod files;
mod journal;

use std::collections::{HashSet, VecDeque};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use crate::config::LogChoice;
use crate::home::Home;
use files::LogFileReader;
use journal::JournalReader;

/// How often to check the files for new records. The daemon writes no more often.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How many past records to show before following the log, if the query names nothing.
const LATEST: usize = 10;

/// For how long an error may be the reason of what is wrong now.
const HOUR_MS: u64 = 60 * 60 * 1000;

/// Where the journal is kept in memory alone (`Storage=volatile`), it has no files of single users.
const CLOSED_JOURNAL: &str = "there is no log file, and the journal cannot be read by you, as where it is kept in memory \
    alone: with BPROXY_LOG=file the daemon writes files, and members of the group systemd-journal may read the journal";

/// Why the log cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A log file, or its directory, cannot be read.
    #[error("cannot read the log in {}: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Write(#[source] io::Error),
}

/// Which records to show: those that match every given condition.
#[derive(Debug, Default)]
pub struct Query {
    /// Of this request.
    pub id: Option<String>,
    /// Of this session and its requests.
    pub session: Option<String>,
    /// From this time on, in Unix milliseconds.
    pub since: Option<u64>,
}

impl Query {
    fn is_empty(&self) -> bool {
        self.id.is_none() && self.session.is_none() && self.since.is_none()
    }
}

/// Writes the records that match the query to `out`; with `follow` also new ones, until `out` is closed. `warn` is called
/// with what keeps all records from being seen.
///
/// # Errors
/// When a file exists and cannot be read, or `out` cannot be written for another reason.
pub fn show(
    home: &Home,
    choice: LogChoice,
    query: Query,
    follow: bool,
    out: &mut impl Write,
    warn: impl FnOnce(&str),
) -> Result<(), Error> {
    let latest_only = follow && query.is_empty();
    let mut files = LogFileReader::new(home.logs());
    let options: &[_] = if latest_only { &[format!("--lines={LATEST}")] } else { &[] };
    // A daemon that writes files has nothing in the journal, and asking it takes a while.
    let has_journal = choice != LogChoice::File && journal::exists();
    let start = |query: &Query, cursor: Option<&str>, options: &[String]| {
        has_journal.then(|| JournalReader::start(home, query, cursor, options)).flatten()
    };
    let past = start(&query, None, options);
    let mut filter = Filter { query, ids: HashSet::new() };
    let mut latest = VecDeque::new();
    let mut written = Ok(());
    let mut is_empty = true;
    let Past { cursor, is_closed: journal_is_closed } =
        read_past(&mut files, past, &mut |record| {
            is_empty = false;
            if !filter.matches(&record) || written.is_err() {
                return;
            }
            if !latest_only {
                written = print(out, &record);
                return;
            }
            if latest.len() == LATEST {
                latest.pop_front();
            }
            latest.push_back(record);
        })?;
    if is_empty && journal_is_closed {
        warn(CLOSED_JOURNAL);
    }
    let written = written.and_then(|()| latest.iter().try_for_each(|record| print(out, record)));
    if is_closed(written.and_then(|()| out.flush()))? || !follow {
        return Ok(());
    }

    let options = ["--follow".into(), "--no-tail".into()];
    let following = start(&filter.query, cursor.as_deref(), &options);
    loop {
        let mut written = Ok(());
        let mut show = |record: Record| {
            if filter.matches(&record) && written.is_ok() {
                written = print(out, &record);
            }
        };
        files.read_new(&mut show)?;
        let entry = following.as_ref().map(|journal| journal.entries.recv_timeout(POLL_INTERVAL));
        match entry {
            Some(Ok(entry)) => {
                show(entry.record);
                let more = following.iter().flat_map(|journal| journal.entries.try_iter());
                more.for_each(|entry| show(entry.record));
            }
            Some(Err(RecvTimeoutError::Timeout)) => {}
            // There is no journal, or `journalctl` has ended.
            Some(Err(RecvTimeoutError::Disconnected)) | None => thread::sleep(POLL_INTERVAL),
        }
        if is_closed(written.and_then(|()| out.flush()))? {
            return Ok(());
        }
    }
}

/// What the last error of the last hour says; `None` if there is none.
pub(super) fn last_error(home: &Home) -> Option<String> {
    #[derive(Deserialize)]
    struct Error {
        level: String,
        message: Option<String>,
        problem: Option<String>,
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
    let query = Query { since: Some(now.saturating_sub(HOUR_MS)), ..Query::default() };
    let journal = JournalReader::start(home, &query, None, &["--priority=err".into()]);
    let mut last = None;
    let mut files = LogFileReader::new(home.logs());
    let mut filter = Filter { query, ids: HashSet::new() };
    // A log that cannot be read is another hop's failure.
    let _ = read_past(&mut files, journal, &mut |record| {
        if let Some(Error { level, message, problem }) = serde_json::from_slice(&record.line).ok()
            && level == "error"
            && filter.matches(&record)
        {
            last = message.or(problem).or(last.take());
        }
    });
    last
}

/// The last records, oldest first.
pub(super) fn latest(home: &Home, count: usize) -> Vec<String> {
    let mut latest = VecDeque::new();
    let journal =
        JournalReader::start(home, &Query::default(), None, &[format!("--lines={count}")]);
    let mut files = LogFileReader::new(home.logs());
    // A log that cannot be read has no records.
    let _ = read_past(&mut files, journal, &mut |record| {
        if latest.len() == count {
            latest.pop_front();
        }
        latest.push_back(String::from_utf8_lossy(&record.line).into_owned());
    });
    latest.into()
}

/// What was found behind the past records.
struct Past {
    /// The journal's cursor, to continue there.
    cursor: Option<String>,
    /// Whether there is a journal that this user cannot read.
    is_closed: bool,
}

/// Merges the records of the files and of the journal, oldest first.
fn read_past(
    files: &mut LogFileReader,
    mut journal: Option<JournalReader>,
    on_record: &mut impl FnMut(Record),
) -> Result<Past, Error> {
    let mut cursor = None;
    let mut entries = journal.iter().flat_map(|journal| &journal.entries).peekable();
    let mut drain_journal_until = |ts, on_record: &mut dyn FnMut(Record)| {
        while let Some(entry) = entries.next_if(|entry| entry.record.ts < ts) {
            cursor = Some(entry.cursor);
            on_record(entry.record);
        }
    };
    files.read_new(&mut |record| {
        drain_journal_until(record.ts, on_record);
        on_record(record);
    })?;
    drain_journal_until(u64::MAX, on_record);
    let is_closed = journal.as_mut().is_some_and(JournalReader::has_failed);
    Ok(Past { cursor, is_closed })
}

fn print(out: &mut impl Write, record: &Record) -> io::Result<()> {
    out.write_all(&record.line)?;
    out.write_all(b"\n")
}

/// Whether the reader has closed the output, which is the normal end of following.
fn is_closed(written: io::Result<()>) -> Result<bool, Error> {
    match written {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        Err(error) => Err(Error::Write(error)),
    }
}

/// A line of the log, with the fields that a query can name.
#[derive(Deserialize)]
struct Record {
    ts: u64,
    id: Option<String>,
    session: Option<String>,
    #[serde(skip)]
    line: Vec<u8>,
}

impl Record {
    /// Parses a line; `None` if it is damaged.
    fn parse(line: Vec<u8>) -> Option<Record> {
        let record = serde_json::from_slice(&line).ok()?;
        Some(Record { line, ..record })
    }
}

/// Selects the records that match a query.
struct Filter {
    query: Query,
    /// The ids of the session's requests, because later records of a request do not name its session.
    ids: HashSet<String>,
}

impl Filter {
    fn matches(&mut self, Record { ts, id, session, .. }: &Record) -> bool {
        let query = &self.query;
        if let (Some(wanted), true) = (&query.session, session.is_some()) {
            if session.as_ref() == Some(wanted) {
                self.ids.extend(id.clone());
            } else {
                return false;
            }
        } else if query.session.is_some() && !id.as_ref().is_some_and(|id| self.ids.contains(id)) {
            return false;
        }
        query.since.is_none_or(|since| *ts >= since)
            && query.id.as_ref().is_none_or(|wanted| id.as_ref() == Some(wanted))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;
    use std::sync::mpsc;

    use super::journal::Entry;
    use super::*;

    fn filter(query: Query) -> Filter {
        Filter { query, ids: HashSet::new() }
    }

    #[test]
    fn a_session_matches_the_records_of_its_requests() {
        let mut filter = filter(Query { session: Some("aaaaaa".into()), ..Query::default() });
        let lines = [
            (r#"{"ts":1,"event":"received","id":"1","session":"aaaaaa"}"#, true),
            (r#"{"ts":2,"event":"received","id":"2","session":"bbbbbb"}"#, false),
            (r#"{"ts":3,"event":"response","id":"2"}"#, false),
            (r#"{"ts":4,"event":"response","id":"1"}"#, true),
            (r#"{"ts":5,"event":"start"}"#, false),
            ("damaged", false),
        ];
        for (line, wanted) in lines {
            let record = Record::parse(line.into());
            assert_eq!(record.is_some_and(|record| filter.matches(&record)), wanted, "{line}");
        }
    }

    #[test]
    fn an_id_and_a_time_exclude_other_records() {
        let mut filter = filter(Query { id: Some("1".into()), since: Some(2), ..Query::default() });
        let mut matches = |line: &str| filter.matches(&Record::parse(line.into()).unwrap());
        assert!(!matches(r#"{"ts":1,"id":"1"}"#));
        assert!(matches(r#"{"ts":2,"id":"1"}"#));
        assert!(!matches(r#"{"ts":3,"id":"2"}"#));
    }

    /// A line with this timestamp.
    pub(super) fn at(ts: u64) -> String {
        format!("{{\"ts\":{ts}}}\n")
    }

    #[test]
    fn files_and_journal_are_shown_in_the_order_of_time() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("2026-05-08.log"), at(2) + &at(3) + &at(5)).unwrap();
        let mut files = LogFileReader::new(dir.path().to_owned());
        let (sender, entries) = mpsc::sync_channel(3);
        for ts in [1, 4, 6] {
            let record = Record::parse(at(ts).into()).unwrap();
            sender.send(Entry { record, cursor: format!("at {ts}") }).unwrap();
        }
        drop(sender);
        let program = Command::new("true").spawn().unwrap();
        let mut times = Vec::new();
        let journal = Some(JournalReader { entries, program });
        let past = read_past(&mut files, journal, &mut |record| times.push(record.ts)).unwrap();
        assert_eq!((times, past.cursor.as_deref()), (vec![1, 2, 3, 4, 5, 6], Some("at 6")));
    }
}
