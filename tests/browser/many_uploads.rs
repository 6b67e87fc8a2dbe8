//! Many uploads at once, and pages that want files which they were not given.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, text};
use super::support::{call, run, wait_for};
use super::uploads::{Files, forget, got, upload};

const PAGE: &str = "upload.html";

#[tokio::test]
async fn many_files_of_mixed_sizes_at_once_are_as_they_were() {
    let rig = Rig::new().await;
    let files = Files::new();
    let names: Vec<String> = (0..20).map(|at| format!("n{at:02}.txt")).collect();
    let sizes = [0, 1, 1_000, 65_537, 1 << 20];
    let paths: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let bytes: Vec<u8> = (0..sizes[at % 5]).map(|place| (place * 7 + at) as u8).collect();
            files.write(name, &bytes)
        })
        .collect();
    let all: Vec<&str> = paths.iter().map(String::as_str).collect();
    let wanted: Vec<Value> =
        names.iter().map(|name| files.seen(name, "text/plain")["sha256"].clone()).collect();
    let same = format!(
        "JSON.stringify(window.got.many?.map((file) => file.sha256)) === {}",
        json!(json!(wanted).to_string())
    );
    // In several tabs at once, each of a session of its own.
    let one = async |number: usize| {
        let address = format!("{PAGE}?{number}");
        let visit = rig.open(&address).await;
        let done = visit.data(&upload("#many", &all, &["--timeout", "120000"])).await;
        assert_eq!(done["uploaded"].as_array().map(Vec::len), Some(20));
        visit.page(&address).await.until(&same).await;
    };
    futures_util::future::join_all((0..5).map(one)).await;
    // More than twenty are refused before any is sent.
    let call = rig.run(&upload("#many", &[&all[..], &all[..1]].concat(), &["-s", "aaaaaa"])).await;
    assert!(call.trouble().contains("1 to 20"), "{call:?}");
    rig.browser.close().await;
}

#[tokio::test]
async fn an_upload_whose_worker_or_daemon_is_killed_is_whole_or_fails_clearly_and_the_next_one_works()
 {
    let mut rig = Rig::new().await;
    let files = Files::new();
    let path = files.write("large.bin", &vec![0x5a; 16 << 20]);
    let session = rig.visit(PAGE).await.session;
    let home = rig.daemon.home.clone();
    for (round, killed) in ["worker", "daemon"].into_iter().enumerate() {
        let sent = |rig: &Rig| {
            let records = rig.daemon.records("received");
            records.iter().filter(|record| record["action"] == "upload").count()
        };
        let before = sent(&rig);
        let call = {
            let (home, session, path) = (home.clone(), session.clone(), path.clone());
            let args = move || async move {
                let args = ["-s", &session, "--timeout", "60000"];
                run(&home, &upload("#one", &[&path], &args)).await
            };
            tokio::spawn(args())
        };
        wait_for("the upload to be on its way", || (sent(&rig) > before).then_some(())).await;
        if killed == "worker" {
            rig.suspend().await;
        } else {
            let port = rig.daemon.port.to_string();
            let count = rig.daemon.records("ws_connect").len();
            let next = rig.daemon.kill().await.home.daemon().env("BPROXY_PORT", &port);
            rig.daemon = next.start().await;
            rig.connected(count + 1).await;
        }
        let call = call.await.expect("no panic inside");
        let clear = ["SCRIPT_ERROR", "OUTCOME_UNKNOWN", "PAGE_CHANGED"];
        assert!(call.json()["ok"] == true || clear.contains(&call.error().as_str()), "{call:?}");
        let visit = Visit { rig: &rig, session: session.clone() };
        let page = visit.page(PAGE).await;
        let held = page.evaluate("[...document.getElementById('one').files].map((it) => it.size)");
        let held = held.await;
        assert!(held == json!([]) || held == json!([16 << 20]), "{round}: {held}");
        forget(&page).await;
        let again = visit.data(&upload("#one", &[&path], &["--timeout", "60000"])).await;
        assert_eq!(again["uploaded"], json!([{"name": "large.bin", "bytes": 16 << 20}]));
        got(&page, "one", &[files.seen("large.bin", "application/octet-stream")]).await;
    }
    rig.browser.close().await;
}

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
async fn the_example_uploads_a_folder() {
    let rig = Rig::new().await;
    let files = Files::new();
    let names: Vec<String> = (0..23).map(|at| format!("photo-{at:02}.png")).collect();
    names.iter().for_each(|name| _ = files.write(name, name.as_bytes()));
    files.write("notes.pdf", b"%PDF");
    let mut command = rig.example("upload_folder.py");
    command.arg(files.path("")).args([&rig.site.url(PAGE), "--to", "#many", "--pacing", "fast"]);
    let ran = call(command, None).await;
    assert_eq!(ran.code, 1, "one is not taken: {ran:?}");
    assert!(ran.stdout.contains("not notes.pdf: ") && ran.stdout.contains("23 of 24"), "{ran:?}");
    for name in &names {
        assert!(ran.stdout.contains(&format!("- {name} ({} bytes)", name.len())), "{ran:?}");
    }
    let session = ran.stdout.trim().rsplit(' ').next().expect("a session").to_owned();
    let tabs = rig.run(&["tab", "list", "-s", &session]).await.data();
    assert_eq!(text(&tabs["tabs"][0]["url"]), rig.site.url(PAGE));
    rig.browser.close().await;
}
