//! What an adapter did that its protocol does not allow.

use workwire_broker::adapter::FindingKind;

use super::book::Book;
use super::{Checker, Found};
use crate::anomaly::Kind;
use crate::history::{Call, History};

macro_rules! of_kind {
    ($($NAME:ident $name:literal $clause:literal $Kind:ident $about:literal;)+) => {
        $(
            #[doc = $about]
            pub const $NAME: Checker = Checker {
                name: $name,
                about: $about,
                kinds: &[Kind::Misbehaviour],
                clause: $clause,
                check: |history| misbehaved(history, FindingKind::$Kind, $about),
            };
        )+
    };
}

of_kind! {
    NOT_JSON "not_json" "RPC-1" NotJson "Lines that are no JSON.";
    LONG_LINE "long_line" "RPC-2" LongLine "Lines of more than 16 MiB.";
    NO_REQUEST "no_request" "RPC-3" NoRequest "Answers to no request.";
    SECOND_ANSWER "second_answer" "RPC-4" SecondAnswer "Second answers to one request.";
    SILENCE "silence" "RPC-5" Silence "Requests that were not answered in time.";
    WRONG_SHAPE "wrong_shape" "RPC-6" WrongShape "Answers that are not what their method's must be.";
    UNKNOWN_CODE "unknown_code" "RPC-7" UnknownCode "Errors whose code means nothing.";
    EARLY_EXIT "early_exit" "RPC-8" EarlyExit "Adapters that ended before they were told to.";
}

/// Every answer could have shown it.
fn misbehaved(history: &History, kind: FindingKind, about: &str) -> Found {
    let book = Book::of(history);
    let mut found = Found { looked_at: book.lives.ended, ..Found::default() };
    for place in &book.lives.misbehaved {
        let Call::Misbehaved(word, what) = book.at(*place).call else { continue };
        if book.text(word) == kind.as_str() {
            let expected = format!("none of these: {}", about.trim_end_matches('.').to_lowercase());
            found.add(book.anomaly(Kind::Misbehaviour, [*place], expected, book.text(what).to_owned()));
        }
    }
    found
}
