"""Writes tests/data/atari/*.npy: what OpenCV and Stable-Baselines3 make of frames and of games.

    python3 make_atari_reference.py tests/data/atari

Needs numpy, opencv-python-headless, gymnasium and stable-baselines3. Frames and the game are made from the same
small formulas in tests/reference/test_atari.c, so that only results are stored:
  shrunk.npy   [4, 2, 84, 84] u8   four frames, grey and resized to 84x84, and rows 17 to 100 of 84x110
  wrapped.npy  [600, 4] f8         600 steps through AtariWrapper: reward before clipping, whether learning takes
                                   the step for an end, the grey of the step's observation, that of the next one
"""
import sys
import types

import cv2
import gymnasium
import numpy as np
from stable_baselines3.common.atari_wrappers import AtariWrapper

HEIGHT, WIDTH = 210, 160


def frame(number):
    """Patches of 5 x 7 pixels of one colour, with a fine grain over some of them."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.uint32)
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for c in range(3):
        patch = (x // 5 * 7919 + y // 7 * 104729 + np.uint32(c * 31 + number * 1009)) * np.uint32(2654435761)
        grain = (x * 31 + y * 17 + np.uint32(c)) * np.uint32(2246822519)
        image[..., c] = (patch >> 24) ^ ((grain >> 27) * ((patch >> 20) & 1))
    return image


def shrunk():
    out = np.zeros((4, 2, 84, 84), np.uint8)
    for number in range(4):
        grey = cv2.cvtColor(frame(number), cv2.COLOR_RGB2GRAY)
        out[number, 0] = cv2.resize(grey, (84, 84), interpolation=cv2.INTER_AREA)
        out[number, 1] = cv2.resize(grey, (84, 110), interpolation=cv2.INTER_AREA)[17:101]
    return out


class Toy(gymnasium.Env):
    """Three lives; each frame is of one colour, made from all actions so far.

    RIGHT costs no life: where it did as FireResetEnv's second press, Stable-Baselines3 would show the frame of
    before its own reset, and we show the one of after.
    """

    observation_space = gymnasium.spaces.Box(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
    action_space = gymnasium.spaces.Discrete(4)

    def __init__(self):
        self.ale = types.SimpleNamespace(lives=lambda: self.lives_left)
        self.games = 0

    def get_action_meanings(self):
        return ["NOOP", "FIRE", "RIGHT", "LEFT"]

    def picture(self):
        colour = [self.h & 255, self.h >> 8 & 255, self.h >> 16 & 255]
        return np.full((HEIGHT, WIDTH, 3), colour, np.uint8)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.games += 1
        self.h = 12345 + self.games
        self.lives_left = 3
        return self.picture(), {}

    def step(self, action):
        self.h = (self.h * 1103515245 + 12345 + int(action) * 7919) % 2**31
        self.lives_left -= (self.h >> 12) % 23 == 0 and action != 2
        return self.picture(), float((self.h >> 9) % 5 - 1), self.lives_left == 0, False, {}


def wrapped():
    env = AtariWrapper(Toy(), clip_reward=False)
    observation, _ = env.reset(seed=7)
    rows = []
    for t in range(600):
        observation, reward, terminated, truncated, _ = env.step(t * t // 3 % 4)
        after = observation[0, 0, 0]
        if terminated or truncated:
            observation, _ = env.reset()
        rows.append([reward, terminated or truncated, after, observation[0, 0, 0]])
    return np.array(rows)


if __name__ == "__main__":
    np.save(sys.argv[1] + "/shrunk.npy", shrunk())
    np.save(sys.argv[1] + "/wrapped.npy", wrapped())
