//! A registry whose clock jumps, by a day in either direction, while it follows a real store.
//!
//! By default a registry measures time with the machine's monotonic clock, which does not jump. The
//! stores ask no server for the time: edits are dated by who makes them.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use tower_cors::{
    time::Clock,
    trusted::{registry::OriginRegistry, replica::WhenStale},
};

use crate::{
    scene::{Following, RARELY, actor, agree, connect, draft, eventually, insist, origin},
    server::{Kind, Server},
};

#[derive(Clone, Debug)]
struct SetByHand(Arc<Mutex<SystemTime>>);

impl SetByHand {
    fn change(&self, by: impl FnOnce(SystemTime) -> SystemTime) {
        let mut now = self.0.lock().unwrap();
        *now = by(*now);
    }
}

impl Clock for SetByHand {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: run scripts/stores.sh"]
async fn a_clock_that_jumps_loses_no_edit_of_postgres() {
    a_clock_that_jumps_loses_no_edit(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server: run scripts/stores.sh"]
async fn a_clock_that_jumps_loses_no_edit_of_nats() {
    a_clock_that_jumps_loses_no_edit(Kind::Nats).await;
}

async fn a_clock_that_jumps_loses_no_edit(kind: Kind) {
    let server = Server::start(kind);
    let url = server.url_at(server.port());
    let store = connect(kind, &url).await;
    let clock = SetByHand(Arc::new(Mutex::new(SystemTime::now())));
    // Moments before the registry was made cannot be told apart.
    let origins = OriginRegistry::with_clock(clock.clone());
    clock.change(|now| now + 10 * DAY);
    let stale = WhenStale::FailClosedAfter(DAY / 2);
    let replica = Following::with(origins, connect(kind, &url).await, RARELY, stale).await;
    let edit = async |name: &str| {
        insist(name, async || store.create(draft(name), actor("ann")).await).await;
        eventually(name, || replica.origins.is_trusted(&origin(name))).await;
    };
    edit("before").await;

    // While the store says nothing, the registry is as old as its clock says.
    server.halt();
    eventually("it trusts nobody", || {
        clock.change(|now| now + DAY);
        !replica.origins.is_trusted(&origin("before"))
    })
    .await;
    server.go_on();
    eventually("it trusts again, with the next news", || {
        replica.origins.is_trusted(&origin("before"))
    })
    .await;
    edit("later").await;

    clock.change(|now| now - DAY);
    edit("back").await;
    clock.change(|now| now - 100 * DAY);
    edit("earlier").await;
    agree(&store, &[&replica]).await;
}
