//! The server's first words, before anything is asked of it: whether it is one of AMQP, and how old.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::options::RabbitMqOptions;

const HEADER: &[u8] = b"AMQP\0\0\x09\x01";

/// The first server that has all that is used: quorum queues, single consumers, limits of their kind.
const OLDEST: (u32, u32) = (3, 8);

/// The longest greeting that is read; it is some hundred bytes of names and versions.
const LONGEST: u32 = 65_536;

/// The server's version.
pub(super) async fn version(options: &RabbitMqOptions) -> Result<String, String> {
    if options.tls {
        return Ok("(behind TLS)".to_owned());
    }
    let greeting = tokio::time::timeout(options.timeout.min(Duration::from_secs(10)), greeting(options)).await;
    let greeting = greeting.map_err(|_| "expected a greeting of RabbitMQ, found silence".to_owned())??;
    let version = text_of(&greeting, b"version").unwrap_or_default();
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST {
        let product = text_of(&greeting, b"product").unwrap_or_else(|| "a server".to_owned());
        let (major, minor) = OLDEST;
        return Err(format!("expected RabbitMQ of at least {major}.{minor}, found {product} {version}"));
    }
    Ok(version)
}

async fn greeting(options: &RabbitMqOptions) -> Result<Vec<u8>, String> {
    let wrong = |error: std::io::Error| error.to_string();
    let mut stream = TcpStream::connect((options.host.as_str(), options.port)).await.map_err(wrong)?;
    stream.write_all(HEADER).await.map_err(wrong)?;
    let mut head = [0; 7];
    if let Err(error) = stream.read_exact(&mut head).await {
        return Err(format!("expected a greeting of RabbitMQ, found {error}; is the port one of TLS (amqps://)?"));
    }
    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]);
    // A method on channel 0.
    if head[..3] != [1, 0, 0] || length > LONGEST {
        let is_tls = head[0] == 21;
        let hint = if is_tls { "an answer of TLS; is it amqps:// instead?" } else { "something else" };
        return Err(format!("expected a greeting of RabbitMQ, found {hint}"));
    }
    let mut body = vec![0; length as usize];
    stream.read_exact(&mut body).await.map_err(wrong)?;
    Ok(body)
}

/// The long text of this name in a table.
fn text_of(table: &[u8], name: &[u8]) -> Option<String> {
    let mut key = vec![u8::try_from(name.len()).ok()?];
    key.extend_from_slice(name);
    key.push(b'S');
    let at = table.windows(key.len()).position(|window| window == key)? + key.len();
    let length = u32::from_be_bytes(table.get(at..at + 4)?.try_into().ok()?) as usize;
    table.get(at + 4..at + 4 + length).map(|text| String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_a_table() {
        let table = b"\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x063.10.8";
        assert_eq!(text_of(table, b"version").as_deref(), Some("3.10.8"));
        assert_eq!(text_of(table, b"product").as_deref(), Some("RabbitMQ"));
        assert_eq!(text_of(table, b"platform"), None);
        assert_eq!(text_of(b"\x07versionS\0\0\0\xff3", b"version"), None);
    }
}
