//! Chooses the cluster and the user: from the kubeconfig that kubectl would take, and kubectl's flags.
#![expect(
    clippy::disallowed_methods,
    reason = "the adapter to the cluster finds the kubeconfig and the files of the flags as kubectl does"
)]

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Error, Result, anyhow, bail};
use kube::config::{
    AuthInfo, Cluster, Config, Context, KubeConfigOptions, Kubeconfig, KubeconfigError, NamedCluster, NamedContext,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;

use super::error;
use crate::failure::HintExt;
use crate::time::Deadline;

/// kubectl's flags for the connection.
#[derive(Clone, Debug)]
pub struct Options {
    /// The kubeconfig, instead of those that the environment names.
    pub kubeconfig: Option<PathBuf>,
    /// Its context, instead of the current one.
    pub context: Option<String>,
    /// Its cluster, instead of the context's.
    pub cluster: Option<String>,
    /// Its user, instead of the context's.
    pub user: Option<String>,
    /// The address of the API server, instead of the cluster's.
    pub server: Option<Server>,
    /// A file with the certificate authority of the API server, instead of the cluster's.
    pub certificate_authority: Option<PathBuf>,
    /// The name that the API server's certificate must have, instead of its host's.
    pub tls_server_name: Option<String>,
    /// Accepts any certificate of the API server.
    pub insecure_skip_tls_verify: bool,
    /// A token, instead of the user's credentials.
    pub token: Option<Token>,
    /// Files with a certificate and its key, instead of the user's credentials.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// The user to impersonate.
    pub impersonation: Impersonation,
    /// Longest time for one request; zero for no limit of its own.
    pub request_timeout: Duration,
    /// When everything has to end.
    pub deadline: Deadline,
}

/// A user to impersonate; the API server lets those do it who may `impersonate`
/// (<https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/>).
#[derive(Clone, Debug, Default)]
pub struct Impersonation {
    /// The user.
    pub user: Option<String>,
    /// The user's UID.
    pub uid: Option<String>,
    /// The groups; none to leave them as they are.
    pub groups: Vec<String>,
    /// Other attributes of the user: a key, and one of its values.
    pub extra: Vec<(String, String)>,
}

/// The address of an API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(String);

impl FromStr for Server {
    type Err = Error;

    /// Reads an address as kubectl does: without a scheme it is `https`.
    fn from_str(text: &str) -> Result<Self> {
        let address = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = address.parse().map(|url| Config::new(url).cluster_url);
        let url = url.map_err(|error| anyhow!("it is not a URL: {error}"))?;
        if !matches!(url.scheme_str(), Some("http" | "https")) {
            bail!("only http and https lead to an API server");
        }
        if url.authority().is_none_or(|authority| authority.as_str().contains('@')) {
            bail!("a login in a URL is not sent; use --token");
        }
        Ok(Self(address))
    }
}

/// A bearer token. Nothing prints it.
#[derive(Clone)]
pub struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl From<String> for Token {
    fn from(token: String) -> Self {
        Self(token)
    }
}

/// Returns the configuration of a client.
///
/// # Errors
/// When there is no kubeconfig where one is needed, it lacks what the flags name, or a file cannot be read.
pub(super) async fn config(options: &Options) -> Result<Config> {
    let mut config = match (kubeconfig(options)?, &options.server) {
        // As kubectl does in a pod.
        (None, None) => Config::incluster().map_err(|_| {
            anyhow!("there is no kubeconfig: neither `KUBECONFIG` nor `~/.kube/config` has one")
                .hint("name one with --kubeconfig, or an API server with --server")
        })?,
        (kubeconfig, server) => {
            let mut kubeconfig = kubeconfig.unwrap_or_default();
            if let (Some(server), None, None) = (server, &kubeconfig.current_context, &options.context) {
                add_context(&mut kubeconfig, server);
            }
            from_kubeconfig(kubeconfig, options).await?
        }
    };
    point(&mut config, options)?;
    identify(&mut config.auth_info, options)?;
    Ok(config)
}

async fn from_kubeconfig(kubeconfig: Kubeconfig, options: &Options) -> Result<Config> {
    let chosen = KubeConfigOptions {
        context: options.context.clone(),
        cluster: options.cluster.clone(),
        user: options.user.clone(),
    };
    // Without this, a missing user would be anonymous.
    if let Some(user) = &options.user
        && kubeconfig.auth_infos.iter().all(|named| named.name != *user)
    {
        return Err(error::no_user(user, &kubeconfig));
    }
    let config = Config::from_custom_kubeconfig(kubeconfig.clone(), &chosen).await;
    config.map_err(|error| error::of_kubeconfig(&error, Some(&kubeconfig)))
}

/// Gives a kubeconfig without a context one that has nothing but an API server.
fn add_context(kubeconfig: &mut Kubeconfig, server: &Server) {
    let name = "--server".to_owned();
    kubeconfig.current_context = Some(name.clone());
    kubeconfig.contexts.push(NamedContext {
        name: name.clone(),
        context: Some(Context {
            cluster: name.clone(),
            ..Context::default()
        }),
        ..NamedContext::default()
    });
    kubeconfig.clusters.push(NamedCluster {
        name,
        cluster: Some(Cluster {
            server: Some(server.0.clone()),
            ..Cluster::default()
        }),
        ..NamedCluster::default()
    });
}

/// Takes the API server from the flags.
fn point(config: &mut Config, options: &Options) -> Result<()> {
    if let Some(server) = &options.server {
        config.cluster_url = server.0.parse()?;
    }
    // In a pod it has been read already; kube would read it again every minute.
    config.root_cert_file = None;
    if let Some(file) = &options.certificate_authority {
        config.root_cert = Some(certificates("--certificate-authority", file)?);
        config.accept_invalid_certs = false;
    }
    if options.tls_server_name.is_some() {
        config.tls_server_name.clone_from(&options.tls_server_name);
    }
    if options.insecure_skip_tls_verify {
        config.accept_invalid_certs = true;
    }
    Ok(())
}

/// Replaces all credentials by those of the flags, and impersonates.
fn identify(user: &mut AuthInfo, options: &Options) -> Result<()> {
    if options.token.is_some() || options.client_certificate.is_some() {
        let mut fields = json!({});
        if let Some(Token(token)) = &options.token {
            fields["token"] = token.as_str().into();
        }
        if let Some((certificate, key)) = &options.client_certificate {
            readable("--client-certificate", certificate)?;
            readable("--client-key", key)?;
            fields["client-certificate"] = certificate.to_string_lossy().into();
            fields["client-key"] = key.to_string_lossy().into();
        }
        // As a kubeconfig has them: the types of its secrets cannot be named here.
        let credentials: AuthInfo = serde_json::from_value(fields)?;
        *user = AuthInfo {
            impersonate: user.impersonate.take(),
            impersonate_uid: user.impersonate_uid.take(),
            impersonate_groups: user.impersonate_groups.take(),
            impersonate_user_extra: user.impersonate_user_extra.take(),
            ..credentials
        };
    }
    let Impersonation {
        user: name,
        uid,
        groups,
        extra,
    } = &options.impersonation;
    if name.is_some() {
        user.impersonate.clone_from(name);
    }
    if uid.is_some() {
        user.impersonate_uid.clone_from(uid);
    }
    if !groups.is_empty() {
        user.impersonate_groups = Some(groups.clone());
    }
    if !extra.is_empty() {
        let values = user.impersonate_user_extra.insert(HashMap::new());
        for (key, value) in extra {
            values.entry(key.clone()).or_default().push(value.clone());
        }
    }
    Ok(())
}

/// Opens the file of a flag.
fn readable(flag: &str, file: &Path) -> Result<File> {
    let opened = File::open(file).and_then(|file| Ok((file.metadata()?, file)));
    match opened {
        Ok((metadata, _)) if metadata.is_dir() => bail!("cannot read `{}` of {flag}: it is a folder", file.display()),
        Ok((_, opened)) => Ok(opened),
        Err(error) => bail!("cannot read `{}` of {flag}: {error}", file.display()),
    }
}

/// Reads the certificates in the file of a flag, and returns them in DER.
fn certificates(flag: &str, file: &Path) -> Result<Vec<Vec<u8>>> {
    let read = CertificateDer::pem_reader_iter(readable(flag, file)?);
    let certificates: Result<Vec<_>, _> = read.map(|one| one.map(|one| one.to_vec())).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => bail!(
            "cannot read `{}` of {flag}: it has no certificate in PEM",
            file.display()
        ),
        Err(error) => bail!("cannot read `{}` of {flag}: {error}", file.display()),
    }
}

/// Returns the kubeconfig that kubectl would take: the flag's, those of `KUBECONFIG` merged, where missing ones do not count, or
/// the one in the home.
fn kubeconfig(options: &Options) -> Result<Option<Kubeconfig>> {
    let named = env::var_os("KUBECONFIG").filter(|value| !value.is_empty());
    let paths: Vec<PathBuf> = match (&options.kubeconfig, named) {
        (Some(path), _) => vec![path.clone()],
        (None, Some(list)) => env::split_paths(&list).filter(|path| path.is_file()).collect(),
        (None, None) => {
            let home = env::home_dir().map(|home| home.join(".kube/config"));
            home.into_iter().filter(|path| path.is_file()).collect()
        }
    };
    let read = paths.iter().map(Kubeconfig::read_from);
    let merged: Result<_, KubeconfigError> = read.reduce(|all, next| all?.merge(next?)).transpose();
    let mut merged = merged.map_err(|error| error::of_kubeconfig(&error, None))?;
    if let Some(kubeconfig) = &mut merged {
        // `kubectl config unset current-context` leaves it empty.
        kubeconfig.current_context = kubeconfig.current_context.take().filter(|name| !name.is_empty());
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_with_or_without_its_scheme() {
        let of = |text: &str| text.parse::<Server>().map(|server| server.0);
        assert_eq!(of("https://home:6443").unwrap(), "https://home:6443");
        assert_eq!(of("home:6443").unwrap(), "https://home:6443");
        assert_eq!(of("http://127.0.0.1:8001/k8s").unwrap(), "http://127.0.0.1:8001/k8s");
        for text in ["", "ftp://home", "https://", "ho me", "https://me:s3cret@home"] {
            let error = format!("{:#}", of(text).unwrap_err());
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        assert_eq!(format!("{:?}", Token::from("s3cret".to_owned())), "Token");
    }
}
