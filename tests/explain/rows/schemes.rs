//! Rows about wildcards of ports and schemes of applications, beside the web's.

use super::{ADD_IT, row};
use crate::{
    get,
    setup::Setup::File,
    table::{Code, Row},
};

pub(super) fn rows() -> Vec<Row> {
    vec![
        row(
            "https where any port of http is listed",
            File("allow_origins = [\"http://localhost:*\"]"),
            get("https://localhost:3000"),
            "the origin is not allowed; \"http://localhost:*\" is, with another scheme",
            ADD_IT,
            Code::Both,
        ),
        row(
            "a packaged application",
            File("allow_origins = [\"https://app.example\"]"),
            get("tauri://localhost"),
            "the origin is not allowed",
            ADD_IT,
            Code::Both,
        ),
        row(
            "a wildcard with another port",
            File("allow_origins = [\"https://*.app.example:8443\"]"),
            get("https://shop.app.example:9443"),
            "the origin is not allowed",
            ADD_IT,
            Code::Both,
        ),
    ]
}
