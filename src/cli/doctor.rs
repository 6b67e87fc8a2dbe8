//! `doctor`: checks every hop from this binary to the browser.

use std::io::{self, IsTerminal, Write};

use clap::Args;

use super::global_args::{Format, Globals};
use super::{Error, Outcome, output};
use crate::service::doctor;

/// Find out what is wrong, hop by hop, from this program to the browser
///
/// Exit status 0 only if every check passes. Every failure names the hop and what fixes it.
#[derive(Args)]
#[command(after_help = "Examples:\n  bproxy doctor\n  bproxy doctor --json")]
pub(super) struct Doctor {
    /// Print one line of JSON, as when standard output is not a terminal
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let report = doctor::examine(&globals.home_path()?);
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
