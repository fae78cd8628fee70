use std::{
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

/// A wire between a replica and its store, which can be cut.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    is_cut: Arc<AtomicBool>,
    cut: watch::Sender<Cut>,
    /// Milliseconds by which the answers of the store are delayed.
    delay: Arc<AtomicU64>,
}

/// How connections end.
#[derive(Clone, Copy)]
enum Cut {
    /// In the middle of whatever they were saying.
    Closed,
    /// Not at all: nothing comes any more, and neither side learns of it.
    Frozen,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            is_cut: Arc::default(),
            cut: watch::Sender::new(Cut::Closed),
            delay: Arc::default(),
        };
        let (is_cut, cut) = (Arc::clone(&proxy.is_cut), proxy.cut.subscribe());
        let delay = Arc::clone(&proxy.delay);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if is_cut.load(Ordering::SeqCst) {
                    continue;
                }
                let mut cut = cut.clone();
                cut.mark_unchanged();
                let delay = Arc::clone(&delay);
                tokio::spawn(async move {
                    let far = TcpStream::connect(("127.0.0.1", port)).await?;
                    let (from_far, mut to_far) = far.into_split();
                    let (mut from_near, to_near) = near.into_split();
                    tokio::select! {
                        copied = copy(&mut from_near, &mut to_far) => copied.map(drop),
                        copied = copy_late(from_far, to_near, &delay) => copied,
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

    /// Delays the answers of the store from now on.
    pub(crate) fn delay(&self, delay: Duration) {
        let millis = u64::try_from(delay.as_millis()).unwrap();
        self.delay.store(millis, Ordering::SeqCst);
    }

    pub(crate) fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

async fn copy_late(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    delay: &AtomicU64,
) -> io::Result<()> {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let write = tokio::spawn(async move {
        while let Some((due, bytes)) = receiver.recv().await {
            sleep_until(due).await;
            let bytes: Vec<u8> = bytes;
            to.write_all(&bytes).await?;
        }
        io::Result::Ok(())
    });
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let len = from.read(&mut buffer).await?;
        let due = Instant::now() + Duration::from_millis(delay.load(Ordering::SeqCst));
        if len == 0 || sender.send((due, buffer[..len].to_vec())).is_err() {
            break;
        }
    }
    drop(sender);
    write.await?
}
