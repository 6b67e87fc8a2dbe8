//! What a person sees of a wait: a line on the terminal that turns. Where standard error is no terminal, nothing.

use std::io::{self, IsTerminal, Write};
use std::thread;
use std::time::{Duration, Instant};

/// How often it turns: often enough to look alive.
const TURN: Duration = Duration::from_millis(120);

const FRAMES: [char; 4] = ['|', '/', '-', '\\'];

/// A turning line, ended when dropped.
pub(super) struct Spinner {
    shown: bool,
    turns: usize,
}

impl Spinner {
    pub(super) fn new() -> Spinner {
        Spinner { shown: io::stderr().is_terminal(), turns: 0 }
    }

    /// Waits, and shows the text meanwhile.
    pub(super) fn rest(&mut self, time: Duration, text: &str) {
        let end = Instant::now() + time;
        while self.shown && Instant::now() + TURN < end {
            self.turn(text);
            thread::sleep(TURN);
        }
        self.turn(text);
        thread::sleep(end.saturating_duration_since(Instant::now()));
    }

    fn turn(&mut self, text: &str) {
        if self.shown {
            let frame = FRAMES[self.turns % FRAMES.len()];
            self.turns += 1;
            let mut stderr = io::stderr();
            // A terminal that is gone is no reason to stop waiting.
            let _ = write!(stderr, "\r{frame} {text} ").and_then(|()| stderr.flush());
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if self.turns > 0 {
            let _ = writeln!(io::stderr());
        }
    }
}
