//! `--help`, for every example.

use std::process;

/// Prints how the program is called, and ends it.
pub(crate) fn print(usage: &str) -> ! {
    print!("{usage}");
    process::exit(0)
}
