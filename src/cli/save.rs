//! `save`: the page as one file.

use std::borrow::Cow;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use clap::Args;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::global_args::{Globals, word};
use super::place::Place;
use super::{Error, Outcome, call, output};
use crate::client::request_id;
use crate::protocol::{self, SaveFormat};

/// Save the page as it is now, with its styles and pictures, as one file
///
/// mhtml is what browsers save as a web page in a single file, and open again. A file of more than 12 MiB is refused.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  bproxy save -s m4q7z2\n  bproxy save --format mhtml --to report.mhtml --force -s m4q7z2"
)]
pub(super) struct Save {
    /// The format of the file
    #[arg(long, value_name = "FORMAT", default_value = "mhtml",
        value_parser = word::<SaveFormat>(SaveFormat::WORDS))]
    format: SaveFormat,

    /// Where to write it: a name that no file has, or a folder [default: the session's own, which is removed with the
    /// session]
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,

    /// Replace a file that has this name
    #[arg(long, requires = "to")]
    force: bool,
}

#[derive(Deserialize)]
struct Saved<'a> {
    #[serde(borrow)]
    base64: Cow<'a, str>,
}

#[derive(Serialize)]
struct Written {
    path: PathBuf,
    format: SaveFormat,
    bytes: usize,
}

impl Save {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let Self { format, to, force } = self;
        let to = match to {
            Some(to) => to,
            None => {
                let own = globals.home()?.session_dir(globals.session());
                let made = DirBuilder::new().recursive(true).mode(0o700).create(&own);
                made.map_err(|source| Error::Write { path: own.clone(), source })?;
                own
            }
        };
        let place = Place::new(&to, force)?;
        let action = protocol::Save { format }.into();
        call::show_changed(globals, &action, |body| {
            output::change_data(body, |saved: Saved<'_>| {
                let page = BASE64
                    .decode(saved.base64.as_bytes())
                    .map_err(|error| Error::Answer(format!("the file is damaged: {error}")))?;
                let name = format!("page-{}.{}", request_id(), format.as_str());
                Ok(Written { path: place.write(&name, &page)?, format, bytes: page.len() })
            })
        })
    }
}
