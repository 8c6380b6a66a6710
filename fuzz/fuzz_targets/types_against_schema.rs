#![no_main]

workwire_fuzz::target!(types_against_schema);
