use http::HeaderName;

/// The names of both lists, each once, those of `first` first. Lists are short, so this compares
/// them one by one.
pub(crate) fn union_of_names(first: &[HeaderName], second: &[HeaderName]) -> Vec<HeaderName> {
    let mut names = Vec::with_capacity(first.len() + second.len());
    for name in first.iter().chain(second) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}
