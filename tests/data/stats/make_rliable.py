"""Records tests/data/stats/rliable.json: what rliable says of score matrices.

Run with rliable 1.2.0, numpy 2.4, scipy 1.17 and pandas 2: python make_rliable.py > rliable.json

The intervals are percentile intervals of rliable's own metrics over resamples drawn by NumPy's
default_rng(seed).integers(0, runs), run after run and task after task, which is the stream that
dq_stats_bootstrap draws; so they compare to rounding. `free` holds rliable's own get_interval_estimates
with its own stream, which compares to sampling error only.
"""
import json
import sys

import numpy as np
from rliable import library, metrics

LEVEL, REPS = 0.95, 2000


def draw(rng, x):
    runs, tasks = x.shape
    index = rng.integers(0, runs, size=x.shape)
    return x[index, np.arange(tasks)[None, :]]


def interval(figures):
    return [float(v) for v in np.quantile(figures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)]


def case(name, x, y, thresholds, seed):
    rng = np.random.default_rng(seed)
    iqm = interval([metrics.aggregate_iqm(draw(rng, x)) for _ in range(REPS)])
    rng = np.random.default_rng(seed)
    mean = interval([metrics.aggregate_mean(draw(rng, x)) for _ in range(REPS)])
    rng = np.random.default_rng(seed)
    better = interval([metrics.probability_of_improvement(draw(rng, x), draw(rng, y)) for _ in range(REPS)])
    rng = np.random.default_rng(seed)
    profiles = np.array([library.score_distributions(draw(rng, x), thresholds) for _ in range(REPS)])
    np.random.seed(seed)
    _, free = library.get_interval_estimates({"x": x}, lambda s: np.array([metrics.aggregate_iqm(s)]), reps=20000)
    return {
        "name": name, "seed": seed, "level": LEVEL, "reps": REPS,
        "runs": x.shape[0], "tasks": x.shape[1], "x": x.ravel().tolist(),
        "runs_y": y.shape[0], "y": y.ravel().tolist(),
        "mean": float(metrics.aggregate_mean(x)), "median_of_means": float(metrics.aggregate_median(x)),
        "median": float(np.median(x)), "sd": float(np.std(x, ddof=1)), "iqm": float(metrics.aggregate_iqm(x)),
        "optimality_gap": float(metrics.aggregate_optimality_gap(x, gamma=1.0)),
        "improvement": float(metrics.probability_of_improvement(x, y)),
        "quantile_0.1": float(np.quantile(x, 0.1)),
        "thresholds": thresholds.tolist(),
        "profile": library.score_distributions(x, thresholds).tolist(),
        "iqm_interval": iqm, "mean_interval": mean, "improvement_interval": better,
        "profile_low": np.quantile(profiles, (1 - LEVEL) / 2, axis=0).tolist(),
        "profile_high": np.quantile(profiles, (1 + LEVEL) / 2, axis=0).tolist(),
        "free": [float(v) for v in free["x"].ravel()],
    }


def main():
    g = np.random.default_rng(20)
    grid = np.linspace(0, 2, 9)
    cases = [
        case("twenty seeds of one task", g.normal(1, 0.5, (20, 1)), g.normal(0.8, 0.3, (20, 1)), grid, 0),
        case("five seeds of six tasks", g.gamma(2, 0.5, (5, 6)), g.gamma(2, 0.4, (7, 6)), grid, 1),
        case("ties", g.integers(0, 4, (11, 3)) / 2, g.integers(0, 4, (9, 3)) / 2, grid, 2),
        case("three runs", g.random((3, 1)), g.random((2, 1)), grid, 3),
        case("the same runs twice", np.full((4, 2), 0.5), np.full((4, 2), 0.5), grid, 4),
        case("returns of CartPole", np.minimum(500, g.normal(480, 40, (100, 1))), g.normal(470, 9, (100, 1)),
             grid * 250, 5),
    ]
    json.dump({"made_by": "rliable 1.2.0, numpy " + np.__version__, "cases": cases}, sys.stdout, indent=1)


main()
