//! Defaults < user file < workspace file < editor < flags; bad values are reported with file and line, good ones kept.
