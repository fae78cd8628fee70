//! What a request gets: the model of the layer as a whole.

mod by_method;
mod preflight;
mod refusal;

pub use self::by_method::{facts_of, rules_with_methods};
use self::{
    by_method::of_method,
    preflight::{Preflight, allow_headers, allow_methods, preflight, shortfall},
    refusal::{grpc_media_type, grpc_status, http_status, is_same_origin},
};
use super::{
    config::{Answer, Config, Exchange, Form, Headers, Layer, Request, Settings, Wait, lines},
    merge, origin,
    origin::Sent,
    policies::{Facts, Reach},
    policy::{Asked, Denial, Grant, Policy, Verdict, deny},
};

/// The configuration that is in force for a request, and everything that is true of it.
pub struct InForce {
    policy: Policy,
    settings: Settings,
    facts: Facts,
    is_by_method: bool,
    wait: Wait,
}

/// What the layer answers.
pub fn answer(config: &Config, exchange: &Exchange) -> Answer {
    let request = &exchange.request;
    let rule = match &config.form {
        Form::Layer(layer) => of_layer(layer),
        Form::ByMethod(rules) => of_method(rules, request),
    };
    rule.answer(request, &exchange.inner.headers, exchange.inner.status)
}

pub fn of_layer(layer: &Layer) -> InForce {
    let mut facts = layer.policy.facts();
    // Only `Any` itself need not be asked: not one around it, which lets it wait.
    if layer.wait != Wait::Ready && matches!(layer.policy, Policy::Any) {
        facts.reach = Reach::Star;
    }
    InForce {
        policy: layer.policy.clone(),
        settings: layer.settings.clone(),
        facts,
        is_by_method: false,
        wait: layer.wait,
    }
}

impl InForce {
    fn refuses(&self) -> bool {
        self.settings.refuse.unwrap_or(self.facts.refuse)
    }

    fn records(&self) -> bool {
        self.settings.record.unwrap_or(self.refuses())
    }

    fn answer(&self, request: &Request, inner: &Headers, status: u16) -> Answer {
        let origins = request.lines("origin");
        let announced = request.lines("access-control-request-method");
        // https://fetch.spec.whatwg.org/#cors-preflight-request
        let is_preflight =
            request.method == "OPTIONS" && !announced.is_empty() && !origins.is_empty();

        if self.facts.reach == Reach::Always {
            // The same for everybody, so that caches can share it: `*`, or the one origin.
            let grant = Grant::default();
            let named = match &self.policy {
                Policy::Constant(origin) => Some(origin.clone().into_bytes()),
                _ => None,
            };
            return match (is_preflight, preflight(request)) {
                (false, _) => self.grant(named, &grant, inner, status),
                (true, Some(preflight)) => self.grant_preflight(named, &grant, &preflight),
                (true, None) => self.refuse_preflight("MalformedPreflight"),
            };
        }
        if origins.is_empty() {
            // https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches: `Vary` here too. Where
            // nobody is admitted there is none, so a cache may give this answer to any page.
            let headers = match self.facts.reach {
                Reach::Nobody => without_cors(inner),
                _ => inner.clone(),
            };
            return self.forward(headers, inner, status, None);
        }
        let sent = match origins[..] {
            [line] => origin::read(line).ok_or("MalformedOrigin"),
            _ => Err("SeveralOrigins"),
        };
        let named = Some(origins[0].to_vec());
        if is_preflight {
            let sent = match sent {
                Ok(sent) => sent,
                Err(kind) => return self.refuse_preflight(kind),
            };
            let Some(preflight) = preflight(request) else {
                return self.refuse_preflight("MalformedPreflight");
            };
            match self.judge(&sent, request, Some(&preflight.headers)) {
                Verdict::Allow(grant) => self.grant_preflight(named, &grant, &preflight),
                Verdict::Deny(denial) => self.refuse_preflight(denial.kind),
                Verdict::Abstain => self.refuse_preflight("NoPolicy"),
            }
        } else {
            let verdict = match &sent {
                Ok(sent) => self.judge(sent, request, None),
                Err(kind) => deny(kind),
            };
            match verdict {
                Verdict::Allow(grant) => self.grant(named, &grant, inner, status),
                Verdict::Deny(denial) => self.deny(request, &denial, inner, status),
                Verdict::Abstain => {
                    let Verdict::Deny(denial) = deny("NoPolicy") else {
                        unreachable!("it denies");
                    };
                    self.deny(request, &denial, inner, status)
                }
            }
        }
    }

    fn judge(&self, sent: &Sent, request: &Request, preflight: Option<&[String]>) -> Verdict {
        let asked = Asked {
            sent,
            request,
            preflight,
        };
        // A list of the layer's own is never waited for.
        let is_own_list = matches!(self.policy, Policy::List(_));
        if self.wait == Wait::Never && !is_own_list {
            return deny("VerdictTimeout");
        }
        self.policy.judge(&asked)
    }

    /// <https://fetch.spec.whatwg.org/#http-responses>: an allowed request, whatever the status.
    fn grant(
        &self,
        origin: Option<Vec<u8>>,
        grant: &Grant,
        inner: &Headers,
        status: u16,
    ) -> Answer {
        let (origin, credentials) = self.allowed(origin, grant);
        let exposed = lines(inner, "access-control-expose-headers");
        let mut headers = without_cors(inner);
        headers.push(("access-control-allow-origin".to_owned(), origin));
        if credentials {
            push(&mut headers, "access-control-allow-credentials", "true");
        }
        let expose = grant.expose.as_ref().unwrap_or(&self.settings.expose);
        let own = match (expose.any, credentials) {
            (true, false) => vec!["*".to_owned()],
            // With credentials, `*` is a header of that name.
            (true, true) => Vec::new(),
            (false, _) => expose.headers(),
        };
        let names = merge::expose(&own, &exposed);
        if !names.is_empty() {
            push(
                &mut headers,
                "access-control-expose-headers",
                &names.join(","),
            );
        }
        self.forward(headers, inner, status, None)
    }

    fn deny(&self, request: &Request, denial: &Denial, inner: &Headers, status: u16) -> Answer {
        // Nobody has judged what was not judged in time.
        let is_late = denial.kind == "VerdictTimeout";
        // https://fetch.spec.whatwg.org/#origin-header: browsers send it to their own origin too.
        if is_same_origin(request) {
            return self.forward(without_cors(inner), inner, status, None);
        }
        if !self.refuses() && !is_late {
            return self.forward(without_cors(inner), inner, status, Some(denial.kind));
        }
        let mut headers = Headers::new();
        let (status, reason) = match grpc_media_type(request) {
            Some(media_type) => {
                push(&mut headers, "content-type", &media_type);
                push(&mut headers, "grpc-status", grpc_status(denial.kind));
                (200, "grpc-status")
            }
            None => (http_status(denial.kind), "www-authenticate"),
        };
        if status == 401 {
            push(
                &mut headers,
                "www-authenticate",
                "Bearer error=\"invalid_token\"",
            );
        }
        if denial.readable {
            let origin = request.lines("origin")[0].to_vec();
            headers.push(("access-control-allow-origin".to_owned(), origin));
            if denial.credentials.unwrap_or(self.settings.credentials) {
                push(&mut headers, "access-control-allow-credentials", "true");
            }
            push(&mut headers, "access-control-expose-headers", reason);
        }
        self.own_answer(status, headers, &self.facts.vary(), Some(denial.kind))
    }

    /// <https://fetch.spec.whatwg.org/#cors-preflight-fetch>: the whole lists, also where something
    /// that is asked for is not on them.
    fn grant_preflight(&self, origin: Option<Vec<u8>>, grant: &Grant, asked: &Preflight) -> Answer {
        let mut grant = grant.clone();
        if self.facts.is_broad {
            // `build` has made sure that the layer's own lists have no wildcard.
            grant.credentials = Some(false);
            grant.methods = grant.methods.filter(|methods| !methods.any);
            grant.headers = grant.headers.filter(|headers| !headers.any);
        }
        let (origin, credentials) = self.allowed(origin, &grant);
        let methods = grant.methods.as_ref().unwrap_or(&self.settings.methods);
        let allowed_headers = grant.headers.as_ref().unwrap_or(&self.settings.headers);
        let mut headers = vec![("access-control-allow-origin".to_owned(), origin)];
        if credentials {
            push(&mut headers, "access-control-allow-credentials", "true");
        }
        let methods_value = allow_methods(methods, credentials, &asked.method);
        push(&mut headers, "access-control-allow-methods", &methods_value);
        let names = allow_headers(allowed_headers, credentials, &asked.headers);
        if !names.is_empty() {
            push(
                &mut headers,
                "access-control-allow-headers",
                &names.join(","),
            );
        }
        // Without the header, browsers keep an answer for 5 seconds.
        let own = self.settings.max_age;
        let seconds = match grant.max_age_cap {
            Some(cap) if cap < own.unwrap_or(5) => Some(cap),
            _ => own,
        };
        if let Some(seconds) = seconds {
            push(&mut headers, "access-control-max-age", &seconds.to_string());
        }
        let vary = self.facts.preflight_vary(&self.settings, self.is_by_method);
        let shortfall = shortfall(methods, allowed_headers, asked);
        self.own_answer(self.settings.preflight_status, headers, &vary, shortfall)
    }

    fn refuse_preflight(&self, kind: &'static str) -> Answer {
        let vary = self.facts.preflight_vary(&self.settings, self.is_by_method);
        self.own_answer(403, Headers::new(), &vary, Some(kind))
    }

    /// The origin that is named, and whether credentials go with it: never with `*`
    /// (<https://fetch.spec.whatwg.org/#cors-protocol-and-credentials>).
    fn allowed(&self, origin: Option<Vec<u8>>, grant: &Grant) -> (Vec<u8>, bool) {
        match origin {
            Some(origin) if !grant.any_origin => (
                origin,
                grant.credentials.unwrap_or(self.settings.credentials),
            ),
            _ => (b"*".to_vec(), false),
        }
    }

    /// The inner service's response with these headers, and `Vary`.
    fn forward(
        &self,
        mut headers: Headers,
        inner: &Headers,
        status: u16,
        denial: Option<&'static str>,
    ) -> Answer {
        headers.retain(|(name, _)| name != "vary");
        let vary = merge::vary(&lines(inner, "vary"), &self.facts.vary());
        if !vary.is_empty() {
            push(&mut headers, "vary", &vary.join(","));
        }
        if self.facts.private {
            headers.retain(|(name, _)| name != "cache-control");
            for line in merge::private(&lines(inner, "cache-control")) {
                headers.push(("cache-control".to_owned(), line));
            }
        }
        self.finish(status, true, headers, denial)
    }

    fn own_answer(
        &self,
        status: u16,
        mut headers: Headers,
        vary: &[String],
        denial: Option<&'static str>,
    ) -> Answer {
        if self.facts.no_store {
            push(&mut headers, "cache-control", "no-store");
        }
        if !vary.is_empty() {
            push(&mut headers, "vary", &vary.join(","));
        }
        self.finish(status, false, headers, denial)
    }

    fn finish(
        &self,
        status: u16,
        is_called: bool,
        mut headers: Headers,
        denial: Option<&'static str>,
    ) -> Answer {
        headers.sort_by(|(one, _), (other, _)| one.cmp(other));
        Answer {
            status,
            is_called,
            headers,
            denial: denial.filter(|_| self.records()).map(str::to_owned),
        }
    }
}

fn push(headers: &mut Headers, name: &str, value: &str) {
    headers.push((name.to_owned(), value.as_bytes().to_vec()));
}

/// The inner service may not grant anything.
fn without_cors(inner: &Headers) -> Headers {
    let others = inner
        .iter()
        .filter(|(name, _)| !name.starts_with("access-control-"));
    others.cloned().collect()
}
