//! HTTP for buckets, with the client that everything else here uses.

use std::time::Duration;

use object_store::{
    ClientConfigKey, ClientOptions, Error,
    client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct Http;

impl HttpConnector for Http {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient, Error> {
        let plain = options.get_config_value(&ClientConfigKey::AllowHttp);
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .https_only(plain.as_deref() != Some("true"))
            .build()
            .map_err(|source| Error::Generic {
                store: "bucket",
                source: source.into(),
            })?;
        Ok(HttpClient::new(Service(client)))
    }
}

#[derive(Debug)]
struct Service(reqwest::Client);

#[async_trait::async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string();
        let sent = self
            .0
            .request(parts.method, url)
            .headers(parts.headers)
            .body(reqwest::Body::wrap(body))
            .send();
        let response = sent.await.map_err(failed)?;
        let mut answer = axum::http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let bytes = response.bytes().await.map_err(failed)?;
        answer
            .body(bytes.into())
            .map_err(|error| HttpError::new(HttpErrorKind::Decode, error))
    }
}

/// Without the address, which may be signed.
fn failed(error: reqwest::Error) -> HttpError {
    let kind = match () {
        () if error.is_timeout() => HttpErrorKind::Timeout,
        () if error.is_connect() => HttpErrorKind::Connect,
        () if error.is_request() => HttpErrorKind::Request,
        () => HttpErrorKind::Interrupted,
    };
    HttpError::new(kind, error.without_url())
}
