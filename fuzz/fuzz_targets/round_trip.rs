#![no_main]

workwire_fuzz::target!(round_trip);
