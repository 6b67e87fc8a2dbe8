//! Files that the browser downloads, compared byte for byte with what the site gave.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::rig::{Rig, Visit, says, text};
use super::support::{call, contents, number, run};

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}

/// The file that an answer tells of holds this, and the answer says so.
#[track_caller]
fn holds(data: &Value, expected: &[u8]) -> PathBuf {
    let path = PathBuf::from(text(&data["path"]));
    let found = std::fs::read(&path).unwrap_or_else(|error| panic!("{error}: {data}"));
    assert!(found == expected, "{data}");
    assert_eq!(data["bytes"], expected.len(), "{data}");
    assert_eq!(data["sha256"], sha256(expected), "{data}");
    assert_eq!(path.file_name().and_then(|name| name.to_str()), data["name"].as_str(), "{data}");
    path
}

/// What the browser says of a download, by a part of its name: its state, error and danger.
async fn known(rig: &Rig, name: &str) -> Value {
    let search = "chrome.downloads.search({orderBy: ['-startTime']})";
    let expression = format!(
        "{search}.then((all) => all.find((it) => it.filename.includes({name}) || it.url.includes({name})) ?? null)",
        name = json!(name)
    );
    rig.browser.in_worker(&expression).await
}

#[tokio::test]
async fn whatever_way_a_page_gives_a_file_it_is_complete_when_the_command_answers() {
    let rig = Rig::new().await;
    let given = |name: &str, bytes| contents(name, bytes);
    for (id, name, expected) in [
        ("given", "given.bin", given("given.bin", 70_000)),
        ("made", "made.txt", b"made here".to_vec()),
        ("data", "data.txt", b"from data".to_vec()),
        ("go", "gone.bin", given("gone.bin", 4_000)),
        ("fetch", "fetched.bin", given("fetched.bin", 5_000)),
        ("ask", "asked.bin", given("asked.bin", 6_000)),
        ("post", "posted.bin", given("posted.bin", 2_000)),
        ("blank", "blank.bin", given("blank.bin", 3_000)),
        ("cookies", "cookies.txt", b"strict=1".to_vec()),
    ] {
        // By click a tab gives one download without a person's hand, and an address of its own tells whose a late one is.
        let page = rig.open(&format!("downloads.html?{id}")).await;
        let selector = format!("#{id}");
        let mut args = vec!["download", "--selector", &selector];
        if id == "ask" {
            args.extend(["--dialog", "accept"]);
        }
        let data = page.data(&args).await;
        let path = holds(&data, &expected);
        assert_eq!(data["name"], name, "{id}: {data}");
        assert_eq!(data["effects"]["downloads"], json!([{"name": name, "state": "complete"}]));
        let is = known(&rig, name).await;
        assert_eq!((&is["state"], &is["danger"]), (&json!("complete"), &json!("safe")));
        assert_eq!(Path::new(&text(&is["filename"])), path, "{is}");
        assert_eq!(is["mime"], data["mime"]);
        let listed = page.data(&["download", "list"]).await;
        assert_eq!(listed["downloads"].as_array().map(Vec::len), Some(1), "{listed}");
        assert_eq!(listed["downloads"][0]["path"], data["path"], "{listed}");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn an_address_is_fetched_with_the_persons_cookies_as_often_as_is_asked() {
    let rig = Rig::new().await;
    let page = rig.open("downloads.html").await;
    let fetch = async |url: &str| page.data(&["download", "--url", url]).await;
    let cookies = fetch(&rig.site.url("given/cookies.txt?cookies")).await;
    holds(&cookies, b"strict=1");
    for bytes in [0, 1, 100_000] {
        let data = fetch(&rig.site.url(&format!("given/again.bin?bytes={bytes}"))).await;
        holds(&data, &contents("again.bin", bytes));
    }
    holds(&fetch("data:text/plain;base64,aGVsbG8=").await, b"hello");
    let seen = page.page("downloads.html").await;
    let made = seen.evaluate("URL.createObjectURL(new Blob(['of the page']))").await;
    holds(&fetch(&text(&made)).await, b"of the page");

    // What the machine has is no file of the web.
    let refused = page.run(&["download", "--url", "file:///etc/hostname"]).await;
    assert!(refused.trouble().contains("`url`"), "{refused:?}");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_file_goes_where_it_is_wanted_and_over_no_other_one() {
    let rig = Rig::new().await;
    let page = rig.open("downloads.html").await;
    let url = rig.site.url("given/wanted.bin?bytes=200000");
    let expected = contents("wanted.bin", 200_000);
    // One folder is where the browser's are, the other one is on another file system.
    let other = cfg!(target_os = "linux").then(|| tempfile::tempdir_in("/dev/shm"));
    for folder in [tempfile::tempdir()].into_iter().chain(other) {
        let folder = folder.expect("a folder");
        let named = folder.path().join("named.bin");
        let to = |to: &Path| to.to_str().expect("text").to_owned();
        let call = async |place: &Path, more: &[&str]| {
            let place = to(place);
            page.run(&[&["download", "--url", &url, "--to", &place], more].concat()).await
        };
        let data = call(&named, &[]).await.data();
        assert_eq!(text(&data["path"]), to(&named));
        assert!(std::fs::read(&named).expect("a file") == expected);
        assert_eq!(data["sha256"], sha256(&expected));
        let kept = call(folder.path(), &[]).await.data();
        assert_eq!(text(&kept["path"]), to(&folder.path().join(text(&kept["name"]))));

        std::fs::write(&named, "mine").expect("a file");
        let count = page.data(&["download", "list"]).await["downloads"].as_array().map(Vec::len);
        let taken = call(&named, &[]).await;
        assert!(taken.trouble().contains("--force"), "{taken:?}");
        assert_eq!(std::fs::read(&named).expect("a file"), b"mine");
        let listed = page.data(&["download", "list"]).await;
        assert_eq!(listed["downloads"].as_array().map(Vec::len), count, "nothing was fetched");
        call(&named, &["--force"]).await.data();
        assert!(std::fs::read(&named).expect("a file") == expected);
        let entries = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(entries, 2, "nothing half is left");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn a_click_that_begins_no_download_says_what_came_of_it() {
    let rig = Rig::new().await;
    let page = rig.open("downloads.html").await;
    let none = page.fails("TIMEOUT", &["download", "--selector", "#none"]).await;
    assert_eq!(none["details"]["effects"], json!({}), "{none}");
    let asked = page.fails("TIMEOUT", &["download", "--selector", "#ask"]).await;
    let dialog = json!([{"type": "confirm", "message": "Save it?", "answer": "dismiss"}]);
    assert_eq!(asked["details"]["effects"]["dialogs"], dialog, "{asked}");
    // The browser wants a person's hand for the second one.
    page.data(&["download", "--selector", "#given"]).await;
    let second = page.fails("TIMEOUT", &["download", "--selector", "#second"]).await;
    says(&second, &["--url"]);
    let address = text(&second["details"]["asked"][0]);
    assert_eq!(address, rig.site.url("given/second.bin"), "{second}");
    holds(&page.data(&["download", "--url", &address]).await, &contents("second.bin", 5));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_download_that_fails_says_why_and_the_next_one_works() {
    let rig = Rig::new().await;
    let page = rig.open("downloads.html").await;
    for (url, error) in [
        (rig.site.url("nowhere.bin"), "SERVER_BAD_CONTENT"),
        ("http://127.0.0.1:1/none".to_owned(), "NETWORK_FAILED"),
        (rig.site.url("given/broken.bin?bytes=100000&broken"), "broken.bin"),
    ] {
        let failed = page.fails("NAVIGATION_FAILED", &["download", "--url", &url]).await;
        says(&failed, &[error]);
        let found = known(&rig, &url).await;
        assert_eq!(found["state"], "interrupted", "{found}");
        if let Some(folder) = Path::new(&text(&found["filename"])).parent().filter(|it| it.is_dir())
        {
            let half: Vec<_> = std::fs::read_dir(folder).expect("a folder").collect();
            assert!(half.is_empty(), "{half:?}");
        }
    }

    // The person cancels one.
    let slow = rig.site.url("given/slow.bin?bytes=400000&ms=60000");
    let cancel = async {
        let id = wait_for_download(&rig, "slow.bin").await["id"].clone();
        rig.browser.in_worker(&format!("chrome.downloads.cancel({id})")).await;
    };
    let args = ["download", "--url", &slow];
    let (failed, ()) = tokio::join!(page.fails("NAVIGATION_FAILED", &args), cancel);
    says(&failed, &["slow.bin", "cancelled in the browser"]);

    // One that takes longer than the command may goes on, and can be waited for.
    let late = rig.site.url("given/late.bin?bytes=300000&ms=12000");
    let late = page.fails("TIMEOUT", &["download", "--url", &late, "--timeout", "8000"]).await;
    assert!(text(&late["details"]["there"]).contains("late.bin is in progress"), "{late}");
    let waited = page.data(&["wait", "--strategy", "download", "--target", "late"]).await;
    assert_eq!(waited["download"], json!({"name": "late.bin", "bytes": 300_000}));

    let good = rig.site.url("given/good.bin?bytes=1000");
    holds(&page.data(&["download", "--url", &good]).await, &contents("good.bin", 1_000));
    let listed = page.data(&["download", "list"]).await["downloads"].take();
    let states = listed.as_array().expect("a list").iter().map(|it| text(&it["state"]));
    let last: Vec<_> = states.rev().take(3).collect();
    assert_eq!(last, ["complete", "complete", "interrupted"], "{listed}");
    rig.browser.close().await;
}

/// The download with this in its name, once the browser has a part of it and the extension has noted it.
async fn wait_for_download(rig: &Rig, name: &str) -> Value {
    let expression = format!(
        "Promise.all([chrome.downloads.search({{}}), chrome.storage.session.get('downloads')]).then(([all, kept]) =>
          all.find(({{id, url, bytesReceived}}) => url.includes({}) && bytesReceived > 0
            && kept.downloads?.some((it) => it.id === id)) ?? null)",
        json!(name)
    );
    let start = std::time::Instant::now();
    loop {
        let found = rig.browser.in_worker(&expression).await;
        if !found.is_null() {
            return found;
        }
        assert!(start.elapsed().as_secs() < 60, "no download of {name}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_taken_up_again_and_the_file_is_whole() {
    let rig = Rig::new().await;
    let page = rig.open("downloads.html").await;
    let url = rig.site.url("given/cut.bin?bytes=600000&cut");
    let data = page.data(&["download", "--url", &url]).await;
    holds(&data, &contents("cut.bin", 600_000));
    rig.browser.close().await;
}

#[tokio::test]
async fn what_the_browser_holds_to_be_dangerous_waits_for_its_person() {
    let rig = Rig::new().await;
    let page = rig.open("downloads.html").await;
    let url = rig.site.url("given/extra.crx?bytes=1000");
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().to_str().expect("text");
    let call = page.run(&["download", "--url", &url, "--to", to]).await;
    let data = call.without_effect();
    assert_eq!(data["state"], "waiting", "{data}");
    assert_eq!((&data["danger"], &data["bytes"]), (&json!("file"), &json!(1_000)));
    assert!(data.get("path").is_none() && data.get("sha256").is_none(), "{data}");
    assert!(call.stderr.contains("until its person decides"), "{call:?}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    let is = known(&rig, "extra.crx").await;
    assert_eq!(is["state"], "in_progress", "it is neither kept nor thrown away: {is}");
    let listed = page.data(&["download", "list"]).await;
    assert_eq!(listed["downloads"][0]["state"], "waiting", "{listed}");
    // The person throws it away.
    rig.browser.in_worker(&format!("chrome.downloads.cancel({})", is["id"])).await;
    let listed = page.data(&["download", "list"]).await;
    assert_eq!(listed["downloads"][0]["state"], "interrupted", "{listed}");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_name_that_a_page_gives_leads_nowhere_else() {
    let rig = Rig::new().await;
    let page = rig.open("downloads.html").await;
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().to_str().expect("text");
    for (given, count) in [
        ("as=..%2F..%2Fup.txt", 1),
        ("as=%2Fetc%2Fabsolute.txt", 2),
        ("as=..%5C..%5Cback.txt", 3),
        ("as=.bashrc", 4),
        ("as=%E2%80%AEtxt.exe", 5),
        ("as=$(touch x);`id`.txt", 6),
        ("coded=a%00b%0Ac%7F.txt", 7),
        ("coded=invoice%E2%80%AEfdp.txt", 8),
        ("coded=..", 9),
        ("coded=CON", 10),
        ("coded=%20", 11),
        ("coded=%F0%9F%98%80.txt", 12),
    ] {
        let url = rig.site.url(&format!("given/named.bin?bytes=10&{given}"));
        let call = page.run(&["download", "--url", &url, "--to", to]).await;
        assert_eq!(call.code, 0, "{given}: {call:?}");
        let data = call.data();
        let name = text(&data["name"]);
        let path = PathBuf::from(text(&data["path"]));
        assert_eq!(path.parent(), Some(folder.path()), "{given}: {data}");
        assert!(
            !name.contains(['/', '\\', '\0', '\n', '\u{7f}', '\u{202e}']) && !name.starts_with('.'),
            "{name}"
        );
        assert!(name.len() <= 255, "{name}");
        assert!(std::fs::read(&path).expect("a file") == contents("named.bin", 10), "{given}");
        let entries = std::fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(entries, count, "{given}: {data}");
    }
    // The browser itself takes none that no file can have.
    for long in ["n".repeat(300), "%C3%BC".repeat(150)] {
        let url = rig.site.url(&format!("given/named.bin?coded={long}.txt"));
        let args = ["download", "--url", &url, "--to", to];
        let failed = page.fails("NAVIGATION_FAILED", &args).await;
        says(&failed, &["no name for it", "too long"]);
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn what_may_be_of_several_tabs_is_only_listed() {
    let rig = Rig::new().await;
    // Two sessions show the same page: one opens a tab that downloads a moment after the act.
    let (page, other) = (rig.open("downloads.html").await, rig.open("downloads.html#other").await);
    let data = page.data(&["download", "--selector", "#blank"]).await;
    holds(&data, &contents("blank.bin", 3_000));
    assert_eq!(other.data(&["download", "list"]).await, json!({"downloads": []}));

    // What the person downloads from this page during an act may be the act's.
    let (seen, own) = (
        other.page("downloads.html#other").await,
        rig.browser.open(&rig.site.url("downloads.html#own")).await,
    );
    own.until("document.readyState === 'complete'").await;
    let person = async {
        seen.until("window.clicked").await;
        own.evaluate("document.querySelector('#second').click()").await;
    };
    let (call, ()) = tokio::join!(other.run(&["download", "--selector", "#none"]), person);
    assert_eq!(call.error(), "TIMEOUT", "{call:?}");
    let listed = other.data(&["download", "list"]).await["downloads"].take();
    let entry = json!([listed[0]["name"], listed[0]["state"], listed[0]["ambiguous"]]);
    assert_eq!(entry, json!(["second.bin", "complete", true]), "{listed}");
    let listed = page.data(&["download", "list"]).await["downloads"].take();
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    rig.browser.close().await;
}

#[tokio::test]
async fn a_download_whose_worker_or_daemon_is_killed_is_whole_or_fails_clearly_and_the_next_one_works()
 {
    let mut rig = Rig::new().await;
    let url = |name: &str| format!("given/{name}?bytes=400000&ms=5000");
    let session = rig.open("downloads.html").await.session;
    let home = rig.daemon.home.clone();
    let begin = |url: String| {
        let (home, session) = (home.clone(), session.clone());
        tokio::spawn(async move { run(&home, &["download", "--url", &url, "-s", &session]).await })
    };

    let call = begin(rig.site.url(&url("worker.bin")));
    wait_for_download(&rig, "worker.bin").await;
    rig.suspend().await;
    let call = call.await.expect("no panic inside");
    assert!(["SCRIPT_ERROR", "OUTCOME_UNKNOWN"].contains(&call.error().as_str()), "{call:?}");
    let page = Visit { rig: &rig, session: session.clone() };
    let waited = page.data(&["wait", "--strategy", "download", "--target", "worker"]).await;
    assert_eq!(waited["download"]["bytes"], 400_000, "the browser goes on with it");
    let again = page.data(&["download", "--url", &rig.site.url(&url("worker.bin"))]).await;
    holds(&again, &contents("worker.bin", 400_000));

    let call = begin(rig.site.url(&url("daemon.bin")));
    wait_for_download(&rig, "daemon.bin").await;
    let port = rig.daemon.port.to_string();
    let count = rig.daemon.records("ws_connect").len();
    rig.daemon = rig.daemon.kill().await.home.daemon().env("BPROXY_PORT", &port).start().await;
    let call = call.await.expect("no panic inside");
    // The next daemon asks the browser what came of it, which knows once it is done.
    match call.json()["ok"] == true {
        true => drop(holds(&call.data(), &contents("daemon.bin", 400_000))),
        false => assert_eq!(call.error(), "OUTCOME_UNKNOWN", "{call:?}"),
    }
    rig.connected(count + 1).await;
    let page = Visit { rig: &rig, session };
    let again = page.data(&["download", "--url", &rig.site.url(&url("again.bin"))]).await;
    holds(&again, &contents("again.bin", 400_000));
    rig.browser.close().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_download_whose_browser_ends_fails_clearly_and_the_next_one_works() {
    let mut rig = Rig::new().await;
    for (connections, is_killed) in [(2, false), (3, true)] {
        let session = rig.open("downloads.html").await.session;
        let (home, url) =
            (rig.daemon.home.clone(), rig.site.url("given/ended.bin?bytes=400000&ms=60000"));
        let call = tokio::spawn(async move {
            run(&home, &["download", "--url", &url, "-s", &session, "--timeout", "20000"]).await
        });
        wait_for_download(&rig, "ended.bin").await;
        rig.browser =
            if is_killed { rig.browser.kill().await } else { rig.browser.restart().await };
        let call = call.await.expect("no panic inside");
        let code = call.error();
        let clear = [
            "NAVIGATION_FAILED",
            "SCRIPT_ERROR",
            "OUTCOME_UNKNOWN",
            "NO_EXTENSION",
            "TAB_NOT_FOUND",
            "TIMEOUT",
        ];
        assert!(clear.contains(&code.as_str()), "{call:?}");
        rig.connected(connections).await;
        let page = rig.open("downloads.html").await;
        let url = rig.site.url("given/next.bin?bytes=400000");
        let data = page.data(&["download", "--url", &url, "--then", "text"]).await;
        let path = holds(&data, &contents("next.bin", 400_000));
        assert!(text(&data["then"]["text"]).contains("Given"), "{data}");
        assert!(!path.with_file_name("ended.bin").exists(), "nothing half has its name");
        std::fs::remove_file(path).expect("a file");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn many_files_of_mixed_sizes_are_downloaded_at_once_and_every_byte_is_right() {
    let (rig, count) = (Rig::new().await, number("SOAK_FILES").unwrap_or(24));
    let sizes = [0, 1, 999, 4_096, 65_537, 300_000, 1_500_000];
    let worker = async |at: usize| {
        let page = rig.open("downloads.html").await;
        for number in (at..count).step_by(4) {
            let (name, bytes) = (format!("soak-{number}.bin"), sizes[number % sizes.len()]);
            let url = rig.site.url(&format!("given/{name}?bytes={bytes}"));
            let data = page.data(&["download", "--url", &url]).await;
            let path = holds(&data, &contents(&name, bytes));
            assert_eq!(data["name"], name, "{data}");
            // A thousand of them would fill the disk.
            std::fs::remove_file(path).expect("a file");
        }
    };
    tokio::join!(worker(0), worker(1), worker(2), worker(3));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_page_is_saved_as_one_file() {
    let rig = Rig::new().await;
    let page = rig.open("article.html").await;
    let folder = tempfile::tempdir().expect("a folder");
    let to = folder.path().join("page.mhtml");
    let to = to.to_str().expect("text");
    let data = page.data(&["save", "--format", "mhtml", "--to", to]).await;
    assert_eq!(text(&data["path"]), to);
    let saved = std::fs::read_to_string(to).expect("a text");
    assert!(saved.starts_with("From: <Saved by Blink>") && saved.contains("lighthouse"), "{data}");
    assert_eq!(data["bytes"], saved.len());
    assert!(page.run(&["save", "--to", to]).await.trouble().contains("--force"));
    page.data(&["save", "--to", to, "--force"]).await;
    // By itself it goes where the session's files are.
    let own = PathBuf::from(text(&page.data(&["save"]).await["path"]));
    assert!(own.is_file() && own.starts_with(rig.daemon.home.path()), "{}", own.display());

    // The browser shows it as it was.
    let title = page.run(&["frames"]).await.json()["page"]["title"].clone();
    let url = format!("file://{to}");
    rig.browser.open_behind(&url).await;
    let start = std::time::Instant::now();
    while !rig.browser.targets().await.iter().any(|it| it["url"] == url && it["title"] == title) {
        assert!(start.elapsed().as_secs() < 60, "no tab shows {url}");
    }
    rig.browser.close().await;
}

#[tokio::test]
async fn the_example_downloads_ten_invoices() {
    let rig = Rig::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = rig.example("invoices.py");
    command
        .args([&rig.site.url("invoices.html"), "--into", "bills", "--pacing", "fast"])
        .current_dir(folder.path());
    let call = call(command, None).await;
    assert_eq!(call.code, 0, "{call:?}");
    assert_eq!(call.stdout.lines().count(), 10, "{call:?}");
    for number in 1..=10 {
        let name = format!("invoice-{number}.pdf");
        let file = std::fs::read(folder.path().join("bills").join(&name)).expect("an invoice");
        assert!(file == contents(&name, number * 1_000), "{name}");
        let line = format!("- bills/{name} ({} bytes, {}) <", number * 1_000, sha256(&file));
        assert!(call.stdout.contains(&line), "{line}: {call:?}");
    }
    let left = rig.run(&["session", "list"]).await.data();
    assert_eq!(left["sessions"].as_array().map(Vec::len), Some(0), "{left}");
    rig.browser.close().await;
}

#[tokio::test]
async fn what_begins_late_is_known_unless_another_tab_shows_the_same_page() {
    let rig = Rig::new().await;
    let page = rig.open("downloads.html?slow").await;
    holds(&page.data(&["download", "--selector", "#slow"]).await, b"made slowly");

    let other = rig.open("downloads.html?slow").await;
    let refused = other.fails("TIMEOUT", &["download", "--selector", "#slow"]).await;
    assert!(text(&refused["message"]).contains("of another tab with the same page"), "{refused}");
    let listed = other.data(&["download", "list"]).await;
    assert_eq!(listed["downloads"][0]["ambiguous"], true, "{listed}");
    rig.browser.close().await;
}
