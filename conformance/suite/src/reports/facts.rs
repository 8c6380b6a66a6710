//! How a report came about, in words: what was judged, by what, and how it was told to be done.

use workwire_broker::Choices;

use super::run::RunReport;

impl RunReport {
    /// Facts and their names, the same in every form of the report. What a target says in them is not
    /// yet clean.
    #[must_use]
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let suite = format!("{} {}", self.suite.name, self.suite.version);
        let mut facts = vec![
            ("engine", format!("{} {}", self.target.name, self.target.version)),
            ("judged", self.started_at.clone()),
            ("took", duration(self.duration_ms)),
            ("seed", self.seed.to_string()),
        ];
        facts.extend(self.settings.iter().flat_map(super::Settings::words));
        facts.extend(self.target.choices.map(|choices| ("choices", chosen(choices))));
        facts.extend([
            ("suite", suite),
            ("suite digest", self.suite.digest.clone()),
            ("specification", self.specification.digest.clone()),
            ("the suite's selftest", self.selftest_words()),
        ]);
        facts
    }
}

/// What a broker does where more than one way is right, as it declares it.
fn chosen(choices: Choices) -> String {
    let Ok(serde_json::Value::Object(members)) = serde_json::to_value(choices) else { return String::new() };
    let told = members.iter().map(|(name, value)| format!("{name} {}", value.as_str().unwrap_or_default()));
    told.collect::<Vec<_>>().join(", ")
}

/// A time as people read it.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}
