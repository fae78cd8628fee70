/// What a configuration may contain only if somebody asks for it by its dangerous name.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DangerousOptIns {
    pub(crate) null_origin: bool,
    pub(crate) file_origin: bool,
    pub(crate) insecure_origins: bool,
    pub(crate) public_suffixes: bool,
}

impl DangerousOptIns {
    pub(super) fn with_insecure(mut self) -> Self {
        self.insecure_origins = true;
        self
    }
}
