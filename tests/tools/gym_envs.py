"""Environments with one peculiarity each, for test_gym.py; deepq finds them as gym:gym_envs:NAME."""
import os

import gymnasium
import numpy
from gymnasium import spaces


class Walk(gymnasium.Env):
    """A random walk of 64-bit floats; action 1 (of 1 and 2) goes up. Ends beyond +-12."""

    observation_space = spaces.Box(-numpy.inf, numpy.inf, (2,), numpy.float64)
    action_space = spaces.Discrete(2, start=1)

    def __init__(self, trouble="", at=0):
        self.trouble, self.at = trouble, at

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.x = 0, self.np_random.normal()
        return self.look(), {}

    def look(self):
        return numpy.array([self.x, self.t / 7])

    def step(self, action):
        assert action in (1, 2)
        self.t += 1
        self.x += (1 if action == 1 else -1) + self.np_random.normal()
        if self.trouble == "raise" and self.t == self.at or self.trouble == "rarely" and self.x > self.at:
            raise ValueError("the walker has had enough")
        if self.trouble == "once" and self.t == self.at and not os.path.exists("died-once"):
            open("died-once", "w").close()
            print("farewell", flush=True)
            os._exit(3)
        if self.trouble == "noise" and self.t == self.at:
            self.x += int.from_bytes(os.urandom(4), "little") / 2**32
        truncated = self.trouble == "truncate" and self.t == self.at
        return self.look(), self.x, abs(self.x) > 12, truncated, {}


class Parts(Walk):
    """The same with observations in parts: a choice of three and two numbers."""

    observation_space = spaces.Dict(place=spaces.Discrete(3), walk=Walk.observation_space)

    def look(self):
        return {"place": self.t % 3, "walk": super().look()}


for name, entry, limit in (("Walk-v0", Walk, None), ("Short-v0", Walk, 5), ("Parts-v0", Parts, None)):
    gymnasium.register(name, entry_point=entry, max_episode_steps=limit)
