// Option files of people: a flat YAML mapping of option names to values, read through libyaml.
#include "io/options_yaml.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

typedef struct reader {
    const char *path;
    yaml_document_t *document;
    char where[300];
} reader;

static const char *where_of(reader *r, size_t line) {
    snprintf(r->where, sizeof r->where, "%.270s:%zu", r->path, line + 1);
    return r->where;
}

static const char *scalar(const yaml_node_t *node) {
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

// The text of a scalar, or "[a, b]" of a list of scalars.
static dq_status value_text(reader *r, const yaml_node_t *node, const char *name, char *text, size_t size,
                            dq_error *error) {
    size_t used = 0;
    const char *where = where_of(r, node->start_mark.line);
    if (scalar(node)) {
        used = (size_t)snprintf(text, size, "%s", scalar(node));
    } else if (node->type == YAML_SEQUENCE_NODE) {
        used = (size_t)snprintf(text, size, "[");
        yaml_node_item_t *first = node->data.sequence.items.start, *end = node->data.sequence.items.top;
        for (yaml_node_item_t *item = first; item < end && used < size; item++) {
            const char *one = scalar(yaml_document_get_node(r->document, *item));
            if (!one)
                return dq_fail(error, DQ_FORMAT, where, "the list of %s should hold plain values", name);
            used += (size_t)snprintf(text + used, size - used, "%s%s", item > first ? ", " : "", one);
        }
        if (used < size) used += (size_t)snprintf(text + used, size - used, "]");
    } else {
        return dq_fail(error, DQ_FORMAT, where,
                       "%s holds further keys; an option file is flat: 'name: value' lines", name);
    }
    return used < size ? DQ_OK : dq_fail(error, DQ_FORMAT, where, "the value of %s is too long", name);
}

static dq_status scan_pairs(reader *r, const yaml_node_t *root, dq_option_fn *callback, void *user,
                            dq_error *error) {
    yaml_node_pair_t *first = root->data.mapping.pairs.start, *end = root->data.mapping.pairs.top;
    for (yaml_node_pair_t *pair = first; pair < end; pair++) {
        const yaml_node_t *key = yaml_document_get_node(r->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(r->document, pair->value);
        const char *name = scalar(key);
        char text[1024];
        if (!name || !value)
            return dq_fail(error, DQ_FORMAT, where_of(r, root->start_mark.line),
                           "an option's name is a plain word");
        for (yaml_node_pair_t *earlier = first; earlier < pair; earlier++) {
            const yaml_node_t *other = yaml_document_get_node(r->document, earlier->key);
            if (scalar(other) && strcmp(scalar(other), name) == 0)
                return dq_fail(error, DQ_FORMAT, where_of(r, key->start_mark.line),
                               "%.100s stands twice; it was set in line %zu already", name,
                               other->start_mark.line + 1);
        }
        dq_status status = value_text(r, value, name, text, sizeof text, error);
        if (!status) status = callback(user, name, text, where_of(r, key->start_mark.line), error);
        if (status) return status;
    }
    return DQ_OK;
}

dq_status dq_options_yaml_scan(const char *path, dq_option_fn *callback, void *user, dq_error *error) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return dq_fail(error, errno == ENOENT ? DQ_NOT_FOUND : DQ_IO, path, "cannot read the option file: %s",
                       strerror(errno));
    reader r = {.path = path};
    yaml_parser_t parser;
    yaml_document_t document;
    dq_status status;
    if (!yaml_parser_initialize(&parser)) {
        fclose(file);
        return dq_fail(error, DQ_MEMORY, path, "out of memory");
    }
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, &document)) {
        status = dq_fail(error, DQ_FORMAT, where_of(&r, parser.problem_mark.line), "this is not YAML: %s",
                         parser.problem ? parser.problem : "it cannot be read");
        goto done;
    }
    r.document = &document;
    const yaml_node_t *root = yaml_document_get_root_node(&document);
    if (!root)
        status = DQ_OK; // an empty file sets nothing
    else if (root->type != YAML_MAPPING_NODE)
        status = dq_fail(error, DQ_FORMAT, path, "an option file holds 'name: value' lines");
    else
        status = scan_pairs(&r, root, callback, user, error);
    yaml_document_delete(&document);
done:
    yaml_parser_delete(&parser);
    fclose(file);
    return status;
}
