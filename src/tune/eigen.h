// Eigenvalues and eigenvectors of a small symmetric matrix.
#ifndef TUNE_EIGEN_H
#define TUNE_EIGEN_H

// matrix: [n, n] symmetric, destroyed. vectors: [n, n], column k belongs to value[k]. No order among the
// values.
void dq_eigen_symmetric(double *matrix, int n, double *value, double *vectors);

#endif
