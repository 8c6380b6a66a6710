//! Checked texts and closed sets of words: printed, parsed, carried by serde, refused with a reason.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;
use workwire::{
    AgentStatus, AgentType, ArtifactPath, ChannelType, CorrelationId, EventPriority, EventType, MessageType, Name,
    Outcome, OutputChunk, Progress, ProtocolError, Reason, Reference, StepName, TenantId, Version, WorkType,
};

trait Text: FromStr<Err = ProtocolError> + Display + Debug + Serialize + DeserializeOwned + PartialEq {}

impl<T: FromStr<Err = ProtocolError> + Display + Debug + Serialize + DeserializeOwned + PartialEq> Text for T {}

#[track_caller]
fn takes<T: Text>(texts: &[&str]) {
    for text in texts {
        let value: T = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(value.to_string(), *text);
        let json = serde_json::to_string(&value).unwrap();
        assert_eq!(json, serde_json::to_string(text).unwrap());
        assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value);
    }
}

#[track_caller]
fn refuses<T: Text>(rule: &str, texts: &[&str]) {
    for text in texts {
        let error = text.parse::<T>().expect_err(text);
        let violation = &error.violations()[0];
        assert_eq!((violation.pointer(), violation.rule().id(), error.total()), ("", rule, 1), "{text}");
        assert!(violation.found().unwrap().starts_with('"'), "{error}");
        let json = serde_json::to_string(text).unwrap();
        let by_serde = serde_json::from_str::<T>(&json).unwrap_err().to_string();
        assert!(by_serde.starts_with(&error.to_string()), "{by_serde}");
    }
}

#[test]
fn names() {
    takes::<Name>(&["a", "0", "planner-1", "A.b_C-", &"x".repeat(128)]);
    refuses::<Name>("NAM-1", &["", "-a", ".a", "a b", "a,b", "é", &"x".repeat(129)]);
    refuses::<Name>("TXT-1", &["a\n", "\u{0}", "a\u{9f}", &format!("{}\u{7f}", "x".repeat(200))]);
}

#[test]
fn tenants() {
    takes::<TenantId>(&["a", "0-", &"x".repeat(64)]);
    refuses::<TenantId>("EVT-3", &["", "-a", "A", "a_b", "a.b", &"x".repeat(65)]);
    refuses::<TenantId>("TXT-1", &["a\r"]);
}

#[test]
fn channel_types() {
    takes::<ChannelType>(&["a", "context.query", "_._", &"x".repeat(128)]);
    refuses::<ChannelType>("CHN-2", &["", ".", "a..b", "A", "a-b", &"x".repeat(129)]);
    refuses::<ChannelType>("TXT-1", &["a\u{1}"]);
}

#[test]
fn correlation_ids_work_types_and_step_names() {
    takes::<CorrelationId>(&["a", " ", "a,b", "\u{fffe}", &"é".repeat(128)]);
    refuses::<CorrelationId>("TXT-2", &["", &"é".repeat(129)]);
    refuses::<CorrelationId>("TXT-1", &["\t", &"\n".repeat(200)]);
    takes::<WorkType>(&["deploy", "cancel", "Ä ö", &"😀".repeat(128)]);
    refuses::<WorkType>("WRQ-2", &["", &"😀".repeat(129)]);
    refuses::<WorkType>("TXT-1", &["a\u{80}"]);
    takes::<StepName>(&["install packages", &"é".repeat(256)]);
    refuses::<StepName>("WST-5", &["", &"é".repeat(257)]);
    refuses::<StepName>("TXT-1", &["a\nb"]);
}

#[test]
fn references_reasons_and_paths() {
    takes::<Reference>(&["s3://a/b", " ", &"é".repeat(256)]);
    refuses::<Reference>("EVT-7", &["", ",", "a,b", &"é".repeat(257)]);
    refuses::<Reference>("TXT-1", &["a\n,"]);
    takes::<Reason>(&["no", "\n", &"x".repeat(100_000)]);
    refuses::<Reason>("ERR-3", &[""]);
    takes::<ArtifactPath>(&["a", "a/b.json", "...", ".a/..b/c..", " ", &"é".repeat(1024)]);
    let broken = ["", "/", "a/", "/a", "a//b", ".", "..", "a/..", "a\\b", "a:b", "a\n", &"é".repeat(1025)];
    refuses::<ArtifactPath>("CHN-4", &broken);
}

#[test]
fn output_chunks() {
    takes::<OutputChunk>(&["bytes 0-0 of 0", "bytes 1-2 of 3", "bytes 0-9007199254740991 of 9007199254740991"]);
    let formless =
        ["", "bytes 0-1", "bytes 00-1 of 2", "bytes 0-1 of 2 ", "Bytes 0-1 of 2", "bytes -1-1 of 2", "bytes ٠-1 of 2"];
    refuses::<OutputChunk>("WST-6", &formless);
    let disordered =
        ["bytes 2-1 of 3", "bytes 0-4 of 3", "bytes 0-1 of 9007199254740992", "bytes 0-1 of 99999999999999999999999"];
    refuses::<OutputChunk>("WST-7", &disordered);
}

#[test]
fn versions() {
    takes::<Version>(&["1.0", "1.7", "1.999999999"]);
    refuses::<Version>("VER-1", &["", "1", "1.01"]);
    refuses::<Version>("VER-2", &["2.0"]);
}

#[test]
fn words() {
    takes::<AgentType>(&["orchestrator", "infra", "desktop", "code", "research"]);
    takes::<MessageType>(&["work_request", "work_status", "work_result", "status_update", "error"]);
    takes::<Progress>(&["running", "step_completed", "paused"]);
    takes::<Outcome>(&["completed", "failed", "cancelled"]);
    takes::<AgentStatus>(&["online", "offline", "busy"]);
    takes::<EventPriority>(&["low", "normal", "high", "critical"]);
    takes::<EventType>(&EventType::ALL.iter().map(EventType::as_str).collect::<Vec<_>>());
    refuses::<AgentType>("ENV-2", &["", "Infra", "infra "]);
    refuses::<MessageType>("ENV-3", &["work"]);
    refuses::<Progress>("WST-2", &["completed"]);
    refuses::<Outcome>("WRS-2", &["running", "canceled"]);
    refuses::<AgentStatus>("STU-2", &["idle"]);
    refuses::<EventPriority>("EVT-4", &["urgent"]);
    refuses::<EventType>("EVT-2", &["TASK_FAILED"]);
}

#[test]
fn refused_texts_say_what_was_expected_and_found() {
    let text = "no name".parse::<Name>().unwrap_err().to_string();
    let expected = "expected a name of 1 to 128 of A-Z a-z 0-9 . _ - that begins with a letter or digit, found \"no name\" (NAM-1)";
    assert_eq!(text, expected);
}

#[test]
fn texts_are_padded_like_any_text() {
    assert_eq!(format!("{:<6}|", Name::new("ab").unwrap()), "ab    |");
    assert_eq!(format!("{:>8}|", AgentType::Code), "    code|");
}

#[test]
fn texts_are_taken_from_owned_and_borrowed_ones() {
    assert_eq!(Name::try_from("a").unwrap(), Name::try_from("a".to_owned()).unwrap());
    assert_eq!(Name::new("a").unwrap().as_ref(), "a");
    assert!(Name::try_from("").is_err());
}
