//! Reads that acts, opens and navigations bring along, compared with what the page shows.

use serde_json::json;

use super::rig::{Rig, Visit, text};

#[tokio::test]
async fn a_step_and_the_look_at_what_it_did_are_one_call() {
    let rig = Rig::new().await;
    let url = rig.site.url("act.html");
    let data = rig.run(&["tab", "open", &url, "--then", "elements"]).await.data();
    let elements = data["then"]["elements"].as_array().expect("a list");
    let count = elements.iter().find(|it| it["label"] == "Count").expect("the button");
    let page = Visit { rig: &rig, session: text(&data["session"]) };
    let handle = text(&count["handle"]);

    let seen = page.page("act.html").await;
    let clicked = page.data(&["click", "--element", &handle, "--then", "text"]).await;
    assert!(text(&clicked["then"]["text"]).contains("Count 1"), "{clicked}");
    assert_eq!(seen.evaluate("counted.textContent").await, "1");
    // The page comes to rest before it is read: the button goes away some time after the click.
    let activated = page.data(&["tab", "activate", "--then", "text"]).await;
    assert!(text(&activated["then"]["text"]).contains("Hover me"), "{activated}");
    let vanished = page
        .data(&["click", "--selector", "#vanish", "--then", "snapshot --interactive-only"])
        .await;
    let tree = text(&vanished["then"]["tree"]);
    assert!(!tree.contains("Vanish") && tree.contains(&format!("[{handle}]")), "{tree}");

    // What has the focus and what is read are numbered apart.
    let form =
        page.data(&["navigate", &rig.site.url("form.html"), "--then", "find --role textbox"]).await;
    let matches = form["then"]["matches"].as_array().expect("a list");
    assert!(matches.len() > 1, "{form}");
    let first = text(&matches[0]["handle"]);
    let filled = page
        .data(&[
            "fill",
            "--element",
            &first,
            "--value",
            "Ada",
            "--keep-focus",
            "--then",
            "elements",
        ])
        .await;
    let focus = text(&filled["effects"]["focus"]["handle"]);
    assert_eq!(focus, first, "{filled}");
    let listed = filled["then"]["elements"].as_array().expect("a list");
    let field = listed.iter().find(|it| it["handle"] == first.as_str()).expect("the field");
    assert_eq!(field["value"], "Ada");
    let mut handles: Vec<_> = listed.iter().map(|it| text(&it["handle"])).collect();
    let count = handles.len();
    handles.sort();
    handles.dedup();
    assert_eq!(handles.len(), count, "no handle stands for two");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_read_that_fails_leaves_its_act_done() {
    let rig = Rig::new().await;
    let page = rig.open("act.html").await;
    let seen = page.page("act.html").await;
    let clicked =
        page.data(&["click", "--selector", "#count", "--then", "text --selector '#nowhere'"]).await;
    assert_eq!(clicked["thenError"]["code"], "ELEMENT_NOT_FOUND", "{clicked}");
    assert_eq!((clicked.get("then"), &clicked["clicked"]), (None, &json!(true)));
    assert_eq!(seen.evaluate("counted.textContent").await, "1");
    rig.browser.close().await;
}
