//! Every case on every broker, and where the proof falls short.

use std::collections::BTreeMap;
use std::fmt;

use crate::case::Case;
use crate::saboteurs::Saboteur;
use crate::verdict::Verdict;

/// What one case came to on one broker.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The case.
    pub case: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// The clauses that it found broken, by something that it looks for.
    pub broken: Vec<String>,
    /// Why it is no pass, in words.
    pub reason: String,
}

/// A broker and what every case came to on it.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The clauses that it breaks; none for an honest one.
    pub breaks: &'static [&'static str],
    /// What it does wrong, or what is unusual about it.
    pub about: &'static str,
    /// By case.
    pub cells: BTreeMap<&'static str, Cell>,
}

impl Column {
    pub(super) fn honest(name: &str) -> Self {
        Column { name: name.to_owned(), breaks: &[], about: "honest", cells: BTreeMap::new() }
    }

    pub(super) fn saboteur(saboteur: &Saboteur) -> Self {
        let (name, breaks, about) = (saboteur.name.to_owned(), saboteur.breaks, saboteur.about);
        Column { name, breaks, about, cells: BTreeMap::new() }
    }

    /// The cases that catch it, each by a clause that it breaks.
    pub fn caught_by(&self) -> impl Iterator<Item = &Cell> {
        self.cells.values().filter(|cell| cell.fails_under(self.breaks))
    }
}

/// Every case on every broker.
#[derive(Debug, Clone, Default)]
pub struct Matrix {
    /// The honest ones, then the saboteurs.
    pub columns: Vec<Column>,
}

/// Where the proof falls short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shortfall {
    /// A clause has no case.
    NoCase {
        /// Which.
        clause: String,
    },
    /// A case that fails no saboteur.
    FailsNobody {
        /// Which.
        case: String,
    },
    /// A saboteur that no case catches.
    Escapes {
        /// Which.
        saboteur: String,
    },
    /// A saboteur that breaks more than it says: too many other cases do not pass.
    BreaksEverything {
        /// Which.
        saboteur: String,
        /// How many of the others pass.
        pass: usize,
        /// Of how many.
        of: usize,
        /// Some that do not, and why.
        some: Vec<String>,
    },
    /// An honest broker that does not pass a case.
    CriesWolf {
        /// The broker.
        broker: String,
        /// The case.
        case: String,
        /// What it says.
        reason: String,
    },
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shortfall::NoCase { clause } => write!(f, "{clause}: no case"),
            Shortfall::FailsNobody { case } => write!(f, "{case}: fails no saboteur"),
            Shortfall::Escapes { saboteur } => {
                write!(f, "{saboteur}: no case catches it under a clause that it breaks")
            }
            Shortfall::BreaksEverything { saboteur, pass, of, some } => {
                write!(f, "{saboteur}: only {pass} of {of} other cases pass: {}", some.join("; "))
            }
            Shortfall::CriesWolf { broker, case, reason } => write!(f, "{case} on {broker}: {reason}"),
        }
    }
}

impl Matrix {
    /// Where it falls short of: every clause has a case, every case fails a saboteur, every saboteur
    /// is caught and passes nine of ten other cases, and the honest pass everything.
    #[must_use]
    pub fn shortfalls(&self, cases: &[&'static Case], clauses: &[&str]) -> Vec<Shortfall> {
        let mut all = Vec::new();
        for clause in clauses {
            if !cases.iter().any(|case| case.clauses.contains(clause)) {
                all.push(Shortfall::NoCase { clause: (*clause).to_owned() });
            }
        }
        let (honest, saboteurs): (Vec<&Column>, Vec<&Column>) =
            self.columns.iter().partition(|column| column.breaks.is_empty());
        for column in honest {
            let not_passed = column.cells.values().filter(|cell| cell.verdict != Verdict::Pass);
            all.extend(not_passed.filter(|cell| cell.verdict != Verdict::Skipped).map(|cell| Shortfall::CriesWolf {
                broker: column.name.clone(),
                case: cell.case.to_owned(),
                reason: format!("{}: {}", cell.verdict.as_str(), cell.reason),
            }));
        }
        for case in cases {
            let proves = |column: &&Column| {
                column.cells.get(case.id).is_some_and(|cell| {
                    let own: Vec<&str> =
                        column.breaks.iter().copied().filter(|clause| case.clauses.contains(clause)).collect();
                    cell.fails_under(&own)
                })
            };
            if !saboteurs.iter().any(proves) {
                all.push(Shortfall::FailsNobody { case: case.id.to_owned() });
            }
        }
        for column in saboteurs {
            all.extend(shortfall_of(column, cases));
        }
        all
    }
}

fn shortfall_of(column: &Column, cases: &[&'static Case]) -> Vec<Shortfall> {
    let mut all = Vec::new();
    if column.caught_by().next().is_none() {
        all.push(Shortfall::Escapes { saboteur: column.name.clone() });
    }
    let is_other = |cell: &&Cell| {
        // Also the cases of areas that are not looked at.
        let case = cases.iter().copied().find(|case| case.id == cell.case).or_else(|| crate::cases::find(cell.case));
        case.is_some_and(|case| !case.clauses.iter().any(|clause| column.breaks.contains(clause)))
    };
    let others: Vec<&Cell> = column.cells.values().filter(is_other).collect();
    let failed: Vec<&&Cell> = others.iter().filter(|cell| cell.verdict != Verdict::Pass).collect();
    if failed.len() * 10 > others.len() {
        all.push(Shortfall::BreaksEverything {
            saboteur: column.name.clone(),
            pass: others.len() - failed.len(),
            of: others.len(),
            some: failed.iter().take(5).map(|cell| format!("{} ({})", cell.case, cell.reason)).collect(),
        });
    }
    all
}
