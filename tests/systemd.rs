//! The daemon as a service of a real systemd: units, activation, restarts, recovery, sandbox.

mod support;

use support::User;

#[tokio::test]
async fn a_user_of_the_machine_has_a_manager_and_a_journal() {
    let Some(user) = User::new() else { return };
    assert_eq!(user.systemctl(&["is-system-running", "--wait"]).await, "running");
    user.sh("systemd-run --user --wait --unit=hello echo hello").await;
    let journal = user.sh("journalctl --user --unit=hello --output=cat").await;
    assert!(journal.contains("hello"), "{journal}");
}
