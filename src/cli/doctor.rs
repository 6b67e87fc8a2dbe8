//! `doctor`: checks every hop from this binary to the browser, and mends what a command can mend.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;

use super::global_args::{Format, Globals};
use super::{Error, Outcome, output};
use crate::service::doctor::{self, Report, bundle};

/// How often to look and mend: what hides behind a failure shows once that is mended.
const ROUNDS: usize = 2;

/// Find out what is wrong, hop by hop, from this program to the browser
///
/// Exit status 0 only if every check passes. Every failure names the hop and what fixes it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy doctor\n  bproxy doctor --fix\n  bproxy doctor --report bproxy-report.txt"
)]
pub(super) struct Doctor {
    /// Print one line of JSON, as when standard output is not a terminal
    #[arg(long)]
    json: bool,
    /// Run the commands that fix what fails, after asking for each
    #[arg(long, conflicts_with = "report")]
    fix: bool,
    /// Do not ask before each command
    #[arg(long, requires = "fix")]
    yes: bool,
    /// Write a text for a bug report to this file: what was found, the settings, the units and the end of the log,
    /// without tokens, codes and addresses
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

impl Doctor {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let home = globals.home_path()?;
        let mut report = doctor::examine(&home);
        if self.fix {
            for _ in 0..ROUNDS {
                if report.commands().is_empty() || !mend(&report, self.yes)? {
                    break;
                }
                report = doctor::examine(&home);
            }
        }
        if let Some(file) = &self.report {
            let text = bundle::write(&home, &report);
            write_new(file, &text).map_err(|source| Error::Write { path: file.clone(), source })?;
            output::say(&format!("look through {} before you send it to anybody", file.display()));
        }
        let json = match globals.format() {
            Some(format) => format == Format::Json,
            None => !io::stdout().is_terminal(),
        };
        if self.json || json {
            output::line(report.to_json())?;
        } else {
            let mut stdout = io::stdout().lock();
            stdout.write_all(report.to_text().as_bytes()).map_err(Error::Output)?;
        }
        Ok(if report.is_ok() { Outcome::Done } else { Outcome::Refused })
    }
}

/// Runs the commands, in one shell, so that one that changes its environment counts for those after it. Returns whether
/// any was run.
fn mend(report: &Report, yes: bool) -> Result<bool, Error> {
    let mut agreed = Vec::new();
    for command in report.commands() {
        if yes || is_agreed(command)? {
            output::say(&format!("run: {command}"));
            agreed.push(command);
        }
    }
    // What a command prints is not a part of the report.
    let script = agreed.join("\n");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("exec >&2\n{script}")]).stdin(Stdio::null());
    shell.env("PATH", with_own_folder());
    if !agreed.is_empty() {
        // Whether it has helped is seen by looking again.
        shell.status().map_err(Error::Shell)?;
    }
    Ok(!agreed.is_empty())
}

/// `PATH`, with the folder of this program behind all others: the commands call it by its name.
fn with_own_folder() -> OsString {
    let mut path =
        std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    if let Some(folder) = std::env::current_exe().ok().as_deref().and_then(Path::parent) {
        path.push(":");
        path.push(folder);
    }
    path
}

fn is_agreed(command: &str) -> Result<bool, Error> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "bproxy: run `{command}`? [y/N] ").map_err(Error::Output)?;
    stderr.flush().map_err(Error::Output)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Error::Output)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Writes a file for its user alone, and never over another one.
fn write_new(file: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(text.as_bytes())
}
