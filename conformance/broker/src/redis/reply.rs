//! Taking a script's answer apart.

use ::redis::Value;

use crate::error::BrokerError;

/// Fields of an entry as the server keeps them.
pub(super) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// An answer that is not what the script says is the server's trouble, not the caller's.
pub(super) fn wrong(what: &str) -> BrokerError {
    BrokerError::unavailable(format!(
        "the server's answer holds no {what}: another program's scripts, or a broken proxy"
    ))
}

pub(super) fn array(value: Value) -> Result<Vec<Value>, BrokerError> {
    match value {
        Value::Array(items) => Ok(items),
        Value::Nil => Ok(Vec::new()),
        _ => Err(wrong("list")),
    }
}

pub(super) fn bytes(value: Value) -> Result<Vec<u8>, BrokerError> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        Value::SimpleString(text) => Ok(text.into_bytes()),
        Value::Int(number) => Ok(number.to_string().into_bytes()),
        _ => Err(wrong("text")),
    }
}

pub(super) fn text(value: Value) -> Result<String, BrokerError> {
    String::from_utf8(bytes(value)?).map_err(|_| wrong("text in UTF-8"))
}

pub(super) fn integer(value: &Value) -> Result<i64, BrokerError> {
    match value {
        Value::Int(number) => Ok(*number),
        Value::BulkString(bytes) => {
            std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()).ok_or_else(|| wrong("number"))
        }
        _ => Err(wrong("number")),
    }
}

/// Names and values in turn.
pub(super) fn fields(value: Value) -> Result<Fields, BrokerError> {
    let mut items = array(value)?.into_iter();
    let mut fields = Vec::with_capacity(items.len() / 2);
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        fields.push((bytes(name)?, bytes(value)?));
    }
    Ok(fields)
}

/// An entry: its id and its fields.
pub(super) fn entry(value: Value) -> Result<(String, Fields), BrokerError> {
    let mut items = array(value)?.into_iter();
    let (Some(id), Some(found)) = (items.next(), items.next()) else { return Err(wrong("entry")) };
    Ok((text(id)?, fields(found)?))
}
