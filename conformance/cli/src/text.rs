//! Texts of strangers, fit to be printed: what a broker or a message says must not steer a terminal.

use std::fmt::Write;

/// How much of a text is shown.
const SHOWN: usize = 2_000;

/// A text in one line, without what steers a terminal or turns the direction of writing, cut where
/// it is long.
pub(crate) fn plain(text: &str) -> String {
    let mut plain: String = text.chars().map(|c| if c == '\n' { ' ' } else { c }).filter(|c| !steers(*c)).collect();
    if let Some((end, _)) = plain.char_indices().nth(SHOWN) {
        plain.truncate(end);
        plain.push('…');
    }
    plain
}

/// Bytes as they may be shown: text as it is, with what steers a terminal written as an escape;
/// what is no text as the hexadecimal digits of its bytes.
pub(crate) fn body(bytes: &[u8]) -> String {
    let mut shown = String::new();
    let is_cut = if let Ok(text) = std::str::from_utf8(bytes) {
        for c in text.chars().take(SHOWN) {
            if steers(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
        }
        text.chars().nth(SHOWN).is_some()
    } else {
        shown.push_str("0x");
        for byte in bytes.iter().take(SHOWN / 2) {
            // Writing to a string cannot fail.
            let _ = write!(shown, "{byte:02x}");
        }
        bytes.len() > SHOWN / 2
    };
    if is_cut {
        let _ = write!(shown, "… ({} bytes)", bytes.len());
    }
    shown
}

fn steers(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_is_shown() {
        assert_eq!(plain("a\u{1b}[31mb\nc\u{202e}d\r"), "a[31mb cd");
        assert_eq!(body("a\u{1b}[31m\n".as_bytes()), "a\\u{1b}[31m\\u{a}");
        assert_eq!(body(b"\xff\x00"), "0xff00");
    }

    #[test]
    fn what_is_long_is_cut() {
        assert_eq!(plain(&"ä".repeat(3_000)).chars().count(), SHOWN + 1);
        assert!(body("ä".repeat(3_000).as_bytes()).ends_with("ä… (6000 bytes)"));
        assert!(body(&[0xff; 3_000]).ends_with("ff… (3000 bytes)"));
    }
}
