// The JSON header of a safetensors file; private to safetensors.c.
#ifndef DQ_BASE_SAFETENSORS_HEADER_H
#define DQ_BASE_SAFETENSORS_HEADER_H

#include "base/safetensors.h"

// Headers above this are refused; one of 10,000 tensors has about 1 MB.
#define DQ_SAFETENSORS_HEADER_MAX ((size_t)16 << 20)

// Fills names, types, shapes, sizes and metadata from text[0..length) and checks that the tensors tile
// payload bytes [0, payload) without holes. tensors come out in that order, their data NULL. On failure the
// caller's _deinit frees what was made.
dq_status dq_safetensors_parse_header(dq_safetensors *file, const char *text, size_t length, size_t payload,
                                      const char *where, dq_error *error);

#endif
