//! The browser extension embedded in this binary, and how it is written to a folder for Chrome to load.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use include_dir::{Dir, DirEntry, include_dir};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/extension");

/// The extension's id, which follows from the `key` in its manifest.
pub const ID: &str = "afgmhlmdmjjdddecnkgbflnnpopehjmd";

/// Why the extension cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder holds something else.
    #[error("{0} holds something that is not this extension: name another folder, or empty it")]
    Foreign(PathBuf),
    /// A system call failed.
    #[error("cannot write the extension to {}: {source}", path.display())]
    Write {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// The version in the manifest of an extension folder; `None` if the folder does not hold this extension.
pub fn version_in(folder: &Path) -> Option<String> {
    version_of(&fs::read(folder.join("manifest.json")).ok()?)
}

/// The version of the extension in this binary.
pub fn version() -> Option<String> {
    version_of(FILES.get_file("manifest.json")?.contents())
}

fn version_of(manifest: &[u8]) -> Option<String> {
    let manifest: serde_json::Value = serde_json::from_slice(manifest).ok()?;
    (manifest["name"] == "bproxy").then(|| manifest["version"].as_str().map(str::to_owned))?
}

/// Writes the extension to a folder, which is created, or replaced as a whole.
///
/// # Errors
/// When the folder holds something else, or cannot be written; it is unchanged then.
pub fn write_to(folder: &Path) -> Result<(), Error> {
    let is_empty = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty && version_in(folder).is_none() {
        return Err(Error::Foreign(folder.to_owned()));
    }
    let failed = |source| Error::Write { path: folder.to_owned(), source };
    let parent =
        folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(failed)?;
    let fresh =
        tempfile::Builder::new().prefix(".bproxy-extension-").tempdir_in(parent).map_err(failed)?;
    let (new, old) = (fresh.path().join("new"), fresh.path().join("old"));
    fs::create_dir(&new).and_then(|()| extract(&FILES, &new)).map_err(failed)?;
    if folder.exists() {
        fs::rename(folder, &old).map_err(failed)?;
    }
    fs::rename(&new, folder).or_else(|error| {
        // Restore the old folder: an extension of an older version is better than none.
        if old.exists() {
            fs::rename(&old, folder).map_err(failed)?;
        }
        Err(failed(error))
    })
}

fn extract(dir: &Dir<'_>, to: &Path) -> io::Result<()> {
    for entry in dir.entries() {
        let name = entry.path().file_name().unwrap_or_default();
        match entry {
            DirEntry::Dir(dir) => {
                fs::create_dir(to.join(name))?;
                extract(dir, &to.join(name))?;
            }
            DirEntry::File(file) => fs::write(to.join(name), file.contents())?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_id_follows_from_the_key_in_the_manifest() {
        let manifest = FILES.get_file("manifest.json").unwrap().contents();
        let manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        let key = data_encoding::BASE64.decode(manifest["key"].as_str().unwrap().as_bytes());
        // Chrome's ids are the first half of the digest, with the letters from a to p as digits.
        let digits = data_encoding::HEXLOWER.encode(&Sha256::digest(key.unwrap())[..16]);
        let letter = |digit: char| char::from(b'a' + digit.to_digit(16).unwrap() as u8);
        assert_eq!(digits.chars().map(letter).collect::<String>(), ID);
    }

    #[test]
    fn the_extension_has_the_version_of_the_binary() {
        assert_eq!(version().as_deref(), Some(env!("CARGO_PKG_VERSION")));
    }

    #[test]
    fn a_written_extension_is_whole_and_replaces_an_older_one() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/extension");
        write_to(&folder).unwrap();
        fs::write(folder.join("left-over.js"), "").unwrap();
        write_to(&folder).unwrap();
        assert!(!folder.join("left-over.js").exists());
        assert_eq!(version_in(&folder), version());
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("extension/page/commands.js");
        assert_eq!(fs::read(folder.join("page/commands.js")).unwrap(), fs::read(original).unwrap());
        assert_eq!(fs::read_dir(place.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_with_other_things_is_left_alone() {
        let place = tempfile::tempdir().unwrap();
        fs::write(place.path().join("diary.txt"), "dear").unwrap();
        assert!(matches!(write_to(place.path()), Err(Error::Foreign(_))));
        assert_eq!(fs::read_to_string(place.path().join("diary.txt")).unwrap(), "dear");
    }
}
