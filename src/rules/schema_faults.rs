//! What is wrong in the objects of Argo CD's kinds by the table of their fields.

use std::rc::Rc;

use super::Scope;
use super::declared::{Declared, declared};
use crate::model::application::GROUP;
use crate::model::argocd_schema::{self, Fault, KINDS};
use crate::model::{Object, Pointer};

/// Returns the faults of all objects of Argo CD's kinds, each with its object.
pub(super) fn faults<'a>(scope: &'a Scope<'a>) -> Vec<(Rc<Declared<'a>>, Fault)> {
    let is_checked = |object: &Object| KINDS.iter().any(|kind| object.is(GROUP, kind));
    let mut all = Vec::new();
    for declared in declared(scope, is_checked) {
        let faults = argocd_schema::faults(declared.object().kind(), declared.object().tree());
        let declared = Rc::new(declared);
        all.extend(faults.into_iter().map(|fault| (Rc::clone(&declared), fault)));
    }
    all
}

/// Returns a JSON Pointer as users write paths of fields: `spec.sources[1].helm`.
pub(super) fn dotted(pointer: &Pointer) -> String {
    let mut path = String::new();
    for token in pointer {
        let token = token.decoded();
        if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
            path.push_str(&format!("[{token}]"));
        } else {
            path.push_str(if path.is_empty() { "" } else { "." });
            path.push_str(&token);
        }
    }
    path
}
