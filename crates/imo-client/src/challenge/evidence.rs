//! What a witness holds for fraud that needs no walk (`opml_oracle::evidence` has the layout; `opml_runtime::malformed` makes the one of a malformed node).

use imo_protocol::Request;
use opml::Hash;

use crate::instructions::opml_oracle::Place;

/// The receipt at a place, for a second answer to its question.
pub fn reported(place: &Place) -> Vec<u8> {
    let Place {
        collection: _,
        receipt_index,
        salt,
        claim,
        receipt_salt,
        path,
    } = place;
    let mut witness = salt.to_vec();
    witness.extend(receipt_index.to_le_bytes());
    witness.extend(claim.input_root);
    witness.extend(claim.output_root);
    witness.extend(receipt_salt);
    witness.extend(path.as_flattened());
    witness
}

/// The receipt at a place, and the request at its sequence with the siblings on its way up, for a receipt that answers another question.
pub fn wrong_question(place: &Place, request: &Request, request_path: &[Hash]) -> Vec<u8> {
    let mut witness = reported(place);
    witness.extend(request.model_root);
    witness.extend(request.input_root);
    witness.extend(request.price_units.to_le_bytes());
    witness.extend(request.salt);
    witness.extend(request_path.as_flattened());
    witness
}
