//! Drags and selected text, judged by the models of the pages and libraries that they are for.

use serde_json::{Value, json};

use super::rig::{Rig, says, text};
use super::support::Page;

/// The types and targets of the events that the page saw since the last call, without repetitions.
async fn seen(page: &Page<'_>) -> Vec<String> {
    let seen = page.evaluate("take().map(({ type, on }) => `${type} ${on}`)").await;
    let mut seen: Vec<_> = seen.as_array().expect("events").iter().map(text).collect();
    seen.dedup();
    seen
}

#[tokio::test]
async fn a_drag_is_a_press_moves_and_a_release() {
    let rig = Rig::new().await;
    let visit = rig.visit("pointer.html").await;
    let page = visit.page("pointer.html").await;
    seen(&page).await;
    let drag = ["drag", "--selector", "#place", "--at", "0.1,0.1", "--by", "50,40", "--steps", "5"];
    assert_eq!(visit.data(&drag).await["dragged"], true);
    let moves = page
        .evaluate("((all, { left, top }) => all.map(({ type, buttons, clientX, clientY, pressure }) => [type, buttons, Math.round(clientX - left), Math.round(clientY - top), pressure]))(take('pointermove', 'pointerdown', 'pointerup', 'click'), place.getBoundingClientRect())")
        .await;
    let expected = json!([
        ["pointermove", 0, 20, 10, 0],
        ["pointerdown", 1, 20, 10, 0.5],
        ["pointermove", 1, 30, 18, 0.5],
        ["pointermove", 1, 40, 26, 0.5],
        ["pointermove", 1, 50, 34, 0.5],
        ["pointermove", 1, 60, 42, 0.5],
        ["pointermove", 1, 70, 50, 0.5],
        ["pointerup", 0, 70, 50, 0],
        ["click", 0, 70, 50, 0]
    ]);
    assert_eq!(moves, expected);

    // What the browser itself moves.
    visit.data(&["drag", "--selector", "#range", "--at", "0.22,0.5", "--by", "50,0"]).await;
    assert_eq!(page.evaluate("range.value").await, "45");
    assert_eq!(page.evaluate("take('change').length").await, 1);
    visit.data(&["drag", "--selector", "#area2", "--at", "0.95,0.9", "--by", "40,20"]).await;
    assert_eq!(
        page.evaluate("[area2.style.width, area2.style.height]").await,
        json!(["140px", "70px"])
    );
    visit.data(&["drag", "--selector", "#next", "--at", "0.001,0.5", "--by", "60,0"]).await;
    assert!(text(&page.evaluate("getSelection().toString()").await).starts_with("Anoth"));

    // A grip that the page shows under the pointer is what is pressed.
    visit.data(&["drag", "--selector", "#row", "--by", "40,0"]).await;
    assert_eq!(page.evaluate("take('mousedown').at(-1).on").await, "grip");

    // Onto what is far below.
    seen(&page).await;
    visit.data(&["drag", "--selector", "#place", "--to-selector", "#bin"]).await;
    assert_eq!(page.evaluate("take('pointerup')[0].on").await, "bin");
    let error = visit
        .fails("ELEMENT_NOT_ACTIONABLE", &["drag", "--selector", "#alone", "--by", "1,1"])
        .await;
    says(&error, &["not visible"]);
    rig.browser.close().await;
}

#[tokio::test]
async fn the_browsers_own_drag_and_drop_is_done_in_its_order() {
    let rig = Rig::new().await;
    let visit = rig.visit("pointer.html").await;
    let page = visit.page("pointer.html").await;
    seen(&page).await;
    visit.data(&["drag", "--selector", "#source", "--to-selector", "#bin", "--steps", "40"]).await;
    let seen_ = seen(&page).await;
    let order = |first: &str, then: &str| {
        let at = |it: &str| seen_.iter().position(|seen| seen == it);
        assert!(at(first).expect(first) < at(then).expect(then), "{first}, {then}: {seen_:?}");
    };
    for pair in [
        "mousedown source,dragstart source",
        "dragstart source,pointercancel source",
        "pointercancel source,dragenter bin",
        "dragenter bin,dragover bin",
        "dragover bin,drop bin",
        "drop bin,dragend source",
    ] {
        let (first, then) = pair.split_once(',').expect("a pair");
        order(first, then);
    }
    assert!(
        !seen_.iter().any(|it| it.starts_with("click") || it.starts_with("mouseup")),
        "{seen_:?}"
    );
    assert_eq!(page.evaluate("bin.textContent").await, "thing move");
    assert_eq!(page.evaluate("ended").await, "move");

    // What does not take it gets no drop.
    visit.data(&["drag", "--selector", "#source", "--to-selector", "#shut"]).await;
    let refused = seen(&page).await;
    assert!(refused.contains(&"dragleave shut".to_owned()), "{refused:?}");
    assert!(!refused.iter().any(|it| it.starts_with("drop")), "{refused:?}");
    assert_eq!(page.evaluate("ended").await, "none");

    // A link goes into a field by itself.
    visit.data(&["drag", "--selector", "#link", "--to-selector", "#drop"]).await;
    let dropped = text(&page.evaluate("drop.value").await);
    assert!(dropped.ends_with("#linked"), "{dropped}");
    rig.browser.close().await;
}

#[tokio::test]
async fn what_libraries_let_people_drag_is_where_their_models_say() {
    let rig = Rig::new().await;
    let visit = rig.visit("widgets/dist/drags.html").await;
    let page = visit.page("drags.html").await;
    let mut wrong = Vec::new();
    for (widget, args, expected) in [
        ("kit-sortable", "--selector #kit-a --to-selector #kit-c", json!(["b", "c", "a", "d"])),
        ("kit-board", "--selector #kit-card --to-selector #kit-done", json!("done")),
        ("radix-drag", "--selector #radix-thumb --by 90,0", json!(68)),
        (
            "canvas",
            "--selector #canvas --at 0.1,0.1 --by 40,20 --steps 2",
            json!([[19, 9], [39, 19], [59, 29]]),
        ),
        ("nouislider", "--selector #nouislider .noUi-handle --by 60,0", json!(50)),
        ("sortable", "--selector #s-a --to-selector #s-c", json!(["b", "c", "a", "d"])),
        ("react-dnd", "--selector #react-thing --to-selector #react-box", json!("thing in box")),
        ("d3", "--selector #d3-circle --by 100,20", json!({"x": 140, "y": 60, "clicks": 0})),
        (
            "interact",
            "--selector #interact --at 0.3,0.5 --by 50,10",
            json!({"x": 50, "y": 10, "width": 80}),
        ),
        (
            "interact",
            "--selector #interact --at 1,0.5 --by 30,0",
            json!({"x": 50, "y": 10, "width": 110}),
        ),
    ] {
        let args: Vec<_> = args.split(" --").map(|it| it.trim_start_matches("--")).collect();
        let mut call = vec!["drag".to_owned()];
        for arg in args {
            let (flag, value) = arg.split_once(' ').expect("a flag and a value");
            call.extend([format!("--{flag}"), value.to_owned()]);
        }
        let call: Vec<_> = call.iter().map(String::as_str).collect();
        let answer = visit.run(&call).await.json();
        let model = format!("models['{widget}']()");
        let held: Value = page.evaluate(&model).await;
        if answer["data"]["dragged"] != true || held != expected {
            wrong.push(format!("{call:?}: the model holds {held}, expected {expected}; {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // d3 swallows the click that ends a drag, and not the next one.
    visit.data(&["click", "--selector", "#d3-circle"]).await;
    assert_eq!(page.evaluate("models.d3().clicks").await, 1);
    rig.browser.close().await;
}

#[tokio::test]
async fn text_is_selected_in_fields_editors_and_on_the_page() {
    let rig = Rig::new().await;
    let visit = rig.visit("pointer.html").await;
    let page = visit.page("pointer.html").await;
    let visit = &visit;
    let select = |args: &'static [&'static str]| async move {
        text(&visit.data(&[&["select-text"], args].concat()).await["selected"])
    };
    for (selector, all) in [
        ("#text", "The lamp is lit at dusk, and put out at dawn."),
        ("#field", "hello big world"),
        ("#story", "Once upon a time."),
        ("#drop", ""),
    ] {
        let args = ["select-text", "--selector", selector];
        if all.is_empty() {
            visit.fails("ELEMENT_NOT_ACTIONABLE", &args).await;
            continue;
        }
        assert_eq!(visit.data(&args).await["selected"], all, "{selector}");
        assert_eq!(page.evaluate("getSelection().toString()").await, all, "{selector}");
    }
    seen(&page).await;
    assert_eq!(select(&["--selector", "#text", "--text", "at d", "--nth", "1"]).await, "at d");
    let range = "((s) => [s.anchorOffset, s.focusOffset])(getSelection())";
    assert_eq!(page.evaluate(range).await, json!([37, 41]));
    let seen_ = seen(&page).await;
    for event in ["mousedown text", "selectstart #text", "mousemove text", "mouseup text"] {
        let event = event.replace("selectstart #text", "selectstart null");
        assert!(seen_.contains(&event), "{event}: {seen_:?}");
    }
    assert_eq!(select(&["--selector", "#field", "--text", "big"]).await, "big");
    assert_eq!(
        page.evaluate("[field.selectionStart, field.selectionEnd, document.activeElement.id]")
            .await,
        json!([6, 9, "field"])
    );

    let error = visit
        .fails("ELEMENT_NOT_FOUND", &["select-text", "--selector", "#text", "--text", "noon"])
        .await;
    says(&error, &["noon"]);
    let error =
        visit.fails("ELEMENT_NOT_ACTIONABLE", &["select-text", "--selector", "#fixed"]).await;
    says(&error, &["user-select"]);
    rig.browser.close().await;
}
