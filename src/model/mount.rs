//! How a mount of a claim is written on a command line or in a parameter.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail};

use super::claim_path::ClaimPath;
use super::name::{ClaimName, NamespaceName};

/// One entry of the plugin parameter `mounts`: a claim that is mounted into a workload whose chart does not know it.
///
/// Written as `CLAIM[/SUBPATH]:PATH[,namespace=NAME][,workload=[Kind/]NAME][,container=NAME][,gid=N]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The claim.
    pub claim: ClaimName,
    /// Its namespace, and that of the workload, where that is not the Application's destination: pods mount claims of their own
    /// namespace.
    pub namespace: Option<NamespaceName>,
    /// Folder inside the claim, relative.
    pub sub_path: Option<String>,
    /// Where the container sees it, absolute.
    pub path: String,
    /// The workload to mount into; without it, the only one there is.
    pub workload: Option<WorkloadSelector>,
    /// The container to mount into; without it, `kubectl.kubernetes.io/default-container`, else the first.
    pub container: Option<String>,
    /// The group that may read the files, added to `supplementalGroups`.
    pub gid: Option<i64>,
}

/// Which workload of a render is meant: by name, and by kind where two kinds share the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadSelector {
    /// Kind, as `Deployment`.
    pub kind: Option<String>,
    /// `metadata.name`.
    pub name: String,
}

impl fmt::Display for WorkloadSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Some(kind) => write!(f, "{kind}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl Mount {
    /// Returns the claim as other parameters name it.
    pub fn claim_path(&self) -> ClaimPath {
        ClaimPath {
            namespace: self.namespace.clone(),
            name: self.claim.clone(),
        }
    }

    /// Returns the namespace of the claim, for an Application with this destination.
    pub fn namespace_in<'a>(&'a self, destination: Option<&'a NamespaceName>) -> Option<&'a NamespaceName> {
        self.namespace.as_ref().or(destination)
    }
}

impl FromStr for Mount {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        parse_mount(text).with_context(|| {
            format!(
                "mount `{text}` is not CLAIM[/SUBPATH]:PATH[,namespace=NAME][,workload=[Kind/]NAME][,container=NAME][,gid=N]"
            )
        })
    }
}

fn parse_mount(text: &str) -> Result<Mount> {
    let mut options = text.split(',');
    let place = options.next().unwrap_or_default();
    let Some((volume, path)) = place.split_once(':') else {
        bail!("there is no `:` between claim and path");
    };
    let (claim, sub_path) = match volume.split_once('/') {
        Some((claim, sub_path)) => (claim, Some(sub_path)),
        None => (volume, None),
    };
    let sub_path = sub_path.map(check_sub_path).transpose()?;
    check_path(path)?;
    let mut mount = Mount {
        claim: ClaimName::new(claim)?,
        namespace: None,
        sub_path,
        path: path.to_owned(),
        workload: None,
        container: None,
        gid: None,
    };
    for option in options {
        set_option(&mut mount, option)?;
    }
    Ok(mount)
}

fn set_option(mount: &mut Mount, option: &str) -> Result<()> {
    match option.split_once('=') {
        Some((_, "")) => bail!("`{option}` has no value"),
        Some(("namespace", name)) if mount.namespace.is_none() => mount.namespace = Some(NamespaceName::new(name)?),
        Some(("workload", name)) if mount.workload.is_none() => {
            mount.workload = Some(match name.split_once('/') {
                Some((kind, name)) => WorkloadSelector {
                    kind: Some(kind.to_owned()),
                    name: name.to_owned(),
                },
                None => WorkloadSelector {
                    kind: None,
                    name: name.to_owned(),
                },
            });
        }
        Some(("container", name)) if mount.container.is_none() => mount.container = Some(name.to_owned()),
        Some(("gid", gid)) if mount.gid.is_none() => {
            let parsed: u32 = gid
                .parse()
                .with_context(|| format!("gid `{gid}` is not a number from 0 to 4294967295"))?;
            mount.gid = Some(parsed.into());
        }
        Some((key @ ("namespace" | "workload" | "container" | "gid"), _)) => bail!("`{key}` stands twice"),
        _ => bail!("option `{option}` is unknown; known are namespace=, workload=, container= and gid="),
    }
    Ok(())
}

/// Checks that a mount path is absolute and has no `:`, as the API server demands.
fn check_path(path: &str) -> Result<()> {
    if !path.starts_with('/') || path.contains(':') {
        bail!("path `{path}` is not absolute, or holds a `:`");
    }
    if path.split('/').any(|part| part == "..") {
        bail!("path `{path}` holds `..`");
    }
    Ok(())
}

fn check_sub_path(sub_path: &str) -> Result<String> {
    if sub_path.is_empty() || sub_path.starts_with('/') || sub_path.split('/').any(|part| part == "..") {
        bail!("sub-path `{sub_path}` is not a relative path without `..`");
    }
    Ok(sub_path.to_owned())
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.claim)?;
        if let Some(sub_path) = &self.sub_path {
            write!(f, "/{sub_path}")?;
        }
        write!(f, ":{}", self.path)?;
        if let Some(namespace) = &self.namespace {
            write!(f, ",namespace={namespace}")?;
        }
        if let Some(workload) = &self.workload {
            write!(f, ",workload={workload}")?;
        }
        if let Some(container) = &self.container {
            write!(f, ",container={container}")?;
        }
        if let Some(gid) = self.gid {
            write!(f, ",gid={gid}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_reads_and_prints_alike() {
        for text in [
            "pvc-pe-audio:/media/pe-audio",
            "media/films/new:/m,workload=Deployment/jellyfin,container=app,gid=1000",
            "media:/m,workload=jellyfin",
            "media/films:/m,namespace=attic,workload=jellyfin,gid=1",
        ] {
            assert_eq!(text.parse::<Mount>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_wrong_mount_says_what_and_how() {
        for (text, why) in [
            ("media", "no `:`"),
            ("Media:/m", "not a Kubernetes name"),
            ("media:m", "not absolute"),
            ("media:/a/../b", "`..`"),
            ("media/../x:/m", "sub-path"),
            ("media/:/m", "sub-path"),
            ("media:/m,gid=abc", "not a number"),
            ("media:/m,gid=-1", "not a number"),
            ("media:/m,rw", "unknown"),
            ("media:/m,workload=", "no value"),
            ("media:/m,gid=1,gid=2", "twice"),
            ("media:/m,namespace=a,namespace=b", "twice"),
            ("media:/m,namespace=A", "not a Kubernetes name"),
        ] {
            let error = format!("{:#}", text.parse::<Mount>().unwrap_err());
            assert!(error.contains(why), "{text}: {error}");
            assert!(error.contains("CLAIM[/SUBPATH]:PATH"), "{text}: {error}");
        }
    }
}
