//! Who decides, who may serve the model, and what waits for its notice.

use ::model_token::state::{Appointment, MetadataUpdate, Model, OperatorAccess, Protocol, ProtocolUpdate};
use imo_client::addresses;
use solana_signer::Signer;

use super::assert_due;
use crate::histories::stage::Stage;

/// Who may serve the model, and what waits for the timelock.
pub fn assert_roles(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    for (published, registered) in [&stage.published, &stage.upstream].into_iter().zip(&ledger.models) {
        let Some(registered) = registered else {
            assert!(!world.is_made(&published.model), "a model that nobody registered");
            continue;
        };
        let model: Model = world.read(&published.model);
        assert_eq!(
            (model.version_count, model.live_version),
            (registered.versions, registered.live)
        );
    }
    if stage.main().is_some() {
        assert_model(stage);
    }
    if ledger.founded.protocol {
        assert_protocol(stage);
    }
}

fn assert_model(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    let model: Model = world.read(&stage.published.model);
    let named = ledger.developer.named.map(|named| ledger.people.developers[named]);
    assert_eq!(
        (model.developer, model.pending_developer),
        (ledger.developer(), named.unwrap_or_default())
    );
    let update = addresses::model_token::metadata_update(&stage.published.model);
    match ledger.metadata_notice {
        Some(notice_ends) => {
            let chain: MetadataUpdate = world.read(&update);
            assert_eq!(chain.notice_ends_slot, notice_ends);
        }
        None => assert!(!world.is_made(&update), "metadata that are decided"),
    }
    assert_eq!(
        model.operators == OperatorAccess::Listed,
        ledger.access.listing.is_some(),
        "whether the model has a list"
    );
    assert_due(&model.listing, ledger.access.listing.map(|due| due.slot));
    for (operator, appointed) in ledger.access.appointments.iter().enumerate() {
        let address = stage.appointment_account(operator);
        let Some(appointed) = appointed else {
            assert!(!world.is_made(&address), "an appointment that is closed");
            continue;
        };
        let chain: Appointment = world.read(&address);
        assert_due(&chain.dismissal, appointed.dismissal.map(|due| due.slot));
    }
}

fn assert_protocol(stage: &Stage) {
    let (world, ledger) = (&stage.world, &stage.ledger);
    let protocol: Protocol = world.read(&addresses::model_token::protocol());
    assert_eq!(protocol.terms.min_bond_units, ledger.least_bond);
    let key = |who: usize| stage.keys.authorities[who].pubkey();
    assert_eq!(
        (protocol.authority, protocol.pending_authority),
        (
            key(ledger.authority.holder),
            ledger.authority.named.map(key).unwrap_or_default()
        )
    );
    let update = addresses::model_token::protocol_update();
    match &ledger.update {
        Some(waiting) => {
            let chain: ProtocolUpdate = world.read(&update);
            assert_due(&chain.due, Some(waiting.due.slot));
        }
        None => assert!(!world.is_made(&update), "an update that is over"),
    }
}
