//! The way to the API server: proxy, TLS, time limits and credentials as kube has them, with this program's own checks of
//! the server's certificate and of its answers.

use std::error::Error as StdError;
use std::sync::Arc;

use http::Uri;
use hyper_rustls::{FixedServerNameResolver, HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt};
use kube::{Client, Config, Error, Result};
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

use super::answer;
use super::certificate::Verifier;

/// Returns a client for a configuration.
///
/// # Errors
/// When a certificate or the credentials cannot be used, or there is no such proxy.
pub(super) fn client(config: &Config) -> Result<Client> {
    let mut direct = HttpConnector::new();
    direct.enforce_http(false);
    let Some(proxy) = config.proxy_url.clone() else {
        return through(direct, config);
    };
    match proxy.scheme_str() {
        Some("socks5") => through(SocksV5::new(proxy, direct), config),
        Some("http") => through(tunnel(&proxy, direct, config), config),
        Some("https") => through(tunnel(&proxy, secured(direct, config)?, config), config),
        _ => Err(Error::ProxyProtocolUnsupported {
            proxy_url: Box::new(proxy),
        }),
    }
}

/// Connects through a proxy, with the login of its URL.
fn tunnel<C>(proxy: &Uri, connector: C, config: &Config) -> Tunnel<C> {
    let matcher = Matcher::builder().all(proxy.to_string()).build();
    let intercept = matcher.intercept(&config.cluster_url);
    let tunnel = Tunnel::new(proxy.clone(), connector);
    match intercept.as_ref().and_then(|intercept| intercept.basic_auth()) {
        Some(login) => tunnel.with_auth(login.clone()),
        None => tunnel,
    }
}

/// Adds TLS to a connection, where the address asks for it.
fn secured<C>(connector: C, config: &Config) -> Result<HttpsConnector<C>> {
    let mut tls = config.rustls_client_config()?;
    if let Some(authorities) = config.root_cert.as_ref().filter(|_| !config.accept_invalid_certs) {
        let verifier = Verifier::new(authorities).map_err(|error| Error::Service(error.into()))?;
        tls.dangerous().set_certificate_verifier(Arc::new(verifier));
    }
    let mut builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
    if let Some(name) = config.tls_server_name.clone() {
        let name = name.try_into().map_err(|error| Error::Service(Box::new(error)))?;
        builder = builder.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    Ok(builder.enable_http1().wrap_connector(connector))
}

/// Returns a client that connects in this way.
fn through<C>(connector: C, config: &Config) -> Result<Client>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: StdError + Send + Sync + 'static,
{
    let mut connector = TimeoutConnector::new(secured(connector, config)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    let sender: legacy::Client<_, Body> = legacy::Builder::new(TokioExecutor::new()).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(sender)
        .and_then(answer::checked);
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}
