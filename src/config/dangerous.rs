/// The settings that a configuration may contain only after a method named `dangerously_...` was
/// called.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DangerousOptIns {
    pub(crate) null_origin: bool,
    pub(crate) file_origin: bool,
    pub(crate) insecure_origins: bool,
    pub(crate) public_suffixes: bool,
}

impl DangerousOptIns {
    /// For the entries of `dangerously_allow_insecure_origin`, whose name is permission enough.
    pub(super) fn with_insecure(mut self) -> Self {
        self.insecure_origins = true;
        self
    }
}
