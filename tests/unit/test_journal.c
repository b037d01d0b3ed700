// The journal: what is written reads back, what Optuna passes over is passed over, the lock and the line of a
// killed writer, and what processes may do to each other's trials.
#include "support.h"
#include "tune/journal.h"
#include "tune/json.h"
#include "tune/storage_lock.h"
#include "tune/worker.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/deepq-journal-XXXXXX", path[64];

static int make_folder(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/j.log", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    return rmdir(folder);
}

static int remove_journal(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static dq_storage *open_it(dq_study **study) {
    dq_error error = {0};
    dq_storage *storage = NULL;
    test_ok(dq_storage_open(&storage, path, true, &error), &error);
    test_ok(dq_storage_make(storage, "s", (dq_direction[]){DQ_MAXIMIZE}, 1, study, &error), &error);
    return storage;
}

static void add_text(const char *text) {
    FILE *file = fopen(path, "a");
    fputs(text, file);
    fclose(file);
}

static const dq_distribution rate = {.kind = DQ_FLOAT, .low = 1e-5, .high = 1, .log = true};
static const dq_distribution width = {.kind = DQ_INTEGER, .low = 1, .high = 9, .step = 2};
static const dq_distribution kinds = {.kind = DQ_CATEGORICAL,
                                      .high = 2,
                                      .step = 1,
                                      .choices = (const char *[]){"\"a\\\"\xC3\xA4\"", "true", "0.5"},
                                      .choice_count = 3};

static void what_is_written_reads_back(void **state) {
    (void)state;
    dq_error error = {0};
    dq_study *study, *again;
    dq_trial *trial, wanted = {.state = DQ_TRIAL_RUNNING};
    dq_storage *storage = open_it(&study);
    test_ok(dq_trial_set_param(study, &wanted, "rate", &rate, 0.1 + 0.2, &error), &error);
    test_ok(dq_trial_set_param(study, &wanted, "width", &width, 7, &error), &error);
    test_ok(dq_attributes_set(&wanted.system, "note", "{\"a\":[1,2.5,null]}", &error), &error);
    test_ok(dq_storage_add(storage, study, &wanted, 0, &trial, &error), &error);
    const dq_trial_param kind = {"kind", &kinds, 0};
    const double value = -INFINITY, odd[] = {NAN, INFINITY, -INFINITY, 1e300, 5, -0.1};
    dq_change changes[9] = {{.kind = DQ_CHANGE_PARAM, .trial = trial, .param = &kind},
                            {.kind = DQ_CHANGE_USER, .trial = trial, .key = "t\xC3\xA4", .json = "\"\\n\""}};
    for (int i = 0; i < 6; i++)
        changes[2 + i] =
            (dq_change){.kind = DQ_CHANGE_INTERMEDIATE, .trial = trial, .step = i - 2, .value = odd[i]};
    changes[8] = (dq_change){.kind = DQ_CHANGE_STATE,
                             .trial = trial,
                             .state = DQ_TRIAL_COMPLETE,
                             .values = &value,
                             .value_count = 1};
    test_ok(dq_storage_write(storage, study, changes, 9, &error), &error);
    test_ok(dq_storage_write(storage, study,
                             &(dq_change){.kind = DQ_CHANGE_SYSTEM, .key = "all", .json = "[]"}, 1, &error),
            &error);
    dq_trial_deinit(&wanted);

    dq_storage *reader = NULL;
    test_ok(dq_storage_open(&reader, path, false, &error), &error);
    test_ok(dq_storage_find(reader, "s", &again, &error), &error);
    assert_int_equal(again->trial_count, 1);
    assert_string_equal(dq_attributes_find(&again->system, "all"), "[]");
    const dq_trial *t = again->trials[0];
    assert_int_equal(t->state, DQ_TRIAL_COMPLETE);
    assert_true(isinf(t->values[0]) && t->values[0] < 0);
    assert_true(dq_trial_find_param(t, "rate")->value == 0.1 + 0.2);
    assert_true(dq_distribution_equal(dq_trial_find_param(t, "width")->distribution, &width));
    const dq_trial_param *read_kind = dq_trial_find_param(t, "kind");
    assert_true(dq_distribution_equal(read_kind->distribution, &kinds));
    assert_int_equal(t->intermediate_count, 6);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(t->intermediates[i].step, i - 2);
        if (isnan(odd[i]))
            assert_true(isnan(t->intermediates[i].value));
        else
            assert_true(t->intermediates[i].value == odd[i]);
    }
    assert_string_equal(dq_attributes_find(&t->system, "note"), "{\"a\":[1,2.5,null]}");
    assert_string_equal(dq_attributes_find(&t->user, "t\xC3\xA4"), "\"\\n\"");
    assert_true(t->started != DQ_NO_TIME && t->completed >= t->started);
    assert_true(llabs(dq_time_now() - t->started) < 60 * 1000000LL);
    dq_storage_close(reader);
    dq_storage_close(storage);
}

// Records that Optuna's replay passes over, each followed by what must hold.
static void what_optuna_passes_over(void **state) {
    (void)state;
    static const char text[] =
        "{\"op_code\":0,\"worker_id\":\"w\",\"study_name\":\"gone\",\"directions\":[1]}\n"
        "{\"op_code\":0,\"worker_id\":\"w\",\"study_name\":\"gone\",\"directions\":[2]}\n" // taken: no
                                                                                           // new id
        "{\"op_code\":4,\"worker_id\":\"w\",\"study_id\":0,\"datetime_start\":null}\n"
        "{\"op_code\":1,\"worker_id\":\"w\",\"study_id\":0}\n"
        "{\"op_code\":4,\"worker_id\":\"w\",\"study_id\":0,\"datetime_start\":null}\n"     // no study: no id
        "{\"op_code\":0,\"worker_id\":\"w\",\"study_name\":\"gone\",\"directions\":[2]}\n" // id 1
        "{\"op_code\":4,\"worker_id\":\"w\",\"study_id\":1,\"datetime_start\":\"2026-11-21T10:00:00."
        "000001+00:00\"}\n"
        "{\"op_code\":5,\"worker_id\":\"w\",\"trial_id\":1,\"param_name\":\"x\",\"param_value_internal\":"
        "1,"
        "\"distribution\":\"{\\\"name\\\":\\\"IntUniformDistribution\\\",\\\"attributes\\\":{\\\"low\\\":"
        "1,"
        "\\\"high\\\":5,\\\"step\\\":2}}\"}\n"
        "{\"op_code\":4,\"worker_id\":\"w\",\"study_id\":1,\"datetime_start\":\"2026-11-21T10:00:00\"}\n"
        "{\"op_code\":5,\"worker_id\":\"w\",\"trial_id\":2,\"param_name\":\"x\",\"param_value_internal\":"
        "1.0," // other kind
        "\"distribution\":\"{\\\"name\\\":\\\"FloatDistribution\\\",\\\"attributes\\\":{\\\"low\\\":1,"
        "\\\"high\\\":5,"
        "\\\"step\\\":null,\\\"log\\\":false}}\"}\n"
        "{\"op_code\":6,\"worker_id\":\"w\",\"trial_id\":1,\"state\":1,\"values\":[NaN],\"datetime_"
        "complete\":null}\n"
        "{\"op_code\":6,\"worker_id\":\"w\",\"trial_id\":1,\"state\":3,\"values\":null,\"datetime_"
        "complete\":null}\n"
        "{\"op_code\":7,\"worker_id\":\"w\",\"trial_id\":1,\"step\":0,\"intermediate_value\":1}\n"
        "{\"op_code\":7,\"worker_id\":\"w\",\"trial_id\":77,\"step\":0,\"intermediate_value\":1}\n"
        "{\"op_code\":10,\"worker_id\":\"w\",\"trial_ids\":[1]}\n"
        "{\"op_code\":7,\"worker_id\":\"w\",\"tri";
    dq_journal journal = {0};
    dq_error error = {0};
    size_t used;
    test_ok(dq_journal_read(&journal, text, sizeof text - 1, &used, "text", &error), &error);
    assert_int_equal(text[used - 1], '\n');
    assert_int_equal(journal.study_count, 2);
    assert_int_equal(journal.trial_count, 3);
    const dq_study *study = dq_journal_find(&journal, "gone");
    assert_int_equal(study->id, 1);
    assert_int_equal(study->directions[0], DQ_MAXIMIZE);
    assert_int_equal(study->trial_count, 2);
    const dq_trial *first = study->trials[0];
    assert_int_equal(first->id, 1);
    assert_int_equal(first->state, DQ_TRIAL_COMPLETE);
    assert_true(isnan(first->values[0]));
    assert_int_equal(first->intermediate_count, 0);
    assert_true(first->params[0].distribution->step == 2);
    // 10:00 in universal time is 10:00 plus the offset here, where the other one says 10:00 plainly
    assert_true(first->started - dq_time_from_utc(study->trials[1]->started) == 1);
    assert_true(dq_time_to_utc(first->started) - study->trials[1]->started == 1);
    assert_int_equal(study->trials[1]->param_count, 0);
    assert_int_equal(study->trials[1]->state, DQ_TRIAL_RUNNING);
    dq_journal_deinit(&journal);
}

static void a_bad_line_is_named(void **state) {
    (void)state;
    static const char *const bad[] = {
        "nothing\n",
        "{\"op_code\":99}\n",
        "{\"op_code\":0,\"study_name\":\"x\",\"directions\":[7]}\n",
        "{\"op_code\":4,\"study_id\":\"0\"}\n",
        "{\"op_code\":5,\"trial_id\":0,\"param_name\":\"x\",\"param_value_internal\":1,\"distribution\":\"{}"
        "\"}\n",
        "{\"op_code\":6,\"trial_id\":0,\"state\":9}\n",
        "{\"op_code\":6,\"trial_id\":0,\"state\":1,\"values\":[\"1\"]}\n",
        "{\"op_code\":7,\"trial_id\":0,\"step\":1}\n",
        "{\"op_code\":8,\"trial_id\":0,\"user_attr\":3}\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unlink(path);
        dq_study *study;
        dq_trial *trial;
        dq_error error = {0};
        dq_storage *storage = open_it(&study);
        test_ok(dq_storage_add(storage, study, &(dq_trial){.state = DQ_TRIAL_RUNNING}, 0, &trial, &error),
                &error);
        add_text(bad[i]);
        assert_int_equal(dq_storage_sync(storage, study, &error), DQ_FORMAT);
        assert_non_null(strstr(error.where, "j.log:3"));
        assert_true(strlen(error.message) > 20);
        // and nothing is appended behind it
        struct stat before, after;
        stat(path, &before);
        assert_int_not_equal(dq_storage_add(storage, study, &(dq_trial){0}, 0, &trial, &error), DQ_OK);
        stat(path, &after);
        assert_int_equal(before.st_size, after.st_size);
        dq_storage_close(storage);
    }
}

static void the_line_of_a_killed_writer_is_cut_off(void **state) {
    (void)state;
    dq_study *study;
    dq_trial *trial;
    dq_error error = {0};
    dq_storage *storage = open_it(&study);
    add_text("{\"op_code\":4,\"worker_id\":\"w\",\"stu");
    test_ok(dq_storage_sync(storage, study, &error), &error);
    assert_int_equal(study->trial_count, 0);
    test_ok(dq_storage_add(storage, study, &(dq_trial){.state = DQ_TRIAL_RUNNING}, 0, &trial, &error),
            &error);
    dq_storage_close(storage);
    storage = open_it(&study);
    assert_int_equal(study->trial_count, 1);
    dq_storage_close(storage);
}

static void the_limit_holds_between_storages(void **state) {
    (void)state;
    dq_study *mine, *theirs;
    dq_trial *trial;
    dq_error error = {0};
    dq_storage *a = open_it(&mine), *b = open_it(&theirs);
    const dq_trial wanted = {.state = DQ_TRIAL_RUNNING};
    for (int i = 0; i < 5; i++) {
        test_ok(dq_storage_add(i % 2 ? a : b, i % 2 ? mine : theirs, &wanted, 5, &trial, &error), &error);
        assert_int_equal(trial->number, i);
    }
    test_ok(dq_storage_add(a, mine, &wanted, 5, &trial, &error), &error);
    assert_null(trial);
    // one that was given up counts no more, and what replaces it waits to be claimed once
    const dq_trial again = {.state = DQ_TRIAL_WAITING, .started = DQ_NO_TIME};
    test_ok(dq_storage_abandon(a, mine, mine->trials[2], NULL, &error), &error);
    test_ok(dq_storage_abandon(b, theirs, theirs->trials[2], &again, &error), &error); // too late
    test_ok(dq_storage_sync(b, theirs, &error), &error);
    assert_int_equal(theirs->trial_count, 5);
    assert_int_equal(theirs->trials[2]->state, DQ_TRIAL_FAILED);
    test_ok(dq_storage_abandon(b, theirs, theirs->trials[3], &again, &error), &error);
    test_ok(dq_storage_sync(a, mine, &error), &error);
    assert_int_equal(dq_study_counted(mine), 4);
    assert_int_equal(mine->trials[5]->state, DQ_TRIAL_WAITING);
    bool ours;
    dq_change by = {.kind = DQ_CHANGE_USER, .trial = mine->trials[5], .key = "by", .json = "\"a\""};
    test_ok(dq_storage_claim(a, mine, mine->trials[5], &by, &ours, &error), &error);
    assert_true(ours);
    assert_int_equal(theirs->trials[5]->state, DQ_TRIAL_WAITING); // not read yet
    by = (dq_change){.kind = DQ_CHANGE_USER, .trial = theirs->trials[5], .key = "by", .json = "\"b\""};
    test_ok(dq_storage_claim(b, theirs, theirs->trials[5], &by, &ours, &error), &error);
    assert_false(ours);
    assert_string_equal(dq_attributes_find(&theirs->trials[5]->user, "by"), "\"a\""); // came with the claim
    dq_storage_close(a);
    dq_storage_close(b);
}

static void *hold(void *user) {
    (void)user;
    usleep(300000);
    char name[80];
    snprintf(name, sizeof name, "%s.lock", path);
    unlink(name);
    return NULL;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void both_locks_wait_and_break(void **state) {
    (void)state;
    char name[80];
    struct stat about;
    dq_error error = {0};
    snprintf(name, sizeof name, "%s.lock", path);
    add_text("");
    for (int variant = 0; variant < 2; variant++)
        for (int other = 0; other < 2; other++) {
            // held by somebody for a while
            assert_int_equal(other ? symlink(path, name) : close(open(name, O_CREAT | O_EXCL, 0600)), 0);
            pthread_t thread;
            pthread_create(&thread, NULL, hold, NULL);
            dq_journal_lock lock = {.path = path, .fd = -1, .grace = 30, .open_variant = variant};
            double began = seconds();
            test_ok(dq_journal_lock_acquire(&lock, &error), &error);
            assert_true(seconds() - began > 0.2);
            pthread_join(thread, NULL);
            assert_int_equal(lstat(name, &about), 0);
            assert_int_equal(S_ISLNK(about.st_mode), !variant);
            // left behind for good
            lock.grace = 0.4;
            began = seconds();
            test_ok(dq_journal_lock_acquire(&lock, &error), &error);
            assert_true(seconds() - began > 0.3 && seconds() - began < 5);
            test_ok(dq_journal_lock_release(&lock, &error), &error);
            assert_int_equal(lstat(name, &about), -1);
            assert_int_equal(dq_journal_lock_release(&lock, &error), DQ_IO);
        }
}

// A process that dies with the lock keeps nobody of this machine waiting.
static void a_dead_holder_is_known(void **state) {
    (void)state;
    dq_error error = {0};
    char link[PATH_MAX] = "", name[80];
    add_text("");
    snprintf(name, sizeof name, "%s.lock", path);
    for (int variant = 0; variant < 2; variant++) {
        pid_t child = fork();
        if (child == 0) {
            dq_journal_lock lock = {
                .path = path, .fd = open(path, O_RDWR), .grace = 30, .open_variant = variant};
            _exit(dq_journal_lock_acquire(&lock, NULL) != DQ_OK);
        }
        int status;
        waitpid(child, &status, 0);
        assert_int_equal(status, 0);
        if (!variant) { // the link leads to the journal, as Optuna expects
            assert_true(readlink(name, link, sizeof link - 1) > 0);
            struct stat there, here;
            assert_int_equal(stat(link, &there) | stat(path, &here), 0);
            assert_int_equal(there.st_ino, here.st_ino);
        }
        dq_journal_lock lock = {.path = path, .fd = open(path, O_RDWR), .grace = 30};
        const double began = seconds();
        test_ok(dq_journal_lock_acquire(&lock, &error), &error);
        assert_true(seconds() - began < 5);
        test_ok(dq_journal_lock_release(&lock, &error), &error);
        close(lock.fd);
    }
}

static void workers_are_told_apart(void **state) {
    (void)state;
    char self[256], other[300];
    dq_worker_self(self, sizeof self);
    assert_int_equal(dq_worker_look(self), DQ_WORKER_ALIVE);
    snprintf(other, sizeof other, "%s1", self); // the same number, started at another time
    assert_int_equal(dq_worker_look(other), DQ_WORKER_GONE);
    snprintf(other, sizeof other, "x%s", self);
    assert_int_equal(dq_worker_look(other), DQ_WORKER_UNKNOWN);
    assert_int_equal(dq_worker_look(""), DQ_WORKER_UNKNOWN);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dq_worker_self(other, sizeof other);
        _exit(write(ends[1], other, sizeof other) != sizeof other);
    }
    assert_int_equal(read(ends[0], other, sizeof other), sizeof other);
    usleep(100000);
    assert_int_equal(dq_worker_look(other), DQ_WORKER_GONE); // nobody has waited for it yet
    waitpid(child, NULL, 0);
    assert_int_equal(dq_worker_look(other), DQ_WORKER_GONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_written_reads_back, remove_journal),
        cmocka_unit_test(what_optuna_passes_over),
        cmocka_unit_test_teardown(a_bad_line_is_named, remove_journal),
        cmocka_unit_test_teardown(the_line_of_a_killed_writer_is_cut_off, remove_journal),
        cmocka_unit_test_teardown(the_limit_holds_between_storages, remove_journal),
        cmocka_unit_test_teardown(both_locks_wait_and_break, remove_journal),
        cmocka_unit_test_teardown(a_dead_holder_is_known, remove_journal),
        cmocka_unit_test(workers_are_told_apart),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
