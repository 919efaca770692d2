#![expect(clippy::disallowed_methods, reason = "the adapter to helm")]

use super::*;
use crate::repo::RepoPath;

#[cfg(unix)]
mod with_a_program {
    use super::*;
    use crate::failure::find;
    use crate::render::confidential::Confidential;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Instant;

    /// Returns a checkout with a chart, and a program that replaces helm.
    fn helm(script: &str, timeout: Duration) -> (tempfile::TempDir, Helm) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("chart")).unwrap();
        std::fs::write(folder.path().join("chart/Chart.yaml"), "name: chart\n").unwrap();
        let (text, program) = (folder.path().join("text"), folder.path().join("helm"));
        std::fs::write(&text, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&text, std::fs::Permissions::from_mode(0o755)).unwrap();
        // A child of another test, started meanwhile, would hold a file open that this process writes: it could not run.
        let copied = std::process::Command::new("cp").args([&text, &program]).status();
        assert!(copied.unwrap().success());
        let checkout = Checkout::open(folder.path()).unwrap();
        (
            folder,
            Helm {
                program,
                checkouts: checkout.into(),
                timeout,
                deadline: None,
                network: true,
                remote_schemas: RemoteSchemas::Followed,
                cache: None,
                slots: None,
            },
        )
    }

    fn call(arguments: Vec<Argument>) -> HelmCall {
        HelmCall {
            tree: Tree::Source,
            chart: RepoPath::new("chart").unwrap(),
            arguments,
            confidential: Confidential::of(["hunter2".to_owned()]),
            dependency_update: false,
            skip_schema_validation: false,
        }
    }

    fn template(script: &str, timeout: Duration) -> Result<String> {
        let (_folder, helm) = helm(script, timeout);
        helm.render(&call(Vec::new())).map(|raw| raw.text)
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn runs_in_the_chart_with_folders_of_its_own() {
        let (_folder, helm) = helm(
            "pwd; echo $1 $2 $3; cat \"$4\"; echo; cat \"$5\"; test -d \"$XDG_CACHE_HOME/..\"; env | grep -c KUBECONFIG || true",
            LONG,
        );
        let arguments = vec![
            Argument::Text("--x".to_owned()),
            Argument::Temporary("a: 1".to_owned()),
            Argument::File(Tree::Source, RepoPath::new("chart/Chart.yaml").unwrap()),
        ];
        let printed = helm.render(&call(arguments)).unwrap().text;
        let root = helm.checkouts.source.root().display();
        assert_eq!(printed, format!("{root}/chart\ntemplate . --x\na: 1\nname: chart\n0\n"));
    }

    #[test]
    fn collects_garbage_late_by_default() {
        let percent = std::env::var("GOGC").unwrap_or_else(|_| "400".to_owned());
        assert_eq!(template("echo $GOGC", LONG).unwrap(), format!("{percent}\n"));
    }

    #[test]
    fn a_failure_is_one_line_without_values() {
        let error = template("echo 'Error: bad hunter2' >&2; echo half; exit 1", LONG).unwrap_err();
        assert_eq!(error.to_string(), "helm template failed: bad …");
    }

    #[test]
    fn a_killed_helm_is_reported() {
        let error = template("kill -9 $$", LONG).unwrap_err();
        assert_eq!(error.to_string(), "helm template was killed before it ended");
    }

    #[test]
    fn a_hanging_helm_is_ended_with_its_children() {
        let start = Instant::now();
        let error = template("sleep 1000 & sleep 1000", Duration::from_millis(300)).unwrap_err();
        assert_eq!(error.to_string(), "helm template did not end within 0.3 s");
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "nobody waited for the sleepers"
        );
    }

    #[test]
    fn a_child_that_outlives_helm_is_not_waited_for_longer() {
        let start = Instant::now();
        match template("echo done; sleep 1000 &", Duration::from_millis(300)) {
            // It goes with helm.
            Ok(printed) if cfg!(target_os = "linux") => assert_eq!(printed, "done\n"),
            Err(error) if cfg!(not(target_os = "linux")) => {
                assert_eq!(error.to_string(), "helm template did not end within 0.3 s");
            }
            other => panic!("{other:?}"),
        }
        assert!(start.elapsed() < Duration::from_secs(15));
    }

    #[test]
    fn nothing_is_read_from_standard_input() {
        assert_eq!(template("cat; echo end", LONG).unwrap(), "end\n");
    }

    /// Plays a helm that finds no dependencies until it has built them; every call is logged beside it.
    const BUILDS: &str = r#"
echo "$@" >> "${0%/*}/log"
case "$1" in
dependency) mkdir -p charts tmpcharts-1; touch charts/new.tgz Chart.lock ;;
*) test -e charts/new.tgz && echo rendered && exit
   echo 'Error: found in Chart.yaml, but missing in charts/ directory: x' >&2; exit 1 ;;
esac"#;

    /// Returns a helm for a chart that has dependencies, with `lib` beside it.
    fn depends_on(repositories: &[&str]) -> (tempfile::TempDir, Helm) {
        let (folder, helm) = helm(BUILDS, LONG);
        let entries = repositories
            .iter()
            .map(|from| format!("- {{name: d, repository: '{from}'}}\n"));
        let text = format!(
            "apiVersion: v2\nname: chart\ndependencies:\n{}",
            entries.collect::<String>()
        );
        std::fs::write(folder.path().join("chart/Chart.yaml"), text).unwrap();
        std::fs::create_dir(folder.path().join("lib")).unwrap();
        (folder, helm)
    }

    #[test]
    fn dependencies_are_built_as_argo_cd_does_and_the_chart_stays_as_it_lay() {
        let (folder, helm) = depends_on(&["https://a.example/charts", "file://../lib", "oci://b.example/c", "@d"]);
        let chart = folder.path().join("chart");
        std::fs::create_dir(chart.join("charts")).unwrap();
        std::fs::write(chart.join("charts/old.tgz"), "").unwrap();
        assert_eq!(helm.render(&call(Vec::new())).unwrap().text, "rendered\n");
        assert_eq!(
            std::fs::read_to_string(folder.path().join("log")).unwrap(),
            "template .\ndependency build\ntemplate .\n"
        );
        let names = |folder: &Path| {
            let entries = std::fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(&chart), ["Chart.yaml", "charts"]);
        assert_eq!(names(&chart.join("charts")), ["old.tgz"]);
    }

    #[test]
    fn dependencies_are_updated_first_where_that_is_asked_for() {
        let (folder, helm) = depends_on(&["https://a.example/charts"]);
        let update = HelmCall {
            dependency_update: true,
            ..call(Vec::new())
        };
        assert_eq!(helm.render(&update).unwrap().text, "rendered\n");
        assert_eq!(
            std::fs::read_to_string(folder.path().join("log")).unwrap(),
            "dependency update\ntemplate .\n"
        );
        assert_eq!(
            helm.without_network().render(&update).unwrap_err().to_string(),
            "`dependency-update` asks `https://a.example/charts` for the newest dependencies"
        );
    }

    #[test]
    fn without_network_only_what_is_available_locally_is_taken() {
        let needs = |repositories: &[&str], call: &HelmCall| {
            let (_folder, helm) = depends_on(repositories);
            let result = helm.without_network().render(call);
            result.map_err(|error| match find::<Unavailable>(&error) {
                Some(Unavailable::NeedsNetwork { what }) => what.clone(),
                other => panic!("{other:?}: {error:#}"),
            })
        };
        assert_eq!(needs(&["file://../lib"], &call(Vec::new())).unwrap().text, "rendered\n");
        assert_eq!(
            needs(&["file://../lib", "https://me:pw@a.example"], &call(Vec::new())).unwrap_err(),
            "the chart's dependencies from `https://a.example` are not in its folder `charts/`"
        );
        let values = ["--values", "https://a.example/v.yaml"].map(|text| Argument::Text(text.to_owned()));
        assert_eq!(
            needs(&[], &call(values.to_vec())).unwrap_err(),
            "the value file `https://a.example/v.yaml` is not available locally"
        );
    }

    #[test]
    fn all_runs_share_one_deadline() {
        let start = Instant::now();
        let slow = format!("sleep 0.4\n{BUILDS}");
        let error = template(&slow, Duration::from_millis(700)).unwrap_err();
        assert!(
            format!("{error:#}").contains("helm dependency build did not end within 0.7 s"),
            "{error:#}"
        );
        assert!(start.elapsed() < Duration::from_secs(15));
    }

    #[test]
    fn dependencies_are_built_once_and_only_when_missing() {
        let script = "if [ $1 = dependency ]; then touch built; elif [ -e built ]; then echo rendered; else echo 'Error: found in Chart.yaml, but missing in charts/ directory: x' >&2; exit 1; fi";
        assert_eq!(template(script, LONG).unwrap(), "rendered\n");
        let never = "test $1 = dependency || { echo 'Error: found in Chart.yaml, but missing in charts/ directory: x' >&2; exit 1; }";
        assert!(
            template(never, LONG)
                .unwrap_err()
                .to_string()
                .contains("missing in charts/ directory: x")
        );
    }
}
