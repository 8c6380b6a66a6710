#![no_main]

workwire_fuzz::target!(decode_envelope);
