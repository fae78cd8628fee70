//! The words of a command as a shell would split it: what browsers copy.

/// Splits a command of a POSIX shell, `$'…'` included, or of Windows' `cmd`.
///
/// # Errors
///
/// A quote is not closed.
pub(super) fn words(command: &str) -> Result<Vec<String>, String> {
    let command = if command.contains("^\"") {
        without_carets(command)
    } else {
        command.to_owned()
    };
    let mut chars = command.chars().peekable();
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    while let Some(c) = chars.next() {
        match c {
            '\'' => quoted(&mut chars, word.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            '$' if chars.peek() == Some(&'\'') => {
                chars.next();
                ansi_quoted(&mut chars, word.get_or_insert_default())?;
            }
            '\\' => match chars.next() {
                // A line that goes on.
                Some('\n') | None => {}
                Some('\r') => {
                    chars.next_if_eq(&'\n');
                }
                Some(escaped) => word.get_or_insert_default().push(escaped),
            },
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

const OPEN: &str = "a quote is not closed";

fn quoted(chars: &mut Chars<'_>, word: &mut String) -> Result<(), String> {
    loop {
        match chars.next().ok_or(OPEN)? {
            '\'' => return Ok(()),
            c => word.push(c),
        }
    }
}

fn double_quoted(chars: &mut Chars<'_>, word: &mut String) -> Result<(), String> {
    loop {
        match chars.next().ok_or(OPEN)? {
            '"' => return Ok(()),
            '\\' => match chars.next().ok_or(OPEN)? {
                '\n' => {}
                c @ ('"' | '\\' | '$' | '`') => word.push(c),
                c => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

/// `$'…'`, as Chromium writes what has control characters.
fn ansi_quoted(chars: &mut Chars<'_>, word: &mut String) -> Result<(), String> {
    loop {
        match chars.next().ok_or(OPEN)? {
            '\'' => return Ok(()),
            '\\' => match chars.next().ok_or(OPEN)? {
                'n' => word.push('\n'),
                'r' => word.push('\r'),
                't' => word.push('\t'),
                '0' => word.push('\0'),
                'u' => word.extend(code_point(chars, 4)),
                'x' => word.extend(code_point(chars, 2)),
                c => word.push(c),
            },
            c => word.push(c),
        }
    }
}

fn code_point(chars: &mut Chars<'_>, digits: usize) -> Option<char> {
    let mut code = 0;
    for _ in 0..digits {
        let Some(digit) = chars.peek().and_then(|c| c.to_digit(16)) else {
            break;
        };
        code = code * 16 + digit;
        chars.next();
    }
    char::from_u32(code)
}

/// `cmd` escapes by carets, also the ends of lines.
fn without_carets(command: &str) -> String {
    let mut plain = String::with_capacity(command.len());
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        if c != '^' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('\r' | '\n') => plain.push(' '),
            Some(escaped) => plain.push(escaped),
            None => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        for (command, expected) in [
            (
                "curl 'http://a/b?c=d' \\\n  -H 'x: y'",
                &["curl", "http://a/b?c=d", "-H", "x: y"][..],
            ),
            (r#"a "b \"c\" \d" e\ f"#, &["a", r#"b "c" \d"#, "e f"]),
            (
                r"--data-raw $'a\'b\n\u00e9\x41'",
                &["--data-raw", "a'b\n\u{e9}A"],
            ),
            ("'a'\"b\"c ''", &["abc", ""]),
            (
                "curl ^\"http://a/^\" ^\n  -H ^\"x: ^\\^\"y^\\^\"^\"",
                &["curl", "http://a/", "-H", "x: \"y\""],
            ),
        ] {
            assert_eq!(words(command).unwrap(), expected, "{command}");
        }
        for command in ["'a", "\"a", "$'a", "\"a\\"] {
            assert!(words(command).is_err(), "{command}");
        }
    }
}
