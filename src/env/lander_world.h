// The rigid bodies of LunarLander, simulated by Box2D 2.4.1 behind a C interface: ground, lander, two legs on
// motored hinges, and who touches what. Forces, rewards and random draws are env_lunarlander.c's.
//
// Metres, seconds, radians. Two worlds given the same calls hold the same bits. A world belongs to one thread
// at a time.
#ifndef DEEPQ_ENV_LANDER_WORLD_H
#define DEEPQ_ENV_LANDER_WORLD_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { LANDER_GROUND_POINTS = 11, LANDER_BODIES = 3 }; // bodies: the lander, then its two legs

#define LANDER_SCALE 30.0 // pixels a metre: lengths are Gymnasium's pixels over this

typedef struct lander_body {
    float x, y, angle;
    float vx, vy, spin;
} lander_body;

typedef struct lander_world lander_world;

// The world with its bodies as `bodies` says: [LANDER_BODIES]. ground_x, ground_y: [LANDER_GROUND_POINTS].
// NULL when there is no memory.
lander_world *lander_world_create(float gravity, const float *ground_x, const float *ground_y,
                                  const lander_body *bodies);
void lander_world_destroy(lander_world *world);

// What acts on the lander during the next step: a force and a torque on its centre, impulses on points.
void lander_world_push(lander_world *world, float force_x, float force_y);
void lander_world_twist(lander_world *world, float torque);
void lander_world_kick(lander_world *world, float impulse_x, float impulse_y, float at_x, float at_y);

// Advances by 1/50 s and tells where the bodies are now: [LANDER_BODIES].
void lander_world_step(lander_world *world, lander_body *bodies);

bool lander_world_leg_touches(const lander_world *world, int leg); // leg: 0 or 1
bool lander_world_crashed(const lander_world *world);              // the lander itself touched the ground
bool lander_world_asleep(const lander_world *world);               // all has come to rest

#ifdef __cplusplus
}
#endif
#endif
