//! Work that takes its time.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use crm_core::store::StoreError;
use tokio::runtime::Handle;

use crate::error::{SqliteError, backend};

/// Does long work on a thread of its own where there is a runtime, on the spot where there is none.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let Ok(handle) = Handle::try_current() else { return work() };
    match handle.spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => Err(backend(SqliteError::Panic(error.to_string()))),
        Err(_) => Err(backend(SqliteError::Closed)),
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future to its end on this thread, even where an executor without threads of its own runs already.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
