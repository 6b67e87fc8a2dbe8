//! Runs a service manager's command line program (`systemctl`, `launchctl`), with a deadline.

use std::ffi::OsStr;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// How long a call may take. A manager waits up to 90 s for a service to start or stop; this daemon needs 10 s at most.
const WAIT: Duration = Duration::from_secs(30);

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program cannot be run.
    #[error("cannot run {program}: {source}")]
    Run {
        /// The program.
        program: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The program did not end in time.
    #[error("`{call}` has not ended within {} seconds: the service manager does not answer", WAIT.as_secs())]
    TimedOut {
        /// Program and arguments.
        call: String,
    },
    /// The program failed.
    #[error("`{call}` failed: {reason}")]
    Failed {
        /// Program and arguments.
        call: String,
        /// Its standard error, or else its exit status.
        reason: String,
    },
}

/// A program, with the leading arguments and the environment variables of every call.
pub(crate) struct ManagerCommand {
    pub(crate) program: PathBuf,
    pub(crate) leading_args: &'static [&'static str],
    pub(crate) env: Vec<(&'static str, PathBuf)>,
}

impl ManagerCommand {
    /// Runs the program and returns its standard output.
    ///
    /// # Errors
    /// When the program cannot be run, takes too long, or fails.
    pub(crate) fn run(&self, args: &[impl AsRef<OsStr>]) -> Result<String, Error> {
        let program = self.program.display().to_string();
        let leading = self.leading_args.iter().map(|arg| (*arg).to_owned());
        let rest = args.iter().map(|arg| arg.as_ref().to_string_lossy().into_owned());
        let call = || {
            let words = std::iter::once(program.clone()).chain(leading.clone()).chain(rest.clone());
            words.collect::<Vec<_>>().join(" ")
        };
        let failed = |source| Error::Run { program: program.clone(), source };
        let child = Command::new(&self.program)
            .args(self.leading_args)
            .args(args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            // Untranslated, because the output is parsed.
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
            // Fails if the wait below has timed out.
            let _ = sender.send(child.wait_with_output());
        });
        let Ok(output) = receiver.recv_timeout(WAIT) else {
            // The thread has not reaped it yet, so the pid cannot have been reused.
            let _ = kill_process(pid, Signal::KILL);
            return Err(Error::TimedOut { call: call() });
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
