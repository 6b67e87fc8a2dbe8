//! Clicks, hovers, scrolling, selects, and filling plain fields.

use serde_json::json;

use super::rig::{Rig, own, says, text};

#[tokio::test]
async fn a_click_fires_all_its_events_and_reports_the_outcome() {
    let rig = Rig::new().await;
    let page = rig.visit("act.html").await;
    let seen = page.page("act.html").await;
    let page = &page;
    let click = |selector| async move { page.data(&["click", "--selector", selector]).await };

    assert_eq!(
        own(click("#count").await),
        json!({"clicked": true, "disappeared": false, "stable": true})
    );
    assert_eq!(page.text("#counted").await, "1", "one click, once");
    let events = json!(["pointerdown", "mousedown", "focus", "pointerup", "mouseup", "click"]);
    assert_eq!(seen.evaluate("window.events").await, events);
    assert_eq!(click("#vanish").await["disappeared"], true);
    click("#far").await;
    assert_eq!(seen.evaluate("document.title").await, "Far clicked", "it was scrolled into view");

    let hovered = page.data(&["hover", "--selector", "#hover"]).await;
    assert_eq!((&hovered["hovered"], &hovered["stable"]), (&json!(true), &json!(true)));
    assert!(hovered["elapsed"].is_u64());
    assert_eq!(page.text("#hover").await, "Hovered");

    // Where a click leads within the page, to another one, to a slow one, to a file.
    click("#hash").await;
    assert!(text(&seen.evaluate("location.href").await).ends_with("#down"));
    let handle = page.handle("elements", "label", "Count").await;
    let spa = page.run(&["click", "--selector", "#spa"]).await;
    assert!(text(&spa.json()["page"]["url"]).ends_with("act.html?page=2"), "{spa:?}");
    page.data(&["click", "--element", &handle]).await;
    assert_eq!(page.text("#counted").await, "2", "the document is the same, and so is the button");
    assert_eq!(click("#file").await["disappeared"], false, "a download leaves the page");
    let slow = page.run(&["click", "--selector", "#slow"]).await;
    assert_eq!(slow.json()["page"]["title"], "The lighthouse keeper", "{slow:?}");
    assert_eq!(slow.data()["disappeared"], true);
    rig.browser.close().await;
}

#[tokio::test]
async fn acts_refuse_what_a_person_could_not_do() {
    let rig = Rig::new().await;
    let page = rig.visit("act.html").await;
    let page = &page;
    let refused =
        |code, selector| async move { page.fails(code, &["click", "--selector", selector]).await };
    let error = refused("ELEMENT_NOT_FOUND", "#nowhere").await;
    says(&error, &["#nowhere"]);
    let error = refused("SELECTOR_AMBIGUOUS", ".pair").await;
    assert_eq!(error["details"]["count"], 2);
    says(&error, &["2 elements match"]);
    says(&refused("ELEMENT_NOT_ACTIONABLE", "#off").await, &["disabled"]);
    says(&refused("ELEMENT_NOT_ACTIONABLE", "#none").await, &["not visible"]);
    says(
        &refused("ELEMENT_NOT_ACTIONABLE", "#under").await,
        &["covered by", "id=\"over\"", "Banner"],
    );
    page.fails("ELEMENT_HANDLE_NOT_FOUND", &["click", "--element", "el99"]).await;

    // Another tab comes to the front: only a picture needs the first one there.
    let other = rig.visit("form.html").await;
    page.fails("TAB_NOT_VISIBLE", &["screenshot"]).await;
    assert_eq!(other.data(&["session", "close"]).await["closedTabs"], 1);
    rig.browser.close().await;
}

#[tokio::test]
async fn scrolling_tells_how_far_it_went() {
    let rig = Rig::new().await;
    let page = rig.visit("act.html").await;
    let by = page.data(&["scroll", "--by", "300px"]).await;
    assert_eq!(
        (
            &by["target"],
            &by["before"],
            &by["after"],
            &by["scrolledPx"],
            &by["moved"],
            &by["stable"]
        ),
        (&json!("viewport"), &json!(0), &json!(300), &json!(300), &json!(true), &json!(true))
    );
    let height = by["clientHeight"].as_i64().expect("a height");
    assert_eq!(page.data(&["scroll"]).await["scrolledPx"], height);
    let up = page.data(&["scroll", "--by", "half", "--direction", "up"]).await;
    assert!(up["after"].as_f64() < up["before"].as_f64(), "{up}");
    let end = page.data(&["scroll", "--by", "end"]).await;
    assert_eq!(
        end["after"].as_f64().map(f64::ceil),
        end["scrollHeight"].as_f64().map(|it| it - height as f64)
    );
    assert_eq!(page.data(&["scroll", "--by", "end"]).await["moved"], false);

    let inner = page.data(&["scroll", "--selector", "#box", "--by", "50px"]).await;
    assert_eq!((&inner["target"], &inner["after"]), (&json!("element"), &json!(50)));
    page.data(&["scroll", "--selector", "#count"]).await;
    let top = page
        .page("act.html")
        .await
        .evaluate("document.querySelector('#count').getBoundingClientRect().top")
        .await;
    assert!((0.0..height as f64).contains(&top.as_f64().expect("a place")), "{top}");
    page.fails("ELEMENT_NOT_FOUND", &["scroll", "--selector", "#nowhere"]).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn options_are_chosen_by_their_text_in_every_kind_of_list() {
    let rig = Rig::new().await;
    let page = rig.visit("select.html").await;
    for (trigger, option, log) in [
        ("#native", "Green & blue", "native:Green & blue"),
        ("#many", "Two", "many:Two"),
        ("#many", "Three", "many:Two,Three"),
        ("#button", "Quince", "fruit:Quince"),
        ("#combo", "Oslo", "city:Oslo"),
        ("#menu", "Rename", "menu:Rename"),
    ] {
        let chosen = page.data(&["select", "--selector", trigger, "--option-text", option]).await;
        assert_eq!(own(chosen), json!({"selected": true, "optionText": option}), "{trigger}");
        let said = page.text("#log").await;
        assert!(said.ends_with(log), "{said:?} does not end with {log:?}");
    }
    let page = &page;
    let missing = |trigger| async move {
        page.fails(
            "ELEMENT_NOT_FOUND",
            &["select", "--selector", trigger, "--option-text", "Mauve"],
        )
        .await
    };
    says(&missing("#native").await, &["\"Mauve\"", "\"Red\"", "\"Green & blue\""]);
    says(&missing("#button").await, &["\"Apple\"", "\"Plum\""]);
    rig.browser.close().await;
}

#[tokio::test]
async fn plain_fields_are_filled_and_read_back() {
    let rig = Rig::new().await;
    let page = rig.visit("form.html").await;
    for method in ["direct", "paste"] {
        for (selector, value, held) in [
            ("#name", "Ada “Countess” Lovelace", "Ada “Countess” Lovelace"),
            ("#note", "two\nlines", "two\nlines"),
            ("[name=email]", "ada@example.org", "ada@example.org"),
            ("[name=agree]", "true", "true"),
            ("[name=agree]", "false", "false"),
            ("[name=size][value=l]", "true", "true"),
            ("[name=day]", "2024-02-29", "2024-02-29"),
            ("[name=count]", "7", "7"),
            ("[name=loud]", "3", "3"),
            ("#colour", "g", "g"),
            ("#colour", "Red", "r"),
            ("#story", "upon a\ntime", "upon a\ntime"),
            ("#story", "", ""),
        ] {
            let filled = page.fill(selector, value, method).await;
            assert_eq!(
                filled,
                json!({"filled": true, "verifiedValue": held}),
                "{method} {selector}"
            );
        }
        let password = page.fill("[name=password]", "secret", method).await;
        assert_eq!(password, json!({"filled": true}), "a password is in no answer");
        let filled = page.fill("[name=digits]", "4a2", method).await;
        assert_eq!(filled, json!({"filled": false, "verifiedValue": "42"}), "{method}");
        // What the field cannot hold is refused, and leaves it as it was.
        for (selector, value, why, held) in [
            ("[name=day]", "not a day", "YYYY-MM-DD", "2024-02-29"),
            ("#colour", "Mauve", "\"Green\"", "r"),
            ("#colour", "Blue", "disabled", "r"),
            ("[name=agree]", "perhaps", "true, on, yes", "false"),
        ] {
            let fill = ["fill", "--selector", selector, "--value", value, "--method", method];
            says(&page.fails("ELEMENT_NOT_ACTIONABLE", &fill).await, &[why]);
            let seen = page.page("form.html").await;
            let field = format!(
                "(({{type, checked, value}}) => type === 'checkbox' ? String(checked) : value)(document.querySelector('{selector}'))"
            );
            assert_eq!(seen.evaluate(&field).await, held, "{method} {selector}");
        }
    }
    let log = page.text("#log").await;
    assert!(log.contains("input:name change:name"), "{log}");

    for (selector, why) in [
        ("[name=locked]", "read-only"),
        ("[name=off]", "disabled"),
        ("[name=paper]", "takes files: use upload"),
        ("[type=submit]", "a button"),
        ("#pw", "cannot be filled"),
    ] {
        let fill = ["fill", "--selector", selector, "--value", "x"];
        says(&page.fails("ELEMENT_NOT_ACTIONABLE", &fill).await, &[why]);
    }
    for (method, world) in [("direct", "main"), ("paste", "main"), ("runtime-api", "isolated")] {
        let fill =
            ["fill", "--selector", "#name", "--value", "x", "--method", method, "--world", world];
        says(&page.fails("SCRIPT_ERROR", &fill).await, &[method, world]);
    }
    let fill = ["fill", "--selector", "#name", "--value", "x", "--method", "runtime-api"];
    says(&page.fails("ELEMENT_NOT_ACTIONABLE", &fill).await, &["no editor"]);
    rig.browser.close().await;
}

#[tokio::test]
async fn a_form_is_filled_completely_or_not_at_all() {
    let rig = Rig::new().await;
    let page = rig.visit("form.html").await;
    let field = |selector: &str, value: &str| json!({"target": {"selector": selector}, "value": value, "method": "direct", "world": "isolated"});
    let handle = page.handle("elements", "label", "Telephone").await;
    let mut phone = field("", "555");
    phone["target"] = json!({"handle": handle});
    let fields = json!([field("#name", "Grace"), field("[name=digits]", "1b2"), phone]).to_string();
    let results =
        page.run(&["fill-form", "--json", &fields]).await.without_effect()["results"].clone();
    let held: Vec<_> = results
        .as_array()
        .expect("results")
        .iter()
        .map(|it| (&it["filled"], &it["verifiedValue"]))
        .collect();
    assert_eq!(
        held,
        [
            (&json!(true), &json!("Grace")),
            (&json!(false), &json!("12")),
            (&json!(true), &json!("555"))
        ]
    );
    assert_eq!(results[0]["target"], json!({"selector": "#name"}));

    let fields = json!([field("#name", "Nobody"), field("#nowhere", "x")]).to_string();
    page.fails("ELEMENT_NOT_FOUND", &["fill-form", "--json", &fields]).await;
    let name = page.handle("elements", "value", "Grace").await;
    assert!(name.starts_with("el"), "the form with a wrong target stayed untouched");
    rig.browser.close().await;
}
