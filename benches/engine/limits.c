// What this machine can do at most: reads from memory, and multiplications in f32 and 8-bit integers.
// cc -O3 -march=native -pthread limits.c -o limits && ./limits [THREADS]   prints one JSON object:
// read_gbs (10^9 bytes a second), f32_gops and int8_gops (10^9 multiplications and additions a second)
// with the widest instructions there are, and their names. Best of several short runs.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if defined(__AMX_INT8__) && defined(__linux__)
#include <sys/syscall.h>
#endif
#if defined(__ARM_NEON)
#include <arm_neon.h>
#endif

enum { LARGEST = 256, RUNS = 7 };
static const size_t BYTES = (size_t)1 << 30;
static const char *int8_name = "scalar", *f32_name = "scalar";
static uint8_t *memory;
static int threads;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

// Each returns the work it did, in bytes or operations.
static double read_memory(int thread) {
    const size_t share = BYTES / (size_t)threads / 256 * 256;
    const uint64_t *from = (const uint64_t *)(memory + share * (size_t)thread), *end = from + share / 8;
    uint64_t sums[32] = {0};
    for (; from < end; from += 32)
        for (int lane = 0; lane < 32; lane++) sums[lane] ^= from[lane];
    for (int lane = 1; lane < 32; lane++) sums[0] ^= sums[lane];
    __asm__ volatile("" : : "r"(sums[0]));
    return (double)share;
}

// Twelve sums at a time, so that none waits for the one before. Each has a name: an array would be
// kept in memory.
#define CHAINS 12
#define EACH(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
static double multiply_f32(int thread) {
    const long rounds = 4000000;
#if defined(__AVX512F__)
    f32_name = "AVX-512";
    __m512 factor = _mm512_set1_ps(0.999f);
#define START(n) __m512 sum##n = _mm512_set1_ps((float)(n + thread));
#define STEP(n) sum##n = _mm512_fmadd_ps(sum##n, factor, factor); __asm__ volatile("" : "+v"(sum##n));
    EACH(START)
    for (long round = 0; round < rounds; round++) { EACH(STEP) }
#undef START
#undef STEP
    return (double)rounds * CHAINS * 16 * 2;
#elif defined(__FMA__)
    f32_name = "AVX2";
    __m256 factor = _mm256_set1_ps(0.999f);
#define START(n) __m256 sum##n = _mm256_set1_ps((float)(n + thread));
#define STEP(n) sum##n = _mm256_fmadd_ps(sum##n, factor, factor); __asm__ volatile("" : "+x"(sum##n));
    EACH(START)
    for (long round = 0; round < rounds; round++) { EACH(STEP) }
#undef START
#undef STEP
    return (double)rounds * CHAINS * 8 * 2;
#elif defined(__ARM_NEON)
    f32_name = "NEON";
    float32x4_t factor = vdupq_n_f32(0.999f);
#define START(n) float32x4_t sum##n = vdupq_n_f32((float)(n + thread));
#define STEP(n) sum##n = vfmaq_f32(factor, sum##n, factor); __asm__ volatile("" : "+w"(sum##n));
    EACH(START)
    for (long round = 0; round < rounds; round++) { EACH(STEP) }
#undef START
#undef STEP
    return (double)rounds * CHAINS * 4 * 2;
#else
    float sum = (float)thread;
    for (long round = 0; round < rounds; round++) {
        sum = sum * 0.999f + 0.999f;
        __asm__ volatile("" : "+x"(sum));
    }
    return (double)rounds * 2;
#endif
}

#if defined(__AMX_INT8__)
static int tiles_allowed(void) { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

static double multiply_tiles(void) {
    const long rounds = 2000000;
    // Palette 1; sixteen rows of 64 bytes in each of the eight tiles.
    static const struct __attribute__((aligned(64))) {
        uint8_t palette, start, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } shape = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    // Not the intrinsic: some versions of GCC drop most of what it reads.
    __asm__ volatile("ldtilecfg %0" : : "m"(shape));
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
    for (long round = 0; round < rounds; round++) {
        _tile_dpbssd(0, 4, 6);
        _tile_dpbssd(1, 4, 7);
        _tile_dpbssd(2, 5, 6);
        _tile_dpbssd(3, 5, 7);
    }
    _tile_release();
    return (double)rounds * 4 * 16 * 16 * 64 * 2;
}
#endif

static double multiply_int8(int thread) {
    const long rounds = 4000000;
    (void)thread;
#if defined(__AMX_INT8__)
    if (tiles_allowed()) {
        int8_name = "AMX";
        return multiply_tiles();
    }
#endif
#if defined(__AVX512VNNI__)
    int8_name = "AVX-512 VNNI";
    __m512i factor = _mm512_set1_epi8(3);
#define START(n) __m512i sum##n = _mm512_set1_epi32(n);
#define STEP(n) sum##n = _mm512_dpbusd_epi32(sum##n, factor, factor); __asm__ volatile("" : "+v"(sum##n));
    EACH(START)
    for (long round = 0; round < rounds; round++) { EACH(STEP) }
#undef START
#undef STEP
    return (double)rounds * CHAINS * 64 * 2;
#elif defined(__AVX2__)
    // Four products of 7 by 8 bits fit into 16 bits before they are widened.
    int8_name = "AVX2";
    __m256i left = _mm256_set1_epi8(3), right = _mm256_set1_epi8(5), ones = _mm256_set1_epi16(1);
#define START(n) __m256i sum##n = _mm256_set1_epi32(n);
#define PRODUCT _mm256_maddubs_epi16(left, right)
#define STEP(n) \
    { \
        __m256i narrow = PRODUCT; \
        __asm__ volatile("" : "+x"(right)); \
        narrow = _mm256_add_epi16(narrow, PRODUCT); \
        __asm__ volatile("" : "+x"(right)); \
        narrow = _mm256_add_epi16(narrow, PRODUCT); \
        __asm__ volatile("" : "+x"(right)); \
        narrow = _mm256_add_epi16(narrow, PRODUCT); \
        sum##n = _mm256_add_epi32(sum##n, _mm256_madd_epi16(narrow, ones)); \
        __asm__ volatile("" : "+x"(sum##n), "+x"(right)); \
    }
    EACH(START)
    for (long round = 0; round < rounds; round++) { EACH(STEP) }
#undef START
#undef STEP
    return (double)rounds * CHAINS * 4 * 32 * 2;
#elif defined(__ARM_FEATURE_MATMUL_INT8)
    int8_name = "i8mm";
    int8x16_t factor = vdupq_n_s8(3);
#define START(n) int32x4_t sum##n = vdupq_n_s32(n);
#define STEP(n) sum##n = vmmlaq_s32(sum##n, factor, factor); __asm__ volatile("" : "+w"(sum##n));
    EACH(START)
    for (long round = 0; round < rounds; round++) { EACH(STEP) }
#undef START
#undef STEP
    return (double)rounds * CHAINS * 32 * 2;
#elif defined(__ARM_FEATURE_DOTPROD)
    int8_name = "dotprod";
    int8x16_t factor = vdupq_n_s8(3);
#define START(n) int32x4_t sum##n = vdupq_n_s32(n);
#define STEP(n) sum##n = vdotq_s32(sum##n, factor, factor); __asm__ volatile("" : "+w"(sum##n));
    EACH(START)
    for (long round = 0; round < rounds; round++) { EACH(STEP) }
#undef START
#undef STEP
    return (double)rounds * CHAINS * 16 * 2;
#else
    int sum = thread;
    for (long round = 0; round < rounds; round++) {
        sum = sum * 3 + 1;
        __asm__ volatile("" : "+r"(sum));
    }
    return (double)rounds * 2;
#endif
}

struct task {
    double (*work)(int);
    int thread;
    double done, start, end;
};
static pthread_barrier_t together;

static void *run_task(void *argument) {
    struct task *task = argument;
    pthread_barrier_wait(&together);
    task->start = now();
    task->done = task->work(task->thread);
    task->end = now();
    return 0;
}

// 10^9 units a second of all threads together.
static double best(double (*work)(int)) {
    double most = 0;
    for (int run = 0; run < RUNS; run++) {
        pthread_t handles[LARGEST];
        struct task tasks[LARGEST];
        pthread_barrier_init(&together, 0, (unsigned)threads);
        for (int i = 0; i < threads; i++) {
            tasks[i] = (struct task){work, i, 0, 0, 0};
            if (pthread_create(&handles[i], 0, run_task, &tasks[i])) exit(1);
        }
        double done = 0, start = 1e300, end = 0;
        for (int i = 0; i < threads; i++) {
            pthread_join(handles[i], 0);
            done += tasks[i].done;
            if (tasks[i].start < start) start = tasks[i].start;
            if (tasks[i].end > end) end = tasks[i].end;
        }
        const double rate = done / (end - start) / 1e9;
        if (rate > most) most = rate;
        pthread_barrier_destroy(&together);
    }
    return most;
}

int main(int count, char **arguments) {
    threads = count > 1 ? atoi(arguments[1]) : (int)sysconf(_SC_NPROCESSORS_ONLN);
    if (threads < 1 || threads > LARGEST) return 1;
    if (posix_memalign((void **)&memory, 1 << 21, BYTES)) return 1;
    memset(memory, 1, BYTES);
    const double bytes = best(read_memory), f32 = best(multiply_f32), int8 = best(multiply_int8);
    printf("{\"threads\": %d, \"read_gbs\": %.2f, \"f32_gops\": %.1f, \"f32\": \"%s\", \"int8_gops\": %.1f, \"int8\": \"%s\"}\n",
           threads, bytes, f32, f32_name, int8, int8_name);
    return 0;
}
