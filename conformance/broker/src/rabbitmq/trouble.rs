//! What the server says when it refuses, in words of the contract.

use lapin::{Error, ErrorKind};

use crate::error::BrokerError;

/// The server's number of a refusal, where it is one and not a lost connection.
pub(super) fn number(error: &Error) -> Option<u16> {
    match error.kind() {
        ErrorKind::ProtocolError(said) => Some(said.get_id()),
        _ => None,
    }
}

/// An error of the server's, or of the connection. What the server refused has not happened.
pub(super) fn refusal(doing: &str, error: &Error) -> BrokerError {
    let ErrorKind::ProtocolError(said) = error.kind() else {
        return BrokerError::unavailable(format!("{doing}: {error}"));
    };
    let text = format!("{doing}: {}", said.get_message());
    match said.get_id() {
        311 => BrokerError::invalid(text),
        403 | 530 => BrokerError::forbidden(text),
        404 => BrokerError::not_found(text),
        405 | 406 => BrokerError::conflict(text),
        _ => BrokerError::unavailable(text),
    }
}

/// Whether nothing was sent, since channel or connection had ended before.
pub(super) fn is_unsent(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidChannelState(..) | ErrorKind::InvalidConnectionState(_) | ErrorKind::InvalidChannel(_)
    )
}
