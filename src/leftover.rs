//! Marks of a list that stay in one of its entries: separators, where the list was not split, and
//! quotation marks, as configuration files and shells leave them.

/// What is left in the text of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leftover {
    /// Several entries; between them these separators.
    Joined(&'static str),
    /// A quotation mark at an end.
    Quotes,
    /// One entry; before or behind it this separator.
    Separator(&'static str),
}

impl Leftover {
    /// What is left in `text` of a list with these separators.
    pub(crate) fn in_entry(text: &str, separators: &[Separator]) -> Option<Self> {
        let mut found = separators.iter().filter_map(|it| it.left_in(text));
        // Of a quoted text with several entries, the first and the last have one quotation mark
        // each. So one is enough.
        let is_quoted = text.starts_with(QUOTES) || text.ends_with(QUOTES);
        found
            .clone()
            .find(|left| matches!(left, Self::Joined(_)))
            .or_else(|| is_quoted.then_some(Self::Quotes))
            .or_else(|| found.next())
    }
}

/// The quotation marks of shells, of Markdown and of word processors.
pub(crate) const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];

/// A character that separates entries, with its names for error texts.
#[derive(Debug)]
pub(crate) struct Separator {
    pub(crate) is: fn(char) -> bool,
    pub(crate) one: &'static str,
    pub(crate) several: &'static str,
    /// Whether the first one or two parts are what a list would have. Some separators are also
    /// characters of entries.
    pub(crate) stands_between: fn(&[&str]) -> bool,
}

impl Separator {
    fn left_in(&self, text: &str) -> Option<Leftover> {
        if !text.contains(self.is) {
            return None;
        }
        let parts = text.split(self.is).filter(|part| !part.trim().is_empty());
        // A text can be long, and two parts are enough to know.
        let parts: Vec<&str> = parts.take(2).collect();
        if !(self.stands_between)(&parts) {
            None
        } else if parts.len() > 1 {
            Some(Leftover::Joined(self.several))
        } else {
            Some(Leftover::Separator(self.one))
        }
    }
}

pub(crate) const COMMA: Separator = Separator {
    is: |c| c == ',',
    one: "comma",
    several: "commas",
    stands_between: |_| true,
};

/// A vertical bar, which entries may have as well: it separates if `stands_between` says so.
pub(crate) const fn vertical_bar(stands_between: fn(&[&str]) -> bool) -> Separator {
    Separator {
        is: |c| c == '|',
        one: "vertical bar",
        several: "vertical bars",
        stands_between,
    }
}

pub(crate) const SEMICOLON: Separator = Separator {
    is: |c| c == ';',
    one: "semicolon",
    several: "semicolons",
    stands_between: |_| true,
};
