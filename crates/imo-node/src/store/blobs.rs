//! Inputs and receipts, as files or in a bucket that speaks S3.

use std::{
    ops::Range,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
    time::Duration,
};

use anchor_lang::prelude::Pubkey;
use bytes::Bytes;
use futures_util::{TryStreamExt, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    local::LocalFileSystem,
    path::Path,
    prefix::PrefixStore,
};
use opml::Hash;

use super::{StoreError, http::Http};
use crate::text::hex;

/// How long a bucket that fails is asked again. Clients wait for what is written into it.
const RETRY: Duration = Duration::from_secs(20);

/// Where inputs and receipts are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Folder(PathBuf),
    /// `s3://bucket` or `s3://bucket/prefix`.
    Bucket(String),
}

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

    /// At the place that a configuration names. A bucket's address, region and credentials are in the environment (`AWS_ENDPOINT`, `AWS_REGION`,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and what else has the prefix).
    pub fn open(place: &Place) -> Result<Self, StoreError> {
        match place {
            Place::Folder(folder) => Self::in_folder(folder),
            Place::Bucket(url) => Self::in_bucket(url, std::env::vars()),
        }
    }

    /// In a bucket, under the settings among these variables.
    pub fn in_bucket(url: &str, variables: impl Iterator<Item = (String, String)>) -> Result<Self, StoreError> {
        let path = url.strip_prefix("s3://").unwrap_or_default();
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        if bucket.is_empty() {
            return Err(StoreError::NoBucket(url.to_owned()));
        }
        let settings = variables.filter_map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let key: AmazonS3ConfigKey = name.starts_with("aws_").then(|| name.parse().ok())??;
            Some((key, value))
        });
        let builder = settings.fold(AmazonS3Builder::new(), |builder, (key, value)| {
            builder.with_config(key, value)
        });
        let objects = builder
            .with_bucket_name(bucket)
            .with_http_connector(Http)
            .with_retry(RetryConfig {
                retry_timeout: RETRY,
                ..RetryConfig::default()
            })
            .build()?;
        Ok(Self {
            objects: Arc::new(PrefixStore::new(objects, prefix)),
        })
    }

    /// Whether something that is written can be read back.
    pub async fn probe(&self) -> Result<(), StoreError> {
        let path = Path::from("probe");
        let bytes = Bytes::from_static(b"written by imo-node to see whether it can");
        self.put(&path, bytes.clone()).await?;
        match self.get(&path).await? {
            Some(found) if found == bytes => Ok(()),
            _ => Err(StoreError::Malformed("a file that was written a moment ago")),
        }
    }

    /// Keeps an input's elements.
    pub async fn put_input(&self, root: &Hash, bytes: Bytes) -> Result<(), StoreError> {
        self.put(&input_path(root), bytes).await
    }

    /// The same, to be read as it is sent on.
    pub async fn find_input(&self, root: &Hash) -> Result<Option<Blob>, StoreError> {
        self.find(input_path(root)).await
    }

    /// `None` when it is not kept.
    pub async fn input(&self, root: &Hash) -> Result<Option<Bytes>, StoreError> {
        self.get(&input_path(root)).await
    }

    /// Keeps the receipts of a lane under a report.
    pub async fn put_receipts(&self, report: &Pubkey, lane: &Pubkey, bytes: Bytes) -> Result<(), StoreError> {
        self.put(&receipts_path(report).join(lane.to_string()), bytes).await
    }

    pub async fn receipts(&self, report: &Pubkey, lane: &Pubkey) -> Result<Option<Blob>, StoreError> {
        self.find(receipts_path(report).join(lane.to_string())).await
    }

    /// The lanes of a report whose receipts are kept, each with their length in bytes.
    pub async fn lanes_of(&self, report: &Pubkey) -> Result<Vec<(Pubkey, u64)>, StoreError> {
        let folder = receipts_path(report);
        let found: Vec<_> = self.objects.list(Some(&folder)).try_collect().await?;
        let lane = |object: &ObjectMeta| Some((object.location.filename()?.parse().ok()?, object.size));
        Ok(found.iter().filter_map(lane).collect())
    }

    async fn find(&self, path: Path) -> Result<Option<Blob>, StoreError> {
        match self.objects.head(&path).await {
            Ok(found) => Ok(Some(Blob {
                objects: self.objects.clone(),
                path,
                length: found.size,
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
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

/// A file that is there, and not in memory.
#[derive(Debug)]
pub struct Blob {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    length: u64,
}

impl Blob {
    /// In bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// A part of it, piece by piece as somebody takes them.
    pub async fn read(&self, part: Range<u64>) -> Result<BoxStream<'static, object_store::Result<Bytes>>, StoreError> {
        let options = GetOptions {
            range: Some(GetRange::Bounded(part)),
            ..GetOptions::default()
        };
        Ok(self.objects.get_opts(&self.path, options).await?.into_stream())
    }
}

/// Two levels, so that no folder grows without end.
fn input_path(root: &Hash) -> Path {
    let name = hex(root);
    Path::from_iter(["inputs", &name[..2], &name])
}

fn receipts_path(report: &Pubkey) -> Path {
    Path::from_iter(["receipts", &report.to_string()])
}
