//! What the answer of an act claims, where the page makes it hard to tell: on pages of a few lines, judged by the page itself.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, says, text};
use super::support::Page;

/// A page in front with this body, whose scripts run.
async fn page_of<'a>(rig: &'a Rig, body: &str) -> (Visit<'a>, Page<'a>) {
    let visit = rig.visit("article.html").await;
    let page = rig.browser.find("article.html").await;
    let script = format!(
        "document.body.replaceChildren(document.createRange().createContextualFragment({}))",
        json!(body)
    );
    page.evaluate(&script).await;
    (visit, page)
}

#[tokio::test]
async fn what_a_browser_or_a_mask_only_writes_in_another_way_is_filled() {
    let rig = Rig::new().await;
    let body = r"<input id=points><input id=mails type=email multiple>
        <script>points.oninput = () => {
            points.value = points.value.replace(/\D/g, '').replace(/\B(?=(\d{3})+$)/g, '.');
        }</script>";
    let (visit, page) = page_of(&rig, body).await;
    for (id, value, held) in [
        ("points", "1234", "1.234"),
        ("points", "1234567", "1.234.567"),
        ("mails", "a@x.test, b@x.test", "a@x.test,b@x.test"),
    ] {
        let filled = visit.fill(&format!("#{id}"), value, "direct").await;
        assert_eq!(page.evaluate(&format!("{id}.value")).await, held);
        assert_eq!((&filled["filled"], &filled["verifiedValue"]), (&json!(true), &json!(held)));
    }
    // Thousandths are another number than thousands.
    page.evaluate("points.oninput = () => { points.value = '1.234' }; 0").await;
    assert_eq!(visit.fill("#points", "1234.5", "direct").await["filled"], false);
    rig.browser.close().await;
}

#[tokio::test]
async fn a_long_text_is_filled_though_its_editor_draws_only_a_part_of_it() {
    let rig = Rig::new().await;
    let address = "editors/dist/codemirror.html";
    let visit = rig.visit(address).await;
    visit.data(&["wait", "--strategy", "selector", "--target", ".cm-content"]).await;
    let page = visit.page(address).await;
    let long: Vec<_> = (0..400).map(|line| format!("line {line} of a long text")).collect();
    let long = long.join("\n");
    for value in [long.as_str(), "short"] {
        let filled = visit.fill(".cm-content", value, "paste").await;
        assert_eq!(page.evaluate("document.getElementById('model').textContent").await, value);
        assert_eq!((&filled["filled"], &filled["verifiedValue"]), (&json!(true), &json!(value)));
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn a_click_that_would_do_nothing_is_refused() {
    let rig = Rig::new().await;
    let body = "<label id=label>Choose<input type=file hidden></label>
        <button disabled><span id=part>Part</span></button>";
    let (visit, page) = page_of(&rig, body).await;
    page.evaluate("window.clicks = 0; addEventListener('click', () => { clicks += 1 }, true); 0")
        .await;
    for (selector, words) in [("#label", "opens a dialog for files"), ("#part", "is disabled")] {
        let error = visit.fails("ELEMENT_NOT_ACTIONABLE", &["click", "--selector", selector]).await;
        says(&error, &[words]);
    }
    assert_eq!(page.evaluate("clicks").await, 0);
    rig.browser.close().await;
}

#[tokio::test]
async fn a_hover_says_what_only_css_would_show_whoever_serves_the_style() {
    let rig = Rig::new().await;
    let body = "<ul><li id=styled>Menu<div class=menu>Styled</div></li>
        <li id=scripted>Menu<div class=menu id=menu>Scripted</div></li></ul><p id=plain>Plain</p>
        <script>scripted.onmouseenter = () => { menu.style.display = 'block' }</script>";
    for sheet in [rig.site.url("menu.css"), rig.site.other_url("menu.css")] {
        let (visit, page) = page_of(&rig, body).await;
        let link = format!(
            "new Promise((resolve) => document.head.append(Object.assign(document.createElement('link'), {{
                 rel: 'stylesheet', href: {}, onload: () => resolve(true) }})))",
            json!(sheet)
        );
        page.evaluate(&link).await;
        let hover = |id: &str| format!("#{id}");
        let data = visit.data(&["hover", "--selector", &hover("styled")]).await;
        let blocked = data["effects"]["blocked"].to_string();
        assert!(blocked.contains(":hover") && blocked.contains("Styled"), "{data}");
        for id in ["scripted", "plain"] {
            let data = visit.data(&["hover", "--selector", &hover(id)]).await;
            assert_eq!(data["effects"]["blocked"], json!(null), "{id}");
        }
        assert_eq!(page.evaluate("getComputedStyle(menu).display").await, "block");
        visit.data(&["session", "close"]).await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn lists_that_are_cut_say_so() {
    let rig = Rig::new().await;
    let (visit, page) = page_of(&rig, "").await;
    page.evaluate(
        "document.body.innerHTML = '<img alt=x src=\"data:,\">'.repeat(5001)
             + '<select aria-label=Many>' + '<option>x'.repeat(201) + '</select>'; 0",
    )
    .await;
    let images = visit.data(&["images"]).await;
    assert_eq!(images["images"].as_array().map(Vec::len), Some(5000));
    assert_eq!((&images["total"], &images["capped"]), (&json!(5001), &json!(true)));
    let options = visit.entries("elements").await[0]["options"].clone();
    let options = options.as_array().expect("options");
    assert_eq!((options.len(), text(&options[200])), (201, "… 1 more".to_owned()));
    page.evaluate("document.body.innerHTML = '<img alt=x src=\"data:,\">'; 0").await;
    let images = visit.data(&["images"]).await;
    assert_eq!((&images["total"], &images["capped"]), (&json!(1), &Value::Null));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_field_of_a_form_that_fails_is_named_by_its_place() {
    let rig = Rig::new().await;
    let body = "<input id=a><input id=b type=date><input id=c>
        <script>a.onchange = () => { c.disabled = true }</script>";
    let (visit, page) = page_of(&rig, body).await;
    let form =
        |fields: Value| vec!["fill-form".to_owned(), "--json".to_owned(), fields.to_string()];
    let field = |id: &str, value: &str| json!({"target": {"selector": id}, "value": value});
    for (fields, place, written) in [
        // Looked up before anything is written.
        (json!([field("#a", "x"), field("#b", "tomorrow")]), 2, ["", ""]),
        (json!([field("#a", "x"), field("#nowhere", "y")]), 2, ["", ""]),
        // Refused when its turn came.
        (
            json!([field("#a", "x"), field("#b", "2024-02-29"), field("#c", "z")]),
            3,
            ["x", "2024-02-29"],
        ),
    ] {
        let args = form(fields);
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        let error = visit.error(&args).await;
        assert_eq!(error["details"]["field"], place, "{error}");
        assert_eq!(page.evaluate("[a.value, b.value]").await, json!(written));
    }
    let alone = visit.error(&["fill", "--selector", "#b", "--value", "tomorrow"]).await;
    assert!(alone["details"].get("field").is_none(), "{alone}");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_field_is_left_unless_it_is_to_keep_the_focus() {
    let rig = Rig::new().await;
    let (visit, page) = page_of(&rig, "<input id=a>").await;
    for (more, focused) in [(&[][..], false), (&["--keep-focus"], true), (&[], false)] {
        let args = [&["fill", "--selector", "#a", "--value", "x"][..], more].concat();
        assert_eq!(visit.data(&args).await["filled"], true);
        assert_eq!(page.evaluate("document.activeElement === a").await, focused, "{more:?}");
    }
    rig.browser.close().await;
}

/// Fields whose server takes back what they get, or keeps it, in the way and after the time that `window.by`,
/// `window.after` and `window.keeps` say.
const SERVED: &str = r#"<input id=text value=10> <input id=range type=range value=10> <input id=other value=10>
    <select id=list><option>10<option>70</select>
    <script>
        window.served = new Map();
        const socket = new WebSocket(`ws://${location.host}/socket`);
        window.opened = new Promise((resolve) => { socket.onopen = () => resolve(true) });
        const answered = (id) => { if (!keeps) document.getElementById(id).value = '10'; };
        socket.onmessage = ({ data }) => { if (data !== 'heard') answered(data) };
        const ask = (id) => fetch(`/slow?ms=${after}`).then((answer) => answer.text()).then(() => answered(id));
        let timer;
        const ways = {
            fetch: ask,
            request: (id) => {
                const request = new XMLHttpRequest();
                request.open('GET', `/slow?ms=${after}`);
                request.onload = () => answered(id);
                request.send();
            },
            socket: (id) => socket.send(JSON.stringify({ after, say: id })),
            gathered: (id) => { clearTimeout(timer); timer = setTimeout(ask, 200, id); },
        };
        for (const field of document.querySelectorAll('#text, #range, #list'))
            field.addEventListener('input', () => ways[by](field.id));
    </script>"#;

#[tokio::test]
async fn what_a_server_takes_back_is_not_claimed() {
    let rig = Rig::new().await;
    let (visit, page) = page_of(&rig, SERVED).await;
    page.until("await opened").await;
    let serves = |by: &str, after: u32, keeps: bool| {
        format!("[window.by, window.after, window.keeps] = ['{by}', {after}, {keeps}]")
    };
    for by in ["fetch", "request", "socket", "gathered"] {
        for (after, keeps) in [(100, false), (300, false), (800, false), (300, true)] {
            let row = format!("{by} after {after} ms, keeps: {keeps}");
            page.evaluate(&serves(by, after, keeps)).await;
            let held = if keeps { "70" } else { "10" };
            let wanted = json!({"filled": keeps, "verifiedValue": held});
            assert_eq!(visit.fill("#text", "70", "auto").await, wanted, "{row}");
            assert_eq!(page.evaluate("document.querySelector('#text').value").await, held, "{row}");
        }
    }
    for (by, keeps) in [("fetch", false), ("gathered", true)] {
        page.evaluate(&serves(by, 300, keeps)).await;
        let held = if keeps { "70" } else { "10" };
        let slid = visit.fill("#range", "70", "auto").await;
        assert_eq!((&slid["filled"], &slid["verifiedValue"]), (&json!(keeps), &json!(held)));
        let typed = ["type", "70", "--selector", "#text", "--replace"];
        assert_eq!(visit.data(&typed).await["value"], held);
        let select = ["select", "--selector", "#list", "--option-text", "70"];
        assert_eq!(visit.run(&select).await.json()["ok"], keeps);
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn the_fields_of_a_form_are_looked_at_again_when_all_are_written() {
    let rig = Rig::new().await;
    let (visit, page) = page_of(&rig, SERVED).await;
    let form = json!([{"target": {"selector": "#text"}, "value": "70"}, {"target": {"selector": "#other"}, "value": "80"}]).to_string();
    let held = async || {
        let data = visit.run(&["fill-form", "--json", &form]).await.json()["data"].take();
        let entries = data["results"].as_array().expect("results").clone();
        entries
            .iter()
            .map(|it| (it["filled"] == true, text(&it["verifiedValue"])))
            .collect::<Vec<_>>()
    };
    let told = |first: &str| vec![(first == "70", first.to_owned()), (true, "80".to_owned())];
    // The server answers long after the second field was written.
    page.evaluate("[window.by, window.after, window.keeps] = ['fetch', 600, false]").await;
    assert_eq!(held().await, told("10"));
    page.evaluate("window.keeps = true").await;
    assert_eq!(held().await, told("70"));
    // The second field empties the first.
    page.evaluate("other.oninput = () => { text.value = '' }; 0").await;
    assert_eq!(held().await, told(""));
    rig.browser.close().await;
}
