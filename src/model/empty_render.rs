//! A render in which there is nothing.

use std::fmt;

/// Nothing is rendered, so that Argo CD would delete all that it synced before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptyRender;

impl fmt::Display for EmptyRender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the render is empty, and Argo CD would prune everything")
    }
}

impl std::error::Error for EmptyRender {}
