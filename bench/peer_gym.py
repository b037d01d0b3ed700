"""Steps gymnasium.make(ID) in a plain loop with random actions and prints microseconds a step: peer_gym.py ID SECONDS"""
import sys
import time

import gymnasium
import numpy as np

try:
    import ale_py
    gymnasium.register_envs(ale_py)
except ImportError:
    pass

env = gymnasium.make(sys.argv[1])
actions = np.random.default_rng(1).integers(0, env.action_space.n, 4096).tolist()


def loop(seconds):
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        for _ in range(16):
            observation, reward, terminated, truncated, info = env.step(actions[steps % 4096])
            steps += 1
            if terminated or truncated:
                observation, info = env.reset()
    return 1e6 * (time.perf_counter() - start) / steps


env.reset(seed=0)
loop(0.1)
print(loop(float(sys.argv[2])))
