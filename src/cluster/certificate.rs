//! Decides whether to trust the API server's certificate, as kubectl does.
//!
//! A kubeconfig may name the server's own certificate as its certificate authority: small clusters make one certificate for
//! both. Go trusts a certificate that is one of the authorities, and still checks its names, its time and its use
//! ([source](https://pkg.go.dev/crypto/x509#Certificate.Verify)); webpki takes an authority for no server, and follows
//! a server's certificate to its issuer.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::ExtendedKeyUsage;

/// The uses that a server's certificate may be limited to: any, and the authentication of a server
/// ([source](https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12)).
const USES: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("2.5.29.37.0"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1"),
];

/// Trusts what the authorities have signed, and the authorities themselves.
#[derive(Debug)]
pub(super) struct Verifier {
    signed: Arc<WebPkiServerVerifier>,
    authorities: Vec<CertificateDer<'static>>,
}

impl Verifier {
    /// Returns a verifier with these authorities, in DER.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn new(authorities: &[Vec<u8>]) -> Result<Self, VerifierBuilderError> {
        let authorities: Vec<CertificateDer<'static>> = authorities.iter().cloned().map(Into::into).collect();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.iter().cloned());
        Ok(Self {
            signed: WebPkiServerVerifier::builder(Arc::new(roots)).build()?,
            authorities,
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if !self.authorities.iter().any(|authority| authority == end_entity) {
            return self
                .signed
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        }
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        check(end_entity, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signed.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}

/// Checks the time and the use of a certificate.
fn check(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let bad = |_| CertificateError::BadEncoding;
    let certificate = Certificate::from_der(certificate).map_err(bad)?;
    let certificate = certificate.tbs_certificate();
    let validity = certificate.validity();
    if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
        return Err(CertificateError::NotValidYet);
    }
    if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
        return Err(CertificateError::Expired);
    }
    let uses = certificate.get_extension::<ExtendedKeyUsage>().map_err(bad)?;
    match uses {
        Some((_, uses)) if !uses.0.iter().any(|use_| USES.contains(use_)) => Err(CertificateError::InvalidPurpose),
        _ => Ok(()),
    }
}
