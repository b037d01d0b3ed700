// Rows to panels and back: [B,F] row-major <-> [ceil(B/16)][F][16].
#include <deepq/net.h>

void dq_panels_pack(float *panels, const float *rows, int batch, int features) {
    size_t width = (size_t)features;
    for (int first = 0; first < batch;
         first += DQ_LANES, panels += width * DQ_LANES, rows += width * DQ_LANES) {
        int lanes = batch - first < DQ_LANES ? batch - first : DQ_LANES;
        for (size_t f = 0; f < width; f++) {
            for (int lane = 0; lane < lanes; lane++)
                panels[f * DQ_LANES + (size_t)lane] = rows[(size_t)lane * width + f];
            for (int lane = lanes; lane < DQ_LANES; lane++) panels[f * DQ_LANES + (size_t)lane] = 0.0f;
        }
    }
}

void dq_panels_unpack(float *rows, const float *panels, int batch, int features) {
    size_t width = (size_t)features;
    for (int sample = 0; sample < batch; sample++) {
        const float *panel = panels + (size_t)(sample / DQ_LANES) * width * DQ_LANES + sample % DQ_LANES;
        for (size_t f = 0; f < width; f++) rows[(size_t)sample * width + f] = panel[f * DQ_LANES];
    }
}
