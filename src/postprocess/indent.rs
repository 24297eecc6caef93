//! Indentation fitted to the place.
