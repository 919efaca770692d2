//! `--flavour` and `--nodes`: the cluster that the repository is for.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::model::Settings;
use crate::model::settings::Flavour;

/// What the rules have to know of the cluster; it wins over `.homelab.yaml`.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "The cluster")]
pub(super) struct TargetArgs {
    /// Its distribution of Kubernetes, for rules on storage classes; `flavour` of .homelab.yaml by default
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Flavour::NAMES.map(|(_, name)| name)).try_map(|name| flavour(&name).ok_or("is not known")))]
    flavour: Option<Flavour>,

    /// How many nodes it has, for rules on folders of a node; `nodes` of .homelab.yaml by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    nodes: Option<u64>,
}

impl TargetArgs {
    /// Sets what is named.
    pub(super) fn add_to(&self, settings: &mut Settings) {
        settings.flavour = self.flavour.or(settings.flavour);
        settings.nodes = self.nodes.or(settings.nodes);
    }
}

/// Returns the distribution of a name.
fn flavour(name: &str) -> Option<Flavour> {
    let mut names = Flavour::NAMES.iter();
    names.find(|(_, known)| *known == name).map(|(flavour, _)| *flavour)
}
