//! Reads a page in the browser that its person already uses, from a program: the library in place of the command line.
//!
//! ```sh
//! cargo run --example read_page -- https://example.org
//! ```

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use bproxy::client::{self, Client, request_id};
use bproxy::config;
use bproxy::home::Home;
use bproxy::protocol::{Action, SessionClose, TabOpen, Text};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// How long each command may take.
const TIMEOUT: Duration = Duration::from_secs(30);

fn main() -> Result<()> {
    let url = std::env::args().nth(1).ok_or("usage: read_page URL")?;
    println!("{}", read_page(&config::home_from_env()?, &url)?);
    Ok(())
}

/// Opens the page in a session of its own, reads its text, and closes the session.
pub(crate) fn read_page(home: &Path, url: &str) -> Result<String> {
    let secrets = config::secrets_from_env(home)?;
    let home = Home::find(home)?.ok_or(client::Error::NotRunning)?;
    let client = Client::with_token(&home, secrets)?;
    let opened = ask(&client, "", &TabOpen { url: url.into() }.into())?;
    let session = opened["session"].as_str().ok_or("no session")?;
    let read = ask(&client, session, &Text { selector: None }.into());
    ask(&client, session, &SessionClose {}.into())?;
    Ok(read?["text"].as_str().ok_or("no text")?.to_owned())
}

/// The `data` of a success; a failure is an error that says what happened and what to run next.
fn ask(client: &Client, session: &str, action: &Action) -> Result<Value> {
    let answer = client.command(&request_id(), action, session, TIMEOUT)?;
    let mut envelope: Value = serde_json::from_slice(&answer.body)?;
    match answer.ok {
        true => Ok(envelope["data"].take()),
        false => Err(envelope["error"].to_string().into()),
    }
}
