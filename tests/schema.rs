//! The table of the fields of Argo CD's kinds is what `cargo xtask schema` writes from the pinned Argo CD.
#![expect(
    clippy::disallowed_methods,
    reason = "a test reads files, runs programs and fails loudly"
)]

use std::fs;
use std::process::Command;

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/model/argocd_schema.txt");

#[test]
fn the_table_is_that_of_the_pinned_argo_cd() {
    let xtask = std::env::var_os("HOMELAB_TEST_XTASK").expect("HOMELAB_TEST_XTASK is not set: run `cargo xtask test`");
    let folder = tempfile::tempdir().unwrap();
    let written = folder.path().join("table.txt");
    let status = Command::new(xtask)
        .args(["schema", "--output"])
        .arg(&written)
        .status()
        .unwrap();
    assert!(status.success());
    let written = fs::read_to_string(written).unwrap();
    let kept = fs::read_to_string(TABLE).unwrap();
    assert!(written == kept, "run `cargo xtask schema` and read the diff");
    assert!(kept.len() < 30_000, "the program carries {} bytes of it", kept.len());
}
