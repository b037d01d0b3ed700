// Modules: parts of the program that need large libraries and are loaded when they are asked for.
//
// A module is the shared object deepq-NAME.so, found in $DEEPQ_MODULES, beside the program, or where
// cmake --install puts it. A program without it, or a machine without its libraries, does all the rest.
#ifndef DQ_BASE_MODULE_H
#define DQ_BASE_MODULE_H

#include <deepq/base.h>

// The address of `symbol` in the module, which stays loaded. Failing, the sentence is about `what`
// and ends in `instead`, what one could do. Any thread.
dq_status dq_module_load(const char *name, const char *symbol, const char *what, const char *instead,
                         const void **out, dq_error *error);

// Where among the modules the file `name` is. False: nowhere.
bool dq_module_find(const char *name, char path[4096]);

#endif
