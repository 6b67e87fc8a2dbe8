//! A pseudo-terminal, for what commands show to people.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The controlling side of a pseudo-terminal.
pub struct Terminal(OwnedFd);

impl Terminal {
    /// A pseudo-terminal, and its other side for a command.
    pub fn new() -> (Self, File) {
        let outside = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&outside).and_then(|()| unlockpt(&outside)).expect("own terminal");
        let name = ptsname(&outside, Vec::new()).expect("a name").into_string().expect("text");
        // Without NOCTTY it becomes the tests' controlling terminal, and closing it would end them.
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

    /// What was shown, once every process has closed the other side.
    pub fn shown(&self) -> String {
        let mut shown = Vec::new();
        let mut part = [0; 4096];
        // The last read fails.
        while let Ok(length @ 1..) = rustix::io::read(&self.0, &mut part) {
            shown.extend_from_slice(&part[..length]);
        }
        String::from_utf8_lossy(&shown).into_owned()
    }
}
