//! The question before data is lost: the name of what is lost has to be typed, or given as a flag.

use anyhow::{Result, anyhow};

use crate::failure::HintExt;
use crate::terminal::Terminal;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'q> {
    /// The name that has to be typed.
    pub(super) name: &'q str,
    /// What it leads to, as `let its deletion through`.
    pub(super) to: &'q str,
    /// What holds without it, as `nothing was released`.
    pub(super) otherwise: &'q str,
}

impl Question<'_> {
    /// Asks for the name, unless it was given.
    ///
    /// # Errors
    /// When another name is given or typed, or nobody can be asked.
    pub(super) fn ask(&self, terminal: &Terminal, given: Option<&str>) -> Result<()> {
        let Self { name, to, otherwise } = self;
        let way = format!("confirm it with `--confirm {name}`");
        let typed = match given {
            Some(typed) => typed.to_owned(),
            None => terminal.ask(&format!("type `{name}` to {to}: ")).hint(way.clone())?,
        };
        match typed == *name {
            true => Ok(()),
            false => Err(anyhow!("`{typed}` is not `{name}`: {otherwise}").hint(way)),
        }
    }
}
