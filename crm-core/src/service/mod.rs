//! What a business owes to those who write to it: cases with deadlines that explain themselves.
//!
//! A [`calendar`] says which days count, a [`deadline`] rule how many of them there are. Both are data, and
//! due dates are plain functions of them: the same case gives the same date on every machine, at any time.

pub mod calendar;
pub mod deadline;
