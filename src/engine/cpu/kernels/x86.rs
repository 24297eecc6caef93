//! Kernels for x86.

#[cfg_attr(not(test), expect(dead_code, reason = "taken by the tables once they are there"))]
mod gemm;
mod panel;
