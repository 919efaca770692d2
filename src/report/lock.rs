//! What `lock status` shows: what is live, what is held, and what is wrong with it, as text or as a versioned document.

mod writes;

use serde::Serialize;
use serde_json::{Value, json};

use super::list::API_VERSION;
use super::table::{Cell, sized};
use crate::lock::{Fault, PolicyState, WRITES};
pub use writes::{RefusedRow, WriteRow};

/// The lock in a cluster and in a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LockStatus {
    /// The policies.
    pub policies: Vec<PolicyRow>,
    /// Deletions and a write that were tried, and nothing was done.
    pub proofs: Vec<ProofRow>,
    /// The claims with an owner, and the Namespaces with such claims in their registry.
    pub held: Vec<HeldRow>,
    /// Claims with the label of an owner that the registry of their Namespace does not have.
    pub unregistered: Vec<ClaimRow>,
    /// Namespaces that hold claims with an owner and have none in their registry.
    pub open_namespaces: Vec<String>,
    /// Pods and workloads that would write claims of others, where the lock on writes is enabled.
    pub writes: Vec<WriteRow>,
    /// What the policy on writes has refused to controllers.
    pub refused: Vec<RefusedRow>,
    /// Namespaces with claims in their registry and without its label: writes are let through there.
    pub writable_namespaces: Vec<String>,
    /// What the user may not do, as `kubectl auth can-i` takes it.
    pub missing_grants: Vec<String>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRow {
    /// Its name.
    pub name: String,
    /// Its state in the cluster; absent where it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<StateRow>,
    /// Its state in the repository; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<StateRow>,
    /// How many deletions it has refused since the API server was started; absent where that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusals: Option<u64>,
}

/// The state of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateRow {
    /// A word: `current`, `changed`, `older`, `newer`, `off` or `missing`.
    pub state: &'static str,
    /// Its version, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Why it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<&'static str>,
}

/// A deletion or a write that was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProofRow {
    /// The policy that has to refuse it.
    pub policy: String,
    /// What it was tried on, as `pvc/NAME -n NAMESPACE`; absent where there is nothing to test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// A word: `refused`, `letThrough`, `nothingToTest` or `unknown`.
    pub result: &'static str,
    /// The words of the API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Something that is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldRow {
    /// `PersistentVolumeClaim` or `Namespace`.
    pub kind: &'static str,
    /// The namespace of a claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The Applications that own it, or the claims in it.
    pub owners: Vec<String>,
    /// Whether its deletion would be refused now.
    pub refused: bool,
    /// Whether it was released.
    pub released: bool,
    /// What there is to know besides, such as that it is being deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// A claim and its owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClaimRow {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The Application in its label.
    pub owner: String,
}

impl StateRow {
    /// Returns the row of a state.
    pub fn new(state: &PolicyState, version: Option<u32>) -> Self {
        let (word, why) = match state {
            PolicyState::Missing => ("missing", None),
            PolicyState::Off(why) => ("off", Some(*why)),
            PolicyState::Older(_) => ("older", None),
            PolicyState::Newer(_) => ("newer", None),
            PolicyState::Changed => ("changed", None),
            PolicyState::Current => ("current", None),
        };
        Self {
            state: word,
            version,
            why,
        }
    }

    fn cell(&self) -> Cell {
        let version = self.version.map(|version| format!(" v{version}")).unwrap_or_default();
        Cell::Text(format!("{}{version}", self.state))
    }
}

impl ProofRow {
    /// Returns what was tried, in words.
    fn what(&self) -> String {
        let object = self.object.as_deref().unwrap_or_default();
        match self.policy == WRITES {
            true => format!("a write of `{object}` by nobody's Deployment"),
            false => format!("a deletion of `{object}`"),
        }
    }
}

impl HeldRow {
    /// Returns its name as commands take it.
    pub fn target(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("pvc/{} -n {namespace}", self.name),
            None => format!("namespace/{}", self.name),
        }
    }
}

impl LockStatus {
    /// Reports whether there is nothing of the lock, neither in the cluster nor in the repository.
    pub fn is_off(&self) -> bool {
        let is_missing = |row: &Option<StateRow>| row.as_ref().is_none_or(|row| row.state == "missing");
        self.policies
            .iter()
            .all(|row| row.live.is_some() && is_missing(&row.live) && is_missing(&row.repository))
    }

    /// Reports whether the policies of the cluster could be read.
    pub fn is_known(&self) -> bool {
        self.policies.iter().all(|row| row.live.is_some())
    }

    /// Returns what is wrong with the lock.
    pub fn faults(&self) -> Vec<Fault> {
        if self.is_off() {
            return Vec::new();
        }
        let mut faults = Vec::new();
        let mut fault = |is_error: bool, message: String| faults.push(Fault { message, is_error });
        for row in &self.policies {
            let Some(live) = &row.live else { continue };
            let name = &row.name;
            match live.state {
                "current" => {}
                "off" => {
                    let why = live.why.unwrap_or_default();
                    fault(
                        true,
                        format!("the policy `{name}` is switched off in the cluster: {why}"),
                    );
                }
                "missing" => fault(true, format!("the policy `{name}` is not in the cluster")),
                "changed" => fault(true, format!("the policy `{name}` in the cluster was changed")),
                state => fault(
                    false,
                    format!("the policy `{name}` in the cluster is {state} than the one of this program"),
                ),
            }
        }
        for proof in self.proofs.iter().filter(|proof| proof.result == "letThrough") {
            fault(true, format!("{} would be let through", proof.what()));
        }
        faults
    }

    /// Returns the sentences of what is wrong.
    fn fault_lines(&self) -> Vec<String> {
        self.faults().into_iter().map(|fault| fault.message).collect()
    }

    /// Returns the text.
    pub fn text(&self, is_wide: bool) -> String {
        let mut text = policies(&self.policies, is_wide);
        for proof in &self.proofs {
            text.push_str(&format!("{}\n", sentence(proof)));
        }
        if !self.held.is_empty() {
            text.push('\n');
            text.push_str(&held(&self.held, is_wide));
        }
        if !self.writes.is_empty() {
            text.push('\n');
            text.push_str(&writes::table(&self.writes, is_wide));
        }
        text
    }

    /// Returns the lines below the text: what the lock does not hold, and what could not be read.
    pub fn remarks(&self) -> Vec<String> {
        let mut lines = self.fault_lines();
        lines.extend(self.unregistered.iter().map(|claim| {
            format!(
                "claim `{}/{}` of `{}` is not in the registry of its Namespace: add it to `owns`; without its label nothing would hold it",
                claim.namespace, claim.name, claim.owner
            )
        }));
        lines.extend(self.open_namespaces.iter().map(|namespace| {
            format!("Namespace `{namespace}` holds claims with an owner and none is in its registry: its deletion is let through")
        }));
        lines.extend(self.held.iter().filter(|row| row.released).map(|row| {
            let target = row.target();
            format!("`{target}` is released: take it back with `kubectl homelab release {target} --cancel`")
        }));
        lines.extend(self.refused.iter().map(RefusedRow::sentence));
        lines.extend(self.writable_namespaces.iter().map(|namespace| {
            format!(
                "Namespace `{namespace}` has claims in its registry and not its label: writes are let through there"
            )
        }));
        lines.extend(
            self.missing_grants
                .iter()
                .map(|grant| format!("not everything is shown: your user may not `{grant}`")),
        );
        lines
    }

    /// Returns the tree of a versioned document.
    pub fn tree(&self) -> Value {
        let mut tree = json!({"apiVersion": API_VERSION, "kind": "LockStatus"});
        let fields = serde_json::to_value(self).unwrap_or_default();
        if let (Some(tree), Value::Object(fields)) = (tree.as_object_mut(), fields) {
            tree.extend(fields);
            tree.insert("faults".to_owned(), json!(self.fault_lines()));
        }
        tree
    }
}

fn policies(rows: &[PolicyRow], is_wide: bool) -> String {
    let state = |row: &Option<StateRow>| row.as_ref().map_or(Cell::Text(String::new()), StateRow::cell);
    let rows: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| {
            let refusals = row.refusals.map(|count| count.to_string()).unwrap_or_default();
            vec![
                Cell::from(&row.name),
                state(&row.live),
                state(&row.repository),
                Cell::Text(refusals),
            ]
        })
        .collect();
    sized(&["policy", "live", "repository", "refusals"], &rows, is_wide)
}

fn sentence(proof: &ProofRow) -> String {
    let what = proof.what();
    match proof.result {
        "refused" => format!("proof: {what} was tried and refused"),
        "letThrough" => format!("proof: {what} was tried and would be let through"),
        "nothingToTest" => format!("proof: nothing to test for `{}`", proof.policy),
        _ => format!("proof: {what} could not be tried"),
    }
}

fn held(rows: &[HeldRow], is_wide: bool) -> String {
    let rows: Vec<Vec<Cell>> = rows
        .iter()
        .map(|row| {
            let deletion = if row.refused { "refused" } else { "let through" };
            let name = match &row.namespace {
                Some(namespace) => format!("{namespace}/{}", row.name),
                None => row.name.clone(),
            };
            vec![
                Cell::Word(row.kind.to_owned()),
                Cell::Word(name),
                Cell::List(row.owners.clone()),
                Cell::Text(deletion.to_owned()),
                Cell::Text(row.remark.clone().unwrap_or_default()),
            ]
        })
        .collect();
    sized(&["kind", "name", "owner", "deletion", "remark"], &rows, is_wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> LockStatus {
        let state = |state| StateRow::new(&state, Some(1));
        LockStatus {
            policies: vec![
                PolicyRow {
                    name: "owned-claims-stay".to_owned(),
                    live: Some(state(PolicyState::Current)),
                    repository: Some(state(PolicyState::Current)),
                    refusals: Some(3),
                },
                PolicyRow {
                    name: "namespaces-with-claims-stay".to_owned(),
                    live: Some(StateRow::new(&PolicyState::Off("its binding is missing"), None)),
                    repository: None,
                    refusals: None,
                },
            ],
            proofs: vec![ProofRow {
                policy: "owned-claims-stay".to_owned(),
                object: Some("pvc/films -n media".to_owned()),
                result: "refused",
                message: None,
            }],
            held: vec![HeldRow {
                kind: "PersistentVolumeClaim",
                namespace: Some("media".to_owned()),
                name: "films".to_owned(),
                owners: vec!["fetcher".to_owned()],
                refused: false,
                released: true,
                remark: Some("released".to_owned()),
            }],
            unregistered: vec![ClaimRow {
                namespace: "media".to_owned(),
                name: "books".to_owned(),
                owner: "reader".to_owned(),
            }],
            open_namespaces: vec!["radio".to_owned()],
            writes: vec![WriteRow {
                kind: "Deployment".to_owned(),
                namespace: "media".to_owned(),
                name: "player".to_owned(),
                app: Some("player".to_owned()),
                claim: "films".to_owned(),
                owner: "fetcher".to_owned(),
            }],
            refused: vec![RefusedRow {
                kind: "ReplicaSet".to_owned(),
                namespace: "media".to_owned(),
                name: "player-1".to_owned(),
                reason: "FailedCreate".to_owned(),
                message: "Error creating: no".to_owned(),
            }],
            writable_namespaces: vec!["tv".to_owned()],
            missing_grants: vec!["get /metrics".to_owned()],
        }
    }

    #[test]
    fn text() {
        insta::assert_snapshot!(status().text(false));
    }

    #[test]
    fn remarks() {
        insta::assert_snapshot!(status().remarks().join("\n"));
    }

    #[test]
    fn nothing_is_wrong_where_there_is_no_lock() {
        let mut status = status();
        assert_eq!(status.faults().len(), 1);
        for row in &mut status.policies {
            row.live = Some(StateRow::new(&PolicyState::Missing, None));
            row.repository = None;
        }
        assert!(status.is_off() && status.faults().is_empty());
    }

    #[test]
    fn json_has_a_version() {
        let tree = status().tree();
        assert_eq!(tree["kind"], "LockStatus");
        assert_eq!(tree["held"][0]["released"], true);
        assert_eq!(tree["faults"].as_array().map(Vec::len), Some(1));
    }
}
