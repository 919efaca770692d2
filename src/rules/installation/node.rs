//! A part of a rendered manifest together with its place.

use serde_json::Value;

use crate::model::{AsPointer, PointerBuf, PointerExt};
use crate::repo::Manifest;
use crate::rules::Location;

/// A value inside a manifest, and where.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    manifest: &'a Manifest,
    pointer: PointerBuf,
    value: &'a Value,
}

/// One mount of a container.
#[derive(Clone, Debug)]
pub struct Mount<'a> {
    /// The entry of `volumeMounts`.
    pub node: Node<'a>,
    /// The volume's name.
    pub volume: &'a str,
    /// Where it is mounted, without a `/` at the end.
    pub path: &'a str,
    /// The part of the volume that is mounted; empty for all of it.
    pub sub_path: &'a str,
}

impl<'a> Node<'a> {
    /// Returns the objects of a manifest: itself, or the items of a list.
    pub(super) fn objects(manifest: &'a Manifest) -> Vec<Self> {
        let mut out = Vec::new();
        let mut todo = vec![Self {
            manifest,
            pointer: PointerBuf::new(),
            value: manifest.object.tree(),
        }];
        while let Some(node) = todo.pop() {
            if node.text("kind").ends_with("List") && node.value["items"].is_array() {
                todo.extend(node.items("items").into_iter().rev());
            } else {
                out.push(node);
            }
        }
        out
    }

    /// Returns the value.
    pub fn value(&self) -> &'a Value {
        self.value
    }

    /// Returns its place.
    pub fn location(&self) -> Location {
        Location::of(self.manifest, self.pointer.clone())
    }

    /// Returns the place of something in it, there or not: that of a missing field is the place of what should hold it.
    pub fn location_of(&self, path: impl AsPointer) -> Location {
        Location::of(self.manifest, self.pointer.concat(path.as_pointer()))
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key)?;
        Some(Self {
            manifest: self.manifest,
            pointer: self.pointer.child(key),
            value,
        })
    }

    /// Returns the value at a JSON Pointer.
    pub fn at(&self, pointer: impl AsPointer) -> Option<Self> {
        let pointer = pointer.as_pointer();
        Some(Self {
            manifest: self.manifest,
            pointer: self.pointer.concat(pointer),
            value: self.value.pointer(pointer.as_str())?,
        })
    }

    /// Returns the entries of a list; none when it is not there.
    pub fn items(&self, key: &str) -> Vec<Self> {
        let Some(list) = self.get(key) else { return Vec::new() };
        let entries = list.value.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate();
        let entry = |(index, value)| Self {
            manifest: self.manifest,
            pointer: list.pointer.child(index),
            value,
        };
        entries.map(entry).collect()
    }

    /// Returns a text; empty when it is not there or something else.
    pub fn text(&self, key: &str) -> &'a str {
        self.value.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a boolean at a JSON Pointer.
    pub fn flag(&self, pointer: impl AsPointer) -> Option<bool> {
        self.at(pointer)?.value.as_bool()
    }

    /// Returns the words of a container's command and arguments; those of a shell's script one by one.
    pub(super) fn words(&self) -> Vec<&'a str> {
        let texts = ["command", "args"]
            .into_iter()
            .filter_map(|key| self.value.get(key)?.as_array())
            .flatten();
        texts
            .filter_map(Value::as_str)
            .flat_map(str::split_whitespace)
            .collect()
    }

    /// Reports whether a container's command or arguments name a program, by the last part of its path.
    pub(super) fn runs(&self, program: &str) -> bool {
        self.words().iter().any(|word| word.rsplit('/').next() == Some(program))
    }

    /// Returns the entry of a container's variable.
    pub(super) fn variable(&self, name: &str) -> Option<Self> {
        // The last one of two wins, as in the container.
        self.items("env").into_iter().rfind(|entry| entry.text("name") == name)
    }

    /// Returns the mounts of a container.
    pub(super) fn mounts(&self) -> Vec<Mount<'a>> {
        let mount = |node: Node<'a>| Mount {
            volume: node.text("name"),
            path: node.text("mountPath").trim_end_matches('/'),
            sub_path: node.text("subPath"),
            node,
        };
        self.items("volumeMounts").into_iter().map(mount).collect()
    }

    /// Returns the mount at a path.
    pub(super) fn mount_at(&self, path: &str) -> Option<Mount<'a>> {
        self.mounts().into_iter().find(|mount| mount.path == path)
    }

    /// Returns the mount that a path is in: the deepest one.
    pub(super) fn mount_around(&self, path: &str) -> Option<Mount<'a>> {
        let is_around = |mount: &Mount<'_>| {
            path.strip_prefix(mount.path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let around = self.mounts().into_iter().filter(is_around);
        around.max_by_key(|mount| mount.path.len())
    }
}
