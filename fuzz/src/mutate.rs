//! Edits that know where keys and values are, so that a document stays nearly right.

use std::ops::Range;
use std::sync::LazyLock;

/// Keys, values and pieces of strings, from the dictionary.
struct Words {
    keys: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
    pieces: Vec<Vec<u8>>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let lines = || include_str!("../dict.txt").lines().filter(|line| !line.starts_with('#'));
    let words = |prefix: &str| -> Vec<Vec<u8>> {
        let quoted = lines().filter_map(|line| line.strip_prefix(prefix)?.split_once('='));
        quoted.map(|(_, word)| unquoted(word)).collect()
    };
    Words { keys: words("key"), values: words("value"), pieces: words("piece") }
});

/// A word of a dictionary, which writes `\"`, `\\` and `\xAB` for a quote, a backslash and a byte.
fn unquoted(word: &str) -> Vec<u8> {
    let mut bytes = word[1..word.len() - 1].bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        out.push(match (byte, bytes.clone().next()) {
            (b'\\', Some(b'x')) => {
                let digits: String = bytes.by_ref().skip(1).take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).expect("two hexadecimal digits")
            }
            (b'\\', Some(escaped)) => {
                bytes.next();
                escaped
            }
            _ => byte,
        });
    }
    out
}

/// Changes the first `size` bytes of `data` and gives their new number: half of the time by
/// `plain`, which knows nothing of JSON, else by one or a few edits that do.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    plain: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut dice = Dice(u64::from(seed) << 1 | 1);
    if dice.roll(2) == 0 {
        return plain(data, size, max_size);
    }
    let mut text = data[..size].to_vec();
    for _ in 0..=dice.roll(3) {
        if let Some((range, by)) = edit(&text, &mut dice) {
            text.splice(range, by);
        }
    }
    if text.len() > max_size || text == data[..size] {
        return plain(data, size, max_size);
    }
    data[..text.len()].copy_from_slice(&text);
    text.len()
}

/// A xorshift generator: the fuzzer gives the seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // Close enough to even for a few sides.
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.roll(from.len()))
    }
}

/// Where something stands in a text that is more or less JSON.
#[derive(Default)]
struct Spans {
    keys: Vec<Range<usize>>,
    values: Vec<Range<usize>>,
}

fn spans(text: &[u8]) -> Spans {
    let mut spans = Spans::default();
    let mut open = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let start = at;
        at += 1;
        match text[start] {
            b'"' => {
                at = string_end(text, at);
                let behind = text[at..].iter().find(|byte| !byte.is_ascii_whitespace());
                if behind == Some(&b':') { &mut spans.keys } else { &mut spans.values }.push(start..at);
            }
            b'{' | b'[' => open.push(start),
            b'}' | b']' => spans.values.extend(open.pop().map(|start| start..at)),
            b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                let word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
                at += text[at..].iter().take_while(word).count();
                spans.values.push(start..at);
            }
            _ => {}
        }
    }
    spans
}

fn string_end(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// One edit: what goes, and what comes in its place.
fn edit(text: &[u8], dice: &mut Dice) -> Option<(Range<usize>, Vec<u8>)> {
    let spans = spans(text);
    let (value, key) = (dice.pick(&spans.values)?.clone(), dice.pick(&spans.keys)?.clone());
    Some(match dice.roll(9) {
        // Another value: a known one, one of the same kind, or one of the document's own.
        0 => (value, dice.pick(&WORDS.values)?.clone()),
        1 => {
            let same: Vec<_> = WORDS.values.iter().filter(|word| kind(word) == kind(&text[value.clone()])).collect();
            (value, dice.pick(&same)?.to_vec())
        }
        2 => (value, text[dice.pick(&spans.values)?.clone()].to_vec()),
        // Another key.
        3 => (key, dice.pick(&WORDS.keys)?.clone()),
        // One more member before another.
        4 | 5 => {
            let member = [dice.pick(&WORDS.keys)?, &b":"[..], dice.pick(&WORDS.values)?, b","].concat();
            (key.start..key.start, member)
        }
        // One member less.
        6 => {
            let behind = spans.values.iter().filter(|value| value.start >= key.end);
            let end = behind.min_by_key(|value| value.start)?.end;
            let comma_behind = text.get(end) == Some(&b',');
            let comma_before = !comma_behind && text[..key.start].ends_with(b",");
            (key.start - usize::from(comma_before)..end + usize::from(comma_behind), Vec::new())
        }
        // A value inside another.
        7 => {
            let around: [&[u8]; 2] = if dice.roll(2) == 0 { [b"[", b"]"] } else { [b"{\"a\":", b"}"] };
            let wrapped = [around[0], &text[value.clone()], around[1]].concat();
            (value, wrapped)
        }
        // Something inside a string or a number.
        _ => {
            let at = value.start + 1 + dice.roll(value.len() - 1);
            let end = at + dice.roll(2).min(value.end.saturating_sub(at));
            (at..end, dice.pick(&WORDS.pieces)?.clone())
        }
    })
}

/// Tells strings, numbers, objects and arrays from each other.
fn kind(value: &[u8]) -> u8 {
    match value.first() {
        Some(b'-' | b'0'..=b'9') => b'0',
        Some(&first) => first,
        None => 0,
    }
}
