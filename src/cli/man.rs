//! `man`: the manual pages, generated from the same texts as `--help`.

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use serde_json::json;

use super::global_args::Globals;
use super::{Cli, Error, Outcome};
use crate::install::{NewFile, Target};

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
        let target = Target::open(&dir)?;
        let path = target.path().to_owned();
        let mut pages = Vec::new();
        collect(&mut pages, built()).map_err(Error::Output)?;
        target.install(&pages, &[], is_ours)?;
        globals.print(json!({"path": path}).to_string().into_bytes())?;
        Ok(Outcome::Done)
    }
}

/// The pages of a command and of its subcommands.
fn collect(pages: &mut Vec<NewFile<'_>>, command: clap::Command) -> io::Result<()> {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        collect(pages, verb.clone())?;
    }
    let page = clap_mangen::Man::new(command);
    let mut content = Vec::new();
    page.render(&mut content)?;
    pages.push(NewFile { path: page.get_filename().into(), content: content.into() });
    Ok(())
}

/// Whether a page was written by bproxy: the folder is shared with the pages of other programs.
fn is_ours(path: &Path, page: &[u8]) -> bool {
    let title = path.file_stem().unwrap_or_default().to_string_lossy();
    let line = format!(".TH {title} 1 ");
    String::from_utf8_lossy(page).lines().any(|it| it.starts_with(&line) && it.contains("bproxy"))
}

/// The command tree with the names that its pages have.
fn built() -> clap::Command {
    let mut command = command().disable_help_subcommand(true);
    command.build();
    command
}

/// The command tree, without the commit and target of this build: the pages describe a version of bproxy.
fn command() -> clap::Command {
    Cli::command().long_version(None)
}
