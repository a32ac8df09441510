//! What there is: the protocol and its vaults, models and their versions, and who decides for them.

use model_token::errors::ModelTokenError as Error;

use super::{Code, IN_USE, Ledger, NOT_THERE};

/// What is made once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Founded {
    pub protocol: bool,
    pub stake_vault: bool,
    pub audit_fund: bool,
    /// The custody of the model's revenue.
    pub model_vault: bool,
}

/// A key that decides, of two, and the one that it has named as its successor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Office {
    pub holder: usize,
    pub named: Option<usize>,
}

/// A registered model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Registered {
    pub versions: u16,
    pub live: u16,
    /// When the last version may become live, in slots.
    pub notice_ends: u64,
}

impl Office {
    /// Names a successor, another or the holder itself.
    fn name(&mut self, by: usize, successor: usize, refused: Error) -> Result<(), Code> {
        if by != self.holder {
            return Err(refused.into());
        }
        self.named = Some(successor);
        Ok(())
    }

    fn require_named(&self, by: usize, refused: Error) -> Result<(), Code> {
        (self.named == Some(by)).then_some(()).ok_or(refused.into())
    }

    fn hand_over(&mut self, to: usize) {
        *self = Self {
            holder: to,
            named: None,
        };
    }
}

impl Ledger {
    /// Whatever is made once: it is there afterwards, and was not before.
    pub fn found(&mut self, thing: impl FnOnce(&mut Founded) -> &mut bool) -> Result<(), Code> {
        let is_there = thing(&mut self.founded);
        if std::mem::replace(is_there, true) {
            return Err(IN_USE);
        }
        Ok(())
    }

    pub fn name_authority(&mut self, by: usize, successor: usize) -> Result<(), Code> {
        self.authority.name(by, successor, Error::NotAuthority)
    }

    pub fn accept_authority(&mut self, by: usize) -> Result<(), Code> {
        self.authority.require_named(by, Error::NotPendingAuthority)?;
        self.authority.hand_over(by);
        Ok(())
    }

    pub fn name_developer(&mut self, by: usize, successor: usize) -> Result<(), Code> {
        self.developer.name(by, successor, Error::NotDeveloper)
    }

    pub fn accept_developer(&mut self, by: usize) -> Result<(), Code> {
        self.developer.require_named(by, Error::NotPendingDeveloper)?;
        self.require_no_offering_open()?;
        self.developer.hand_over(by);
        Ok(())
    }

    pub fn register_model(&mut self, model: usize) -> Result<(), Code> {
        if self.models[model].is_some() {
            return Err(IN_USE);
        }
        if self.is_paused() {
            return Err(Error::Paused.into());
        }
        self.models[model] = Some(Registered::default());
        Ok(())
    }

    /// Nothing of a model changes while its token is offered.
    fn require_nothing_offered(&self, model: usize) -> Result<(), Code> {
        match model {
            MAIN => self.require_no_offering_open(),
            _ => Ok(()),
        }
    }

    /// The first version is live at once.
    pub fn publish_version(&mut self, model: usize) -> Result<(), Code> {
        let (slot, notice) = (self.now.slot, self.terms.notice_slots);
        self.models[model].ok_or(NOT_THERE)?;
        self.require_nothing_offered(model)?;
        let registered = self.models[model].as_mut().ok_or(NOT_THERE)?;
        registered.versions += 1;
        registered.notice_ends = slot + notice;
        if registered.versions == 1 {
            registered.live = 1;
        }
        Ok(())
    }

    /// Of the last version.
    pub fn activate_version(&mut self, model: usize) -> Result<(), Code> {
        self.models[model].ok_or(NOT_THERE)?;
        self.require_nothing_offered(model)?;
        let slot = self.now.slot;
        let registered = self.models[model].as_mut().ok_or(NOT_THERE)?;
        if registered.versions > 1 && slot < registered.notice_ends {
            return Err(Error::NoticeNotOver.into());
        }
        if registered.live == registered.versions {
            return Err(Error::VersionNotLater.into());
        }
        registered.live = registered.versions;
        Ok(())
    }

    pub fn propose_metadata(&mut self) -> Result<(), Code> {
        if self.metadata_notice.is_some() {
            return Err(IN_USE);
        }
        self.require_no_offering_open()?;
        self.metadata_notice = Some(self.now.slot + self.terms.notice_slots);
        Ok(())
    }

    pub fn apply_metadata(&mut self) -> Result<(), Code> {
        let notice_ends = self.metadata_notice.ok_or(NOT_THERE)?;
        self.require_no_offering_open()?;
        if self.now.slot < notice_ends {
            return Err(Error::NoticeNotOver.into());
        }
        self.metadata_notice = None;
        Ok(())
    }

    pub fn cancel_metadata(&mut self) -> Result<(), Code> {
        self.metadata_notice.take().map(|_| ()).ok_or(NOT_THERE)
    }
}

/// The model that people serve, pay and hold the token of.
pub const MAIN: usize = 0;
/// The model that it is built upon.
pub const UPSTREAM: usize = 1;
