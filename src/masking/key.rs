//! Which names of values, variables and parameters mean a secret.

/// Parts that say it wherever they stand in a name, without the signs between its words.
const PARTS: &[&str] = &[
    "accesskey",
    "accountkey",
    "activationkey",
    "aeskey",
    "apikey",
    "appkey",
    "authkey",
    "clientkey",
    "connectionstring",
    "connectionuri",
    "connectionurl",
    "connstr",
    "credential",
    "databaseuri",
    "databaseurl",
    "dburi",
    "dburl",
    "deploykey",
    "dockercfg",
    "dockerconfig",
    "encryptionkey",
    "hmackey",
    "htpasswd",
    "idrsa",
    "jwtkey",
    "kubeconfig",
    "licensekey",
    "masterkey",
    "passcode",
    "passkey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "recoverykey",
    "rsakey",
    "secret",
    "sessionkey",
    "sharedkey",
    "signingkey",
    "sshkey",
    "sslkey",
    "storagekey",
    "tlskey",
    "token",
    "unsealkey",
    "vaultkey",
    "webhookurl",
];
/// Words that say it on their own, or at the end of a word in lower case, as `dbpass`.
const WORDS: &[&str] = &["creds", "dsn", "pass", "psk", "pwd"];
/// Words that end in one of [`WORDS`] and mean something else.
const OTHER_WORDS: &[&str] = &["bypass", "compass", "encompass", "overpass", "trespass", "underpass"];
/// Words that say it on their own.
const WHOLE_WORDS: &[&str] = &[
    "authorization",
    "bearer",
    "cookie",
    "cred",
    "hmac",
    "jwt",
    "mnemonic",
    "otp",
    "pat",
    "pem",
    "pin",
    "pw",
    "salt",
    "sas",
    "totp",
];
/// Ends of names that name an object, or a key in it, and hold no secret themselves.
const NAMES: &[&str] = &["name", "ref", "existingsecret"];

/// Reports whether a name means that its value is secret, however its words are joined: `dbPassword`, `db_password`,
/// `db-password`, `DBPASSWORD`. `existingSecret` and `secretName` name an object.
pub fn is_secret(name: &str) -> bool {
    let words = words(name);
    let joined = words.concat();
    if NAMES.iter().any(|end| joined.ends_with(end)) {
        return false;
    }
    let says = |word: &str| {
        WHOLE_WORDS.contains(&word)
            || WORDS.iter().any(|end| word.ends_with(end)) && !OTHER_WORDS.iter().any(|other| word.ends_with(other))
    };
    PARTS.iter().any(|part| joined.contains(part)) || words.iter().any(|word| says(word))
}

/// Splits a name into words in lower case, at signs, digits and the humps of camel case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let signs: Vec<char> = name.chars().collect();
    for (at, sign) in signs.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| signs[before]);
        let lower = |sign: Option<&char>| sign.is_some_and(|sign| sign.is_lowercase());
        let is_hump = sign.is_uppercase()
            && (lower(before.as_ref()) || before.is_some_and(char::is_uppercase) && lower(signs.get(at + 1)));
        if is_hump || !sign.is_alphabetic() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| sign.is_alphabetic()) {
            word.extend(sign.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_however_they_are_joined() {
        for name in [
            "pass",
            "dbPass",
            "smtp_pass",
            "DBPASS",
            "dbpass2",
            "pwd",
            "MYSQL_PWD",
            "rootpwd",
            "passphrase",
            "accessKey",
            "access-key",
            "AWS_ACCESS_KEY_ID",
            "secretKey",
            "token",
            "authToken",
            "oauth2Token",
            "apiKey",
            "APIKey",
            "api_key",
            "credentials",
            "privateKey",
            "dsn",
            "sentryDSN",
            "SENTRYDSN",
            "connectionString",
            "connection-string",
            "DATABASE_URL",
            "psk",
            "wifi.psk",
            "encryptionKey",
            "pin",
            "otp",
            "tls.key",
            "basic_auth_htpasswd",
            ".dockerconfigjson",
            "sshPrivateKey",
            "\"password\"",
        ] {
            assert!(is_secret(name), "{name}");
        }
    }

    #[test]
    fn other_names_stay_readable() {
        for name in [
            "",
            "image",
            "port",
            "key",
            "publicKey",
            "hostKeys",
            "username",
            "existingSecret",
            "secretName",
            "passwordSecretRef",
            "tokenref",
            "bypass",
            "compass",
            "passive",
            "pinned",
            "spinner",
            "path",
            "pathType",
            "patch",
            "compasses",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
