//! Minting JWTs: [`TokenMinter`].

mod error;
mod minted;
mod minter;
mod order;
mod signing_key;

pub use self::{
    error::{MintError, MinterConfigError, MinterConfigErrors},
    minted::MintedToken,
    minter::{TokenMinter, TokenMinterBuilder},
    order::TokenOrder,
    signing_key::SigningKey,
};
