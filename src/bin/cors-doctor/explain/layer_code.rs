//! [`LayerCode`]: a layer of this crate that lets the page do what it does, as code to paste.

use std::fmt;

use tower_cors::{
    CorsLayer, CorsLayerBuilder,
    error::{ConfigError, MethodErrorReason},
    lists::{AllowHeaders, AllowMethods, ExposeHeaders},
    origin::{Origin, OriginPattern},
};

/// The builder accepts all of its settings. Origins, methods and headers that the builder would
/// refuse are left out, and `notes` say what the page has to do instead.
#[derive(Clone, Debug)]
pub(super) struct LayerCode {
    origins: Vec<String>,
    credentials: bool,
    /// Whether an origin without transport security gets credentials.
    insecure: bool,
    methods: Vec<String>,
    headers: Vec<String>,
    expose: Vec<String>,
    notes: Vec<String>,
}

/// A placeholder for the new origin of a page whose present one cannot be listed: the usual address
/// of a local server for static files.
pub(super) const NEW_ORIGIN: &str = "http://localhost:3000";

/// Whether a list can have the origin.
pub(super) fn is_listable(origin: &str) -> bool {
    origin.parse::<OriginPattern>().is_ok()
}

/// The method as a list can have it: known methods are upper case, as the standards write them.
pub(super) fn listable_method(method: &str) -> Option<String> {
    // In a list it means any method.
    if method == ANY {
        return None;
    }
    let Err(errors) = AllowMethods::list([method]) else {
        return Some(method.to_owned());
    };
    errors.into_iter().find_map(|error| match error {
        ConfigError::Method {
            reason: MethodErrorReason::Case(known),
            ..
        } => Some(known.to_owned()),
        _ => None,
    })
}

/// Whether a list of request headers can have the name.
pub(super) fn is_listable_header(name: &str) -> bool {
    name != ANY && AllowHeaders::list([name]).is_ok()
}

/// The wildcard. A page can also send a method or a header of that name, which no list can allow.
const ANY: &str = "*";

impl LayerCode {
    pub(super) fn new(origin: &str, credentials: bool) -> Self {
        let mut layer = Self {
            origins: vec![origin.to_owned()],
            credentials,
            insecure: false,
            methods: Vec::new(),
            headers: Vec::new(),
            expose: Vec::new(),
            notes: Vec::new(),
        };
        if !is_listable(origin) {
            let why = if origin == "null" {
                "pages of every other site can send that as well"
            } else {
                "allow_origins does not take it"
            };
            layer.origins = vec![NEW_ORIGIN.to_owned()];
            layer.notes.push(format!(
                "The page sends `Origin: {origin}` now, and {why}. Serve it over http or https, \
                 outside of sandboxed frames, and list its new origin in place of {NEW_ORIGIN}."
            ));
        }
        layer.insecure = layer.has_insecure_origin();
        layer
    }

    /// Adds the pattern, unless the builder refuses it. An origin that it covers is removed.
    pub(super) fn pattern(self, pattern: &str) -> Self {
        let Ok(parsed) = pattern.parse::<OriginPattern>() else {
            return self;
        };
        let is_covered = |origin: &String| {
            let origin = origin.parse::<Origin>();
            origin.is_ok_and(|origin| parsed.matches(&origin))
        };
        let mut wider = self.clone();
        wider.origins.retain(|origin| !is_covered(origin));
        wider.origins.insert(0, pattern.to_owned());
        wider.insecure = wider.has_insecure_origin();
        if wider.builder().build().is_ok() {
            wider
        } else {
            self
        }
    }

    pub(super) fn method(mut self, method: &str) -> Self {
        let listed = listable_method(method);
        match &listed {
            Some(right) if right == method => {}
            Some(right) => self.notes.push(format!(
                "Write {right} in the page in place of {method}: methods are case-sensitive, and \
                 fetch() leaves the case of this one as it is."
            )),
            None => self.notes.push(format!(
                "Use another method in the page than {method}: allow_methods does not take it."
            )),
        }
        self.methods.extend(listed);
        self
    }

    pub(super) fn headers(mut self, names: &[String]) -> Self {
        for name in names {
            if is_listable_header(name) {
                self.headers.push(name.clone());
                continue;
            }
            let why = if name.starts_with("access-control-") {
                "it belongs to the server's answers"
            } else {
                "allow_headers does not take it"
            };
            let note = format!("Leave {name} out of the page's request: {why}.");
            self.notes.push(note);
        }
        self
    }

    pub(super) fn expose(mut self, names: &[String]) -> Self {
        for name in names {
            if ExposeHeaders::list([name]).is_ok() {
                self.expose.push(name.clone());
            } else {
                let note = format!("No script can read {name}, whatever the server exposes.");
                self.notes.push(note);
            }
        }
        self
    }

    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The same layer, to be built.
    pub(super) fn builder(&self) -> CorsLayerBuilder {
        let builder = CorsLayer::builder()
            .allow_origins(self.origins.as_slice())
            .allow_credentials(self.credentials)
            .allow_methods(self.methods.as_slice())
            .allow_headers(self.headers.as_slice())
            .expose_headers(self.expose.as_slice());
        if self.insecure {
            builder.dangerously_allow_insecure_origins()
        } else {
            builder
        }
    }

    fn has_insecure_origin(&self) -> bool {
        let layer = Self {
            insecure: false,
            ..self.clone()
        };
        let is_insecure = |error: &ConfigError| matches!(error, ConfigError::InsecureOrigin { .. });
        layer
            .builder()
            .build()
            .is_err_and(|errors| errors.iter().any(is_insecure))
    }
}

impl fmt::Display for LayerCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("let cors = CorsLayer::builder()\n")?;
        list(f, "allow_origins", &self.origins)?;
        if self.credentials {
            f.write_str("    .allow_credentials(true)\n")?;
        }
        if self.insecure {
            f.write_str("    // better: serve the page by https\n")?;
            f.write_str("    .dangerously_allow_insecure_origins()\n")?;
        }
        list(f, "allow_methods", &self.methods)?;
        list(f, "allow_headers", &self.headers)?;
        list(f, "expose_headers", &self.expose)?;
        f.write_str("    .build()?;")
    }
}

fn list(f: &mut fmt::Formatter<'_>, setting: &str, entries: &[String]) -> fmt::Result {
    if entries.is_empty() {
        return Ok(());
    }
    // `Debug` writes a vector as Rust writes an array.
    writeln!(f, "    .{setting}({entries:?})")
}
