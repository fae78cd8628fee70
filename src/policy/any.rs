use super::{
    decider::Decider,
    future::VerdictFuture,
    grant::Grant,
    origin_policy::OriginPolicy,
    properties::{PolicyProperties, Reach},
};
use crate::{lists::Any, request::CorsRequest};

impl OriginPolicy for Any {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        Grant::any_origin().into()
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::with_reach(Reach::Always)
    }

    fn is_any(&self) -> bool {
        true
    }

    fn decider(&self, _: &CorsRequest<'_>) -> Decider {
        Decider::new("allow_origins").by("*")
    }
}
