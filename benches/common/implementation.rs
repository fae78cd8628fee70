/// Whose CORS it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Implementation {
    None,
    Minimum,
    Ours,
    TowerHttp,
}

impl Implementation {
    pub(crate) const ALL: [Self; 4] = [Self::None, Self::Minimum, Self::Ours, Self::TowerHttp];
}
