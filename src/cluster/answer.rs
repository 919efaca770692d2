//! Checks what answers: an error of the API server keeps its message and its code, and what is none of its answers is
//! called that, such as the page of a login or of a proxy.

use std::fmt;

use http::header::{CONTENT_TYPE, LOCATION};
use http::{Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use serde_json::{Value, json};
use tower::BoxError;

use crate::model::live::one_line;

/// The most bytes of an error that are read, and the most characters of a text that are shown.
const MOST_BYTES: usize = 1 << 20;
const MOST_CHARS: usize = 300;

/// The content of an answer.
pub(super) type Answer = UnsyncBoxBody<Bytes, BoxError>;

/// An answer that is none of the Kubernetes API.
#[derive(Debug)]
pub(super) struct Foreign {
    status: StatusCode,
    what: String,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer is {} with {}", self.status.as_u16(), self.what)
    }
}

impl std::error::Error for Foreign {}

/// Passes an answer of the API server on.
///
/// # Errors
/// [`Foreign`] for another one; when the answer breaks off.
pub(super) async fn checked(response: Response<Incoming>) -> Result<Response<Answer>, BoxError> {
    let status = response.status();
    let header = |name| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    if let Some(place) = header(LOCATION).filter(|_| status.is_redirection()) {
        return Err(Foreign::error(status, redirect(&place)));
    }
    let is_page = header(CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    if status.is_success() && !is_page {
        // It may be a watch, which does not end.
        return Ok(response.map(|body| body.map_err(BoxError::from).boxed_unsync()));
    }
    let (mut parts, body) = response.into_parts();
    let bytes = Limited::new(body, MOST_BYTES).collect().await?.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    if is_page || text.trim_start().starts_with('<') {
        return Err(Foreign::error(status, page(&text)));
    }
    if status.is_success() || status.is_redirection() || status.is_informational() {
        return Err(Foreign::error(status, "no object".to_owned()));
    }
    let error = error(status, &text).map_err(|what| Foreign::error(status, what))?;
    parts.headers.remove(http::header::CONTENT_LENGTH);
    let body = Full::from(error.to_string()).map_err(|never| match never {});
    Ok(Response::from_parts(parts, body.boxed_unsync()))
}

impl Foreign {
    /// Reports whether another answer may come by itself: that of a proxy whose server is away.
    pub(super) fn is_transient(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    fn error(status: StatusCode, what: String) -> BoxError {
        Box::new(Self { status, what })
    }
}

/// Returns the object of an error, with its code; the API server writes some errors as plain text.
///
/// # Errors
/// When it is JSON of another kind: what that says.
fn error(status: StatusCode, text: &str) -> Result<Value, String> {
    let code = status.as_u16();
    match serde_json::from_str::<Value>(text) {
        Ok(mut tree) if tree["kind"] == "Status" || tree["status"] == "Failure" => {
            if tree["code"].as_u64().unwrap_or_default() == 0 {
                tree["code"] = json!(code);
            }
            Ok(tree)
        }
        Ok(tree) if tree.is_object() => {
            let said = ["message", "error"].iter().find_map(|name| tree[*name].as_str());
            let said = said.map(|said| format!(": {}", short(said))).unwrap_or_default();
            Err(format!("an object that is no error of Kubernetes{said}"))
        }
        _ => {
            Ok(json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": short(text)}))
        }
    }
}

/// Returns what a redirect says, without what may be a login in its URL.
fn redirect(place: &str) -> String {
    let host = place.parse::<Uri>().ok().and_then(|url| Some(url.host()?.to_owned()));
    match host {
        Some(host) => format!("a redirect to `{host}`"),
        None => "a redirect".to_owned(),
    }
}

/// Returns what a web page is, with its title.
fn page(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title").and_then(|start| {
        let open = start + lower[start..].find('>')? + 1;
        let end = open + lower[open..].find('<')?;
        Some(short(&text[open..end])).filter(|title| !title.is_empty())
    });
    match title {
        Some(title) => format!("a web page, `{title}`"),
        None => "a web page".to_owned(),
    }
}

/// Returns the start of a text, in one line.
fn short(text: &str) -> String {
    let line = one_line(text.trim());
    match line.char_indices().nth(MOST_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
