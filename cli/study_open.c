// Storages and studies by the words of a command line.
#include "study_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool study_is_storage(const char *word) {
    struct stat found;
    return strstr(word, "://") != NULL || (stat(word, &found) == 0 && S_ISREG(found.st_mode));
}

dq_status study_open(dq_storage **storage, dq_study **study, const char *url, const char *name,
                     dq_error *error) {
    *storage = NULL;
    *study = NULL;
    dq_status status = dq_storage_open(storage, url, false, error);
    if (status || name) return status ? status : dq_storage_find(*storage, name, study, error);
    const char **names = NULL;
    int count = dq_storage_list(*storage, &names, error);
    if (count < 0) {
        status = error->code;
    } else if (count == 1) {
        status = dq_storage_find(*storage, names[0], study, error);
    } else {
        char list[300] = "";
        for (int i = 0; i < count && strlen(list) + strlen(names[i]) + 3 < sizeof list; i++)
            sprintf(list + strlen(list), "%s%s", i ? ", " : "", names[i]);
        status = count == 0 ? dq_fail(error, DQ_NOT_FOUND, url, "there is no study in it")
                            : dq_fail(error, DQ_USAGE, url,
                                      "it holds %d studies; say which one with --study: %s", count, list);
    }
    free(names);
    return status;
}

void study_folder(const char *url, char *folder, size_t size) {
    const char *slash = strstr(url, "://") ? NULL : strrchr(url, '/');
    snprintf(folder, size, "%.*s", slash ? (int)(slash - url) : 1, slash ? url : ".");
}
