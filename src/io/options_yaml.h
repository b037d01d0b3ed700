// Option files of people: a flat YAML mapping of option names to values, read through libyaml.
#ifndef DEEPQ_IO_OPTIONS_YAML_H
#define DEEPQ_IO_OPTIONS_YAML_H

#include <deepq/options.h>

// Calls back for every "name: value" pair of the file in its order; a list's text is "[a, b]". `where` is
// FILE:LINE. Names are not looked at, but one that stands twice is an error. A status other than DQ_OK from
// the callback ends the reading and is returned.
dq_status dq_options_yaml_scan(const char *path, dq_option_fn *callback, void *user, dq_error *error);

#endif
