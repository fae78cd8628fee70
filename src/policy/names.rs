use http::HeaderName;

/// The names of both lists, each once, those of `first` first. Lists are short, so this compares
/// them one by one.
pub(crate) fn union_of_names(first: &[HeaderName], second: &[HeaderName]) -> Vec<HeaderName> {
    let mut names = first.to_vec();
    names.extend(second.iter().filter(|name| !first.contains(name)).cloned());
    names
}
