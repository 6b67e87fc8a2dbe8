//! Lingering close: closing a connection so that the other side can still read the last answer.
//!
//! Closing a socket that has unread input resets it, and the reset can overtake the answer. So the sending half is closed
//! first, and what still arrives is read and discarded for a while.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

use super::door::Stream;

/// How long input is discarded: a client on this machine needs milliseconds.
const LINGER: Duration = Duration::from_secs(1);
/// How much input is discarded, in bytes: more than any body that the daemon takes.
const MAX_DISCARDED: usize = 16 * 1024 * 1024;

/// A connection whose shutdown lingers.
pub(super) struct Lingering {
    stream: Stream,
    closing: Option<Closing>,
}

struct Closing {
    until: Pin<Box<Sleep>>,
    discarded: usize,
}

impl Lingering {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, closing: None }
    }

    /// The connection itself, for a protocol with a close handshake of its own.
    pub(super) fn into_inner(self) -> Stream {
        self.stream
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let closing = match &mut this.closing {
            Some(closing) => closing,
            None => {
                ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
                let until = Box::pin(tokio::time::sleep(LINGER));
                this.closing.insert(Closing { until, discarded: 0 })
            }
        };
        let mut space = [std::mem::MaybeUninit::uninit(); 16 * 1024];
        while closing.discarded < MAX_DISCARDED {
            let mut rest = ReadBuf::uninit(&mut space);
            match Pin::new(&mut this.stream).poll_read(cx, &mut rest) {
                Poll::Ready(Ok(())) if !rest.filled().is_empty() => {
                    closing.discarded += rest.filled().len()
                }
                // The other side has closed too, or is gone.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return closing.until.as_mut().poll(cx).map(Ok),
            }
        }
        Poll::Ready(Ok(()))
    }
}
