//! Pages that want files which they were not given.

use std::time::Instant;

use serde_json::json;

use super::rig::{Rig, Visit, text};
use super::support::{Call, PATIENCE};
use super::uploads::{Files, got, upload};

const PAGE: &str = "upload.html";

/// Has the extension wait before it fetches the next file, until `release`.
pub(super) async fn hold_files(rig: &Rig) {
    let hold = "{ const { fetch } = globalThis; \
        globalThis.fetch = async (...args) => { \
          if (!`${args[0]}`.includes('/files/')) return fetch(...args); \
          globalThis.fetch = fetch; \
          await new Promise((resolve) => { globalThis.goOn = resolve; }); \
          return fetch(...args); }; } 0";
    rig.browser.in_worker(hold).await;
}

/// Waits until the page has asked for the file that is held.
pub(super) async fn held(rig: &Rig) {
    let start = Instant::now();
    while rig.browser.in_worker("typeof globalThis.goOn === 'function'").await != true {
        assert!(start.elapsed() < PATIENCE, "nobody asks for a file");
    }
}

async fn release(rig: &Rig) {
    rig.browser.in_worker("{ goOn(); delete globalThis.goOn; } 0").await;
}

/// Uploads, and does something when the page has asked for the file and has not got it yet.
async fn midway(visit: &Visit<'_>, args: Vec<&str>, change: impl AsyncFnOnce()) -> Call {
    let rig = visit.rig;
    hold_files(rig).await;
    let between = async {
        held(rig).await;
        change().await;
        release(rig).await;
    };
    tokio::join!(visit.run(&args), between).0
}

/// How many files the fields of a page have, those of its own frames included, and what it has been told of.
const HELD: &str = "(() => { \
    const documents = [document, ...[...document.querySelectorAll('iframe')].map((it) => it.contentDocument)]; \
    const fields = documents.flatMap((it) => [...(it?.querySelectorAll('input[type=file]') ?? [])]); \
    return [fields.reduce((sum, it) => sum + it.files.length, 0), Object.keys(window.got ?? {}).length]; })()";

#[tokio::test]
async fn a_page_gets_no_file_that_it_was_not_given() {
    let rig = Rig::new().await;
    let files = Files::new();
    let (a, b) = (files.write("a.txt", b"given"), files.write("b.txt", b"secret"));
    let visit = rig.visit(PAGE).await;
    let page = visit.page(PAGE).await;
    // A field that is exchanged for another at the very change, which gets nothing by itself.
    page.evaluate(
        "document.getElementById('one').addEventListener('input', () => { \
           const other = document.createElement('input'); other.type = 'file'; other.id = 'other'; \
           document.getElementById('one').replaceWith(other); }); 0",
    )
    .await;
    visit.run(&upload("#one", &[&a], &[])).await;
    let held = "['other', 'hidden', 'first'].map((id) => document.getElementById(id).files.length)";
    assert_eq!(page.evaluate(held).await, json!([0, 0, 0]));
    // One that is refused: the page has no file then.
    visit.fails("ELEMENT_NOT_ACTIONABLE", &upload("#off", &[&b], &[])).await;
    // The route answers no page, and says nothing of what is there.
    let url = format!("http://127.0.0.1:{}/files/fl1?session={}", rig.daemon.port, visit.session);
    for mode in ["cors", "no-cors"] {
        let fetched = format!(
            "fetch({}, {{ mode: '{mode}', headers: {{}} }}).then((it) => it.text(), (error) => 'failed').then((text) => text.includes('given'))",
            json!(url)
        );
        assert_eq!(page.evaluate(&format!("(async () => {fetched})()")).await, false, "{mode}");
    }
    rig.daemon.record("auth_refused", |it| it["route"] == "/files/flN").await;
    // Nor has it a way to the extension, whose messages bring files.
    assert_eq!(
        page.evaluate("typeof chrome === 'undefined' || chrome.runtime === undefined").await,
        true
    );
    rig.browser.close().await;
}

#[tokio::test]
async fn what_changes_while_a_file_is_fetched_gets_none() {
    let rig = Rig::new().await;
    let files = Files::new();
    let a = files.write("a.txt", b"given");
    let one = "const one = document.getElementById('one');";
    for (selector, drop, change) in [
        (
            "#one",
            "",
            "one.replaceWith(Object.assign(document.createElement('input'), { type: 'file', id: 'one' }));",
        ),
        ("#one", "", "one.type = 'text';"),
        ("#one", "", "one.accept = 'image/png';"),
        ("#one", "", "one.disabled = true;"),
        // To another document, whose scripts the page itself can be.
        (
            "#one",
            "",
            "const frame = document.createElement('iframe'); document.body.append(frame); frame.contentDocument.body.append(one);",
        ),
        (
            "#zone",
            "--drop",
            "document.getElementById('zone').replaceWith(document.createElement('iframe'));",
        ),
    ] {
        let visit = rig.visit(PAGE).await;
        let page = visit.page(PAGE).await;
        let more: Vec<&str> = if drop.is_empty() { vec![] } else { vec![drop] };
        let changed = format!("{{ {one} {change} }} 0");
        let call = midway(&visit, upload(selector, &[&a], &more), async || {
            page.evaluate(&changed).await;
        });
        let call = call.await;
        assert_eq!(call.error(), "ELEMENT_NOT_ACTIONABLE", "{change}: {call:?}");
        assert_eq!(page.evaluate(HELD).await, json!([0, 0]), "{change}");
        visit.data(&["session", "close"]).await;
    }
    // Another page in the same tab.
    let visit = rig.visit(PAGE).await;
    let page = visit.page(PAGE).await;
    let next = rig.site.url("upload.html?next");
    let call = midway(&visit, upload("#one", &[&a], &[]), async || {
        page.go(&next).await;
        page.until("location.search === '?next' && document.readyState === 'complete'").await;
    });
    let call = call.await;
    assert_eq!(call.error(), "PAGE_CHANGED", "{call:?}");
    assert_eq!(page.evaluate(HELD).await, json!([0, 0]));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_frame_gets_no_file_of_another_one_or_of_the_page_before_it() {
    let rig = Rig::new().await;
    let files = Files::new();
    let a = files.write("a.txt", b"given");
    let visit = rig.visit("article.html").await;
    let page = visit.page("article.html").await;
    let (own, other) = (rig.site.url("upload.html?own"), rig.site.other_url("upload.html?other"));
    page.evaluate(&format!(
        "window.loads = 0; for (const src of {}) {{ const frame = document.createElement('iframe'); \
         frame.onload = () => {{ window.loads += 1; }}; document.body.append(Object.assign(frame, {{ src }})); }} 0",
        json!([own, other])
    ))
    .await;
    page.until("window.loads === 2").await;
    let told = [files.seen("a.txt", "text/plain")];
    let frame = async |part: &str| {
        let listed = visit.data(&["frames"]).await;
        let mut frames = listed["frames"].as_array().expect("frames").iter();
        let found = frames.find(|it| text(&it["url"]).contains(part));
        text(&found.unwrap_or_else(|| panic!("no {part}: {listed}"))["frame"])
    };
    for (number, part) in ["?other", "?own"].into_iter().enumerate() {
        // Only the frame that is named has it then.
        let name = frame(part).await;
        visit.data(&upload("#one", &[&a], &["--frame", &name])).await;
        let outer = page.evaluate(HELD).await;
        let inner = rig.browser.find_frame("?other").await;
        if part == "?other" {
            got(&inner, "one", &told).await;
            assert_eq!(outer, json!([0, 0]));
        } else {
            page.until("frames[0].got.one?.length === 1").await;
            assert_eq!(page.evaluate("frames[0].got.one").await[0]["sha256"], told[0]["sha256"]);
        }
        assert_eq!(
            inner.evaluate(HELD).await,
            json!([usize::from(part == "?other"), usize::from(part == "?other")])
        );

        // Where it is led elsewhere in between, what is there then gets nothing.
        let led = format!(
            "window.loads = 0; document.querySelectorAll('iframe')[{}].src += '&next'; 0",
            1 - number
        );
        let call = midway(&visit, upload("#one", &[&a], &["--frame", &name]), async || {
            page.evaluate(&led).await;
            page.until("window.loads === 1").await;
        });
        let call = call.await;
        let codes = ["PAGE_CHANGED", "FRAME_NOT_FOUND"];
        assert!(codes.contains(&call.error().as_str()), "{part}: {call:?}");
        assert_eq!(page.evaluate(HELD).await, json!([0, 0]), "{part}");
        let inner = rig.browser.find_frame("?other&next").await;
        inner.until("document.readyState === 'complete'").await;
        assert_eq!(inner.evaluate(HELD).await, json!([0, 0]), "{part}");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_sees_no_file_before_it_falls_and_has_no_way_to_catch_one() {
    let rig = Rig::new().await;
    let files = Files::new();
    let a = files.write("a.txt", b"given");
    let visit = rig.visit(PAGE).await;
    let page = visit.page(PAGE).await;
    // What the page puts in the place of the browser's own functions is not asked.
    page.evaluate(
        "window.caught = []; window.seen = []; \
         const { get } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'files'); \
         Object.defineProperty(HTMLInputElement.prototype, 'files', { get, set(files) { window.caught.push(...files); } }); \
         DataTransferItemList.prototype.add = (file) => void window.caught.push(file); \
         window.File = window.DataTransfer = window.DragEvent = function () { window.caught.push(...arguments); }; \
         for (const type of ['dragenter', 'dragover', 'dragleave']) document.addEventListener(type, ({ dataTransfer }) => { \
           const items = [...dataTransfer.items].map((it) => [it.kind, it.type, it.getAsFile()?.name, it.getAsFile()?.size]); \
           window.seen.push([items, [...dataTransfer.files].map(({ name, size }) => [name, size])]); }, true); 0",
    )
    .await;
    visit.data(&upload("#one", &[&a], &[])).await;
    got(&page, "one", &[files.seen("a.txt", "text/plain")]).await;
    visit.fails("ELEMENT_NOT_ACTIONABLE", &upload("#deaf", &[&a], &["--drop"])).await;
    visit.data(&upload("#zone", &[&a], &["--drop"])).await;
    got(&page, "zone", &[files.seen("a.txt", "text/plain")]).await;
    assert_eq!(page.evaluate("window.caught.length").await, 0);
    let seen = page.evaluate("window.seen").await;
    let seen = seen.as_array().expect("events");
    let nothing = json!([[["file", "text/plain", "", 0]], [["", 0]]]);
    assert!(seen.len() >= 4 && seen.iter().all(|it| *it == nothing), "{seen:?}");
    rig.browser.close().await;
}
