"""Records tests/data/tune/*.json: what SciPy, cmaes and Optuna say of the same numbers.

Run with optuna 5.0.0, cmaes 0.13.1, numpy 2.4, scipy 1.17 and scikit-learn 1.9 in this folder: python make_tune.py

NumPy's argsort puts equal numbers in an order that depends on their count; it is made stable here, since a Parzen
kernel's width depends on that order among equal observations.
"""
import json
import math
import warnings

import cmaes
import numpy as np
import optuna
from optuna._hypervolume import compute_hypervolume
from optuna._hypervolume.hssp import _solve_hssp
from optuna._transform import _SearchSpaceTransform
from optuna.samplers._tpe import sampler as tpe
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.study._multi_objective import _fast_non_domination_rank
from optuna.trial import TrialState
from scipy import stats

warnings.filterwarnings("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
argsort = np.argsort
np.argsort = lambda a, *args, **kwargs: argsort(a, *args, **{**kwargs, "kind": "stable"})
rng = np.random.default_rng(20261121)

Float, Int, Choice = (optuna.distributions.FloatDistribution, optuna.distributions.IntDistribution,
                      optuna.distributions.CategoricalDistribution)
SPACE = {
    "rate": Float(1e-5, 1e-1, log=True),
    "width": Int(8, 512, log=True),
    "layers": Int(1, 5),
    "period": Int(100, 2000, step=100),
    "share": Float(0.0, 1.0, step=0.05),
    "gap": Float(-3.0, 7.0),
    "kind": Choice(["a", "b", "c"]),
    "flag": Choice([True, False]),
}


def write(name, content):
    with open(name + ".json", "w") as out:
        json.dump(content, out, separators=(",", ":"))
        out.write("\n")


def describe(name, d):
    if isinstance(d, Choice):
        return {"name": name, "kind": 2, "choices": len(d.choices)}
    return {"name": name, "kind": int(isinstance(d, Int)), "low": d.low, "high": d.high, "step": d.step or 0,
            "log": d.log}


def draw(d):
    if isinstance(d, Choice):
        return int(rng.integers(len(d.choices)))
    if d.step:
        n = round((d.high - d.low) / d.step)
        value = d.low + d.step * int(rng.integers(n + 1))
        return value if isinstance(d, Int) else float(value)
    return float(np.exp(rng.uniform(np.log(d.low), np.log(d.high)))) if d.log else float(rng.uniform(d.low, d.high))


def normals():
    rows = []
    for _ in range(60):
        a = float(rng.choice([rng.uniform(-3, 3), rng.uniform(-30, 30), rng.uniform(-30, 0)]))
        b = a + float(rng.choice([rng.uniform(0.01, 3), rng.uniform(0, 50)]))
        x, q = a + (b - a) * rng.random(), float(rng.uniform(0.01, 0.99))
        row = [x, a, b, q, stats.norm.logcdf(x), stats.truncnorm.logpdf(x, a, b), stats.truncnorm.ppf(q, a, b)]
        if np.isfinite(row).all() and a <= row[-1] <= b:
            rows.append([float(v) for v in row])
    write("normal", rows)


def transforms():
    cases = []
    for name, d in SPACE.items():
        if isinstance(d, Choice):
            continue
        t = _SearchSpaceTransform({name: d}, transform_0_1=True)
        values = [draw(d) for _ in range(8)] + [d.low, d.high]
        units = [float(u) for u in rng.random(8)]
        cases.append({**describe(name, d), "values": values,
                      "to_unit": [float(t.transform({name: v})[0]) for v in values], "units": units,
                      "from_unit": [t.untransform(np.array([u]))[name] for u in units]})
    write("transforms", cases)


def parzen():
    cases = []
    for names in (["rate"], ["width"], ["period"], ["share"], ["gap"], ["kind"], ["flag"], list(SPACE)):
        for count in (0, 1, 2, 7, 26, 60):
            space = {name: SPACE[name] for name in names}
            observed = [[draw(d) for d in space.values()] for _ in range(count)]
            points = [[draw(d) for d in space.values()] for _ in range(4)]
            columns = {name: np.array([row[i] for row in observed], dtype=float) for i, name in enumerate(space)}
            for even in (False, True):
                if count == 0 and even:
                    continue
                parameters = _ParzenEstimatorParameters(1.0, True, False, tpe.default_weights, True)
                estimator = _ParzenEstimator(columns, space, parameters, np.ones(count) if even else None)
                density = estimator.log_pdf(
                    {name: np.array([p[i] for p in points], dtype=float) for i, name in enumerate(space)})
                cases.append({"axes": [describe(n, d) for n, d in space.items()], "even": even,
                              "observed": observed, "points": points,
                              "log_density": [float(v) for v in density]})
    write("parzen", cases)


def evolution():
    cases = []
    for dimension, population in ((1, None), (2, None), (5, 12)):
        state = cmaes.CMA(mean=np.full(dimension, 0.5), sigma=1 / 6, population_size=population, seed=1,
                          bounds=np.array([[0.0, 1.0]] * dimension))
        weight = rng.random(dimension) + 0.1
        generations = []
        for _ in range(5):
            points = np.array([state.ask() for _ in range(state.population_size)])
            values = [float(np.sum(weight * (p - 0.3) ** 2)) for p in points]
            state.tell([(p, v) for p, v in zip(points, values)])
            generations.append({"points": points.ravel().tolist(), "values": values, "mean": state.mean.tolist(),
                                "sigma": float(state._sigma), "covariance": state._C.ravel().tolist()})
        cases.append({"dimension": dimension, "population": state.population_size, "asked": population or 0,
                      "generations": generations})
    write("cmaes", cases)


PRUNERS = [
    ("median", {}, optuna.pruners.MedianPruner()),
    ("median", {"median_startup_trials": 2, "median_warmup_steps": 3, "median_interval_steps": 4,
                "median_min_trials": 3},
     optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=3, interval_steps=4, n_min_trials=3)),
    ("asha", {}, optuna.pruners.SuccessiveHalvingPruner()),
    ("asha", {"asha_min_resource": 1, "asha_reduction_factor": 3},
     optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)),
    ("asha", {"asha_min_resource": 2, "asha_reduction_factor": 2, "asha_min_early_stopping_rate": 1,
              "asha_bootstrap_count": 3},
     optuna.pruners.SuccessiveHalvingPruner(min_resource=2, reduction_factor=2, min_early_stopping_rate=1,
                                            bootstrap_count=3)),
    ("hyperband", {}, optuna.pruners.HyperbandPruner()),
    ("hyperband", {"hyperband_max_resource": 27}, optuna.pruners.HyperbandPruner(max_resource=27)),
    ("hyperband", {"hyperband_min_resource": 2, "hyperband_max_resource": 32, "hyperband_reduction_factor": 2,
                   "hyperband_bootstrap_count": 2},
     optuna.pruners.HyperbandPruner(min_resource=2, max_resource=32, reduction_factor=2, bootstrap_count=2)),
]


def pruners():
    """events: [trial, step, value, pruned] of a report, [trial] of an end. Eight trials run at a time."""
    cases = []
    for k, (name, options, pruner) in enumerate(PRUNERS):
        direction = "maximize" if k % 2 else "minimize"
        study = optuna.create_study(study_name=f"search {k}", direction=direction, pruner=pruner)
        length, stride, events, running, begun = 30, 1 + k % 3, [], [], 0
        while begun < 60 or running:
            while begun < 60 and len(running) < (1 if begun < 8 else 8):
                running.append([study.ask(), 0, rng.normal()])
                begun += 1
            entry = running[int(rng.integers(len(running)))]
            trial, step, level = entry
            value = round(float(level + rng.normal() + 0.1 * step), 1)
            if rng.random() < 0.02:
                value = float(rng.choice([math.nan, math.inf, -math.inf]))
            trial.report(value, step)
            pruned = bool(trial.should_prune())
            events.append([trial.number, step, value, pruned])
            entry[1] += stride
            if pruned or entry[1] > length:
                study.tell(trial, None if pruned else float(rng.normal()),
                           state=TrialState.PRUNED if pruned else TrialState.COMPLETE)
                if not pruned:
                    events.append([trial.number])
                running.remove(entry)
        assert any(e[3] for e in events if len(e) == 4), name
        cases.append({"pruner": name, "options": options, "study": study.study_name, "direction": direction,
                      "events": events})
    write("pruners", cases)


def fronts():
    cases = []
    for dimensions, count in ((2, 1), (2, 30), (2, 60), (3, 25), (4, 15)):
        points = rng.normal(size=(count, dimensions)).round(1)  # rounded: some are equal
        reference = points.max(axis=0) + 0.5
        rank = _fast_non_domination_rank(points)
        volume = compute_hypervolume(points, reference)
        front = points[rank == 0]
        size = max(1, len(front) // 2)
        chosen = _solve_hssp(front, np.arange(len(front)), size, reference)
        cases.append({"dimensions": dimensions, "points": points.ravel().tolist(), "reference": reference.tolist(),
                      "rank": rank.tolist(), "volume": float(volume), "size": size,
                      "chosen_volume": float(compute_hypervolume(front[chosen], reference))})
    write("pareto", cases)


def splits():
    cases = []
    for objectives in (1, 1, 2, 3):
        for count in (5, 40, 130, 300):
            directions = [str(rng.choice(["minimize", "maximize"])) for _ in range(objectives)]
            study = optuna.create_study(directions=directions)
            trials = []
            for _ in range(count):
                state = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING, TrialState.FAIL][
                    int(rng.choice(4, p=[0.3, 0.5, 0.1, 0.1] if objectives == 1 and count == 130
                                   else [0.8, 0.1 if objectives == 1 else 0, 0.05, 0.05 if objectives == 1 else 0.15]))]
                values = [float(v) for v in rng.normal(size=objectives).round(2)]
                steps = {int(s): float(rng.choice([round(rng.normal(), 1), math.nan], p=[0.9, 0.1]))
                         for s in range(int(rng.integers(4)))}
                study.add_trial(optuna.trial.FrozenTrial(
                    number=-1, value=None, values=values if state == TrialState.COMPLETE else None, state=state,
                    params={}, distributions={}, user_attrs={}, system_attrs={}, intermediate_values=steps,
                    datetime_start=None if state == TrialState.WAITING else __import__("datetime").datetime.now(),
                    datetime_complete=__import__("datetime").datetime.now() if state.is_finished() else None,
                    trial_id=0))
                trials.append({"state": int(state), "values": values,
                               "steps": [[s, v] for s, v in steps.items()]})
            known = [t for t in study.trials if t.state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)]
            told = sum(t.state != TrialState.RUNNING for t in known)
            gamma = tpe.default_gamma if objectives == 1 else tpe.default_gamma_multiobjective
            below, _ = tpe._split_trials(study, known, gamma(told))
            cases.append({"directions": directions, "trials": trials, "below": [t.number for t in below]})
    write("split", cases)


def importances():
    cases = []
    space = {name: SPACE[name] for name in ("rate", "layers", "gap", "kind", "flag", "width")}
    for weights in ([3, 1, 0.3, 1, 0.1, 0.0], [0, 0, 2, 0.5, 1, 0.2]):
        study = optuna.create_study()
        trials = []
        for _ in range(200):
            internal = {name: draw(d) for name, d in space.items()}
            value = float(weights[0] * (math.log10(internal["rate"]) + 3) ** 2 + weights[1] * internal["layers"]
                          + weights[2] * (internal["gap"] - 1) ** 2 / 4 + weights[3] * (internal["kind"] == 1) * 4
                          + weights[4] * internal["flag"] * 4 + weights[5] * math.log(internal["width"])
                          + 0.1 * rng.normal())
            study.add_trial(optuna.trial.create_trial(
                params={n: d.to_external_repr(internal[n]) for n, d in space.items()}, distributions=space,
                value=value))
            trials.append([*internal.values(), value])
        runs = [optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.FanovaImportanceEvaluator(seed=seed)) for seed in range(5)]
        cases.append({"axes": [describe(n, d) for n, d in space.items()], "trials": trials,
                      "share": [[run[name] for run in runs] for name in space]})
    write("importance", cases)



def journal():
    """Two studies in one journal: of one objective with pruned trials, and of two."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    storage = JournalStorage(JournalFileBackend("two_studies.log"))
    one = optuna.create_study(storage=storage, study_name="one", direction="maximize",
                              sampler=optuna.samplers.RandomSampler(seed=1))
    one.set_metric_names(["return"])

    def objective(trial):
        value = (-(math.log10(trial.suggest_float("learning_rate", 1e-5, 1e-2, log=True)) + 3) ** 2
                 + trial.suggest_int("n_step", 1, 5) + trial.suggest_categorical("batch_size", [16, 32]) / 16)
        for step in range(3):
            trial.report(value * step, step)
            if trial.number % 4 == 3:
                raise optuna.TrialPruned()
        return value

    one.optimize(objective, n_trials=20)
    two = optuna.create_study(storage=storage, study_name="two", directions=["maximize", "minimize"],
                              sampler=optuna.samplers.RandomSampler(seed=1))
    two.optimize(lambda t: (t.suggest_float("x", -3, 3), t.suggest_float("y", 0, 1) + t.params["x"] ** 2), n_trials=12)


normals()
transforms()
parzen()
evolution()
pruners()
fronts()
splits()
importances()
journal()
