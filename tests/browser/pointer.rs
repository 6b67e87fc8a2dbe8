//! The mouse: what every click and hover tells the page, and what a press does by itself. Judged by what the page saw.

use serde_json::{Value, json};

use super::rig::{Rig, says, text};
use super::support::Page;

/// What the page saw since the last call, of these types: type and target.
async fn seen(page: &Page<'_>, types: &str) -> Vec<String> {
    let script = format!(
        "take({}).map(({{ type, on }}) => `${{type}} ${{on}}`)",
        types.split(' ').map(|it| json!(it).to_string()).collect::<Vec<_>>().join(", ")
    );
    let seen = page.evaluate(&script).await;
    seen.as_array().expect("events").iter().map(text).collect()
}

#[tokio::test]
async fn every_button_and_count_is_told_as_from_a_mouse() {
    let rig = Rig::new().await;
    let visit = rig.visit("pointer.html").await;
    let page = visit.page("pointer.html").await;
    let types = "pointerdown mousedown contextmenu pointerup mouseup click dblclick auxclick";
    for (args, expected) in [
        (&[][..], "pointerdown mousedown pointerup mouseup click"),
        (&["--button", "right"], "pointerdown mousedown contextmenu pointerup mouseup auxclick"),
        (&["--button", "middle"], "pointerdown mousedown pointerup mouseup auxclick"),
        (
            &["--count", "3"],
            "pointerdown mousedown pointerup mouseup click pointerdown mousedown pointerup mouseup click dblclick pointerdown mousedown pointerup mouseup click",
        ),
    ] {
        seen(&page, "").await;
        let clicked =
            visit.data(&[&["click", "--selector", "#press"], args].concat()).await["clicked"]
                .clone();
        assert_eq!(clicked, true);
        let expected: Vec<_> = expected.split(' ').map(|it| format!("{it} press")).collect();
        assert_eq!(seen(&page, types).await, expected, "{args:?}");
    }

    seen(&page, "").await;
    let keys = ["--modifiers", "Control,Shift", "--button", "right", "--count", "2"];
    visit.data(&[&["click", "--selector", "#place"], &keys[..]].concat()).await;
    let told = page
        .evaluate("take('mousedown', 'pointerup', 'auxclick').map(({ type, button, buttons, detail, keys, kind }) => [type, button, buttons, detail, keys, kind].join(' '))")
        .await;
    let keys = "Control,Shift";
    let told_of = |count: u32| {
        [
            format!("mousedown 2 2 {count} {keys} MouseEvent"),
            format!("pointerup 2 0 0 {keys} PointerEvent"),
            format!("auxclick 2 0 {count} {keys} PointerEvent"),
        ]
    };
    assert_eq!(told, json!([told_of(1), told_of(2)].concat()));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_click_is_at_its_place_and_is_held() {
    let rig = Rig::new().await;
    let visit = rig.visit("pointer.html").await;
    let page = visit.page("pointer.html").await;
    let at = "(({ clientX, clientY }, { left, top }) => [clientX - Math.floor(left), clientY - Math.floor(top)])(take('mousedown')[0], place.getBoundingClientRect())";
    for (place, expected) in [("0.25,0.75", [50, 75]), ("0,0", [0, 0]), ("1,1", [199, 99])] {
        seen(&page, "").await;
        visit.data(&["click", "--selector", "#place", "--at", place]).await;
        assert_eq!(page.evaluate(at).await, json!(expected), "{place}");
    }
    // A place that is far from the middle of what is larger than the window.
    seen(&page, "").await;
    visit.data(&["click", "--selector", "#tall", "--at", "0.5,0.9"]).await;
    let from_top = "Math.round(take('mousedown')[0].clientY - tall.getBoundingClientRect().top)";
    assert_eq!(page.evaluate(from_top).await, 2700);
    visit.data(&["hover", "--selector", "#place", "--at", "0.5,0.1"]).await;

    seen(&page, "").await;
    visit.data(&["click", "--selector", "#press", "--hold", "300"]).await;
    let held = page.evaluate("((a) => a[1].at - a[0].at)(take('pointerdown', 'pointerup'))").await;
    assert!((300.0..2000.0).contains(&held.as_f64().expect("a time")), "{held}");
    let late = ["click", "--selector", "#press", "--hold", "5000", "--timeout", "2000"];
    visit.fails("TIMEOUT", &late).await;
    assert_eq!(seen(&page, "pointerdown").await, [""; 0], "nothing was pressed");
    rig.browser.close().await;
}

#[tokio::test]
async fn the_pointer_leaves_what_it_was_in_and_enters_nothing_twice() {
    let rig = Rig::new().await;
    let visit = rig.visit("pointer.html").await;
    let page = visit.page("pointer.html").await;
    let all =
        "pointerover pointerenter pointerout pointerleave mouseover mouseenter mouseout mouseleave";
    let visit = &visit;
    let hover = |selector: &'static str| async move {
        visit.data(&["hover", "--selector", selector]).await;
    };
    hover("#outer").await;
    let entered =
        ["over inner", "enter document", "enter html", "enter body", "enter outer", "enter inner"];
    let of = |kind: &'static str, what: &[&str]| {
        what.iter().map(|it| format!("{kind}{it}")).collect::<Vec<_>>()
    };
    let both = |what: &[&str]| [of("pointer", what), of("mouse", what)].concat();
    assert_eq!(seen(&page, all).await, both(&entered), "its middle is covered by a child");
    hover("#inner").await;
    assert_eq!(seen(&page, all).await, [""; 0], "it is there already");
    hover("#place").await;
    let crossed = ["out inner", "leave inner", "leave outer", "over place", "enter place"];
    assert_eq!(seen(&page, all).await, both(&crossed));
    page.evaluate("place.remove()").await;
    hover("#outer").await;
    let left = seen(&page, all).await;
    assert_eq!(left[..2], ["pointerout body", "pointerover inner"], "it was taken away: {left:?}");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_press_moves_the_focus_and_the_caret_as_the_browser_does() {
    let rig = Rig::new().await;
    let visit = rig.visit("pointer.html").await;
    let page = visit.page("pointer.html").await;
    let visit = &visit;
    let click = |args: &'static [&'static str]| async move { visit.data(args).await };
    click(&["click", "--selector", "#field", "--at", "0.1,0.5", "--count", "2"]).await;
    let held = page.evaluate("[document.activeElement.id, field.value.slice(field.selectionStart, field.selectionEnd)]").await;
    assert_eq!(held, json!(["field", "hello"]));
    seen(&page, "").await;
    click(&["click", "--selector", "#beside"]).await;
    assert_eq!(seen(&page, "blur focusout").await, ["blur field", "focusout field"]);
    assert_eq!(page.evaluate("document.activeElement.localName").await, "body");

    click(&["click", "--selector", "#text", "--at", "0.15,0.2", "--count", "2"]).await;
    assert_eq!(page.evaluate("getSelection().toString()").await, "lamp");
    click(&["click", "--selector", "#text", "--at", "0.15,0.2", "--count", "3"]).await;
    let paragraph = text(&page.evaluate("getSelection().toString()").await);
    assert_eq!(paragraph.trim(), "The lamp is lit at dusk, and put out at dawn.");
    click(&["click", "--selector", "#next"]).await;
    assert_eq!(page.evaluate("getSelection().type").await, "Caret");

    click(&["click", "--selector", "#range", "--at", "0.75,0.5"]).await;
    assert_eq!(page.evaluate("range.value").await, "77");
    click(&["click", "--selector", "#two"]).await;
    click(&["click", "--selector", "#three", "--modifiers", "Control"]).await;
    assert_eq!(
        page.evaluate("[...list.selectedOptions].map(({ text }) => text.trim())").await,
        json!(["Two", "Three"])
    );
    rig.browser.close().await;
}

#[tokio::test]
async fn what_is_pressed_is_found_wherever_it_is_drawn() {
    let rig = Rig::new().await;
    let visit = rig.visit("pointer.html").await;
    let page = visit.page("pointer.html").await;
    for (selector, check) in [
        ("#gone", "gone.checked"),
        ("#faint", "faint.checked"),
        ("#area", "location.hash === '#area'"),
        ("#line", "take('click')[0].on === 'line'"),
        ("#contents", "take('click')[0].on === 'drawn'"),
        ("#wrapped", "location.hash === '#wrapped'"),
        ("#closed", "window.within === 1"),
    ] {
        seen(&page, "").await;
        visit.data(&["click", "--selector", selector]).await;
        assert_eq!(page.evaluate(check).await, true, "{selector}");
    }
    visit.data(&["click", "--selector", "#gone"]).await;
    assert_eq!(page.evaluate("gone.checked").await, false, "the label was pressed again");
    let error = visit.fails("ELEMENT_NOT_ACTIONABLE", &["click", "--selector", "#alone"]).await;
    says(&error, &["not visible"]);
    rig.browser.close().await;
}

#[tokio::test]
async fn the_areas_of_an_image_are_read_found_and_pressed() {
    let rig = Rig::new().await;
    let visit = rig.visit("article.html").await;
    let page = visit.page("article.html").await;
    // The map is used twice, and only the second image is shown.
    let picture =
        "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='300' height='200'/>";
    page.evaluate(&format!(
        "document.body.innerHTML = `<p style='height: 2000px'>Far</p>
             <img usemap='#lands' src=\"{picture}\" hidden>
             <img usemap='#lands' src=\"{picture}\" style='border: 20px solid; padding: 30px'>
             <map name=lands>
                 <area shape=rect coords='0,0,12,12' href='#corner' alt=Corner>
                 <area shape=CIRCLE coords='150 100 40' href='#lake' alt=Lake>
                 <area shape=poly coords='200,0, 300,0, 300,100' href='#hill' alt=Hill>
                 <area shape=rect coords='' href='#nowhere' alt=Nowhere>
                 <area shape=default href='#sea' alt=Sea>
             </map>`; 0",
    ))
    .await;
    page.until("[...document.images].every((it) => it.complete)").await;
    let links = visit.entries("links").await;
    let seen: Vec<_> =
        links.iter().filter(|it| it["visible"] == true).map(|it| text(&it["text"])).collect();
    assert_eq!(seen, ["Corner", "Lake", "Hill", "Sea"]);
    let tree = text(&visit.data(&["snapshot"]).await["tree"]);
    for name in ["Corner", "Lake", "Hill"] {
        assert!(tree.contains(&format!("link \"{name}\" [el")), "{tree}");
        visit.data(&["click", "--role", "link", "--name", name]).await;
        let hash = format!("#{}", name.to_lowercase());
        assert_eq!(page.evaluate("location.hash").await, hash);
    }
    // A person could press it beside the others.
    let sea = links.iter().find(|it| it["text"] == "Sea").expect("the last");
    visit.data(&["click", "--element", &text(&sea["handle"])]).await;
    assert_eq!(page.evaluate("location.hash").await, "#sea");
    visit.data(&["hover", "--selector", "[alt=Lake]"]).await;
    let error =
        visit.fails("ELEMENT_NOT_ACTIONABLE", &["click", "--selector", "[alt=Nowhere]"]).await;
    says(&error, &["not visible"]);
    rig.browser.close().await;
}

#[tokio::test]
async fn what_only_css_hover_shows_is_clicked_all_the_same() {
    let rig = Rig::new().await;
    let visit = rig.visit("pointer.html").await;
    let page = visit.page("pointer.html").await;
    seen(&page, "").await;
    let clicked = visit.data(&["click", "--selector", "#item"]).await;
    assert_eq!((&clicked["clicked"], &clicked["disappeared"]), (&json!(true), &json!(false)));
    assert_eq!(seen(&page, "mousedown click").await, ["mousedown item", "click item"]);
    let blocked = |answer: &Value| text(&answer["effects"]["blocked"][0]);
    assert!(blocked(&clicked).contains(":hover"), "{clicked}");
    let hovered = visit.data(&["hover", "--selector", "#menu"]).await;
    assert_eq!(hovered["hovered"], true);
    assert!(blocked(&hovered).contains("id=\"item\""), "{hovered}");
    let hovered = visit.data(&["hover", "--selector", "#press"]).await;
    assert_eq!(hovered["effects"].get("blocked"), None, "{hovered}");
    rig.browser.close().await;
}
