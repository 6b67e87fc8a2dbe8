//! `token …`: where the tokens are stored, and replacing the daemon's.

use clap::Subcommand;
use serde_json::json;

use super::global_args::Globals;
use super::{Error, Outcome};
use crate::config::Config;
use crate::home::Home;
use crate::secrets;
use crate::service::manager;

/// Find or replace the tokens
#[derive(Subcommand)]
pub(super) enum Token {
    /// Replace the token that commands send to the daemon
    ///
    /// A running daemon is restarted. Its sessions go on, and the browser stays paired: `bproxy pair` replaces its
    /// token.
    #[command(after_help = "Example:\n  bproxy token rotate")]
    Rotate,
    /// Print where the tokens are stored, and never the tokens themselves
    #[command(visible_alias = "where", after_help = "Example:\n  bproxy token path")]
    Path,
}

impl Token {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let path = globals.home_path()?;
        let choice = Config::from_env(Some(&path))?.secrets;
        let line = match self {
            Token::Path => json!(secrets::token_locations(choice, &Home::unopened(&path)?)),
            Token::Rotate => {
                if let Some(home) = Home::find(&path)? {
                    secrets::rotate(choice, &home)?;
                }
                let running = manager::status(&path)?.is_running();
                if running {
                    // Its result has a pairing code, which a browser that stays paired does not need.
                    manager::restart_in_place(&path)?;
                } else if let Some(home) = Home::find(&path)? {
                    // A killed daemon may have left one, which the next command would use.
                    secrets::remove_runtime_copy(&home);
                }
                json!({"rotated": true, "restarted": running})
            }
        };
        globals.print(line.to_string().into_bytes())?;
        Ok(Outcome::Done)
    }
}
