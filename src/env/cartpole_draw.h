// The picture of a pole on a cart that CartPole and its swing-up share, after Gymnasium's colours.
#ifndef DQ_ENV_CARTPOLE_DRAW_H
#define DQ_ENV_CARTPOLE_DRAW_H

#include "env/cartpole_dynamics.h"

#include <deepq/draw.h>

// A view from `below` metres under the cart to `above` over it; `fan` rad to each side of upright are shaded.
static inline void cartpole_draw(const cartpole_state *s, dq_canvas *canvas, double below, double above,
                                 double fan) {
    const double edge = 2.7, length = 2 * CARTPOLE_HALF_LENGTH;
    const dq_point axle = {s->x, 0.06};
    dq_draw_view(canvas, -edge, -below, edge, above, dq_rgb(0xfdfdfb));

    enum { ARC = 9 };
    dq_point wedge[ARC + 1] = {axle};
    for (int i = 0; i < ARC; i++) {
        const double angle = fan * (2.0 * i / (ARC - 1) - 1);
        wedge[1 + i] = dq_at(axle.x + 1.3 * length * sin(angle), axle.y + 1.3 * length * cos(angle));
    }
    dq_draw_polygon(canvas, wedge, ARC + 1, dq_rgb(0xe9f3e6));

    dq_draw_segment(canvas, dq_at(-edge, -0.19), dq_at(edge, -0.19), 0.022, dq_rgb(0x3a3f47));
    for (int metre = -2; metre <= 2; metre++)
        dq_draw_segment(canvas, dq_at(metre, -0.19), dq_at(metre, -0.25), 0.018, dq_rgb(0x9aa1ab));
    for (int side = -1; side <= 1; side += 2) {
        const double x = side * CARTPOLE_X_LIMIT;
        dq_draw_rectangle(canvas, x - 0.02, -0.19, x + 0.02, 0.05, dq_rgb(0xd9534f));
    }

    const int action = dq_canvas_action(canvas);
    if (action >= 0) {
        const double side = action == 1 ? 1 : -1;
        dq_draw_arrow(canvas, dq_at(s->x + side * 0.25, 0), dq_at(s->x + side * 0.55, 0), 0.045,
                      dq_rgb(0xf0a030));
    }
    for (int side = -1; side <= 1; side += 2) {
        dq_draw_circle(canvas, dq_at(s->x + side * 0.12, -0.12), 0.06, dq_rgb(0x6d7580));
        dq_draw_circle(canvas, dq_at(s->x + side * 0.12, -0.12), 0.022, dq_rgb(0xe4e7eb));
    }
    dq_draw_rectangle(canvas, s->x - 0.2, -0.1, s->x + 0.2, 0.12, dq_rgb(0x23272e));
    const dq_point tip = {axle.x + length * sin(s->theta), axle.y + length * cos(s->theta)};
    dq_draw_segment(canvas, axle, tip, 0.08, dq_rgb(0xca9865));
    dq_draw_circle(canvas, axle, 0.04, dq_rgb(0x8184cb));
}

#endif
