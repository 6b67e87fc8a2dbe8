//! Reading the log back: from the files and from the journal, as the JSON lines that were written, oldest first.
//!
//! Both are read, because where an earlier daemon has written is nowhere said. What is in the lines is the business of
//! whoever writes them, but for the few facts that are asked for here.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::logging::{HOME, RECORD};
use crate::home::Home;

/// How often the files are looked at for more. The daemon itself writes them no more often.
const LOOK: Duration = Duration::from_millis(200);

/// What is shown of the past by somebody who follows the log and asks for nothing else.
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
    let mut filter = Filter { wanted, ids: HashSet::new() };
    let mut files = Files { dir: home.logs(), read: HashMap::new() };
    // Before what is there is read, so that nothing falls between.
    let following = follow.then(|| Journal::follow(home)).flatten();

    let mut records = Vec::new();
    let mut keep = |line: Vec<u8>| {
        if let Some(ts) = filter.take(&line) {
            records.push((ts, line));
        }
    };
    files.more(&mut keep)?;
    Journal::read(home, &mut keep);
    // Stable: what was written in the same millisecond stays in its order.
    records.sort_by_key(|(ts, _)| *ts);
    let skipped = if latest_only { records.len().saturating_sub(LATEST) } else { 0 };
    let written = records[skipped..].iter().try_for_each(|(_, line)| print(out, line));
    if gone(written.and_then(|()| out.flush()))? || !follow {
        return Ok(());
    }
    drop(records);

    loop {
        let mut written = Ok(());
        let mut show = |line: Vec<u8>| {
            if filter.take(&line).is_some() && written.is_ok() {
                written = print(out, &line);
            }
        };
        files.more(&mut show)?;
        match &following {
            Some(journal) => {
                if let Ok(line) = journal.lines.recv_timeout(LOOK) {
                    show(line);
                    journal.lines.try_iter().for_each(&mut show);
                }
            }
            None => thread::sleep(LOOK),
        }
        if gone(written.and_then(|()| out.flush()))? {
            return Ok(());
        }
    }
}

fn print(out: &mut impl Write, line: &[u8]) -> io::Result<()> {
    out.write_all(line)?;
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

/// Picks the records that are wanted.
struct Filter {
    wanted: Wanted,
    /// The requests of the session, whose later records no longer name it.
    ids: HashSet<String>,
}

impl Filter {
    /// When a line was written, if it is wanted.
    fn take(&mut self, line: &[u8]) -> Option<u64> {
        #[derive(Deserialize)]
        struct Record {
            ts: u64,
            id: Option<String>,
            session: Option<String>,
        }
        let Record { ts, id, session } = serde_json::from_slice(line).ok()?;
        let wanted = &self.wanted;
        if let (Some(wanted), true) = (&wanted.session, session.is_some()) {
            if session.as_ref() == Some(wanted) {
                self.ids.extend(id.clone());
            } else {
                return None;
            }
        } else if wanted.session.is_some() && !id.as_ref().is_some_and(|id| self.ids.contains(id)) {
            return None;
        }
        let fits = wanted.since.is_none_or(|since| ts >= since)
            && wanted.id.as_ref().is_none_or(|wanted| id.as_ref() == Some(wanted));
        fits.then_some(ts)
    }
}

/// The log files, and how far each has been read.
struct Files {
    dir: PathBuf,
    /// By inode, which stays when a file is moved aside.
    read: HashMap<u64, u64>,
}

impl Files {
    /// Reads the whole lines that have been added.
    fn more(&mut self, take: &mut impl FnMut(Vec<u8>)) -> Result<(), Error> {
        let error = |path: PathBuf| move |source| Error::Read { path, source };
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(error(self.dir.clone()))?,
        };
        let mut paths: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .collect();
        // By date, and what was moved aside before what followed.
        paths.sort();
        let mut read = HashMap::new();
        for path in paths {
            let (inode, end) = match self.more_of(&path, take) {
                // Moved aside or removed in between: the next look finds it under its other name.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                done => done.map_err(error(path))?,
            };
            read.insert(inode, end);
        }
        self.read = read;
        Ok(())
    }

    fn more_of(&self, path: &PathBuf, take: &mut impl FnMut(Vec<u8>)) -> io::Result<(u64, u64)> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let (inode, length) = (metadata.ino(), metadata.size());
        let start = self.read.get(&inode).copied().filter(|start| *start <= length).unwrap_or(0);
        let mut end = start;
        if length > start {
            file.seek(SeekFrom::Start(start))?;
            let mut reader = BufReader::new(file.take(length - start));
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line)? > 0 && line.last() == Some(&b'\n') {
                end += line.len() as u64;
                line.pop();
                take(std::mem::take(&mut line));
            }
        }
        Ok((inode, end))
    }
}

/// What `journalctl` tells of one daemon.
struct Journal {
    lines: Receiver<Vec<u8>>,
    program: Child,
}

impl Journal {
    /// Everything that is there. Where there is no journal, or none that this user may read, there is nothing.
    fn read(home: &Home, take: &mut impl FnMut(Vec<u8>)) {
        let Some(mut program) = journalctl(home, &[]) else { return };
        lines(&mut program, take);
        let _ = program.wait();
    }

    /// What comes from now on.
    fn follow(home: &Home) -> Option<Journal> {
        let mut program = journalctl(home, &["--follow", "--lines=0"])?;
        // Bounded: a reader that is slow holds up journalctl, and that is all.
        let (sender, receiver) = mpsc::sync_channel(1024);
        let stdout = program.stdout.take()?;
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                if record(&line).is_some_and(|line| sender.send(line).is_err()) {
                    return;
                }
            }
        });
        Some(Journal { lines: receiver, program })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn journalctl(home: &Home, options: &[&str]) -> Option<Child> {
    Command::new("journalctl")
        .args(["--quiet", "--no-pager", "--all", "--output=json"])
        .arg(format!("--output-fields={RECORD}"))
        .arg(format!("{HOME}={}", home.real_path().display()))
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()
}

fn lines(program: &mut Child, take: &mut impl FnMut(Vec<u8>)) {
    let Some(stdout) = program.stdout.take() else { return };
    for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
        if let Some(line) = record(&line) {
            take(line);
        }
    }
}

/// The record in one line of what `journalctl` prints.
fn record(line: &[u8]) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Entry {
        #[serde(rename = "BPROXY_RECORD")]
        record: String,
    }
    Some(serde_json::from_slice::<Entry>(line).ok()?.record.into_bytes())
}

#[cfg(test)]
mod tests {
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
            assert_eq!(filter.take(line.as_bytes()).is_some(), wanted, "{line}");
        }
    }

    #[test]
    fn an_id_and_a_moment_leave_the_others_out() {
        let mut filter =
            filter(Wanted { id: Some("1".into()), since: Some(2), ..Wanted::default() });
        assert_eq!(filter.take(br#"{"ts":1,"id":"1"}"#), None);
        assert_eq!(filter.take(br#"{"ts":2,"id":"1"}"#), Some(2));
        assert_eq!(filter.take(br#"{"ts":3,"id":"2"}"#), None);
    }

    #[test]
    fn files_are_read_once_across_a_move_and_only_whole_lines() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files { dir: dir.path().join("logs"), read: HashMap::new() };
        let more = |files: &mut Files| {
            let mut lines = Vec::new();
            files.more(&mut |line| lines.push(String::from_utf8(line).unwrap())).unwrap();
            lines
        };
        assert!(more(&mut files).is_empty());
        fs::create_dir(&files.dir).unwrap();
        let (today, aside) = (files.dir.join("2026-05-08.log"), files.dir.join("2026-05-08.1.log"));
        fs::write(files.dir.join("2026-05-07.log"), "a\n").unwrap();
        fs::write(&today, "b\nhal").unwrap();
        assert_eq!(more(&mut files), ["a", "b"]);
        fs::write(&today, "b\nhalf\n").unwrap();
        fs::rename(&today, &aside).unwrap();
        fs::write(&today, "c\n").unwrap();
        assert_eq!(more(&mut files), ["half", "c"]);
        assert!(more(&mut files).is_empty());
    }
}
