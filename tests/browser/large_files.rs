//! Files that are larger than what any part may keep of them in memory.

use std::io::Write as _;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::rig::{Rig, Visit, own};
use super::support::{POLL, contents, number};
use super::uploads::{Files, upload};

const MIB: usize = 1 << 20;

/// Most that the process of the extension's worker may have more than before.
const MOST: u64 = 16 << 20;

/// The data of a call, and how much memory the extension took for it at most.
async fn watched(visit: &Visit<'_>, args: &[&str]) -> (Value, u64) {
    let memory = || visit.rig.browser.extension_memory();
    let before = memory();
    assert!(before > 0, "the extension has a process");
    let mut most = before;
    let mut call = std::pin::pin!(visit.data(args));
    loop {
        tokio::select! {
            data = &mut call => return (data, most - before),
            () = tokio::time::sleep(POLL) => most = most.max(memory()),
        }
    }
}

/// Watched is the process that the extension's worker runs in. The bytes are in the browser's own process, which passes them
/// on to the page as it reads them.
#[tokio::test]
async fn a_large_file_takes_little_memory_of_the_extension() {
    let mib = number("LARGE_MIB").unwrap_or(64);
    let rig = Rig::new().await;
    let files = Files::new();
    let path = files.path("large.bin");
    let mut file = std::fs::File::create(&path).expect("a file");
    let mut pieces = Sha256::new();
    let mut piece = contents("large.bin", MIB);
    for number in 0..mib {
        piece[..8].copy_from_slice(&number.to_le_bytes());
        pieces.update(Sha256::digest(&piece));
        file.write_all(&piece).expect("room for the file");
    }
    drop(file);
    let wanted = HEXLOWER.encode(&pieces.finalize());
    let visit = rig.visit("article.html").await;
    let page = visit.page("article.html").await;
    page.evaluate("document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'large'})), 0")
        .await;
    // A first one, so that what is only prepared once is there.
    let small = files.write("small.bin", b"hello");
    visit.data(&upload("#large", &[&small], &[])).await;

    let args = upload("#large", &[path.to_str().expect("text")], &["--timeout", "300000"]);
    let (done, taken) = watched(&visit, &args).await;
    assert_eq!(own(done)["uploaded"], json!([{"name": "large.bin", "bytes": mib * MIB}]));
    let hash = format!(
        "(async () => {{
          const file = document.getElementById('large').files[0];
          const hash = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
          const pieces = new Uint8Array({mib} * 32);
          for (let at = 0; at < {mib}; at += 1) pieces.set(await hash(await file.slice(at * {MIB}, (at + 1) * {MIB}).arrayBuffer()), at * 32);
          return (await hash(pieces)).toHex();
        }})()"
    );
    assert_eq!(page.evaluate(&hash).await, wanted);
    println!("{mib} MiB: {} KiB more in the extension", taken >> 10);
    assert!(taken < MOST, "{} KiB more", taken >> 10);
    // Had the worker kept as much itself, this would have been seen.
    let before = rig.browser.extension_memory();
    rig.browser.in_worker(&format!("globalThis.kept = new Uint8Array({MOST}).fill(1), 0")).await;
    let taken = rig.browser.extension_memory() - before;
    assert!(taken > MOST / 2, "{} KiB more", taken >> 10);
    rig.browser.close().await;
}
