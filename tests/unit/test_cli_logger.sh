# deepq logger without any tracker's client: what it finds, what it says, and its exit status.
set -u
fail() { echo "$*"; exit 1; }
python=${PYTHON:-python3}
command -v "$python" >/dev/null || { echo "skipped: no $python"; exit 77; }

# expect STATUS SENTENCE COMMAND...
expect() {
    local status=$1 sentence=$2 told got=0
    shift 2
    told=$("$@" 2>&1) || got=$?
    [ $got = "$status" ] || fail "$*: not status $status: $told"
    case $told in *"$sentence"*) ;; *) fail "$*: no '$sentence' in: $told" ;; esac
}

# A client of W&B that only writes down what it is told, and one that cannot be reached.
mkdir -p fake down
cat >fake/wandb.py <<'PY'
import json, os
util = None
def Settings(**_): return None
class Video:
    def __init__(self, path, format): self.path = path
class Artifact:
    def __init__(self, name, type): self.files = []
    def add_file(self, path): self.files.append(os.path.basename(path))
class Run:
    left = int(os.environ.get("LEFT", -1))
    def __init__(self, id): self.id = id
    def put(self, what): open("told.jsonl", "a").write(json.dumps(what) + "\n")
    def define_metric(self, *_, **__): pass
    def log(self, row):
        if Run.left == 0: raise OSError("no space left on the disk")
        Run.left -= 1
        self.put({k: v.path if isinstance(v, Video) else v for k, v in row.items()})
    def log_artifact(self, artifact): self.put({"files": artifact.files})
    def finish(self): pass
def init(id=None, config=None, project=None, **_):
    run = Run(id or "fresh")
    run.put({"init": run.id, "project": project, "env": config["env"]})
    return run
PY
cat >down/wandb.py <<'PY'
def Settings(**_): return None
def init(**_): raise ConnectionError("nobody answers")
PY

export DEEPQ_PYTHON=$python
expect 2 "the following arguments are required: RUN" "$DEEPQ" logger
expect 0 "a run's folder, or one that holds runs" "$DEEPQ" logger --help
expect 2 "the trackers are wandb, aim" "$DEEPQ" logger x --to mlflow
expect 1 "there is no folder nowhere" "$DEEPQ" logger nowhere
mkdir empty
expect 1 "there is no run in empty" env PYTHONPATH=fake "$DEEPQ" logger empty
expect 1 "no-such-python could not be started" env DEEPQ_PYTHON=no-such-python "$DEEPQ" logger empty

"$DEEPQ" train CartPole-v1 -q --out run total_steps=2000 --record 50 || fail "the training failed"
rows=$(($(wc -l <run/metrics.csv) - 1))
expect 1 "nobody answers" env PYTHONPATH=down "$DEEPQ" logger run
[ ! -e run/logger.json ] || fail "a tracker that is down was remembered as told"

PYTHONPATH=fake WANDB_PROJECT=mine "$DEEPQ" logger run || fail "the logger failed"
grep -q '"init": "fresh", "project": "mine", "env": "CartPole-v1"' told.jsonl || fail "no init: $(head -n 1 told.jsonl)"
[ "$(grep -c rollout/ep_rew_mean told.jsonl)" = "$rows" ] || fail "not every row of metrics.csv was told"
[ "$(grep -c '"episode": "' told.jsonl)" = $((1 + $(ls run/episodes | wc -l))) ] || fail "not every animation was told"
grep -q '"files": \["weights.safetensors"' told.jsonl || fail "no weights"

# Once more: nothing is new, and the identity is kept. Then a training that goes on after it was cut back.
PYTHONPATH=fake "$DEEPQ" logger run
[ "$(grep -c rollout/ep_rew_mean told.jsonl)" = "$rows" ] || fail "rows were told twice"
grep -q '"init": "fresh", "project": "deepq"' told.jsonl || fail "the second start has another identity"
head -n 20 run/metrics.csv >shorter
cp run/metrics.csv whole
cp shorter run/metrics.csv
PYTHONPATH=fake "$DEEPQ" logger run
cp whole run/metrics.csv
printf '3000,999,1,5,5,5,0.1,0.1,0.1,,,,5,,1.0,1\n3010,1000,1,5,5' >>run/metrics.csv # and a row being written
PYTHONPATH=fake "$DEEPQ" logger run
[ "$(grep -c rollout/ep_rew_mean told.jsonl)" = $((rows + 1)) ] || fail "a cut-back metrics.csv was told wrongly"
tail -n 1 told.jsonl | grep -q '"global_step": 3000' || fail "the new row is missing"

# A disk that fills up for the tracker: no row is lost, and none is told twice.
rm told.jsonl run/logger.json
cp whole run/metrics.csv
expect 1 "no longer gets to wandb: no space left on the disk" env PYTHONPATH=fake LEFT=30 "$DEEPQ" logger run
[ "$(grep -c rollout/ep_rew_mean told.jsonl)" = 30 ] || fail "not 30 rows before the disk was full"
PYTHONPATH=fake "$DEEPQ" logger run
[ "$(grep -c rollout/ep_rew_mean told.jsonl)" = "$rows" ] || fail "rows were lost or told twice after a full disk: $(grep -c rollout/ep_rew_mean told.jsonl), not $rows; $(cat run/logger.json)"
[ "$(grep -o '"global_step": [0-9]*' told.jsonl | sort -u | wc -l)" = "$rows" ] || fail "not every step was told"

# Beside a training that begins later; the training knows nothing of it.
rm told.jsonl
PYTHONPATH=fake timeout 120 "$DEEPQ" logger later --follow --every 0.2 &
logger=$!
"$DEEPQ" train CartPole-v1 -q --out later total_steps=3000 || fail "the training failed"
wait $logger || fail "the logger that followed failed"
[ "$(grep -c rollout/ep_rew_mean told.jsonl)" = $(($(wc -l <later/metrics.csv) - 1)) ] || fail "rows are missing"
grep -q '"files"' told.jsonl || fail "the weights were not told at the end"
