//! Values that are parsed once and right ever after.
