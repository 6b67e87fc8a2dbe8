//! `man`: the manual pages. Those of the verbs are generated from the same texts as `--help`; config.env(5) and
//! bproxy.service(8) are written by hand.

mod roff;

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use serde_json::json;

use super::global_args::Globals;
use super::{Cli, Error, Outcome};
use crate::day;
use crate::install::{NewFile, Target};

/// Write the manual pages into a folder, or print the first one
///
/// On most systems, man finds them in ~/.local/share/man: `man bproxy`, `man bproxy-tab-open`, `man config.env`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy man ~/.local/share/man\n  bproxy man | man -l -\n  bproxy man"
)]
pub(super) struct Man {
    /// The folder of the manual, created if it does not exist: the pages go into man1, man5 and man8 below it
    dir: Option<PathBuf>,
}

const VERSION: &str = concat!("bproxy ", env!("CARGO_PKG_VERSION"));
const MANUAL: &str = "Manual of bproxy";

/// What no help text says: in the first page, and in those of the verbs.
const OF_PROGRAM: &str = include_str!("../../../man/program.roff");
const OF_VERB: &str = include_str!("../../../man/verb.roff");

/// The pages that are no verb's, with their sections.
const OTHERS: [(&str, &str, &str); 2] = [
    ("config.env", "5", include_str!("../../../man/config.env.5")),
    ("bproxy.service", "8", include_str!("../../../man/bproxy.service.8")),
];

impl Man {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let Some(dir) = self.dir else {
            let page = page(command(), true).map_err(Error::Output)?;
            io::stdout().write_all(page.as_bytes()).map_err(Error::Output)?;
            return Ok(Outcome::Done);
        };
        let target = Target::open(&dir)?;
        let path = target.path().to_owned();
        target.install(&pages().map_err(Error::Output)?, &[], is_ours)?;
        globals.print(json!({"path": path}).to_string().into_bytes())?;
        Ok(Outcome::Done)
    }
}

/// All pages, by their paths in the folder of the manual.
fn pages() -> io::Result<Vec<NewFile<'static>>> {
    let mut pages = Vec::new();
    collect(&mut pages, built(), true)?;
    let date = date();
    for (name, section, text) in OTHERS {
        let text = text.replace("@DATE@", &date).replace("@VERSION@", VERSION);
        pages.push(file(name, section, text));
    }
    Ok(pages)
}

fn file(name: &str, section: &str, page: String) -> NewFile<'static> {
    let path = format!("man{section}/{name}.{section}").into();
    NewFile { path, content: page.into_bytes().into() }
}

/// The pages of a command and of its subcommands.
fn collect(
    pages: &mut Vec<NewFile<'static>>,
    command: clap::Command,
    is_first: bool,
) -> io::Result<()> {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        collect(pages, verb.clone(), false)?;
    }
    let name = name(&command);
    pages.push(file(&name, "1", page(command, is_first)?));
    Ok(())
}

/// The name of a command's page.
fn name(command: &clap::Command) -> String {
    command.get_display_name().unwrap_or(command.get_name()).to_owned()
}

/// The page of a command, with what no help text says.
fn page(command: clap::Command, is_first: bool) -> io::Result<String> {
    let title = name(&command).to_uppercase();
    let title = format!(".TH {title} 1 {} \"{VERSION}\" \"{MANUAL}\"\n", date());
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    let page = roff::tidy(&String::from_utf8_lossy(&page), &title);
    Ok(page + if is_first { OF_PROGRAM } else { OF_VERB })
}

/// The date of the pages: today, or that of the release where a packager says so.
fn date() -> String {
    let release = env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    day::date(release.map_or_else(day::today, day::of))
}

/// Whether a page was written by bproxy: the folder is shared with the pages of other programs.
fn is_ours(path: &Path, page: &[u8]) -> bool {
    let title = path.file_stem().unwrap_or_default().to_string_lossy().to_uppercase();
    let section = path.extension().unwrap_or_default().to_string_lossy();
    let line = format!(".TH {title} {section} ");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn every_page_says_what_it_is_where_its_version_is_and_what_else_to_read() {
        for NewFile { path, content } in pages().unwrap() {
            let page = String::from_utf8(content.to_vec()).unwrap();
            let heads: Vec<_> = page.lines().filter(|line| line.starts_with(".TH")).collect();
            assert!(heads.len() == 1 && heads[0].contains(VERSION), "{path:?}: {heads:?}");
            for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "ENVIRONMENT", "FILES"] {
                assert!(page.contains(&format!("\n.SH {section}\n")), "{path:?}: {section}");
            }
            for section in ["EXIT STATUS", "SEE ALSO"] {
                assert!(page.contains(&format!("\n.SH \"{section}\"\n")), "{path:?}: {section}");
            }
            assert!(is_ours(&path, page.as_bytes()), "{path:?}");
            assert!(!page.contains('@') || path.starts_with("man1"), "{path:?}: {page}");
        }
    }

    #[test]
    fn every_setting_has_its_place() {
        let (settings, page) = (OTHERS[0].2, page(command(), true).unwrap());
        for variable in config::SETTINGS {
            assert!(settings.contains(&format!(".TP\n.B {variable}\n")), "{variable}");
        }
        for variable in [config::HOME, "BPROXY_SESSION"] {
            assert!(page.contains(&format!(".TP\n.B {variable}\n")), "{variable}");
        }
    }
}
