//! Every process that executes project code runs here: no network, writes only in the scratch
//! tree, time and memory limits (Landlock and seccomp on Linux). Says so when it cannot.
