//! A handle stands for the very element that was read, and an act for the page that was read: it reaches them or nothing,
//! whatever the page does meanwhile. The page's own record of events, kept by its server, is the judge.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::rig::{Rig, Visit, own, text};
use super::support::{Page, now_ms, request, wait_for};

// ---- The faults that a selector in place of a handle has ----

impl Visit<'_> {
    /// The answer to an action, success or failure.
    async fn ask(&self, action: &str, params: Value) -> Value {
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
async fn room<'a>(rig: &'a Rig, body: &str) -> (Visit<'a>, Page<'a>) {
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

fn code(answer: &Value) -> &str {
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
        let button = |it: &&Value| it["tag"] == "button" && it["role"] == "button";
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

#[tokio::test]
async fn what_a_private_field_holds_is_in_no_answer_whatever_the_page_makes_of_it() {
    let rig = Rig::new().await;
    let body = "<input id=a type=password aria-label=A><input id=b autocomplete=one-time-code aria-label=B>
                <input id=c autocomplete='section-pay billing cc-number' aria-label=C>
                <input id=d style='-webkit-text-security: disc' aria-label=D><input id=e aria-label=E>
                <textarea id=f aria-label=F></textarea>";
    let (visit, page) = room(&rig, body).await;
    // It shows what it gets at the first event.
    page.evaluate(
        "for (const it of document.querySelectorAll('input, textarea')) it.oninput = () => {
             it.type = 'text'; it.autocomplete = 'off'; it.style = ''; it.setAttribute('value', it.value);
         }",
    )
    .await;
    for (id, method) in [
        ("a", "direct"),
        ("b", "paste"),
        ("c", "direct"),
        ("d", "direct"),
        ("e", "direct"),
        ("f", "paste"),
    ] {
        let private = ["e", "f"].contains(&id);
        let fill = json!({"target": {"selector": format!("#{id}")}, "value": "hush-42", "method": method, "world": "isolated", "private": private});
        let answer = visit.ask("fill", fill).await;
        assert_eq!(own(answer["data"].clone()), json!({"filled": true}), "{id}: {answer}");
    }
    for read in ["text", "elements", "snapshot", "dom", "outline"] {
        let answer = visit.ask(read, json!({})).await;
        assert!(answer["ok"] == true && !answer.to_string().contains("hush"), "{read}: {answer}");
    }
    let inspected = visit.ask("inspect", json!({"selector": "input, textarea"})).await;
    assert!(!inspected.to_string().contains("hush"), "{inspected}");
    assert_eq!(page.evaluate("document.getElementById('e').value").await, "hush-42");
    rig.browser.close().await;
}

#[tokio::test]
async fn what_a_private_choice_holds_is_in_no_answer() {
    let rig = Rig::new().await;
    let body = "<input type=checkbox id=a aria-label=A><div role=switch id=b tabindex=0 aria-label=B>b</div>
                <div role=slider id=c tabindex=0 aria-label=C aria-valuenow=1 aria-valuemin=0 aria-valuemax=9>c</div>";
    let (visit, page) = room(&rig, body).await;
    page.evaluate(
        "b.onclick = () => { b.setAttribute('aria-checked', 'true') };
         c.onkeydown = ({ key }) => { c.ariaValueNow = Number(c.ariaValueNow) + (key === 'ArrowRight' ? 1 : -1) }; 0",
    )
    .await;
    for (id, value) in [("a", "true"), ("b", "true"), ("c", "7")] {
        let fill = json!({"target": {"selector": format!("#{id}")}, "value": value, "method": "direct", "world": "isolated", "private": true});
        assert_eq!(visit.ask("fill", fill).await["data"]["filled"], true, "{id}");
    }
    let held = "[a.checked, b.ariaChecked, c.ariaValueNow]";
    assert_eq!(page.evaluate(held).await, json!([true, "true", "7"]));
    for (read, params) in [
        ("snapshot", json!({})),
        ("elements", json!({})),
        ("dom", json!({"selector": "#a, #b, #c"})),
        ("inspect", json!({"selector": "#a, #b, #c"})),
    ] {
        let data = visit.ask(read, params).await["data"].to_string();
        let told = ["checked=", "checked\"", " checked", "\"7\"", "\"7\"", "=\"true"];
        assert!(!told.iter().any(|it| data.contains(it)), "{read}: {data}");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn the_text_of_a_private_editor_is_in_no_answer() {
    let rig = Rig::new().await;
    let body = "<h2>Head <span contenteditable id=a>x</span></h2><div id=b contenteditable aria-label=B><p id=c>x</p></div>
                <div class=CodeMirror id=d tabindex=0 aria-label=D><pre>x</pre></div>
                <div role=button tabindex=0 aria-labelledby=a>Named by a</div>
                <x-card></x-card>
                <div id=e contenteditable style='position: absolute; top: 400px; left: 0; width: 300px; height: 60px'>x</div>
                <button id=under style='position: absolute; top: 400px; left: 9px; z-index: -1'>Under</button>";
    let (visit, page) = room(&rig, body).await;
    page.evaluate(
        "(() => {
             const card = document.querySelector('x-card').attachShadow({ mode: 'open' });
             card.innerHTML = '<input id=s type=password aria-label=S value=hush-shadow>';
             const editor = document.getElementById('d');
             editor.CodeMirror = { setValue: (value) => { editor.firstChild.textContent = value },
                                   getValue: () => editor.firstChild.textContent };
         })()",
    )
    .await;
    for (id, method) in [("a", "direct"), ("c", "paste"), ("d", "runtime-api"), ("e", "paste")] {
        let world = if method == "runtime-api" { "main" } else { "isolated" };
        let fill = json!({"target": {"selector": format!("#{id}")}, "value": format!("hush-{id}"), "method": method, "world": world, "private": true});
        let answer = visit.ask("fill", fill).await;
        let data = &answer["data"];
        assert_eq!(
            (&data["filled"], data.get("verifiedValue")),
            (&json!(true), None),
            "{id}: {answer}"
        );
        let held = format!("document.getElementById('{id}').textContent");
        assert_eq!(page.evaluate(&held).await, format!("hush-{id}"));
    }
    // The page makes something else of them.
    page.evaluate(
        "for (const it of document.querySelectorAll('[contenteditable]')) it.removeAttribute('contenteditable');
         document.getElementById('d').className = '';
         document.querySelector('x-card').shadowRoot.getElementById('s').type = 'text'",
    )
    .await;
    for (read, params) in [
        ("text", json!({})),
        ("text", json!({"selector": "#c, #d pre, h2"})),
        ("elements", json!({})),
        ("links", json!({})),
        ("snapshot", json!({})),
        ("snapshot", json!({"selector": "#c"})),
        ("dom", json!({})),
        ("dom", json!({"selector": "pre"})),
        ("outline", json!({})),
        ("inspect", json!({"selector": "*", "limit": 50})),
        ("click", json!({"target": {"selector": "#under"}})),
    ] {
        let answer = visit.ask(read, params.clone()).await;
        assert!(!answer.to_string().contains("hush"), "{read} {params}: {answer}");
        assert_eq!(answer["ok"], read != "click", "{answer}");
    }
    assert!(visit.text("h2").await.starts_with("Head"));
    rig.browser.close().await;
}

// ---- Chance ----

/// How long the property test runs. Seconds.
const SECONDS: &str = "BPROXY_IDENTITY_SECONDS";
/// With which seed.
const SEED: &str = "BPROXY_IDENTITY_SEED";
/// An act gets its answer within this time, whatever its page does.
const ANSWERED: Duration = Duration::from_secs(15);
/// Tabs that are acted on at once, each in front of a window of its own.
const TABS: usize = 3;

/// Numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Changes that leave the document, the first more often than the others.
const QUIET: [&str; 16] = [
    "insert",
    "remove",
    "reorder",
    "replace",
    "swapIds",
    "swapTexts",
    "swapPlaces",
    "remove",
    "reorder",
    "replace",
    "replaceAll",
    "flipType",
    "leadElsewhere",
    "rebuild",
    "frame",
    "push",
];
/// Changes of the document.
const LEAVING: [&str; 7] =
    ["navigate", "cross", "reload", "back", "thereAndBack", "cross", "rewrite"];

/// Events at which a page may change in the middle of an act.
const EVENTS: [&str; 7] =
    ["pointerover", "pointerdown", "mousedown", "mouseup", "click", "input", "change"];

/// What an act was for, and when.
struct Act {
    tab: String,
    what: String,
    document: String,
    /// The identities that it may reach; all of the document if none is named.
    reaches: HashSet<String>,
    /// Whether it must have clicked the one.
    clicked: bool,
    began: i64,
    ended: i64,
}

/// One tab, the page in it, and what is known of its handles.
struct Player<'a> {
    visit: Visit<'a>,
    page: Page<'a>,
    tab: String,
    dice: Dice,
    /// Document, identity, kind and selector by handle.
    known: HashMap<String, [String; 4]>,
    /// The document that was read last.
    here: String,
    acts: Vec<Act>,
    outcomes: BTreeMap<String, usize>,
}

impl<'a> Player<'a> {
    async fn new(rig: &'a Rig, tab: usize, seed: u64) -> Self {
        let tab = format!("{tab}");
        let visit = rig.open_url(&address(rig, &tab, 1)).await;
        let page = rig.browser.find(&format!("tab={tab}&")).await;
        let eye = rig.browser.inspector().await;
        let own_window = format!(
            "chrome.tabs.query({{}}).then((tabs) => chrome.windows.create({{
                 tabId: tabs.find(({{ url }}) => url.includes('tab={tab}&')).id, focused: true }})).then(() => true)"
        );
        eye.evaluate(&own_window).await;
        page.until("document.visibilityState === 'visible'").await;
        eye.close().await;
        let dice = Dice(seed);
        Self {
            visit,
            page,
            tab,
            dice,
            known: HashMap::new(),
            here: String::new(),
            acts: Vec::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Changes the page, acts on it, until the time is over.
    async fn play(mut self, until: Instant) -> Self {
        while Instant::now() < until {
            if !self.at_rest().await {
                let seed = self.dice.below(1_000_000);
                let fresh = address(self.visit.rig, &self.tab, seed);
                self.visit.ask("navigate", json!({"url": fresh})).await;
                continue;
            }
            if self.read().await.is_none() {
                continue;
            }
            for _ in 0..self.dice.below(3) {
                let change = *self.dice.one(&QUIET);
                self.change(change).await;
            }
            self.disturb().await;
            self.act().await;
        }
        self
    }

    /// Whether the page has come to rest on a page of the test within a moment.
    async fn at_rest(&self) -> bool {
        let rests = "typeof disarm === 'function' && (disarm(), window.ready === true && window.pending === 0 &&
                     document.readyState === 'complete' && document.getElementById('room').isConnected)";
        let end = Instant::now() + Duration::from_millis(800);
        while Instant::now() < end {
            if self.page.try_evaluate(rests).await == Some(json!(true)) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    async fn census(&self) -> Option<Value> {
        self.page.try_evaluate("census()").await.filter(Value::is_object)
    }

    /// Reads the page, and keeps which handle stands for which element.
    async fn read(&mut self) -> Option<()> {
        let before = self.census().await?;
        let read = *self.dice.one(&["elements", "elements", "links", "snapshot"]);
        let answer = self.visit.ask(read, json!({})).await;
        if self.census().await? != before || answer["ok"] != true {
            return None;
        }
        let document = text(&before["document"]);
        self.here.clone_from(&document);
        let controls = before["controls"].as_array().expect("controls");
        for [label, handle, selector] in listed(read, &answer["data"]) {
            // A frame's elements, and the options of an open list, are not in the census.
            let Some(control) = controls.iter().find(|it| it[0] == label.as_str()) else {
                continue;
            };
            let is = [document.clone(), text(&control[1]), text(&control[2]), selector];
            let known = self.known.insert(handle.clone(), is.clone());
            assert!(
                known.as_ref().is_none_or(|known| known[..2] == is[..2]),
                "{handle} stands for two elements: {known:?} and {is:?}"
            );
        }
        Some(())
    }

    async fn change(&mut self, kind: &str) {
        let seed = self.dice.below(1_000_000);
        self.page.try_evaluate(&format!("change('{kind}', {seed})")).await;
    }

    /// Prepares a change at some moment of the next act.
    async fn disturb(&mut self) {
        let seed = self.dice.below(1_000_000);
        let kind = match self.dice.below(3) {
            0 => *self.dice.one(&LEAVING),
            _ => *self.dice.one(&QUIET),
        };
        // Most acts begin within some milliseconds.
        let soon = *self.dice.one(&[4, 12, 40, 120]);
        let script = match self.dice.below(6) {
            0 => return,
            1 => {
                self.page.try_evaluate(&format!("change('{kind}', {seed})")).await;
                // The act meets the change at some moment of its own.
                let moment = self.dice.below(100) as u64;
                return tokio::time::sleep(Duration::from_millis(moment)).await;
            }
            2 | 3 => {
                let event = self.dice.one(&EVENTS);
                format!("arm('{event}', '{kind}', {seed})")
            }
            _ => format!("later({}, '{kind}', {seed})", self.dice.below(soon)),
        };
        self.page.try_evaluate(&script).await;
    }

    /// The handles that may stand for an element of one of these kinds; now and then one of an earlier page.
    fn handles(&self, document: &str, kinds: &[&str]) -> Vec<String> {
        let fits = |[of, _, kind, _]: &[String; 4]| {
            of == document && (kinds.is_empty() || kinds.contains(&kind.as_str()))
        };
        let mut handles: Vec<_> = self
            .known
            .iter()
            .filter(|(_, is)| fits(is))
            .map(|(handle, _)| handle.clone())
            .collect();
        handles.sort();
        handles
    }

    async fn act(&mut self) {
        let Some(document) = self.known_document() else { return };
        let fields = ["text", "password", "textarea", "checkbox"];
        let (action, kinds, count) = match self.dice.below(10) {
            0..4 => ("click", &[][..], 1),
            4..6 => ("fill", &fields[..], 1),
            6 => ("fill-form", &fields[..], 3),
            7 => ("select", &["select-one", "combobox"][..], 1),
            8 => ("hover", &[][..], 1),
            _ => ("scroll", &[][..], 1),
        };
        let all = self.handles(&document, kinds);
        if all.is_empty() {
            return;
        }
        let chosen: Vec<_> = (0..count).map(|_| self.dice.one(&all).clone()).collect();
        // By selector, only the document is what was read.
        let by_selector = self.dice.below(4) == 0;
        let selector = |handle: &String| self.known[handle][3].clone();
        let by_selector = by_selector && chosen.iter().all(|it| !selector(it).is_empty());
        let target = |handle: &String| match by_selector {
            true => json!({"selector": selector(handle)}),
            false => json!({"handle": handle}),
        };
        let method = *self.dice.one(&["direct", "paste"]);
        let field = |handle: &String| json!({"target": target(handle), "value": "true", "method": method, "world": "isolated"});
        let params = match action {
            "fill" => field(&chosen[0]),
            "fill-form" => json!({"fields": chosen.iter().map(field).collect::<Vec<_>>()}),
            "select" => json!({"trigger": target(&chosen[0]), "optionText": "green"}),
            _ => json!({"target": target(&chosen[0])}),
        };
        let began = now_ms();
        let asked = request(action).session(&self.visit.session).params(params).within(ANSWERED);
        let answer = self.visit.rig.daemon.send(asked).await.json();
        let ended = now_ms();
        let outcome = code(&answer);
        if outcome == "TIMEOUT" {
            let log = self.visit.run(&["debug", "log"]).await;
            panic!("{action} of {chosen:?} got no answer: {answer}\n{log:?}");
        }
        let way = if by_selector { " by selector" } else { "" };
        *self.outcomes.entry(format!("{action}{way} {outcome}")).or_default() += 1;
        let is: Vec<_> = chosen.iter().map(|handle| self.known[handle].clone()).collect();
        // Now and then it is tried again: it must not have come back as another one.
        if outcome == "ELEMENT_HANDLE_STALE" && self.dice.below(4) > 0 {
            self.known.remove(&chosen[0]);
        }
        self.acts.push(Act {
            tab: self.tab.clone(),
            what: format!("{action}{way} of {chosen:?} {is:?}, answered {answer}"),
            document: if by_selector { self.here.clone() } else { is[0][0].clone() },
            reaches: is.iter().filter(|_| !by_selector).map(|it| it[1].clone()).collect(),
            clicked: action == "click" && outcome == "ok",
            began,
            ended,
        });
    }

    /// The page that was read last, now and then one before it.
    fn known_document(&mut self) -> Option<String> {
        let mut documents: Vec<_> =
            self.known.iter().map(|(handle, [of, ..])| (number(handle), of.clone())).collect();
        documents.sort();
        let newest = documents.last()?.1.clone();
        Some(if self.dice.below(12) == 0 { self.dice.one(&documents).1.clone() } else { newest })
    }
}

fn number(handle: &str) -> u64 {
    handle.trim_start_matches(char::is_alphabetic).parse().expect("a number")
}

fn address(rig: &Rig, tab: &str, seed: usize) -> String {
    let other = rig.site.other_url("");
    rig.site
        .url(&format!("identity.html?tab={tab}&seed={seed}&other={}", other.trim_end_matches('/')))
}

/// The label, handle and selector of each entry of an answer; no selector where there is none.
fn listed(read: &str, data: &Value) -> Vec<[String; 3]> {
    if read == "snapshot" {
        let line = |line: &str| {
            let (name, rest) = line.split_once(" \"")?.1.split_once("\" [")?;
            Some([name.to_owned(), rest.split(']').next()?.to_owned(), String::new()])
        };
        return text(&data["tree"]).lines().filter_map(line).collect();
    }
    let label = if read == "links" { "text" } else { "label" };
    let entry = |it: &Value| {
        let selector = it["selector"].as_str().unwrap_or_default();
        Some([
            it[label].as_str()?.to_owned(),
            it["handle"].as_str()?.to_owned(),
            selector.to_owned(),
        ])
    };
    data[read].as_array().expect("entries").iter().filter_map(entry).collect()
}

/// Asserts that each event reached what its act was for, and each click that was done its element.
fn judge(acts: &[Act], records: &[Value]) {
    let at = |record: &Value| record["at"].as_i64().expect("a time");
    // The acts of a tab follow one another.
    let mut of_tabs: HashMap<&str, Vec<(usize, &Act)>> = HashMap::new();
    for (index, act) in acts.iter().enumerate() {
        of_tabs.entry(&act.tab).or_default().push((index, act));
    }
    let mut reached = HashSet::new();
    for record in records {
        let of_tab = &of_tabs[record["tab"].as_str().expect("a tab")];
        let begun = of_tab.partition_point(|(_, it)| it.began <= at(record));
        let ended = of_tab.partition_point(|(_, it)| it.ended < at(record));
        let mut near = of_tab[ended.min(begun)..begun].iter();
        let identity = text(&record["identity"]);
        let meant = |act: &Act| {
            let any = act.reaches.is_empty() || act.reaches.contains(&identity);
            // An option is chosen of the list that opens.
            let option = identity.starts_with("li-") && act.what.starts_with("select");
            record["document"] == *act.document && (any || option)
        };
        let told: Vec<_> = near.clone().map(|(_, it)| &it.what).collect();
        let act = near.find(|(_, it)| meant(it));
        let &(index, _) = act.unwrap_or_else(|| panic!("{record} was reached by {told:#?}"));
        if record["type"] == "click" || record["type"] == "mousedown" {
            reached.insert(index);
        }
    }
    for (index, act) in acts.iter().enumerate().filter(|(_, it)| it.clicked) {
        assert!(reached.contains(&index), "nothing was clicked by {}", act.what);
    }
}

#[tokio::test]
async fn whatever_a_page_does_an_act_reaches_the_element_that_was_read_or_nothing() {
    let number = |name: &str| std::env::var(name).ok().map(|it| it.parse().expect("a number"));
    let seconds = number(SECONDS).unwrap_or(12);
    let seed = number(SEED).unwrap_or_else(|| now_ms().unsigned_abs());
    println!("{SEED}={seed} {SECONDS}={seconds}");
    let rig = Rig::new().await;
    let mut players = Vec::new();
    for tab in 0..TABS {
        players.push(Player::new(&rig, tab, seed + tab as u64).await);
    }
    let until = Instant::now() + Duration::from_secs(seconds);
    let players =
        futures_util::future::join_all(players.into_iter().map(|it| it.play(until))).await;

    // All that is on its way arrives within a moment.
    let mut count = usize::MAX;
    while rig.site.records().len() != count {
        count = rig.site.records().len();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut outcomes = BTreeMap::new();
    for player in &players {
        for (outcome, times) in &player.outcomes {
            *outcomes.entry(outcome.clone()).or_default() += times;
        }
    }
    let acts: Vec<_> = players.into_iter().flat_map(|it| it.acts).collect();
    println!("{} acts, {count} events: {outcomes:#?}", acts.len());
    judge(&acts, &rig.site.records());
    let done = outcomes
        .iter()
        .filter(|(outcome, _)| outcome.ends_with(" ok"))
        .map(|(_, times)| times)
        .sum::<usize>();
    assert!(done > 0 && done < acts.len(), "some acts are done, and some refused: {outcomes:?}");
    rig.browser.close().await;
}
