//! The base of a wildcard: what stands right of its `*.`.

use super::{
    super::host::is_loopback_host,
    suffix::{PublicSuffix, Section},
};

/// Whether strangers can register names below the base: it is a public suffix, or a parent of
/// one ([Public Suffix List](https://publicsuffix.org/list/)).
pub(crate) fn crosses_public_suffix(base: &str) -> bool {
    // RFC 6761, section 6.3: nobody can register a name there.
    if is_loopback_host(base) {
        return false;
    }
    let suffix = PublicSuffix::of(base);
    suffix.registrable_domain().is_none() || suffix.has_rules_below()
}

/// Whether a registry of domains hands out the names directly below the base; a platform, such as
/// `github.io`, is none.
pub(crate) fn is_registry_suffix(base: &str) -> bool {
    if is_loopback_host(base) {
        return false;
    }
    let suffix = PublicSuffix::of(base);
    suffix.registrable_domain().is_none() && suffix.section() != Some(Section::Private)
}

/// What to list instead of `pattern`, whose `base` crosses a public suffix: the names that one
/// owner has below it.
///
/// A registry of domains hands out a domain with all names below it. A platform such as `github.io`
/// hands out one name, and a wildcard below that would match nothing.
pub(crate) fn own_name_instead(pattern: &str, base: &str) -> String {
    let suffix = PublicSuffix::of(base);
    let has_domains = suffix.registrable_domain().is_none()
        && suffix.section() != Some(Section::Private)
        // Below `ck` every name is a suffix itself.
        && !crosses_public_suffix(&format!("your-domain.{base}"));
    let own = if has_domains {
        "*.your-domain."
    } else {
        "your-name."
    };
    pattern.replacen("*.", own, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suffixes_and_their_parents() {
        for base in [
            "com",
            "co.uk",
            "uk",
            "github.io",
            "github.io.",
            "ck",
            "foo.ck",
            "kawasaki.jp",
            "foo.kawasaki.jp",
            "amazonaws.com",
            "s3.amazonaws.com",
            // An unlisted top-level domain is a suffix by the list's default rule.
            "corp",
        ] {
            assert!(crosses_public_suffix(base), "{base}");
        }
        for base in [
            "example.com",
            "example.co.uk",
            "user.github.io",
            "www.ck",
            "city.kawasaki.jp",
            "bucket.s3.amazonaws.com",
            "intra.corp",
            "localhost",
        ] {
            assert!(!crosses_public_suffix(base), "{base}");
        }
    }

    #[test]
    fn proposals_match_what_one_owner_has() {
        for (base, instead) in [
            ("com", "https://*.your-domain.com"),
            ("co.uk", "https://*.your-domain.co.uk"),
            ("uk", "https://*.your-domain.uk"),
            ("corp", "https://*.your-domain.corp"),
            ("foo.ck", "https://*.your-domain.foo.ck"),
            ("github.io", "https://your-name.github.io"),
            ("vercel.app", "https://your-name.vercel.app"),
            ("s3.amazonaws.com", "https://your-name.s3.amazonaws.com"),
            ("amazonaws.com", "https://your-name.amazonaws.com"),
            ("ck", "https://your-name.ck"),
        ] {
            let proposal = own_name_instead(&format!("https://*.{base}"), base);
            assert_eq!(proposal, instead);
            let proposed_base = instead.strip_prefix("https://*.");
            assert!(!proposed_base.is_some_and(crosses_public_suffix), "{base}");
        }
    }
}
