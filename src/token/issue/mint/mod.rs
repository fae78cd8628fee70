//! Minting JWTs: [`TokenMinter`], and [`RemoteMinter`] with a key that lies elsewhere.

mod builder;
mod error;
mod minted;
mod minter;
mod order;
mod remote_minter;
mod signer;
mod signing_key;
mod terms;

pub use self::{
    builder::TokenMinterBuilder,
    error::{MintError, MinterConfigError, MinterConfigErrors},
    minted::MintedToken,
    minter::TokenMinter,
    order::TokenOrder,
    remote_minter::RemoteMinter,
    signer::{SignFuture, Signer, SignerError},
    signing_key::SigningKey,
};
