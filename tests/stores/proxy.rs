use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A wire between a replica and its store, which can be cut.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    is_cut: Arc<AtomicBool>,
    cut: watch::Sender<Cut>,
}

/// How connections end.
#[derive(Clone, Copy)]
enum Cut {
    /// In the middle of whatever they were saying.
    Closed,
    /// Not at all: nothing comes any more, and nobody is told.
    Frozen,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            is_cut: Arc::default(),
            cut: watch::Sender::new(Cut::Closed),
        };
        let (is_cut, cut) = (Arc::clone(&proxy.is_cut), proxy.cut.subscribe());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let mut cut = cut.clone();
                cut.mark_unchanged();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(("127.0.0.1", port)).await?;
                    tokio::select! {
                        copied = copy_bidirectional(&mut near, &mut far) => copied.map(drop),
                        _ = cut.changed() => {
                            let how = *cut.borrow_and_update();
                            if let Cut::Frozen = how {
                                // Until the runtime ends.
                                pending::<()>().await;
                            }
                            Ok(())
                        }
                    }
                });
            }
        });
        proxy
    }

    /// Ends all connections, and lets no new one through.
    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        self.cut.send_replace(Cut::Closed);
    }

    /// Carries nothing more on the connections that there are. New ones get through.
    pub(crate) fn freeze(&self) {
        self.cut.send_replace(Cut::Frozen);
    }

    pub(crate) fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}
