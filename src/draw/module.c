// Modules: finds deepq-NAME.so and loads it.
#include "draw/module.h"

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

dq_status dq_module_load(const char *name, const char *symbol, const char *what, const char *instead,
                         const void **out, dq_error *error) {
    char program[2048] = "", paths[3][4096];
    *out = NULL;
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    const char *named = getenv("DEEPQ_MODULES"), *beside = dirname(program);
    snprintf(paths[0], sizeof paths[0], "%s/deepq-%s.so", named ? named : "", name);
    snprintf(paths[1], sizeof paths[1], "%s/deepq-%s.so", beside, name);
    snprintf(paths[2], sizeof paths[2], "%s/" DEEPQ_MODULE_FOLDER "/deepq-%s.so", beside, name);
    for (int i = named && *named ? 0 : 1; i < 3; i++) {
        if (access(paths[i], R_OK)) continue;
        void *module = dlopen(paths[i], RTLD_NOW | RTLD_LOCAL);
        if (!module)
            return dq_fail(error, DQ_UNSUPPORTED, what,
                           "deepq-%s.so needs a library that is not here (%s); %s", name, dlerror(), instead);
        *out = dlsym(module, symbol);
        if (*out) return DQ_OK;
        return dq_fail(error, DQ_UNSUPPORTED, paths[i], "this module does not belong to this program; %s",
                       instead);
    }
    return dq_fail(error, DQ_UNSUPPORTED, what,
                   "this needs deepq-%s.so, which was not built or not installed; %s", name, instead);
}
