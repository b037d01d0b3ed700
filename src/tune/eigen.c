// The cyclic Jacobi method (Golub and Van Loan, "Matrix Computations", 4th edition, section 8.5): plane
// rotations annul one pair of off-diagonal elements after the other. It converges quadratically and loses no
// digits of small eigenvalues, which is worth more here than the few microseconds that tridiagonal methods
// would save.
#include "tune/eigen.h"

#include <math.h>

#define MAX_SWEEPS 60 // ten are usual

void dq_eigen_symmetric(double *matrix, int n, double *value, double *vectors) {
    for (int i = 0; i < n * n; i++) vectors[i] = i % (n + 1) == 0;
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        double off = 0, diagonal = 0;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) *(i == j ? &diagonal : &off) += matrix[i * n + j] * matrix[i * n + j];
        if (!(off > 1e-32 * diagonal)) break;
        for (int p = 0; p < n - 1; p++) {
            for (int q = p + 1; q < n; q++) {
                double element = matrix[p * n + q];
                if (element == 0) continue;
                double tau = (matrix[q * n + q] - matrix[p * n + p]) / (2 * element);
                double t = (tau >= 0 ? 1 : -1) / (fabs(tau) + hypot(1, tau));
                double c = 1 / hypot(1, t), s = t * c;
                for (int k = 0; k < n; k++) {
                    double a = matrix[k * n + p], b = matrix[k * n + q];
                    matrix[k * n + p] = c * a - s * b;
                    matrix[k * n + q] = s * a + c * b;
                }
                for (int k = 0; k < n; k++) {
                    double a = matrix[p * n + k], b = matrix[q * n + k];
                    matrix[p * n + k] = c * a - s * b;
                    matrix[q * n + k] = s * a + c * b;
                    a = vectors[k * n + p], b = vectors[k * n + q];
                    vectors[k * n + p] = c * a - s * b;
                    vectors[k * n + q] = s * a + c * b;
                }
            }
        }
    }
    for (int i = 0; i < n; i++) value[i] = matrix[i * n + i];
}
