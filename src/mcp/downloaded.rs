//! A file that `download` has fetched, as a model gets it: its SHA-256, and a small text or picture itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use rmcp::model::{ContentBlock, ResourceContents};
use serde_json::{Map, Value};

use super::answer::Success;
use super::untrusted::with_provenance;
use crate::agent;
use crate::protocol::{Action, Download, Provenance};

/// The largest text that is given itself, in bytes: as much as a model reads at once.
const MAX_TEXT_BYTES: u64 = 25_000;
/// The largest picture: clients pass on little more.
const MAX_PICTURE_BYTES: u64 = 512 * 1024;
/// The pictures that models see.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// Adds what the file holds to the answer to a download, and gives the file itself if it is small. The error is for the
/// model to read.
pub(super) async fn give(
    action: &Action,
    success: &mut Success,
) -> Result<Option<ContentBlock>, String> {
    if action.get::<Download>().is_none() {
        return Ok(None);
    }
    // What the browser keeps back has no path yet.
    let Some(path) = member(&success.data, "path").map(PathBuf::from) else { return Ok(None) };
    let mime = member(&success.data, "mime").unwrap_or_default().to_owned();
    let reading = tokio::task::spawn_blocking({
        let path = path.clone();
        move || read(&path, &mime)
    });
    let read = reading.await.map_err(|error| format!("the file was not read: {error}"))?;
    let (sum, content) = read.map_err(|error| {
        let path = with_provenance(path.display().to_string(), Provenance::Page);
        format!("the browser has the file, but it cannot be read from here: {error}\n{path}")
    })?;
    success.data.insert("sha256".to_owned(), sum.into());
    Ok(content)
}

fn member<'a>(data: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    data.get(name).and_then(Value::as_str)
}

fn read(path: &Path, mime: &str) -> io::Result<(String, Option<ContentBlock>)> {
    let sum = agent::sha256(path)?;
    let bytes = fs::metadata(path)?.len();
    let is_picture = PICTURES.contains(&mime) && bytes <= MAX_PICTURE_BYTES;
    let content = if is_picture {
        Some(ResourceContents::blob(BASE64.encode(&fs::read(path)?), address(path)))
    } else if is_text(mime) && bytes <= MAX_TEXT_BYTES {
        // What is no text after all is a file like any other.
        String::from_utf8(fs::read(path)?).ok().map(|text| {
            ResourceContents::text(with_provenance(text, Provenance::Page), address(path))
        })
    } else {
        None
    };
    Ok((sum, content.map(|it| ContentBlock::resource(it.with_mime_type(mime)))))
}

/// Whether a server that says so gives a text.
fn is_text(mime: &str) -> bool {
    let ends = ["/json", "+json", "/xml", "+xml"];
    mime.starts_with("text/") || ends.iter().any(|end| mime.ends_with(end))
}

/// The address of a file.
fn address(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let written = bytes.map(|byte| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' => char::from(*byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(*byte).to_string(),
        byte => format!("%{byte:02X}"),
    });
    format!("file://{}", written.collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// What a model gets of a file of this type.
    fn given(mime: &str, holds: &[u8]) -> Value {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b.txt");
        fs::write(&path, holds).unwrap();
        let (sum, content) = read(&path, mime).unwrap();
        assert_eq!(sum.len(), 64);
        serde_json::to_value(content).unwrap()
    }

    #[test]
    fn a_small_text_is_given_in_the_fence_and_a_small_picture_as_it_is() {
        let text = given("text/csv", b"a,b");
        let resource = &text["resource"];
        assert!(resource["text"].as_str().unwrap().contains("\na,b\n</page-content mark="));
        assert_eq!(resource["mimeType"], "text/csv");
        assert!(resource["uri"].as_str().unwrap().ends_with("/a%20b.txt"), "{text}");
        let picture = given("image/png", b"\x89PNG");
        assert_eq!(picture["resource"]["blob"], json!(BASE64.encode(b"\x89PNG")));
    }

    #[test]
    fn what_is_large_or_neither_text_nor_picture_is_not_given() {
        for (mime, holds) in [
            ("application/pdf", &b"%PDF"[..]),
            ("text/plain", &b"\xff\xfe"[..]),
            ("text/plain", &[b'a'; 25_001][..]),
            ("image/png", &[0; 512 * 1024 + 1][..]),
            ("image/svg+xml; charset=utf-8", &b"<svg/>"[..]),
        ] {
            assert_eq!(given(mime, holds), Value::Null, "{mime}");
        }
    }
}
