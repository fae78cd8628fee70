//! Origins that resemble a listed one, and who is meant by an entry: both written without the
//! crate's own parser, which is under test.

/// Whether a list entry means this origin. Nothing is normalised: browsers send one spelling.
pub(super) fn is_meant(entry: &str, origin: &str) -> bool {
    let (Some((scheme, rest)), Some((sent_scheme, sent_rest))) =
        (entry.split_once("://"), origin.split_once("://"))
    else {
        return entry == origin;
    };
    let ((host, port), (sent_host, sent_port)) = (host_and_port(rest), host_and_port(sent_rest));
    let is_host = match host.strip_prefix('*') {
        // `*.example.com`: at least one label before the dot.
        Some(dot_base) => sent_host.len() > dot_base.len() && sent_host.ends_with(dot_base),
        None => sent_host == host,
    };
    let is_port = port == sent_port || (port == Some("*") && sent_port != Some(""));
    scheme == sent_scheme && is_host && is_port
}

fn host_and_port(rest: &str) -> (&str, Option<&str>) {
    match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (rest, None),
    }
}

/// An origin that the entry means.
pub(super) fn sample(entry: &str) -> String {
    entry.replace("//*.", "//shop.").replace(":*", ":5173")
}

/// Origins that resemble what the entry means: another scheme, port or domain, a name that begins or
/// ends alike, and texts that a careless comparison takes for the same.
pub(super) fn resembling(entry: &str) -> Vec<String> {
    let sample = sample(entry);
    let Some((scheme, rest)) = sample.split_once("://") else {
        return Vec::new();
    };
    let (host, port) = host_and_port(rest);
    let behind = port.map_or_else(String::new, |port| format!(":{port}"));
    let parent = host.split_once('.').map_or("example", |(_, parent)| parent);
    let other = if scheme == "https" { "http" } else { "https" };
    let mut origins = vec![
        "null".to_owned(),
        "https://evil.example".to_owned(),
        "file://".to_owned(),
        format!("{other}://{rest}"),
        format!("ws://{rest}"),
        format!("app://{host}"),
        format!("chrome-extension://{host}"),
        format!("{scheme}://{host}:8443"),
        format!("{scheme}://{host}:80"),
        format!("{scheme}://{host}"),
        format!("{scheme}://{host}:0{}", port.unwrap_or("443")),
        format!("{scheme}://{host}:"),
        format!("{scheme}://evil.{host}{behind}"),
        format!("{scheme}://www.{host}{behind}"),
        format!("{scheme}://{parent}{behind}"),
        format!("{scheme}://evil.{parent}{behind}"),
        format!("{scheme}://{host}.{behind}"),
        format!("{scheme}://.{host}{behind}"),
        format!("{scheme}://evil{host}{behind}"),
        format!("{scheme}://evil-{host}{behind}"),
        format!("{scheme}://{host}x{behind}"),
        format!("{scheme}://{host}.evil.example{behind}"),
        format!("{scheme}://{host}-evil.example{behind}"),
        format!("{scheme}://evil.example.{host}{behind}"),
        format!("{scheme}://{}{behind}", host.replacen('.', "x", 1)),
        format!("{scheme}://{}{behind}", host.replacen('.', "-", 1)),
        format!("{scheme}://{}{behind}", host.to_uppercase()),
        format!("{scheme}://{host}@evil.example{behind}"),
        format!("{scheme}://evil.example@{host}{behind}"),
        format!("{scheme}://evil.example#{host}"),
        format!("{scheme}://evil.example?{host}"),
        format!("{sample}/"),
        format!("{sample}, https://evil.example"),
        format!("https://evil.example {sample}"),
        format!("https://evil.example/{sample}"),
        format!("{}://{rest}", scheme.to_uppercase()),
        format!("{scheme}:{rest}"),
        format!("//{rest}"),
        rest.to_owned(),
    ];
    // Cyrillic letters that look alike, as browsers send them.
    origins.push(format!(
        "{scheme}://xn--{}{behind}",
        host.replacen('a', "", 1)
    ));
    origins
}
