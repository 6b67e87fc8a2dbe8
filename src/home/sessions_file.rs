//! The file that the sessions are kept in, whole at any moment: `sessions.json`, and the one before it, `sessions.json~`.
//!
//! What the sessions are is the state's business. Here they are bytes, with a version and a checksum around them, so that
//! a file that a power cut or a hand has damaged is never taken for sessions.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};

use super::directory::{check_mode, check_owner};
use super::files::{OTHERS_MAY_ANYTHING, open_unfollowed};
use super::{Error, Home};

/// The version of the frame and of what is in it. A file of another version counts as damaged.
const VERSION: &str = "1";

/// The largest file that is read: many times what full sessions take.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The file of the sessions. One process writes it, the one that holds the directory's lock.
pub struct SessionsFile {
    home: Home,
    written: Mutex<Written>,
}

/// What is known about `sessions.json`.
#[derive(Default)]
struct Written {
    /// Whether it is whole, and so may become the one before.
    whole: bool,
    /// Whether a power cut leaves it.
    durable: bool,
    /// The file, as long as it is not durable.
    unsynced: Option<Arc<File>>,
}

/// What was found at start.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// There was no file.
    Nothing,
    /// The last whole one.
    Sessions(T),
    /// There were files, none of them whole. They were moved aside; the text says what is wrong with them.
    Lost(String),
}

impl SessionsFile {
    /// The file in a state directory, which need not exist.
    pub fn new(home: Home) -> Self {
        Self { home, written: Mutex::default() }
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the sessions: the file's, else those of the one before. `parse` tells whether the bytes are any.
    pub fn load<T>(&self, parse: impl Fn(&[u8]) -> Option<T>) -> Found<T> {
        let (last, before) = (self.home.sessions(), self.home.sessions_before());
        let mut problems = Vec::new();
        for path in [&last, &before] {
            let problem = match read(path) {
                Ok(None) => continue,
                Ok(Some(bytes)) => match unframed(&bytes).and_then(&parse) {
                    Some(sessions) => {
                        self.written().whole = *path == last;
                        return Found::Sessions(sessions);
                    }
                    None => "it is damaged".to_owned(),
                },
                Err(error) => error.to_string(),
            };
            problems.push(format!("{}: {problem}", path.display()));
        }
        if problems.is_empty() {
            return Found::Nothing;
        }
        for path in [last, before] {
            // What cannot be moved is written over.
            let _ = fs::rename(&path, aside(&path));
        }
        Found::Lost(problems.join("; "))
    }

    /// Writes the sessions. From now on they outlive this process, and after the next [`Self::sync`] a power cut too.
    ///
    /// The file before is kept if it would outlive a power cut: so one of the two always does.
    ///
    /// # Errors
    /// When they cannot be written; the files are then as before.
    pub fn save(&self, sessions: &[u8]) -> Result<(), Error> {
        self.home.check_not_replaced()?;
        let (path, before, new) =
            (self.home.sessions(), self.home.sessions_before(), self.home.sessions_new());
        // Under a name of its own, because a killed process leaves it behind.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&new)
            .map_err(Error::io("create", &new))?;
        if let Err(error) = (&file).write_all(&framed(sessions)) {
            let _ = fs::remove_file(&new);
            return Err(Error::io("write", &new)(error));
        }
        let mut written = self.written();
        if written.whole && (written.durable || !before.exists()) {
            match fs::rename(&path, &before) {
                // Somebody has removed it.
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(Error::io("replace", &before)(error));
                }
                _ => written.whole = false,
            }
        }
        fs::rename(&new, &path).map_err(Error::io("replace", &path))?;
        *written = Written { whole: true, durable: false, unsynced: Some(Arc::new(file)) };
        Ok(())
    }

    /// Makes what was saved so far outlive a power cut. It takes as long as the disk does, and [`Self::save`] does not wait
    /// for it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self) -> Result<(), Error> {
        let Some(file) = self.written().unsynced.clone() else { return Ok(()) };
        let path = self.home.sessions();
        file.sync_data().map_err(Error::io("write", &path))?;
        let directory =
            File::open(self.home.path()).map_err(Error::io("open", self.home.path()))?;
        directory.sync_all().map_err(Error::io("write", self.home.path()))?;
        let mut written = self.written();
        if written.unsynced.as_ref().is_some_and(|latest| Arc::ptr_eq(latest, &file)) {
            (written.durable, written.unsynced) = (true, None);
        }
        Ok(())
    }
}

/// The bytes of a file; `None` if there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let file = match open_unfollowed(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("open", path)(error)),
    };
    let metadata = file.metadata().map_err(Error::io("inspect", path))?;
    check_owner(path, &metadata)?;
    check_mode(path, &metadata, OTHERS_MAY_ANYTHING, "read or write", "600")?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    Ok(Some(bytes))
}

/// Where a damaged file is moved.
fn aside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".damaged");
    name.into()
}

fn digest(sessions: &[u8]) -> String {
    let hasher = Sha256::new().chain_update(VERSION).chain_update(b"\n").chain_update(sessions);
    HEXLOWER.encode(&hasher.finalize())
}

/// The sessions, a JSON text, as they are in the file.
fn framed(sessions: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(sessions.len() + 128);
    text.extend_from_slice(head(&digest(sessions)).as_bytes());
    text.extend_from_slice(sessions);
    text.extend_from_slice(TAIL);
    text
}

fn head(digest: &str) -> String {
    format!(r#"{{"version":{VERSION},"sha256":"{digest}","sessions":"#)
}

const TAIL: &[u8] = b"}\n";

/// The sessions in a file's bytes, if nothing is wrong with them.
fn unframed(bytes: &[u8]) -> Option<&[u8]> {
    let head_length = head(&digest(b"")).len();
    let sessions = bytes.get(head_length..)?.strip_suffix(TAIL)?;
    bytes.starts_with(head(&digest(sessions)).as_bytes()).then_some(sessions)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn file() -> (tempfile::TempDir, Home, SessionsFile) {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        (parent, home.clone(), SessionsFile::new(home))
    }

    /// What a process that starts now finds.
    fn found(home: &Home) -> Found<String> {
        SessionsFile::new(home.clone()).load(|bytes| String::from_utf8(bytes.to_vec()).ok())
    }

    fn sessions(text: &str) -> Found<String> {
        Found::Sessions(text.to_owned())
    }

    #[test]
    fn the_last_that_was_saved_is_found_and_is_for_its_user_alone() {
        let (_parent, home, file) = file();
        assert_eq!(found(&home), Found::Nothing);
        for text in ["{}", r#"{"a":1}"#] {
            file.save(text.as_bytes()).unwrap();
            assert_eq!(found(&home), sessions(text));
            assert_eq!(fs::metadata(home.sessions()).unwrap().mode() & 0o777, 0o600);
        }
        let json: serde_json::Value =
            serde_json::from_slice(&fs::read(home.sessions()).unwrap()).unwrap();
        assert_eq!((&json["version"], &json["sessions"]["a"]), (&1.into(), &1.into()));
    }

    #[test]
    fn a_file_torn_or_changed_at_any_byte_gives_the_one_before() {
        let (_parent, home, file) = file();
        file.save(br#"{"a":1}"#).unwrap();
        file.save(br#"{"a":2}"#).unwrap();
        let whole = fs::read(home.sessions()).unwrap();
        for at in 0..whole.len() {
            fs::write(home.sessions(), &whole[..at]).unwrap();
            assert_eq!(found(&home), sessions(r#"{"a":1}"#), "cut at {at}");
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(home.sessions(), &changed).unwrap();
            assert_eq!(found(&home), sessions(r#"{"a":1}"#), "changed at {at}");
        }
        let longer = [&whole[..], b"\n"].concat();
        fs::write(home.sessions(), longer).unwrap();
        assert_eq!(found(&home), sessions(r#"{"a":1}"#));
        fs::write(home.sessions(), whole).unwrap();
        assert_eq!(found(&home), sessions(r#"{"a":2}"#));
    }

    #[test]
    fn with_both_damaged_nothing_is_found_and_both_are_moved_aside() {
        let (_parent, home, file) = file();
        file.save(b"{}").unwrap();
        file.save(b"{}").unwrap();
        for path in [home.sessions(), home.sessions_before()] {
            fs::write(path, "{").unwrap();
        }
        assert!(matches!(found(&home), Found::Lost(problem) if problem.contains("damaged")));
        assert!(!home.sessions().exists() && !home.sessions_before().exists());
        assert_eq!(fs::read(aside(&home.sessions())).unwrap(), b"{");
        assert_eq!(found(&home), Found::Nothing);
        file.save(b"{}").unwrap();
        assert_eq!(found(&home), sessions("{}"));
    }

    #[test]
    fn a_file_that_others_may_write_is_not_believed() {
        let (_parent, home, file) = file();
        file.save(b"1").unwrap();
        fs::set_permissions(home.sessions(), fs::Permissions::from_mode(0o620)).unwrap();
        assert!(matches!(found(&home), Found::Lost(problem) if problem.contains("mode 620")));
    }

    #[test]
    fn a_file_that_somebody_removed_is_written_again() {
        let (_parent, home, file) = file();
        for text in ["1", "2"] {
            file.save(text.as_bytes()).unwrap();
            file.sync().unwrap();
            assert_eq!(found(&home), sessions(text));
            fs::remove_file(home.sessions()).unwrap();
        }
    }

    #[test]
    fn a_damaged_file_does_not_take_the_place_of_the_one_before() {
        let (_parent, home, file) = file();
        file.save(b"1").unwrap();
        file.save(b"2").unwrap();
        fs::write(home.sessions(), "torn").unwrap();
        let next = SessionsFile::new(home.clone());
        assert_eq!(next.load(|bytes| Some(bytes.to_vec())), Found::Sessions(b"1".to_vec()));
        next.save(b"3").unwrap();
        fs::write(home.sessions(), "torn").unwrap();
        assert_eq!(found(&home), sessions("1"));
    }

    #[test]
    fn what_a_power_cut_would_take_does_not_take_the_place_of_what_it_leaves() {
        let (_parent, home, file) = file();
        file.save(b"1").unwrap();
        file.sync().unwrap();
        for text in ["2", "3", "4"] {
            file.save(text.as_bytes()).unwrap();
            assert_eq!(unframed(&fs::read(home.sessions_before()).unwrap()).unwrap(), b"1");
        }
        file.sync().unwrap();
        file.save(b"5").unwrap();
        assert_eq!(unframed(&fs::read(home.sessions_before()).unwrap()).unwrap(), b"4");
    }

    #[test]
    fn what_cannot_be_saved_changes_nothing() {
        let (_parent, home, file) = file();
        file.save(b"1").unwrap();
        fs::create_dir(home.sessions_new()).unwrap();
        assert!(file.save(b"2").is_err());
        assert_eq!(found(&home), sessions("1"));
        fs::remove_dir(home.sessions_new()).unwrap();
        file.save(b"3").unwrap();
        assert_eq!(found(&home), sessions("3"));
    }
}
