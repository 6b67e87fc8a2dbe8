//! The version of the state directory's layout, that is, of its files' names and formats.
//!
//! In a directory with an unknown layout any file may mean anything, so nothing is read or written there.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::Directory;
use super::files::open_unfollowed;

/// The layout that this version reads and writes. A directory without a layout file has layout 1.
pub const LAYOUT: u32 = 1;

/// The file's size limit. More than the digits of any layout number.
const MAX_BYTES: usize = 16;

/// Why a state directory must not be touched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A newer version of bproxy wrote it.
    #[error(
        "{} has layout {found} of a newer bproxy, and version {} knows {LAYOUT}, so nothing was touched there: install a \
         newer bproxy, set BPROXY_HOME to another directory, or move this one away", path.display(), env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// The directory's layout.
        found: u32,
    },
    /// The layout file does not hold a layout number.
    #[error(
        "{} holds {text:?} instead of a layout number, so nothing was touched there: restore the file (bproxy {} writes \
         {LAYOUT}), or move the directory away", file.display(), env!("CARGO_PKG_VERSION")
    )]
    Damaged {
        /// The layout file.
        file: PathBuf,
        /// Its first bytes.
        text: String,
    },
}

/// The path of a state directory's layout file.
pub(super) fn file(directory: &Path) -> PathBuf {
    directory.join("layout")
}

/// Checks that the directory has a layout that this version knows. A missing directory passes.
///
/// # Errors
/// When the layout is newer, or cannot be read.
pub fn check(directory: &Path) -> Result<(), super::Error> {
    read(directory).map(drop)
}

/// Reads the layout file; `None` if there is none.
pub(super) fn read(directory: &Path) -> Result<Option<u32>, super::Error> {
    let file = file(directory);
    let mut bytes = [0; MAX_BYTES];
    let read = open_unfollowed(&file).and_then(|mut file| file.read(&mut bytes));
    let bytes = match read {
        Ok(length) => &bytes[..length],
        // Anything else that is wrong with the directory is reported by the operation that follows.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => {
            // A wrong owner or mode of the directory explains more than the failed read.
            Directory::find(directory)?;
            return Err(super::Error::io("read", &file)(error));
        }
    };
    let number = str::from_utf8(bytes).ok().filter(|_| bytes.len() < MAX_BYTES);
    match number.and_then(|text| text.trim_end().parse().ok()) {
        Some(LAYOUT) => Ok(Some(LAYOUT)),
        Some(found) if found > LAYOUT => {
            Err(Error::Newer { path: directory.to_owned(), found }.into())
        }
        _ => Err(Error::Damaged { file, text: String::from_utf8_lossy(bytes).into() }.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{Error as HomeError, Home};
    use super::*;

    #[test]
    fn a_directory_without_a_layout_file_gets_one_with_version_1() {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("home")).unwrap();
        assert_eq!(read(home.path()).unwrap(), None);
        home.write_layout().unwrap();
        assert_eq!(fs::read(home.layout()).unwrap(), b"1\n");
        assert!(Home::open(home.path()).is_ok() && Home::find(home.path()).unwrap().is_some());
    }

    #[test]
    fn a_newer_layout_is_refused_with_both_numbers_and_the_ways_out() {
        let directory = tempfile::tempdir().unwrap();
        for text in ["2", "2\n", "4000000000"] {
            fs::write(file(directory.path()), text).unwrap();
            for refused in
                [Home::open(directory.path()).map(drop), Home::find(directory.path()).map(drop)]
            {
                let Err(HomeError::Layout(error @ Error::Newer { .. })) = refused else {
                    panic!("{text}")
                };
                let message = error.to_string();
                for part in [
                    text.trim(),
                    "knows 1",
                    "newer bproxy",
                    "BPROXY_HOME",
                    directory.path().to_str().unwrap(),
                ] {
                    assert!(message.contains(part), "{message}");
                }
            }
        }
    }

    #[test]
    fn a_damaged_layout_file_is_refused_with_its_text() {
        let directory = tempfile::tempdir().unwrap();
        for text in
            [&b""[..], b"0", b"-1", b"1.5", b"one\n", b"\xff", b"1 1", b"11111111111111111111"]
        {
            fs::write(file(directory.path()), text).unwrap();
            let refused = Home::find(directory.path());
            let Err(HomeError::Layout(error @ Error::Damaged { .. })) = refused else {
                panic!("{text:?}")
            };
            assert!(error.to_string().contains("layout holds"), "{error}");
        }
        fs::remove_file(file(directory.path())).unwrap();
        fs::create_dir(file(directory.path())).unwrap();
        assert!(matches!(check(directory.path()), Err(HomeError::Io { .. })));
    }
}
