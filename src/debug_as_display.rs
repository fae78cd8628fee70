//! What `Debug` of an error prints: its text.

use std::{error::Error, fmt};

/// Makes `Debug` of these errors print the text of `Display`, and the causes that the text leaves to
/// [`source`](Error::source), each after `: `.
///
/// `unwrap`, `expect` and a `main` that returns an error print `Debug`. An operator reads that in a
/// terminal, and should find what to write there instead of the names of variants. Every public error
/// of this crate has it; `tests/layer/errors.rs` finds one that has not.
macro_rules! debug_as_display {
    ($($error:ty),+ $(,)?) => {$(
        impl std::fmt::Debug for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::debug_as_display::write_with_causes(self, f)
            }
        }
    )+};
}
pub(crate) use debug_as_display;

pub(crate) fn write_with_causes(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")?;
    let mut next = error.source();
    while let Some(cause) = next {
        write!(f, ": {cause}")?;
        next = cause.source();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[derive(thiserror::Error)]
    #[error("not sent")]
    struct Outer(#[source] Inner);

    #[derive(thiserror::Error)]
    #[error("no answer")]
    struct Inner(#[source] std::num::ParseIntError);

    debug_as_display!(Outer, Inner);

    #[test]
    fn the_text_and_its_causes() {
        let error = Outer(Inner("x".parse::<u8>().unwrap_err()));
        assert_eq!(error.to_string(), "not sent");
        assert_eq!(
            format!("{error:?}"),
            "not sent: no answer: invalid digit found in string"
        );
    }
}
