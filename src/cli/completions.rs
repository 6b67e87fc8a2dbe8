//! `completions`, and the answers to a shell that asks what a line may go on with. Sessions and tabs come from the daemon
//! as it is at that moment.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::time::Duration;

use clap::{Args, Command, CommandFactory, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{Bash, CompleteEnv, EnvCompleter, Fish, Shells, Zsh};
use serde::Deserialize;

use super::{Cli, Error, Outcome};
use crate::client::{Client, request_id};
use crate::config;
use crate::home::Home;
use crate::protocol;

/// Set by the shell's part when it asks; its value is the shell's name.
const ASKED: &str = "BPROXY_COMPLETE";

const SHELLS: Shells<'static> = Shells(&[&Bash, &Zsh, &Fish]);

/// A finger rests on the key meanwhile. The daemon answers from memory.
const WAIT: Duration = Duration::from_secs(1);

/// Print what makes a shell complete bproxy's commands, sessions and tabs
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
        // Not by its name: the shell's search path may have another one.
        let program = std::env::current_exe().unwrap_or_else(|_| "bproxy".into());
        let mut script = Vec::new();
        shell
            .write_registration(ASKED, "bproxy", "bproxy", &program.to_string_lossy(), &mut script)
            .and_then(|()| io::stdout().write_all(&script))
            .map_err(Error::Output)?;
        Ok(Outcome::Done)
    }
}

/// Answers a shell and ends the process, if it is a shell that asks.
pub(super) fn answer() {
    if std::env::var_os(ASKED).is_some() {
        CompleteEnv::with_factory(command).var(ASKED).shells(SHELLS).complete();
    }
}

/// The tree of commands that knows where sessions and tabs come from. Any other call does without.
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
        let Status { sessions, .. } = status().unwrap_or_default();
        let ids = sessions.into_iter().map(|session| {
            let help = session.label.or(session.tab).unwrap_or_default();
            (session.id, help)
        });
        candidates(current, ids)
    })
}

/// Completes a tab of the session that the line names, or of any if it names none.
fn tabs() -> ArgValueCompleter {
    ArgValueCompleter::new(|current: &OsStr| {
        let session = flag("--session", Some("-s")).or_else(|| std::env::var_os("BPROXY_SESSION"));
        let Status { session_tabs, .. } = status().unwrap_or_default();
        let meant = |tabs: &SessionTabs| session.as_ref().is_none_or(|id| *id == *tabs.session);
        let tabs = session_tabs.into_iter().filter(meant).flat_map(|tabs| tabs.tabs);
        candidates(current, tabs.map(|tab| (tab.tab, tab.title)))
    })
}

/// What is asked of `debug.status`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    sessions: Vec<Session>,
    session_tabs: Vec<SessionTabs>,
}

#[derive(Deserialize)]
struct Session {
    id: String,
    label: Option<String>,
    tab: Option<String>,
}

#[derive(Deserialize)]
struct SessionTabs {
    session: String,
    tabs: Vec<Tab>,
}

#[derive(Deserialize)]
struct Tab {
    tab: String,
    title: String,
}

/// How the daemon stands that the line is for. Completing starts none, and complains of nothing.
fn status() -> Option<Status> {
    #[derive(Deserialize)]
    struct Answer {
        data: Status,
    }
    let path = match flag("--home", None) {
        Some(home) => home.into(),
        None => config::home_from_env().ok()?,
    };
    let home = Home::find(&path).ok()??;
    let client = Client::with_token(&home, config::secrets_from_env(&path).ok()?).ok()?;
    let action = protocol::DebugStatus {}.into();
    let answer = client.command(&request_id(), &action, "", WAIT).ok()?;
    serde_json::from_slice::<Answer>(&answer.body).ok().map(|answer| answer.data)
}

/// The value of a flag on the line that is to be completed, which stands behind `--` in this process's own.
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

/// Those that begin as what is there does, each with a help for shells that show it.
fn candidates(
    current: &OsStr,
    all: impl Iterator<Item = (String, String)>,
) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    all.filter(|(value, _)| value.starts_with(&*current))
        .map(|(value, help)| {
            // What a page calls itself is shown by a terminal.
            let help: String = help.chars().filter(|letter| !letter.is_control()).collect();
            CompletionCandidate::new(value).help((!help.is_empty()).then(|| help.into()))
        })
        .collect()
}
