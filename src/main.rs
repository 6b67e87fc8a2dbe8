//! The `bproxy` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    bproxy::cli::run()
}
