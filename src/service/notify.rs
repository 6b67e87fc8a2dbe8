//! What a service manager is told while the daemon runs: that it is ready, how it fares, that it is alive, that it stops.
//!
//! The messages are datagrams of some bytes to a socket that the manager reads all the time; where `NOTIFY_SOCKET` names
//! none, nobody is told.

use std::env;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::daemon::Running;

/// The least time between two words on how the daemon fares. They are for people to read.
const STATUS_PAUSE: Duration = Duration::from_secs(1);

/// Whether there is anybody to tell.
pub(super) fn is_heard() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(event = "notify_failed", problem = %error);
    }
}

/// Requests are accepted, for the first time or again.
pub(super) fn ready(running: &Running, port: u16) {
    tell(&[NotifyState::Ready, NotifyState::Status(&status(running, port))]);
}

/// The configuration is being read again; [`ready`] ends that.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(event = "notify_failed", problem = %error),
    }
}

/// No further requests are accepted.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// Tells how the daemon fares, each time that changes.
pub(super) async fn keep_status(running: Running, port: u16) {
    let mut activity = running.activity();
    let mut told = status(&running, port);
    // The daemon outlives this task.
    while activity.changed().await.is_ok() {
        let now = status(&running, port);
        if now != told {
            tell(&[NotifyState::Status(&now)]);
            told = now;
            tokio::time::sleep(STATUS_PAUSE).await;
        }
    }
}

/// Tells that the daemon is alive, twice as often as the manager wants to hear it. For the thread that serves requests:
/// if that hangs, so does this.
pub(super) async fn keep_alive() {
    let Some(interval) = sd_notify::watchdog_enabled() else { return };
    let mut tick = tokio::time::interval(interval / 2);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn status(running: &Running, port: u16) -> String {
    let (browsers, sessions) = running.counts();
    let some = |count: usize, thing: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {thing}{plural}")
    };
    format!("port {port}, {}, {}", some(browsers, "browser"), some(sessions, "session"))
}
