//! What a client holds while its command is pending.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{Reply, State, pending::Seat};

/// Waits for a command's reply. Dropped before that, it leaves the command as a client does that
/// hangs up.
pub struct Ticket {
    state: State,
    seat: Option<Seat>,
}

impl Ticket {
    pub(super) fn new(state: State, seat: Seat) -> Self {
        Self { state, seat: Some(seat) }
    }
}

impl Future for Ticket {
    /// None only if the daemon has lost the command to a panic.
    type Output = Option<Reply>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(seat) = &mut self.seat else { return Poll::Ready(None) };
        let reply = std::task::ready!(Pin::new(&mut seat.reply).poll(context)).ok();
        self.seat = None;
        Poll::Ready(reply)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if let Some(seat) = &self.seat {
            self.state.with(|inner| inner.hang_up(seat.key, seat.number));
        }
    }
}
