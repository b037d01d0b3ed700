"""gym: environments step as Gymnasium does, to the bit; training on one is training on the built-in one; killing a
worker or the whole program loses nothing; and every trouble of a worker is one sentence."""
import csv
import os
import shutil
import signal
import subprocess
import sys
import time

import gymnasium
import numpy

from tools_support import DEEPQ, SOURCE, deepq

os.environ["DEEPQ_PYTHON"] = sys.executable
shutil.copy(os.path.join(SOURCE, "tests/tools/gym_envs.py"), ".")
sys.path.insert(0, ".")
import gym_envs  # noqa: E402,F401

TRAINING = ("net_arch=[16] batch_size=16 train_freq=4 learning_starts=200 buffer_size=3000 n_envs=4 "
            "eval_every_steps=4000 eval_episodes=3 checkpoint_steps=500 checkpoint_seconds=0 total_steps=12000").split()


def trace(env, seed, actions):
    with open("actions.txt", "w", encoding="utf-8") as out:
        out.writelines(f"{a}\n" for a in actions)
    rows = list(csv.reader(deepq("trace", env, "--seed", seed, "--actions", "actions.txt").splitlines()))
    return rows[0], [[float(x) for x in row] for row in rows[1:]]


def episode(env, seed, actions, start=0):
    """The same rows from Gymnasium itself."""
    observation, _ = env.reset(seed=seed)
    flat = lambda o: gymnasium.spaces.flatten(env.observation_space, o).astype(numpy.float32).tolist()  # noqa: E731
    rows = [[0, -1, *flat(observation), 0, 0, 0]]
    for t, action in enumerate(actions, 1):
        observation, reward, terminated, truncated, _ = env.step(action + start)
        rows.append([t, action, *flat(observation), float(reward), terminated, truncated])
        if terminated or truncated:
            break
    return rows


def steps_as_gymnasium():
    rng = numpy.random.default_rng(7)
    for name, built_in in (("CartPole-v1", True), ("Acrobot-v1", True), ("MountainCar-v0", True),
                           ("FrozenLake-v1", False), ("gym_envs:Walk-v0", False), ("gym_envs:Short-v0", False),
                           ("gym_envs:Parts-v0", False), ("LunarLander-v3", False)):
        env = gymnasium.make(name)
        start = int(env.action_space.start)
        for seed in (3, 2**40 + 1):
            actions = rng.integers(0, env.action_space.n, 600).tolist()
            header, rows = trace("gym:" + name, seed, actions)
            expected = episode(env, seed, actions, start)
            assert rows == expected, (name, seed, len(rows), len(expected))
            assert header[-3:] == ["reward", "terminated", "truncated"] and len(header) == len(rows[0])
            if built_in:
                _, own = trace(name, seed, actions)
                assert [numpy.float32(row[:-3]).tolist() for row in own] == [row[:-3] for row in rows], name
                assert [row[-3:] for row in own] == [row[-3:] for row in rows], name


def ends_are_told_apart():
    walk = "gym:gym_envs:Walk-v0?trouble=truncate&at=4"
    _, rows = trace(walk, 1, [0, 1] * 10)
    assert [row[-1] for row in rows] == [0, 0, 0, 0, 1] and rows[-1][-2] == 0
    _, rows = trace("gym:gym_envs:Short-v0", 1, [0, 1] * 10)
    assert len(rows) == 6 and rows[-1][-2:] == [0, 1]
    assert "step limit: 5" in deepq("envs", "gym:gym_envs:Short-v0")


# --- training --------------------------------------------------------------------------------------------------


def metrics(folder):
    """Without the two columns of time."""
    with open(os.path.join(folder, "metrics.csv"), newline="", encoding="utf-8") as rows:
        return [{k: v for k, v in row.items() if "second" not in k} for row in csv.DictReader(rows)]


def start(folder, *words):
    return subprocess.Popen([DEEPQ, "train", "gym:CartPole-v1", "--out", folder, "--quiet", *TRAINING, *words],
                            stderr=subprocess.PIPE, text=True)


def workers(process):
    """Its children that live, whichever thread started them."""
    found = []
    for task in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{task}/children", encoding="ascii") as children:
            found += [int(pid) for pid in children.read().split()]
    return [pid for pid in found if lives(pid)]


def lives(pid):
    """A dead one that nobody has waited for is a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_rows(process, folder, count):
    for _ in range(6000):
        assert process.poll() is None, process.stderr.read()
        if os.path.exists(f"{folder}/metrics.csv"):
            with open(f"{folder}/metrics.csv", encoding="utf-8") as rows:
                if len(rows.readlines()) > count:
                    return
        time.sleep(0.01)
    raise AssertionError("the training makes no progress")


def trains_as_the_built_in():
    deepq("train", "CartPole-v1", "--out", "native", "--quiet", *TRAINING)
    deepq("train", "gym:CartPole-v1", "--out", "plain", "--quiet", *TRAINING)
    assert metrics("plain") == metrics("native")
    for name in ("weights.safetensors", "best.safetensors"):
        tails = [open(f"{folder}/{name}", "rb").read()[-400:] for folder in ("native", "plain")]
        assert tails[0] == tails[1], name
    returns = [deepq("eval", "plain", "--env", env, "--episodes", 20, "--seed", 5, "--json").split('"returns"')[1]
               .split("]")[0] for env in ("CartPole-v1", "gym:CartPole-v1")]
    assert returns[0] == returns[1]


def a_killed_worker_loses_nothing():
    process = start("killed", "env.workers=2")
    for rows in (20, 60, 100):
        wait_for_rows(process, "killed", rows)
        for pid in workers(process):
            os.kill(pid, signal.SIGKILL)
    words = process.communicate(timeout=300)[1]
    assert process.returncode == 0, words
    assert words.count("killed by signal 9 (Killed)") >= 6, words  # two workers train
    assert "truncated" not in words, words
    assert metrics("killed") == metrics("plain")


def a_killed_program_goes_on():
    process = start("resumed")
    wait_for_rows(process, "resumed", 120)
    children = workers(process)
    process.kill()
    process.communicate()
    for _ in range(300):
        left = [pid for pid in children if lives(pid)]
        if not left:
            break
        time.sleep(0.01)
    assert not left, "workers outlive the program"
    assert len(metrics("resumed")) < len(metrics("plain"))
    deepq("train", "--resume", "resumed", "--quiet")
    assert metrics("resumed") == metrics("plain")


# --- trouble ----------------------------------------------------------------------------------------------------


def failing(*words, status=1):
    done = subprocess.run([DEEPQ, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == status, (words, done.returncode, done.stderr)
    return "".join(line for line in done.stderr.splitlines(True) if "has not answered" not in line)


def troubles_are_sentences():
    walk = "gym:gym_envs:Walk-v0?trouble="
    quick = "net_arch=[8] batch_size=4 train_freq=50 learning_starts=50 total_steps=300 n_envs=2".split()

    # one that dies once goes on where it was: the run is that of one that never died
    done = subprocess.run([DEEPQ, "train", walk + "once&at=5", "--out", "once", "--quiet", *quick],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "exit status 3; its last words: \"farewell\"" in done.stderr, done.stderr
    deepq("train", walk + "never&at=5", "--out", "never", "--quiet", *quick)
    assert metrics("once") == metrics("never")

    # one that fails in a certain state always: its episodes end there as truncated, and the run goes on
    done = subprocess.run([DEEPQ, "train", walk + "rarely&at=11", "--out", "rarely", "--quiet", *quick],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "ValueError: the walker has had enough" in done.stderr, done.stderr
    assert "ends as truncated" in done.stderr and "of the same step twice" in done.stderr, done.stderr
    assert int(metrics("rarely")[-1]["step"]) > 150

    # but not for ever
    words = failing("train", walk + "raise&at=6", "--out", "raise", "--quiet", *quick)
    assert "has died 9 times with fewer than 1000 steps between" in words.splitlines()[-1], words

    # one that does not repeat itself says so when it is brought back
    process = subprocess.Popen([DEEPQ, "train", walk + "noise&at=1", "--out", "noise", "--quiet", *quick,
                                "total_steps=20000"], stderr=subprocess.PIPE, text=True)
    wait_for_rows(process, "noise", 20)
    for pid in workers(process):
        os.kill(pid, signal.SIGKILL)
    words = process.communicate(timeout=300)[1]
    assert process.returncode == 0 and "does not repeat itself" in words, words

    for name, sentence, status in (
            ("NoSuch-v1", "doesn't exist", 2), ("CartPol-v1", "Did you mean: `CartPole`", 2), ("", "gym:ID", 2),
            ("Pendulum-v1", "deepq chooses among a number of actions", 1),
            ("gym_envs:Walk-v0?x", "NAME=VALUE", 2), ("CartPole-v1?nonsense=1", "unexpected keyword", 1),
            ("no_module:Walk-v0", "no_module", 1)):
        words = failing("envs", "gym:" + name, status=status)
        assert sentence in words and len(words.splitlines()) == 1, (name, words)

    bare = os.path.realpath(sys.executable)
    for python, sentence in (("/nowhere/python", "there is no program '/nowhere/python'"),
                             ("/bin/true", "ended while it started: exit status 0"),
                             ("/bin/false", "ended while it started: exit status 1")):
        os.environ["DEEPQ_PYTHON"] = python
        words = failing("train", "gym:CartPole-v1", "--out", "none", "--quiet")
        assert sentence in words and not os.path.exists("none"), words
    if subprocess.run([bare, "-S", "-c", "import gymnasium"], capture_output=True).returncode:
        with open("bare-python", "w", encoding="ascii") as script:
            script.write(f'#!/bin/sh\nexec {bare} -S "$@"\n')
        os.chmod("bare-python", 0o755)
        os.environ["DEEPQ_PYTHON"] = os.path.abspath("bare-python")
        words = failing("envs", "gym:CartPole-v1")
        assert "pip install gymnasium" in words and len(words.splitlines()) == 1, words
    os.environ["DEEPQ_PYTHON"] = sys.executable


def atari_loses_nothing_either():
    words = ("network=dqn2013 batch_size=8 train_freq=40 learning_starts=300 buffer_size=1000 n_envs=3 "
             "total_steps=900 eval_every_steps=0 step_limit=150").split()
    for folder, count in (("game", 1), ("game-killed", 2)):
        process = subprocess.Popen([DEEPQ, "train", "gym:BreakoutNoFrameskip-v4", "--out", folder, "--quiet", *words,
                                    f"env.workers={count}"], stderr=subprocess.PIPE, text=True)
        if count == 2:
            wait_for_rows(process, folder, 2)
            for pid in workers(process):
                os.kill(pid, signal.SIGKILL)
        said = process.communicate(timeout=300)[1]
        assert process.returncode == 0 and said.count("killed by signal 9") >= 2 * (count - 1), said
    assert metrics("game") == metrics("game-killed") and len(metrics("game")) > 3


def pong_has_tuned_values():
    """Those of presets/PongNoFrameskip-v4.yml; a word on the command line wins."""
    deepq("train", "gym:PongNoFrameskip-v4", "--out", "tuned", "--quiet", "total_steps=16", "buffer_size=2000",
          "learning_starts=1000", "eval_every_steps=0", "step_limit=5")
    with open("tuned/config.yml", encoding="utf-8") as lines:
        told = dict(line.strip().split(": ", 1) for line in lines if ": " in line)
    assert (told["head"], told["env.workers"], told["total_steps"]) == ("c51", "2", "16"), told


def pictures_are_gymnasiums():
    deepq("record", "random", "--env", "gym:CartPole-v1", "--seed", 3, "--step", 5, "-o", "pole.png", "--quiet")
    from PIL import Image

    picture = numpy.asarray(Image.open("pole.png").convert("RGB"))
    assert ((picture == (202, 152, 101)).all(axis=2)).sum() > 50  # the colour of Gymnasium's pole
    deepq("record", "random", "--env", "gym:gym_envs:Walk-v0", "-o", "walk.gif", "step_limit=5", "--quiet")


for check in (steps_as_gymnasium, ends_are_told_apart, trains_as_the_built_in, a_killed_worker_loses_nothing,
              a_killed_program_goes_on, atari_loses_nothing_either, pong_has_tuned_values, troubles_are_sentences,
              pictures_are_gymnasiums):
    began = time.monotonic()
    check()
    print(f"{check.__name__}: {time.monotonic() - began:.1f} s", flush=True)
