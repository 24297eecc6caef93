//! The tile instructions, which have no intrinsics on stable Rust, and the right to use them.

use std::arch::asm;
use std::arch::x86_64::{__cpuid_count, _xgetbv};
use std::sync::OnceLock;

/// Shapes of the eight tile registers, as `ldtilecfg` reads them.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Shapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl Shapes {
    /// `(rows, bytes of a row)` of the tiles from `tmm0` on: at most 16 and 64.
    pub(super) fn new(shapes: [(usize, usize); 8]) -> Self {
        let mut all =
            Self { palette: 1, start_row: 0, reserved: [0; 14], row_bytes: [0; 16], rows: [0; 16] };
        for (index, (rows, row_bytes)) in shapes.into_iter().enumerate() {
            all.rows[index] = rows as u8;
            all.row_bytes[index] = row_bytes as u16;
        }
        all
    }

    /// Gives this thread's tiles these shapes and zeroes them.
    ///
    /// # Safety
    /// [`available`] has said true; all shapes are within 16 rows of 64 bytes and none is empty.
    #[inline]
    pub(super) unsafe fn configure(&self) {
        // SAFETY: the instruction reads the 64 bytes of `self`; tiles are named in no other state.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) self, options(nostack, readonly),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _);
        }
    }
}

/// Whether this processor has tiles for int8 and bf16 and the AVX-512 beside them, and the system
/// lets this process use them. Asks the system on the first call.
pub(crate) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| processor_has_tiles() && permitted())
}

fn processor_has_tiles() -> bool {
    let vectors = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("avx512bf16")
        && is_x86_feature_detected!("fma");
    if !vectors {
        return false;
    }
    // AMX-BF16, AMX-TILE and AMX-INT8.
    let edx = __cpuid_count(7, 0).edx;
    let tiles = [22, 24, 25].into_iter().all(|bit| edx >> bit & 1 == 1);
    // SAFETY: a processor with AVX-512 in use has `xgetbv`.
    let saved = unsafe { enabled_state() };
    tiles && saved >> 17 & 3 == 3
}

/// What register state the system saves.
///
/// # Safety
/// The processor has `xgetbv`.
#[target_feature(enable = "xsave")]
unsafe fn enabled_state() -> u64 {
    // SAFETY: as promised.
    unsafe { _xgetbv(0) }
}

/// Asks Linux for the tile state, which it gives only to processes that ask.
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const ARCH_PRCTL: i64 = 158;
    const REQUEST_STATE: i64 = 0x1023;
    const TILE_DATA: i64 = 18;
    let result: i64;
    // SAFETY: this call changes nothing but what registers the process may use.
    unsafe {
        asm!("syscall", inlateout("rax") ARCH_PRCTL => result, in("rdi") REQUEST_STATE,
            in("rsi") TILE_DATA, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}
