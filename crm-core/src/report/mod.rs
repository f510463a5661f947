//! Reports, computed where the rows are.
