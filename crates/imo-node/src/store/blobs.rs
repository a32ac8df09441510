//! Inputs and receipts, as files or in an object store.

use std::{path::Path as FilePath, sync::Arc};

use bytes::Bytes;
use object_store::{ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path};
use opml::Hash;

use super::StoreError;
use crate::text::hex;

/// Files that are written once, each under the hash or the address that names it.
#[derive(Clone, Debug)]
pub struct Blobs {
    objects: Arc<dyn ObjectStore>,
}

impl Blobs {
    /// In a folder, which is made if it is not there. What is written is on disk before it counts as written.
    pub fn in_folder(folder: &FilePath) -> Result<Self, StoreError> {
        let failed = |source| object_store::Error::Generic {
            store: "folder",
            source: Box::new(source),
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let objects = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        Ok(Self {
            objects: Arc::new(objects),
        })
    }

    /// Keeps an input's elements.
    pub async fn put_input(&self, root: &Hash, bytes: Bytes) -> Result<(), StoreError> {
        self.put(&input_path(root), bytes).await
    }

    /// `None` when it is not kept.
    pub async fn input(&self, root: &Hash) -> Result<Option<Bytes>, StoreError> {
        self.get(&input_path(root)).await
    }

    /// Keeps the receipts of a report, which is named by its address.
    pub async fn put_receipts(&self, report: &str, bytes: Bytes) -> Result<(), StoreError> {
        self.put(&receipts_path(report), bytes).await
    }

    pub async fn receipts(&self, report: &str) -> Result<Option<Bytes>, StoreError> {
        self.get(&receipts_path(report)).await
    }

    async fn put(&self, path: &Path, bytes: Bytes) -> Result<(), StoreError> {
        self.objects.put(path, bytes.into()).await?;
        Ok(())
    }

    async fn get(&self, path: &Path) -> Result<Option<Bytes>, StoreError> {
        match self.objects.get(path).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Two levels, so that no folder grows without end.
fn input_path(root: &Hash) -> Path {
    let name = hex(root);
    Path::from_iter(["inputs", &name[..2], &name])
}

fn receipts_path(report: &str) -> Path {
    Path::from_iter(["receipts", report])
}
