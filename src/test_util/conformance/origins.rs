//! Origins that resemble an allowed one. Texts alone: nothing here uses the parser of the layer.

/// Origins as a browser could send them: another scheme, port or domain, names that begin or end
/// alike, and long ones.
pub(super) fn resembling(origin: &str) -> Vec<String> {
    let mut all = vec![
        "null".to_owned(),
        "https://stranger-of-this-test.example".to_owned(),
        "http://localhost".to_owned(),
        "https://127.0.0.1".to_owned(),
    ];
    let Some((scheme, host, port)) = parts(origin) else {
        return all;
    };
    let behind = port.map_or_else(String::new, |port| format!(":{port}"));
    let other_scheme = if scheme == "https" { "http" } else { "https" };
    all.push(format!("{other_scheme}://{host}{behind}"));
    all.push(format!("app://{host}"));
    all.push(format!("chrome-extension://{host}"));
    for port in ["8443", "3000", "1", "65535"] {
        all.push(format!("{scheme}://{host}:{port}"));
    }
    all.push(format!("{scheme}://{host}"));
    if !host.starts_with('[') {
        let label = host.split('.').next().unwrap_or(host);
        let parent = host.split_once('.').map_or("example", |(_, parent)| parent);
        let long = format!("{}.", "a".repeat(63)).repeat(3);
        let mut hosts = vec![
            format!("sub.{host}"),
            format!("www.{host}"),
            parent.to_owned(),
            format!("other.{parent}"),
            format!("{host}."),
            format!("evil{host}"),
            format!("evil-{host}"),
            format!("{host}x"),
            format!("{host}.evil.example"),
            format!("{host}-evil.example"),
            format!("{label}.evil.example"),
            format!("evil.example.{host}"),
            host.replacen('.', "x", 1),
            host.replacen('.', "-", 1),
            format!("xn--{host}"),
            format!("{long}{host}"),
            format!("{host}.{long}example"),
        ];
        hosts.retain(|other| other != host);
        all.extend(
            hosts
                .iter()
                .map(|host| format!("{scheme}://{host}{behind}")),
        );
    }
    all.retain(|other| other != origin);
    all
}

/// Texts that no browser sends as an origin, and that a careless comparison takes for the origin.
pub(super) fn malformed(origin: &str) -> Vec<String> {
    let mut all = vec!["NULL".to_owned(), "*".to_owned(), String::new()];
    let Some((scheme, host, _)) = parts(origin) else {
        return all;
    };
    let rest = origin.split_once("://").map_or("", |(_, rest)| rest);
    all.extend([
        format!("{scheme}://{}", rest.to_uppercase()),
        format!("{}://{rest}", scheme.to_uppercase()),
        format!("{origin}/"),
        format!("{origin}/path"),
        format!("{origin}, https://evil.example"),
        format!("https://evil.example, {origin}"),
        format!("{origin} https://evil.example"),
        format!("{scheme}://user@{rest}"),
        format!("{scheme}://evil.example@{rest}"),
        format!("{scheme}://{rest}@evil.example"),
        format!("{scheme}://{host}:"),
        format!("{scheme}://{host}:0443"),
        format!("{scheme}://{host}:99999"),
        format!("{scheme}:{rest}"),
        rest.to_owned(),
        format!("{origin}?"),
        format!("{origin}#"),
        format!("{scheme}://{}{rest}", "a.".repeat(5_000)),
    ]);
    all.retain(|other| other != origin);
    all
}

fn parts(origin: &str) -> Option<(&str, &str, Option<&str>)> {
    let (scheme, rest) = origin.split_once("://")?;
    Some(match rest.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (scheme, host, Some(port)),
        _ => (scheme, rest, None),
    })
}
