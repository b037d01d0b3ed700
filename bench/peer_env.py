"""The random-action steps of bench_env.c in Gymnasium, one core: python peer_env.py [ID]. The median of five
measurements, each of at least one second; LunarLander needs gymnasium[box2d]."""
import statistics
import sys
import time

import gymnasium
import numpy

ACTIONS, REPEATS = 4096, 5


def measure(env_id):
    env = gymnasium.make(env_id)
    actions = [int(a) for a in numpy.random.default_rng(1).integers(0, env.action_space.n, ACTIONS)]
    env.reset(seed=0)
    rates = []
    for _ in range(REPEATS):
        steps, start, seconds = 0, time.perf_counter(), 0
        while seconds < 1:
            for i in range(500):
                _, _, terminated, truncated, _ = env.step(actions[(steps + i) % ACTIONS])
                if terminated or truncated:
                    env.reset()
            steps += 500
            seconds = time.perf_counter() - start
        rates.append(steps / seconds)
    return statistics.median(rates)


for env_id in sys.argv[1:] or ["CartPole-v1", "Acrobot-v1", "MountainCar-v0", "LunarLander-v3"]:
    print(f"{env_id:18} {measure(env_id):16.0f}")
