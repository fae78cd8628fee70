//! The code that README, guide, rustdoc and examples show, without white space and comments.

use std::{fs, path::Path};

/// A snippet of code in this test, which a file shows in the same words.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) file: &'static str,
    pub(super) code: String,
}

impl Shown {
    /// Fails if the file does not contain the code: the test would play another policy than the one
    /// that people copy.
    pub(super) fn new(file: &'static str, code: &str) -> Self {
        let code = without_space(code);
        let text = code_of(file);
        assert!(
            text.contains(&code),
            "{file} does not show\n{code}\nbut\n{text}"
        );
        Self { file, code }
    }
}

/// Runs code as it stands, and checks that the file shows it.
macro_rules! shown {
    ($file:literal, { $($code:tt)* } => $value:expr) => {{
        let shown = $crate::documented::text::Shown::new($file, stringify!($($code)*));
        $($code)*
        (shown, $value)
    }};
}
pub(super) use shown;

/// All files that show code to people who use the crate.
pub(super) fn files() -> Vec<String> {
    let mut files = vec!["README.md".to_owned()];
    for folder in ["src", "examples"] {
        collect(Path::new(folder), &mut files);
    }
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<String>) {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = folder.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            collect(&path, files);
        } else if path
            .extension()
            .is_some_and(|ext| ext == "rs" || ext == "md")
        {
            files.push(path.to_str().unwrap().to_owned());
        }
    }
}

/// The code that a file shows: the blocks of a page, those in the comments of a source file, and all
/// of an example.
pub(super) fn code_of(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = fs::read_to_string(path).unwrap();
    let is_example = file.starts_with("examples/") && file.ends_with(".rs");
    let is_page = file.ends_with(".md");
    // Whether a block is open, and whether it is one of Rust.
    let mut block = is_example.then_some(true);
    let mut code = String::new();
    for line in text.lines().map(str::trim) {
        let line = if is_example || is_page {
            line
        } else {
            let Some(doc) = line.strip_prefix("///").or(line.strip_prefix("//!")) else {
                continue;
            };
            doc.trim()
        };
        if let Some(language) = line.strip_prefix("```") {
            block = match block {
                Some(_) => None,
                None => Some(language.is_empty() || language.starts_with("rust")),
            };
            continue;
        }
        if block == Some(true) {
            code.push_str(&without_space(line.strip_prefix("# ").unwrap_or(line)));
        }
    }
    code
}

/// Comments end with the line; `//` in a URL has no space before it.
fn without_space(code: &str) -> String {
    code.lines()
        .map(|line| {
            let line = line.trim();
            let code = if line.starts_with("//") { "" } else { line };
            code.split_once(" // ").map_or(code, |(code, _)| code)
        })
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect()
}
