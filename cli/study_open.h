// A study that is there already, from where Optuna or deepq keeps it.
#ifndef DEEPQ_CLI_STUDY_OPEN_H
#define DEEPQ_CLI_STUDY_OPEN_H

#include "tune/storage.h"

// Is the word a storage (a URL, or a file) and not a run's folder?
bool study_is_storage(const char *word);

// Opens the storage and its study `name`, or the only one where that is NULL. The study belongs to the
// storage, which the caller closes, also after a failure.
dq_status study_open(dq_storage **storage, dq_study **study, const char *url, const char *name,
                     dq_error *error);

// The folder that a picture or page of the study goes into where nobody says otherwise: that of its file.
void study_folder(const char *url, char *folder, size_t size);

#endif
