//! Each type on the wire: written and read it is the same, members more change nothing, and a member
//! less is told.

use std::fmt::Debug;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use workwire_broker::adapter::schemas;
use workwire_broker::adapter::wire::*;

use super::values::*;

/// Written and read it is the same, and every member that has to be there is missed by its name.
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let written = serde_json::to_string(value).unwrap();
    assert!(!written.contains('\n'), "one line: {written}");
    assert_eq!(read::<T>(&written).as_ref(), Ok(value), "{written}");
    assert_eq!(read::<T>(&with_more(&written)).as_ref(), Ok(value), "{written}");
    assert_eq!(serde_json::from_str::<T>(&written).unwrap(), *value, "{written}");
    let members: Map<String, Value> = serde_json::from_str(&written).unwrap();
    for name in members.keys() {
        let mut fewer = members.clone();
        fewer.remove(name);
        match read::<T>(&Value::Object(fewer).to_string()) {
            Ok(read) => assert_ne!(read, *value, "{name} says nothing: {written}"),
            Err(mismatch) => assert_eq!(mismatch.to_string(), format!("{name}: missing")),
        }
        let mut other = members.clone();
        // No member of any type is this.
        other.insert(name.clone(), Value::from(vec![Value::from(0.5)]));
        if let Err(mismatch) = read::<T>(&Value::Object(other).to_string()) {
            assert!(mismatch.member().starts_with(&**name), "{mismatch}");
        } else {
            assert_eq!(name, "data", "free content alone may be anything");
        }
    }
}

macro_rules! survive {
    ($($test:ident: $strategy:expr;)+) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
            $(
                #[test]
                fn $test(value in $strategy) {
                    survives(&value);
                }
            )+
        }
    };
}

survive! {
    initialize: (text(), runner()).prop_map(|(contract, runner)| Initialize { contract, runner });
    initialized: (text(), text(), text(), of(text()), capabilities(), of(limits()), of(choices())).prop_map(
        |(contract, name, version, language, capabilities, limits, choices)| Initialized {
            contract, name, version, language, capabilities, limits, choices,
        });
    open: text().prop_map(|client| Open { client });
    close: (text(), close_mode()).prop_map(|(client, mode)| Close { client, mode });
    restart: restart_mode().prop_map(|mode| Restart { mode });
    declare: (text(), queue(), policy()).prop_map(|(client, queue, policy)| Declare { client, queue, policy });
    publish: (text(), queue(), item()).prop_map(|(client, queue, item)| {
        let Item { id, body, encoding, priority, ttl_ms, delay_ms, to } = item;
        Publish { client, queue, id, body, encoding, priority, ttl_ms, delay_ms, to }
    });
    published: stored().prop_map(|outcome| Published { outcome });
    publish_batch: (text(), queue(), vec(item(), 0..4))
        .prop_map(|(client, queue, items)| PublishBatch { client, queue, items });
    published_batch: vec(outcome(), 0..5).prop_map(|outcomes| PublishedBatch { outcomes });
    fetch: ((text(), queue(), text(), any::<u32>()), any::<i64>(), of(text()), of(text()), of(message_id())).prop_map(
        |((client, queue, consumer, max), wait_ms, group, recipient, id)| FetchMessages {
            client, queue, consumer, max, wait_ms, group, recipient, id,
        });
    fetched: vec(taken(), 0..4).prop_map(|deliveries| Fetched { deliveries });
    peek: (text(), queue(), any::<u32>(), of(text()), of(text()), of(message_id())).prop_map(
        |(client, queue, max, group, recipient, after)| PeekMessages { client, queue, max, group, recipient, after });
    looked: vec(seen(), 0..4).prop_map(|messages| Looked { messages });
    settle: (text(), queue(), text(), word(), of(text()), of(any::<i64>())).prop_map(
        |(client, queue, tag, verdict, reason, delay_ms)| Settle { client, queue, tag, verdict, reason, delay_ms });
    extend: (text(), queue(), text(), any::<i64>())
        .prop_map(|(client, queue, tag, lease_ms)| Extend { client, queue, tag, lease_ms });
    ask_depth: (text(), queue(), of(text())).prop_map(|(client, queue, group)| AskDepth { client, queue, group });
    depth_of_queue: depth();
    dead_letters: (text(), queue(), any::<u32>(), of(text()))
        .prop_map(|(client, queue, max, group)| DeadLetters { client, queue, max, group });
    letters: vec((seen(), text(), of(any::<i64>()), of(time()), of(text())), 0..4).prop_map(|letters| {
        let letter = |(Seen { id, body, encoding, attempt, .. }, reason, priority, died_at, group)| DeadLetter {
            id, body, encoding, reason, attempts: attempt, priority, died_at, group,
        };
        Letters { letters: letters.into_iter().map(letter).collect() }
    });
    replay: (text(), queue(), message_id(), of(text()))
        .prop_map(|(client, queue, id, group)| Replay { client, queue, id, group });
    purge: (text(), queue(), of(text()), of(any::<bool>()))
        .prop_map(|(client, queue, group, dead)| PurgeQueue { client, queue, group, dead });
    removed: any::<u64>().prop_map(|removed| Removed { removed });
    delete: (text(), queue()).prop_map(|(client, queue)| Delete { client, queue });
    sweep: (text(), queue()).prop_map(|(client, queue)| Sweep { client, queue });
    expired: any::<u64>().prop_map(|expired| Expired { expired });
    heartbeat: (text(), update(), of(text())).prop_map(|(client, update, tenant)| Heartbeat { client, update, tenant });
    agents: (text(), of(any::<i64>()), of(text()))
        .prop_map(|(client, offline_after_ms, tenant)| Agents { client, offline_after_ms, tenant });
    present: vec(agent_state(), 0..3).prop_map(|agents| Present { agents });
    decode: (kind(), text(), encoding()).prop_map(|(kind, body, encoding)| Decode { kind, body, encoding });
    decoded: prop_oneof![
        text().prop_map(|canonical| Decoded::Accepted { canonical }),
        vec(violation(), 0..3).prop_map(|violations| Decoded::Refused { violations }),
    ];
    request: (id(), text(), of(vec((text(), json_value()), 0..3))).prop_map(|(id, method, params)| Request {
        jsonrpc: TwoPointZero,
        id,
        method,
        params: params.map(|members| members.into_iter().collect::<Map<String, Value>>()),
    });
    answer_ok: (id(), vec((text(), json_value()), 0..3)).prop_map(|(id, members)| {
        Answer::<Map<String, Value>>::ok(id, members.into_iter().collect())
    });
    answer_refused: (of(id()), rpc_error()).prop_map(|(id, error)| Answer::<Map<String, Value>>::refused(id, error));
    error: rpc_error();
}

#[test]
fn what_says_nothing_is_an_empty_object() {
    assert_eq!(serde_json::to_string(&Empty {}).unwrap(), "{}");
    assert_eq!(read::<Shutdown>("{\"reason\": \"late\"}"), Ok(Shutdown {}));
    assert!(read::<Empty>("[]").is_err() && read::<Empty>("null").is_err());
}

#[test]
fn every_method_has_a_name_of_its_own_and_a_schema() {
    let files = schemas();
    for method in Method::ALL {
        assert_eq!(method.as_str().parse(), Ok(*method));
        let path = format!("adapter/{method}.json");
        assert!(files.iter().any(|file| file.path() == path), "{path}");
    }
    assert_eq!(files.len(), Method::ALL.len() + 1, "and the frame");
}

#[test]
fn a_path_into_lists_and_objects_is_told() {
    let text = r#"{"deliveries": [{"tag": "t", "id": "01890a5d-ac96-774b-bcce-b302099a8057", "body": "", "encoding": "utf8", "priority": 1, "attempt": 1}, {"tag": 5}]}"#;
    let mismatch = read::<Fetched>(text).unwrap_err();
    assert_eq!(mismatch.to_string(), "deliveries[1].tag: invalid type: integer `5`, expected a string");
    assert_eq!(mismatch.under("result").member(), "result.deliveries[1].tag");
    let mismatch = read::<PublishedBatch>(r#"{"outcomes": ["stored", {"code": 4}]}"#).unwrap_err();
    assert_eq!(mismatch.to_string(), "outcomes[1].message: missing");
    let mismatch = read::<PublishedBatch>(r#"{"outcomes": ["Stored"]}"#).unwrap_err();
    assert!(mismatch.to_string().starts_with("outcomes[0]: unknown variant `Stored`"), "{mismatch}");
}
