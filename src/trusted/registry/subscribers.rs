//! Queues of news, one for each subscriber.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, Weak},
    task::{Context, Poll, Waker},
};

use futures_util::Stream;

use crate::lock::lock;

/// All listeners.
pub(crate) struct Subscribers<T> {
    queues: Vec<Weak<Queue<T>>>,
}

/// One listener: a stream, which ends when the [`Subscribers`] are dropped.
pub(crate) struct Subscription<T> {
    queue: Arc<Queue<T>>,
}

/// An item of a subscriber's queue.
pub(crate) enum News<T> {
    Item(T),
    /// The queue was full: so many items before the next one are gone.
    Missed(u64),
}

impl<T: Clone> Subscribers<T> {
    pub(crate) fn subscribe(&mut self, capacity: usize) -> Subscription<T> {
        let queue = Arc::new(Queue {
            capacity: capacity.max(1),
            state: Mutex::default(),
        });
        self.queues.retain(|queue| queue.strong_count() > 0);
        self.queues.push(Arc::downgrade(&queue));
        Subscription { queue }
    }

    /// Queues the items, and adds those who are to be woken to `wakers`. They are woken when the
    /// caller's lock is free again, because they may need it.
    pub(crate) fn deliver(&mut self, items: &[T], wakers: &mut Vec<Waker>) {
        if items.is_empty() {
            return;
        }
        self.queues.retain(|queue| {
            let Some(queue) = queue.upgrade() else {
                return false;
            };
            let mut state = lock(&queue.state);
            for item in items {
                if state.waiting.len() == queue.capacity {
                    state.waiting.pop_front();
                    state.missed += 1;
                }
                state.waiting.push_back(item.clone());
            }
            wakers.extend(state.waker.take());
            true
        });
    }

    pub(crate) fn has_any(&self) -> bool {
        !self.queues.is_empty()
    }
}

impl<T> Default for Subscribers<T> {
    fn default() -> Self {
        Self { queues: Vec::new() }
    }
}

impl<T> Drop for Subscribers<T> {
    fn drop(&mut self) {
        for queue in self.queues.iter().filter_map(Weak::upgrade) {
            let mut state = lock(&queue.state);
            state.is_closed = true;
            let waker = state.waker.take();
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl<T> Subscription<T> {
    pub(crate) fn try_next(&self) -> Option<News<T>> {
        lock(&self.queue.state).take()
    }
}

impl<T> Stream for Subscription<T> {
    type Item = News<T>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<News<T>>> {
        let mut state = lock(&self.queue.state);
        match state.take() {
            Some(news) => Poll::Ready(Some(news)),
            None if state.is_closed => Poll::Ready(None),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

struct Queue<T> {
    capacity: usize,
    state: Mutex<QueueState<T>>,
}

struct QueueState<T> {
    waiting: VecDeque<T>,
    missed: u64,
    is_closed: bool,
    waker: Option<Waker>,
}

impl<T> QueueState<T> {
    fn take(&mut self) -> Option<News<T>> {
        match std::mem::take(&mut self.missed) {
            0 => self.waiting.pop_front().map(News::Item),
            missed => Some(News::Missed(missed)),
        }
    }
}

impl<T> Default for QueueState<T> {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            missed: 0,
            is_closed: false,
            waker: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where nothing is ever delivered, nothing else would free them.
    #[test]
    fn queues_of_subscriptions_that_were_dropped_do_not_pile_up() {
        let mut subscribers = Subscribers::<u32>::default();
        let kept = subscribers.subscribe(1);
        for _ in 0..100 {
            drop(subscribers.subscribe(1));
        }
        let last = subscribers.subscribe(1);
        assert_eq!(subscribers.queues.len(), 2);
        subscribers.deliver(&[7], &mut Vec::new());
        for subscription in [kept, last] {
            assert!(matches!(subscription.try_next(), Some(News::Item(7))));
        }
    }
}
