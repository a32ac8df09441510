//! `/openapi.json`.

use axum::Json;
use utoipa::OpenApi;

use super::{completions, documents, infer, openai};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "IMO operator",
        description = "Answers of models for vouchers: each comes with a receipt and a signature."
    ),
    paths(
        infer::infer,
        openai::classify,
        openai::embeddings,
        completions::begin,
        completions::step,
        documents::models,
        documents::lanes_of_report,
        documents::receipts,
        documents::input,
        documents::health,
        documents::metrics
    )
)]
struct Document;

pub async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}
