"""Steps gymnasium.make(ID) in a plain loop with random actions and prints microseconds a step: peer_gym.py ID SECONDS

An Atari game's step is four frames, the brighter of the last two in grey, resized to 84 x 84 by OpenCV.
"""
import sys
import time

import gymnasium
import numpy as np

try:
    import ale_py
    gymnasium.register_envs(ale_py)
except ImportError:
    pass



class FourFrames(gymnasium.Wrapper):
    def step(self, action):
        total, frames = 0.0, []
        for _ in range(4):
            frame, reward, terminated, truncated, info = self.env.step(action)
            frames.append(frame)
            total += reward
            if terminated or truncated:
                break
        grey = cv2.cvtColor(np.maximum(*frames[-2:]) if len(frames) > 1 else frames[0], cv2.COLOR_RGB2GRAY)
        return cv2.resize(grey, (84, 84), interpolation=cv2.INTER_AREA), total, terminated, truncated, info


if sys.argv[1].startswith("ALE/") or "NoFrameskip" in sys.argv[1]:
    import cv2

    cv2.setNumThreads(1)
    env = FourFrames(gymnasium.make(sys.argv[1], frameskip=1))
else:
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
