// Runs one fuzz target without a fuzzer: every seed, every prefix of the small ones, then fixed mutations.
//
// usage: fuzz_NAME CORPUS-FOLDER MUTATIONS, or fuzz_NAME FILE to look at one finding.
#include "replay.h"

#include <deepq/rng.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SEEDS_MAX  200
#define PREFIX_MAX 4096 // seeds up to this size are also cut at every byte
#define INPUT_MAX  65536

struct input {
    unsigned char *bytes;
    size_t size;
};

// In memory of exactly its size, so that a sanitizer sees a read behind the end.
static void try_input(const unsigned char *bytes, size_t size) {
    unsigned char *exact = malloc(size ? size : 1);
    if (size) memcpy(exact, bytes, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static struct input read_input(const char *path) {
    struct input input = {0};
    FILE *file = fopen(path, "rb");
    if (!file) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    input.bytes = malloc(INPUT_MAX);
    input.size = fread(input.bytes, 1, INPUT_MAX, file);
    fclose(file);
    return input;
}

static int by_name(const void *a, const void *b) {
    return strcmp(a, b);
}

static int read_seeds(const char *folder, struct input *seeds) {
    char names[SEEDS_MAX][256];
    int count = 0;
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && count < SEEDS_MAX && (entry = readdir(open));)
        if (entry->d_name[0] != '.') snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
    if (open) closedir(open);
    qsort(names, (size_t)count, sizeof names[0], by_name); // the mutations depend on the order
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%.3800s/%.255s", folder, names[i]);
        seeds[i] = read_input(path);
    }
    return count;
}

static size_t below(dq_rng *rng, size_t limit) {
    return (size_t)dq_rng_integers(rng, 0, (int64_t)limit);
}

// One small change in place. bytes has room for INPUT_MAX.
static size_t mutate(dq_rng *rng, unsigned char *bytes, size_t size, const struct input *other) {
    static const unsigned char odd[] = {0,   1,   0x7f, 0x80, 0xff, '"', '\'', '\\', '[', ']', '{', '}',
                                        ':', ',', '\n', '#',  '-',  '.', '0',  '9',  'e', ' ', '(', ')'};
    if (size == 0) {
        bytes[0] = odd[below(rng, sizeof odd)];
        return 1;
    }
    size_t at = below(rng, size), length = 1 + below(rng, 16);
    switch (below(rng, 7)) {
    case 0:
        bytes[at] ^= (unsigned char)(1u << below(rng, 8));
        return size;
    case 1:
        bytes[at] = odd[below(rng, sizeof odd)];
        return size;
    case 2:
        bytes[at] = (unsigned char)below(rng, 256);
        return size;
    case 3: // take out
        if (length > size - at) length = size - at;
        memmove(bytes + at, bytes + at + length, size - at - length);
        return size - length;
    case 4: // insert or repeat
        if (size + length > INPUT_MAX) return size;
        memmove(bytes + at + length, bytes + at, size - at);
        if (below(rng, 2)) memset(bytes + at, odd[below(rng, sizeof odd)], length);
        return size + length;
    case 5: { // a piece of another seed
        if (other->size == 0) return size;
        size_t from = below(rng, other->size);
        length = 1 + below(rng, 64);
        if (length > other->size - from) length = other->size - from;
        if (length > size - at) length = size - at;
        memcpy(bytes + at, other->bytes + from, length);
        return size;
    }
    default:
        return at; // cut
    }
}

int main(int argc, char **argv) {
    static struct input seeds[SEEDS_MAX];
    struct stat about;
    if (argc < 2 || stat(argv[1], &about) != 0) {
        fprintf(stderr, "usage: %s CORPUS-FOLDER [MUTATIONS] | FILE\n", argv[0]);
        return 2;
    }
    if (!S_ISDIR(about.st_mode)) {
        struct input one = read_input(argv[1]);
        try_input(one.bytes, one.size);
        free(one.bytes);
        return 0;
    }
    int count = read_seeds(argv[1], seeds);
    if (count == 0) {
        fprintf(stderr, "%s holds no seeds\n", argv[1]);
        return 2;
    }
    long runs = 0, mutations = argc > 2 ? atol(argv[2]) : 1000;
    for (int i = 0; i < count; i++) {
        size_t first = seeds[i].size <= PREFIX_MAX ? 0 : seeds[i].size;
        for (size_t cut = first; cut <= seeds[i].size; cut++, runs++) try_input(seeds[i].bytes, cut);
    }
    dq_rng rng;
    dq_rng_seed(&rng, 0);
    unsigned char *bytes = malloc(INPUT_MAX);
    for (long i = 0; i < mutations; i++, runs++) {
        const struct input *seed = &seeds[i % count];
        size_t size = seed->size, changes = 1 + below(&rng, 4);
        memcpy(bytes, seed->bytes, size);
        for (size_t j = 0; j < changes; j++)
            size = mutate(&rng, bytes, size, &seeds[below(&rng, (size_t)count)]);
        try_input(bytes, size);
    }
    printf("%ld inputs\n", runs);
    free(bytes);
    for (int i = 0; i < count; i++) free(seeds[i].bytes);
    return 0;
}
