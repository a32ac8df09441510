//! What operators' endpoints say. Nothing of it is trusted: roots on chain decide.

use anyhow::Context;
use opml::Hash;
use reqwest::StatusCode;

use super::WatcherLoop;
use crate::text::hex;

impl WatcherLoop {
    /// The bytes at a path of an endpoint. How many they must be is on chain; an endpoint that sends more is not heard out.
    pub(super) async fn fetch(&self, endpoint: &str, path: &str, length: usize) -> anyhow::Result<Vec<u8>> {
        let url = format!("{}{path}", endpoint.trim_end_matches('/'));
        let mut response = self
            .http
            .get(&url)
            .send()
            .await
            .with_context(|| format!("{url} does not answer"))?;
        anyhow::ensure!(
            response.status() == StatusCode::OK,
            "{url} answers {}",
            response.status()
        );
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            anyhow::ensure!(
                bytes.len() + chunk.len() <= length,
                "{url} sends more than the {length} bytes that it is about"
            );
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    pub(super) async fn fetch_input(&self, endpoint: &str, root: &Hash, length: usize) -> anyhow::Result<Vec<u8>> {
        let path = format!("/v1/inputs/{}", hex(root));
        self.fetch(endpoint, &path, length).await
    }
}
