//! What is never read, indexed, sent to a model or logged.

mod address;
mod assignment;
mod private_key;
mod token;

use std::path::Path;

/// Whole names, in lower case.
const NAMES: [&str; 20] = [
    ".boto",
    ".dockercfg",
    ".env",
    ".envrc",
    ".git-credentials",
    ".htpasswd",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".pgpass",
    ".pypirc",
    ".s3cfg",
    ".vault-token",
    ".yarnrc.yml",
    "_netrc",
    "id_dsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_rsa",
];
/// Endings of key stores, private keys and state that holds them.
const EXTENSIONS: [&str; 17] = [
    "age", "env", "gpg", "jks", "kdbx", "key", "keystore", "p12", "p8", "pem", "pfx", "pkcs12",
    "ppk", "tfstate", "tfvars", "ovpn", "keytab",
];
/// Folders whose whole content is private.
const FOLDERS: [&str; 8] =
    [".aws", ".azure", ".docker", ".gnupg", ".kube", ".password-store", ".ssh", ".gcloud"];
/// Beginnings of the names of data files that hold secrets; source files may be called so.
const DATA_PREFIXES: [&str; 6] =
    ["client_secret", "credential", "passwords", "secret", "service-account", "service_account"];
/// Endings of data files; a name without an ending counts as data too.
const DATA_EXTENSIONS: [&str; 11] =
    ["cfg", "conf", "csv", "ini", "json", "properties", "toml", "txt", "xml", "yaml", "yml"];
/// `.env.example` and the like hold no values.
const SAMPLES: [&str; 5] = ["default", "dist", "example", "sample", "template"];

/// Whether a file's name, or a folder on its path, says that it holds secrets: `.env*` (except
/// samples), private keys and key stores (`*.pem`, `*.key`, `id_rsa` …), logins of tools
/// (`.netrc`, `.npmrc`, `.pgpass` …), Terraform state, data files called `credentials*`,
/// `secret*`, `service-account*` …, and everything in `.ssh`, `.gnupg`, `.aws` and their like.
/// Case does not matter.
pub fn is_secret_path(path: &Path) -> bool {
    let folder_is_private = path.parent().is_some_and(|parent| {
        parent.components().any(|part| {
            let part = part.as_os_str().to_string_lossy().to_lowercase();
            FOLDERS.contains(&part.as_str())
        })
    });
    let Some(name) = path.file_name().map(|name| name.to_string_lossy().to_lowercase()) else {
        return folder_is_private;
    };
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let environment = name.starts_with(".env.") && !SAMPLES.contains(&extension);
    let is_data = !name.contains('.') || DATA_EXTENSIONS.contains(&extension);
    folder_is_private
        || environment
        || NAMES.contains(&name.as_str())
        || (name.contains('.') && EXTENSIONS.contains(&extension))
        || name.contains(".tfstate.")
        || (is_data && DATA_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// Whether `path`, or the file it leads to through symbolic links, [is secret](is_secret_path).
/// Reads the file system; a path that does not exist is judged by itself.
pub fn leads_to_secret(path: &Path) -> bool {
    is_secret_path(path) || path.canonicalize().is_ok_and(|real| is_secret_path(&real))
}

/// Whether a text holds a secret: a token, private key or URL with a password known by its shape, or
/// a random-looking value that it gives to the name of a secret.
pub fn holds_secret(text: &str) -> bool {
    token::holds_token(text) || assignment::assigns_secret(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_link_is_judged_by_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let [secret, link, plain] = [".env", "link.txt", "a.txt"].map(|n| folder.path().join(n));
        std::fs::write(&secret, "A=1").unwrap();
        std::fs::write(&plain, "a").unwrap();
        std::os::unix::fs::symlink(&secret, &link).unwrap();
        assert!(!is_secret_path(&link) && leads_to_secret(&link) && leads_to_secret(&secret));
        assert!(!leads_to_secret(&plain) && !leads_to_secret(&folder.path().join("none.txt")));
    }

    #[test]
    fn names_of_secrets_are_known_in_any_case() {
        for path in [
            ".env",
            "app/.env.local",
            ".envrc",
            ".docker/config.json",
            "prod.env",
            "tls/server.pem",
            "KEY.PEM",
            ".ssh/config",
            "home/.aws/credentials",
            "id_rsa",
            "credentials.json",
            "credentials",
            "secrets.yaml",
            "service-account-prod.json",
            "terraform.tfstate.backup",
            ".npmrc",
        ] {
            assert!(is_secret_path(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn source_files_and_samples_are_no_secrets() {
        for path in [
            "src/secret.rs",
            "credentials.py",
            "secrets.py",
            ".env.example",
            "id_rsa.pub",
            "key.rs",
            "environment.py",
            "keyboard.rs",
            "",
            "/",
        ] {
            assert!(!is_secret_path(Path::new(path)), "{path}");
        }
    }
}
