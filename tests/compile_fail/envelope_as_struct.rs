//! An envelope is made by its constructor.

use workwire::{MessageEnvelope, Priority};

fn urgent(envelope: MessageEnvelope) -> MessageEnvelope {
    MessageEnvelope { priority: Priority::MAX, ..envelope }
}

fn main() {}
