"""Plays an Atari game behind other people's own wrappers for test_gym_atari.c: atari_peer.py WHOSE ID SEED STEPS ACTIONS OUT

WHOSE is sb3 (Stable-Baselines3's AtariWrapper) or gymnasium (AtariPreprocessing with its defaults).
Actions are those of the file, a byte each. Writes for each step: what the step led to [84][84], what to act on next
[84][84], the reward, and whether learning takes it for an end, whether the game ended, and the lives left.
"""
import importlib.util
import os
import struct
import sys
import types

import ale_py
import gymnasium


def wrappers():
    """atari_wrappers.py by itself: the rest of its package needs PyTorch."""
    sys.path.append(os.path.join(sys.prefix, "previous"))  # requirements-previous.txt
    package = importlib.util.find_spec("stable_baselines3").submodule_search_locations[0]
    for name in ("stable_baselines3", "stable_baselines3.common", "stable_baselines3.common.type_aliases"):
        sys.modules[name] = types.ModuleType(name)
    aliases = sys.modules["stable_baselines3.common.type_aliases"]
    aliases.AtariResetReturn = aliases.AtariStepReturn = object
    spec = importlib.util.spec_from_file_location("atari_wrappers", os.path.join(package, "common/atari_wrappers.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


gymnasium.register_envs(ale_py)
whose, name, seed, steps, recorded, record = sys.argv[1:]
env = gymnasium.make(name)
env = {
    "sb3": lambda: wrappers().AtariWrapper(env, clip_reward=False),
    "gymnasium": lambda: gymnasium.wrappers.AtariPreprocessing(env),
}[whose]()
with open(recorded, "rb") as file:
    actions = file.read()
observation, _ = env.reset(seed=int(seed))
with open(record, "wb") as out:
    out.write(observation.tobytes())
    for action in actions[:int(steps)]:
        observation, reward, terminated, truncated, info = env.step(action)
        over = env.unwrapped.ale.game_over()
        following = env.reset()[0] if terminated or truncated else observation
        out.write(observation.tobytes() + following.tobytes())
        out.write(struct.pack("<d3i", reward, terminated or truncated, over, env.unwrapped.ale.lives()))
