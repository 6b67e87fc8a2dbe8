//! The animated line on a person's terminal during a wait. Where standard error is no terminal, nothing is shown.

use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::agent::Waiter;
use crate::client;

/// How often it changes: often enough to look alive.
const FRAME_TIME: Duration = Duration::from_millis(120);

const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// An animated line, ended when dropped.
pub(super) struct Spinner {
    shown: bool,
    frames: usize,
}

impl Spinner {
    pub(super) fn new() -> Spinner {
        Spinner { shown: io::stderr().is_terminal(), frames: 0 }
    }

    /// Blocks for `time`, and shows the text meanwhile.
    pub(super) fn sleep(&mut self, time: Duration, text: &str) {
        let end = Instant::now() + time;
        while self.shown && Instant::now() + FRAME_TIME < end {
            self.draw(text);
            thread::sleep(FRAME_TIME);
        }
        self.draw(text);
        thread::sleep(end.saturating_duration_since(Instant::now()));
    }

    fn draw(&mut self, text: &str) {
        if self.shown {
            let frame = FRAMES[self.frames % FRAMES.len()];
            self.frames += 1;
            let mut stderr = io::stderr();
            // A closed terminal does not end the wait.
            let _ = write!(stderr, "\r{frame} {text} ").and_then(|()| stderr.flush());
        }
    }
}

impl Waiter for Spinner {
    fn wait(&mut self, time: Duration, reason: &str) -> Result<(), client::Error> {
        self.sleep(time, reason);
        Ok(())
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if self.frames > 0 {
            let _ = writeln!(io::stderr());
        }
    }
}
