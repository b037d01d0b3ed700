// Suggesters and pruners by their names.
#include "tune/prune.h"

#include <string.h>

const dq_suggester_class *dq_suggester_find(const char *name) {
    for (int i = 0; dq_suggester_classes[i]; i++)
        if (!strcmp(dq_suggester_classes[i]->about.name, name)) return dq_suggester_classes[i];
    return NULL;
}

const dq_pruner_class *dq_pruner_find(const char *name) {
    for (int i = 0; dq_pruner_classes[i]; i++)
        if (!strcmp(dq_pruner_classes[i]->about.name, name)) return dq_pruner_classes[i];
    return NULL;
}
