//! Bodies are bytes, and come back as they were.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use uuid::Uuid;
use workwire_broker::adapter::wire::Encoding;
use workwire_broker::{Broker, Fetch, MemoryBroker, Message, Policy, Queue, Verdict};

use super::peer::behind_protocol;

const MEBIBYTE: usize = 1_048_576;

#[tokio::test]
async fn every_byte_and_every_size_comes_back() {
    let broker = behind_protocol(Arc::new(MemoryBroker::default())).await;
    let client = broker.open("a").await.unwrap();
    let queue = Queue::new("tasks");
    client.declare(&queue, &Policy { max_attempts: 1, ..Policy::default() }).await.unwrap();
    let all: Vec<u8> = (0..=255).collect();
    let bodies = [
        Vec::new(),
        all.repeat(4),
        all.repeat(MEBIBYTE / 256),
        vec![b'a'; MEBIBYTE],
        vec![1; MEBIBYTE],
        "…".repeat(MEBIBYTE / 3).into_bytes(),
        "line\r\nline\u{2028}\u{0}\\\"".repeat(1_000).into_bytes(),
    ];
    for (number, body) in bodies.into_iter().enumerate() {
        let id = Uuid::from_u128(number as u128);
        client.publish(&queue, Message::new(id, body.clone())).await.unwrap();
        let peeked = client.peek(&queue, workwire_broker::Peek { max: 1, ..Default::default() }).await.unwrap();
        let taken = client.fetch(&queue, Fetch::up_to(1)).await.unwrap();
        client.settle(&queue, &taken[0].tag, Verdict::dead("enough")).await.unwrap();
        let letters = client.dead_letters(&queue, 99, None).await.unwrap();
        for (found, found_id) in [
            (&peeked[0].body, peeked[0].id),
            (&taken[0].body, taken[0].id),
            (&letters.last().unwrap().body, letters.last().unwrap().id),
        ] {
            assert!(*found == body, "body {number} of {} bytes", body.len());
            assert_eq!(found_id, id);
        }
    }
    assert_eq!(broker.findings(), []);
}

#[tokio::test]
async fn the_most_that_is_fetched_at_once_fits_into_a_line() {
    let broker = behind_protocol(Arc::new(MemoryBroker::default())).await;
    let client = broker.open("a").await.unwrap();
    let queue = Queue::new("tasks");
    client.declare(&queue, &Policy::default()).await.unwrap();
    // Control characters and quotes are what JSON takes most room for.
    for (number, byte) in [1, b'"', 0xff, b'\n', 1, 1, 0x7f, 0xff, 1].into_iter().enumerate() {
        let message = Message::new(Uuid::from_u128(number as u128), vec![byte; MEBIBYTE]);
        client.publish(&queue, message).await.unwrap();
    }
    let taken = client.fetch(&queue, Fetch::up_to(9)).await.unwrap();
    assert_eq!(taken.len(), 8, "8 MiB of bodies");
    let many: Vec<Message> = (100..9_000).map(|number| Message::new(Uuid::from_u128(number), "")).collect();
    for answer in client.publish_batch(&queue, many).await.unwrap() {
        answer.unwrap();
    }
    let taken = client.fetch(&queue, Fetch::up_to(u32::MAX)).await.unwrap();
    assert_eq!(taken.len(), 8_192, "no more than have room whatever their bodies are");
    let rest = client.fetch(&queue, Fetch::up_to(u32::MAX)).await.unwrap();
    assert_eq!(taken.len() + rest.len(), 8_901, "one large one, and all the small ones");
    assert_eq!(broker.findings(), []);
}

#[tokio::test]
async fn letters_with_long_reasons_are_cut_to_what_fits_into_a_line() {
    let broker = behind_protocol(Arc::new(MemoryBroker::default())).await;
    let client = broker.open("a").await.unwrap();
    let queue = Queue::new("tasks");
    client.declare(&queue, &Policy::default()).await.unwrap();
    let many: Vec<Message> = (0..800).map(|number| Message::new(Uuid::from_u128(number), "x")).collect();
    client.publish_batch(&queue, many).await.unwrap();
    let taken = client.fetch(&queue, Fetch::up_to(800)).await.unwrap();
    // Each of its characters takes six in JSON: 800 of them take more than 18 MiB.
    let reason = "\u{1}".repeat(4_096);
    let dead = taken.into_iter().map(|taken| (taken.tag, Verdict::dead(&*reason))).collect();
    for answer in client.settle_many(&queue, dead).await.unwrap() {
        answer.unwrap();
    }
    let letters = client.dead_letters(&queue, 800, None).await.unwrap();
    assert!((600..700).contains(&letters.len()), "{}", letters.len());
    assert!(letters.iter().all(|letter| letter.reason == reason));
    assert_eq!(broker.findings(), []);
}

#[tokio::test]
async fn a_request_that_fits_into_no_line_is_refused_before_it_is_made() {
    let broker = behind_protocol(Arc::new(MemoryBroker::default())).await;
    let client = broker.open("a").await.unwrap();
    let queue = Queue::new("tasks");
    client.declare(&queue, &Policy::default()).await.unwrap();
    let error = client.publish(&queue, Message::new(Uuid::nil(), vec![b'a'; 17 * MEBIBYTE])).await.unwrap_err();
    assert!(error.is_refused() && error.message().contains("at most 16777216 bytes"), "{error}");
    let error = client.publish(&queue, Message::new(Uuid::nil(), vec![b'a'; 2 * MEBIBYTE])).await.unwrap_err();
    assert_eq!(error.message(), "body: expected at most 1048576 bytes, found 2097152");
    assert_eq!(broker.findings(), []);
}

proptest! {
    #[test]
    fn any_bytes_come_back(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (text, encoding) = Encoding::write(Bytes::from(body.clone()));
        prop_assert_eq!(&encoding.read(text.clone(), "body").unwrap()[..], &body[..]);
        let line = serde_json::to_string(&text).unwrap();
        prop_assert!(line.len() <= body.len() + body.len() / 2 + 66, "{} of {}", line.len(), body.len());
    }

    #[test]
    fn text_stays_text(body in "[ -~]{0,200}") {
        // Printable characters double at most, and only quotes and backslashes do.
        let (text, encoding) = Encoding::write(Bytes::from(body.clone()));
        if body.bytes().filter(|byte| b"\"\\".contains(byte)).count() <= body.len() / 2 {
            prop_assert_eq!((text, encoding), (body, Encoding::Utf8));
        }
    }
}
