//! The queue of a channel. Names of channels are longer than names of queues, and know capitals: two
//! channels must never share a queue.

use uuid::Uuid;
use workwire::Name;

use crate::queue::Queue;

/// A queue's name has so many characters at most.
const LONGEST: usize = 100;

/// What names are hashed below, so that nobody else's hashes are ours.
const SPACE: Uuid = Uuid::from_u128(0x6f0a_4c1e_53d2_5b8e_9a57_2f6d_c4b1_7e03);

/// The queue of a channel: `channel.` and its name, in which `_` is written `__` and a capital as `_`
/// and its small letter. Where that is too long it is `channel-hash.` and the name's hash (a UUID of
/// version 5, without hyphens).
///
/// ```
/// use workwire_broker::channel_queue;
/// assert_eq!(channel_queue(&"general".parse()?).name(), "channel.general");
/// assert_eq!(channel_queue(&"Team_A".parse()?).name(), "channel._team___a");
/// let long = "x".repeat(128).parse()?;
/// assert!(channel_queue(&long).name().starts_with("channel-hash."));
/// # Ok::<(), workwire::ProtocolError>(())
/// ```
#[must_use]
pub fn channel_queue(channel: &Name) -> Queue {
    let mut name = String::from("channel.");
    for c in channel.as_str().chars() {
        match c {
            '_' => name.push_str("__"),
            c if c.is_ascii_uppercase() => name.extend(['_', c.to_ascii_lowercase()]),
            c => name.push(c),
        }
    }
    if name.len() > LONGEST {
        name = format!("channel-hash.{}", Uuid::new_v5(&SPACE, channel.as_str().as_bytes()).simple());
    }
    Queue::new(name)
}

/// The id of the message that says that an agent has subscribed to a channel. No name holds a `/`.
pub(super) fn subscription_id(agent: &Name, channel: &Name) -> Uuid {
    Uuid::new_v5(&SPACE, format!("{agent}/{channel}").as_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_channel_has_a_queue_of_its_own(names in prop::collection::vec("[A-Za-z0-9][A-Za-z0-9._-]{0,127}", 1..40)) {
            let mut queues = HashMap::new();
            for name in names {
                let queue = channel_queue(&Name::new(name.clone()).unwrap());
                queue.check().unwrap();
                let other = queues.insert(queue, name.clone());
                prop_assert!(other.is_none_or(|other| other == name));
            }
        }

        #[test]
        fn near_names_are_kept_apart(name in "[aA_]{1,6}", other in "[aA_]{1,6}") {
            // A name begins with a letter or digit.
            let [name, other] = [format!("c{name}"), format!("c{other}")];
            let same = channel_queue(&Name::new(name.clone()).unwrap()) == channel_queue(&Name::new(other.clone()).unwrap());
            prop_assert_eq!(same, name == other);
        }
    }
}
