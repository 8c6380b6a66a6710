//! What a row of a document's table comes to, by its need: one small macro for each place where
//! the rows are spelled out.

macro_rules! held {
    (optional $Type:ty) => { Option<$Type> };
    ($need:ident $Type:ty) => { $Type };
}
pub(crate) use held;

macro_rules! getter {
    (optional $field:ident $Type:ty, $($doc:literal)+) => {
        $(#[doc = $doc])+
        #[must_use]
        pub fn $field(&self) -> Option<&$Type> {
            self.$field.as_ref()
        }
    };
    ($need:ident $field:ident $Type:ty, $($doc:literal)+) => {
        $(#[doc = $doc])+
        #[must_use]
        pub fn $field(&self) -> &$Type {
            &self.$field
        }
    };
}
pub(crate) use getter;

macro_rules! demand {
    (required $slot:expr, $check:expr, $name:expr, $rule:ident) => {
        $slot.demand($check, $name, $crate::Rule::$rule)
    };
    ($need:ident $slot:expr, $check:expr, $name:expr, $rule:ident) => {};
}
pub(crate) use demand;

macro_rules! take {
    (required $slot:expr) => {
        $slot.value?
    };
    (optional $slot:expr) => {
        $slot.value
    };
    (default $slot:expr, $default:expr) => {
        $slot.value.unwrap_or_else(|| $default)
    };
    (lent $slot:expr, $default:expr) => {
        $slot.value.unwrap_or_else(|| $default)
    };
}
pub(crate) use take;

macro_rules! need {
    (required) => {
        $crate::document::Need::Required
    };
    (optional) => {
        $crate::document::Need::Optional
    };
    ($default_or_lent:ident, $default:expr, $Type:ty) => {
        $crate::document::Need::Default($crate::document::json_of::<$Type>(&$default))
    };
}
pub(crate) use need;

macro_rules! example {
    () => {
        None
    };
    ($example:literal) => {
        Some($example)
    };
}
pub(crate) use example;

macro_rules! read {
    (required $slot:expr, $reader:expr, $at:expr) => {
        $slot.required($reader, $at)?
    };
    (lent $slot:expr, $reader:expr, $at:expr) => {
        $slot.lent($reader, $at)?
    };
    ($need:ident $slot:expr, $reader:expr, $at:expr) => {
        $slot.optional($reader, $at)?
    };
}
pub(crate) use read;

macro_rules! write {
    (optional $field:expr, $out:expr, $key:expr) => {
        if let Some(value) = &$field {
            $out.key($key);
            $crate::field::Field::write(value, $out);
        }
    };
    ($need:ident $field:expr, $out:expr, $key:expr) => {
        $out.key($key);
        $crate::field::Field::write(&$field, $out);
    };
}
pub(crate) use write;

macro_rules! room {
    (optional $field:expr) => {
        $field.as_ref().map_or(0, $crate::field::Field::room)
    };
    ($need:ident $field:expr) => {
        $crate::field::Field::room(&$field)
    };
}
pub(crate) use room;

macro_rules! depth {
    (optional $field:expr) => {
        $field.as_ref().map_or(0, $crate::field::Field::depth)
    };
    ($need:ident $field:expr) => {
        $crate::field::Field::depth(&$field)
    };
}
pub(crate) use depth;
