//! Bytes that are no document, made from one that is.

use workwire::Document;

/// What is wrong, the bytes, and the rule that they break.
pub(crate) type Poison = (&'static str, Vec<u8>, &'static str);

/// Each kind of poison. `wrong_type` is the document with a type or word that nobody knows, and the
/// rule that says so.
pub(crate) fn poisons(valid: &str, version_field: &str, wrong_type: (String, &'static str)) -> Vec<Poison> {
    let members = valid.strip_prefix('{').unwrap();
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let version = format!("\"{version_field}\":\"1.0\"");
    assert!(valid.contains(&version), "{valid} says no version");
    vec![
        ("not JSON", b"work, please".to_vec(), "JSN-1"),
        ("no UTF-8", b"{\"a\": \"\xff\"}".to_vec(), "JSN-3"),
        ("nothing", Vec::new(), "JSN-1"),
        ("wrong shape", b"[1, 2, 3]".to_vec(), "JSN-10"),
        ("unknown type", wrong_type.0.into_bytes(), wrong_type.1),
        (
            "unknown major version",
            valid.replace(&version, &format!("\"{version_field}\":\"2.0\"")).into_bytes(),
            "VER-2",
        ),
        ("duplicate key", format!("{{{version},{members}").into_bytes(), "JSN-5"),
        ("10 000 levels deep", format!("{{\"payload\":{deep},{members}").into_bytes(), "JSN-8"),
    ]
}

/// Why the bytes are refused, as it must stand in the dead letter.
pub(crate) fn reason<D: Document>(poison: &Poison) -> String {
    let (what, bytes, rule) = poison;
    let Err(error) = D::from_slice(bytes) else { panic!("{what} is accepted") };
    let broken: Vec<_> = error.violations().iter().map(|violation| violation.rule().id()).collect();
    assert!(broken.contains(rule), "{what}: expected {rule} among {broken:?}");
    error.to_string()
}
