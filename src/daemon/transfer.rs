//! `POST /files` takes a file for a session, and `GET /files/flN` gives it to the extension: both a piece at a time, so
//! that a file of any size costs little memory. What is kept of a file is `SESSION_DIRECTORY/flN/NAME`.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::{Buf, Bytes};
use data_encoding::HEXLOWER;
use futures_util::{Stream, StreamExt as _, stream};
use percent_encoding::percent_decode_str;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use warp::{
    Reply as _,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE},
    },
    reply::Response,
};

use super::{Context, connection_limit::Connection, now, rejection};
use crate::{
    home::ARRIVING,
    protocol::{
        ErrorCode, FILE_TIME, FileHandle, MAX_ARRIVALS, MAX_FILE_BYTES, MAX_NAME_BYTES,
        MAX_SESSION_BYTES, SessionId, StoredFile, kept_name,
    },
    state::{Arrival, FileRefusal},
};

const OCTETS: &str = "application/octet-stream";

/// How much of a file is read at once.
const PIECE_BYTES: usize = 128 * 1024;

/// Takes a file.
pub(super) async fn take<S, B>(
    context: Arc<Context>,
    query: String,
    headers: HeaderMap,
    body: S,
) -> Response
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let taken = async {
        check_type(&headers)?;
        let Query { session, name } = parse(&query)?;
        let declared =
            headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let refused = |refusal| refused(refusal, session);
        let arrival = context.state.begin_file(session, declared, now()).map_err(refused)?;
        let directory = context.options.home.session_dir(session.as_str());
        let mut place = Place::create(&context, &directory, &name).map_err(failed)?;
        let read = receive(arrival, &mut place, session, body);
        let Ok(read) = tokio::time::timeout(FILE_TIME, read).await else {
            let message = "the file did not arrive in time: send it again";
            return Err(rejection::refused(StatusCode::BAD_REQUEST, "BAD_REQUEST", message));
        };
        let (arrival, sha256, bytes) = read?;
        let keep = |file: &FileHandle| place.keep(&directory.join(file.as_str()));
        let file = arrival.complete(&name, keep).map_err(refused)?.map_err(failed)?;
        tracing::info!(event = "file_kept", session = %session, file = file.as_str(), bytes);
        let data = StoredFile { file, name, bytes, sha256 };
        Ok(rejection::json(StatusCode::OK, json!({"ok": true, "data": data}).to_string()))
    };
    taken.await.unwrap_or_else(|refusal| refusal)
}

fn check_type(headers: &HeaderMap) -> Result<(), Response> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.map(|kind| kind.split(';').next().unwrap_or_default().trim());
    if kind.is_some_and(|kind| kind.eq_ignore_ascii_case(OCTETS)) {
        return Ok(());
    }
    let message = format!("the body must be the file itself: send `Content-Type: {OCTETS}`");
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Err(rejection::refused(status, "UNSUPPORTED_MEDIA_TYPE", &message))
}

/// For which session a file is, and by which name it is kept.
struct Query {
    session: SessionId,
    name: String,
}

fn parse(query: &str) -> Result<Query, Response> {
    let bad = |message: &str| rejection::refused(StatusCode::BAD_REQUEST, "BAD_REQUEST", message);
    let (mut session, mut name) = (None, None);
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let known = match key {
            "session" => &mut session,
            "name" => &mut name,
            _ => return Err(bad(&format!("`{key}`: is not known: name `session` and `name`"))),
        };
        if known.replace(value.replace('+', " ")).is_some() {
            return Err(bad(&format!("`{key}`: is there twice")));
        }
    }
    let session = session.as_deref().and_then(|session| session.parse().ok());
    let session = session.ok_or_else(|| {
        bad("`session`: expected the id of a session, six characters of a-z and 2-7")
    })?;
    let name = name.unwrap_or_default();
    let name = percent_decode_str(&name).decode_utf8().ok();
    let name = name.filter(|name| (1..=MAX_NAME_BYTES).contains(&name.len())).ok_or_else(|| {
        bad(&format!("`name`: expected 1 to {MAX_NAME_BYTES} bytes of UTF-8, percent-encoded"))
    })?;
    Ok(Query { session, name: kept_name(&name) })
}

/// Writes what arrives; gives its SHA-256 and its size.
async fn receive<S, B>(
    mut arrival: Arrival,
    place: &mut Place<'_>,
    session: SessionId,
    body: S,
) -> Result<(Arrival, String, u64), Response>
where
    S: Stream<Item = Result<B, warp::Error>>,
    B: Buf,
{
    let mut body = std::pin::pin!(body);
    let mut bytes = 0;
    let mut writer = place.writer().map_err(failed)?;
    while let Some(part) = body.next().await {
        let Ok(mut part) = part else {
            let message = "the file ended before it was complete: send it again";
            return Err(rejection::refused(StatusCode::BAD_REQUEST, "BAD_REQUEST", message));
        };
        while part.has_remaining() {
            let piece = part.copy_to_bytes(part.chunk().len());
            bytes += piece.len() as u64;
            arrival.grow(piece.len() as u64).map_err(|refusal| refused(refusal, session))?;
            writer = writer.write(piece).await.map_err(failed)?;
        }
    }
    Ok((arrival, HEXLOWER.encode(&writer.hash.finalize()), bytes))
}

/// Writes to a file on threads that may block, and hashes what it writes.
struct Writer {
    file: File,
    hash: Sha256,
}

impl Writer {
    async fn write(mut self, piece: Bytes) -> io::Result<Self> {
        let write = move || {
            self.file.write_all(&piece)?;
            self.hash.update(&piece);
            Ok(self)
        };
        tokio::task::spawn_blocking(write).await.map_err(io::Error::other)?
    }
}

/// The directory of a file that is arriving, which is removed unless the file is kept.
struct Place<'a> {
    context: &'a Context,
    path: PathBuf,
    name: String,
    is_kept: bool,
}

impl<'a> Place<'a> {
    fn create(context: &'a Context, directory: &Path, name: &str) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let path = directory.join(format!("{ARRIVING}{:032x}", rand::random::<u128>()));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { context, path, name: name.to_owned(), is_kept: false })
    }

    fn writer(&self) -> io::Result<Writer> {
        let mut options = OpenOptions::new();
        let file =
            options.write(true).create_new(true).mode(0o600).open(self.path.join(&self.name))?;
        Ok(Writer { file, hash: Sha256::new() })
    }

    fn keep(&mut self, path: &Path) -> io::Result<()> {
        std::fs::rename(&self.path, path)?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        let path = std::mem::take(&mut self.path);
        // A large file takes a while to remove. Whose session has ended is gone already.
        self.context.tasks.spawn_blocking(move || std::fs::remove_dir_all(path));
    }
}

fn refused(refusal: FileRefusal, session: SessionId) -> Response {
    let mib = |bytes: u64| format!("{} MiB", bytes / 1024 / 1024);
    let (status, code, message) = match refusal {
        FileRefusal::NoSession => (
            StatusCode::NOT_FOUND,
            ErrorCode::SessionNotFound.name(),
            format!("there is no session {session}: it was closed, or nobody used it for too long"),
        ),
        FileRefusal::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "PAYLOAD_TOO_LARGE",
            format!("the file is larger than {}", mib(MAX_FILE_BYTES)),
        ),
        FileRefusal::Full => (
            StatusCode::INSUFFICIENT_STORAGE,
            ErrorCode::StorageFull.name(),
            format!(
                "the files of session {session} may take {} in all: close it, and go on in another one",
                mib(MAX_SESSION_BYTES)
            ),
        ),
        FileRefusal::Busy => (
            StatusCode::SERVICE_UNAVAILABLE,
            ErrorCode::Overloaded.name(),
            format!("{MAX_ARRIVALS} files are arriving already: wait for one of them"),
        ),
        FileRefusal::Draining => return rejection::reply(rejection::shutting_down()),
    };
    rejection::refused(status, code, &message)
}

/// The disk does not take the file.
fn failed(error: io::Error) -> Response {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    if matches!(error.kind(), FileTooLarge | QuotaExceeded | StorageFull) {
        let message = format!(
            "the disk that holds bproxy's state directory has no room for the file ({error}): make room there, or set BPROXY_HOME to another disk"
        );
        let status = StatusCode::INSUFFICIENT_STORAGE;
        return rejection::refused(status, ErrorCode::StorageFull.name(), &message);
    }
    let message = format!("the file could not be kept in bproxy's state directory: {error}");
    rejection::refused(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", &message)
}

/// Gives a file of a session. `query` is exactly one parameter `session`.
pub(super) async fn give(
    context: Arc<Context>,
    file: String,
    query: String,
    connection: Connection,
) -> Response {
    let given = open(&context, &file, &query).await;
    let Some((opened, bytes)) = given else {
        let message = format!("there is no file {file}: it ended with its session, or never was");
        let code = ErrorCode::FileNotFound.name();
        return rejection::refusal(StatusCode::NOT_FOUND, code, &message);
    };
    let mut response = warp::reply::stream(pieces(opened, Busy(connection))).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(OCTETS));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The file and its size.
async fn open(context: &Context, file: &str, query: &str) -> Option<(File, u64)> {
    let session: SessionId = query.strip_prefix("session=")?.parse().ok()?;
    let handle: FileHandle = file.parse().ok()?;
    let kept = context.state.file(session, &handle)?;
    let directory = context.options.home.session_dir(session.as_str());
    let path = directory.join(handle.as_str()).join(kept.name);
    let open = move || {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        Ok::<_, io::Error>((file, bytes))
    };
    let opened = tokio::task::spawn_blocking(open).await.map_err(io::Error::other).flatten();
    opened.inspect_err(|error| tracing::warn!(event = "file_lost", problem = %error)).ok()
}

/// Lives as long as a file is given; then its connection is idle again.
struct Busy(Connection);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.mark_idle();
    }
}

fn pieces(file: File, busy: Busy) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
    stream::unfold((file, busy), |(mut file, busy)| async {
        let read = move || {
            let mut piece = vec![0; PIECE_BYTES];
            let length = file.read(&mut piece)?;
            piece.truncate(length);
            Ok::<_, io::Error>((file, piece))
        };
        match tokio::task::spawn_blocking(read).await.map_err(io::Error::other).flatten() {
            Ok((_, piece)) if piece.is_empty() => None,
            Ok((file, piece)) => Some((Ok(piece.into()), (file, busy))),
            // The answer ends short of its length, by which the browser knows.
            Err(error) => {
                tracing::warn!(event = "file_lost", problem = %error);
                None
            }
        }
    })
}
