//! The command line: verbs, flags, output and exit status.
//!
//! A verb turns its flags into an action and prints the answer; there is a file for each family of verbs. Standard output
//! gets one line of JSON or nothing, standard error gets messages for people.

mod act;
mod batch;
mod call;
mod caller;
mod completions;
mod debug;
mod doctor;
mod download;
mod events;
mod every_act;
mod extension;
mod fill;
mod global_args;
mod keyboard;
mod logs;
mod man;
mod mcp;
mod missing_session;
mod navigate;
mod other_words;
mod output;
mod overview;
mod pair;
mod place;
mod pointer;
mod read;
mod render;
mod require_human;
mod save;
mod screenshot;
mod service;
mod session;
mod session_wait;
mod skill;
mod spinner;
mod suggest;
mod tab;
mod table;
mod target;
mod then;
mod token;
mod upload;
mod version;
mod wait;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{client, config, home, secrets};
use global_args::{Format, Globals};

/// The exit status of an error that has a message on standard error, and nothing on standard output.
const EXIT_ERROR: u8 = 2;
/// The exit status of `service status` if no daemon runs: that of a stopped service for programs that ask about one.
const EXIT_STOPPED: u8 = 3;

/// Drives the browser that its person already uses, one step per call.
///
/// Every call prints one line of JSON on standard output. Exit status: 0 done, 1 refused, failed or without effect (the
/// line says why and what to do), 2 any other error (a message on standard error).
#[derive(Parser)]
#[command(
    name = "bproxy",
    version,
    long_version = version::long(),
    disable_help_subcommand = true,
    help_template = overview::template::<Command>(),
    after_help = "Start here:\n  bproxy service start\n  bproxy pair\n  bproxy tab open https://example.org"
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
// There is one for each process: its size does not matter.
#[allow(clippy::large_enum_variant)]
enum Command {
    #[command(subcommand)]
    Service(service::Service),
    Daemon(service::Daemon),
    Pair(pair::Pair),
    #[command(subcommand)]
    Extension(extension::Extension),
    #[command(subcommand)]
    Session(session::Session),
    #[command(subcommand)]
    Tab(tab::Tab),
    Navigate(navigate::Navigate),
    Back(navigate::Back),
    Forward(navigate::Forward),
    Reload(navigate::Reload),
    #[command(flatten)]
    Read(read::Read),
    #[command(flatten)]
    Act(act::Act),
    Download(download::Download),
    Save(save::Save),
    Screenshot(screenshot::Screenshot),
    Wait(wait::Wait),
    RequireHuman(require_human::RequireHuman),
    Batch(batch::Batch),
    Events(events::Events),
    #[command(subcommand)]
    Debug(debug::Debug),
    Status(debug::Status),
    Health(debug::Health),
    Doctor(doctor::Doctor),
    #[command(subcommand)]
    Token(token::Token),
    Completions(completions::Completions),
    Man(man::Man),
    Mcp(mcp::Mcp),
    #[command(subcommand)]
    Skill(skill::Skill),
}

/// How a call that has printed its result ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// `ok: true`, or the result of a verb that sends no command.
    Done,
    /// `ok: false`, or a success without effect.
    Refused,
    /// `service status` without a daemon, as service managers tell.
    Stopped,
}

/// Why a call has no result to print.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Client(#[from] client::Error),
    #[error(transparent)]
    Config(#[from] config::Error),
    #[error(transparent)]
    Home(#[from] home::Error),
    #[error(transparent)]
    Secrets(#[from] secrets::Error),
    #[error(transparent)]
    Extension(#[from] crate::extension::Error),
    #[error(transparent)]
    Install(#[from] crate::install::Error),
    #[error(transparent)]
    Daemon(#[from] crate::service::Error),
    #[error(transparent)]
    Logs(#[from] crate::service::logs::Error),
    #[error(transparent)]
    Manager(#[from] crate::service::manager::Error),
    #[error(transparent)]
    Mcp(#[from] crate::mcp::Error),
    #[error(transparent)]
    Program(#[from] crate::program::Error),
    #[error(transparent)]
    Registration(#[from] crate::registration::Error),
    #[error(transparent)]
    Skill(#[from] crate::skill::Error),
    /// A flag has an invalid value.
    #[error("{flag}: {problem}")]
    Flag { flag: &'static str, problem: String },
    /// An answer lacks its result.
    #[error("the browser's answer cannot be used: {0}; is the extension of another version?")]
    Answer(String),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("the browser put the file at {}, which cannot be read from here: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Place(#[from] place::Error),
    #[error("cannot read standard input: {0}")]
    Input(std::io::Error),
    #[error("cannot write to standard output: {0}")]
    Output(std::io::Error),
    #[error("cannot run a shell: {0}")]
    Shell(std::io::Error),
    #[error("{0}")]
    Pairing(&'static str),
}

impl Error {
    fn exit_code(&self) -> u8 {
        match self {
            Error::Daemon(error) => error.exit_code(),
            _ => EXIT_ERROR,
        }
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    completions::answer();
    let line: Vec<_> = std::env::args_os().collect();
    let Cli { globals, command } =
        parsed(&line).unwrap_or_else(|error| suggest::explained(error, &line).exit());
    match check(&command, &globals).and_then(|()| dispatch(command, &globals)) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Refused) => ExitCode::from(1),
        Ok(Outcome::Stopped) => ExitCode::from(EXIT_STOPPED),
        Err(error) => {
            output::say(&error.to_string());
            if let (Error::Flag { .. }, Some(example)) = (&error, suggest::example(&line)) {
                output::say(&format!("an example: {example}"));
            }
            ExitCode::from(error.exit_code())
        }
    }
}

/// What a command line says, and where its values come from.
fn parsed(line: &[OsString]) -> Result<Cli, clap::Error> {
    let matches = Cli::command().try_get_matches_from(line)?;
    let mut cli =
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut Cli::command()))?;
    cli.globals.note_sources(&matches);
    Ok(cli)
}

/// Refuses a format before anything is done that it cannot show.
fn check(command: &Command, globals: &Globals) -> Result<(), Error> {
    let is_table = matches!(command, Command::Read(read::Read::Table(_)));
    if globals.format() == Some(Format::Csv) && !is_table {
        let problem = "csv is for `bproxy table` alone: use json or text".to_owned();
        return Err(Error::Flag { flag: "--output", problem });
    }
    Ok(())
}

fn dispatch(command: Command, globals: &Globals) -> Result<Outcome, Error> {
    match command {
        Command::Service(verb) => verb.run(globals),
        Command::Daemon(verb) => verb.run(globals),
        Command::Pair(verb) => verb.run(globals),
        Command::Extension(verb) => verb.run(globals),
        Command::Session(verb) => verb.run(globals),
        Command::Tab(verb) => verb.run(globals),
        Command::Navigate(verb) => verb.run(globals),
        Command::Back(verb) => verb.run(globals),
        Command::Forward(verb) => verb.run(globals),
        Command::Reload(verb) => verb.run(globals),
        Command::Read(verb) => verb.run(globals),
        Command::Act(verb) => verb.run(globals),
        Command::Download(verb) => verb.run(globals),
        Command::Save(verb) => verb.run(globals),
        Command::Screenshot(verb) => verb.run(globals),
        Command::Wait(verb) => verb.run(globals),
        Command::RequireHuman(verb) => verb.run(globals),
        Command::Batch(verb) => verb.run(globals),
        Command::Events(verb) => verb.run(globals),
        Command::Debug(verb) => verb.run(globals),
        Command::Status(verb) => verb.run(globals),
        Command::Health(verb) => verb.run(globals),
        Command::Doctor(verb) => verb.run(globals),
        Command::Token(verb) => verb.run(globals),
        Command::Completions(verb) => verb.run(),
        Command::Man(verb) => verb.run(globals),
        Command::Mcp(verb) => verb.run(globals),
        Command::Skill(verb) => verb.run(globals),
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn leaves(command: &clap::Command, leaves: &mut Vec<clap::Command>) {
        if command.has_subcommands() {
            command.get_subcommands().for_each(|child| self::leaves(child, leaves));
        } else {
            leaves.push(command.clone());
        }
    }

    /// Splits a command line as a shell does, as far as the examples need.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for letter in line.chars() {
            match letter {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                _ => words.last_mut().unwrap().push(letter),
            }
        }
        words
    }

    #[test]
    fn the_tree_of_commands_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_line_of_the_skill_is_one() {
        let sections = crate::skill::SECTIONS.iter().map(|(_, text)| *text);
        let mut count = 0;
        for text in sections.chain([crate::skill::TEXT]) {
            let blocks = text.split("```sh\n").skip(1);
            let lines = blocks.flat_map(|block| block.split("```").next().unwrap().lines());
            for line in lines {
                let own = line.split(" | ").find(|part| part.starts_with("bproxy "));
                let Some(own) = own else {
                    assert!(line.starts_with("export "), "{line}");
                    continue;
                };
                count += 1;
                if let Err(error) = Cli::try_parse_from(shlex::split(own).expect("words")) {
                    panic!("{line}: {error}");
                }
            }
            // What stands in the running text.
            for inline in
                text.split('`').filter(|part| part.starts_with("bproxy ") && !part.contains('\n'))
            {
                let filled = inline.replace("SECTION", "forms");
                if let Err(error) = Cli::try_parse_from(shlex::split(&filled).expect("words")) {
                    panic!("{inline}: {error}");
                }
            }
        }
        assert!(count > 50, "{count}");
    }

    #[test]
    fn what_every_error_suggests_is_a_command_line() {
        for code in crate::protocol::ErrorCode::ALL {
            let error = crate::protocol::ProtocolError::new(*code, "", "m4q7z2");
            if let Some(line) = error.suggested_action {
                let parsed = Cli::try_parse_from(words(&line));
                assert!(parsed.is_ok(), "{}: {line}", code.name());
                let left_out =
                    words(&line).into_iter().find(|word| word.chars().all(char::is_uppercase));
                assert_eq!(left_out, None, "{}: {line}", code.name());
            }
        }
    }

    #[test]
    fn the_help_of_every_verb_shows_examples_that_can_be_run() {
        let mut verbs = Vec::new();
        leaves(&Cli::command(), &mut verbs);
        assert!(verbs.len() > 40, "{}", verbs.len());
        for verb in verbs {
            let help = verb
                .get_after_help()
                .unwrap_or_else(|| panic!("{} has no example", verb.get_name()))
                .to_string();
            let examples: Vec<_> = help.lines().filter(|line| line.starts_with("  ")).collect();
            assert!(!examples.is_empty(), "{} has no example", verb.get_name());
            for example in examples {
                let parts = example.trim().split(" | ");
                let own = parts.clone().find(|part| part.starts_with("bproxy"));
                let line = own.unwrap_or_else(|| parts.last().unwrap());
                assert!(line.contains(verb.get_name()), "{line}");
                if let Err(error) = Cli::try_parse_from(words(line)) {
                    panic!("{line}: {error}");
                }
            }
            assert!(verb.get_about().is_some(), "{} has no description", verb.get_name());
        }
    }
}
