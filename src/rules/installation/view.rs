//! What the rules on installations check: the repo-server's pod, the plugin's sidecar in it, and the ConfigMaps that
//! belong to them.

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::node::Node;
use crate::lock::Fault;
use crate::model::Application;
use crate::model::application::PLUGIN_NAME;
use crate::model::sidecar::{CONFIG, PLUGIN_SERVER, REPO_SERVER, REPO_SERVER_SETTINGS, RepoServerSetting, SIDECAR};
use crate::repo::Repo;
use crate::yaml;

/// The program, as its images and commands name it.
const PROGRAM: &str = "kubectl-homelab";

/// An Argo CD as it is rendered.
#[derive(Debug)]
pub struct Installation<'a> {
    rendered: &'a Repo,
    home: Option<&'a Repo>,
    objects: Vec<Node<'a>>,
    workload: Node<'a>,
    pod: Node<'a>,
    server: Node<'a>,
    sidecar: Option<Node<'a>>,
    lock: Vec<Fault>,
}

/// The plugin that an Application names, and which Application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PluginName<'a> {
    /// The Application.
    pub app: &'a str,
    /// The name.
    pub name: &'a str,
}

/// How a parameter of the repo-server is set.
#[derive(Clone, Debug)]
pub enum SettingState {
    /// It has this value.
    Set(String),
    /// It has none.
    Unset,
    /// It is in a ConfigMap of this name that is not in what was rendered.
    Elsewhere(String),
}

impl<'a> Installation<'a> {
    /// Finds the repo-server in what was rendered. `home` is the GitOps repository, whose Applications name the plugin.
    ///
    /// # Errors
    /// When no workload runs the repo-server.
    pub fn new(rendered: &'a Repo, home: Option<&'a Repo>) -> Result<Self> {
        let objects: Vec<Node<'a>> = rendered.manifests.iter().flat_map(Node::objects).collect();
        let found = objects.iter().find_map(|object| {
            let is_workload = ["Deployment", "StatefulSet"].contains(&object.text("kind"));
            let pod = object.at("/spec/template/spec").filter(|_| is_workload)?;
            let server = pod.items("containers").into_iter().find(|one| one.runs(REPO_SERVER))?;
            Some((object.clone(), pod, server))
        });
        let Some((workload, pod, server)) = found else {
            return Err(match rendered.malformed.first() {
                Some(malformed) => anyhow!("{malformed}"),
                None => anyhow!("no workload in it runs `{REPO_SERVER}`"),
            });
        };
        let mut installation = Self {
            rendered,
            home,
            objects,
            workload,
            pod,
            server,
            sidecar: None,
            lock: Vec::new(),
        };
        installation.sidecar = installation.find_sidecar();
        Ok(installation)
    }

    /// Takes what is wrong with the lock in the cluster.
    pub fn take_lock(&mut self, faults: Vec<Fault>) {
        self.lock = faults;
    }

    /// Returns what is wrong with the lock in the cluster.
    pub fn lock_faults(&self) -> &[Fault] {
        &self.lock
    }

    /// Returns the sidecar: by its name, by its image, or by the command in its `plugin.yaml`.
    fn find_sidecar(&self) -> Option<Node<'a>> {
        let containers = self.pod.items("containers");
        let others = || containers.iter().filter(|one| !one.runs(REPO_SERVER));
        let runs_us = |one: &&Node<'a>| {
            let command = self.plugin_of(one).and_then(|plugin| {
                let words = plugin.pointer("/spec/generate/command")?.as_array()?;
                Some(
                    words
                        .iter()
                        .any(|word| word.as_str().is_some_and(|word| word.contains(PROGRAM))),
                )
            });
            command == Some(true)
        };
        let found = others()
            .find(|one| one.text("name") == SIDECAR)
            .or_else(|| others().find(|one| one.text("image").contains(PROGRAM)))
            .or_else(|| others().find(runs_us))
            .or_else(|| others().find(|one| one.runs(PLUGIN_SERVER) && one.text("image").contains(SIDECAR)));
        found.cloned()
    }

    /// Returns everything that was rendered.
    pub fn rendered(&self) -> &'a Repo {
        self.rendered
    }

    /// Returns the workload that runs the repo-server.
    pub fn workload(&self) -> &Node<'a> {
        &self.workload
    }

    /// Returns the plugin's pod.
    pub fn pod(&self) -> &Node<'a> {
        &self.pod
    }

    /// Returns the container of the repo-server.
    pub fn server(&self) -> &Node<'a> {
        &self.server
    }

    /// Returns the container of the plugin. Rules other than the first have nothing to check without it.
    pub fn sidecar(&self) -> Option<&Node<'a>> {
        self.sidecar.as_ref()
    }

    /// Returns the init containers.
    pub fn init_containers(&self) -> Vec<Node<'a>> {
        self.pod.items("initContainers")
    }

    /// Returns the ConfigMap of this name.
    pub fn config_map(&self, name: &str) -> Option<Node<'a>> {
        let is_it = |object: &&Node<'a>| {
            object.text("kind") == "ConfigMap" && object.at("/metadata").is_some_and(|meta| meta.text("name") == name)
        };
        let namespace = |object: &Node<'a>| object.at("/metadata").map_or("", |meta| meta.text("namespace"));
        let mut found = self.objects.iter().filter(is_it);
        let first = found.clone().next();
        found
            .find(|object| namespace(object) == namespace(&self.workload))
            .or(first)
            .cloned()
    }

    /// Returns the entry of a ConfigMap that is a container's `plugin.yaml`; nothing when the image has it.
    pub fn plugin_entry(&self, container: &Node<'a>) -> Option<PluginEntry<'a>> {
        let file = format!("{CONFIG}/plugin.yaml");
        let (mount, key) = match container.mount_at(&file) {
            Some(mount) => {
                let key = if mount.sub_path.is_empty() {
                    "plugin.yaml"
                } else {
                    mount.sub_path
                };
                (mount, key)
            }
            None => (container.mount_at(CONFIG)?, "plugin.yaml"),
        };
        let volumes = self.pod.items("volumes");
        let volume = volumes.iter().find(|volume| volume.text("name") == mount.volume)?;
        let source = volume.get("configMap")?;
        // A volume may give a key another file name.
        let renamed = source.items("items").into_iter().find(|item| item.text("path") == key);
        let key = renamed.map_or(key, |item| item.text("key"));
        Some(PluginEntry {
            mount: mount.node,
            config_map: source.text("name"),
            key,
        })
    }

    /// Returns a container's `plugin.yaml` as it is rendered, where it comes from a ConfigMap.
    pub fn plugin_of(&self, container: &Node<'a>) -> Option<Value> {
        let entry = self.plugin_entry(container)?;
        let text = self.config_map(entry.config_map)?.get("data")?.text(entry.key);
        yaml::value(text).ok().flatten().filter(Value::is_object)
    }

    /// Returns the name that the sidecar serves: that of its `plugin.yaml`, else the one of the plugin's image.
    pub fn served(&self) -> Option<String> {
        let sidecar = self.sidecar()?;
        let Some(plugin) = self.plugin_of(sidecar) else {
            return self.plugin_entry(sidecar).is_none().then(|| PLUGIN_NAME.to_owned());
        };
        let text = |pointer: &str| plugin.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (name, version) = (text("/metadata/name"), text("/spec/version"));
        Some(if version.is_empty() {
            name.to_owned()
        } else {
            format!("{name}-{version}")
        })
    }

    /// Returns the plugins that Applications of the GitOps repository name.
    pub fn named(&self) -> Vec<PluginName<'a>> {
        let mut out = Vec::new();
        for manifest in self.home.map_or(&[][..], |home| &home.manifests) {
            let Some(app) = Application::new(&manifest.object) else {
                continue;
            };
            for source in app.sources() {
                let pointer = source.at(&["plugin", "name"]);
                if let Some(name) = source.value(&pointer).and_then(Value::as_str) {
                    out.push(PluginName { app: app.name(), name });
                }
            }
        }
        out
    }

    /// Returns how a parameter of the repo-server is set: a flag wins over a variable.
    pub fn setting(&self, setting: &RepoServerSetting) -> SettingState {
        let words = self.server.words();
        let mut flags = words.iter().enumerate().filter_map(|(index, word)| {
            let rest = word.strip_prefix(setting.flag)?;
            match rest.strip_prefix('=') {
                Some(value) => Some(value.to_owned()),
                None if !rest.is_empty() => None,
                None => {
                    let next = words.get(index + 1).filter(|next| !next.starts_with('-'));
                    Some(next.map_or("true", |next| *next).to_owned())
                }
            }
        });
        if let Some(first) = flags.next() {
            return SettingState::Set(flags.fold(first, |all, flag| format!("{all};{flag}")));
        }
        let Some(variable) = self.server.variable(setting.variable) else {
            return SettingState::Unset;
        };
        if let Some(value) = variable.get("value").and_then(|value| value.value().as_str()) {
            return SettingState::Set(value.to_owned());
        }
        let Some(reference) = variable.at("/valueFrom/configMapKeyRef") else {
            return SettingState::Unset;
        };
        let Some(config_map) = self.config_map(reference.text("name")) else {
            return SettingState::Elsewhere(reference.text("name").to_owned());
        };
        let value = config_map
            .get("data")
            .map_or("", |data| data.text(reference.text("key")));
        if value.is_empty() {
            SettingState::Unset
        } else {
            SettingState::Set(value.to_owned())
        }
    }

    /// Returns the ConfigMap of parameters, when one is read from it that was not rendered.
    pub(super) fn missing_parameters(&self) -> Option<&'static str> {
        let is_elsewhere = |setting: &RepoServerSetting| matches!(self.setting(setting), SettingState::Elsewhere(name) if name == crate::model::sidecar::PARAMETERS);
        let missing = REPO_SERVER_SETTINGS.iter().any(is_elsewhere);
        missing.then_some(crate::model::sidecar::PARAMETERS)
    }
}

/// Which entry of which ConfigMap is a container's `plugin.yaml`.
#[derive(Clone, Debug)]
pub struct PluginEntry<'a> {
    /// The mount.
    pub mount: Node<'a>,
    /// The ConfigMap's name.
    pub config_map: &'a str,
    /// Its key.
    pub key: &'a str,
}
