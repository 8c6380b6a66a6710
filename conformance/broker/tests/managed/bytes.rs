//! Enough of Redis's protocol to keep a word and to ask for it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use workwire_broker::Instance;

/// What a Redis answers to a line.
pub(super) fn told(instance: &Instance, line: &str) -> String {
    let address = instance.address();
    let password = address.split_once("://:").and_then(|(_, rest)| rest.split_once('@')).unwrap().0;
    let mut stream = TcpStream::connect(("127.0.0.1", instance.port())).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // Whatever is asked ends the connection.
    write!(stream, "AUTH {password}\r\n{line}\r\nQUIT\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
