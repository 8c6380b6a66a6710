//! Every case on every broker, and where the proof falls short.

use std::collections::BTreeMap;
use std::fmt;

use crate::case::Case;
use crate::oddities::Oddity;
use crate::saboteurs::Saboteur;
use crate::trivial::Trivial;
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

/// What is expected of a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expected {
    /// That it passes everything.
    PassesAll,
    /// That it is caught, by a clause that it breaks, and passes nearly everything else.
    IsCaught,
    /// That it passes nothing.
    PassesNothing,
}

/// A broker and what every case came to on it.
#[derive(Debug, Clone)]
pub struct Column {
    /// What is expected of it.
    pub expected: Expected,
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
    pub(super) fn honest(name: &str, about: &'static str) -> Self {
        Column { expected: Expected::PassesAll, name: name.to_owned(), breaks: &[], about, cells: BTreeMap::new() }
    }

    pub(super) fn oddity(oddity: &Oddity) -> Self {
        Self::honest(oddity.name, oddity.about)
    }

    pub(super) fn trivial(trivial: &Trivial) -> Self {
        Column { expected: Expected::PassesNothing, ..Self::honest(trivial.name, trivial.about) }
    }

    pub(super) fn saboteur(saboteur: &Saboteur) -> Self {
        let Saboteur { name, breaks, about, .. } = saboteur;
        Column { expected: Expected::IsCaught, breaks, ..Self::honest(name, about) }
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
    /// A case that no honest broker passes: all of them skip it.
    PassesNobody {
        /// Which.
        case: String,
    },
    /// A case that passes on a broker that does nothing.
    LooksAtNothing {
        /// The broker.
        broker: String,
        /// The case.
        case: String,
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
            Shortfall::PassesNobody { case } => write!(f, "{case}: no honest broker passes it"),
            Shortfall::LooksAtNothing { broker, case } => {
                write!(f, "{case}: passes on {broker}, which does nothing")
            }
            Shortfall::CriesWolf { broker, case, reason } => write!(f, "{case} on {broker}: {reason}"),
        }
    }
}

impl Matrix {
    /// Where it falls short of: every clause has a case, every case fails a saboteur, every saboteur
    /// is caught and passes nine of ten other cases, the honest pass everything, and who does nothing
    /// passes nothing.
    #[must_use]
    pub fn shortfalls(&self, cases: &[&'static Case], clauses: &[&str]) -> Vec<Shortfall> {
        let mut all = Vec::new();
        for clause in clauses {
            if !cases.iter().any(|case| case.clauses.contains(clause)) {
                all.push(Shortfall::NoCase { clause: (*clause).to_owned() });
            }
        }
        let of = |expected| self.columns.iter().filter(move |column| column.expected == expected);
        for column in of(Expected::PassesAll) {
            let is_wrong = |cell: &&Cell| !matches!(cell.verdict, Verdict::Pass | Verdict::Skipped);
            all.extend(column.cells.values().filter(is_wrong).map(|cell| Shortfall::CriesWolf {
                broker: column.name.clone(),
                case: cell.case.to_owned(),
                reason: format!("{}: {}", cell.verdict.as_str(), cell.reason),
            }));
        }
        for column in of(Expected::PassesNothing) {
            let passed = column.cells.values().filter(|cell| cell.verdict == Verdict::Pass);
            all.extend(
                passed
                    .map(|cell| Shortfall::LooksAtNothing { broker: column.name.clone(), case: cell.case.to_owned() }),
            );
        }
        for case in cases {
            let passes = |column: &Column| column.cells.get(case.id).is_some_and(|cell| cell.verdict == Verdict::Pass);
            if !of(Expected::PassesAll).any(passes) {
                all.push(Shortfall::PassesNobody { case: case.id.to_owned() });
            }
        }
        let saboteurs: Vec<&Column> = of(Expected::IsCaught).collect();
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
    let others = column.cells.values().filter(|cell| cell.verdict != Verdict::Skipped);
    let others: Vec<&Cell> = others.filter(is_other).collect();
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
