//! Memory that large answers needed goes back to the system as soon as they have passed.
//!
//! With unsafe code: the C library offers no other way to say it.

use std::ffi::c_int;

/// What is larger gets pages of its own, which are returned when it is freed: screenshots and the text of long pages.
const OWN_PAGES_FROM: c_int = 2 * 1024 * 1024;

/// So much free memory at the end of the heap is kept, for the next answers of the usual size.
const KEPT: c_int = 1024 * 1024;

/// To be called once, before anything large is allocated.
///
/// Left to itself, glibc raises both limits to the size of the largest block that was ever freed, and a daemon that has
/// passed a few answers of 5 MiB on keeps up to four times that.
pub(super) fn return_when_freed() {
    #[expect(unsafe_code, reason = "no safe interface exists")]
    // SAFETY: it changes the allocator's settings only, which is allowed at any time.
    unsafe {
        // Where it has no effect, memory is kept longer and all else works.
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_PAGES_FROM);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
    }
}
