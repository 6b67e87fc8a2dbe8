//! The browser extension that belongs to this binary, carried in it and written out for Chrome to load.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use include_dir::{Dir, DirEntry, include_dir};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/extension");

/// The id that the `key` in the manifest gives to the extension.
pub const ID: &str = "afgmhlmdmjjdddecnkgbflnnpopehjmd";

/// Why the extension cannot be written out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder is somebody else's.
    #[error("{0} holds something that is not this extension: name another folder, or empty it")]
    Foreign(PathBuf),
    /// The system refuses.
    #[error("cannot write the extension to {}: {source}", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// The version in the manifest of an extension folder; none where there is no such folder.
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

/// Writes the extension into a folder, which is made or replaced as a whole.
///
/// # Errors
///
/// If the folder holds something else, or cannot be written; it is then as it was.
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
        // Back to what was there: half an extension helps nobody.
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
    use super::*;

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
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("extension/page/dom.js");
        assert_eq!(fs::read(folder.join("page/dom.js")).unwrap(), fs::read(original).unwrap());
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
