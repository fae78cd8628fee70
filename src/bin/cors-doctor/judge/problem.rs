use super::allow_origin::Value;

/// What a browser complains about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    NoAllowOrigin,
    /// The value of Access-Control-Allow-Origin as it stands there, and what it is.
    AllowOrigin(String, Value),
    /// `*` to a request with credentials.
    WildcardOrigin,
    AllowCredentials(Credentials),
    Status(u16),
    /// A malformed list: the header, and its value.
    MalformedList(&'static str, String),
    /// `*` in Access-Control-Allow-Methods, with credentials.
    WildcardMethods(String),
    /// The method, and how the list spells it.
    MethodCase(String, String),
    MethodNotAllowed {
        method: String,
        listed: Option<String>,
    },
    WildcardHeaders(Vec<String>),
    AuthorizationUnderWildcard,
    HeadersNotAllowed {
        names: Vec<String>,
        listed: Option<String>,
    },
}

/// What Access-Control-Allow-Credentials says in place of `true`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    Absent,
    False(String),
    Misspelt(String),
}

impl Problem {
    /// What Chromium's console says about it, without the words that it puts before everything
    /// about a preflight.
    pub(crate) fn console(&self) -> String {
        match self {
            Self::NoAllowOrigin => "No 'Access-Control-Allow-Origin' header is present on the \
                                    requested resource."
                .into(),
            Self::AllowOrigin(value, _) => allow_origin(value),
            Self::WildcardOrigin => "The value of the 'Access-Control-Allow-Origin' header in the \
                                     response must not be the wildcard '*' when the request's \
                                     credentials mode is 'include'."
                .into(),
            Self::AllowCredentials(credentials) => {
                let value = match credentials {
                    Credentials::Absent => "",
                    Credentials::False(value) | Credentials::Misspelt(value) => value,
                };
                format!(
                    "The value of the 'Access-Control-Allow-Credentials' header in the response \
                     is '{value}' which must be 'true' when the request's credentials mode is \
                     'include'."
                )
            }
            Self::Status(_) => "It does not have HTTP ok status.".into(),
            Self::MalformedList(header, _) => {
                format!("Cannot parse {header} response header field in preflight response.")
            }
            Self::WildcardMethods(method)
            | Self::MethodCase(method, _)
            | Self::MethodNotAllowed { method, .. } => format!(
                "Method {method} is not allowed by Access-Control-Allow-Methods in preflight \
                 response."
            ),
            Self::AuthorizationUnderWildcard => header_console("authorization"),
            Self::WildcardHeaders(names) | Self::HeadersNotAllowed { names, .. } => {
                header_console(names.first().map_or("", String::as_str))
            }
        }
    }

    /// Whether Chromium counts it to the access control check of a preflight, and says so.
    pub(crate) fn is_of_access_check(&self) -> bool {
        matches!(
            self,
            Self::NoAllowOrigin
                | Self::AllowOrigin(..)
                | Self::WildcardOrigin
                | Self::AllowCredentials(_)
                | Self::Status(_)
        )
    }
}

fn header_console(name: &str) -> String {
    format!(
        "Request header field {name} is not allowed by Access-Control-Allow-Headers in preflight \
         response."
    )
}

fn allow_origin(value: &str) -> String {
    let rest = if value != "null" && value.contains([' ', ',']) {
        format!("contains multiple values '{value}', but only one is allowed.")
    } else if value == "null" || url::Url::parse(value).is_ok() {
        format!("has a value '{value}' that is not equal to the supplied origin.")
    } else {
        format!("contains the invalid value '{value}'.")
    };
    format!(
        "The 'Access-Control-Allow-Origin' header {rest} Have the server send the header with a \
         valid value."
    )
}
