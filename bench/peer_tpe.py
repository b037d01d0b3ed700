"""Optuna's TPE on the tasks of scenario/search_task.c, and the comparison with bench_tpe.

    peer_tpe.py run [searches] [trials] [yes|no|default] > optuna.csv    searches with Optuna (multivariate or not)
    peer_tpe.py compare ours.csv optuna.csv                              a table of medians, in Markdown
    peer_tpe.py time [trials]                                            one suggestion with so many trials behind it

`compare` also works every value of ours.csv out again from its parameters, so that both sides are known to search the
same functions. The interval is a bootstrap one (95 %, 10,000 resamples) of the difference of the medians.
"""
import csv
import math
import random
import statistics
import sys
import time

N = 10
CENTRE = (1.3, -2.1, 3.7, 0.4, -1.6, 2.2, 1, -2, -1.5, 2.5)
LETTER = {"a": 2.5, "b": -1, "c": 4, "d": -5, "e": 0.5}


def coordinates(v):
    z = [*v[:4], 2.5 * (math.log10(v[4]) + 3), 2.5 * (math.log10(v[5]) + 3), 0.5 * v[6] - 5, math.log2(v[7]) - 5,
         v[8], LETTER[v[9]]]
    return [a - b for a, b in zip(z, CENTRE)]


def sphere(z):
    return sum(a * a for a in z)


def ellipsoid(z):
    return sum(10 ** (3 * i / (N - 1)) * a * a for i, a in enumerate(z))


def rosenbrock(z):
    w = [a + 1 for a in z]
    return sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(w, w[1:]))


def rastrigin(z):
    return 10 * N + sum(a * a - 10 * math.cos(2 * math.pi * a) for a in z)


def ackley(z):
    return (20 + math.e - 20 * math.exp(-0.2 * math.sqrt(sphere(z) / N))
            - math.exp(sum(math.cos(2 * math.pi * a) for a in z) / N))


def griewank(z):
    return 1 + 100 * sphere(z) / 4000 - math.prod(math.cos(10 * a / math.sqrt(i + 1)) for i, a in enumerate(z))


def levy(z):
    w = [1 + a / 4 for a in z]
    return (math.sin(math.pi * w[0]) ** 2
            + sum((a - 1) ** 2 * (1 + 10 * math.sin(math.pi * a + 1) ** 2) for a in w[:-1])
            + (w[-1] - 1) ** 2 * (1 + math.sin(2 * math.pi * w[-1]) ** 2))


def styblinski(z):
    w = [a - 2.903534 for a in z]
    return sum(0.5 * (a ** 4 - 16 * a * a + 5 * a) + 39.16617 for a in w)


def zakharov(z):
    s = sum(0.5 * (i + 1) * a for i, a in enumerate(z)) ** 2
    return sphere(z) + s + s * s


def alpine(z):
    return sum(abs(a * math.sin(a) + 0.1 * a) for a in z)


TASKS = (sphere, ellipsoid, rosenbrock, rastrigin, ackley, griewank, levy, styblinski, zakharov, alpine)


def ask(trial):
    return [trial.suggest_float(f"x{i}", -5, 5) for i in range(4)] + [
        trial.suggest_float("x4", 1e-5, 1e-1, log=True), trial.suggest_float("x5", 1e-5, 1e-1, log=True),
        trial.suggest_int("x6", 0, 20), trial.suggest_int("x7", 1, 1024, log=True),
        trial.suggest_float("x8", -5, 5, step=0.5), trial.suggest_categorical("x9", list("abcde"))]


def sampler(seed, multivariate):
    import optuna
    if multivariate == "default":
        return optuna.samplers.TPESampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, multivariate=multivariate == "yes")


def run(searches, trials, multivariate):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("task,seed,best")
    for task in TASKS:
        for seed in range(searches):
            study = optuna.create_study(sampler=sampler(seed, multivariate))
            study.optimize(lambda trial: task(coordinates(ask(trial))), n_trials=trials)
            print(f"{task.__name__},{seed},{study.best_value!r}", flush=True)


def read(path):
    best = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            if "x0" in row:
                v = [float(row[f"x{i}"]) for i in range(9)] + ["abcde"[int(row["x9"])]]
                task = next(t for t in TASKS if t.__name__ == row["task"])
                again = task(coordinates(v))
                if abs(again - float(row["best"])) > 1e-6 * max(1, abs(again)):
                    sys.exit(f"{path}: {row['task']} seed {row['seed']} is {again}, not {row['best']}")
            best.setdefault(row["task"], []).append(float(row["best"]))
    return best


def compare(ours, theirs):
    ours, theirs, draw = read(ours), read(theirs), random.Random(0)
    print("| function | deepq | Optuna | difference, 95 % interval | deepq wins |")
    print("|---|---|---|---|---|")
    for task in TASKS:
        a, b = ours[task.__name__], theirs[task.__name__]
        resampled = sorted(statistics.median(draw.choices(a, k=len(a))) - statistics.median(draw.choices(b, k=len(b)))
                           for _ in range(10000))
        wins = sum((x < y) + 0.5 * (x == y) for x in a for y in b) / (len(a) * len(b))
        print(f"| {task.__name__} | {statistics.median(a):.4g} | {statistics.median(b):.4g} | "
              f"{statistics.median(a) - statistics.median(b):+.3g} ({resampled[250]:+.3g} to {resampled[9749]:+.3g}) | "
              f"{100 * wins:.0f} % |")


def suggestion(trials):
    import optuna
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(lambda trial: sphere(coordinates(ask(trial))), n_trials=trials)
    study.sampler = sampler(0, "default")
    fastest = math.inf
    for _ in range(20):
        begin = time.perf_counter()
        trial = study.ask()
        ask(trial)
        fastest = min(fastest, time.perf_counter() - begin)
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    print(f"one suggestion of Optuna {optuna.__version__} with {trials} trials: {1e3 * fastest:.2f} ms (best of 20)")


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["compare"] and len(words) == 3:
        compare(words[1], words[2])
    elif words[:1] == ["time"]:
        suggestion(int(words[1]) if len(words) > 1 else 1000)
    elif words[:1] == ["run"]:
        words += ["50", "100", "default"][len(words) - 1:]
        run(int(words[1]), int(words[2]), words[3])
    else:
        sys.exit(__doc__)
