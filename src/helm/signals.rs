//! What a signal to end does while helm runs: helm and its temporary files go first.
//!
//! Argo CD sends SIGTERM to the plugin's process group at its deadline, a person presses Ctrl-C.

#[cfg(unix)]
pub(super) use unix::Held;
#[cfg(not(unix))]
pub(super) use windows::Held;

#[cfg(unix)]
mod unix {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::{Arc, OnceLock};

    use anyhow::{Context, Result, bail};
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::low_level::emulate_default_handler;

    struct Signals {
        /// How many renders want to end first.
        holders: AtomicUsize,
        /// Whether a signal ends this process at once, as it would without this module.
        at_once: Arc<AtomicBool>,
        /// The signal that came in the meantime.
        came: Arc<AtomicUsize>,
    }

    impl Signals {
        /// The two actions, registered once in a process: they cannot be taken back.
        fn watched() -> Result<&'static Self> {
            static SIGNALS: OnceLock<Signals> = OnceLock::new();
            if let Some(signals) = SIGNALS.get() {
                return Ok(signals);
            }
            let signals = Self {
                holders: AtomicUsize::new(0),
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

    /// Signals to end wait for as long as this lives; then they do what they always do.
    pub(in crate::helm) struct Held(&'static Signals);

    impl Held {
        pub(in crate::helm) fn new() -> Result<Self> {
            let signals = Signals::watched()?;
            signals.holders.fetch_add(1, Ordering::SeqCst);
            signals.at_once.store(false, Ordering::SeqCst);
            Ok(Self(signals))
        }

        /// An error when a signal came: whoever waits for something gives up.
        pub(in crate::helm) fn check(&self) -> Result<()> {
            match self.0.came.load(Ordering::SeqCst) {
                0 => Ok(()),
                signal => bail!("ended by signal {signal}"),
            }
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            if self.0.holders.fetch_sub(1, Ordering::SeqCst) > 1 {
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

    /// Nothing: Ctrl-C ends all programs of a console.
    pub(in crate::helm) struct Held;

    impl Held {
        pub(in crate::helm) fn new() -> Result<Self> {
            Ok(Self)
        }

        pub(in crate::helm) fn check(&self) -> Result<()> {
            Ok(())
        }
    }
}
