//! Many uploads at once, and uploads in whose midst something ends.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, text};
use super::support::{call, contents, number, run, wait_for};
use super::uploads::{Files, forget, got, upload};
#[cfg(target_os = "linux")]
use super::withheld_files::{held, hold_files};

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
async fn many_files_of_mixed_sizes_are_uploaded_at_once_and_every_byte_is_right() {
    let (rig, count) = (Rig::new().await, number("SOAK_FILES").unwrap_or(24));
    let sizes = [0, 1, 999, 4_096, 65_537, 300_000, 1_500_000];
    let files = Files::new();
    let worker = async |at: usize| {
        let address = format!("{PAGE}?{at}");
        let visit = rig.open(&address).await;
        let page = visit.page(&address).await;
        for number in (at..count).step_by(4) {
            let (name, bytes) = (format!("soak-{number}.bin"), sizes[number % sizes.len()]);
            let path = files.write(&name, &contents(&name, bytes));
            let done = visit.data(&upload("#one", &[&path], &[])).await;
            assert_eq!(done["uploaded"], json!([{"name": name, "bytes": bytes}]));
            got(&page, "one", &[files.seen(&name, "application/octet-stream")]).await;
            std::fs::remove_file(path).expect("a file");
        }
    };
    tokio::join!(worker(0), worker(1), worker(2), worker(3));
    rig.browser.close().await;
}

/// Over ten sessions; a hundred are as many as may be pending.
#[tokio::test]
async fn many_uploads_at_once_and_many_downloads_are_as_they_were() {
    const SESSIONS: usize = 10;
    let each = number("FILES_AT_ONCE").unwrap_or(30) / SESSIONS;
    let rig = Rig::new().await;
    let files = Files::new();
    let sizes = [0, 1, 999, 4_096, 65_537, 300_000];
    let size = |number: usize| sizes[number % sizes.len()];
    let addresses: Vec<_> = (0..SESSIONS).map(|at| format!("article.html?{at}")).collect();
    let mut visits = Vec::new();
    for address in &addresses {
        let visit = rig.open(address).await;
        let fields = format!(
            "for (let at = 0; at < {each}; at += 1) document.body.append(Object.assign(document.createElement('input'), {{ type: 'file', id: `f${{at}}` }})); 0"
        );
        visit.page(address).await.evaluate(&fields).await;
        visits.push(visit);
    }
    let one = async |number: usize| {
        let (name, bytes) = (format!("up-{number}.bin"), size(number));
        let path = files.write(&name, &contents(&name, bytes));
        let field = format!("#f{}", number % each);
        let args = ["--timeout", "50000"];
        let done = visits[number / each].data(&upload(&field, &[&path], &args)).await;
        assert_eq!(done["uploaded"], json!([{"name": name, "bytes": bytes}]));
    };
    let began = std::time::Instant::now();
    futures_util::future::join_all((0..SESSIONS * each).map(one)).await;
    println!("{} uploads at once: {:?}", SESSIONS * each, began.elapsed());
    let hashes = "Promise.all([...document.querySelectorAll('input[type=file]')].map(async (it) => \
        [it.files[0].name, new Uint8Array(await crypto.subtle.digest('SHA-256', await it.files[0].arrayBuffer())).toHex()]))";
    for (at, visit) in visits.iter().enumerate() {
        let held = visit.page(&addresses[at]).await.evaluate(hashes).await;
        let wanted = (at * each..(at + 1) * each).map(|number| {
            let name = format!("up-{number}.bin");
            json!([name, files.seen(&name, "")["sha256"]])
        });
        assert_eq!(held, wanted.collect::<Value>());
    }
    let one = async |number: usize| {
        let (name, bytes) = (format!("down-{number}.bin"), size(number));
        let url = rig.site.url(&format!("given/{name}?bytes={bytes}"));
        let args = ["download", "--url", &url, "--timeout", "50000"];
        let data = visits[number / each].data(&args).await;
        let path = text(&data["path"]);
        assert!(std::fs::read(&path).expect("a file") == contents(&name, bytes), "{data}");
    };
    let began = std::time::Instant::now();
    futures_util::future::join_all((0..SESSIONS * each).map(one)).await;
    println!("{} downloads at once: {:?}", SESSIONS * each, began.elapsed());
    drop(visits);
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

/// The tab ends with the browser, and its page with whatever it had got.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_upload_whose_browser_is_killed_fails_clearly_and_the_next_one_works() {
    let mut rig = Rig::new().await;
    let files = Files::new();
    let path = files.write("large.bin", &vec![0x5a; 1 << 20]);
    let session = rig.visit(PAGE).await.session;
    let (home, file) = (rig.daemon.home.clone(), path.clone());
    hold_files(&rig).await;
    let call = tokio::spawn(async move {
        let args = ["-s", &session, "--timeout", "30000"];
        run(&home, &upload("#one", &[&file], &args)).await
    });
    held(&rig).await;
    rig.browser = rig.browser.kill().await;
    let call = call.await.expect("no panic inside");
    let clear = ["SCRIPT_ERROR", "OUTCOME_UNKNOWN", "NO_EXTENSION", "TAB_NOT_FOUND"];
    assert!(clear.contains(&call.error().as_str()), "{call:?}");
    rig.connected(2).await;
    let visit = rig.visit(PAGE).await;
    let page = visit.page(PAGE).await;
    assert_eq!(page.evaluate("document.getElementById('one').files.length").await, 0);
    let again = visit.data(&upload("#one", &[&path], &[])).await;
    assert_eq!(again["uploaded"], json!([{"name": "large.bin", "bytes": 1 << 20}]));
    got(&page, "one", &[files.seen("large.bin", "application/octet-stream")]).await;
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
