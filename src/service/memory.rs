//! Memory that large answers needed goes back to the system as soon as they have passed.

use std::ffi::c_int;

use crate::unchecked;

/// What is larger gets pages of its own, which are returned when it is freed: screenshots and the text of long pages.
const OWN_PAGES_FROM: c_int = 2 * 1024 * 1024;

/// So much free memory at the end of the heap is kept, for the next answers of the usual size.
const KEPT: c_int = 1024 * 1024;

/// To be called once, before anything large is allocated.
///
/// Left to itself, glibc raises both limits to the size of the largest block that was ever freed, and a daemon that has
/// passed a few answers of 5 MiB on keeps up to four times that.
pub(super) fn return_when_freed() {
    unchecked::set_allocator(libc::M_MMAP_THRESHOLD, OWN_PAGES_FROM);
    unchecked::set_allocator(libc::M_TRIM_THRESHOLD, KEPT);
}
