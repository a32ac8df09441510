//! The people of every scenario.

use solana_keypair::Keypair;

use crate::cluster::Cluster;

/// Keypairs with lamports, and nothing else yet.
pub struct Cast {
    /// Deployed the programs.
    pub deployer: Keypair,
    /// Sets the protocol's terms.
    pub authority: Keypair,
    /// May pause.
    pub guardian: Keypair,
    /// Gets the protocol's share.
    pub treasury: Keypair,
    /// Registers models.
    pub developer: Keypair,
    /// Two investors.
    pub alice: Keypair,
    pub bob: Keypair,
    /// Pays for inference.
    pub payer: Keypair,
    /// Signs vouchers for the payer; never a transaction.
    pub session: Keypair,
    /// Serves models.
    pub operator: Keypair,
    /// May post traces for the operator.
    pub backup: Keypair,
    /// Two challengers.
    pub watcher: Keypair,
    pub rival: Keypair,
    /// Has no part in anything, and runs what anyone may run.
    pub stranger: Keypair,
}

impl Cast {
    pub(crate) fn hire(cluster: &mut Cluster, deployer: Keypair) -> Self {
        let mut actor = || cluster.actor();
        Self {
            authority: actor(),
            guardian: actor(),
            treasury: actor(),
            developer: actor(),
            alice: actor(),
            bob: actor(),
            payer: actor(),
            session: actor(),
            operator: actor(),
            backup: actor(),
            watcher: actor(),
            rival: actor(),
            stranger: actor(),
            deployer,
        }
    }

    /// The same people once more, for whoever needs them beside what owns the cast.
    pub fn copy(&self) -> Self {
        let copy = Keypair::insecure_clone;
        Self {
            deployer: copy(&self.deployer),
            authority: copy(&self.authority),
            guardian: copy(&self.guardian),
            treasury: copy(&self.treasury),
            developer: copy(&self.developer),
            alice: copy(&self.alice),
            bob: copy(&self.bob),
            payer: copy(&self.payer),
            session: copy(&self.session),
            operator: copy(&self.operator),
            backup: copy(&self.backup),
            watcher: copy(&self.watcher),
            rival: copy(&self.rival),
            stranger: copy(&self.stranger),
        }
    }
}
