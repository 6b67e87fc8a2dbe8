//! Reads a page in the browser that its person already uses, from a program: with the library instead of the command
//! line.
//!
//! ```sh
//! cargo run --example read_page -- https://example.org
//! ```

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use bproxy::client::{self, Client, request_id};
use bproxy::protocol::{self, Action};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long each command may take.
const TIMEOUT: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    let url = std::env::args().nth(1).ok_or("usage: read_page URL")?;
    println!("{}", read_page(None, &url)?);
    Ok(())
}

/// Opens the page in a session of its own, reads its text, and closes the session. The daemon is that of the state
/// directory `home`, or of the environment.
pub(crate) fn read_page(home: Option<&Path>, url: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Opened {
        session: String,
    }
    #[derive(Deserialize)]
    struct Read {
        text: String,
    }
    let client = client::connect(home)?;
    let Opened { session } = ask(&client, "", &protocol::TabOpen { url: url.into() }.into())?;
    let read = ask(&client, &session, &protocol::Text { selector: None }.into());
    let _: IgnoredAny = ask(&client, &session, &protocol::SessionClose {}.into())?;
    read.map(|Read { text }| text)
}

/// The result of a command. If it fails, the error says what happened and what to run next.
fn ask<T: DeserializeOwned>(client: &Client, session: &str, action: &Action) -> Result<T> {
    Ok(client.command(&request_id(), action, session, TIMEOUT)?.data()?)
}
