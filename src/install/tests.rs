use super::*;
use serde_json::json;

fn read(text: &str) -> Value {
    yaml::value(text).unwrap().unwrap()
}

fn images(argo_cd: Option<&str>) -> Images {
    Images {
        plugin: "registry.home/homelab@sha256:00".to_owned(),
        argo_cd: argo_cd.map(str::to_owned),
        ..Images::default()
    }
}

#[test]
fn a_component_takes_helm_from_the_repo_servers_image_unless_a_version_is_named() {
    let component = read(&kustomize(&images(None)).unwrap());
    let source = component.pointer("/replacements/0/source/fieldPath");
    assert_eq!(
        source,
        Some(&json!("spec.template.spec.containers.[name=argocd-repo-server].image"))
    );
    let component = read(&kustomize(&images(Some("v3.4.1"))).unwrap());
    assert_eq!(component.get("replacements"), None);
    let patch = read(component["patches"][0]["patch"].as_str().unwrap());
    let init = &patch["spec"]["template"]["spec"]["initContainers"][0];
    assert_eq!(init["image"], "quay.io/argoproj/argocd:v3.4.1");
}

#[test]
fn the_settings_stand_where_each_form_reads_them() {
    let pairs = |tree: &Value| {
        let entries = tree.as_array().unwrap().iter();
        let pair = |entry: &Value| (entry["name"].clone(), entry["value"].clone());
        entries.map(pair).collect::<Vec<_>>()
    };
    let images = images(None);
    let expected = json!({
        "reposerver.plugin.tar.exclusions": ".git",
        "reposerver.plugin.use.manifest.generate.paths": "true",
    });
    let component = read(&kustomize(&images).unwrap());
    let patch = read(component["patches"][2]["patch"].as_str().unwrap());
    assert_eq!(patch["data"], expected);
    assert_eq!(read(&helm_values(&images).unwrap())["configs"]["params"], expected);
    assert_eq!(
        pairs(&read(&operator(&images).unwrap())["spec"]["repo"]["env"]),
        [
            (json!("ARGOCD_REPO_SERVER_PLUGIN_TAR_EXCLUSIONS"), json!(".git")),
            (
                json!("ARGOCD_REPO_SERVER_PLUGIN_USE_MANIFEST_GENERATE_PATHS"),
                json!("true")
            ),
        ]
    );
}

#[test]
fn the_platform_gives_the_operators_containers_their_user() {
    let images = images(None);
    let values = helm_values(&images).unwrap();
    assert_eq!(values.matches("runAsUser: 999").count(), 2);
    assert!(!operator(&images).unwrap().contains("runAsUser"));
}

#[test]
fn nothing_in_the_values_is_a_template_but_the_image_of_the_chart() {
    let templates = |text: String| text.lines().filter(|line| line.contains("{{")).count();
    assert_eq!(templates(helm_values(&images(None)).unwrap()), 1);
    assert_eq!(templates(helm_values(&images(Some("v3.5.7"))).unwrap()), 0);
}

#[test]
fn every_form_says_how_to_upgrade_and_how_to_take_it_out() {
    for form in [kustomize, helm_values, operator] {
        let text = form(&images(None)).unwrap();
        let head: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        for words in ["Install:", "Check:", "Upgrade:", "refresh --all --hard", "Remove:"] {
            assert!(head.contains(words), "{words} is not in {head}");
        }
        assert!(text.lines().all(|line| line.trim_end() == line));
    }
}
