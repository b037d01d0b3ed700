// dq_rng's rare branches, by checksums of long runs recorded from NumPy 2.4, and the construction of the
// ziggurat.
#include "support.h"

#include "base/file.h"
#include "base/rng_inline.h"
#include "base/rng_ziggurat.h"

#include <math.h>
#include <string.h>

// A million normals reach every strip, the rejections and the tail.
static void test_normals(void **state) {
    (void)state;
    dq_rng rng;
    dq_rng_seed(&rng, 7);
    uint32_t crc = 0;
    double largest = 0;
    for (int i = 0; i < 1000000; i++) {
        double x = dq_rng_normal(&rng);
        crc = dq_crc32(crc, &x, sizeof x);
        largest = fmax(largest, fabs(x));
    }
    assert_int_equal(crc, 0x6b492e1a);
    assert_true(largest == 4.947871460149176);
}

static void test_integers(void **state) {
    (void)state;
    static const struct {
        int64_t low, high;
        uint32_t crc; // of default_rng(11).integers(low, high, 2000)
        double next;  // and the random() after it
    } cases[] = {
        {0, 1, 0x577ce78d, 0.12857020276919962},
        {5, 6, 0x44bdf4aa, 0.12857020276919962},
        {0, 4294967295, 0xba1b023b, 0.8336328449338057},
        {0, 4294967296, 0xd7e470f8, 0.8336328449338057},
        {0, 4294967297, 0xf8003b85, 0.3692445748937062},
        {0, 6442450944, 0xc913f39d, 0.3692445748937062},
        {INT64_MIN, INT64_MAX, 0x3d538105, 0.3692445748937062},
        {0, INT64_MAX, 0xe25c6ee7, 0.3692445748937062},
        {0, 6917529027641081856, 0x94a18561, 0.5688325474805086},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dq_rng rng;
        dq_rng_seed(&rng, 11);
        uint32_t crc = 0;
        for (int j = 0; j < 2000; j++) {
            int64_t x = dq_rng_integers(&rng, cases[i].low, cases[i].high);
            assert_true(x >= cases[i].low && x < cases[i].high);
            crc = dq_crc32(crc, &x, sizeof x);
        }
        assert_int_equal(crc, cases[i].crc);
        assert_true(dq_rng_random(&rng) == cases[i].next);
    }
}

// The inline core and the exported functions are the same stream.
static void test_inline(void **state) {
    (void)state;
    dq_rng a, b;
    dq_rng_seed(&a, 3);
    b = a;
    for (int i = 0; i < 10000; i++) {
        int64_t high = (int64_t)1 << i % 60;
        assert_true(dq_rng_next32(&a) == dq_rng_next32_inline(&b));
        assert_true(dq_rng_random(&a) == dq_rng_random_inline(&b));
        assert_true(dq_rng_integers(&a, -high, high) == dq_rng_integers_inline(&b, -high, high));
        assert_true(dq_rng_uniform(&a, -1, 5) == dq_rng_uniform_inline(&b, -1, 5));
        assert_true(dq_rng_next64(&a) == dq_rng_next64_inline(&b));
    }
    assert_memory_equal(&a, &b, sizeof a);
}

static void test_children_differ(void **state) {
    (void)state;
    dq_rng streams[4];
    dq_rng_seed(&streams[0], 0);
    dq_rng_seed_child(&streams[1], 0, (const uint32_t[]){0}, 1);
    dq_rng_seed_child(&streams[2], 0, (const uint32_t[]){1}, 1);
    dq_rng_seed_child(&streams[3], 0, (const uint32_t[]){0, 0}, 2);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++) assert_memory_not_equal(&streams[i], &streams[j], sizeof(dq_rng));
}

// The tables are the published construction: equal areas under exp(-x^2/2), to the last few bits.
static void test_ziggurat(void **state) {
    (void)state;
    const double r = DQ_ZIGGURAT_TAIL, two52 = 0x1p52;
    double f_r = exp(-0.5 * r * r);
    double area = r * f_r + sqrt(acos(-1) / 2) * erfc(r / sqrt(2));
    assert_true(fabs(DQ_ZIGGURAT_TAIL_INVERSE * r - 1) < 1e-15);
    double outer = area / f_r; // the base strip's width, tail included
    assert_true(fabs(dq_ziggurat_width[0] * two52 / outer - 1) < 1e-12);
    assert_true(fabs((double)dq_ziggurat_inside[0] / two52 - r / outer) < 1e-12);
    assert_int_equal(dq_ziggurat_inside[1], 0);
    for (int i = 255; i >= 1; i--) {
        double x = dq_ziggurat_width[i] * two52;
        assert_true(fabs(dq_ziggurat_density[i] / exp(-0.5 * x * x) - 1) < 1e-14);
        if (i == 255) assert_true(fabs(x / r - 1) < 1e-15);
        double above = dq_ziggurat_density[i] + area / x; // density of the strip above
        if (i == 1) {
            assert_true(fabs(above - 1) < 1e-12);
            break;
        }
        double inner = sqrt(-2 * log(above));
        assert_true(fabs(dq_ziggurat_width[i - 1] * two52 / inner - 1) < 1e-11);
        assert_true(fabs((double)dq_ziggurat_inside[i] / two52 - inner / x) < 1e-11);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normals),  cmocka_unit_test(test_integers),
        cmocka_unit_test(test_inline),   cmocka_unit_test(test_children_differ),
        cmocka_unit_test(test_ziggurat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
