//! Giving a file of this machine to a session.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _};
#[cfg(not(target_os = "macos"))]
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustix::fs::OFlags;
use serde::Deserialize;

use super::{ANSWER_GRACE, CancelToken, Client, Error, exchange};
use crate::protocol::{FILE_TIME, MAX_FILE_BYTES, StoredFile};

/// A file that was opened to be given to a session: whatever becomes of its path, this is the one.
#[derive(Debug)]
pub struct LocalFile {
    file: File,
    name: String,
    bytes: u64,
}

impl LocalFile {
    /// Opens a file.
    ///
    /// # Errors
    /// The problem, which names the path: it cannot be read, is no file, or is too large.
    pub fn open(path: &Path) -> Result<LocalFile, String> {
        let problem = |what: &str| format!("{} {what}", path.display());
        // A pipe is not waited for.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
        let file = file.map_err(|error| problem(&format!("cannot be opened: {error}")))?;
        let metadata = file.metadata();
        let metadata = metadata.map_err(|error| problem(&format!("cannot be read: {error}")))?;
        if !metadata.is_file() {
            return Err(problem("is no file: name the files themselves"));
        }
        if metadata.len() > MAX_FILE_BYTES {
            let most = MAX_FILE_BYTES / 1024 / 1024;
            return Err(problem(&format!("is too large: a file may have {most} MiB")));
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(LocalFile { file, name, bytes: metadata.len() })
    }

    /// Where the opened file is, with all links resolved: the path that it was opened by may lead elsewhere by now.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn real_path(&self) -> io::Result<PathBuf> {
        real_path(&self.file)
    }
}

#[cfg(not(target_os = "macos"))]
fn real_path(file: &File) -> io::Result<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

#[cfg(target_os = "macos")]
fn real_path(file: &File) -> io::Result<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let path = rustix::fs::getpath(file)?.into_bytes();
    Ok(std::ffi::OsString::from_vec(path).into())
}

impl Client {
    /// Gives a file to a session, from its beginning.
    ///
    /// # Errors
    /// When it cannot be read, or the daemon does not take it.
    pub fn give_file(
        &self,
        cancel: &CancelToken,
        session: &str,
        file: &mut LocalFile,
    ) -> Result<StoredFile, Error> {
        #[derive(Deserialize)]
        struct Kept {
            data: StoredFile,
        }
        let LocalFile { file, name, bytes } = file;
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let path = format!("/files?session={}&name={}", encode(session), encode(name));
        file.rewind().map_err(|source| self.failed(source))?;
        let mut stream = self.open(Instant::now() + FILE_TIME + ANSWER_GRACE)?;
        let _guard = cancel.guard(&stream)?;
        let (host, token) = (self.way.host(), self.way.token());
        let sent = exchange::send_file(&mut stream, &host, &path, token, file, *bytes);
        // A daemon that refuses says so before it has read all of it.
        let received = match (sent, exchange::receive(&mut stream)) {
            (_, Ok(answer)) => answer,
            _ if cancel.is_cancelled() => return Err(Error::Cancelled),
            (Err(source), Err(_)) | (Ok(()), Err(source)) => return Err(self.failed(source)),
        };
        match received {
            (200, body) => serde_json::from_slice(&body)
                .map(|Kept { data }| data)
                .map_err(|_| Error::UnknownAnswer { address: self.address(), status: 200 }),
            (status, body) => Err(self.refusal(status, &body)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0)
            .unwrap();
        for (path, problem) in [
            (folder.path().to_owned(), "is no file"),
            (pipe, "is no file"),
            (folder.path().join("none"), "cannot be opened"),
        ] {
            let refused = LocalFile::open(&path).unwrap_err();
            assert!(
                refused.contains(problem) && refused.contains(path.to_str().unwrap()),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_refused_before_it_is_sent() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // A hole takes no room.
        file.as_file().set_len(MAX_FILE_BYTES + 1).unwrap();
        assert!(LocalFile::open(file.path()).unwrap_err().contains("1024 MiB"));
        file.as_file().set_len(MAX_FILE_BYTES).unwrap();
        assert!(LocalFile::open(file.path()).is_ok());
    }
}
