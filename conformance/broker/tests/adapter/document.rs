//! The document for those who write an adapter says what is so.

use workwire_broker::adapter::FindingKind;
use workwire_broker::adapter::wire::Method;
use workwire_broker::{Capability, Code};

const DOCUMENT: &str = include_str!("../../ADAPTER.md");

#[test]
fn it_holds_the_very_client_that_the_tests_run() {
    let client = include_str!("client.py");
    assert!(DOCUMENT.contains(&format!("```python\n{client}```\n")), "copy tests/adapter/client.py into it");
    assert!(client.lines().count() <= 30, "{}", client.lines().count());
}

#[test]
fn it_names_every_method_code_capability_and_finding() {
    let row = |first: &str| DOCUMENT.lines().any(|line| line.starts_with(&format!("| {first} |")));
    for method in Method::ALL {
        assert!(row(&format!("`{method}`")), "{method}");
    }
    for code in Code::ALL {
        assert!(DOCUMENT.contains(&format!("| {} | `{code}` |", code.number())), "{code}");
    }
    for capability in Capability::ALL {
        assert!(DOCUMENT.contains(&format!("`{capability}`")), "{capability}");
    }
    for kind in FindingKind::ALL {
        assert!(row(&format!("`{kind}`")), "{kind}");
    }
}
