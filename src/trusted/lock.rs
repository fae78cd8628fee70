//! Taking a lock.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also when another thread has panicked while it held the lock.
///
/// These locks never leave their data half changed: code that may panic, such as an application's
/// filter or waker, runs outside of them. A registry that refuses everybody for ever because of one
/// panic elsewhere would be the greater harm.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
