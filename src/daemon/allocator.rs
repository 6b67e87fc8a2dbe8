//! Memory for large answers: kept for the next ones, and returned to the system with the next heartbeat.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use crate::sys;

/// Blocks of up to this size are allocated in the heap, and this much free memory is kept there: screenshots and long
/// texts then reuse mapped pages, which is much faster than mapping new ones. The maximum that glibc accepts.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: std::ffi::c_int = 32 * 1024 * 1024;

/// Keeps freed memory until [`release`]. Call it once, before anything large is allocated.
///
/// By default, glibc raises its limits to the size of the largest block ever freed, and then keeps up to four times
/// that. Other allocators are not changed.
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
