//! The settings that a mistake can be about, as they are written.

use std::fmt;

/// The setting through which an origin came into a configuration.
///
/// ```
/// use tower_cors::{CorsLayer, error::{ConfigError, OriginSetting}};
///
/// let list = CorsLayer::builder().allow_origins(["https://app.example.com"]);
/// let mistaken = list.dangerously_allow_insecure_origin(["http://10.0.0.1/"]).build().unwrap_err();
/// let setting = OriginSetting::DangerouslyAllowInsecureOrigin;
/// assert!(matches!(
///     mistaken.iter().next(),
///     Some(ConfigError::Origin { setting: of, .. }) if *of == setting
/// ));
/// assert!(mistaken.to_string().starts_with(&format!("{setting}: ")));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OriginSetting {
    /// The list of origins.
    AllowOrigins,
    /// The one origin that every response names.
    AlwaysAllowOrigin,
    /// The origins without transport security.
    DangerouslyAllowInsecureOrigin,
    /// The same in a file, whose key is in the plural.
    DangerouslyAllowInsecureOrigins,
    /// The policy of a layer.
    OriginPolicy,
    /// The policy of one method of a route.
    MethodRule,
}

impl OriginSetting {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AllowOrigins => "allow_origins",
            Self::AlwaysAllowOrigin => "always_allow_origin",
            Self::DangerouslyAllowInsecureOrigin => "dangerously_allow_insecure_origin",
            Self::DangerouslyAllowInsecureOrigins => "dangerously_allow_insecure_origins",
            Self::OriginPolicy => "origin_policy",
            Self::MethodRule => "MethodRule",
        }
    }
}

impl fmt::Display for OriginSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The list in which a header name stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderSetting {
    /// The request headers that pages may send.
    AllowHeaders,
    /// The response headers that pages may read.
    ExposeHeaders,
}

impl fmt::Display for HeaderSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AllowHeaders => "allow_headers",
            Self::ExposeHeaders => "expose_headers",
        })
    }
}
