//! JSON looked at without the crate under test: values as text, repeated keys and all.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object in their order; a key may come twice.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// The text of what stands at a pointer: nothing, one value, or several where a key is repeated.
pub(crate) fn resolve<'a>(text: &'a str, pointer: &str) -> Vec<&'a str> {
    let mut found = vec![text.trim_matches([' ', '\t', '\n', '\r'])];
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        found = found.into_iter().flat_map(|value| children(value, &token)).collect();
    }
    found
}

fn children<'a>(value: &'a str, token: &str) -> Vec<&'a str> {
    if let Ok(Members(members)) = serde_json::from_str(value) {
        return members.into_iter().filter(|(key, _)| key == token).map(|(_, value)| value.get()).collect();
    }
    let items: Vec<&RawValue> = serde_json::from_str(value).unwrap_or_default();
    token.parse().ok().and_then(|index: usize| items.get(index)).map(|item| item.get()).into_iter().collect()
}

/// How deep the bytes have nested by their end.
pub(crate) fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth
}

/// Whether the text is JSON as far as its grammar goes; numbers may have any size.
pub(crate) fn is_grammatical(bytes: &[u8]) -> bool {
    serde_json::from_slice::<&RawValue>(bytes).is_ok()
}
