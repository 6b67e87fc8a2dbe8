//! What the compiler cannot vouch for: the calls that have no safe form, and nothing else.
//!
//! `lib.rs` and `main.rs` forbid unsafe code everywhere but here. What the calls are for is their callers' business.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use rustix::io::{Errno, fcntl_getfd};

/// Takes a descriptor into possession that a service manager has opened for this process before it began. Managers name
/// descriptors by their numbers, each once.
///
/// # Errors
/// [`Errno::BADF`] where there is none of that number.
pub(crate) fn possess(number: RawFd) -> Result<OwnedFd, Errno> {
    if number < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: only asks the system whether the number is in use, which it answers for any number.
    fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) })?;
    // SAFETY: it is open, and was opened for whoever calls this, once for each number that a manager names.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Removes a variable from the environment, so that no child of this process goes by it.
pub(crate) fn forget(variable: &OsStr) {
    // SAFETY: called first of all that a daemon does, when the process has one thread.
    unsafe { std::env::remove_var(variable) };
}

/// Does some work of this thread without its being interrupted by signals: those that come meanwhile are delivered
/// afterwards.
pub(crate) fn holding_signals_back<T>(work: impl FnOnce() -> T) -> T {
    let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: the first call makes the set that the second reads, which in turn makes the one for later.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
    }
    let done = work();
    // SAFETY: the call above, which cannot fail with these arguments, has made the set.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    done
}

/// Changes one of the settings of glibc's allocator. Where it has no effect, all else works.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn set_allocator(setting: std::ffi::c_int, value: std::ffi::c_int) {
    // SAFETY: it changes how memory is kept, never what is in it, which is allowed at any time.
    unsafe { libc::mallopt(setting, value) };
}

/// Returns to the system the memory that glibc's allocator holds and nobody uses.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn return_free_memory() {
    // SAFETY: it gives back pages that nothing lies in, which is allowed at any time.
    unsafe { libc::malloc_trim(0) };
}
