//! `man`: the manual pages, generated from the same texts as `--help`.

use std::io::{self, Write};
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
            let page = page(clap_mangen::Man::new(command()), true).map_err(Error::Output)?;
            io::stdout().write_all(&page).map_err(Error::Output)?;
            return Ok(Outcome::Done);
        };
        let target = Target::open(&dir)?;
        let path = target.path().to_owned();
        let mut pages = Vec::new();
        collect(&mut pages, built(), true).map_err(Error::Output)?;
        target.install(&pages, &[], is_ours)?;
        globals.print(json!({"path": path}).to_string().into_bytes())?;
        Ok(Outcome::Done)
    }
}

/// The pages of a command and of its subcommands.
fn collect(pages: &mut Vec<NewFile<'_>>, command: clap::Command, is_first: bool) -> io::Result<()> {
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        collect(pages, verb.clone(), false)?;
    }
    let man = clap_mangen::Man::new(command);
    let path = man.get_filename().into();
    pages.push(NewFile { path, content: page(man, is_first)?.into() });
    Ok(())
}

/// A page, with what no help text says: all about the surroundings in the first one, and in the others where that is.
fn page(man: clap_mangen::Man, is_first: bool) -> io::Result<Vec<u8>> {
    let version = concat!("bproxy ", env!("CARGO_PKG_VERSION"));
    let man = man.source(version).manual("Manual of bproxy");
    let mut content = Vec::new();
    man.render(&mut content)?;
    let mut content = ragged(content);
    content.extend_from_slice(if is_first { SURROUNDINGS } else { SEE_FIRST }.as_bytes());
    Ok(content)
}

/// The synopsis is not stretched to the margin: a group of many flags is one word, which no line can be filled with.
fn ragged(page: Vec<u8>) -> Vec<u8> {
    const SYNOPSIS: &[u8] = b".SH SYNOPSIS\n";
    let Some(start) = memchr::memmem::find(&page, SYNOPSIS) else { return page };
    let (before, after) = page.split_at(start + SYNOPSIS.len());
    [before, b".ad l\n", after].concat()
}

const SEE_FIRST: &str = "\
.SH \"SEE ALSO\"
.BR bproxy (1)
for exit status, environment and files
";

/// What docs/configuration.md says at length.
const SURROUNDINGS: &str = "\
.SH \"EXIT STATUS\"
.TP
.B 0
done
.TP
.B 1
refused, failed or without effect; the line of JSON says why, and what to run next
.TP
.B 2
anything else, with a message on standard error
.TP
.B 3
of
.BR \"service status\" :
no daemon runs
.TP
.B 78
of a daemon: its configuration is not valid
.SH ENVIRONMENT
A variable that is not set is looked up in
.IR config.env ,
but for the first two. One that is set and empty is as if it were not set.
.TP
.B BPROXY_HOME
the state directory
.TP
.B BPROXY_SESSION
the session that commands use without \\-s
.TP
.B BPROXY_PORT
the port of the daemon, and of \\(lqservice install\\(rq
.TP
.B BPROXY_SECRETS
where the tokens are: file, keyring or auto
.TP
.B BPROXY_LOG
where the log goes: file, stderr, journald or auto
.TP
.B BPROXY_LOG_LEVEL
debug, info or warn
.TP
.B BPROXY_EXTENSION_IDS
the extensions that may connect, separated by commas; * for any
.TP
.B BPROXY_RESUME
who may resume a paused session: person or anyone
.TP
.B BPROXY_IDLE_EXIT
after how many idle seconds a daemon that systemd or launchd starts exits; 0 for never
.SH FILES
.TP
.I ~/.bproxy
the state directory: tokens, sessions, log, unless BPROXY_HOME names another one
.TP
.I ~/.bproxy/config.env
permanent settings, one NAME=value on each line
.TP
.I ~/.config/systemd/user/bproxy.socket
.TQ
.I ~/.config/systemd/user/bproxy.service
the units of an installed service
.SH \"SEE ALSO\"
.BR bproxy-service (1),
.BR bproxy-doctor (1),
.BR systemctl (1)
";

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn the_first_page_has_every_variable_and_its_version_in_the_footer() {
        let page = page(clap_mangen::Man::new(command()), true).unwrap();
        let page = String::from_utf8(page).unwrap();
        assert!(page.contains(".SH SYNOPSIS\n.ad l\n"), "long groups of flags break lines");
        for variable in config::SETTINGS.into_iter().chain([config::HOME, "BPROXY_SESSION"]) {
            assert!(page.contains(&format!(".B {variable}\n")), "{variable}");
        }
        let head = page.lines().find(|line| line.starts_with(".TH")).unwrap();
        assert!(head.contains(concat!("bproxy ", env!("CARGO_PKG_VERSION"))), "{head}");
    }
}
