//! What the policy on writes would refuse, and what it has refused to controllers, as a person finds it.

use serde::Serialize;

use crate::lock::foreign::ForeignWrite;
use crate::model::writer::APP_LABEL;
use crate::report::table::{Cell, sized};

/// A pod or workload that would write a claim of another Application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteRow {
    /// The kind of the pod or workload.
    pub kind: String,
    /// The namespace of both.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The Application in the label of its pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The claim.
    pub claim: String,
    /// The Application that owns the claim.
    pub owner: String,
}

/// What was refused to a controller: a condition of its object, or an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedRow {
    /// The kind of the object that gets no pods.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where it stands: `ReplicaFailure` for the condition, or the reason of the event.
    pub reason: String,
    /// The words of the API server.
    pub message: String,
}

impl WriteRow {
    /// Returns the row of a write.
    pub fn new(write: &ForeignWrite) -> Self {
        let write = write.clone();
        Self {
            kind: write.kind,
            namespace: write.namespace,
            name: write.name,
            app: write.app,
            claim: write.claim,
            owner: write.owner,
        }
    }

    /// Returns a sentence.
    pub fn sentence(&self) -> String {
        let whose = match &self.app {
            Some(app) => format!(" of `{app}`"),
            None => format!(", whose pods have no label `{APP_LABEL}`,"),
        };
        format!(
            "{} `{}/{}`{whose} writes claim `{}` of `{}`",
            self.kind, self.namespace, self.name, self.claim, self.owner
        )
    }
}

impl RefusedRow {
    /// Returns a sentence with the command that shows it.
    pub fn sentence(&self) -> String {
        let (kind, place) = (self.kind.to_lowercase(), format!("-n {}", self.namespace));
        let show = match self.reason.as_str() {
            "ReplicaFailure" => format!("kubectl describe {kind} {} {place}", self.name),
            _ => format!("kubectl events {place} --for {kind}/{}", self.name),
        };
        format!(
            "{} `{}/{}` gets no pods ({}, as `{show}` shows): {}",
            self.kind, self.namespace, self.name, self.reason, self.message
        )
    }
}

/// Returns a table of writes that would be refused.
pub(super) fn table(rows: &[WriteRow], is_wide: bool) -> String {
    let rows: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| {
            vec![
                Cell::Word(row.kind.clone()),
                Cell::Word(format!("{}/{}", row.namespace, row.name)),
                Cell::Text(row.app.clone().unwrap_or_default()),
                Cell::Word(row.claim.clone()),
                Cell::Text(row.owner.clone()),
            ]
        })
        .collect();
    sized(&["kind", "would be refused", "app", "writes", "owner"], &rows, is_wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_say_whose_and_where() {
        let mut row = WriteRow {
            kind: "Deployment".to_owned(),
            namespace: "media".to_owned(),
            name: "player".to_owned(),
            app: None,
            claim: "films".to_owned(),
            owner: "fetcher".to_owned(),
        };
        assert_eq!(
            row.sentence(),
            "Deployment `media/player`, whose pods have no label `storage.home.arpa/app`, writes claim `films` of `fetcher`"
        );
        row.app = Some("player".to_owned());
        assert_eq!(
            row.sentence(),
            "Deployment `media/player` of `player` writes claim `films` of `fetcher`"
        );
        let mut refused = RefusedRow {
            kind: "ReplicaSet".to_owned(),
            namespace: "media".to_owned(),
            name: "player-1".to_owned(),
            reason: "FailedCreate".to_owned(),
            message: "no".to_owned(),
        };
        assert!(
            refused
                .sentence()
                .contains("`kubectl events -n media --for replicaset/player-1`")
        );
        refused.reason = "ReplicaFailure".to_owned();
        assert!(
            refused
                .sentence()
                .contains("`kubectl describe replicaset player-1 -n media`")
        );
    }
}
