//! The sources of the crate, and the modules that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A file below `src`, without its comments and its own tests.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn code(&self) -> &str {
        &self.code
    }

    /// The module of the crate's root that it belongs to.
    pub(crate) fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }
}

/// Every file but the front page, in the order of their paths.
pub(crate) fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    files.sort();
    assert!(files.len() > 20, "the sources are there");
    let relative = |file: &Path| file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
    let all = files.iter().map(|file| Source { path: relative(file), code: code(file) });
    all.filter(|source| source.path != "lib.rs").collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// A file's text on one line: no comments, no tests, single spaces.
fn code(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let own = text.split("#[cfg(test)]").next().unwrap();
    let lines = own.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// The modules that a file names behind `crate::`, in imports, paths and macros; names that the
/// front page exports stand for their modules.
pub(crate) fn imports(source: &Source) -> BTreeSet<String> {
    let exports = exports();
    let names = source.code.split("crate::").skip(1).flat_map(first_names);
    let modules = names.map(|name| exports.get(&name).cloned().unwrap_or(name));
    modules.filter(|module| module != source.module()).collect()
}

/// The name that a path begins with, or those of a group in braces.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut names, mut start) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.extend(Some(name(group[start..at].trim())).filter(|name| !name.is_empty()));
                start = at + 1;
                if c == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names
}

/// What the front page exports, and of which module it is.
fn exports() -> BTreeMap<String, String> {
    let front = code(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"));
    let mut exports = BTreeMap::new();
    for line in front.split("pub use ").skip(1) {
        let (module, names) = line.split(';').next().unwrap().split_once("::").unwrap();
        for name in names.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty()) {
            exports.insert(name.to_owned(), module.to_owned());
        }
    }
    exports
}
