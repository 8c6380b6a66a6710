//! What a tag says: the group, the message and the delivery that it stands for.

use std::fmt::Write as _;

use crate::contract::Tag;

pub(crate) fn write(place: i64, seq: i64, delivery: i64) -> String {
    let mut text = String::with_capacity(24);
    // Writing into a text cannot fail.
    let _ = write!(text, "{place}-{seq}-{delivery}");
    text
}

/// The numbers of a tag that one of these brokers wrote, and of no other text.
pub(crate) fn read(tag: &Tag) -> Option<(i64, i64, i64)> {
    let mut parts = tag.0.split('-').map(|part| part.parse::<i64>().ok());
    let numbers = (parts.next()??, parts.next()??, parts.next()??);
    let (place, seq, delivery) = numbers;
    (parts.next().is_none() && write(place, seq, delivery) == tag.0).then_some(numbers)
}
