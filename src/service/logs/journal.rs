//! Reads systemd's journal, through `journalctl`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use serde::Deserialize;

use super::{Query, Record};
use crate::home::Home;
use crate::service::logging::{HOME_FIELD, ID_FIELD, RECORD_FIELD};

/// How many entries are queued for output. A slow reader of the output then blocks `journalctl`, which does no harm.
const QUEUE_LENGTH: usize = 1024;

/// The journal's entries of one daemon, from a running `journalctl`.
pub(super) struct JournalReader {
    pub(super) entries: Receiver<Entry>,
    pub(super) program: Child,
}

/// One record in the journal, and its cursor.
pub(super) struct Entry {
    pub(super) record: Record,
    pub(super) cursor: String,
}

/// Whether this machine has a journal.
pub(super) fn exists() -> bool {
    Path::new("/run/systemd/journal").exists()
}

impl JournalReader {
    /// Starts reading the entries that match the query, after `cursor` if given. Without a journal that this user can
    /// read there are no entries.
    pub(super) fn start(
        home: &Home,
        query: &Query,
        cursor: Option<&str>,
        options: &[String],
    ) -> Option<JournalReader> {
        let mut command = Command::new("journalctl");
        command
            .args(["--quiet", "--no-pager", "--all", "--output=json"])
            .arg(format!("--output-fields={RECORD_FIELD}"))
            .arg(format!("{HOME_FIELD}={}", home.real_path().display()))
            .args(options);
        // Lets the journal filter as far as it can. `--since` compares the time of arrival, which is never before the
        // record's own time, so it excludes no matching record.
        command.args(query.id.as_ref().map(|id| format!("{ID_FIELD}={id}")));
        match (cursor, query.since) {
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
        let (sender, entries) = mpsc::sync_channel(QUEUE_LENGTH);
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                if Entry::parse(&line).is_some_and(|entry| sender.send(entry).is_err()) {
                    return;
                }
            }
        });
        Some(JournalReader { entries, program })
    }
}

impl JournalReader {
    /// Whether `journalctl`, whose entries have all been received, has failed.
    pub(super) fn has_failed(&mut self) -> bool {
        self.program.wait().is_ok_and(|status| !status.success())
    }
}

impl Drop for JournalReader {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Entry {
    /// Parses one line of `journalctl`'s output; `None` if it has no record.
    fn parse(line: &[u8]) -> Option<Entry> {
        #[derive(Deserialize)]
        struct Printed {
            #[serde(rename = "BPROXY_RECORD")]
            record: String,
            #[serde(rename = "__CURSOR")]
            cursor: String,
        }
        let Printed { record, cursor } = serde_json::from_slice(line).ok()?;
        Some(Entry { record: Record::parse(record.into_bytes())?, cursor })
    }
}
