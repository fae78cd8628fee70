//! Minting JWTs: [`TokenMinter`].

mod builder;
mod error;
mod minted;
mod minter;
mod order;
mod signing_key;

pub use self::{
    builder::TokenMinterBuilder,
    error::{MintError, MinterConfigError, MinterConfigErrors},
    minted::MintedToken,
    minter::TokenMinter,
    order::TokenOrder,
    signing_key::SigningKey,
};
