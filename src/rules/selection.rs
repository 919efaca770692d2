//! Which rules are applied.

use anyhow::{Result, bail};

use super::metas;

/// The rules to apply, as `--rules` selects them: `-HL123` excludes one, `+HL1` includes all that start with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection(Vec<(bool, String)>);

impl Selection {
    /// Parses `+HL…` and `-HL…`, separated by commas; the last entry that matches a rule decides. When the first entry
    /// includes, nothing else is selected; when it excludes, everything else is.
    ///
    /// # Errors
    /// When an entry matches no rule.
    pub fn parse(text: &str) -> Result<Self> {
        let mut entries = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (adds, id) = match entry.strip_prefix('-') {
                Some(id) => (false, id),
                None => (true, entry.strip_prefix('+').unwrap_or(entry)),
            };
            let id = id.to_ascii_uppercase();
            if id.is_empty() || !metas().any(|meta| meta.id.starts_with(&id)) {
                bail!("no rule starts with `{id}`; `kubectl homelab explain` lists them");
            }
            entries.push((adds, id));
        }
        Ok(Self(entries))
    }

    /// Reports whether a rule is selected.
    pub fn has(&self, id: &str) -> bool {
        let last = self.0.iter().rev().find(|(_, prefix)| id.starts_with(prefix.as_str()));
        match last {
            Some((adds, _)) => *adds,
            None => self.0.first().is_none_or(|(adds, _)| !adds),
        }
    }
}

impl std::str::FromStr for Selection {
    type Err = anyhow::Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_adds_and_leaves_out() {
        let has = |text: &str, id: &str| Selection::parse(text).unwrap().has(id);
        assert!(has("", "HL101") && has("-HL123", "HL101") && !has("-HL123", "HL123"));
        assert!(has("+HL1", "HL101") && !has("+HL1", "HL201"));
        assert!(!has("+HL1,-hl123", "HL123") && has("+HL1,-HL123", "HL122"));
        assert!(has("-HL1,+HL101", "HL101") && !has("-HL1,+HL101", "HL102") && has("-HL1,+HL101", "HL201"));
        assert!(Selection::parse("HL999").is_err() && Selection::parse("-").is_err());
    }
}
