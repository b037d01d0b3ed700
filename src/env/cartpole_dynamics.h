// The motion of a pole on a cart that CartPole and its swing-up share.
//
// Constants and the order of operations are Gymnasium 1.4's (classic_control/cartpole.py), so that episodes
// agree with it to the last bits; the equations are (23) and (24) of Florian (2007), "Correct equations for
// the dynamics of the cart-pole system", without friction.
#ifndef DQ_ENV_CARTPOLE_DYNAMICS_H
#define DQ_ENV_CARTPOLE_DYNAMICS_H

#include <math.h>
#include <stdbool.h>

#define CARTPOLE_GRAVITY     9.8 // m/s^2
#define CARTPOLE_MASS_CART   1.0 // kg
#define CARTPOLE_MASS_POLE   0.1
#define CARTPOLE_MASS        (CARTPOLE_MASS_CART + CARTPOLE_MASS_POLE)
#define CARTPOLE_HALF_LENGTH 0.5 // m, of the pole
#define CARTPOLE_MASS_LENGTH (CARTPOLE_MASS_POLE * CARTPOLE_HALF_LENGTH)
#define CARTPOLE_FORCE       10.0 // N
#define CARTPOLE_TAU         0.02 // s between states
#define CARTPOLE_X_LIMIT     2.4
#define CARTPOLE_THETA_LIMIT (12 * 2 * M_PI / 360)
#define CARTPOLE_START       0.05 // every start value lies within this

typedef struct cartpole_state {
    double x, x_dot;         // m, m/s
    double theta, theta_dot; // rad, 0 is upright; rad/s
} cartpole_state;

// The state CARTPOLE_TAU later, pushed by `force` N to the right, where sine and cosine are those of theta.
// Euler's method moves positions with the old velocities, the semi-implicit one with the new.
static inline cartpole_state cartpole_pushed(cartpole_state s, double force, double sine, double cosine,
                                             bool euler) {
    const double push = (force + CARTPOLE_MASS_LENGTH * (s.theta_dot * s.theta_dot) * sine) / CARTPOLE_MASS;
    const double theta_acceleration =
        (CARTPOLE_GRAVITY * sine - cosine * push) /
        (CARTPOLE_HALF_LENGTH * (4.0 / 3.0 - CARTPOLE_MASS_POLE * (cosine * cosine) / CARTPOLE_MASS));
    const double x_acceleration = push - CARTPOLE_MASS_LENGTH * theta_acceleration * cosine / CARTPOLE_MASS;

    const double x_dot = s.x_dot + CARTPOLE_TAU * x_acceleration;
    const double theta_dot = s.theta_dot + CARTPOLE_TAU * theta_acceleration;
    return (cartpole_state){
        .x = s.x + CARTPOLE_TAU * (euler ? s.x_dot : x_dot),
        .x_dot = x_dot,
        .theta = s.theta + CARTPOLE_TAU * (euler ? s.theta_dot : theta_dot),
        .theta_dot = theta_dot,
    };
}

// Action 0 pushes to the left, action 1 to the right: a table, because actions are hard to predict.
static const double cartpole_forces[] = {-CARTPOLE_FORCE, CARTPOLE_FORCE};

static inline cartpole_state cartpole_move(cartpole_state s, int action, bool euler) {
    double sine, cosine;
    sincos(s.theta, &sine, &cosine);
    return cartpole_pushed(s, cartpole_forces[action], sine, cosine, euler);
}

#endif
