//! Files that the browser downloads, compared byte for byte with what the site gave.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::rig::{Rig, says, text};
use super::support::contents;

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
        // By click a tab gives one download without a person's hand.
        let page = rig.open("downloads.html").await;
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
    for folder in [tempfile::tempdir(), tempfile::tempdir_in("/dev/shm")] {
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
