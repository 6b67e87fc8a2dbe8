//! The future reply to a pending command, held by the client that waits for it.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    State,
    pending::{Reply, Waiter},
};

/// The future reply to a command. Dropping it before it is ready counts as hanging up.
pub struct ReplyFuture {
    state: State,
    waiter: Option<Waiter>,
}

impl ReplyFuture {
    pub(super) fn new(state: State, waiter: Waiter) -> Self {
        Self { state, waiter: Some(waiter) }
    }
}

impl Future for ReplyFuture {
    /// None only if the daemon has lost the command to a panic.
    type Output = Option<Reply>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(waiter) = &mut self.waiter else { return Poll::Ready(None) };
        let reply = std::task::ready!(Pin::new(&mut waiter.reply).poll(context)).ok();
        self.waiter = None;
        Poll::Ready(reply)
    }
}

impl Drop for ReplyFuture {
    fn drop(&mut self) {
        if let Some(waiter) = &self.waiter {
            self.state.with(|inner| inner.hang_up(waiter.key, waiter.number));
        }
    }
}
