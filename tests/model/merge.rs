//! Headers that the layer and the inner service share.

use super::lists;

/// The inner service's `Vary` with the missing names, as elements in lower case. `*` covers all.
pub fn vary(inner: &[&[u8]], names: &[String]) -> Vec<String> {
    let mut elements = vary_elements(inner);
    if !elements.contains(&"*".to_owned()) {
        for name in names {
            if !elements.contains(name) {
                elements.push(name.clone());
            }
        }
    }
    elements
}

/// All lines are one list (RFC 9110, section 5.3), in which the empty elements say nothing.
pub fn vary_elements(lines: &[&[u8]]) -> Vec<String> {
    let text = |line: &&[u8]| {
        line.iter()
            .map(|&byte| char::from(byte))
            .collect::<String>()
    };
    let lines: Vec<String> = lines.iter().map(text).collect();
    let lines = lines.join(",").to_ascii_lowercase();
    let elements = lists::elements(&lines)
        .into_iter()
        .filter(|e| !e.is_empty());
    elements.map(str::to_owned).collect()
}

/// `Access-Control-Expose-Headers`: the layer's names, then those of the inner service, each once. The
/// inner service cannot expose everything.
pub fn expose(own: &[String], inner: &[&[u8]]) -> Vec<String> {
    let mut names = own.to_vec();
    let is_visible = |line: &&&[u8]| {
        line.iter()
            .all(|&b| b == b'\t' || (b' '..=b'~').contains(&b))
    };
    for line in inner.iter().filter(is_visible) {
        let line = String::from_utf8_lossy(line);
        for name in lists::elements(&line) {
            let is_there = names.iter().any(|there| there.eq_ignore_ascii_case(name));
            if lists::is_token(name) && name != "*" && !is_there {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// `Cache-Control` with `private`, where shared caches must keep nothing.
pub fn private(inner: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut directives = Vec::new();
    for line in inner {
        let is_visible = line
            .iter()
            .all(|&b| b == b'\t' || (b' '..=b'~').contains(&b));
        match directives_of(line) {
            Some(own) if is_visible => directives.extend(own),
            // Caches may read it in different ways.
            _ => return vec![b"no-store".to_vec()],
        }
    }
    let name_of = |directive: &String| {
        let name = directive.split('=').next().unwrap().trim();
        name.to_ascii_lowercase()
    };
    if directives
        .iter()
        .any(|directive| name_of(directive) == "no-store")
    {
        // Stricter already: as it was.
        return inner.iter().map(|line| line.to_vec()).collect();
    }
    let mut kept = vec!["private".to_owned()];
    let contradicts = ["public", "private", "s-maxage"];
    kept.extend(
        directives
            .into_iter()
            .filter(|d| !contradicts.contains(&name_of(d).as_str())),
    );
    vec![kept.join(", ").into_bytes()]
}

/// The directives of a line, in which commas may be quoted. `None` if a quotation has no end.
fn directives_of(line: &[u8]) -> Option<Vec<String>> {
    let text = String::from_utf8_lossy(line);
    let (mut directives, mut directive) = (Vec::new(), String::new());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == ',' {
            directives.push(std::mem::take(&mut directive));
            continue;
        }
        directive.push(c);
        if c == '"' {
            loop {
                let c = chars.next()?;
                directive.push(c);
                match c {
                    '"' => break,
                    '\\' => directive.push(chars.next()?),
                    _ => {}
                }
            }
        }
    }
    directives.push(directive);
    let directives = directives.iter().map(|d| d.trim().to_owned());
    Some(directives.filter(|d| !d.is_empty()).collect())
}
