//! Memory for large answers: kept for the next ones, and returned to the system with the next heartbeat.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use crate::sys;

/// Blocks of up to this size lie in the heap, and so much of it is kept while it is free: screenshots and the text of
/// long pages find pages that have been used before, which is much faster than new ones. The most that glibc takes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: std::ffi::c_int = 32 * 1024 * 1024;

/// Keeps freed memory until [`release`]. To be called once, before anything large is allocated.
///
/// Left to itself, glibc raises its limits to the size of the largest block that was ever freed, and keeps up to four
/// times that for ever. Other allocators are left as they are.
pub(super) fn keep() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        sys::set_allocator(libc::M_MMAP_THRESHOLD, KEPT_BYTES);
        sys::set_allocator(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
    }
}

/// Returns free memory to the system.
pub(super) fn release() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    sys::return_free_memory();
}
