//! What is compared: a layer, and the requests that its server gets.

use std::fmt;

use http::{HeaderMap, HeaderValue, header};

use crate::common::listed_origin;

#[derive(Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) layer: &'static str,
    /// How many origins it knows.
    pub(crate) origins: usize,
    /// Whether its requests carry a bearer token of 700 bytes, which costs something by itself.
    pub(crate) token: bool,
    /// It gets this part of the requests that others get.
    pub(crate) divisor: usize,
}

pub(crate) const NONE: &str = "none";
pub(crate) const FLOOR: &str = "two constant headers";

pub(crate) fn subjects() -> Vec<Subject> {
    let subject = |layer, origins, token| Subject {
        layer,
        origins,
        token,
        divisor: 1,
    };
    let mut subjects = vec![
        subject(NONE, 1, false),
        subject(FLOOR, 1, false),
        subject("tower-cors", 1, false),
        subject("tower-cors", 10_000, false),
    ];
    if cfg!(feature = "trusted") {
        subjects.push(subject("tower-cors, registry", 10_000, false));
    }
    subjects.extend([
        subject("tower-http", 1, false),
        // It walks its list for each request.
        Subject {
            divisor: 10,
            ..subject("tower-http", 10_000, false)
        },
    ]);
    if cfg!(feature = "token") {
        subjects.extend([
            subject(NONE, 1, true),
            subject(FLOOR, 1, true),
            subject("tower-cors, known token", 10, true),
        ]);
    }
    subjects
}

impl Subject {
    pub(crate) fn has_cors(self) -> bool {
        self.layer != NONE
    }

    /// The origin is the last one of the list, which every implementation has to find.
    pub(crate) fn headers(self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let origin = HeaderValue::from_str(&listed_origin(self.origins - 1)).unwrap();
        headers.insert(header::HOST, HeaderValue::from_static("api.example.com"));
        headers.insert(header::ORIGIN, origin);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("bench"));
        if self.token {
            let token = format!("Bearer {}", "eyJ0eXAi".repeat(88));
            headers.insert(header::AUTHORIZATION, token.parse().unwrap());
        }
        headers
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.layer, self.origins)?;
        if self.token {
            f.write_str(", token sent")?;
        }
        Ok(())
    }
}
