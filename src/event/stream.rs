//! The stream form of an event: every field a string.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::codec::Decoder;
use crate::document::{Check, Slot};
use crate::error::ProtocolError;
use crate::event::{AgentEvent, AgentEventParts};
use crate::field::Field;
use crate::free::{Extra, UNKNOWN, parse_object_in};
use crate::json::{Kind, MAX_DEPTH, Mode, Out, REPEATED, Reader, Walk, open};
use crate::name::Name;
use crate::rule::Rule;
use crate::violation::{Path, Report};

impl AgentEvent {
    /// The fields of the stream form, in the order of the specification.
    ///
    /// ```
    /// use workwire::{AgentEvent, EventType};
    /// let event = AgentEvent::compose(EventType::TaskFailed, "acme".parse()?, "coder-2".parse()?).build()?;
    /// let fields = event.to_stream();
    /// assert!(fields.contains(&("call_chain".to_owned(), "coder-2".to_owned())));
    /// let borrowed = fields.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    /// assert_eq!(AgentEvent::from_stream(borrowed)?, event);
    /// # Ok::<(), workwire::ProtocolError>(())
    /// ```
    #[must_use]
    pub fn to_stream(&self) -> Vec<(String, String)> {
        let join = |items: &mut dyn Iterator<Item = &str>| items.collect::<Vec<_>>().join(",");
        let mut fields = vec![
            ("event_id", self.event_id.to_string()),
            ("version", self.version.to_string()),
            ("event_type", self.event_type.to_string()),
            ("timestamp", self.timestamp.to_string()),
            ("tenant_id", self.tenant_id.to_string()),
            ("priority", self.priority.to_string()),
            ("source_agent_id", self.source_agent_id.to_string()),
            ("call_chain", join(&mut self.call_chain.names().iter().map(Name::as_str))),
            ("data", self.data.to_string()),
            ("context_refs", join(&mut self.context_refs.iter().map(AsRef::as_ref))),
        ];
        fields.extend(self.correlation_id.as_ref().map(|id| ("correlation_id", id.to_string())));
        fields.extend(self.parent_event_id.as_ref().map(|id| ("parent_event_id", id.to_string())));
        let known = fields.into_iter().map(|(key, value)| (key.to_owned(), value));
        // What a later minor version added travels as the JSON text that it came as.
        // A name that begins with `_` would be taken for the transport's.
        let later = self
            .extra
            .fields()
            .filter(|(key, _)| !key.starts_with('_'))
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        known.chain(later).collect()
    }

    /// Reads the stream form strictly. Fields that begin with `_` are the transport's, and ignored.
    ///
    /// # Errors
    /// Says everything that is wrong with it.
    pub fn from_stream<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Result<Self, ProtocolError> {
        Decoder::strict().decode_stream(fields)
    }
}

impl Decoder {
    /// Reads the stream form of an event, in this decoder's mode and within its limits.
    ///
    /// # Errors
    /// Says everything that is wrong with it.
    pub fn decode_stream<'f>(
        &self,
        fields: impl IntoIterator<Item = (&'f str, &'f str)>,
    ) -> Result<AgentEvent, ProtocolError> {
        let fields: Vec<_> = fields.into_iter().collect();
        let bytes: usize = fields.iter().map(|(key, value)| key.len() + value.len()).sum();
        if bytes > self.limits().max_bytes() {
            return Err(crate::json::too_large(bytes, self.limits()));
        }
        let mut stream = Stream::new(*self, is_later(&fields));
        for (place, (key, value)) in fields.iter().enumerate() {
            stream.take(place, key, value);
        }
        stream.finish(fields.len())
    }

    /// Reads the stream form from a JSON object of strings, as tools print the entries of a stream.
    ///
    /// # Errors
    /// Says everything that is wrong with it.
    pub fn decode_stream_json(&self, bytes: &[u8]) -> Result<AgentEvent, ProtocolError> {
        let text = open(bytes, self.limits())?;
        let mut reader = Reader::new(text, self.mode(None));
        let mut fields = Vec::new();
        match members(&mut reader, &mut fields).and_then(|()| reader.end()) {
            Ok(()) => {}
            Err(syntax) => return Err(syntax.into_error(bytes)),
        }
        let texts: Vec<_> = fields.iter().filter_map(|(_, key, value)| Some((&**key, value.as_deref()?))).collect();
        let mut stream = Stream::new(*self, is_later(&texts));
        let is_object = reader.report.is_empty() || text.trim_start().starts_with('{');
        stream.report.merge(reader.report, None);
        for (place, key, value) in &fields {
            match value {
                Some(value) => stream.take(*place, key, value),
                None => stream.refused(key),
            }
        }
        if is_object { stream.finish(bytes.len()) } else { Err(ProtocolError::refused(stream.report.finish())) }
    }
}

type Member<'a> = (usize, Cow<'a, str>, Option<Cow<'a, str>>);

fn members<'a>(reader: &mut Reader<'a>, fields: &mut Vec<Member<'a>>) -> Walk<()> {
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
    while let Some(key) = reader.next_key(&mut first)? {
        let at = root.key(&key);
        let place = reader.key_offset();
        if !reader.keys.insert(&mut frame, &key) {
            reader.repeated(&at);
            reader.pass(&at)?;
            continue;
        }
        if key.starts_with('_') {
            reader.pass(&at)?;
            continue;
        }
        let value = if reader.kind()? == Kind::String {
            Some(reader.string()?)
        } else {
            let start = reader.offset();
            reader.pass(&at)?;
            reader.refuse(start, &at, Rule::Str3, "a string");
            None
        };
        fields.push((place, key, value));
    }
    reader.keys.leave(&frame);
    Ok(())
}

fn is_later(fields: &[(&str, &str)]) -> bool {
    fields.iter().any(|(key, value)| *key == "version" && crate::version::is_later_minor(value))
}

struct Stream {
    decoder: Decoder,
    is_later: bool,
    parts: AgentEventParts,
    report: Report,
    seen: HashSet<String>,
    later: Vec<(String, String)>,
}

impl Stream {
    fn new(decoder: Decoder, is_later: bool) -> Self {
        let (parts, report) = (AgentEventParts::default(), Report::default());
        Stream { decoder, is_later, parts, report, seen: HashSet::new(), later: Vec::new() }
    }

    fn take(&mut self, place: usize, key: &str, value: &str) {
        if key.starts_with('_') {
            return;
        }
        let at = &Path::Root.key(key);
        if !self.seen.insert(key.to_owned()) {
            return self.report.add(place, at, Rule::Jsn5, REPEATED, None);
        }
        let parts = &mut self.parts;
        let mut field = Text { value, place, at, decoder: self.decoder, report: &mut self.report };
        match key {
            "event_id" => field.read(&mut parts.event_id),
            "version" => field.read(&mut parts.version),
            "event_type" => field.read(&mut parts.event_type),
            "timestamp" => field.read(&mut parts.timestamp),
            "tenant_id" => field.read(&mut parts.tenant_id),
            "priority" => field.read(&mut parts.priority),
            "source_agent_id" => field.read(&mut parts.source_agent_id),
            "correlation_id" => field.read(&mut parts.correlation_id),
            "parent_event_id" => field.read(&mut parts.parent_event_id),
            "call_chain" => field.read_list(&mut parts.call_chain),
            "context_refs" => field.read_list(&mut parts.context_refs),
            "data" => match parse_object_in(value, below(self.decoder.mode(None))) {
                Ok(object) => parts.data.set(object),
                Err(error) => {
                    parts.data.refused();
                    self.report.take_all(error.into_violations().below("/data"), place);
                }
            },
            _ if self.is_later => self.later.push((key.to_owned(), as_json(value))),
            _ if self.decoder.is_lenient() => {}
            _ => self.report.add(place, at, Rule::Fld2, UNKNOWN, None),
        }
    }

    /// A field came whose value is no string, which is said already.
    fn refused(&mut self, key: &str) {
        self.seen.insert(key.to_owned());
        let parts = &mut self.parts;
        match key {
            "event_id" => parts.event_id.refused(),
            "event_type" => parts.event_type.refused(),
            "timestamp" => parts.timestamp.refused(),
            "tenant_id" => parts.tenant_id.refused(),
            "source_agent_id" => parts.source_agent_id.refused(),
            "call_chain" => parts.call_chain.refused(),
            _ => {}
        }
    }

    fn finish(mut self, end: usize) -> Result<AgentEvent, ProtocolError> {
        let fields = AgentEvent::FIELDS.names;
        let mut check = Check { report: &mut self.report, at: &Path::Root, end, fields, source: "" };
        let event = AgentEvent::assemble(self.parts, Extra::new(self.later), &mut check);
        match event {
            Some(event) if self.report.is_empty() => Ok(event),
            _ => Err(ProtocolError::refused(self.report.finish())),
        }
    }
}

/// For a value that stands one level deep in its event.
fn below(mode: Mode) -> Mode {
    Mode { max_depth: mode.max_depth.saturating_sub(1), ..mode }
}

/// A field that this version does not know: strict JSON stays what it is, other text becomes a
/// string.
fn as_json(value: &str) -> String {
    let mut reader = Reader::new(value, below(Mode::default()));
    let text = reader.free_value(&Path::Root).and_then(|text| reader.end().map(|()| text));
    match text {
        Ok(text) if reader.report.is_empty() => text,
        _ => quoted(value),
    }
}

fn quoted(value: &str) -> String {
    let mut out = Out::with_capacity(value.len() + 2);
    out.string(value);
    out.into_text()
}

/// One field of the stream, and where it stands.
struct Text<'t> {
    value: &'t str,
    place: usize,
    at: &'t Path<'t>,
    decoder: Decoder,
    report: &'t mut Report,
}

impl Text<'_> {
    /// Reads the text as the JSON string that it would be, so that one set of rules serves both forms.
    fn read<T: Field>(&mut self, slot: &mut Slot<T>) {
        self.read_json(slot, &quoted(self.value));
    }

    fn read_list<T: Field>(&mut self, slot: &mut Slot<T>) {
        let mut list = Out::with_capacity(self.value.len() + 2);
        list.raw("[");
        for item in self.value.split(',').filter(|_| !self.value.is_empty()) {
            list.comma();
            list.string(item);
        }
        list.raw("]");
        self.read_json(slot, &list.into_text());
    }

    fn read_json<T: Field>(&mut self, slot: &mut Slot<T>, json: &str) {
        // A list is one here, and none in the stream: the limit on depth is not about it.
        let mode = Mode { max_depth: MAX_DEPTH, ..self.decoder.mode(None) };
        let mut reader = Reader::new(json, mode);
        // What was quoted here is JSON.
        match T::read(&mut reader, self.at) {
            Ok(Some(value)) => slot.set_at(value, self.place),
            _ => slot.refused(),
        }
        self.report.merge(reader.report, Some(self.place));
    }
}
