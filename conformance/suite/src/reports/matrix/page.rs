//! Runs side by side as a page.

use serde::Serialize;

use super::{Clause, Side, SideBySide, Stood, Told};
use crate::profiles::Standing;
use crate::reports::file::ReportError;
use crate::reports::html::{self, Page, Wants};

impl SideBySide {
    /// As one file of HTML.
    ///
    /// # Errors
    /// Where it cannot be drawn, which none is known for.
    pub fn html(&self) -> Result<String, ReportError> {
        Page { template: "matrix.html", view: &View::of(self), json: Wants::json(self)? }.drawn()
    }
}

#[derive(Serialize)]
struct View<'a> {
    title: &'static str,
    targets: &'a [Side],
    profiles: Vec<ProfileRow>,
    chips: Vec<Chip>,
    areas: Vec<&'a str>,
    groups: Vec<Group<'a>>,
}

#[derive(Serialize)]
struct ProfileRow {
    name: String,
    cells: Vec<ProfileCell>,
}

#[derive(Serialize)]
struct ProfileCell {
    key: &'static str,
    words: &'static str,
    why: String,
}

#[derive(Serialize)]
struct Chip {
    key: &'static str,
    word: &'static str,
    number: usize,
}

#[derive(Serialize)]
struct Group<'a> {
    area: &'a str,
    rows: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    should: bool,
    text: minijinja::Value,
    keys: String,
    cells: Vec<Cell<'a>>,
}

#[derive(Serialize)]
struct Cell<'a> {
    key: &'static str,
    word: &'static str,
    why: &'a str,
}

impl<'a> View<'a> {
    fn of(sides: &'a SideBySide) -> Self {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for clause in &sides.clauses {
            if groups.last().is_none_or(|group| group.area != clause.area()) {
                groups.push(Group { area: clause.area(), rows: Vec::new() });
            }
            if let Some(group) = groups.last_mut() {
                group.rows.push(Row::of(clause));
            }
        }
        let chips = [
            ("differs", "differs"),
            ("fail", "fail"),
            ("warning", "warning"),
            ("unknown", "unknown"),
            ("skipped", "skipped"),
        ];
        let number = |key: &str| groups.iter().flat_map(|group| &group.rows).filter(|row| row.has(key)).count();
        let chips = chips.map(|(key, word)| Chip { key, word, number: number(key) });
        let profile = |(name, cells): (String, Vec<Stood>)| ProfileRow {
            name,
            cells: cells.into_iter().map(ProfileCell::of).collect(),
        };
        View {
            title: "Brokers side by side · workwire",
            targets: &sides.sides,
            profiles: sides.profiles().into_iter().map(profile).collect(),
            chips: chips.into_iter().filter(|chip| chip.number > 0).collect(),
            areas: groups.iter().map(|group| group.area).collect(),
            groups,
        }
    }
}

impl ProfileCell {
    fn of((standing, why): Stood) -> Self {
        ProfileCell {
            key: standing.map_or("none", Standing::as_str),
            words: standing.map_or("–", Standing::words),
            why,
        }
    }
}

impl<'a> Row<'a> {
    fn of(clause: &'a Clause) -> Self {
        let mut keys: Vec<&str> = clause.told.iter().map(Told::key).collect();
        if clause.differs() {
            keys.push("differs");
        }
        let cell = |told: &'a Told| Cell { key: told.key(), word: told.word(), why: &told.why };
        Row {
            id: &clause.id,
            should: clause.told.iter().any(|told| told.should),
            text: html::clause(clause.text()),
            keys: keys.join(" "),
            cells: clause.told.iter().map(cell).collect(),
        }
    }

    fn has(&self, key: &str) -> bool {
        self.keys.split(' ').any(|one| one == key)
    }
}
