//! Truth of acts: what an answer says of a widget is what the widget's own model holds afterwards.
//!
//! Each row is an act on one of the browser's own controls, or on a widget from npm as bundled by
//! `tests/fixtures/widgets` and `tests/fixtures/editors`. Every act is either done, and the answer says so, or not done,
//! and the answer says so too.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, text};

/// What comes of an act.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// The answer says that it is done, and the model holds this JSON.
    Holds(&'static str),
    /// The answer says that it is not done, and tells what the model holds now: this JSON.
    Keeps(&'static str),
    /// It fails with these words, and the model is as before.
    Refused(&'static str),
    /// It is done, the answer says with these words what a person's own hand would have done besides, and the model is as
    /// before.
    Blocked(&'static str),
    /// It fails because the page does not show what came of it, which is that the model holds this JSON.
    Unseen(&'static str),
}
use Outcome::{Blocked, Holds, Keeps, Refused, Unseen};

/// A widget, the acts that are tried on it in turn, the element that they name, their value, what comes of each.
/// `%` in a value and in an outcome is the number of the act.
pub(super) type Row = (&'static str, &'static str, &'static str, &'static str, Outcome);

/// What can be done with a field.
const FIELD: &str = "direct paste form";

/// Opens a page of widgets and does every row on it.
pub(super) async fn page_of_widgets(name: &str, rows: &[Row]) {
    let rig = Rig::new().await;
    let seen = every_row(&rig, &format!("widgets/dist/{name}.html"), rows).await;
    rig.browser.close().await;
    seen.unwrap_or_else(|wrong| panic!("{name}: {} wrong:\n{}", wrong.len(), wrong.join("\n")));
}

/// Does every row on a page; gives those where answer and model differ.
pub(super) async fn every_row(rig: &Rig, address: &str, rows: &[Row]) -> Result<(), Vec<String>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/");
    let built = std::fs::exists(format!("{folder}{address}")).expect("a folder");
    assert!(built, "{address} is missing: run `make editors widgets` first");
    let page = rig.visit(address).await;
    let seen = page.page(address).await;
    // The pages of single editors show their model instead, some with blank lines between paragraphs.
    seen.evaluate("window.models ??= { editor: () => document.getElementById('model').textContent.replace(/\\n+/g, '\\n').replace(/\\n$/, '') }; 0").await;
    // A library may draw its widgets some time after their models are there.
    seen.until(
        "(async () => { for (const model of Object.values(models)) await model(); \
         return [...document.querySelectorAll('[id^=\"at-\"]')].every((it) => it.hasChildNodes()); })().catch(() => false)",
    )
    .await;
    if let Some((_, _, selector, ..)) = rows.first() {
        seen.until(&format!("document.querySelector({}) !== null", json!(selector))).await;
    }
    let (mut done, mut refused, mut wrong) = (0, 0, Vec::new());
    for (widget, acts, selector, value, outcome) in rows {
        let model =
            format!("(async () => JSON.stringify(await models[{}]()) ?? 'null')()", json!(widget));
        for (index, act) in acts.split(' ').enumerate() {
            let number = (index + 1).to_string();
            let value = value.replace('%', &number);
            let before = seen.evaluate(&model).await;
            let answer = perform(&page, act, selector, &value).await;
            // What is pointed at may take its time before it shows something.
            if let ("hover", Holds(json)) = (act, outcome) {
                seen.until(&format!("await {model} === {}", json!(json))).await;
            }
            let after = seen.evaluate(&model).await;
            let said = answer["data"]["results"][0].as_object();
            let data = said.map_or(answer["data"].clone(), |it| json!(it));
            let yes = ["filled", "selected", "clicked", "hovered", "dragged"]
                .iter()
                .any(|it| data[it] == true)
                || ["typed", "pressed"].iter().any(|it| data[it].is_number());
            let holds = |json: &str| text(&after) == json.replace('%', &number);
            let right = match outcome {
                Holds(json) => yes && holds(json),
                Blocked(words) => {
                    let blocked = answer["data"]["effects"]["blocked"][0].as_str();
                    yes && blocked.is_some_and(|it| it.contains(words)) && after == before
                }
                Keeps(json) => answer["ok"] == true && !yes && holds(json),
                Unseen(json) => {
                    let message = answer["error"]["message"].as_str().unwrap_or_default();
                    answer["ok"] == false && message.contains("read the page to see") && holds(json)
                }
                Refused(words) => {
                    let message = answer["error"]["message"].as_str().unwrap_or_default();
                    answer["ok"] == false && message.contains(words) && after == before
                }
            };
            match outcome {
                Holds(_) | Blocked(_) => done += 1,
                _ => refused += 1,
            }
            if !right {
                let told = if answer["ok"] == true {
                    &answer["data"]
                } else {
                    &answer["error"]["message"]
                };
                wrong.push(format!(
                    "{widget} {act} {value:?}: expected {outcome:?}, the model holds {after} (before: {before}), the answer says {told}"
                ));
            }
        }
    }
    println!("{address}: {done} acts done, {refused} not done, each as the answer says");
    page.data(&["session", "close"]).await;
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// Carries out an act, and gives the whole answer.
async fn perform(page: &Visit<'_>, act: &str, selector: &str, value: &str) -> Value {
    // In a form, in the way that the field takes.
    let fields = json!([{"target": {"selector": selector}, "value": value}]).to_string();
    let args = match act {
        "click" | "hover" => vec![act, "--selector", selector],
        "select" => vec!["select", "--selector", selector, "--option-text", value],
        "form" => vec!["fill-form", "--json", &fields],
        "type" => vec!["type", "--selector", selector, value],
        "press" => {
            ["press"].into_iter().chain(value.split(' ')).chain(["--selector", selector]).collect()
        }
        "drag" => vec!["drag", "--selector", selector, "--by", value],
        method => vec!["fill", "--selector", selector, "--value", value, "--method", method],
    };
    page.run(&args).await.json()
}

#[tokio::test]
async fn the_browsers_own_controls_hold_what_the_answer_says() {
    page_of_widgets(
        "plain",
        &[
            ("text", FIELD, "#text", "Ada %", Holds("\"Ada %\"")),
            ("text", FIELD, "#text", "two\nlines", Refused("one line")),
            ("short", FIELD, "#short", "12345", Holds("\"12345\"")),
            ("short", FIELD, "#short", "too long", Refused("at most 5")),
            ("area", FIELD, "#area", "two\nlines %", Holds("\"two\\nlines %\"")),
            ("locked", FIELD, "#locked", "new", Refused("read-only")),
            ("mail", FIELD, "#mail", "ada%@example.org", Holds("\"ada%@example.org\"")),
            ("number", FIELD, "#number", "4%", Holds("\"4%\"")),
            ("number", FIELD, "#number", "four", Refused("a number")),
            ("day", FIELD, "#day", "2024-02-2%", Holds("\"2024-02-2%\"")),
            ("day", FIELD, "#day", "29.2.2024", Refused("YYYY-MM-DD")),
            ("time", FIELD, "#time", "12:3%", Holds("\"12:3%\"")),
            ("moment", FIELD, "#moment", "2024-02-29T12:3%", Holds("\"2024-02-29T12:3%\"")),
            ("month", FIELD, "#month", "2024-0%", Holds("\"2024-0%\"")),
            ("week", FIELD, "#week", "2024-W1%", Holds("\"2024-W1%\"")),
            ("tint", FIELD, "#tint", "#FFAA0%", Holds("\"#ffaa0%\"")),
            ("tint", FIELD, "#tint", "red", Refused("#rrggbb")),
            ("range", FIELD, "#range", "8", Holds("\"8\"")),
            ("range", FIELD, "#range", "70", Refused("from 0 to 10")),
            ("range", FIELD, "#range", "7", Refused("steps of 2")),
            ("suggested", FIELD, "#suggested", "Rome %", Holds("\"Rome %\"")),
            ("box", FIELD, "#box", "maybe", Refused("true")),
            ("box", "direct", "#box", "no", Holds("false")),
            ("box", "paste", "#box", "yes", Holds("true")),
            ("box", "form", "#box", "false", Holds("false")),
            ("box", "click", "#box", "", Holds("true")),
            ("radios", FIELD, "#double", "Double", Refused("true")),
            ("radios", FIELD, "#single", "false", Refused("another")),
            ("radios", FIELD, "#double", "true", Holds("\"double\"")),
            ("radios", "click", "#single", "", Holds("\"single\"")),
            ("choice", FIELD, "#choice", "g", Holds("\"g\"")),
            ("choice", FIELD, "#choice", "Red", Holds("\"r\"")),
            ("choice", FIELD, "#choice", "Blue", Refused("disabled")),
            ("choice", FIELD, "#choice", "w", Refused("disabled")),
            ("choice", FIELD, "#choice", "Mauve", Refused("\"Green\"")),
            ("choice", "select", "#choice", "Green", Holds("\"g\"")),
            ("choice", "select", "#choice", "White", Refused("disabled")),
            ("choice", "select", "#choice", "Blue", Refused("disabled")),
            ("choice", "click", "#choice", "", Refused("use select")),
            ("choices", "select", "#choices", "Two", Holds("[\"Two\"]")),
            ("choices", "select", "#choices", "Three", Holds("[\"Two\",\"Three\"]")),
            ("choices", FIELD, "#choices", "Three", Holds("[\"Three\"]")),
            ("choices", FIELD, "#choices", "One\nThree", Holds("[\"One\",\"Three\"]")),
            (
                "prose",
                FIELD,
                "#prose",
                "two  spaces\nand a line %",
                Holds("\"two  spaces\\nand a line %\""),
            ),
            ("digits", FIELD, "#digits", "4a%", Keeps("\"4%\"")),
            ("slotted", "click", "#slotted", "", Holds("1")),
            ("nested", "click", "#nested", "", Holds("1")),
            ("frame", "click", "#frame", "", Refused("page of its own")),
            ("redrawn", "click", "#redrawn", "", Unseen("0")),
            ("inline", "direct", "#inline", "saved", Unseen("\"saved\"")),
            ("liar", "select", "#liar", "Oslo", Unseen("\"Town\"")),
            ("searched", "select", "#searched", "Oslo", Holds("\"Oslo\"")),
            ("searched", "select", "#searched", "Rome", Refused("no option reads")),
            ("other", "select", "#other", "Bergen", Refused("there are: none")),
            ("choices", "direct", "#choices", "", Holds("[]")),
            ("menu", "hover", "#styled", "", Blocked(":hover")),
            ("tip", "hover", "#tip", "", Blocked(":hover")),
            ("tint-only", "hover", "#tint-only", "", Holds("1")),
            ("scripted", "hover", "#scripted", "", Holds("true")),
        ],
    )
    .await;
}

#[tokio::test]
async fn masks_hold_what_the_answer_says() {
    page_of_widgets(
        "masks",
        &[
            ("imask", FIELD, "#imask", "555123456%", Holds("\"555123456%\"")),
            ("imask", FIELD, "#imask", "12x", Keeps("\"12\"")),
            ("imask-number", FIELD, "#imask-number", "1234.5%", Holds("1234.5%")),
            ("cleave", FIELD, "#cleave", "424242424242424%", Holds("\"424242424242424%\"")),
            ("inputmask", FIELD, "#inputmask", "29/02/202%", Holds("\"2902202%\"")),
            ("maska", FIELD, "#maska", "123%", Holds("\"123%\"")),
            ("number-format", FIELD, "#number-format", "-1234.%", Holds("\"-1234.%\"")),
            ("pattern-format", FIELD, "#pattern-format", "12345%", Holds("\"12345%\"")),
            ("input-mask", FIELD, "#input-mask", "712345%", Holds("\"+7 (123) 45%\"")),
            ("upper", FIELD, "#upper", "ada%", Keeps("\"ADA%\"")),
        ],
    )
    .await;
}

#[tokio::test]
async fn mui_holds_what_the_answer_says() {
    page_of_widgets(
        "mui",
        &[
            ("mui-text", FIELD, "#mui-text", "Ada %", Holds("\"Ada %\"")),
            ("mui-area", FIELD, "#mui-area", "two\nlines %", Holds("\"two\\nlines %\"")),
            ("mui-select", "select", "#mui-select", "Oslo", Holds("\"Oslo\"")),
            ("mui-select", "select", "#mui-select", "Turku", Refused("disabled")),
            ("mui-multiple", "select", "#mui-multiple", "Oslo", Holds("[\"Oslo\"]")),
            ("mui-multiple", "select", "#mui-multiple", "Turku", Holds("[\"Oslo\",\"Turku\"]")),
            ("mui-autocomplete", "direct", "#mui-autocomplete", "Paris", Refused("select")),
            ("mui-autocomplete", "select", "#mui-autocomplete", "Oslo", Holds("\"Oslo\"")),
            ("mui-tags", "select", "#mui-tags", "Oslo", Holds("[\"Oslo\"]")),
            ("mui-tags", "select", "#mui-tags", "Lyon", Holds("[\"Oslo\",\"Lyon\"]")),
            ("mui-checkbox", "direct", "#mui-checkbox", "true", Holds("true")),
            ("mui-checkbox", "click", "#mui-checkbox", "", Holds("false")),
            ("mui-switch", "direct", "#mui-switch", "on", Holds("true")),
            ("mui-switch", "click", "#mui-switch", "", Holds("false")),
            ("mui-radio", "direct", "#mui-b", "true", Holds("\"b\"")),
            ("mui-radio", "click", "#mui-a", "", Holds("\"a\"")),
            ("mui-slider", FIELD, "#mui-slider input", "7%", Holds("7%")),
            ("mui-menu", "select", "#mui-menu", "Rename", Holds("\"rename\"")),
            ("mui-button", "click", "#mui-button", "", Holds("1")),
        ],
    )
    .await;
}

#[tokio::test]
async fn ant_design_holds_what_the_answer_says() {
    page_of_widgets(
        "antd",
        &[
            ("antd-input", FIELD, "#antd-input", "Ada %", Holds("\"Ada %\"")),
            ("antd-area", FIELD, "#antd-area", "two\nlines %", Holds("\"two\\nlines %\"")),
            ("antd-number", FIELD, "#antd-number", "4%", Holds("4%")),
            ("antd-number", "direct", "#antd-number", "70", Keeps("50")),
            ("antd-select", "select", "#antd-select", "Oslo", Holds("\"oslo\"")),
            ("antd-select", "select", "#antd-select", "Turku", Refused("disabled")),
            ("antd-search", "direct", "#antd-search", "Oslo", Refused("select")),
            ("antd-search", "select", "#antd-search", "Oslo", Holds("\"oslo\"")),
            ("antd-tags", "select", "#antd-tags", "Oslo", Holds("[\"oslo\"]")),
            ("antd-tags", "select", "#antd-tags", "Lyon", Holds("[\"oslo\",\"lyon\"]")),
            ("antd-checkbox", "direct", "#antd-checkbox", "true", Holds("true")),
            ("antd-checkbox", "click", "#antd-checkbox", "", Holds("false")),
            ("antd-switch", "direct", "#antd-switch", "on", Holds("true")),
            ("antd-switch", "click", "#antd-switch", "", Holds("false")),
            ("antd-radio", "direct", "#antd-b", "true", Holds("\"b\"")),
            ("antd-radio", "click", "#antd-a", "", Holds("\"a\"")),
            ("antd-slider", "direct", "#antd-slider [role=slider]", "40", Holds("40")),
            ("antd-date", "direct", "#antd-date", "2024-02-29", Holds("\"2024-02-29\"")),
            ("antd-menu", "select", "#antd-menu", "Rename", Holds("\"rename\"")),
            ("antd-hover", "hover", "#antd-hover", "", Holds("true")),
            ("antd-button", "click", "#antd-button", "", Holds("1")),
        ],
    )
    .await;
}

#[tokio::test]
async fn radix_headless_ui_react_aria_downshift_and_react_select_hold_what_the_answer_says() {
    page_of_widgets(
        "headless",
        &[
            ("radix-select", "select", "#radix-select", "Oslo", Holds("\"Oslo\"")),
            ("radix-select", "select", "#radix-select", "Turku", Refused("disabled")),
            ("radix-checkbox", "direct", "#radix-checkbox", "true", Holds("true")),
            ("radix-checkbox", "click", "#radix-checkbox", "", Holds("false")),
            ("radix-switch", "direct", "#radix-switch", "true", Holds("true")),
            ("radix-switch", "click", "#radix-switch", "", Holds("false")),
            ("radix-radio", "direct", "#radix-b", "true", Holds("\"b\"")),
            ("radix-radio", "click", "#radix-a", "", Holds("\"a\"")),
            ("radix-menu", "select", "#radix-menu", "Rename", Holds("\"rename\"")),
            ("radix-slider", "direct", "#radix-slider", "40", Holds("40")),
            ("radix-tooltip", "hover", "#radix-tooltip", "", Holds("true")),
            ("headless-input", FIELD, "#headless-input", "Ada %", Holds("\"Ada %\"")),
            ("headless-listbox", "select", "#headless-listbox", "Oslo", Holds("\"Oslo\"")),
            ("headless-listbox", "select", "#headless-listbox", "Turku", Refused("disabled")),
            ("headless-combobox", "direct", "#headless-combobox", "Paris", Refused("select")),
            ("headless-combobox", "select", "#headless-combobox", "Oslo", Holds("\"Oslo\"")),
            ("headless-menu", "select", "#headless-menu", "Rename", Holds("\"rename\"")),
            ("headless-switch", "direct", "#headless-switch", "true", Holds("true")),
            ("headless-switch", "click", "#headless-switch", "", Holds("false")),
            ("aria-slider", FIELD, "#at-aria-slider input", "7%", Holds("7%")),
            ("aria-select", "select", "#aria-select", "Oslo", Holds("\"Oslo\"")),
            ("aria-number", FIELD, "#aria-number", "4%", Holds("4%")),
            ("downshift-select", "select", "#downshift-select", "Oslo", Holds("\"Oslo\"")),
            ("downshift-combobox", "select", "#downshift-combobox", "Oslo", Holds("\"Oslo\"")),
            ("react-select", "direct", "#react-select", "Oslo", Refused("select")),
            ("react-select", "select", "#react-select", "Oslo", Holds("\"oslo\"")),
            ("react-select", "select", "#react-select", "Turku", Refused("disabled")),
            ("react-select-multi", "select", "#react-select-multi", "Oslo", Holds("[\"oslo\"]")),
            (
                "react-select-multi",
                "select",
                "#react-select-multi",
                "Lyon",
                Holds("[\"oslo\",\"lyon\"]"),
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn custom_elements_hold_what_the_answer_says() {
    page_of_widgets(
        "elements",
        &[
            ("sl-input", FIELD, "#sl-input", "Ada %", Holds("\"Ada %\"")),
            ("sl-textarea", FIELD, "#sl-textarea", "two\nlines %", Holds("\"two\\nlines %\"")),
            ("sl-checkbox", "direct", "#sl-checkbox", "true", Holds("true")),
            ("sl-checkbox", "click", "#sl-checkbox", "", Holds("false")),
            ("sl-switch", "direct", "#sl-switch", "true", Holds("true")),
            ("sl-switch", "click", "#sl-switch", "", Holds("false")),
            ("sl-radio", "direct", "#sl-b", "true", Holds("\"b\"")),
            ("sl-radio", "click", "#sl-a", "", Holds("\"a\"")),
            ("sl-range", FIELD, "#sl-range", "7%", Holds("7%")),
            ("sl-select", "select", "#sl-select", "Oslo", Holds("\"oslo\"")),
            ("sl-select", "select", "#sl-select", "Turku", Refused("disabled")),
            ("sl-select", "direct", "#sl-select", "Lyon", Refused("select")),
            ("sl-multiple", "select", "#sl-multiple", "Oslo", Holds("[\"oslo\"]")),
            ("sl-multiple", "select", "#sl-multiple", "Lyon", Holds("[\"lyon\",\"oslo\"]")),
            ("sl-button", "click", "#sl-button", "", Holds("1")),
            ("sl-menu", "select", "#sl-menu", "Rename", Holds("\"rename\"")),
            ("wa-input", FIELD, "#wa-input", "Ada %", Holds("\"Ada %\"")),
            ("wa-checkbox", "direct", "#wa-checkbox", "true", Holds("true")),
            ("wa-checkbox", "click", "#wa-checkbox", "", Holds("false")),
            ("wa-switch", "direct", "#wa-switch", "true", Holds("true")),
            ("wa-switch", "click", "#wa-switch", "", Holds("false")),
            ("wa-select", "select", "#wa-select", "Oslo", Holds("\"oslo\"")),
            ("wa-slider", "direct", "#wa-slider", "20", Holds("20")),
            ("wa-button", "click", "#wa-button", "", Holds("1")),
            ("wa-menu", "select", "#wa-menu", "Rename", Holds("\"rename\"")),
            ("md-text", FIELD, "#md-text", "Ada %", Holds("\"Ada %\"")),
            ("md-area", FIELD, "#md-area", "two\nlines %", Holds("\"two\\nlines %\"")),
            ("md-checkbox", "direct", "#md-checkbox", "true", Holds("true")),
            ("md-checkbox", "click", "#md-checkbox", "", Holds("false")),
            ("md-switch", "direct", "#md-switch", "true", Holds("true")),
            ("md-switch", "click", "#md-switch", "", Holds("false")),
            ("md-radio", "direct", "#md-radio", "true", Refused("cannot be filled")),
            ("md-radio", "click", "#md-radio", "", Holds("true")),
            ("md-select", "select", "#md-select", "Oslo", Holds("\"oslo\"")),
            ("md-slider", FIELD, "#md-slider", "7%", Holds("7%")),
            ("md-button", "click", "#md-button", "", Holds("1")),
            ("ion-input", FIELD, "#ion-input", "Ada %", Holds("\"Ada %\"")),
            ("ion-textarea", FIELD, "#ion-textarea", "two\nlines %", Holds("\"two\\nlines %\"")),
            ("ion-checkbox", "direct", "#ion-checkbox", "true", Holds("true")),
            ("ion-checkbox", "click", "#ion-checkbox", "", Holds("false")),
            ("ion-toggle", "direct", "#ion-toggle", "true", Holds("true")),
            ("ion-toggle", "click", "#ion-toggle", "", Holds("false")),
            ("ion-select", "select", "#ion-select", "Oslo", Holds("\"oslo\"")),
            ("ion-button", "click", "#ion-button", "", Holds("1")),
        ],
    )
    .await;
}

#[tokio::test]
async fn lists_calendars_and_sliders_hold_what_the_answer_says() {
    page_of_widgets(
        "lists",
        &[
            ("tom", "select", "#tom", "Oslo", Refused("hidden")),
            ("tom", "direct", "#tom", "oslo", Refused("hidden")),
            ("tom", "select", "#tom-ts-control", "Oslo", Holds("\"oslo\"")),
            ("tom-tags", "select", "#tom-tags-ts-control", "Oslo", Holds("[\"oslo\"]")),
            ("tom-tags", "select", "#tom-tags-ts-control", "Lyon", Holds("[\"oslo\",\"lyon\"]")),
            ("choices", "select", "#choices", "Oslo", Refused("hidden")),
            ("choices", "direct", "#choices", "oslo", Refused("hidden")),
            ("choices", "select", "#at-choices .choices", "Oslo", Holds("\"oslo\"")),
            ("choices-tags", "select", "#at-choices-tags .choices", "Oslo", Holds("[\"oslo\"]")),
            (
                "choices-tags",
                "select",
                "#at-choices-tags .choices",
                "Lyon",
                Holds("[\"oslo\",\"lyon\"]"),
            ),
            ("slim", "select", "#slim", "Oslo", Refused("hidden")),
            ("slim", "select", "#at-slim .ss-main", "Oslo", Holds("[\"oslo\"]")),
            ("flatpickr", "direct", "#flatpickr", "2024-02-29", Refused("read-only")),
            ("flatpickr-typed", FIELD, "#flatpickr-typed", "2024-02-2%", Holds("\"2024-02-2%\"")),
            ("nouislider", "direct", "#nouislider", "20", Holds("20")),
        ],
    )
    .await;
}

#[tokio::test]
async fn vue_and_vuetify_hold_what_the_answer_says() {
    page_of_widgets(
        "vue",
        &[
            ("vue-text", FIELD, "#vue-text", "Ada %", Holds("\"Ada %\"")),
            ("vue-lazy", FIELD, "#vue-lazy", "Ada %", Holds("\"Ada %\"")),
            ("vue-number", FIELD, "#vue-number", "4%", Holds("4%")),
            ("vue-mask", FIELD, "#vue-mask", "123%", Holds("\"12/3%\"")),
            ("vue-choices", "select", "#vue-choices", "Two", Holds("[\"Two\"]")),
            ("vue-choices", "select", "#vue-choices", "One", Holds("[\"One\",\"Two\"]")),
            ("vuetify-text", FIELD, "#vuetify-text", "Ada %", Holds("\"Ada %\"")),
            ("vuetify-area", FIELD, "#vuetify-area", "two\nlines %", Holds("\"two\\nlines %\"")),
            ("vuetify-select", "select", "#vuetify-select", "Oslo", Holds("\"Oslo\"")),
            ("vuetify-autocomplete", "direct", "#vuetify-autocomplete", "Paris", Refused("select")),
            ("vuetify-autocomplete", "select", "#vuetify-autocomplete", "Oslo", Holds("\"Oslo\"")),
            ("vuetify-checkbox", "direct", "#vuetify-checkbox", "true", Holds("true")),
            ("vuetify-checkbox", "click", "#vuetify-checkbox", "", Holds("false")),
            ("vuetify-switch", "direct", "#vuetify-switch", "true", Holds("true")),
            ("multiselect", "select", "#at-multiselect .multiselect", "Oslo", Holds("\"Oslo\"")),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_fields_of_svelte_solid_and_angular_hold_what_the_answer_says() {
    page_of_widgets(
        "small",
        &[
            ("svelte-text", FIELD, "#svelte-text", "Ada %", Holds("\"Ada %\"")),
            ("svelte-box", "direct", "#svelte-box", "true", Holds("true")),
            ("svelte-box", "click", "#svelte-box", "", Holds("false")),
            ("svelte-choice", "select", "#svelte-choice", "Green", Holds("\"green\"")),
            ("svelte-range", FIELD, "#svelte-range", "4%", Holds("4%")),
            ("solid-text", FIELD, "#solid-text", "Ada %", Holds("\"Ada %\"")),
            ("solid-box", "direct", "#solid-box", "true", Holds("true")),
            ("solid-box", "click", "#solid-box", "", Holds("false")),
            ("angular-text", FIELD, "#angular-text", "Ada %", Holds("\"Ada %\"")),
            ("angular-reactive", FIELD, "#angular-reactive", "Ada %", Holds("\"Ada %\"")),
            ("angular-box", "direct", "#angular-box", "true", Holds("true")),
            ("angular-box", "click", "#angular-box", "", Holds("false")),
            ("angular-choice", "select", "#angular-choice", "Green", Holds("\"green\"")),
        ],
    )
    .await;
}

/// Lines, spaces and letters that editors like to get wrong.
const STORY: &str = "It was  “dark”\nand <b>stormy</b> & wet %";
const TOLD: Outcome = Holds("\"It was  “dark”\\nand <b>stormy</b> & wet %\"");

#[tokio::test]
async fn rich_editors_hold_what_the_answer_says() {
    page_of_widgets(
        "editors",
        &[
            ("cm5", "direct paste", ".CodeMirror", STORY, Refused("runtime-api")),
            ("cm5", "direct paste", ".CodeMirror textarea", STORY, Refused("runtime-api")),
            ("cm5", "runtime-api form", ".CodeMirror", STORY, TOLD),
            ("ace", "direct paste", "#ace", STORY, Refused("runtime-api")),
            ("ace", "direct paste", "#ace textarea", STORY, Refused("runtime-api")),
            ("ace", "runtime-api form", "#ace", STORY, TOLD),
            ("tiptap", "direct", ".ProseMirror", STORY, Refused("paste")),
            ("tiptap", "paste runtime-api form", ".ProseMirror", STORY, TOLD),
            ("trix", "direct", "#trix", STORY, Refused("paste")),
            ("trix", "paste runtime-api form", "#trix", STORY, TOLD),
            ("ckeditor", "direct", "#at-ckeditor .ck-editor__editable", STORY, Refused("paste")),
            (
                "ckeditor",
                "paste runtime-api form",
                "#at-ckeditor .ck-editor__editable",
                STORY,
                TOLD,
            ),
            ("tinymce", "direct paste", "#at-tinymce iframe", STORY, Refused("runtime-api")),
            ("tinymce", "runtime-api form", "#at-tinymce iframe", STORY, TOLD),
            ("tinymce-inline", "direct", "#tinymce-inline", STORY, Refused("paste")),
            ("tinymce-inline", "paste runtime-api form", "#tinymce-inline", STORY, TOLD),
            ("editorjs", "direct", "#editorjs .ce-paragraph", STORY, Refused("paste")),
            (
                "editorjs",
                "paste form",
                "#editorjs .ce-paragraph",
                "One line %",
                Holds("\"One line %\""),
            ),
        ],
    )
    .await;
    page_of_widgets(
        "draft",
        &[
            ("draft", "direct", "#at-draft [contenteditable]", STORY, Refused("paste")),
            ("draft", "paste runtime-api form", "#at-draft [contenteditable]", STORY, TOLD),
        ],
    )
    .await;
}

#[tokio::test]
async fn editors_on_pages_of_their_own_hold_what_the_answer_says() {
    let rig = Rig::new().await;
    for (name, selector) in [
        ("quill", ".ql-editor"),
        ("lexical", "#root"),
        ("prosemirror", ".ProseMirror"),
        ("codemirror", ".cm-content"),
        ("slate", "#story"),
    ] {
        let rows = [
            ("editor", "direct", selector, STORY, Refused("paste")),
            ("editor", "paste runtime-api form", selector, STORY, TOLD),
        ];
        let seen = every_row(&rig, &format!("editors/dist/{name}.html"), &rows).await;
        assert_eq!(seen, Ok(()), "{name}");
    }
    let rows = [
        ("editor", "direct paste", ".monaco-editor", STORY, Refused("runtime-api")),
        ("editor", "runtime-api form", ".monaco-editor", STORY, TOLD),
    ];
    assert_eq!(every_row(&rig, "editors/dist/monaco.html", &rows).await, Ok(()), "monaco");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_button_with_slotted_text_is_pressed_by_its_handle() {
    let rig = Rig::new().await;
    let page = rig.visit("widgets/dist/plain.html").await;
    let seen = page.page("plain.html").await;
    for (label, name) in [("Save", "slotted"), ("Save all", "nested")] {
        let handle = page.handle("elements", "label", label).await;
        page.data(&["click", "--element", &handle]).await;
        assert_eq!(seen.evaluate(&format!("models['{name}']()")).await, 1, "{label}");
    }
    rig.browser.close().await;
}
