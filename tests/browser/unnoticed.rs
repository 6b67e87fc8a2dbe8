//! A page that watches for an extension, and sees none.

use serde_json::json;

use super::rig::Rig;

#[tokio::test]
async fn a_page_that_looks_for_the_extension_finds_nothing() {
    let rig = Rig::new().await;
    let page = rig.visit("watchful.html").await;
    let seen = page.page("watchful.html").await;
    assert_eq!(seen.evaluate("window.watching").await, true);
    for command in [
        &["text"][..],
        &["links"],
        &["elements"],
        &["outline"],
        &["images"],
        &["dom"],
        &["snapshot"],
        &["inspect", "--selector", "h1", "--properties", "color"],
        &["hover", "--selector", "h1"],
        &["click", "--selector", "h1"],
        &["scroll"],
        &["wait", "--strategy", "selector", "--target", "h1"],
        &["screenshot"],
    ] {
        page.data(command).await;
    }
    assert_eq!(seen.evaluate("window.report()").await, json!([]));
    for method in ["direct", "paste"] {
        assert_eq!(page.fill("#field", method, method).await["filled"], true);
    }
    assert_eq!(seen.evaluate("window.report()").await, json!([]), "a value is all that changes");
    let reachable = format!(
        "Promise.all(['icons/16.png', 'manifest.json', 'page/dom.js', 'popup.html'].map((file) => \
         fetch('chrome-extension://{}/' + file).then(() => file, () => null))).then((all) => all.filter(Boolean))",
        super::support::EXTENSION_ID
    );
    assert_eq!(seen.evaluate(&reachable).await, json!([]), "its files are closed to pages");

    // The watching works: what a page can notice, it does.
    seen.evaluate("document.body.setAttribute('data-x', '1')").await;
    assert_eq!(seen.evaluate("window.report().length").await, 1);
    rig.browser.close().await;
}
