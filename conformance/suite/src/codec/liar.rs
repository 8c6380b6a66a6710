//! Lying codecs: the honest one with one lie each. A case that believes all of them proves nothing.

use std::sync::LazyLock;

use serde_json::Value;
use workwire::{Decoder, DocumentKind, Rule, Scope};
use workwire_broker::BrokerError;
use workwire_broker::adapter::wire::{Decoded, Kind, Violation};

/// What a lie makes of an honest answer.
type Lie = Box<dyn Fn(Kind, &[u8], Decoded) -> Result<Decoded, BrokerError> + Send + Sync>;

/// A codec with one lie.
pub struct Liar {
    /// Its name.
    pub name: String,
    /// The clauses that it breaks.
    pub breaks: Vec<&'static str>,
    /// What it does wrong, in one sentence.
    pub about: String,
    lie: Lie,
}

impl Liar {
    /// Answers.
    ///
    /// # Errors
    /// Where the lie is to give no answer.
    pub fn decode(&self, kind: Kind, body: &[u8], honest: Decoded) -> Result<Decoded, BrokerError> {
        (self.lie)(kind, body, honest)
    }

    fn new(
        name: impl Into<String>,
        breaks: &[&'static str],
        about: impl Into<String>,
        lie: impl Fn(Kind, &[u8], Decoded) -> Decoded + Send + Sync + 'static,
    ) -> Self {
        let lie: Lie = Box::new(move |kind, body, honest| Ok(lie(kind, body, honest)));
        Liar { name: name.into(), breaks: breaks.to_vec(), about: about.into(), lie }
    }
}

/// All of them: one for each rule that it does not know, then those that lie in other ways.
#[must_use]
pub fn liars() -> &'static [Liar] {
    static LIARS: LazyLock<Vec<Liar>> = LazyLock::new(|| {
        // Rules of other forms, such as streams and CloudEvents, are out of the reach of `decode`.
        let is_reached = |rule: &&Rule| !matches!(rule.id().split_once('-'), Some(("STR" | "TRC" | "CLE", _)));
        let refusing = Rule::ALL.iter().filter(|rule| rule.scope() != Scope::Warning);
        let about_rules = refusing.filter(is_reached).map(|rule| does_not_know(*rule));
        about_rules.chain(about_verdicts()).chain(about_writing()).collect()
    });
    &LIARS
}

fn does_not_know(rule: Rule) -> Liar {
    let id = rule.id();
    Liar::new(format!("does_not_know_{id}"), &[id], format!("lets through what breaks {id}"), move |_, body, honest| {
        match honest {
            Decoded::Refused { mut violations } => {
                violations.retain(|violation| violation.rule != id);
                if violations.is_empty() { as_it_came(body) } else { Decoded::Refused { violations } }
            }
            accepted @ Decoded::Accepted { .. } => accepted,
        }
    })
}

fn as_it_came(body: &[u8]) -> Decoded {
    Decoded::Accepted { canonical: String::from_utf8_lossy(body).into_owned() }
}

fn refused(pointer: &str, rule: &str) -> Decoded {
    let message = "expected something else".to_owned();
    Decoded::Refused { violations: vec![Violation { pointer: pointer.to_owned(), rule: rule.to_owned(), message }] }
}

fn about_verdicts() -> Vec<Liar> {
    let mut all: Vec<Liar> = ["CHN-7", "ENV-6", "ENV-7"].into_iter().map(takes_advice_for_law).collect();
    all.push(Liar::new(
        "refuses_empty_payloads",
        &["CHN-5"],
        "refuses a channel message that carries nothing",
        |kind, _, honest| match &honest {
            Decoded::Accepted { canonical } if kind == Kind::Channel && canonical.contains("\"payload\":{}") => {
                refused("/payload", "CHN-1")
            }
            _ => honest,
        },
    ));
    all.push(Liar::new(
        "refuses_null",
        &["FLD-3"],
        "takes `null` for a value of the wrong type, also where it is absence",
        |_, body, honest| match serde_json::from_slice::<Value>(body) {
            Ok(value) if matches!(honest, Decoded::Accepted { .. }) && has_null_field(&value) => refused("", "FLD-1"),
            _ => honest,
        },
    ));
    all.push(Liar::new(
        "refuses_later_versions",
        &["VER-3"],
        "refuses every version but its own",
        |_, body, honest| {
            if matches!(honest, Decoded::Accepted { .. }) && is_later(body) { refused("", "VER-2") } else { honest }
        },
    ));
    all.push(Liar::new(
        "trusts_later_versions",
        &["VER-4"],
        "takes a value that it does not know where a later minor version says it",
        |_, body, honest| match &honest {
            Decoded::Refused { violations } if is_later(body) && violations.len() == 1 => {
                if violations[0].rule.starts_with("VER") || violations[0].rule.starts_with("JSN") {
                    return honest;
                }
                as_it_came(body)
            }
            _ => honest,
        },
    ));
    all.push(Liar::new(
        "says_only_the_first",
        &["COD-4"],
        "stops at the first violation",
        |_, _, honest| match honest {
            Decoded::Refused { mut violations } => {
                violations.truncate(1);
                Decoded::Refused { violations }
            }
            accepted @ Decoded::Accepted { .. } => accepted,
        },
    ));
    all.push(Liar::new("reports_in_any_order", &["COD-4"], "reports the last violation first", |_, _, honest| {
        match honest {
            Decoded::Refused { mut violations } => {
                violations.reverse();
                Decoded::Refused { violations }
            }
            accepted @ Decoded::Accepted { .. } => accepted,
        }
    }));
    let lie: Lie = Box::new(|_, body, honest| {
        // Deep or long documents are too much for it.
        const TOO_DEEP: usize = 60;
        let deepest = body.iter().scan(0_usize, |depth, byte| {
            *depth = match byte {
                b'[' | b'{' => *depth + 1,
                b']' | b'}' => depth.saturating_sub(1),
                _ => *depth,
            };
            Some(*depth)
        });
        if deepest.max().unwrap_or(0) > TOO_DEEP { Err(BrokerError::unavailable("it has died")) } else { Ok(honest) }
    });
    let about = "dies of a document that is nested too deeply".to_owned();
    all.push(Liar { name: "dies_of_depth".to_owned(), breaks: vec!["COD-6"], about, lie });
    all
}

/// What a reader only warns of, it refuses.
fn takes_advice_for_law(id: &'static str) -> Liar {
    let about = format!("refuses what goes against {id}, which is advice");
    Liar::new(format!("takes_{id}_for_law"), &[id], about, move |kind, body, honest| {
        let document = match kind {
            Kind::Envelope => DocumentKind::Envelope,
            Kind::Channel => DocumentKind::Channel,
            Kind::Event => DocumentKind::Event,
        };
        let read = document.decode(&Decoder::strict(), body);
        let goes_against = read.map(|read| read.warnings().iter().any(|warning| warning.rule().id() == id));
        if goes_against.unwrap_or(false) { refused("", id) } else { honest }
    })
}

fn about_writing() -> Vec<Liar> {
    let writes = |name: &str, breaks: &[&'static str], about: &str, change: fn(Kind, &[u8], String) -> String| {
        Liar::new(name, breaks, about, move |kind, body, honest| match honest {
            Decoded::Accepted { canonical } => Decoded::Accepted { canonical: change(kind, body, canonical) },
            refused @ Decoded::Refused { .. } => refused,
        })
    };
    vec![
        writes(
            "writes_blanks",
            &["COD-1"],
            "writes a blank at the end of what came with white space",
            |_, body, text| {
                if body.iter().any(|byte| matches!(byte, b'\n' | b'\t')) { format!("{text} ") } else { text }
            },
        ),
        writes("escapes_slashes", &["COD-2"], "writes `\\/` for `/`, as some do", |_, _, text| {
            text.replace('/', "\\/")
        }),
        writes("escapes_in_capitals", &["COD-2"], "writes `\\u001F` for `\\u001f`", |_, _, text| {
            capital_escapes(&text)
        }),
        writes("counts_in_doubles", &["COD-3"], "carries the numbers of free content as doubles", |_, _, text| {
            as_doubles(&text)
        }),
        writes(
            "capitals_on_second_reading",
            &["COD-2", "COD-5"],
            "writes `\\u001F` where it reads what is canonical already",
            |_, body, text| if body == text.as_bytes() { capital_escapes(&text) } else { text },
        ),
        writes("drops_custom_fields", &["ENV-10"], "drops what is in `x_custom_fields`", |kind, _, text| {
            if kind == Kind::Envelope { without_custom_fields(&text) } else { text }
        }),
        writes(
            "leaves_defaults_out",
            &["FLD-4"],
            "does not write an object that is empty by default",
            |_, body, text| {
                let came = String::from_utf8_lossy(body);
                let empty = ["\"hints\":{},", ",\"context\":{}", ",\"resources\":{}"];
                let empty = empty.iter().filter(|empty| !came.contains(**empty));
                empty.fold(text, |text, empty| text.replace(*empty, ""))
            },
        ),
        writes("writes_offsets", &["TIM-4"], "writes `+00:00` for `Z` where another zone came", |_, body, text| {
            if has_other_zone(&String::from_utf8_lossy(body)) { text.replacen("Z\"", "+00:00\"", 1) } else { text }
        }),
        writes(
            "writes_ids_as_they_came",
            &["UID-2"],
            "writes a UUID in the letters in which it came",
            |_, body, text| {
                let came = String::from_utf8_lossy(body).into_owned();
                ids(&came).into_iter().fold(text, |text, id| text.replace(&id.to_ascii_lowercase(), &id))
            },
        ),
    ]
}

/// Whether a field of the document itself holds `null`.
fn has_null_field(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.values().any(Value::is_null))
}

/// Whether the document says a later minor version than the one that there is.
fn is_later(body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let version = ["protocol_version", "version"].iter().find_map(|field| value.get(*field)).and_then(Value::as_str);
    let minor = version.and_then(|version| version.strip_prefix("1."));
    minor.is_some_and(|minor| minor.parse::<u32>().is_ok_and(|minor| minor > 0))
}

/// Whether its time names another zone than UTC.
fn has_other_zone(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("\"timestamp\"") else { return false };
    let time = rest.split('"').nth(1).unwrap_or_default().as_bytes();
    time.len() > 6 && matches!(time[time.len() - 6], b'+' | b'-') && time[time.len() - 3] == b':'
}

/// The text with each number outside of strings as a double is written.
fn as_doubles(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
    let (mut out, mut rest, mut in_string) = (String::with_capacity(text.len()), text, false);
    while let Some(first) = rest.chars().next() {
        let starts = !in_string && (first.is_ascii_digit() || first == '-');
        let end = if starts { rest.find(|c| !is_part(c)).unwrap_or(rest.len()) } else { 0 };
        if let Ok(double) = rest[..end].parse::<f64>() {
            let number = if double.is_finite() { double.to_string() } else { rest[..end].to_owned() };
            out.push_str(&number);
            rest = &rest[end..];
            continue;
        }
        let escape = usize::from(in_string && first == '\\');
        in_string ^= first == '"';
        let taken = first.len_utf8() + escape;
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

fn capital_escapes(text: &str) -> String {
    let mut parts = text.split("\\u00");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.char_indices().nth(2).map_or(part.len(), |(at, _)| at);
        out.push_str("\\u00");
        out.push_str(&part[..digits].to_ascii_uppercase());
        out.push_str(&part[digits..]);
    }
    out
}

fn without_custom_fields(text: &str) -> String {
    const FIELD: &str = "\"x_custom_fields\":{";
    let Some(at) = text.find(FIELD) else { return text.to_owned() };
    let start = at + FIELD.len();
    let mut depth = 1_usize;
    let mut in_string = false;
    let mut escaped = false;
    let end = text[start..].bytes().position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    end.map_or(text.to_owned(), |end| format!("{}{}", &text[..start], &text[start + end..]))
}

/// The parts of a text that look like UUIDs with capital letters.
fn ids(text: &str) -> Vec<String> {
    const LENGTH: usize = 36;
    let is_id = |part: &str| {
        part.char_indices().all(|(at, c)| if matches!(at, 8 | 13 | 18 | 23) { c == '-' } else { c.is_ascii_hexdigit() })
            && part.bytes().any(|byte| byte.is_ascii_uppercase())
    };
    let parts = text.split('"').filter(|part| part.len() == LENGTH && part.is_ascii());
    parts.filter(|part| is_id(part)).map(str::to_owned).collect()
}
