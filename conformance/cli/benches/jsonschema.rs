//! How the crate compares with a JSON Schema validator, on the messages of the crate's own benches.
//!
//! In a binary of its own: `jsonschema` switches on `float_roundtrip` of `serde_json`, which would slow
//! the `serde_json` that the other benches compare with.
//!
//! ```text
//! cargo bench -p workwire-cli --bench jsonschema
//! ```
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should stop")]

#[path = "../../../benches/common/batch.rs"]
mod batch;
#[path = "../../../benches/common/messages.rs"]
mod messages;
#[path = "../../../benches/common/rounds.rs"]
mod rounds;

use std::hint::black_box;
use std::rc::Rc;

use batch::batch;
use jsonschema::Validator;
use messages::messages;
use rounds::{Plan, in_turn, nanoseconds, ratios};
use serde_json::Value;
use workwire::{Decoder, DocumentKind};

fn main() {
    // `cargo test` runs it too, without the word, and wants to know only that the sides agree.
    let measures = std::env::args().any(|argument| argument == "--bench");
    let plan = Plan::default();
    if measures {
        println!(
            "\nDecode and validate, ns: the median of {} rounds; ratios with their 10th and 90th percentile.\n",
            plan.rounds
        );
        println!("| message | workwire | `Value` and jsonschema | ratio | its `is_valid` alone |");
        println!("|---|---:|---:|---|---:|");
    }
    for message in messages() {
        let validator = Rc::new(validator(message.kind));
        let bytes: Rc<[u8]> = message.text.as_bytes().into();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(validator.is_valid(&value), "{}: {}", message.name, message.what);
        for variant in &message.variants {
            let value: Value = serde_json::from_str(&variant.text).unwrap();
            // A repeated key is beyond a schema: the value holds the last one.
            let accepts = variant.violations == 0 || variant.what == "repeated keys";
            assert_eq!(validator.is_valid(&value), accepts, "{}, {}", message.name, variant.what);
        }
        if !measures {
            continue;
        }
        let (kind, decoder) = (message.kind, Decoder::strict());
        let (for_ours, for_both) = (Rc::clone(&bytes), bytes);
        let for_validity = Rc::clone(&validator);
        let ours = batch(move || kind.decode(&decoder, black_box(&for_ours)).unwrap());
        let both = batch(move || {
            let value: Value = serde_json::from_slice(black_box(&for_both)).unwrap();
            assert!(validator.is_valid(&value));
            value
        });
        let validity = batch(move || for_validity.is_valid(black_box(&value)));
        let figures = in_turn(&[&ours, &both, &validity], plan);
        println!(
            "| {} | {} | {} | {} | {} |",
            message.name,
            nanoseconds(&figures[0]),
            nanoseconds(&figures[1]),
            ratios(&figures[0], &figures[1]),
            nanoseconds(&figures[2]),
        );
    }
}

fn validator(kind: DocumentKind) -> Validator {
    let path = format!("{kind}.json");
    let files = workwire::schemas();
    let file = files.iter().find(|file| file.path() == path).unwrap();
    jsonschema::validator_for(&serde_json::from_str(file.text()).unwrap()).unwrap()
}
