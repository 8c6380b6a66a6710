//! What every page has: its style, its script, and a policy that lets nothing else run.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::reports::file::ReportError;
use crate::reports::hostile;
use crate::reports::picture::xml;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Every template.
const TEMPLATES: &[(&str, &str)] = &[
    ("page.html", include_str!("page.html")),
    ("run.html", include_str!("run.html")),
    ("matrix.html", include_str!("matrix.html")),
    ("proof.html", include_str!("proof.html")),
];

/// A page before it is drawn.
pub(in crate::reports) struct Page<'a, View> {
    pub(in crate::reports) template: &'a str,
    pub(in crate::reports) view: &'a View,
    /// What the script reads, and what is saved by whoever presses the button.
    pub(in crate::reports) json: String,
}

/// How JSON is wanted by who reads it: by a script in a page.
pub(in crate::reports) struct Wants;

impl Wants {
    /// JSON that can stand in a script element: nothing in it ends the element or begins a comment.
    pub(in crate::reports) fn json(value: &impl Serialize) -> Result<String, ReportError> {
        let json = serde_json::to_string(value)
            .map_err(|error| ReportError::new(format!("cannot be written as JSON: {error}")))?;
        let mut safe = String::with_capacity(json.len());
        for c in json.chars() {
            match c {
                // In JSON these stand within strings alone, where an escape means the same.
                c if matches!(c, '<' | '>' | '&') || hostile::steers(c) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        // Writing to a string cannot fail.
                        let _ = write!(safe, "\\u{unit:04x}");
                    }
                }
                c => safe.push(c),
            }
        }
        Ok(safe)
    }
}

/// A clause as HTML: what stands between backticks is code.
pub(in crate::reports) fn clause(text: &str) -> Value {
    let mut html = String::with_capacity(text.len());
    for (place, part) in text.split('`').enumerate() {
        let is_code = place % 2 == 1;
        html.push_str(if is_code { "<code>" } else { "" });
        html.push_str(&xml(part));
        html.push_str(if is_code { "</code>" } else { "" });
    }
    Value::from_safe_string(html)
}

impl<View: Serialize> Page<'_, View> {
    pub(in crate::reports) fn drawn(&self) -> Result<String, ReportError> {
        self.rendered().map_err(|error| ReportError::new(format!("the page cannot be drawn: {error:#}")))
    }

    fn rendered(&self) -> Result<String, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        for (name, text) in TEMPLATES {
            environment.add_template(name, text)?;
        }
        environment.get_template(self.template)?.render(context! {
            style => Value::from_safe_string(STYLE.to_owned()),
            style_hash => hash(STYLE),
            script => Value::from_safe_string(SCRIPT.to_owned()),
            script_hash => hash(SCRIPT),
            json => Value::from_safe_string(self.json.clone()),
            view => Value::from(Serde(self.view)),
        })
    }
}

/// As a content security policy names a script.
fn hash(text: &str) -> Value {
    Value::from_safe_string(format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes()))))
}
