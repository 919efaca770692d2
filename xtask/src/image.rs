//! `cargo xtask image`: the plugin's image and the folder that it is built from. crane builds the image from
//! `plugin/Containerfile`, umoci unpacks it; neither needs root, a container engine or a network.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::{cargo, dist, repository, tools};
use containerfile::Recipe;

mod containerfile;
mod layer;

/// The image's name in the registry that runs during the build.
const NAME: &str = "kubectl-homelab";

/// The arguments of `cargo xtask image`.
#[derive(Args)]
pub(crate) struct Request {
    /// Statically linked program for this machine's processor; by default the output of `cargo xtask dist`
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,

    /// Output folder; by default `image` in cargo's target folder
    #[arg(long, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// Builds the image into a folder: `context` with everything that it is built from, and for each architecture an OCI layout
/// of that name and the unpacked image in `ARCHITECTURE-bundle/rootfs`.
pub(crate) fn image(request: &Request) -> Result<()> {
    let output = match &request.output {
        Some(output) => std::path::absolute(output)?,
        None => cargo::target_folder()?.join("image"),
    };
    let programs = programs(request.program.as_deref())?;
    let context = output.join("context");
    gather(&context, &programs)?;
    let programs = programs.iter().map(|(architecture, _)| *architecture);
    let [(_, crane), (_, umoci)] = tools::get_many(&["crane", "umoci"])?
        .try_into()
        .map_err(|_| anyhow::anyhow!("two programs were requested"))?;
    for architecture in programs {
        let layout = output.join(architecture);
        build(&crane, &context, architecture, &layout)?;
        let tree = unpack(
            &umoci,
            &layout,
            architecture,
            &output.join(format!("{architecture}-bundle")),
        )?;
        println!(
            "{}  {} bytes packed, {} bytes unpacked",
            layout.display(),
            size(&layout)?,
            size(&tree)?
        );
    }
    Ok(())
}

/// Returns the statically linked programs by architecture.
fn programs(given: Option<&Path>) -> Result<Vec<(&'static str, PathBuf)>> {
    let linux = || dist::TARGETS.iter().filter(|target| target.os == "linux");
    if let Some(program) = given {
        let own = linux().find(|target| target.triple.starts_with(std::env::consts::ARCH));
        let own = own.with_context(|| format!("there is no image for {}", std::env::consts::ARCH))?;
        return Ok(vec![(own.arch, program.to_owned())]);
    }
    let mut found = Vec::new();
    for target in linux() {
        let program = dist::program(target.triple)?;
        if program.exists() {
            found.push((target.arch, program));
        }
    }
    if found.is_empty() {
        let triples: Vec<&str> = linux().map(|target| target.triple).collect();
        bail!(
            "there is no program yet: run `cargo xtask dist --target {}`",
            triples.join(" --target ")
        );
    }
    Ok(found)
}

/// Returns the size of all files below a folder, in bytes.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() {
            size(&entry.path())?
        } else {
            metadata.len()
        };
    }
    Ok(bytes)
}

/// Copies everything that the image is built from: the Containerfile, and the files that it copies.
fn gather(folder: &Path, programs: &[(&str, PathBuf)]) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for (from, name) in [
        ("plugin/Containerfile", "Containerfile"),
        ("plugin/plugin.yaml", "plugin.yaml"),
        ("LICENSE", "LICENSE"),
    ] {
        fs::copy(repository::root().join(from), folder.join(name)).with_context(|| format!("cannot copy {from}"))?;
    }
    for (architecture, program) in programs {
        fs::create_dir_all(folder.join(architecture))?;
        let to = folder.join(architecture).join("kubectl-homelab");
        fs::copy(program, to).with_context(|| format!("cannot copy {}", program.display()))?;
    }
    Ok(())
}

/// Builds the image of one architecture from such a folder, as an OCI layout that is tagged with the architecture.
fn build(crane: &Path, context: &Path, architecture: &str, layout: &Path) -> Result<()> {
    let text = fs::read_to_string(context.join("Containerfile"))?;
    let recipe = Recipe::parse(&text, architecture)?;
    let work = tempfile::tempdir()?;
    let tar = work.path().join("layer.tar");
    layer::write(&recipe, context, &tar)?;
    let registry = Registry::start(crane, work.path())?;
    let image = format!("{}/{NAME}:{architecture}", registry.address);
    let run = |arguments: &[&str]| run_quietly(crane, arguments, work.path());
    let tar = tar.to_str().context("the temporary folder's path is not UTF-8")?;
    run(&["append", "--oci-empty-base", "--new_layer", tar, "--new_tag", &image])?;
    let platform = format!("linux/{architecture}");
    let mut mutate = vec!["mutate", &image, "--tag", &image, "--set-platform", &platform];
    mutate.extend(["--user", &recipe.user, "--entrypoint", &recipe.entrypoint]);
    for (flag, pairs) in [("--env", &recipe.variables), ("--label", &recipe.labels)] {
        mutate.extend(pairs.iter().flat_map(|pair| [flag, pair.as_str()]));
    }
    run(&mutate)?;
    if layout.exists() {
        fs::remove_dir_all(layout)?;
    }
    let to = layout.to_str().context("the folder's path is not UTF-8")?;
    run(&["pull", "--format", "oci", &image, to])?;
    tag(layout, architecture)
}

/// Tags the one image of a layout: umoci finds it by its tag.
fn tag(layout: &Path, tag: &str) -> Result<()> {
    let path = layout.join("index.json");
    let mut index: serde_json::Value = serde_json::from_slice(&fs::read(&path)?)?;
    let images = index["manifests"].as_array().map_or(0, Vec::len);
    ensure!(images == 1, "the layout has {images} images");
    index["manifests"][0]["annotations"] = serde_json::json!({"org.opencontainers.image.ref.name": tag});
    Ok(fs::write(path, serde_json::to_vec(&index)?)?)
}

/// Unpacks an image of a layout; returns the folder that would be the container's root.
fn unpack(umoci: &Path, layout: &Path, architecture: &str, bundle: &Path) -> Result<PathBuf> {
    if bundle.exists() {
        fs::remove_dir_all(bundle)?;
    }
    let image = format!("{}:{architecture}", layout.display());
    let to = bundle.to_str().context("the folder's path is not UTF-8")?;
    run_quietly(umoci, &["unpack", "--rootless", "--image", &image, to], layout)?;
    Ok(bundle.join("rootfs"))
}

fn run_quietly(program: &Path, arguments: &[&str], folder: &Path) -> Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        // No registries and logins of the user.
        .env("DOCKER_CONFIG", folder)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        let name = program.file_stem().unwrap_or_default().to_string_lossy();
        bail!(
            "{name} {} failed: {}",
            arguments[0],
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// A registry in memory on 127.0.0.1: crane changes images only in a registry.
struct Registry {
    server: Child,
    address: String,
}

impl Registry {
    fn start(crane: &Path, folder: &Path) -> Result<Self> {
        let mut server = Command::new(crane)
            .args(["registry", "serve", "--address", "127.0.0.1:0"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start crane")?;
        let stderr = server.stderr.take().context("crane has no standard error")?;
        let mut registry = Self {
            server,
            address: String::new(),
        };
        let mut lines = BufReader::new(stderr).lines();
        let port = lines.find_map(|line| Some(line.ok()?.rsplit_once("serving on port ")?.1.trim().to_owned()));
        registry.address = format!("127.0.0.1:{}", port.context("crane's registry did not start")?);
        // The registry logs its requests; the pipe must not fill up.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(registry)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
