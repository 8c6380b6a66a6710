//! Reports in a real browser: Chromium without a window, driven through its driver.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test")]

#[path = "browser/driver.rs"]
mod driver;
#[path = "runs/made.rs"]
mod made;

use std::time::{Duration, Instant};

use driver::Browser;
use serde_json::{Value, json};
use workwire_conformance::reports::{ProofReport, RunReport, SideBySide, run_html};
use workwire_conformance::{cases, saboteurs, selftest};

/// A page in a browser of its own, at this width.
fn opened(page: &str, width: u32) -> Browser {
    let browser = Browser::open();
    browser.resize(width, 900);
    browser.show(page);
    browser
}

fn run_page() -> String {
    run_html(&made::collected(made::suite(), &made::made())).unwrap()
}

fn matrix_page() -> String {
    let sides = [
        made::collected(made::suite(), &made::made()),
        made::collected(cases::all(), &made::ran(None)),
        made::collected(cases::all(), &made::ran(Some("takes_every_third_done_for_retry"))),
        made::collected(cases::all(), &made::ran(Some("takes_any_tag"))),
    ];
    SideBySide::of(&sides).html().unwrap()
}

const SHOWN: &str = "return [...document.querySelectorAll('.case, tr.entry')].filter(e => e.checkVisibility()).length";
const SCROLLS: &str = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";

#[test]
fn a_run_is_drawn_without_an_error_and_nothing_hostile_comes_alive() {
    let browser = opened(&run_page(), 1280);
    assert_eq!(browser.ask(SHOWN), json!(made::SUITE.len()));
    assert_eq!(browser.ask("return document.querySelectorAll('.picture .op.offender').length > 2"), json!(true));
    assert_eq!(browser.ask("return document.querySelectorAll('img, iframe, link, [onerror]').length"), json!(0));
    assert_eq!(browser.ask("return document.scripts.length"), json!(2), "the data and the script");
    assert_eq!(browser.ask("return performance.getEntriesByType('resource').length"), json!(0), "nothing is fetched");
    assert_eq!(browser.console(), Vec::<String>::new());
    browser.shot("run");
}

#[test]
fn filters_choose_by_verdict_area_and_words() {
    let browser = opened(&run_page(), 1280);
    browser.click(".chip.fail");
    assert_eq!(browser.ask(SHOWN), json!(2));
    assert_eq!(browser.ask("return document.querySelector('.chip.fail').getAttribute('aria-pressed')"), json!("true"));
    browser.click(".chip.skipped");
    assert_eq!(browser.ask(SHOWN), json!(3));
    browser.click(".chip.fail");
    browser.click(".chip.skipped");
    browser.ask(
        "const area = document.getElementById('area'); area.value = 'pri'; area.dispatchEvent(new Event('input'))",
    );
    assert_eq!(browser.ask(SHOWN), json!(2));
    browser.type_into("#find", "urgent");
    assert_eq!(browser.ask(SHOWN), json!(1));
    assert_eq!(browser.ask("return document.getElementById('shown').textContent"), json!("1 of 12"));
    browser.type_into("#find", " nothing like it");
    assert_eq!(browser.ask("return document.getElementById('none').checkVisibility()"), json!(true));
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn what_is_broken_stands_first_and_leads_to_its_cases() {
    let browser = opened(&run_page(), 1280);
    let told = browser.ask("return document.querySelector('.wrong').textContent");
    for words in ["ACK-1", "is never delivered again", "lse/two_never_hold_one_message", "CON-5"] {
        assert!(told.as_str().unwrap().contains(words), "{words}: {told}");
    }
    browser.ask("document.querySelectorAll('.case').forEach(one => { one.open = false; })");
    browser.click(".wrong a");
    let open = "return [...document.querySelectorAll('.case')].filter(one => one.open).map(one => one.id)";
    let deadline = Instant::now() + Duration::from_secs(10);
    while browser.ask(open) != json!(["lse/two_never_hold_one_message"]) {
        assert!(Instant::now() < deadline, "the case is not unfolded");
        std::thread::sleep(Duration::from_millis(10));
    }
    let top = browser.ask("return document.querySelector('.case[open]').getBoundingClientRect().top");
    assert!(top.as_f64().unwrap() < 900.0, "it is in sight: {top}");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn what_is_saved_is_the_report_to_the_last_digit() {
    let browser = opened(&run_page(), 1280);
    let saved = browser.ask(
        "const make = URL.createObjectURL; let blob; URL.createObjectURL = (of) => { blob = of; return make(of); };
         document.getElementById('save').click(); return blob.text();",
    );
    let report = RunReport::parse(saved.as_str().unwrap()).unwrap();
    assert_eq!(report, made::collected(made::suite(), &made::made()));
}

#[test]
fn everything_can_be_reached_by_keys_and_the_focus_is_seen() {
    let browser = opened(&run_page(), 1280);
    browser.press("\u{e004}");
    assert_eq!(
        browser.ask("return document.activeElement.className"),
        json!("skip"),
        "the way to the results is first"
    );
    browser.press("/");
    assert_eq!(browser.ask("return document.activeElement.id"), json!("find"));
    browser.ask("document.querySelector('.case.pass > summary').focus()");
    browser.press("\u{e007}");
    assert_eq!(browser.ask("return document.querySelector('.case.pass').open"), json!(true), "Enter unfolds");
    browser.ask("document.querySelector('.picture .op[tabindex=\"0\"]').focus()");
    let at = "return document.activeElement.dataset.n";
    let first = browser.ask(at);
    browser.press("\u{e014}");
    assert_ne!(browser.ask(at), first, "arrows go from operation to operation");
    let detail = browser.ask("return document.activeElement.closest('.picture').querySelector('.detail').textContent");
    assert!(detail.as_str().unwrap().contains(&format!("#{}", browser.ask(at).as_str().unwrap())), "{detail}");
    browser.press("\u{e012}");
    assert_eq!(browser.ask(at), first);
    browser.ask("document.querySelector('#theme').focus()");
    browser.press("\u{e004}");
    let outline = browser.ask("return getComputedStyle(document.activeElement).outlineStyle");
    assert_eq!(outline, json!("solid"), "the focus is seen");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_narrow_window_scrolls_no_page_sideways() {
    for (name, page) in [("run", run_page()), ("matrix", matrix_page())] {
        let browser = opened(&page, 360);
        if name == "run" {
            browser.click("#unfold");
        }
        assert_eq!(browser.ask("return innerWidth"), json!(360));
        assert_eq!(browser.ask(SCROLLS), json!(0), "{name}");
        let beyond = "return [...document.querySelectorAll('button, summary, h1, h2, input, .diff')]
            .filter(e => e.checkVisibility() && !e.closest('.grid, .scroll') && e.getBoundingClientRect().right > 361)
            .map(e => e.outerHTML.slice(0, 80))";
        assert_eq!(browser.ask(beyond), json!([]), "{name}");
        browser.shot(&format!("{name}-360"));
    }
}

#[test]
fn colours_follow_the_system_and_the_button() {
    let browser = opened(&run_page(), 1280);
    let background = "return getComputedStyle(document.body).backgroundColor";
    let light = browser.ask(background);
    browser.prefer("dark");
    let dark = browser.ask(background);
    assert_ne!(light, dark, "as the system");
    browser.shot("run-dark");
    browser.click("#theme");
    assert_eq!(browser.ask(background), light, "light, whatever the system says");
    browser.prefer("light");
    browser.click("#theme");
    assert_eq!(browser.ask(background), dark, "dark, whatever the system says");
    assert_eq!(
        browser.ask("return document.getElementById('theme').getAttribute('aria-label')"),
        json!("Colours: dark")
    );
}

#[test]
fn every_text_stands_out_in_both_colours() {
    for page in [run_page(), matrix_page()] {
        let browser = opened(&page, 1280);
        for colours in ["light", "dark"] {
            browser.prefer(colours);
            assert_eq!(browser.ask(LEAST_CONTRAST), json!([]), "{colours}");
        }
        browser.ask("const bar = document.querySelector('.op.offender'); if (bar) bar.focus()");
        browser.shot(if page.contains("brokers side by side") { "matrix-dark" } else { "run-focused" });
    }
}

/// Texts that stand out from their background by less than 4.5 to 1.
const LEAST_CONTRAST: &str = "
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = (c) => { const [r, g, b] = c.map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
        return .2126 * r + .7152 * g + .0722 * b; };
    const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > 250) return c; } return [255, 255, 255]; };
    const poor = [];
    for (const e of document.querySelectorAll('main *, footer *, header *')) {
        if (e.closest('svg') || !e.checkVisibility() || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
        const [one, other] = [light(rgba(getComputedStyle(e).color)), light(behind(e))];
        const ratio = (Math.max(one, other) + .05) / (Math.min(one, other) + .05);
        if (ratio < 4.5) poor.push(`${e.className || e.tagName} ${ratio.toFixed(2)}`);
    }
    return [...new Set(poor)];";

#[test]
fn a_matrix_is_drawn_and_filtered() {
    let browser = opened(&matrix_page(), 1280);
    assert_eq!(browser.ask("return document.querySelectorAll('.grid').length"), json!(2));
    let all = browser.ask(SHOWN).as_u64().unwrap();
    assert!(all >= 2, "{all} clauses");
    browser.shot("matrix");
    browser.click(".chip.differs");
    let differ = browser.ask(SHOWN).as_u64().unwrap();
    assert!(differ >= 1 && differ <= all, "{differ} of {all} differ");
    browser.type_into("#find", "ACK-2");
    assert_eq!(browser.ask(SHOWN), json!(1));
    assert_eq!(browser.ask("return document.querySelectorAll('img, iframe, link').length"), json!(0));
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_proof_is_drawn_and_filtered() {
    let cases = made::TWO.map(|id| cases::find(id).unwrap());
    let matrix = selftest::run(&cases, &saboteurs::all(), 1, 2);
    let proof = ProofReport::of(&matrix, &cases, &matrix.shortfalls(&cases, &["ACK-1", "ACK-999"]));
    let browser = opened(&proof.html().unwrap(), 1280);
    browser.shot("proof");
    browser.type_into("#find", "takes_every_third_done_for_retry");
    let shown = browser.ask(SHOWN).as_u64().unwrap();
    assert!(shown >= 2, "the clause and the saboteur: {shown}");
    browser.resize(360, 900);
    assert_eq!(browser.ask(SCROLLS), json!(0));
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn without_its_script_a_page_can_be_read() {
    // The policy lets only the page's own script run, so another one in its place is as none.
    let page = run_page().replace("\"use strict\";", "\"use strict\"; // another one");
    let browser = opened(&page, 1280);
    assert_eq!(browser.ask("return document.getElementById('filters').checkVisibility()"), json!(false));
    assert_eq!(browser.ask(SHOWN), json!(made::SUITE.len()));
    assert_eq!(browser.ask("return document.querySelector('.picture .op').checkVisibility()"), json!(true));
    let refused: Vec<String> = browser.console();
    assert!(refused.iter().all(|line| line.contains("Content Security Policy")) && !refused.is_empty(), "{refused:?}");
    let saved = browser.ask("return JSON.parse(document.getElementById('data').textContent).format");
    assert_eq!(saved, Value::from(1));
}
