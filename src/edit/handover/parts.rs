//! What each source of an Application renders: a claim, or a workload that writes it, is changed by the parameters of the source that
//! renders it.

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use crate::edit::plugin_section::PluginSection;
use crate::edit::{Rendered, Renders};
use crate::failure::HintExt;
use crate::model::{Application, Object};

/// What one source renders.
#[derive(Debug)]
struct Part {
    position: usize,
    /// Whether the plugin renders it.
    is_plugin: bool,
    rendered: Rendered,
}

/// What the sources of an Application render.
#[derive(Debug, Default)]
pub(super) struct Parts {
    app: String,
    parts: Vec<Part>,
}

impl Parts {
    /// Renders each source alone, where there are several; `whole` is what all of them render.
    ///
    /// # Errors
    /// When one does not render.
    pub(super) fn of(
        app: &Application<'_>,
        section: &PluginSection<'_>,
        whole: &Rendered,
        renders: &dyn Renders,
    ) -> Result<Self> {
        let (sources, of_plugin): (_, Vec<usize>) = (app.sources(), section.positions().collect());
        let rendering = || (0..sources.len()).filter(|position| !sources[*position].gives_files_only());
        let is_alone = rendering().count() == 1;
        let part = |position: usize| {
            let rendered = match is_alone {
                true => whole.clone(),
                false => renders
                    .render(&Application::new(&alone(app, position)).context("not an Application")?)
                    .with_context(|| format!("source {} of Application `{}`", position + 1, app.name()))?,
            };
            Ok(Part {
                position,
                is_plugin: of_plugin.contains(&position),
                rendered,
            })
        };
        Ok(Self {
            app: app.name().to_owned(),
            parts: rendering().map(part).collect::<Result<_>>()?,
        })
    }

    /// Returns the positions of the sources that render an object.
    ///
    /// # Errors
    /// When the plugin does not render one of them.
    pub(super) fn rendering(&self, what: &str, is_it: impl Fn(&Object) -> bool) -> Result<Vec<usize>> {
        let renders = |part: &&Part| part.rendered.raw.iter().chain(&part.rendered.finished).any(&is_it);
        let found: Vec<&Part> = self.parts.iter().filter(renders).collect();
        if let Some(other) = found.iter().find(|part| !part.is_plugin) {
            return Err(anyhow!(
                "source {} of Application `{}` renders {what}, and the plugin does not render that source",
                other.position + 1,
                self.app
            )
            .hint(format!(
                "move it to the plugin first: `kubectl homelab convert {}`",
                self.app
            )));
        }
        Ok(found.into_iter().map(|part| part.position).collect())
    }
}

/// Returns an Application with one of its sources alone, and those that only give files to it.
fn alone(app: &Application<'_>, position: usize) -> Object {
    let sources = app.sources().into_iter().enumerate();
    let kept = sources.filter(|(other, source)| *other == position || source.gives_files_only());
    let kept: Vec<Value> = kept.map(|(_, source)| source.tree().clone()).collect();
    let mut tree = app.object().tree().clone();
    if let Some(spec) = tree.get_mut("spec").and_then(Value::as_object_mut) {
        spec.insert("sources".to_owned(), json!(kept));
    }
    Object::new(tree)
}
