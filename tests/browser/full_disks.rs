//! Disks that are really full while files are moved: nothing half is left, and with room it works.

use std::fs;

use serde_json::json;

use super::rig::{Rig, says, text};
use super::support::{Browser, Disk, Home, Site, contents};
use super::uploads::{Files, got, upload};

const BYTES: usize = 300_000;

#[tokio::test]
async fn a_download_fits_where_it_is_wanted_or_stays_where_it_is() {
    let (rig, disk) = (Rig::new().await, Disk::of("512k").await);
    let page = rig.open("downloads.html").await;
    let url = rig.site.url(&format!("given/wanted.bin?bytes={BYTES}"));
    let to = disk.path().join("named.bin");
    let to = to.to_str().expect("text");
    let args = ["download", "--url", &url, "--to", to];
    disk.fill();
    let call = page.run(&args).await;
    let said = call.trouble();
    assert!(said.contains(to) && said.contains("No space left"), "{said}");
    assert_eq!(disk.names(), [] as [&str; 0], "nothing half");
    // The file is not lost.
    let listed = page.data(&["download", "list"]).await;
    let path = text(&listed["downloads"][0]["path"]);
    assert!(said.contains(&path), "{said}");
    assert!(fs::read(&path).expect("the file") == contents("wanted.bin", BYTES));

    disk.free();
    let data = page.data(&args).await;
    assert_eq!((text(&data["path"]), disk.names()), (to.to_owned(), vec!["named.bin".to_owned()]));
    assert!(fs::read(to).expect("a file") == contents("wanted.bin", BYTES));
    rig.browser.close().await;
}

#[tokio::test]
async fn a_browser_whose_disk_is_full_leaves_nothing_half() {
    let (rig, disk) = (Rig::new().await, Disk::of("512k").await);
    disk.take_the_place_of(&rig.browser.downloads());
    let page = rig.open("downloads.html").await;
    let url = rig.site.url(&format!("given/wanted.bin?bytes={BYTES}"));
    disk.fill();
    let error = page.fails("STORAGE_FULL", &["download", "--url", &url]).await;
    says(&error, &["disk", "make room"]);
    assert_eq!(disk.names(), [] as [&str; 0], "nothing half");

    disk.free();
    let data = page.data(&["download", "--url", &url]).await;
    assert_eq!(disk.names(), [text(&data["name"])]);
    assert!(fs::read(text(&data["path"])).expect("a file") == contents("wanted.bin", BYTES));
    rig.browser.close().await;
}

#[tokio::test]
async fn an_upload_that_the_daemons_disk_has_no_room_for_gives_the_page_nothing() {
    let disk = Disk::of("1m").await;
    let home = Home::new();
    disk.take_the_place_of(&home.path());
    let entering = disk.entering();
    let entering: Vec<&str> = entering.iter().map(String::as_str).collect();
    let daemon = home.daemon_by(&entering).env("BPROXY_HOME", disk.inside());
    let (daemon, browser, site) =
        tokio::join!(daemon.start(), Browser::start(false), Site::start());
    browser.pair(daemon.port, &daemon.pairing_code()).await;
    let rig = Rig { daemon, browser, site };
    rig.connected(1).await;
    let files = Files::new();
    let path = files.write("report.txt", &contents("report.txt", BYTES));
    let visit = rig.visit("upload.html").await;
    let page = visit.page("upload.html").await;
    let kept = disk.path().join("tmp/sessions").join(&visit.session);
    disk.fill();
    let error = visit.fails("STORAGE_FULL", &upload("#one", &[&path], &[])).await;
    says(&error, &["disk", "make room", "BPROXY_HOME"]);
    assert_eq!(page.evaluate("document.getElementById('one').files.length").await, 0);
    assert_eq!(fs::read_dir(&kept).expect("the session's folder").count(), 0, "nothing half");

    disk.free();
    let data = visit.data(&upload("#one", &[&path], &[])).await;
    assert_eq!(data["uploaded"], json!([{"name": "report.txt", "bytes": BYTES}]));
    got(&page, "one", &[files.seen("report.txt", "text/plain")]).await;
    rig.browser.close().await;
}
