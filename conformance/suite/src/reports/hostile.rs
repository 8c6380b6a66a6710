//! What a target says is hostile text: it may steer a terminal, end a tag, be a megabyte long, or
//! hold the password with which it was reached.

use std::fmt::Write as _;

/// The most characters of a reason, or of another text in an answer.
pub const MOST_CHARACTERS: usize = 2_000;

/// The most characters of a log.
pub const MOST_OF_A_LOG: usize = 16_000;

/// The text in one line, with nothing in it that steers a terminal or turns the direction of
/// writing, without passwords, and cut.
#[must_use]
pub fn line(text: &str, most: usize) -> String {
    cleaned(text, most, |_| false)
}

/// The same with its lines kept.
#[must_use]
pub fn lines(text: &str, most: usize) -> String {
    cleaned(text, most, |c| matches!(c, '\n' | '\t'))
}

/// The end of a log: what was written last says most.
#[must_use]
pub fn log(text: &str) -> String {
    let count = text.chars().count();
    if count <= MOST_OF_A_LOG {
        return lines(text, usize::MAX);
    }
    let left_out = count - MOST_OF_A_LOG;
    let end: String = text.chars().skip(left_out).collect();
    format!("… {left_out} characters before this\n{}", lines(&end, usize::MAX))
}

fn cleaned(text: &str, most: usize, keeps: impl Fn(char) -> bool) -> String {
    // A password may stand across the cut, so it is looked for a little beyond it.
    let window: String = text.chars().take(most.saturating_add(MOST_CHARACTERS)).collect();
    let window = without_passwords(&window);
    let mut cleaned = String::with_capacity(window.len().min(most.saturating_mul(4)));
    for c in window.chars().take(most) {
        if keeps(c) || !steers(c) {
            cleaned.push(c);
        } else {
            cleaned.extend(c.escape_unicode());
        }
    }
    let left_out = text.chars().count().saturating_sub(most);
    if left_out > 0 {
        // Writing to a string cannot fail.
        let _ = write!(cleaned, " … {left_out} characters more");
    }
    cleaned
}

/// Controls, also those beyond ASCII; marks that turn the direction of writing; what is not seen at
/// all; and the two line ends of Unicode, which end a string in old scripts.
pub(super) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// `scheme://user:password@host` without the password, wherever it stands in a text.
fn without_passwords(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        clean.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>'));
        let authority = &after[..end.unwrap_or(after.len())];
        // The last one: a password may hold the sign itself.
        rest = match authority.rfind('@') {
            Some(sign) => {
                let user = authority[..sign].split(':').next().unwrap_or_default();
                clean.push_str(user);
                if user.len() < sign {
                    clean.push_str(":***");
                }
                &after[sign..]
            }
            None => after,
        };
    }
    clean.push_str(rest);
    without_parameters(&clean)
}

/// `password=…`, as in the query of a URL or in a list of settings.
fn without_parameters(text: &str) -> String {
    const NAME: &str = "password=";
    // Of ASCII letters alone, so that places in both are the same.
    let lower = text.to_ascii_lowercase();
    let mut clean = String::with_capacity(text.len());
    let mut from = 0;
    while let Some(at) = lower[from..].find(NAME).map(|at| from + at + NAME.len()) {
        clean.push_str(&text[from..at]);
        let value = &text[at..];
        let end = value.find(|c: char| c.is_whitespace() || matches!(c, '&' | ';' | ',' | '"' | '\'' | ')'));
        from = at + end.unwrap_or(value.len());
        if from > at {
            clean.push_str("***");
        }
    }
    clean.push_str(&text[from..]);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_is_shown_instead() {
        assert_eq!(line("\u{1b}[31mred\u{7}", 100), "\\u{1b}[31mred\\u{7}");
        assert_eq!(line("\u{9b}2J", 100), "\\u{9b}2J");
        assert_eq!(line("admin\u{202e}gnp.exe", 100), "admin\\u{202e}gnp.exe");
        assert_eq!(line("two\nlines", 100), "two\\u{a}lines");
        assert_eq!(lines("two\nlines\r", 100), "two\nlines\\u{d}");
        assert_eq!(line("zero\u{200b}width and a tag \u{e0041}", 100), "zero\\u{200b}width and a tag \\u{e0041}");
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let long = "ü".repeat(1_048_576);
        let cut = line(&long, 10);
        assert_eq!(cut, format!("{} … 1048566 characters more", "ü".repeat(10)));
        assert!(log(&long).len() < 3 * MOST_OF_A_LOG);
        assert_eq!(log("short\n"), "short\n");
    }

    #[test]
    fn passwords_are_taken_out_wherever_they_stand() {
        for (text, clean) in [
            ("amqp://guest:secret@host:5672/v refused", "amqp://guest:***@host:5672/v refused"),
            ("redis://:secret@host", "redis://:***@host"),
            ("a://u:p@h, b://v:q@i", "a://u:***@h, b://v:***@i"),
            ("at nats://host:4222 nothing", "at nats://host:4222 nothing"),
            ("x://user@host", "x://user@host"),
            ("x://u:p@ss@host", "x://u:***@host"),
            ("://", "://"),
            ("postgres://h/db?user=u&password=secret&x=1", "postgres://h/db?user=u&password=***&x=1"),
            ("host=h Password=secret dbname=d", "host=h Password=*** dbname=d"),
            ("password= nothing", "password= nothing"),
        ] {
            assert_eq!(line(text, 1_000), clean);
        }
        let across = format!("{}a://u:secret@h", " ".repeat(5));
        assert!(!line(&across, 12).contains("secr"), "{}", line(&across, 12));
    }
}
