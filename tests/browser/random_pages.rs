//! Identity by chance: random pages, with frames in them, that change and navigate at random moments around random acts.
//! The pages' own record of events, kept by their server, is the judge.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::identity::{ANSWERED, code};
use super::rig::{Rig, Visit, text};
use super::support::{Page, now_ms, request};

/// How long the property test runs. Seconds.
const SECONDS: &str = "BPROXY_IDENTITY_SECONDS";
/// From then on every kind of act is met. Seconds.
const LONG: u64 = 60;
/// With which seed.
const SEED: &str = "BPROXY_IDENTITY_SEED";
/// Tabs that are acted on at once, each in front of a window of its own.
const TABS: usize = 3;

/// Numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    fn one<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Changes that leave the document, the first more often than the others.
const QUIET: [&str; 16] = [
    "insert",
    "remove",
    "reorder",
    "replace",
    "swapIds",
    "swapTexts",
    "swapPlaces",
    "remove",
    "reorder",
    "replace",
    "replaceAll",
    "flipType",
    "leadElsewhere",
    "rebuild",
    "frame",
    "push",
];
/// Changes of the document.
const LEAVING: [&str; 7] =
    ["navigate", "cross", "reload", "back", "thereAndBack", "cross", "rewrite"];

/// Events at which a page may change in the middle of an act.
const EVENTS: [&str; 7] =
    ["pointerover", "pointerdown", "mousedown", "mouseup", "click", "input", "change"];

/// What an act was for, and when.
struct Act {
    tab: String,
    what: String,
    document: String,
    /// The identities that it may reach; all of the document if none is named.
    reaches: HashSet<String>,
    /// Whether it must have clicked the one.
    clicked: bool,
    began: i64,
    ended: i64,
}

/// One tab, the page in it, and what is known of its handles.
struct Player<'a> {
    visit: Visit<'a>,
    page: Page<'a>,
    tab: String,
    dice: Dice,
    /// Document, identity, kind and selector by handle.
    known: HashMap<String, [String; 4]>,
    /// The documents that were read last, that of the page first.
    here: Vec<String>,
    acts: Vec<Act>,
    outcomes: BTreeMap<String, usize>,
}

impl<'a> Player<'a> {
    async fn new(rig: &'a Rig, tab: usize, seed: u64) -> Self {
        let tab = format!("{tab}");
        let visit = rig.open_url(&address(rig, &tab, 1)).await;
        let page = rig.browser.find(&format!("tab={tab}&")).await;
        let eye = rig.browser.inspector().await;
        let own_window = format!(
            "chrome.tabs.query({{}}).then((tabs) => chrome.windows.create({{
                 tabId: tabs.find(({{ url }}) => url.includes('tab={tab}&')).id, focused: true }})).then(() => true)"
        );
        eye.evaluate(&own_window).await;
        page.until("document.visibilityState === 'visible'").await;
        eye.close().await;
        let dice = Dice(seed);
        Self {
            visit,
            page,
            tab,
            dice,
            known: HashMap::new(),
            here: Vec::new(),
            acts: Vec::new(),
            outcomes: BTreeMap::new(),
        }
    }

    /// Changes the page, acts on it, until the time is over.
    async fn play(mut self, until: Instant) -> Self {
        while Instant::now() < until {
            if !self.at_rest().await {
                let seed = self.dice.below(1_000_000);
                let fresh = address(self.visit.rig, &self.tab, seed);
                self.visit.ask("navigate", json!({"url": fresh})).await;
                continue;
            }
            if self.read().await.is_none() {
                continue;
            }
            for _ in 0..self.dice.below(3) {
                let change = *self.dice.one(&QUIET);
                self.change(change).await;
            }
            self.disturb().await;
            self.act().await;
        }
        self
    }

    /// Whether the page has come to rest on a page of the test within a moment.
    async fn at_rest(&self) -> bool {
        let rests = "typeof disarm === 'function' && (disarm(), inFrames('disarm'), window.ready === true && window.pending === 0 &&
                     document.readyState === 'complete' && document.getElementById('room').isConnected) &&
                     everywhere().then((all) => all !== null)";
        let end = Instant::now() + Duration::from_millis(800);
        while Instant::now() < end {
            if self.page.try_evaluate(rests).await == Some(json!(true)) {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    async fn census(&self) -> Option<Value> {
        self.page.try_evaluate("everywhere()").await.filter(Value::is_array)
    }

    /// Reads the page, and keeps which handle stands for which element.
    async fn read(&mut self) -> Option<()> {
        let before = self.census().await?;
        let read = *self.dice.one(&["elements", "elements", "links", "snapshot"]);
        let answer = self.visit.ask(read, json!({})).await;
        if self.census().await? != before || answer["ok"] != true {
            return None;
        }
        let documents = before.as_array().expect("documents");
        self.here = documents.iter().map(|it| text(&it["document"])).collect();
        let mut controls = HashMap::new();
        for document in documents {
            for control in document["controls"].as_array().expect("controls") {
                controls
                    .entry(text(&control[0]))
                    .or_insert_with(Vec::new)
                    .push((document, control));
            }
        }
        for [label, handle, selector] in listed(read, &answer["data"]) {
            // The options of an open list are in no census, and what two documents show alike is not known apart.
            let Some([(document, control)]) = controls.get(&label).map(Vec::as_slice) else {
                continue;
            };
            let document = text(&document["document"]);
            // By selector, elements of the page itself are acted on.
            let selector = if document == self.here[0] { selector } else { String::new() };
            let is = [document, text(&control[1]), text(&control[2]), selector];
            let known = self.known.insert(handle.clone(), is.clone());
            assert!(
                known.as_ref().is_none_or(|known| known[..2] == is[..2]),
                "{handle} stands for two elements: {known:?} and {is:?}"
            );
        }
        Some(())
    }

    async fn change(&mut self, kind: &str) {
        let seed = self.dice.below(1_000_000);
        let script = self.somewhere("change", &format!("'{kind}', {seed}"));
        self.page.try_evaluate(&script).await;
    }

    /// A call in the page, or now and then in its frames.
    fn somewhere(&mut self, call: &str, args: &str) -> String {
        match self.dice.below(3) {
            0 => format!("inFrames('{call}', {args})"),
            _ => format!("{call}({args})"),
        }
    }

    /// Prepares a change at some moment of the next act.
    async fn disturb(&mut self) {
        let seed = self.dice.below(1_000_000);
        let kind = match self.dice.below(3) {
            0 => *self.dice.one(&LEAVING),
            _ => *self.dice.one(&QUIET),
        };
        // Most acts begin within some milliseconds.
        let soon = *self.dice.one(&[4, 12, 40, 120]);
        let script = match self.dice.below(6) {
            0 => return,
            1 => {
                let script = self.somewhere("change", &format!("'{kind}', {seed}"));
                self.page.try_evaluate(&script).await;
                // The act meets the change at some moment of its own.
                let moment = self.dice.below(100) as u64;
                return tokio::time::sleep(Duration::from_millis(moment)).await;
            }
            2 | 3 => {
                let event = *self.dice.one(&EVENTS);
                self.somewhere("arm", &format!("'{event}', '{kind}', {seed}"))
            }
            _ => {
                let moment = self.dice.below(soon);
                self.somewhere("later", &format!("{moment}, '{kind}', {seed}"))
            }
        };
        self.page.try_evaluate(&script).await;
    }

    /// The handles that may stand for an element of one of these kinds; now and then one of an earlier page.
    fn handles(&self, document: &str, kinds: &[&str]) -> Vec<String> {
        let fits = |[of, _, kind, _]: &[String; 4]| {
            of == document && (kinds.is_empty() || kinds.contains(&kind.as_str()))
        };
        let mut handles: Vec<_> = self
            .known
            .iter()
            .filter(|(_, is)| fits(is))
            .map(|(handle, _)| handle.clone())
            .collect();
        handles.sort();
        handles
    }

    async fn act(&mut self) {
        let Some(document) = self.known_document() else { return };
        let fields = ["text", "password", "textarea", "checkbox"];
        let (action, kinds, count) = match self.dice.below(10) {
            0..4 => ("click", &[][..], 1),
            4..6 => ("fill", &fields[..], 1),
            6 => ("fill-form", &fields[..], 3),
            7 => ("select", &["select-one", "combobox"][..], 1),
            8 => ("hover", &[][..], 1),
            _ => ("scroll", &[][..], 1),
        };
        let all = self.handles(&document, kinds);
        if all.is_empty() {
            return;
        }
        let chosen: Vec<_> = (0..count).map(|_| self.dice.one(&all).clone()).collect();
        // By selector, only the document is what was read.
        let by_selector = self.dice.below(4) == 0;
        let selector = |handle: &String| self.known[handle][3].clone();
        let by_selector = by_selector && chosen.iter().all(|it| !selector(it).is_empty());
        let target = |handle: &String| match by_selector {
            true => json!({"selector": selector(handle)}),
            false => json!({"handle": handle}),
        };
        let method = *self.dice.one(&["direct", "paste"]);
        let field = |handle: &String| json!({"target": target(handle), "value": "true", "method": method, "world": "isolated"});
        let params = match action {
            "fill" => field(&chosen[0]),
            "fill-form" => json!({"fields": chosen.iter().map(field).collect::<Vec<_>>()}),
            "select" => json!({"trigger": target(&chosen[0]), "optionText": "green"}),
            _ => json!({"target": target(&chosen[0])}),
        };
        let began = now_ms();
        let asked = request(action).session(&self.visit.session).params(params).within(ANSWERED);
        let answer = self.visit.rig.daemon.send(asked).await.json();
        let ended = now_ms();
        let outcome = code(&answer);
        if outcome == "TIMEOUT" {
            let log = self.visit.run(&["debug", "log"]).await;
            panic!("{action} of {chosen:?} got no answer: {answer}\n{log:?}");
        }
        let is: Vec<_> = chosen.iter().map(|handle| self.known[handle].clone()).collect();
        let way = match by_selector {
            true => " by selector",
            false if self.here[1..].contains(&is[0][0]) => " in a frame",
            false => "",
        };
        *self.outcomes.entry(format!("{action}{way} {outcome}")).or_default() += 1;
        // Now and then it is tried again: it must not have come back as another one.
        if outcome == "ELEMENT_HANDLE_STALE" && self.dice.below(4) > 0 {
            self.known.remove(&chosen[0]);
        }
        self.acts.push(Act {
            tab: self.tab.clone(),
            what: format!("{action}{way} of {chosen:?} {is:?}, answered {answer}"),
            document: if by_selector { self.here[0].clone() } else { is[0][0].clone() },
            reaches: is.iter().filter(|_| !by_selector).map(|it| it[1].clone()).collect(),
            clicked: action == "click" && outcome == "ok",
            began,
            ended,
        });
    }

    /// One of the documents that were read last, now and then one before them.
    fn known_document(&mut self) -> Option<String> {
        let mut documents: Vec<_> = self.known.values().map(|[of, ..]| of.clone()).collect();
        documents.sort();
        documents.dedup();
        let newest: Vec<_> =
            documents.iter().filter(|it| self.here.contains(it)).cloned().collect();
        if self.dice.below(12) == 0 || newest.is_empty() {
            return (!documents.is_empty()).then(|| self.dice.one(&documents).clone());
        }
        Some(self.dice.one(&newest).clone())
    }
}

fn address(rig: &Rig, tab: &str, seed: usize) -> String {
    let other = rig.site.other_url("");
    rig.site
        .url(&format!("identity.html?tab={tab}&seed={seed}&other={}", other.trim_end_matches('/')))
}

/// The label, handle and selector of each entry of an answer; no selector where there is none.
fn listed(read: &str, data: &Value) -> Vec<[String; 3]> {
    if read == "snapshot" {
        let line = |line: &str| {
            let (name, rest) = line.split_once(" \"")?.1.split_once("\" [")?;
            Some([name.to_owned(), rest.split(']').next()?.to_owned(), String::new()])
        };
        return text(&data["tree"]).lines().filter_map(line).collect();
    }
    let label = if read == "links" { "text" } else { "label" };
    let entry = |it: &Value| {
        let selector = it["selector"].as_str().unwrap_or_default();
        Some([
            it[label].as_str()?.to_owned(),
            it["handle"].as_str()?.to_owned(),
            selector.to_owned(),
        ])
    };
    data[read].as_array().expect("entries").iter().filter_map(entry).collect()
}

/// Asserts that each event reached what its act was for, and each click that was done its element.
fn judge(acts: &[Act], records: &[Value]) {
    let at = |record: &Value| record["at"].as_i64().expect("a time");
    // The acts of a tab follow one another.
    let mut of_tabs: HashMap<&str, Vec<(usize, &Act)>> = HashMap::new();
    for (index, act) in acts.iter().enumerate() {
        of_tabs.entry(&act.tab).or_default().push((index, act));
    }
    let mut reached = HashSet::new();
    for record in records {
        let of_tab = &of_tabs[record["tab"].as_str().expect("a tab")];
        let begun = of_tab.partition_point(|(_, it)| it.began <= at(record));
        let ended = of_tab.partition_point(|(_, it)| it.ended < at(record));
        let mut near = of_tab[ended.min(begun)..begun].iter();
        let identity = text(&record["identity"]);
        let meant = |act: &Act| {
            let any = act.reaches.is_empty() || act.reaches.contains(&identity);
            // An option is chosen of the list that opens.
            let option = identity.starts_with("li-") && act.what.starts_with("select");
            record["document"] == *act.document && (any || option)
        };
        let told: Vec<_> = near.clone().map(|(_, it)| &it.what).collect();
        let act = near.find(|(_, it)| meant(it));
        let &(index, _) = act.unwrap_or_else(|| panic!("{record} was reached by {told:#?}"));
        if record["type"] == "click" || record["type"] == "mousedown" {
            reached.insert(index);
        }
    }
    for (index, act) in acts.iter().enumerate().filter(|(_, it)| it.clicked) {
        assert!(reached.contains(&index), "nothing was clicked by {}", act.what);
    }
}

#[tokio::test]
async fn whatever_a_page_does_an_act_reaches_the_element_that_was_read_or_nothing() {
    let number = |name: &str| std::env::var(name).ok().map(|it| it.parse().expect("a number"));
    let seconds = number(SECONDS).unwrap_or(12);
    let seed = number(SEED).unwrap_or_else(|| now_ms().unsigned_abs());
    println!("{SEED}={seed} {SECONDS}={seconds}");
    let rig = Rig::new().await;
    let mut players = Vec::new();
    for tab in 0..TABS {
        players.push(Player::new(&rig, tab, seed + tab as u64).await);
    }
    let until = Instant::now() + Duration::from_secs(seconds);
    let players =
        futures_util::future::join_all(players.into_iter().map(|it| it.play(until))).await;

    // All that is on its way arrives within a moment.
    let mut count = usize::MAX;
    while rig.site.records().len() != count {
        count = rig.site.records().len();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let mut outcomes = BTreeMap::new();
    for player in &players {
        for (outcome, times) in &player.outcomes {
            *outcomes.entry(outcome.clone()).or_default() += times;
        }
    }
    let acts: Vec<_> = players.into_iter().flat_map(|it| it.acts).collect();
    println!("{} acts, {count} events: {outcomes:#?}", acts.len());
    judge(&acts, &rig.site.records());
    let done = outcomes
        .iter()
        .filter(|(outcome, _)| outcome.ends_with(" ok"))
        .map(|(_, times)| times)
        .sum::<usize>();
    assert!(done > 0 && done < acts.len(), "some acts are done, and some refused: {outcomes:?}");
    let framed = outcomes.keys().any(|it| it.ends_with(" in a frame ok"));
    assert!(framed || seconds < LONG, "acts in frames are done: {outcomes:?}");
    rig.browser.close().await;
}
