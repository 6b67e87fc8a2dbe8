//! The browser extension embedded in this binary, and how it is written to a folder for Chrome to load.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};
use serde_json::Value;

use crate::install::{self, NewFile, Target};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/extension");

/// The extension's id, which follows from the `key` in its manifest.
pub const ID: &str = "afgmhlmdmjjdddecnkgbflnnpopehjmd";

const MANIFEST: &str = "manifest.json";

/// The file that lists what was installed into a folder, so that the next version removes what it no longer has, and
/// nothing else. Chrome ignores it.
const LIST: &str = ".bproxy-files";

/// Why the extension cannot be written; the folder is as before.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder holds something else.
    #[error("{} holds something that is not this extension: name another folder, or empty it", .0.display())]
    Foreign(PathBuf),
    /// A file is in the way, or cannot be written.
    #[error(transparent)]
    Install(#[from] install::Error),
}

/// The version in the manifest of an extension folder; `None` if the folder does not hold this extension.
pub fn version_in(folder: &Path) -> Option<String> {
    version_of(&install::peek(&folder.join(MANIFEST))?)
}

/// The version of the extension in this binary.
pub fn version() -> Option<String> {
    version_of(FILES.get_file(MANIFEST)?.contents())
}

fn version_of(manifest: &[u8]) -> Option<String> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    (manifest["name"] == "bproxy").then(|| manifest["version"].as_str().map(str::to_owned))?
}

/// Writes the extension to a folder, which is created if it does not exist. In one that holds an older version, its files
/// are replaced or removed; files that are not the extension's stay.
///
/// # Errors
/// When the folder holds something else, or cannot be written. Nothing is changed then.
pub fn write_to(folder: &Path) -> Result<(), Error> {
    let target = Target::open(folder)?;
    let mut files = Vec::new();
    collect(&FILES, &mut files);
    let new: BTreeSet<PathBuf> = files.iter().map(|file| file.path.clone()).collect();
    let old = match installed(&target)? {
        Some(old) => old,
        None if target.is_empty()? => BTreeSet::new(),
        // Unpacked from an archive, or copied.
        None if is_this_extension(&target)? => new.clone(),
        None => return Err(Error::Foreign(folder.to_owned())),
    };
    let list: String = new.iter().map(|path| format!("{}\n", path.display())).collect();
    files.push(NewFile { path: LIST.into(), content: list.into_bytes().into() });
    let obsolete: Vec<_> = old.difference(&new).cloned().collect();
    let is_ours = |path: &Path, _: &[u8]| path == Path::new(LIST) || old.contains(path);
    Ok(target.install(&files, &obsolete, is_ours)?)
}

/// The files that the folder's list names; `None` without a list.
fn installed(target: &Target) -> Result<Option<BTreeSet<PathBuf>>, Error> {
    let Some(list) = target.read(LIST)? else { return Ok(None) };
    let is_below = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    let list = String::from_utf8_lossy(&list);
    Ok(Some(list.lines().map(PathBuf::from).filter(|path| is_below(path)).collect()))
}

/// Whether the manifest in the folder has the key of this extension, which no other has.
fn is_this_extension(target: &Target) -> Result<bool, Error> {
    let key = |manifest: &[u8]| {
        let manifest: Value = serde_json::from_slice(manifest).ok()?;
        manifest["key"].as_str().map(str::to_owned)
    };
    let found = target.read(MANIFEST)?.and_then(|manifest| key(&manifest));
    Ok(found.is_some() && found == FILES.get_file(MANIFEST).and_then(|file| key(file.contents())))
}

fn collect(dir: &'static Dir<'_>, files: &mut Vec<NewFile<'static>>) {
    for entry in dir.entries() {
        match entry {
            DirEntry::Dir(dir) => collect(dir, files),
            DirEntry::File(file) => files.push(NewFile {
                path: file.path().to_owned(),
                content: Cow::Borrowed(file.contents()),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
        // An older version had a file that this one does not have.
        fs::create_dir(folder.join("old")).unwrap();
        fs::write(folder.join("old/left-over.js"), "").unwrap();
        let list = fs::read_to_string(folder.join(LIST)).unwrap();
        fs::write(folder.join(LIST), list + "old/left-over.js\n").unwrap();
        fs::write(folder.join("background.js"), "older").unwrap();
        write_to(&folder).unwrap();
        assert!(!folder.join("old").exists());
        assert_eq!(version_in(&folder), version());
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("extension");
        for file in ["page/commands.js", "background.js"] {
            assert_eq!(
                fs::read(folder.join(file)).unwrap(),
                fs::read(original.join(file)).unwrap()
            );
        }
        let hidden = |entry: fs::DirEntry| entry.file_name().to_str().unwrap().starts_with('.');
        let entries = |path: &Path| fs::read_dir(path).unwrap().flatten();
        assert_eq!(entries(&folder).map(hidden).filter(|it| *it).count(), 1);
        assert_eq!(entries(&place.path().join("a")).count(), 1);
    }

    #[test]
    fn what_is_not_the_extensions_stays_in_its_folder() {
        let place = tempfile::tempdir().unwrap();
        write_to(place.path()).unwrap();
        fs::write(place.path().join("diary.txt"), "dear").unwrap();
        fs::write(place.path().join("page/diary.txt"), "dear").unwrap();
        write_to(place.path()).unwrap();
        for diary in ["diary.txt", "page/diary.txt"] {
            assert_eq!(fs::read_to_string(place.path().join(diary)).unwrap(), "dear");
        }
    }

    #[test]
    fn a_copy_without_the_list_is_replaced_and_what_is_beside_it_stays() {
        let place = tempfile::tempdir().unwrap();
        write_to(place.path()).unwrap();
        fs::remove_file(place.path().join(LIST)).unwrap();
        fs::write(place.path().join("background.js"), "older").unwrap();
        fs::write(place.path().join("diary.txt"), "dear").unwrap();
        write_to(place.path()).unwrap();
        assert_ne!(fs::read_to_string(place.path().join("background.js")).unwrap(), "older");
        assert_eq!(fs::read_to_string(place.path().join("diary.txt")).unwrap(), "dear");
    }

    #[test]
    fn a_list_that_leads_out_of_the_folder_removes_nothing_there() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("extension");
        write_to(&folder).unwrap();
        let diary = place.path().join("diary.txt");
        fs::write(&diary, "dear").unwrap();
        let list = format!("../diary.txt\n{}\n\n.\n", diary.display());
        fs::write(folder.join(LIST), list).unwrap();
        fs::remove_file(folder.join("background.js")).unwrap();
        let _ = write_to(&folder);
        assert!(diary.exists());
    }

    #[test]
    fn a_folder_with_other_things_is_left_alone() {
        for name in ["diary.txt", MANIFEST] {
            let place = tempfile::tempdir().unwrap();
            let text = r#"{"name": "bproxy", "version": "0.1.0"}"#;
            fs::write(place.path().join(name), text).unwrap();
            assert!(matches!(write_to(place.path()), Err(Error::Foreign(_))));
            assert_eq!(fs::read_to_string(place.path().join(name)).unwrap(), text);
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
        }
    }
}
