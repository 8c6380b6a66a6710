//! Values that are read from text, each with an error that says what was expected.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// A time, with its unit.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("expected a time such as 500ms, 90s or 15m, found {text:?}");
    let time = humantime::parse_duration(text).map_err(|_| wrong())?;
    // More than a hundred years no broker takes.
    let is_right = i64::try_from(time.as_millis()).is_ok_and(|ms| ms <= workwire_broker::MAX_MS);
    if is_right { Ok(time) } else { Err(wrong()) }
}

/// A time that is not nothing.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        time if time < Duration::from_millis(1) => Err(format!("expected a time of at least 1ms, found {text:?}")),
        time => Ok(time),
    }
}

/// A number that is not 0.
pub(super) fn some(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=10_000) => Ok(number),
        _ => Err("expected a number from 1 to 10000".to_owned()),
    }
}

/// An address of this machine: whoever listens elsewhere may be anybody.
pub(super) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let expected = || format!("expected a loopback address such as 127.0.0.1:7000 or localhost:7000, found {text:?}");
    let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0).ok_or_else(expected)?;
    let address = match host {
        "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
        "[::1]" => IpAddr::V6(Ipv6Addr::LOCALHOST),
        host => host.parse().map_err(|_| expected())?,
    };
    if address.is_loopback() { Ok(SocketAddr::new(address, port)) } else { Err(expected()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_machine_are_taken() {
        for text in ["127.0.0.1:7000", "127.8.9.1:1", "localhost:65535", "[::1]:7000"] {
            assert!(loopback(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "7000",
            ":7000",
            "10.0.0.1:7000",
            "example.org:80",
            "localhost:0",
            "localhost:x",
            "[::]:7",
            "0.0.0.0:7",
        ] {
            assert!(loopback(text).unwrap_err().contains("expected a loopback address"), "{text}");
        }
    }

    #[test]
    fn a_time_has_a_unit() {
        assert_eq!(time("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(time("0s"), Ok(Duration::ZERO));
        for text in ["", "90", "-1s", "1 fortnight", "9999999years"] {
            assert!(time(text).unwrap_err().starts_with("expected a time such as"), "{text}");
        }
        assert!(some_time("0s").is_err() && some_time("900us").is_err() && some_time("1ms").is_ok());
    }
}
