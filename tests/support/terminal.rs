//! A terminal of the test's own, for what commands show to people.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The outer end of a terminal.
pub struct Terminal(OwnedFd);

impl Terminal {
    /// A terminal, and its inner end for a command.
    pub fn new() -> (Self, File) {
        let outside = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&outside).and_then(|()| unlockpt(&outside)).expect("own terminal");
        let name = ptsname(&outside, Vec::new()).expect("a name").into_string().expect("text");
        // Not to become the tests' own terminal, whose end would end them.
        let inside = File::options()
            .read(true)
            .write(true)
            .custom_flags(OpenptFlags::NOCTTY.bits().cast_signed())
            .open(name)
            .expect("own terminal");
        (Self(outside), inside)
    }

    /// Types a text.
    pub fn type_in(&self, text: &str) {
        let written = rustix::io::write(&self.0, text.as_bytes()).expect("own terminal");
        assert_eq!(written, text.len(), "a line fits a terminal's buffer");
    }

    /// What was shown, once nobody has the inner end any longer.
    pub fn shown(&self) -> String {
        let mut shown = Vec::new();
        let mut part = [0; 4096];
        // It ends with an error.
        while let Ok(length @ 1..) = rustix::io::read(&self.0, &mut part) {
            shown.extend_from_slice(&part[..length]);
        }
        String::from_utf8_lossy(&shown).into_owned()
    }
}
