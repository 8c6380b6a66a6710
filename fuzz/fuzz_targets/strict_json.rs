#![no_main]

workwire_fuzz::target!(strict_json);
