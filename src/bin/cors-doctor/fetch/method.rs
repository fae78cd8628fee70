/// <https://fetch.spec.whatwg.org/#concept-method-normalize>: `patch` stays as it is.
pub(crate) fn normalize(method: &str) -> String {
    const NORMALIZED: [&str; 6] = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"];
    let upper = method.to_ascii_uppercase();
    if NORMALIZED.contains(&upper.as_str()) {
        upper
    } else {
        method.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_methods_are_normalized() {
        assert_eq!(normalize("put"), "PUT");
        assert_eq!(normalize("Delete"), "DELETE");
        assert_eq!(normalize("patch"), "patch");
        assert_eq!(normalize("x-Mine"), "x-Mine");
    }
}
