//! What the user can put right.

/// Something in what the user gave is wrong; one sentence that says what to do. The command ends with [`UserError::EXIT_CODE`] and nothing half done.
/// Every other error is ours or the network's and ends with 1.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UserError(String);

impl UserError {
    pub const EXIT_CODE: u8 = 2;

    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// Makes any error the user's.
pub trait OrUserError<T> {
    /// Keeps the error's own sentence.
    fn or_user_error(self) -> anyhow::Result<T>;

    /// Replaces it by a better one.
    fn or_user_error_with(self, sentence: impl FnOnce(&dyn std::fmt::Display) -> String) -> anyhow::Result<T>;
}

impl<T, E: std::fmt::Display> OrUserError<T> for Result<T, E> {
    fn or_user_error(self) -> anyhow::Result<T> {
        self.map_err(|error| UserError::new(error.to_string()).into())
    }

    fn or_user_error_with(self, sentence: impl FnOnce(&dyn std::fmt::Display) -> String) -> anyhow::Result<T> {
        self.map_err(|error| UserError::new(sentence(&error)).into())
    }
}
