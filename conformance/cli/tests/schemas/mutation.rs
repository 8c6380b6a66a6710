//! Documents changed in one or more places.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use super::near::{FIELDS, interesting, near};

/// One change, and which of the places that it fits it is made at.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    place: Index,
    edit: Edit,
}

#[derive(Debug, Clone)]
enum Edit {
    /// Takes a member or an item out.
    Remove,
    /// Gives a member another name.
    Rename(&'static str),
    /// Puts a copy of a member beside it.
    Copy(&'static str),
    /// Puts a member or an item into an object or an array.
    Add(&'static str, Value),
    /// Puts another value in the place of one.
    Replace(Value),
    /// The same, in the place of a field of one of these names.
    Fit(&'static [&'static str], Value),
    /// Lets two values change places.
    Swap(Index),
    /// Puts a value into a list, or an object.
    Wrap { in_object: bool },
    /// Changes one character of a text; puts one in front of it where there is none.
    Character(Index, Option<char>),
    /// Upper case.
    Shout,
}

pub(crate) fn change() -> BoxedStrategy<Change> {
    const CHARACTERS: &[char] = &[
        'a', 'Z', '0', '9', '.', ',', '/', '\\', ':', '-', '_', ' ', '+', '\n', '\t', '\0', '\u{1f}', '\u{7f}',
        '\u{80}', '\u{85}', '\u{9f}', '\u{a0}', '\u{2028}', '\u{feff}', '\u{ffff}', 'é', 'ſ', '\u{212a}', '３', '😀',
        '"', '{',
    ];
    let character = (any::<Index>(), prop::option::weighted(0.8, select(CHARACTERS)));
    let edit = prop_oneof![
        2 => Just(Edit::Remove),
        2 => select(FIELDS).prop_map(Edit::Rename),
        1 => select(FIELDS).prop_map(Edit::Copy),
        2 => (select(FIELDS), interesting()).prop_map(|(name, value)| Edit::Add(name, value)),
        6 => interesting().prop_map(Edit::Replace),
        12 => near().prop_map(|(fields, value)| Edit::Fit(fields, value)),
        1 => any::<Index>().prop_map(Edit::Swap),
        1 => any::<bool>().prop_map(|in_object| Edit::Wrap { in_object }),
        4 => character.prop_map(|(at, character)| Edit::Character(at, character)),
        1 => Just(Edit::Shout),
    ];
    (any::<Index>(), edit).prop_map(|(place, edit)| Change { place, edit }).boxed()
}

/// JSON Pointers to every value of a document, the document itself first.
fn places(document: &Value) -> Vec<String> {
    fn walk(value: &Value, at: &str, places: &mut Vec<String>) {
        places.push(at.to_owned());
        match value {
            Value::Object(members) => members.iter().for_each(|(key, value)| {
                walk(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| walk(item, &format!("{at}/{index}"), places));
            }
            _ => {}
        }
    }
    let mut places = Vec::new();
    walk(document, "", &mut places);
    places
}

/// The place's parent and its key there.
fn split(place: &str) -> Option<(&str, String)> {
    let (parent, key) = place.rsplit_once('/')?;
    Some((parent, key.replace("~1", "/").replace("~0", "~")))
}

/// The object that a place is a member of, and its key there.
fn member<'d>(document: &'d mut Value, place: &str) -> Option<(&'d mut Map<String, Value>, String)> {
    let (parent, key) = split(place)?;
    Some((document.pointer_mut(parent)?.as_object_mut()?, key))
}

/// Makes a change, or none where the document has no place for it.
pub(crate) fn apply(document: &mut Value, change: &Change) -> Option<()> {
    let mut places = places(document);
    match &change.edit {
        Edit::Fit(fields, _) => places.retain(|place| split(place).is_some_and(|(_, key)| fields.contains(&&*key))),
        Edit::Add(..) => places.retain(|place| is_container(document.pointer(place))),
        Edit::Character(..) | Edit::Shout => {
            places.retain(|place| document.pointer(place).is_some_and(Value::is_string));
        }
        _ => {}
    }
    if places.is_empty() {
        return None;
    }
    let place = &places[change.place.index(places.len())];
    match &change.edit {
        Edit::Remove => remove(document, place)?,
        Edit::Rename(name) => {
            let (members, key) = member(document, place)?;
            let value = members.remove(&key)?;
            members.insert((*name).to_owned(), value);
        }
        Edit::Copy(name) => {
            let (members, key) = member(document, place)?;
            let value = members.get(&key)?.clone();
            members.insert((*name).to_owned(), value);
        }
        Edit::Add(name, value) => match document.pointer_mut(place)? {
            Value::Array(items) => items.push(value.clone()),
            container => container[*name] = value.clone(),
        },
        Edit::Replace(value) | Edit::Fit(_, value) => *document.pointer_mut(place)? = value.clone(),
        Edit::Swap(other) => swap(document, place, &places[other.index(places.len())])?,
        Edit::Wrap { in_object } => {
            let value = document.pointer_mut(place)?;
            *value = if *in_object { json!({"value": value}) } else { json!([value]) };
        }
        Edit::Character(at, character) => {
            let value = document.pointer_mut(place)?;
            *value = Value::from(with_character(value.as_str()?, *at, *character));
        }
        Edit::Shout => {
            let value = document.pointer_mut(place)?;
            *value = Value::from(value.as_str()?.to_uppercase());
        }
    }
    Some(())
}

fn is_container(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value.is_object() || value.is_array())
}

fn remove(document: &mut Value, place: &str) -> Option<()> {
    let (parent, key) = split(place)?;
    match document.pointer_mut(parent)? {
        Value::Array(items) => {
            items.remove(key.parse().ok()?);
        }
        members => {
            members.as_object_mut()?.remove(&key);
        }
    }
    Some(())
}

/// Nothing where one place lies in the other.
fn swap(document: &mut Value, one: &str, other: &str) -> Option<()> {
    if one.starts_with(other) || other.starts_with(one) {
        return None;
    }
    let value = document.pointer(one)?.clone();
    let value = std::mem::replace(document.pointer_mut(other)?, value);
    *document.pointer_mut(one)? = value;
    Some(())
}

/// A character replaced, or taken out where there is none to put there, or put behind the last.
fn with_character(text: &str, at: Index, character: Option<char>) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = at.index(characters.len() + 1);
    match character {
        Some(character) if at < characters.len() => characters[at] = character,
        Some(character) => characters.push(character),
        None if at < characters.len() => {
            characters.remove(at);
        }
        None => characters.extend(text.chars().last()),
    }
    characters.into_iter().collect()
}
