//! What people can take out of a connection by hand: its last screenshots, which are kept here, and the files that the
//! current session has downloaded, which are where the browser has put them.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use data_encoding::BASE64;
use rmcp::model::{Resource, ResourceContents};
use serde_json::Value;

use super::answer;
use super::calls::Calls;
use crate::protocol::DownloadList;

/// How many screenshots are kept, the last ones: each may have megabytes.
const MAX_PICTURES: usize = 8;

/// The largest file that is given out: clients hold it in memory, a third larger.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

const PICTURES: &str = "bproxy://screenshots/";
const FILES: &str = "bproxy://downloads/";

/// The last screenshots of a connection.
#[derive(Default)]
pub(super) struct Pictures(Mutex<State>);

#[derive(Default)]
struct State {
    /// The last one is the last.
    kept: VecDeque<Picture>,
    count: u64,
}

#[derive(Clone)]
struct Picture {
    number: u64,
    mime: String,
    base64: String,
}

impl Pictures {
    /// Keeps a picture.
    pub(super) fn keep(&self, mime: &str, base64: &str) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.count += 1;
        let (number, mime, base64) = (state.count, mime.to_owned(), base64.to_owned());
        if state.kept.len() == MAX_PICTURES {
            state.kept.pop_front();
        }
        state.kept.push_back(Picture { number, mime, base64 });
    }

    fn list(&self) -> Vec<Resource> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let resource = |Picture { number, mime, base64 }: &Picture| {
            Resource::new(format!("{PICTURES}{number}"), format!("screenshot-{number}"))
                .with_title(format!("Screenshot {number}"))
                .with_mime_type(mime)
                .with_size(base64.len() as u64 / 4 * 3)
        };
        state.kept.iter().map(resource).collect()
    }

    fn get(&self, number: &str) -> Option<Picture> {
        let number: u64 = number.parse().ok()?;
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.kept.iter().find(|picture| picture.number == number).cloned()
    }
}

/// A file that is complete.
struct File {
    name: String,
    mime: Option<String>,
    bytes: u64,
    path: PathBuf,
}

impl Calls {
    /// What there is to take.
    pub(super) async fn resources(&self) -> Vec<Resource> {
        let resource = |(index, file): (usize, File)| {
            let resource = Resource::new(format!("{FILES}{}", index + 1), file.name);
            let resource = resource.with_title(format!("Download {}", index + 1));
            let resource = resource.with_size(file.bytes);
            match file.mime {
                Some(mime) => resource.with_mime_type(mime),
                None => resource,
            }
        };
        let files = self.files().await.into_iter().enumerate().map(resource);
        self.pictures.list().into_iter().chain(files).collect()
    }

    /// The contents of a resource; the error says why there are none.
    pub(super) async fn resource(&self, uri: &str) -> Result<ResourceContents, String> {
        if let Some(number) = uri.strip_prefix(PICTURES) {
            let picture = self.pictures.get(number);
            let Picture { mime, base64, .. } = picture.ok_or_else(|| {
                format!("{uri}: only the last {MAX_PICTURES} screenshots are kept")
            })?;
            return Ok(ResourceContents::blob(base64, uri).with_mime_type(mime));
        }
        let number = uri.strip_prefix(FILES).and_then(|number| number.parse::<usize>().ok());
        let index = number.and_then(|number| number.checked_sub(1));
        let file = match index {
            Some(index) => self.files().await.into_iter().nth(index),
            None => None,
        };
        let file = file.ok_or_else(|| format!("{uri}: there is no such screenshot or download"))?;
        if file.bytes > MAX_FILE_BYTES {
            return Err(format!(
                "{uri}: more than {MAX_FILE_BYTES} bytes; it is at {:?}",
                file.path
            ));
        }
        let path = file.path.clone();
        let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
        let bytes = read.map_err(|error| error.to_string())?;
        let bytes =
            bytes.map_err(|error| format!("{uri}: {:?} cannot be read: {error}", file.path))?;
        let contents = ResourceContents::blob(BASE64.encode(&bytes), uri);
        Ok(match file.mime {
            Some(mime) => contents.with_mime_type(mime),
            None => contents,
        })
    }

    /// The files that the current session has downloaded; none where there is no session yet, or nobody to ask.
    async fn files(&self) -> Vec<File> {
        let Some(session) = self.sessions.existing().await else { return Vec::new() };
        let listed = self.daemon.command(DownloadList {}.into(), session, self.timeout).await;
        let Some(Ok(success)) = listed.ok().and_then(|answer| answer::outcome(&answer).ok()) else {
            return Vec::new();
        };
        let file = |entry: &Value| {
            let member = |name: &str| entry[name].as_str().map(str::to_owned);
            // What may as well be the person's own is not given out.
            let is_ours = entry["state"] == "complete" && entry["ambiguous"] != true;
            let path = member("path").filter(|_| is_ours)?.into();
            let (mime, bytes) = (member("mime"), entry["bytes"].as_u64()?);
            Some(File { name: member("name")?, mime, bytes, path })
        };
        success
            .data
            .get("downloads")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(file)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_pictures_are_kept_by_their_numbers() {
        let pictures = Pictures::default();
        for number in 1..=MAX_PICTURES + 1 {
            pictures.keep("image/png", &BASE64.encode(number.to_string().as_bytes()));
        }
        let uris: Vec<_> = pictures.list().into_iter().map(|it| it.uri).collect();
        assert_eq!((uris.len(), &*uris[0]), (MAX_PICTURES, "bproxy://screenshots/2"));
        assert!(pictures.get("1").is_none() && pictures.get("x").is_none());
        assert_eq!(pictures.get("9").unwrap().base64, BASE64.encode(b"9"));
    }
}
