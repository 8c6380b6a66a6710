//! Oddities that the adapter protocol allows.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use workwire_broker::Broker;

use crate::between::{self, Between, Said};
use crate::subject::Reaching;

/// How the protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// As everybody does.
    Plain,
    /// Answers come in another order than the requests.
    OutOfOrder,
    /// Ids are asked for in capital letters.
    Capitals,
    /// Answers have members that nobody knows.
    SaysMore,
    /// Every character of a text is escaped.
    Escapes,
}

/// Serves a broker so.
pub(super) fn served(broker: Arc<dyn Broker>, odd: Odd) -> Reaching {
    match odd {
        Odd::Plain => between::served(broker),
        _ => between::served_through(broker, Speaker { odd, answers: 0 }),
    }
}

struct Speaker {
    odd: Odd,
    answers: u64,
}

impl Between for Speaker {
    fn asked(&mut self, line: String) -> String {
        if self.odd != Odd::Capitals {
            return line;
        }
        let Ok(mut request) = serde_json::from_str::<Value>(&line) else { return line };
        let params = &mut request["params"];
        capitals(&mut params["id"]);
        capitals(&mut params["after"]);
        for item in params["items"].as_array_mut().into_iter().flatten() {
            capitals(&mut item["id"]);
        }
        // Looking at a member that is not there has made it.
        let params = params.as_object_mut();
        params.into_iter().for_each(|params| params.retain(|_, value| !value.is_null()));
        request.to_string()
    }

    fn answered(&mut self, line: String) -> Vec<Said> {
        self.answers += 1;
        match self.odd {
            // Of four that are there at once, the last one first.
            Odd::OutOfOrder => {
                let late = Duration::from_millis(3 - self.answers % 4);
                vec![Said::Later(late, line.into_bytes())]
            }
            Odd::SaysMore => vec![Said::Line(more(&line).into_bytes())],
            Odd::Escapes => vec![Said::Line(escaped(&line).into_bytes())],
            Odd::Plain | Odd::Capitals => vec![Said::Line(line.into_bytes())],
        }
    }
}

fn capitals(id: &mut Value) {
    if let Value::String(id) = id {
        id.make_ascii_uppercase();
    }
}

fn more(line: &str) -> String {
    let Ok(mut answer) = serde_json::from_str::<Value>(line) else { return line.to_owned() };
    let Some(members) = answer.as_object_mut() else { return line.to_owned() };
    if let Some(Value::Object(result)) = members.get_mut("result") {
        for value in result.values_mut() {
            for item in value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                add(item, &["group", "priority", "died_at", "current_task_id", "resources"]);
            }
        }
        add(result, &["language", "leased", "delayed", "dead"]);
    }
    add(members, &["error", "result"]);
    answer.to_string()
}

/// Adds members of a later version, and null for what is not told.
fn add(members: &mut Map<String, Value>, optional: &[&str]) {
    for name in optional {
        members.entry(*name).or_insert(Value::Null);
    }
    members.insert("x_later".to_owned(), json!({"version": 2, "id": null, "list": [[], {}, 1e300, "\u{0}"]}));
}

/// The same JSON, with each character of its texts as an escape.
fn escaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len() * 4);
    let mut is_text = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                out.push('"');
                is_text = !is_text;
            }
            '\\' => {
                out.push('\\');
                let escape = characters.next();
                out.extend(escape);
                if escape == Some('u') {
                    out.extend(characters.by_ref().take(4));
                }
            }
            _ if is_text && line.len() < MOST_ESCAPED => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => out.push(character),
        }
    }
    out
}

/// A longer line would be longer than a line may be.
const MOST_ESCAPED: usize = 2 * 1_048_576;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_line_says_the_same() {
        for text in ["plain", "\"quoted\" \\ \n", "\u{0}\u{1f}\u{7f}", "\u{e4} \u{1f4ee} \u{feff}", ""] {
            let line = json!({"id": 7, "result": {"body": text, "list": [text, null, 1.5]}}).to_string();
            let escaped = escaped(&line);
            let found: Option<Value> = serde_json::from_str(&escaped).ok();
            assert!(found.is_some(), "no JSON: {escaped}");
            assert_eq!(found, serde_json::from_str(&line).ok(), "{escaped}");
            assert!(text.is_empty() || escaped.contains("\\u"), "{escaped}");
        }
    }
}
