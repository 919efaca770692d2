//! Where a manifest comes from: a document, an item of a list in one, an ApplicationSet, or the render of an Application.

use crate::model::{Pointer, PointerBuf};

use super::RepoPath;

/// The origin of a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// It is a document of a file.
    #[default]
    Document,
    /// It is an item of a `List`, at this JSON Pointer of the document.
    Item(PointerBuf),
    /// An ApplicationSet generates it.
    Generated(Generated),
    /// An Application or a chart of this repository renders it.
    Rendered(Rendered),
}

/// How an ApplicationSet made an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The name of the set.
    pub set: String,
    /// Where its template is in the document.
    pub template: Anchor,
    /// The folders and files that its parameters come from.
    pub folders: Vec<RepoPath>,
}

/// How a render made an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The name of the Application that renders it, or the folder of a chart that somebody applies.
    pub by: String,
    /// Whether it is such a chart.
    pub is_chart: bool,
    /// Where its source is in the document.
    pub source: PointerBuf,
}

/// A place in a document that stands for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The object's fields are below this pointer.
    Of(PointerBuf),
    /// All of the object comes from here.
    Whole(PointerBuf),
}

impl Anchor {
    fn pointer(&self, below: &Pointer) -> PointerBuf {
        match self {
            Anchor::Of(base) => base.concat(below),
            Anchor::Whole(place) => place.clone(),
        }
    }
}

impl Origin {
    /// Returns where a field of the manifest is in the document, by its JSON Pointer.
    pub fn in_document(&self, pointer: &Pointer) -> PointerBuf {
        match self {
            Origin::Document => pointer.to_buf(),
            Origin::Item(item) => item.concat(pointer),
            Origin::Generated(generated) => generated.template.pointer(pointer),
            Origin::Rendered(rendered) => rendered.source.clone(),
        }
    }

    /// Returns where the manifest begins in the document, if it is written there field by field; what is generated or rendered is
    /// not.
    pub fn base(&self) -> Option<&Pointer> {
        match self {
            Origin::Document => Some(Pointer::root()),
            Origin::Item(item) => Some(item),
            Origin::Generated(_) | Origin::Rendered(_) => None,
        }
    }

    /// Returns where the template of a set of this origin is in the document.
    pub fn template(&self) -> Anchor {
        match self {
            Origin::Document | Origin::Item(_) => Anchor::Of(self.in_document(Pointer::from_static("/spec/template"))),
            Origin::Generated(_) | Origin::Rendered(_) => Anchor::Whole(self.in_document(Pointer::root())),
        }
    }
}
