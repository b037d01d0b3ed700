// Gymnasium's environments as "gym:ID": each is stepped by worker processes of the user's own Python.
//
// "gym:LunarLander-v3", "gym:ALE/Pong-v5?frameskip=1" (what follows the ? goes to gymnasium.make), or
// "gym:my_module:MyEnv-v0", which imports my_module first. Python is the program that DEEPQ_PYTHON names, or
// python3. docs/gym.md tells the rest.
#ifndef DEEPQ_GYM_H
#define DEEPQ_GYM_H

#include <deepq/base.h>

#ifdef __cplusplus
extern "C" {
#endif

// From now on dq_env_find knows ids that begin with "gym:". Once, before threads start.
DQ_API dq_status dq_gym_register(dq_error *error);

#ifdef __cplusplus
}
#endif
#endif
