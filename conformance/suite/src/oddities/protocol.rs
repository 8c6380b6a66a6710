//! Oddities that the adapter protocol allows.

use std::fmt::Write as _;
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
    fn asked(&mut self, line: String) -> (Duration, String) {
        let line = if self.odd == Odd::Capitals { in_capitals(line) } else { line };
        (Duration::ZERO, line)
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

fn in_capitals(line: String) -> String {
    let Ok(mut request) = serde_json::from_str::<Value>(&line) else { return line };
    let params = &mut request["params"];
    for name in ["id", "after"] {
        params.get_mut(name).into_iter().for_each(capitals);
    }
    let items = params.get_mut("items").and_then(Value::as_array_mut);
    items.into_iter().flatten().filter_map(|item| item.get_mut("id")).for_each(capitals);
    request.to_string()
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
    let (mut is_text, mut is_behind_backslash) = (false, false);
    // Of an escape that is there already.
    let mut digits = 0_u8;
    for character in line.chars() {
        match character {
            'u' if is_behind_backslash => {
                out.push('u');
                (is_behind_backslash, digits) = (false, 4);
            }
            _ if is_behind_backslash || digits > 0 => {
                out.push(character);
                is_behind_backslash = false;
                digits = digits.saturating_sub(1);
            }
            '"' => {
                out.push('"');
                is_text = !is_text;
            }
            '\\' => {
                out.push('\\');
                is_behind_backslash = true;
            }
            _ if is_text && line.len() < MOST_ESCAPED => {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    // Writing into a text never fails.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            _ => out.push(character),
        }
    }
    out
}

/// A longer line would be longer than a line may be.
const MOST_ESCAPED: usize = 2 * 1_048_576;
