use std::{fmt, str::FromStr};

use super::error::EntryError;

/// A permission of an origin.
///
/// The names in stores are those of Okta's Trusted Origins API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// `CORS`: its pages may call the service.
    Cors,
    /// `REDIRECT`: the service may send the browser there after sign-in or sign-out.
    Redirect,
    /// `IFRAME_EMBED`: its pages may show the service in a frame.
    IframeEmbed,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Cors, Self::Redirect, Self::IframeEmbed];

    /// The name in stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cors => "CORS",
            Self::Redirect => "REDIRECT",
            Self::IframeEmbed => "IFRAME_EMBED",
        }
    }

    pub(crate) const fn bit(self) -> u8 {
        match self {
            Self::Cors => 1,
            Self::Redirect => 2,
            Self::IframeEmbed => 4,
        }
    }
}

impl FromStr for Scope {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| EntryError::Scope(text.to_owned()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of [`Scope`]s.
///
/// ```
/// use tower_cors::trusted::entry::{Scope, Scopes};
///
/// let scopes = Scopes::from([Scope::Cors, Scope::Redirect]);
/// assert!(scopes.contains(Scope::Redirect));
/// assert!(!scopes.contains(Scope::IframeEmbed));
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether the scope is in the set.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether no scope is in the set.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.contains(*scope))
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Self {
        Self(scope.bit())
    }
}

impl<const N: usize> From<[Scope; N]> for Scopes {
    fn from(scopes: [Scope; N]) -> Self {
        scopes.into_iter().collect()
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Whether an entry counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "an entry counts, or it does not")]
pub enum Status {
    /// `ACTIVE`: it counts.
    #[default]
    Active,
    /// `INACTIVE`: it is kept, and trusted with nothing.
    Inactive,
}

impl Status {
    /// The name in stores.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }
}

impl FromStr for Status {
    type Err = EntryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ACTIVE" => Ok(Self::Active),
            "INACTIVE" => Ok(Self::Inactive),
            _ => Err(EntryError::Status(text.to_owned())),
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_it_was_made_of() {
        use Scope::{Cors, IframeEmbed, Redirect};
        for (given, held) in [
            (&[][..], &[][..]),
            (&[Redirect], &[Redirect]),
            (&[IframeEmbed, Cors], &[Cors, IframeEmbed]),
            (&[Cors, Cors], &[Cors]),
            (&Scope::ALL, &Scope::ALL),
        ] {
            let set: Scopes = given.iter().copied().collect();
            assert_eq!(set.iter().collect::<Vec<_>>(), held, "{given:?}");
            for scope in Scope::ALL {
                assert_eq!(set.contains(scope), held.contains(&scope), "{given:?}");
            }
            let bits: u8 = held.iter().map(|scope| scope.bit()).sum();
            assert_eq!(set.bits(), bits, "{given:?}");
        }
        let set = Scopes::from([IframeEmbed, Cors]);
        assert_eq!(format!("{set:?}"), "{Cors, IframeEmbed}");
    }
}
