# deepq tune: a search from the first trial to a preset that trains, spaces in words and files, what it refuses, Ctrl-C
# and --resume, and workers that are killed.
quick="total_steps=400 --seeds 2 --evaluations 4 eval_episodes=1 learning_starts=50 buffer_size=1000 net_arch=[8] train_freq=8 gradient_steps=1 batch_size=16"

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
says() { grep -q -E -e "$1" "$2" || fail "'$1' is not in $2: $(cat "$2")"; }
refuses() { # status, sentence, command...
    local status=0 wanted=$1 sentence=$2
    shift 2
    timeout 60 "$@" >out.txt 2>err.txt || status=$?
    [ $status = "$wanted" ] || fail "$*: status $status, not $wanted: $(cat err.txt)"
    says "$sentence" err.txt
}
count() { grep -c -E -e "$1" "$2" || true; }

# a search leaves a study and the best trial as a preset; every trial trains two seeds of 400 steps
"$DEEPQ" tune CartPole-v1 $quick --trials 6 --jobs 2 --pruner none --json --out a >a.json 2>err.txt
says '"trials": 6,' a.json
says '"complete": 6,' a.json
[ "$(count '"op_code":7' a/study.log)" = 48 ] || fail "there are $(count '"op_code":7' a/study.log) intermediate values"
says "A search for hyper-parameters" a/report.html
"$DEEPQ" train -f a/best.yml --out trained --quiet total_steps=100
for key in learning_rate n_step epsilon_end target_update_interval; do
    value=$(sed -n "s/^ *\"$key\": \([^,]*\),*/\1/p" a.json | head -n 1)
    grep -q -E "^$key: $value\$" trained/config.yml || fail "$key is not $value: $(grep "^$key" trained/config.yml)"
done
says '^batch_size: 16$' trained/config.yml

# the same seed with one job suggests and finds the same
for out in b c; do
    "$DEEPQ" tune CartPole-v1 $quick --trials 14 --jobs 1 --quiet --out $out
    sed -E 's/"(worker_id|datetime_start|datetime_complete)":("[^"]*"|null),?//g; s/\{"deepq:(worker|seconds)":[^}]*\}//g' $out/study.log >$out.txt
done
cmp b.txt c.txt

# the space: words before files, files before the default; factors follow what they multiply
cat >space.yml <<'Y'
env: CartPole-v1
total_steps: 400
gamma: 0.95
search:
  learning_rate: 1e-4 .. 1e-3
  batch_size: [16, 32]
  optimizer: adam | rmsprop
  epsilon_end: off
  net_arch: "[8] | [8, 8]"
Y
"$DEEPQ" tune space.yml --seeds 1 --trials 8 --sampler random --pruner none --jobs 2 --out d --json search.n_step='2 .. 8 step 3' \
    learning_starts=50 train_freq=10 search.gradient_steps='0.1 | 0.5 * train_freq' buffer_size=1000 >d.json 2>err.txt
says 'deepq:config.*ngamma: 0\.95' d/study.log
for wanted in '"low\\":0.0001,\\"high\\":0.001' '\[16,32\]' '\[\\"adam\\",\\"rmsprop\\"\]' '\[\\"\[8\]\\",\\"\[8, 8\]\\"\]' '"low\\":2,\\"high\\":8,\\"step\\":3'; do
    says "$wanted" d/study.log
done
! grep -q 'param_name":"\(gamma\|epsilon_end\|train_freq\|learning_starts\)"' d/study.log || fail "a fixed option was searched"
factor=$(sed -n 's/.*"gradient_steps": \([0-9.]*\).*/\1/p' d.json | head -n 1)
case $factor in
0.1) says '^gradient_steps: 1$|^train_freq: 10$' d/best.yml ;;
0.5) says '^gradient_steps: 5$' d/best.yml ;;
*) fail "gradient_steps is searched as '$factor'" ;;
esac

# the first trial is what the options say already, and the default space is widened to hold it
"$DEEPQ" tune CartPole-v1 $quick --trials 1 --quiet --out s search.tau=off learning_rate_period=50 target_update=soft 2>err.txt
says '"fixed_params":\{"learning_rate":0.0012,"learning_rate_schedule":"linear","gamma":0.995,' s/study.log
says '"n_step":8,' s/study.log
says '"high\\":8' s/study.log
! grep -q -E '^(gamma|n_step|learning_rate|epsilon_end|epsilon_period):' s/best.yml || fail "the first trial had other values: $(cat s/best.yml)"
"$DEEPQ" tune CartPole-v1 $quick --trials 1 --quiet --out t start_values=false
! grep -q fixed_params t/study.log || fail "a first trial was queued"

# a trial that would take too long is given up before its first evaluation, and says so
"$DEEPQ" tune CartPole-v1 $quick --trials 1 --out u trial_seconds=1e-6 --json >u.json
says '"pruned": 1,' u.json
says '"deepq:error":"the trial would take .*more than trial_seconds, 1e-06' u/study.log
! grep -q '"op_code":7' u/study.log || fail "it was evaluated all the same"
refuses 2 'several objectives cannot prune' "$DEEPQ" tune CartPole-v1 --out f --objective return,seconds --pruner none trial_seconds=1

# a lab with a search section
cat >lab.yml <<'Y'
env: CartPole-v1
common:
  total_steps: 300
  learning_starts: 50
search:
  learning_rate: 0.001 | 0.002
agents:
  dqn2015:
  ddqn:
Y
"$DEEPQ" tune lab.yml --agent ddqn --seeds 1 --trials 2 --out e --quiet
says 'agent: ddqn' e/study.log
refuses 1 "no agent 'nobody'" "$DEEPQ" tune lab.yml --agent nobody

# what is refused, and that nothing is left behind
refuses 2 'which environment' "$DEEPQ" tune
refuses 2 "did you mean 'learning_rate'" "$DEEPQ" tune CartPole-v1 --out f search.lerning_rate='1 .. 2'
refuses 2 'from a smaller to a larger' "$DEEPQ" tune CartPole-v1 --out f search.learning_rate='1e-2 .. 1e-5'
refuses 2 'starts above 0' "$DEEPQ" tune CartPole-v1 --out f search.learning_rate='0 .. 1'
refuses 2 'gamma is 2' "$DEEPQ" tune CartPole-v1 --out f search.gamma='0.5 .. 2'
refuses 2 'twice' "$DEEPQ" tune CartPole-v1 --out f search.gamma='0.5 | 0.5'
refuses 2 "'steps' is none" "$DEEPQ" tune CartPole-v1 --out f search.epsilon_period='0.1 .. 0.5 * steps'
refuses 2 'no near bounds' "$DEEPQ" tune CartPole-v1 --out f search.buffer_size=all
refuses 2 'not searched anyway' "$DEEPQ" tune CartPole-v1 --out f search.momentum=off
refuses 2 "is no objective" "$DEEPQ" tune CartPole-v1 --out f --objective glory
refuses 2 'cannot prune' "$DEEPQ" tune CartPole-v1 --out f --objective return,seconds --pruner asha
refuses 2 "did you mean 'random'" "$DEEPQ" tune CartPole-v1 --out f --sampler rando
refuses 2 'one length' "$DEEPQ" tune CartPole-v1 --out f total_steps=0 total_episodes=5
refuses 2 'say where' "$DEEPQ" tune --resume
refuses 2 'another search space' "$DEEPQ" tune CartPole-v1 $quick --out a search.n_step=off
refuses 2 'other option values' "$DEEPQ" tune CartPole-v1 $quick --out a gamma=0.5
refuses 2 'other objectives' "$DEEPQ" tune CartPole-v1 $quick --out a --objective seconds
refuses 1 "no study 'x'" "$DEEPQ" tune --resume --storage a/study.log --study x
printf 'rubbish\n' >rubbish.log
refuses 1 'rubbish.log:1' "$DEEPQ" tune CartPole-v1 --out f --storage rubbish.log
[ "$(cat rubbish.log)" = rubbish ] || fail "a file that is no journal was written to"
[ ! -e rubbish.log.lock ] || fail "the lock stayed"

# joined again it has its trials already; resumed it goes on to more
"$DEEPQ" tune CartPole-v1 $quick --trials 6 --out a --pruner none --json >a2.json
says '"ended_here": 0,' a2.json
"$DEEPQ" tune --resume --storage a/study.log --trials 8 --out a --pruner none --json >a3.json
says '"ended_here": 2,' a3.json

# Ctrl-C gives the trials that run back; the next one takes them
"$DEEPQ" tune CartPole-v1 --out g --trials 3 --jobs 2 --seeds 1 --sampler random --pruner none net_arch='[64, 64]' total_steps=2000000 \
    train_freq=1 gradient_steps=1 batch_size=16 eval_episodes=1 --evaluations 2000 --quiet 2>err.txt &
job=$!
for _ in $(seq 200); do
    sleep 0.1
    if [ -e g/study.log ] && [ "$(count '"op_code":7' g/study.log)" -ge 2 ]; then break; fi
done
kill -INT $job
wait $job && fail "an interrupted search succeeded"
says 'go on with: deepq tune --resume --storage g/study.log' err.txt
[ "$(count 'deepq:abandoned' g/study.log)" = 2 ] || fail "$(count 'deepq:abandoned' g/study.log) trials were given back"
[ "$(count '"failed_trial"' g/study.log)" = 2 ] || fail "$(count '"failed_trial"' g/study.log) trials wait"
