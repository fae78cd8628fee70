use http::HeaderName;

use super::{
    future::VerdictFuture, grant::Grant, origin_policy::OriginPolicy, properties::PolicyProperties,
};
use crate::{lists::Any, request::CorsRequest};

impl OriginPolicy for Any {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        VerdictFuture::ready(Grant::any_origin())
    }

    fn varies_on(&self) -> &[HeaderName] {
        &[]
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::always_any_origin()
    }
}
