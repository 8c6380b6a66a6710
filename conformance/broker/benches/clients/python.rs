//! The Python client that people take for the engine, on the same server in the same run: `clients.py`.

use std::process::Command;

use workwire_broker::Instance;

const ROUNDS: usize = 3;

/// Measures the life of so many messages by it, beside the rate of ours, and prints both.
pub(crate) fn print(what: &str, ours: f64, server: &Instance, in_flight: usize, messages: usize) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/clients/clients.py");
    let python = std::env::var("WORKWIRE_BENCH_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let (engine, address) = (server.engine().as_str(), server.address());
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let mut command = Command::new(&python);
        command.args([script, engine, &address, &in_flight.to_string(), &messages.to_string()]);
        let output = match command.output() {
            Ok(output) => output,
            Err(error) => {
                println!("{what}, Python: not measured: {python}: {error}");
                return;
            }
        };
        let said = String::from_utf8_lossy(&output.stdout);
        let Ok(rate) = said.trim().parse::<f64>() else {
            let why = String::from_utf8_lossy(&output.stderr);
            println!("{what}, Python: not measured: {}", why.lines().last().unwrap_or_default());
            return;
        };
        rates.push(rate);
    }
    rates.sort_by(f64::total_cmp);
    let rate = rates[ROUNDS / 2];
    println!(
        "{what}, Python: {rate:.0}/s ({:.0}–{:.0}); ours is {:.1} times that",
        rates[0],
        rates[ROUNDS - 1],
        ours / rate
    );
}
