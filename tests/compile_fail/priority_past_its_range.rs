//! A value out of its range cannot be made.

fn main() {
    let mut priority = workwire::Priority::default();
    priority.0 = 9;
}
