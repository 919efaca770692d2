//! `add-volume`: a claim that no chart renders, made by the parameter `claims` of its owner.

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use super::grant::is_claim;
use super::mount::nothing;
use super::parameters::{Target, entries};
use super::{Edit, RuleGate};
use crate::failure::HintExt;
use crate::model::parameter::claims;
use crate::model::{self, Availability, ClaimPath, ClaimRef, Object, Source};
use crate::rules::Scope;

/// A claim to make.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its size.
    pub size: String,
    /// Its storage class; the cluster's default where there is none.
    pub storage_class: Option<String>,
    /// Its access modes; ReadWriteOnce where there is none.
    pub access_modes: Vec<String>,
}

impl Request {
    /// Returns the spec of the claim.
    ///
    /// # Errors
    /// When the API server would refuse it.
    pub fn spec(&self, claim: &ClaimPath) -> Result<Value> {
        if !claims::is_size(&self.size) {
            return Err(anyhow!("`{}` is no size greater than zero", self.size).hint("write it as `5Gi` or `500Mi`"));
        }
        if self.size.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(anyhow!("`{0}` is a size of {0} bytes", self.size).hint("give it a unit, as `5Gi`"));
        }
        let mut spec = claims::of_size(&self.size);
        if !self.access_modes.is_empty() {
            spec["accessModes"] = json!(self.access_modes);
        }
        if let Some(class) = &self.storage_class {
            spec["storageClassName"] = json!(class);
        }
        claims::read_spec(&claim.to_string(), &spec.to_string()).map_err(|error| anyhow!(error))
    }

    /// Returns the spec as the parameter has it: the size alone where that says all.
    fn text(&self, spec: &Value) -> String {
        match *spec == claims::of_size(&self.size) {
            true => self.size.clone(),
            false => spec.to_string(),
        }
    }
}

/// Adds a claim to the parameter `claims` of its owner.
///
/// # Errors
/// When somebody has the claim already, or there is no place for the parameter.
pub fn add_volume(
    target: &Target<'_>,
    scope: &Scope<'_>,
    (claim, request): (&ClaimRef, &Request),
) -> Result<(Edit, RuleGate)> {
    let name = &target.name;
    let (message, destination) = (format!("Add claim {claim} of {name}"), target.app()?.namespace_name());
    let path = ClaimPath::of(claim, destination.as_ref());
    let spec = request.spec(&path)?;
    let owners = scope.claim(claim).owners.clone();
    if let Some(other) = owners.iter().find(|owner| *owner != name) {
        return Err(
            anyhow!("claim `{claim}` belongs to Application `{other}`").hint(format!(
                "choose another name, or mount it with `kubectl homelab mount {} --into {name} --at PATH`",
                claim.name
            )),
        );
    }
    for position in target.positions() {
        let there = target.parameters(position)?.claims;
        let found = there
            .iter()
            .find(|(path, _)| is_claim(path, destination.as_ref(), claim));
        match found {
            Some((_, there)) if *there == spec => {
                return Ok(nothing(message, format!("`{name}` has claim `{claim}` already")));
            }
            Some((_, there)) => return Err(other_spec(claim, there)),
            None => {}
        }
    }
    if let Availability::Available(objects) = target.before() {
        check_rendered(target, claim, &objects)?;
    }
    let (positions, key, text) = (target.positions(), path.to_string(), request.text(&spec));
    // The other sources have to know the claim as their own.
    let is_known = |source: &Source<'_>| {
        source
            .parameters()
            .is_ok_and(|parameters| parameters.owns.contains(&path))
    };
    let edit = |position: usize, source: &Source<'_>| match positions.first() == Some(&position) {
        true => entries::put_into_map(source, "claims", (&key, &text)),
        false if is_known(source) => Vec::new(),
        false => entries::add_to_parameter(source, "owns", std::slice::from_ref(&path)),
    };
    let changed = target.change(&positions, &edit)?;
    let (mut edit, gate) = target.finish(changed, message);
    let is_here = destination.as_ref() == Some(&claim.namespace);
    edit.next = Some(match is_here {
        true => format!(
            "mount it with `kubectl homelab mount {} --into {name} --at PATH`, where the chart does not",
            claim.name
        ),
        false => format!("mount it in a workload of namespace `{}`", claim.namespace),
    });
    Ok((edit, gate))
}

fn other_spec(claim: &ClaimRef, there: &Value) -> anyhow::Error {
    anyhow!("claim `{claim}` is there already, as `{there}`")
        .hint("nothing but the size of a claim can change: make that larger in the parameter `claims`, where the storage class can expand volumes")
}

/// Refuses a claim that the Application renders anyway.
fn check_rendered(target: &Target<'_>, claim: &ClaimRef, objects: &[Object]) -> Result<()> {
    let destination = target.app()?.namespace_name();
    let is_it = |object: &&Object| {
        let namespace = object.namespace().or(destination.as_ref().map(|name| name.as_str()));
        model::claim::is_claim(object)
            && object.name() == claim.name.as_str()
            && namespace == Some(claim.namespace.as_str())
    };
    match objects.iter().find(is_it) {
        Some(_) => Err(anyhow!("Application `{}` renders claim `{claim}` already", target.name)
            .hint("change it in the values of its chart, or choose another name")),
        None => Ok(()),
    }
}
