//! Malicious pages and extensions. They know everything: the port, both tokens, the pairing code. The browser still lets
//! none of it past the gate.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::rig::Rig;
use super::support::{
    Browser, Daemon, EXTENSION_ID, Launch, Page, Pairing, Site, request, wait_for,
};

/// What an attacker knows, for the first lines of each script.
struct Loot {
    known: Value,
    /// What the extension got by pairing, from which proofs can be made.
    pairing: Pairing,
}

impl Loot {
    /// All secrets that can be stolen.
    async fn of(daemon: &Daemon) -> Self {
        let issued = daemon.send(request("pairing.issue")).await.data();
        let port = daemon.port;
        let known = json!({
            "d": format!("http://127.0.0.1:{port}"),
            "ws": format!("ws://127.0.0.1:{port}/ws"),
            "bearer": daemon.bearer(),
            "code": issued["pairingCode"],
            "command": request("session.create").0.to_string(),
        });
        let stored = daemon.home.read("extension-token");
        let token = stored.lines().next().expect("a token").to_owned();
        let pairing = Pairing { token, origin: String::new() };
        Self { known, pairing }
    }

    /// The lines, with a proof that nobody has used yet.
    async fn script(&self, port: u16) -> String {
        let protocols = self.pairing.subprotocols(port).await;
        let protocols: Vec<_> = protocols.split(", ").collect();
        let known = &self.known;
        format!(
            "const {{ d, ws, bearer, code, command }} = {known}; const protocols = {};",
            json!(protocols)
        )
    }
}

/// A daemon under attack, and how often it has refused.
struct Siege<'a> {
    daemon: &'a Daemon,
    loot: Loot,
}

impl<'a> Siege<'a> {
    async fn of(daemon: &'a Daemon) -> Self {
        Self { daemon, loot: Loot::of(daemon).await }
    }

    fn refusals(&self) -> Vec<Value> {
        self.daemon.records("auth_refused")
    }

    /// Runs a script in the page, with the loot, and waits until the daemon has refused what it sent at this layer.
    /// Returns what the script came to.
    async fn refuses(&self, layer: &str, page: &Page<'_>, attack: &str) -> Value {
        let before = self.refusals().len();
        let outcome = self.run(page, attack).await;
        wait_for(&format!("a refusal of {attack}"), || {
            // Others may come with it, such as of the icon for a page that has been refused.
            self.refusals().get(before..)?.iter().find(|record| record["layer"] == layer).cloned()
        })
        .await;
        outcome
    }

    async fn run(&self, page: &Page<'_>, attack: &str) -> Value {
        let loot = self.loot.script(self.daemon.port).await;
        page.evaluate(&format!("(async () => {{ {loot} {attack} }})()")).await
    }

    /// Asserts that only the test itself and the person's own extension have reached a route.
    async fn ended(self) {
        let own = self.daemon.send(request("session.list").named("fence")).await.data();
        assert_eq!(own["sessions"], json!([]), "no session was made");
        self.daemon.record("response", |record| record["id"] == "fence").await;
        let received = self.daemon.records("received");
        let actions: Vec<_> = received.iter().map(|record| &record["action"]).collect();
        assert_eq!(actions, ["pairing.issue", "session.list"]);
        assert_eq!(self.daemon.records("ws_connect").len(), 1);
        assert_eq!(self.daemon.records("ws_disconnect").len(), 0);
        assert_eq!(self.daemon.records("pair_claim_ok").len(), 1);
        assert_eq!(self.daemon.records("pair_claim_failed").len(), 0);
    }
}

/// `fetch` that tells its status, or the kind of its failure.
const TRY: &str = "const tried = (promise) => promise.then((answer) => answer.type === 'opaque' ? 'opaque' : answer.status, (error) => error.name);";

/// Opens what has an `onopen` and waits for how it ends.
const DIAL: &str = "const dialled = (socket) => new Promise((done) => { socket.onopen = () => done('open'); socket.onerror = () => done('refused'); });";

/// Requests from a page of another origin, which the browser sends as `Origin`.
const WITH_ORIGIN: [&str; 14] = [
    "return tried(fetch(d + '/', { method: 'POST', body: command }));",
    "return tried(fetch(d + '/', { method: 'POST', body: command, credentials: 'include', keepalive: true }));",
    "return tried(fetch(d + '/', { method: 'POST', body: command, headers: { authorization: bearer, 'content-type': 'application/json' } }));",
    "return tried(fetch(d + '/', { method: 'PUT', body: command }));",
    "return tried(fetch(d + '/', { method: 'POST', body: command, mode: 'no-cors', headers: { 'content-type': 'text/plain' } }));",
    "return tried(fetch(d + '/pair/claim', { method: 'POST', body: JSON.stringify({ code }), mode: 'no-cors' }));",
    "return tried(fetch(d + '/pair/claim', { method: 'POST', body: JSON.stringify({ code }), headers: { 'content-type': 'application/json' } }));",
    "return tried(fetch(d + '/health'));",
    "return tried(fetch(d.replace('127.0.0.1', 'localhost') + '/', { method: 'POST', body: command }));",
    "navigator.sendBeacon(d + '/', command); return 'sent';",
    "const asked = new XMLHttpRequest(); asked.open('POST', d + '/'); return new Promise((done) => { asked.onerror = () => done('refused'); asked.send(command); });",
    "return dialled(new EventSource(d + '/'));",
    "const source = URL.createObjectURL(new Blob([`fetch('${d}/', { method: 'POST', body: '{}' }).then(() => postMessage('in'), () => postMessage('refused'))`])); return new Promise((done) => { new Worker(source).onmessage = ({ data }) => done(data); });",
    "return tried(fetch(d + '/ws', { mode: 'no-cors' }));",
];

/// Sockets, which tell an Origin too.
const SOCKETS: [&str; 3] = [
    "return dialled(new WebSocket(ws, protocols));",
    "return dialled(new WebSocket(ws.replace('127.0.0.1', 'localhost'), protocols));",
    "return dialled(new WebSocket(ws.replace('/ws', '/'), protocols));",
];

/// Requests without an Origin, of which the browser tells that another site makes them.
const WITHOUT_ORIGIN: [&str; 7] = [
    "return tried(fetch(d + '/health', { mode: 'no-cors' }));",
    "const image = new Image(); image.src = d + '/'; return new Promise((done) => { image.onload = () => done('in'); image.onerror = () => done('refused'); });",
    "return element('script', { src: d + '/health' });",
    "return element('link', { rel: 'stylesheet', href: d + '/health' });",
    "return element('video', { src: d + '/health' });",
    "return element('iframe', { src: d + '/health' });",
    "return element('embed', { src: d + '/health' });",
];

/// Puts an element on the page.
const ELEMENT: &str = "const element = (name, members) => {
    document.body.append(Object.assign(document.createElement(name), members)); };";

/// Forms, which a browser sends without a preflight. The first one smuggles JSON into `text/plain`.
const FORMS: [(&str, &str); 3] = [
    ("origin", "send('post', 'text/plain', command.slice(0, -1) + ',\"x\":\"', '\"}');"),
    ("origin", "send('post', 'multipart/form-data', 'code', code);"),
    ("fetch_site", "send('get', 'application/x-www-form-urlencoded', 'code', code);"),
];

const SEND: &str = "const send = (method, enctype, name, value) => {
    const frame = Object.assign(document.createElement('iframe'), { name: 'into' + Math.random() });
    const form = Object.assign(document.createElement('form'), { method, enctype, action: d + '/', target: frame.name });
    form.append(Object.assign(document.createElement('input'), { name, value }));
    document.body.append(frame, form);
    form.submit(); };";

fn with(helpers: &[&str], attack: &str) -> String {
    format!("{} {attack}", helpers.join(" "))
}

#[tokio::test]
async fn a_hostile_page_reaches_no_route_whatever_it_knows() {
    let rig = Rig::new().await;
    let siege = Siege::of(&rig.daemon).await;
    let port = rig.site.port();
    // A page of another site; and, less of it, one of the same site at another port, and the same by its other name.
    for (host, share) in [("evil.test", usize::MAX), ("127.0.0.1", 3), ("localhost", 3)] {
        let page = rig.browser.open(&format!("http://{host}:{port}/article.html")).await;
        page.until("document.readyState === 'complete'").await;
        for attack in WITH_ORIGIN.into_iter().take(share) {
            let outcome = siege.refuses("origin", &page, &with(&[TRY, DIAL], attack)).await;
            let kept_out =
                ["TypeError", "opaque", "refused", "sent"].iter().any(|word| outcome == *word);
            assert!(kept_out, "{attack} told the page {outcome}");
        }
        for attack in SOCKETS.into_iter().take(share) {
            assert_eq!(siege.refuses("origin", &page, &with(&[DIAL], attack)).await, "refused");
        }
        for attack in WITHOUT_ORIGIN.into_iter().take(share) {
            siege.refuses("fetch_site", &page, &with(&[TRY, ELEMENT], attack)).await;
        }
        for (layer, attack) in FORMS {
            siege.refuses(layer, &page, &with(&[SEND], attack)).await;
        }
        // What the browser itself stops never gets to the daemon.
        for mode in ["same-origin", "navigate"] {
            let attack = format!(
                "try {{ return await tried(fetch(d + '/health', {{ mode: '{mode}' }})); }} catch (error) {{ return error.name; }}"
            );
            assert_eq!(siege.run(&page, &with(&[TRY], &attack)).await, "TypeError");
        }
        // Finally it navigates there itself.
        siege
            .refuses("fetch_site", &page, "setTimeout(() => { location.href = d + '/health'; });")
            .await;
        page.until("document.body?.innerText.includes('UNAUTHORIZED')").await;
        page.close().await;
    }
    siege.ended().await;
    rig.browser.close().await;
}

#[tokio::test]
async fn a_sandboxed_frame_reaches_no_route() {
    let rig = Rig::new().await;
    let siege = Siege::of(&rig.daemon).await;
    let page =
        rig.browser.open(&format!("http://evil.test:{}/article.html", rig.site.port())).await;
    page.until("document.readyState === 'complete'").await;
    let posts = WITH_ORIGIN.into_iter().filter(|attack| !attack.contains("Worker"));
    for attack in posts.chain(SOCKETS) {
        // It has an origin of its own, which the browser tells as `null`.
        let inside = json!(with(&[TRY, DIAL], attack));
        let frame = format!(
            "const frame = Object.assign(document.createElement('iframe'), {{ sandbox: 'allow-scripts allow-forms' }});
            const loot = {{ d, ws, bearer, protocols, code, command }};
            frame.srcdoc = `<script>(async () => {{ const {{ d, ws, bearer, protocols, code, command }} = ${{JSON.stringify(loot)}}; ${{{inside}}} }})()
                .then((outcome) => parent.postMessage(outcome, '*'))<\\/script>`;
            const told = new Promise((done) => addEventListener('message', ({{ data }}) => done(data), {{ once: true }}));
            document.body.append(frame);
            return told;"
        );
        let outcome = siege.refuses("origin", &page, &frame).await;
        assert!(
            ["TypeError", "opaque", "refused", "sent"].iter().any(|word| outcome == *word),
            "{attack}: {outcome}"
        );
    }
    siege.ended().await;
    rig.browser.close().await;
}

#[tokio::test]
async fn a_name_that_was_rebound_to_this_machine_is_refused_at_the_first_layer() {
    let rig = Rig::new().await;
    let siege = Siege::of(&rig.daemon).await;
    let before = siege.refusals().len();
    // To the browser the daemon is now the page's own server: it tells all, and says that it is the same origin.
    let page = rig.browser.open(&format!("http://rebound.test:{}/", rig.daemon.port)).await;
    page.until("document.body?.innerText.includes('UNAUTHORIZED')").await;
    wait_for("its refusal", || (siege.refusals().len() > before).then_some(())).await;
    assert_eq!(
        page.evaluate("location.origin").await,
        format!("http://rebound.test:{}", rig.daemon.port)
    );
    for attack in [
        "return tried(fetch('/', { method: 'POST', body: command, headers: { authorization: bearer, 'content-type': 'application/json' } }));",
        "return tried(fetch('/', { headers: { authorization: bearer } }));",
        "return tried(fetch('/health'));",
        "return tried(fetch('/pair/claim', { method: 'POST', body: JSON.stringify({ code }), headers: { 'content-type': 'application/json' } }));",
        "return tried(fetch('/ws', { mode: 'same-origin' }));",
    ] {
        assert_eq!(siege.refuses("host", &page, &with(&[TRY], attack)).await, 401, "{attack}");
    }
    let dial = "return dialled(new WebSocket('ws://' + location.host + '/ws', protocols));";
    assert_eq!(siege.refuses("host", &page, &with(&[DIAL], dial)).await, "refused");
    siege.ended().await;
    rig.browser.close().await;
}

/// An extension that may talk to the daemon as far as the browser is concerned.
fn thief(folder: &Path) {
    let manifest = json!({
        "manifest_version": 3, "name": "thief", "version": "1",
        "background": {"service_worker": "thief.js"},
        "host_permissions": ["http://127.0.0.1/*", "http://localhost/*"],
    });
    for (name, text) in [
        ("manifest.json", manifest.to_string()),
        ("thief.js", String::new()),
        ("thief.html", "<!doctype html><title>thief</title><body>".to_owned()),
    ] {
        fs::write(folder.join(name), text).expect("a fresh folder");
    }
}

#[tokio::test]
async fn a_second_extension_with_the_stolen_tokens_reaches_no_route() {
    let folder = tempfile::tempdir().expect("a folder");
    thief(folder.path());
    let (daemon, site) = tokio::join!(Daemon::start(), Site::start());
    let launch = Launch { beside: Some(folder.path().to_owned()), ..Launch::default() };
    let browser = Browser::launch(launch).await;
    browser.pair(daemon.port, &daemon.pairing_code()).await;
    let rig = Rig { daemon, browser, site };
    let siege = Siege::of(&rig.daemon).await;
    let mut origin = None;
    while origin.is_none() {
        let targets = rig.browser.targets().await;
        let urls = targets.iter().filter_map(|target| target["url"].as_str());
        origin = urls.filter_map(|url| url.strip_suffix("/thief.js")).next().map(str::to_owned);
    }
    let origin = origin.expect("it has been found");
    assert!(!origin.contains(EXTENSION_ID));
    let page = rig.browser.open(&format!("{origin}/thief.html")).await;
    page.until("document.readyState === 'complete' && location.protocol === 'chrome-extension:'")
        .await;
    let dial = "return dialled(new WebSocket(ws, protocols));";
    assert_eq!(siege.refuses("origin", &page, &with(&[DIAL], dial)).await, "refused");
    for attack in [
        "return tried(fetch(d + '/', { method: 'POST', body: command, headers: { authorization: bearer, 'content-type': 'application/json' } }));",
        "return tried(fetch(d + '/', { method: 'POST', body: command }));",
    ] {
        assert_eq!(siege.refuses("origin", &page, &with(&[TRY], attack)).await, 401, "{attack}");
    }
    // Without an Origin, as the browser asks for an extension that may, only the token is left: a wrong one.
    let guess = "return tried(fetch(d + '/', { headers: { authorization: 'Bearer guess' } }));";
    assert_eq!(siege.refuses("secret", &page, &with(&[TRY], guess)).await, 401);
    siege.ended().await;
    rig.browser.close().await;
}
