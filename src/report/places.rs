//! The places of findings, looked up by location. What a document has to be read for is read once.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use super::mask;
use crate::model::{Object, ObjectRef, Pointer};
use crate::repo::{Manifest, Place, Repo, RepoPath};
use crate::rules::{Finding, Location};

/// A document: its file, and its index there.
type Document<'a> = (&'a RepoPath, usize);

/// The places of a repository.
pub(super) struct Places<'a> {
    repo: &'a Repo,
    secret: RefCell<HashMap<Document<'a>, Rc<[Range<usize>]>>>,
    objects: RefCell<HashMap<Document<'a>, HashSet<ObjectRef>>>,
}

impl<'a> Places<'a> {
    pub(super) fn new(repo: &'a Repo) -> Self {
        Self {
            repo,
            secret: RefCell::default(),
            objects: RefCell::default(),
        }
    }

    pub(super) fn repo(&self) -> &'a Repo {
        self.repo
    }

    pub(super) fn manifest(&self, location: &Location) -> Option<&'a Manifest> {
        self.repo.manifest(&location.file, location.document)
    }

    /// Returns the places of findings, in their order.
    pub(super) fn of<'f>(&self, findings: impl IntoIterator<Item = &'f Finding>) -> Vec<Option<Place>> {
        let mut by_document: BTreeMap<(&RepoPath, usize), Vec<(usize, &Pointer)>> = BTreeMap::new();
        let mut places = Vec::new();
        for (number, finding) in findings.into_iter().enumerate() {
            let location = finding.location.as_ref();
            places.push(location.and_then(|location| self.of_bytes(location)));
            if let Some(location) = location.filter(|location| location.bytes.is_none()) {
                let of_document = by_document.entry((&location.file, location.document)).or_default();
                of_document.push((number, &location.pointer));
            }
        }
        for ((file, document), wanted) in by_document {
            if let Some(one) = self.repo.overrides.get(file) {
                for (number, pointer) in wanted {
                    places[number] = Some(one.place(pointer));
                }
                continue;
            }
            let Some(manifest) = self.repo.manifest(file, document) else {
                let in_kustomization = |pointer| self.repo.kustomizations.place(file, pointer);
                // The chart that somebody applies: its files are no manifests, and its first line stands for it.
                for (number, pointer) in wanted {
                    let start = || Place::start_of(file.clone());
                    places[number] = Some(in_kustomization(pointer).unwrap_or_else(start));
                }
                continue;
            };
            let found = self.repo.places(manifest, wanted.iter().map(|(_, pointer)| *pointer));
            for ((number, _), place) in wanted.into_iter().zip(found) {
                places[number] = Some(place);
            }
        }
        places
    }

    /// Returns the place of a location in a manifest.
    pub(super) fn at(&self, location: &Location) -> Option<Place> {
        Some(self.repo.place(self.manifest(location)?, &location.pointer))
    }

    /// Returns the place of a location that has no pointer.
    fn of_bytes(&self, location: &Location) -> Option<Place> {
        let (start, end) = location.bytes?;
        Some(self.repo.place_of_range(self.manifest(location)?, start..end))
    }

    /// Returns the findings with their places, in the order of files and lines.
    pub(super) fn sorted<'f>(&self, findings: &'f [Finding]) -> Vec<(Option<Place>, &'f Finding)> {
        let mut placed: Vec<_> = self.of(findings).into_iter().zip(findings).collect();
        placed.sort_by(|(a, one), (b, other)| {
            let at = |place: &Option<Place>| place.as_ref().map(|place| place.range.start);
            let file = |place: &'_ Option<Place>| place.as_ref().map(|place| place.file.clone());
            (file(a), at(a), one.rule.id, &one.message).cmp(&(file(b), at(b), other.rule.id, &other.message))
        });
        placed
    }

    /// Returns the ranges of a manifest's file that hold values nobody may see.
    pub(super) fn secret_ranges(&self, manifest: &'a Manifest) -> Rc<[Range<usize>]> {
        let mut known = self.secret.borrow_mut();
        let ranges = known.entry((&manifest.file, manifest.document));
        Rc::clone(ranges.or_insert_with(|| mask::secret_ranges(self.repo, manifest).into()))
    }

    /// Reports whether a manifest is an object, or a list that contains it.
    pub(super) fn contains(&self, manifest: &'a Manifest, object: &ObjectRef) -> bool {
        let mut known = self.objects.borrow_mut();
        let objects = known.entry((&manifest.file, manifest.document)).or_insert_with(|| {
            let items = if manifest.object.is_list() {
                manifest.object.flatten()
            } else {
                Vec::new()
            };
            let items = items.iter().filter_map(|(_, item)| Object::reference(item));
            items.chain(manifest.object.reference()).collect()
        });
        objects.contains(object)
    }
}
