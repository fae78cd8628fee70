//! The admin page and the demo pages of `examples/apps/trusted_origins`, as people use them.

use std::time::{Duration, Instant};

use fantoccini::Locator;
use tokio::process::Command;

use crate::{
    application::built_example,
    browser::{PATIENCE, Window, in_browser},
    engine::{Engine, in_each_engine},
    process::Process,
};

/// `examples/apps/trusted_origins`, running with three replicas.
struct Service {
    replicas: [String; 3],
    trusted: String,
    untrusted: String,
    admin: String,
    process: Process,
}

impl Service {
    async fn start(options: &[&str]) -> Self {
        let mut command = Command::new(built_example("trusted_origins"));
        command.args(["--listen", "127.0.0.1:0", "--replicas", "3"]);
        command.args(options);
        let mut process = Process::start(command);
        let first = process.line_after("listening on ").await;
        let second = process.line_after("replica 2 on ").await;
        let third = process.line_after("replica 3 on ").await;
        Self {
            replicas: [first, second, third].map(|address| format!("http://{address}")),
            trusted: process.line_after("trusted site: ").await,
            untrusted: process.line_after("untrusted site: ").await,
            admin: process.line_after("admin page: ").await,
            process,
        }
    }

    /// What a site's page gets from the other replicas with the user's cookies.
    async fn calls(&self, window: &Window, site: &str, expected: &str) {
        for replica in &self.replicas[1..] {
            self.calls_one(window, replica, site, expected).await;
        }
    }

    async fn calls_one(&self, window: &Window, replica: &str, site: &str, expected: &str) {
        let start = Instant::now();
        loop {
            window.open(&format!("{site}/?service={replica}")).await;
            let read = window.text("#read-with-cookie td:last-child").await;
            let changed = window.text("#change-with-cookie td:last-child").await;
            if read.contains(expected) && changed.contains(expected) {
                break;
            }
            assert!(start.elapsed() < PATIENCE, "{read:?}, {changed:?}");
        }
        // Neither needs an entry.
        let token = window.text("#read-with-token td:last-child").await;
        assert_eq!(token, r#"200 {"known by":"token","user":"Ada"}"#);
        let public = window.text("#public td:last-child").await;
        assert!(public.starts_with("200 "), "{public:?}");
    }
}

/// The page says the engine's message after it.
const KEPT_OUT: &str = "nothing: ";

in_each_engine! {
    an_origin_added_at_one_replica_works_at_another_until_it_is_deactivated,
    the_page_shows_replicas_of_other_processes_and_which_of_them_are_gone,
    before_anybody_has_signed_in_the_page_asks_for_a_token_and_nothing_else,
    an_open_form_does_not_conflict_with_ones_own_edits,
    in_a_narrow_window_nothing_is_cut_and_errors_are_in_sight,
}

async fn an_origin_added_at_one_replica_works_at_another_until_it_is_deactivated(engine: Engine) {
    let service = Service::start(&[]).await;
    in_browser(engine, move |window| async move {
        let Service {
            trusted, untrusted, ..
        } = &service;
        window
            .open(&format!("{}/sign-in", service.replicas[1]))
            .await;
        service.calls(&window, trusted, KEPT_OUT).await;

        // A mistake is named, and nothing is added.
        window.open(&service.admin).await;
        let all: Vec<&str> = service.replicas.iter().map(String::as_str).collect();
        shows(&window, "#replicas", &all).await;
        type_into(&window, "#name", "The trusted site").await;
        type_into(&window, "#origin", "example.com").await;
        window.click("#save").await;
        let problem = window.text("#problem:not([hidden])").await;
        assert!(problem.starts_with("origin: "), "{problem:?}");

        let beside = window
            .text("#origin[aria-invalid=true] + #origin-error")
            .await;
        assert!(beside.starts_with("origin: "), "{beside:?}");

        // Cookies are a decision, and off unless somebody makes it.
        type_into(&window, "#origin", trusted).await;
        window.click("#allow_credentials").await;
        window.click("#save").await;
        let row = format!("[data-origin='{trusted}']");
        let shown = window.text(&format!("{row}[data-status=ACTIVE]")).await;
        assert!(shown.contains("The trusted site"), "{shown:?}");
        service.calls(&window, trusted, "200 {").await;
        service.calls(&window, untrusted, KEPT_OUT).await;

        // Who was refused is on the page, for administrators alone.
        window.open(&service.admin).await;
        shows(&window, "#refusals", &[untrusted]).await;
        window.text(&row).await;
        window
            .click(&format!("{row} td:last-child button:nth-child(2)"))
            .await;
        window.text(&format!("{row}[data-status=INACTIVE]")).await;
        service.calls(&window, trusted, KEPT_OUT).await;
    })
    .await;
}

async fn the_page_shows_replicas_of_other_processes_and_which_of_them_are_gone(engine: Engine) {
    let peer = Service::start(&[]).await;
    let at_peer = peer.replicas[0].clone();
    let service = Service::start(&["--peer", &at_peer]).await;
    in_browser(engine, move |window| async move {
        window.open(&service.admin).await;
        // Three of its own, and three of its peer.
        let all = service.replicas.iter().chain(&peer.replicas);
        let all: Vec<&str> = all.map(String::as_str).collect();
        let shown = shows(&window, "#replicas", &all).await;
        assert!(!shown.contains("unreachable"), "{shown:?}");

        drop(peer.process);
        shows(&window, "#replicas", &[&at_peer, "unreachable: "]).await;
        // Nothing pretends to be live when the page's own process is gone, either.
        drop(service.process);
        let note = window.text("#unreachable:not([hidden])").await;
        assert!(note.starts_with("Unreachable, since "), "{note:?}");
    })
    .await;
}

/// Nothing is asked without a token, so there is nothing to complain about.
async fn before_anybody_has_signed_in_the_page_asks_for_a_token_and_nothing_else(engine: Engine) {
    let service = Service::start(&[]).await;
    in_browser(engine, move |window| async move {
        // As people do who open the first address that the program prints.
        window.open(&service.replicas[0]).await;
        let asks = window.text("#signed-out:not([hidden])").await;
        assert!(asks.contains("token"), "{asks:?}");
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(is_hidden(&window, "#problem").await);
        assert!(is_hidden(&window, "#signed-in").await);

        type_into(&window, "#token", "wrong").await;
        window.click("#sign-in button").await;
        let problem = window.text("#problem:not([hidden])").await;
        assert_eq!(problem, "The service does not know this token.");
        assert!(is_hidden(&window, "#signed-in").await);
        type_into(&window, "#token", "demo-admin").await;
        window.click("#sign-in button").await;
        let none = window
            .text("#signed-in:not([hidden]) #none:not([hidden])")
            .await;
        assert!(none.starts_with("There is no entry yet"), "{none:?}");
        assert!(is_hidden(&window, "#problem").await);
    })
    .await;
}

/// A form that is open on an entry survives what its own administrator does to the entry.
async fn an_open_form_does_not_conflict_with_ones_own_edits(engine: Engine) {
    let service = Service::start(&[]).await;
    in_browser(engine, move |window| async move {
        window.open(&service.admin).await;
        window.text("#none:not([hidden])").await;
        type_into(&window, "#name", "Shop").await;
        type_into(&window, "#origin", "https://shop.example").await;
        window.click("#save").await;
        let row = "[data-origin='https://shop.example']";
        let button = |number: u32| format!("{row} td:last-child button:nth-child({number})");
        window.text(&format!("{row}[data-status=ACTIVE]")).await;
        window.click(&button(1)).await;
        type_into(&window, "#name", "Store").await;
        window.click(&button(2)).await;
        window.text(&format!("{row}[data-status=INACTIVE]")).await;
        window.click("#save").await;
        let title = "#form-title";
        let start = Instant::now();
        while window.text(title).await != "Add an origin" {
            let problem = window.text("#problem").await;
            assert!(start.elapsed() < Duration::from_secs(20), "{problem:?}");
        }
        // The row is made anew meanwhile; the table stays.
        shows(&window, "#entries", &["Store", "inactive"]).await;

        // The form of an entry that is gone is closed with it.
        window.click(&button(1)).await;
        assert_eq!(window.text(title).await, "Edit Store");
        let yes = "window.confirm = () => true; return null;";
        window.run(yes, Vec::new()).await;
        window.click(&button(3)).await;
        window.text("#none:not([hidden])").await;
        assert_eq!(window.text(title).await, "Add an origin");
        assert!(is_hidden(&window, "#problem").await);
    })
    .await;
}

async fn in_a_narrow_window_nothing_is_cut_and_errors_are_in_sight(engine: Engine) {
    let service = Service::start(&[]).await;
    in_browser(engine, move |window| async move {
        window.client.set_window_size(400, 900).await.unwrap();
        let Service { untrusted, .. } = &service;
        let first = &service.replicas[0];
        window.open(&format!("{untrusted}/?service={first}")).await;
        window.text("#read-with-cookie[data-state=kept-out]").await;
        assert_eq!(overflow(&window).await, 0);

        // A refused page can be trusted from where it is shown.
        window.open(&service.admin).await;
        shows(&window, "#refusals", &[untrusted]).await;
        assert_eq!(overflow(&window).await, 0);
        window.click("#refusals td:last-child button").await;
        let filled = "return document.getElementById('origin').value;";
        assert_eq!(window.run(filled, Vec::new()).await, untrusted.as_str());

        // The name is missing, and that is told where somebody who has pressed the button looks.
        window.click("#save").await;
        window.text("#problem:not([hidden])").await;
        let in_sight = "
            const { top, bottom } = document.getElementById('problem').getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight && document.activeElement.id === 'name';";
        assert_eq!(window.run(in_sight, Vec::new()).await, true);
        type_into(&window, "#name", "The other site").await;
        window.click("#save").await;
        window.text(&format!("[data-origin='{untrusted}']")).await;
        assert_eq!(overflow(&window).await, 0);
    })
    .await;
}

async fn is_hidden(window: &Window, css: &str) -> bool {
    let element = window.client.find(Locator::Css(css)).await.unwrap();
    !element.is_displayed().await.unwrap()
}

/// By how many pixels the page is wider than the window.
async fn overflow(window: &Window) -> i64 {
    let wider = "
        const root = document.documentElement;
        return root.scrollWidth - root.clientWidth;";
    window.run(wider, Vec::new()).await.as_i64().unwrap()
}

/// Waits until a table, whose rows come and go every second, has all these texts.
async fn shows(window: &Window, table: &str, texts: &[&str]) -> String {
    let start = Instant::now();
    loop {
        let shown = window.text(table).await;
        if texts.iter().all(|text| shown.contains(text)) {
            return shown;
        }
        assert!(start.elapsed() < PATIENCE, "{shown:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn type_into(window: &Window, css: &str, text: &str) {
    let field = window.client.find(Locator::Css(css)).await.unwrap();
    field.clear().await.unwrap();
    field.send_keys(text).await.unwrap();
}
