//! What fuzz targets are held against: the model of the whole layer that the tests use, too.

#[path = "../../tests/model/mod.rs"]
pub mod model;
