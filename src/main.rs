//! The `bproxy` binary: disables core dumps, then runs the command line.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};

fn main() -> ExitCode {
    disable_core_dumps();
    bproxy::cli::run()
}

/// Prevents a crash from writing the memory of this process to disk: it holds tokens and the text that is filled into
/// pages.
///
/// The limit alone is not enough: Linux hands a crash to a handler that `core_pattern` names whatever the limit is, and
/// Apport keeps the core. A process that is not dumpable, as `ssh-agent` is not, is handed to nobody. The price is that
/// only root can attach a debugger to it or read its `/proc/PID/exe` and `/proc/PID/fd`.
fn disable_core_dumps() {
    // Lowering a limit and this attribute cannot fail.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
