//! A set-up for each cause.

mod layers;
mod lists;
mod network;
mod not_sent;
mod origins;
mod readable;
mod redirects;
