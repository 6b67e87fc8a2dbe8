//! How many descriptors the daemon may have open. With too few it would start and then serve nobody.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::protocol::MIN_DESCRIPTORS;

/// The process may open too few files.
#[derive(Debug, thiserror::Error)]
#[error(
    "this process may have {allowed} files open, and the daemon needs {MIN_DESCRIPTORS} at least: raise the limit, with \
     `ulimit -n 1024` in a shell or LimitNOFILE= of the service"
)]
pub struct TooFew {
    allowed: u64,
}

/// Makes sure that the process may open enough files. Raises its own limit where that is allowed.
///
/// # Errors
/// When it is not.
pub(super) fn ensure() -> Result<(), TooFew> {
    let needed = MIN_DESCRIPTORS as u64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    // A failure leaves the limit as it is.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    match getrlimit(Resource::Nofile).current {
        Some(allowed) if allowed < needed => Err(TooFew { allowed }),
        _ => Ok(()),
    }
}
