use super::*;
use crate::render::tests::request;
use crate::repo::Memory;
use serde_json::json;

fn of(files: &[(&str, &str)]) -> Result<Vec<RepoPath>> {
    let files = Memory::new(files.iter().copied())?;
    check(&request("charts/player", json!([])), (&files).into())
}

#[test]
fn dependencies_stay_in_the_repository() {
    for (file, text, part) in [
        (
            "Chart.yaml",
            "dependencies: [{name: a, repository: 'file:///etc'}]",
            "`file:///etc` is outside",
        ),
        (
            "Chart.yaml",
            "dependencies: [{name: a, repository: 'file://../../../x'}]",
            "is outside the repository",
        ),
        (
            "Chart.yaml",
            "Dependencies: [{Name: a, REPOSITORY: 'file:///etc'}]",
            "is outside the repository",
        ),
        (
            "Chart.yaml",
            "dependencie\u{17f}: [{name: a, repo\u{17f}itory: 'file:///etc'}]",
            "is outside the repository",
        ),
        (
            "Chart.yaml",
            "x: &d [{name: a, repository: 'file:///etc'}]\ndependencies: *d",
            "is outside the repository",
        ),
        (
            "requirements.yaml",
            "dependencies: [{name: a, repository: 'file:///etc'}]",
            "requirements.yaml",
        ),
        (
            "Chart.lock",
            "dependencies: [{name: a, repository: 'file:///etc'}]",
            "Chart.lock",
        ),
        (
            "requirements.lock",
            "dependencies: [{name: a, repository: 'file:///etc'}]",
            "requirements.lock",
        ),
        (
            "Chart.yaml",
            "dependencies: [{name: ../../../../etc}]",
            "the name `../../../../etc` of a dependency is a path",
        ),
        (
            "Chart.yaml",
            "dependencies: [{repository: 'file:///etc'}",
            "charts/player/Chart.yaml:",
        ),
    ] {
        let error = format!("{:#}", of(&[(&format!("charts/player/{file}"), text)]).unwrap_err());
        assert!(error.contains(part), "{part} in {error}");
    }
    let inside =
        "dependencies: [{name: a, repository: 'file://../library'}, {name: b, repository: 'https://c.example'}]";
    let local = of(&[("charts/player/Chart.yaml", inside)]).unwrap();
    assert_eq!(local, [RepoPath::new("charts/library").unwrap()]);
}

#[test]
fn a_dependency_that_argo_cd_did_not_send_is_named() {
    let request = Request {
        prefix: RepoPath::new("cluster").unwrap(),
        ..request("player", json!([]))
    };
    let chart = "dependencies: [{name: a, repository: 'file://../../library'}]";
    let files = Memory::new([("player/Chart.yaml", chart)]).unwrap();
    let failure = crate::failure::Failure::from(check(&request, (&files).into()).unwrap_err());
    assert!(
        failure.one_line().contains("not in what Argo CD sent"),
        "{}",
        failure.one_line()
    );
    assert!(
        failure.hints[0].starts_with("add `/library` to the annotation"),
        "{:?}",
        failure.hints
    );
}

#[test]
fn what_is_vendored_need_not_be_sent() {
    let check = |vendored: &str, parameters: Value| {
        let request = Request {
            prefix: RepoPath::new("cluster").unwrap(),
            ..request("player", parameters)
        };
        let chart = "dependencies: [{name: a, repository: 'file://../../a'}]";
        check(
            &request,
            (&Memory::new([("player/Chart.yaml", chart), (vendored, "")]).unwrap()).into(),
        )
    };
    for vendored in ["player/charts/a/Chart.yaml", "player/charts/a-1.0.0.tgz"] {
        assert_eq!(check(vendored, json!([])).unwrap(), []);
        let update = json!([{"name": "dependency-update", "string": "true"}]);
        assert!(check(vendored, update).is_err(), "an update reads the folder");
    }
    for other in [
        "player/charts/ab/Chart.yaml",
        "player/charts/ab-1.0.0.tgz",
        "player/charts/a.tgz",
    ] {
        assert!(check(other, json!([])).is_err(), "{other}");
    }
}
