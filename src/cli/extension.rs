//! `extension …`: the browser extension that belongs to this binary.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::global_args::Globals;
use super::{Error, Outcome, output};
use crate::extension;

/// The folder in the state directory.
const FOLDER: &str = "extension";

/// The browser extension that belongs to this binary
#[derive(Subcommand)]
pub(super) enum Extension {
    /// Print where the extension is, and whether it is installed there in this binary's version
    #[command(after_help = "Example:\n  bproxy extension path")]
    Path,
    /// Write the extension into a folder for Chrome to load
    ///
    /// The folder is created, or empty, or holds an older version, whose files are replaced. Other files in it stay.
    #[command(
        after_help = "Examples:\n  bproxy extension install\n  bproxy extension install ~/bproxy-extension"
    )]
    Install {
        /// The folder [default: extension in the state directory]
        dir: Option<PathBuf>,
    },
}

impl Extension {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let default = globals.home_path()?.join(FOLDER);
        let folder = match self {
            Extension::Path => default,
            Extension::Install { dir } => {
                let folder = match dir {
                    Some(dir) => std::path::absolute(&dir)
                        .map_err(|source| Error::Write { path: dir, source })?,
                    None => {
                        crate::home::Home::open(&globals.home_path()?)?;
                        default
                    }
                };
                extension::write_to(&folder)?;
                output::say(&format!(
                    "open chrome://extensions, switch on Developer mode, choose Load unpacked, and take {} \
                     (or reload it there); then run `bproxy pair`",
                    folder.display()
                ));
                folder
            }
        };
        let installed = extension::version_in(&folder);
        let line = json!({
            "path": folder,
            "id": extension::ID,
            "version": extension::version(),
            "installedVersion": installed,
            "current": installed.is_some() && installed == extension::version(),
        });
        globals.print(line.to_string().into_bytes())?;
        Ok(Outcome::Done)
    }
}
