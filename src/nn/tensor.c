// A tensor's values between the parameter array's order and PyTorch's.
#include <deepq/net.h>

// Calls body with `at`, the place in params of each element in PyTorch's order.
#define FOR_ELEMENTS(t, body)                                                                                \
    for (size_t i = 0; i < (size_t)(t)->extent[0]; i++)                                                      \
        for (size_t j = 0; j < (size_t)(t)->extent[1]; j++)                                                  \
            for (size_t k = 0; k < (size_t)(t)->extent[2]; k++)                                              \
                for (size_t l = 0; l < (size_t)(t)->extent[3]; l++) {                                        \
                    const size_t at = (t)->offset + i * (t)->step[0] + j * (t)->step[1] + k * (t)->step[2] + \
                                      l * (t)->step[3];                                                      \
                    body;                                                                                    \
                }

void dq_tensor_get(const dq_tensor *tensor, const float *params, float *values) {
    FOR_ELEMENTS(tensor, *values++ = params[at])
}

void dq_tensor_set(const dq_tensor *tensor, float *params, const float *values) {
    FOR_ELEMENTS(tensor, params[at] = *values++)
}
