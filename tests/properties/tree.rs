//! JSON as a tree that keeps order, repetitions and spelling, to be changed and written again.

#[derive(Debug, Clone)]
pub(crate) enum Tree {
    /// A string, number or word, as it is spelled.
    Leaf(String),
    List(Vec<Tree>),
    /// The keys with their quotes.
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// Reads text that is known to be JSON without white space.
    pub(crate) fn parse(text: &str) -> Tree {
        let mut rest = text;
        let tree = value(&mut rest);
        assert_eq!(rest, "", "the whole of {text}");
        tree
    }

    pub(crate) fn text(&self) -> String {
        self.text_with(&mut || "")
    }

    /// Written with white space from a source of it wherever there may be some.
    pub(crate) fn text_with(&self, space: &mut impl FnMut() -> &'static str) -> String {
        let mut out = String::new();
        out.push_str(space());
        self.write(&mut out, space);
        out
    }

    fn write(&self, out: &mut String, space: &mut impl FnMut() -> &'static str) {
        match self {
            Tree::Leaf(leaf) => out.push_str(leaf),
            Tree::List(items) => {
                between(out, '[', ']', space, items, |out, item, space| item.write(out, space));
            }
            Tree::Object(members) => between(out, '{', '}', space, members, |out, (key, value), space| {
                out.push_str(key);
                out.push_str(space());
                out.push(':');
                out.push_str(space());
                value.write(out, space);
            }),
        }
        out.push_str(space());
    }

    /// Each value's pointer, and where it begins (with its key) and ends when written without space.
    pub(crate) fn places(&self) -> Vec<(String, usize, usize)> {
        let mut places = Vec::new();
        self.note("", 0, 0, &mut places);
        places
    }

    fn note(&self, pointer: &str, begin: usize, start: usize, places: &mut Vec<(String, usize, usize)>) -> usize {
        let index = places.len();
        places.push((pointer.to_owned(), begin, 0));
        let mut at = start + 1;
        match self {
            Tree::Leaf(leaf) => at = start + leaf.len(),
            Tree::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    at = item.note(&format!("{pointer}/{index}"), at, at, places) + 1;
                }
                at = at.max(start + 2);
            }
            Tree::Object(members) => {
                for (key, value) in members {
                    let name: String = serde_json::from_str(key).unwrap();
                    let below = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                    at = value.note(&below, at, at + key.len() + 1, places) + 1;
                }
                at = at.max(start + 2);
            }
        }
        places[index].2 = at;
        at
    }

    /// How many values there are, this one included.
    pub(crate) fn size(&self) -> usize {
        1 + match self {
            Tree::Leaf(_) => 0,
            Tree::List(items) => items.iter().map(Tree::size).sum(),
            Tree::Object(members) => members.iter().map(|(_, value)| value.size()).sum(),
        }
    }

    /// The value of that number, in the order in which they are written.
    pub(crate) fn node(&mut self, mut number: usize) -> &mut Tree {
        if number == 0 {
            return self;
        }
        number -= 1;
        let children: Vec<&mut Tree> = match self {
            Tree::Leaf(_) => Vec::new(),
            Tree::List(items) => items.iter_mut().collect(),
            Tree::Object(members) => members.iter_mut().map(|(_, value)| value).collect(),
        };
        for child in children {
            let size = child.size();
            if number < size {
                return child.node(number);
            }
            number -= size;
        }
        panic!("there are not so many values")
    }

    pub(crate) fn members(&mut self) -> Option<&mut Vec<(String, Tree)>> {
        if let Tree::Object(members) = self { Some(members) } else { None }
    }

    /// The value of a member of this object.
    pub(crate) fn member(&mut self, name: &str) -> Option<&mut Tree> {
        let quoted = format!("\"{name}\"");
        self.members()?.iter_mut().find(|(key, _)| *key == quoted).map(|(_, value)| value)
    }
}

fn between<T, S: FnMut() -> &'static str>(
    out: &mut String,
    open: char,
    close: char,
    space: &mut S,
    items: &[T],
    mut write: impl FnMut(&mut String, &T, &mut S),
) {
    out.push(open);
    out.push_str(space());
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
            out.push_str(space());
        }
        write(out, item, space);
    }
    out.push(close);
}

fn value(rest: &mut &str) -> Tree {
    match rest.as_bytes()[0] {
        b'{' => Tree::Object(items(rest, '}', |rest| {
            let key = string(rest);
            *rest = rest.strip_prefix(':').unwrap();
            (key, value(rest))
        })),
        b'[' => Tree::List(items(rest, ']', value)),
        b'"' => Tree::Leaf(string(rest)),
        _ => {
            let end = rest.find([',', ']', '}']).unwrap_or(rest.len());
            let (leaf, behind) = rest.split_at(end);
            *rest = behind;
            Tree::Leaf(leaf.to_owned())
        }
    }
}

fn items<T>(rest: &mut &str, close: char, mut read: impl FnMut(&mut &str) -> T) -> Vec<T> {
    let mut items = Vec::new();
    *rest = &rest[1..];
    while let Some(behind) = rest.strip_prefix(',').or((!rest.starts_with(close)).then_some(*rest)) {
        *rest = behind;
        items.push(read(rest));
    }
    *rest = &rest[1..];
    items
}

fn string(rest: &mut &str) -> String {
    let bytes = rest.as_bytes();
    let mut end = 1;
    while bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    let (string, behind) = rest.split_at(end + 1);
    *rest = behind;
    string.to_owned()
}

#[test]
fn trees_are_written_as_they_were_read_and_know_their_places() {
    let text = r#"{"a":[1.50,{},[]],"a":"x\"]","~/":{"b":null}}"#;
    let mut tree = Tree::parse(text);
    assert_eq!(tree.text(), text);
    assert_eq!(tree.size(), 8);
    for (number, (pointer, begin, end)) in tree.places().into_iter().enumerate() {
        let value = tree.node(number).text();
        assert!(text[begin..end].ends_with(&value), "{pointer}: {value} in {}", &text[begin..end]);
    }
    assert_eq!(tree.text_with(&mut || " ").replace(' ', ""), text);
}
