//! The lines of `strace`, as far as they are asked for.

use std::path::PathBuf;

/// All threads; paths of descriptors; each call that can change a file; all bytes, as hexadecimal
/// numbers.
pub(crate) const COMMAND: &[&str] = &[
    "strace",
    "--follow-forks",
    "--seccomp-bpf",
    "--decode-fds=path",
    "--strings-in-hex=all",
    "--string-limit=1000000",
    "--quiet=all",
    "--signal=none",
    "--trace=open,openat,creat,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,\
     sync_file_range,msync,unlink,unlinkat,rename,renameat,renameat2,link,linkat,copy_file_range,sendfile",
];

/// How the answer begins to a thread that ended with its process: `?`, or `? <unavailable>` where it ended at once.
const NEVER: char = '?';

/// A line: a call, its beginning, or its end.
#[derive(Debug)]
pub(crate) enum Call {
    Asked {
        thread: u32,
        asked: Asked,
        answered: Option<i64>,
    },
    Answered {
        thread: u32,
        answer: i64,
    },
    /// Nothing that concerns files.
    Other,
}

#[derive(Debug)]
pub(crate) enum Asked {
    Open { file: PathBuf, makes: bool },
    Write { number: u32, file: PathBuf, bytes: Vec<u8> },
    PositionedWrite { file: PathBuf, bytes: Vec<u8>, offset: usize },
    Truncate { file: PathBuf, size: usize },
    Sync(PathBuf),
    Remove(PathBuf),
    Unknown { what: String, file: PathBuf },
}

/// Reads one line. What is not understood ends the test: a record with holes proves nothing.
pub(crate) fn read(line: &str) -> Call {
    call(line).unwrap_or_else(|| panic!("not understood: {}", &line[..line.len().min(300)]))
}

fn call(line: &str) -> Option<Call> {
    let (thread, rest) = line.split_once(' ')?;
    let (thread, rest) = (thread.parse().ok()?, rest.trim_start());
    if let Some(resumed) = rest.strip_prefix("<... ") {
        let (_, answer) = resumed.rsplit_once(" = ")?;
        return Some(if answer.starts_with(NEVER) {
            Call::Other
        } else {
            Call::Answered { thread, answer: number(answer)? }
        });
    }
    let Some((name, rest)) = rest.split_once('(') else { return Some(Call::Other) };
    let (arguments, answered) = if let Some(arguments) = rest.strip_suffix(" <unfinished ...>") {
        (arguments, None)
    } else {
        let (arguments, answer) = rest.rsplit_once(" = ")?;
        let answered = if answer.starts_with(NEVER) { None } else { Some(number(answer)?) };
        (arguments.trim_end().strip_suffix(')')?, answered)
    };
    let arguments: Vec<&str> = arguments.split(", ").collect();
    Some(Call::Asked { thread, asked: asked(name, &arguments)?, answered })
}

fn asked(name: &str, arguments: &[&str]) -> Option<Asked> {
    Some(match (name, arguments) {
        ("openat", [_, file, flags, ..]) => Asked::Open { file: path(file)?, makes: flags.contains("O_CREAT") },
        ("write", [file, bytes, _]) => {
            Asked::Write { number: number(file)?.try_into().ok()?, file: of_descriptor(file)?, bytes: bytes_of(bytes)? }
        }
        ("pwrite64", [file, bytes, _, offset]) => {
            let (file, offset) = (of_descriptor(file)?, offset.parse().ok()?);
            Asked::PositionedWrite { file, bytes: bytes_of(bytes)?, offset }
        }
        ("ftruncate", [file, size]) => Asked::Truncate { file: of_descriptor(file)?, size: size.parse().ok()? },
        ("fsync" | "fdatasync", [file]) => Asked::Sync(of_descriptor(file)?),
        ("unlink", [file]) => Asked::Remove(path(file)?),
        (what, [file, rest @ ..]) => {
            // Any of its paths, so that it is noticed where it concerns the store.
            let all = std::iter::once(file).chain(rest);
            let file = all.filter_map(|one| of_descriptor(one).or_else(|| path(one))).next_back().unwrap_or_default();
            Asked::Unknown { what: what.to_owned(), file }
        }
        _ => return None,
    })
}

/// The number that a text begins with.
fn number(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
    text[..end].parse().ok()
}

/// The path of a descriptor: `7<\x2f\x74>`.
fn of_descriptor(text: &str) -> Option<PathBuf> {
    let (_, path) = text.split_once('<')?;
    let (path, _) = path.rsplit_once('>')?;
    Some(PathBuf::from(String::from_utf8(hex(path)?).ok()?))
}

fn path(text: &str) -> Option<PathBuf> {
    Some(PathBuf::from(String::from_utf8(bytes_of(text)?).ok()?))
}

/// The bytes of a text in quotes, all of them.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    hex(text.strip_prefix('"')?.strip_suffix('"')?)
}

/// Bytes written as `\x2f\x74`.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = text.as_bytes().chunks(4).map(|four| match four {
        [b'\\', b'x', high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    bytes.collect()
}
