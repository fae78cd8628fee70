//! Every row of the table: its cause, its fix, and what the fix changes.

use http::{HeaderValue, Request, header::ACCESS_CONTROL_REQUEST_METHOD};
use tower_cors::{
    CorsLayer,
    explain::{CredentialsMode, Explanation, Reading},
};

use crate::{block_on, rows, setup::Setup};

/// A set-up, a request, and what is to be said about the two.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) setup: Setup,
    pub(crate) request: Request<()>,
    pub(crate) mode: CredentialsMode,
    pub(crate) cause: &'static str,
    /// The fix begins with it.
    pub(crate) fix: &'static str,
    pub(crate) code: Code,
}

/// Which parts the fix has as code. All of them are applied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Code {
    None,
    Rust,
    /// Rust and the file.
    Both,
    Page,
    /// Rust, the file and the page, all together.
    All,
}

#[test]
fn each_set_up_gets_its_cause_and_a_fix_that_works() {
    let rows = rows::all();
    assert!(rows.len() >= 76, "{}", rows.len());
    for row in &rows {
        check(row);
    }
}

fn check(row: &Row) {
    let name = row.name;
    let explained = explain(&row.setup.build(), &row.request);
    let found = explained.finding_for(row.mode).or(explained.finding());
    let found = found.unwrap_or_else(|| panic!("{name}: nothing is found\n{explained}"));
    assert_eq!(found.cause(), row.cause, "{name}");
    assert!(found.fix().starts_with(row.fix), "{name}: {}", found.fix());
    let code = found.code();
    let parts = (code.rust(), code.toml(), code.page());
    let expected = match parts {
        (None, None, None) => Code::None,
        (Some(_), None, None) => Code::Rust,
        (Some(_), Some(_), None) => Code::Both,
        (None, None, Some(_)) => Code::Page,
        (Some(_), Some(_), Some(_)) => Code::All,
        _ => panic!("{name}: {code:?}"),
    };
    assert_eq!(row.code, expected, "{name}: {code:?}");
    let request = match code.page() {
        Some(page) => with_page(&row.request, page),
        None => row.request.clone(),
    };
    if let Some(lines) = code.rust() {
        assert_lets_in(row, &row.setup.with_rust(lines), &request, lines);
    }
    if let Some(lines) = code.toml() {
        assert_lets_in(row, &row.setup.with_toml(lines), &request, lines);
    }
    if row.code == Code::Page {
        let page = code.page().unwrap();
        assert_lets_in(row, &row.setup.build(), &request, page);
    }
}

fn assert_lets_in(row: &Row, layer: &CorsLayer, request: &Request<()>, fix: &str) {
    let explained = explain(layer, request);
    let context = format!("{}: {fix}\n{explained}", row.name);
    assert!(explained.denial().is_none(), "{context}");
    assert_eq!(explained.reading(row.mode), Reading::Allowed, "{context}");
    assert_eq!(explained.finding_for(row.mode), None, "{context}");
}

fn explain(layer: &CorsLayer, request: &Request<()>) -> Explanation {
    block_on(layer.explain(request))
}

/// The preflight of a page that passes `method: "..."`.
fn with_page(request: &Request<()>, page: &str) -> Request<()> {
    let method = page.strip_prefix("method: \"").unwrap();
    let method = HeaderValue::from_str(method.strip_suffix('"').unwrap()).unwrap();
    let mut request = request.clone();
    let announced = request.headers_mut().get_mut(ACCESS_CONTROL_REQUEST_METHOD);
    *announced.unwrap() = method;
    request
}
