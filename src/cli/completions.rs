//! `completions`, and the answers to a shell that completes a command line. Sessions and tabs come from the daemon that
//! runs at that moment.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Command, CommandFactory, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Fish, Shells, Zsh};

use super::{Cli, Error, Outcome};
use crate::client;
use crate::protocol::{DebugStatus, DebugStatusData, SessionTabs};

/// Set by the shell's script when it asks for completions; its value is the shell's name.
const ASKED: &str = "BPROXY_COMPLETE";

const SHELLS: Shells<'static> = Shells(&[&Bash, &Zsh, &Fish]);

/// How long the daemon may take: a person waits for the completion, and it answers from memory.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Print the script that has a shell complete bproxy's commands, sessions and tabs
///
/// For bash, in ~/.bashrc: source <(bproxy completions bash). For zsh, in ~/.zshrc after compinit:
/// source <(bproxy completions zsh). For fish, in ~/.config/fish/config.fish: bproxy completions fish | source.
#[derive(Args)]
#[command(after_help = "Example:\n  bproxy completions bash")]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    pub(super) fn run(self) -> Result<Outcome, Error> {
        let shell: &dyn EnvCompleter = match self.shell {
            Shell::Bash => &Bash,
            Shell::Zsh => &Zsh,
            Shell::Fish => &Fish,
        };
        // By its path: the shell may find another program by the name.
        let program = std::env::current_exe().unwrap_or_else(|_| "bproxy".into());
        let mut script = Vec::new();
        shell
            .write_registration(ASKED, "bproxy", "bproxy", &program.to_string_lossy(), &mut script)
            .and_then(|()| io::stdout().write_all(&script))
            .map_err(Error::Output)?;
        Ok(Outcome::Done)
    }
}

/// If a shell asks for completions, prints them and ends the process.
pub(super) fn answer() {
    if std::env::var_os(ASKED).is_some() {
        CompleteEnv::with_factory(command).var(ASKED).shells(SHELLS).complete();
    }
}

/// The command tree with completers for sessions and tabs, which no other call needs.
fn command() -> Command {
    fn with_tabs(command: Command) -> Command {
        command
            .mut_args(|arg| if arg.get_id() == "tab" { arg.add(tabs()) } else { arg })
            .mut_subcommands(with_tabs)
    }
    with_tabs(Cli::command()).mut_arg("session", |arg| arg.add(sessions()))
}

/// Completes a session's id.
fn sessions() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let sessions = status().map(|status| status.sessions).unwrap_or_default();
        let ids = sessions.into_iter().map(|session| {
            let tab = session.tab.map(|tab| tab.as_str().to_owned());
            (session.id.to_string(), session.label.or(tab).unwrap_or_default())
        });
        candidates(current, ids)
    })
}

/// Completes a tab of the session on the command line, or of any session if there is none.
fn tabs() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let session = flag("--session", Some("-s")).or_else(|| std::env::var_os("BPROXY_SESSION"));
        let session_tabs = status().map(|status| status.session_tabs).unwrap_or_default();
        let wanted =
            |tabs: &SessionTabs| session.as_ref().is_none_or(|id| *id == *tabs.session.as_str());
        let tabs = session_tabs.into_iter().filter(wanted).flat_map(|tabs| tabs.tabs);
        candidates(current, tabs.map(|tab| (tab.tab.as_str().to_owned(), tab.title)))
    })
}

/// The status of the daemon that the command line is for. Completing starts no daemon, and reports no errors.
fn status() -> Option<DebugStatusData> {
    let home = flag("--home", None).map(PathBuf::from);
    let client = client::connect_running(home.as_deref()).ok()?;
    client.call(DebugStatus {}, "", TIMEOUT).ok()
}

/// The value of a flag on the command line to complete, which follows `--` on this process's own.
fn flag(long: &str, short: Option<&str>) -> Option<OsString> {
    let mut words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    while let Some(word) = words.next() {
        if word == long || short.is_some_and(|short| word == short) {
            return words.next().filter(|value| !value.is_empty());
        }
        let value = word.to_str().and_then(|word| word.strip_prefix(long)?.strip_prefix('='));
        if let Some(value) = value {
            return Some(value.into());
        }
    }
    None
}

/// The values with the prefix `current`, each with a help text for shells that show it.
fn candidates(
    current: &OsStr,
    all: impl Iterator<Item = (String, String)>,
) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    all.filter(|(value, _)| value.starts_with(&*current))
        .map(|(value, help)| {
            // A page's title must not control the terminal.
            let help: String = help.chars().filter(|letter| !letter.is_control()).collect();
            CompletionCandidate::new(value).help((!help.is_empty()).then(|| help.into()))
        })
        .collect()
}
