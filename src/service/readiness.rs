//! Announces that the daemon accepts requests: to clients through the port file, to its starter on standard output.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use super::status::{ManagedBy, Started};
use super::{Error, Mode};
use crate::home::Home;

/// Writes the port file, logs the start, and prints the readiness message unless a service manager started the daemon.
pub(super) fn announce(home: &Home, port: u16, mode: Mode) -> Result<(), Error> {
    home.write_secret(&home.port(), format!("{port}\n").as_bytes())?;
    tracing::info!(
        event = "start",
        pid = std::process::id(),
        port,
        version = env!("CARGO_PKG_VERSION")
    );
    if matches!(mode, Mode::Service { .. }) {
        return Ok(());
    }
    let line = Started::read(home, std::process::id(), port, ManagedBy::Itself)?.to_line();
    let mut stdout = match mode {
        Mode::Detached => {
            close_standard_streams().map_err(Error::system("detach from the terminal"))?
        }
        Mode::Foreground | Mode::Service { .. } => io::stdout()
            .as_fd()
            .try_clone_to_owned()
            .map(File::from)
            .map_err(Error::system("write to standard output"))?,
    };
    // The starter may have been killed meanwhile, which is no reason to stop.
    let _ = stdout.write_all(line.as_bytes());
    Ok(())
}

/// Redirects the standard streams to `/dev/null` and returns the original standard output, for one last message. When
/// the starter has read that, the daemon holds none of its streams any more. Merely closing them would give their
/// descriptor numbers to the next sockets that are opened.
fn close_standard_streams() -> io::Result<File> {
    let stdout = io::stdout().as_fd().try_clone_to_owned()?;
    let null = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(stdout.into())
}
