//! What `validate --json` prints. Others script against it: members are added, never changed.

use serde::Serialize;
use workwire::{AnyDocument, ProtocolError, Violation};

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Verdict {
    Accepted {
        accepted: bool,
        /// The message as a writer makes it.
        canonical: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Place>,
    },
    Refused {
        accepted: bool,
        violations: Vec<Place>,
        /// How many violations there are, where they are more than those shown.
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<usize>,
    },
}

#[derive(Serialize)]
pub(super) struct Place {
    pointer: String,
    rule: &'static str,
    message: String,
}

impl From<&Violation> for Place {
    fn from(violation: &Violation) -> Self {
        let message = match violation.position() {
            Some(position) => format!("{position}: {}", violation.message()),
            None => violation.message(),
        };
        Place { pointer: violation.pointer().to_owned(), rule: violation.rule().id(), message }
    }
}

impl Verdict {
    pub(super) fn of(result: &Result<AnyDocument, ProtocolError>) -> Self {
        match result {
            Ok(document) => Verdict::Accepted {
                accepted: true,
                canonical: document.to_json(),
                warnings: document.warnings().iter().map(Place::from).collect(),
            },
            Err(error) => {
                let violations: Vec<Place> = error.violations().iter().map(Place::from).collect();
                let total = (error.total() > violations.len()).then_some(error.total());
                Verdict::Refused { accepted: false, violations, total }
            }
        }
    }
}
