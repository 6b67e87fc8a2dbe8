//! The example agent: it researches a topic, and the person helps where only a person can.

use super::rig::Rig;
use super::support::{call, patiently};

#[tokio::test]
async fn the_example_agent_researches_a_topic_with_a_little_help() {
    let rig = Rig::new().await;
    let mut command = rig.example("research.py");
    command.args(["lighthouse", &rig.site.url("harbour/index.html"), "--pacing", "fast"]);
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
