//! Kustomize folders through a repo-server: Argo CD's own Kustomize, the plugin, and a plugin that does nothing but build.

use std::cell::RefCell;
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use real_parts::folder::Folder;
use real_parts::generate::request;
use real_parts::repository::Repository;
use real_parts::served::{Served, chart_repository};
use real_parts::{Options, RenderTools};
use serde_json::{Value, json};

use super::end_to_end::{Setup, render_tools, succeeded};
use super::{Row, take_turns};

const RUNS: usize = 21;
/// The number of folders that are rendered at once.
const AT_ONCE: usize = 16;
/// A plugin that only builds the folder that it is called in.
const BARE: &str = r#"case "$1 $2" in "cmp generate") exec kustomize build . ;; *) exec "$REAL" "$@" ;; esac"#;
/// A plugin that runs the same commands as Argo CD for the options of [`request_for`], and nothing else.
const BARE_WITH_OPTIONS: &str = r#"case "$1 $2" in "cmp generate") kustomize edit set nameprefix -- pre- && kustomize edit set image nginx:1.99 && exec kustomize build . ;; *) exec "$REAL" "$@" ;; esac"#;

/// Measures every row whose name is wanted.
pub(super) fn rows(wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    if !wanted("kustomize") {
        return Ok(rows);
    }
    let tools = render_tools()?;
    let home = Folder::new()?;
    let served = home.join("served");
    write_chart(&home.join("charts/tea"))?;
    chart_repository(
        &tools.helm,
        &home.join("charts"),
        &[("tea", "1.0.0")],
        &served.join("charts"),
    )?;
    let served = Served::start(&served)?;
    write_repository(&home.join("from"), served.url())?;
    let repository = Repository::create(home.path(), "home", Some(&home.join("from")))?;
    let ask = |folder: &str, way: Way| request_for(&repository, folder, way);

    rows.extend(one(&tools, &ask)?);
    rows.extend(at_once(&tools, &ask)?);
    rows.extend(with_a_chart(&tools, &ask, &served, &home.join("cache"))?);
    Ok(rows)
}

/// The renderer of a request, and whether it has options.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Native,
    NativeWithOptions,
    Plugin,
    PluginWithOptions,
}

/// One folder, without options: the plugin, Argo CD itself, and a plugin that only builds.
fn one(tools: &RenderTools, ask: &dyn Fn(&str, Way) -> Result<Value>) -> Result<Vec<Row>> {
    let setup = RefCell::new(Setup::start(tools, &Options::default(), 1)?);
    let bare = RefCell::new(Setup::start(tools, &Options::default(), 1)?);
    bare.borrow().servers.stand_in("kubectl-homelab", BARE)?;
    let (plugin, native) = (ask("apps/0", Way::Plugin)?, ask("apps/0", Way::Native)?);
    let time = |setup: &RefCell<Setup>, request: &Value| {
        let mut setup = setup.borrow_mut();
        setup.time(std::slice::from_ref(request)).and_then(succeeded)
    };
    let against_bare = take_turns(RUNS, || time(&setup, &plugin), || time(&bare, &plugin))?;
    let against_native = take_turns(RUNS, || time(&setup, &plugin), || time(&setup, &native))?;
    Ok(vec![
        against_bare.at_most("kustomize: plugin / a plugin that only builds, one folder", 1.1),
        against_native.without_budget("kustomize: plugin / native, one folder"),
    ])
}

/// Many folders at once, with options: Argo CD itself renders one after another, because it writes them into its checkout. What the
/// protocol of plugins costs is in both rows, so that a plugin that runs the same commands stands beside it.
fn at_once(tools: &RenderTools, ask: &dyn Fn(&str, Way) -> Result<Value>) -> Result<Vec<Row>> {
    let start = || -> Result<_> { Ok(RefCell::new(Setup::start(tools, &Options::default(), AT_ONCE)?)) };
    let (setup, bare) = (start()?, start()?);
    bare.borrow().servers.stand_in("kubectl-homelab", BARE_WITH_OPTIONS)?;
    let all =
        |way: Way| -> Result<Vec<Value>> { (0..AT_ONCE).map(|number| ask(&format!("apps/{number}"), way)).collect() };
    let (plugin, native) = (all(Way::PluginWithOptions)?, all(Way::NativeWithOptions)?);
    let time = |setup: &RefCell<Setup>, requests: &[Value]| setup.borrow_mut().time(requests).and_then(succeeded);
    let against_native = take_turns(RUNS / 3, || time(&setup, &plugin), || time(&setup, &native))?;
    let against_bare = take_turns(RUNS / 3, || time(&setup, &plugin), || time(&bare, &plugin))?;
    Ok(vec![
        against_native.faster_by("kustomize: native / plugin, 16 folders with options at once", 1.0),
        against_bare.without_budget("kustomize: plugin / a plugin that runs the same commands, 16 folders"),
    ])
}

/// Returns the options of a sidecar with a folder for its cache, as the printed one has it.
fn with_a_cache(cache: &Path) -> Options {
    Options {
        plugin_variables: vec![("HOMELAB_CACHE_DIR", cache.display().to_string())],
        ..Options::default()
    }
}

/// A folder with a chart: from the second time on, the plugin asks for nothing.
fn with_a_chart(
    tools: &RenderTools,
    ask: &dyn Fn(&str, Way) -> Result<Value>,
    served: &Served,
    cache: &Path,
) -> Result<Vec<Row>> {
    let setup = RefCell::new(Setup::start(tools, &with_a_cache(cache), 1)?);
    let (plugin, native) = (ask("chart", Way::Plugin)?, ask("chart", Way::Native)?);
    let asked = RefCell::new(Vec::new());
    let time = |request: &Value, is_counted: bool| {
        served.asked();
        let taken = setup
            .borrow_mut()
            .time(std::slice::from_ref(request))
            .and_then(succeeded);
        if is_counted {
            asked.borrow_mut().push(served.asked().len());
        }
        taken
    };
    let times = take_turns(RUNS / 3, || time(&plugin, true), || time(&native, false))?;
    let asked = asked.into_inner();
    ensure!(asked[0] > 0, "the first render asked for no chart");
    let later: usize = asked[1..].iter().sum();
    let requests = Row {
        name: "kustomize: requests for a chart from the second render on",
        ratio: later as f64,
        noise: 1.0,
        budget: "0".to_owned(),
        met: Some(later == 0),
    };
    Ok(vec![
        times.without_budget("kustomize: plugin / native, one folder with a chart"),
        requests,
    ])
}

fn request_for(repository: &Repository, folder: &str, way: Way) -> Result<Value> {
    let mut source = json!({"repoURL": repository.url(), "path": folder, "targetRevision": "main"});
    let plugin = |parameters: Value| json!({"name": "homelab-v1", "parameters": parameters});
    match way {
        Way::Native => {}
        Way::NativeWithOptions => source["kustomize"] = json!({"images": ["nginx:1.99"], "namePrefix": "pre-"}),
        Way::Plugin => source["plugin"] = plugin(json!([])),
        Way::PluginWithOptions => {
            source["plugin"] = plugin(json!([
                {"name": "images", "array": ["nginx:1.99"]},
                {"name": "name-prefix", "string": "pre-"},
            ]));
        }
    }
    let mut request = request("bench", "default", &source, &repository.head()?);
    request["kustomizeOptions"] = json!({"BuildOptions": "--enable-helm"});
    // What is read outside of the folder, as `convert` writes it: Argo CD sends a plugin no more.
    request["annotationManifestGeneratePaths"] = json!(if folder == "chart" { "." } else { ".;../../base" });
    Ok(request)
}

/// Writes a repository with folders over one base, and one with a chart.
fn write_repository(folder: &Path, url: &str) -> Result<()> {
    let write = |path: &str, text: &str| -> Result<()> {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        Ok(fs::write(path, text)?)
    };
    write(
        "base/kustomization.yaml",
        "resources:\n- all.yaml\nlabels:\n- pairs: {team: home}\n",
    )?;
    let objects = (0..4).map(|number| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{number}\nspec:\n  selector:\n    matchLabels:\n      app: web-{number}\n  \
             template:\n    metadata:\n      labels:\n        app: web-{number}\n    spec:\n      containers:\n        - name: web\n          image: nginx:1\n          \
             volumeMounts:\n            - {{name: data, mountPath: /data}}\n      volumes:\n        - name: data\n          persistentVolumeClaim:\n            \
             claimName: data\n---\napiVersion: v1\nkind: Service\nmetadata:\n  name: web-{number}\nspec:\n  ports:\n    - port: 80\n"
        )
    });
    write("base/all.yaml", &objects.collect::<Vec<_>>().join("---\n"))?;
    for number in 0..AT_ONCE {
        write(
            &format!("apps/{number}/kustomization.yaml"),
            &format!("resources:\n- ../../base\n- claim.yaml\nnamespace: app-{number}\n"),
        )?;
        write(
            &format!("apps/{number}/claim.yaml"),
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data\nspec:\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n",
        )?;
    }
    write(
        "chart/kustomization.yaml",
        &format!("helmCharts:\n- name: tea\n  repo: {url}/charts\n  version: 1.0.0\n  releaseName: tea\n"),
    )
}

fn write_chart(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("templates"))?;
    fs::write(folder.join("Chart.yaml"), "apiVersion: v2\nname: tea\nversion: 1.0.0\n")?;
    fs::write(folder.join("values.yaml"), "text: tea\n")?;
    Ok(fs::write(
        folder.join("templates/tea.yaml"),
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  text: {{ .Values.text }}\n",
    )?)
}
