/// How a list of origins is written in a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OriginsFormat {
    /// One text, in which one delimiter stands between entries: `;`, `,`, `|`, a space, a tab or a
    /// line feed, since anything else could stand in an entry.
    Delimited(char),
    /// A JSON array with one entry in each element.
    Array,
    /// One text that is one entry.
    Single,
}

/// Whether the character can stand between origins, because it cannot stand in one.
pub(in crate::policy::token) fn is_delimiter(delimiter: char) -> bool {
    ";,| \t\n".contains(delimiter)
}
