//! Registers the MCP server with the programs that run MCP servers, in their own configuration files.
//!
//! The file belongs to its person: comments and order stay, an entry that somebody else made under this name is left
//! alone, and what was there before a change stands in a copy beside the file. `client.rs` knows where each program looks
//! and in which form; `document.rs` edits the file's text.

mod client;
mod document;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use client::Client;
use document::Edited;

/// The name of the entry.
pub const NAME: &str = "bproxy";

/// Why a client's configuration was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No home directory to look for clients in.
    #[error("this user has no home directory, where clients keep their configuration")]
    NoHome,
    /// No client is in use.
    #[error(
        "no client was found in {}: name one with --client ({})", home.display(), Client::NAMES.join(", ")
    )]
    NoClient {
        /// Where they were looked for.
        home: PathBuf,
    },
    /// The file is not in the client's format.
    #[error("{} cannot be read: {problem}; correct it, or add the entry that --print shows", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        problem: String,
    },
    /// Another server has the name.
    #[error(
        "{} has another server called {NAME}, which runs {program}: rename it there first", path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The program that the entry runs.
        program: String,
    },
    /// Another program wrote the file meanwhile.
    #[error("{} was changed by another program meanwhile: try again", .0.display())]
    Changed(PathBuf),
    /// A system call failed.
    #[error("cannot {operation} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

impl Error {
    fn io(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |source| Error::Io { operation, path: path.to_owned(), source }
    }
}

/// What became of a client's entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// There was none.
    Added,
    /// It ran a program that no longer exists.
    Updated,
    /// It was taken away.
    Removed,
    /// Nothing had to be done.
    Unchanged,
}

/// What was done for a client.
#[derive(Debug, serde::Serialize)]
pub struct Outcome {
    /// The client's name.
    pub client: &'static str,
    /// Its configuration file.
    pub path: PathBuf,
    /// What became of the entry.
    pub change: Change,
    /// The copy of the file as it was, if there was one and it was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<PathBuf>,
}

/// Adds the entry that runs `program` to the client's configuration, creating the file if there is none. An entry of ours
/// whose program exists stays as it is, whatever its person has made of it.
///
/// # Errors
/// When the file is malformed, has another server of this name, or cannot be read or written. It is unchanged then.
pub fn install(client: Client, home: &Path, program: &Path) -> Result<Outcome, Error> {
    change(client, home, |text, path| client.format().add(text, path, program))
}

/// Removes our entry from the client's configuration.
///
/// # Errors
/// As those of [`install`].
pub fn uninstall(client: Client, home: &Path) -> Result<Outcome, Error> {
    change(client, home, |text, path| client.format().remove(text, path))
}

fn change(
    client: Client,
    home: &Path,
    edit: impl FnOnce(&str, &Path) -> Result<Edited, Error>,
) -> Result<Outcome, Error> {
    // Configuration is often a link into a folder that its person keeps under version control.
    let path = client.path(home);
    let path = path.canonicalize().unwrap_or(path);
    let old = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let Edited { text, change } = edit(old.as_deref().unwrap_or_default(), &path)?;
    let mut copy = None;
    if change != Change::Unchanged {
        if let Some(old) = &old {
            copy = Some(keep_copy(&path, old)?);
        }
        replace(&path, old.as_deref(), &text)?;
    }
    Ok(Outcome { client: client.name(), path, change, copy })
}

/// Writes what the file holds into a new file beside it, and returns that one's path.
fn keep_copy(path: &Path, text: &str) -> Result<PathBuf, Error> {
    for number in 1.. {
        let mut copy = path.as_os_str().to_owned();
        copy.push(if number == 1 {
            ".before-bproxy".into()
        } else {
            format!(".before-bproxy-{number}")
        });
        let copy = PathBuf::from(copy);
        match File::create_new(&copy) {
            Ok(mut file) => {
                let mode = fs::metadata(path).map(|old| old.permissions());
                mode.and_then(|mode| file.set_permissions(mode))
                    .and_then(|()| file.write_all(text.as_bytes()))
                    .map_err(Error::io("write", &copy))?;
                return Ok(copy);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // The same text again needs no further copy.
                if fs::read_to_string(&copy).is_ok_and(|kept| kept == text) {
                    return Ok(copy);
                }
            }
            Err(error) => return Err(Error::io("create", &copy)(error)),
        }
    }
    unreachable!("the numbers do not end")
}

/// Replaces the file in one step, unless it is no longer what was read.
fn replace(path: &Path, old: Option<&str>, new: &str) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let mut file =
        tempfile::NamedTempFile::new_in(folder).map_err(Error::io("write in", folder))?;
    file.write_all(new.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(Error::io("write", path))?;
    if let Ok(metadata) = fs::metadata(path) {
        file.as_file()
            .set_permissions(metadata.permissions())
            .map_err(Error::io("set the mode of", path))?;
    }
    if fs::read_to_string(path).ok().as_deref() != old {
        return Err(Error::Changed(path.to_owned()));
    }
    file.persist(path).map_err(|error| Error::io("replace", path)(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests;
