// A trained policy inside another program: no library, no allocation, two functions. They come from a file
// that `deepq train CartPole-v1 net_arch=[32,32] --out run` and `deepq export run -o cartpole.c` made; the
// loop below could as well be a game's or a board's.
//
// Build with: cc embed_policy.c embed_policy/cartpole.c -lm
#include <math.h>
#include <stdio.h>

int cartpole_act(const float *obs);          // 0: push left, 1: push right
void cartpole_q(const float *obs, float *q); // what deepq expects of either

// The cart and its pole, one fiftieth of a second on (Barto, Sutton and Anderson 1983).
static void push(float s[4], float force) {
    const float mass = 1.1F, pole = 0.05F, length = 0.5F, dt = 0.02F;
    const float sine = sinf(s[2]), cosine = cosf(s[2]);
    const float along = (force + pole * s[3] * s[3] * sine) / mass;
    const float turn = (9.8F * sine - cosine * along) / (length * (4.0F / 3 - 0.1F * cosine * cosine / mass));
    const float pace = along - pole * turn * cosine / mass;
    s[0] += dt * s[1];
    s[1] += dt * pace;
    s[2] += dt * s[3];
    s[3] += dt * turn;
}

int main(void) {
    float state[4] = {0, 0, 0.05F, 0}, q[2]; // position, velocity, angle, angular velocity
    int steps = 0;
    while (steps < 500 && fabsf(state[0]) < 2.4F && fabsf(state[2]) < 0.2095F) {
        push(state, cartpole_act(state) ? 10 : -10);
        steps++;
    }
    cartpole_q(state, q);
    printf("the pole stood for %d of 500 steps; the values at the end are %.1f and %.1f\n", steps,
           (double)q[0], (double)q[1]);
    return steps < 500;
}
