"""TensorBoard's own reader sees in a run's event files every tag, step and value that metrics.csv holds, the
histograms, the animation, the text and the hyperparameters; and after a resume nothing twice."""
import glob
import io
import os
import resource
import shutil
import signal
import subprocess
import time

import numpy
from PIL import Image
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.backend.event_processing.event_file_loader import LegacyEventFileLoader, RawEventFileLoader
from tensorboard.plugins.hparams import api_pb2, metadata

from tools_support import DEEPQ, deepq, metrics, same_float

COLUMNS = {
    "rollout/ep_rew_mean": "mean_return",
    "rollout/ep_len_mean": "mean_length",
    "rollout/ep_rew": "episode_return",
    "rollout/ep_len": "episode_length",
    "rollout/exploration_rate": "epsilon",
    "eval/mean_reward": "eval_return",
    "eval/mean_ep_length": "eval_length",
    "eval/mean_discounted_reward": "eval_discounted_return",
    "eval/mean_start_value": "eval_q_start",
    "train/loss": "loss",
    "train/learning_rate": "learning_rate",
    "train/q_mean": "q_mean",
    "train/q_min": "q_min",
    "train/q_max": "q_max",
    "train/target_mean": "target_mean",
    "train/target_min": "target_min",
    "train/target_max": "target_max",
    "train/n_updates": "updates",
    "time/episodes": "episode",
}


def load(folder):
    everything = {kind: 0 for kind in event_accumulator.DEFAULT_SIZE_GUIDANCE}
    board = event_accumulator.EventAccumulator(folder, size_guidance=everything)
    board.Reload()
    return board


def files(folder):
    return sorted(glob.glob(os.path.join(folder, "events.out.tfevents.*")))


def check_scalars(board, folder, from_step=0):
    rows = metrics(folder)
    assert len(rows) > 20
    assert set(board.Tags()["scalars"]) == {*COLUMNS, "time/fps", "time/time_elapsed"}
    for tag, column in COLUMNS.items():
        seen = [(e.step, e.value) for e in board.Scalars(tag)]
        told = [(int(r["step"]), r[column]) for r in rows if column in r]
        assert len(seen) == len(told) > 0, (tag, len(seen), len(told))
        for (step, value), (row_step, row_value) in zip(seen, told):
            assert step == row_step and same_float(value, row_value), (tag, step, value, row_step, row_value)
    elapsed = [e.value for e in board.Scalars("time/time_elapsed")]
    assert numpy.allclose(elapsed, [r["seconds"] for r in rows], atol=1e-4)
    last = board.Scalars("time/fps")[-1]
    if from_step == 0:
        assert abs(last.value * elapsed[-1] / last.step - 1) < 0.01, (last, elapsed[-1])


def check_histograms(board, folder):
    tags = set(board.Tags()["histograms"])
    from safetensors import numpy as safetensors

    weights = safetensors.load_file(os.path.join(folder, "weights.safetensors"))
    assert tags == {"q_values", *(f"{kind}/{name}" for name in weights for kind in ("weights", "gradients"))}
    for name, tensor in weights.items():
        events = board.Histograms(f"weights/{name}")
        steps = [e.step for e in events]
        assert len(steps) >= 2 and steps == sorted(set(steps))
        told = events[-1].histogram_value
        tensor = tensor.astype(numpy.float64)
        assert told.num == tensor.size and told.bucket[0] == 0 and sum(told.bucket) == told.num
        assert told.min == tensor.min() and told.max == tensor.max() == told.bucket_limit[-1]
        assert numpy.isclose(told.sum, tensor.sum(), rtol=1e-9, atol=1e-12)
        assert numpy.isclose(told.sum_squares, (tensor**2).sum(), rtol=1e-9)
        counted = [(tensor <= limit).sum() for limit in told.bucket_limit]
        # a value on an edge may count to either side
        assert max(abs(numpy.cumsum(told.bucket) - counted)[1:]) <= 2
    q = board.Histograms("q_values")[-1].histogram_value
    assert q.num == 2 * batch_size(folder) and 0 < q.max < 1000


def batch_size(folder):
    with open(os.path.join(folder, "config.yml")) as lines:
        return int(dict(line.strip().split(": ", 1) for line in lines)["batch_size"])


def check_episode(board, folder, count):
    events = board.Images("episode")
    assert len(events) == count, len(events)
    with open(os.path.join(folder, "episode.gif"), "rb") as gif:
        assert events[-1].encoded_image_string == gif.read()
    picture = Image.open(io.BytesIO(events[-1].encoded_image_string))
    assert picture.format == "GIF" and picture.n_frames > 5
    assert picture.size == (events[-1].width, events[-1].height)
    ends = board.Images("episode/end")
    assert [e.step for e in ends] == [e.step for e in events]
    still = Image.open(io.BytesIO(ends[-1].encoded_image_string))
    assert still.format == "PNG" and still.size == picture.size
    picture.seek(picture.n_frames - 1)  # the animation has 256 colours at most
    difference = numpy.asarray(still.convert("RGB"), int) - numpy.asarray(picture.convert("RGB"), int)
    assert abs(difference).mean() < 4, abs(difference).mean()


def summaries(folder):
    for path in files(folder):
        for event in LegacyEventFileLoader(path).Load():
            for value in event.summary.value:
                yield value


def check_hparams(folder, ended):
    found = {}
    for value in summaries(folder):
        if value.metadata.plugin_data.plugin_name == metadata.PLUGIN_NAME:
            assert value.tag not in found, f"{value.tag} stands there twice"
            found[value.tag] = value.metadata.plugin_data.content
    experiment = metadata.parse_experiment_plugin_data(found[metadata.EXPERIMENT_TAG])
    start = metadata.parse_session_start_info_plugin_data(found[metadata.SESSION_START_INFO_TAG])
    with open(os.path.join(folder, "config.yml")) as lines:
        config = dict(line.strip().split(": ", 1) for line in lines if line.strip())
    told = {}
    for name, value in start.hparams.items():
        told[name] = getattr(value, value.WhichOneof("kind"))
    unset = set(config) - set(told)
    assert all(config[name] in (".nan", ".inf", "-.inf") for name in unset), unset
    for name, value in told.items():
        if isinstance(value, bool):
            assert config[name] == str(value).lower(), name
        elif isinstance(value, float):
            assert float(config[name]) == value, name
        else:
            assert config[name].strip("\"'") == value.strip("\"'"), (name, config[name], value)
    assert {info.name for info in experiment.hparam_infos} == set(told)
    assert {info.name.tag for info in experiment.metric_infos} <= {*COLUMNS, "time/fps"}
    if ended:
        end = metadata.parse_session_end_info_plugin_data(found[metadata.SESSION_END_INFO_TAG])
        assert end.status == api_pb2.STATUS_SUCCESS
    else:
        assert metadata.SESSION_END_INFO_TAG not in found


def check_text(board):
    assert board.Tags()["tensors"] == ["config/text_summary"]
    text = board.Tensors("config/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "| `env` | CartPole-v1 |" in text


def test_whole_run():
    deepq("train", "CartPole-v1", "-q", "--out", "runs/whole", "total_steps=20000", "eval_every_episodes=20", "--record", 100)
    board = load("runs/whole")
    assert len(files("runs/whole")) == 1
    check_scalars(board, "runs/whole")
    check_histograms(board, "runs/whole")
    check_episode(board, "runs/whole", 1 + len(os.listdir("runs/whole/episodes")))
    check_hparams("runs/whole", ended=True)
    check_text(board)


def killed_beyond_checkpoint(folder, steps):
    """Trains and kills, a second and more after the first checkpoint; whether the training was short of its end."""
    run = subprocess.Popen([DEEPQ, "train", "CartPole-v1", "-q", "--out", folder, f"total_steps={steps}",
                            "checkpoint_seconds=0.5", "eval_every_episodes=50", "seed=3"])
    deadline = time.monotonic() + 300
    while not os.path.exists(f"{folder}/checkpoint/manifest") and run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(1.3)  # beyond the checkpoint, and a second for a flush
    short = run.poll() is None
    run.send_signal(signal.SIGKILL)
    return run.wait() == -signal.SIGKILL and short


def test_killed_and_resumed():
    """A killed training's file is readable up to its last flush; a resumed one takes back what the checkpoint does
    not know, and the whole equals an undisturbed training."""
    steps = 400_000
    while not killed_beyond_checkpoint("runs/cut", steps):  # a busy machine looked away for too long
        shutil.rmtree("runs/cut")
        steps *= 2
    before = load("runs/cut")
    reached = before.Scalars("rollout/ep_rew_mean")[-1].step
    assert reached > 1000
    with open(files("runs/cut")[0], "ab") as torn:  # as if it had been killed within a record
        torn.write(b"\x55\x00\x00\x00\x00\x00\x00\x00\x01\x02")
    deepq("train", "--resume", "runs/cut", "-q")
    assert len(files("runs/cut")) == 2
    board = load("runs/cut")
    check_scalars(board, "runs/cut", from_step=1)
    check_episode(board, "runs/cut", 1)
    check_hparams("runs/cut", ended=True)
    steps = [e.step for e in board.Histograms("q_values")]
    assert steps == sorted(set(steps))


def test_seeds_have_a_file_each():
    deepq("train", "CartPole-v1", "-q", "--seeds", 2, "--out", "runs/seeds", "total_steps=5000", "learning_starts=200")
    values = []
    for seed in (0, 1):
        folder = f"runs/seeds/seed-{seed}"
        assert len(files(folder)) == 1
        values.append([e.value for e in load(folder).Scalars("rollout/ep_rew")])
        assert values[-1] == [r["episode_return"] for r in metrics(folder) if "episode_return" in r]
    assert values[0] != values[1]


def test_full_disk():
    """What no longer fits costs the training nothing, is told in a sentence, and leaves the rest readable."""
    options = ["CartPole-v1", "-q", "total_steps=60000", "buffer_size=2000", "metrics_every_steps=50", "seed=1"]

    def almost_full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    run = subprocess.run([DEEPQ, "train", *options, "--out", "runs/full"], preexec_fn=almost_full, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "TensorBoard's events could not be written: the file would be larger than allowed" in run.stderr, run.stderr
    path = files("runs/full")[0]
    rows = metrics("runs/full")
    seen = load("runs/full").Scalars("time/episodes")
    assert 250_000 < os.path.getsize(path) <= 300_000
    assert 100 < len(seen) < len(rows)
    for event, row in zip(seen, rows):
        assert event.step == row["step"] and event.value == row["episode"]
    # every byte belongs to a whole record
    assert sum(len(record) + 16 for record in RawEventFileLoader(path).Load()) == os.path.getsize(path)


def test_switched_off():
    deepq("train", "CartPole-v1", "-q", "--out", "runs/off", "total_steps=2000", "tensorboard=false")
    assert not files("runs/off")


for name, check in list(globals().items()):
    if name.startswith("test_"):
        check()
        print("passed", name)
