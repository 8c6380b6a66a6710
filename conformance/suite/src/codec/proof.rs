//! The proof that each case of the role can fail: every case against every liar.

use std::collections::{BTreeMap, HashMap};

use workwire_broker::adapter::wire::Decoded;

use super::case::{CodecCase, cases};
use super::hostile;
use super::liar::{Liar, liars};
use super::run::{Outcome, Told, judged_answer};
use super::vector::{Expected, Vector, vectors};
use crate::selftest::{self, Cell, Column, Matrix, Shortfall};
use crate::verdict::Verdict;

/// Every case of the role against the honest codec and every liar, and where the proof falls short:
/// a case that fails no liar, a liar that no case catches, a liar who breaks what is not its own, a
/// case that passes where nothing or everything is refused.
#[must_use]
pub fn prove() -> (Matrix, Vec<Shortfall>) {
    let honest: HashMap<&str, Decoded> = vectors().iter().map(|vector| (vector.name.as_str(), own(vector))).collect();
    let again: HashMap<&str, Decoded> = vectors().iter().filter_map(written_again).collect();
    let mut matrix = Matrix { columns: vec![honest_column()] };
    for case in cases() {
        let cell = cell(case, |vector, second| Ok(pick(&honest, &again, vector, second)));
        matrix.columns[0].cells.insert(&case.id, cell);
    }
    let liars = liars();
    let mut shortfalls = Vec::new();
    for liar in liars {
        let mut column = column_of(liar);
        for case in cases() {
            let cell = cell(case, |vector, second| {
                let body = if second { canonical(vector).unwrap_or_default().as_bytes() } else { &vector.body[..] };
                liar.decode(vector.kind, body, pick(&honest, &again, vector, second))
            });
            column.cells.insert(&case.id, cell);
        }
        shortfalls.extend(of_liar(liar, &column));
        matrix.columns.push(column);
    }
    shortfalls.extend(of_cases(&matrix, liars));
    shortfalls.extend(of_trivial());
    (matrix, shortfalls)
}

fn honest_column() -> Column {
    let (name, about) = ("workwire".to_owned(), "the codec of this project");
    Column { expected: selftest::Expected::PassesAll, name, breaks: &[], about, cells: BTreeMap::new() }
}

fn column_of(liar: &'static Liar) -> Column {
    Column {
        expected: selftest::Expected::IsCaught,
        name: liar.name.clone(),
        breaks: &liar.breaks,
        about: &liar.about,
        ..honest_column()
    }
}

fn own(vector: &Vector) -> Decoded {
    Decoded::of(vector.kind, &vector.body)
}

fn canonical(vector: &Vector) -> Option<&str> {
    match &vector.expected {
        Expected::Accepted { canonical } => Some(canonical),
        Expected::Refused { .. } => None,
    }
}

fn written_again(vector: &Vector) -> Option<(&str, Decoded)> {
    Some((vector.name.as_str(), Decoded::of(vector.kind, canonical(vector)?.as_bytes())))
}

fn pick(honest: &HashMap<&str, Decoded>, again: &HashMap<&str, Decoded>, vector: &Vector, second: bool) -> Decoded {
    let answers = if second { again } else { honest };
    answers.get(vector.name.as_str()).cloned().unwrap_or(Decoded::Refused { violations: Vec::new() })
}

/// One case with an answer for each vector, and for each that is read again.
fn cell(
    case: &'static CodecCase,
    answer: impl Fn(&Vector, bool) -> Result<Decoded, workwire_broker::BrokerError>,
) -> Cell {
    let mut outcome = Outcome::default();
    for vector in &case.vectors {
        let mut told = judged_answer(case, vector, answer(vector, false));
        if case.again && matches!(told, Told::Right) && canonical(vector).is_some() {
            told = judged_answer(case, vector, answer(vector, true));
        }
        outcome.add(told);
    }
    let (verdict, reason) = outcome.verdict();
    let broken = if verdict == Verdict::Fail { vec![case.clauses[0].to_owned()] } else { Vec::new() };
    Cell { case: &case.id, verdict, broken, reason }
}

fn of_liar(liar: &Liar, column: &Column) -> Vec<Shortfall> {
    let mut all = Vec::new();
    if !column.cells.values().any(|cell| cell.fails_under(&liar.breaks)) {
        all.push(Shortfall::Escapes { saboteur: liar.name.clone() });
    }
    // Vectors in which its rule is at stake are its own, whichever clause they show.
    let at_stake = |vector: &Vector| {
        vector.clauses.iter().any(|id| liar.breaks.contains(&id.as_str()))
            || match &vector.expected {
                Expected::Refused { violations } => {
                    violations.iter().any(|(_, rule)| liar.breaks.contains(&rule.as_str()))
                }
                Expected::Accepted { .. } => false,
            }
    };
    let is_own =
        |case: &CodecCase| liar.breaks.contains(&case.clauses[0]) || case.vectors.iter().any(|vector| at_stake(vector));
    let others: Vec<&Cell> =
        cases().iter().filter(|case| !is_own(case)).filter_map(|case| column.cells.get(case.id.as_str())).collect();
    let failed: Vec<&&Cell> = others.iter().filter(|cell| cell.verdict != Verdict::Pass).collect();
    if failed.len() * 10 > others.len() {
        all.push(Shortfall::BreaksEverything {
            saboteur: liar.name.clone(),
            pass: others.len() - failed.len(),
            of: others.len(),
            some: failed.iter().take(5).map(|cell| format!("{} ({})", cell.case, cell.reason)).collect(),
        });
    }
    all
}

fn of_cases(matrix: &Matrix, liars: &[Liar]) -> Vec<Shortfall> {
    let mut all = Vec::new();
    for case in cases() {
        let cells = |column: &Column| column.cells.get(case.id.as_str()).cloned();
        if let Some(cell) = matrix.columns.first().and_then(cells).filter(|cell| cell.verdict != Verdict::Pass) {
            let (broker, case) = ("workwire".to_owned(), case.id.clone());
            all.push(Shortfall::CriesWolf { broker, case, reason: cell.reason });
        }
        let fails = |(column, liar): (&Column, &Liar)| {
            liar.breaks.contains(&case.clauses[0]) && cells(column).is_some_and(|cell| cell.fails_under(&case.clauses))
        };
        if !matrix.columns.iter().skip(1).zip(liars).any(fails) {
            all.push(Shortfall::FailsNobody { case: case.id.clone() });
        }
    }
    all
}

/// A codec that takes everything as it comes, and one that refuses everything: no case may pass both
/// what has to be accepted and what has to be refused.
fn of_trivial() -> Vec<Shortfall> {
    let takes_all = |vector: &Vector, _: bool| {
        Ok(Decoded::Accepted { canonical: String::from_utf8_lossy(&vector.body).into_owned() })
    };
    let refuses_all = |_: &Vector, _: bool| Ok(Decoded::Refused { violations: Vec::new() });
    let mut all = Vec::new();
    for case in cases().iter().filter(|case| case.clauses[0] != hostile::CLAUSE) {
        for (name, cell) in
            [("takes_everything", cell(case, takes_all)), ("refuses_everything", cell(case, refuses_all))]
        {
            if cell.verdict == Verdict::Pass {
                all.push(Shortfall::Escapes { saboteur: format!("{name} (by {})", case.id) });
            }
        }
    }
    all
}
