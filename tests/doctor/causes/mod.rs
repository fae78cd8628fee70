//! A set-up for each cause.

mod layers;
mod lists;
mod network;
mod not_sent;
mod origins;
mod own_layer;
mod readable;
mod redirects;
