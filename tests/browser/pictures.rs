//! Screenshots, judged by their pixels.

use std::path::Path;

use serde_json::{Value, json};

use super::rig::{Rig, Visit, says, text, timed};
use super::support::{Page, Screen};

/// How far a colour may be off where a picture was scaled or written with loss.
const NEAR: i64 = 12;

/// A picture, decoded by the browser in a page of its own.
struct Picture<'a> {
    page: Page<'a>,
    data: Value,
    bytes: Vec<u8>,
}

impl<'a> Picture<'a> {
    async fn take(visit: &Visit<'a>, args: &[&str]) -> Self {
        Self::of(visit, visit.data(&[&["screenshot"], args].concat()).await).await
    }

    async fn of(visit: &Visit<'a>, data: Value) -> Self {
        let bytes = std::fs::read(Path::new(&text(&data["path"]))).expect("the picture");
        let page = visit.rig.browser.open_behind(&visit.rig.site.url("article.html")).await;
        // A page that is on its way takes the place of the one that decodes.
        page.until(
            "location.pathname.endsWith('article.html') && document.readyState === 'complete'",
        )
        .await;
        let source = format!(
            "data:image/{};base64,{}",
            text(&data["format"]),
            data_encoding::BASE64.encode(&bytes)
        );
        let load = format!(
            "(async () => {{ const image = await createImageBitmap(await (await fetch({})).blob()); \
             const canvas = new OffscreenCanvas(image.width, image.height); \
             globalThis.context = canvas.getContext('2d'); context.drawImage(image, 0, 0); return [image.width, image.height]; }})()",
            json!(source)
        );
        let size = page.evaluate(&load).await;
        assert_eq!(size, json!([data["width"], data["height"]]), "the size is that of the picture");
        Self { page, data, bytes }
    }

    /// The colours at these places.
    async fn at(&self, places: &[(f64, f64)]) -> Vec<[i64; 3]> {
        let get = format!(
            "({}).map(([x, y]) => [...context.getImageData(Math.floor(x), Math.floor(y), 1, 1).data].slice(0, 3))",
            json!(places)
        );
        serde_json::from_value(self.page.evaluate(&get).await).expect("colours")
    }

    /// The picture has these colours at these places.
    #[track_caller]
    fn check(found: &[[i64; 3]], wanted: &[[i64; 3]], off: i64, what: &str) {
        for (place, (is, should)) in found.iter().zip(wanted).enumerate() {
            let near = is.iter().zip(should).all(|(a, b)| (a - b).abs() <= off);
            assert!(near, "{what}: {is:?} and not {should:?} at place {place} of {found:?}");
        }
    }

    async fn end(self) {
        self.page.close().await;
    }
}

const RED: [i64; 3] = [255, 0, 0];
const BLUE: [i64; 3] = [0, 0, 255];
const GREEN: [i64; 3] = [0, 255, 0];
const YELLOW: [i64; 3] = [255, 255, 0];
const BANDS: i64 = 30;

fn band(at: i64) -> [i64; 3] {
    [at * 5, 100, 255 - at * 5]
}

/// What a page is like that must be as before.
const STATE: &str = "JSON.stringify([scrollX, scrollY, document.querySelector('#bands').scrollTop, getComputedStyle(head).position, \
    getComputedStyle(foot).opacity, document.getAnimations().length, changes.filter((it) => !it.includes('lazy'))])";

/// All bands below the head, the foot at the end alone, and the image that loads late.
async fn is_whole(visit: &Visit<'_>, seen: &Page<'_>, args: &[&str], has_more: bool) {
    let before = seen.evaluate(STATE).await;
    let picture = Picture::take(visit, args).await;
    assert_eq!(seen.evaluate(STATE).await, before, "the page is as before");
    let width = seen.evaluate("innerWidth").await.as_f64().expect("a width");
    let scale = picture.data["width"].as_f64().expect("a width") / width;
    let height = picture.data["height"].as_f64().expect("a height") / scale;
    let foot = if has_more { 0.0 } else { 20.0 };
    let whole = 40.0 + 100.0 * BANDS as f64 + foot;
    // Below a page that is wider than its window there is a scroll bar.
    let bar = seen.evaluate("innerHeight - document.documentElement.clientHeight").await;
    let height = height - bar.as_f64().expect("a height");
    assert!((height - whole).abs() <= 2.0, "{height} and not {whole}: {}", picture.data);
    // Clear of everything that lies on the bands.
    let beside = if width > 1000.0 { 950.0 } else { 250.0 };
    let mut places = vec![(300.0, 20.0)];
    let mut wanted = vec![RED];
    for at in 0..BANDS {
        // Near both edges and in the middle: nothing is left out, and nothing is there twice.
        for y in [8.0, 50.0, 92.0] {
            let top = 40.0 + 100.0 * at as f64;
            let under_foot = has_more && top + y > whole - 20.0;
            places.push((beside, top + y));
            wanted.push(if under_foot { BLUE } else { band(at) });
        }
    }
    places.push((300.0, whole - 8.0));
    wanted.push(BLUE);
    // A picture is as wide as its window.
    if has_more && width > 700.0 {
        places.push((650.0, 2550.0));
        wanted.push(GREEN);
    }
    let places: Vec<_> = places.into_iter().map(|(x, y)| (x * scale, y * scale)).collect();
    let is = picture.at(&places).await;
    Picture::check(&is, &wanted, NEAR, &format!("{args:?} at {scale}"));
    picture.end().await;
}

#[tokio::test]
async fn a_whole_page_is_put_together_and_left_as_it_was() {
    let rig = Rig::new().await;
    let page = rig.visit("pictures.html").await;
    let seen = page.page("pictures.html").await;
    seen.evaluate("scrollTo(0, 777)").await;
    is_whole(&page, &seen, &["--full-page"], true).await;
    for (format, magic) in [("webp", &b"RIFF"[..]), ("jpeg", b"\xff\xd8")] {
        let args = ["--full-page", "--format", format, "--quality", "90", "--max-side", "1500"];
        is_whole(&page, &seen, &args, true).await;
        let small = Picture::take(&page, &["--format", format, "--max-side", "400"]).await;
        assert!(small.bytes.starts_with(magic));
        assert_eq!(small.data["width"].as_i64().max(small.data["height"].as_i64()), Some(400));
        small.end().await;
    }
    page.data(&["navigate", &rig.site.url("pictures.html?shell")]).await;
    seen.evaluate("bands.scrollTop = 333, changes.length = 0, 0").await;
    is_whole(&page, &seen, &["--full-page"], false).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn an_element_is_pictured_alone_and_whole_wherever_it_is() {
    let rig = Rig::new().await;
    let page = rig.visit("pictures.html").await;
    let seen = page.page("pictures.html").await;
    seen.evaluate("scrollTo(0, 333), box.scrollTop = 50, 0").await;
    let before = seen.evaluate(STATE).await;
    let (small, took) = timed(Picture::take(&page, &["--selector", "#small"])).await;
    assert!(took < 3_000, "it took {took} ms");
    assert_eq!((&small.data["width"], &small.data["height"]), (&json!(120), &json!(60)));
    assert_eq!(small.data["uniform"], true, "{}", small.data);
    Picture::check(&small.at(&[(1.0, 1.0), (118.0, 58.0)]).await, &[YELLOW; 2], 0, "small");
    small.end().await;

    // What scrolls in it is pictured as it is, or whole.
    let part = Picture::take(&page, &["--selector", "#box"]).await;
    assert_eq!((&part.data["width"], &part.data["height"]), (&json!(200), &json!(150)));
    part.end().await;
    let whole = Picture::take(&page, &["--selector", "#box", "--full-page"]).await;
    assert_eq!(whole.data["height"], 400);
    let ends = whole.at(&[(50.0, 5.0), (50.0, 195.0), (50.0, 205.0), (50.0, 395.0)]).await;
    Picture::check(
        &ends,
        &[[10, 20, 30], [10, 20, 30], [200, 210, 220], [200, 210, 220]],
        0,
        "box",
    );
    whole.end().await;

    // One that is higher than the window, without what sticks.
    let bands = Picture::take(&page, &["--selector", "#bands"]).await;
    assert_eq!(bands.data["height"], 100 * BANDS, "{}", bands.data);
    let places: Vec<_> =
        (0..BANDS).flat_map(|at| [8, 50, 92].map(|y| (950.0, (at * 100 + y) as f64))).collect();
    let wanted: Vec<_> = (0..BANDS).flat_map(|at| [band(at); 3]).collect();
    Picture::check(&bands.at(&places).await, &wanted, 0, "bands");
    bands.end().await;

    // In a frame, too.
    let frame = text(&page.data(&["frames"]).await["frames"][0]["frame"]);
    let press = Picture::take(&page, &["--selector", "#press", "--frame", &frame]).await;
    assert_eq!((&press.data["width"], &press.data["height"]), (&json!(100), &json!(40)));
    Picture::check(&press.at(&[(2.0, 2.0), (97.0, 37.0)]).await, &[[0, 200, 200]; 2], 0, "press");
    press.end().await;
    assert_eq!(seen.evaluate(STATE).await, before, "the page is as before");
    assert_eq!(seen.evaluate("box.scrollTop").await, 50);
    page.fails("ELEMENT_NOT_FOUND", &["screenshot", "--selector", "#nowhere"]).await;
    rig.browser.close().await;
}

#[tokio::test]
async fn marks_are_drawn_around_what_their_handles_stand_for_and_not_in_the_page() {
    let rig = Rig::new().await;
    let page = rig.visit("pictures.html").await;
    let seen = page.page("pictures.html").await;
    // The page itself is read still when its script begins to watch.
    seen.until("document.readyState === 'complete'").await;
    seen.evaluate("changes.length = 0, 0").await;
    for (args, shown) in [
        (&["--marks"][..], &["#go"][..]),
        (&["--marks", "--full-page"], &["#go", "#press", "#far"]),
    ] {
        let picture = Picture::take(&page, args).await;
        let marks = picture.data["marks"].as_array().expect("marks").clone();
        assert_eq!(marks.len(), shown.len(), "{marks:?}");
        for (mark, selector) in marks.iter().zip(shown) {
            let handle = text(&mark["handle"]);
            let element = &page.data(&["inspect", "--element", &handle]).await["elements"][0];
            assert_eq!(element["attributes"]["id"], selector[1..], "{element}");
            // In a frame places are those in the frame.
            if *selector != "#press" {
                let top = seen
                    .evaluate(&format!(
                        "document.querySelector('{selector}').getBoundingClientRect().top + scrollY"
                    ))
                    .await;
                assert_eq!(mark["y"].as_f64(), top.as_f64(), "{mark} of {selector}");
            }
            let [x, y] = ["x", "y"].map(|side| mark[side].as_f64().expect("a place"));
            let [width, height] =
                ["width", "height"].map(|side| mark[side].as_f64().expect("a size"));
            // The frame is drawn in a strong colour, which is nowhere in the page.
            let edge = picture
                .at(&[(x + width - 1.0, y + height / 2.0), (x + width / 2.0, y + height - 1.0)])
                .await;
            for [r, g, b] in edge {
                assert!(
                    [[214, 0, 108], [0, 87, 216], [138, 63, 252]].contains(&[r, g, b]),
                    "{:?}",
                    [r, g, b]
                );
            }
        }
        picture.end().await;
    }
    assert_eq!(seen.evaluate("changes.filter((it) => !it.includes('lazy'))").await, json!([]));
    assert_eq!(seen.evaluate("document.getAnimations().length").await, 0);
    rig.browser.close().await;
}

#[tokio::test]
async fn a_picture_of_nothing_says_so_and_one_that_fails_leaves_the_page_as_it_was() {
    let rig = Rig::new().await;
    let page = rig.visit("pictures.html").await;
    let seen = page.page("pictures.html").await;
    assert!(page.data(&["screenshot"]).await.get("uniform").is_none());
    let refused = page.run(&["screenshot", "--format", "png", "--quality", "5"]).await;
    assert!((refused.stdout.clone() + &refused.stderr).contains("quality"), "{refused:?}");

    seen.evaluate("scrollTo(0, 555)").await;
    let before = seen.evaluate(STATE).await;
    let other = rig.open("article.html").await;
    let leave = async {
        seen.until("scrollY > 700").await;
        other.data(&["tab", "activate"]).await;
    };
    let args = ["screenshot", "--full-page"];
    let (error, ()) = tokio::join!(page.fails("TAB_NOT_VISIBLE", &args), leave);
    says(&error, &["in front"]);
    seen.until(&format!("{STATE} === {before}")).await;
    page.fails("TAB_NOT_VISIBLE", &["screenshot"]).await;
    rig.browser.close().await;
}

/// On a screen as people have it: in a window, at twice the density, and zoomed.
#[tokio::test]
async fn density_and_zoom_are_right_in_a_window() {
    let screen = Screen::start().await;
    for density in [1, 2] {
        let rig = Rig::at_density(&screen, density).await;
        let page = rig.visit("pictures.html").await;
        let seen = page.page("pictures.html").await;
        for zoom in [1.0, 1.5] {
            let set = format!(
                "chrome.tabs.query({{active: true}}).then(([tab]) => chrome.tabs.setZoom(tab.id, {zoom}))"
            );
            rig.browser.in_worker(&set).await;
            seen.until(&format!(
                "Math.abs(devicePixelRatio - {}) < 0.01",
                zoom * f64::from(density)
            ))
            .await;
            seen.evaluate("scrollTo(0, 777), changes.length = 0, 0").await;
            is_whole(&page, &seen, &["--full-page"], true).await;
            let small = Picture::take(&page, &["--selector", "#small"]).await;
            let scale = zoom * f64::from(density);
            let [width, height] =
                ["width", "height"].map(|side| small.data[side].as_f64().expect("a size"));
            assert!(
                (width - 120.0 * scale).abs() <= 1.0 && (height - 60.0 * scale).abs() <= 1.0,
                "{}",
                small.data
            );
            Picture::check(
                &small.at(&[(3.0, 3.0), (width - 4.0, height - 4.0)]).await,
                &[YELLOW; 2],
                0,
                "small",
            );
            small.end().await;
            let marked = Picture::take(&page, &["--marks", "--selector", "#go"]).await;
            assert_eq!(marked.data["marks"].as_array().map(Vec::len), Some(1), "{}", marked.data);
            marked.end().await;
        }
        rig.browser.close().await;
    }
}
