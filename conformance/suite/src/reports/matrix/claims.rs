//! What each side claims, why it does not claim the rest, and how the table is made again.

use std::fmt::Write as _;

use workwire_broker::{Capability, why_unclaimed};

use super::{SideBySide, escaped};

impl SideBySide {
    /// What is claimed, capability by capability, and the reasons for what is not.
    pub(super) fn claims(&self) -> String {
        let mut page = String::new();
        let names: Vec<String> = self.sides.iter().map(|side| escaped(&side.called())).collect();
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(
            page,
            "| capability | {} | what it means |\n|---|{}---|",
            names.join(" | "),
            "---|".repeat(names.len())
        );
        for capability in Capability::ALL {
            let cells = self.sides.iter().map(|side| if side.has(*capability) { "claimed" } else { "–" });
            let cells: Vec<&str> = cells.collect();
            let _ = writeln!(page, "| {capability} | {} | {} |", cells.join(" | "), escaped(capability.what()));
        }
        let reasons = self.reasons();
        if !reasons.is_empty() {
            page.push_str("\nNot claimed, and why:\n\n| broker | capability | why |\n|---|---|---|\n");
        }
        for (broker, capability, why) in reasons {
            let _ = writeln!(page, "| {} | {capability} | {} |", escaped(&broker), escaped(why));
        }
        page
    }

    /// The commands that make it once more.
    pub(super) fn making(&self) -> String {
        let mut page = "```sh\n".to_owned();
        let mut files = String::new();
        for (number, side) in self.sides.iter().enumerate() {
            let number = number + 1;
            let _ = writeln!(
                page,
                "workwire run '{}' --seed {} --report {number}.json",
                side.address.replace('\'', "'\\''"),
                side.seed
            );
            let _ = write!(files, " {number}.json");
        }
        let _ = writeln!(page, "workwire matrix{files} -o matrix.md\n```");
        page
    }

    fn reasons(&self) -> Vec<(String, Capability, &'static str)> {
        let unclaimed = |side: &super::Side| {
            let side = side.clone();
            Capability::ALL.iter().copied().filter(move |capability| !side.has(*capability)).collect::<Vec<_>>()
        };
        let all =
            self.sides.iter().flat_map(|side| unclaimed(side).into_iter().map(move |capability| (side, capability)));
        all.filter_map(|(side, capability)| Some((side.called(), capability, why_unclaimed(&side.name, capability)?)))
            .collect()
    }
}
