use super::*;
use crate::model::parameter::TABLE;
use serde_json::json;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

const NAMESPACE: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: media\n";
const FETCHER: &str = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: fetcher\nspec:\n  destination:\n    namespace: media\n  source:\n    repoURL: u\n    plugin:\n      name: homelab-v1\n      parameters:\n      - name: owns\n        array: [audio]\n";

fn owners(folder: &Path, path: &str) -> Result<String> {
    let environment = environment(&[("ARGOCD_APP_NAME", "namespaces"), ("ARGOCD_APP_SOURCE_PATH", path)]);
    Ok(generate(&environment, folder)?.objects()?[0]
        .label("owner.storage.home.arpa/audio")
        .unwrap_or("nobody")
        .to_owned())
}

#[test]
fn the_registry_is_read_from_the_same_checkout() {
    let whole = tree(&[
        ("namespaces/media.yaml", NAMESPACE),
        ("applications/fetcher.yaml", FETCHER),
    ]);
    assert_eq!(
        owners(&whole.path().join("namespaces"), "namespaces").unwrap(),
        "fetcher"
    );
}

#[test]
fn a_part_of_the_tree_is_found_by_the_sources_path() {
    // Argo CD sent `cluster/` of a repository: the folder of Applications at its top is not in it.
    let part = tree(&[
        ("namespaces/media.yaml", NAMESPACE),
        ("applications/fetcher.yaml", FETCHER),
    ]);
    let error = owners(&part.path().join("namespaces"), "cluster/namespaces").unwrap_err();
    let failure = crate::failure::Failure::from(error);
    assert!(
        failure.one_line().contains("is not in what Argo CD sent"),
        "{}",
        failure.one_line()
    );
    assert_eq!(
        failure.hints,
        ["add `/applications` to the annotation `argocd.argoproj.io/manifest-generate-paths`"]
    );
    let named = environment(&[
        ("ARGOCD_APP_NAME", "namespaces"),
        ("ARGOCD_APP_SOURCE_PATH", "cluster/namespaces"),
        (
            "ARGOCD_APP_PARAMETERS",
            r#"[{"name":"applications","string":"cluster/applications"}]"#,
        ),
    ]);
    assert!(
        generate(&named, &part.path().join("namespaces"))
            .unwrap()
            .text()
            .contains("owner.storage.home.arpa/audio: fetcher")
    );
}

#[test]
fn a_registry_holds_the_claims_of_its_own_cluster() {
    let namespaces = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: namespaces\nspec:\n  destination:\n    server: https://kubernetes.default.svc\n";
    for (destination, owner) in [
        ("name: nas", "nobody"),
        ("server: https://nas.lan:6443", "nobody"),
        ("name: in-cluster", "fetcher"),
    ] {
        let fetcher = FETCHER.replace(
            "    namespace: media\n",
            &format!("    namespace: media\n    {destination}\n"),
        );
        let whole = tree(&[
            ("namespaces/media.yaml", NAMESPACE),
            ("applications/namespaces.yaml", namespaces),
            ("applications/fetcher.yaml", &fetcher),
        ]);
        let found = owners(&whole.path().join("namespaces"), "namespaces").unwrap();
        assert_eq!(found, owner, "{destination}");
    }
}

#[test]
fn a_registry_is_never_empty_by_mistake() {
    let missing = tree(&[("namespaces/media.yaml", NAMESPACE)]);
    assert!(
        owners(&missing.path().join("namespaces"), "namespaces")
            .unwrap_err()
            .to_string()
            .contains("`namespaces` is not in this repository")
    );
    for (text, part) in [
        ("a: [\n", "applications/x.yaml:"),
        (&FETCHER.replace("owns", "own")[..], "`own` is unknown"),
    ] {
        let broken = tree(&[("namespaces/media.yaml", NAMESPACE), ("applications/x.yaml", text)]);
        let error = format!(
            "{:#}",
            owners(&broken.path().join("namespaces"), "namespaces").unwrap_err()
        );
        assert!(error.contains(part), "{part} in {error}");
    }
}

/// A set over folders, and what its Applications own.
const SET: &str = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: apps}\nspec:\n  goTemplate: true\n  generators:\n  - git: {repoURL: https://git.example.org/home, revision: main, directories: [{path: apps/*}]}\n  template:\n    metadata: {name: '{{.path.basename}}'}\n    spec:\n      project: default\n      source: {repoURL: https://git.example.org/home, path: '{{.path.path}}'}\n      destination: {namespace: media, name: in-cluster}\n";
const OVERRIDE: &str = "plugin:\n  name: homelab-v1\n  parameters:\n  - name: owns\n    array: [audio]\n";

fn owners_of_sets(files: &[(&str, &str)]) -> Result<String> {
    let whole = tree(files);
    let environment = environment(&[
        ("ARGOCD_APP_NAME", "namespaces"),
        ("ARGOCD_APP_SOURCE_PATH", "namespaces"),
        ("ARGOCD_APP_SOURCE_REPO_URL", "https://git.example.org/home.git"),
    ]);
    let output = generate(&environment, &whole.path().join("namespaces"))?;
    let label = output.objects()?[0]
        .label("owner.storage.home.arpa/audio")
        .map(str::to_owned);
    Ok(label.unwrap_or_default())
}

#[test]
fn a_registry_counts_what_sets_generate() {
    let namespaces = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: namespaces}\nspec: {source: {repoURL: https://git.example.org/home, path: namespaces}}\n";
    let base = [
        ("namespaces/media.yaml", NAMESPACE),
        ("bootstrap/namespaces.yaml", namespaces),
        ("bootstrap/apps.yaml", SET),
        (
            "apps/fetcher/claim.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        ),
        ("apps/fetcher/.argocd-source.yaml", OVERRIDE),
    ];
    assert_eq!(owners_of_sets(&base).unwrap(), "fetcher");
    let outside = SET.replace("  template:", "  - plugin: {configMapRef: {name: x}}\n  template:");
    let unknown: Vec<(&str, &str)> = base
        .iter()
        .map(|(path, text)| {
            (
                *path,
                if *path == "bootstrap/apps.yaml" {
                    outside.as_str()
                } else {
                    text
                },
            )
        })
        .collect();
    let error = format!("{:#}", owners_of_sets(&unknown).unwrap_err());
    assert!(
        error.contains("what ApplicationSet `apps` brings is not known"),
        "{error}"
    );
}

#[test]
fn a_registry_of_a_part_of_the_repository_leaves_nobody_out() {
    let set = |pattern: &str| SET.replace("apps/*", pattern);
    let owner = |pattern: &str| {
        let part = tree(&[
            ("namespaces/media.yaml", NAMESPACE),
            ("applications/apps.yaml", &set(pattern)),
            (
                "apps/fetcher/claim.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
            ),
            ("apps/fetcher/.argocd-source.yaml", OVERRIDE),
        ]);
        let environment = environment(&[
            ("ARGOCD_APP_NAME", "namespaces"),
            ("ARGOCD_APP_SOURCE_PATH", "cluster/namespaces"),
            ("ARGOCD_APP_SOURCE_REPO_URL", "https://git.example.org/home"),
            (
                "ARGOCD_APP_PARAMETERS",
                r#"[{"name":"applications","array":["cluster/applications"]}]"#,
            ),
        ]);
        let output = generate(&environment, &part.path().join("namespaces"))?;
        let label = output.objects()?[0]
            .label("owner.storage.home.arpa/audio")
            .map(str::to_owned);
        anyhow::Ok(label.unwrap_or_default())
    };
    assert_eq!(owner("cluster/apps/*").unwrap(), "fetcher");
    let error = format!("{:#}", owner("apps/*").unwrap_err());
    assert!(
        error.contains("what ApplicationSet `apps` brings is not known"),
        "{error}"
    );
}

#[test]
fn bad_parameters_are_named() {
    let folder = tree(&[("m/a.yaml", NAMESPACE)]);
    for (json, part) in [
        ("{", "is not JSON: line 1"),
        ("{}", "parameters are not a list"),
        (r#"[{"name":"owns","array":[1]}]"#, "quote its entries"),
        (r#"[{"name":"nope"}]"#, "`kubectl homelab explain parameters` lists"),
    ] {
        let environment = environment(&[("ARGOCD_APP_NAME", "a"), ("ARGOCD_APP_PARAMETERS", json)]);
        let error = format!("{:#}", generate(&environment, &folder.path().join("m")).unwrap_err());
        assert!(error.contains(part), "{part} in {error}");
    }
    for json in ["null", "[]", ""] {
        assert_eq!(
            parameters(Some(json).filter(|json| !json.is_empty())).unwrap(),
            Parameters::default()
        );
    }
}

#[test]
fn an_empty_render_needs_leave() {
    let folder = tree(&[("m/a.yaml", "# nothing\n")]);
    let with = |json: &str| {
        let environment = environment(&[("ARGOCD_APP_NAME", "team_a"), ("ARGOCD_APP_PARAMETERS", json)]);
        generate(&environment, &folder.path().join("m"))
    };
    assert!(with("null").unwrap_err().to_string().contains("the render is empty"));
    assert_eq!(
        with(r#"[{"name":"allow-empty","string":"true"}]"#).unwrap().text(),
        "---\n# nothing\n"
    );
}

#[test]
fn the_announcement_has_every_parameter_and_never_fails() {
    let folder = tree(&[
        ("values.yaml", ""),
        ("values-home.yml", ""),
        ("env/dev.values.YAML", ""),
        ("env/values.txt", ""),
        (".git/values.yaml", ""),
        ("Chart.yaml", ""),
    ]);
    let announced = announcement(folder.path());
    let list = announced.as_array().unwrap();
    assert_eq!(list.len(), TABLE.len());
    let files = list.iter().find(|entry| entry["name"] == "values-files").unwrap();
    assert_eq!(
        files["array"],
        json!(["env/dev.values.YAML", "values-home.yml", "values.yaml"])
    );
    assert_eq!(
        announcement(Path::new("/nowhere/at/all")).as_array().unwrap().len(),
        TABLE.len()
    );
}

#[test]
fn a_complaint_is_one_line_without_the_servers_folder() {
    let folder = Path::new("/tmp/_cmp_server/0f-1/helm/x");
    let failure = crate::failure::Failure::from(
        anyhow!("cannot read `/tmp/_cmp_server/0f-1/helm/x/values.yaml`:\nno").hint("look"),
    );
    assert_eq!(
        complaint(&failure, folder),
        "cannot read `helm/x/values.yaml`: no (look)"
    );
}
