//! `man`: the manual pages, generated from the same texts as `--help`.

use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use serde_json::json;

use super::global_args::Globals;
use super::{Cli, Error, Outcome};

/// Write the manual pages into a folder, or print the first one
///
/// On most systems, man finds them in ~/.local/share/man/man1: `man bproxy`, `man bproxy-tab-open`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy man ~/.local/share/man/man1\n  bproxy man | man -l -\n  bproxy man"
)]
pub(super) struct Man {
    /// The folder, created if it does not exist
    dir: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let Some(dir) = self.dir else {
            let page = clap_mangen::Man::new(command());
            page.render(&mut io::stdout()).map_err(Error::Output)?;
            return Ok(Outcome::Done);
        };
        std::fs::create_dir_all(&dir)
            .and_then(|()| clap_mangen::generate_to(command(), &dir))
            .map_err(|source| Error::Write { path: dir.clone(), source })?;
        let path = std::path::absolute(&dir).unwrap_or(dir);
        globals.print(json!({"path": path}).to_string().into_bytes())?;
        Ok(Outcome::Done)
    }
}

/// The command tree, without the commit and target of this build: the pages describe a version of bproxy.
fn command() -> clap::Command {
    Cli::command().long_version(None)
}
