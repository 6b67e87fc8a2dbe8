//! Progress notifications: a call is still waiting, and the client should not give up on it.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// How often to notify. Clients that extend their timeout on progress have one of half a minute or more.
const INTERVAL: Duration = Duration::from_secs(1);

/// Notifies the client every second of what the call is waiting for, if it asked for progress. Never returns.
pub(super) async fn report(
    context: &RequestContext<RoleServer>,
    what: &str,
) -> std::convert::Infallible {
    let Some(token) = context.meta.get_progress_token() else {
        return std::future::pending().await;
    };
    let start = Instant::now();
    let mut ticks = interval_at(start + INTERVAL, INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        let seconds = start.elapsed().as_secs();
        let progress = ProgressNotificationParam::new(token.clone(), seconds as f64)
            .with_message(format!("{what}, for {seconds} s now"));
        // A failure means that the client has disconnected, which ends the connection.
        let _ = context.peer.notify_progress(progress).await;
    }
}
