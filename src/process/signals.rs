//! What a signal to end does while a program runs: the program and its temporary files go first.
//!
//! Argo CD sends SIGTERM to the plugin's process group at its deadline, a user presses Ctrl-C.

use std::fmt;

#[cfg(unix)]
pub use unix::SignalGuard;
#[cfg(not(unix))]
pub use windows::SignalGuard;

/// The signal that asks this process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signalled(usize);

impl fmt::Display for Signalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ended by signal {}", self.0)
    }
}

impl std::error::Error for Signalled {}

#[cfg(unix)]
mod unix {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, OnceLock};

    use anyhow::{Context, Result};
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::low_level::emulate_default_handler;

    use super::Signalled;

    struct Signals {
        /// The number of guards.
        guards: AtomicUsize,
        /// Lets a signal end this process at once, as it would without this module.
        at_once: Arc<AtomicBool>,
        /// The signal that came in the meantime.
        came: Arc<AtomicUsize>,
    }

    impl Signals {
        /// Registers the two actions, once in a process: they cannot be taken back.
        fn watched() -> Result<&'static Self> {
            static SIGNALS: OnceLock<Signals> = OnceLock::new();
            if let Some(signals) = SIGNALS.get() {
                return Ok(signals);
            }
            let signals = Self {
                guards: AtomicUsize::new(0),
                at_once: Arc::new(AtomicBool::new(true)),
                came: Arc::new(AtomicUsize::new(0)),
            };
            for signal in [SIGINT, SIGTERM] {
                let number = usize::try_from(signal)?;
                signal_hook::flag::register_conditional_default(signal, Arc::clone(&signals.at_once))
                    .and_then(|_| signal_hook::flag::register_usize(signal, Arc::clone(&signals.came), number))
                    .context("cannot watch for signals")?;
            }
            Ok(SIGNALS.get_or_init(|| signals))
        }
    }

    /// Delays signals to end for as long as it lives; then they do what they always do.
    pub struct SignalGuard(&'static Signals);

    impl std::fmt::Debug for SignalGuard {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("SignalGuard")
        }
    }

    impl SignalGuard {
        /// Delays signals from now on.
        ///
        /// # Errors
        /// When the system refuses to hand them over.
        pub fn new() -> Result<Self> {
            let signals = Signals::watched()?;
            signals.guards.fetch_add(1, Ordering::SeqCst);
            signals.at_once.store(false, Ordering::SeqCst);
            Ok(Self(signals))
        }

        /// Reports a signal that came: whoever waits for something gives up.
        ///
        /// # Errors
        /// When one came.
        pub fn check(&self) -> Result<(), Signalled> {
            match self.0.came.load(Ordering::SeqCst) {
                0 => Ok(()),
                signal => Err(Signalled(signal)),
            }
        }
    }

    impl Drop for SignalGuard {
        fn drop(&mut self) {
            if self.0.guards.fetch_sub(1, Ordering::SeqCst) > 1 {
                return;
            }
            self.0.at_once.store(true, Ordering::SeqCst);
            if let Ok(signal @ 1..) = i32::try_from(self.0.came.load(Ordering::SeqCst)) {
                // Whoever sent it sees what it asked for; this call does not come back.
                let _ = emulate_default_handler(signal);
            }
        }
    }
}

#[cfg(not(unix))]
mod windows {
    use anyhow::Result;

    use super::Signalled;

    /// Delays nothing: Ctrl-C ends all programs of a console.
    #[derive(Debug)]
    pub struct SignalGuard;

    impl SignalGuard {
        /// Delays signals from now on.
        ///
        /// # Errors
        /// When the system refuses to hand them over.
        pub fn new() -> Result<Self> {
            Ok(Self)
        }

        /// Reports no signal.
        ///
        /// # Errors
        /// Never.
        pub fn check(&self) -> Result<(), Signalled> {
            Ok(())
        }
    }
}
