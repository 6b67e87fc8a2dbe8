//! Files given to pages: judged by what the page itself has got, by name, size and hash.

use std::fs;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::rig::{Rig, own, text};
use super::support::Page;

/// Files to upload, and what a page has to see of each.
pub(super) struct Files {
    folder: TempDir,
}

impl Files {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file; gives its path.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.path(name), bytes).expect("a file");
        self.path(name).to_str().expect("text").to_owned()
    }

    /// What a page that got the file tells of it.
    pub(super) fn seen(&self, name: &str, kind: &str) -> Value {
        let bytes = fs::read(self.path(name)).expect("the file");
        let sha256 = HEXLOWER.encode(&Sha256::digest(&bytes));
        json!({"name": name, "type": kind, "size": bytes.len(), "sha256": sha256})
    }
}

/// The arguments of an upload.
pub(super) fn upload<'a>(selector: &'a str, files: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["upload", "--selector", selector, "--file"];
    args.extend(files);
    args.extend(more);
    args
}

/// Waits until the page has got these files at an element.
pub(super) async fn got(page: &Page<'_>, id: &str, files: &[Value]) {
    let wanted = json!(files).to_string();
    // The order of the members is that of the fixture.
    let same = format!(
        "(() => {{ const wanted = {wanted}; const it = window.got[{id:?}]; return it !== undefined && it.length === wanted.length && \
         it.every((file, at) => ['name', 'type', 'size', 'sha256'].every((name) => file[name] === wanted[at][name])); }})()"
    );
    page.until(&same).await;
}

pub(super) async fn forget(page: &Page<'_>) {
    page.evaluate("window.got = {}; window.events = []; 0").await;
}

const PAGE: &str = "upload.html";

#[tokio::test]
async fn fields_get_files_as_from_a_chooser_and_what_they_do_not_take_is_refused() {
    let rig = Rig::new().await;
    let files = Files::new();
    let (a, b) = (files.write("a b ü.txt", b"hello"), files.write("b.png", &[0x89; 70_000]));
    let (pdf, empty) = (files.write("c.pdf", b"%PDF"), files.write("empty", b""));
    for in_front in [true, false] {
        let visit = if in_front { rig.visit(PAGE).await } else { rig.open(PAGE).await };
        let page = visit.page(PAGE).await;
        let done = visit.data(&upload("#one", &[&a], &[])).await;
        assert_eq!(own(done), json!({"uploaded": [{"name": "a b ü.txt", "bytes": 5}]}));
        got(&page, "one", &[files.seen("a b ü.txt", "text/plain")]).await;
        assert_eq!(page.evaluate("window.events").await, json!(["one input", "one change"]));
        let held =
            "[document.getElementById('one').files[0].name, document.getElementById('one').value]";
        assert_eq!(page.evaluate(held).await, json!(["a b ü.txt", "C:\\fakepath\\a b ü.txt"]));

        let done = visit.data(&upload("#many", &[&a, &b], &[])).await;
        assert_eq!(done["uploaded"][1], json!({"name": "b.png", "bytes": 70_000}));
        let both = [files.seen("a b ü.txt", "text/plain"), files.seen("b.png", "image/png")];
        got(&page, "many", &both).await;
        // A hidden field, by itself, by its label, and by what it is in.
        for (selector, id) in [("#hidden", "hidden"), ("#label", "hidden"), ("#box", "inside")] {
            forget(&page).await;
            visit.data(&upload(selector, &[&empty], &[])).await;
            got(&page, id, &[files.seen("empty", "")]).await;
        }
        let refused = async |args: &[&str], words: &[&str]| {
            forget(&page).await;
            let error = visit.fails("ELEMENT_NOT_ACTIONABLE", args).await;
            let message = text(&error["message"]);
            assert!(words.iter().all(|word| message.contains(word)), "{message}");
            assert_eq!(page.evaluate("[window.got, window.events]").await, json!([{}, []]));
        };
        refused(&upload("#one", &[&a, &b], &[]), &["takes one file, not 2"]).await;
        refused(&upload("#many", &[&pdf], &[]), &[".txt, image/*", "c.pdf"]).await;
        refused(&upload("#off", &[&a], &[]), &["disabled"]).await;
        refused(&upload("#two", &[&a], &[]), &["2 fields"]).await;
        refused(&upload("#deaf", &[&a], &["--drop"]), &["does not take"]).await;
        refused(&["click", "--selector", "#one"], &["upload"]).await;
        visit.data(&["session", "close"]).await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn what_a_page_makes_of_its_files_is_read_back() {
    let rig = Rig::new().await;
    let files = Files::new();
    let a = files.write("report.txt", b"hello");
    let visit = rig.visit(PAGE).await;
    let page = visit.page(PAGE).await;
    let uploaded = json!([{"name": "report.txt", "bytes": 5}]);
    // One empties its field and shows the name, one sends it at once.
    for selector in ["#clears", "#sends"] {
        assert_eq!(visit.data(&upload(selector, &[&a], &[])).await["uploaded"], uploaded);
        got(&page, &selector[1..], &[files.seen("report.txt", "text/plain")]).await;
    }
    page.evaluate("document.getElementById('names').textContent = ''; 0").await;
    let error = visit.fails("ELEMENT_NOT_ACTIONABLE", &upload("#rejects", &[&a], &[])).await;
    assert!(text(&error["message"]).contains("nothing shows that it kept any"), "{error}");
    // A name that stood there before shows nothing.
    page.evaluate("document.getElementById('names').textContent = 'report.txt'; 0").await;
    visit.fails("ELEMENT_NOT_ACTIONABLE", &upload("#rejects", &[&a], &[])).await;
    // Nor does a page that keeps the browser from opening what is dropped on it.
    page.evaluate("for (const type of ['dragover', 'drop']) document.addEventListener(type, (event) => event.preventDefault()); 0")
        .await;
    let error = visit.fails("ELEMENT_NOT_ACTIONABLE", &upload("#deaf", &[&a], &["--drop"])).await;
    assert!(text(&error["message"]).contains("nothing shows that it kept any"), "{error}");
    // A page that leads on at once.
    let gone = visit.run(&upload("#goes", &[&a], &["--then", "text"])).await;
    assert_eq!(gone.data()["uploaded"], uploaded);
    assert_eq!(gone.data()["effects"]["navigated"], rig.site.url("article.html"));
    assert!(gone.data()["then"]["text"].is_string(), "{gone:?}");
    rig.browser.close().await;
}

#[tokio::test]
async fn zones_get_files_dropped_and_buttons_need_no_chooser() {
    let rig = Rig::new().await;
    let files = Files::new();
    let (a, b) = (files.write("a.txt", b"hello"), files.write("b.txt", b"world!"));
    let both = [files.seen("a.txt", "text/plain"), files.seen("b.txt", "text/plain")];
    for in_front in [true, false] {
        let visit = if in_front { rig.visit(PAGE).await } else { rig.open(PAGE).await };
        let page = visit.page(PAGE).await;
        for more in [&[][..], &["--drop"]] {
            forget(&page).await;
            let done = visit.data(&upload("#zone", &[&a, &b], more)).await;
            let names = json!([{"name": "a.txt", "bytes": 5}, {"name": "b.txt", "bytes": 6}]);
            assert_eq!(done["uploaded"], names);
            got(&page, "zone", &both).await;
            assert_eq!(
                page.evaluate("[window.types, window.effect]").await,
                json!([["Files"], "copy"])
            );
        }
        // A zone that appears when something is dragged over the page.
        page.evaluate("window.veils = true; 0").await;
        visit.data(&upload("#covers", &[&a, &b], &["--drop"])).await;
        got(&page, "veil", &both).await;
        page.evaluate(
            "window.veils = false; document.getElementById('veil').style.display = 'none'; 0",
        )
        .await;

        for id in ["make", "late", "picker", "pressed"] {
            forget(&page).await;
            let selector = format!("#{id}");
            let done = visit.data(&upload(&selector, &[&a, &b], &[])).await;
            assert_eq!(done["uploaded"][1]["name"], "b.txt", "{id}: {done}");
            got(&page, id, &both).await;
        }
        visit.data(&upload("#stops", &[&a], &[])).await;
        got(&page, "stopped", &both[..1]).await;
        // What such a field does not take is refused as well.
        let png = files.write("c.png", b"x");
        let error = visit.fails("ELEMENT_NOT_ACTIONABLE", &upload("#make", &[&png], &[])).await;
        assert!(text(&error["message"]).contains("text/plain"), "{error}");
        let error = visit.fails("ELEMENT_NOT_ACTIONABLE", &upload("#nothing", &[&a], &[])).await;
        assert!(text(&error["message"]).contains("asked for no files"), "{error}");
        // A click tells of the chooser that it would have opened.
        let clicked = visit.data(&["click", "--selector", "#make"]).await;
        let blocked = text(&clicked["effects"]["blocked"][0]);
        assert!(blocked.contains("use upload"), "{clicked}");
        visit.data(&["session", "close"]).await;
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn widgets_from_npm_hold_what_the_answer_says() {
    let rig = Rig::new().await;
    let files = Files::new();
    let address = "widgets/dist/uploads.html";
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/");
    let built = std::fs::exists(format!("{folder}{address}")).expect("a folder");
    assert!(built, "{address} is missing: run `make widgets` first");
    let kinds = [("report.txt", 5), ("a picture.png", 90_000), ("none", 0)];
    let paths = kinds.map(|(name, size)| files.write(name, &vec![b'x'; size]));
    let told = |name: &str| {
        let seen = files.seen(name, "");
        format!("{name} {} {}", seen["size"], text(&seen["sha256"]))
    };
    for in_front in [true, false] {
        // Its own field, a drop on it, and what is pressed for files, one after the other.
        for (widget, ways) in [
            ("react", vec![("#react", ""), ("#react", "--drop")]),
            (
                "uppy",
                vec![
                    ("#uppy .uppy-Dashboard-browse", ""),
                    ("#uppy .uppy-Dashboard-AddFiles", "--drop"),
                ],
            ),
            ("filepond", vec![("#at-filepond", ""), ("#at-filepond .filepond--root", "--drop")]),
            ("dropzone", vec![("#dropzone", "")]),
        ] {
            // FilePond makes all of itself, its field too, when it is drawn.
            let ways = if widget == "filepond" && !in_front { vec![] } else { ways };
            for (selector, drop) in ways {
                let visit =
                    if in_front { rig.visit(address).await } else { rig.open(address).await };
                let page = visit.page(address).await;
                page.until("Object.keys(window.models).length === 5").await;
                let shown = format!("document.querySelector({}) !== null", json!(selector));
                page.until(&shown).await;
                let more: Vec<&str> = if drop.is_empty() { vec![] } else { vec![drop] };
                let [a, b, _] = &paths;
                let what = format!("{widget} {selector} {drop}, in front: {in_front}");
                let call = visit.run(&upload(selector, &[a, b], &more)).await;
                let mut uploaded = call.json()["data"]["uploaded"].clone();
                let list = uploaded.as_array_mut().unwrap_or_else(|| panic!("{what}: {call:?}"));
                list.sort_by_key(|file| file["bytes"].as_u64());
                let both = json!([{"name": "report.txt", "bytes": 5}, {"name": "a picture.png", "bytes": 90_000}]);
                assert_eq!(uploaded, both, "{what}");
                let wanted = json!([told("a picture.png"), told("report.txt")]);
                let model = format!("JSON.stringify((await models[{}]()).sort())", json!(widget));
                page.until(&format!("{model} === {}", json!(wanted.to_string()))).await;
                visit.data(&["session", "close"]).await;
            }
        }
        // What the widget does not take is refused by what its own field says.
        let visit = if in_front { rig.visit(address).await } else { rig.open(address).await };
        let page = visit.page(address).await;
        page.until("document.querySelector('#react-png') !== null").await;
        for more in [&[][..], &["--drop"]] {
            let refused = upload("#react-png", &[&paths[0]], more);
            let error = visit.fails("ELEMENT_NOT_ACTIONABLE", &refused).await;
            assert!(text(&error["message"]).contains("image/png"), "{error}");
        }
        assert_eq!(page.evaluate("(async () => (await models['react-png']()).length)()").await, 0);
        visit.data(&["session", "close"]).await;
    }
    rig.browser.close().await;
}

/// In a tab that nobody sees FilePond draws nothing: what it cannot be seen to have taken is not told as uploaded.
#[tokio::test]
async fn what_a_widget_holds_that_is_not_drawn_is_told_only_where_it_is_seen() {
    let rig = Rig::new().await;
    let files = Files::new();
    let address = "widgets/dist/uploads.html";
    let paths = [files.write("report.txt", b"hello"), files.write("b.png", b"world")];
    let both = json!([{"name": "report.txt", "bytes": 5}, {"name": "b.png", "bytes": 5}]);
    let held = json!(["report.txt", "b.png"].map(|name| {
        let seen = files.seen(name, "");
        format!("{name} {} {}", seen["size"], text(&seen["sha256"]))
    }));
    for (was_drawn, selector, drop, always) in [
        // It has no field yet, and what is dropped nobody takes; seldom the browser draws it all the same.
        (false, "#at-filepond", "", false),
        (false, "#at-filepond", "--drop", false),
        (true, "#at-filepond .filepond--root", "--drop", true),
        // It empties its field, and shows nothing of what it holds.
        (true, "#at-filepond .filepond--browser", "", false),
    ] {
        let visit = rig.visit("article.html").await;
        let page = visit.page("article.html").await;
        let behind = async || {
            let front = rig.browser.open("about:blank").await;
            page.until("document.visibilityState === 'hidden'").await;
            front
        };
        let go = async || visit.data(&["navigate", &rig.site.url(address)]).await;
        let front = if was_drawn {
            go().await;
            page.until("document.querySelector('.filepond--browser') !== null").await;
            behind().await
        } else {
            let front = behind().await;
            go().await;
            front
        };
        page.until("Object.keys(window.models ?? {}).length === 5").await;
        let more: Vec<&str> = if drop.is_empty() { vec![] } else { vec![drop] };
        let call = visit.run(&upload(selector, &[&paths[0], &paths[1]], &more)).await;
        let what = format!("{selector} {drop}, drawn before: {was_drawn}");
        let is_told = call.json()["ok"] == true;
        assert!(is_told || !always, "{what}: {call:?}");
        if is_told {
            assert_eq!(call.data()["uploaded"], both, "{what}");
            // It may take its time to load what it has taken.
            let holds =
                format!("JSON.stringify(await models.filepond()) === {}", json!(held.to_string()));
            page.until(&holds).await;
        } else {
            assert_eq!(call.error(), "ELEMENT_NOT_ACTIONABLE", "{what}: {call:?}");
            let error = &call.json()["error"];
            assert!(text(&error["message"]).contains("nobody sees its tab"), "{what}: {call:?}");
            assert!(text(&error["suggestedAction"]).starts_with("bproxy tab activate"), "{call:?}");
        }
        visit.data(&["session", "close"]).await;
        front.close().await;
    }
    rig.browser.close().await;
}
