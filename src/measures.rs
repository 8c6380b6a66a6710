//! Objects that are free but for some known keys, whose numbers have a range: `hints`,
//! `resources_used`, `resources`.

use serde_json::{Value, json};

use crate::document::{FieldInfo, Need};
use crate::field::{Field, impl_json_schema};
use crate::free::FreeObject;
use crate::json::{Kind, Mode, Out, Reader, Walk};
use crate::rule::Rule;
use crate::schema::{Form, named, plain_object};
use crate::violation::{Path, Place};
use crate::{FreeValue, ProtocolError};

/// One known key and what its number must be.
struct Known {
    key: &'static str,
    docs: &'static str,
    /// A value, as JSON.
    example: &'static str,
    rule: Rule,
    expected: &'static str,
    min: f64,
    above_min: bool,
    max: f64,
}

impl Known {
    fn allows(&self, value: f64) -> bool {
        (if self.above_min { value > self.min } else { value >= self.min }) && value <= self.max
    }

    fn schema(&self) -> Value {
        let mut schema = json!({"type": "number"});
        schema[if self.above_min { "exclusiveMinimum" } else { "minimum" }] = bound(self.min);
        if self.max.is_finite() {
            schema["maximum"] = bound(self.max);
        }
        schema
    }
}

/// The bounds are small whole numbers, and look better so.
#[allow(clippy::cast_possible_truncation, reason = "the bounds are 0 and 100")]
fn bound(value: f64) -> Value {
    json!(value as i64)
}

const fn more_than_zero(key: &'static str, docs: &'static str, example: &'static str) -> Known {
    Known {
        key,
        docs,
        example,
        rule: Rule::Wrq4,
        expected: "a number greater than 0",
        min: 0.0,
        above_min: true,
        max: f64::INFINITY,
    }
}

const fn at_least_zero(key: &'static str, docs: &'static str, example: &'static str, rule: Rule) -> Known {
    let (expected, max) = ("a number of at least 0", f64::INFINITY);
    Known { key, docs, example, rule, expected, min: 0.0, above_min: false, max }
}

const fn percent(key: &'static str, docs: &'static str, example: &'static str) -> Known {
    let (expected, max) = ("a number from 0 to 100", 100.0);
    Known { key, docs, example, rule: Rule::Stu4, expected, min: 0.0, above_min: false, max }
}

/// What an object of measures holds.
struct Table {
    known: &'static [Known],
    /// Either none of the known keys, in an empty object, or all; and nothing but numbers.
    all_or_nothing: bool,
}

const HINTS: Table = Table {
    known: &[
        more_than_zero(
            "deadline_seconds",
            "The task has failed when it is not done so many seconds after dispatch.",
            "30",
        ),
        more_than_zero("estimated_duration_seconds", "How long it should take.", "20"),
        more_than_zero("max_duration_seconds", "How long it may run.", "60"),
        more_than_zero("max_memory_mb", "How much memory it may use.", "512"),
    ],
    all_or_nothing: false,
};

const USED: Table = Table {
    known: &[
        at_least_zero("cpu_time_ms", "Processor time.", "840", Rule::Wrs6),
        at_least_zero("memory_peak_mb", "The most memory in use at once.", "96.5", Rule::Wrs6),
        at_least_zero("gpu_memory_used_mb", "Memory used on the graphics processor.", "0", Rule::Wrs6),
    ],
    all_or_nothing: false,
};

const RESOURCES: Table = Table {
    known: &[
        percent("cpu_percent", "How busy the processors are.", "12.5"),
        percent("memory_percent", "How full the memory is.", "40"),
        at_least_zero("gpu_vram_available_gb", "Free memory of the graphics processors.", "6", Rule::Stu5),
        at_least_zero("gpu_vram_total_gb", "All memory of the graphics processors.", "8", Rule::Stu5),
    ],
    all_or_nothing: true,
};

/// The known ones' values and places, in the order of their table.
type Found = [Option<(f64, usize)>; 4];

fn read(reader: &mut Reader<'_>, at: &Path<'_>, table: &Table) -> Walk<Option<FreeObject>> {
    if reader.kind()? != Kind::Object {
        reader.mismatch(at, "an object")?;
        return Ok(None);
    }
    let walk = |reader: &mut Reader<'_>| members(reader, at, table);
    let (text, has_nulls) = reader.canonical_text(walk)?;
    let object = FreeObject::from_canonical(text);
    if !has_nulls {
        return Ok(Some(object));
    }
    let keys: Vec<&str> = table.known.iter().map(|known| known.key).collect();
    Ok(Some(object.without_nulls(&keys)))
}

/// Walks over the members; whether some known one is `null`, which is absence.
fn members(reader: &mut Reader<'_>, at: &Path<'_>, table: &Table) -> Walk<bool> {
    reader.open_object()?;
    let mut frame = reader.keys.enter();
    let mut found: Found = [None; 4];
    let mut came = [false; 4];
    let (mut first, mut empty, mut has_nulls) = (true, true, false);
    while let Some(key) = reader.next_key(&mut first)? {
        empty = false;
        let place = at.key(&key);
        if !reader.keys.insert(&mut frame, &key) {
            reader.repeated(&place);
            reader.pass(&place)?;
            continue;
        }
        match table.known.iter().position(|known| known.key == key) {
            Some(_) if !table.all_or_nothing && reader.null() => has_nulls = true,
            Some(index) => {
                came[index] = true;
                found[index] = known_number(reader, &place, &table.known[index])?;
            }
            None if table.all_or_nothing => other_number(reader, &place)?,
            None => reader.pass(&place)?,
        }
    }
    reader.keys.leave(&frame);
    if table.all_or_nothing && !empty {
        let end = reader.offset() - 1;
        for (rank, known) in table.known.iter().enumerate().filter(|(rank, _)| !came[*rank]) {
            let place = Place::missing(end, rank);
            reader.report.add(place, &at.key(known.key), Rule::Stu3, "required when resources is not empty", None);
        }
        available_within_total(reader, at, &found);
    }
    Ok(has_nulls)
}

fn known_number(reader: &mut Reader<'_>, at: &Path<'_>, known: &Known) -> Walk<Option<(f64, usize)>> {
    if reader.kind()? != Kind::Number {
        reader.mismatch(at, "a number")?;
        return Ok(None);
    }
    let start = reader.offset();
    let number = reader.number()?;
    if !reader.check_finite(start, number, at) {
        return Ok(None);
    }
    let value = number.double();
    if known.allows(value) {
        return Ok(Some((value, start)));
    }
    reader.refuse(start, at, known.rule, known.expected);
    Ok(None)
}

fn other_number(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<()> {
    let is_number = reader.kind()? == Kind::Number;
    let start = reader.offset();
    reader.pass(at)?;
    if !is_number {
        reader.refuse(start, at, Rule::Stu7, "a number");
    }
    Ok(())
}

/// The two that RESOURCES names last.
fn available_within_total(reader: &mut Reader<'_>, at: &Path<'_>, found: &Found) {
    if let [.., Some((available, place)), Some((total, _))] = *found
        && available > total
    {
        let found = format!("{available} of {total}");
        let at = at.key("gpu_vram_available_gb");
        reader.report.add(place, &at, Rule::Stu6, "no more than gpu_vram_total_gb", Some(&found));
    }
}

fn schema(docs: &[&str], table: &'static Table, form: Form) -> Value {
    let row = |known: &'static Known| FieldInfo {
        name: known.key,
        docs: std::slice::from_ref(&known.docs),
        need: if table.all_or_nothing { Need::Required } else { Need::Optional },
        example: Some(known.example),
        schema: known.schema(),
    };
    let mut schema = plain_object(table.known.iter().map(row).collect(), form);
    if table.all_or_nothing {
        schema = all_or_nothing(schema, table.known, form);
    } else {
        schema["additionalProperties"] = json!(true);
    }
    crate::schema::described(schema, docs)
}

/// What is required where anything is there.
fn all_or_nothing(mut schema: Value, known: &[Known], form: Form) -> Value {
    schema["additionalProperties"] = json!({"type": "number"});
    let required = schema.as_object_mut().and_then(|members| members.remove("required"));
    if form != Form::Generating {
        schema["if"] = json!({"minProperties": 1});
        // Named once more, since there are validators that want to see what is required.
        schema["then"] = named(&known.iter().map(|known| known.key).collect::<Vec<_>>());
        schema["then"]["required"] = json!(required);
    }
    schema
}

macro_rules! measures {
    (
        $(#[doc = $doc:literal])+
        $Name:ident, $table:ident { $($(#[doc = $key_doc:literal])+ $key:ident)+ }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct $Name(FreeObject);

        impl $Name {
            /// Takes an object whose known keys are right.
            ///
            /// # Errors
            /// Says which known key breaks which rule.
            pub fn from_object(object: &FreeObject) -> Result<Self, ProtocolError> {
                let mut reader = Reader::new(object.as_str(), Mode::default());
                match <$Name as Field>::read(&mut reader, &Path::Root) {
                    Ok(Some(measures)) if reader.report.is_empty() => Ok(measures),
                    Ok(_) => Err(ProtocolError::refused(reader.report.finish())),
                    Err(syntax) => Err(syntax.into_error(object.as_str().as_bytes())),
                }
            }

            $(
                $(#[doc = $key_doc])+
                #[must_use]
                pub fn $key(&self) -> Option<f64> {
                    self.get(stringify!($key)).and_then(FreeValue::as_number)
                }
            )+

            /// The value of any key.
            #[must_use]
            pub fn get(&self, key: &str) -> Option<FreeValue<'_>> {
                self.0.get(key)
            }

            /// All of it.
            #[must_use]
            pub fn as_object(&self) -> &FreeObject {
                &self.0
            }

            /// Whether it holds nothing.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl Field for $Name {
            fn read(reader: &mut Reader<'_>, at: &Path<'_>) -> Walk<Option<Self>> {
                Ok(read(reader, at, &$table)?.map($Name))
            }

            fn write(&self, out: &mut Out) {
                out.raw(self.0.as_str());
            }

            fn room(&self) -> usize {
                self.0.as_str().len() + 32
            }

            fn depth(&self) -> u32 {
                self.0.depth()
            }

            fn schema(form: Form) -> Value {
                schema(&[$($doc),+], &$table, form)
            }
        }

        impl_json_schema!($Name);
    };
}

measures! {
    /// What the sender knows of the work; other keys are free.
    Hints, HINTS {
        /// The task has failed when it is not done so many seconds after dispatch.
        deadline_seconds
        /// How long it should take.
        estimated_duration_seconds
        /// How long it may run.
        max_duration_seconds
        /// How much memory it may use.
        max_memory_mb
    }
}

measures! {
    /// What the work took; other keys are free.
    ResourcesUsed, USED {
        /// Processor time.
        cpu_time_ms
        /// The most memory in use at once.
        memory_peak_mb
        /// Memory used on the graphics processor.
        gpu_memory_used_mb
    }
}

measures! {
    /// How loaded an agent's machine is: empty, or all four known numbers; other keys are numbers too.
    Resources, RESOURCES {
        /// How busy the processors are.
        cpu_percent
        /// How full the memory is.
        memory_percent
        /// Free memory of the graphics processors.
        gpu_vram_available_gb
        /// All memory of the graphics processors.
        gpu_vram_total_gb
    }
}

/// Refuses what JSON has no number for.
fn finite(value: f64) -> Result<f64, ProtocolError> {
    if value.is_finite() {
        Ok(value)
    } else {
        Err(ProtocolError::value(Rule::Jsn6, "a finite number", &value.to_string()))
    }
}

impl Hints {
    /// The same hints with a number for a key; of a known key it must be greater than 0.
    ///
    /// # Errors
    /// Says which rule the number breaks.
    pub fn with(&self, key: &str, value: f64) -> Result<Self, ProtocolError> {
        Hints::from_object(&self.0.with(key, &finite(value)?)?)
    }
}

impl ResourcesUsed {
    /// The same with a number for a key; of a known key it must be at least 0.
    ///
    /// # Errors
    /// Says which rule the number breaks.
    pub fn with(&self, key: &str, value: f64) -> Result<Self, ProtocolError> {
        ResourcesUsed::from_object(&self.0.with(key, &finite(value)?)?)
    }
}

impl Resources {
    /// The four that are known.
    ///
    /// # Errors
    /// Says which of them is out of its range, or that more is available than there is.
    pub fn new(
        cpu_percent: f64,
        memory_percent: f64,
        gpu_vram_available_gb: f64,
        gpu_vram_total_gb: f64,
    ) -> Result<Self, ProtocolError> {
        let object = FreeObject::new()
            .with("cpu_percent", &finite(cpu_percent)?)?
            .with("memory_percent", &finite(memory_percent)?)?
            .with("gpu_vram_available_gb", &finite(gpu_vram_available_gb)?)?
            .with("gpu_vram_total_gb", &finite(gpu_vram_total_gb)?)?;
        Resources::from_object(&object)
    }
}
