//! A picture of a history: clients as lanes, operations as bars over time, those that show what is
//! wrong marked.
//!
//! Between two moments lies more room the more time passes, but far less than in proportion: what
//! happens within a millisecond is as much to be seen as what waits for a lease to end.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use super::hostile;
use super::shown::{Came, Names, Shown};

const TOP: f64 = 30.0;
const ROW: f64 = 26.0;
const BAR: f64 = 18.0;
const LANE_GAP: f64 = 8.0;
const LETTER: f64 = 6.6;
const LABELS: f64 = 104.0;
const TICK_EVERY: f64 = 84.0;
/// As many letters of a client's name as there is room for.
const NAME: usize = 12;

/// The two halves of a picture: who, and what. The first stays where the second is scrolled.
pub(super) struct Picture {
    pub(super) lanes: String,
    pub(super) bars: String,
}

/// Draws operations. `case` tells this picture's elements from those of others in one page.
pub(super) fn picture(operations: &[Shown], offenders: &BTreeSet<u32>, names: &Names) -> Picture {
    let labels: Vec<String> = operations.iter().map(|operation| label(operation, names)).collect();
    let times = Times::of(operations, &labels);
    let lanes = Lanes::of(operations, &times);
    let (width, height) = (times.width + 16.0, lanes.height);
    let mut bars = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        bars,
        "<svg class=\"bars\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\" \
         role=\"group\" aria-label=\"{} operations over time\">",
        operations.len()
    );
    for (x, label) in &times.ticks {
        let _ = write!(
            bars,
            "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"18\" y2=\"{height:.0}\"/>\
             <text class=\"time\" x=\"{x:.1}\" y=\"12\">{label}</text>"
        );
    }
    for lane in lanes.all.iter().skip(1) {
        let y = lane.top - LANE_GAP / 2.0;
        let _ = write!(bars, "<line class=\"between\" x1=\"0\" x2=\"{width:.0}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>");
    }
    for (place, operation) in operations.iter().enumerate() {
        let (from, to) = times.spans[place];
        let y = lanes.rows[place];
        let offends = offenders.contains(&operation.number);
        bar(&mut bars, operation, (from, to, y), offends, &labels[place], names);
    }
    bars.push_str("</svg>");
    Picture { lanes: lanes.drawn(), bars }
}

fn bar(
    bars: &mut String,
    operation: &Shown,
    (from, to, y): (f64, f64, f64),
    offends: bool,
    label: &str,
    names: &Names,
) {
    let mut classes = format!("op {} {}", kind(&operation.call), operation.outcome.as_str());
    if offends {
        classes.push_str(" offender");
    }
    if operation.ended_ms.is_none() {
        classes.push_str(" open");
    }
    let words = xml(&operation.words(names));
    let told = names.of_operation(operation);
    let _ = write!(
        bars,
        "<g class=\"{classes}\" data-n=\"{}\" data-m=\"{}\" tabindex=\"-1\" role=\"img\" aria-label=\"{words}{}\">\
         <title>{words}</title><rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"3\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        operation.number,
        xml(&told.join(" ")),
        if offends { " (shows what is wrong)" } else { "" },
        to - from,
        from + 5.0,
        y + 13.0,
        xml(label),
    );
    if offends {
        let _ = write!(bars, "<path class=\"mark\" d=\"M{:.1} {:.1}l4 -6h-8z\"/>", f64::midpoint(from, to), y - 1.0);
    }
    bars.push_str("</g>");
}

/// What stands on a bar: the call, and its message where it is about one.
fn label(operation: &Shown, names: &Names) -> String {
    let said = match operation.call.as_str() {
        "settle" => operation.arguments.get("verdict").and_then(|verdict| verdict.as_str()).unwrap_or("settle"),
        "dead_letters" => "letters",
        call => call,
    };
    let takes = kind(&operation.call) == "takes" && matches!(operation.outcome, Came::Ok { .. });
    let said = match names.of_operation(operation).as_slice() {
        [] if takes => format!("{said} –"),
        [] => said.to_owned(),
        [one] => format!("{said} {one}"),
        [first, rest @ ..] => format!("{said} {first} +{}", rest.len()),
    };
    match operation.outcome {
        Came::Ok { .. } => said,
        Came::Refused { .. } => format!("✕ {said}"),
        Came::Indefinite { .. } => format!("? {said}"),
    }
}

/// The four colours: what puts in, what takes out, what settles, and what is around.
fn kind(call: &str) -> &'static str {
    match call {
        "publish" | "replay" => "puts",
        "fetch" | "peek" | "dead_letters" => "takes",
        "settle" | "extend" => "settles",
        _ => "around",
    }
}

/// Where each operation begins and ends in the picture.
struct Times {
    spans: Vec<(f64, f64)>,
    ticks: Vec<(f64, String)>,
    width: f64,
}

impl Times {
    fn of(operations: &[Shown], labels: &[String]) -> Self {
        // What begins and ends at one moment is kept in the order of its numbers.
        let mut points: Vec<(f64, usize, bool)> = Vec::with_capacity(operations.len() * 2);
        for (place, operation) in operations.iter().enumerate() {
            points.push((operation.began_ms, place * 2, false));
            if let Some(ended) = operation.ended_ms {
                points.push((ended.max(operation.began_ms), place * 2 + 1, true));
            }
        }
        points.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let lasts = points.last().map_or(0.0, |last| last.0) - points.first().map_or(0.0, |first| first.0);
        // On a time that is paused, all of it may happen within a moment.
        let digits = if lasts < 10.0 { 3 } else { 1 };
        let mut spans = vec![(0.0, f64::NAN); operations.len()];
        let mut ticks: Vec<(f64, String)> = Vec::new();
        let (mut x, mut last) = (8.0_f64, points.first().map_or(0.0, |point| point.0));
        for (time, key, is_end) in points {
            let place = key / 2;
            x += room(time - last);
            last = time;
            if is_end {
                x = x.max(spans[place].0 + least_width(&labels[place]));
                spans[place].1 = x;
            } else {
                spans[place].0 = x;
                if ticks.last().is_none_or(|(before, _)| x - before >= TICK_EVERY) {
                    ticks.push((x, format!("{time:.digits$} ms")));
                }
            }
        }
        // What never ended goes on beyond the last that did.
        let open = labels.iter().zip(&spans).filter(|(_, (_, to))| to.is_nan());
        let beyond = open.map(|(label, (from, _))| from + least_width(label)).fold(x + 24.0, f64::max);
        let has_open = spans.iter().any(|(_, to)| to.is_nan());
        for span in spans.iter_mut().filter(|(_, to)| to.is_nan()) {
            span.1 = beyond;
        }
        let width = (if has_open { beyond } else { x }).max(ticks.last().map_or(0.0, |(x, _)| x + 60.0));
        Times { spans, ticks, width }
    }
}

fn room(ms: f64) -> f64 {
    if ms <= 0.0 { 3.0 } else { 4.0 + 22.0 * (1.0 + ms * 10.0).log10() }
}

fn least_width(label: &str) -> f64 {
    let letters = u32::try_from(label.chars().count()).unwrap_or(0);
    f64::from(letters) * LETTER + 10.0
}

struct Lane {
    name: String,
    top: f64,
    height: f64,
}

/// Which lane, and which row in it, each operation has.
struct Lanes {
    all: Vec<Lane>,
    rows: Vec<f64>,
    height: f64,
}

impl Lanes {
    fn of(operations: &[Shown], times: &Times) -> Self {
        let mut order: Vec<&str> = Vec::new();
        let mut ends: HashMap<&str, Vec<f64>> = HashMap::new();
        let mut row_of = Vec::with_capacity(operations.len());
        for (operation, (from, to)) in operations.iter().zip(&times.spans) {
            let client = operation.client.as_str();
            let rows = ends.entry(client).or_insert_with(|| {
                order.push(client);
                Vec::new()
            });
            let row = rows.iter().position(|end| *end <= *from).unwrap_or(rows.len());
            if row == rows.len() {
                rows.push(*to);
            } else {
                rows[row] = *to;
            }
            row_of.push(row);
        }
        let mut all = Vec::new();
        let mut tops: HashMap<&str, f64> = HashMap::new();
        let mut y = TOP;
        for client in order {
            let rows = u32::try_from(ends.get(client).map_or(1, Vec::len)).unwrap_or(1);
            let height = f64::from(rows) * ROW;
            tops.insert(client, y);
            all.push(Lane { name: client.to_owned(), top: y, height });
            y += height + LANE_GAP;
        }
        let row = |(operation, row): (&Shown, usize)| {
            let top = tops.get(operation.client.as_str()).copied().unwrap_or(TOP);
            top + f64::from(u32::try_from(row).unwrap_or(0)) * ROW + (ROW - BAR) / 2.0 + 2.0
        };
        Lanes { all, rows: operations.iter().zip(row_of).map(row).collect(), height: y }
    }

    fn drawn(&self) -> String {
        let height = self.height;
        let mut lanes = format!(
            "<svg class=\"lanes\" width=\"{LABELS}\" height=\"{height:.0}\" viewBox=\"0 0 {LABELS} {height:.0}\" \
             role=\"img\" aria-label=\"clients\">"
        );
        for lane in &self.all {
            let short: String = lane.name.chars().take(NAME).collect();
            let more = if lane.name.chars().count() > NAME { "…" } else { "" };
            let y = lane.top + lane.height / 2.0 + 5.0;
            let _ = write!(
                lanes,
                "<text x=\"{}\" y=\"{y:.1}\" text-anchor=\"end\"><title>{}</title>{}{more}</text>",
                LABELS - 8.0,
                xml(&lane.name),
                xml(&short)
            );
        }
        lanes.push_str("</svg>");
        lanes
    }
}

/// A text in which nothing is a tag.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in hostile::line(text, 2 * hostile::MOST_CHARACTERS).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    fn operation(number: u32, client: &str, began_ms: f64, ended_ms: Option<f64>) -> Shown {
        let outcome = Came::Ok { answer: Map::new() };
        let (client, call) = (client.to_owned(), "fetch".to_owned());
        Shown { number, client, call, arguments: Map::new(), outcome, began_ms, ended_ms }
    }

    fn same(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-6
    }

    #[test]
    fn operations_of_one_moment_stand_one_behind_the_other() {
        let all: Vec<Shown> = (0..5).map(|number| operation(number, "worker", 1.0, Some(1.0))).collect();
        let times = Times::of(&all, &vec!["fetch".to_owned(); all.len()]);
        for pair in times.spans.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{:?}", times.spans);
        }
        assert!(same(Lanes::of(&all, &times).all[0].height, ROW), "one row is enough");
    }

    #[test]
    fn operations_side_by_side_have_rows_of_their_own() {
        let all = [
            operation(0, "a", 0.0, Some(10.0)),
            operation(1, "a", 5.0, Some(15.0)),
            operation(2, "b", 6.0, None),
            operation(3, "a", 20.0, Some(21.0)),
        ];
        let times = Times::of(&all, &vec!["fetch".to_owned(); all.len()]);
        let lanes = Lanes::of(&all, &times);
        assert_eq!(lanes.all.len(), 2);
        assert!(same(lanes.all[0].height, 2.0 * ROW));
        assert!(same(lanes.rows[0], lanes.rows[3]), "the first row is free again");
        let last = times.spans.iter().map(|span| span.1).fold(0.0, f64::max);
        assert!(same(times.spans[2].1, last), "what never ended goes on to the end");
        for (from, to) in &times.spans {
            assert!(from < to, "{:?}", times.spans);
        }
    }

    #[test]
    fn hostile_names_stay_texts() {
        let all = [operation(0, "</svg><script>alert(1)</script>", 0.0, Some(1.0))];
        let picture = picture(&all, &BTreeSet::from([0]), &Names::default());
        for half in [picture.lanes, picture.bars] {
            assert!(!half.contains("<script"), "{half}");
        }
    }
}
