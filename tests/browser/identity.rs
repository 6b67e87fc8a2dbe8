//! A handle stands for the very element that was read, and an act for the page that was read: it reaches them or nothing,
//! whatever the page does meanwhile. The page's own record of events, kept by its server, is the judge.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::rig::{Rig, Visit, own, text};
use super::support::{Page, request, wait_for};

/// An act gets its answer within this time, whatever its page does.
pub(super) const ANSWERED: Duration = Duration::from_secs(15);

impl Visit<'_> {
    /// The answer to an action, success or failure.
    pub(super) async fn ask(&self, action: &str, params: Value) -> Value {
        let asked = request(action).session(&self.session).params(params);
        self.rig.daemon.send(asked).await.json()
    }

    /// The handles of a fresh read of `elements`, by label.
    async fn handles(&self) -> HashMap<String, String> {
        let entries = self.entries("elements").await;
        entries.iter().map(|it| (text(&it["label"]), text(&it["handle"]))).collect()
    }
}

/// A page with this body, and a list `reached` of what scripts have done to what.
pub(super) async fn room<'a>(rig: &'a Rig, body: &str) -> (Visit<'a>, Page<'a>) {
    let visit = rig.visit("article.html").await;
    let page = rig.browser.find("article.html").await;
    let setup = format!(
        "document.body.innerHTML = {}; window.reached = [];
         for (const type of ['click', 'input']) addEventListener(type, (event) =>
             reached.push(type + ' ' + (event.target.dataset.is ?? event.target.id)), true);",
        json!(body)
    );
    page.evaluate(&setup).await;
    (visit, page)
}

pub(super) fn code(answer: &Value) -> &str {
    if answer["ok"] == true { "ok" } else { answer["error"]["code"].as_str().expect("a code") }
}

#[tokio::test]
async fn a_handle_reaches_its_own_row_after_another_was_removed_or_prepended() {
    let rig = Rig::new().await;
    let rows = |names: &[&str]| -> String {
        names
            .iter()
            .map(|it| format!("<li><button data-is={it}>Delete {it}</button></li>"))
            .collect()
    };
    let (visit, page) = room(&rig, &format!("<ul>{}</ul>", rows(&["ann", "bob", "cid"]))).await;
    let handles = visit.handles().await;
    let click = |name: &str| json!({"target": {"handle": handles[&format!("Delete {name}")]}});

    page.evaluate("document.querySelector('li').remove()").await;
    assert_eq!(code(&visit.ask("click", click("bob")).await), "ok");
    page.evaluate(&format!(
        "document.querySelector('ul').insertAdjacentHTML('afterbegin', '{}')",
        rows(&["dan"])
    ))
    .await;
    assert_eq!(code(&visit.ask("click", click("cid")).await), "ok");
    assert_eq!(page.evaluate("reached").await, json!(["click bob", "click cid"]));
    let gone = visit.ask("click", click("ann")).await;
    assert_eq!(code(&gone), "ELEMENT_HANDLE_STALE", "{gone}");
    assert_eq!(page.evaluate("reached.length").await, 2);
    rig.browser.close().await;
}

#[tokio::test]
async fn a_handle_does_not_follow_an_id_to_another_element() {
    let rig = Rig::new().await;
    let body = "<button id=a data-is=cancel>Cancel</button><button id=b data-is=pay>Confirm payment</button>
                <form><input id=c type=password aria-label=Password data-is=password>
                <input id=d aria-label=Comment data-is=comment></form>";
    let (visit, page) = room(&rig, body).await;
    let handles = visit.handles().await;
    let swap = "for (const [a, b] of [['a', 'b'], ['c', 'd']]) {
                    const [one, other] = [document.getElementById(a), document.getElementById(b)];
                    [one.id, other.id] = [b, a];
                }";
    page.evaluate(swap).await;
    assert_eq!(
        code(&visit.ask("click", json!({"target": {"handle": handles["Cancel"]}})).await),
        "ok"
    );
    let secret = json!({"target": {"handle": handles["Password"]}, "value": "hush", "method": "direct", "world": "isolated"});
    assert_eq!(own(visit.ask("fill", secret).await["data"].clone()), json!({"filled": true}));
    assert_eq!(page.evaluate("reached").await, json!(["click cancel", "input password"]));
    let held =
        page.evaluate("[...document.querySelectorAll('input')].map(({ value }) => value)").await;
    assert_eq!(held, json!(["hush", ""]));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_handle_of_what_became_another_thing_is_refused_once_with_what_it_was_and_is() {
    let rig = Rig::new().await;
    let body = "<button id=a>Cancel</button><button id=b>Like 12</button>
                <input id=c type=password aria-label=Secret>
                <form id=d action=/pay><button id=e>Send</button></form><a id=f href=/x>Go</a>";
    let (visit, page) = room(&rig, body).await;
    page.evaluate("for (const it of document.querySelectorAll('form, a')) it.onsubmit = it.onclick = () => false").await;
    let handles = visit.handles().await;
    let link = visit.handle("links", "text", "Go").await;
    let site = rig.site.url("").trim_end_matches('/').to_owned();
    for (change, handle, was, is) in [
        (
            "a.textContent = 'Confirm payment'",
            &handles["Cancel"],
            json!({"role": "button", "name": "Cancel", "type": "submit"}),
            json!({"role": "button", "name": "Confirm payment", "type": "submit"}),
        ),
        (
            "c.type = 'text'",
            &handles["Secret"],
            json!({"role": "textbox", "name": "Secret", "type": "password"}),
            json!({"role": "textbox", "name": "Secret", "type": "text"}),
        ),
        (
            "d.action = 'https://evil.example/'",
            &handles["Send"],
            json!({"role": "button", "name": "Send", "type": "submit", "origin": site}),
            json!({"role": "button", "name": "Send", "type": "submit", "origin": "https://evil.example"}),
        ),
        (
            "f.href = 'https://evil.example/'",
            &link,
            json!({"role": "link", "name": "Go", "origin": site}),
            json!({"role": "link", "name": "Go", "origin": "https://evil.example"}),
        ),
    ] {
        page.evaluate(change).await;
        let click = json!({"target": {"handle": handle}});
        let refused = visit.ask("click", click.clone()).await;
        assert_eq!(code(&refused), "ELEMENT_HANDLE_STALE", "{change}: {refused}");
        assert_eq!(
            (&refused["error"]["details"]["was"], &refused["error"]["details"]["is"]),
            (&was, &is)
        );
        assert_eq!(page.evaluate("reached.length").await, 0, "{change}");
        // The refusal has told what it is now.
        assert_eq!(code(&visit.ask("click", click).await), "ok", "{change}");
        page.evaluate("reached.length = 0").await;
    }
    // A counter, a value and a state are no other thing; nor is what the act itself has made of it.
    page.evaluate("b.textContent = ' Like  13'; b.ariaPressed = 'true'; c.value = 'x'").await;
    page.evaluate("b.onclick = () => { b.textContent = 'Unlike' }").await;
    for _ in 0..2 {
        let click = json!({"target": {"handle": handles["Like 12"]}});
        assert_eq!(code(&visit.ask("click", click).await), "ok");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn an_element_keeps_its_number_whichever_read_it_is() {
    let rig = Rig::new().await;
    let (visit, page) = room(&rig, "<button>One</button><button>Two</button>").await;
    let first = visit.handles().await;
    page.evaluate("document.body.insertAdjacentHTML('afterbegin', '<button>Zero</button>')").await;
    let tree = text(&visit.data(&["snapshot"]).await["tree"]);
    for name in ["One", "Two"] {
        assert!(tree.contains(&format!("button \"{name}\" [{}]", first[name])), "{tree}");
    }
    let second = visit.handles().await;
    assert_eq!((&second["One"], &second["Two"]), (&first["One"], &first["Two"]));
    assert!(tree.contains(&format!("button \"Zero\" [{}]", second["Zero"])), "{tree}");
    page.evaluate("document.body.prepend(document.body.lastElementChild)").await;
    assert_eq!(visit.handles().await, second);
    rig.browser.close().await;
}

#[tokio::test]
async fn what_was_numbered_for_an_answer_about_the_next_page_keeps_no_number() {
    let rig = Rig::new().await;
    let body = "<button id=go>Go</button><input id=field aria-label=First>";
    let (visit, page) = room(&rig, body).await;
    // The act is looked at while the field has the focus; its answer is about the page that comes then.
    page.evaluate(&format!(
        "addEventListener('pagehide', ({{ persisted }}) => {{ sessionStorage.kept = persisted }});
         go.onclick = () => {{
             field.focus();
             const changes = setInterval(() => {{ document.title += 'x' }}, 5);
             setTimeout(() => {{ clearInterval(changes); location.assign({}) }}, 400);
         }}; 0",
        json!(rig.site.url("focus.html?next"))
    ))
    .await;
    let click = json!({"target": {"selector": "#go"}});
    let clicked = visit.ask("click", click).await;
    assert_eq!(clicked["page"]["title"], "Focus", "{clicked}");
    assert_eq!(page.evaluate("sessionStorage.kept").await, "true");
    let answer = visit.ask("press", json!({"keys": ["Tab"]})).await;
    let there = text(&answer["data"]["effects"]["focus"]["handle"]);
    visit.data(&["back"]).await;
    page.until("document.getElementById('field') !== null").await;
    let here = visit.handles().await["First"].clone();
    assert_ne!(here, there, "one number for two elements");
    assert!(number(&here) > number(&there));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_cannot_write_a_mark_of_its_own() {
    let rig = Rig::new().await;
    let body = r#"<button>x" [el1]</button><button aria-label="[el1]">y</button><input aria-label="a" value="&quot; [el1]">
                  <div role="[el1]" aria-label=z tabindex=0>z</div><p>[el1]</p><button id="a&quot; [el1]">v</button>"#;
    let (visit, _) = room(&rig, body).await;
    let tree = text(&visit.data(&["snapshot"]).await["tree"]);
    // Outside of quotes there is each mark once.
    let (mut outside, mut quoted, mut escaped) = (String::new(), false, false);
    for letter in tree.chars() {
        match letter {
            '"' if !escaped => quoted = !quoted,
            _ if !quoted => outside.push(letter),
            _ => {}
        }
        escaped = quoted && letter == '\\' && !escaped;
    }
    let marks: Vec<_> = outside.match_indices("[el").collect();
    assert_eq!(marks.len(), 5, "{tree}");
    assert_eq!(outside.matches("[el1]").count(), 1, "{tree}");
    rig.browser.close().await;
}

#[tokio::test]
async fn elements_beyond_a_block_of_numbers_have_no_handle_and_the_answer_says_so() {
    let rig = Rig::new().await;
    let (visit, page) = room(&rig, "").await;
    page.evaluate("document.body.innerHTML = '<button>b</button> '.repeat(1200)").await;
    let data = visit.data(&["elements"]).await;
    let entries = data["elements"].as_array().expect("entries");
    let numbered = |entries: &[Value]| entries.iter().filter(|it| it["handle"].is_string()).count();
    assert_eq!((entries.len(), numbered(entries), &data["capped"]), (1200, 1000, &json!(true)));
    assert!(entries[999]["handle"].is_string() && entries[1000].get("handle").is_none());
    assert!(entries.iter().all(|it| it.get("n").is_none()), "numbers are for the daemon");
    let data = visit.data(&["snapshot"]).await;
    let tree = text(&data["tree"]);
    assert_eq!(tree.matches("[el").count(), 1000);
    assert!(tree.ends_with("beyond the 1,000 of an answer: choose a part"), "{tree}");
    assert!(data.get("handles").is_none());
    rig.browser.close().await;
}

#[tokio::test]
async fn a_form_is_not_filled_further_on_another_page() {
    let rig = Rig::new().await;
    for origin in [rig.site.url("form.html"), rig.site.other_url("form.html")] {
        let visit = rig.visit("form.html").await;
        let page = visit.page("form.html").await;
        let script = format!(
            "document.getElementById('name').oninput = () => location.assign({} + '?next')",
            json!(origin)
        );
        page.evaluate(&script).await;
        let field = |selector: &str| json!({"target": {"selector": selector}, "value": "Ada", "method": "direct", "world": "isolated"});
        let answer =
            visit.ask("fill-form", json!({"fields": [field("#name"), field("#note")]})).await;
        assert_eq!(code(&answer), "PAGE_CHANGED", "{answer}");
        let details = &answer["error"]["details"];
        assert_eq!(details["done"], 1, "{answer}");
        assert_eq!(details["page"]["url"], format!("{origin}?next"));
        assert!(
            details["page"]["document"].is_string() && details["page"]["title"].is_string(),
            "{answer}"
        );
        page.until("location.search === '?next' && document.readyState === 'complete'").await;
        assert_eq!(page.evaluate("document.getElementById('note').value").await, "First\nline");

        // The refusal has told of the page, so that it can be acted on.
        assert_eq!(code(&visit.ask("fill", field("#note")).await), "ok");
        visit.data(&["session", "close"]).await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn an_option_is_not_chosen_on_another_page() {
    let rig = Rig::new().await;
    let visit = rig.visit("select.html").await;
    let page = visit.page("select.html").await;
    let next = format!("{}?next", rig.site.other_url("select.html"));
    // The list is open on the next page too, so that its option could be pressed there.
    page.evaluate(&format!(
        "document.getElementById('button').onclick = () => location.assign({})",
        json!(next)
    ))
    .await;
    let answer = visit
        .ask("select", json!({"trigger": {"selector": "#button"}, "optionText": "Quince"}))
        .await;
    assert_eq!(code(&answer), "PAGE_CHANGED", "{answer}");
    assert_eq!(answer["error"]["details"]["done"], 1);
    page.until("location.search === '?next'").await;
    assert_eq!(visit.text("#log").await, "");
    rig.browser.close().await;
}

#[tokio::test]
async fn an_editor_is_filled_by_its_own_interface_only_where_it_was_read() {
    let rig = Rig::new().await;
    let make = "window.make = (name) => {
                    const root = document.createElement('div');
                    root.className = 'CodeMirror';
                    root.textContent = name;
                    root.tabIndex = 0;
                    root.ariaLabel = name;
                    root.dataset.held = '';
                    root.CodeMirror = { setValue: (value) => { root.dataset.held = value }, getValue: () => root.dataset.held };
                    return root;
                }";
    let (visit, page) = room(&rig, "").await;
    page.evaluate(&format!("{make}; document.body.append(make('first'), make('second'))")).await;
    let handles = visit.handles().await;
    let fill = |value: &str| json!({"target": {"handle": handles["first"]}, "value": value, "method": "runtime-api", "world": "main"});
    let held = "Object.fromEntries([...document.querySelectorAll('.CodeMirror')].map((it) => [it.textContent, it.dataset.held]))";
    page.evaluate("document.body.append(document.body.firstElementChild)").await;
    let answer = visit.ask("fill", fill("x")).await;
    assert_eq!(
        own(answer["data"].clone()),
        json!({"filled": true, "verifiedValue": "x"}),
        "{answer}"
    );
    let mut secret = fill("y");
    secret["private"] = true.into();
    assert_eq!(own(visit.ask("fill", secret).await["data"].clone()), json!({"filled": true}));
    assert_eq!(page.evaluate(held).await, json!({"first": "y", "second": ""}));

    // The element is replaced by one that looks the same.
    page.evaluate("document.body.lastElementChild.replaceWith(make('first'))").await;
    assert_eq!(code(&visit.ask("fill", fill("z")).await), "ELEMENT_HANDLE_STALE");
    assert_eq!(page.evaluate(held).await, json!({"first": "", "second": ""}));

    // And the page by another one.
    let (next, names) =
        (rig.site.url("article.html?next"), "document.querySelectorAll('.CodeMirror').length");
    page.go(&next).await;
    page.until("location.search === '?next' && document.readyState === 'complete'").await;
    page.evaluate(&format!("{make}; document.body.append(make('first'))")).await;
    let by_selector = json!({"target": {"selector": ".CodeMirror"}, "value": "w", "method": "runtime-api", "world": "main"});
    let changed = visit.ask("fill", by_selector.clone()).await;
    assert_eq!(code(&changed), "PAGE_CHANGED", "{changed}");
    assert_eq!(
        (page.evaluate(held).await, page.evaluate(names).await),
        (json!({"first": ""}), json!(1))
    );
    assert_eq!(visit.ask("fill", by_selector).await["data"]["filled"], true);
    rig.browser.close().await;
}

#[tokio::test]
async fn a_click_around_a_navigation_reaches_its_own_page_or_none() {
    let rig = Rig::new().await;
    let visit = rig.visit("article.html").await;
    let page = visit.page("article.html").await;
    for round in 0..50_u32 {
        let here = rig.site.url(&format!("identity.html?tab=a&seed=1&round={round}"));
        visit.data(&["navigate", &here]).await;
        let button =
            |it: &&Value| it["tag"] == "button" && it["role"] == "button" && it["frame"].is_null();
        let entries = visit.entries("elements").await;
        let handle = entries.iter().find(button).expect("a button")["handle"].clone();
        let document = page.evaluate("census().document").await;
        // The same page of another site, on which the same selector finds a button.
        let next = rig.site.other_url(&format!("identity.html?tab=a&seed=1&round={round}"));
        let leave = format!("setTimeout(() => location.assign({}), {round})", json!(next));
        page.evaluate(&leave).await;
        let answer = visit.ask("click", json!({"target": {"handle": handle}})).await;
        let outcome = code(&answer);
        assert!(["ok", "PAGE_CHANGED", "ELEMENT_HANDLE_STALE"].contains(&outcome), "{answer}");
        page.until("location.hostname === 'localhost' && window.ready").await;
        let clicks = |record: &Value| record["type"] == "click" && record["document"] == document;
        if outcome == "ok" {
            wait_for("the click", || rig.site.records().iter().any(clicks).then_some(())).await;
        }
        let records = rig.site.records();
        assert!(records.iter().all(|it| it["document"] == document), "{records:?}");
        rig.site.forget();
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn an_act_that_waits_ends_when_its_page_is_left_even_if_it_comes_back() {
    let rig = Rig::new().await;
    // A page that opens its document anew takes all listeners away.
    for open in ["", "document.open(); document.write('<body>'); document.close();"] {
        let visit = rig.visit("article.html").await;
        let page = visit.page("article.html").await;
        page.evaluate("addEventListener('pageshow', () => history.forward())").await;
        visit.data(&["navigate", &rig.site.url("article.html?second")]).await;
        // Pasting waits between the focus and the text. Meanwhile the page goes to the browser's cache, and comes back.
        page.evaluate(&format!(
            "{open} document.body.innerHTML = '<div contenteditable id=text>old</div>'; window.returned = 0;
             document.getElementById('text').onfocus = () => history.back();
             addEventListener('pageshow', ({{ persisted }}) => {{ returned += persisted }})",
        ))
        .await;
        let fill = json!({"target": {"selector": "#text"}, "value": "new", "method": "paste", "world": "isolated"});
        for round in 1.. {
            visit.data(&["text"]).await;
            let answer = visit.ask("fill", fill.clone()).await;
            page.until(&format!("location.search === '?second' && returned === {round}")).await;
            // Whatever would wake up has had its time.
            page.evaluate("new Promise((resolve) => setTimeout(resolve, 200))").await;
            let held = page.evaluate("document.getElementById('text').textContent").await;
            if code(&answer) == "PAGE_CHANGED" {
                assert_eq!(held, "old", "{answer}");
                // It is a new page to the client until that has been told.
                break;
            }
            // The browser took longer than the act waits.
            assert_eq!((code(&answer), &held), ("ok", &json!("new")), "{answer}");
            assert!(round < 20, "the page never left in time");
            page.evaluate("document.getElementById('text').textContent = 'old'").await;
            page.evaluate("document.activeElement.blur()").await;
        }
        visit.data(&["session", "close"]).await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn an_act_whose_page_goes_to_the_browsers_cache_for_good_ends_at_once() {
    let rig = Rig::new().await;
    let next = rig.site.url("form.html");
    let target = json!({"selector": "#at"});
    let long = "text ".repeat(300);
    for (action, params, event) in [
        ("click", json!({"target": target, "hold": 8_000}), "pointerdown"),
        ("drag", json!({"from": target, "by": {"x": 9, "y": 0}, "steps": 100}), "pointerdown"),
        ("type", json!({"target": target, "text": long}), "keydown"),
        ("fill", json!({"target": target, "value": "new", "method": "paste"}), "focus"),
        ("fill", json!({"target": {"selector": "#slider"}, "value": "900"}), "keydown"),
    ] {
        let body = "<div contenteditable id=at>old</div>
             <div role=slider id=slider tabindex=0 aria-valuenow=0 aria-valuemin=0 aria-valuemax=999>s</div>";
        let (visit, page) = room(&rig, body).await;
        page.evaluate(&format!(
            "addEventListener('pagehide', ({{ persisted }}) => {{ sessionStorage.kept = persisted }});
             slider.onkeydown = () => {{ slider.ariaValueNow = Number(slider.ariaValueNow) + 1 }};
             addEventListener('{event}', () => location.assign({}), {{ capture: true, once: true }}); 0",
            json!(next)
        ))
        .await;
        let asked = request(action).session(&visit.session).params(params).within(ANSWERED);
        let answer = rig.daemon.send(asked).await.json();
        assert_ne!(code(&answer), "TIMEOUT", "{action}: {answer}");
        if action == "click" {
            assert_eq!(code(&answer), "PAGE_CHANGED", "{answer}");
            assert_eq!(answer["error"]["details"]["page"]["url"], next, "{answer}");
        }
        page.until("location.pathname === '/form.html'").await;
        assert_eq!(page.evaluate("sessionStorage.kept").await, "true", "{action}");
        visit.data(&["session", "close"]).await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn a_document_that_is_opened_anew_in_the_middle_of_an_act_is_another_page() {
    let rig = Rig::new().await;
    let (visit, page) = room(&rig, "<div contenteditable id=text>old</div>").await;
    page.evaluate(
        "document.getElementById('text').onfocus = () => {
             document.open();
             document.write('<body><div contenteditable id=text>old</div>');
             document.close();
         }",
    )
    .await;
    let fill = json!({"target": {"selector": "#text"}, "value": "new", "method": "paste", "world": "isolated"});
    assert_eq!(code(&visit.ask("fill", fill.clone()).await), "PAGE_CHANGED");
    assert_eq!(page.evaluate("document.body.textContent").await, "old");
    assert_eq!(code(&visit.ask("fill", fill).await), "ok", "the refusal has told of it");
    assert_eq!(page.evaluate("document.body.textContent").await, "new");
    rig.browser.close().await;
}

fn number(handle: &str) -> u64 {
    handle.trim_start_matches(char::is_alphabetic).parse().expect("a number")
}
