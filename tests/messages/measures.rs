//! Objects with known numbers: hints, resources, and what the work took.

use serde_json::json;
use workwire::{FreeObject, Hints, Resources, ResourcesUsed};

use crate::bodies::{places, status_update, work_request, work_result};

fn object(text: &str) -> FreeObject {
    text.parse().unwrap()
}

#[test]
fn hints_are_made_key_by_key() {
    let hints = Hints::default()
        .with("deadline_seconds", 30.0)
        .and_then(|hints| hints.with("estimated_duration_seconds", 0.5))
        .and_then(|hints| hints.with("max_duration_seconds", 1e3))
        .and_then(|hints| hints.with("max_memory_mb", 512.0))
        .and_then(|hints| hints.with("retries", -1.0))
        .unwrap();
    assert_eq!(hints.deadline_seconds(), Some(30.0));
    assert_eq!(hints.estimated_duration_seconds(), Some(0.5));
    assert_eq!(hints.max_duration_seconds(), Some(1000.0));
    assert_eq!(hints.max_memory_mb(), Some(512.0));
    assert_eq!(hints.get("retries").unwrap().as_number(), Some(-1.0));
    assert_eq!(hints.with("max_memory_mb", 256.0).unwrap().max_memory_mb(), Some(256.0));
}

#[test]
fn hints_that_are_known_are_greater_than_0() {
    for key in ["deadline_seconds", "estimated_duration_seconds", "max_duration_seconds", "max_memory_mb"] {
        let pointer = format!("/{key}");
        for value in [0.0, -0.0, -1.0] {
            let error = Hints::default().with(key, value).unwrap_err();
            assert_eq!(places(&error), [(pointer.as_str(), "WRQ-4")], "{value}");
        }
        assert!(Hints::default().with(key, f64::MIN_POSITIVE).is_ok());
        let at = format!("/hints/{key}");
        work_request().with("/hints", json!({key: 0})).breaks(&[(&at, "WRQ-4")]);
        work_request().with("/hints", json!({key: "5"})).breaks(&[(&at, "FLD-1")]);
        assert!(work_request().with("/hints", json!({key: null})).read().hints().is_empty());
    }
}

#[test]
fn hints_keep_order_and_spelling_and_free_keys() {
    let text = r#"{"z":[1],"max_memory_mb":512.00,"a":null,"deadline_seconds":3e1}"#;
    let hints = Hints::from_object(&object(text)).unwrap();
    assert_eq!(hints.as_object().as_str(), text);
    let nulls = Hints::from_object(&object(r#"{"z":null,"deadline_seconds":null,"max_memory_mb":1}"#)).unwrap();
    assert_eq!(nulls.as_object().as_str(), r#"{"z":null,"max_memory_mb":1}"#);
}

#[test]
fn resources_used_are_at_least_0() {
    let used = ResourcesUsed::default().with("cpu_time_ms", 0.0).unwrap().with("memory_peak_mb", 12.5).unwrap();
    assert_eq!((used.cpu_time_ms(), used.memory_peak_mb(), used.gpu_memory_used_mb()), (Some(0.0), Some(12.5), None));
    for key in ["cpu_time_ms", "memory_peak_mb", "gpu_memory_used_mb"] {
        assert_eq!(
            places(&ResourcesUsed::default().with(key, -0.5).unwrap_err()),
            [(format!("/{key}").as_str(), "WRS-6")]
        );
        let at = format!("/resources_used/{key}");
        work_result().with("/resources_used", json!({key: -1})).breaks(&[(&at, "WRS-6")]);
    }
    assert!(ResourcesUsed::default().with("disk_mb", -1.0).is_ok());
}

#[test]
fn resources_are_all_four_in_their_ranges() {
    let resources = Resources::new(0.0, 100.0, 0.0, 0.0).unwrap();
    assert_eq!(resources.memory_percent(), Some(100.0));
    assert!(!resources.is_empty() && Resources::default().is_empty());
    let rules = |cpu, memory, available, total| {
        let error = Resources::new(cpu, memory, available, total).unwrap_err();
        places(&error).into_iter().map(|(at, rule)| format!("{at} {rule}")).collect::<Vec<_>>()
    };
    assert_eq!(rules(-0.1, 100.1, 1.0, 1.0), ["/cpu_percent STU-4", "/memory_percent STU-4"]);
    assert_eq!(rules(0.0, 0.0, -1.0, -2.0), ["/gpu_vram_available_gb STU-5", "/gpu_vram_total_gb STU-5"]);
    assert_eq!(rules(0.0, 0.0, 8.1, 8.0), ["/gpu_vram_available_gb STU-6"]);
}

#[test]
fn resources_hold_other_numbers_and_nothing_else() {
    let with = |key: &str, value: serde_json::Value| {
        let mut all = json!({
            "cpu_percent": 5, "memory_percent": 5, "gpu_vram_available_gb": 1, "gpu_vram_total_gb": 2
        });
        all[key] = value;
        status_update().with("/resources", all)
    };
    assert_eq!(with("disk_gb", json!(-3)).read().resources().get("disk_gb").unwrap().as_number(), Some(-3.0));
    with("disk_gb", json!("3")).breaks(&[("/resources/disk_gb", "STU-7")]);
    with("disk_gb", json!(null)).breaks(&[("/resources/disk_gb", "STU-7")]);
    with("cpu_percent", json!(null)).breaks(&[("/resources/cpu_percent", "FLD-1")]);
    with("gpu_vram_available_gb", json!(3)).breaks(&[("/resources/gpu_vram_available_gb", "STU-6")]);
}

#[test]
fn measures_refuse_numbers_that_are_not_finite() {
    for value in [f64::NAN, f64::INFINITY] {
        assert!(Hints::default().with("deadline_seconds", value).is_err());
        assert!(ResourcesUsed::default().with("cpu_time_ms", value).is_err());
    }
}

#[test]
fn measures_with_a_long_exponent_have_their_own_value() {
    let one = format!(r#"{{"deadline_seconds":0.{}1e1000001}}"#, "0".repeat(1_000_000));
    assert_eq!(Hints::from_object(&object(&one)).map(|hints| hints.deadline_seconds()), Ok(Some(1.0)));
}
