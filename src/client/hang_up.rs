//! Ending a call from another thread than the one that waits in it.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use super::exchange::Stream;

/// The way out of one call. Clones are the same way out.
#[derive(Clone, Default)]
pub struct HangUp(Arc<Mutex<Line>>);

#[derive(Default)]
enum Line {
    #[default]
    NotYet,
    Open(TcpStream),
    Over,
}

impl HangUp {
    /// Ends the call, or keeps it from beginning.
    pub fn hang_up(&self) {
        let line = std::mem::replace(&mut *self.line(), Line::Over);
        if let Line::Open(socket) = line {
            // It may have ended by itself.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Makes this the way out of the call on `stream`.
    pub(super) fn ends(&self, stream: &Stream) -> io::Result<()> {
        let mut line = self.line();
        if matches!(*line, Line::Over) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        *line = Line::Open(stream.socket()?);
        Ok(())
    }

    fn line(&self) -> std::sync::MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
