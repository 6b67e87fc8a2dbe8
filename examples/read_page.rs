//! Reads a page in the browser that its person already uses, from a program: with the library instead of the command
//! line.
//!
//! ```sh
//! cargo run --example read_page -- https://example.org
//! ```

use std::error::Error;
use std::path::Path;

use bproxy::client;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let url = std::env::args().nth(1).ok_or("usage: read_page URL")?;
    println!("{}", read_page(None, &url)?);
    Ok(())
}

/// Opens the page in a session of its own, reads its text, and closes the session. The daemon is that of the state
/// directory `home`, or of the environment.
pub(crate) fn read_page(home: Option<&Path>, url: &str) -> Result<String> {
    let client = client::connect(home)?;
    let session = client.session("read_page")?;
    let read = session.open(url).and_then(|session| session.text());
    session.close()?;
    Ok(read?)
}
