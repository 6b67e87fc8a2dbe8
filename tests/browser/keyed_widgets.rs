//! Truth of keys and drags: what they make of widgets is what the widget's own model holds afterwards, as in `widgets.rs`.

use super::rig::Rig;
use super::widgets::Outcome::{Holds, Keeps, Refused, Unseen};
use super::widgets::{Row, every_row, page_of_widgets};

#[tokio::test]
async fn what_is_used_with_keys_or_by_parts_holds_what_the_answer_says() {
    page_of_widgets(
        "keyed",
        &[
            ("code", "type", "#code-0", "1234", Holds("\"1234\"")),
            ("code", "press", "#code-3", "Backspace Backspace", Holds("\"12\"")),
            ("code", "paste", "#code-0", "9876", Refused("at most 1")),
            ("antd-code", "type", "[aria-label=\"OTP Input 1\"]", "1234", Holds("\"1234\"")),
            ("bullets", "type", "#bullets", "Two", Holds("[\"OneTwo\"]")),
            ("bullets", "press", "#bullets", "Enter T h r e e", Holds("[\"OneTwo\",\"Three\"]")),
            ("antd-long", "select", "#antd-long", "Town 700", Holds("700")),
            ("antd-long", "select", "#antd-long", "Town 3", Holds("3")),
            ("antd-long", "select", "#antd-long", "Village", Refused("no option reads")),
            ("antd-long-search", "select", "#antd-long-search", "Town 700", Holds("700")),
            ("antd-auto", "type", "#antd-auto", "Os", Holds("\"Os\"")),
            ("antd-auto", "select", "#antd-auto", "Oslo", Holds("\"Oslo\"")),
            ("antd-tree", "select", "#antd-tree", "Oslo", Holds("\"oslo\"")),
            ("antd-steps", "select", "#antd-steps", "Norway", Unseen("[]")),
            (
                "antd-segments",
                "click",
                "#at-antd-segments label:nth-child(2)",
                "",
                Holds("\"Oslo\""),
            ),
            ("antd-time", "direct", "#antd-time", "12:34:56", Keeps("null")),
            ("antd-time", "type", "#antd-time", "01:02:03", Holds("null")),
            ("antd-time", "press", "#antd-time", "Enter", Holds("\"01:02:03\"")),
            ("antd-range", "form", "#antd-from", "2024-02-01", Holds("null")),
            (
                "antd-range",
                "form",
                "#antd-till",
                "2024-02-29",
                Holds("[\"2024-02-01\",\"2024-02-29\"]"),
            ),
            ("antd-stars", "click", "#at-antd-stars li:nth-child(4) [role=radio]", "", Holds("4")),
            ("antd-stars", "press", "#at-antd-stars ul", "ArrowRight", Holds("5")),
            (
                "antd-colour",
                "click",
                "#at-antd-colour .ant-color-picker-trigger",
                "",
                Holds("\"\""),
            ),
            (
                "antd-colour",
                "direct",
                ".ant-color-picker-input input",
                "ffaa00",
                Holds("\"#ffaa00\""),
            ),
            (
                "aria-date",
                "type",
                "#aria-date [data-type=month]",
                "02292024",
                Holds("\"2024-02-29\""),
            ),
            (
                "aria-date",
                "press",
                "#aria-date [data-type=day]",
                "ArrowDown",
                Holds("\"2024-02-28\""),
            ),
            ("aria-time", "type", "#aria-time [data-type=hour]", "1234", Holds("\"12:34:00\"")),
            ("ion-sheet", "select", "#ion-sheet", "Oslo", Holds("\"oslo\"")),
            ("ion-modal", "select", "#ion-modal", "Oslo", Holds("\"oslo\"")),
            // Such a list takes what is chosen only with its OK.
            ("ion-alert", "select", "#ion-alert", "Oslo", Unseen("\"lyon\"")),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_same_widgets_hold_what_keys_and_drags_make_of_them() {
    let rig = Rig::new().await;
    let pages: &[(&str, &[Row])] = &[
        (
            "plain",
            &[
                ("day", "type", "#day", "02282024", Holds("\"2024-02-28\"")),
                ("day", "press", "#day", "ArrowUp", Holds("\"2025-02-28\"")),
                ("time", "type", "#time", "1234PM", Holds("\"12:34\"")),
                ("range", "press", "#range", "ArrowRight", Holds("\"6\"")),
                ("range", "drag", "#range", "40,0", Holds("\"8\"")),
                ("range", "press", "#range", "Home PageUp", Holds("\"2\"")),
                ("suggested", "type", "#suggested", "Os", Holds("\"Os\"")),
                ("choice", "press", "#choice", "ArrowDown", Holds("\"g\"")),
                ("choice", "press", "#choice", "R", Holds("\"r\"")),
                ("choices", "press", "#choices", "End", Holds("[\"Three\"]")),
                ("choices", "press", "#choices", "Shift+ArrowUp", Holds("[\"Two\",\"Three\"]")),
                ("number", "press", "#number", "ArrowUp ArrowUp", Holds("\"3\"")),
                ("prose", "type", "#prose", " more", Holds("\"Once more\"")),
                ("tint", "type", "#tint", "red", Holds("\"#112233\"")),
                ("radios", "press", "#single", "ArrowDown", Holds("\"double\"")),
                ("area", "press", "#area", "A Enter b", Holds("\"A\\nb\"")),
                ("short", "type", "#short", "er and longer", Holds("\"older\"")),
                ("locked", "type", "#locked", "new", Refused("read-only")),
            ],
        ),
        (
            "mui",
            &[
                ("mui-slider", "press", "#mui-slider input", "End Home ArrowRight", Holds("1")),
                ("mui-autocomplete", "type", "#mui-autocomplete", "Os", Holds("null")),
                (
                    "mui-autocomplete",
                    "press",
                    "#mui-autocomplete",
                    "ArrowDown Enter",
                    Holds("\"Oslo\""),
                ),
                ("mui-tags", "type", "#mui-tags", "Ly", Holds("[]")),
                ("mui-tags", "press", "#mui-tags", "ArrowDown Enter", Holds("[\"Lyon\"]")),
                ("mui-tags", "press", "#mui-tags", "Backspace", Holds("[]")),
                (
                    "mui-select",
                    "press",
                    "#mui-select",
                    "ArrowDown ArrowDown Enter",
                    Holds("\"Oslo\""),
                ),
            ],
        ),
        (
            "antd",
            &[
                ("antd-slider", "press", "#antd-slider [role=slider]", "ArrowRight", Holds("31")),
                ("antd-number", "press", "#antd-number", "ArrowUp", Holds("2")),
                (
                    "antd-select",
                    "press",
                    "#antd-select",
                    "Enter ArrowDown Enter",
                    Holds("\"oslo\""),
                ),
                ("antd-search", "type", "#antd-search", "Os", Holds("null")),
                ("antd-search", "press", "#antd-search", "Enter", Holds("\"oslo\"")),
                ("antd-date", "direct", "#antd-date", "2024-02-29", Holds("\"2024-02-29\"")),
                ("antd-date", "click", "#antd-date", "", Holds("\"2024-02-29\"")),
                (
                    "antd-date",
                    "click",
                    ".ant-picker-dropdown [title='2024-02-15']",
                    "",
                    Holds("\"2024-02-15\""),
                ),
            ],
        ),
        (
            "headless",
            &[
                ("radix-slider", "press", "#radix-slider", "ArrowRight", Holds("31")),
                (
                    "radix-select",
                    "press",
                    "#radix-select",
                    "Enter ArrowDown Enter",
                    Holds("\"Oslo\""),
                ),
                ("radix-radio", "press", "#radix-a", "ArrowDown", Holds("\"b\"")),
                ("aria-slider", "press", "#at-aria-slider input", "ArrowRight", Holds("11")),
                ("aria-number", "press", "#aria-number", "ArrowUp", Holds("2")),
                ("downshift-combobox", "type", "#downshift-combobox", "Os", Holds("null")),
                (
                    "downshift-combobox",
                    "press",
                    "#downshift-combobox",
                    "ArrowDown Enter",
                    Holds("\"Oslo\""),
                ),
                ("react-select", "type", "#react-select", "Os", Holds("null")),
                ("react-select", "press", "#react-select", "Enter", Holds("\"oslo\"")),
            ],
        ),
        (
            "elements",
            &[
                ("sl-range", "press", "#sl-range", "ArrowRight", Holds("11")),
                ("wa-slider", "press", "#wa-slider", "ArrowRight", Holds("11")),
                ("md-slider", "press", "#md-slider", "ArrowRight", Holds("11")),
                ("sl-select", "press", "#sl-select", "Enter ArrowDown Enter", Holds("\"oslo\"")),
                ("sl-input", "type", "#sl-input", "Ada", Holds("\"Ada\"")),
                ("ion-input", "type", "#ion-input", "Ada", Holds("\"Ada\"")),
                ("md-text", "type", "#md-text", "Ada", Holds("\"Ada\"")),
            ],
        ),
        (
            "lists",
            &[
                ("tom", "type", "#tom-ts-control", "Os", Holds("\"lyon\"")),
                ("tom", "press", "#tom-ts-control", "Enter", Holds("\"oslo\"")),
                (
                    "choices",
                    "press",
                    "#at-choices .choices",
                    "Enter ArrowDown Enter",
                    Holds("\"oslo\""),
                ),
                (
                    "slim",
                    "press",
                    "#at-slim .ss-main",
                    "Enter ArrowDown Enter",
                    Holds("[\"oslo\"]"),
                ),
                ("nouislider", "press", "#nouislider", "ArrowRight", Holds("11")),
                ("nouislider", "drag", "#nouislider", "50,0", Holds("36")),
                (
                    "flatpickr-typed",
                    "direct",
                    "#flatpickr-typed",
                    "2024-02-23",
                    Holds("\"2024-02-23\""),
                ),
                ("flatpickr-typed", "click", "#flatpickr-typed", "", Holds("\"2024-02-23\"")),
                (
                    "flatpickr-typed",
                    "click",
                    ".open [aria-label='February 15, 2024']",
                    "",
                    Holds("\"2024-02-15\""),
                ),
            ],
        ),
        (
            "vue",
            &[
                ("vuetify-autocomplete", "type", "#vuetify-autocomplete", "Os", Holds("null")),
                (
                    "vuetify-autocomplete",
                    "press",
                    "#vuetify-autocomplete",
                    "ArrowDown Enter",
                    Holds("\"Oslo\""),
                ),
                (
                    "vuetify-select",
                    "press",
                    "#vuetify-select",
                    "ArrowDown ArrowDown Enter",
                    Holds("\"Oslo\""),
                ),
            ],
        ),
    ];
    let mut wrong = Vec::new();
    for (name, rows) in pages {
        wrong.extend(every_row(&rig, &format!("widgets/dist/{name}.html"), rows).await.err());
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    rig.browser.close().await;
}
