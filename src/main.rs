//! The `bproxy` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    let result = bproxy::config::Config::from_env()
        .map_err(Into::into)
        .and_then(|config| bproxy::service::run(&config, bproxy::service::Mode::Service));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bproxy: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
