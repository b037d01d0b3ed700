// The optimizer and clipping kernels at the reference level.
#include "kernel/ref/ref.h"

#define TARGET
#include "kernel/distribution_template.h"
#include "kernel/elementwise_template.h"
#include "kernel/image_template.h"
#include "kernel/norm_template.h"

void dq_ref_elementwise(dq_kernels *table) {
    fill_elementwise(table);
    fill_distribution(table);
    fill_norm(table);
    fill_image(table);
}
