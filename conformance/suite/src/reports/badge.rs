//! A badge: what a broker holds, as a little picture.

use std::fmt::Write as _;

use super::run::RunReport;
use super::verify::{Discrepancy, verify};
use crate::profiles::Standing;

/// The badge of a report that is verified and complete.
///
/// # Errors
/// What of the report is not as it must be.
pub fn badge(report: &RunReport) -> Result<String, Vec<Discrepancy>> {
    let found = verify(report);
    if found.is_empty() { Ok(drawn(report)) } else { Err(found) }
}

fn drawn(report: &RunReport) -> String {
    let held: Vec<&str> = report
        .profiles
        .iter()
        .filter(|profile| profile.standing == Standing::Holds)
        .map(|profile| profile.name.as_str())
        .collect();
    let (text, colour) = match (report.summary.must_fail(), held.is_empty()) {
        (0, false) => (held.join(" · "), "#1a7f37"),
        (0, true) => ("no profile".to_owned(), "#6e7781"),
        (fail, true) => (format!("{fail} failing"), "#cf222e"),
        (fail, false) => (format!("{} · {fail} others failing", held.join(" · ")), "#9a6700"),
    };
    let name = "workwire";
    let (left, right) = (width(name), width(&text));
    let whole = left + right;
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" role=\"img\" \
         aria-label=\"{name}: {text}\"><title>{name}: {text}</title>\
         <clipPath id=\"r\"><rect width=\"{whole}\" height=\"20\" rx=\"3\"/></clipPath>\
         <g clip-path=\"url(#r)\"><rect width=\"{left}\" height=\"20\" fill=\"#3b424a\"/>\
         <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{colour}\"/></g>\
         <g fill=\"#fff\" text-anchor=\"middle\" font-family=\"Verdana,Geneva,DejaVu Sans,sans-serif\" font-size=\"11\">\
         <text x=\"{}\" y=\"14\" textLength=\"{}\">{name}</text><text x=\"{}\" y=\"14\" textLength=\"{}\">{text}</text>\
         </g></svg>",
        left / 2,
        left - 12,
        left + right / 2,
        right - 12,
    );
    svg
}

/// About as wide as the text is in such letters.
fn width(text: &str) -> usize {
    text.chars().count() * 13 / 2 + 16
}
