//! Tasks as an agent does them over MCP with the core tools: fixed steps on the pages in `tests/fixtures/tasks`, each read
//! before it is acted on. What they cost, in calls and tokens, is held to goals, and the page says whether they are done.
//!
//! `docs/agents.md` has the figures; `make tasks` prints them, with `PEERS=1` beside those of other tools, in the same run.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::corpus;
use super::rig::{Rig, text};
use super::support::McpClient;
use super::tokens::{count, without_ports};

/// What a task may cost.
struct Goal {
    calls: usize,
    tokens: usize,
}

/// What a task has cost.
struct Row {
    name: &'static str,
    calls: usize,
    tokens: usize,
    goal: Goal,
}

/// A task under way: what was said and heard.
struct Task<'a> {
    rig: &'a Rig,
    client: McpClient,
    said: Vec<String>,
    heard: Vec<String>,
}

impl<'a> Task<'a> {
    /// Begins with a client that can ask its person, in a session that keeps no pace.
    async fn begin(rig: &'a Rig) -> Self {
        let session = rig.run(&["session", "create"]).await.data()["session"].clone();
        let session = session.as_str().expect("an id");
        rig.run(&["session", "bind", "--pacing", "fast", "-s", session]).await.data();
        let client = McpClient::asking(&rig.daemon.home, &["--session", session]).await;
        Self { rig, client, said: Vec::new(), heard: Vec::new() }
    }

    fn url(&self, page: &str) -> String {
        self.rig.site.url(&format!("tasks/{page}"))
    }

    /// Calls a tool, which has to succeed.
    async fn call(&mut self, tool: &str, arguments: Value) -> String {
        let call = self.begin_call(tool, arguments).await;
        self.end_call(call).await
    }

    async fn begin_call(&mut self, tool: &str, arguments: Value) -> u64 {
        self.said.push(format!("{tool} {arguments}"));
        self.client.begin(tool, arguments).await
    }

    async fn end_call(&mut self, call: u64) -> String {
        let reply = self.client.end(call).await.expect("an answer");
        let heard = reply.text().to_owned();
        self.heard.push(heard.clone());
        heard
    }

    /// Ends the task, and holds what it cost to the goal. Gives its row for the table.
    async fn end(self, name: &'static str, goal: Goal) -> Row {
        self.client.close().await;
        let plain = |texts: &[String]| texts.iter().map(|it| without_ports(it)).collect::<Vec<_>>();
        let (said, heard) = (plain(&self.said), plain(&self.heard));
        let (of_said, of_heard) = (count(&said).await, count(&heard).await);
        for (((said, heard), of_said), of_heard) in
            said.iter().zip(&heard).zip(&of_said).zip(&of_heard)
        {
            println!("  {of_said:4} said: {said}\n  {of_heard:4} heard: {heard}");
        }
        let calls = said.len();
        let tokens: usize = of_said.iter().chain(&of_heard).sum();
        println!("{name}: {calls} / {tokens}\n");
        let is_met = calls <= goal.calls && tokens <= goal.tokens;
        assert!(is_met, "{name}: {calls} calls, {tokens} tokens");
        Row { name, calls, tokens, goal }
    }
}

/// The handle in the line of an answer that names this.
fn handle(answer: &str, name: &str) -> String {
    let name = format!("{name:?}");
    let line = answer.lines().find(|line| line.contains(&name));
    let line = line.unwrap_or_else(|| panic!("no {name} in {answer}"));
    let mut words = line.split(|char: char| !char.is_ascii_alphanumeric());
    let is_handle = |word: &&str| {
        let number = word.strip_prefix("el").or_else(|| word.strip_prefix("ln"));
        number.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()))
    };
    words.find(is_handle).unwrap_or_else(|| panic!("no handle in {line}")).to_owned()
}

fn step(action: &str, params: Value) -> Value {
    json!({"action": action, "params": params})
}

const OTHERS: Goal = Goal { calls: 4, tokens: 1_000 };

#[tokio::test]
async fn tasks_are_done_in_few_calls_and_few_words() {
    let rig = Rig::new().await;
    let rows = [
        search(&rig).await,
        form(&rig).await,
        sign_in(&rig).await,
        table(&rig).await,
        upload(&rig).await,
        download(&rig).await,
        confirm(&rig).await,
        frames(&rig).await,
        prices(&rig).await,
    ];
    print_all(&rig, &rows).await;
    rig.browser.close().await;
}

/// Other tools that do the same tasks.
const PEERS: [&str; 3] = ["playwright-mcp", "chrome-devtools-mcp", "agent-browser"];
/// What a model is told before the first task.
const BEFORE: &str = "tools and instructions, once";

/// Prints the table, with those of other tools if they are wanted.
async fn print_all(rig: &Rig, rows: &[Row]) {
    let others = match std::env::var_os("PEERS") {
        Some(_) => peers(rig).await,
        None => BTreeMap::new(),
    };
    let columns = &PEERS[..if others.is_empty() { 0 } else { PEERS.len() }];
    let cells = |task: &str| {
        let cell = |peer: &&str| {
            let key = ((*peer).to_owned(), task.to_owned());
            others.get(&key).map_or(" – |".to_owned(), |(calls, tokens)| match calls {
                0 => format!(" {tokens} |"),
                _ => format!(" {calls} / {tokens} |"),
            })
        };
        columns.iter().map(cell).collect::<String>()
    };
    let heads: String = columns.iter().map(|peer| format!(" {peer} |")).collect();
    println!("| Task | bproxy | at most |{heads}\n|---|---|---|{}", "---|".repeat(columns.len()));
    let before = format!(" {} | |", told(rig).await);
    println!("| {BEFORE} |{before}{}", cells(BEFORE));
    for Row { name, calls, tokens, goal } in rows {
        let Goal { calls: most, tokens: limit } = goal;
        println!("| {name} | {calls} / {tokens} | {most} / {limit} |{}", cells(name));
    }
}

/// The tokens of what a model is told of the server.
async fn told(rig: &Rig) -> usize {
    let mut client = McpClient::core(&rig.daemon.home, &[]).await;
    let tools = Value::Array(client.tools().await).to_string();
    let told = tools + &text(&client.server["instructions"]);
    client.close().await;
    count(&[told]).await[0]
}

/// What other tools say and hear in the same tasks: calls and tokens, by tool and task.
async fn peers(rig: &Rig) -> BTreeMap<(String, String), (usize, usize)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // They work in a folder of their own, where they put their files and take them from.
    let work = tempfile::tempdir().expect("a folder");
    let file = "report-2027-03.csv";
    let given = root.join("tests/fixtures/tasks").join(file);
    std::fs::copy(given, work.path().join(file)).expect("the file");
    let mut costs = BTreeMap::new();
    for done in corpus::peers("tasks.js", work.path(), &[&rig.site.url("tasks/")]).await {
        let texts = |list: &str| {
            let texts = done[list].as_array().expect("texts").iter();
            texts.map(|it| without_ports(&text(it))).collect::<Vec<_>>()
        };
        let (said, heard) = (texts("said"), texts("heard"));
        let tokens = count(&[said.clone(), heard].concat()).await.iter().sum();
        costs.insert((text(&done["peer"]), text(&done["task"])), (said.len(), tokens));
    }
    costs
}

/// How often does Ferrite try a job, unless told otherwise?
async fn search(rig: &Rig) -> Row {
    let mut task = Task::begin(rig).await;
    let open = json!({"url": task.url("docs/index.html"), "then": "elements form=true"});
    let home = task.call("tab_open", open).await;
    let field = handle(&home, "Search the docs");
    let search = json!({"steps": [
        step("fill_form", json!({"fields": [{"target": field, "value": "retry limit"}]})),
        step("press", json!({"keys": ["Enter"], "target": field, "then": "text main"})),
    ]});
    let results = task.call("batch", search).await;
    assert!(results.contains("tried again after a delay"), "{results}");
    let first = json!({"target": "role=link name=Retries", "then": "text main"});
    let page = task.call("click", first).await;
    assert!(page.contains("tried 7 times in all"), "{page}");
    task.end("search a documentation site", Goal { calls: 4, tokens: 1_300 }).await
}

/// Register a workshop, by a form of twelve fields.
async fn form(rig: &Rig) -> Row {
    let mut task = Task::begin(rig).await;
    let open = json!({"url": task.url("form.html"), "then": "elements form=true"});
    let fields = task.call("tab_open", open).await;
    let values = [
        ("Title", "Knots and splices"),
        ("Speaker", "Ada Byron"),
        ("E-mail", "ada@example.org"),
        ("Phone", "+44 20 7946 0000"),
        ("Date", "2027-03-14"),
        ("Start", "09:30"),
        ("Seats", "24"),
        ("Room", "Library"),
        ("Advanced", "true"),
        ("Website", "https://example.org/knots"),
        ("Summary", "Twelve knots for every day"),
        ("May be recorded", "true"),
    ];
    let values =
        values.map(|(name, value)| json!({"target": handle(&fields, name), "value": value}));
    let button = handle(&fields, "Register");
    let steps = json!({"steps": [
        step("fill_form", json!({"fields": values})),
        step("click", json!({"target": button, "then": "find role=status"})),
    ]});
    let done = task.call("batch", steps).await;
    assert!(done.contains("12 of 12 fields filled"), "{done}");
    assert!(done.contains("Registered as W-2041"), "{done}");
    let page = rig.browser.find("tasks/form.html").await;
    let registered = page.evaluate("Object.values(registered).join('|')").await;
    assert_eq!(
        registered,
        "Knots and splices|Ada Byron|ada@example.org|+44 20 7946 0000|2027-03-14|09:30|24|l2|advanced|https://example.org/knots|\
         Twelve knots for every day|on"
    );
    task.end("a form of twelve fields", Goal { calls: 3, tokens: 850 }).await
}

/// How much is in the current account? The person has the second factor.
async fn sign_in(rig: &Rig) -> Row {
    let mut task = Task::begin(rig).await;
    let open = json!({"url": task.url("sign-in.html"), "then": "elements form=true"});
    let fields = task.call("tab_open", open).await;
    let form = json!({"fields": [
        {"target": handle(&fields, "User name"), "value": "ada"},
        {"target": handle(&fields, "Password"), "value": "analytical"},
    ]});
    let button = handle(&fields, "Sign in");
    let steps = json!({"steps": [
        step("fill_form", form),
        step("click", json!({"target": button, "then": "text"})),
    ]});
    let second = task.call("batch", steps).await;
    assert!(
        second.contains("code that we have sent") && !second.contains("analytical"),
        "{second}"
    );
    let reason = json!({"reason": "Enter the code from your phone and confirm it"});
    let call = task.begin_call("require_human", reason).await;
    let asked = task.client.asked().await;
    assert!(asked["message"].as_str().unwrap().contains("code from your phone"), "{asked}");
    let page = rig.browser.find("tasks/sign-in.html").await;
    page.evaluate("document.querySelector('[name=code]').value = '271828'").await;
    page.evaluate("document.querySelector('#second').requestSubmit()").await;
    let popup = rig.browser.popup().await;
    popup.until("document.querySelector('[data-resume]')").await;
    popup.click("[data-resume]").await;
    task.end_call(call).await;
    let account = task.call("text", json!({})).await;
    assert!(account.contains("1,204.17 EUR"), "{account}");
    popup.close().await;
    task.end("sign in, with a second factor by the person", OTHERS).await
}

/// All 47 orders, which stand on five pages.
async fn table(rig: &Rig) -> Row {
    let mut task = Task::begin(rig).await;
    let open = json!({"url": task.url("table.html"), "then": "table"});
    let mut rows = task.call("tab_open", open).await;
    // The first rows come from the server, after the page has loaded: on a busy machine once it was read.
    if !rows.contains("A-1001\t") {
        let shown = json!({"strategy": "text", "target": "Page 1 of 5"});
        task.call("wait", shown).await;
        rows = task.call("table", json!({})).await;
    }
    let next = || step("click", json!({"target": "role=button name=Next", "then": "table"}));
    let steps = json!({"steps": [next(), next(), next(), next()]});
    rows += &task.call("batch", steps).await;
    for order in 1001..=1047 {
        assert_eq!(rows.matches(&format!("A-{order}\t")).count(), 1, "{order}: {rows}");
    }
    task.end("a table of five pages, all rows", Goal { calls: 5, tokens: 2_000 }).await
}

/// Fetch last month's report.
async fn download(rig: &Rig) -> Row {
    let mut task = Task::begin(rig).await;
    let open = json!({"url": task.url("reports.html"), "then": "links contains=March"});
    let links = task.call("tab_open", open).await;
    let file = task.call("download", json!({"target": handle(&links, "March 2027")})).await;
    let path = file.split("\"path\":\"").nth(1).and_then(|it| it.split('"').next());
    let kept = std::fs::read_to_string(path.expect("a path")).expect("the file");
    assert_eq!(kept, "day,visitors\n1,204\n2,187\n3,231\n");
    task.end("download a file", OTHERS).await
}

/// Send a receipt with a claim.
async fn upload(rig: &Rig) -> Row {
    let mut task = Task::begin(rig).await;
    let open = json!({"url": task.url("upload.html"), "then": "snapshot"});
    let page = task.call("tab_open", open).await;
    let file = "tests/fixtures/tasks/report-2027-03.csv";
    let given = json!({"target": handle(&page, "Receipt"), "paths": [file]});
    task.call("upload", given).await;
    let send = json!({"target": handle(&page, "Send"), "then": "find role=status"});
    let done = task.call("click", send).await;
    assert!(done.contains("Sent report-2027-03.csv, 4 lines."), "{done}");
    task.end("upload a file", OTHERS).await
}

/// Delete a project; the page asks whether to.
async fn confirm(rig: &Rig) -> Row {
    let mut task = Task::begin(rig).await;
    let open = json!({"url": task.url("confirm.html"), "then": "snapshot"});
    let list = task.call("tab_open", open).await;
    let button = handle(&list, "Delete Breakwater");
    let delete = json!({"target": button, "dialog": "accept", "then": "text"});
    let done = task.call("click", delete).await;
    assert!(done.contains("Delete Breakwater with all its files?"), "{done}");
    assert!(done.contains("Breakwater was deleted."), "{done}");
    let page = rig.browser.find("tasks/confirm.html").await;
    let left = page.evaluate("document.querySelectorAll('li').length").await;
    assert_eq!(left, 2);
    task.end("a confirm dialog", OTHERS).await
}

/// Place an order whose fields are in two frames.
async fn frames(rig: &Rig) -> Row {
    let mut task = Task::begin(rig).await;
    let open = json!({"url": task.url("frames.html"), "then": "snapshot"});
    let page = task.call("tab_open", open).await;
    let steps = json!({"steps": [
        step("fill_form", json!({"fields": [
            {"target": handle(&page, "Postcode"), "value": "8010"},
            {"target": handle(&page, "Voucher"), "value": "TIDE-7"},
        ]})),
        step("click", json!({"target": handle(&page, "Place order"), "then": "find role=status"})),
    ]});
    let done = task.call("batch", steps).await;
    assert!(done.contains("Ordered, to 8010, with voucher TIDE-7."), "{done}");
    task.end("two frames", OTHERS).await
}

/// Of two shops, put the grinder of the cheaper one into the basket.
async fn prices(rig: &Rig) -> Row {
    let mut task = Task::begin(rig).await;
    let mut prices = Vec::new();
    for shop in ["shop-south.html", "shop-north.html"] {
        let open = json!({"url": task.url(shop), "then": "find Price:"});
        let page = task.call("tab_open", open).await;
        let price = page.split("Price: ").nth(1).and_then(|it| it.split(' ').next());
        let price: f64 = price.expect("a price").parse().expect("a number");
        let tab = page.split("\"tab\":\"").nth(1).and_then(|it| it.split('"').next());
        prices.push((price, tab.expect("a tab").to_owned()));
    }
    let cheaper = prices.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).expect("two prices").1;
    let add = json!({"target": "role=button name=Add to basket", "then": "find role=status"});
    let steps =
        json!({"steps": [step("session_bind", json!({"tab": cheaper})), step("click", add)]});
    let done = task.call("batch", steps).await;
    assert!(done.contains("is in your basket"), "{done}");
    let page = rig.browser.find("tasks/shop-south.html").await;
    assert_ne!(page.evaluate("document.querySelector('[role=status]').textContent").await, "");
    task.end("prices in two tabs", OTHERS).await
}
