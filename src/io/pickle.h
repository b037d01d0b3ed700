// Python's pickles, read into plain values. Nothing is called, imported or executed: a class is a pair of
// names, an object its class, arguments and state.
//
// Source: CPython's pickletools and the list of opcodes that torch's restricted unpickler takes, with the
// few more that protocol 4 writes for the same things.
#ifndef DQ_IO_PICKLE_H
#define DQ_IO_PICKLE_H

#include <deepq/base.h>

typedef enum dq_pickle_type {
    DQ_PICKLE_NONE, // and what is of no use here, such as whole numbers beyond 64 bits
    DQ_PICKLE_BOOL,
    DQ_PICKLE_INT,
    DQ_PICKLE_REAL,
    DQ_PICKLE_TEXT,   // str, bytes
    DQ_PICKLE_TUPLE,  // items
    DQ_PICKLE_LIST,   // items; sets too
    DQ_PICKLE_DICT,   // items: key, value, key, value, ...
    DQ_PICKLE_GLOBAL, // text: "module name"
    DQ_PICKLE_OBJECT, // made by calling `maker` on `arguments`; then items as of a list or dict, and `state`
    DQ_PICKLE_PERSISTENT, // arguments: the persistent id
} dq_pickle_type;

// Values may be shared and may contain themselves: walk them with a bound.
typedef struct dq_pickle_value dq_pickle_value;
struct dq_pickle_value {
    dq_pickle_type type;
    int64_t integer; // BOOL and INT
    double real;
    const char *text; // zero-terminated, and [size] bytes
    size_t size;
    dq_pickle_value **items;
    size_t count, room;
    const dq_pickle_value *maker, *arguments, *state; // arguments and state may be NULL
};

// What a pickle may do with the class or function `module name`.
typedef enum dq_pickle_right {
    DQ_PICKLE_REFUSED,  // it must not even be named
    DQ_PICKLE_INERT,    // objects of this class may be there (NEWOBJ)
    DQ_PICKLE_CALLABLE, // calls of it may be there too (REDUCE)
} dq_pickle_right;
typedef dq_pickle_right dq_pickle_right_fn(const char *module, const char *name);

typedef struct dq_pickle {
    const dq_pickle_value *root;
    void *memory; // owns all values
} dq_pickle;

// Reads one pickle. What it asks to call without the right to is refused with a sentence. The memory taken
// stays within some hundred times `size`. On failure *pickle is empty.
dq_status dq_pickle_parse(dq_pickle *pickle, const void *bytes, size_t size, dq_pickle_right_fn *right,
                          const char *where, dq_error *error);
void dq_pickle_deinit(dq_pickle *pickle); // a zeroed one is fine

// Is it the global "module name"?
bool dq_pickle_is_global(const dq_pickle_value *value, const char *text);

#endif
