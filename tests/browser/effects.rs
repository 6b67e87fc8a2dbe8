//! What acts say that came of them, compared with what the page shows.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, text};

/// The effects of a click.
async fn click(page: &Visit<'_>, selector: &str) -> Value {
    page.data(&["click", "--selector", selector]).await["effects"].take()
}

#[tokio::test]
async fn an_act_says_where_the_page_went_where_the_focus_went_and_how_far_it_was_scrolled() {
    let rig = Rig::new().await;
    for visible in [true, false] {
        let address = "effects.html";
        let page = if visible { rig.visit(address).await } else { rig.open(address).await };
        let seen = page.page(address).await;
        assert_eq!(click(&page, "#quiet").await, json!({}), "nothing came of it");

        let focus = click(&page, "#plain").await["focus"].take();
        assert_eq!((&focus["role"], &focus["name"]), (&json!("button"), &json!("Plain")));
        let handle = text(&focus["handle"]);
        page.data(&["click", "--element", &handle]).await;
        let active = "document.activeElement.id";
        assert_eq!(seen.evaluate(active).await, "plain", "the handle is for what has the focus");
        assert_eq!(click(&page, "#plain").await, json!({}), "it has the focus already");
        let moved = click(&page, "#move").await;
        assert_eq!(moved["focus"]["name"], "Full name");
        assert_eq!(seen.evaluate(active).await, "name");

        let pushed = click(&page, "#push").await;
        assert_eq!(pushed, json!({"navigated": rig.site.url("effects.html?page=2")}));
        let hash = click(&page, "#hash").await;
        assert_eq!(hash["navigated"], rig.site.url("effects.html?page=2#tall"));
        let top = seen.evaluate("scrollY").await.as_f64().expect("a place");
        assert!(top > 0.0);
        assert_eq!(hash["scrolled"].as_f64().map(f64::round), Some(top.round()));

        let deep = click(&page, "#deep").await;
        let inner = seen.evaluate("document.querySelector('#box').scrollTop").await;
        let outer = seen.evaluate("scrollY").await.as_f64().expect("a place");
        let most = inner.as_f64().expect("a place").max((top - outer).abs());
        assert!((deep["scrolled"].as_f64().expect("a distance") - most).abs() < 1.0, "{deep}");
        let scrolled = page.data(&["scroll", "--by", "200px"]).await;
        assert_eq!(scrolled["effects"], json!({"scrolled": scrolled["scrolledPx"]}));

        let again = click(&page, "#again").await;
        assert_eq!(again["navigated"], rig.site.url("effects.html"));
        let filled =
            page.data(&["fill", "--selector", "#name", "--value", "Ada"]).await["effects"].take();
        assert!(filled.get("navigated").is_none(), "{filled}");
        let gone = page.run(&["click", "--selector", "#go"]).await;
        assert_eq!(gone.data()["effects"]["navigated"], gone.json()["page"]["url"], "{gone:?}");
        assert_eq!(gone.json()["page"]["url"], rig.site.url("article.html"));
    }
    rig.browser.close().await;
}

/// A click in a frame.
async fn click_in(page: &Visit<'_>, frame: &str, selector: &str) -> Value {
    page.data(&["click", "--selector", selector, "--frame", frame]).await["effects"].take()
}

#[tokio::test]
async fn an_act_in_a_frame_says_what_came_of_it_there() {
    let rig = Rig::new().await;
    for visible in [true, false] {
        let address = "frames/acts.html";
        let page = if visible { rig.visit(address).await } else { rig.open(address).await };
        let seen = page.page(address).await;
        for part in ["inside.html", "inside.html?other"] {
            let frame = loop {
                let frames = page.data(&["frames"]).await;
                let all = frames["frames"].as_array().expect("frames").iter();
                let at = |frame: &&Value| text(&frame["url"]).ends_with(part);
                if let Some(frame) = all.rev().find(at).filter(|it| it["readable"] == true) {
                    let frame = text(&frame["frame"]);
                    if page.text_in(&frame).await.contains("Tall") {
                        break frame;
                    }
                }
            };
            assert_eq!(click_in(&page, &frame, "#quiet").await, json!({}), "nothing came of it");
            let focus = click_in(&page, &frame, "#plain").await["focus"].take();
            assert_eq!((&focus["role"], &focus["name"]), (&json!("button"), &json!("Plain")));
            assert_eq!(
                click_in(&page, &frame, "#plain").await,
                json!({}),
                "it has the focus already"
            );

            // What it waits for is there when the answer comes, as in the page itself.
            click_in(&page, &frame, "#later").await;
            assert!(page.text_in(&frame).await.contains("answered"));
            let ask = ["click", "--selector", "#ask", "--frame", &frame, "--dialog", "accept"];
            let dialogs = page.data(&ask).await["effects"]["dialogs"].take();
            assert_eq!(
                dialogs,
                json!([{"type": "confirm", "message": "Delete it?", "answer": "accept"}])
            );
            assert!(page.text_in(&frame).await.contains("true"));

            for (id, query) in [("#blank", "framed"), ("#window", "framed-window")] {
                let effects = click_in(&page, &frame, id).await;
                let opened = &effects["opened"][0];
                assert!(
                    text(&opened["url"]).ends_with(&format!("opened.html?{query}")),
                    "{effects}"
                );
                page.data(&["tab", "close", "--tab", &text(&opened["tab"])]).await;
            }

            let scrolled = page.data(&["scroll", "--frame", &frame, "--by", "200px"]).await;
            assert_eq!(scrolled["effects"], json!({"scrolled": 200}));
            let hash = click_in(&page, &frame, "#hash").await;
            assert!(text(&hash["navigated"]).ends_with("#tall"), "{hash}");
            assert!(hash["scrolled"].as_f64().is_some_and(|px| px > 100.0), "{hash}");
            let gone = click_in(&page, &frame, "#go").await;
            assert!(text(&gone["navigated"]).ends_with("frames/other.html"), "{gone}");
            assert!(seen.evaluate("location.href").await.as_str().expect("it").ends_with(address));
        }
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn an_act_says_what_it_downloads() {
    let rig = Rig::new().await;
    let saved = "chrome.downloads.search({}).then((all) => all.map(({ filename, state }) => [filename.split('/').at(-1), state]))";
    let mut count = 0;
    for (id, name) in [
        ("#served", "file.bin"),
        ("#named", "report.txt"),
        ("#made", "made.txt"),
        ("#form", "file.bin"),
    ] {
        // A tab gives one download without a person's hand.
        let page = rig.open("downloads.html").await;
        let effects = click(&page, id).await;
        let downloads =
            effects["downloads"].as_array().unwrap_or_else(|| panic!("{id}: {effects}"));
        assert_eq!(downloads.len(), 1, "{id}: {effects}");
        let (stem, end) = name.split_once('.').expect("a name");
        let told = text(&downloads[0]["name"]);
        // The browser numbers files of the same name.
        assert!(told.starts_with(stem) && told.ends_with(end), "{id}: {effects}");
        assert!(effects.get("navigated").is_none(), "{effects}");
        count += 1;
        let all = rig.browser.in_worker(saved).await;
        assert_eq!(all.as_array().expect("a list").len(), count, "{all}");
        assert!(all.as_array().expect("a list").iter().any(|it| it[0] == told.as_str()), "{all}");
    }
    let page = rig.open("downloads.html").await;
    assert_eq!(click(&page, "#none").await, json!({}), "none is under way");

    // What the person downloads meanwhile is not the act's.
    let other = rig.browser.open(&rig.site.url("article.html")).await;
    let go = format!("void (location.href = {})", json!(rig.site.url("download")));
    let (effects, _) = tokio::join!(click(&page, "#none"), other.evaluate(&go));
    assert_eq!(effects, json!({}));
    rig.browser.close().await;
}
