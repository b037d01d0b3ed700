"""Aim: its converter imports a run's TensorBoard files, scalars and pictures, those of a killed and resumed run too, and
`deepq logger` writes the same through its own client. Both are read back from Aim's storage.

The converter calls two functions of TensorFlow. Where that is not installed, stand_in/tensorflow is in its place: Aim's
code is whole, what reads records and decodes pictures for it is then TensorBoard's reader and Pillow."""
import glob
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time

if importlib.util.find_spec("aim") is None:  # requirements.txt leaves it out where it has no build
    print("skipped: this Python has no aim")
    sys.exit(77)
os.environ.update(AIM_UI_TELEMETRY_ENABLED="0", TF_CPP_MIN_LOG_LEVEL="3")

from aim.storage import encoding
from aim.storage.rockscontainer import RocksContainer
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader

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


def killed_beyond_checkpoint(folder, steps):
    """Trains and kills, once the event file has grown twice since the checkpoint at half the steps; whether the
    training was still short of its end."""
    run = subprocess.Popen([DEEPQ, "train", "CartPole-v1", "-q", "--out", folder, f"total_steps={steps}",
                            "checkpoint_seconds=0", f"checkpoint_steps={steps // 2}", "eval_every_episodes=50",
                            "metrics_every_steps=1000"])
    deadline, grown, size = time.monotonic() + 300, 0, 0
    while grown < 2 and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        if os.path.exists(os.path.join(folder, "checkpoint", "manifest")):
            now = os.path.getsize(*glob.glob(os.path.join(folder, "events.*")))
            grown, size = grown + (now > size > 0), now
    run.send_signal(signal.SIGKILL)
    run.wait()
    with open(os.path.join(folder, "metrics.csv")) as rows:
        last = rows.read().rpartition("\n")[0].splitlines()[-1]
    return last.partition(",")[0] != str(steps)


def train_killed_and_resumed(folder):
    """Leaves two event files, of which the first goes on beyond the step where the second begins."""
    steps = 300_000
    while not killed_beyond_checkpoint(folder, steps):  # a busy machine looked away for too long
        shutil.rmtree(folder)
        steps *= 2
    deepq("train", "-q", "--resume", folder)
    steps = []
    for path in sorted(glob.glob(os.path.join(folder, "events.*"))):
        steps.append([e.step for e in LegacyEventFileLoader(path).Load() if e.summary.value and e.step])
    assert len(steps) == 2 and max(steps[0]) > min(steps[1]), [(min(s), max(s)) for s in steps]


def convert(logs, repo):
    has_tensorflow = importlib.util.find_spec("tensorflow") is not None
    print("TensorFlow:", "the real one" if has_tensorflow else "the stand-in")
    path = "" if has_tensorflow else os.path.join(SOURCE, "tests", "tools", "stand_in")
    program = os.path.join(os.path.dirname(sys.executable), "aim")
    os.mkdir(repo)
    subprocess.run([program, "init", "--skip-if-exists"], cwd=repo, check=True, capture_output=True)
    done = subprocess.run([program, "convert", "tensorboard", "--logdir", os.path.abspath(logs)], cwd=repo,
                          env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0 and "conversion complete" in done.stdout, done.stdout + done.stderr


deepq("train", "CartPole-v1", "-q", "--out", "runs/one", "total_steps=8000", "eval_every_episodes=20")
train_killed_and_resumed("runs/cut")
convert("runs", "converted")
exact = {c: t for c, t in deepq_logger.TAGS.items() if c not in ("seconds", "steps_per_second")}
converted = {os.path.relpath(attributes["tensorboard_logdir"]): rest for attributes, *rest in read("converted")}
assert set(converted) == {"runs/one", "runs/cut"}
for folder, (series, pictures) in converted.items():
    check(series, folder, exact)  # every step once: Aim keeps a value by its step
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
