//! Idle detection, for a daemon that exits when idle because its service manager starts it again on the next connection.

use std::time::Duration;

use crate::daemon::Running;

/// Waits until the daemon has had no browser, no command, no subscriber of events and no request for `limit`.
pub(super) async fn wait_until_idle(running: &Running, limit: Duration) {
    let mut activity = running.activity();
    loop {
        let since = *activity.borrow_and_update();
        let idle = async {
            if running.in_use() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep_until(since + limit).await;
        };
        tokio::select! {
            () = idle => return,
            // The sender is gone: the daemon has ended.
            changed = activity.changed() => if changed.is_err() { return },
        }
    }
}
