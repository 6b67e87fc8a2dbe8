//! Ten pages as people know them, most of them made with real libraries, each of which needs an act of its own: there is no
//! other way through. Driven by the command line, judged by what the page's own model holds.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, text};
use super::support::Page;

/// A page of `tests/fixtures/widgets` in a session, and its model.
struct Used<'a> {
    visit: Visit<'a>,
    page: Page<'a>,
    name: &'static str,
}

impl<'a> Used<'a> {
    async fn open(rig: &'a Rig, name: &'static str) -> Self {
        let address = format!("widgets/dist/{name}.html");
        let visit = rig.visit(&address).await;
        let page = rig.browser.find(&address).await;
        page.until(&format!("globalThis.models?.['{name}']")).await;
        Self { visit, page, name }
    }

    /// A call of the command line that has to succeed, written as one line; words with spaces stand in single quotes.
    async fn does(&self, line: &str) -> Value {
        let parts = line.split('\'').enumerate();
        let words: Vec<&str> = parts
            .flat_map(|(at, part)| match at % 2 {
                0 => part.split_whitespace().collect(),
                _ => vec![part],
            })
            .collect();
        self.visit.data(&words).await
    }

    async fn model(&self) -> Value {
        self.page.evaluate(&format!("models['{}']()", self.name)).await
    }

    async fn holds(&self, expected: Value) {
        assert_eq!(self.model().await, expected, "{}", self.name);
    }

    async fn end(self) {
        self.visit.data(&["session", "close"]).await;
    }
}

#[tokio::test]
async fn pages_that_need_each_act_are_used_through_it() {
    let rig = Rig::new().await;
    kanban_board(&rig).await;
    spreadsheet(&rig).await;
    rich_text(&rig).await;
    file_manager(&rig).await;
    map(&rig).await;
    payment(&rig).await;
    chat(&rig).await;
    wizard(&rig).await;
    menu_bar(&rig).await;
    calendar(&rig).await;
    rig.browser.close().await;
}

/// `drag` from column to column, and within one.
async fn kanban_board(rig: &Rig) {
    let board = Used::open(rig, "board").await;
    board.does("drag --has-text Sand --to-selector '[aria-label=doing]' --to-at 0.5,0.8").await;
    board.page.until("models.board().doing.includes('Sand')").await;
    board
        .holds(json!({"todo": ["Paint", "Varnish"], "doing": ["Measure", "Sand"], "done": []}))
        .await;
    board.does("drag --has-text Varnish --by 0,-60 --steps 20").await;
    board.page.until("models.board().todo[0] === 'Varnish'").await;
    board.end().await;
}

/// `press` and `type` into cells that have no field.
async fn spreadsheet(rig: &Rig) {
    let sheet = Used::open(rig, "sheet").await;
    sheet.does("click --selector 'td[data-x=\"0\"][data-y=\"2\"]'").await;
    sheet.does("type Light").await;
    sheet.does("press Tab").await;
    sheet.does("type 45").await;
    sheet.does("press Enter").await;
    sheet.does("press ArrowUp ArrowUp Delete").await;
    let held = sheet.model().await;
    let cell = |row: usize, column: usize| match &held[row][column] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    assert_eq!(
        [cell(0, 1), cell(1, 1), cell(2, 0), cell(2, 1)],
        ["900", "", "Light", "45"].map(str::to_owned),
        "{held}"
    );
    sheet.end().await;
}

/// `select-text`, and the keys that style what is selected.
async fn rich_text(rig: &Rig) {
    let writer = Used::open(rig, "writer").await;
    writer.does("select-text --selector .tiptap --text lamp --nth 1").await;
    writer.does("press Control+b").await;
    writer.does("select-text --selector .tiptap --text dusk").await;
    writer.does("type dawn").await;
    writer
        .holds(json!(
            "<p>The keeper lit the lamp at dawn. The <strong>lamp</strong> burned all night.</p>"
        ))
        .await;
    writer.end().await;
}

/// `click` with keys held down, twice, and with the right button.
async fn file_manager(rig: &Rig) {
    let files = Used::open(rig, "files").await;
    files.does("click --has-text boat.png").await;
    files.does("click --has-text lamp.png --modifiers Shift").await;
    files.does("click --has-text harbour.png --modifiers Control").await;
    assert_eq!(files.model().await["selected"], json!(["boat.png", "lamp.png"]));
    files.does("click --has-text lamp.png --button right").await;
    files.does("click --role menuitem --name Delete").await;
    assert_eq!(files.model().await["names"], json!(["Invoices", "harbour.png", "notes.txt"]));
    files.does("click --has-text Invoices --count 2").await;
    assert_eq!(files.model().await["open"], "Invoices");
    files.end().await;
}

/// `drag` by a distance, and `click` at a place, on a canvas.
async fn map(rig: &Rig) {
    let map = Used::open(rig, "map").await;
    map.page.until("models.map().still").await;
    map.does("drag --selector '#map canvas' --by -150,-40").await;
    map.page.until("models.map().still && models.map().centre[0] >= 150").await;
    // The harbour is 300 to the right of where the middle was.
    let centre = map.model().await["centre"].clone();
    let [x, y] = [0, 1].map(|at| centre[at].as_f64().expect("a number"));
    let at = format!("{},{}", (200.0 + 300.0 - x) / 400.0, (150.0 + y) / 300.0);
    map.does(&format!("click --selector '#map canvas' --at {at}")).await;
    map.page.until("models.map().chosen === 'Harbour'").await;
    map.end().await;
}

/// Fields in a frame of another site, and the key that sends them.
async fn payment(rig: &Rig) {
    let checkout = Used::open(rig, "checkout").await;
    let frames = checkout.does("frames").await;
    let frame = text(&frames["frames"][0]["frame"]);
    checkout.does("type --label 'Card number' 4111111111111111").await;
    checkout.does("type --label Expires 1230").await;
    checkout.does(&format!("type --frame {frame} --selector [name=code] 123")).await;
    checkout.does(&format!("press --frame {frame} --selector [name=code] Enter")).await;
    checkout.page.until("models.checkout() !== null").await;
    // Enter sends a form by its first button.
    checkout
        .holds(json!({"number": " 1111", "expires": "12/30", "code": "123", "by": "button"}))
        .await;
    checkout.end().await;
}

/// `type`, and the keys that send and that break a line.
async fn chat(rig: &Rig) {
    let chat = Used::open(rig, "chat").await;
    chat.does("type --label Message 'Is the lamp lit?'").await;
    assert_eq!(chat.model().await["typed"], 16, "others see each key");
    chat.does("press Enter").await;
    chat.does("type --label Message Yes.").await;
    chat.does("press Shift+Enter").await;
    chat.does("type 'Since dusk.'").await;
    chat.does("press Enter").await;
    let held = chat.model().await;
    assert_eq!(held["messages"], json!(["Is the lamp lit?", "Yes.\nSince dusk."]), "{held}");
    assert_eq!(held["draft"], "");
    chat.end().await;
}

/// `dialog`, for each kind of question.
async fn wizard(rig: &Rig) {
    let wizard = Used::open(rig, "wizard").await;
    let said = wizard.does("click --selector #next").await;
    assert_eq!(said["effects"]["dialogs"][0]["message"], "Delete the drafts first.", "{said}");
    wizard.does("click --selector #clear").await;
    wizard.holds(json!({"step": 1, "name": null, "drafts": 3})).await;
    wizard.does("click --selector #clear --dialog accept").await;
    wizard.does("click --selector #name --dialog accept --dialog-text Lighthouse").await;
    wizard.does("click --selector #next --dialog accept").await;
    wizard.holds(json!({"step": 2, "name": "Lighthouse", "drafts": 0})).await;
    wizard.end().await;
}

/// `hover` over what opens under the pointer, and arrow keys.
async fn menu_bar(rig: &Rig) {
    let menus = Used::open(rig, "menubar").await;
    menus.does("click --role menuitem --name File").await;
    menus.does("hover --role menuitem --name Export").await;
    menus.page.until("document.body.innerText.includes('As PDF')").await;
    menus.does("click --role menuitem --name 'As PDF'").await;
    menus.holds(json!("pdf")).await;
    menus.does("click --role menuitem --name File").await;
    menus.does("press ArrowRight").await;
    menus.page.until("document.body.innerText.includes('Redo')").await;
    menus.does("press ArrowDown ArrowDown Enter").await;
    menus.holds(json!("redo")).await;
    menus.end().await;
}

/// `drag` over days, and of what stands in one.
async fn calendar(rig: &Rig) {
    let calendar = Used::open(rig, "calendar").await;
    let day = |date: &str| format!("[data-date=\"{date}\"]");
    let (from, to) = (day("2024-02-13"), day("2024-02-15"));
    calendar.does(&format!("drag --selector '{from}' --to-selector '{to}'")).await;
    calendar.page.until("models.calendar().length === 2").await;
    let to = day("2024-02-22");
    calendar.does(&format!("drag --has-text Regatta --to-selector '{to}'")).await;
    calendar.page.until("models.calendar()[0][1] === '2024-02-22'").await;
    calendar
        .holds(json!([["Regatta", "2024-02-22", ""], ["Away", "2024-02-13", "2024-02-16"]]))
        .await;
    calendar.end().await;
}
