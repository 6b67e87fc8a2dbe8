//! Reading the log back: from the files and from the journal, as the JSON lines that were written, oldest first.
//!
//! Both are read, because where an earlier daemon has written is nowhere said. What is in the lines is the business of
//! whoever writes them, but for the few facts that are asked for here.

mod files;
mod journal;

use std::collections::{HashSet, VecDeque};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use crate::home::Home;
use files::Files;
use journal::Journal;

/// How often the files are looked at for more. The daemon itself writes them no more often.
const LOOK: Duration = Duration::from_millis(200);

/// What is shown of the past to somebody who follows the log and asks for nothing else.
const LATEST: usize = 10;

/// Why the log cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of it.
    #[error("cannot read the log in {}: {source}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Where it should be shown.
    #[error("cannot write to standard output: {0}")]
    Write(#[source] io::Error),
}

/// Which records are wanted.
#[derive(Debug, Default)]
pub struct Wanted {
    /// Those of one request.
    pub id: Option<String>,
    /// Those of one session and of its requests.
    pub session: Option<String>,
    /// Those from this moment on, in Unix milliseconds.
    pub since: Option<u64>,
}

impl Wanted {
    fn everything(&self) -> bool {
        self.id.is_none() && self.session.is_none() && self.since.is_none()
    }
}

/// Shows the records that are wanted, and with `follow` those that come, until the reader goes away.
///
/// # Errors
/// When a file is there and cannot be read, or nothing can be shown.
pub fn show(home: &Home, wanted: Wanted, follow: bool, out: &mut impl Write) -> Result<(), Error> {
    let latest_only = follow && wanted.everything();
    let mut files = Files::new(home.logs());
    let past: &[_] = if latest_only { &[format!("--lines={LATEST}")] } else { &[] };
    let past = Journal::start(home, &wanted, None, past);
    let mut filter = Filter { wanted, ids: HashSet::new() };
    let mut latest = VecDeque::new();
    let mut written = Ok(());
    let cursor = in_order(&mut files, past, &mut |record| {
        if !filter.takes(&record) || written.is_err() {
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
    let written = written.and_then(|()| latest.iter().try_for_each(|record| print(out, record)));
    if gone(written.and_then(|()| out.flush()))? || !follow {
        return Ok(());
    }

    let options = ["--follow".into(), "--no-tail".into()];
    let following = Journal::start(home, &filter.wanted, cursor.as_deref(), &options);
    loop {
        let mut written = Ok(());
        let mut show = |record: Record| {
            if filter.takes(&record) && written.is_ok() {
                written = print(out, &record);
            }
        };
        files.more(&mut show)?;
        let entry = following.as_ref().map(|journal| journal.entries.recv_timeout(LOOK));
        match entry {
            Some(Ok(entry)) => {
                show(entry.record);
                let more = following.iter().flat_map(|journal| journal.entries.try_iter());
                more.for_each(|entry| show(entry.record));
            }
            Some(Err(RecvTimeoutError::Timeout)) => {}
            // There is no journal, or none any more.
            Some(Err(RecvTimeoutError::Disconnected)) | None => thread::sleep(LOOK),
        }
        if gone(written.and_then(|()| out.flush()))? {
            return Ok(());
        }
    }
}

/// Takes what is in the files and in the journal, oldest first. Returns where the journal was left.
fn in_order(
    files: &mut Files,
    journal: Option<Journal>,
    take: &mut impl FnMut(Record),
) -> Result<Option<String>, Error> {
    let mut cursor = None;
    let mut entries = journal.iter().flat_map(|journal| &journal.entries).peekable();
    let mut until = |ts, take: &mut dyn FnMut(Record)| {
        while let Some(entry) = entries.next_if(|entry| entry.record.ts < ts) {
            cursor = Some(entry.cursor);
            take(entry.record);
        }
    };
    files.more(&mut |record| {
        until(record.ts, take);
        take(record);
    })?;
    until(u64::MAX, take);
    Ok(cursor)
}

fn print(out: &mut impl Write, record: &Record) -> io::Result<()> {
    out.write_all(&record.line)?;
    out.write_all(b"\n")
}

/// Whether the reader has gone away, which is how following ends.
fn gone(written: io::Result<()>) -> Result<bool, Error> {
    match written {
        Ok(()) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        Err(error) => Err(Error::Write(error)),
    }
}

/// A line of the log, and of what is in it what is asked for here.
#[derive(Deserialize)]
struct Record {
    ts: u64,
    id: Option<String>,
    session: Option<String>,
    #[serde(skip)]
    line: Vec<u8>,
}

impl Record {
    /// `None` of a line that is damaged.
    fn read(line: Vec<u8>) -> Option<Record> {
        let record = serde_json::from_slice(&line).ok()?;
        Some(Record { line, ..record })
    }
}

/// Picks the records that are wanted.
struct Filter {
    wanted: Wanted,
    /// The requests of the session, whose later records no longer name it.
    ids: HashSet<String>,
}

impl Filter {
    fn takes(&mut self, Record { ts, id, session, .. }: &Record) -> bool {
        let wanted = &self.wanted;
        if let (Some(wanted), true) = (&wanted.session, session.is_some()) {
            if session.as_ref() == Some(wanted) {
                self.ids.extend(id.clone());
            } else {
                return false;
            }
        } else if wanted.session.is_some() && !id.as_ref().is_some_and(|id| self.ids.contains(id)) {
            return false;
        }
        wanted.since.is_none_or(|since| *ts >= since)
            && wanted.id.as_ref().is_none_or(|wanted| id.as_ref() == Some(wanted))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;
    use std::sync::mpsc;

    use super::journal::Entry;
    use super::*;

    fn filter(wanted: Wanted) -> Filter {
        Filter { wanted, ids: HashSet::new() }
    }

    #[test]
    fn a_session_brings_the_records_of_its_requests() {
        let mut filter = filter(Wanted { session: Some("aaaaaa".into()), ..Wanted::default() });
        let lines = [
            (r#"{"ts":1,"event":"received","id":"1","session":"aaaaaa"}"#, true),
            (r#"{"ts":2,"event":"received","id":"2","session":"bbbbbb"}"#, false),
            (r#"{"ts":3,"event":"response","id":"2"}"#, false),
            (r#"{"ts":4,"event":"response","id":"1"}"#, true),
            (r#"{"ts":5,"event":"start"}"#, false),
            ("damaged", false),
        ];
        for (line, wanted) in lines {
            let record = Record::read(line.into());
            assert_eq!(record.is_some_and(|record| filter.takes(&record)), wanted, "{line}");
        }
    }

    #[test]
    fn an_id_and_a_moment_leave_the_others_out() {
        let mut filter =
            filter(Wanted { id: Some("1".into()), since: Some(2), ..Wanted::default() });
        let mut takes = |line: &str| filter.takes(&Record::read(line.into()).unwrap());
        assert!(!takes(r#"{"ts":1,"id":"1"}"#));
        assert!(takes(r#"{"ts":2,"id":"1"}"#));
        assert!(!takes(r#"{"ts":3,"id":"2"}"#));
    }

    /// A line with this time.
    pub(super) fn at(ts: u64) -> String {
        format!("{{\"ts\":{ts}}}\n")
    }

    #[test]
    fn files_and_journal_are_shown_in_the_order_of_time() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("2026-05-08.log"), at(2) + &at(3) + &at(5)).unwrap();
        let mut files = Files::new(dir.path().to_owned());
        let (sender, entries) = mpsc::sync_channel(3);
        for ts in [1, 4, 6] {
            let record = Record::read(at(ts).into()).unwrap();
            sender.send(Entry { record, cursor: format!("at {ts}") }).unwrap();
        }
        drop(sender);
        let program = Command::new("true").spawn().unwrap();
        let mut times = Vec::new();
        let journal = Some(Journal { entries, program });
        let cursor = in_order(&mut files, journal, &mut |record| times.push(record.ts)).unwrap();
        assert_eq!((times, cursor.as_deref()), (vec![1, 2, 3, 4, 5, 6], Some("at 6")));
    }
}
