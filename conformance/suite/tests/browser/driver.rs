//! A little client of the `WebDriver` protocol: Chromium, its driver, and a folder of their own.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// A browser with one window. It ends when it is dropped.
pub(crate) struct Browser {
    driver: Child,
    session: String,
    folder: tempfile::TempDir,
    agent: ureq::Agent,
}

impl Browser {
    pub(crate) fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            // The system chooses the port; the driver says which.
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .env("HOME", folder.path())
            .spawn()
            .expect("chromedriver is on this machine: `apt-get install chromium chromium-driver`");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| line.split("started successfully on port ").nth(1).map(str::to_owned));
        let port: u16 = port.expect("the driver says its port").trim_end_matches('.').parse().unwrap();
        // What it goes on to say must not fill its pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_mins(2)))
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .new_agent();
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        let options = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--hide-scrollbars", profile,
            ]},
        }}});
        let mut browser = Browser { driver, session: format!("http://127.0.0.1:{port}/session"), folder, agent };
        let opened = browser.post("", &options);
        let id = opened["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {opened}"));
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let mut answer = self.agent.post(format!("{}{path}", self.session)).send_json(body).unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        let value = answer["value"].clone();
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    fn get(&self, path: &str) -> Value {
        let mut answer = self.agent.get(format!("{}{path}", self.session)).call().unwrap();
        let answer: Value = answer.body_mut().with_config().limit(64 * 1_048_576).read_json().unwrap();
        answer["value"].clone()
    }

    fn devtools(&self, method: &str, parameters: &Value) {
        self.post("/goog/cdp/execute", &json!({"cmd": method, "params": parameters}));
    }

    /// A window as of a telephone can be narrower than the least window of a desktop.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    pub(crate) fn prefer(&self, colours: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": colours});
        self.devtools("Emulation.setEmulatedMedia", &json!({"features": [feature]}));
    }

    /// Shows a page from a file, and waits until it is there.
    pub(crate) fn show(&self, page: &str) {
        let path = self.folder.path().join("page.html");
        std::fs::write(&path, page).unwrap();
        self.post("/url", &json!({"url": format!("file://{}", path.display())}));
        let deadline = Instant::now() + Duration::from_mins(1);
        while self.ask("return document.readyState") != json!("complete") {
            assert!(Instant::now() < deadline, "the page is not there");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Runs a script in the page, and says what it returns.
    pub(crate) fn ask(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": selector}));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    pub(crate) fn click(&self, selector: &str) {
        self.post(&format!("/element/{}/click", self.element(selector)), &json!({}));
    }

    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        self.post(&format!("/element/{}/value", self.element(selector)), &json!({"text": text}));
    }

    /// Presses a key, wherever the focus is.
    pub(crate) fn press(&self, key: &str) {
        let strokes = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        self.post("/actions", &json!({"actions": [{"type": "key", "id": "keys", "actions": strokes}]}));
    }

    /// What the browser had to complain about.
    pub(crate) fn console(&self) -> Vec<String> {
        let lines = self.post("/se/log", &json!({"type": "browser"}));
        lines.as_array().unwrap().iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Keeps a picture of the whole page where `WORKWIRE_SHOTS` names a folder.
    pub(crate) fn shot(&self, name: &str) {
        let Ok(folder) = std::env::var("WORKWIRE_SHOTS") else { return };
        let width = self.ask("return innerWidth").as_u64().unwrap();
        let height =
            self.ask("return Math.min(document.documentElement.scrollHeight, innerWidth * 4)").as_u64().unwrap();
        self.resize(u32::try_from(width).unwrap(), u32::try_from(height).unwrap());
        let png = self.get("/screenshot");
        let png = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, png.as_str().unwrap()).unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), png).unwrap();
        self.resize(u32::try_from(width).unwrap(), 900);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        // The driver's group is its own, and the browser is in it.
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.driver.wait();
    }
}
