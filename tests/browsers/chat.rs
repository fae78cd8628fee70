//! The pages of the example, as a person sees them.

use axum::{Router, routing::get};
use fantoccini::Locator;
use serde_json::json;
use tower_cors::CorsLayer;

use crate::{
    application::Application,
    browser::{FAILED, in_browser},
    console::Message,
    engine::{Engine, in_each_engine},
    scene::Scene,
};

in_each_engine! {
    a_page_that_the_token_names_chats,
    a_foreign_page_is_refused_and_says_why,
    a_foreign_page_that_skips_discovery_is_refused,
    a_sandboxed_frame_is_refused,
    a_page_can_read_that_its_token_has_expired,
    a_page_whose_session_has_ended_is_refused,
    a_listed_page_with_somebody_elses_token_is_refused,
}

async fn a_page_that_the_token_names_chats(engine: Engine) {
    let application = Application::start().await;
    in_browser(engine, move |window| async move {
        for (name, origin) in [
            ("Contoso", &application.contoso),
            ("Litware", &application.litware),
        ] {
            window.open(origin).await;
            window.text("[data-state=chatting]").await;
            assert_eq!(window.text("#verdict-title").await, "Let in");
            assert_eq!(window.text("#origin").await, *origin);
            let echo = window.text("#transcript li:nth-child(1)").await;
            assert!(
                echo.starts_with(&format!("Hello from {name}\n")),
                "{echo:?}"
            );

            let input = window.client.find(Locator::Id("text")).await.unwrap();
            input.send_keys("Is my order on its way?").await.unwrap();
            window.click("#send button").await;
            let echo = window.text("#transcript li:nth-child(2)").await;
            assert!(echo.starts_with("Is my order on its way?\n"), "{echo:?}");
            assert_eq!(window.console.messages().await, [""; 0]);
        }
    })
    .await;
}

async fn a_foreign_page_is_refused_and_says_why(engine: Engine) {
    let application = Application::start().await;
    in_browser(engine, move |window| async move {
        window.open(&application.fabrikam).await;
        window.text("[data-state=refused]").await;
        let title = window.text("#verdict-title").await;
        assert_eq!(title, "Kept out: the token does not name this page");
        let why = window.text("#why").await;
        for origin in [
            &application.contoso,
            &application.litware,
            &application.fabrikam,
        ] {
            assert!(why.contains(origin.as_str()), "{why}");
        }
        assert_eq!(
            window.text("#steps tr:last-child td:first-child").await,
            "Discover"
        );
        // In the words of this browser, which tell no more.
        let result = window.text("#steps tr:last-child td:last-child").await;
        let words = engine.network_error();
        assert_eq!(result, format!("nothing: the browser says “{words}”"));
        window.console.expect(&Message::NO_ALLOW_ORIGIN).await;
    })
    .await;
}

/// A page that has been told everything: the token, and where the chat is.
async fn a_foreign_page_that_skips_discovery_is_refused(engine: Engine) {
    let application = Application::start().await;
    in_browser(engine, move |window| async move {
        let issued = application.issue(&application.contoso).await;
        let bearer = format!("Bearer {}", issued["token"].as_str().unwrap());
        let join = format!("{}/ucwa/psanon/v1/applications", application.messaging);
        let init = json!({ "method": "POST", "headers": { "Authorization": bearer } });

        window.open(&application.fabrikam).await;
        window.text("[data-state=refused]").await;
        assert_eq!(window.fetch(&join, init.clone()).await, FAILED);
        window.console.expect(&Message::PREFLIGHT_REFUSED).await;

        // The same from a page that the token names.
        window.open(&application.contoso).await;
        window.text("[data-state=chatting]").await;
        assert_eq!(window.fetch(&join, init).await["status"], 201);
    })
    .await;
}

async fn a_sandboxed_frame_is_refused(engine: Engine) {
    let application = Application::start().await;
    let open = Router::new().route("/", get(async || "hello"));
    let open = Scene::serve(open.layer(CorsLayer::permissive())).await;
    in_browser(engine, move |window| async move {
        window
            .open(&format!("{}/framed", application.contoso))
            .await;
        window.client.enter_frame(0).await.unwrap();
        window.text("[data-state=refused]").await;
        assert_eq!(window.text("#origin").await, "null");
        let title = window.text("#verdict-title").await;
        assert_eq!(title, "Kept out: this page has no origin of its own");
        // Frames of another process do not write to the console that is read here, so the same
        // request once more: the frame can read what everybody may, and not this.
        assert_eq!(
            window.fetch(&open.url("/"), json!({})).await["text"],
            "hello"
        );
        let issued = application.issue(&application.contoso).await;
        let discover = &issued["_links"]["service:discover"]["href"];
        let discover = discover.as_str().unwrap();
        assert_eq!(window.fetch(discover, json!({})).await, FAILED);
    })
    .await;
}

async fn a_page_can_read_that_its_token_has_expired(engine: Engine) {
    let application = Application::start().await;
    in_browser(engine, move |window| async move {
        window
            .open(&format!("{}/?token=expired", application.contoso))
            .await;
        window.text("[data-state=expired]").await;
        let result = window.text("#steps td:last-child").await;
        assert_eq!(result, "401 Unauthorized (Bearer error=\"invalid_token\")");

        // The same token on a page that it does not name.
        window
            .open(&format!("{}/?token=expired", application.fabrikam))
            .await;
        window.text("[data-state=refused]").await;
    })
    .await;
}

async fn a_page_whose_session_has_ended_is_refused(engine: Engine) {
    let application = Application::start().await;
    in_browser(engine, move |window| async move {
        window.client.set_window_size(400, 700).await.unwrap();
        window.open(&application.contoso).await;
        window.text("[data-state=chatting]").await;
        let fits = "
            const { scrollWidth, scrollHeight, clientWidth } = document.documentElement;
            return scrollWidth <= clientWidth && scrollHeight < 2500;";
        assert_eq!(window.run(fits, Vec::new()).await, true);
        window.click("#end").await;
        window.text("[data-state=refused]").await;
        window.text("#ended:not([hidden])").await;
        // In sight, wherever the button was.
        let in_sight = "
            const { top, bottom } = document.getElementById('verdict').getBoundingClientRect();
            return [top, innerHeight - bottom].map(Math.round);";
        let beyond = window.run(in_sight, Vec::new()).await;
        let beyond: Vec<i64> = serde_json::from_value(beyond).unwrap();
        assert!(beyond.iter().all(|margin| *margin >= 0), "{beyond:?}");
        assert_eq!(
            window.text("#verdict-title").await,
            "Kept out: the session has ended"
        );
        window.console.expect(&Message::NO_ALLOW_ORIGIN).await;
        assert!(
            window
                .client
                .find(Locator::Css("#transcript li:nth-child(2)"))
                .await
                .is_err()
        );
    })
    .await;
}

async fn a_listed_page_with_somebody_elses_token_is_refused(engine: Engine) {
    let application = Application::start().await;
    in_browser(engine, move |window| async move {
        window
            .open(&format!("{}/?token=other", application.contoso))
            .await;
        window.text("[data-state=refused]").await;
        let title = window.text("#verdict-title").await;
        assert_eq!(title, "Kept out: the token does not name this page");
        let why = window.text("#why").await;
        assert!(
            why.contains(&format!("may be used from {}.", application.litware)),
            "{why}"
        );

        // The preflight tells only that some token names the page; the request tells the rest.
        let issued = application.issue(&application.litware).await;
        let bearer = format!("Bearer {}", issued["token"].as_str().unwrap());
        let join = format!("{}/ucwa/psanon/v1/applications", application.messaging);
        let init = json!({ "method": "POST", "headers": { "Authorization": bearer } });
        application.issue(&application.contoso).await;
        window.console.messages().await;
        assert_eq!(window.fetch(&join, init).await, FAILED);
        window.console.expect(&Message::NO_ALLOW_ORIGIN).await;
    })
    .await;
}
