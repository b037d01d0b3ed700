"""Aim: its converter imports a run's TensorBoard files, scalars and pictures, and `deepq logger` writes the same through
its own client. Both are read back from Aim's storage."""
import importlib.util
import os
import subprocess
import sys

for package in ("aim", "tensorflow"):  # requirements.txt leaves them out where they have no build
    if importlib.util.find_spec(package) is None:
        print(f"skipped: this Python has no {package}")
        sys.exit(77)
os.environ.update(AIM_UI_TELEMETRY_ENABLED="0", TF_CPP_MIN_LOG_LEVEL="3")

from aim.storage import encoding
from aim.storage.rockscontainer import RocksContainer

from tools_support import DEEPQ, SOURCE, deepq, metrics, same_float

sys.path.insert(0, os.path.join(SOURCE, "python"))
import deepq_logger


def read(repo):
    """The runs of a repository: attributes, {metric: [(step, value), ...]}, {name: a picture}."""
    chunks = os.path.join(repo, ".aim", "meta", "chunks")
    for run in os.listdir(chunks):
        meta = RocksContainer(os.path.join(chunks, run), read_only=True).tree().collect()["meta"]["chunks"][run]
        arrays, pictures = {}, {}
        for traces in meta["traces"].values():
            for name, trace in traces.items():
                if trace["dtype"] == "aim.image":
                    pictures[name] = trace["last"].to_pil_image()
        # seqs/v2/chunks/RUN/CONTEXT/NAME/{step,val}/KEY
        marker = run.encode() + b"\xfe\xfe"
        for key, value in RocksContainer(os.path.join(repo, ".aim", "seqs", "chunks", run), read_only=True).items():
            for name in meta_names(meta, "float"):
                for field in ("step", "val"):
                    inner = b"\xfe" + name.encode() + b"\xfe" + field.encode() + b"\xfe\xfe"
                    if inner in key and marker in key:
                        place = key.split(inner, 1)[1]
                        arrays.setdefault(name, {}).setdefault(place, {})[field] = encoding.decode(value)
        series = {name: sorted((cell["step"], cell["val"]) for cell in cells.values() if len(cell) == 2)
                  for name, cells in arrays.items()}
        yield meta.get("attrs", {}), series, pictures


def meta_names(meta, kind):
    return {name for traces in meta["traces"].values() for name, trace in traces.items() if trace["dtype"] == kind}


def check(series, folder, tags):
    rows = metrics(folder)
    for column, tag in tags.items():
        told = sorted((int(row["step"]), row[column]) for row in rows if column in row)
        assert len(series[tag]) == len(told) > 0, (tag, len(series[tag]), len(told))
        for (step, value), (row_step, row_value) in zip(series[tag], told):
            assert step == row_step and same_float(value, row_value), (tag, step, value, row_step, row_value)


deepq("train", "CartPole-v1", "-q", "--out", "runs/one", "total_steps=8000", "eval_every_episodes=20")
program = [os.path.join(os.path.dirname(sys.executable), "aim")]
os.mkdir("converted")
subprocess.run([*program, "init", "--skip-if-exists"], cwd="converted", check=True, capture_output=True)
done = subprocess.run([*program, "convert", "tensorboard", "--logdir", os.path.abspath("runs")], cwd="converted",
                      capture_output=True, text=True)
assert done.returncode == 0 and "conversion complete" in done.stdout, done.stdout + done.stderr
((attributes, series, pictures),) = read("converted")
assert attributes["tensorboard_logdir"] == os.path.abspath("runs/one")
exact = {c: t for c, t in deepq_logger.TAGS.items() if c not in ("seconds", "steps_per_second")}
check(series, "runs/one", exact)
assert set(pictures) == {"episode/end"} and pictures["episode/end"].size[0] > 100

environment = {**os.environ, "AIM_TAGS": "a", "DEEPQ_PYTHON": sys.executable}
done = subprocess.run([DEEPQ, "logger", "runs/one", "--to", "aim", "--aim-repo", "sent"], env=environment,
                      capture_output=True, text=True)
assert done.returncode == 0 and "deepq logger:" not in done.stderr, done.stderr
((attributes, series, pictures),) = read("sent")
assert attributes["hparams"]["env"] == "CartPole-v1"
check(series, "runs/one", deepq_logger.TAGS)
assert set(pictures) == {"episode"}
kept = {name for _, _, names in os.walk("sent/.aim/artifacts") for name in names}
assert {"weights.safetensors", "episode.gif"} <= kept, kept
