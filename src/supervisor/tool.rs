//! One call of a service manager's own program, with a deadline.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long a call may take: a manager waits up to 90 s for a service that starts or stops, and this daemon needs 10 at
/// most.
const WAIT: Duration = Duration::from_secs(30);

/// Why a call did not do what it was for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be run.
    #[error("cannot run {program}: {source}")]
    Run {
        /// The program.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// It took too long.
    #[error("`{call}` has not ended within {} seconds: the service manager does not answer", WAIT.as_secs())]
    Slow {
        /// Program and arguments.
        call: String,
    },
    /// It failed.
    #[error("`{call}` failed: {reason}")]
    Failed {
        /// Program and arguments.
        call: String,
        /// What it said.
        reason: String,
    },
}

/// A program with the arguments that every call of it begins with.
pub(crate) struct Tool {
    pub(crate) program: PathBuf,
    pub(crate) first: &'static [&'static str],
    pub(crate) variables: Vec<(&'static str, PathBuf)>,
}

impl Tool {
    /// Runs it and returns what it prints.
    ///
    /// # Errors
    /// When it cannot be run, takes too long, or fails.
    pub(crate) fn run(&self, args: &[impl AsRef<OsStr>]) -> Result<String, Error> {
        let program = self.program.display().to_string();
        let first = self.first.iter().map(|arg| (*arg).to_owned());
        let rest = args.iter().map(|arg| arg.as_ref().to_string_lossy().into_owned());
        let call = || {
            let words = std::iter::once(program.clone()).chain(first.clone()).chain(rest.clone());
            words.collect::<Vec<_>>().join(" ")
        };
        let failed = |source| Error::Run { program: program.clone(), source };
        let child = Command::new(&self.program)
            .args(self.first)
            .args(args)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            // Messages are read by people alone, but what is looked for in output must not be translated.
            .env("LC_ALL", "C")
            .env("SYSTEMD_PAGER", "")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let pid = Pid::from_child(&child);
        let (sender, receiver) = mpsc::sync_channel(1);
        thread::spawn(move || {
            // Nobody receives it after the wait is over.
            let _ = sender.send(child.wait_with_output());
        });
        let Ok(output) = receiver.recv_timeout(WAIT) else {
            // It has not been waited for, so that the number is still its own.
            let _ = kill_process(pid, Signal::KILL);
            return Err(Error::Slow { call: call() });
        };
        let Output { status, stdout, stderr } = output.map_err(failed)?;
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&stderr).trim().replace('\n', "; ");
        let reason = if said.is_empty() { status.to_string() } else { said };
        Err(Error::Failed { call: call(), reason })
    }
}
