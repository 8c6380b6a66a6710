//! A getter lends what it shows, for reading.

use workwire::{FreeObject, WorkRequest};

fn empty(request: &mut WorkRequest) {
    let parameters: &mut FreeObject = request.parameters();
    *parameters = FreeObject::new();
}

fn main() {}
