//! Work on all cores, with the results in the order of the input.

use std::iter;
use std::mem;
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// How many small items a thread takes at a time.
const CHUNK: usize = 16;
/// How long this thread works alone: a little longer than it takes to start others and to end them.
const ALONE: Duration = Duration::from_micros(300);

/// Returns the result of `work` for each of many small items, in their order.
pub fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let chunks: Vec<&[T]> = items.chunks(CHUNK).collect();
    shared(&chunks, |chunk| chunk.iter().map(&work).collect())
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
        chunk.into_iter().map(&work).collect()
    };
    shared(&chunks, work)
}

/// Returns the results of the chunks, one behind the other. This thread works alone where it is done in a moment: to start others
/// would take as long. Once they are started it waits: Linux often puts the first thread that a busy one starts onto the core of
/// the busy one, where both share it for some milliseconds (four runs in five, on a machine of two cores).
fn shared<C: Sync, R: Send>(chunks: &[C], work: impl Fn(&C) -> Vec<R> + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let next_done = || take(&next, chunks).map(|(index, chunk)| (index, work(chunk)));
    let run = || iter::from_fn(next_done).collect::<Vec<_>>();
    let begun = Instant::now();
    let mut all = thread::scope(|scope| {
        let mut all: Vec<_> = iter::from_fn(|| (begun.elapsed() < ALONE).then(next_done).flatten()).collect();
        let left = chunks.get(all.len()..).unwrap_or_default();
        let workers = workers(left);
        if workers < 2 {
            all.extend(run());
            return all;
        }
        let others: Vec<_> = (0..workers).map(|_| scope.spawn(run)).collect();
        for other in others {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    all.sort_unstable_by_key(|(index, _)| *index);
    all.into_iter().flat_map(|(_, results)| results).collect()
}

/// Takes the next item that no thread has taken.
fn take<'i, T>(next: &AtomicUsize, items: &'i [T]) -> Option<(usize, &'i T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((index, items.get(index)?))
}

/// Returns how many threads work on items. The system is asked once: it reads several files for the answer.
fn workers<T>(items: &[T]) -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    let cores = *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get));
    cores.min(items.len())
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
    let next = AtomicUsize::new(0);
    let mut results: Vec<Option<R>> = items.iter().map(|_| None).collect();
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for _ in 0..workers(items) {
            let (sender, next, work) = (sender.clone(), &next, &work);
            scope.spawn(move || {
                while let Some((index, item)) = take(next, items) {
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
            Err(panic) => resume_unwind(panic),
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
