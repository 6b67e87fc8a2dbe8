//! The file `config.env` in the state directory, which sets the same variables as the environment, permanently.
//!
//! A service does not see what a shell exports, and a running process cannot reload its environment. A file can be
//! edited and read again.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

/// The file's size limit, far above the length of any real settings.
const MAX_BYTES: u64 = 64 * 1024;

const OTHERS_MAY_WRITE: u32 = 0o022;

/// Why the file is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It belongs to another user.
    #[error("{} belongs to another user: run `sudo chown {} {}`, or remove it", path.display(), geteuid().as_raw(), path.display())]
    Owner {
        /// The file.
        path: PathBuf,
    },
    /// Its mode lets other users write to it.
    #[error("{} can be written by other users: run `chmod 600 {}`", path.display(), path.display())]
    Writable {
        /// The file.
        path: PathBuf,
    },
    /// A line is invalid.
    #[error("{}, line {number}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// The names and values in the file, in its order.
#[derive(Debug, Default)]
pub struct Settings(Vec<(String, String)>);

/// The path of the settings file of the state directory `home`.
pub fn path(home: &Path) -> PathBuf {
    home.join("config.env")
}

impl Settings {
    /// Reads the file in `home`; a missing file sets nothing. Only the variables in `known` may be set.
    ///
    /// # Errors
    /// When the file cannot be read or must not be trusted, or a line is not `NAME=value`, empty, or a `#` comment.
    pub fn read(home: &Path, known: &[&str]) -> Result<Settings, Error> {
        let path = path(home);
        let io = |source| Error::Io { path: path.clone(), source };
        let metadata = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Settings::default()),
            metadata => metadata.map_err(io)?,
        };
        if metadata.uid() != geteuid().as_raw() {
            return Err(Error::Owner { path });
        }
        if metadata.mode() & OTHERS_MAY_WRITE != 0 {
            return Err(Error::Writable { path });
        }
        if !metadata.is_file() || metadata.len() > MAX_BYTES {
            return Err(io(ErrorKind::InvalidData.into()));
        }
        let text = fs::read_to_string(&path).map_err(io)?;
        let mut settings = Vec::new();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let invalid = |problem: String| Error::Line {
                path: path.clone(),
                number: index + 1,
                problem: format!("{problem}; write NAME=value, with one of {}", known.join(", ")),
            };
            let (name, value) = line.split_once('=').ok_or_else(|| invalid("no `=`".into()))?;
            let (name, value) = (name.trim_end(), value.trim_start());
            if !known.contains(&name) {
                return Err(invalid(format!("{name:?} cannot be set here")));
            }
            settings.push((name.to_owned(), value.to_owned()));
        }
        Ok(Settings(settings))
    }

    /// The variable's value; if several lines set it, that of the last.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const KNOWN: [&str; 2] = ["BPROXY_PORT", "BPROXY_LOG_LEVEL"];

    fn settings(text: &str, mode: u32) -> Result<Settings, Error> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("config.env");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        Settings::read(home.path(), &KNOWN)
    }

    #[test]
    fn lines_set_variables_and_later_ones_win() {
        let settings =
            settings("# mine\n\nBPROXY_PORT=1\n BPROXY_PORT = 2 \nBPROXY_LOG_LEVEL=", 0o644);
        let settings = settings.unwrap();
        assert_eq!(settings.get("BPROXY_PORT"), Some("2"));
        assert_eq!(settings.get("BPROXY_LOG_LEVEL"), Some(""));
        assert_eq!(settings.get("BPROXY_LOG"), None);
    }

    #[test]
    fn a_missing_file_sets_nothing() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(home.path(), &KNOWN).unwrap().get("BPROXY_PORT"), None);
    }

    #[test]
    fn an_invalid_line_is_an_error_with_its_number_and_the_variables_that_may_be_set() {
        for text in ["\nBPROXY_HOME=/x\n", "\nexport\n", "\nBPROXY_PROT=1"] {
            let message = settings(text, 0o600).unwrap_err().to_string();
            assert!(message.contains("line 2") && message.contains("BPROXY_PORT"), "{message}");
        }
    }

    #[test]
    fn a_file_that_others_may_write_is_refused_with_the_remedy() {
        for mode in [0o620, 0o602, 0o666] {
            let message = settings("", mode).unwrap_err().to_string();
            assert!(message.contains("chmod 600") && !message.contains("chown"), "{message}");
        }
    }
}
