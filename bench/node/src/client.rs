//! A client that costs as little as one can: requests are bytes that were made before, answers are counted and thrown away.

use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One request as bytes.
pub fn request(payment: Option<&str>, body: &str) -> Vec<u8> {
    let payment = payment
        .map(|payment| format!("x-payment: {payment}\r\n"))
        .unwrap_or_default();
    format!(
        "POST /v1/infer HTTP/1.1\r\nhost: node\r\n{payment}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A connection that asks one question after the other.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(8 << 10),
        })
    }

    /// Sends a request and reads the answer, which has to be 200.
    pub async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await?;
            anyhow::ensure!(read > 0, "the server hung up");
            if let Some(length) = length(&self.buffer)?
                && self.buffer.len() >= length
            {
                break;
            }
        }
        anyhow::ensure!(
            self.buffer.starts_with(b"HTTP/1.1 200"),
            "the server refuses: {}",
            String::from_utf8_lossy(&self.buffer)
        );
        Ok(began.elapsed())
    }
}

/// Bytes of the whole answer, once its headers are there.
fn length(answer: &[u8]) -> anyhow::Result<Option<usize>> {
    const NAME: &[u8] = b"content-length: ";
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let headers = &answer[..end];
    let at = headers.windows(NAME.len()).position(|bytes| bytes == NAME);
    let digits = &headers[at.context("an answer says its length")? + NAME.len()..];
    let digits: Vec<u8> = digits.iter().copied().take_while(u8::is_ascii_digit).collect();
    Ok(Some(end + 4 + std::str::from_utf8(&digits)?.parse::<usize>()?))
}
