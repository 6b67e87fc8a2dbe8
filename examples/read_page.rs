//! Reads a page in the browser that its person already uses, from a program: with the library instead of the command
//! line.
//!
//! ```sh
//! cargo run --example read_page -- https://example.org
//! ```

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use bproxy::client;
use bproxy::protocol::{SessionClose, TabOpen, Text};

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
    let client = client::connect(home)?;
    let opened = client.call(
        TabOpen { url: url.into(), window: None, until: None, then: None },
        "",
        TIMEOUT,
    )?;
    let session = opened.session.as_str();
    let read = client.call(Text { selector: None, hidden: None, frame: None }, session, TIMEOUT);
    client.call(SessionClose {}, session, TIMEOUT)?;
    Ok(read?.text)
}
