// Compiled into llama.cpp before each of its files. GCC up to 12.3 and 13.2 tell the optimizer that
// `_tile_loadconfig` reads only the first 8 of its 64 bytes; the stores to the others are then dropped
// and the instruction faults. This one says all 64.
#if defined(__AMX_TILE__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>
#undef _tile_loadconfig
#define _tile_loadconfig(configuration) \
    __asm__ volatile("ldtilecfg %0" : : "m"(*(const char(*)[64])(configuration)))
#endif
