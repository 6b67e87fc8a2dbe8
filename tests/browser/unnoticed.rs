//! A page that tries to detect the extension and cannot.

use serde_json::json;

use super::rig::Rig;

#[tokio::test]
async fn a_page_that_looks_for_the_extension_finds_nothing() {
    let rig = Rig::new().await;
    let page = rig.visit("watchful.html").await;
    let seen = page.page("watchful.html").await;
    assert_eq!(seen.evaluate("window.watching").await, true);
    // In the world of the extension's scripts, where the page cannot look: what they listen to and observe.
    let eye = rig.browser.inspector().await;
    let in_world = async |script: &str| {
        let inject = format!(
            "chrome.tabs.query({{}}).then((tabs) => chrome.scripting.executeScript({{
                target: {{ tabId: tabs.find(({{ url }}) => url.endsWith('watchful.html')).id }},
                func: () => {{ {script} }},
            }})).then(([frame]) => frame.result)"
        );
        eye.evaluate(&inject).await
    };
    page.data(&["tab", "activate"]).await;
    in_world(
        "globalThis.heard = [];
        const original = EventTarget.prototype.addEventListener;
        EventTarget.prototype.addEventListener = function (type, ...more) {
            heard.push(type);
            return original.call(this, type, ...more);
        };
        for (const name of ['MutationObserver', 'ResizeObserver', 'IntersectionObserver', 'PerformanceObserver']) {
            globalThis[name] = class extends globalThis[name] {
                observe(...what) {
                    heard.push(name);
                    return super.observe(...what);
                }
            };
        }",
    )
    .await;

    // Reads cause no event at all.
    seen.evaluate("window.looking = true").await;
    for command in [
        &["text"][..],
        &["links"],
        &["elements"],
        &["outline"],
        &["images"],
        &["dom"],
        &["snapshot"],
        &["inspect", "--selector", "h1", "--properties", "color"],
        &["wait", "--strategy", "selector", "--target", "h1"],
        &["screenshot"],
        &["debug", "log"],
    ] {
        page.data(command).await;
    }
    assert_eq!(seen.evaluate("window.report()").await, json!([]));
    seen.evaluate("window.looking = false").await;

    for command in [&["hover", "--selector", "h1"][..], &["click", "--selector", "h1"], &["scroll"]]
    {
        page.data(command).await;
    }
    assert_eq!(seen.evaluate("window.report()").await, json!([]));
    for method in ["direct", "paste"] {
        assert_eq!(page.fill("#field", method, method).await["filled"], true);
    }
    assert_eq!(seen.evaluate("window.report()").await, json!([]), "a value is all that changes");
    // A snapshot watches for the first change after it, which costs the page nothing more.
    let watch = json!(["MutationObserver"]);
    assert_eq!(in_world("return heard.splice(0)").await, watch, "they listen to nothing else");
    let reachable = format!(
        "Promise.all(['icons/16.png', 'manifest.json', 'page/commands.js', 'popup.html'].map((file) => \
         fetch('chrome-extension://{}/' + file).then(() => file, () => null))).then((all) => all.filter(Boolean))",
        super::support::EXTENSION_ID
    );
    assert_eq!(seen.evaluate(&reachable).await, json!([]), "its files are closed to pages");

    // The watching works: what there is to notice is noticed, on both sides.
    let listen = "new MutationObserver(() => {}).observe(document, { attributes: true }); \
                  addEventListener('storage', () => {}); return heard";
    assert_eq!(in_world(listen).await, json!(["MutationObserver", "storage"]));
    seen.evaluate("document.body.setAttribute('data-x', '1')").await;
    assert_eq!(seen.evaluate("window.report().length").await, 1);
    rig.browser.close().await;
}
