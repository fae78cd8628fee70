/// The widest line of code that is printed, so that a terminal of 80 columns has room for a label.
const COLUMNS: usize = 70;

/// Code with an array of texts between `before` and `behind`: in one line if it fits, else with a line
/// for each text. Rust, TOML and JSON write texts without control characters alike.
pub(crate) fn array_code(before: &str, texts: &[String], behind: &str) -> String {
    let texts: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    let line = format!("{before}[{}]{behind}", texts.join(", "));
    if line.len() <= COLUMNS {
        return line;
    }
    let lines: String = texts.iter().map(|text| format!("    {text},\n")).collect();
    format!("{before}[\n{lines}]{behind}")
}
