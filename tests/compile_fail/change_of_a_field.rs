//! What was checked cannot be changed behind the check's back.

use workwire::{WorkRequest, WorkType};

fn rename(request: &mut WorkRequest, work_type: WorkType) {
    request.work_type = work_type;
}

fn main() {}
