//! Reads lines `NUMBER CASE…`, and says of each mutant whether the proof of one of these cases falls:
//! an honest broker fails it, one that does nothing passes it, it fails no saboteur under its own
//! clauses any more, or a saboteur escapes that only it had caught.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use workwire_conformance::selftest::{Cell, cell, honest};
use workwire_conformance::subject::Subject;
use workwire_conformance::verdict::Verdict;
use workwire_conformance::{Case, cases, mutant, oddities, saboteurs, trivial};

enum Expected {
    PassesAll,
    PassesNothing,
    IsCaught(&'static [&'static str]),
}

struct Broker {
    name: String,
    expected: Expected,
    subject: Subject,
}

fn brokers() -> Vec<Broker> {
    let mut all = vec![Broker { name: "memory".to_owned(), expected: Expected::PassesAll, subject: honest() }];
    all.extend(saboteurs::all().into_iter().map(|saboteur| Broker {
        name: saboteur.name.to_owned(),
        expected: Expected::IsCaught(saboteur.breaks),
        subject: saboteur.subject(),
    }));
    all.extend(trivial::all().into_iter().map(|trivial| Broker {
        name: trivial.name.to_owned(),
        expected: Expected::PassesNothing,
        subject: trivial.subject(),
    }));
    all.extend(oddities::all().into_iter().map(|oddity| Broker {
        name: oddity.name.to_owned(),
        expected: Expected::PassesAll,
        subject: oddity.subject(),
    }));
    all
}

impl Broker {
    fn own<'a>(&self, case: &'a Case) -> Vec<&'a str> {
        match self.expected {
            Expected::IsCaught(breaks) => case.clauses.iter().copied().filter(|id| breaks.contains(id)).collect(),
            _ => Vec::new(),
        }
    }

    fn concerns(&self, case: &Case) -> bool {
        !matches!(self.expected, Expected::IsCaught(_)) || !self.own(case).is_empty()
    }
}

/// Which saboteurs a case catches, or why its proof falls.
fn look(case: &'static Case, brokers: &[Broker]) -> Result<BTreeSet<String>, String> {
    let concerned: Vec<&Broker> = brokers.iter().filter(|broker| broker.concerns(case)).collect();
    let (next, cells) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<usize, Cell>::new()));
    let wrong = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((place, broker)) = {
                    let place = next.fetch_add(1, Ordering::SeqCst);
                    concerned.get(place).map(|broker| (place, broker))
                } {
                    let cell = cell(case, &broker.subject, 1);
                    let why = match broker.expected {
                        Expected::PassesAll if !matches!(cell.verdict, Verdict::Pass | Verdict::Skipped) => {
                            Some(format!("{} is told {}: {}", broker.name, cell.verdict.as_str(), cell.reason))
                        }
                        Expected::PassesNothing if cell.verdict == Verdict::Pass => Some(format!("{} passes", broker.name)),
                        _ => None,
                    };
                    cells.lock().unwrap().insert(place, cell);
                    if why.is_some() {
                        *wrong.lock().unwrap() = why;
                        next.store(usize::MAX / 2, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    if let Some(why) = wrong.into_inner().unwrap() {
        return Err(why);
    }
    let cells = cells.into_inner().unwrap();
    let caught = cells.iter().filter(|(place, cell)| {
        matches!(concerned[**place].expected, Expected::IsCaught(_)) && cell.fails_under(&concerned[**place].own(case))
    });
    let caught: BTreeSet<String> = caught.map(|(place, _)| concerned[*place].name.clone()).collect();
    if caught.is_empty() { Err("it fails no saboteur".to_owned()) } else { Ok(caught) }
}

#[test]
fn mutants() {
    let brokers = brokers();
    mutant::become_mutant(0);
    let mut before: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let all = cases::all();
    let lines: Vec<String> = std::io::stdin().lock().lines().map(|line| line.unwrap()).collect();
    for case in &all {
        match look(case, &brokers) {
            Ok(caught) => drop(before.insert(case.id, caught)),
            Err(why) => println!("0 caught {}: {why}", case.id),
        }
    }
    println!("0 ready");
    for line in lines {
        let mut words = line.split(' ');
        let number: u32 = words.next().unwrap().parse().unwrap();
        mutant::become_mutant(number);
        println!("{number} {}", judged(words, &brokers, &before));
        mutant::become_mutant(0);
    }
}

fn judged<'a>(
    ids: impl Iterator<Item = &'a str>,
    brokers: &[Broker],
    before: &BTreeMap<&str, BTreeSet<String>>,
) -> String {
    let mut now = before.clone();
    let mut touched = BTreeSet::new();
    for id in ids {
        // What catches a saboteur, and is gone, is missed.
        let Some(case) = cases::find(id) else { return format!("caught {id}: it is no case any more") };
        match look(case, brokers) {
            Err(why) => return format!("caught {id}: {}", why.replace('\n', " ")),
            Ok(caught) => {
                touched.extend(before.get(case.id).cloned().unwrap_or_default());
                now.insert(case.id, caught);
            }
        }
    }
    match touched.iter().find(|saboteur| !now.values().any(|caught| caught.contains(*saboteur))) {
        Some(escapes) => format!("caught: {escapes} escapes"),
        None => "survives".to_owned(),
    }
}
