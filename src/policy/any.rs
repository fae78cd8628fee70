use std::any::TypeId;

use super::{
    decider::Decider,
    future::VerdictFuture,
    grant::Grant,
    origin_policy::OriginPolicy,
    properties::{PolicyProperties, Reach},
};
use crate::{lists::Any, request::CorsRequest};

/// Whether the policy is [`Any`], and not one around it that has the same properties and may deny
/// somebody.
pub(crate) fn is_any<P: OriginPolicy>(_: &P) -> bool {
    TypeId::of::<P>() == TypeId::of::<Any>()
}

impl OriginPolicy for Any {
    fn judge(&self, _: &CorsRequest<'_>) -> VerdictFuture {
        Grant::any_origin().into()
    }

    fn properties(&self) -> PolicyProperties {
        PolicyProperties::with_reach(Reach::Always)
    }

    fn decider(&self, _: &CorsRequest<'_>) -> Decider {
        Decider::new("allow_origins").by("*")
    }
}
