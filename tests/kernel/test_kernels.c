// The kernels of the chosen CPU level against the C references, and the choice itself.
#include "check_kernels.h"

#include <deepq/net.h>

static void same_bits_as_reference(void **state) {
    (void)state;
    check_table(dq_kernels_get(), dq_kernels_at(DQ_CPU_REF));
}

static void level_is_masked(void **state) {
    (void)state;
    const char *allowed = getenv("DQ_CPU");
    assert_non_null(dq_kernels_at(DQ_CPU_REF));
    if (allowed && strcmp(allowed, "ref") == 0) assert_string_equal(dq_cpu_level_name(), "ref");
    if (allowed && strcmp(allowed, "avx2") == 0 && dq_kernels_at(DQ_CPU_AVX2))
        assert_string_equal(dq_cpu_level_name(), "avx2");
    assert_string_equal(dq_kernels_get()->name, dq_cpu_level_name());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_as_reference),
        cmocka_unit_test(level_is_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
