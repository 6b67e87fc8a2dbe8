//! The order of refusals: with many things wrong at once, the first of the protocol's order wins.

use proptest::{prelude::*, sample::select};
use serde_json::json;

use super::*;

/// Which session the request names.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Session {
    None,
    Malformed,
    Unknown,
    /// With two tabs and bound to the first.
    Bound,
    Unbound,
}

/// Which tab the request names.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Tab {
    Unnamed,
    Own,
    OfAnother,
    Nowhere,
}

/// Which handle the request names.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Handle {
    Fresh,
    Unknown,
    Stale,
    OfAnotherTab,
}

/// Which id the request has.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Id {
    Fresh,
    /// That of a pending command of the session that it names then.
    Pending,
    /// That of a pending command of a session that it does not name.
    PendingElsewhere,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Action {
    Local,
    Open,
    OnTab(Tab),
    WithHandle(Handle),
}

#[derive(Clone, Copy, Debug)]
struct Case {
    id: Id,
    session: Session,
    action: Action,
    own_browser: bool,
    other_browser: bool,
    paused: bool,
    late: bool,
    full: bool,
}

/// What the protocol says; none if the command is let in.
fn expected(case: &Case) -> Option<&'static str> {
    if case.id == Id::Pending {
        return None;
    }
    match case.session {
        Session::None if case.action != Action::Open => return Some("SESSION_REQUIRED"),
        Session::Malformed => return Some("INVALID_SESSION_ID"),
        Session::Unknown => return Some("SESSION_NOT_FOUND"),
        _ => {}
    }
    if case.action == Action::Local {
        return None;
    }
    let bound = case.session == Session::Bound;
    let any = case.own_browser || case.other_browser;
    let found = match case.action {
        Action::OnTab(Tab::Own) => true,
        Action::OnTab(Tab::Unnamed) | Action::WithHandle(_) => bound,
        _ => false,
    };
    let reachable = if found { case.own_browser } else { any };
    if !reachable {
        return Some("NO_EXTENSION");
    }
    if case.paused && case.session != Session::None {
        return Some("HUMAN_REQUIRED");
    }
    let about_tab = match case.action {
        Action::OnTab(Tab::OfAnother) => Some("TAB_NOT_IN_SESSION"),
        Action::OnTab(Tab::Nowhere) => Some("TAB_HANDLE_NOT_FOUND"),
        Action::OnTab(Tab::Unnamed) | Action::WithHandle(_) if !bound => Some("TAB_NOT_FOUND"),
        _ => None,
    };
    let about_handle = match case.action {
        Action::WithHandle(Handle::Unknown) => Some("ELEMENT_HANDLE_NOT_FOUND"),
        Action::WithHandle(Handle::Stale) => Some("ELEMENT_HANDLE_STALE"),
        Action::WithHandle(Handle::OfAnotherTab) => Some("ELEMENT_HANDLE_SCOPE_MISMATCH"),
        _ => None,
    };
    about_tab
        .or(about_handle)
        .or(case.late.then_some("TIMEOUT"))
        .or(case.full.then_some("OVERLOADED"))
}

/// What the state says; none if the command is let in.
fn actual(case: &Case) -> Option<String> {
    let mut rig = Rig::new();
    let own = rig.browser("own");
    let session = rig.open(own, 7);
    rig.open_in(own, &session, 8);
    let other = rig.open(own, 9);
    for tab in [10, 11] {
        rig.open_in(own, &other, tab);
    }
    let read = |rig: &mut Rig, action, tab| {
        rig.bind(&session, Some(tab), "fast");
        let client = rig.ask(action, &session, json!({}));
        let entries = json!([{"selector": "a", "target": {"selector": "a"}}]);
        rig.answer(own, &client.id, json!({"elements": entries, "links": entries}));
    };
    read(&mut rig, "elements", "t2");
    read(&mut rig, "elements", "t1");
    rig.navigated(own, 7, "http://next/");
    read(&mut rig, "links", "t1");
    if case.session == Session::Unbound {
        rig.ask("session.unbind", &session, json!({})).data();
    }
    if case.paused {
        let pausing = rig.ask("tab.open", &session, json!({"url": "u"}));
        rig.answer_error(own, &pausing.id, "HUMAN_REQUIRED", "captcha");
    }
    let count = if case.full { 100 } else { 1 };
    let fill = |at| call("text", &other, json!({})).id(&format!("pending{at}"));
    let _waiting: Vec<_> = (0..count).map(|at| rig.send(&fill(at))).collect();
    if case.other_browser {
        rig.browser("other");
    }
    if !case.own_browser {
        rig.disconnect(own);
    }

    let session = match case.session {
        Session::None => "",
        Session::Malformed => "nonsense",
        Session::Unknown => "zzzzzz",
        Session::Bound | Session::Unbound => &session,
    };
    let session = if case.id == Id::Pending { &other } else { session };
    let (action, params) = match case.action {
        Action::Local => ("tab.list", json!({})),
        Action::Open => ("tab.open", json!({"url": "u"})),
        Action::OnTab(Tab::Unnamed) => ("tab.pin", json!({})),
        Action::OnTab(Tab::Own) => ("tab.pin", json!({"tab": "t2"})),
        Action::OnTab(Tab::OfAnother) => ("tab.pin", json!({"tab": "t3"})),
        Action::OnTab(Tab::Nowhere) => ("tab.pin", json!({"tab": "t4"})),
        Action::WithHandle(handle) => {
            let handle = match handle {
                Handle::Fresh => "ln1",
                Handle::Unknown => "ln3",
                Handle::Stale => "el2",
                Handle::OfAnotherTab => "el1",
            };
            ("click", json!({"target": {"handle": handle}}))
        }
    };
    let mut call = call(action, session, params);
    if case.late {
        call = call.timeout_ms(0);
    }
    if case.id != Id::Fresh {
        call = call.id("pending0");
    }
    let reply = rig.send(&call).poll()?;
    reply["error"]["code"].as_str().map(str::to_owned)
}

fn cases() -> impl Strategy<Value = Case> {
    let sessions = select(vec![
        Session::None,
        Session::Malformed,
        Session::Unknown,
        Session::Bound,
        Session::Bound,
        Session::Unbound,
    ]);
    let actions = select(vec![
        Action::Local,
        Action::Open,
        Action::OnTab(Tab::Unnamed),
        Action::OnTab(Tab::Own),
        Action::OnTab(Tab::OfAnother),
        Action::OnTab(Tab::Nowhere),
        Action::WithHandle(Handle::Fresh),
        Action::WithHandle(Handle::Unknown),
        Action::WithHandle(Handle::Stale),
        Action::WithHandle(Handle::OfAnotherTab),
    ]);
    let rarely = || prop::bool::weighted(0.2);
    let mostly = || prop::bool::weighted(0.7);
    let ids = select(vec![Id::Fresh, Id::Fresh, Id::Fresh, Id::Pending, Id::PendingElsewhere]);
    (ids, sessions, actions, mostly(), mostly(), rarely(), rarely(), rarely()).prop_map(
        |(id, session, action, own_browser, other_browser, paused, late, full)| Case {
            id,
            session,
            action,
            own_browser,
            other_browser,
            paused,
            late,
            full,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_first_refusal_of_the_protocols_order_wins(case in cases()) {
        let actual = actual(&case);
        prop_assert_eq!(actual.as_deref(), expected(&case));
    }
}
