// A warm training step allocates nothing: 1,000 steps, metrics rows and episodes' ends included.
//
// The allocators are replaced in this program by counting ones; sanitizers bring their own, so that the test
// reports itself skipped under them.
#include "run_support.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__GLIBC__)
int main(void) {
    return TEST_SKIPPED;
}
#else

static _Atomic bool counting;
static _Atomic int64_t allocations;

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    allocations += counting;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocations += counting;
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    allocations += counting;
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    allocations += counting;
    return __libc_memalign(alignment, size);
}

enum { WARM = 1000, COUNTED = 1000 };

static void count(void *user, const dq_run *run, const dq_metrics *metrics) {
    (void)run;
    int64_t *updates = user; // gradient steps at the start and at the end of the counting
    if (metrics->step == WARM) {
        updates[0] = metrics->updates;
        counting = true;
    }
    if (metrics->step == WARM + COUNTED) {
        counting = false;
        updates[1] = metrics->updates;
    }
}

static void train(const char *const *words) {
    dq_error error;
    dq_run *run;
    dq_run_config config = test_run_config(words);
    config.total_steps = WARM + COUNTED + 100;
    config.metrics_every_steps = 10;
    const char *folder = test_folder();
    int64_t updates[2] = {0, 0};
    test_ok(dq_run_create(&run, &config, folder, &error), &error);
    dq_run_on_progress(run, count, updates);
    allocations = 0;
    test_ok(dq_run_train(run, &error), &error);
    assert_int_equal(updates[1] - updates[0], COUNTED);
    assert_int_equal(allocations, 0);
    dq_run_destroy(run);
    test_remove_folder(folder);
}

static void the_default_agent(void **state) {
    (void)state;
    train(NULL);
}

static void many_parts_at_once(void **state) {
    (void)state;
    train((const char *[]){"sampler=prioritized", "n_step=3", "backup=double", "target_update=soft",
                           "optimizer=adamw", "amsgrad=true", "clip_value=1", "max_grad_norm=5",
                           "eval_every_steps=100", "eval_episodes=2", NULL});
    train((const char *[]){"head=c51", "backup=munchausen", "normalization=layer", NULL});
    train((const char *[]){"head=qr", "replacement=false", "normalization=batch", "optimizer=rmsprop",
                           "loss=huber", NULL});
    train((const char *[]){"head=iqn", "noisy=all", "explorer=noisy", "dueling=true", NULL});
    train((const char *[]){"rollout=10", "gradient_steps=10", "batch_size=8", "target_update=none",
                           "optimizer=radam", NULL});
}

static void the_counter_counts(void **state) {
    (void)state;
    allocations = 0;
    counting = true;
    void *volatile memory = malloc(10);
    counting = false;
    free(memory);
    assert_int_equal(allocations, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_counter_counts),
        cmocka_unit_test(the_default_agent),
        cmocka_unit_test(many_parts_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
