//! A folder held open by its descriptor: entries are reached by name from there, and never through a symbolic link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, mkdirat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::Error;

/// Larger than any file that bproxy installs.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Subject to the user's umask, as with any program that creates files for its user.
const FILE_MODE: Mode = Mode::from_raw_mode(0o644);
const FOLDER_MODE: Mode = Mode::from_raw_mode(0o755);

/// An open folder. Clones are the same folder.
#[derive(Clone)]
pub(super) struct Folder {
    descriptor: Rc<OwnedFd>,
    path: PathBuf,
}

/// The folders that an installation has created. Those that are still empty are removed on drop.
#[derive(Default)]
pub(super) struct Created(Vec<(Folder, PathBuf)>);

impl Drop for Created {
    fn drop(&mut self) {
        for (parent, name) in self.0.drain(..).rev() {
            parent.remove_folder(name.as_os_str());
        }
    }
}

impl Folder {
    /// Opens the folder at `path`, through symbolic links; creates it if it does not exist.
    pub(super) fn open(path: &Path, created: &mut Created) -> Result<Folder, Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match openat(CWD, path, flags, Mode::empty()) {
            Ok(descriptor) => Ok(Folder { descriptor: Rc::new(descriptor), path: path.to_owned() }),
            Err(Errno::NOENT) => match (path.parent(), path.file_name()) {
                (Some(parent), Some(name)) => Folder::open(parent, created)?.enter(name, created),
                _ => Err(Error::io("open", path)(Errno::NOENT.into())),
            },
            Err(Errno::NOTDIR) => Err(match statat(CWD, path, AtFlags::empty()) {
                Ok(status) => Error::Kind {
                    path: path.to_owned(),
                    kind: described(FileType::from_raw_mode(status.st_mode)),
                    wanted: "folder",
                },
                Err(_) => Error::io("open", path)(Errno::NOTDIR.into()),
            }),
            Err(error) => Err(Error::io("open", path)(error.into())),
        }
    }

    /// Opens the folder called `name` in this one; creates it if it does not exist.
    pub(super) fn enter(&self, name: &OsStr, created: &mut Created) -> Result<Folder, Error> {
        if self.kind(name)?.is_none() {
            match mkdirat(&*self.descriptor, name, FOLDER_MODE) {
                Ok(()) => created.0.push((self.clone(), name.into())),
                // Another process was faster.
                Err(Errno::EXIST) => {}
                Err(error) => return Err(self.io("create", name)(error)),
            }
        }
        self.find(name)?.ok_or_else(|| self.io("open", name)(Errno::NOENT))
    }

    /// Opens the folder at the relative path `path` below this one, creating what does not exist.
    pub(super) fn descend(&self, path: &Path, created: &mut Created) -> Result<Folder, Error> {
        path.components().try_fold(self.clone(), |folder, part| match part {
            Component::Normal(name) => folder.enter(name, created),
            _ => Ok(folder),
        })
    }

    /// Opens the folder called `name` in this one; `None` if it does not exist.
    pub(super) fn find(&self, name: &OsStr) -> Result<Option<Folder>, Error> {
        match self.kind(name)? {
            None => return Ok(None),
            Some(FileType::Directory) => {}
            Some(kind) => return Err(self.wrong(name, kind, "folder")),
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor =
            openat(&*self.descriptor, name, flags, Mode::empty()).map_err(self.io("open", name))?;
        Ok(Some(Folder { descriptor: Rc::new(descriptor), path: self.path.join(name) }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn descriptor(&self) -> &OwnedFd {
        &self.descriptor
    }

    /// The names in this folder.
    pub(super) fn names(&self) -> Result<Vec<PathBuf>, Error> {
        let failed = |error: Errno| Error::io("read", &self.path)(error.into());
        let mut names = Vec::new();
        for entry in Dir::read_from(&*self.descriptor).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name: &OsStr =
                std::os::unix::ffi::OsStrExt::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                names.push(name.into());
            }
        }
        Ok(names)
    }

    /// The content of a file in this folder; `None` if it does not exist.
    pub(super) fn read(&self, name: &OsStr) -> Result<Option<Vec<u8>>, Error> {
        match self.kind(name)? {
            None => return Ok(None),
            Some(FileType::RegularFile) => {}
            Some(kind) => return Err(self.wrong(name, kind, "file")),
        }
        // Something else may have taken its place since: a link is not followed, and a pipe not waited for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file =
            openat(&*self.descriptor, name, flags, Mode::empty()).map_err(self.io("open", name))?;
        let mut bytes = Vec::new();
        File::from(file)
            .take(MAX_FILE_BYTES)
            .read_to_end(&mut bytes)
            .map_err(Error::io("read", &self.path.join(name)))?;
        Ok(Some(bytes))
    }

    /// Creates a file that does not exist yet.
    pub(super) fn create(&self, name: &OsStr) -> Result<File, Error> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(&*self.descriptor, name, flags, FILE_MODE)
            .map(File::from)
            .map_err(|error| Error::io("create a file in", &self.path)(error.into()))
    }

    /// Removes a file, if it exists and can be removed.
    pub(super) fn remove_file(&self, name: &OsStr) {
        let _ = unlinkat(&*self.descriptor, name, AtFlags::empty());
    }

    /// Removes a folder in this one, if it is empty.
    pub(super) fn remove_folder(&self, name: &OsStr) {
        let _ = unlinkat(&*self.descriptor, name, AtFlags::REMOVEDIR);
    }

    /// What has this name, the link itself if it is one; `None` if nothing has.
    fn kind(&self, name: &OsStr) -> Result<Option<FileType>, Error> {
        match statat(&*self.descriptor, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) => Ok(Some(FileType::from_raw_mode(status.st_mode))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.io("inspect", name)(error)),
        }
    }

    fn wrong(&self, name: &OsStr, kind: FileType, wanted: &'static str) -> Error {
        Error::Kind { path: self.path.join(name), kind: described(kind), wanted }
    }

    fn io(&self, operation: &'static str, name: &OsStr) -> impl FnOnce(Errno) -> Error {
        let path = self.path.join(name);
        move |error| Error::Io { operation, path, source: io::Error::from(error) }
    }
}

fn described(kind: FileType) -> &'static str {
    match kind {
        FileType::RegularFile => "a file",
        FileType::Directory => "a folder",
        FileType::Symlink => "a symbolic link",
        FileType::Fifo => "a named pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::Unknown => "of an unknown kind",
    }
}
