//! Tables, grids and lists as rows, compared with what the page and the widget's own model hold.

use serde_json::{Value, json};

use super::rig::{Rig, Visit, says, text};

async fn tables(page: &Visit<'_>, args: &[&str]) -> Vec<Value> {
    let data = page.data(&[&["table"], args].concat()).await;
    data["tables"].as_array().expect("tables").clone()
}

/// What a column of headings is called.
const TITLE: &str = "title";

#[tokio::test]
async fn tables_and_lists_of_a_page_are_rows_of_what_a_person_sees() {
    let rig = Rig::new().await;
    let page = rig.open("tables.html").await;
    let all = tables(&page, &[]).await;
    let [sales, people, results, cards, framed] = &all[..] else { panic!("{all:#?}") };
    assert_eq!(
        (&sales["caption"], &sales["columns"], &sales["total"]),
        (&json!("Sales"), &json!(["Region", "2025 / Q1", "2025 / Q2", "Note"]), &json!(4))
    );
    assert_eq!(
        sales["rows"],
        json!([
            ["North", "1", "2", "good"],
            ["North", "3", "4", "better"],
            ["South", "closed", "closed", "two lines"],
            ["All", "4", "6", ""],
        ])
    );
    assert_eq!(
        (&people["caption"], &people["columns"]),
        (&json!("People"), &json!(["", "", "", ""]))
    );
    assert_eq!(
        people["rows"],
        json!([["Ann", "ann@example.org", "", "true"], ["Bob", "Green", "", "Verified"]])
    );
    assert_eq!(results["columns"], json!([TITLE, "snippet", "price", "address"]));
    let site = |path: &str| rig.site.url(path);
    assert_eq!(
        results["rows"],
        json!([
            ["First result", "About the first thing.", "", "https://example.org/one?token=…"],
            ["Second result", "About the second.", "9 €", site("two")],
            ["Third result", "", "12 €", site("three")],
            ["Fourth result", "About the fourth.", "", site("four")],
        ])
    );
    assert_eq!((&cards["columns"], &cards["total"]), (&json!([TITLE, "cost"]), &json!(5)));
    assert_eq!(
        (&cards["rows"][0], &cards["rows"][4]),
        (&json!(["Apple", "1"]), &json!(["Lime", "5"]))
    );
    assert_eq!((&framed["frame"], &framed["rows"]), (&json!("f1"), &json!([["1", "2"]])));

    // Its handle stands for the table, and for no other one.
    let handle = text(&sales["handle"]);
    let again = tables(&page, &["--element", &handle, "--limit", "1", "--offset", "1"]).await;
    assert_eq!(again.len(), 1);
    assert_eq!(
        (&again[0]["rows"], &again[0]["total"]),
        (&json!([["North", "3", "4", "better"]]), &json!(4))
    );
    let inside = text(
        &page.data(&["inspect", "--selector", "caption", "--element", &handle]).await["elements"]
            [0]["text"],
    );
    assert_eq!(inside, "Sales");
    // What is chosen may be around a table, in it, or a list of whatever kind.
    assert_eq!(tables(&page, &["--selector", "#layout"]).await[0]["caption"], "People");
    assert_eq!(tables(&page, &["--selector", "tfoot td:last-child"]).await[0]["caption"], "Sales");
    let nav = tables(&page, &["--selector", "nav ul"]).await;
    assert_eq!(nav[0]["rows"][1], json!(["Two", "2", site("tables.html#b")]));
    let within = tables(&page, &["--frame", "f1"]).await;
    assert_eq!((within.len(), &within[0]["columns"]), (1, &json!(["In a frame", "B"])));
    rig.browser.close().await;
}

#[tokio::test]
async fn rows_are_printed_as_csv_and_as_lines() {
    let rig = Rig::new().await;
    let page = rig.open("tables.html").await;
    let csv = page.run(&["table", "--selector", "#sales", "--output", "csv"]).await;
    assert_eq!(
        csv.stdout,
        "Region,2025 / Q1,2025 / Q2,Note\nNorth,1,2,good\nNorth,3,4,better\nSouth,closed,closed,two lines\nAll,4,6,\n"
    );
    let lines = page.run(&["table", "--selector", "#cards", "--output", "text"]).await.stdout;
    assert!(lines.contains("(5 of 5 rows)\ntitle\tcost\nApple\t1\nPear\t2\n"), "{lines}");
    let refused = page.run(&["text", "--output", "csv"]).await;
    assert!(refused.stderr.contains("csv is for `bproxy table` alone"), "{refused:?}");
    let error = page.fails("ELEMENT_NOT_FOUND", &["table", "--selector", "#x"]).await;
    says(&error, &["no table, grid or list of like items"]);
    let clicked = page.data(&["click", "--selector", "#sales", "--then", "table --limit 1"]).await;
    assert_eq!(clicked["then"]["tables"][0]["rows"], json!([["North", "1", "2", "good"]]));
    assert!(clicked["then"]["tables"][0]["handle"].is_string(), "{clicked}");
    rig.browser.close().await;
}

#[tokio::test]
async fn of_a_grid_the_rows_that_are_drawn_are_told_and_how_many_there_are() {
    let rig = Rig::new().await;
    let page = rig.visit("widgets/dist/grids.html").await;
    let seen = page.page("grids.html").await;
    seen.until("globalThis.models?.grids?.().ag.length > 5 && models.grids().tan.length > 5").await;
    for scrolled in [false, true] {
        if scrolled {
            seen.evaluate("models.scroll()").await;
            seen.until(
                "models.grids().ag[0] !== 'Person 1' && models.grids().tan[0] !== 'Person 1000'",
            )
            .await;
        }
        let all = tables(&page, &[]).await;
        let [ag, tan] = &all[..] else { panic!("{all:#?}") };
        let is = seen.evaluate("models.grids()").await;
        for (grid, names, columns) in [
            (ag, &is["ag"], json!(["No", "Person / Name", "Person / Town", "Paid"])),
            (tan, &is["tan"], json!(["No", "Name", "Town"])),
        ] {
            assert_eq!((&grid["total"], &grid["columns"]), (&json!(1000), &columns), "{grid}");
            let told: Vec<_> =
                grid["rows"].as_array().expect("rows").iter().map(|row| row[1].clone()).collect();
            let names = names.as_array().expect("names");
            assert_eq!(told.len(), names.len(), "{grid}\n{is}");
            assert!(names.iter().all(|name| told.contains(name)), "{grid}\n{is}");
            let row = &grid["rows"][0];
            assert_eq!(text(&row[1]), format!("Person {}", text(&row[0])), "{grid}");
        }
    }
    rig.browser.close().await;
}
