//! Finds what the JSON schema library of helm loads besides a schema itself. It compiles what can be reached from the root,
//! by keywords and by references, and resolves each reference against the nearest `$id`
//! ([source](https://pkg.go.dev/github.com/santhosh-tekuri/jsonschema/v6)).
//!
//! ```text
//! collect  registers `$id`s and anchors below a subschema, at the places that its draft has for subschemas
//! compile  follows keywords and references of a subschema; one that leads nowhere in the document is loaded
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::draft::Draft;
use super::url::{Url, decoded};
use crate::model::{Pointer, PointerBuf};

/// Something that helm loads for a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Load {
    /// The reference as it is written.
    pub(super) reference: String,
    /// The reference, resolved.
    pub(super) url: Url,
}

/// Returns what helm loads for a schema, in the order of the search.
pub(super) fn loads(schema: &Value) -> Vec<Load> {
    let mut document = Document {
        root: schema,
        resources: BTreeMap::new(),
        collected: BTreeSet::new(),
        queue: Vec::new(),
        queued: BTreeSet::new(),
        loads: Vec::new(),
    };
    document.collect(PointerBuf::new(), schema, &Url::of_root(), Draft::latest());
    document.enqueue(PointerBuf::new());
    while let Some(place) = document.queue.pop() {
        document.compile(&place);
    }
    document.loads
}

/// A subschema with a URL of its own.
struct Resource {
    id: Url,
    draft: Draft,
    anchors: BTreeMap<String, PointerBuf>,
    dynamic_anchors: Vec<PointerBuf>,
}

struct Document<'s> {
    root: &'s Value,
    resources: BTreeMap<PointerBuf, Resource>,
    collected: BTreeSet<PointerBuf>,
    queue: Vec<PointerBuf>,
    queued: BTreeSet<PointerBuf>,
    loads: Vec<Load>,
}

impl<'s> Document<'s> {
    fn enqueue(&mut self, place: PointerBuf) {
        if self.queued.insert(place.clone()) {
            self.queue.push(place);
        }
    }

    /// Returns the place of the resource that a subschema is in.
    fn resource_of(&self, place: &Pointer) -> PointerBuf {
        let mut place = place.to_buf();
        while !self.resources.contains_key(&place) && !place.is_root() {
            place.pop_back();
        }
        place
    }

    /// Registers a subschema and those below it.
    fn collect(&mut self, place: PointerBuf, schema: &'s Value, base: &Url, fallback: Draft) {
        if !self.collected.insert(place.clone()) {
            return;
        }
        let Value::Object(fields) = schema else {
            if place.is_root() {
                self.register(place, base.clone(), fallback);
            }
            return;
        };
        let (mut draft, mut has_draft) = (fallback, false);
        if let Some(named) = text(fields, "$schema") {
            has_draft = true;
            match Draft::named(named) {
                Some(known) => draft = known,
                None => self.load_draft(named),
            }
        }
        let mut id = draft.id(fields);
        if id.is_empty() && !place.is_root() {
            (draft, has_draft) = (fallback, false);
            id = draft.id(fields);
        }
        let base = match id {
            "" => base.clone(),
            id => Url::read(id, Some(base)),
        };
        if !id.is_empty() || place.is_root() {
            self.register(place.clone(), base.clone(), if has_draft { draft } else { fallback });
        }
        let resource = self.resource_of(&place);
        self.collect_anchors(&place, fields, &resource);
        let below = self
            .resources
            .get(&resource)
            .map_or(fallback, |resource| resource.draft);
        for (place, schema) in draft.subschemas(&place, fields) {
            self.collect(place, schema, &base, below);
        }
    }

    fn register(&mut self, place: PointerBuf, id: Url, draft: Draft) {
        self.resources.entry(place).or_insert_with(|| Resource {
            id,
            draft,
            anchors: BTreeMap::new(),
            dynamic_anchors: Vec::new(),
        });
    }

    fn collect_anchors(&mut self, place: &Pointer, fields: &Map<String, Value>, resource: &Pointer) {
        let Some(resource) = self.resources.get_mut(resource) else {
            return;
        };
        for (anchor, is_dynamic) in resource.draft.anchors(fields) {
            resource.anchors.entry(anchor).or_insert_with(|| place.to_buf());
            if is_dynamic {
                resource.dynamic_anchors.push(place.to_buf());
            }
        }
    }

    /// Notes a draft that the library does not have; its name is not resolved against anything.
    fn load_draft(&mut self, named: &str) {
        let document = named.split('#').next().unwrap_or_default();
        let url = Url::read(document, None);
        // A name without a scheme is an error of helm.
        if !url.scheme().is_empty() && !url.is_surely(&Url::of_root()) {
            self.loads.push(Load {
                reference: named.to_owned(),
                url,
            });
        }
    }

    fn compile(&mut self, place: &Pointer) {
        // Helm reports a place that is not there.
        let Some(schema) = at(self.root, place) else {
            return;
        };
        if !self.collected.contains(place) {
            let resource = self.resource_of(place);
            if let Some((id, draft)) = self
                .resources
                .get(&resource)
                .map(|found| (found.id.clone(), found.draft))
            {
                self.collect(place.to_buf(), schema, &id, draft);
            }
        }
        let place_of_resource = self.resource_of(place);
        let Some(resource) = self.resources.get(&place_of_resource) else {
            return;
        };
        let draft = resource.draft;
        if draft.has_dynamic_anchors() && *place_of_resource == *place {
            for anchor in resource.dynamic_anchors.clone() {
                self.enqueue(anchor);
            }
        }
        self.enqueue(place_of_resource.clone());
        let Value::Object(fields) = schema else { return };
        for key in draft.references() {
            if let Some(reference) = text(fields, key) {
                self.follow(reference, &place_of_resource);
            }
        }
        if draft.ignores_beside_reference() && text(fields, "$ref").is_some() {
            return;
        }
        for place in draft.compiled(place, fields) {
            self.enqueue(place);
        }
    }

    /// Follows a reference of a resource: within the document, or out of it.
    fn follow(&mut self, reference: &str, resource: &Pointer) {
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        // Helm reports a fragment that it cannot decode, before it loads anything.
        let Some(fragment) = decoded(fragment) else { return };
        let base = self.resources.get(resource).map(|resource| &resource.id);
        let url = Url::read(document, base);
        let is_at = |(_, resource): &(&PointerBuf, &Resource)| resource.id.is_surely(&url);
        let found = match url.is_surely(&Url::of_root()) {
            true => self.resources.get_key_value(Pointer::root()),
            // A reference to the document that it stands in; its URL may be one that Go writes differently.
            false if document.is_empty() && base.is_some_and(Url::is_stable) => self.resources.get_key_value(resource),
            false => self.resources.iter().find(is_at),
        };
        let Some((place, resource)) = found else {
            let reference = reference.to_owned();
            self.loads.push(Load { reference, url });
            return;
        };
        let target = if fragment.is_empty() || fragment.starts_with('/') {
            // Helm reports a malformed pointer.
            PointerBuf::parse(fragment).ok().map(|below| place.concat(&below))
        } else {
            resource.anchors.get(&fragment).cloned()
        };
        if let Some(target) = target {
            self.enqueue(target);
        }
    }
}

/// Returns a field that is a text.
fn text<'s>(fields: &'s Map<String, Value>, key: &str) -> Option<&'s str> {
    fields.get(key).and_then(Value::as_str)
}

/// Returns the value at a place. Go takes more texts for an index than a JSON Pointer allows, such as `01`.
fn at<'s>(root: &'s Value, place: &Pointer) -> Option<&'s Value> {
    place.tokens().try_fold(root, |value, token| match value {
        Value::Object(fields) => fields.get(token.decoded().as_ref()),
        Value::Array(items) => items.get(usize::try_from(token.decoded().parse::<i64>().ok()?).ok()?),
        _ => None,
    })
}
