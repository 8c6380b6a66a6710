//! What is claimed holds.

use super::runs::{Ran, all};

/// Which profiles have to hold where.
const PROFILES: &[(&str, &[&str])] = &[
    ("work-bus", &["sqlite:", "managed:rabbitmq", "managed:nats", "managed:postgres"]),
    ("events", &["sqlite:", "managed:redis", "managed:postgres"]),
    ("channels", &["sqlite:", "managed:postgres"]),
];

#[test]
fn every_case_of_what_is_claimed_passes() {
    let wrong: Vec<String> = all().iter().filter(|ran| ran.code != 0).map(told).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn told(ran: &Ran) -> String {
    format!("{}: exit {}\n{}", ran.target, ran.code, ran.said)
}

#[test]
fn nothing_is_left_behind() {
    for ran in all() {
        assert!(ran.left.is_empty(), "{}: {:?}", ran.target, ran.left);
        assert!(!ran.said.contains("left behind"), "{}", told(ran));
    }
}

#[test]
fn the_profiles_of_each_engine_hold() {
    for (profile, targets) in PROFILES {
        for ran in all().iter().filter(|ran| targets.contains(&ran.target)) {
            let report = ran.json();
            let found = report["profiles"].as_array().unwrap().iter().find(|found| found["name"] == *profile);
            assert_eq!(found.unwrap()["standing"], "holds", "{} and {profile}: {found:?}", ran.target);
        }
    }
}

#[test]
fn a_private_instance_claims_that_it_can_be_restarted() {
    for ran in all().iter().filter(|ran| ran.target.starts_with("managed:") && !ran.is_named) {
        let claims = ran.json()["target"]["capabilities"].to_string();
        assert!(claims.contains("\"restart\""), "{}: {claims}", ran.target);
    }
}
