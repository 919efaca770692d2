//! Which certificates of an API server are trusted.

use std::fs;
use std::process::Command;

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::json;
use time::{Duration, OffsetDateTime};

use crate::server::{Server, application, homelab, kubeconfig, list};

/// A certificate with its key.
struct Identity {
    parameters: CertificateParams,
    certificate: Certificate,
    key: KeyPair,
}

impl Identity {
    /// Makes a certificate for this machine, signed by itself or by another one.
    fn new(issuer: Option<&Self>, change: impl Fn(&mut CertificateParams)) -> Self {
        let mut parameters = CertificateParams::new(["127.0.0.1".to_owned(), "home.example.org".to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, "home");
        let day = Duration::days(1);
        (parameters.not_before, parameters.not_after) =
            (OffsetDateTime::now_utc() - day, OffsetDateTime::now_utc() + day);
        change(&mut parameters);
        let key = KeyPair::generate().unwrap();
        let certificate = match issuer {
            None => parameters.self_signed(&key).unwrap(),
            Some(issuer) => {
                let issuer = Issuer::from_params(&issuer.parameters, &issuer.key);
                parameters.signed_by(&key, &issuer).unwrap()
            }
        };
        Self {
            parameters,
            certificate,
            key,
        }
    }

    /// Returns the settings of a server that has it.
    fn server(&self) -> ServerConfig {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        let config = ServerConfig::builder().with_no_client_auth();
        let chain = vec![self.certificate.der().clone()];
        config.with_single_cert(chain, key.into()).unwrap()
    }
}

fn authority(parameters: &mut CertificateParams) {
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

/// Checks whether a server is trusted by somebody who names a certificate as the authority; kubectl itself is asked, too.
fn check(what: &str, server: &Identity, named: &Identity, is_trusted: bool, flags: &[&str]) {
    let kubectl = std::env::var_os("HOMELAB_TEST_KUBECTL").expect("run `cargo xtask test`");
    let server = Server::start_secured(server.server(), |_, _| list(&[application("player", "1", "Healthy")]));
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("ca.crt"), named.certificate.pem()).unwrap();
    let bare = kubeconfig(&server.url, &json!({"token": "s3cret"}));
    let mut config = bare.clone();
    config["clusters"][0]["cluster"]["certificate-authority"] = json!(at("ca.crt"));
    fs::write(at("kubeconfig"), config.to_string()).unwrap();
    let mut asked = Command::new(kubectl);
    asked
        .args(["get", "--raw", "/apis", "--kubeconfig"])
        .arg(at("kubeconfig"));
    let asked = asked.args(flags).output().unwrap();
    assert_eq!(asked.status.success(), is_trusted, "{what}: kubectl says {asked:?}");
    let (exit, message) = homelab(Some(&config), &[&["wait", "player"], flags].concat());
    assert_eq!(exit == Some(0), is_trusted, "{what}: {message}");
    let is_explained = message.contains("invalid peer certificate") && message.contains("--certificate-authority");
    assert!(is_trusted || is_explained, "{what}: {message}");
    let path = at("ca.crt");
    let named = ["wait", "player", "--certificate-authority", path.to_str().unwrap()];
    let (exit, message) = homelab(Some(&bare), &[&named, flags].concat());
    assert_eq!(exit == Some(0), is_trusted, "{what}: {message}");
}

#[test]
fn what_an_authority_has_signed_is_trusted() {
    let (ours, other) = (Identity::new(None, authority), Identity::new(None, authority));
    let server = Identity::new(Some(&ours), |_| {});
    check("signed by the authority", &server, &ours, true, &[]);
    check("signed by another one", &server, &other, false, &[]);
}

#[test]
fn the_certificate_that_is_named_itself_is_trusted() {
    let (both, other) = (Identity::new(None, authority), Identity::new(None, authority));
    check("an authority for itself", &both, &both, true, &[]);
    check("one of the same names", &both, &other, false, &[]);
    let alone = Identity::new(None, |_| {});
    check("signed by itself, and no authority", &alone, &alone, true, &[]);
    let signed = Identity::new(Some(&both), |_| {});
    check("signed by another", &signed, &signed, true, &[]);
    let name = |name| ["--tls-server-name", name];
    check("its other name", &both, &both, true, &name("home.example.org"));
    check("another name", &both, &both, false, &name("other.example.org"));
}

#[test]
fn time_and_use_of_the_certificate_count() {
    let half_a_day = Duration::hours(12);
    let over = Identity::new(None, |parameters| {
        authority(parameters);
        parameters.not_after = OffsetDateTime::now_utc() - half_a_day;
    });
    check("over", &over, &over, false, &[]);
    let later = Identity::new(None, |parameters| {
        authority(parameters);
        parameters.not_before = OffsetDateTime::now_utc() + half_a_day;
    });
    check("not begun", &later, &later, false, &[]);
    for (purpose, is_trusted) in [
        (ExtendedKeyUsagePurpose::ClientAuth, false),
        (ExtendedKeyUsagePurpose::ServerAuth, true),
        (ExtendedKeyUsagePurpose::Any, true),
    ] {
        let purposes = Identity::new(None, |parameters| {
            parameters.extended_key_usages = vec![purpose.clone()]
        });
        check(&format!("{purpose:?}"), &purposes, &purposes, is_trusted, &[]);
    }
}
