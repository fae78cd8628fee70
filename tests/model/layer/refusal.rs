//! Whom a refusal must spare, and which form it has.

use super::super::{
    config::Request,
    origin::{self, Sent},
};

/// By `Sec-Fetch-Site`, which no page can set; without it, by the host and port of the request, and
/// its scheme if it says one.
pub fn is_same_origin(request: &Request) -> bool {
    let sites = request.lines("sec-fetch-site");
    if !sites.is_empty() {
        let says = |site: &str| sites.iter().all(|line| *line == site.as_bytes());
        return says("same-origin") || says("none");
    }
    let [line] = request.lines("origin")[..] else {
        return false;
    };
    let Some(Sent::Origin(origin)) = origin::read(line) else {
        return false;
    };
    let default = match origin.scheme.as_str() {
        "http" => "80",
        "https" => "443",
        _ => return false,
    };
    // Anybody in the network can write a page of `http:`.
    if request.uri.starts_with("https://") && origin.scheme == "http" {
        return false;
    }
    let authority = match request.uri.split_once("://") {
        Some((_, rest)) => rest.split('/').next().map(str::to_owned),
        None => match request.lines("host")[..] {
            [host] => String::from_utf8(host.to_vec()).ok(),
            _ => None,
        },
    };
    let authority = authority.map(|authority| authority.to_ascii_lowercase());
    let Some((host, port)) = authority.as_deref().and_then(origin::split_port) else {
        return false;
    };
    let number = |port: &str| {
        let is_number = !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
        port.parse::<u64>().ok().filter(|_| is_number)
    };
    let own_port = if origin.port.is_empty() {
        default
    } else {
        &origin.port
    };
    let port = number(port.unwrap_or(default));
    host == origin.host && port.is_some() && port == number(own_port)
}

pub fn http_status(kind: &str) -> u16 {
    match kind {
        "InvalidToken" | "ExpiredToken" => 401,
        "Unavailable" | "VerdictTimeout" => 503,
        _ => 403,
    }
}

pub fn grpc_status(kind: &str) -> &'static str {
    match http_status(kind) {
        401 => "16",
        503 => "14",
        _ => "7",
    }
}

/// The media type of the refusal of a gRPC request: the request's own if it is a known one.
pub fn grpc_media_type(request: &Request) -> Option<String> {
    let line = *request.lines("content-type").first()?;
    let text = String::from_utf8_lossy(line).to_ascii_lowercase();
    let rest = text.strip_prefix("application/grpc")?;
    if !(rest.is_empty() || rest.starts_with(['+', '-', ';', ' '])) {
        return None;
    }
    let own = text.split(';').next().unwrap().trim_end().to_owned();
    let base = own.split('+').next().unwrap().to_owned();
    let is_known = |media_type: &String| {
        let (base, subtype) = media_type.split_once('+').unwrap_or((media_type, "proto"));
        let bases = [
            "application/grpc",
            "application/grpc-web",
            "application/grpc-web-text",
        ];
        bases.contains(&base) && ["proto", "json"].contains(&subtype)
    };
    let known = [own, base].into_iter().find(is_known);
    Some(known.unwrap_or_else(|| "application/grpc".to_owned()))
}
