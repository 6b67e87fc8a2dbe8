//! The end of a daemon that nobody uses, where a service manager starts the next one for the next connection.

use std::time::Duration;

use crate::daemon::Running;

/// Waits until there has been no browser, no session and no request for as long as `limit`.
pub(super) async fn wait(running: &Running, limit: Duration) {
    let mut activity = running.activity();
    loop {
        let since = *activity.borrow_and_update();
        let unused = async {
            match running.counts() {
                (0, 0) => tokio::time::sleep_until(since + limit).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = unused => return,
            // A daemon that has gone is as good as unused.
            changed = activity.changed() => if changed.is_err() { return },
        }
    }
}
