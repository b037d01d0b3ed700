// Chooses the kernels once per process: C references first, then what the processor has, level by level.
//
// DQ_CPU=ref|avx2|avx512 masks downwards: a level the processor lacks gives the highest one below it. Any
// other value is ignored, with a warning to the log.
#include "kernel/kernel.h"

#include <deepq/net.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_names[DQ_CPU_LEVELS] = {"ref", "avx2", "avx512"};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static dq_kernels tables[DQ_CPU_LEVELS];
static dq_cpu_level highest; // of this processor
static dq_cpu_level chosen;

static dq_cpu_level detect(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return DQ_CPU_REF;
    return __builtin_cpu_supports("avx512f") ? DQ_CPU_AVX512 : DQ_CPU_AVX2;
#else
    return DQ_CPU_REF;
#endif
}

static dq_cpu_level allowed(const char *text) {
    if (!text || !*text) return DQ_CPU_LEVELS - 1;
    for (int level = 0; level < DQ_CPU_LEVELS; level++)
        if (strcmp(text, level_names[level]) == 0) return (dq_cpu_level)level;
    dq_log(DQ_LOG_WARNING, "DQ_CPU=%s is not a CPU level and is ignored; known: ref, avx2, avx512", text);
    return DQ_CPU_LEVELS - 1;
}

static void choose(void) {
    highest = detect();
    for (int level = 0; level <= (int)highest; level++) {
        dq_kernels *table = &tables[level];
        dq_kernels_ref(table);
#if defined(__x86_64__)
        if (level >= DQ_CPU_AVX2) dq_kernels_avx2(table);
        if (level >= DQ_CPU_AVX512) dq_kernels_avx512(table);
#endif
        table->name = level_names[level];
    }
    dq_cpu_level limit = allowed(getenv("DQ_CPU"));
    chosen = limit < highest ? limit : highest;
}

const dq_kernels *dq_kernels_get(void) {
    pthread_once(&once, choose);
    return &tables[chosen];
}

const dq_kernels *dq_kernels_at(dq_cpu_level level) {
    pthread_once(&once, choose);
    return level <= highest ? &tables[level] : NULL;
}

const char *dq_cpu_level_name(void) {
    return dq_kernels_get()->name;
}
