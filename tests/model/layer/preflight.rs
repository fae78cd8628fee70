//! What a preflight asks for, and the lists that it gets.

use super::super::{
    config::Request,
    lists::{self, Names},
};

pub struct Preflight {
    pub method: String,
    pub headers: Vec<String>,
}

/// What a preflight asks for, unless it is malformed.
pub fn preflight(request: &Request) -> Option<Preflight> {
    Some(Preflight {
        method: lists::requested_method(&request.lines("access-control-request-method"))?,
        headers: lists::requested_headers(&request.lines("access-control-request-headers"))?,
    })
}

/// Never empty: without the header, browsers take the method that they asked for as allowed. With
/// credentials they take `*` for a method of that name, which a page can ask for.
pub fn allow_methods(methods: &Names, credentials: bool, asked: &str) -> String {
    if methods.any && !credentials {
        "*".to_owned()
    } else if methods.any && asked != "*" {
        asked.to_owned()
    } else if methods.listed.is_empty() {
        "GET,HEAD,POST".to_owned()
    } else {
        let mut each_once: Vec<String> = Vec::new();
        for method in &methods.listed {
            if !each_once.contains(method) {
                each_once.push(method.clone());
            }
        }
        each_once.join(",")
    }
}

/// With credentials, browsers take `*` for a header of that name, so the names that are asked for
/// and allowed take its place. As a sorted list, however they were asked for.
pub fn allow_headers(headers: &Names, credentials: bool, asked: &[String]) -> Vec<String> {
    if headers.any && credentials {
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        let asked = Names::of(&asked).headers();
        asked
            .into_iter()
            .filter(|name| headers.allows_header(name))
            .collect()
    } else {
        let star = headers.any.then(|| "*".to_owned());
        let mut all: Vec<String> = star.into_iter().chain(headers.headers()).collect();
        all.sort();
        all
    }
}

/// What a preflight of an allowed origin asks for in vain.
pub fn shortfall(methods: &Names, headers: &Names, asked: &Preflight) -> Option<&'static str> {
    if !methods.allows_method(&asked.method) {
        let upper = asked.method.to_ascii_uppercase();
        let is_other_case = lists::is_safelisted_method(&upper)
            || methods
                .listed
                .iter()
                .any(|m| m.eq_ignore_ascii_case(&asked.method));
        Some(if is_other_case {
            "MethodCase"
        } else {
            "MethodNotAllowed"
        })
    } else if asked
        .headers
        .iter()
        .any(|name| !headers.allows_header(name))
    {
        Some("HeaderNotAllowed")
    } else {
        None
    }
}
