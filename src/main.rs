//! The `bproxy` binary: what holds for its process whatever it is told to do, then the command line.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, setrlimit};

fn main() -> ExitCode {
    leave_no_core();
    bproxy::cli::run()
}

/// Has no crash write the memory of this process to a disk: it holds tokens, and what is filled into pages.
///
/// By the limit, which crash handlers go by too, and not by `PR_SET_DUMPABLE`: that would hide the daemon from the
/// diagnostics of its own user, who can read the tokens anyway.
fn leave_no_core() {
    // A limit can always be lowered.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
