//! Messages to systemd (`sd_notify`): ready, reloading, stopping, status text, watchdog.
//!
//! They are small datagrams to the socket that `NOTIFY_SOCKET` names, which systemd always reads, so sending does not
//! block. Without that variable nothing is sent.

use std::env;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::daemon::Running;

/// The shortest time between two status texts. People read them, so more would be of no use.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// Whether there is a manager to notify.
pub(super) fn is_enabled() -> bool {
    env::var_os("NOTIFY_SOCKET").is_some()
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(event = "notify_failed", problem = %error);
    }
}

/// Says that the daemon accepts requests, after the start or after a reload.
pub(super) fn ready(running: &Running, port: u16) {
    send(&[NotifyState::Ready, NotifyState::Status(&status(running, port))]);
}

/// Says that the daemon is reloading its configuration; [`ready`] ends that.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(event = "notify_failed", problem = %error),
    }
}

/// Ends a reload that has failed: everything is as before, and `systemctl status` says why.
pub(super) fn reload_failed(running: &Running, port: u16, problem: &str) {
    let status = format!("{}; the reload failed: {problem}", status(running, port));
    send(&[NotifyState::Ready, NotifyState::Status(&status)]);
}

/// Says that the daemon is shutting down.
pub(super) fn stopping() {
    send(&[NotifyState::Stopping, NotifyState::Status("stopping")]);
}

/// Sends the status text whenever it changes.
pub(super) async fn send_status_changes(running: Running, port: u16) {
    let mut activity = running.activity();
    let mut sent = status(&running, port);
    // Fails only when the daemon has ended, which it does not while this task runs.
    while activity.changed().await.is_ok() {
        let current = status(&running, port);
        if current != sent {
            send(&[NotifyState::Status(&current)]);
            sent = current;
            tokio::time::sleep(STATUS_INTERVAL).await;
        }
    }
}

/// Pings the manager's watchdog, twice per watchdog interval. Spawn it on the thread that serves requests, so that the
/// pings stop if that thread hangs.
pub(super) async fn send_watchdog_pings() {
    let Some(interval) = sd_notify::watchdog_enabled() else { return };
    let mut tick = tokio::time::interval(interval / 2);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        send(&[NotifyState::Watchdog]);
    }
}

fn status(running: &Running, port: u16) -> String {
    let (browsers, sessions) = running.counts();
    let counted = |count: usize, noun: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {noun}{plural}")
    };
    format!("port {port}, {}, {}", counted(browsers, "browser"), counted(sessions, "session"))
}
