// Modules: finds deepq-NAME.so and loads it.
#include "base/module.h"

#include <dlfcn.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// From the program's folder to where modules are installed.
#ifndef DEEPQ_MODULE_FOLDER
#define DEEPQ_MODULE_FOLDER "../lib/deepq"
#endif

bool dq_module_find(const char *name, char path[4096]) {
    char program[2048] = "";
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    const char *named = getenv("DEEPQ_MODULES"), *beside = dirname(program);
    if (named && *named && snprintf(path, 4096, "%s/%s", named, name) < 4096 && !access(path, R_OK))
        return true;
    snprintf(path, 4096, "%s/%s", beside, name);
    if (!access(path, R_OK)) return true;
    snprintf(path, 4096, "%s/" DEEPQ_MODULE_FOLDER "/%s", beside, name);
    return !access(path, R_OK);
}

dq_status dq_module_load(const char *name, const char *symbol, const char *what, const char *instead,
                         const void **out, dq_error *error) {
    char file[256], path[4096];
    *out = NULL;
    snprintf(file, sizeof file, "deepq-%s.so", name);
    if (!dq_module_find(file, path))
        return dq_fail(error, DQ_UNSUPPORTED, what, "this needs %s, which was not built or not installed; %s",
                       file, instead);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!module)
        return dq_fail(error, DQ_UNSUPPORTED, what, "%s needs a library that is not here (%s); %s", file,
                       dlerror(), instead);
    *out = dlsym(module, symbol);
    if (*out) return DQ_OK;
    return dq_fail(error, DQ_UNSUPPORTED, path, "this module does not belong to this program; %s", instead);
}
