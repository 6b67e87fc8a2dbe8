//! Reading the journal, through `journalctl`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde::Deserialize;

use super::{Record, Wanted};
use crate::home::Home;
use crate::service::logging::{HOME, ID, RECORD};

/// So many entries of the journal wait to be shown: a reader that is slow holds up journalctl, and that is all.
const WAITING: usize = 1024;

/// What `journalctl` tells of one daemon.
pub(super) struct Journal {
    pub(super) entries: Receiver<Entry>,
    pub(super) program: Child,
}

/// One record in the journal, and the place after which the next ones are.
pub(super) struct Entry {
    pub(super) record: Record,
    pub(super) cursor: String,
}

impl Journal {
    /// Begins to read what is wanted, after the place `cursor` if given. Where there is no journal, or none that this
    /// user may read, there is nothing.
    pub(super) fn start(
        home: &Home,
        wanted: &Wanted,
        cursor: Option<&str>,
        options: &[String],
    ) -> Option<Journal> {
        let mut command = Command::new("journalctl");
        command
            .args(["--quiet", "--no-pager", "--all", "--output=json"])
            .arg(format!("--output-fields={RECORD}"))
            .arg(format!("{HOME}={}", home.real_path().display()))
            .args(options);
        // Narrowed down where the journal itself can: it is in order of arrival, which is never before the record's time.
        command.args(wanted.id.as_ref().map(|id| format!("{ID}={id}")));
        match (cursor, wanted.since) {
            (Some(cursor), _) => command.arg(format!("--after-cursor={cursor}")),
            (None, Some(since)) => command.arg(format!("--since=@{}", since / 1000)),
            (None, None) => &mut command,
        };
        let mut program = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let stdout = program.stdout.take()?;
        let (sender, entries) = mpsc::sync_channel(WAITING);
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                if Entry::read(&line).is_some_and(|entry| sender.send(entry).is_err()) {
                    return;
                }
            }
        });
        Some(Journal { entries, program })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Entry {
    /// One line of what `journalctl` prints.
    fn read(line: &[u8]) -> Option<Entry> {
        #[derive(Deserialize)]
        struct Printed {
            #[serde(rename = "BPROXY_RECORD")]
            record: String,
            #[serde(rename = "__CURSOR")]
            cursor: String,
        }
        let Printed { record, cursor } = serde_json::from_slice(line).ok()?;
        Some(Entry { record: Record::read(record.into_bytes())?, cursor })
    }
}
