//! Origins: the table of public suffixes. The rest of the room is tested beside its code.

mod public_suffixes;
