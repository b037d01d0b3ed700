"""A W&B offline folder, written by W&B's own client through `deepq logger`, holds every row of metrics.csv, the
configuration, the animations and the weights; a second start of the logger continues the same run."""
import glob
import json
import os
import struct
import subprocess
import sys

from tools_support import DEEPQ, SOURCE, deepq, metrics

from wandb.proto import wandb_internal_pb2

sys.path.insert(0, os.path.join(SOURCE, "python"))
import deepq_logger


def records(path):
    """The records of a .wandb file: a log in LevelDB's format behind a header of 7 bytes."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:4] == b":W&B"
    at, parts = 7, []
    while at + 7 <= len(data):
        if 32768 - at % 32768 < 7:  # the rest of a block is padding
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack("<IHB", data[at:at + 7])
        assert kind in (1, 2, 3, 4), kind  # full, first, middle, last
        parts.append(data[at + 7:at + 7 + length])
        at += 7 + length
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(b"".join(parts))
            parts = []
            yield record


def name(item):
    return item.key or "/".join(item.nested_key)


def read(folder):
    """What an offline folder tells: its run, configuration, rows of history, and artifacts' files."""
    (path,) = glob.glob(os.path.join(folder, "*.wandb"))
    run, config, rows, files = None, {}, [], []
    for record in records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            config.update({name(item): json.loads(item.value_json) for item in record.run.config.update})
        elif kind == "history":
            rows.append({name(item): json.loads(item.value_json) for item in record.history.item})
        elif kind == "artifact":
            files += [entry.path for entry in record.artifact.manifest.contents]
        elif kind == "request" and record.request.WhichOneof("request_type") == "log_artifact":
            files += [entry.path for entry in record.request.log_artifact.artifact.manifest.contents]
    return run, config, rows, files


def log(*words):
    environment = {**os.environ, "WANDB_MODE": "offline", "WANDB_PROJECT": "balance", "WANDB_ENTITY": "me",
                   "WANDB_TAGS": "first,second", "DEEPQ_PYTHON": sys.executable}
    done = subprocess.run([DEEPQ, "logger", *words], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "deepq logger:" not in done.stderr, done.stderr
    return sorted(glob.glob("wandb/offline-run-*"), key=os.path.getmtime)


deepq("train", "CartPole-v1", "-q", "--out", "run", "total_steps=12000", "eval_every_episodes=20", "--record", 100)
(folder,) = log("run")
run, config, rows, files = read(folder)
assert (run.project, run.entity, list(run.tags)) == ("balance", "me", ["first", "second"]), run
for key, value in deepq_logger.read_config("run").items():
    assert config[key] == value or str(value) == "nan", (key, config[key], value)

told = metrics("run")
scalars = [row for row in rows if "episode/path" not in row]
assert len(scalars) == len(told) > 50, (len(rows), len(scalars), len(told))
for seen, row in zip(scalars, told):
    assert seen["global_step"] == row["step"]
    expected = {tag: row[column] for column, tag in deepq_logger.TAGS.items() if column in row}
    assert {k: v for k, v in seen.items() if "/" in k} == expected, (seen, expected)
assert {tag for row in scalars for tag in row} >= set(deepq_logger.TAGS.values())

films = [row for row in rows if "episode/path" in row]
assert len(films) == 1 + len(os.listdir("run/episodes"))
for row in films:
    assert os.path.getsize(os.path.join(folder, "files", row["episode/path"])) > 1000
with open(os.path.join(folder, "files", films[-1]["episode/path"]), "rb") as sent, open("run/episode.gif", "rb") as made:
    assert sent.read() == made.read()
assert {"weights.safetensors", "best.safetensors"} <= set(files), files

with open("run/metrics.csv", "a") as grown:
    grown.write("13000,999,1,5,5,5,0.25,0.1,0.1,,,,5,,1.0,1\n")
again = [f for f in log("run") if f != folder]
second, _, rows, _ = read(again[-1])
assert second.run_id == run.run_id
assert [row["train/loss"] for row in rows] == [0.25], rows
