//! What a request gets: the model of the layer as a whole.

use super::{
    config::{
        Answer, Config, Exchange, Form, Headers, Layer, MethodRule, Request, Settings, Wait, Who,
        lines,
    },
    lists::{self, Names},
    merge,
    origin::{self, Sent},
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
    InForce {
        policy: layer.policy.clone(),
        settings: layer.settings.clone(),
        facts: layer.policy.facts(),
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
            // https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches: `Vary` here too.
            return self.forward(inner.clone(), inner, status, None);
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
        let vary = self.facts.preflight_vary(self.is_by_method);
        let shortfall = shortfall(methods, allowed_headers, asked);
        self.own_answer(self.settings.preflight_status, headers, &vary, shortfall)
    }

    fn refuse_preflight(&self, kind: &'static str) -> Answer {
        let vary = self.facts.preflight_vary(self.is_by_method);
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

struct Preflight {
    method: String,
    headers: Vec<String>,
}

/// What a preflight asks for, unless it is malformed.
fn preflight(request: &Request) -> Option<Preflight> {
    Some(Preflight {
        method: lists::requested_method(&request.lines("access-control-request-method"))?,
        headers: lists::requested_headers(&request.lines("access-control-request-headers"))?,
    })
}

/// Never empty: without the header, browsers take the method that they asked for as allowed. With
/// credentials they take `*` for a method of that name, which a page can ask for.
fn allow_methods(methods: &Names, credentials: bool, asked: &str) -> String {
    if methods.any && !credentials {
        "*".to_owned()
    } else if methods.any && asked != "*" {
        asked.to_owned()
    } else if methods.listed.is_empty() {
        "GET,HEAD,POST".to_owned()
    } else {
        let mut each_once: Vec<String> = Vec::new();
        for method in &methods.listed {
            if !each_once.contains(method) {
                each_once.push(method.clone());
            }
        }
        each_once.join(",")
    }
}

/// With credentials, browsers take `*` for a header of that name, so the names that are asked for
/// and allowed take its place. As a sorted list, however they were asked for.
fn allow_headers(headers: &Names, credentials: bool, asked: &[String]) -> Vec<String> {
    if headers.any && credentials {
        let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
        let asked = Names::of(&asked).headers();
        asked
            .into_iter()
            .filter(|name| headers.allows_header(name))
            .collect()
    } else {
        let star = headers.any.then(|| "*".to_owned());
        let mut all: Vec<String> = star.into_iter().chain(headers.headers()).collect();
        all.sort();
        all
    }
}

/// What a preflight of an allowed origin asks for in vain.
fn shortfall(methods: &Names, headers: &Names, asked: &Preflight) -> Option<&'static str> {
    if !methods.allows_method(&asked.method) {
        let upper = asked.method.to_ascii_uppercase();
        let is_other_case = lists::is_safelisted_method(&upper)
            || methods
                .listed
                .iter()
                .any(|m| m.eq_ignore_ascii_case(&asked.method));
        Some(if is_other_case {
            "MethodCase"
        } else {
            "MethodNotAllowed"
        })
    } else if asked
        .headers
        .iter()
        .any(|name| !headers.allows_header(name))
    {
        Some("HeaderNotAllowed")
    } else {
        None
    }
}

/// By `Sec-Fetch-Site`, which no page can set; without it, by the host and port of the request.
fn is_same_origin(request: &Request) -> bool {
    let sites = request.lines("sec-fetch-site");
    if !sites.is_empty() {
        let says = |site: &str| sites.iter().all(|line| *line == site.as_bytes());
        return says("same-origin") || says("none");
    }
    let [line] = request.lines("origin")[..] else {
        return false;
    };
    let Some(Sent::Origin(origin)) = origin::read(line) else {
        return false;
    };
    let default = match origin.scheme.as_str() {
        "http" => "80",
        "https" => "443",
        _ => return false,
    };
    let authority = match request.uri.split_once("://") {
        Some((_, rest)) => rest.split('/').next().map(str::to_owned),
        None => match request.lines("host")[..] {
            [host] => String::from_utf8(host.to_vec()).ok(),
            _ => None,
        },
    };
    let authority = authority.map(|authority| authority.to_ascii_lowercase());
    let Some((host, port)) = authority.as_deref().and_then(origin::split_port) else {
        return false;
    };
    let number = |port: &str| {
        let is_number = !port.is_empty() && port.chars().all(|c| c.is_ascii_digit());
        port.parse::<u64>().ok().filter(|_| is_number)
    };
    let own_port = if origin.port.is_empty() {
        default
    } else {
        &origin.port
    };
    let port = number(port.unwrap_or(default));
    host == origin.host && port.is_some() && port == number(own_port)
}

fn http_status(kind: &str) -> u16 {
    match kind {
        "InvalidToken" | "ExpiredToken" => 401,
        "Unavailable" | "VerdictTimeout" => 503,
        _ => 403,
    }
}

fn grpc_status(kind: &str) -> &'static str {
    match http_status(kind) {
        401 => "16",
        503 => "14",
        _ => "7",
    }
}

/// The media type of the refusal of a gRPC request: the request's own if it is a known one.
fn grpc_media_type(request: &Request) -> Option<String> {
    let line = *request.lines("content-type").first()?;
    let text = String::from_utf8_lossy(line).to_ascii_lowercase();
    let rest = text.strip_prefix("application/grpc")?;
    if !(rest.is_empty() || rest.starts_with(['+', '-', ';', ' '])) {
        return None;
    }
    let own = text.split(';').next().unwrap().trim_end().to_owned();
    let base = own.split('+').next().unwrap().to_owned();
    let is_known = |media_type: &String| {
        let (base, subtype) = media_type.split_once('+').unwrap_or((media_type, "proto"));
        let bases = [
            "application/grpc",
            "application/grpc-web",
            "application/grpc-web-text",
        ];
        bases.contains(&base) && ["proto", "json"].contains(&subtype)
    };
    let known = [own, base].into_iter().find(is_known);
    Some(known.unwrap_or_else(|| "application/grpc".to_owned()))
}

/// The rule for the method of a request, or for the method that a preflight announces.
fn of_method(rules: &[MethodRule], request: &Request) -> InForce {
    let is_preflight = request.method == "OPTIONS" && request.has("origin");
    let announced = request.lines("access-control-request-method");
    let announced = announced.first().filter(|_| is_preflight);
    let method = announced.map_or(request.method.as_bytes(), |line| *line);

    let nobody = MethodRule {
        methods: Vec::new(),
        who: Who::Nobody,
        credentials: false,
        headers: Names::default(),
        expose: Names::default(),
        max_age: None,
        refuse: None,
    };
    let rules = rules_with_methods(rules);
    let in_force = |rule: Option<&MethodRule>| of_rule(rule.unwrap_or(&nobody), &rules);
    let is_own = |rule: &&MethodRule| rule.methods.iter().any(|own| own.as_bytes() == method);
    let own = rules.iter().find(is_own);
    if own.is_some() || announced.is_none() {
        return in_force(own);
    }
    // Browsers let these three pass whatever the answer lists, so another rule's answer would open
    // them. Any other method gets the answer of the rule that admits most.
    if lists::is_safelisted_method(&String::from_utf8_lossy(method)) {
        return in_force(None);
    }
    let mut widest = in_force(None);
    for rule in &rules {
        let rule = in_force(Some(rule));
        if rule.facts.reach > widest.facts.reach {
            widest = rule;
        }
    }
    widest
}

/// The rules with the methods that are left to them: a later rule takes a method from an earlier one.
pub fn rules_with_methods(rules: &[MethodRule]) -> Vec<MethodRule> {
    let mut left: Vec<MethodRule> = Vec::new();
    for rule in rules {
        let mut own = MethodRule {
            methods: Vec::new(),
            ..rule.clone()
        };
        for method in &rule.methods {
            for there in left.iter_mut().chain([&mut own]) {
                there.methods.retain(|there| there != method);
            }
            own.methods.push(method.clone());
        }
        left.push(own);
    }
    left.retain(|rule| !rule.methods.is_empty());
    left
}

fn of_rule(rule: &MethodRule, all: &[MethodRule]) -> InForce {
    let mut headers = rule.headers.clone();
    if matches!(rule.who, Who::Bearers | Who::TrustedOrBearers(_)) {
        headers.listed.push("authorization".to_owned());
    }
    let mut facts = facts_of(&rule.who);
    // Caches know a request by its URL, which the methods share.
    facts.no_store = all.iter().any(|rule| facts_of(&rule.who).no_store);
    facts.private = all.iter().any(|rule| facts_of(&rule.who).private);
    InForce {
        policy: policy_of(&rule.who),
        facts,
        settings: Settings {
            credentials: rule.credentials,
            methods: Names {
                any: false,
                listed: rule.methods.clone(),
            },
            headers,
            expose: rule.expose.clone(),
            max_age: rule.max_age,
            refuse: rule.refuse,
            ..Settings::default()
        },
        is_by_method: true,
        wait: Wait::Ready,
    }
}

fn policy_of(who: &Who) -> Policy {
    match who {
        Who::Nobody => Policy::Nobody,
        Who::Anybody => Policy::Any,
        Who::Bearers => Policy::BearerOr(Box::new(Policy::Nobody)),
        Who::Trusted(policy) => policy.clone(),
        Who::TrustedOrBearers(policy) => Policy::BearerOr(Box::new(policy.clone())),
    }
}

pub fn facts_of(who: &Who) -> Facts {
    policy_of(who).facts()
}
