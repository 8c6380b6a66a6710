//! What stands around every request and every answer: JSON-RPC 2.0.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{BrokerError, Code};

/// The line is no JSON.
pub const PARSE_ERROR: i64 = -32_700;
/// The line is no request.
pub const INVALID_REQUEST: i64 = -32_600;
/// There is no such method.
pub const METHOD_NOT_FOUND: i64 = -32_601;
/// A member of the parameters is missing, or is not what it must be.
pub const INVALID_PARAMS: i64 = -32_602;

/// What the runner writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(bound(deserialize = "P: Deserialize<'de>"))]
pub struct Request<P> {
    /// The version of JSON-RPC.
    pub jsonrpc: TwoPointZero,
    /// What the answer names it by; no two requests of a run have the same.
    pub id: Id,
    /// What is asked.
    pub method: String,
    /// The method's parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<P>,
}

/// What the adapter writes: a result or an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(bound(deserialize = "R: Deserialize<'de>, E: Deserialize<'de>"))]
#[schemars(transform = one_of_both)]
pub struct Answer<R, E = RpcError> {
    /// The version of JSON-RPC.
    pub jsonrpc: TwoPointZero,
    /// The request's; `null` where a line was none that could be read.
    #[serde(deserialize_with = "present")]
    pub id: Option<Id>,
    /// The method's result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<R>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<E>,
}

impl<R, E> Answer<R, E> {
    /// That it went well.
    pub const fn ok(id: Id, result: R) -> Self {
        Answer { jsonrpc: TwoPointZero, id: Some(id), result: Some(result), error: None }
    }

    /// That it did not.
    pub const fn refused(id: Option<Id>, error: E) -> Self {
        Answer { jsonrpc: TwoPointZero, id, result: None, error: Some(error) }
    }
}

/// `null` is a value here, and nothing at all is not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Id>, D::Error> {
    Option::deserialize(deserializer)
}

fn one_of_both(schema: &mut Schema) {
    schema.insert("required".to_owned(), serde_json::json!(["jsonrpc", "id"]));
    schema.insert(
        "oneOf".to_owned(),
        serde_json::json!([
            {"required": ["result"], "properties": {"result": {"type": "object"}, "error": {"type": "null"}}},
            {"required": ["error"], "properties": {"error": {"type": "object"}, "result": {"type": "null"}}},
        ]),
    );
}

/// `"2.0"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TwoPointZero;

impl Serialize for TwoPointZero {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("2.0")
    }
}

impl<'de> Deserialize<'de> for TwoPointZero {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "2.0" {
            return Ok(TwoPointZero);
        }
        Err(D::Error::invalid_value(serde::de::Unexpected::Str(&text), &"\"2.0\""))
    }
}

impl JsonSchema for TwoPointZero {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TwoPointZero".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"const": "2.0"})
    }
}

/// What a request is named by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Id {
    /// An integer.
    Number(i64),
    /// A text.
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Id::Number(number) => write!(f, "{number}"),
            Id::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Id::Number(number) => serializer.serialize_i64(*number),
            Id::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let id = if json.get().starts_with('"') {
            serde_json::from_str(json.get()).map(Id::Text)
        } else {
            serde_json::from_str(json.get()).map(Id::Number)
        };
        id.map_err(|_| D::Error::custom(format!("expected a string or an integer of 64 bits, found {json}")))
    }
}

impl JsonSchema for Id {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["integer", "string"]})
    }
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RpcError {
    /// Which kind of error: 1 unsupported, 2 invalid, 3 stale, 4 full, 5 unavailable, 6 not found,
    /// 7 conflict, 8 forbidden; or one of JSON-RPC's own, which are negative.
    pub code: i64,
    /// Why, in words.
    pub message: String,
    /// More about it, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl RpcError {
    /// An error with its number, and its reason in words.
    #[must_use]
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        RpcError { code, message: message.into(), data: None }
    }

    /// The kind of error that its number stands for. Nothing where the contract gives it no meaning.
    #[must_use]
    pub fn kind(&self) -> Option<Code> {
        match self.code {
            METHOD_NOT_FOUND => Some(Code::Unsupported),
            INVALID_PARAMS => Some(Code::Invalid),
            code => Code::of_number(code),
        }
    }
}

impl From<&BrokerError> for RpcError {
    fn from(error: &BrokerError) -> Self {
        RpcError { code: error.code().number(), message: error.message().to_owned(), data: error.data().cloned() }
    }
}
