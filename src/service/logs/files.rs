//! Reads the log files, each line once, across days and rotation.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::{Error, Record};

/// The log files, and how far each has been read.
pub(super) struct LogFileReader {
    dir: PathBuf,
    /// The offsets read up to, by inode, which a file keeps when it is rotated.
    offsets: HashMap<u64, u64>,
}

impl LogFileReader {
    /// A reader of the files in this directory, from their beginning.
    pub(super) fn new(dir: PathBuf) -> LogFileReader {
        LogFileReader { dir, offsets: HashMap::new() }
    }

    /// Reads the whole lines that were added since the last call.
    pub(super) fn read_new(&mut self, on_record: &mut impl FnMut(Record)) -> Result<(), Error> {
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
        // Orders them by date, and a day's rotated file before its current one.
        paths.sort();
        let mut offsets = HashMap::new();
        for path in paths {
            let (inode, end) = match self.read_file(&path, on_record) {
                // Rotated or removed in between: the next call finds it under its new name.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                result => result.map_err(error(path))?,
            };
            offsets.insert(inode, end);
        }
        self.offsets = offsets;
        Ok(())
    }

    /// Reads one file from its offset. Returns its inode and its new offset.
    fn read_file(
        &self,
        path: &PathBuf,
        on_record: &mut impl FnMut(Record),
    ) -> io::Result<(u64, u64)> {
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let (inode, length) = (metadata.ino(), metadata.size());
        let start = self.offsets.get(&inode).copied().filter(|start| *start <= length).unwrap_or(0);
        let mut end = start;
        if length > start {
            file.seek(SeekFrom::Start(start))?;
            let mut reader = BufReader::new(file.take(length - start));
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line)? > 0 && line.last() == Some(&b'\n') {
                end += line.len() as u64;
                line.pop();
                if let Some(record) = Record::parse(std::mem::take(&mut line)) {
                    on_record(record);
                }
            }
        }
        Ok((inode, end))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::at;
    use super::*;

    #[test]
    fn only_whole_lines_are_read_and_each_once_across_a_rotation() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = LogFileReader::new(dir.path().join("logs"));
        let read_new = |files: &mut LogFileReader| {
            let mut times = Vec::new();
            files.read_new(&mut |record| times.push(record.ts)).unwrap();
            times
        };
        assert!(read_new(&mut files).is_empty());
        fs::create_dir(&files.dir).unwrap();
        let (today, rotated) =
            (files.dir.join("2026-05-08.log"), files.dir.join("2026-05-08.1.log"));
        fs::write(files.dir.join("2026-05-07.log"), at(1)).unwrap();
        fs::write(&today, at(2) + "{\"ts\"").unwrap();
        assert_eq!(read_new(&mut files), [1, 2]);
        fs::write(&today, at(2) + &at(3)).unwrap();
        fs::rename(&today, &rotated).unwrap();
        fs::write(&today, at(4)).unwrap();
        assert_eq!(read_new(&mut files), [3, 4]);
        assert!(read_new(&mut files).is_empty());
    }
}
