//! `CloudEvents` 1.0 in its JSON format: every document as one, and back without loss.

use std::borrow::Cow;

use crate::codec::{AnyDocument, Decoder, DocumentKind};
use crate::error::ProtocolError;
use crate::json::{Kind, Out, Reader, Walk, open};
use crate::rule::Rule;
use crate::schema::schema_id;
use crate::time::Timestamp;
use crate::trace::TraceParent;
use crate::violation::{Path, Place, Violations};

const TYPE_PREFIX: &str = "dev.workwire.";
const CHANNEL_TYPE: &str = "dev.workwire.channel_message";
const EVENT_TYPE: &str = "dev.workwire.agent_event";

/// What an attribute holds.
#[derive(Debug, Clone, PartialEq)]
enum Attribute {
    Text(String),
    Number(i64),
}

impl Attribute {
    fn write(&self, out: &mut Out) {
        match self {
            Attribute::Text(text) => out.string(text),
            Attribute::Number(number) => out.integer(*number),
        }
    }
}

/// The attributes that the mapping makes of a document, in their order.
fn attributes(document: &AnyDocument) -> Vec<(&'static str, Attribute)> {
    let text = |value: &dyn ToString| Attribute::Text(value.to_string());
    let mut made = vec![("specversion", text(&"1.0"))];
    let head = |id: &dyn ToString, sender: &str, kind: String, time: Timestamp| {
        [
            ("id", text(id)),
            ("source", Attribute::Text(format!("/agents/{sender}"))),
            ("type", Attribute::Text(kind)),
            ("time", text(&time)),
            ("datacontenttype", text(&"application/json")),
            ("dataschema", Attribute::Text(schema_id(document.kind()))),
        ]
    };
    match document {
        AnyDocument::Envelope(message) => {
            let kind = format!("{TYPE_PREFIX}{}", message.message_type());
            made.extend(head(&message.message_id(), message.from_agent().as_str(), kind, message.timestamp()));
            made.extend(TraceParent::of_message(message).map(|parent| ("traceparent", text(&parent))));
            made.push(("requestid", text(&message.request_id())));
            made.push(("priority", Attribute::Number(i64::from(message.priority().get()))));
            made.push(("toagent", text(&message.to_agent())));
        }
        AnyDocument::Channel(message) => {
            made.extend(head(message.id(), message.from_agent().as_str(), CHANNEL_TYPE.into(), *message.timestamp()));
            made.push(("priority", Attribute::Number(i64::from(message.priority().get()))));
            made.extend(message.to_agent().map(|name| ("toagent", text(name))));
            made.extend(message.correlation_id().map(|id| ("correlationid", text(id))));
            made.push(("channel", text(message.channel())));
        }
        AnyDocument::Event(event) => {
            made.extend(head(
                event.event_id(),
                event.source_agent_id().as_str(),
                EVENT_TYPE.into(),
                *event.timestamp(),
            ));
            made.push(("priority", text(event.priority())));
            made.extend(event.correlation_id().map(|id| ("correlationid", text(id))));
            made.push(("tenantid", text(event.tenant_id())));
            made.extend(event.parent_event_id().map(|id| ("parentid", text(id))));
        }
    }
    made
}

impl AnyDocument {
    /// Writes the document as a `CloudEvents` 1.0 JSON object.
    ///
    /// ```
    /// use workwire::{AgentEvent, AnyDocument, Decoder, EventType};
    /// let event = AgentEvent::compose(EventType::TaskFailed, "acme".parse()?, "coder-2".parse()?).build()?;
    /// let document = AnyDocument::Event(event);
    /// let cloud_event = document.to_cloud_event();
    /// assert!(cloud_event.starts_with(r#"{"specversion":"1.0","id":""#));
    /// assert_eq!(AnyDocument::from_cloud_event(&Decoder::strict(), cloud_event.as_bytes())?, document);
    /// # Ok::<(), workwire::ProtocolError>(())
    /// ```
    #[must_use]
    pub fn to_cloud_event(&self) -> String {
        let data = self.to_json();
        let mut out = Out::with_capacity(data.len() + 512);
        out.raw("{");
        for (name, value) in attributes(self) {
            out.comma();
            out.plain(name);
            out.raw(":");
            value.write(&mut out);
        }
        out.raw(",\"data\":");
        out.raw(&data);
        out.raw("}");
        out.into_text()
    }

    /// Reads a document from a `CloudEvents` 1.0 JSON object.
    ///
    /// # Errors
    /// Says everything that is wrong with the attributes and, below `/data`, with the document.
    pub fn from_cloud_event(decoder: &Decoder, bytes: &[u8]) -> Result<AnyDocument, ProtocolError> {
        let text = open(bytes, decoder.limits())?;
        let mut reader = Reader::new(text, decoder.mode(None));
        let mut event = Received::default();
        let walked = event.read(&mut reader).and_then(|()| reader.end());
        if let Err(syntax) = walked {
            return Err(syntax.into_error(bytes));
        }
        event.finish(reader, decoder)
    }
}

/// An attribute as it came.
struct Came<'a> {
    name: Cow<'a, str>,
    place: usize,
    value: Attribute,
}

#[derive(Default)]
struct Received<'a> {
    seen: Vec<&'static str>,
    attributes: Vec<Came<'a>>,
    data: Option<(usize, &'a str)>,
    end: usize,
}

const REQUIRED: [&str; 5] = ["specversion", "id", "source", "type", "data"];

/// The attributes that the mapping makes.
const MADE: [&str; 15] = [
    "specversion",
    "id",
    "source",
    "type",
    "time",
    "datacontenttype",
    "dataschema",
    "traceparent",
    "requestid",
    "priority",
    "toagent",
    "correlationid",
    "tenantid",
    "channel",
    "parentid",
];

impl<'a> Received<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Walk<()> {
        let root = &Path::Root;
        if reader.kind()? != Kind::Object {
            let start = reader.offset();
            reader.pass(root)?;
            reader.refuse(start, root, Rule::Jsn10, "an object");
            return Ok(());
        }
        reader.open_object()?;
        let mut frame = reader.keys.enter();
        let mut first = true;
        while let Some(name) = reader.next_key(&mut first)? {
            let at = root.key(&name);
            if !reader.keys.insert(&mut frame, &name) {
                reader.repeated(&at);
                reader.pass(&at)?;
                continue;
            }
            let kind = reader.kind()?;
            let start = reader.offset();
            if kind == Kind::Null && name != "data" {
                // An attribute that is null is not set.
                reader.pass(&at)?;
                continue;
            }
            self.seen.extend(REQUIRED.iter().find(|required| **required == name));
            match (kind, MADE.contains(&&*name)) {
                (Kind::String, true) => {
                    let value = Attribute::Text(reader.string()?.into_owned());
                    self.attributes.push(Came { name, place: start, value });
                }
                (Kind::Number, true) if name == "priority" => {
                    if let Some(number) = whole_number(reader, &at)? {
                        self.attributes.push(Came { name, place: start, value: Attribute::Number(number) });
                    }
                }
                (_, true) => reader.mismatch(&at, "a string")?,
                (_, false) if name == "data" => {
                    // Its own document reports what is wrong inside, where the type says which it is.
                    let report = std::mem::take(&mut reader.report);
                    // It is as deep as by itself.
                    reader.mode.max_depth += 1;
                    let passed = reader.pass(&at);
                    reader.mode.max_depth -= 1;
                    let inner = std::mem::replace(&mut reader.report, report);
                    passed?;
                    self.data = Some((start, reader.between(start, reader.offset())));
                    if self.kind_of(reader).is_none() {
                        reader.report.merge(inner, None);
                    }
                }
                (_, false) => reader.pass(&at)?,
            }
        }
        reader.keys.leave(&frame);
        self.end = reader.offset() - 1;
        for (rank, name) in REQUIRED.iter().enumerate().filter(|(_, name)| !self.seen.contains(name)) {
            reader.report.add(Place::missing(self.end, rank), &root.key(name), Rule::Cle1, "required", None);
        }
        Ok(())
    }

    fn text_of(&self, name: &str) -> Option<(usize, &str)> {
        let came = self.attributes.iter().find(|came| came.name == name)?;
        match &came.value {
            Attribute::Text(text) => Some((came.place, text)),
            Attribute::Number(_) => None,
        }
    }

    /// The document that the type names; looked for ahead where `data` came first.
    fn kind_of(&self, reader: &Reader<'a>) -> Option<DocumentKind> {
        match self.text_of("type") {
            Some((_, text)) => kind_of(text),
            None => kind_of(&reader.look_ahead("type")?),
        }
    }

    fn finish(self, mut reader: Reader<'a>, decoder: &Decoder) -> Result<AnyDocument, ProtocolError> {
        let root = &Path::Root;
        let mut kind = None;
        if let Some((place, version)) = self.text_of("specversion").filter(|(_, version)| *version != "1.0") {
            reader.report.add(place, &root.key("specversion"), Rule::Cle2, "\"1.0\"", Some(&format!("{version:?}")));
        }
        if let Some((place, name)) = self.text_of("type") {
            kind = kind_of(name);
            if kind.is_none() {
                let expected = "dev.workwire. and a message type, channel_message or agent_event";
                reader.report.add(place, &root.key("type"), Rule::Cle3, expected, Some(&format!("{name:?}")));
            }
        }
        if let Some((place, content)) = self.text_of("datacontenttype").filter(|(_, content)| !is_json(content)) {
            reader.report.add(
                place,
                &root.key("datacontenttype"),
                Rule::Cle5,
                "application/json",
                Some(&format!("{content:?}")),
            );
        }
        let mut document = None;
        if let (Some(kind), Some((place, data))) = (kind, self.data) {
            match read_data(kind, data, decoder, &mut reader, place) {
                Some(read) => {
                    self.compare(&read, &mut reader);
                    document = Some(read);
                }
                None => debug_assert!(!reader.report.is_empty(), "what was refused is said"),
            }
        }
        match document {
            Some(document) if reader.report.is_empty() => Ok(document),
            _ => Err(ProtocolError::refused(reader.report.finish())),
        }
    }

    /// What the attributes say must be what the document says.
    fn compare(&self, document: &AnyDocument, reader: &mut Reader<'a>) {
        let made = attributes(document);
        for came in &self.attributes {
            let (name, value) = (&*came.name, &came.value);
            if matches!(name, "specversion" | "datacontenttype") {
                continue;
            }
            let Some((_, own)) = made.iter().find(|(made, _)| *made == name) else {
                if optional_of(document.kind()).contains(&name) {
                    Self::disagree(came, "nothing, as data has none", reader);
                }
                continue;
            };
            let same = match (name, value, own) {
                (_, Attribute::Text(_), Attribute::Number(_)) | (_, Attribute::Number(_), Attribute::Text(_)) => {
                    let expected = if matches!(own, Attribute::Number(_)) { "an integer" } else { "a string" };
                    let found = shown(value);
                    reader.report.add(came.place, &Path::Root.key(name), Rule::Fld1, expected, Some(&found));
                    continue;
                }
                ("time", Attribute::Text(text), Attribute::Text(own)) => {
                    text.parse::<Timestamp>().is_ok_and(|time| time.to_string() == *own)
                }
                // A broken traceparent is no reason to refuse what came with it.
                ("traceparent", Attribute::Text(text), _) if text.parse::<TraceParent>().is_err() => true,
                ("traceparent", Attribute::Text(text), Attribute::Text(own)) => {
                    text.parse::<TraceParent>().ok().map(TraceParent::trace_id)
                        == own.parse::<TraceParent>().ok().map(TraceParent::trace_id)
                }
                _ => value == own,
            };
            if !same {
                Self::disagree(came, "what data says", reader);
            }
        }
    }

    fn disagree(came: &Came<'a>, expected: &'static str, reader: &mut Reader<'a>) {
        let at = Path::Root.key(&came.name);
        reader.report.add(came.place, &at, Rule::Cle4, expected, Some(&shown(&came.value)));
    }
}

/// The attributes that a document of that kind may have or lack.
fn optional_of(kind: DocumentKind) -> &'static [&'static str] {
    match kind {
        DocumentKind::Envelope => &["traceparent"],
        DocumentKind::Channel => &["toagent", "correlationid"],
        DocumentKind::Event => &["correlationid", "parentid"],
    }
}

fn shown(value: &Attribute) -> String {
    let mut out = Out::with_capacity(16);
    value.write(&mut out);
    out.into_text()
}

fn whole_number(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<i64>> {
    let start = reader.offset();
    let number = reader.number()?;
    if !reader.check_finite(start, number, at) {
        return Ok(None);
    }
    let rule = match number.whole() {
        crate::json::Whole::Exact(value) => return Ok(Some(value)),
        crate::json::Whole::Rounded(_) => Rule::Num2,
        crate::json::Whole::Broken(_) => Rule::Num1,
    };
    reader.refuse(start, at, rule, "an integer");
    Ok(None)
}

fn kind_of(name: &str) -> Option<DocumentKind> {
    match name {
        CHANNEL_TYPE => Some(DocumentKind::Channel),
        EVENT_TYPE => Some(DocumentKind::Event),
        _ => {
            let message_type = name.strip_prefix(TYPE_PREFIX)?;
            crate::name::MessageType::from_word(message_type).map(|_| DocumentKind::Envelope)
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/json")
}

/// The document inside `data`, with its violations below `/data`.
fn read_data(
    kind: DocumentKind,
    data: &str,
    decoder: &Decoder,
    reader: &mut Reader<'_>,
    place: usize,
) -> Option<AnyDocument> {
    if !data.starts_with('{') {
        reader.report.add(place, &Path::Root.key("data"), Rule::Fld1, "an object", Some(data));
        return None;
    }
    // The whole was within the limit on size, and data is one level deeper than a document alone.
    match kind.decode(&decoder.with_limits(decoder.limits().with_max_bytes(usize::MAX)), data.as_bytes()) {
        Ok(document) => Some(document),
        Err(error) => {
            let violations: Violations = error.into_violations().below("/data");
            reader.report.take_all(violations, place);
            None
        }
    }
}
