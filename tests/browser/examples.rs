//! The examples in Python: tasks that are solved without a model, on the pages of `tests/fixtures/tasks`.

use super::rig::Rig;
use super::support::call;

impl Rig {
    /// What an example prints, which has closed its session.
    async fn printed(&self, name: &str, args: &[&str]) -> String {
        let mut command = self.example(name);
        command.args(args);
        let ran = call(command, None).await;
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        let sessions = self.run(&["session", "list"]).await.data();
        assert_eq!(sessions["sessions"].as_array().map(Vec::len), Some(0), "{name}: {sessions}");
        ran.stdout
    }
}

#[tokio::test]
async fn the_examples_solve_their_tasks_without_a_model() {
    let rig = Rig::new().await;
    let at = |page: &str| rig.site.url(&format!("tasks/{page}"));

    let told = rig.printed("search_docs.py", &[&at("docs/index.html"), "retry", "limit"]).await;
    assert!(told.starts_with("Retries\n"), "{told}");

    let prices = [at("shop-north.html"), at("shop-south.html")];
    let told = rig.printed("compare_prices.py", &[&prices[0], &prices[1]]).await;
    assert_eq!(told, format!("174.50 {}\n189.00 {}\n", prices[1], prices[0]));

    let told = rig.printed("all_rows.py", &[&at("table.html")]).await;
    let orders: Vec<Vec<String>> =
        serde_json::from_str(include_str!("../fixtures/tasks/orders.json")).expect("rows");
    let rows: Vec<_> = told.lines().skip(1).collect();
    assert!(told.starts_with("Order,Customer,City,Total\n"), "{told}");
    assert_eq!(rows.len(), orders.len(), "{told}");
    for (row, order) in rows.iter().zip(&orders) {
        assert!(row.starts_with(&format!("{},", order[0])), "{row} is not {order:?}");
    }

    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("workshop.json");
    let values = serde_json::json!({
        "Title": "Knots", "Speaker": "Ada", "E-mail": "ada@example.org", "Phone": "+47 1", "Date": "2027-05-01",
        "Start": "14:30", "Seats": "20", "Room": "Library", "Advanced": "true", "Website": "https://ada.example/",
        "Summary": "A bight,\na bend", "May be recorded": "true",
    });
    std::fs::write(&file, values.to_string()).expect("a file");
    let told = rig
        .printed("fill_form.py", &[&at("form.html"), "Register", file.to_str().expect("text")])
        .await;
    assert!(told.contains("Registered as W-2041: Knots."), "{told}");
    let mut command = rig.example("fill_form.py");
    command.args([&at("form.html"), "Register", "/dev/null"]);
    let missing = call(command, None).await;
    assert_ne!(missing.code, 0, "there are no values: {missing:?}");
    rig.browser.close().await;
}
