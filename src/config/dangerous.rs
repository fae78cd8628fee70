/// The doors that are closed unless somebody opens them by their dangerous name.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DangerousOptIns {
    pub(crate) null_origin: bool,
    pub(crate) insecure_origins: bool,
    pub(crate) public_suffixes: bool,
}
