//! The wire as a client sees it: routes and statuses, envelopes, validation of every action, the forwarded message.

use std::time::Duration;

use bproxy::protocol::Action;
use serde_json::{Value, json};

use crate::support::{
    Client, Command, Daemon, FakeExtension, Golden, Reply, Tab, now_ms, page, request,
};

/// The largest body that the daemon reads.
const BODY_LIMIT: usize = 1 << 20;

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

async fn call(client: &Client, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut connection = client.connect().await;
    let (host, bearer, length) = (client.host(), client.bearer(), body.len().to_string());
    let mut all = vec![("Host", &*host), ("Authorization", &*bearer), ("Content-Length", &*length)];
    all.extend_from_slice(headers);
    connection.request(line, &all, body).await;
    Reply(connection.response().await)
}

const JSON: (&str, &str) = ("Content-Type", "application/json");

// --- routes and statuses ---

#[tokio::test]
async fn a_command_travels_to_the_extension_and_back() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let (command, reply) =
        ext.exchange(&daemon, tab.request("text"), json!({"text": "All is well."})).await;
    assert_eq!(command.tab_id(), Some(tab.id));
    assert_eq!(reply.data(), json!({"text": "All is well."}));
}

#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405() {
    let daemon = Daemon::start().await;
    for path in ["/nothing", "/ws/", "/pair", "/health/x", "//", "/favicon.ico"] {
        daemon.get(path).await.refused(404, "NOT_FOUND");
        call(&daemon, &format!("POST {path}"), &[JSON], b"{}").await.refused(404, "NOT_FOUND");
    }
    for line in ["GET /", "PUT /", "DELETE /", "PATCH /", "POST /health"] {
        call(&daemon, line, &[], b"").await.refused(405, "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn a_body_of_another_media_type_is_415() {
    let daemon = Daemon::start().await;
    let body = request("session.list").bytes();
    call(&daemon, "POST /", &[], &body).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
        "text/json",
        "json",
        "",
    ] {
        let reply = call(&daemon, "POST /", &[("Content-Type", media_type)], &body).await;
        reply.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    for media_type in
        ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
    {
        call(&daemon, "POST /", &[("Content-Type", media_type)], &body).await.data();
    }
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_413_and_one_of_exactly_that_is_read() {
    let daemon = Daemon::start().await;
    let mut body = request("session.list").bytes();
    body.resize(BODY_LIMIT, b' ');
    daemon.post(&body).await.data();
    body.push(b' ');
    daemon.post(&body).await.refused(413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn a_chunked_body_is_read_and_bounded_like_any_other() {
    let daemon = Daemon::start().await;
    let (host, bearer) = (daemon.host(), daemon.bearer());
    let head =
        [("Host", &*host), ("Authorization", &*bearer), JSON, ("Transfer-Encoding", "chunked")];

    let mut connection = daemon.connect().await;
    connection.request("POST /", &head, b"").await;
    for part in request("session.list").bytes().chunks(7) {
        connection.write(format!("{:x}\r\n", part.len())).await;
        connection.write(part).await;
        connection.write("\r\n").await;
    }
    connection.write("0\r\n\r\n").await;
    Reply(connection.response().await).data();

    let mut connection = daemon.connect().await;
    connection.request("POST /", &head, b"").await;
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    for _ in 0..=BODY_LIMIT / 0x10000 {
        connection.write(&chunk).await;
    }
    Reply(connection.response().await).refused(413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn statuses_are_decided_in_their_order() {
    let daemon = Daemon::start().await;
    let large = vec![b'x'; BODY_LIMIT + 1];
    let text = ("Content-Type", "text/plain");
    // Everything wrong at once; from line to line the first fault is mended.
    call(&daemon, "POST /nothing", &[text], &large).await.refused(404, "NOT_FOUND");
    call(&daemon, "PUT /", &[text], &large).await.refused(405, "METHOD_NOT_ALLOWED");
    call(&daemon, "POST /", &[text], &large).await.refused(415, "UNSUPPORTED_MEDIA_TYPE");
    call(&daemon, "POST /", &[JSON], &large).await.refused(413, "PAYLOAD_TOO_LARGE");
    call(&daemon, "POST /", &[JSON], &large[..100]).await.refused(400, "BAD_REQUEST");
    let no_session = request("text").session("zzzzzz");
    daemon.send(no_session).await.error("SESSION_NOT_FOUND");
    let session = daemon.new_session().await;
    daemon.send(request("text").session(&session)).await.error("NO_EXTENSION");
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let daemon = Daemon::start().await;
    let mut connection = daemon.connect().await;
    for _ in 0..3 {
        daemon.post_on(&mut connection, &request("session.list").bytes()).await;
        Reply(connection.response().await).data();
        daemon.post_on(&mut connection, b"{").await;
        Reply(connection.response().await).refused(400, "BAD_REQUEST");
    }
}

// --- the request envelope ---

#[tokio::test]
async fn a_body_that_is_no_json_object_is_400() {
    let daemon = Daemon::start().await;
    let deep = "[".repeat(100_000);
    let valid = request("session.list").0.to_string();
    let cut = &valid[..valid.len() - 1];
    let twice = format!("{valid}{valid}");
    for body in ["", " ", "null", "[]", "\"text\"", "17", "{", "{}}", cut, &twice, &deep] {
        daemon.post(body.as_bytes()).await.refused(400, "BAD_REQUEST");
    }
    daemon.post(b"{\"id\":\"\xff\xfe\"}").await.refused(400, "BAD_REQUEST");
    daemon.send(request("session.list")).await.data();
}

#[tokio::test]
async fn a_missing_or_ill_typed_envelope_field_is_400_and_named() {
    let daemon = Daemon::start().await;
    for field in ["protocol_version", "id", "action", "deadline"] {
        let message =
            daemon.send(request("session.list").without(field)).await.refused(400, "BAD_REQUEST");
        assert!(message.contains(field), "{field} is missing, but: {message}");
    }
    let wrong = [
        ("protocol_version", json!(2)),
        ("protocol_version", json!(0)),
        ("protocol_version", json!("1")),
        ("id", json!("")),
        ("id", json!("x".repeat(129))),
        ("id", json!(7)),
        ("action", json!("")),
        ("action", json!("eval")),
        ("action", json!("Text")),
        ("action", json!(["text"])),
        ("deadline", json!("soon")),
        ("deadline", json!(1.5)),
        ("params", json!([])),
        ("params", json!("{}")),
        ("session", json!(5)),
        ("destructive", json!("yes")),
        ("destructive", json!(0)),
    ];
    let nulls =
        ["protocol_version", "id", "action", "deadline", "params", "session", "destructive"];
    for (field, value) in wrong.into_iter().chain(nulls.map(|field| (field, Value::Null))) {
        let message = daemon
            .send(request("session.list").set(field, value.clone()))
            .await
            .refused(400, "BAD_REQUEST");
        assert!(message.contains(field), "{field} is {value}, but: {message}");
    }
}

#[tokio::test]
async fn an_id_has_1_to_128_characters() {
    let daemon = Daemon::start().await;
    for id in [
        "x".to_owned(),
        "x".repeat(128),
        "é".repeat(128),
        "id with \"quotes\"\nand a line break".to_owned(),
    ] {
        let reply = daemon.send(request("session.list").named(&id)).await;
        reply.data();
        assert_eq!(reply.json()["id"], id);
        // Whatever an id holds, it stays within its record.
        daemon.record("response", |record| record["id"] == id.as_str()).await;
    }
}

#[tokio::test]
async fn the_optional_envelope_fields_have_defaults() {
    let daemon = Daemon::start().await;
    let bare = request("session.create").0;
    assert_eq!(keys(&bare), ["action", "deadline", "id", "protocol_version"]);
    daemon.post(bare.to_string().as_bytes()).await.data();
    // The default session is the empty one, which is none.
    daemon.send(request("text")).await.error("SESSION_REQUIRED");
    daemon.send(request("text").session("")).await.error("SESSION_REQUIRED");
}

#[tokio::test]
async fn a_deadline_that_has_passed_is_a_timeout_and_reaches_no_extension() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for deadline in [0, -5, now_ms() - 1] {
        let error =
            daemon.send(tab.request("text").set("deadline", deadline)).await.error("TIMEOUT");
        assert_eq!(
            (&error["category"], &error["retry"]),
            (&json!("transport"), &json!("conditional"))
        );
        let clock = error["details"]["now"].as_i64().expect("the daemon's clock");
        assert!((0..60_000).contains(&(now_ms() - clock)), "{error}");
    }
    daemon
        .send(request("tab.open").params(json!({"url": "about:blank"})).set("deadline", 1))
        .await
        .error("TIMEOUT");
    ext.has_nothing().await;
    daemon.send(request("session.list").set("deadline", 0)).await.data();
}

#[tokio::test]
async fn a_far_deadline_is_capped_and_forwarded_capped() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for deadline in [now_ms() + 24 * 3_600_000, i64::MAX] {
        let before = now_ms();
        let (command, reply) = ext
            .exchange(&daemon, tab.request("text").set("deadline", deadline), json!({"text": ""}))
            .await;
        reply.data();
        let forwarded = command.json["deadline"].as_i64().expect("an integer");
        assert!(
            (before + 600_000..=now_ms() + 600_000).contains(&forwarded),
            "{}",
            forwarded - before
        );
    }
    let near = now_ms() + 30_000;
    let (command, _) =
        ext.exchange(&daemon, tab.request("text").set("deadline", near), json!({"text": ""})).await;
    assert_eq!(command.json["deadline"], near);
}

// --- what is forwarded ---

#[tokio::test]
async fn the_extension_receives_seven_fields_and_the_target_and_nothing_else() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let deadline = now_ms() + 20_000;

    let full = tab
        .request("text")
        .named("01HZX9C2K8")
        .params(json!({"selector": "main"}))
        .set("deadline", deadline)
        .set("destructive", true)
        .set("target", json!({"tabId": 1}))
        .set("colour", "red");
    let (command, _) = ext.exchange(&daemon, full, json!({"text": ""})).await;
    assert_eq!(
        command.json,
        json!({"protocol_version": 1, "id": "01HZX9C2K8", "action": "text", "params": {"selector": "main"},
            "session": tab.session, "deadline": deadline, "destructive": true, "target": {"tabId": tab.id}})
    );

    let (command, _) = ext
        .exchange(&daemon, tab.request("text").set("deadline", deadline), json!({"text": ""}))
        .await;
    assert_eq!(
        command.json,
        json!({"protocol_version": 1, "id": command.id(), "action": "text", "params": {},
            "session": tab.session, "deadline": deadline, "destructive": false, "target": {"tabId": tab.id}})
    );
}

#[tokio::test]
async fn a_forwarded_open_has_a_null_target_and_the_session_that_it_will_create() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let open = request("tab.open").params(json!({"url": "https://example.org/"}));
    let (command, reply) =
        ext.exchange(&daemon, open, json!({"tabId": 5, "url": "https://example.org/"})).await;
    assert_eq!(command.json.get("target"), Some(&Value::Null));
    assert_eq!(command.json["session"], reply.data()["session"]);
    assert_eq!(keys(&command.json).len(), 8, "{}", command.raw);
}

// --- the answers ---

#[tokio::test]
async fn a_success_has_exactly_the_fields_of_its_envelope() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let page = json!({"url": "https://example.org/a?b=c", "title": "Ünïcode \"title\"", "state": "loading", "busy": true});
    let answer = json!({"protocol_version": 1, "id": command.id(), "ok": true, "data": {"text": "x"},
        "page": page, "replay": true, "colour": "red"});
    ext.send(answer.to_string()).await;
    let reply = reading.reply().await;
    assert_eq!(
        reply.json(),
        json!({"protocol_version": 1, "id": command.id(), "ok": true, "data": {"text": "x"}, "page": page, "replay": true})
    );
    assert!(
        reply
            .0
            .header("content-type")
            .is_some_and(|media_type| media_type.starts_with("application/json"))
    );

    let local = request("session.list");
    assert_eq!(
        daemon.send(local.clone()).await.json()["page"],
        json!({"url": "", "title": "", "state": "ready", "busy": false})
    );
    assert_eq!(
        keys(&daemon.send(local).await.json()),
        ["data", "id", "ok", "page", "protocol_version", "replay"]
    );
}

#[tokio::test]
async fn replay_is_false_unless_the_extension_says_a_boolean() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for (said, told) in
        [(json!(true), true), (json!(false), false), (json!("yes"), false), (json!(1), false)]
    {
        let reading = daemon.begin(tab.request("text"));
        let command = ext.receive().await;
        let mut answer = ext.success(&command, json!({"text": ""}));
        answer["replay"] = said;
        ext.send(answer.to_string()).await;
        assert_eq!(reading.reply().await.json()["replay"], told);
    }
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    let mut answer = ext.success(&command, json!({"text": ""}));
    answer.as_object_mut().expect("an object").remove("replay");
    ext.send(answer.to_string()).await;
    assert_eq!(reading.reply().await.json()["replay"], false);
}

/// Lets the extension answer one `text` with `error` and gives what the client gets.
async fn error_for(daemon: &Daemon, ext: &mut FakeExtension, tab: &Tab, error: Value) -> Value {
    let reading = daemon.begin(tab.request("text"));
    let command = ext.receive().await;
    ext.send(json!({"id": command.id(), "ok": false, "error": error}).to_string()).await;
    let reply = reading.reply().await;
    assert_eq!(keys(&reply.json()), ["error", "id", "ok", "protocol_version"]);
    assert_eq!(reply.status(), 200);
    reply.json()["error"].clone()
}

#[tokio::test]
async fn an_error_of_the_extension_gets_the_category_and_retry_of_its_code() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for (code, category, retry) in [
        ("ELEMENT_NOT_FOUND", "target", "conditional"),
        ("ELEMENT_NOT_ACTIONABLE", "target", "conditional"),
        ("SELECTOR_AMBIGUOUS", "target", "conditional"),
        ("SCRIPT_ERROR", "execution", "conditional"),
        ("NAVIGATION_FAILED", "execution", "conditional"),
        ("TAB_NOT_VISIBLE", "execution", "conditional"),
        ("PAGE_BLOCKED", "execution", "conditional"),
        ("DEBUGGER_DISABLED", "policy", "never"),
        ("SOMETHING_NEW", "execution", "conditional"),
    ] {
        let error = error_for(
            &daemon,
            &mut ext,
            &tab,
            json!({"code": code, "message": "It is so; \"really\"."}),
        )
        .await;
        assert_eq!(
            (&error["code"], &error["category"], &error["retry"]),
            (&json!(code), &json!(category), &json!(retry))
        );
        assert_eq!(error["message"], "It is so; \"really\".");
    }
}

#[tokio::test]
async fn suggestion_and_details_of_an_error_pass_without_raw_tab_ids() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let sent = json!({"code": "ELEMENT_NOT_FOUND", "message": format!("nothing in tab {}", tab.id),
        "suggestedAction": "bproxy elements", "details": {"count": 0, "tabId": tab.id, "frame": {"tabId": tab.id, "x": 1}}});
    let error = error_for(&daemon, &mut ext, &tab, sent).await;
    assert_eq!(error["suggestedAction"], "bproxy elements");
    assert_eq!(error["details"], json!({"count": 0, "frame": {"x": 1}}));
    assert_eq!(
        error["message"],
        format!("nothing in tab {}", tab.id),
        "message text passes as it is"
    );
}

#[tokio::test]
async fn data_reach_the_client_unchanged_but_for_raw_tab_ids() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let reading = daemon.begin(tab.request("inspect").params(json!({"selector": "p"})));
    let command = ext.receive().await;
    // Numbers that do not survive a detour over 64-bit ones, and an escape that need not be one.
    let data = r#"{"elements":[{"n":12345678901234567890123,"f":1.0,"s":"\u00e9\/"}],"total":1}"#;
    let page = page("https://example.org/");
    ext.send(format!(r#"{{"id":"{}","ok":true,"data":{data},"page":{page}}}"#, command.id())).await;
    let body = reading.reply().await.0.text();
    assert!(body.contains("12345678901234567890123") && body.contains("1.0"), "{body}");

    let (_, reply) =
        ext.exchange(&daemon, tab.request("text"), json!({"text": "", "tabId": tab.id})).await;
    assert_eq!(reply.data(), json!({"text": ""}));
}

#[tokio::test]
async fn the_entries_of_the_extensions_log_name_logical_tabs() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let entries = json!([{"id": "a", "tab": tab.id}, {"id": "b", "tab": 999_999_999}, {"id": "c", "tab": null}, {"id": "d"}]);
    let (_, reply) =
        ext.exchange(&daemon, tab.request("debug.log"), json!({"entries": entries})).await;
    let entries = reply.data()["entries"].clone();
    assert_eq!(entries[0], json!({"id": "a", "tab": "t1"}));
    assert_eq!(entries[1], json!({"id": "b", "tab": null}));
    assert_eq!(entries[2], json!({"id": "c", "tab": null}));
    assert_eq!(entries[3]["id"], "d");
}

#[tokio::test]
async fn every_failure_says_what_to_do_next() {
    let daemon = Daemon::start().await;
    let session = daemon.new_session().await;
    for (refused, code) in [
        (request("text"), "SESSION_REQUIRED"),
        (request("text").session("NOPE"), "INVALID_SESSION_ID"),
        (request("text").session("zzzzzz"), "SESSION_NOT_FOUND"),
        (request("text").session(&session), "NO_EXTENSION"),
    ] {
        let error = daemon.send(refused).await.error(code);
        assert!(
            error["suggestedAction"].as_str().is_some_and(|action| action.contains("bproxy ")),
            "{error}"
        );
    }
}

// --- every action, by the golden files ---

/// Whether two values are the same, where 1.0 is 1.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| other.get(key).is_some_and(|it| is_same(one, it)))
        }
        _ => one == other,
    }
}

/// Checks that data are what their type says, and nothing more.
fn assert_typed(action: &str, data: &Value) {
    match Action::typed_data(action, &data.to_string()).expect("an action") {
        Ok(typed) => assert!(is_same(&typed, data), "{action}: {typed} is not {data}"),
        Err(error) => panic!("{action}: {error} in {data}"),
    }
}

#[tokio::test]
async fn invalid_parameters_of_every_action_are_400_and_named_before_anything_else_is_judged() {
    // There is no session and no browser: the validity of a request does not depend on them.
    let daemon = Daemon::start().await;
    let mut faults = Vec::new();
    for golden in Golden::all() {
        let nulls = golden.valid.iter().flat_map(|valid| {
            let fields = keys(&valid.params).into_iter().map(str::to_owned).collect::<Vec<_>>();
            fields.into_iter().map(|field| {
                let mut params = valid.params.clone();
                params[&field] = Value::Null;
                (format!("{} with a null {field}", valid.name), params, field)
            })
        });
        let invalid =
            golden.invalid.iter().map(|it| (it.name.clone(), it.params.clone(), it.field.clone()));
        for (name, params, field) in nulls.chain(invalid) {
            let reply = daemon.send(request(&golden.action).params(params)).await;
            let message = reply.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
            if reply.status() != 400
                || reply.json()["error"]["code"] != "BAD_REQUEST"
                || !message.contains(&field)
            {
                faults.push(format!(
                    "{}, {name}: {} {}",
                    golden.action,
                    reply.status(),
                    reply.0.text()
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test]
async fn valid_parameters_of_every_extension_action_are_forwarded_and_their_data_come_back() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.numbering_extension("golden").await;
    for golden in Golden::all().into_iter().filter(|golden| !golden.is_daemon_local()) {
        for valid in golden.valid {
            let what = format!("{}, {}", golden.action, valid.name);
            let tab = ext.open_tab(&daemon).await;
            let request = tab.request(&golden.action).params(valid.params.clone());
            if valid.client_only {
                daemon.send(request).await.error("ELEMENT_HANDLE_NOT_FOUND");
                continue;
            }
            if valid.params.get("files").is_some() {
                daemon.give_file(&tab.session, "a.txt", b"hello").await.data();
                daemon.give_file(&tab.session, "b", b"").await.data();
            }
            let on_its_way = daemon.begin(request);
            let command: Command = ext.receive_action(&golden.action).await;
            let forwarded = valid.forwarded.as_ref().unwrap_or(&valid.params);
            assert_eq!(command.params(), forwarded, "{what}");
            if let Some(error) = valid.error {
                ext.send(json!({"id": command.id(), "ok": false, "error": error}).to_string())
                    .await;
                on_its_way.reply().await.error(error["code"].as_str().expect("a code"));
                continue;
            }
            ext.answer(&command, valid.data.clone()).await;
            let mut data = on_its_way.reply().await.data();
            assert_typed(&golden.action, &data);
            if golden.action.starts_with("tab.") {
                assert!(data["tab"].is_string(), "{what}: {data}");
                continue;
            }
            for list in ["links", "elements", "matches"] {
                for entry in data.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
                {
                    entry.as_object_mut().expect("an entry").remove("handle");
                }
            }
            assert_eq!(data, valid.data, "{what}");
        }
    }
}

#[tokio::test]
async fn valid_parameters_of_every_daemon_action_are_carried_out() {
    let daemon = Daemon::start().await;
    // One that no person sits at: clients may resume its sessions.
    let mut ext = daemon.anonymous_extension().await;
    for golden in Golden::all().into_iter().filter(Golden::is_daemon_local) {
        for valid in golden.valid {
            let tab = ext.open_tab(&daemon).await;
            let on_its_way = daemon.begin(tab.request(&golden.action).params(valid.params));
            if golden.action == "session.close" {
                let command = ext.receive_action("tab.close").await;
                ext.answer(&command, json!({})).await;
            }
            assert_typed(&golden.action, &on_its_way.reply().await.data());
        }
    }
    ext.has_nothing().await;
}

#[tokio::test]
async fn a_success_of_a_tab_action_has_the_data_of_the_protocol() {
    let daemon = Daemon::start().await;
    let mut ext = daemon.extension().await;
    let url = "https://example.org/";
    let open = request("tab.open").params(json!({"url": url}));
    let (_, reply) =
        ext.exchange(&daemon, open, json!({"tabId": 900_001, "url": url, "windowId": 3})).await;
    let data = reply.data();
    assert_eq!(keys(&data), ["bound", "session", "tab", "tmpDir", "url"]);
    assert_eq!(
        (&data["tab"], &data["bound"], &data["url"]),
        (&json!("t1"), &json!(true), &json!(url))
    );
    let session = data["session"].as_str().expect("a session");
    for (action, told) in [
        ("tab.pin", json!({"tab": "t1", "pinned": true})),
        ("tab.unpin", json!({"tab": "t1", "pinned": false})),
        ("tab.activate", json!({"tab": "t1", "activated": true})),
        ("tab.close", json!({"tab": "t1", "closed": true})),
    ] {
        let (_, reply) =
            ext.exchange(&daemon, request(action).session(session), json!({"whatever": 1})).await;
        assert_eq!(reply.data(), told);
    }
}

#[tokio::test]
async fn any_ok_is_a_success_of_an_action_on_a_tab() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    for action in ["tab.pin", "tab.unpin", "tab.activate", "tab.close"] {
        let on_its_way = daemon.begin(tab.request(action));
        let command = ext.receive_action(action).await;
        ext.send(json!({"id": command.id(), "ok": true}).to_string()).await;
        assert_eq!(on_its_way.reply().await.data()["tab"], "t1", "{action}");
    }
}

#[tokio::test]
async fn a_client_that_sends_its_body_slowly_is_still_served() {
    let daemon = Daemon::start().await;
    let mut connection = daemon.connect().await;
    let body = request("session.list").bytes();
    let length = body.len().to_string();
    let (host, bearer) = (daemon.host(), daemon.bearer());
    let head = [("Host", &*host), ("Authorization", &*bearer), JSON, ("Content-Length", &*length)];
    connection.request("POST /", &head, &body[..10]).await;
    // Others are not held up meanwhile.
    daemon.send(request("session.list")).await.data();
    connection.write(&body[10..]).await;
    Reply(connection.response().await).data();
}

#[tokio::test]
async fn a_deadline_is_met_while_the_extension_is_mute() {
    let (daemon, mut ext, tab) = Daemon::with_tab().await;
    let started = std::time::Instant::now();
    daemon.send(tab.request("text").within(Duration::from_millis(300))).await.error("TIMEOUT");
    assert!(started.elapsed() >= Duration::from_millis(290), "too early: {:?}", started.elapsed());
    assert!(started.elapsed() < Duration::from_secs(2), "too late: {:?}", started.elapsed());
    ext.receive_action("text").await;
}
