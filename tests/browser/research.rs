//! The example agent: it researches a topic, and the person helps where only a person can.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use super::rig::Rig;
use super::support::{call, patiently};

#[tokio::test]
async fn the_example_agent_researches_a_topic_with_a_little_help() {
    let rig = Rig::new().await;
    let bin = Path::new(env!("CARGO_BIN_EXE_bproxy")).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("python3");
    command
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/research.py"))
        .args(["lighthouse", &rig.site.url("harbour/index.html"), "--pacing", "fast"])
        .env("PATH", format!("{}:{path}", bin.display()))
        .env("BPROXY_HOME", rig.daemon.home.path())
        .env("BPROXY_SECRETS", "file")
        .env_remove("BPROXY_SESSION")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let research = tokio::spawn(call(command, None));

    // The person: past the wall, and on.
    let stuck = |record: &serde_json::Value| record["error_code"] == "HUMAN_REQUIRED";
    rig.daemon.record("response", stuck).await;
    rig.browser.find("keepers.html").await.click("#pass").await;
    let sessions = rig.run(&["session", "list"]).await.data();
    let session = sessions["sessions"][0]["id"].as_str().expect("a session").to_owned();
    assert_eq!(sessions["sessions"][0]["label"], "research: lighthouse");
    rig.resume(&session).await;

    let call = patiently("the report", research).await.expect("no panic");
    assert_eq!(call.code, 0, "{call:?}");
    let (lamps, lost, keepers) = (
        rig.site.url("harbour/lamps.html"),
        rig.site.url("harbour/lost.html"),
        rig.site.url("harbour/keepers.html"),
    );
    assert_eq!(
        call.stdout,
        format!(
            "# lighthouse\n\n\
             - The first lighthouse here burned coal. <{lamps}>\n\
             - In 1871 the lighthouse turned to gas! <{lamps}>\n\
             - (not found) <{lost}>\n\
             - Two families kept the lighthouse. <{keepers}>\n"
        )
    );
    assert!(call.stderr.starts_with("waiting for you: "), "{call:?}");
    let left = rig.run(&["session", "list"]).await.data();
    assert_eq!(left["sessions"].as_array().map(Vec::len), Some(0), "{left}");
    rig.browser.close().await;
}
