//! Bytes: where strings and numbers end, and what a number's text means exactly.

use wide::u8x16;

use super::{Broken, Walk, broken};
use crate::rule::Rule;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// So many words of a run are copied one by one.
const WORDS: usize = 3;

/// Bytes looked at together once a run has shown to be long.
const BLOCK: usize = 64;

/// Marks, in each byte's highest bit, a quote, a backslash or a control character. Bits above the
/// lowest mark may be wrong; the lowest is right.
const fn marks(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let below = word.wrapping_sub(ONES * 0x20);
    (quote.wrapping_sub(ONES) & !quote | backslash.wrapping_sub(ONES) & !backslash | below & !word) & HIGHS
}

/// Bytes that [`plain_prefix`] looks at.
pub(super) const PREFIX: usize = 32;

/// How many of the bytes are plain before the first that is not. Found without a branch, which
/// texts with escapes here and there would mislead.
#[inline]
pub(super) fn plain_prefix(bytes: &[u8; PREFIX]) -> usize {
    let (low, high) = bytes.split_at(PREFIX / 2);
    (marks_of_16(low) | marks_of_16(high) << 16).trailing_zeros() as usize
}

/// A bit for each of sixteen bytes that is a quote, a backslash or a control character.
#[inline]
fn marks_of_16(bytes: &[u8]) -> u32 {
    let all = u8x16::new(bytes.try_into().unwrap_or([0; 16]));
    let controls = all.min(u8x16::splat(0x1F)).simd_eq(all);
    (all.simd_eq(u8x16::splat(b'"')) | all.simd_eq(u8x16::splat(b'\\')) | controls).to_bitmask()
}

fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// The index of the first quote, backslash or control character at or after `from`; the length of
/// `bytes` where there is none.
#[inline]
pub(super) fn plain_run(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let mut words = 0;
    // Most runs are short: a few words decide. A long one goes on in blocks, and its end is found
    // by words again.
    while let Some(word) = bytes.get(at..at + 8).and_then(|chunk| chunk.try_into().ok()) {
        let marks = marks(u64::from_le_bytes(word));
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
        words += 1;
        if words == BLOCK / 8 {
            at = plain_blocks(bytes, at);
        }
    }
    bytes[at..].iter().position(|&byte| is_special(byte)).map_or(bytes.len(), |run| at + run)
}

/// Appends the plain run that begins at `from`, and gives its end. A short run is copied word by
/// word while it is looked at, which takes fewer branches than a copy of an unknown length.
#[inline]
pub(super) fn push_plain_run(out: &mut String, text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = from;
    for _ in 0..WORDS {
        let Some(word) = bytes.get(at..at + 8).and_then(|chunk| chunk.try_into().ok()) else { break };
        let word = u64::from_le_bytes(word);
        if word & HIGHS != 0 {
            break;
        }
        // Of eight ASCII characters, both ends lie between characters.
        out.push_str(&text[at..at + 8]);
        let marks = marks(word);
        if marks != 0 {
            let plain = (marks.trailing_zeros() / 8) as usize;
            out.truncate(out.len() - (8 - plain));
            return at + plain;
        }
        at += 8;
    }
    let end = plain_run(bytes, at);
    out.push_str(&text[at..end]);
    end
}

/// The index of the first block that is not plain, or of the rest that is no whole block. The
/// compiler turns the test of a block into vector instructions.
fn plain_blocks(bytes: &[u8], from: usize) -> usize {
    let plain = |block: &&[u8]| !block.iter().fold(false, |any, &byte| any | is_special(byte));
    from + BLOCK * bytes[from..].chunks_exact(BLOCK).take_while(plain).count()
}

/// A number as it is written, already known to follow the grammar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'a> {
    pub(crate) text: &'a str,
    plain: bool,
}

/// What a number is as an integer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Whole {
    /// Exactly this integer.
    Exact(i64),
    /// The nearest double, which is whole or infinite; the number itself is not whole, or has more
    /// digits than any integer field.
    Rounded(f64),
    /// Not whole, even as a double.
    Broken(f64),
}

impl Number<'_> {
    /// The nearest double; infinite where there is none.
    pub(crate) fn double(&self) -> f64 {
        // The grammar of JSON numbers is a part of the one that `parse` takes. It holds exponents
        // at a bound, behind which the digits of a very long text no longer meet them.
        if self.text.len() > SHORT { shortened(self.text).parse() } else { self.text.parse() }.unwrap_or(f64::NAN)
    }

    /// Whether its nearest double is finite. Short ones without an exponent always are.
    pub(crate) fn is_finite(&self) -> bool {
        (self.plain && self.text.len() < 300) || self.double().is_finite()
    }

    /// Its value as an integer, decided on the decimal digits and not on a rounding.
    pub(crate) fn whole(&self) -> Whole {
        if self.plain
            && self.text.len() <= 18
            && let Ok(value) = self.text.parse()
        {
            return Whole::Exact(value);
        }
        let double = self.double();
        if double.is_finite() && double.fract() != 0.0 {
            return Whole::Broken(double);
        }
        match exact_integer(self.text) {
            Some(value) => Whole::Exact(value),
            None => Whole::Rounded(double),
        }
    }
}

/// Texts up to this are parsed as they stand.
const SHORT: usize = 1000;

/// No double, nor the middle between two, has more significant digits than 768.
const SIGNIFICANT: usize = 800;

/// The same number, or one that rounds to the same double, with few digits; linear in the text.
fn shortened(text: &str) -> String {
    let (before, after, exponent) = split(text);
    let zeros = before.bytes().chain(after.bytes()).take_while(|digit| *digit == b'0').count();
    let significant = || before.bytes().chain(after.bytes()).skip(zeros);
    let mut short = String::from(if text.starts_with('-') { "-0." } else { "0." });
    short.extend(significant().take(SIGNIFICANT).map(char::from));
    // Whatever is not zero behind them decides between two halves.
    short.push(if significant().skip(SIGNIFICANT).any(|digit| digit != b'0') { '1' } else { '0' });
    // A text has fewer digits than 2^63.
    let point = i64::try_from(before.len()).unwrap_or(i64::MAX) - i64::try_from(zeros).unwrap_or(i64::MAX);
    format!("{short}e{}", point.saturating_add(exponent).clamp(-99_999, 99_999))
}

/// The digits before and behind the decimal point, and the exponent.
fn split(text: &str) -> (&str, &str, i64) {
    let unsigned = text.trim_start_matches('-');
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], exponent_of(&unsigned[at + 1..])),
        None => (unsigned, 0),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    (before, after, exponent)
}

/// The exact value of a decimal text if it is whole and fits; linear in the text.
fn exact_integer(text: &str) -> Option<i64> {
    let negative = text.starts_with('-');
    let (before, after, exponent) = split(text);
    let digits = || before.bytes().chain(after.bytes());
    if digits().all(|digit| digit == b'0') {
        return Some(0);
    }
    // The decimal point stands behind so many digits.
    let point = i64::try_from(before.len()).ok()?.saturating_add(exponent);
    let mut value: i64 = 0;
    let mut index: i64 = 0;
    for digit in digits() {
        if index < point {
            value = value.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
        } else if digit != b'0' {
            return None;
        }
        index += 1;
    }
    // A value that is not zero overflows after nineteen more zeros, so this loop is short.
    while index < point {
        value = value.checked_mul(10)?;
        index += 1;
    }
    Some(if negative { -value } else { value })
}

/// An exponent, held at a bound that no document reaches with its digits.
fn exponent_of(text: &str) -> i64 {
    const FAR: i64 = 1 << 40;
    let negative = text.starts_with('-');
    let digits = text.trim_start_matches(['-', '+']);
    let value = digits.bytes().fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(FAR));
    if negative { -value } else { value }
}

/// The number that begins at `start`, and where it ends.
pub(super) fn number(text: &str, start: usize) -> Walk<(Number<'_>, usize)> {
    let bytes = text.as_bytes();
    let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
    let mut plain = true;
    match bytes.get(at) {
        Some(b'0') => at += 1,
        Some(b'1'..=b'9') => at = digits(bytes, at),
        Some(b'I') if bytes[at..].starts_with(b"Infinity") => return Err(not_a_number(start)),
        _ => return Err(broken(Rule::Jsn1, at, "a digit")),
    }
    if bytes.get(at) == Some(&b'.') {
        plain = false;
        at = some_digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        plain = false;
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = some_digits(bytes, at)?;
    }
    Ok((Number { text: &text[start..at], plain }, at))
}

pub(super) fn not_a_number(offset: usize) -> Broken {
    broken(Rule::Jsn6, offset, "a finite number")
}

fn digits(bytes: &[u8], from: usize) -> usize {
    from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn some_digits(bytes: &[u8], from: usize) -> Walk<usize> {
    match digits(bytes, from) {
        to if to > from => Ok(to),
        _ => Err(broken(Rule::Jsn1, from, "a digit")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_run_stops_at_the_first_special_byte_wherever_it_stands() {
        for special in [b'"', b'\\', 0x00, 0x1F] {
            for length in 0..300 {
                let mut bytes = vec![b'a'; length];
                assert_eq!(plain_run(&bytes, 0), length);
                bytes.push(special);
                bytes.extend([b'"', 0x7F, 0xFF]);
                assert_eq!(plain_run(&bytes, 0), length, "{special} behind {length}");
            }
        }
        let all_plain: Vec<u8> = (0x20..=0xFF).filter(|b| ![b'"', b'\\'].contains(b)).collect();
        assert_eq!(plain_run(&all_plain, 0), all_plain.len());
    }

    fn whole(text: &str) -> Whole {
        let (number, end) = number(text, 0).unwrap();
        assert_eq!(end, text.len());
        number.whole()
    }

    #[test]
    fn doubles_of_very_long_texts_are_the_nearest() {
        let zeros = "0".repeat(700_000);
        for (text, double) in [
            (format!("3{zeros}e-700000"), 3.0),
            (format!("-0.{zeros}25e700001"), -2.5),
            (format!("0.{zeros}"), 0.0),
            (format!("1{zeros}"), f64::INFINITY),
            (format!("1{zeros}e-800000"), 0.0),
            // The middle between 1 and the next double, and a hair above it.
            (format!("1.00000000000000011102230246251565404236316680908203125{zeros}"), 1.0),
            (format!("1.00000000000000011102230246251565404236316680908203125{zeros}1"), 1.000_000_000_000_000_2),
        ] {
            let (number, _) = number(&text, 0).unwrap();
            assert_eq!(number.double().to_bits(), double.to_bits(), "{}…", &text[..20]);
        }
    }

    #[test]
    fn integers_are_told_by_their_decimal_digits() {
        for text in ["3", "3.0", "3e0", "30e-1", "0.3E+1", "0.0003e4", "3.000000000000000000000000"] {
            assert_eq!(whole(text), Whole::Exact(3), "{text}");
        }
        assert_eq!(whole("-0"), Whole::Exact(0));
        assert_eq!(whole("0e99999999999999999999"), Whole::Exact(0));
        assert_eq!(whole("-0.0e-5"), Whole::Exact(0));
        assert_eq!(whole("9007199254740993"), Whole::Exact(9_007_199_254_740_993));
        assert_eq!(whole("3.00000000000000000001"), Whole::Rounded(3.0));
        assert_eq!(whole("9007199254740991.4"), Whole::Rounded(9_007_199_254_740_991.0));
        assert_eq!(whole("1e300"), Whole::Rounded(1e300));
        assert_eq!(whole("3.5"), Whole::Broken(3.5));
        assert_eq!(whole("1e-400"), Whole::Rounded(0.0));
    }
}
