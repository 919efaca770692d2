//! Converts an Application that nobody writes: by a file in its folder where a set generates it, by a value where a chart renders it.

use anyhow::{Context, Result, anyhow};

use super::application::{AppConversion, ConversionOutcome, Converted};
use super::by_file::{alone, to_plugin_by_file};
use super::choices::Target;
use super::to_plugin::to_plugin_in;
use super::{Conversion, Request, rendered_claims, to_native};
use crate::edit::{leading_value, source_override};
use crate::failure::HintExt;
use crate::model::{Application, Source};
use crate::repo::{ChangeSet, Origin, Override};

impl AppConversion<'_> {
    /// Converts an Application that a set generates.
    pub(super) fn convert_by_file(&self, request: &mut Request) -> Result<ConversionOutcome<Converted>> {
        let app = Application::new(&self.manifest.object).context("not an Application")?;
        let files = self.renders.files();
        // Obstacles are reported before anything is rendered.
        if to_plugin_by_file(self.repo, files, self.manifest, request)?.is_none() {
            return Ok(ConversionOutcome::Unchanged);
        }
        let before = self.render(&app)?;
        request.owns.extend(rendered_claims(&app, &before.raw));
        request.reads = self.reads(&app, &before.raw)?;
        let Some(by_file) = to_plugin_by_file(self.repo, files, self.manifest, request)? else {
            return Ok(ConversionOutcome::Unchanged);
        };
        let after = self.renders.render_overridden(&app, &by_file.overrides())?;
        let moved = Application::new(&by_file.moved).context("not an Application any more")?;
        let conversion = Conversion {
            changes: by_file.changes(),
            notes: by_file.notes(),
        };
        self.outcome(request.app.clone(), conversion, (&app, before), (&moved, after))
    }

    /// Takes the plugin out of the files in the folders of an Application that a set generates.
    pub(super) fn convert_back_by_file(&self, request: &Request) -> Result<ConversionOutcome<Converted>> {
        let app = Application::new(&self.manifest.object).context("not an Application")?;
        if app.sources().iter().any(Source::uses_homelab_plugin)
            && let Origin::Generated(generated) = &self.manifest.origin
        {
            let (name, set) = (app.name(), &generated.set);
            return Err(
                anyhow!("ApplicationSet `{set}` gives Application `{name}` the plugin in its template").hint(format!(
                    "move all its Applications with `kubectl homelab convert {set} --to native`"
                )),
            );
        }
        let mut written = Vec::new();
        for source in app.sources() {
            let files = self.renders.files();
            written.extend(source_override::take_out(
                self.repo,
                files,
                (&app, &source),
                request.drop_owns,
            )?);
        }
        if written.is_empty() {
            return Ok(ConversionOutcome::Unchanged);
        }
        let before = self.render(&app)?;
        let overrides: Vec<Override> = written.iter().flat_map(|one| one.overrides.clone()).collect();
        let after = self.renders.render_overridden(&app, &overrides)?;
        let changes = written.into_iter().flat_map(|one| one.changes.changes).collect();
        let conversion = Conversion {
            changes: ChangeSet { changes },
            notes: Vec::new(),
        };
        self.outcome(request.app.clone(), conversion, (&app, before), (&app, after))
    }

    /// Converts an Application that a chart renders, by the value that leads to it.
    pub(super) fn convert_by_value(&self, mut request: Request) -> Result<ConversionOutcome<Converted>> {
        let app = Application::new(&self.manifest.object).context("not an Application")?;
        let moved = |request: &Request| {
            alone(self.repo, self.manifest, |repo, written| match self.choices.target {
                Target::Plugin => to_plugin_in(self.repo, repo, written, request),
                Target::Native => to_native(repo, written, request),
            })
        };
        // Obstacles are reported before anything is rendered.
        if moved(&request)?.is_none() {
            return Ok(ConversionOutcome::Unchanged);
        }
        self.check_overrides(&app)?;
        let before = self.render(&app)?;
        if self.choices.target == Target::Plugin {
            request.owns.extend(rendered_claims(&app, &before.raw));
            if let Some((wanted, _)) = moved(&request)? {
                let wanted = Application::new(&wanted).context("not an Application any more")?;
                request.reads = self.reads(&wanted, &before.raw)?;
            }
        }
        let Some((wanted, mut notes)) = moved(&request)? else {
            return Ok(ConversionOutcome::Unchanged);
        };
        let led = leading_value::find(self.repo, self.renders, self.manifest, &wanted)?;
        let moved = Application::new(&wanted).context("not an Application any more")?;
        let after = self.render(&moved)?;
        notes.extend(led.notes);
        let conversion = Conversion {
            changes: led.changes,
            notes,
        };
        let mut outcome = self.outcome(request.app, conversion, (&app, before), (&moved, after))?;
        if let ConversionOutcome::Converted(converted) = &mut outcome {
            converted.rendered = Some(led.rendered);
        }
        Ok(outcome)
    }
}
