//! Work on all cores, with the results in the order of the input.

use std::mem;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

/// How many small items a thread takes at a time.
const CHUNK: usize = 32;

/// Returns the result of `work` for each of many small items, in their order.
pub fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let chunks: Vec<&[T]> = items.chunks(CHUNK).collect();
    let work = |chunk: &&[T]| chunk.iter().map(&work).collect::<Vec<R>>();
    in_order(&chunks, work, |_| {}).into_iter().flatten().collect()
}

/// As [`each`], for items that are used up.
pub fn each_of<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let (mut chunks, mut items) = (Vec::new(), items.into_iter().peekable());
    while items.peek().is_some() {
        let chunk: Vec<T> = items.by_ref().take(CHUNK).collect();
        chunks.push(Mutex::new(chunk));
    }
    let work = |chunk: &Mutex<Vec<T>>| {
        let chunk = mem::take(&mut *chunk.lock().unwrap_or_else(PoisonError::into_inner));
        chunk.into_iter().map(&work).collect::<Vec<R>>()
    };
    in_order(&chunks, work, |_| {}).into_iter().flatten().collect()
}

/// Returns the result of `work` for each item, in their order. `begun` is called on this thread with the index of each
/// item that a worker starts.
pub fn in_order<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync, mut begun: impl FnMut(usize)) -> Vec<R> {
    enum Event<R> {
        Begun(usize),
        Done(usize, R),
    }
    if items.len() < 2 {
        let each = items.iter().enumerate().map(|(index, item)| {
            begun(index);
            work(item)
        });
        return each.collect();
    }
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    let next = AtomicUsize::new(0);
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..workers {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { break };
                    // The receiver lives until every worker is done.
                    let _ = sender.send(Event::Begun(index));
                    let _ = sender.send(Event::Done(index, work(item)));
                }
            });
        }
        drop(sender);
        for event in receiver {
            match event {
                Event::Begun(index) => begun(index),
                Event::Done(index, result) => results[index] = Some(result),
            }
        }
    });
    // A worker that panicked has ended the scope, and this thread with it.
    results.into_iter().flatten().collect()
}

/// Returns the result of `beside`, which runs on a thread of its own, and that of `here`.
pub fn both<A: Send, B>(beside: impl FnOnce() -> A + Send, here: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let beside = scope.spawn(beside);
        let here = here();
        match beside.join() {
            Ok(beside) => (beside, here),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn two_things_are_done_at_once() {
        let (sender, receiver) = mpsc::channel();
        let waits = || receiver.recv_timeout(Duration::from_secs(60)).unwrap();
        let sends = move || {
            sender.send(7).unwrap();
            "sent"
        };
        assert_eq!(both(sends, waits), ("sent", 7));
    }

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..20).rev().collect();
        let mut begun = Vec::new();
        let work = |item: &u64| {
            thread::sleep(Duration::from_millis(item % 3));
            item * 2
        };
        let doubled = in_order(&items, work, |index| begun.push(index));
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        begun.sort_unstable();
        assert_eq!(begun, (0..20).collect::<Vec<_>>());
        assert!(in_order(&[], work, |_| {}).is_empty());
        let items: Vec<u64> = (0..100).collect();
        assert_eq!(
            each(&items, |item| item * 2),
            items.iter().map(|item| item * 2).collect::<Vec<_>>()
        );
        assert_eq!(each_of(items.clone(), |item| item * 2), each(&items, |item| item * 2));
    }
}
