// The pickle machine: opcodes push values on a stack, a memo names them. See pickle.h.
//
// Every opcode takes at least one byte and makes at most one value, so that the values are bounded by the
// bytes; a memo index beyond the number of bytes cannot have been written by a pickler and is refused.
#include "io/pickle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_VALUES = 256, NAME_MAX_BYTES = 256 };

// Memory in blocks that live as long as the pickle.
typedef struct block {
    struct block *next;
    max_align_t bytes[];
} block;

typedef struct machine {
    const unsigned char *at, *end;
    size_t size; // of the whole pickle
    dq_pickle_right_fn *right;
    const char *where;
    dq_error *error;
    dq_status status;
    block *blocks;
    dq_pickle_value *spare; // values not used yet
    int spare_count;
    dq_pickle_value **stack;
    size_t height, stack_room;
    size_t *marks; // heights of the stack
    size_t mark_count, mark_room;
    dq_pickle_value **memo;
    size_t memo_room;  // entries of memo
    size_t memo_count; // for MEMOIZE
} machine;

// --- failing and memory
// -------------------------------------------------------------------------------------

static bool refuse(machine *m, const char *format, ...) DQ_PRINTF(2, 3);

static bool refuse(machine *m, const char *format, ...) {
    char sentence[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    m->status = dq_fail(m->error, DQ_FORMAT, m->where, "%s", sentence);
    return false;
}

static bool no_memory(machine *m) {
    m->status = dq_fail(m->error, DQ_MEMORY, m->where, "no memory for the pickle's values");
    return false;
}

static void *take(machine *m, size_t size) {
    block *b = calloc(1, sizeof *b + size);
    if (!b) {
        no_memory(m);
        return NULL;
    }
    b->next = m->blocks;
    m->blocks = b;
    return b->bytes;
}

static void free_blocks(block *b) {
    while (b) {
        block *next = b->next;
        free(b);
        b = next;
    }
}

static dq_pickle_value *new_value(machine *m, dq_pickle_type type) {
    if (m->spare_count == 0) {
        m->spare = take(m, BLOCK_VALUES * sizeof *m->spare);
        if (!m->spare) return NULL;
        m->spare_count = BLOCK_VALUES;
    }
    dq_pickle_value *value = m->spare++;
    m->spare_count--;
    value->type = type;
    return value;
}

// Grows *list to hold `needed` elements.
static bool reserve(machine *m, void **list, size_t *room, size_t needed, size_t element) {
    if (needed <= *room) return true;
    size_t larger = *room ? *room : 64;
    while (larger < needed) larger *= 2;
    void *grown = realloc(*list, larger * element);
    if (!grown) return no_memory(m);
    memset((char *)grown + *room * element, 0, (larger - *room) * element);
    *list = grown;
    *room = larger;
    return true;
}

// --- the stack
// ----------------------------------------------------------------------------------------------

static bool push(machine *m, dq_pickle_value *value) {
    if (!value || !reserve(m, (void **)&m->stack, &m->stack_room, m->height + 1, sizeof *m->stack))
        return false;
    m->stack[m->height++] = value;
    return true;
}

// The value `depth` places below the top, above the last mark; NULL refuses the file.
static dq_pickle_value *peek(machine *m, size_t depth) {
    size_t floor = m->mark_count ? m->marks[m->mark_count - 1] : 0;
    if (m->height - floor > depth) return m->stack[m->height - 1 - depth];
    refuse(m, "the pickle takes a value that it has not made");
    return NULL;
}

static dq_pickle_value *pop(machine *m) {
    dq_pickle_value *value = peek(m, 0);
    if (value) m->height--;
    return value;
}

// Takes the last mark away and tells where the values above it begin.
static bool pop_mark(machine *m, size_t *from) {
    if (m->mark_count == 0) return refuse(m, "the pickle goes back to a mark that it has not set");
    *from = m->marks[--m->mark_count];
    return true;
}

static bool append(machine *m, dq_pickle_value *to, dq_pickle_value *const *values, size_t count) {
    if (to->count + count > to->room) {
        size_t room = to->room ? to->room : 4;
        while (room < to->count + count) room *= 2;
        dq_pickle_value **items = take(m, room * sizeof *items);
        if (!items) return false;
        if (to->count) memcpy(items, to->items, to->count * sizeof *items);
        to->items = items;
        to->room = room;
    }
    if (count) memcpy(to->items + to->count, values, count * sizeof *values);
    to->count += count;
    return true;
}

// A value of `type` whose items are the stack's from `from` on, which leave it.
static bool gather(machine *m, dq_pickle_type type, size_t from) {
    dq_pickle_value *value = new_value(m, type);
    if (!value || !append(m, value, m->stack + from, m->height - from)) return false;
    m->height = from;
    return push(m, value);
}

// Appends the stack's values from `from` on to the list, dict or object below them.
static bool add_items(machine *m, size_t from, bool pairs) {
    size_t count = m->height - from;
    if (pairs && count % 2) return refuse(m, "the pickle sets a key without a value");
    dq_pickle_value *const *values = m->stack + from;
    m->height = from;
    dq_pickle_value *to = peek(m, 0);
    if (!to) return false;
    if (to->type != (pairs ? DQ_PICKLE_DICT : DQ_PICKLE_LIST) && to->type != DQ_PICKLE_OBJECT)
        return refuse(m, "the pickle adds items to a value that holds none");
    return append(m, to, values, count);
}

// --- reading bytes
// ------------------------------------------------------------------------------------------

static const unsigned char *read_bytes(machine *m, size_t count) {
    if ((size_t)(m->end - m->at) < count) {
        refuse(m, "the pickle ends in the middle of a value");
        return NULL;
    }
    const unsigned char *bytes = m->at;
    m->at += count;
    return bytes;
}

static bool read_unsigned(machine *m, int bytes, uint64_t *value) {
    const unsigned char *from = read_bytes(m, (size_t)bytes);
    if (!from) return false;
    *value = 0;
    for (int i = 0; i < bytes; i++) *value |= (uint64_t)from[i] << 8 * i;
    return true;
}

static bool push_integer(machine *m, dq_pickle_type type, int64_t integer) {
    dq_pickle_value *value = new_value(m, type);
    if (value) value->integer = integer;
    return push(m, value);
}

// A little-endian two's complement number of any length.
static bool push_long(machine *m, int length_bytes) {
    uint64_t count, bits = 0;
    if (!read_unsigned(m, length_bytes, &count)) return false;
    const unsigned char *from = read_bytes(m, count);
    if (!from) return false;
    if (count > 8) return push(m, new_value(m, DQ_PICKLE_NONE));
    for (uint64_t i = 0; i < 8; i++) {
        uint64_t byte = i < count ? from[i] : count && from[count - 1] & 0x80 ? 0xff : 0;
        bits |= byte << 8 * i;
    }
    return push_integer(m, DQ_PICKLE_INT, (int64_t)bits);
}

static bool push_real(machine *m) {
    const unsigned char *from = read_bytes(m, 8); // big-endian
    if (!from) return false;
    uint64_t bits = 0;
    for (int i = 0; i < 8; i++) bits = bits << 8 | from[i];
    dq_pickle_value *value = new_value(m, DQ_PICKLE_REAL);
    if (value) memcpy(&value->real, &bits, sizeof bits);
    return push(m, value);
}

static dq_pickle_value *new_text(machine *m, dq_pickle_type type, const void *bytes, size_t size) {
    dq_pickle_value *value = new_value(m, type);
    char *text = value ? take(m, size + 1) : NULL;
    if (!text) return NULL;
    memcpy(text, bytes, size);
    value->text = text;
    value->size = size;
    return value;
}

static bool push_text(machine *m, int length_bytes) {
    uint64_t size;
    if (!read_unsigned(m, length_bytes, &size)) return false;
    const unsigned char *bytes = read_bytes(m, size);
    return bytes && push(m, new_text(m, DQ_PICKLE_TEXT, bytes, size));
}

// --- classes and objects
// ------------------------------------------------------------------------------------

static bool plain_name(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~') return false;
    return size > 0 && size < NAME_MAX_BYTES;
}

static bool push_global(machine *m, const char *module, size_t module_size, const char *name,
                        size_t name_size) {
    if (!plain_name(module, module_size) || !plain_name(name, name_size))
        return refuse(m, "the pickle names a class whose name is none");
    char text[2 * NAME_MAX_BYTES], module_text[NAME_MAX_BYTES];
    snprintf(module_text, sizeof module_text, "%.*s", (int)module_size, module);
    int length = snprintf(text, sizeof text, "%s %.*s", module_text, (int)name_size, name);
    if (m->right(module_text, text + module_size + 1) == DQ_PICKLE_REFUSED)
        return refuse(m,
                      "the file asks for %.*s.%.*s, which no network needs: it may be meant to do harm; "
                      "nothing of it was run, and it is refused",
                      (int)module_size, module, (int)name_size, name);
    return push(m, new_text(m, DQ_PICKLE_GLOBAL, text, (size_t)length));
}

// GLOBAL: two lines of text.
static bool read_global(machine *m) {
    const char *module = (const char *)m->at;
    const char *first = memchr(m->at, '\n', (size_t)(m->end - m->at));
    const char *name = first ? first + 1 : NULL;
    const char *second = first ? memchr(name, '\n', (size_t)((const char *)m->end - name)) : NULL;
    if (!second) return refuse(m, "the pickle ends in the middle of a name");
    m->at = (const unsigned char *)second + 1;
    return push_global(m, module, (size_t)(first - module), name, (size_t)(second - name));
}

static bool stack_global(machine *m) {
    dq_pickle_value *name = pop(m), *module = name ? pop(m) : NULL;
    if (!module) return false;
    if (name->type != DQ_PICKLE_TEXT || module->type != DQ_PICKLE_TEXT)
        return refuse(m, "the pickle names a class by something other than text");
    return push_global(m, module->text, module->size, name->text, name->size);
}

// REDUCE and NEWOBJ: the object that calling a global on a tuple would make, without the call.
static bool make_object(machine *m, dq_pickle_right needed) {
    dq_pickle_value *arguments = pop(m), *maker = arguments ? pop(m) : NULL;
    if (!maker) return false;
    if (maker->type != DQ_PICKLE_GLOBAL || arguments->type != DQ_PICKLE_TUPLE)
        return refuse(m, "the pickle makes an object of something other than a class and its arguments");
    const char *space = strchr(maker->text, ' ');
    char module[NAME_MAX_BYTES];
    snprintf(module, sizeof module, "%.*s", (int)(space - maker->text), maker->text);
    if (m->right(module, space + 1) < needed)
        return refuse(m,
                      "the file asks to call %s.%s, which reading a network does not need; nothing of it was "
                      "run, and it is refused; a state_dict saved by torch.save has no such calls",
                      module, space + 1);
    dq_pickle_value *object = new_value(m, DQ_PICKLE_OBJECT);
    if (!object) return false;
    object->maker = maker;
    object->arguments = arguments;
    return push(m, object);
}

static bool build(machine *m) {
    dq_pickle_value *state = pop(m), *object = state ? peek(m, 0) : NULL;
    if (!object) return false;
    if (object->type != DQ_PICKLE_OBJECT)
        return refuse(m, "the pickle gives a state to a value that has none");
    object->state = state;
    return true;
}

static bool persistent(machine *m) {
    dq_pickle_value *id = pop(m), *value = id ? new_value(m, DQ_PICKLE_PERSISTENT) : NULL;
    if (value) value->arguments = id;
    return push(m, value);
}

// --- the memo
// -----------------------------------------------------------------------------------------------

static bool put(machine *m, uint64_t index) {
    dq_pickle_value *value = peek(m, 0);
    if (!value) return false;
    if (index >= m->size) return refuse(m, "the pickle remembers more values than it has");
    if (!reserve(m, (void **)&m->memo, &m->memo_room, index + 1, sizeof *m->memo)) return false;
    m->memo[index] = value;
    m->memo_count++;
    return true;
}

static bool get(machine *m, uint64_t index) {
    if (index >= m->memo_room || !m->memo[index])
        return refuse(m, "the pickle recalls a value that it has not remembered");
    return push(m, m->memo[index]);
}

// --- opcodes
// ------------------------------------------------------------------------------------------------

// One opcode; STOP is the caller's. False: m->status says why.
static bool execute(machine *m, unsigned char opcode) {
    uint64_t n = 0;
    size_t from = 0;
    switch (opcode) {
    case 0x80: // PROTO
        if (!read_unsigned(m, 1, &n)) return false;
        return n >= 2 && n <= 5 ? true : refuse(m, "pickle protocol %d is not read; 2 to 5 are", (int)n);
    case 0x95: // FRAME
        return read_bytes(m, 8) != NULL;
    case '(': // MARK
        if (!reserve(m, (void **)&m->marks, &m->mark_room, m->mark_count + 1, sizeof *m->marks)) return false;
        m->marks[m->mark_count++] = m->height;
        return true;
    case '0': // POP
        return pop(m) != NULL;
    case 'N': // NONE
        return push(m, new_value(m, DQ_PICKLE_NONE));
    case 0x88: // NEWTRUE
        return push_integer(m, DQ_PICKLE_BOOL, 1);
    case 0x89: // NEWFALSE
        return push_integer(m, DQ_PICKLE_BOOL, 0);
    case 'J': // BININT
        return read_unsigned(m, 4, &n) && push_integer(m, DQ_PICKLE_INT, (int32_t)n);
    case 'K': // BININT1
        return read_unsigned(m, 1, &n) && push_integer(m, DQ_PICKLE_INT, (int64_t)n);
    case 'M': // BININT2
        return read_unsigned(m, 2, &n) && push_integer(m, DQ_PICKLE_INT, (int64_t)n);
    case 0x8a: // LONG1
        return push_long(m, 1);
    case 0x8b: // LONG4
        return push_long(m, 4);
    case 'G': // BINFLOAT
        return push_real(m);
    case 'U':  // SHORT_BINSTRING
    case 'C':  // SHORT_BINBYTES
    case 0x8c: // SHORT_BINUNICODE
        return push_text(m, 1);
    case 'T': // BINSTRING
    case 'B': // BINBYTES
    case 'X': // BINUNICODE
        return push_text(m, 4);
    case 0x8d: // BINUNICODE8
    case 0x8e: // BINBYTES8
    case 0x96: // BYTEARRAY8
        return push_text(m, 8);
    case ')': // EMPTY_TUPLE
        return push(m, new_value(m, DQ_PICKLE_TUPLE));
    case 't': // TUPLE
        return pop_mark(m, &from) && gather(m, DQ_PICKLE_TUPLE, from);
    case 0x85: // TUPLE1, TUPLE2, TUPLE3
    case 0x86:
    case 0x87:
        return peek(m, opcode - 0x85u) && gather(m, DQ_PICKLE_TUPLE, m->height - (opcode - 0x84u));
    case ']':  // EMPTY_LIST
    case 0x8f: // EMPTY_SET
        return push(m, new_value(m, DQ_PICKLE_LIST));
    case 0x91: // FROZENSET
    case 'l':  // LIST
        return pop_mark(m, &from) && gather(m, DQ_PICKLE_LIST, from);
    case 'a': // APPEND
        return peek(m, 0) && add_items(m, m->height - 1, false);
    case 'e':  // APPENDS
    case 0x90: // ADDITEMS
        return pop_mark(m, &from) && add_items(m, from, false);
    case '}': // EMPTY_DICT
        return push(m, new_value(m, DQ_PICKLE_DICT));
    case 's': // SETITEM
        return peek(m, 1) && add_items(m, m->height - 2, true);
    case 'u': // SETITEMS
        return pop_mark(m, &from) && add_items(m, from, true);
    case 'c': // GLOBAL
        return read_global(m);
    case 0x93: // STACK_GLOBAL
        return stack_global(m);
    case 'R': // REDUCE
        return make_object(m, DQ_PICKLE_CALLABLE);
    case 0x81: // NEWOBJ
        return make_object(m, DQ_PICKLE_INERT);
    case 'b': // BUILD
        return build(m);
    case 'Q': // BINPERSID
        return persistent(m);
    case 'q': // BINPUT
        return read_unsigned(m, 1, &n) && put(m, n);
    case 'r': // LONG_BINPUT
        return read_unsigned(m, 4, &n) && put(m, n);
    case 0x94: // MEMOIZE
        return put(m, m->memo_count);
    case 'h': // BINGET
        return read_unsigned(m, 1, &n) && get(m, n);
    case 'j': // LONG_BINGET
        return read_unsigned(m, 4, &n) && get(m, n);
    default:
        return refuse(m, "the pickle's opcode 0x%02x is none that torch.save writes for a network", opcode);
    }
}

dq_status dq_pickle_parse(dq_pickle *pickle, const void *bytes, size_t size, dq_pickle_right_fn *right,
                          const char *where, dq_error *error) {
    *pickle = (dq_pickle){0};
    machine m = {.at = bytes, .size = size, .right = right, .where = where, .error = error, .status = DQ_OK};
    m.end = m.at + size;
    unsigned char opcode = 0;
    reserve(&m, (void **)&m.stack, &m.stack_room, 1, sizeof *m.stack);
    while (!m.status && opcode != '.') {
        if (m.at == m.end) {
            refuse(&m, "the pickle has no end");
        } else if ((opcode = *m.at++) != '.') {
            execute(&m, opcode);
        } else if (m.mark_count || m.height != 1) {
            refuse(&m, "the pickle leaves %zu values instead of one", m.height);
        }
    }
    if (!m.status) *pickle = (dq_pickle){.root = m.stack[0], .memory = m.blocks};
    if (m.status) free_blocks(m.blocks);
    free(m.stack);
    free(m.marks);
    free(m.memo);
    return m.status;
}

void dq_pickle_deinit(dq_pickle *pickle) {
    free_blocks(pickle->memory);
    *pickle = (dq_pickle){0};
}

bool dq_pickle_is_global(const dq_pickle_value *value, const char *text) {
    return value && value->type == DQ_PICKLE_GLOBAL && strcmp(value->text, text) == 0;
}
