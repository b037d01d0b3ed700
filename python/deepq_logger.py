#!/usr/bin/env python3
"""Streams the folders of deepq's runs to Weights & Biases and to Aim, beside a training or after it.

It reads what a training leaves (config.yml, metrics.csv, animations, weights) and is a process of its own, so
that a tracker that is slow or down costs the training nothing. What was sent is remembered in the run's folder
(logger.json): stopped and started again, it goes on where it was. Needs Python 3.9 and the client of the
tracker: `pip install wandb` or `pip install aim`.
"""
import argparse
import csv
import glob
import json
import math
import os
import re
import signal
import sys
import time

# The tags are those of the run's TensorBoard files (docs/trackers.md).
TAGS = {
    "mean_return": "rollout/ep_rew_mean",
    "mean_length": "rollout/ep_len_mean",
    "episode_return": "rollout/ep_rew",
    "episode_length": "rollout/ep_len",
    "epsilon": "rollout/exploration_rate",
    "eval_return": "eval/mean_reward",
    "eval_length": "eval/mean_ep_length",
    "eval_discounted_return": "eval/mean_discounted_reward",
    "eval_q_start": "eval/mean_start_value",
    "loss": "train/loss",
    "learning_rate": "train/learning_rate",
    "q_mean": "train/q_mean",
    "q_min": "train/q_min",
    "q_max": "train/q_max",
    "target_mean": "train/target_mean",
    "target_min": "train/target_min",
    "target_max": "train/target_max",
    "updates": "train/n_updates",
    "episode": "time/episodes",
    "seconds": "time/time_elapsed",
    "steps_per_second": "time/fps",
}
STATE = "logger.json"
WEIGHTS = ("weights.safetensors", "best.safetensors")


class Problem(Exception):
    """A sentence for the user."""


def complain(sentence):
    print(f"deepq logger: {sentence}", file=sys.stderr, flush=True)


def one_line(error):
    return " ".join(str(error).split())[:200] or type(error).__name__


# --- a run's folder ---------------------------------------------------------------------------------------------


def scalar(text):
    """A value of config.yml: true, 100, 0.5, .nan, [64, 64] or text."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        return [scalar(item) for item in text[1:-1].split(",") if item.strip()]
    if text in ("true", "false"):
        return text == "true"
    if text in (".nan", ".inf", "-.inf"):
        return float(text.replace(".", "", 1))
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def read_config(folder):
    with open(os.path.join(folder, "config.yml"), encoding="utf-8") as lines:
        pairs = (line.split(":", 1) for line in lines if ":" in line and not line.lstrip().startswith("#"))
        return {name.strip(): scalar(value) for name, value in pairs}


class Metrics:
    """metrics.csv as it grows. A resumed training cuts it back to its last checkpoint and writes the same rows
    again; those that were handed out before are skipped."""

    def __init__(self, folder, last):
        self.path = os.path.join(folder, "metrics.csv")
        self.last = tuple(last)  # (step, episode) of the last row that was handed out
        self.offset = 0
        self.tail = b""  # the line before the offset
        self.columns = None

    def rows(self):
        """The new rows, each a dictionary without the cells that are empty."""
        try:
            file = open(self.path, "rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(self.offset - len(self.tail))
            if file.read(len(self.tail)) != self.tail:  # it was cut back
                self.offset, self.tail, self.columns = 0, b"", None
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return  # still being written
                cells = next(csv.reader([line.decode("utf-8")]))
                columns, self.columns = self.columns, self.columns or cells
                row = {name: float(cell) for name, cell in zip(columns or (), cells) if cell}
                place = (int(row["step"]), int(row["episode"])) if row else self.last
                if place > self.last:
                    yield row
                    self.last = place
                self.offset += len(line)
                self.tail = line


class Run:
    def __init__(self, folder, root):
        self.folder = folder
        self.config = read_config(folder)
        inside = os.path.relpath(folder, root)
        self.group = None if inside == "." else os.path.basename(os.path.abspath(root))
        self.name = "-".join([self.group, *inside.split(os.sep)]) if self.group else os.path.basename(
            os.path.abspath(folder))

    def path(self, name):
        return os.path.join(self.folder, name)

    def animations(self):
        """(episode, path) of what --record left, and (None, path) of the last episode."""
        for path in sorted(glob.glob(self.path("episodes/episode-*.gif"))):
            yield int(re.search(r"(\d+)\.gif$", path).group(1)), path
        if os.path.exists(self.path("episode.gif")):
            yield None, self.path("episode.gif")

    def ended(self):
        """The curves are drawn when all is over."""
        try:
            return os.path.getmtime(self.path("curves.svg")) >= os.path.getmtime(self.path("metrics.csv"))
        except OSError:
            return False


def find_runs(root):
    """The folders of all runs in a folder, itself included: seed-2 comes before seed-10."""
    found = glob.glob(os.path.join(glob.escape(root), "**", "metrics.csv"), recursive=True)
    folders = [os.path.dirname(path) for path in found]
    folders = [folder for folder in folders if os.path.exists(os.path.join(folder, "config.yml"))]
    return sorted(folders, key=lambda f: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", f)])


def named(row):
    return {tag: row[column] for column, tag in TAGS.items() if column in row and not math.isnan(row[column])}


# --- trackers ---------------------------------------------------------------------------------------------------
# Each has a name, an identity that is kept in logger.json, and takes rows, animations and weights.


class Wandb:
    """Project, entity, tags, mode and folder come from WANDB_PROJECT, WANDB_ENTITY, WANDB_TAGS, WANDB_MODE,
    WANDB_DIR and the other variables that the client of W&B reads by itself."""

    name = "wandb"

    def __init__(self, run, identity, options):
        try:
            import wandb
        except ImportError:
            raise Problem("the client of Weights & Biases is not installed: pip install wandb") from None
        self.wandb = wandb
        settings = {
            "id": identity,
            "resume": "allow",
            "reinit": "create_new",
            "project": os.environ.get("WANDB_PROJECT", "deepq"),
            "name": os.environ.get("WANDB_NAME", run.name),
            "group": os.environ.get("WANDB_RUN_GROUP", run.group),
            "config": run.config,
            "settings": wandb.Settings(silent=True, x_disable_stats=True, console="off", init_timeout=30),
        }
        try:
            self.run = wandb.init(**settings)
        except Exception as error:  # no network, no key, a server that is down
            complain(f"Weights & Biases cannot be reached ({one_line(error)}); {run.folder} goes to an offline "
                     "folder below ./wandb, for `wandb sync`")
            self.run = wandb.init(**settings, mode="offline")
        self.identity = self.run.id
        self.run.define_metric("global_step")
        self.run.define_metric("*", step_metric="global_step")

    def row(self, row):
        self.run.log({"global_step": int(row["step"]), **named(row)})

    def animation(self, step, path):
        self.run.log({"global_step": step, "episode": self.wandb.Video(path, format="gif")})

    def weights(self, paths):
        artifact = self.wandb.Artifact(f"weights-{self.run.id}", type="model")
        for path in paths:
            artifact.add_file(path)
        self.run.log_artifact(artifact)

    def close(self):
        self.run.finish()


class Aim:
    """The repository is --aim-repo, else $AIM_REPO, else the working folder; it may be an aim://HOST:PORT. Tags
    come from AIM_TAGS."""

    name = "aim"

    def __init__(self, run, identity, options):
        os.environ.setdefault("AIM_UI_TELEMETRY_ENABLED", "0")
        try:
            import aim
        except ImportError:
            raise Problem("the client of Aim is not installed: pip install aim") from None
        self.aim = aim
        repo = options.aim_repo or os.environ.get("AIM_REPO") or os.getcwd()
        self.local = None if "://" in repo else os.path.abspath(repo)
        if self.local and not os.path.isdir(os.path.join(self.local, ".aim")):
            aim.Repo.from_path(self.local, init=True)
        self.run = aim.Run(identity, repo=self.local or repo, experiment=run.group or run.config.get("env"),
                           force_resume=bool(identity), system_tracking_interval=None, capture_terminal_logs=False)
        self.identity = self.run.hash
        self.run.name = run.name
        self.run["hparams"] = {name: None if isinstance(value, float) and not math.isfinite(value) else value
                               for name, value in run.config.items()}
        for tag in filter(None, os.environ.get("AIM_TAGS", "").split(",")):
            self.run.add_tag(tag.strip())

    def row(self, row):
        self.run.track(named(row), step=int(row["step"]))

    def animation(self, step, path):
        self.run.track(self.aim.Image(path), name="episode", step=step)
        self.keep(path)

    def keep(self, path):
        if self.local:  # a server has no place for files
            self.run.set_artifacts_uri("file://" + os.path.join(self.local, ".aim", "artifacts"))
            self.run.log_artifact(path, name=os.path.basename(path), block=True)

    def weights(self, paths):
        for path in paths:
            self.keep(path)

    def close(self):
        self.run.close()


TRACKERS = {kind.name: kind for kind in (Wandb, Aim)}


# --- following --------------------------------------------------------------------------------------------------


class Stream:
    """One run on its way to one tracker."""

    def __init__(self, run, kind, options):
        self.run = run
        self.kind = kind
        state = self.state().get(kind.name, {})
        self.metrics = Metrics(run.folder, state.get("last", (-1, -1)))
        self.sent = dict(state.get("files", {}))
        self.steps = {}  # of episodes that are over
        self.saved = None
        self.tracker = kind(run, state.get("id"), options)

    def state(self):
        try:
            with open(self.run.path(STATE), encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    def save(self):
        mine = {"id": self.tracker.identity, "last": list(self.metrics.last), "files": dict(self.sent)}
        if mine == self.saved:
            return
        beside = self.run.path(f".{STATE}.{os.getpid()}.tmp")
        with open(beside, "w", encoding="utf-8") as file:
            json.dump({**self.state(), self.kind.name: mine}, file)
        os.replace(beside, self.run.path(STATE))
        self.saved = mine

    def fresh(self, path):
        """Is this file new, or another one than was sent?"""
        about = os.stat(path)
        stamp = [about.st_size, about.st_mtime_ns]
        name = os.path.relpath(path, self.run.folder)
        if self.sent.get(name) == stamp:
            return False
        self.sent[name] = stamp
        return True

    def pump(self):
        """Sends what is new; tells whether there was anything."""
        news = False
        for row in self.metrics.rows():
            self.tracker.row(row)
            self.steps[int(row["episode"])] = int(row["step"])
            news = True
        last = max(0, self.metrics.last[0])
        for episode, path in self.run.animations():
            if self.fresh(path):
                self.tracker.animation(self.steps.get(episode, last), path)
                news = True
        self.save()
        return news

    def finish(self):
        self.pump()
        paths = [self.run.path(name) for name in WEIGHTS if os.path.exists(self.run.path(name))]
        if any([self.fresh(path) for path in paths]):
            self.tracker.weights(paths)
        self.tracker.close()
        self.save()


def new_streams(kinds, options, known):
    """Streams of runs that appeared since the last look. A tracker that fails is told of once and left alone."""
    for root in options.runs:
        for folder in find_runs(root):
            for kind in kinds:
                if (folder, kind.name) in known:
                    continue
                known.add((folder, kind.name))
                try:
                    yield Stream(Run(folder, root), kind, options)
                except Problem:
                    raise
                except Exception as error:
                    complain(f"{folder} does not get to {kind.name}: {one_line(error)}")
                    options.failed = True


def tend(streams, what, options):
    """Calls what(stream) for each; one that fails is dropped. Returns whether there was news."""
    news = False
    for stream in list(streams):
        try:
            news = bool(what(stream)) or news
        except Exception as error:
            complain(f"{stream.run.folder} no longer gets to {stream.kind.name}: {one_line(error)}; start the "
                     "logger again, and it goes on where it was")
            options.failed = True
            streams.remove(stream)
            try:
                stream.save()  # the row that failed is not counted
            except OSError as full:
                complain(f"{stream.run.folder}/{STATE} could not be written: {one_line(full)}; the next start sends "
                         "some rows again")
    return news


def follow(options):
    kinds = [TRACKERS[name] for name in options.to]
    known, streams = set(), []
    quiet_since = time.monotonic()
    while True:
        streams.extend(new_streams(kinds, options, known))
        if tend(streams, Stream.pump, options):
            quiet_since = time.monotonic()
        if not options.follow or options.stopped:
            break
        over = known and all(stream.run.ended() for stream in streams)
        if time.monotonic() - quiet_since > (2 * options.every if over else options.patience):
            break
        time.sleep(options.every)
    tend(streams, Stream.finish, options)
    if not known:
        raise Problem(f"there is no run in {', '.join(options.runs)}: a run's folder holds a config.yml and a "
                      "metrics.csv")


def trackers(text):
    names = [name for name in text.split(",") if name]
    if not names or set(names) - set(TRACKERS):
        raise argparse.ArgumentTypeError(f"'{text}': the trackers are {', '.join(TRACKERS)}")
    return names


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="deepq logger", description="Streams runs to Weights & Biases and to Aim, beside a training or after it.",
        epilog="Variables: WANDB_PROJECT (else 'deepq'), WANDB_ENTITY, WANDB_TAGS, WANDB_MODE (offline: a folder for "
               "`wandb sync`), WANDB_DIR and others of that client; AIM_REPO, AIM_TAGS.")
    parser.add_argument("runs", metavar="RUN", nargs="+", help="a run's folder, or one that holds runs")
    parser.add_argument("--to", type=trackers, default=["wandb"], metavar="LIST",
                        help="wandb, aim or wandb,aim (wandb)")
    parser.add_argument("--follow", action="store_true",
                        help="go on until the training has ended; it may begin later than the logger")
    parser.add_argument("--every", type=float, default=2, metavar="S", help="seconds between two looks (2)")
    parser.add_argument("--patience", type=float, default=math.inf, metavar="S",
                        help="with --follow: give up after so many seconds without news (never)")
    parser.add_argument("--aim-repo", metavar="DIR",
                        help="Aim's repository (else AIM_REPO, else the working folder)")
    options = parser.parse_args(arguments)
    options.failed = options.stopped = False

    def stop(number, frame):
        options.stopped = True
        signal.signal(number, signal.SIG_DFL)  # a second one kills

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    for root in options.runs:
        if not options.follow and not os.path.isdir(root):
            raise Problem(f"there is no folder {root}")
    follow(options)
    return 1 if options.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Problem as problem:
        complain(problem)
        sys.exit(1)
