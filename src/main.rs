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
/// Sets the resource limit, which crash handlers respect too, instead of `PR_SET_DUMPABLE`: that would keep the user who
/// runs the daemon from debugging it, without protecting anything, since that user can read the tokens anyway.
fn disable_core_dumps() {
    // Lowering a limit cannot fail.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
