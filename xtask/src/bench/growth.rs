//! How the run time grows with what is in one object: twice as much may take twice as long, and no longer.

use std::fmt::Write;

use anyhow::{Error, Result};
use homelab::law::StorageRules;
use homelab::model::parameter::Parameters;
use homelab::model::{AppName, NamespaceName};
use homelab::render::storage_pass;

use super::{Row, take_turns, time};

const RUNS: usize = 7;

/// A kind of stream, made with so many entries, and so many mounts that are added to it.
struct Shape {
    name: &'static str,
    entries: usize,
    text: fn(usize) -> String,
    /// Whether each entry is a mount in the parameters, too.
    is_mounted: bool,
}

const SHAPES: [Shape; 3] = [
    Shape {
        name: "growth: volumes of a pod, t(2n) / t(n)",
        entries: 10_000,
        text: volumes,
        is_mounted: false,
    },
    Shape {
        name: "growth: claims of a List, t(2n) / t(n)",
        entries: 10_000,
        text: claims,
        is_mounted: false,
    },
    Shape {
        name: "growth: mounts of a workload, t(2n) / t(n)",
        entries: 2_000,
        text: |_| volumes(1),
        is_mounted: true,
    },
];

/// Measures each shape with twice as many entries, compared with the single number.
pub(super) fn rows() -> Result<Vec<Row>> {
    SHAPES.iter().map(Shape::row).collect()
}

impl Shape {
    fn row(&self) -> Result<Row> {
        let apply = |entries: usize| {
            let (text, rules) = ((self.text)(entries), self.storage_rules(entries)?);
            Ok::<_, Error>(move || {
                let (text, mut failed) = (text.clone(), None);
                let taken = time(|| storage_pass::apply(text, &rules, false).map_err(|error| failed = Some(error)));
                failed.map_or(Ok(taken), Err)
            })
        };
        let (twice, once) = (apply(2 * self.entries)?, apply(self.entries)?);
        Ok(take_turns(RUNS, twice, once)?.at_most(self.name, 2.5))
    }

    fn storage_rules(&self, entries: usize) -> Result<StorageRules> {
        let mounts = if self.is_mounted { entries } else { 0 };
        let mounts = (0..mounts).map(|number| format!("films-{number}:/films/{number}").parse());
        let parameters = Parameters {
            mounts: mounts.collect::<Result<_>>()?,
            ..Parameters::default()
        };
        StorageRules::new(
            AppName::new("bench")?,
            NamespaceName::new("default")?,
            &parameters,
            None,
        )
    }
}

/// Returns a Deployment with many volumes of others' claims, each mounted.
fn volumes(count: usize) -> String {
    let mut text = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: bench\nspec:\n  template:\n    spec:\n      containers:\n      - name: main\n        volumeMounts:\n".to_owned();
    for number in 0..count {
        let _ = writeln!(text, "        - {{name: volume-{number}, mountPath: /data/{number}}}");
    }
    text.push_str("      volumes:\n");
    for number in 0..count {
        let _ = writeln!(
            text,
            "      - {{name: volume-{number}, persistentVolumeClaim: {{claimName: data-{number}}}}}"
        );
    }
    text
}

/// Returns a List of claims.
fn claims(count: usize) -> String {
    let mut text = "apiVersion: v1\nkind: List\nitems:\n".to_owned();
    for number in 0..count {
        let _ = writeln!(
            text,
            "- apiVersion: v1\n  kind: PersistentVolumeClaim\n  metadata:\n    name: data-{number}"
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_an_edit() {
        for shape in &SHAPES {
            let edits = |entries: usize| {
                let rules = shape.storage_rules(entries).unwrap();
                let text = storage_pass::apply((shape.text)(entries), &rules, false)
                    .unwrap()
                    .text();
                text.matches("readOnly: true").count() + text.matches("Prune=false").count()
            };
            assert!(edits(10) >= edits(5) + 5, "{}", shape.name);
        }
    }
}
