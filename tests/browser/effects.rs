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
