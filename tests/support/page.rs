//! One tab of a real browser: scripts, keys, pointer, screenshots, and the extension's popup.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::browser::{POLL, START};
use super::devtools::DevTools;

/// A tab, seen from DevTools.
pub struct Page<'a> {
    pub(super) devtools: &'a DevTools,
    pub(super) session: String,
    pub(super) target: String,
}

impl Page<'_> {
    async fn call(&self, method: &str, params: Value) -> Value {
        self.devtools.call(method, params, Some(&self.session)).await
    }

    /// The value of a JavaScript expression in the page, awaited if it is a promise.
    pub async fn evaluate(&self, expression: &str) -> Value {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", params).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// The same as in DevTools' console, which knows of listeners.
    pub async fn evaluate_as_console(&self, expression: &str) -> Value {
        let params =
            json!({"expression": expression, "returnByValue": true, "includeCommandLineAPI": true});
        let answer = self.call("Runtime.evaluate", params).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// The same, or `None` if the page is replaced meanwhile or the expression fails.
    pub async fn try_evaluate(&self, expression: &str) -> Option<Value> {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let call = self.devtools.try_call("Runtime.evaluate", params, Some(&self.session));
        let mut answer = call.await.ok()?;
        answer["exceptionDetails"].is_null().then(|| answer["result"]["value"].take())
    }

    /// Waits until an expression is true.
    pub async fn until(&self, expression: &str) {
        let start = tokio::time::Instant::now();
        loop {
            let value = self.evaluate(&format!("(async () => Boolean({expression}))()")).await;
            if value == true {
                return;
            }
            if start.elapsed() > START {
                let text = self.evaluate("document.body.innerText").await;
                panic!("waited in vain for {expression}; the page says: {text}");
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Types into an input of the page.
    pub async fn fill(&self, id: &str, value: &str) {
        let (id, value) = (json!(id), json!(value));
        self.evaluate(&format!(
            "{{ const input = document.getElementById({id}); input.value = {value}; \
             input.dispatchEvent(new Event('input', {{ bubbles: true }})); }}"
        ))
        .await;
    }

    /// Clicks the element that the selector finds.
    pub async fn click(&self, selector: &str) {
        self.evaluate(&format!("document.querySelector({}).click()", json!(selector))).await;
    }

    /// Presses a key, such as `Tab`, as a trusted event. `code` is its Windows virtual key code.
    pub async fn press(&self, key: &str, code: u32) {
        let mut down =
            json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code});
        if key == "Enter" {
            down["text"] = "\r".into();
        }
        self.call("Input.dispatchKeyEvent", down).await;
        let up = json!({"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", up).await;
    }

    /// Inserts text at the cursor at once, like a paste.
    pub async fn insert(&self, text: &str) {
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// Role and name of every node in the accessibility tree.
    pub async fn accessible(&self) -> Vec<(String, String)> {
        let tree = self.call("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().expect("nodes").iter();
        let part = |node: &Value, name| node[name]["value"].as_str().unwrap_or_default().to_owned();
        nodes
            .filter(|node| node["ignored"] == false)
            .map(|node| (part(node, "role"), part(node, "name")))
            .collect()
    }

    /// Role and name of each element that the browser tells assistive technology of, closed shadow trees included, with
    /// the value that the element has in this attribute, by which it can be told from others.
    pub async fn accessible_by(&self, attribute: &str) -> HashMap<String, (String, String)> {
        let document = self.call("DOM.getDocument", json!({"depth": -1, "pierce": true})).await;
        let mut marks = HashMap::new();
        let mut pending = vec![&document["root"]];
        while let Some(node) = pending.pop() {
            let attributes = node["attributes"].as_array().map_or(&[][..], Vec::as_slice);
            let mut pairs = attributes.chunks(2);
            if let Some(pair) = pairs.find(|pair| pair[0] == attribute) {
                marks.insert(node["backendNodeId"].as_u64(), pair[1].as_str().unwrap_or_default());
            }
            for below in ["children", "shadowRoots"] {
                pending.extend(node[below].as_array().into_iter().flatten());
            }
        }
        let tree = self.call("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().expect("nodes").iter();
        let part = |node: &Value, name| node[name]["value"].as_str().unwrap_or_default().to_owned();
        nodes
            .filter(|node| node["ignored"] == false)
            .filter_map(|node| {
                let mark = marks.get(&node["backendDOMNodeId"].as_u64())?;
                Some(((*mark).to_owned(), (part(node, "role"), part(node, "name"))))
            })
            .collect()
    }

    /// The processor time that the page's tasks have taken since the first call, in milliseconds. Load from elsewhere on
    /// the machine is not in it.
    pub async fn work(&self) -> f64 {
        self.call("Performance.enable", json!({"timeDomain": "threadTicks"})).await;
        let measured = self.call("Performance.getMetrics", json!({})).await;
        let mut metrics = measured["metrics"].as_array().expect("metrics").iter();
        let tasks =
            metrics.find(|metric| metric["name"] == "TaskDuration").expect("their duration");
        tasks["value"].as_f64().expect("seconds") * 1_000.0
    }

    /// Navigates to an address, as by typing it.
    pub async fn go(&self, url: &str) {
        self.call("Page.navigate", json!({"url": url})).await;
    }

    /// Sends trusted input: calls of the DevTools protocol, as `{method, params}`.
    pub async fn input(&self, calls: &[Value]) {
        for call in calls {
            self.call(call["method"].as_str().expect("a method"), call["params"].clone()).await;
        }
    }

    /// Has the page believe that it has the focus, whatever has it.
    pub async fn pretend_focus(&self) {
        self.call("Emulation.setFocusEmulationEnabled", json!({"enabled": true})).await;
    }

    /// Crashes the tab's renderer. There is no answer to wait for.
    pub async fn crash(&self) {
        self.call("Page.crash", json!({})).await;
    }

    /// A screenshot of the whole page at this width, light or dark.
    pub async fn picture(&self, width: u64, scheme: &str) -> Vec<u8> {
        let scheme = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": scheme})).await;
        let height = self.evaluate("Math.ceil(document.body.getBoundingClientRect().height)").await;
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let picture = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        self.call("Emulation.clearDeviceMetricsOverride", json!({})).await;
        let data = picture["data"].as_str().expect("a picture").as_bytes();
        data_encoding::BASE64.decode(data).expect("base64")
    }

    // ---- The popup ----

    /// Sets the daemon's port in the popup.
    pub async fn set_port(&self, port: u16) {
        self.fill("port", &port.to_string()).await;
        self.click("#save-port").await;
        self.until("document.getElementById('message').textContent.includes('saved')").await;
    }

    /// Enters a pairing code in the popup.
    pub async fn enter_code(&self, code: &str) {
        self.fill("code", code).await;
        self.click("#pair").await;
    }

    /// Closes the tab.
    pub async fn close(self) {
        self.devtools.call("Target.closeTarget", json!({"targetId": self.target}), None).await;
    }
}
