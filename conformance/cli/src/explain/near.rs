//! The ids that look most like a text.

use workwire::spec::{self, Clause};
use workwire_conformance::{cases, codec};

/// How many are shown.
const SHOWN: usize = 3;

/// Of clauses.
pub(super) fn clauses(text: &str) -> Vec<&'static str> {
    let text = text.to_ascii_uppercase();
    nearest(spec::clauses().iter().map(|clause| (distance(&text, clause), clause.id())).collect())
}

/// Of cases. One whose name holds the text is nearer than one that merely looks alike.
pub(super) fn cases(text: &str) -> Vec<&'static str> {
    let text = text.to_ascii_lowercase();
    let name = text.split_once('/').map_or(&*text, |(_, name)| name);
    let distance = |id: &'static str| {
        let holds_it = !name.is_empty() && id.contains(name);
        if holds_it { 0 } else { strsim::damerau_levenshtein(&text, &id.to_ascii_lowercase()) }
    };
    let of_codecs = codec::cases().iter().map(|case| &*case.id);
    let all = cases::all().into_iter().map(|case| case.id).chain(of_codecs);
    nearest(all.map(|id| (distance(id), id)).collect())
}

fn nearest(mut all: Vec<(usize, &'static str)>) -> Vec<&'static str> {
    // Stable: those that are equally near stay in the order of the specification.
    all.sort_by_key(|(distance, _)| *distance);
    all.into_iter().take(SHOWN).map(|(_, id)| id).collect()
}

/// An area that is right weighs more than digits that are.
fn distance(text: &str, clause: &Clause) -> usize {
    let area = text.split(['-', '_', ' ']).next().unwrap_or(text);
    2 * strsim::damerau_levenshtein(area, clause.area()) + strsim::damerau_levenshtein(text, clause.id())
}
