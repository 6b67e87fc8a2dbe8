//! Telling the client that a call still waits, so that it does not give up on it.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// How often. Clients that count a progress notification as a sign of life give up after half a minute at the earliest.
const EVERY: Duration = Duration::from_secs(1);

/// Tells the client every second that it waits for `what`, if it wants to know. Never ends.
pub(super) async fn told(
    context: &RequestContext<RoleServer>,
    what: &str,
) -> std::convert::Infallible {
    let Some(token) = context.meta.get_progress_token() else {
        return std::future::pending().await;
    };
    let start = Instant::now();
    let mut ticks = interval_at(start + EVERY, EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let seconds = start.elapsed().as_secs();
        let progress = ProgressNotificationParam::new(token.clone(), seconds as f64)
            .with_message(format!("{what}, for {seconds} s now"));
        // A client that is gone is noticed by the connection.
        let _ = context.peer.notify_progress(progress).await;
    }
}
