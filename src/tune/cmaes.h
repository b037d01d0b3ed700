// CMA-ES with default strategy parameters, minimising on the unit cube.
//
// Hansen 2016, "The CMA Evolution Strategy: A Tutorial" (arXiv:1604.00772): figure 6 and table 1, with active
// (negative) weights. A point outside the cube is drawn again, 10 x dimension times at most, and then
// clipped. The state is a function of what was told, so that it is rebuilt from a study's trials and stored
// nowhere.
#ifndef TUNE_CMAES_H
#define TUNE_CMAES_H

#include <deepq/base.h>
#include <deepq/rng.h>

typedef struct dq_cmaes dq_cmaes;

// Starts at the cube's centre with standard deviation sigma (1/6 where sigma is 0). population 0: 4 + 3
// log(dimension).
dq_status dq_cmaes_create(dq_cmaes **made, int dimension, double sigma, int population, dq_error *error);
void dq_cmaes_destroy(dq_cmaes *cmaes); // NULL is fine

int dq_cmaes_population(const dq_cmaes *cmaes);
int dq_cmaes_generation(const dq_cmaes *cmaes);
const double *dq_cmaes_mean(const dq_cmaes *cmaes);       // [dimension]
const double *dq_cmaes_covariance(const dq_cmaes *cmaes); // [dimension, dimension], times sigma squared
double dq_cmaes_sigma(const dq_cmaes *cmaes);

// Draws one point of the present generation. x: [dimension]
void dq_cmaes_ask(dq_cmaes *cmaes, dq_rng *rng, double *x);

// Ends a generation. points: [population, dimension], value: [population], smaller is better; NaN is worst.
void dq_cmaes_tell(dq_cmaes *cmaes, const double *points, const double *value);

#endif
