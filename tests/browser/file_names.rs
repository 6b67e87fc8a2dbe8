//! Names that lead elsewhere, look like others, or are too long: what the disk has, and what pages see.

use serde_json::json;

use super::rig::Rig;
use super::support::request;
use super::uploads::forget;

const PAGE: &str = "upload.html";

#[tokio::test]
async fn a_page_sees_the_harmless_rest_of_a_name_and_the_disk_none_of_it() {
    let rig = Rig::new().await;
    let visit = rig.visit(PAGE).await;
    let page = visit.page(PAGE).await;
    // As an address has them.
    let given = [
        ("..%2F..%2Fetc%2Fpasswd", "passwd".to_owned()),
        ("a%5C..%5Cb.txt", "b.txt".to_owned()),
        ("a%00b%0Ac%7F.txt", "abc.txt".to_owned()),
        ("invoice%E2%80%AEfdp.exe", "invoicefdp.exe".to_owned()),
        ("..%E2%80%8F.bashrc", "bashrc".to_owned()),
        ("..", "file".to_owned()),
        ("CON", "CON".to_owned()),
        ("$(touch%20x);%60id%60.txt", "$(touch x);`id`.txt".to_owned()),
        (&"%C3%BC".repeat(300), "ü".repeat(127)),
        (&"%F0%9F%98%80".repeat(64), "😀".repeat(63)),
        (&"n".repeat(1_024), "n".repeat(255)),
    ];
    for (name, seen) in &given {
        forget(&page).await;
        let file = rig.daemon.give_file(&visit.session, name, b"hello").await.data()["file"].take();
        let params = json!({"target": {"selector": "#one"}, "files": [file]});
        let upload = request("upload").session(&visit.session).params(params);
        let done = rig.daemon.send(upload).await.data();
        assert_eq!(done["uploaded"], json!([{"name": seen, "bytes": 5}]), "{name}");
        page.until("window.got.one !== undefined").await;
        let held = "[window.got.one[0].name, document.getElementById('one').value]";
        assert_eq!(page.evaluate(held).await, json!([seen, format!("C:\\fakepath\\{seen}")]));
    }
    let folder = rig.daemon.home.file("tmp/sessions").join(&visit.session);
    let entries = std::fs::read_dir(folder).expect("the session's folder");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("a file").file_name()).collect();
    names.sort_by_key(|name| (name.len(), name.clone()));
    let numbers = (1..=given.len()).map(|number| format!("fl{number}").into());
    assert_eq!(names, numbers.collect::<Vec<std::ffi::OsString>>());
    rig.browser.close().await;
}
