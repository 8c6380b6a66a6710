//! The stream form and `CloudEvents`, made large.

use workwire::{AgentEvent, AnyDocument, Decoder, EventType, Limits};

use super::inputs::{with_content, with_fields};
use crate::{at_two_sizes, finishes, read, widest};

fn event() -> AgentEvent {
    AgentEvent::compose(EventType::TaskFailed, "acme".parse().unwrap(), "a".parse().unwrap()).build().unwrap()
}

/// The stream form with another value for a field, read within the widest limits.
fn stream_with(key: &str, value: &str) -> Result<AgentEvent, workwire::ProtocolError> {
    let fields = event().to_stream();
    let kept = fields.iter().filter(|(name, _)| name != key).map(|(key, value)| (key.as_str(), value.as_str()));
    widest().decode_stream(kept.chain([(key, value)]))
}

#[test]
fn lists_of_a_stream_are_read_or_counted() {
    at_two_sizes(4 << 20, |size| {
        let error = stream_with("context_refs", &",".repeat(size)).unwrap_err();
        assert_eq!((error.violations()[0].rule().id(), error.total()), ("EVT-7", size + 1));
        let read = stream_with("context_refs", &format!("{}r", "r,".repeat(size / 2))).unwrap();
        assert_eq!(read.context_refs().len(), size / 2 + 1);
    });
}

#[test]
fn data_of_a_stream_is_read_or_refused() {
    at_two_sizes(16 << 20, |size| {
        let error = stream_with("data", &"[".repeat(size)).unwrap_err();
        assert_eq!(error.violations()[0].rule().id(), "JSN-8");
        let error = stream_with("data", &format!(r#"{{"a":[{}1]}}"#, "1e400,".repeat(size / 6))).unwrap_err();
        assert_eq!((error.violations()[0].rule().id(), error.total()), ("JSN-11", size / 6));
        assert!(stream_with("data", &format!(r#"{{"a":"{}"}}"#, "x".repeat(size))).is_ok());
    });
}

#[test]
fn fields_of_a_stream_are_counted() {
    at_two_sizes(1_000_000, |times| {
        let fields = event().to_stream();
        let known = || fields.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let error = widest().decode_stream(known().chain(std::iter::repeat_n(("colour", "red"), times))).unwrap_err();
        assert_eq!(error.total(), times);
        let transport = std::iter::repeat_n(("_tag", "x"), times);
        assert_eq!(widest().decode_stream(known().chain(transport)), AgentEvent::from_stream(known()));
    });
}

#[test]
fn stream_over_the_limit_is_refused_unread() {
    finishes(|| {
        let large = "x".repeat(1 << 20);
        let fields = [("event_id", large.as_str())];
        assert!(AgentEvent::from_stream(fields).unwrap_err().is_too_large());
        let small = Decoder::strict().with_limits(Limits::default().with_max_bytes(7));
        assert!(small.decode_stream([("data", "{} ")]).unwrap_err().violations()[0].rule().id() != "JSN-9");
        assert!(small.decode_stream([("data", "{}  ")]).unwrap_err().is_too_large());
    });
}

#[test]
fn cloud_events_are_read_or_counted() {
    at_two_sizes(16 << 20, |size| {
        let content = format!("[{}1]", "1,".repeat(size / 2));
        let text = AnyDocument::Envelope(read(&with_content(&content)).unwrap()).to_cloud_event();
        assert!(AnyDocument::from_cloud_event(&widest(), text.as_bytes()).is_ok());
        let attributes = r#","subject":1"#.repeat(size / 12);
        let text = format!("{}{attributes}}}", text.strip_suffix('}').unwrap());
        let error = AnyDocument::from_cloud_event(&widest(), text.as_bytes()).unwrap_err();
        assert_eq!((error.violations()[0].rule().id(), error.total()), ("JSN-5", size / 12 - 1));
    });
}

#[test]
fn cloud_events_with_the_data_before_the_type_are_read_once_more() {
    at_two_sizes(1_000_000, |times| {
        let data = with_fields(&r#","priority":3"#.repeat(times + 1));
        let text =
            format!(r#"{{"data":{data},"specversion":"1.0","id":"x","source":"y","type":"dev.workwire.error"}}"#);
        let error = AnyDocument::from_cloud_event(&widest(), text.as_bytes()).unwrap_err();
        assert_eq!((error.violations()[0].pointer(), error.total()), ("/data/priority", times));
    });
}
