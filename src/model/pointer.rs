//! JSON Pointers (RFC 6901): the type of the crate `jsonptr`, and what it lacks.
//!
//! No other code escapes a key or joins pointers as text: [`PointerExt::child`] takes keys as they are.

pub use jsonptr::{Pointer, PointerBuf};

use jsonptr::Token;

/// A pointer, or a literal that is one.
pub trait AsPointer {
    /// Returns the pointer.
    ///
    /// # Panics
    /// When a literal is not a valid pointer.
    fn as_pointer(&self) -> &Pointer;
}

impl AsPointer for &'static str {
    fn as_pointer(&self) -> &Pointer {
        Pointer::from_static(self)
    }
}

impl AsPointer for &Pointer {
    fn as_pointer(&self) -> &Pointer {
        self
    }
}

impl AsPointer for PointerBuf {
    fn as_pointer(&self) -> &Pointer {
        self
    }
}

impl AsPointer for &PointerBuf {
    fn as_pointer(&self) -> &Pointer {
        self
    }
}

/// Steps down from a pointer and back.
pub trait PointerExt {
    /// Returns the pointer to an entry of what this one leads to, by its key (not escaped) or its index.
    fn child<'t>(&self, key: impl Into<Token<'t>>) -> PointerBuf;

    /// Returns the rest of this pointer from where another one leads to; `None` where this one leads elsewhere.
    fn below(&self, base: &Pointer) -> Option<&Pointer>;
}

impl PointerExt for Pointer {
    fn child<'t>(&self, key: impl Into<Token<'t>>) -> PointerBuf {
        self.with_trailing_token(key)
    }

    fn below(&self, base: &Pointer) -> Option<&Pointer> {
        // The crate's `strip_prefix` alone would split a token.
        if self.starts_with(base) {
            self.strip_prefix(base)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped_and_literals_checked() {
        let labels = "/metadata/labels".as_pointer();
        assert_eq!(labels.child("a/b~c"), "/metadata/labels/a~1b~0c");
        assert_eq!(labels.child(7), "/metadata/labels/7");
        assert!(std::panic::catch_unwind(|| "metadata".as_pointer().len()).is_err());
    }

    #[test]
    fn below_never_splits_a_token() {
        let pointer = "/spec/sources/10/path".as_pointer();
        let below = |base: &'static str| pointer.below(base.as_pointer()).map(Pointer::as_str);
        assert_eq!(below("/spec/sources/10"), Some("/path"));
        assert_eq!(below("/spec/sources/1"), None);
        assert_eq!(below("/spec/sources/10/path"), Some(""));
        assert_eq!(below(""), Some("/spec/sources/10/path"));
        assert_eq!(below("/metadata"), None);
    }
}
