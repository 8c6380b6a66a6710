//! A document from one table of its fields: the struct, its getters, its builder, how it is read,
//! written and described.
//!
//! A field is `required`, `optional`, or has a `default`; `lent` is a text with a default that can
//! be left in the bytes. Reading and building end in the same
//! place: the parts of a document, checked across fields by its [`Whole`].

mod needs;
mod slot;

pub(crate) use needs::{demand, depth, example, getter, held, need, read, room, take, write};
pub(crate) use slot::Slot;

use crate::field::Field;
use crate::json::Reader;
use crate::rule::Rule;
use crate::violation::{Path, Place, Report};

/// Where a document that is being finished stands, and where to say what is wrong with it.
pub(crate) struct Check<'c> {
    pub(crate) report: &'c mut Report,
    pub(crate) at: &'c Path<'c>,
    /// The end of the document's object.
    pub(crate) end: usize,
    /// The document's fields in their order.
    pub(crate) fields: &'static [&'static str],
    /// What the document is read from; nothing while one is built.
    pub(crate) source: &'c str,
}

impl Check<'_> {
    /// Reports a field that should be there, at the end of its object.
    #[cold]
    pub(crate) fn missing(&mut self, name: &str, rule: Rule, expected: &'static str) {
        self.report.add(self.end_of(name), &self.at.key(name), rule, expected, None);
    }

    /// Reports a field whose content nests too deep.
    #[cold]
    pub(crate) fn too_deep(&mut self, name: &str) {
        let expected = "no more levels than its document may have";
        self.report.add(self.end_of(name), &self.at.key(name), Rule::Jsn8, expected, Some("more"));
    }

    /// Where a field that is missing stands.
    pub(crate) fn end_of(&self, name: &str) -> Place {
        let rank = self.fields.iter().position(|field| *field == name).unwrap_or(self.fields.len());
        Place::missing(self.end, rank)
    }

    /// Where the value of a key stands that an object at `object` holds.
    pub(crate) fn place_of(&self, object: usize, key: &str) -> usize {
        Reader::place_of(self.source, object, key)
    }
}

/// Rules that concern more than one field.
pub(crate) trait Whole {
    type Parts;

    /// At which level the document stands in what travels: 1 by itself, 2 as a payload.
    const LEVEL: u32 = 1;

    /// Reports what the parts break together. Parts that are missing or were refused are said
    /// already.
    fn check(_parts: &mut Self::Parts, _check: &mut Check<'_>) {}
}

/// What one row of a document's table says, for its schema.
pub(crate) struct FieldInfo {
    pub(crate) name: &'static str,
    pub(crate) docs: &'static [&'static str],
    pub(crate) need: Need,
    pub(crate) example: Option<&'static str>,
    pub(crate) schema: serde_json::Value,
}

/// Whether a field must be there.
pub(crate) enum Need {
    Required,
    Optional,
    /// The default, as JSON.
    Default(String),
}

pub(crate) fn json_of<T: Field>(value: &T) -> String {
    let mut out = crate::json::Out::with_capacity(16);
    value.write(&mut out);
    out.into_text()
}

macro_rules! document {
    (
        $(#[doc = $doc:literal])+
        $Name:ident, builder: $Builder:ident, parts: $Parts:ident, missing: $missing:ident,
        {
            $(
                $(#[doc = $field_doc:literal])+
                $field:ident $wire:literal: $Type:ty = $need:ident $(($default:expr))? $(, example $example:literal)?;
            )+
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::struct_field_names, reason = "the names on the wire")]
        pub struct $Name {
            $($field: $crate::document::held!($need $Type),)+
            extra: $crate::free::Extra,
        }

        #[derive(Debug, Clone, Default)]
        pub(crate) struct $Parts {
            $(pub(crate) $field: $crate::document::Slot<$Type>,)+
        }

        #[doc = concat!("Builds a [`", stringify!($Name), "`].")]
        #[derive(Debug, Clone, Default)]
        #[must_use = "a builder makes nothing until `build` is called"]
        pub struct $Builder {
            parts: $Parts,
        }

        impl $Builder {
            $(
                $(#[doc = $field_doc])+
                pub fn $field(mut self, value: impl Into<$Type>) -> Self {
                    self.parts.$field.set(value.into());
                    self
                }
            )+

            /// Makes the document.
            ///
            /// # Errors
            /// Says everything that is missing and every rule across fields that is broken.
            pub fn build(self) -> Result<$Name, $crate::ProtocolError> {
                let mut report = $crate::violation::Report::default();
                let at = &$crate::violation::Path::Root;
                let mut check =
                    $crate::document::Check { report: &mut report, at, end: 0, fields: $Name::FIELDS.names, source: "" };
                let document = $Name::assemble(self.parts, $crate::free::Extra::default(), &mut check);
                if let Some(document) = &document {
                    document.check_depth(&mut check);
                }
                match document {
                    Some(document) if report.is_empty() => Ok(document),
                    _ => Err($crate::ProtocolError::refused(report.finish())),
                }
            }
        }

        impl $Name {
            #[doc = concat!("Begins a [`", stringify!($Name), "`].")]
            pub fn builder() -> $Builder {
                $Builder::default()
            }

            $(
                $crate::document::getter! { $need $field $Type, $($field_doc)+ }
            )+

            /// The same without the fields of a later minor version.
            #[allow(dead_code, reason = "what travels by itself keeps them with its version")]
            pub(crate) fn without_extra(self) -> Self {
                $Name { extra: $crate::free::Extra::default(), ..self }
            }

            /// A field of a later minor version that this library does not know.
            #[must_use]
            pub fn extra(&self, key: &str) -> Option<$crate::FreeValue<'_>> {
                self.extra.get(key)
            }

            /// What was read is within the limit; what is built must be too, or nobody could read it.
            fn check_depth(&self, check: &mut $crate::document::Check<'_>) {
                let most = $crate::json::MAX_DEPTH - <$Name as $crate::document::Whole>::LEVEL;
                $(if $crate::document::depth!($need self.$field) > most {
                    check.too_deep($wire);
                })+
            }

            /// From the parts to the document, with every rule that concerns more than one field.
            #[inline]
            pub(crate) fn assemble(
                mut parts: $Parts,
                extra: $crate::free::Extra,
                check: &mut $crate::document::Check<'_>,
            ) -> Option<Self> {
                $($crate::document::demand!($need parts.$field, check, $wire, $missing);)+
                <$Name as $crate::document::Whole>::check(&mut parts, check);
                Some($Name {
                    $($field: $crate::document::take!($need parts.$field $(, $default)?),)+
                    extra,
                })
            }

            #[allow(dead_code, reason = "payloads alone are described through it")]
            pub(crate) fn table(form: $crate::schema::Form) -> Vec<$crate::document::FieldInfo> {
                vec![$(
                    $crate::document::FieldInfo {
                        name: $wire,
                        docs: &[$($field_doc),+],
                        need: $crate::document::need!($need $(, $default, $Type)?),
                        example: $crate::document::example!($($example)?),
                        schema: <$Type as $crate::field::Field>::schema(form),
                    },
                )+]
            }

            pub(crate) const DOCS: &'static [&'static str] = &[$($doc),+];

            pub(crate) const FIELDS: $crate::json::Fields = $crate::json::Fields {
                names: &[$($wire),+],
                quoted: &[$(concat!("\"", $wire, "\":")),+],
            };

            #[inline]
            fn read_parts(
                reader: &mut $crate::json::Reader<'_>,
                at: &$crate::violation::Path<'_>,
            ) -> $crate::json::Walk<Option<($Parts, $crate::free::Extra, usize)>> {
                $(
                    #[allow(non_upper_case_globals, reason = "each field's index under the field's name")]
                    const $field: usize = $Name::FIELDS.index($wire);
                )+
                if reader.kind()? != $crate::json::Kind::Object {
                    reader.mismatch(at, "an object")?;
                    return Ok(None);
                }
                reader.open_object()?;
                let mut parts = $Parts::default();
                let mut unknown = $crate::free::Unknown::default();
                let mut cursor = $crate::json::Cursor::START;
                while let Some(key) = reader.next_field(&$Name::FIELDS, &mut cursor)? {
                    match key {
                        $($crate::json::Key::Field(index) if index == $field => {
                            $crate::document::read!($need parts.$field, reader, &at.key($wire));
                        })+
                        // Every index has its arm above.
                        $crate::json::Key::Field(_) => {}
                        $crate::json::Key::Other(key) => unknown.take(reader, at, key)?,
                    }
                }
                let extra = unknown.finish(reader);
                Ok(Some((parts, extra, reader.offset() - 1)))
            }
        }

        impl $crate::field::Field for $Name {
            fn read(
                reader: &mut $crate::json::Reader<'_>,
                at: &$crate::violation::Path<'_>,
            ) -> $crate::json::Walk<Option<Self>> {
                let Some((parts, extra, end)) = Self::read_parts(reader, at)? else {
                    return Ok(None);
                };
                let source = reader.source();
                let mut check =
                    $crate::document::Check { report: &mut reader.report, at, end, fields: $Name::FIELDS.names, source };
                Ok(Self::assemble(parts, extra, &mut check))
            }

            fn write(&self, out: &mut $crate::json::Out) {
                out.raw("{");
                $($crate::document::write!($need self.$field, out, concat!("\"", $wire, "\":"));)+
                self.extra.write(out);
                out.raw("}");
            }

            fn depth(&self) -> u32 {
                1 + [$($crate::document::depth!($need self.$field)),+].into_iter().max().unwrap_or_default()
            }

            fn room(&self) -> usize {
                8 $(+ $crate::document::room!($need self.$field))+
            }

            fn schema(form: $crate::schema::Form) -> ::serde_json::Value {
                $crate::schema::object(Self::DOCS, Self::table(form), form)
            }
        }
    };
}
pub(crate) use document;
