//! Private instances of engines for tests that need one.

use workwire_broker::{Instance, Managed};

/// An instance of what stands behind `managed:`, or nothing and a line that says what to install. With `CI` set it has
/// to be there.
pub(crate) async fn instance(written: &str) -> Option<Instance> {
    match Managed::parse(written).unwrap().start().await {
        Ok(instance) => Some(instance),
        Err(error) => {
            let is_missing = error.to_string().contains("is not on this machine");
            assert!(is_missing && std::env::var_os("CI").is_none(), "managed:{written}: {error}");
            eprintln!("not run: managed:{written}: {error}");
            None
        }
    }
}
