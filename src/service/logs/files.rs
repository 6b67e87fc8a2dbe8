//! Reading the log files, each line once, across the days and across a file that is moved aside.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::{Error, Record};

/// The log files, and how far each has been read.
pub(super) struct Files {
    dir: PathBuf,
    /// By inode, which stays when a file is moved aside.
    read: HashMap<u64, u64>,
}

impl Files {
    /// Those in this directory, of which nothing has been read yet.
    pub(super) fn new(dir: PathBuf) -> Files {
        Files { dir, read: HashMap::new() }
    }

    /// Reads the whole lines that have been added.
    pub(super) fn more(&mut self, take: &mut impl FnMut(Record)) -> Result<(), Error> {
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

    fn more_of(&self, path: &PathBuf, take: &mut impl FnMut(Record)) -> io::Result<(u64, u64)> {
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
                if let Some(record) = Record::read(std::mem::take(&mut line)) {
                    take(record);
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
    fn files_are_read_once_across_a_move_and_only_whole_lines() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = Files::new(dir.path().join("logs"));
        let more = |files: &mut Files| {
            let mut times = Vec::new();
            files.more(&mut |record| times.push(record.ts)).unwrap();
            times
        };
        assert!(more(&mut files).is_empty());
        fs::create_dir(&files.dir).unwrap();
        let (today, aside) = (files.dir.join("2026-05-08.log"), files.dir.join("2026-05-08.1.log"));
        fs::write(files.dir.join("2026-05-07.log"), at(1)).unwrap();
        fs::write(&today, at(2) + "{\"ts\"").unwrap();
        assert_eq!(more(&mut files), [1, 2]);
        fs::write(&today, at(2) + &at(3)).unwrap();
        fs::rename(&today, &aside).unwrap();
        fs::write(&today, at(4)).unwrap();
        assert_eq!(more(&mut files), [3, 4]);
        assert!(more(&mut files).is_empty());
    }
}
