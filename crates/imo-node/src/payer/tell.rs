//! Handing signed answers to a watcher, which finds out whether the operator has signed another one to the same question.

use anyhow::Context;
use imo_client::answer::SignedAnswer;

/// Hands answers in, one after the other. Returns how many the watcher has taken, and why it did not take the first of the others.
pub async fn tell(watcher: &str, answers: &[SignedAnswer]) -> anyhow::Result<(usize, Option<String>)> {
    let client = reqwest::Client::builder()
        .timeout(std::time::Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    let url = format!("{}/v1/answers", watcher.trim_end_matches('/'));
    let (mut taken, mut refused) = (0, None);
    for signed in answers {
        let request = client.post(&url).body(signed.bytes());
        let response = request.send().await.with_context(|| format!("{url} does not answer"))?;
        if response.status().is_success() {
            taken += 1;
        } else if refused.is_none() {
            let status = response.status();
            let why = response.text().await.unwrap_or_default();
            let why: String = why.chars().filter(|c| !c.is_control()).take(400).collect();
            refused = Some(format!("{status}: {why}"));
        }
    }
    Ok((taken, refused))
}
