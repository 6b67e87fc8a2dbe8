//! Giving files to a session before a command names them.

use std::time::{Duration, Instant};

use super::Waiter;
use crate::client::{Answer, Error, LocalFile, request_id};
use crate::protocol::{ErrorCode, FileHandle, ProtocolError, StoredFile, failure};

/// How often to ask again while other files are arriving.
const POLL: Duration = Duration::from_millis(100);

/// Calls `give` for each file, and again for up to `limit` while as many are arriving as may. The names that the files have
/// in the session, in their order; or the answer that says why one was not taken.
///
/// # Errors
/// Those of `give` that are no answer of the protocol, and [`Error::Cancelled`] from the waiter.
pub fn give_files(
    files: &mut [LocalFile],
    session: &str,
    limit: Duration,
    mut waiter: impl Waiter,
    mut give: impl FnMut(&mut LocalFile) -> Result<StoredFile, Error>,
) -> Result<Result<Vec<FileHandle>, Answer>, Error> {
    let end = Instant::now() + limit;
    let mut given = Vec::new();
    for file in files {
        loop {
            match give(file) {
                Ok(StoredFile { file, .. }) => break given.push(file),
                Err(Error::Refused { code, message, status }) => {
                    let Some(known) = ErrorCode::from_name(&code) else {
                        return Err(Error::Refused { code, message, status });
                    };
                    let left = end.saturating_duration_since(Instant::now());
                    if known != ErrorCode::Overloaded || left.is_zero() {
                        let error = ProtocolError::new(known, message, session);
                        let body = failure(&request_id(), &error);
                        return Ok(Err(Answer { ok: false, body }));
                    }
                    waiter.wait(left.min(POLL), "waiting for other files")?;
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(Ok(given))
}
