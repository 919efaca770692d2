//! The flags that choose the cluster and the user, named as kubectl's.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use super::pairs;
use crate::cluster::{Cluster, Impersonation, Options, Server, Token};
use crate::model::NamespaceName;
use crate::time::{self, Deadline};

/// Flags that choose the cluster.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Cluster")]
pub(super) struct ClusterArgs {
    /// Argo CD's namespace, which its Applications are in; not the one that they deploy to
    #[arg(
        short,
        long,
        value_name = "NAMESPACE",
        visible_alias = "argocd-namespace",
        default_value = "argocd"
    )]
    namespace: NamespaceName,

    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Flags that choose the cluster, without a namespace.
#[derive(clap::Args, Debug, Default)]
#[command(next_help_heading = "Cluster")]
pub(super) struct ConnectionArgs {
    /// The kubeconfig, instead of kubectl's own
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The kubeconfig's context, instead of the current one
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// The kubeconfig's cluster, instead of the context's
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,

    /// The kubeconfig's user, instead of the context's
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// The API server's address, instead of the cluster's
    #[arg(short, long, value_name = "URL")]
    server: Option<Server>,

    /// The certificate authority of the API server, instead of the cluster's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure_skip_tls_verify")]
    certificate_authority: Option<PathBuf>,

    /// The name in the API server's certificate, instead of its host's
    #[arg(long, value_name = "NAME")]
    tls_server_name: Option<String>,

    /// Accept any certificate of the API server: whoever is in between can read and change everything
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_value_t = false, default_missing_value = "true",
        require_equals = true, action = clap::ArgAction::Set)]
    insecure_skip_tls_verify: bool,

    /// A bearer token, instead of the user's credentials
    #[arg(long, value_name = "TOKEN")]
    token: Option<Token>,

    /// A client certificate, instead of the user's credentials
    #[arg(long, value_name = "FILE", requires = "client_key", conflicts_with = "token")]
    client_certificate: Option<PathBuf>,

    /// The key of the client certificate
    #[arg(long, value_name = "FILE", requires = "client_certificate")]
    client_key: Option<PathBuf>,

    /// User to impersonate, as a name or `system:serviceaccount:NAMESPACE:NAME`
    #[arg(long = "as", value_name = "USER")]
    as_user: Option<String>,

    /// Group to impersonate; may be repeated
    #[arg(long, value_name = "GROUP", requires = "as_user")]
    as_group: Vec<String>,

    /// UID to impersonate
    #[arg(long, value_name = "UID", requires = "as_user")]
    as_uid: Option<String>,

    /// Extra of the user to impersonate; may be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "as_user", value_parser = pairs::parse)]
    as_user_extra: Vec<pairs::Pair>,

    /// Longest time for one request, as 10s; 0 for no limit of its own
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = time::parse_argument)]
    request_timeout: Duration,

    /// Longest time for everything, as 90s or 1m30s; 0 for no limit
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = time::parse_argument)]
    timeout: Duration,
}

impl ClusterArgs {
    /// Connects to the cluster; nothing is sent to it yet. Returns Argo CD's namespace beside it.
    pub(super) fn connect(self) -> Result<(Cluster, NamespaceName)> {
        Ok((self.connection.connect()?, self.namespace))
    }
}

impl ConnectionArgs {
    /// Connects to the cluster; nothing is sent to it yet.
    pub(super) fn connect(self) -> Result<Cluster> {
        let files = self.client_certificate.zip(self.client_key);
        Cluster::connect(&Options {
            kubeconfig: self.kubeconfig,
            context: self.context,
            cluster: self.cluster,
            user: self.user,
            server: self.server,
            certificate_authority: self.certificate_authority,
            tls_server_name: self.tls_server_name,
            insecure_skip_tls_verify: self.insecure_skip_tls_verify,
            token: self.token,
            client_certificate: files,
            impersonation: Impersonation {
                user: self.as_user,
                uid: self.as_uid,
                groups: self.as_group,
                extra: self.as_user_extra,
            },
            request_timeout: self.request_timeout,
            deadline: Deadline::after(self.timeout),
        })
    }
}
