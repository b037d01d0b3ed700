"""Optuna, the current major version and the one before, and deepq on the same studies: each reads what the other
wrote, NaN and infinities included, and goes on with it; three processes share 200 trials; workers that are killed
lose no finished trial."""
import json
import math
import os
import random
import signal
import subprocess
import sys
import time

from tools_support import DEEPQ, deepq

HERE = os.path.dirname(os.path.abspath(__file__))
PREVIOUS = os.path.join(sys.prefix, "previous")  # the major version before, beside the current one
QUICK = ["total_steps=200", "--seeds", "1", "--evaluations", "4", "eval_episodes=1", "learning_starts=50",
         "buffer_size=1000", "net_arch=[8]", "train_freq=8", "gradient_steps=1", "batch_size=16"]

HELPER = r'''
import json, math, os, sys, time, warnings
warnings.simplefilter("ignore")
import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
optuna.logging.set_verbosity(optuna.logging.ERROR)


def storage(url, lock="symlink"):
    if "://" in url:
        return optuna.storages.RDBStorage(url)
    path = os.path.abspath(url)
    return JournalStorage(JournalFileBackend(path, JournalFileOpenLock(path) if lock == "open" else None))


def number(x):
    return x if isinstance(x, str) or x is None or math.isfinite(x) else repr(float(x))


def dump(url, name):
    study = optuna.load_study(study_name=name, storage=storage(url))
    return {"version": optuna.__version__, "directions": [d.name for d in study.directions],
            "user": sorted(study.user_attrs),
            "trials": [{"number": t.number, "id": t._trial_id, "state": t.state.name, "params": t.params,
                        "distributions": {k: optuna.distributions.distribution_to_json(d) for k, d in
                                          t.distributions.items()},
                        "intermediate": {str(k): number(v) for k, v in t.intermediate_values.items()},
                        "values": None if t.values is None else [number(v) for v in t.values],
                        "user": t.user_attrs, "system": t.system_attrs,
                        "seconds": t.duration.total_seconds() if t.duration else None} for t in study.trials]}


def odd(trial):
    x = trial.suggest_float("x", -1, 1)
    trial.suggest_int("n", 1, 9, step=2)
    trial.suggest_categorical("kind", ["a", None, True, 2.5])
    for step, value in enumerate((float("nan"), float("inf"), -float("inf"), x)):
        trial.report(value, step)
    trial.set_user_attr("note", {"deep": [1, None, "\u00e4"]})
    if trial.number == 1:
        raise optuna.TrialPruned()
    return [x, float("inf"), -float("inf"), float("nan"), x][trial.number % 5]


def like_deepq(trial):
    trial.suggest_float("learning_rate", 1e-5, 1e-2, log=True)
    trial.suggest_int("n_step", 1, 5)
    trial.set_user_attr("by", "optuna")
    open("optuna-works", "w").close()
    trial.report(1.0, 50)
    return trial.params["learning_rate"]


what, url, name = sys.argv[1:4]
if what == "dump":
    json.dump(dump(url, name), sys.stdout)
elif what == "odd":
    study = optuna.create_study(study_name=name, storage=storage(url, sys.argv[4]), direction="maximize")
    study.optimize(odd, n_trials=7)
    study.enqueue_trial({"learning_rate": 0.0025})
elif what == "work":  # until the study has so many trials, as deepq counts; of which it makes at most ...
    study = optuna.load_study(study_name=name, storage=storage(url))
    wanted, most, mine = int(sys.argv[4]), int(sys.argv[-1]), 0
    while len(study.get_trials(deepcopy=False)) < wanted:
        if mine < most:
            study.optimize(like_deepq, n_trials=1)
            mine += 1
        else:
            time.sleep(0.05)
'''


def optuna(*words, previous=False, wait=True):
    env = dict(os.environ, PYTHONPATH=PREVIOUS) if previous else os.environ
    command = [sys.executable, "-c", HELPER, *map(str, words)]
    if not wait:
        return subprocess.Popen(command, env=env)
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def search(*words, **more):
    return json.loads(deepq("tune", *words, "--json", "--quiet", **more))


def both_versions(url, name):
    """What the two versions of Optuna see has to be the same."""
    seen = [optuna("dump", url, name, previous=p) for p in (False, True)]
    versions = [int(s.pop("version").split(".")[0]) for s in seen]
    assert versions[0] == versions[1] + 1, versions
    for s in seen:
        for t in s["trials"]:
            t.pop("seconds")
    assert seen[0] == seen[1]
    return seen[0]


def check_numbers(seen):
    numbers = [t["number"] for t in seen["trials"]]
    assert numbers == list(range(len(numbers))), numbers
    assert len({t["id"] for t in seen["trials"]}) == len(numbers)


def optuna_reads_deepq(url):
    told = search("CartPole-v1", *QUICK, "--trials", 12, "--jobs", 2, "--storage", url, "--study", "ours", "--pruner",
                  "none", "--sampler", "random", "gradient_steps=2", "search.gamma=0.9 | 0.99",
                  "search.backup=max | double", "search.dueling=all")
    seen = both_versions(url, "ours")
    check_numbers(seen)
    assert seen["directions"] == ["MAXIMIZE"] and len(seen["trials"]) == 12 == told["trials"]
    assert {"deepq:config", "deepq:plan", "deepq:search"} <= set(seen["user"])
    best = max(seen["trials"], key=lambda t: t["values"][0])
    assert told["best"][0]["number"] == best["number"] and told["best"][0]["values"] == best["values"]
    assert told["best"][0]["params"] == best["params"]
    for t in seen["trials"]:
        assert t["state"] == "COMPLETE" and list(t["intermediate"]) == ["50", "100", "150", "200"], t
        p, d = t["params"], {k: json.loads(v) for k, v in t["distributions"].items()}
        assert set(p) == set(d) == {"learning_rate", "learning_rate_schedule", "learning_rate_period", "gamma", "n_step",
                                    "target_update", "target_update_interval", "tau", "epsilon_period", "epsilon_end",
                                    "backup", "dueling"}
        assert d["learning_rate"] == {"name": "FloatDistribution", "attributes": {
            "low": 1e-5, "high": 1e-2, "step": None, "log": True}}
        assert d["n_step"] == {"name": "IntDistribution", "attributes": {"low": 1, "high": 8, "step": 1, "log": False}}
        assert d["backup"]["attributes"]["choices"] == ["max", "double"]
        assert 1e-5 <= p["learning_rate"] <= 1e-2 and p["n_step"] in range(1, 9) and type(p["n_step"]) is int
        assert p["gamma"] in (0.9, 0.99) and type(p["dueling"]) is bool
    first = seen["trials"][0]  # as deepq train would have it, in the form of Optuna's enqueue_trial
    assert first["system"]["fixed_params"].items() <= first["params"].items(), first
    assert first["params"]["n_step"] == 8 and first["params"]["backup"] == "max"
    return told


def deepq_continues_optuna(url, lock):
    optuna("odd", url, "theirs", lock)
    before = both_versions(url, "theirs")
    told = search("CartPole-v1", *QUICK, "--trials", 11, "--jobs", 2, "--storage", url, "--study", "theirs",
                  "--sampler", "random")
    seen = both_versions(url, "theirs")
    check_numbers(seen)
    assert told["trials"] == 11 == len(seen["trials"])
    assert seen["trials"][:7] == before["trials"][:7]
    states = [t["state"] for t in seen["trials"]]
    assert states[:7] == ["COMPLETE", "PRUNED", "COMPLETE", "FAIL", "COMPLETE", "COMPLETE", "COMPLETE"], states
    assert seen["trials"][2]["values"] == ["-inf"] and seen["trials"][6]["values"] == ["inf"]
    assert list(seen["trials"][0]["intermediate"].values())[:3] == ["nan", "inf", "-inf"]
    wished = seen["trials"][7]  # the one that waited
    assert wished["params"]["learning_rate"] == 0.0025 and wished["state"] in ("COMPLETE", "PRUNED"), wished
    assert told["best"][0]["number"] == 6 and told["best"][0]["values"] == [None]  # infinity is no JSON
    # and Optuna once more
    optuna("work", url, "theirs", 13)
    seen = both_versions(url, "theirs")
    assert len(seen["trials"]) == 13 and seen["trials"][12]["user"] == {"by": "optuna"}


def three_processes(url):
    if os.path.exists("optuna-works"):
        os.remove("optuna-works")
    longer = ["total_steps=10000"]
    command = [DEEPQ, "tune", "CartPole-v1", *QUICK, *longer, "--trials", "200", "--jobs", "2", "--storage", url,
               "--study", "shared", "--quiet"]
    search("CartPole-v1", *QUICK, *longer, "--trials", 2, "--storage", url, "--study", "shared")
    workers = [optuna("work", url, "shared", 200, 100, wait=False)]
    while not os.path.exists("optuna-works"):  # it takes longer to start than all trials of the others
        time.sleep(0.05)
    workers += [subprocess.Popen([*command, "--out", out]) for out in ("a", "b")]
    assert [w.wait() for w in workers] == [0, 0, 0]
    seen = both_versions(url, "shared")
    check_numbers(seen)
    trials = seen["trials"]
    assert 200 <= len(trials) <= 201, len(trials)  # Optuna looks before it adds, which is not one step
    assert all(t["state"] in ("COMPLETE", "PRUNED") for t in trials)
    by = [t["user"].get("by") or t["user"]["deepq:worker"] for t in trials]
    counts = {w: by.count(w) for w in set(by)}
    print("trials by worker:", counts)
    assert len(counts) == 4 and "optuna" in counts  # the first two trials made the study
    assert sorted(counts.values())[0] == 2 and sorted(counts.values())[1] >= 5, counts
    ours = [json.dumps(t["params"], sort_keys=True) for t in trials if "by" not in t["user"]]
    assert len(set(ours)) == len(ours)  # nobody's work was done twice


def killed_workers(url):
    command = [DEEPQ, "tune", "CartPole-v1", *QUICK, "--trials", "100000", "--jobs", "2", "--storage", url, "--study",
               "killed", "--quiet", "total_steps=1000", "retries=3"]
    chance = random.Random(7)
    finished = {}
    started = time.monotonic()
    search(*command[2:command.index("--trials")], "--trials", 2, *command[command.index("--trials") + 2:])
    one = (time.monotonic() - started) / 2  # about the time that this machine takes to start and train a trial
    for kill in range(20):
        worker = subprocess.Popen(command)
        time.sleep(one * (0.5 + 2 * chance.random()))
        worker.send_signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
        if kill % 5 != 4:
            continue
        seen = {t["number"]: t for t in optuna("dump", url, "killed")["trials"]}
        for number, trial in finished.items():
            assert seen[number] == trial
        finished = {n: t for n, t in seen.items() if t["state"] not in ("RUNNING", "WAITING")}
    ended = len(finished)
    told = search("--resume", "--storage", url, "--study", "killed", "--trials", ended + 20)
    seen = both_versions(url, "killed")
    check_numbers(seen)
    states = [t["state"] for t in seen["trials"]]
    print("after 20 kills:", {s: states.count(s) for s in set(states)})
    assert "RUNNING" not in states and "WAITING" not in states
    given_up = [t for t in seen["trials"] if t["system"].get("deepq:abandoned")]
    retried = [t for t in seen["trials"] if "failed_trial" in t["system"]]
    assert given_up and retried and all(t["state"] == "FAIL" for t in given_up)
    for t in retried:  # with the same parameters as the one it repeats
        assert t["params"] == seen["trials"][t["system"]["failed_trial"]]["params"]
    assert told["trials"] - len(given_up) == ended + 20 + (len(finished) - ended)


def several_objectives(url):
    told = search("CartPole-v1", *QUICK, "--trials", 15, "--storage", url, "--study", "front", "--objective",
                  "return,seconds", "--out", "front")
    seen = both_versions(url, "front")
    assert seen["directions"] == ["MAXIMIZE", "MINIMIZE"]
    values = [t["values"] for t in seen["trials"]]
    best = {t["number"] for t in seen["trials"] if not any(
        v[0] >= t["values"][0] and v[1] <= t["values"][1] and v != t["values"] for v in values)}
    assert {t["number"] for t in told["best"]} == best
    assert {f"front-{n}.yml" for n in best} <= set(os.listdir("front"))


TESTS = ((optuna_reads_deepq, ["a.log"]), (deepq_continues_optuna, ["b.log", "symlink"]),
         (deepq_continues_optuna, ["c.log", "open"]), (several_objectives, ["a.log"]), (three_processes, ["d.log"]),
         (killed_workers, ["e.log"]), (optuna_reads_deepq, ["sqlite:///a.db"]),
         (deepq_continues_optuna, ["sqlite:///b.db", "symlink"]), (killed_workers, ["sqlite:///e.db"]))

if __name__ == "__main__":
    for test, words in TESTS:
        if len(sys.argv) > 1 and test.__name__ not in sys.argv:
            continue
        started = time.monotonic()
        test(*words)
        print(f"{test.__name__} {' '.join(words)}: {time.monotonic() - started:.1f} s", flush=True)
