//! Strings: their escapes read, and their shortest spelling written.

use super::scan::{PREFIX, plain_prefix, plain_run, push_plain_run};
use super::{Walk, broken, broken_with};
use crate::rule::Rule;

/// What stands for a character behind a backslash, where that is the shortest spelling; else zero.
const SIMPLE: [u8; 256] = {
    let mut table = [0; 256];
    let pairs = [(b'"', b'"'), (b'\\', b'\\'), (b'b', 8), (b'f', 12), (b'n', b'\n'), (b'r', b'\r'), (b't', b'\t')];
    let mut at = 0;
    while at < pairs.len() {
        table[pairs[at].0 as usize] = pairs[at].1;
        at += 1;
    }
    table
};

/// The character of the two-character escape that begins at the backslash at `at`, if it is one of
/// those that the canonical form uses.
#[inline]
pub(super) fn simple_escape(bytes: &[u8], at: usize) -> Option<char> {
    let c = SIMPLE[usize::from(*bytes.get(at + 1)?)];
    (c != 0).then_some(char::from(c))
}

/// The escape that begins at the backslash at `at`: its character, the index behind it, and
/// whether it is spelled as the canonical form spells it.
pub(super) fn escape(text: &str, at: usize) -> Walk<(char, usize, bool)> {
    let bytes = text.as_bytes();
    if let Some(c) = simple_escape(bytes, at) {
        return Ok((c, at + 2, true));
    }
    match bytes.get(at + 1) {
        Some(b'/') => Ok(('/', at + 2, false)),
        Some(b'u') => unicode_escape(bytes, at),
        _ => Err(broken(Rule::Jsn1, at + 1, "one of \"\\/bfnrtu behind the backslash")),
    }
}

fn unicode_escape(bytes: &[u8], at: usize) -> Walk<(char, usize, bool)> {
    let unit = hex(bytes, at + 2)?;
    let lone = || broken_with(Rule::Jsn4, at, "a pair of surrogate escapes", format!("\\u{unit:04x} alone"));
    let (code, next) = match unit {
        0xD800..=0xDBFF => {
            if bytes.get(at + 6) != Some(&b'\\') || bytes.get(at + 7) != Some(&b'u') {
                return Err(lone());
            }
            let low = hex(bytes, at + 8)?;
            if !(0xDC00..=0xDFFF).contains(&low) {
                return Err(lone());
            }
            (0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), at + 12)
        }
        unit => (unit, at + 6),
    };
    let c = char::from_u32(code).ok_or_else(lone)?;
    // Shortest is what would be written: a control character without an escape of two characters.
    let written = usize::try_from(code).ok().and_then(|code| CONTROL.get(code));
    Ok((c, next, written.is_some_and(|written| bytes[at..next] == *written.as_bytes())))
}

fn hex(bytes: &[u8], from: usize) -> Walk<u32> {
    let mut value = 0;
    for at in from..from + 4 {
        let digit = bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
        value = value * 16 + digit.ok_or_else(|| broken(Rule::Jsn1, at, "four hexadecimal digits behind \\u"))?;
    }
    Ok(value)
}

/// A message being written.
pub(crate) struct Out {
    text: String,
}

impl Out {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Out { text: String::with_capacity(bytes) }
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// Writes text that is JSON already.
    #[inline]
    pub(crate) fn raw(&mut self, json: &str) {
        self.text.push_str(json);
    }

    /// Writes a key, given as `"key":`, behind a comma where one is due.
    #[inline]
    pub(crate) fn key(&mut self, quoted_with_colon: &str) {
        self.comma();
        self.text.push_str(quoted_with_colon);
    }

    /// Writes a comma unless an object or array has just begun.
    #[inline]
    pub(crate) fn comma(&mut self) {
        if !matches!(self.text.as_bytes().last(), Some(b'{' | b'[')) {
            self.text.push(',');
        }
    }

    pub(crate) fn integer(&mut self, value: i64) {
        // Nineteen digits and a sign.
        let mut buffer = [0u8; 20];
        let mut at = buffer.len();
        let mut rest = value.unsigned_abs();
        loop {
            at -= 1;
            // The remainder of a division by ten fits a byte.
            buffer[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            self.text.push('-');
        }
        self.text.extend(buffer[at..].iter().map(|&digit| char::from(digit)));
    }

    /// Writes a string that is known to hold nothing that needs an escape.
    #[inline]
    pub(crate) fn plain(&mut self, value: &str) {
        self.text.push('"');
        self.text.push_str(value);
        self.text.push('"');
    }

    /// Writes a string.
    pub(crate) fn string(&mut self, value: &str) {
        self.text.push('"');
        escape_into(&mut self.text, value);
        self.text.push('"');
    }
}

/// The escapes of the control characters.
const CONTROL: [&str; 32] = [
    "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007", "\\b", "\\t", "\\n",
    "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f", "\\u0010", "\\u0011", "\\u0012", "\\u0013", "\\u0014", "\\u0015",
    "\\u0016", "\\u0017", "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c", "\\u001d", "\\u001e", "\\u001f",
];

/// What stands behind the backslash for a character with an escape of two characters; else zero.
const LETTER: [u8; 256] = {
    let mut table = [0; 256];
    let mut letter = u8::MAX;
    while letter > 0 {
        if SIMPLE[letter as usize] != 0 {
            table[SIMPLE[letter as usize] as usize] = letter;
        }
        letter -= 1;
    }
    table
};

fn escape_into(out: &mut String, value: &str) {
    let mut at = push_plain_run(out, value, 0);
    // The buffer is not worth its making for a short rest.
    if value.len() - at >= PREFIX {
        at = escape_chunks(out, value, at);
    }
    let mut escape = [0; SLACK];
    for c in value[at..].chars() {
        let end = u8::try_from(c).map_or(0, |byte| put_escape(&mut escape, 0, byte));
        if end > 0 {
            // Escapes are ASCII.
            out.push_str(std::str::from_utf8(&escape[..end]).unwrap_or_default());
        } else {
            out.push(c);
        }
    }
}

/// So much is gathered before it is appended.
const ROOM: usize = 1024;

/// The longest escape has its place behind it.
const SLACK: usize = 8;

/// Writes what has escapes, chunk by chunk through a small buffer: each chunk is copied before it is
/// known how much of it is plain, which takes fewer branches than a copy of an unknown length. Gives
/// where the last piece begins, which is shorter than a chunk.
fn escape_chunks(out: &mut String, value: &str, from: usize) -> usize {
    let bytes = value.as_bytes();
    let mut buffer = [0; ROOM + SLACK];
    let (mut at, mut filled, mut plain_chunks) = (from, 0, 0);
    while let Some(chunk) = bytes.get(at..at + PREFIX).and_then(|chunk| <&[u8; PREFIX]>::try_from(chunk).ok()) {
        if filled > ROOM - PREFIX {
            (at, filled) = flush(out, value, at, &buffer[..filled]);
            continue;
        }
        buffer[filled..filled + PREFIX].copy_from_slice(chunk);
        let plain = plain_prefix(chunk);
        at += plain;
        filled += plain;
        if plain < PREFIX {
            filled = put_escape(&mut buffer, filled, bytes[at]);
            at += 1;
            plain_chunks = 0;
        } else {
            plain_chunks += 1;
            if plain_chunks == 8 {
                // A long run goes on without the buffer.
                (at, filled) = flush(out, value, at, &buffer[..filled]);
                at = push_plain_run(out, value, at);
                plain_chunks = 0;
            }
        }
    }
    flush(out, value, at, &buffer[..filled]).0
}

/// Puts the escape of a character below U+0080, if it needs one, and gives the end of what is filled.
#[inline]
fn put_escape(buffer: &mut [u8], filled: usize, byte: u8) -> usize {
    let letter = LETTER[usize::from(byte)];
    if letter != 0 {
        buffer[filled..filled + 2].copy_from_slice(&[b'\\', letter]);
        return filled + 2;
    }
    let escape = CONTROL.get(usize::from(byte)).copied().unwrap_or_default();
    buffer[filled..filled + escape.len()].copy_from_slice(escape.as_bytes());
    filled + escape.len()
}

/// Appends what is filled, up to the last end of a character, and gives where to go on.
fn flush(out: &mut String, value: &str, mut at: usize, filled: &[u8]) -> (usize, usize) {
    let mut end = filled.len();
    while !value.is_char_boundary(at) {
        at -= 1;
        end -= 1;
    }
    // Whole characters of a text, and escapes, which are ASCII.
    out.push_str(std::str::from_utf8(&filled[..end]).unwrap_or_default());
    (at, 0)
}

/// How many levels a text has that is known to be strict JSON.
pub(crate) fn levels(json: &str) -> u32 {
    let bytes = json.as_bytes();
    let (mut at, mut depth, mut deepest) = (0, 0, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => at = string_end(bytes, at + 1),
            _ => {}
        }
        deepest = deepest.max(depth);
        at += 1;
    }
    deepest
}

/// The index of the quote that ends a string.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = plain_run(bytes, at);
        if bytes.get(at) != Some(&b'\\') {
            return at;
        }
        at += 2;
    }
}

/// The canonical spelling of a text that is known to be strict JSON: no white space outside of
/// strings, shortest escapes, numbers as they are.
pub(crate) fn canonical_value(json: &str) -> String {
    let bytes = json.as_bytes();
    let mut out = String::with_capacity(json.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = canonical_string(&mut out, json, at),
            b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            _ => {
                let run = bytes[at..]
                    .iter()
                    .position(|b| matches!(b, b'"' | b' ' | b'\t' | b'\n' | b'\r'))
                    .unwrap_or(bytes.len() - at);
                out.push_str(&json[at..at + run]);
                at += run;
            }
        }
    }
    out
}

/// Copies the string that begins at `start`, its escapes in their shortest form; gives the index
/// behind it.
fn canonical_string(out: &mut String, json: &str, start: usize) -> usize {
    out.push('"');
    let mut at = start + 1;
    loop {
        let run = push_plain_run(out, json, at);
        // Of checked JSON a string has its end, and its escapes can be read.
        let Some((c, next, _)) = json.as_bytes().get(run).filter(|&&b| b == b'\\').and_then(|_| escape(json, run).ok())
        else {
            out.push('"');
            return run + 1;
        };
        escape_into(out, c.encode_utf8(&mut [0; 4]));
        at = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slowly_escaped(value: &str) -> String {
        let escape = |c: char| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\t' => "\\t".to_owned(),
            '\u{8}' => "\\b".to_owned(),
            '\u{C}' => "\\f".to_owned(),
            c if u32::from(c) < 0x20 => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        };
        value.chars().map(escape).collect()
    }

    #[test]
    fn escapes_are_written_wherever_they_stand() {
        for special in ["\"", "\\", "\n", "\u{1}", "\u{1F}", "é\n", "\u{1F980}\u{0}"] {
            for gap in (0..80).chain([500, 1015, 1016, 1017, 1018, 1023, 1024, 1025, 2049]) {
                for plain in ["a", "é", "\u{1F980}"] {
                    let value = format!("{}{special}", plain.repeat(gap)).repeat(3) + plain;
                    let mut out = String::new();
                    escape_into(&mut out, &value);
                    assert_eq!(out, slowly_escaped(&value), "{special:?} behind {gap} of {plain}");
                }
            }
        }
    }

    #[test]
    fn many_escapes_in_a_row_fit_the_buffer() {
        for special in ["\u{1}", "\n", "\u{1}é"] {
            let value = special.repeat(3000);
            let mut out = String::new();
            escape_into(&mut out, &value);
            assert_eq!(out, slowly_escaped(&value));
        }
    }
}
