//! Closes a session whose server was killed: a process beside the server, which waits until that is gone.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// The process that waits. Dropping it ends it: the server has closed the session itself, or is gone.
pub(super) struct Keeper(Child);

impl Keeper {
    /// Starts one for `session`. Without it, when the system gives no process, a killed server's session stays until it is
    /// closed for being unused.
    pub(super) fn start(session: &str, daemon: &[String]) -> Option<Keeper> {
        let mut command = Command::new(this_program()?);
        command
            .args(["--session", session])
            .args(daemon)
            .args(["session", "close", "--after-input"])
            // The other end of this pipe closes with the server, however that ends.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Whoever kills the server's process group means the server.
            .process_group(0);
        command.spawn().ok().map(Keeper)
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// This very program, also when its file has been replaced.
fn this_program() -> Option<PathBuf> {
    let linux = PathBuf::from("/proc/self/exe");
    if linux.exists() { Some(linux) } else { env::current_exe().ok() }
}
