// Trunks: the convolutional beginnings of the published networks on images, up to the flatten layer.
#ifndef DQ_NN_TRUNK_H
#define DQ_NN_TRUNK_H

#include <deepq/net.h>

enum { DQ_TRUNK_LAYERS = 16 };

typedef struct dq_trunk {
    const char *name, *about;
    int count;
    dq_layer_spec layers[DQ_TRUNK_LAYERS];
    int hidden; // width of the dense layer that follows in the paper
} dq_trunk;

extern const dq_trunk *const dq_trunks[]; // NULL-terminated

const dq_trunk *dq_trunk_find(const char *name); // NULL: there is none

#endif
