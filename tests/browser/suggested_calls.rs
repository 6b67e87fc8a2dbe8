//! Failures lead on over MCP as well: what each of the core tools says to do next is called as it stands, in the situation
//! that it is for, and is seen to help there.

use std::path::Path;

use serde_json::{Deserializer, Value, json};

use super::rig::{Rig, text};
use super::suggestions::Later;
use super::support::{Browser, McpClient, ToolReply, run};

/// An agent with the core tools, in a session without pauses.
struct Agent<'a> {
    rig: &'a Rig,
    client: McpClient,
    session: String,
}

/// The call that a failure says to make next: the tool, and its arguments.
#[track_caller]
fn next(failure: &str, arguments: &Value) -> (String, Value) {
    let advice =
        failure.rsplit_once("\nNext: ").unwrap_or_else(|| panic!("no advice: {failure}")).1;
    let (_, call) = advice.split_once("call `").unwrap_or_else(|| panic!("no call: {advice}"));
    let (tool, rest) = call.split_once('`').expect("a name");
    let Some(with) = rest.strip_prefix(" with {") else { return (tool.to_owned(), json!({})) };
    let json = &rest[rest.len() - with.len() - 1..];
    let mut values = Deserializer::from_str(json).into_iter::<Value>();
    let mut with = values.next().expect("arguments").expect("JSON");
    if json[values.byte_offset()..].starts_with(" and otherwise the same arguments") {
        for (name, value) in arguments.as_object().expect("arguments") {
            with.as_object_mut().expect("an object").entry(name).or_insert(value.clone());
        }
    }
    (tool.to_owned(), with)
}

/// The handle of the node of a tree in which this is written.
#[track_caller]
fn handle(tree: &str, node: &str) -> String {
    let line = tree.lines().find(|line| line.contains(node) && line.contains('['));
    let line = line.unwrap_or_else(|| panic!("no {node} in {tree}"));
    line.split(['[', ']']).nth(1).expect("a handle").to_owned()
}

impl<'a> Agent<'a> {
    async fn new(rig: &'a Rig) -> Self {
        let session = text(&rig.run(&["session", "create"]).await.data()["session"]);
        rig.run(&["session", "bind", "--pacing", "fast", "-s", &session]).await.data();
        let client = McpClient::core(&rig.daemon.home, &["--session", &session]).await;
        Self { rig, client, session }
    }

    async fn open(&mut self, page: &str) {
        let url = self.rig.site.url(page);
        self.client.call("tab_open", json!({ "url": url })).await.text();
    }

    /// A call that fails with `code`: what it says.
    async fn fails(&mut self, code: &str, tool: &str, arguments: &Value) -> String {
        let failed = self.client.call(tool, arguments.clone()).await;
        let contents = failed.0["content"].as_array().expect("contents").iter();
        let said: Vec<_> = contents.filter_map(|it| it["text"].as_str()).collect();
        let said = said.join("\n");
        assert!(failed.0["isError"] == true && said.contains(code), "{tool} {arguments}: {said}");
        said
    }

    /// Fails with `code`, and does what that says to do next, by `tool`, which succeeds.
    async fn led(&mut self, code: &str, call: (&str, Value), tool: &str) -> ToolReply {
        let (failing, arguments) = call;
        let said = self.fails(code, failing, &arguments).await;
        let (named, with) = next(&said, &arguments);
        assert_eq!(named, tool, "{failing} {arguments}: {said}");
        let reply = self.client.call(&named, with.clone()).await;
        assert_ne!(reply.0["isError"], true, "{said}\n{named} {with}: {reply:?}");
        reply
    }

    /// The same where the next step is a look at the page: what the look shows.
    async fn shown(&mut self, code: &str, tool: &str, arguments: Value) -> String {
        self.led(code, (tool, arguments), "snapshot").await.page().to_owned()
    }

    async fn click(&mut self, target: &str) {
        self.client.call("click", json!({ "target": target })).await.text();
    }

    async fn says(&self, page: &str, selector: &str) -> String {
        let page = self.rig.browser.find(page).await;
        text(&page.evaluate(&format!("document.querySelector('{selector}').textContent")).await)
    }
}

#[tokio::test]
async fn what_is_to_be_called_for_an_element_shows_one_to_act_on() {
    let rig = Rig::new().await;
    let mut agent = Agent::new(&rig).await;
    agent.open("act.html").await;
    let target = |target: &str| json!({ "target": target });

    let tree = agent.shown("ELEMENT_NOT_FOUND", "click", target("#nope")).await;
    agent.click(&handle(&tree, "\"Count\"")).await;
    assert_eq!(agent.says("act.html", "#counted").await, "1");
    let tree = agent.shown("SELECTOR_AMBIGUOUS", "click", target(".pair")).await;
    agent.click(&handle(&tree, "\"Second\"")).await;
    let tree = agent.shown("ELEMENT_HANDLE_NOT_FOUND", "click", target("el9999")).await;
    agent.click(&handle(&tree, "\"Count\"")).await;
    assert_eq!(agent.says("act.html", "#counted").await, "2");

    let tree = agent.shown("ELEMENT_NOT_ACTIONABLE", "click", target("#under")).await;
    assert!(tree.contains("Banner"), "what covers it: {tree}");
    let tree = agent.shown("ELEMENT_NOT_ACTIONABLE", "click", target("#off")).await;
    assert!(tree.contains("disabled"), "{tree}");
    let tree = agent.shown("SCRIPT_ERROR", "click", target("p >")).await;
    let tree_too = agent.shown("FRAME_NOT_FOUND", "click", target("frame=f9 #count")).await;
    for tree in [tree, tree_too] {
        agent.click(&handle(&tree, "\"Count\"")).await;
    }
    assert_eq!(agent.says("act.html", "#counted").await, "4");
    let tree = agent.shown("SCRIPT_ERROR", "press", json!({"keys": ["Entre"]})).await;
    let press = json!({"keys": ["Enter"], "target": handle(&tree, "\"Count\"")});
    agent.client.call("press", press).await.text();
    assert_eq!(agent.says("act.html", "#counted").await, "5");
    let never = json!({"strategy": "text", "target": "never", "timeout": 300});
    agent.shown("TIMEOUT", "wait", never).await;

    // An element that is gone, and a page that is another one.
    let tree = agent.client.call("snapshot", json!({})).await.page().to_owned();
    let (vanish, go) = (handle(&tree, "\"Vanish\""), handle(&tree, "\"Go\""));
    agent.click(&vanish).await;
    agent.client.call("wait", json!({"strategy": "gone", "target": "#vanish"})).await.text();
    let tree = agent.shown("ELEMENT_HANDLE_STALE", "click", target(&vanish)).await;
    assert!(!tree.contains("Vanish") && handle(&tree, "\"Go\"") == go, "{tree}");
    let page = rig.browser.find("act.html").await;
    page.evaluate("void (window.before = true, location.reload())").await;
    page.until("!window.before && document.readyState === 'complete'").await;
    let tree = agent.shown("PAGE_CHANGED", "click", target("#count")).await;
    agent.click(&handle(&tree, "\"Count\"")).await;
    assert_eq!(agent.says("act.html", "#counted").await, "1");
    let tree = agent.shown("ELEMENT_HANDLE_STALE", "click", target(&go)).await;
    agent.click(&handle(&tree, "\"Go\"")).await;
    agent.client.call("wait", json!({"strategy": "url", "target": "*/article.html"})).await.text();
    agent.client.close().await;
    rig.browser.close().await;
}

#[tokio::test]
async fn what_is_to_be_called_for_a_field_leads_to_what_fills_it() {
    let rig = Rig::new().await;
    let mut agent = Agent::new(&rig).await;
    agent.open("form.html").await;
    let fields =
        |target: &str, value: &str| json!({"fields": [{"target": target, "value": value}]});

    let tree = agent.shown("ELEMENT_NOT_ACTIONABLE", "fill_form", fields("[name=off]", "x")).await;
    assert!(handle(&tree, "\"E-mail\"").starts_with("el") && tree.contains("disabled"), "{tree}");
    let tree = agent.shown("had no effect", "fill_form", fields("[name=digits]", "1b2")).await;
    assert!(tree.contains("\"12\""), "{tree}");

    // A file is given by another tool, to the same element.
    let tree = agent.client.call("snapshot", json!({})).await.page().to_owned();
    let paper = json!({"target": handle(&tree, "\"Paper\"")});
    let said = agent.fails("ELEMENT_NOT_ACTIONABLE", "click", &paper).await;
    let (tool, mut with) = next(&said, &paper);
    assert_eq!((&*tool, &with), ("upload", &paper));
    with["paths"] = json!([Path::new("tests/fixtures/tasks/report-2027-03.csv")]);
    agent.client.call("upload", with).await.text();
    let page = rig.browser.find("form.html").await;
    let name = "document.querySelector('[name=paper]').files[0].name";
    assert_eq!(page.evaluate(name).await, "report-2027-03.csv");
    let file = fields("[name=paper]", "x");
    let said = agent.fails("ELEMENT_NOT_ACTIONABLE", "fill_form", &file).await;
    assert_eq!(next(&said, &file).0, "upload", "{said}");

    // Another way to write a field, which is no core tool. A shell or a reader of JSON would stumble over the value.
    let tricky = "it's $(id) `id` \"x\"";
    let fill =
        json!({"target": "label=Full name", "value": tricky, "method": "paste", "world": "main"});
    let steps = json!({"steps": [{"action": "fill", "params": fill}]});
    agent.led("SCRIPT_ERROR", ("batch", steps), "batch").await;
    assert_eq!(page.evaluate("document.querySelector('#name').value").await, tricky);

    let colour = json!({"trigger": "#colour", "optionText": "Mauve"});
    let tree = agent.shown("ELEMENT_NOT_FOUND", "select", colour).await;
    assert!(tree.contains("Green"), "the options: {tree}");
    agent.client.close().await;
    rig.browser.close().await;
}

#[tokio::test]
async fn what_is_to_be_called_for_a_page_that_does_not_load_loads_it() {
    let rig = Rig::new().await;
    let mut agent = Agent::new(&rig).await;
    agent.open("article.html").await;
    let url = |url: String| json!({ "url": url });
    for tool in ["navigate", "tab_open"] {
        let bare = url(format!("127.0.0.1:{}/form.html?a=$(id)&b='c'", rig.site.port()));
        let there = agent.led("NAVIGATION_FAILED", (tool, bare), tool).await;
        assert!(there.page().contains("/form.html?a=$(id)&b="), "{there:?}");
        let file = url(rig.site.url("download"));
        let given = agent.led("NAVIGATION_FAILED", (tool, file), "download").await;
        assert!(given.page().contains("\"path\":"), "{given:?}");
        agent
            .led("NAVIGATION_FAILED", (tool, url("mailto:a@example.org".to_owned())), "tabs")
            .await;
    }
    let server = Later::start().await;
    let said = agent.fails("NAVIGATION_FAILED", "navigate", &url(server.url())).await;
    server.answer(true);
    let (tool, with) = next(&said, &json!({}));
    agent.client.call(&tool, with).await.text();
    assert!(agent.client.call("text", json!({})).await.page().contains("Back again"));
    server.answer(false);
    let arguments = json!({"url": server.url(), "then": "text"});
    let said = agent.fails("NAVIGATION_FAILED", "tab_open", &arguments).await;
    server.answer(true);
    let (tool, with) = next(&said, &arguments);
    assert_eq!(tool, "tab_open");
    assert!(agent.client.call(&tool, with).await.page().contains("Back again"));

    // A page that was not there before.
    let back = json!({"steps": [{"action": "back"}]});
    agent.led("NAVIGATION_FAILED", ("batch", back), "tabs").await;
    agent.client.close().await;
    rig.browser.close().await;
}

#[tokio::test]
async fn what_is_to_be_called_for_a_tab_or_a_session_gives_one() {
    let rig = Rig::new().await;
    let mut agent = Agent::new(&rig).await;
    agent.led("TAB_NOT_FOUND", ("text", json!({})), "tab_open").await;
    agent.open("act.html").await;
    let tree = agent.client.call("snapshot", json!({})).await.page().to_owned();
    let count = json!({"target": handle(&tree, "\"Count\"")});
    agent.open("article.html").await;
    let there = agent.led("ELEMENT_HANDLE_SCOPE_MISMATCH", ("click", count.clone()), "tabs").await;
    assert!(there.page().contains("act.html"), "{there:?}");
    agent.client.call("click", count).await.text();
    assert_eq!(agent.says("act.html", "#counted").await, "1");

    rig.run(&["session", "unbind", "-s", &agent.session]).await.data();
    agent.led("TAB_NOT_FOUND", ("text", json!({})), "tabs").await;
    agent.client.call("text", json!({})).await.text();
    let none = json!({"tab": "t9"});
    agent.led("TAB_HANDLE_NOT_FOUND", ("tabs", none), "tabs").await;
    let picture = agent.led("TAB_NOT_VISIBLE", ("screenshot", json!({})), "screenshot").await;
    assert_eq!(picture.0["content"][1]["type"], "image");

    // The person is waited for, whoever has paused the session.
    rig.run(&["require-human", "--reason", "Please look", "-s", &agent.session]).await.error();
    let said = agent.fails("HUMAN_REQUIRED", "text", &json!({})).await;
    let (tool, with) = next(&said, &json!({}));
    let call = agent.client.begin(&tool, with).await;
    agent.client.progress(call).await;
    rig.resume(&agent.session).await;
    agent.client.end(call).await.expect("an answer").text();
    agent.client.call("text", json!({})).await.text();
    agent.client.close().await;

    // A session of the connection's own that its person has closed.
    let client = McpClient::core(&rig.daemon.home, &[]).await;
    let mut agent = Agent { rig: &rig, client, session: agent.session };
    agent.open("article.html").await;
    let sessions = rig.run(&["session", "list"]).await.data();
    let own = sessions["sessions"].as_array().expect("sessions").iter();
    let own = own.map(|it| text(&it["id"])).find(|id| *id != agent.session).expect("its own");
    rig.run(&["session", "close", "-s", &own]).await.data();
    agent.led("SESSION_NOT_FOUND", ("text", json!({})), "tab_open").await;
    agent.open("article.html").await;
    agent.client.call("text", json!({})).await.page();
    agent.client.close().await;
    rig.browser.close().await;
}

#[tokio::test]
async fn what_is_to_be_done_about_a_page_or_a_browser_that_gives_no_answer_gets_one() {
    let rig = Rig::new().await;
    let mut agent = Agent::new(&rig).await;
    agent.open("article.html").await;
    let page = rig.browser.find("article.html").await;
    page.evaluate("void document.querySelector('main').append('x'.repeat(18_000_000))").await;
    page.evaluate("document.body.offsetHeight").await;
    let tree = agent.shown("TOO_LARGE", "text", json!({})).await;
    assert!(tree.contains("The lighthouse keeper"), "{tree}");

    // Busy for so long that a click is given up, and no longer than loading it anew waits.
    agent.open("hang.html").await;
    let page = rig.browser.find("hang.html").await;
    page.evaluate("void (window.before = true)").await;
    let busy = "setTimeout(() => { const end = Date.now() + 9000; while (Date.now() < end); }, 0)";
    page.evaluate(&format!("void {busy}")).await;
    agent.led("PAGE_BLOCKED", ("click", json!({"target": "#counter"})), "batch").await;
    assert_eq!(page.evaluate("window.before").await, Value::Null, "it was loaded anew");
    agent.click("#counter").await;
    assert_eq!(agent.says("hang.html", "#counter").await, "1");

    // Only the person can open it again.
    let Agent { mut client, .. } = agent;
    let Rig { daemon, browser, site } = rig;
    browser.close().await;
    daemon.record("ws_disconnect", |_| true).await;
    let article = json!({"url": site.url("article.html")});
    let gone = client.call("tab_open", article.clone()).await;
    assert!(gone.0.to_string().contains("Next: ask the person to open Chrome"), "{gone:?}");
    let browser = Browser::start(false).await;
    run(&daemon.home, &["pair"]).await.data();
    browser.pair(daemon.port, &daemon.pairing_code()).await;
    assert!(client.call("tab_open", article).await.page().contains("article.html"));
    client.close().await;
    browser.close().await;
}
