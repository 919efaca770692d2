//! The renders of two states of a repository, of what differs between them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{How, Sources, Touched, add_new};
use crate::masking::Values;
use crate::model::{AppName, AppRenders, Availability, Object};

/// The renders of two states.
#[derive(Debug, Default)]
pub struct ComparedRenders {
    /// Those of the first state.
    pub base: AppRenders,
    /// Those of the second one.
    pub head: AppRenders,
    /// Second renders of the first state, of the Applications that differ: what differs between two renders is random.
    pub again: BTreeMap<AppName, Vec<Object>>,
    /// Remarks that were made on the way.
    pub notes: Vec<String>,
}

impl ComparedRenders {
    /// Returns the values of the Secrets in both states, which nobody may see elsewhere either.
    pub fn secrets(&self) -> Values {
        let mut values = Values::default();
        let renders = self.base.values().chain(self.head.values());
        let objects = renders.filter_map(|render| match render {
            Availability::Available(objects) => Some(objects),
            _ => None,
        });
        for object in objects.flatten().filter(|object| object.is("", "Secret")) {
            let field = |name: &str| object.tree().get(name).and_then(Value::as_object).into_iter().flatten();
            for (_, value) in field("stringData") {
                value.as_str().into_iter().for_each(|text| values.add_secret(text));
            }
            for (_, value) in field("data") {
                let decoded = value.as_str().and_then(|text| STANDARD.decode(text).ok());
                let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
                text.into_iter().for_each(|text| values.add_secret(text));
            }
        }
        values
    }
}

/// The sources of two states.
pub struct ComparedSources<'c, 's> {
    /// Those of the first state.
    pub base: &'c Sources<'s>,
    /// Those of the second state.
    pub head: &'c Sources<'s>,
}

impl ComparedSources<'_, '_> {
    /// Renders what differs. `progress` is called with the name of each Application that is rendered, and of its side.
    ///
    /// # Errors
    /// When a directory was named for a repository that no Application has as a source.
    pub fn render(&self, touched: &Touched, progress: &mut dyn FnMut(&str)) -> Result<ComparedRenders> {
        let is_wanted = |name: &AppName| touched.apps.contains(name);
        let (base, mut notes) = self.base.render_where(is_wanted, |name| progress(name))?;
        let (head, more) = self.head.render_where(is_wanted, |name| progress(name))?;
        add_new(&mut notes, more);
        let differs: BTreeSet<&AppName> = base
            .iter()
            .filter(|(name, render)| match (*render, head.get(*name)) {
                (Availability::Available(before), Some(Availability::Available(after))) => before != after,
                _ => false,
            })
            .map(|(name, _)| name)
            .collect();
        let fresh = How {
            fresh: true,
            ..How::for_rules()
        };
        let again = |name: &AppName| differs.contains(name);
        let (again, _) = self.base.render_where_as(again, fresh, |name| progress(name))?;
        let again = again.into_iter().filter_map(|(name, render)| match render {
            Availability::Available(objects) => Some((name, objects)),
            _ => None,
        });
        Ok(ComparedRenders {
            again: again.collect(),
            base,
            head,
            notes,
        })
    }
}
