//! Log files: one per day (UTC), kept for 14 days, at most 10 MB per day.
//!
//! When a day's file reaches 5 MB, it is rotated: renamed to `YYYY-MM-DD.1.log`, replacing an earlier one, and a new file
//! is started. So the latest 5 to 10 MB of a busy day are kept.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::day::{self, date};

const MAX_FILE_BYTES: u64 = 5_000_000;
const DAYS_KEPT: i64 = 14;

/// The log files in one directory.
pub(super) struct LogFiles {
    dir: PathBuf,
    /// The day (since 1970) on which old files were last removed.
    pruned: Option<i64>,
    /// The file of the last batch. It stays open, so that a daemon without free descriptors goes on logging.
    file: Option<File>,
}

impl LogFiles {
    pub(super) fn new(dir: PathBuf) -> LogFiles {
        LogFiles { dir, pruned: None, file: None }
    }

    /// Appends whole lines to today's file: all of them or, on an error, none.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        self.append_on(day::today(), lines)
    }

    /// A file that was removed or replaced since the last batch is created again.
    fn append_on(&mut self, day: i64, lines: &[u8]) -> io::Result<()> {
        let path = self.dir.join(format!("{}.log", date(day)));
        let mut file = match self.file.take().filter(|file| is_at(file, &path)) {
            Some(file) => file,
            None => match open(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    DirBuilder::new().recursive(true).mode(0o700).create(&self.dir)?;
                    open(&path)?
                }
                other => other?,
            },
        };
        let mut length = file.metadata()?.len();
        if length > 0 && length + lines.len() as u64 > MAX_FILE_BYTES {
            fs::rename(&path, self.dir.join(format!("{}.1.log", date(day))))?;
            drop(file);
            file = open(&path)?;
            length = 0;
        }
        if let Err(error) = file.write_all(lines) {
            // A full disk may leave a partial line, which would garble the next one.
            let _ = file.set_len(length);
            return Err(error);
        }
        self.file = Some(file);
        if self.pruned != Some(day) {
            self.pruned = Some(day);
            self.prune(day);
        }
        Ok(())
    }

    /// Removes the files of days beyond the retention. Leaves files alone that are not named like a log file.
    fn prune(&self, today: i64) {
        let oldest = date(today - DAYS_KEPT + 1);
        for file in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if file
                .file_name()
                .to_str()
                .and_then(date_of)
                .is_some_and(|date| date < oldest.as_str())
            {
                let _ = fs::remove_file(file.path());
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

/// Whether `path` names this open file.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let (held, named) = (file.metadata().map(identity), fs::symlink_metadata(path).map(identity));
    held.ok().zip(named.ok()).is_some_and(|(held, named)| held == named)
}

/// The date in a log file's name; `None` if the name is not that of a log file.
fn date_of(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(".log")?;
    let date = stem.strip_suffix(".1").unwrap_or(stem);
    let is_date = date.len() == 10
        && date.bytes().enumerate().all(|(at, byte)| {
            if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() }
        });
    is_date.then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    /// 2026-05-08.
    const DAY: i64 = 20_581;

    fn files() -> (tempfile::TempDir, LogFiles) {
        let dir = tempfile::tempdir().unwrap();
        let files = LogFiles::new(dir.path().join("logs"));
        (dir, files)
    }

    #[test]
    fn lines_go_to_the_days_file_which_only_its_user_can_read() {
        let (_dir, mut files) = files();
        files.append_on(DAY, b"one\n").unwrap();
        files.append_on(DAY, b"two\n").unwrap();
        files.append_on(DAY + 1, b"three\n").unwrap();
        let path = files.dir.join("2026-05-08.log");
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(files.dir.join("2026-05-09.log")).unwrap(), "three\n");
    }

    #[test]
    fn a_file_that_was_removed_comes_back() {
        let (_dir, mut files) = files();
        files.append_on(DAY, b"one\n").unwrap();
        fs::remove_dir_all(&files.dir).unwrap();
        files.append_on(DAY, b"two\n").unwrap();
        assert_eq!(fs::read_to_string(files.dir.join("2026-05-08.log")).unwrap(), "two\n");
    }

    #[test]
    fn fourteen_days_are_kept_and_other_files_left_alone() {
        let (_dir, mut files) = files();
        for day in DAY - 20..=DAY {
            files.append_on(day, b"x\n").unwrap();
        }
        for name in ["2020-01-01.1.log", "2020-01-01.log.gz", "notes-2020.log"] {
            fs::write(files.dir.join(name), "x").unwrap();
        }
        files.append_on(DAY + 1, b"x\n").unwrap();
        let mut names: Vec<_> = fs::read_dir(&files.dir)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 14 + 2, "{names:?}");
        assert_eq!(names[0], "2020-01-01.log.gz");
        assert_eq!(names[1], "2026-04-26.log");
    }

    #[test]
    fn a_day_keeps_its_latest_lines_and_no_more_than_ten_megabytes() {
        let (_dir, mut files) = files();
        let mut lines = vec![b'x'; 999_999];
        lines.push(b'\n');
        for _ in 0..23 {
            files.append_on(DAY, &lines).unwrap();
        }
        files.append_on(DAY, b"last\n").unwrap();
        let size = |name: &str| fs::metadata(files.dir.join(name)).unwrap().len();
        assert_eq!(size("2026-05-08.1.log"), 5_000_000);
        assert_eq!(size("2026-05-08.log"), 3_000_005);
        assert_eq!(fs::read_dir(&files.dir).unwrap().count(), 2);
    }
}
