//! Adapters that misbehave: what is found, and that the run goes on.

use std::time::Duration;

use workwire_broker::adapter::{AdapterBroker, AdapterOptions, Finding, FindingKind};
use workwire_broker::{Broker, BrokerError, Client, Code, Depth, Fetch, Message, Queue};

use super::soon::{soon, until};

/// The command of an adapter that misbehaves in this way.
pub(crate) fn command(way: &str) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/adapter/misbehave.py");
    ["python3", script, way].map(str::to_owned).to_vec()
}

/// An adapter and one client.
pub(crate) async fn started(way: &str, options: &AdapterOptions) -> (AdapterBroker, Box<dyn Client>) {
    let broker = soon(way, AdapterBroker::start(&command(way), options)).await.unwrap();
    let client = soon(way, broker.open("a")).await.unwrap();
    (broker, client)
}

/// What a depth answers while the adapter misbehaves, and the findings at the end of the run.
async fn run(way: &str, options: &AdapterOptions) -> (Result<Depth, BrokerError>, Vec<Finding>) {
    let (broker, client) = started(way, options).await;
    let queue = Queue::new("q");
    let depth = soon(way, client.depth(&queue, None)).await;
    if way == "second_answer" {
        until("the second answer is seen", || !broker.findings().is_empty()).await;
    }
    soon("it goes on", client.sweep(&queue)).await.unwrap_err();
    soon("the end", broker.shutdown()).await.unwrap();
    (depth, broker.findings())
}

fn is_right(depth: Result<Depth, BrokerError>) {
    assert_eq!(depth.unwrap().ready, 7);
}

fn is_indefinite(depth: Result<Depth, BrokerError>) {
    let error = depth.unwrap_err();
    assert!(error.is_indefinite(), "{error}");
}

#[tokio::test]
async fn lines_that_are_wrong_are_found_and_the_answer_is_taken() {
    for (way, kind, message, excerpt) in [
        (
            "not_json",
            FindingKind::NotJson,
            "expected JSON: expected value at line 1 column 1",
            "Listening on [1mport 7[0m …",
        ),
        ("not_utf8", FindingKind::NotJson, "expected JSON, found no UTF-8", "{\"a\": \"\u{fffd}\"}"),
        ("blank", FindingKind::NotJson, "expected JSON: EOF", ""),
        ("cut", FindingKind::NotJson, "expected JSON: EOF", "{\"jsonrpc\": \"2.0\", \"id\": 3, \"resu"),
        (
            "no_request",
            FindingKind::NoRequest,
            "an answer to request 999, which was never made",
            "{\"jsonrpc\": \"2.0\", \"id\": 999",
        ),
        (
            "not_yet",
            FindingKind::NoRequest,
            "an answer to request 4, which was never made",
            "{\"jsonrpc\": \"2.0\", \"id\": 4",
        ),
        (
            "id_null",
            FindingKind::NoRequest,
            "an answer to no request, with the id null: what?",
            "{\"jsonrpc\": \"2.0\", \"id\": null",
        ),
        ("no_id", FindingKind::WrongShape, "expected an answer: id: missing", "{\"jsonrpc\": \"2.0\", \"result\""),
        ("other_type_of_id", FindingKind::NoRequest, "an answer to request \"3\", which was never made", "{"),
        ("a_list", FindingKind::WrongShape, "expected an answer: invalid type: sequence, expected an object", "[]"),
        ("a_number", FindingKind::WrongShape, "expected an answer: invalid type: integer `17`", "17"),
        ("long_line", FindingKind::LongLine, "expected a line of at most 16777216 bytes, found 17825792", "xxxxxxxxxx"),
    ] {
        let (depth, findings) = run(way, &AdapterOptions::default()).await;
        is_right(depth);
        assert_eq!(findings.len(), 2, "{way}: {findings:#?}");
        let found = &findings[0];
        assert_eq!((found.kind, found.line), (kind, Some(3)), "{way}: {found}");
        assert!(found.message.starts_with(message), "{way}: {}", found.message);
        assert!(found.excerpt.starts_with(excerpt), "{way}: {}", found.excerpt);
        assert!(found.excerpt.chars().count() <= 201, "{way}: {}", found.excerpt);
        is_the_sweep(&findings[1]);
    }
}

/// These adapters answer everything else with an empty object, which no sweep is.
fn is_the_sweep(finding: &Finding) {
    assert_eq!(finding.kind, FindingKind::WrongShape);
    assert_eq!(finding.message, "the answer to sweep has the wrong shape: result.expired: missing");
    assert!(finding.line.is_some());
}

#[tokio::test]
async fn answers_of_the_wrong_shape_name_the_member() {
    for (way, message) in [
        ("a_request", "the answer to depth is none: expected `result` or `error`, found neither"),
        ("neither", "the answer to depth is none: expected `result` or `error`, found neither"),
        ("both", "the answer to depth is none: expected `result` or `error`, found both"),
        ("no_version", "the answer to depth is none: jsonrpc: missing"),
        ("other_version", "the answer to depth is none: jsonrpc: invalid value: string \"1.0\", expected \"2.0\""),
        ("error_without_code", "the answer to depth is none: error.code: missing"),
        ("error_is_text", "the answer to depth is none: error: invalid type: string \"no\", expected an object"),
        ("missing", "the answer to depth has the wrong shape: result.ready: missing"),
        (
            "mistyped",
            "the answer to depth has the wrong shape: result.ready: invalid type: string \"seven\", expected u64",
        ),
        (
            "negative",
            "the answer to depth has the wrong shape: result.ready: invalid value: integer `-1`, expected u64",
        ),
        (
            "result_is_a_list",
            "the answer to depth has the wrong shape: result: invalid type: sequence, expected an object",
        ),
        ("deep", "the answer to depth has the wrong shape: result: invalid type: sequence, expected an object"),
    ] {
        let (depth, findings) = run(way, &AdapterOptions::default()).await;
        is_indefinite(depth);
        assert_eq!(findings.len(), 2, "{way}: {findings:#?}");
        assert_eq!((findings[0].kind, findings[0].line), (FindingKind::WrongShape, Some(3)), "{way}");
        assert_eq!(findings[0].message, message, "{way}");
        is_the_sweep(&findings[1]);
    }
}

#[tokio::test]
async fn a_second_answer_is_found_and_the_first_counts() {
    let (depth, findings) = run("second_answer", &AdapterOptions::default()).await;
    is_right(depth);
    assert_eq!((findings[0].kind, findings[0].line), (FindingKind::SecondAnswer, Some(4)));
    assert_eq!(findings[0].message, "a second answer to request 3");
}

#[tokio::test]
async fn codes_without_a_meaning_are_found_and_others_are_errors() {
    for (way, message, error) in [
        ("unknown_code", "depth was refused with code 99, which means nothing", "so [7mthere"),
        ("internal_error", "depth was refused with code -32603, which means nothing", "Internal error"),
    ] {
        let (depth, findings) = run(way, &AdapterOptions::default()).await;
        let depth = depth.unwrap_err();
        assert!(depth.is_indefinite() && depth.message().ends_with(error), "{depth}");
        assert_eq!((findings[0].kind, findings[0].line), (FindingKind::UnknownCode, Some(3)));
        assert_eq!(findings[0].message, message);
    }
    for (way, code) in [("method_not_found", Code::Unsupported), ("wrong_params", Code::Invalid)] {
        let (depth, findings) = run(way, &AdapterOptions::default()).await;
        assert_eq!(depth.unwrap_err().code(), code);
        assert_eq!(findings.len(), 1, "{findings:#?}");
        is_the_sweep(&findings[0]);
    }
}

#[tokio::test]
async fn members_that_nobody_named_are_no_finding() {
    let (depth, findings) = run("extra", &AdapterOptions::default()).await;
    is_right(depth);
    assert_eq!(findings.len(), 1, "{findings:#?}");
}

#[tokio::test]
async fn bodies_and_outcomes_are_looked_at_too() {
    let (broker, client) = started("right", &AdapterOptions::default()).await;
    let queue = Queue::new("q");
    assert!(client.fetch(&queue, Fetch::up_to(1)).await.unwrap_err().is_indefinite());
    let messages = |count| (0..count).map(|id| Message::new(uuid::Uuid::from_u128(id), "x")).collect();
    let outcomes = client.publish_batch(&queue, messages(3)).await.unwrap();
    let codes: Vec<_> = outcomes.into_iter().map(|outcome| outcome.err().map(|error| error.code())).collect();
    assert_eq!(codes, [None, Some(Code::Full), Some(Code::Unavailable)]);
    assert!(client.publish_batch(&queue, messages(2)).await.unwrap_err().is_indefinite());
    let found: Vec<_> = broker.findings().into_iter().map(|found| (found.line, found.message)).collect();
    let body = "the answer to fetch has the wrong shape: result.deliveries[0].body: expected base64 with its padding: \
                Invalid padding";
    assert_eq!(
        found,
        [
            (Some(3), body.to_owned()),
            (Some(4), "publish_batch was refused with code 77, which means nothing".to_owned()),
            (
                Some(5),
                "the answer to publish_batch has the wrong shape: result.outcomes: expected 2 of them, found 3"
                    .to_owned()
            ),
        ]
    );
}

#[tokio::test]
async fn silence_is_found_and_the_rest_goes_on() {
    let options = AdapterOptions { limit: Duration::from_secs(3), ..AdapterOptions::default() };
    let (broker, client) = started("silence", &options).await;
    is_indefinite(soon("silence", client.depth(&Queue::new("q"), None)).await);
    let found = &broker.findings()[0];
    assert_eq!((found.kind, found.line), (FindingKind::Silence, None));
    assert_eq!(found.message, "no answer to depth, request 3, within 3s");
    soon("it goes on", client.sweep(&Queue::new("q"))).await.unwrap_err();
    soon("the end", broker.shutdown()).await.unwrap();
}

#[tokio::test]
async fn a_flood_of_garbage_fills_no_memory() {
    let (broker, client) = started("flood", &AdapterOptions::default()).await;
    is_right(soon("an answer", client.depth(&Queue::new("q"), None)).await);
    assert_eq!((broker.findings().len(), broker.findings_total()), (1_000, 3_000));
    soon("the end", broker.shutdown()).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_begun_says_why() {
    for (way, code, words) in [
        ("other_contract", Code::Unsupported, "contract: expected \"1\", found \"2\""),
        ("one_priority", Code::Unsupported, "limits.max_priority: expected 2 to 10 where priority is claimed, found 1"),
        ("odd_capability", Code::Unavailable, "result.capabilities[1]: unknown variant `prioritee`"),
        ("exit_at_once", Code::Unavailable, "exit status: 4"),
    ] {
        let error = soon(way, AdapterBroker::start(&command(way), &AdapterOptions::default())).await.unwrap_err();
        assert_eq!(error.error().code(), code, "{error}");
        assert!(error.to_string().contains(words), "{way}: {error}");
    }
    let quick = AdapterOptions { limit: Duration::from_millis(100), ..AdapterOptions::default() };
    let error = soon("never", AdapterBroker::start(&command("never"), &quick)).await.unwrap_err();
    assert_eq!(error.findings()[0].kind, FindingKind::Silence, "{error}");
    for command in [&[][..], &["/no/such/program".to_owned()]] {
        let error = AdapterBroker::start(command, &AdapterOptions::default()).await.unwrap_err();
        assert!(error.to_string().starts_with("cannot start the adapter"), "{error}");
    }
}
