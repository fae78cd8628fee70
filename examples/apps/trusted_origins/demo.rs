//! Two sites whose pages call the service.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, http::header::CONTENT_TYPE, response::Html, routing::get};

use crate::replica::Replica;

#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) name: &'static str,
    pub(crate) origin: String,
}

impl Site {
    pub(crate) fn new(name: &'static str, address: SocketAddr) -> Self {
        let origin = format!("http://{address}");
        Self { name, origin }
    }
}

pub(crate) fn router(site: &Site, replicas: &[Arc<Replica>]) -> Router {
    let options = replicas.iter().enumerate().map(|(index, replica)| {
        let url = replica.url();
        format!(
            "<option value=\"{url}\">replica {}: {url}</option>",
            index + 1
        )
    });
    let page = include_str!("demo.html")
        .replace("{{name}}", site.name)
        .replace("{{origin}}", &site.origin)
        .replace("{{services}}", &options.collect::<String>());
    let script = || async { ([(CONTENT_TYPE, "text/javascript")], include_str!("demo.js")) };
    let style = || async { ([(CONTENT_TYPE, "text/css")], include_str!("admin.css")) };
    Router::new()
        .route("/", get(async move || Html(page)))
        .route("/demo.js", get(script))
        .route("/admin.css", get(style))
}
