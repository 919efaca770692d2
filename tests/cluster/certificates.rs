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

/// kubectl itself is asked about each.
#[test]
fn a_certificate_is_trusted_as_kubectl_does() {
    let day = Duration::days(1);
    let ca = Identity::new(None, authority);
    let stranger = Identity::new(None, authority);
    let own = |change: &dyn Fn(&mut CertificateParams)| (Identity::new(None, change), None, true);
    let cases: Vec<(&str, (Identity, Option<&Identity>, bool), &[&str])> = vec![
        ("an authority for itself", own(&authority), &[]),
        ("signed by itself, and no authority", own(&|_| {}), &[]),
        (
            "signed by another, and named itself",
            (Identity::new(Some(&ca), |_| {}), None, true),
            &[],
        ),
        (
            "signed by the authority",
            (Identity::new(Some(&ca), |_| {}), Some(&ca), true),
            &[],
        ),
        (
            "signed by another one",
            (Identity::new(Some(&ca), |_| {}), Some(&stranger), false),
            &[],
        ),
        (
            "another one with the same names",
            (Identity::new(None, authority), Some(&stranger), false),
            &[],
        ),
        (
            "another name",
            (Identity::new(None, authority), None, false),
            &["--tls-server-name", "other.example.org"],
        ),
        (
            "its other name",
            (Identity::new(None, authority), None, true),
            &["--tls-server-name", "home.example.org"],
        ),
        (
            "over",
            (
                Identity::new(None, |p| {
                    authority(p);
                    p.not_after = OffsetDateTime::now_utc() - day / 2;
                }),
                None,
                false,
            ),
            &[],
        ),
        (
            "not begun",
            (
                Identity::new(None, |p| {
                    authority(p);
                    p.not_before = OffsetDateTime::now_utc() + day / 2;
                }),
                None,
                false,
            ),
            &[],
        ),
        (
            "for clients",
            (
                Identity::new(None, |p| {
                    p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]
                }),
                None,
                false,
            ),
            &[],
        ),
        (
            "for servers",
            (
                Identity::new(None, |p| {
                    p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]
                }),
                None,
                true,
            ),
            &[],
        ),
    ];
    let kubectl = std::env::var_os("HOMELAB_TEST_KUBECTL").expect("run `cargo xtask test`");
    for (what, (identity, trusted, is_trusted), flags) in cases {
        let server = Server::start_secured(identity.server(), |_, _| list(&[application("player", "1", "Healthy")]));
        let trusted = &trusted.unwrap_or(&identity).certificate;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.crt");
        fs::write(&file, trusted.pem()).unwrap();
        let mut config = kubeconfig(&server.url, &json!({"token": "s3cret"}));
        config["clusters"][0]["cluster"]["certificate-authority"] = json!(file);
        let path = folder.path().join("kubeconfig");
        fs::write(&path, config.to_string()).unwrap();
        let asked = Command::new(&kubectl)
            .args(["get", "--raw", "/apis", "--kubeconfig"])
            .arg(&path)
            .args(flags)
            .output()
            .unwrap();
        assert_eq!(asked.status.success(), is_trusted, "{what}: kubectl says {asked:?}");
        let (exit, message) = homelab(Some(&config), &[&["wait", "player"], flags].concat());
        assert_eq!(exit == Some(0), is_trusted, "{what}: {message}");
        if !is_trusted {
            assert!(message.contains("invalid peer certificate"), "{what}: {message}");
        }
        let bare = kubeconfig(&server.url, &json!({"token": "s3cret"}));
        let named = ["wait", "player", "--certificate-authority", file.to_str().unwrap()];
        let (exit, message) = homelab(Some(&bare), &[&named, flags].concat());
        assert_eq!(exit == Some(0), is_trusted, "{what}: {message}");
    }
}
