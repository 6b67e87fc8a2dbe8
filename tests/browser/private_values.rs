//! Private values: no answer tells what a password, a code, a card or a value of standard input is.

use serde_json::json;

use super::identity::room;
use super::rig::{Rig, own};

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
