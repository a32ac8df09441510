//! Keys, from a file or the environment. They are never written anywhere, not even by accident: nothing here prints one.

use std::path::Path;

use anyhow::Context;
use solana_keypair::Keypair;

/// The key in the environment variable, or else in the file: a list of 64 numbers, as `solana-keygen` writes it.
pub fn load(variable: &str, file: Option<&Path>) -> anyhow::Result<Keypair> {
    match (std::env::var(variable), file) {
        (Ok(text), _) => {
            parse(&text).with_context(|| format!("{variable} is not a key: it holds a list of 64 numbers"))
        }
        (Err(_), Some(file)) => read(file),
        (Err(_), None) => anyhow::bail!("A key is missing: set {variable}, or name its file in the configuration."),
    }
}

/// The key in a file.
pub fn read(file: &Path) -> anyhow::Result<Keypair> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("The key file {} cannot be read", file.display()))?;
    parse(&text).with_context(|| format!("{} is not a key file: it holds a list of 64 numbers", file.display()))
}

/// `None` without saying what was found instead.
fn parse(text: &str) -> Option<Keypair> {
    let bytes: Vec<u8> = serde_json::from_str(text.trim()).ok()?;
    Keypair::try_from(bytes.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use solana_signer::Signer;

    #[test]
    fn given_a_key_file_when_loaded_then_the_key_and_other_files_are_refused_without_showing_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        let key = Keypair::new_from_array([7; 32]);
        std::fs::write(&path, serde_json::to_string(&key.to_bytes().to_vec()).unwrap()).unwrap();
        let loaded = load("IMO_NODE_NO_SUCH_KEY", Some(&path)).unwrap();
        assert_eq!(loaded.pubkey(), key.pubkey());

        for text in ["", "[1,2,3]", "secret words", &format!("{:?}", [9u8; 64])] {
            std::fs::write(&path, text).unwrap();
            let error = format!("{:#}", load("IMO_NODE_NO_SUCH_KEY", Some(&path)).unwrap_err());
            assert!(error.contains("is not a key file"), "{error}");
            assert!(!error.contains("secret") && !error.contains("9, 9"), "{error}");
        }
        assert!(load("IMO_NODE_NO_SUCH_KEY", None).is_err());
    }
}
