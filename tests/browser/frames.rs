//! Frames and closed shadow trees: what reads tell of them, and acts in them, judged by the frames' own pages.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{Rig, Visit, says, text, timed};
use super::support::wait_for;

/// Frames that each load on their own, as far as a read shows.
async fn complete(page: &Visit<'_>, parts: &[&str]) -> String {
    let start = tokio::time::Instant::now();
    loop {
        let tree = text(&page.data(&["snapshot"]).await["tree"]);
        if parts.iter().all(|part| tree.contains(part)) {
            return tree;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{parts:?} are not all in\n{tree}");
    }
}

/// The page with frames of every kind, all of them loaded.
async fn shop(rig: &Rig) -> (Visit<'_>, String) {
    let page = rig.open("frames/shop.html").await;
    let parts = [
        "Own page in open",
        "Own page in closed",
        "open.test",
        "closed.test",
        "With scripts",
        "Without scripts",
        "Deep",
    ];
    let mut tree = complete(&page, &parts).await;
    while tree.matches("Card number").count() < 3 {
        tree = complete(&page, &parts).await;
    }
    (page, tree)
}

/// The lines of a tree, without handles.
fn plain(tree: &str) -> Vec<String> {
    let lines = tree.lines().map(|line| {
        let cut = line.find(" [el").map(|at| {
            let end = line[at..].find(']').expect("the end of a handle") + at + 1;
            format!("{}{}", &line[..at], &line[end..])
        });
        cut.unwrap_or_else(|| line.to_owned())
    });
    lines.collect()
}

/// The name of the frame that a part of its address tells.
async fn frame_at(page: &Visit<'_>, part: &str) -> String {
    let frames = page.data(&["frames"]).await;
    let frames = frames["frames"].as_array().expect("a list").clone();
    let found = frames.iter().find(|frame| text(&frame["url"]).contains(part));
    text(&found.unwrap_or_else(|| panic!("no frame at {part}: {frames:?}"))["frame"])
}

/// A read in which every frame has answered in its time. Each read before is checked with the number of those that have not.
async fn all_read(page: &Visit<'_>, read: &[&str], check: impl Fn(&Value, usize)) -> Value {
    let start = tokio::time::Instant::now();
    loop {
        let data = page.data(read).await;
        let unread = data["unreadable"].as_array().map_or(0, Vec::len);
        check(&data, unread);
        if unread == 0 {
            return data;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{data}");
    }
}

#[tokio::test]
async fn a_read_covers_every_frame_where_it_stands() {
    let rig = Rig::new().await;
    let (page, tree) = shop(&rig).await;
    let lines = plain(&tree);
    let line = |wanted: &str| {
        let at = lines.iter().position(|line| line.contains(wanted));
        at.unwrap_or_else(|| panic!("no {wanted:?} in\n{tree}"))
    };
    // In document order, each frame's page below its own line.
    let order = [
        "\"Shop\"",
        "\"Before\"",
        "iframe \"Same\" [frame f1 127.0.0.1]",
        "\"Between\"",
        "iframe \"Payment\" [frame f2 pay.test]",
        "[frame f3 about:srcdoc]",
        "button \"Deep\"",
        "\"Without scripts\"",
        "\"With scripts\"",
        "\"In the open tree\"",
        "\"Own page in open\"",
        "open.test",
        "\"In the closed tree\"",
        "\"Own page in closed\"",
        "closed.test",
        "\"After\"",
        "\"The end\"",
        "iframe \"Far\"",
        "iframe \"Inner\"",
    ];
    let places: Vec<_> = order.iter().map(|part| line(part)).collect();
    assert!(places.is_sorted(), "{places:?}\n{tree}");
    assert_eq!(lines[line("iframe \"Payment\"") + 1], "  - textbox \"Card number\"");
    assert!(lines[line("button \"Deep\"")].starts_with("    - "), "it is two frames deep: {tree}");
    assert!(!tree.contains("Nobody sees me"), "{tree}");
    assert_eq!(page.data(&["snapshot"]).await["nodeCount"], lines.len());

    let said = text(&page.data(&["text"]).await["text"]);
    let parts = ["Before", "[frame f1 127.0.0.1]", "Card number", "Between", "[frame f2 pay.test]"];
    let places: Vec<_> = parts.iter().map(|part| said.find(part).expect(part)).collect();
    assert!(places.is_sorted(), "{said}");
    assert!(said.contains("In the closed tree") && said.contains("Own page in closed"), "{said}");
    assert!(
        said.contains("Other page at closed.test") && !said.contains("Nobody sees me"),
        "{said}"
    );
    let source = text(&page.data(&["dom"]).await["html"]);
    assert!(source.contains("<!-- frame f2 pay.test --><html"), "{source}");
    assert!(
        source.contains("<template shadowrootmode=\"closed\"><p>In the closed tree"),
        "{source}"
    );

    // Entries say which frame they are from, and their handles are all different.
    let elements = page.entries("elements").await;
    let frames: Vec<_> =
        elements.iter().filter(|it| it["label"] == "Card number").map(|it| &it["frame"]).collect();
    assert_eq!(frames.len(), 3, "{elements:?}");
    assert!(
        elements.iter().any(|it| it["label"] == "Button in closed" && it.get("frame").is_none())
    );
    let handles: HashSet<_> = elements.iter().map(|it| text(&it["handle"])).collect();
    assert_eq!(handles.len(), elements.len(), "{elements:?}");
    let links = page.data(&["links"]).await;
    let texts = |links: &Value| {
        let list = links["links"].as_array().expect("a list");
        list.iter().map(|link| text(&link["text"])).collect::<Vec<_>>()
    };
    assert_eq!(texts(&links), ["Terms", "Terms", "here", "The end", "Terms"]);
    assert_eq!(links["total"], 5);
    for (offset, limit) in [(0, 2), (1, 3), (3, 1), (4, 9), (5, 1)] {
        let (offset_text, limit_text) = (offset.to_string(), limit.to_string());
        let some = page.data(&["links", "--offset", &offset_text, "--limit", &limit_text]).await;
        let expected: Vec<_> = texts(&links).into_iter().skip(offset).take(limit).collect();
        assert_eq!((texts(&some), &some["total"]), (expected, &json!(5)), "{offset} {limit}");
    }

    // One frame, with the frames in it.
    let far = frame_at(&page, "outer.html").await;
    let inner = frame_at(&page, "inner.test").await;
    let one = text(&page.data(&["text", "--frame", &far]).await["text"]);
    assert!(
        one.starts_with("Outer") && one.contains(&format!("[frame {inner} inner.test]")),
        "{one}"
    );
    let fields = page.data(&["elements", "--frame", &inner, "--form"]).await;
    assert_eq!(fields["total"], 4, "{fields}");
    page.fails("FRAME_NOT_FOUND", &["text", "--frame", "f99"]).await;
    let frames = page.data(&["frames"]).await;
    let of = |name: &str| {
        let list = frames["frames"].as_array().expect("a list");
        list.iter().find(|frame| frame["frame"] == name).expect(name).clone()
    };
    assert_eq!(of(&inner)["parent"], far);
    assert_eq!(of("f2")["name"], "pay");
    let hidden: Vec<_> = frames["frames"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|it| it["visible"] == false)
        .collect();
    assert_eq!(hidden.len(), 1, "{frames}");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_payment_form_in_a_frame_of_a_frame_is_filled_and_sent() {
    let rig = Rig::new().await;
    let (page, _) = shop(&rig).await;
    let inner = frame_at(&page, "inner.test").await;
    // By a handle, a selector, and what its reader knows of it.
    let elements = page.entries("elements").await;
    let card = elements.iter().find(|it| it["label"] == "Card number" && it["frame"] == *inner);
    let card = text(&card.expect("the field")["handle"]);
    let filled = page.data(&["fill", "--element", &card, "--value", "4242 4242"]).await;
    assert_eq!((&filled["filled"], &filled["verifiedValue"]), (&json!(true), &json!("4242 4242")));
    let expires = ["fill", "--placeholder", "mm/yy", "--frame", &inner, "--value", "12/30"];
    assert_eq!(page.data(&expires).await["filled"], true);
    let country =
        ["select", "--selector", "#country", "--frame", &inner, "--option-text", "Norway"];
    assert_eq!(page.data(&country).await["selected"], true);
    let clicked =
        page.data(&["click", "--role", "button", "--name", "Pay now", "--frame", &inner]).await;
    assert_eq!(clicked["clicked"], true);
    let sent = json!({"host": "inner.test", "card": "4242 4242", "expires": "12/30",
        "country": "Norway", "trusted": true});
    let record = wait_for("what the form's own page saw", || rig.site.records().pop()).await;
    assert_eq!(record, sent);
    assert_eq!(rig.site.records().len(), 1, "and no other form");

    // Every level was scrolled into view.
    let seen = page.page("shop.html").await;
    assert!(seen.evaluate("scrollY").await.as_f64() > Some(2000.0));

    // Several fields of several frames, in one call.
    rig.site.forget();
    let fields = json!([
        {"target": {"selector": "#card", "frame": "f2"}, "value": "1", "method": "direct", "world": "isolated"},
        {"target": {"selector": "#card", "frame": "f1"}, "value": "2", "method": "direct", "world": "isolated"},
        {"target": {"selector": "#expires", "frame": "f2"}, "value": "3", "method": "direct", "world": "isolated"},
    ]);
    page.data(&["fill-form", "--json", &fields.to_string()]).await;
    page.data(&["click", "--selector", "#submit", "--frame", "f2"]).await;
    let record = wait_for("what that page saw", || rig.site.records().pop()).await;
    assert_eq!(
        (&record["host"], &record["card"], &record["expires"]),
        (&json!("pay.test"), &json!("1"), &json!("3"))
    );
    let same = seen.evaluate("document.getElementById('same').contentWindow.card.value").await;
    assert_eq!(same, "2");

    // A frame scrolls by itself.
    let scrolled =
        page.data(&["scroll", "--frame", "f1", "--by", "40px", "--direction", "up"]).await;
    assert_eq!(scrolled["moved"], true, "{scrolled}");
    let hovered = page.data(&["hover", "--selector", "#submit", "--frame", "f1"]).await;
    assert_eq!(hovered["hovered"], true);
    rig.browser.close().await;
}

#[tokio::test]
async fn what_covers_a_frame_covers_what_is_in_it() {
    let rig = Rig::new().await;
    let (page, _) = shop(&rig).await;
    let seen = page.page("shop.html").await;
    let press = ["click", "--selector", "#submit", "--frame", "f2"];
    seen.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<div id=veil style=\"position: fixed; inset: 0\">Veil</div>')",
    )
    .await;
    let error = page.fails("ELEMENT_NOT_ACTIONABLE", &press).await;
    says(&error, &["is covered by <div id=\"veil\">", "what is in it"]);
    let inner = frame_at(&page, "inner.test").await;
    page.fails("ELEMENT_NOT_ACTIONABLE", &["click", "--selector", "#submit", "--frame", &inner])
        .await;
    // A header that stays may cover the frame's first place, not its next one.
    seen.evaluate(
        "veil.style.inset = '0 0 auto 0'; veil.style.height = '100px'; veil.style.background = 'white'; \
         document.getElementById('pay').scrollIntoView()",
    )
    .await;
    assert_eq!(page.data(&press).await["clicked"], true);
    assert_eq!(rig.site.records().len(), 1);
    seen.evaluate("document.getElementById('pay').style.visibility = 'hidden'").await;
    let error = page.fails("ELEMENT_NOT_ACTIONABLE", &press).await;
    says(&error, &["not visible"]);
    seen.evaluate("document.getElementById('pay').style.visibility = ''").await;

    // A frame itself is no place to click.
    let error = page.fails("ELEMENT_NOT_ACTIONABLE", &["click", "--selector", "#pay"]).await;
    says(&error, &["shows a page of its own", "act in frame f2"]);
    assert_eq!(rig.site.records().len(), 1, "nothing else was sent");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_frame_that_was_replaced_is_not_found_and_in_the_midst_of_an_act_it_is_another_page() {
    let rig = Rig::new().await;
    let (page, _) = shop(&rig).await;
    let seen = page.page("shop.html").await;
    let elements = page.entries("elements").await;
    let handle = elements.iter().find(|it| it["label"] == "Pay now" && it["frame"] == "f2");
    let handle = text(&handle.expect("the button")["handle"]);
    seen.evaluate("new Promise((done) => { const pay = document.getElementById('pay'); pay.onload = () => done(); pay.src = pay.src + '?again'; })").await;
    page.fails("FRAME_NOT_FOUND", &["click", "--element", &handle]).await;
    page.fails("FRAME_NOT_FOUND", &["click", "--selector", "#submit", "--frame", "f2"]).await;
    page.fails("FRAME_NOT_FOUND", &["snapshot", "--frame", "f2"]).await;
    assert!(rig.site.records().is_empty(), "nothing was pressed in the other page");
    let other = frame_at(&page, "?again").await;
    assert_eq!(
        page.data(&["click", "--selector", "#submit", "--frame", &other]).await["clicked"],
        true
    );

    // The first field leads to another page, so the second is not filled in that.
    seen.evaluate("new Promise((done) => { const same = document.getElementById('same'); same.onload = () => done(); same.src = 'leaves.html'; })").await;
    let leaves = frame_at(&page, "leaves.html").await;
    let field = |selector: &str| json!({"target": {"selector": selector, "frame": leaves}, "value": "x", "method": "direct", "world": "isolated"});
    let form = json!([field("#first"), field("#second")]).to_string();
    let error = page.fails("PAGE_CHANGED", &["fill-form", "--json", &form]).await;
    assert!(text(&error["details"]["page"]["url"]).contains("shop.html"), "{error}");
    assert_eq!(error["details"]["done"], 1, "{error}");

    // A page that is left takes its frames with it.
    let (url, again) = (rig.site.url("frames/plain.html"), frame_at(&page, "?again").await);
    seen.evaluate(&format!("location.href = {}", json!(url))).await;
    page.data(&["wait", "--strategy", "url", "--target", "plain.html"]).await;
    page.data(&["text"]).await;
    page.fails("FRAME_NOT_FOUND", &["click", "--selector", "#submit", "--frame", &again]).await;
    assert_eq!(page.data(&["frames"]).await, json!({"frames": []}));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_frame_that_hangs_is_left_out_with_the_reason() {
    let rig = Rig::new().await;
    let page = rig.open("frames/plain.html").await;
    let seen = page.page("plain.html").await;
    let add = |host: &str, name: &str| {
        format!(
            "new Promise((done) => {{ const frame = document.createElement('iframe'); frame.onload = () => done(); \
             frame.src = `http://{host}.test:${{location.port}}/frames/{name}`; document.body.append(frame); }})"
        )
    };
    seen.evaluate(&add("good", "form.html")).await;
    seen.evaluate(&add("bad", "hangs.html")).await;
    seen.evaluate("frames[1].postMessage('hang', '*')").await;
    let start = tokio::time::Instant::now();
    let tree = loop {
        let tree = text(&page.data(&["snapshot"]).await["tree"]);
        if tree.contains("did not answer") {
            break tree;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{tree}");
    };
    assert!(tree.contains("button \"Ours\"") && tree.contains("textbox \"Card number\""), "{tree}");
    let (elements, elapsed) = timed(page.data(&["elements"])).await;
    assert!(elapsed < 10_000, "{elapsed} ms");
    assert_eq!(elements["total"], 5);
    let unreadable = &elements["unreadable"][0];
    assert!(text(&unreadable["url"]).contains("hangs.html"), "{unreadable}");
    assert!(text(&unreadable["why"]).contains("did not answer within 1 s"), "{unreadable}");
    let good = frame_at(&page, "good.test").await;
    let frames = page.data(&["frames"]).await;
    assert_eq!(frames["frames"][1]["readable"], false, "{frames}");
    // Its neighbour is acted in without waiting for it.
    let click = ["click", "--selector", "#submit", "--frame", &good];
    assert_eq!(page.data(&click).await["clicked"], true);
    wait_for("the record", || rig.site.records().pop()).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn what_does_not_answer_is_listed_wherever_it_stands() {
    let rig = Rig::new().await;
    let page = rig.visit("frames/plain.html").await;
    let seen = page.page("plain.html").await;
    // Two that nothing tells apart, and one with a frame in it that answers.
    seen.evaluate(
        "Promise.all(['bad.test hangs', 'bad.test hangs', 'holds.test holds'].map((it) => new Promise((done) => { \
             const [host, name] = it.split(' '); const frame = document.createElement('iframe'); \
             frame.onload = () => done(); frame.src = `http://${host}:${location.port}/frames/${name}.html`; \
             document.body.append(frame); }))) \
             .then(() => [...document.querySelectorAll('iframe')].forEach((it) => it.contentWindow.postMessage('hang', '*')))",
    )
    .await;
    let start = tokio::time::Instant::now();
    let hanging = |list: &Value| {
        let list = list["unreadable"].as_array().cloned().unwrap_or_default();
        assert!(list.iter().all(|it| text(&it["why"]).contains("did not answer")), "{list:?}");
        let mut urls: Vec<_> = list.iter().map(|it| text(&it["url"])).collect();
        urls.sort();
        urls
    };
    let data = loop {
        let data = page.data(&["elements"]).await;
        let urls = hanging(&data);
        // Each of the three hangs once it has the message.
        if urls.len() == 3 && !urls.iter().any(|it| it.contains("deep.test")) {
            break data;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{data}");
    };
    let labels: Vec<_> =
        data["elements"].as_array().expect("a list").iter().map(|it| text(&it["label"])).collect();
    assert_eq!(labels, ["Ours", "Card number", "Expires", "Country", "Pay now"], "{data}");
    for (read, member) in [("text", "text"), ("snapshot", "tree"), ("dom", "html")] {
        let said = text(&page.data(&[read]).await[member]);
        assert_eq!(said.matches("not read: it did not answer").count(), 3, "{said}");
        assert!(said.contains("Pay now"), "{said}");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn fifty_frames_are_read_in_their_order() {
    let rig = Rig::new().await;
    let page = rig.open("frames/plain.html").await;
    let seen = page.page("plain.html").await;
    seen.evaluate(
        "Promise.all(Array.from({ length: 50 }, (_, at) => new Promise((done) => { \
            const frame = document.createElement('iframe'); frame.onload = () => done(); \
            frame.srcdoc = `<button>Button ${at}</button><a href=#>Link ${at}</a>`; document.body.append(frame); })))",
    )
    .await;
    let expected: Vec<_> = std::iter::once("Ours".to_owned())
        .chain((0..50).map(|at| format!("Button {at}")))
        .collect();
    let labels = |data: &Value| {
        let list = data["elements"].as_array().expect("a list");
        list.iter().map(|it| text(&it["label"])).collect::<Vec<_>>()
    };
    // However busy the machine is: what is not read within its time is listed, and the rest keeps its order.
    let data = all_read(&page, &["elements"], |data, unread| {
        let told = labels(data);
        let mut order = expected.iter();
        assert!(told.iter().all(|it| order.any(|next| next == it)), "{data}");
        assert_eq!(told.len() + unread, 51, "{data}");
    })
    .await;
    assert_eq!((labels(&data), &data["total"]), (expected, &json!(51)), "{data}");
    let elements = data["elements"].as_array().expect("a list");
    let handles: HashSet<_> = elements.iter().map(|it| text(&it["handle"])).collect();
    assert_eq!(handles.len(), 51);
    let some = all_read(&page, &["links", "--offset", "20", "--limit", "3"], |_, _| {}).await;
    assert_eq!(some["total"], 50);
    assert_eq!(some["links"][0]["text"], "Link 20");
    // A handle stands for the same element however often it is read.
    let again = all_read(&page, &["elements"], |_, _| {}).await;
    assert_eq!(again["elements"].as_array(), Some(elements));
    rig.browser.close().await;
}

#[tokio::test]
async fn frames_that_cannot_be_told_apart_are_read_at_the_end_and_not_acted_in() {
    let rig = Rig::new().await;
    let page = rig.open("frames/plain.html").await;
    let seen = page.page("plain.html").await;
    seen.evaluate(
        "new Promise((done) => { const host = document.createElement('div'); document.body.prepend(host); \
         const url = `http://twin.test:${location.port}/frames/form.html`; let left = 2; \
         const root = host.attachShadow({ mode: 'closed' }); \
         for (const at of [1, 2]) { const frame = document.createElement('iframe'); \
            frame.onload = () => { left -= 1; if (left === 0) done(); }; frame.src = url; root.append(frame); } })",
    )
    .await;
    let start = tokio::time::Instant::now();
    let said = loop {
        let said = text(&page.data(&["text"]).await["text"]);
        assert_eq!(said.matches("twin.test").count(), 2, "{said}");
        if !said.contains("did not answer") {
            break said;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{said}");
    };
    assert_eq!(said.matches("its place is not known").count(), 2, "{said}");
    assert!(said.find("Ours") < said.find("Card number"), "{said}");
    let error = page
        .fails("ELEMENT_NOT_ACTIONABLE", &["click", "--selector", "#submit", "--frame", "f1"])
        .await;
    says(&error, &["f1", "ambiguous"]);
    assert!(rig.site.records().is_empty());
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_in_a_frame_notices_nothing() {
    let rig = Rig::new().await;
    let page = rig.open("frames/plain.html").await;
    let seen = page.page("plain.html").await;
    seen.evaluate(
        "new Promise((done) => { const frame = document.createElement('iframe'); frame.src = '/watchful.html'; \
         frame.onload = () => setTimeout(done); document.body.append(frame); window.heard = []; \
         for (const type of ['message', 'focus', 'blur']) addEventListener(type, () => heard.push(type)); })",
    )
    .await;
    let inside = "document.querySelector('iframe').contentWindow";
    seen.evaluate(&format!("{inside}.looking = true")).await;
    for command in [
        &["text"][..],
        &["links"],
        &["elements"],
        &["outline"],
        &["dom"],
        &["snapshot"],
        &["frames"],
        &["find", "--label", "Field"],
        &["inspect", "--selector", "h1"],
        &["wait", "--strategy", "selector", "--target", "#field"],
    ] {
        page.data(command).await;
    }
    assert_eq!(seen.evaluate(&format!("{inside}.report()")).await, json!([]));
    seen.evaluate(&format!("{inside}.looking = false")).await;
    let filled = ["fill", "--label", "Field", "--value", "x"];
    assert_eq!(page.data(&filled).await["filled"], true);
    page.data(&["click", "--selector", "h1", "--frame", "f1"]).await;
    assert_eq!(seen.evaluate(&format!("{inside}.report()")).await, json!([]));
    assert!(!seen.evaluate("heard.join()").await.to_string().contains("message"));
    rig.browser.close().await;
}

#[tokio::test]
async fn elements_are_found_by_what_a_reader_knows_of_them() {
    let rig = Rig::new().await;
    let page = rig.open("find.html").await;
    let page = &page;
    let ids = |args: &'static [&'static str]| async move {
        let found = page.data(&[&["find"], args].concat()).await;
        let list = found["matches"].as_array().expect("a list").clone();
        assert_eq!(found["total"], list.len(), "{found}");
        list.iter().map(|it| text(&it["selector"])).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ids(&["--role", "button", "--name", "save"]).await, "#save #all");
    assert_eq!(ids(&["--role", "button", "--name", "Save", "--exact"]).await, "#save");
    assert_eq!(ids(&["--role", "button", "--name", "save all"]).await, "#all", "spaces collapse");
    assert_eq!(ids(&["--name", "SAVE"]).await, "#save #all #link");
    assert_eq!(ids(&["--name", "SAVE", "--exact"]).await, "");
    assert_eq!(ids(&["--name", "save", "--index", "2"]).await, "#link");
    assert_eq!(ids(&["--has-text", "first order"]).await, "#one", "the innermost that has it all");
    assert_eq!(ids(&["--role", "listitem", "--has-text", "order"]).await, "#one #two");
    assert_eq!(ids(&["--label", "full name"]).await, "#name");
    assert_eq!(ids(&["--label", "city"]).await, "#city");
    assert_eq!(ids(&["--placeholder", "oslo"]).await, "#city");
    assert_eq!(ids(&["--test-id", "total"]).await, "#tested");
    assert_eq!(ids(&["--test-id", "total", "--exact"]).await, "");
    assert_eq!(ids(&["--role", "butt"]).await, "", "a role is a word");
    let found = page.data(&["find", "--placeholder", "Passphrase"]).await;
    assert!(!found.to_string().contains("hush"), "{found}");
    let found = page.data(&["find", "--role", "checkbox"]).await;
    assert_eq!(found["matches"][0]["states"], json!(["disabled", "checked"]), "{found}");
    let some = page.data(&["find", "--name", "save", "--limit", "1"]).await;
    assert_eq!((&some["total"], some["matches"].as_array().map(Vec::len)), (&json!(3), Some(1)));

    // As the target of an act.
    let error =
        page.fails("SELECTOR_AMBIGUOUS", &["click", "--role", "button", "--name", "save"]).await;
    let candidates = error["details"]["candidates"].as_array().expect("candidates");
    let names: Vec<_> = candidates.iter().map(|it| text(&it["name"])).collect();
    assert_eq!(names, ["Save", "Save all"], "{error}");
    let handle = text(&candidates[0]["handle"]);
    page.data(&["click", "--element", &handle]).await;
    let seen = page.page("find.html").await;
    assert_eq!(seen.evaluate("document.title").await, "saved");
    let error =
        page.fails("ELEMENT_NOT_FOUND", &["click", "--role", "button", "--name", "Sav al"]).await;
    says(&error, &["button \"Save all\""]);
    page.fails("ELEMENT_NOT_FOUND", &["click", "--name", "hidden one"]).await;
    page.fails("ELEMENT_NOT_FOUND", &["click", "--name", "save", "--index", "3"]).await;
    page.data(&["click", "--name", "closed button"]).await;
    assert_eq!(seen.evaluate("document.title").await, "closed", "a closed tree is entered");

    // In all frames: what is there twice is ambiguous, wherever it is.
    seen.evaluate(
        "new Promise((done) => { const frame = document.createElement('iframe'); frame.onload = () => done(); \
         frame.src = `http://pay.test:${location.port}/frames/form.html`; document.body.append(frame); })",
    )
    .await;
    let error = page.fails("SELECTOR_AMBIGUOUS", &["hover", "--role", "textbox"]).await;
    let candidates = error["details"]["candidates"].as_array().expect("candidates");
    assert_eq!(candidates.last().map(|it| &it["frame"]), Some(&json!("f1")), "{error}");
    let handle = text(&candidates.last().expect("one")["handle"]);
    assert_eq!(page.data(&["fill", "--element", &handle, "--value", "1"]).await["filled"], true);
    let only = page.data(&["find", "--role", "textbox", "--frame", "f1"]).await;
    assert_eq!(only["total"], 2, "{only}");
    assert_eq!(page.data(&["click", "--name", "pay now"]).await["clicked"], true);
    wait_for("the record", || rig.site.records().pop()).await;
    let error = page.fails("ELEMENT_NOT_FOUND", &["click", "--name", "pay then"]).await;
    says(&error, &["button \"Pay now\""]);
    rig.browser.close().await;
}
