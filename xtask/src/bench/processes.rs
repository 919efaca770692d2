//! Run times of processes: the program compared with programs that do the same, or less.

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::stream::Stream;
use super::{Row, gitops, take_turns};
use crate::{dist, tools};

/// Measures every row whose name is wanted.
pub(super) fn rows(stream: &Stream, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<Row>> {
    let bench = Bench {
        program: dist::released()?,
        folder: tempfile::tempdir()?,
    };
    fs::write(bench.path("stream.yaml"), &stream.text)?;
    let mut rows = Vec::new();
    if wanted("filter") {
        rows.extend(bench.filter(stream)?);
    }
    if wanted("memory") {
        rows.push(bench.memory(stream)?);
    }
    if wanted("generate") {
        rows.push(bench.generate("cmp generate / helm template, small chart", 4, 100, None)?);
        rows.push(bench.generate("cmp generate / helm template, large chart", 4000, 100, Some(1.05))?);
    }
    if wanted("version") {
        rows.push(bench.version()?);
    }
    if wanted("validate") {
        rows.push(bench.validate()?);
    }
    Ok(rows)
}

struct Bench {
    program: PathBuf,
    folder: tempfile::TempDir,
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the time of a command from its start until its output, which a pipe takes, and the process have ended.
    fn time(&self, command: &mut Command, input: Option<&Path>) -> Result<Duration> {
        let stdin = match input {
            Some(path) => Stdio::from(fs::File::open(path)?),
            None => Stdio::null(),
        };
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::null());
        let start = Instant::now();
        let mut child = command.spawn()?;
        let mut buffer = vec![0; 1 << 16];
        let mut output = child.stdout.take().context("the output is not a pipe")?;
        while output.read(&mut buffer)? > 0 {}
        let status = child.wait()?;
        let taken = start.elapsed();
        if !status.success() {
            bail!("{command:?} ended with {status}");
        }
        Ok(taken)
    }

    fn filter_command(&self, stream: &Stream) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["filter", "--app", "bench", "--namespace", stream.namespace()]);
        for mount in stream.mounts() {
            command.args(["--mount", &mount]);
        }
        command
    }

    /// Compares `filter` with a program that only reads and writes, and with programs that make the same edit.
    fn filter(&self, stream: &Stream) -> Result<Vec<Row>> {
        let input = self.path("stream.yaml");
        let filter = || self.time(&mut self.filter_command(stream), Some(&input));
        let itself = std::env::current_exe()?;
        let cat = || self.time(Command::new(&itself).arg("cat"), Some(&input));
        let against_cat = take_turns(41, filter, cat)?.at_most("filter / read all, write once", 1.45);
        let yq = tools::get("yq")?;
        let edit = self.path("edit.yq");
        fs::write(&edit, yq_edit())?;
        let yq = || {
            self.time(
                Command::new(&yq).args(["eval", "--from-file"]).arg(&edit).arg(&input),
                None,
            )
        };
        let against_yq = take_turns(7, filter, yq)?.faster_by("yq / filter", 20.0);
        let kustomize = tools::get("kustomize")?;
        fs::write(self.path("kustomization.yaml"), kustomization(stream))?;
        let kustomize = || self.time(Command::new(&kustomize).arg("build").arg(self.folder.path()), None);
        let against_kustomize = take_turns(5, filter, kustomize)?.faster_by("kustomize / filter", 50.0);
        Ok(vec![against_cat, against_yq, against_kustomize])
    }

    /// Compares peak memory with the stream's size. It is read while the program waits for its output to be taken.
    fn memory(&self, stream: &Stream) -> Result<Row> {
        let mut command = self.filter_command(stream);
        command
            .stdin(Stdio::from(fs::File::open(self.path("stream.yaml"))?))
            .stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let mut output = child.stdout.take().context("the output is not a pipe")?;
        // The first byte is written when everything is computed; the rest does not fit into the pipe.
        output.read_exact(&mut [0])?;
        let status = fs::read_to_string(format!("/proc/{}/status", child.id()))
            .context("peak memory is read from /proc, which only Linux has")?;
        let peak = status.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .trim()
                .parse::<f64>()
                .ok()
        });
        std::io::copy(&mut output, &mut std::io::sink())?;
        child.wait()?;
        let ratio = peak.context("/proc has no peak memory")? * 1024.0 / stream.text.len() as f64;
        Ok(Row {
            name: "peak memory of filter / stream",
            ratio,
            noise: 1.0,
            budget: "≤ 4".to_owned(),
            met: Some(ratio <= 4.0),
        })
    }

    /// Compares the plugin with helm alone, on a chart with `objects` objects.
    fn generate(&self, name: &'static str, objects: usize, runs: usize, limit: Option<f64>) -> Result<Row> {
        let chart = self.path(&format!("chart-{objects}"));
        write_chart(&chart, objects)?;
        let helm = tools::get("helm")?;
        let path = helm.parent().context("helm has no folder")?;
        let home = self.path("home");
        let plugin = || {
            let mut command = Command::new(&self.program);
            command.args(["cmp", "generate"]).current_dir(&chart).env("PATH", path);
            self.time(
                command
                    .env("ARGOCD_APP_NAME", "bench")
                    .env("ARGOCD_APP_NAMESPACE", "default"),
                None,
            )
        };
        let bare = || {
            let mut command = Command::new(&helm);
            command
                .args([
                    "template",
                    ".",
                    "--name-template",
                    "bench",
                    "--namespace",
                    "default",
                    "--include-crds",
                ])
                .current_dir(&chart);
            self.time(
                command
                    .env("HOME", &home)
                    .env("XDG_CACHE_HOME", &home)
                    .env("XDG_CONFIG_HOME", &home)
                    .env("XDG_DATA_HOME", &home),
                None,
            )
        };
        let times = take_turns(runs, plugin, bare)?;
        Ok(match limit {
            Some(limit) => times.at_most(name, limit),
            None => times.within(name, Duration::from_millis(3)),
        })
    }

    /// Compares the start of the program with that of kubectl.
    fn version(&self) -> Result<Row> {
        let kubectl = tools::get("kubectl")?;
        let homelab = || self.time(Command::new(&self.program).arg("version"), None);
        let kubectl = || self.time(Command::new(&kubectl).args(["version", "--client"]), None);
        Ok(take_turns(101, homelab, kubectl)?.at_most("kubectl-homelab version / kubectl version --client", 0.5))
    }

    /// Compares `validate` on ten thousand Applications with one thousand.
    fn validate(&self) -> Result<Row> {
        let repository = |count: usize| -> Result<PathBuf> {
            let folder = self.path(&format!("repository-{count}"));
            gitops::write(&folder, count)?;
            Ok(folder)
        };
        let (large, small) = (repository(10_000)?, repository(1_000)?);
        let validate = |folder: &Path| {
            let mut command = Command::new(&self.program);
            command.args(["validate", "--no-render"]).current_dir(folder);
            self.time(&mut command, None)
        };
        Ok(take_turns(10, || validate(&large), || validate(&small))?
            .at_most("validate 10,000 / 1,000 Applications", 11.5))
    }
}

fn yq_edit() -> String {
    let volume = r#"{"name": "homelab-media", "persistentVolumeClaim": {"claimName": "media", "readOnly": true}}"#;
    let mount = r#"{"name": "homelab-media", "mountPath": "/media", "readOnly": true}"#;
    format!(
        "with(select(.spec.template.spec.containers != null); .spec.template.spec.volumes += [{volume}] | .spec.template.spec.containers[0].volumeMounts += [{mount}])"
    )
}

fn kustomization(stream: &Stream) -> String {
    let mut text = "resources:\n- stream.yaml\npatches:\n".to_owned();
    for workload in stream
        .workloads
        .iter()
        .filter(|workload| workload.namespace == stream.namespace())
    {
        let super::stream::Workload {
            api_version,
            kind,
            name,
            namespace,
            container,
        } = workload;
        let _ = write!(
            text,
            "- target:\n    kind: {kind}\n    name: {name}\n  patch: |\n    apiVersion: {api_version}\n    kind: {kind}\n    metadata:\n      name: {name}\n      namespace: {namespace}\n    spec:\n      template:\n        spec:\n          containers:\n          - name: {container}\n            volumeMounts:\n            - name: homelab-media\n              mountPath: /media\n              readOnly: true\n          volumes:\n          - name: homelab-media\n            persistentVolumeClaim:\n              claimName: media\n              readOnly: true\n"
        );
    }
    text
}

/// Writes a chart with a workload, its claim and `objects` other objects.
pub(super) fn write_chart(folder: &Path, objects: usize) -> Result<()> {
    fs::create_dir_all(folder.join("templates"))?;
    fs::write(
        folder.join("Chart.yaml"),
        "apiVersion: v2\nname: bench\nversion: 0.1.0\n",
    )?;
    fs::write(folder.join("values.yaml"), "image: example.org/image:1\n")?;
    fs::write(
        folder.join("templates/workload.yaml"),
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  template:\n    spec:\n      containers:\n        - name: main\n          image: {{ .Values.image }}\n      volumes:\n        - name: data\n          persistentVolumeClaim:\n            claimName: data\n---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data\n",
    )?;
    let many = format!(
        "{{{{- range until {objects} }}}}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config-{{{{ . }}}}\ndata:\n  text: {}\n{{{{- end }}}}\n",
        "word ".repeat(100)
    );
    fs::write(folder.join("templates/many.yaml"), many)?;
    Ok(())
}
