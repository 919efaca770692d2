//! One request by HTTP or HTTPS: through the proxy that the environment names, with a limit on its answer, and with a login
//! that no other host gets to see.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use http::header::{AUTHORIZATION, LOCATION, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tower::{BoxError, Service};

use super::logins::Logins;
use crate::masking::without_logins;
use crate::time::Deadline;

/// The most bytes of an answer.
const MOST_BYTES: usize = 256 << 20;
/// The most redirections that are followed, as in Go's client.
const MOST_REDIRECTIONS: usize = 10;
/// The time that one request may take where nothing else limits it.
const LONGEST: Duration = Duration::from_secs(600);

/// A server's answer that is not what was asked for.
#[derive(Debug)]
pub struct NotFetched {
    /// The URL, without a login.
    pub url: String,
    /// The code of the answer.
    pub status: u16,
}

impl fmt::Display for NotFetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = StatusCode::from_u16(self.status)
            .ok()
            .and_then(|status| status.canonical_reason());
        write!(
            f,
            "`{}` answers {} {}",
            self.url,
            self.status,
            reason.unwrap_or_default()
        )
    }
}

impl std::error::Error for NotFetched {}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Ask {
    pub(super) fn get(url: &str) -> Self {
        Self {
            method: Method::GET,
            url: url.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }
}

/// An answer, whole.
#[derive(Debug)]
pub(super) struct Answer {
    /// The address that answered, behind all redirections.
    pub(super) url: String,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// Returns a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the answer if it is a success.
    pub(super) fn successful(self) -> Result<Self> {
        match self.status.is_success() {
            true => Ok(self),
            false => Err(NotFetched {
                url: without_logins(&self.url),
                status: self.status.as_u16(),
            }
            .into()),
        }
    }
}

/// Sends a request and follows redirections.
///
/// # Errors
/// When no answer comes in time.
pub(super) fn send(ask: &Ask, logins: &Logins, deadline: Deadline) -> Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime for downloads")?;
    let shown = without_logins(&ask.url);
    let limit = deadline.left(LONGEST);
    let answer = runtime.block_on(async { tokio::time::timeout(limit, followed(ask, logins)).await });
    match answer {
        Ok(answer) => answer.with_context(|| format!("cannot fetch `{shown}`")),
        Err(_) => Err(anyhow!("`{shown}` did not answer in time")),
    }
}

async fn followed(ask: &Ask, logins: &Logins) -> Result<Answer> {
    let (mut ask, mut left) = (ask.clone(), MOST_REDIRECTIONS);
    let own = host(&ask.url);
    loop {
        // Another host gets only a login that is meant for it.
        let login = logins.header(&ask.url);
        let answer = once(&ask, login).await?;
        let place = answer
            .header(LOCATION.as_str())
            .filter(|_| answer.status.is_redirection());
        let Some(place) = place else { return Ok(answer) };
        left = left.checked_sub(1).context("it leads to too many other addresses")?;
        let next = resolved(&answer.url, place).with_context(|| "it leads to an address that nobody can read")?;
        if host(&next) != own {
            ask.headers.remove(AUTHORIZATION);
        }
        if !matches!(answer.status.as_u16(), 307 | 308) && ask.method != Method::GET {
            (ask.method, ask.body) = (Method::GET, Bytes::new());
        }
        ask.url = next;
    }
}

fn host(url: &str) -> Option<String> {
    let uri: Uri = url.parse().ok()?;
    Some(format!(
        "{}://{}",
        uri.scheme_str()?,
        uri.authority()?.as_str().rsplit('@').next()?
    ))
}

/// Returns the address that a redirection leads to.
fn resolved(from: &str, place: &str) -> Option<String> {
    let uri: Uri = from.parse().ok()?;
    let scheme = uri.scheme_str()?;
    let authority = uri.authority()?.as_str();
    let target = match place {
        place if place.contains("://") => place.to_owned(),
        place if place.starts_with("//") => format!("{scheme}:{place}"),
        place if place.starts_with('/') => format!("{scheme}://{authority}{place}"),
        place => {
            let folder = uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{scheme}://{authority}{folder}/{place}")
        }
    };
    matches!(target.split_once("://")?.0, "http" | "https").then_some(target)
}

async fn once(ask: &Ask, login: Option<String>) -> Result<Answer> {
    // The login of a URL goes into a header.
    let (scheme, rest) = ask.url.split_once("://").context("it is no URL")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let bare = rest[..end].rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let bare = bare.split('#').next().unwrap_or_default();
    let uri: Uri = format!("{scheme}://{bare}").parse().context("it is no URL")?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        bail!("it is no URL of http or https");
    }
    let mut request = Request::builder().method(ask.method.clone()).uri(uri.clone());
    request = request.header(USER_AGENT, concat!("kubectl-homelab/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    if let Some(login) = login {
        request = request.header(AUTHORIZATION, login);
    }
    let request = request.body(Full::new(ask.body.clone()))?;
    let response = routed(&uri, request).await?;
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await;
    Ok(Answer {
        url: format!("{scheme}://{rest}"),
        status: parts.status,
        headers: parts.headers,
        body: body
            .map_err(|error| anyhow!("the answer breaks off: {error}"))?
            .to_bytes(),
    })
}

/// Sends a request on its way: directly, or through the proxy that the environment names for its address.
async fn routed(uri: &Uri, request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
    let mut direct = HttpConnector::new();
    direct.enforce_http(false);
    let Some(proxy) = Matcher::from_env().intercept(uri) else {
        return through(direct, request).await;
    };
    match proxy.uri().scheme_str() {
        Some("socks5" | "socks5h") => through(SocksV5::new(proxy.uri().clone(), direct), request).await,
        Some("http") => {
            let tunnel = Tunnel::new(proxy.uri().clone(), direct);
            match proxy.basic_auth() {
                Some(login) => through(tunnel.with_auth(login.clone()), request).await,
                None => through(tunnel, request).await,
            }
        }
        _ => bail!("the environment names a proxy of a kind that is not known here"),
    }
}

async fn through<C>(connector: C, request: Request<Full<Bytes>>) -> Result<Response<Incoming>>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + hyper::rt::Read + hyper::rt::Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls()?)
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    let client: legacy::Client<_, Full<Bytes>> = legacy::Client::builder(TokioExecutor::new()).build(connector);
    client.request(request).await.map_err(|error| anyhow!(causes(&error)))
}

/// Returns an error with its causes: the outermost alone says nothing.
fn causes(error: &dyn std::error::Error) -> String {
    let mut causes = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.dedup();
    causes.join(": ")
}

/// Returns the settings of TLS: the certificates that the system trusts, or those that `SSL_CERT_FILE` names.
fn tls() -> Result<ClientConfig> {
    static TLS: OnceLock<Option<ClientConfig>> = OnceLock::new();
    let made = TLS.get_or_init(|| {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .ok()?;
        Some(builder.with_platform_verifier().ok()?.with_no_client_auth())
    });
    made.clone()
        .context("the certificates that the system trusts cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_are_resolved() {
        for (place, expected) in [
            ("https://y.example/b", Some("https://y.example/b")),
            ("//y.example/b", Some("https://y.example/b")),
            ("/b", Some("https://x.example:8443/b")),
            ("b?c", Some("https://x.example:8443/d/b?c")),
            ("file:///etc/passwd", None),
        ] {
            assert_eq!(
                resolved("https://x.example:8443/d/a", place).as_deref(),
                expected,
                "{place}"
            );
        }
    }
}
