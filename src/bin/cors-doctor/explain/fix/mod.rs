//! What to do about a cause: a text, and code to paste.

mod call;
mod layers;
mod lists;
mod network;
mod origin;
mod page;
mod redirect;

use self::{
    layers::of_the_layers, lists::of_the_lists, network::of_the_network, origin::of_the_origin,
    page::of_the_page, redirect::of_the_redirect,
};
use super::{Context, layer_code::LayerCode};
use crate::cause::Cause;

/// What to do about a cause.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fix {
    pub(crate) text: String,
    pub(crate) code: Vec<Code>,
}

#[derive(Clone, Debug)]
pub(crate) struct Code {
    /// `tower-cors`, `tower-http`, `axum`, `tonic`, `page` or `proxy`.
    pub(crate) target: &'static str,
    pub(crate) code: String,
}

impl Fix {
    fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code: Vec::new(),
        }
    }

    fn code(mut self, target: &'static str, code: impl Into<String>) -> Self {
        self.code.push(Code {
            target,
            code: code.into(),
        });
        self
    }

    /// Adds a layer of this crate as code, and its notes to the text.
    fn layer(self, layer: LayerCode) -> Self {
        self.layer_in(layer, LayerCode::to_string)
    }

    /// The same, with more code around the layer.
    fn layer_in(mut self, layer: LayerCode, place: impl FnOnce(&LayerCode) -> String) -> Self {
        for note in layer.notes() {
            self.text.push(' ');
            self.text.push_str(note);
        }
        let code = place(&layer);
        self.code(OURS, code)
    }

    fn code_if(self, applies: bool, target: &'static str, code: impl Into<String>) -> Self {
        if applies {
            self.code(target, code)
        } else {
            self
        }
    }
}

const OURS: &str = "tower-cors";

pub(crate) fn fix(context: &Context<'_>, cause: &Cause) -> Fix {
    match cause {
        Cause::MixedContent(_)
        | Cause::BlockedPort(_)
        | Cause::ForbiddenMethod(_)
        | Cause::UrlCredentials
        | Cause::PageCsp { .. }
        | Cause::MethodCase { .. }
        | Cause::OriginNull
        | Cause::NotFound(_)
        | Cause::HtmlInsteadOfApi { .. } => of_the_page(context, cause),
        Cause::HostNotFound
        | Cause::ConnectionRefused
        | Cause::ConnectionClosed(_)
        | Cause::Timeout { .. }
        | Cause::Certificate(_)
        | Cause::TlsMismatch { .. } => of_the_network(context, cause),
        Cause::OriginScheme(_)
        | Cause::OriginWww(_)
        | Cause::OriginPort(_)
        | Cause::OriginSubdomain { .. }
        | Cause::OriginLoopback(_)
        | Cause::OriginSpelling(..)
        | Cause::OriginNotListed(_)
        | Cause::OriginNotTrusted
        | Cause::AllowOriginTwice(_)
        | Cause::AllowOriginList(_)
        | Cause::AllowOriginPattern(_)
        | Cause::AllowOriginInvalid(_)
        | Cause::TokenRefused { .. } => of_the_origin(context, cause),
        Cause::RedirectToHttps(_)
        | Cause::RedirectTrailingSlash(_)
        | Cause::RedirectElsewhere(_)
        | Cause::RedirectToLogin(_)
        | Cause::RedirectNullOrigin(_) => of_the_redirect(context, cause),
        Cause::WildcardWithCredentials
        | Cause::CredentialsNotAllowed { .. }
        | Cause::CredentialsSpelling(_)
        | Cause::MethodNotAllowed(_)
        | Cause::HeaderNotAllowed(_)
        | Cause::AllowListMalformed { .. }
        | Cause::WildcardMethodsWithCredentials(_)
        | Cause::WildcardHeadersWithCredentials(_)
        | Cause::AuthorizationUnderWildcard
        | Cause::HeaderMisspelt { .. }
        | Cause::HeaderNotExposed(_) => of_the_lists(context, cause),
        _ => of_the_layers(context, cause),
    }
}
