//! `screenshot`: a picture of the page, written to a file.

use std::borrow::Cow;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use clap::Args;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::global_args::{Globals, word};
use super::target::Target;
use super::{Error, Outcome, call, output};
use crate::client::request_id;
use crate::protocol::{self, Int, Mark, PictureFormat};

/// Take a picture of the page and print the path of its file
#[derive(Args)]
#[command(after_help = "Examples:\n  bproxy screenshot -s m4q7z2\n  \
    bproxy screenshot --activate --output-dir pictures -s m4q7z2\n  \
    bproxy screenshot --full-page --format webp --max-side 2000 -s m4q7z2\n  \
    bproxy screenshot --marks --element el3 -s m4q7z2")]
pub(super) struct Screenshot {
    /// Bring the tab to the front first
    #[arg(long)]
    activate: bool,

    /// Use Chrome's debugger interface; refused unless it is enabled
    #[arg(long)]
    debugger: bool,

    #[command(flatten)]
    target: Target,

    /// All of the page, or of what scrolls in the element: at most two windows' heights a second, and 40 in all
    #[arg(long)]
    full_page: bool,

    /// Draw frames with handles around what can be acted on
    #[arg(long)]
    marks: bool,

    /// The format of the file [default: png]
    #[arg(long, value_name = "FORMAT", value_parser = word::<PictureFormat>(PictureFormat::WORDS))]
    format: Option<PictureFormat>,

    /// How good a jpeg or webp is, 1 to 100 [default: 80]
    #[arg(long, value_name = "N")]
    quality: Option<Int<1, 100>>,

    /// Scale the picture down until no side is longer, in pixels, 100 to 8000
    #[arg(long, value_name = "PX")]
    max_side: Option<Int<100, 8000>>,

    /// The folder for the file [default: the session's own, which is removed with the session]
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Picture<'a> {
    #[serde(borrow)]
    base64: Cow<'a, str>,
    #[serde(borrow)]
    format: Cow<'a, str>,
    #[serde(flatten)]
    facts: Facts,
}

/// What is told of a picture besides itself.
#[derive(Serialize, Deserialize, Default)]
struct Facts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    height: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uniform: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capped: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    marks: Option<Vec<Mark>>,
}

#[derive(Serialize)]
struct Written {
    path: PathBuf,
    format: String,
    #[serde(flatten)]
    facts: Facts,
}

impl Screenshot {
    pub(super) fn run(self, globals: &Globals) -> Result<Outcome, Error> {
        let Screenshot {
            activate,
            debugger,
            target,
            full_page,
            marks,
            format,
            quality,
            max_side,
            output_dir,
        } = self;
        let dir = match output_dir {
            Some(dir) => dir,
            None => globals.home()?.session_dir(globals.session()),
        };
        let action = protocol::Screenshot {
            activate: activate.then_some(true),
            debugger: debugger.then_some(true),
            target: target.given()?,
            full_page: full_page.then_some(true),
            marks: marks.then_some(true),
            format,
            quality,
            max_side,
        }
        .into();
        call::show_changed(globals, &action, |body| {
            output::change_data(body, |picture: Picture<'_>| write_to(&dir, picture))
        })
    }
}

fn write_to(dir: &Path, picture: Picture<'_>) -> Result<Written, Error> {
    // The format becomes part of a file's name, so it must not contain a path.
    let format = match &*picture.format {
        format if !format.is_empty() && format.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            format
        }
        format => return Err(Error::Answer(format!("{format:?} is not an image format"))),
    };
    let bytes = BASE64
        .decode(picture.base64.as_bytes())
        .map_err(|error| Error::Answer(format!("the image is damaged: {error}")))?;
    let dir =
        std::path::absolute(dir).map_err(|source| Error::Write { path: dir.to_owned(), source })?;
    let path = dir.join(format!("screenshot-{}.{format}", request_id()));
    write_new(&dir, &path, &bytes).map_err(|source| Error::Write { path: path.clone(), source })?;
    Ok(Written { path, format: format.to_owned(), facts: picture.facts })
}

/// For this user alone: a page may show anything.
fn write_new(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture<'a>(base64: &'a str, format: &'a str) -> Picture<'a> {
        Picture { base64: base64.into(), format: format.into(), facts: Facts::default() }
    }

    #[test]
    fn a_picture_becomes_a_file_of_its_format() {
        let dir = tempfile::tempdir().unwrap();
        let written = write_to(&dir.path().join("new"), picture("aGVsbG8=", "png")).unwrap();
        assert_eq!(std::fs::read(&written.path).unwrap(), b"hello");
        assert_eq!(written.path.extension().unwrap(), "png");
        assert!(written.path.is_absolute());
    }

    #[test]
    fn an_invalid_picture_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        for bad in [picture("a", "png"), picture("aGVsbG8=", "../x"), picture("aGVsbG8=", "")] {
            assert!(matches!(write_to(dir.path(), bad), Err(Error::Answer(_))));
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
