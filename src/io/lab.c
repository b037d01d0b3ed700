// Labs: reading and writing labs/*.yml.
//
// A lab file is one mapping. The keys of dq_lab_options() are scalars; `common` maps options to values,
// `search` options to what a search varies, and `agents` maps each agent's name to a mapping of `preset` and
// options. Values are scalars or flat lists.
#include "io/lab.h"

#include "base/file.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { FILE_MOST = 1 << 20, AGENTS_MOST = 64, PAIRS_MOST = 400, TEXT_MOST = 1000 };

#define TEXT(field, what)                                                                                    \
    {                                                                                                        \
        .name = #field, .group = "lab", .type = DQ_OPTION_TEXT, .offset = offsetof(dq_lab, field),           \
        .text_size = sizeof(((dq_lab *)NULL)->field), .default_text = "", .help = what                       \
    }
#define INT(field, preset, low, high, what)                                                                  \
    {                                                                                                        \
        .name = #field, .group = "lab", .type = DQ_OPTION_INT, .offset = offsetof(dq_lab, field),            \
        .default_text = preset, .min = low, .max = high, .help = what                                        \
    }

static const dq_option rows[] = {
    TEXT(name, "short name; the file's own where it is missing"),
    TEXT(title, "one line"),
    TEXT(summary, "what the comparison asks"),
    TEXT(env, "the environment of every training"),
    INT(seeds, "3", 1, 10000, "trainings per agent"),
    INT(seed, "0", 0, 1e15, "the first training's seed; the others count on from it"),
    {.name = "axis",
     .group = "lab",
     .type = DQ_OPTION_CHOICE,
     .offset = offsetof(dq_lab, axis),
     .default_text = "steps",
     .choices = "steps|episodes",
     .help = "what the curves are drawn over"},
    {.name = "tuned",
     .group = "lab",
     .type = DQ_OPTION_BOOL,
     .offset = offsetof(dq_lab, tuned),
     .default_text = "false",
     .max = 1,
     .help = "start from the environment's tuned values"},
    {.name = "threshold",
     .group = "lab",
     .type = DQ_OPTION_REAL,
     .offset = offsetof(dq_lab, threshold),
     .default_text = "nan",
     .min = -1e15,
     .max = 1e15,
     .help = "the mean return whose first crossing is timed"},
    INT(final_episodes, "100", 1, 1e6, "greedy episodes that score a finished training"),
    INT(final_seed, "1000", 0, 1e15, "episode i of them resets its environment with final_seed + i"),
};

dq_option_table dq_lab_options(void) {
    return (dq_option_table){rows, (int)(sizeof rows / sizeof *rows)};
}

// --- building ---------------------------------------------------------------------------------------------

dq_status dq_lab_init(dq_lab *lab, dq_error *error) {
    memset(lab, 0, sizeof *lab);
    return dq_options_defaults(dq_lab_options(), lab, error);
}

static void free_pairs(dq_lab_pairs *pairs) {
    for (int i = 0; i < pairs->count; i++) {
        free(pairs->at[i].key);
        free(pairs->at[i].value);
    }
    free(pairs->at);
}

void dq_lab_deinit(dq_lab *lab) {
    free_pairs(&lab->common);
    free_pairs(&lab->search);
    for (int i = 0; i < lab->agent_count; i++) free_pairs(&lab->agents[i].options);
    free(lab->agents);
    memset(lab, 0, sizeof *lab);
}

void dq_lab_drop_agent(dq_lab *lab) {
    free_pairs(&lab->agents[--lab->agent_count].options);
}

dq_status dq_lab_add(dq_lab_pairs *pairs, const char *key, const char *value, const char *where,
                     dq_error *error) {
    if (pairs->count == PAIRS_MOST)
        return dq_fail(error, DQ_FORMAT, where, "more than %d options in one place", PAIRS_MOST);
    dq_lab_pair *at = realloc(pairs->at, (size_t)(pairs->count + 1) * sizeof *at);
    if (!at) return dq_fail(error, DQ_MEMORY, where, "no memory for one more option");
    pairs->at = at;
    at += pairs->count;
    *at = (dq_lab_pair){.key = strdup(key), .value = strdup(value)};
    snprintf(at->where, sizeof at->where, "%s", where);
    pairs->count++; // counted even when half empty, so that it is freed
    if (!at->key || !at->value) return dq_fail(error, DQ_MEMORY, where, "no memory for one more option");
    return DQ_OK;
}

// An agent's name becomes a folder's.
static bool good_name(const char *name) {
    size_t n = strlen(name);
    if (n == 0 || n >= sizeof((dq_lab_agent *)NULL)->name || name[0] == '.') return false;
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.+", *c)) return false;
    return true;
}

dq_status dq_lab_add_agent(dq_lab *lab, const char *name, const char *preset, const char *where,
                           dq_error *error) {
    if (!good_name(name))
        return dq_fail(
            error, DQ_FORMAT, where,
            "'%.60s' cannot name an agent here, because its trainings get a folder of that name: use "
            "at most %zu letters, digits, '-', '_', '+' and '.'",
            name, sizeof lab->agents->name - 1);
    if (strlen(preset) >= sizeof lab->agents->preset)
        return dq_fail(error, DQ_FORMAT, where, "there is no preset '%.60s'", preset);
    for (int i = 0; i < lab->agent_count; i++)
        if (strcmp(lab->agents[i].name, name) == 0)
            return dq_fail(error, DQ_FORMAT, where, "the agent '%s' is there twice (first at %s)", name,
                           lab->agents[i].where);
    if (lab->agent_count == AGENTS_MOST)
        return dq_fail(error, DQ_FORMAT, where, "more than %d agents in one lab", AGENTS_MOST);
    dq_lab_agent *agents = realloc(lab->agents, (size_t)(lab->agent_count + 1) * sizeof *agents);
    if (!agents) return dq_fail(error, DQ_MEMORY, where, "no memory for one more agent");
    lab->agents = agents;
    agents += lab->agent_count++;
    memset(agents, 0, sizeof *agents);
    snprintf(agents->name, sizeof agents->name, "%s", name);
    snprintf(agents->preset, sizeof agents->preset, "%s", preset);
    snprintf(agents->where, sizeof agents->where, "%s", where);
    return DQ_OK;
}

// --- reading ----------------------------------------------------------------------------------------------

typedef struct reader {
    const char *path;
    yaml_document_t *document;
    char where[300];
} reader;

static const char *where_of(reader *r, const yaml_node_t *node) {
    snprintf(r->where, sizeof r->where, "%.270s:%zu", r->path, node->start_mark.line + 1);
    return r->where;
}

static const char *kind_of(const yaml_node_t *node) {
    return node->type == YAML_SCALAR_NODE     ? "one value"
           : node->type == YAML_SEQUENCE_NODE ? "a list"
                                              : "a mapping";
}

static dq_status scalar_text(reader *r, const yaml_node_t *node, const char **text, dq_error *error) {
    if (node->type != YAML_SCALAR_NODE)
        return dq_fail(error, DQ_FORMAT, where_of(r, node), "expected a value, found %s", kind_of(node));
    *text = (const char *)node->data.scalar.value;
    if (node->data.scalar.length != strlen(*text))
        return dq_fail(error, DQ_FORMAT, where_of(r, node), "a value holds a zero character");
    if (node->data.scalar.length >= TEXT_MOST)
        return dq_fail(error, DQ_FORMAT, where_of(r, node), "a value is longer than %d characters",
                       TEXT_MOST);
    return DQ_OK;
}

// A scalar, or a flat list as "[a, b]".
static dq_status value_text(reader *r, const yaml_node_t *node, char *text, size_t size, dq_error *error) {
    const char *item;
    if (node->type != YAML_SEQUENCE_NODE) {
        dq_status status = scalar_text(r, node, &item, error);
        if (!status) snprintf(text, size, "%s", item);
        return status;
    }
    size_t used = (size_t)snprintf(text, size, "[");
    for (const yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top;
         i++) {
        dq_status status = scalar_text(r, yaml_document_get_node(r->document, *i), &item, error);
        if (status) return status;
        if (used + strlen(item) + 4 > size)
            return dq_fail(error, DQ_FORMAT, where_of(r, node), "a list is longer than %zu characters", size);
        used += (size_t)snprintf(text + used, size - used, "%s%s", used > 1 ? ", " : "", item);
    }
    snprintf(text + used, size - used, "]");
    return DQ_OK;
}

static dq_status read_pairs(reader *r, const yaml_node_t *node, dq_lab_pairs *pairs, dq_lab_agent *agent,
                            dq_error *error) {
    if (node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0) return DQ_OK; // "name:" alone
    if (node->type != YAML_MAPPING_NODE)
        return dq_fail(error, DQ_FORMAT, where_of(r, node), "expected 'option: value' lines, found %s",
                       kind_of(node));
    const yaml_node_pair_t *end = node->data.mapping.pairs.top;
    for (const yaml_node_pair_t *p = node->data.mapping.pairs.start; p < end; p++) {
        const yaml_node_t *key_node = yaml_document_get_node(r->document, p->key);
        const char *key;
        char value[TEXT_MOST];
        dq_status status = scalar_text(r, key_node, &key, error);
        if (!status)
            status = value_text(r, yaml_document_get_node(r->document, p->value), value, sizeof value, error);
        if (status) return status;
        if (agent && strcmp(key, "preset") == 0) {
            if (strlen(value) >= sizeof agent->preset)
                return dq_fail(error, DQ_FORMAT, where_of(r, key_node), "there is no preset '%.60s'", value);
            snprintf(agent->preset, sizeof agent->preset, "%s", value);
            snprintf(agent->where, sizeof agent->where, "%s", where_of(r, key_node));
            continue;
        }
        for (int i = 0; i < pairs->count; i++)
            if (strcmp(pairs->at[i].key, key) == 0)
                return dq_fail(error, DQ_FORMAT, where_of(r, key_node), "'%.60s' is there twice", key);
        status = dq_lab_add(pairs, key, value, where_of(r, key_node), error);
        if (status) return status;
    }
    return DQ_OK;
}

static dq_status read_agents(reader *r, dq_lab *lab, const yaml_node_t *node, dq_error *error) {
    if (node->type != YAML_MAPPING_NODE)
        return dq_fail(error, DQ_FORMAT, where_of(r, node),
                       "expected one 'name:' with its options per agent, found %s", kind_of(node));
    const yaml_node_pair_t *end = node->data.mapping.pairs.top;
    for (const yaml_node_pair_t *p = node->data.mapping.pairs.start; p < end; p++) {
        const yaml_node_t *name_node = yaml_document_get_node(r->document, p->key);
        const char *name;
        dq_status status = scalar_text(r, name_node, &name, error);
        if (!status) status = dq_lab_add_agent(lab, name, name, where_of(r, name_node), error);
        if (status) return status;
        dq_lab_agent *agent = &lab->agents[lab->agent_count - 1];
        status = read_pairs(r, yaml_document_get_node(r->document, p->value), &agent->options, agent, error);
        if (status) return status;
    }
    return DQ_OK;
}

static const char *nearest_key(const char *key) {
    const char *nearest = NULL;
    int best = dq_text_near(key) + 1;
    for (int i = -3; i < dq_lab_options().count; i++) {
        const char *known = i == -3 ? "search" : i == -2 ? "agents" : i == -1 ? "common" : rows[i].name;
        int distance = dq_text_distance(key, known);
        if (distance < best) {
            best = distance;
            nearest = known;
        }
    }
    return nearest;
}

static dq_status read_root(reader *r, dq_lab *lab, const yaml_node_t *root, dq_error *error) {
    if (!root)
        return dq_fail(error, DQ_FORMAT, r->path, "the file is empty; a lab has at least env and agents");
    if (root->type != YAML_MAPPING_NODE)
        return dq_fail(error, DQ_FORMAT, where_of(r, root), "a lab is made of 'key: value' lines, not of %s",
                       kind_of(root));
    const yaml_node_pair_t *start = root->data.mapping.pairs.start, *end = root->data.mapping.pairs.top;
    for (const yaml_node_pair_t *p = start; p < end; p++) {
        const yaml_node_t *key_node = yaml_document_get_node(r->document, p->key);
        const yaml_node_t *value_node = yaml_document_get_node(r->document, p->value);
        const char *key, *text;
        dq_status status = scalar_text(r, key_node, &key, error);
        if (status) return status;
        for (const yaml_node_pair_t *q = start; q < p; q++) {
            const yaml_node_t *other = yaml_document_get_node(r->document, q->key);
            if (strcmp((const char *)other->data.scalar.value, key) == 0)
                return dq_fail(error, DQ_FORMAT, where_of(r, key_node), "'%.60s' is there twice", key);
        }
        if (strcmp(key, "common") == 0) {
            status = read_pairs(r, value_node, &lab->common, NULL, error);
        } else if (strcmp(key, "search") == 0) {
            status = read_pairs(r, value_node, &lab->search, NULL, error);
        } else if (strcmp(key, "agents") == 0) {
            status = read_agents(r, lab, value_node, error);
        } else if (dq_options_find(dq_lab_options(), key)) {
            status = scalar_text(r, value_node, &text, error);
            if (!status)
                status = dq_options_set(dq_lab_options(), lab, key, text, where_of(r, key_node), error);
        } else {
            const char *nearest = nearest_key(key);
            return dq_fail(error, DQ_USAGE, where_of(r, key_node),
                           "a lab has no key '%.60s'%s%s%s; options of the "
                           "trainings go under common or an agent",
                           key, nearest ? "; did you mean '" : "", nearest ? nearest : "",
                           nearest ? "'?" : "");
        }
        if (status) return status;
    }
    return DQ_OK;
}

// "labs/inf639.yml" -> "inf639"
static void name_from_path(dq_lab *lab, const char *path) {
    const char *slash = strrchr(path, '/'), *stem = slash ? slash + 1 : path;
    snprintf(lab->name, sizeof lab->name, "%.*s", (int)(strcspn(stem, ".") < 60 ? strcspn(stem, ".") : 60),
             stem);
}

static dq_status check(const dq_lab *lab, const char *path, dq_error *error) {
    if (!lab->env[0]) return dq_fail(error, DQ_FORMAT, path, "a lab needs 'env: ENVIRONMENT'");
    if (lab->agent_count == 0)
        return dq_fail(error, DQ_FORMAT, path, "a lab needs 'agents:' with at least one agent under it");
    if (!good_name(lab->name))
        return dq_fail(error, DQ_FORMAT, path,
                       "'%s' cannot name a lab: use letters, digits, '-', '_', '+' and '.'", lab->name);
    return DQ_OK;
}

dq_status dq_lab_read(dq_lab *lab, const char *path, dq_error *error) {
    char *text = NULL;
    size_t size = 0;
    yaml_parser_t parser;
    yaml_document_t document;
    bool have_parser = false, have_document = false;
    dq_status status = dq_lab_init(lab, error);
    if (!status) status = dq_file_read(path, FILE_MOST, &text, &size, error);
    if (status) goto done;
    have_parser = yaml_parser_initialize(&parser);
    if (!have_parser) {
        status = dq_fail(error, DQ_MEMORY, path, "no memory to read the lab");
        goto done;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    have_document = yaml_parser_load(&parser, &document);
    if (!have_document) {
        char where[300];
        snprintf(where, sizeof where, "%.270s:%zu", path, parser.problem_mark.line + 1);
        status =
            dq_fail(error, DQ_FORMAT, where, "this is not YAML: %s", parser.problem ? parser.problem : "?");
        goto done;
    }
    reader r = {.path = path, .document = &document};
    status = read_root(&r, lab, yaml_document_get_root_node(&document), error);
    if (!status && !lab->name[0]) name_from_path(lab, path);
    if (!status) status = check(lab, path, error);
done:
    if (have_document) yaml_document_delete(&document);
    if (have_parser) yaml_parser_delete(&parser);
    free(text);
    return status;
}

// --- writing ----------------------------------------------------------------------------------------------

// Lists go as they are; anything else between single quotes where it is more than a plain word.
static void write_value(FILE *out, const char *text) {
    bool plain = text[0] && text[strlen(text) - 1] != ' ';
    for (const char *c = text; *c; c++)
        plain &= isalnum((unsigned char)*c) || (*c == '.' || *c == '_' || *c == '+' || *c == '-') ||
                 (*c == ' ' && c > text);
    if (plain || (text[0] == '[' && text[strlen(text) - 1] == ']')) {
        fprintf(out, "%s\n", text);
        return;
    }
    putc('\'', out);
    for (const char *c = text; *c; c++) {
        if (*c == '\'') putc('\'', out);
        putc(*c == '\n' ? ' ' : *c, out);
    }
    fputs("'\n", out);
}

static void write_pairs(FILE *out, const dq_lab_pairs *pairs, const char *indent) {
    for (int i = 0; i < pairs->count; i++) {
        bool later = false; // the last one wins
        for (int k = i + 1; k < pairs->count; k++) later |= strcmp(pairs->at[i].key, pairs->at[k].key) == 0;
        if (later) continue;
        fprintf(out, "%s%s: ", indent, pairs->at[i].key);
        write_value(out, pairs->at[i].value);
    }
}

void dq_lab_write(const dq_lab *lab, FILE *out) {
    dq_options_write(dq_lab_options(), lab, false, out);
    if (lab->common.count) fputs("common:\n", out);
    write_pairs(out, &lab->common, "  ");
    if (lab->search.count) fputs("search:\n", out);
    write_pairs(out, &lab->search, "  ");
    fputs("agents:\n", out);
    for (int i = 0; i < lab->agent_count; i++) {
        const dq_lab_agent *agent = &lab->agents[i];
        fprintf(out, "  %s:\n    preset: %s\n", agent->name, agent->preset);
        write_pairs(out, &agent->options, "    ");
    }
}
