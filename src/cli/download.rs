//! `download`: a file that the browser fetches, where the person wants it.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value};

use super::every_act::EveryAct;
use super::global_args::Globals;
use super::place::Place;
use super::target::Target;
use super::{Error, Outcome, call, output};
use crate::agent;
use crate::protocol::{self, DownloadList};

/// Download a file: click what gives it, or fetch an address, and wait until it is complete
///
/// The browser does it, with its person's logins, and puts the file where its downloads go; --to moves it. The answer
/// says where it is, and its SHA-256. By click a tab gives one file: fetch further ones with --url. What the browser
/// holds to be dangerous waits for its person ("state":"waiting", exit status 1), and `bproxy wait --strategy download`
/// for that. A large file takes a larger --timeout.
#[derive(Args)]
#[command(
    subcommand_negates_reqs = true,
    group = ArgGroup::new("what to download").multiple(true).required(true).args([
        "url", "selector", "route_json", "element", "role", "name", "has_text", "label", "placeholder", "test_id",
    ]),
    group = ArgGroup::new("an element to click").multiple(true).conflicts_with("url").args([
        "selector", "route_json", "element", "role", "name", "has_text", "label", "placeholder", "test_id", "frame",
    ]),
    after_help = "Examples:\n  bproxy download --element ln4 -s m4q7z2\n  \
        bproxy download --url https://example.org/invoice/7 --to invoices/ -s m4q7z2"
)]
pub(super) struct Download {
    #[command(subcommand)]
    about: Option<About>,

    /// Fetch this address, with the person's cookies: http, https, blob or data
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    #[command(flatten)]
    target: Target,

    /// Move the file there: a name that no file has, or a folder
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,

    /// Replace a file that has this name
    #[arg(long, requires = "to")]
    force: bool,

    #[command(flatten)]
    every: EveryAct,
}

/// Verbs about downloads.
#[derive(Subcommand)]
enum About {
    /// List what the session's acts have downloaded, and what may be theirs or another's
    #[command(after_help = "Example:\n  bproxy download list -s m4q7z2")]
    List,
}

impl Download {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let Download { about, url, target, to, force, every } = self;
        if let Some(About::List) = about {
            return call::show(globals, &DownloadList {}.into());
        }
        // A place that will not do is better known before there is a file.
        let place = to.map(|to| Place::new(&to, force)).transpose()?;
        let (dialog, then) = every.given();
        let action = protocol::Download { target: target.given()?, url, dialog, then }.into();
        let mut waits = false;
        let outcome = call::show_changed(globals, &action, |body| {
            output::change_data(body, |mut data: Map<String, Value>| {
                match data.get("path").and_then(Value::as_str).map(PathBuf::from) {
                    Some(path) => add_file(&mut data, path, place.as_ref())?,
                    None => waits = true,
                }
                Ok(data)
            })
        })?;
        if waits && outcome == Outcome::Done {
            output::say(
                "the browser keeps the file back until its person decides: ask them to look at its downloads",
            );
            return Ok(Outcome::Refused);
        }
        Ok(outcome)
    }
}

/// Adds what the file at `path` holds, and where it is now.
fn add_file(
    data: &mut Map<String, Value>,
    path: PathBuf,
    place: Option<&Place>,
) -> Result<(), Error> {
    let sum =
        agent::sha256(&path).map_err(|source| Error::Unreadable { path: path.clone(), source })?;
    data.insert("sha256".to_owned(), sum.into());
    if let Some(place) = place {
        data.insert("path".to_owned(), text(&place.take(&path)?).into());
    }
    Ok(())
}

/// A path as JSON can hold it.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
