//! The answers of the admin API.

use axum::http::{
    Method,
    header::{AUTHORIZATION, HOST, LINK},
};
use reqwest::Response;
use serde_json::{Value, json};

use super::{Check, ENTRIES, text};
use crate::Error;

impl Check<'_> {
    /// Every mistake is answered in one form, which names the field.
    pub(super) async fn refusals(&mut self, replica: &str, draft: &Value) -> Result<(), Error> {
        for (field, value) in [
            ("name", json!("")),
            ("name", json!(5)),
            ("origin", json!("example.com")),
            ("origin", Value::Null),
            ("scopes", json!(["EVERYTHING"])),
            ("scopes", json!("CORS")),
            ("scopes", json!([1])),
            ("status", json!("ON")),
            ("allow_credentials", json!("yes")),
            ("dangerously_allow_insecure", json!(1)),
            ("origin", json!("*")),
            ("origin", json!("http://10.0.0.0/8:*")),
            ("credentials", json!(true)),
        ] {
            let mut wrong = draft.clone();
            wrong[field] = value;
            let answer = self
                .api(Method::POST, replica, ENTRIES, None, Some(&wrong))
                .await?;
            self.names_field(field, answer, field).await?;
        }
        for field in ["name", "origin", "scopes"] {
            let mut wrong = draft.clone();
            wrong.as_object_mut().map(|fields| fields.remove(field));
            let answer = self
                .api(Method::POST, replica, ENTRIES, None, Some(&wrong))
                .await?;
            self.names_field(field, answer, field).await?;
        }

        // Errors from before the body is read have the same form.
        let unread = format!("{replica}{ENTRIES}");
        let entry = format!("{unread}/0000000000000001");
        for (request, status, code) in [
            (self.client.post(&unread).body("{"), 400, "E0000003"),
            (self.client.post(&unread).body("[]"), 400, "E0000003"),
            (
                self.client.post(&unread).body("x".repeat(20_000)),
                413,
                "E0000003",
            ),
            (self.client.patch(&unread), 405, "E0000022"),
            (
                self.client.get(format!("{replica}/api/v1/x")),
                404,
                "E0000008",
            ),
            (self.client.get(format!("{unread}/%FF")), 404, "E0000007"),
            (
                self.client.delete(&entry).header("if-match", "7"),
                400,
                "E0000001",
            ),
        ] {
            let answer = request.bearer_auth(self.token).send().await?;
            let step = format!("{status} {code}");
            self.expect(&step, &answer.status(), &status);
            let body: Value = answer.json().await?;
            self.expect(&step, &text(&body["errorCode"]), code);
        }
        Ok(())
    }

    /// The checks of the token and of the host.
    pub(super) async fn guards(&mut self, replica: &str) -> Result<(), Error> {
        let entries = format!("{replica}{ENTRIES}");
        for token in ["", "demo-admi", "demo-admin2"] {
            let header = format!("Bearer {token}");
            let request = self.client.get(&entries).header(AUTHORIZATION, header);
            let step = format!("the token {token:?}");
            self.expect(&step, &request.send().await?.status(), &401);
        }
        // The name of a site that leads to this machine, as DNS rebinding has it.
        let request = self.client.get(&entries).header(HOST, "evil.example");
        let foreign = request.bearer_auth(self.token).send().await?;
        self.expect("a foreign name", &foreign.status(), &421);
        let request = self.client.get(&entries).bearer_auth(self.token);
        let answer = request.send().await?;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
        ] {
            let sent = answer.headers().get(name);
            let sent = sent.and_then(|sent| sent.to_str().ok());
            self.expect(name, &sent, &Some(value));
        }
        Ok(())
    }

    /// An entry may be sent back as it was read, with the fields that the store sets.
    pub(super) async fn puts_back(&mut self, replica: &str, path: &str) -> Result<(), Error> {
        let read = self.api(Method::GET, replica, path, None, None).await?;
        let mut entry: Value = read.json().await?;
        let same = self
            .api(Method::PUT, replica, path, None, Some(&entry))
            .await?;
        self.expect("what was read", &same.status(), &200);
        entry["id"] = json!("0000000000000001");
        let other = self
            .api(Method::PUT, replica, path, None, Some(&entry))
            .await?;
        self.names_field("another id", other, "id").await
    }

    /// A range of addresses is an entry with a permission of its own.
    pub(super) async fn ranges(&mut self, replica: &str, name: &str) -> Result<(), Error> {
        let range = format!("http://10.{}.0.0/16:{}", name.len() % 256, self.port());
        let draft = json!({
            "name": format!("range {name}"),
            "origin": range,
            "scopes": ["CORS"],
            "dangerously_allow_insecure": true,
        });
        let created = self
            .api(Method::POST, replica, ENTRIES, None, Some(&draft))
            .await?;
        self.expect("a range", &created.status(), &201);
        let created: Value = created.json().await?;
        self.expect("a range", &text(&created["origin"]), &*range);
        let path = format!("{ENTRIES}/{}", text(&created["id"]));
        self.puts_back(replica, &path).await?;
        let done = self.api(Method::DELETE, replica, &path, None, None).await?;
        self.expect("delete", &done.status(), &204);
        Ok(())
    }

    /// An origin is shown as browsers send it, however it was written.
    pub(super) async fn spells(&mut self, replica: &str, name: &str) -> Result<(), Error> {
        let host = format!("spelt-{}.example", name.len() + usize::from(self.port()));
        let sent = format!("https://*.{host}");
        let mut draft = json!({
            "name": format!("spelt {name}"),
            "origin": format!("HTTPS://*.{}:443", host.to_uppercase()),
            "scopes": ["CORS"],
        });
        let created = self
            .api(Method::POST, replica, ENTRIES, None, Some(&draft))
            .await?;
        self.expect("another spelling", &created.status(), &201);
        let created: Value = created.json().await?;
        self.expect("its spelling", &text(&created["origin"]), &*sent);
        draft["name"] = json!(format!("twin of {name}"));
        let twin = self
            .api(Method::POST, replica, ENTRIES, None, Some(&draft))
            .await?;
        self.expect("the same origin", &twin.status(), &409);
        let body: Value = twin.json().await?;
        let summary = "Api validation failed: origin";
        self.expect("the same origin", &text(&body["errorSummary"]), summary);
        let path = format!("{ENTRIES}/{}", text(&created["id"]));
        let done = self.api(Method::DELETE, replica, &path, None, None).await?;
        self.expect("delete", &done.status(), &204);
        Ok(())
    }

    async fn names_field(
        &mut self,
        step: &str,
        answer: Response,
        field: &str,
    ) -> Result<(), Error> {
        self.expect(step, &answer.status(), &400);
        let body: Value = answer.json().await?;
        self.expect(step, &text(&body["errorCode"]), "E0000001");
        let summary = format!("Api validation failed: {field}");
        self.expect(step, &text(&body["errorSummary"]), &summary);
        let cause = text(&body["errorCauses"][0]["errorSummary"]);
        let begins = cause.starts_with(&format!("{field}: "));
        self.expect(step, &begins, &true);
        Ok(())
    }

    /// Searches, filters, and goes through the pages.
    pub(super) async fn lists(&mut self, replica: &str, name: &str) -> Result<(), Error> {
        let mut paths = Vec::new();
        for number in 0..5 {
            let scope = ["CORS", "REDIRECT"][number % 2];
            let status = ["ACTIVE", "INACTIVE"][number / 3];
            let draft = json!({
                "name": format!("list {name} {number}"),
                "origin": format!("https://list-{number}-{}.example", name.len() + usize::from(self.port())),
                "scopes": [scope],
                "status": status,
            });
            let created = self
                .api(Method::POST, replica, ENTRIES, None, Some(&draft))
                .await?;
            self.expect("create", &created.status(), &201);
            let created: Value = created.json().await?;
            paths.push(format!("{ENTRIES}/{}", text(&created["id"])));
        }
        let q = format!("LIST {name}").replace(' ', "%20");
        for (query, expected) in [
            ("", 5),
            ("&scope=CORS", 3),
            ("&status=INACTIVE", 2),
            ("&status=INACTIVE&scope=REDIRECT", 1),
        ] {
            let path = format!("{ENTRIES}?q={q}{query}");
            // A replica may serve them a little later than they were made.
            let found = async |check: &Self| {
                let found = check.api(Method::GET, replica, &path, None, None).await?;
                Ok(found.json::<Vec<Value>>().await?.len())
            };
            self.comes_to(query, found, &expected).await?;
        }
        let mut next = Some(format!("{ENTRIES}?q={q}&limit=2"));
        let mut sizes = Vec::new();
        while let Some(path) = next {
            let page = self.api(Method::GET, replica, &path, None, None).await?;
            next = page.headers().get(LINK).and_then(|link| {
                let link = link.to_str().ok()?.strip_prefix('<')?;
                link.split_once('>').map(|(path, _)| path.to_owned())
            });
            sizes.push(page.json::<Vec<Value>>().await?.len());
        }
        self.expect("pages of two", &sizes, &[2, 2, 1]);
        for (query, field) in [
            ("limit=201", "limit"),
            ("status=on", "status"),
            ("scope=x", "scope"),
            ("after=x", "after"),
            ("stauts=ACTIVE", "stauts"),
        ] {
            let path = format!("{ENTRIES}?{query}");
            let refused = self.api(Method::GET, replica, &path, None, None).await?;
            self.names_field(query, refused, field).await?;
        }
        for path in paths {
            let done = self.api(Method::DELETE, replica, &path, None, None).await?;
            self.expect("delete", &done.status(), &204);
        }
        Ok(())
    }
}
