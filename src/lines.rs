//! Several errors as one text.

use std::fmt;

/// One error per line.
pub(crate) fn write_lines(f: &mut fmt::Formatter<'_>, errors: &[impl fmt::Display]) -> fmt::Result {
    for (index, error) in errors.iter().enumerate() {
        if index > 0 {
            f.write_str("\n")?;
        }
        error.fmt(f)?;
    }
    Ok(())
}

/// `Debug` prints the same lines: Rust uses it when `main` returns an error, and in `unwrap`, and a
/// person reads that in a terminal.
pub(crate) fn debug_lines(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    errors: &[impl fmt::Display],
) -> fmt::Result {
    write!(f, "{what}:")?;
    for error in errors {
        write!(f, "\n  {error}")?;
    }
    Ok(())
}
