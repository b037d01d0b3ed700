// The order of numbers, as indices.
#ifndef TUNE_ORDER_H
#define TUNE_ORDER_H

// Fills order[count] with the indices of value[count], the smallest value first. Equal values keep the order
// of their indices, so that the result is one on every machine; NaN comes last. scratch: [count], any
// content.
void dq_order(const double *value, int count, int *order, int *scratch);

#endif
