//! `kubectl homelab release`.

use std::str::FromStr;

use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};

use super::confirm::Question;
use super::connection::ConnectionArgs;
use super::session::Session;
use crate::cluster::{Cluster, Resource};
use crate::failure::{Exit, HintExt, usage};
use crate::lock::held::{Release, is_being_deleted, owner, registry, release};
use crate::lock::loss::{Loss, volume_of};
use crate::model::claim::RELEASE;
use crate::model::{ClaimName, NamespaceName, Object};

/// Examples for `--help`.
const EXAMPLES: &str = "\
Examples:
  # Say what would be lost, ask, and let the deletion of a claim through
  kubectl homelab release pvc/films -n media
  kubectl delete pvc films -n media

  # The same in a script
  kubectl homelab release pvc/films -n media --confirm films

  # Take it back
  kubectl homelab release pvc/films -n media --cancel

  # A Namespace, once every claim in it that an Application owns is released
  kubectl homelab release namespace/media";

/// Let the deletion of one claim or Namespace through the lock
///
/// Says what will be lost, asks for the name, and writes the annotation `storage.home.arpa/release` on the live object; nothing
/// is deleted. A Namespace is refused while a claim in it is held. Where the claim is being deleted already, or its Namespace is, it
/// first offers to keep the data: the volume's reclaim policy becomes Retain.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The claim, as pvc/NAME, or the Namespace, as namespace/NAME
    #[arg(value_name = "KIND/NAME")]
    target: Target,

    /// The namespace of the claim
    #[arg(short, long, value_name = "NAMESPACE")]
    namespace: Option<NamespaceName>,

    /// Take the release back
    #[arg(long)]
    cancel: bool,

    /// The name again, instead of the question
    #[arg(long, value_name = "NAME", conflicts_with = "cancel")]
    confirm: Option<String>,

    /// Set the volume to Retain, or not, instead of the question about a claim that is being deleted
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true,
        action = clap::ArgAction::Set, conflicts_with = "cancel")]
    retain: Option<bool>,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// What is released.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Claim(ClaimName),
    Namespace(NamespaceName),
}

impl FromStr for Target {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, name) = text
            .split_once('/')
            .ok_or_else(|| anyhow!("`{text}` is not pvc/NAME or namespace/NAME"))?;
        match kind {
            "pvc" | "persistentvolumeclaim" | "persistentvolumeclaims" => Ok(Self::Claim(ClaimName::new(name)?)),
            "ns" | "namespace" | "namespaces" => Ok(Self::Namespace(NamespaceName::new(name)?)),
            _ => bail!("`{kind}` is neither pvc nor namespace"),
        }
    }
}

pub(super) fn run(args: Args, session: &mut Session) -> Result<Exit> {
    let place = match (&args.target, args.namespace) {
        (Target::Claim(_), Some(namespace)) => Some(namespace),
        (Target::Claim(_), None) => return Err(usage("a claim needs its namespace: '--namespace <NAMESPACE>'")),
        (Target::Namespace(_), None) => None,
        (Target::Namespace(_), Some(_)) => {
            return Err(usage("a Namespace is in no namespace: leave out '--namespace'"));
        }
    };
    let cluster = args.connection.connect()?;
    let task = Task {
        cluster: &cluster,
        session,
        place,
        confirm: args.confirm,
        retain: args.retain,
    };
    match (&args.target, args.cancel) {
        (Target::Claim(name), false) => task.release_claim(name),
        (Target::Namespace(name), false) => task.release_namespace(name),
        (Target::Claim(name), true) => task.cancel(Resource::Claims, name.as_str()),
        (Target::Namespace(name), true) => task.cancel(Resource::Namespaces, name.as_str()),
    }
}

/// One run.
struct Task<'t> {
    cluster: &'t Cluster,
    session: &'t Session,
    /// The namespace of a claim.
    place: Option<NamespaceName>,
    confirm: Option<String>,
    retain: Option<bool>,
}

impl Task<'_> {
    fn release_claim(&self, name: &ClaimName) -> Result<Exit> {
        let claim = self.object(Resource::Claims, name.as_str())?;
        let namespace = self.namespace_of_claim()?;
        let target = self.target(Resource::Claims, name.as_str());
        let Some(owner) = owner(&claim, namespace.as_ref()) else {
            return Err(anyhow!(
                "no Application owns the claim `{}`: the lock does not hold it",
                self.named(name.as_str())
            )
            .hint("see what is held with `kubectl homelab lock status`"));
        };
        if release(&claim) == Release::Open {
            self.session.terminal.say(&format!("`{target}` is released already"));
            return Ok(Exit::Done);
        }
        let pods = self.place.as_ref().map(|place| self.pods(place)).transpose()?.flatten();
        let loss = self.loss(&claim, pods.as_deref());
        let say = |line: &str| self.session.terminal.say(line);
        say(&format!(
            "claim `{}` of `{owner}`: {}",
            self.named(name.as_str()),
            loss.sentence()
        ));
        let is_late = is_being_deleted(&claim) || namespace.as_ref().is_some_and(is_being_deleted);
        if is_late {
            self.offer_retain(&loss, is_being_deleted(&claim))?;
        }
        self.ask(name.as_str())?;
        self.annotate(Resource::Claims, name.as_str(), Some(name.as_str()))?;
        say(&format!("released: the lock lets the deletion of `{target}` through"));
        if !is_late {
            let hint = format!(
                "delete it with `kubectl delete pvc {name} -n {}`, or take the release back with `kubectl homelab release {target} --cancel`",
                self.namespace_name()
            );
            self.session.terminal.hint(&hint);
        }
        Ok(Exit::Done)
    }

    fn release_namespace(&self, name: &NamespaceName) -> Result<Exit> {
        let namespace = self.object(Resource::Namespaces, name.as_str())?;
        if is_being_deleted(&namespace) {
            return Err(anyhow!(
                "the Namespace `{name}` is being deleted already: it waits for the claims in it that are held"
            )
            .hint(format!(
                "keep the data of each, or let it go, with `kubectl homelab release pvc/NAME -n {name}`"
            )));
        }
        let claims = self.cluster.all(Resource::Claims, Some(name))?;
        let claims = claims.map_err(|denied| anyhow!("what is in the Namespace `{name}` is not known: {denied}"))?;
        let owned = claims
            .iter()
            .filter_map(|claim| Some((claim, owner(claim, Some(&namespace))?)));
        let held: Vec<(&Object, String)> = owned.filter(|(claim, _)| release(claim) != Release::Open).collect();
        if let Some((first, _)) = held.first() {
            let names: Vec<String> = held
                .iter()
                .map(|(claim, owner)| format!("`{}` of `{owner}`", claim.name()))
                .collect();
            return Err(anyhow!(
                "the Namespace `{name}` holds claims that are not released: {}",
                names.join(", ")
            )
            .hint(format!(
                "release each of them first: `kubectl homelab release pvc/{} -n {name}`",
                first.name()
            )));
        }
        if registry(&namespace).is_empty() {
            return Err(
                anyhow!("no claim is in the registry of the Namespace `{name}`: the lock does not hold it")
                    .hint("see what is held with `kubectl homelab lock status`"),
            );
        }
        if release(&namespace) == Release::Open {
            self.session
                .terminal
                .say(&format!("`namespace/{name}` is released already"));
            return Ok(Exit::Done);
        }
        let say = |line: &str| self.session.terminal.say(line);
        say(&format!(
            "Namespace `{name}`: everything in it is deleted with it, {} claims among it",
            claims.len()
        ));
        let pods = self.pods(name)?;
        for claim in &claims {
            say(&format!(
                "claim `{name}/{}`: {}",
                claim.name(),
                self.loss(claim, pods.as_deref()).sentence()
            ));
        }
        self.ask(name.as_str())?;
        self.annotate(Resource::Namespaces, name.as_str(), Some(name.as_str()))?;
        say(&format!(
            "released: the lock lets the deletion of `namespace/{name}` through"
        ));
        self.session.terminal.hint(&format!(
            "delete it with `kubectl delete namespace {name}`, or take the release back with `kubectl homelab release namespace/{name} --cancel`"
        ));
        Ok(Exit::Done)
    }

    fn cancel(&self, resource: Resource, name: &str) -> Result<Exit> {
        let object = self.object(resource, name)?;
        let target = self.target(resource, name);
        if is_being_deleted(&object) {
            let hint = match (resource, volume_of(&object)) {
                (Resource::Claims, Some(volume)) => format!(
                    "keep its data while a pod still mounts it: `kubectl patch pv {volume} -p '{{\"spec\":{{\"persistentVolumeReclaimPolicy\":\"Retain\"}}}}'`"
                ),
                _ => "see what is left in it with `kubectl get pvc -A`, and keep the data of each claim by its volume's reclaim policy"
                    .to_owned(),
            };
            return Err(anyhow!("it is too late: `{target}` is being deleted").hint(hint));
        }
        if object.annotation(RELEASE).is_none() {
            self.session.terminal.say(&format!("`{target}` is not released"));
            return Ok(Exit::Done);
        }
        self.annotate(resource, name, None)?;
        let say = |line: &str| self.session.terminal.say(line);
        say(&format!("the release of `{target}` is taken back"));
        if resource == Resource::Claims && self.namespace_of_claim()?.as_ref().is_some_and(is_being_deleted) {
            say(&format!(
                "it is too late for its Namespace `{}`, which is being deleted: the claim waits there, and no pod can be started",
                self.namespace_name()
            ));
        }
        Ok(Exit::Done)
    }

    /// Asks whether the data is to be kept, and sets the volume to Retain.
    fn offer_retain(&self, loss: &Loss, is_claim_deleted: bool) -> Result<()> {
        let what = if is_claim_deleted { "the claim" } else { "its Namespace" };
        self.session.terminal.say(&format!("{what} is being deleted already"));
        let Some(volume) = &loss.volume else { return Ok(()) };
        if loss.reclaim_policy.as_deref() == Some("Retain") {
            return Ok(());
        }
        let wants = match self.retain {
            Some(retain) => retain,
            None => {
                let question = format!("keep the data: set the volume `{volume}` to Retain? [Y/n] ");
                let answer = self
                    .session
                    .terminal
                    .ask(&question)
                    .hint("say what becomes of its data with `--retain`, or with `--retain=false`")?;
                !["n", "no"].contains(&answer.to_lowercase().as_str())
            }
        };
        if wants {
            self.cluster.retain(volume)?;
            self.session
                .terminal
                .say(&format!("the volume `{volume}` stays: its reclaim policy is Retain"));
        }
        Ok(())
    }

    /// Asks for the name.
    fn ask(&self, name: &str) -> Result<()> {
        let question = Question {
            name,
            to: "let its deletion through",
            otherwise: "nothing was released",
        };
        question.ask(&self.session.terminal, self.confirm.as_deref())
    }

    fn annotate(&self, resource: Resource, name: &str, value: Option<&str>) -> Result<()> {
        let value = value.map_or(Value::Null, |value| json!(value));
        let body = json!({"metadata": {"annotations": {RELEASE: value}}});
        self.cluster.merge(resource, self.place.as_ref(), name, &body).map(drop)
    }

    fn object(&self, resource: Resource, name: &str) -> Result<Object> {
        let found = self.cluster.one(resource, self.place.as_ref(), name)?;
        found.ok_or_else(|| anyhow!("there is no `{}` in the cluster", self.target(resource, name)))
    }

    /// Returns the Namespace of the claim.
    fn namespace_of_claim(&self) -> Result<Option<Object>> {
        self.cluster.one(Resource::Namespaces, None, self.namespace_name())
    }

    /// Returns the pods of a namespace; `None` where the user may not read them.
    fn pods(&self, namespace: &NamespaceName) -> Result<Option<Vec<Object>>> {
        Ok(self.cluster.all(Resource::Pods, Some(namespace))?.ok())
    }

    /// Returns what is known of a claim; what the user may not read is left out.
    fn loss(&self, claim: &Object, pods: Option<&[Object]>) -> Loss {
        let name = volume_of(claim);
        let volume = name.and_then(|name| self.cluster.one(Resource::Volumes, None, &name).ok().flatten());
        Loss::new(claim, volume.as_ref(), pods)
    }

    fn namespace_name(&self) -> &str {
        self.place.as_ref().map_or("", NamespaceName::as_str)
    }

    fn named(&self, name: &str) -> String {
        format!("{}/{name}", self.namespace_name())
    }

    /// Returns a name as commands take it.
    fn target(&self, resource: Resource, name: &str) -> String {
        match resource {
            Resource::Namespaces => format!("namespace/{name}"),
            _ => format!("pvc/{name} -n {}", self.namespace_name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_claim_or_a_namespace() {
        let claim = Target::Claim(ClaimName::new("films").unwrap());
        for text in ["pvc/films", "persistentvolumeclaim/films"] {
            assert_eq!(text.parse::<Target>().unwrap(), claim);
        }
        let namespace = Target::Namespace(NamespaceName::new("media").unwrap());
        assert_eq!("ns/media".parse::<Target>().unwrap(), namespace);
        for text in ["films", "pv/films", "pvc/", "pvc/Films"] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
