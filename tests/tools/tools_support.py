"""What the tests in this folder share: running deepq and reading a run's metrics."""
import csv
import math
import os
import subprocess

DEEPQ = os.environ["DEEPQ"]
SOURCE = os.environ["DEEPQ_SOURCE"]


def deepq(*words, status=0):
    """Runs the program, checks its exit status and returns what it printed."""
    done = subprocess.run([DEEPQ, *map(str, words)], capture_output=True, text=True)
    assert done.returncode == status, f"deepq {' '.join(map(str, words))}: {done.returncode}\n{done.stderr}"
    return done.stdout


def metrics(folder):
    """metrics.csv as a list of dictionaries of numbers; a cell that was not measured is left out."""
    with open(os.path.join(folder, "metrics.csv"), newline="") as rows:
        return [{k: float(v) for k, v in row.items() if v != ""} for row in csv.DictReader(rows)]


def same_float(a, b):
    """Equal as 32-bit floats."""
    import numpy

    return numpy.float32(a) == numpy.float32(b) or (math.isnan(a) and math.isnan(b))
