//! All unsafe code: the system calls that have no safe wrapper, and nothing else.
//!
//! `lib.rs` and `main.rs` forbid unsafe code everywhere else.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use rustix::io::{Errno, fcntl_getfd};

/// Takes ownership of a descriptor that a service manager opened for this process before it started. A manager names
/// each descriptor once, by its number.
///
/// # Errors
/// [`Errno::BADF`] when no descriptor with that number is open.
pub(crate) fn own_descriptor(number: RawFd) -> Result<OwnedFd, Errno> {
    if number < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: only asks the system whether the descriptor is open, which is allowed for any number.
    fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) })?;
    // SAFETY: the descriptor is open, and the caller is its only owner: the manager names each number once.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// The user whose process is on the other side of a Unix socket.
#[cfg(target_os = "linux")]
pub(crate) fn peer_user(socket: &impl AsFd) -> io::Result<u32> {
    // rustix fails where the process is not visible from here, such as that of a daemon outside of a container.
    let mut peer = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    let descriptor = socket.as_fd().as_raw_fd();
    let (level, name) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
    // SAFETY: the descriptor is open as long as it is borrowed; pointer and length are those of `peer`.
    match unsafe {
        libc::getsockopt(descriptor, level, name, (&raw mut peer).cast(), &raw mut length)
    } {
        0 => Ok(peer.uid),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The user whose process is on the other side of a Unix socket.
#[cfg(not(target_os = "linux"))]
pub(crate) fn peer_user(socket: &impl AsFd) -> io::Result<u32> {
    let (mut user, mut group) = (0, 0);
    // SAFETY: the descriptor is open as long as it is borrowed, and both pointers lead to variables of this function.
    match unsafe { libc::getpeereid(socket.as_fd().as_raw_fd(), &mut user, &mut group) } {
        0 => Ok(user),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Removes a variable from the environment, so that no child process inherits it.
pub(crate) fn remove_variable(variable: &OsStr) {
    // SAFETY: called at the very start of a daemon, while the process has one thread.
    unsafe { std::env::remove_var(variable) };
}

/// Runs `work` with all signals blocked on this thread. A signal that arrives meanwhile is delivered afterwards.
pub(crate) fn with_signals_blocked<T>(work: impl FnOnce() -> T) -> T {
    let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: the first call initializes the set that the second reads; the second initializes `before`.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr());
    }
    let result = work();
    // SAFETY: the call above, which cannot fail with these arguments, has initialized `before`.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    result
}

/// Changes a setting of glibc's allocator. A failure is ignored: it costs memory, not correctness.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn set_allocator(setting: std::ffi::c_int, value: std::ffi::c_int) {
    // SAFETY: changes the allocator's tuning, never the content of memory; allowed at any time.
    unsafe { libc::mallopt(setting, value) };
}

/// Returns the free memory that glibc's allocator holds to the system.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn return_free_memory() {
    // SAFETY: returns only pages without allocations; allowed at any time.
    unsafe { libc::malloc_trim(0) };
}
