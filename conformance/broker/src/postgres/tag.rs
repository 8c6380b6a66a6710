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
    let mut parts = tag.0.split('-').map(number);
    let numbers = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(numbers)
}

/// Digits alone, and no more of them than are needed.
fn number(text: &str) -> Option<i64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_as_it_was_written_and_no_other_text_is_one() {
        assert_eq!(read(&Tag(write(1, 20, 0))), Some((1, 20, 0)));
        assert_eq!(read(&Tag(write(i64::MAX, 1, 1))), Some((i64::MAX, 1, 1)));
        for text in [
            "",
            "1",
            "1-2",
            "1-2-3-4",
            "01-2-3",
            "+1-2-3",
            "1-2-",
            "1--3",
            "1-2-x",
            " 1-2-3",
            "1-2-99999999999999999999",
        ] {
            assert_eq!(read(&Tag(text.to_owned())), None, "{text}");
        }
    }
}
