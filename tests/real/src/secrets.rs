//! The secrets of a cluster: the tokens of its clients, the key of its ServiceAccounts, its authority and its certificate.
//! They are written before the API server starts: a server that creates its own certificate writes it while others read.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// The files of the API server, in the cluster's folder.
pub(crate) const AUTHORITY: &str = "authority.crt";
pub(crate) const CERTIFICATE: &str = "api-server.crt";
pub(crate) const CERTIFICATE_KEY: &str = "api-server.key";
/// The administrator's certificate, an alternative to the token.
pub(crate) const CLIENT_CERTIFICATE: &str = "admin.crt";
pub(crate) const CLIENT_KEY: &str = "admin.key";
pub(crate) const SERVICE_ACCOUNT_KEY: &str = "service-account.key";
pub(crate) const SERVICE_ACCOUNT_PUBLIC_KEY: &str = "service-account.pub";
pub(crate) const TOKENS: &str = "tokens.csv";

/// The tokens of the API server's clients.
pub(crate) struct Secrets {
    pub(crate) admin: String,
    pub(crate) controller_manager: String,
    pub(crate) scheduler: String,
}

impl Secrets {
    /// Creates new tokens and writes their files.
    pub(crate) fn write(folder: &Path) -> Result<Self> {
        let secrets = Self {
            admin: token()?,
            controller_manager: token()?,
            scheduler: token()?,
        };
        let users = format!(
            "{},admin,admin,\"system:masters\"\n{},system:kube-controller-manager,controller-manager,\n{},system:kube-scheduler,scheduler,\n",
            secrets.admin, secrets.controller_manager, secrets.scheduler
        );
        write_private(&folder.join(TOKENS), &users)?;
        let key = KeyPair::generate()?;
        write_private(&folder.join(SERVICE_ACCOUNT_KEY), &key.serialize_pem())?;
        // The API server does not take a PKCS #8 private key for checking.
        write_private(&folder.join(SERVICE_ACCOUNT_PUBLIC_KEY), &key.public_key_pem())?;
        write_certificates(folder)?;
        Ok(secrets)
    }
}

/// Returns a random token, from a new key.
fn token() -> Result<String> {
    let key = KeyPair::generate()?;
    Ok(key.public_key_raw()[1..17]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

fn write_certificates(folder: &Path) -> Result<()> {
    let mut authority = CertificateParams::default();
    authority
        .distinguished_name
        .push(DnType::CommonName, "homelab-authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate()?;
    write_private(&folder.join(AUTHORITY), &authority.self_signed(&key)?.pem())?;
    let issuer = Issuer::new(authority, key);

    let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"];
    let server = CertificateParams::new(names.map(str::to_owned))?;
    let key = KeyPair::generate()?;
    write_private(&folder.join(CERTIFICATE), &server.signed_by(&key, &issuer)?.pem())?;
    write_private(&folder.join(CERTIFICATE_KEY), &key.serialize_pem())?;

    let mut client = CertificateParams::default();
    for (kind, name) in [
        (DnType::CommonName, "admin"),
        (DnType::OrganizationName, "system:masters"),
    ] {
        client.distinguished_name.push(kind, name);
    }
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    write_private(
        &folder.join(CLIENT_CERTIFICATE),
        &client.signed_by(&key, &issuer)?.pem(),
    )?;
    write_private(&folder.join(CLIENT_KEY), &key.serialize_pem())
}

/// Writes a file that only its owner can read.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<()> {
    let mut file = File::options()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}
