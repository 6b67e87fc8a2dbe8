//! What reading costs an agent (`make tokens`): the tokens of each read of each page of the corpus, beside those of the
//! last release, and of a task of six steps in a Django admin. With `PEERS=1`, what other tools give of the same pages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

use super::corpus;
use super::rig::{Rig, text};
use super::support::{McpClient, patiently};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// How much more a read may cost than it did: white space and the order of words make some difference.
const GROWTH: f64 = 1.03;
/// The reads that are measured, as they are called.
const READS: [&str; 5] = ["snapshot", "snapshot --interactive-only", "elements", "links", "text"];
const PEERS: [&str; 4] =
    ["playwright-mcp", "chrome-devtools-mcp", "agent-browser", "agent-browser -i"];

// ---- Tokens ----

/// How many tokens each of these texts is.
pub(super) async fn count(texts: &[String]) -> Vec<usize> {
    let mut node = Command::new("node")
        .arg(Path::new(ROOT).join("tests/corpus/count.js"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("node runs");
    let mut input = node.stdin.take().expect("a pipe");
    let texts = serde_json::to_vec(texts).expect("JSON");
    let writing = async move { input.write_all(&texts).await.expect("node reads") };
    let ((), output) = tokio::join!(writing, node.wait_with_output());
    let output = output.expect("a child");
    serde_json::from_slice(&output.stdout).expect("numbers")
}

/// A text as it would be on a site with a name: no port is in it, so that it is the same each time.
pub(super) fn without_ports(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += "site.test";
        plain += part.trim_start_matches(|it: char| it.is_ascii_digit());
    }
    plain
}

fn median(mut of: Vec<usize>) -> usize {
    of.sort_unstable();
    of.get(of.len() / 2).copied().unwrap_or_default()
}

// ---- What is read ----

/// A Django admin; ended when dropped.
struct Admin {
    _server: Child,
    port: String,
}

impl Admin {
    async fn start() -> Self {
        let mut server = Command::new("python3")
            .arg(Path::new(ROOT).join("tests/corpus/serve.py"))
            .env("PYTHONPATH", corpus::folder().join("python"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start python3: {error}; install it"));
        let mut lines = BufReader::new(server.stdout.take().expect("a pipe")).lines();
        let line = patiently("the port of the Django admin", lines.next_line()).await;
        let port = line.expect("a pipe").expect("a server that starts");
        Self { _server: server, port }
    }

    fn url(&self, page: &str) -> String {
        format!("http://127.0.0.1:{}/admin/{page}", self.port)
    }
}

const BOOKS: &str = "library/book/";

/// The pages by their names, with their addresses.
fn pages(rig: &Rig, admin: &Admin) -> Vec<(String, String)> {
    let of_site = |page: &&str| {
        let (folder, file) = page.rsplit_once('/').unwrap_or_default();
        let folder = folder.rsplit('/').next().unwrap_or_default();
        let name = if file.is_empty() { (*page).to_owned() } else { format!("{folder}/{file}") };
        (name, rig.site.url(page))
    };
    let widgets = ["widgets/antd.html", "widgets/mui.html"];
    let all = [&corpus::DOCUMENTATION[..], &corpus::TEMPLATES, &widgets].concat();
    let of_admin = ["", BOOKS, "library/book/35/change/"]
        .map(|page| (format!("admin/{page}"), admin.url(page)));
    all.iter().map(of_site).chain(of_admin).collect()
}

// ---- Each read of each page ----

/// The tokens of a read of a page.
type Costs = BTreeMap<(String, String), usize>;

fn baseline() -> PathBuf {
    Path::new(ROOT).join("tests/corpus/tokens.tsv")
}

fn last_release() -> Costs {
    let lines = std::fs::read_to_string(baseline()).unwrap_or_default();
    let fields = lines.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    fields
        .map(|it| ((it[0].to_owned(), it[1].to_owned()), it[2].parse().expect("a number")))
        .collect()
}

#[tokio::test]
#[ignore = "make tokens runs it"]
async fn no_read_costs_more_than_in_the_last_release() {
    let skill = count(&[include_str!("../../skill/SKILL.md").to_owned()]).await;
    assert!(skill[0] <= 1_500, "the skill costs {} tokens", skill[0]);
    let site = corpus::folder().join("site");
    let (rig, admin) = tokio::join!(Rig::of(&site), Admin::start());
    let pages = pages(&rig, &admin);
    let mut keys = Vec::new();
    let mut texts = Vec::new();
    for (page, url) in &pages {
        let visit = rig.open_url(url).await;
        // Some are made by scripts, after they have loaded.
        visit.data(&["wait", "--strategy", "idle"]).await;
        for read in READS {
            let args = [read.split(' ').collect(), vec!["--output", "text"]].concat();
            let call = visit.run(&args).await;
            assert_eq!(call.code, 0, "{page}, {read}: {call:?}");
            keys.push((page.clone(), read.to_owned()));
            texts.push(without_ports(&call.stdout));
        }
        visit.data(&["tab", "close"]).await;
    }
    if let Some(folder) = std::env::var_os("TOKENS_TEXTS") {
        for ((page, read), text) in keys.iter().zip(&texts) {
            let file = format!("{page} {read}").replace(['/', ' '], "_");
            std::fs::write(Path::new(&folder).join(file), text).expect("a folder");
        }
    }
    if std::env::var_os("PEERS").is_some() {
        for (key, text) in peers(&pages).await {
            keys.push(key);
            texts.push(without_ports(&text));
        }
    }
    let costs: Costs = keys.into_iter().zip(count(&texts).await).collect();
    rig.browser.close().await;

    print_all(&pages, &costs);
    if std::env::var_os("BPROXY_UPDATE_TOKENS").is_some() {
        let ours = costs.iter().filter(|((_, read), _)| READS.contains(&read.as_str()));
        let lines = ours.map(|((page, read), cost)| format!("{page}\t{read}\t{cost}\n"));
        std::fs::write(baseline(), lines.collect::<String>()).expect("the baseline");
    }
    let before = last_release();
    let grown = costs.iter().filter_map(|(key, now)| {
        let then = *before.get(key)?;
        (*now as f64 > then as f64 * GROWTH).then(|| format!("{key:?}: {then} → {now}"))
    });
    let grown: Vec<_> = grown.collect();
    assert!(grown.is_empty(), "these cost more than in the last release: {grown:#?}");
}

fn print_all(pages: &[(String, String)], costs: &Costs) {
    let before = last_release();
    let has_peers = costs.keys().any(|(_, read)| PEERS.contains(&read.as_str()));
    let columns = READS.iter().chain(PEERS.iter().filter(|_| has_peers));
    let columns: Vec<_> = columns.map(|it| (*it).to_owned()).collect();
    println!("\nTokens (o200k), and in brackets those of the last release\n");
    println!("| page | {} |", columns.join(" | "));
    println!("|---|{}", "---:|".repeat(columns.len()));
    let row =
        |cell: &dyn Fn(&String) -> String| columns.iter().map(cell).collect::<Vec<_>>().join(" | ");
    for (page, _) in pages {
        let cells = row(&|read| {
            let key = (page.clone(), read.clone());
            let then = before.get(&key).map(|then| format!(" ({then})")).unwrap_or_default();
            costs.get(&key).map(|now| format!("{now}{then}")).unwrap_or_default()
        });
        println!("| {page} | {cells} |");
    }
    let medians = row(&|read| {
        let of = costs.iter().filter(|((_, it), _)| it == read).map(|(_, cost)| *cost);
        median(of.collect()).to_string()
    });
    println!("| median | {medians} |");
}

/// What other tools give of these pages.
async fn peers(pages: &[(String, String)]) -> Vec<((String, String), String)> {
    let urls: Vec<_> = pages.iter().map(|(_, url)| &**url).collect();
    let lines = corpus::peers("read.js", &corpus::folder(), &urls).await;
    let named = |url: &str| pages.iter().find(|(_, it)| it == url).expect("a page").0.clone();
    lines
        .into_iter()
        .map(|it| ((named(&text(&it["url"])), text(&it["read"])), text(&it["text"])))
        .collect()
}

// ---- A task ----

/// What was said and heard in each step of a task.
type Steps = Vec<(String, String)>;

/// Prints what a task costs, and gives its tokens.
async fn cost(by: &str, steps: Steps) -> usize {
    let (said, heard): (Vec<_>, Vec<_>) =
        steps.iter().map(|(said, heard)| (without_ports(said), without_ports(heard))).unzip();
    let (of_said, of_heard) = (count(&said).await, count(&heard).await);
    println!("\nThe task over the {by}: {} calls", steps.len());
    for ((said, of_said), of_heard) in said.iter().zip(&of_said).zip(&of_heard) {
        println!("  {of_said:5} said, {of_heard:5} heard: {said}");
    }
    let total = of_said.iter().chain(&of_heard).sum();
    println!("  {total} tokens in all");
    total
}

/// What the task may cost, in what is said and heard together.
const MCP_TOKENS: usize = 1_500;
const CLI_TOKENS: usize = 900;
const BOOK: &str = "The Silent Garden 35";
/// What is filled in, by the label of the field.
const FIELDS: [(&str, &str); 3] = [("Year:", "1999"), ("Price:", "12.25"), ("Notes:", "Signed")];

/// Opens the list, finds the row, clicks it, fills three fields, saves, and sees that it was saved: an agent's steps, which
/// are always the same.
#[tokio::test]
#[ignore = "make tokens runs it"]
async fn a_task_in_a_django_admin_is_done_in_few_words() {
    let site = corpus::folder().join("site");
    let (rig, admin) = tokio::join!(Rig::of(&site), Admin::start());
    let list = admin.url(BOOKS);

    let mut client = McpClient::start(&rig.daemon.home, &[]).await;
    let find = json!({"action": "find", "params": {"role": "link", "name": BOOK}});
    let form = json!({"action": "elements", "params": {"form": true}});
    let saved = json!({"action": "find", "params": {"text": "was changed successfully"}});
    let fields: Vec<_> = FIELDS
        .iter()
        .map(|(label, value)| json!({"target": {"find": {"label": label}}, "value": value}))
        .collect();
    let calls = [
        ("tab_open", json!({"url": list, "then": find})),
        ("click", json!({"target": {"find": {"role": "link", "name": BOOK}}, "then": form})),
        ("fill_form", json!({ "fields": fields })),
        ("click", json!({"target": {"find": {"name": "Save", "exact": true}}, "then": saved})),
    ];
    let mut steps = Steps::new();
    for (tool, arguments) in calls {
        let reply = client.call(tool, arguments.clone()).await;
        steps.push((format!("{tool} {arguments}"), reply.text().to_owned()));
    }
    assert!(steps[3].1.contains("was changed successfully"), "{steps:?}");
    client.close().await;
    let tokens = cost("MCP server", steps).await;
    assert!(tokens <= MCP_TOKENS, "{tokens} tokens over MCP");

    let opened = ["tab", "open", &list, "--then", &format!("find --role link --name '{BOOK}'")];
    let fields: Vec<_> = FIELDS
        .iter()
        .map(|(label, value)| json!({"target": {"find": {"label": label}}, "value": value}))
        .collect();
    let fields = json!(fields).to_string();
    let saved = "find --has-text 'was changed successfully'";
    let calls: [&[&str]; 4] = [
        &opened,
        &["click", "--role", "link", "--name", BOOK, "--then", "elements --form"],
        &["fill-form", "--json", &fields],
        &["click", "--name", "Save", "--exact", "--then", saved],
    ];
    let mut steps = Steps::new();
    let mut session = String::new();
    for args in calls {
        let of = ["-s", session.as_str()];
        let of = if session.is_empty() { &[][..] } else { &of };
        let args = [args, &["--output", "text"], of].concat();
        let call = rig.run(&args).await;
        let said = format!("bproxy {}", shlex::try_join(args).expect("words"));
        assert_eq!(call.code, 0, "{call:?}");
        if session.is_empty() {
            let mut words = call.stdout.split_whitespace().skip_while(|word| *word != "session");
            session = words.nth(1).expect("the session").to_owned();
        }
        steps.push((said, call.stdout));
    }
    assert!(steps[3].1.contains("was changed successfully"), "{steps:?}");
    let tokens = cost("command line", steps).await;
    assert!(tokens <= CLI_TOKENS, "{tokens} tokens over the command line");
    rig.browser.close().await;
}
