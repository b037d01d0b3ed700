# The program's main road: train, evaluate, predict, plot, several seeds, Ctrl-C and resume.
quick="eval_every_steps=500 eval_episodes=2 net_arch=[8] batch_size=4 train_freq=20 learning_starts=50 buffer_size=1000"

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
says() { grep -q -E -e "$1" "$2" || fail "'$1' is not in $2: $(cat "$2")"; }

# one training leaves a whole folder, and a second one with the same words the same bits
"$DEEPQ" train CartPole-v1 --out a $quick total_steps=1500 >out.txt 2>err.txt
for file in config.yml metrics.csv weights.safetensors best.safetensors curves.svg checkpoint; do
    [ -e a/$file ] || fail "there is no a/$file"
done
says 'weights +a/weights.safetensors' out.txt
says 'learning curve +a/curves.svg' out.txt
says 'deepq eval a' out.txt
"$DEEPQ" train CartPole-v1 --out b --quiet $quick total_steps=1500 >out.txt 2>err.txt
[ ! -s out.txt ] && [ ! -s err.txt ] || fail "--quiet is not: $(cat out.txt err.txt)"
cmp a/weights.safetensors b/weights.safetensors
"$DEEPQ" train CartPole-v1 --out c --quiet --seed 1 $quick total_steps=1500
! cmp -s a/weights.safetensors c/weights.safetensors || fail "another seed gave the same weights"

# precedence: file before word before --seed; the agent's preset before the file
printf 'gamma: 0.5\nbatch_size: 6\nseed: 3\nnet_arch: [8, 4]\n' >options.yml
"$DEEPQ" train CartPole-v1 --out d --quiet -f options.yml --agent dqn2013 batch_size=7 --seed 5 train_freq=20 total_steps=300
says '^gamma: 0.5$' d/config.yml
says '^batch_size: 7$' d/config.yml
says '^seed: 5$' d/config.yml
says '^agent: dqn2013$' d/config.yml
says '^net_arch: \[8, 4\]$' d/config.yml
says '^target_update: none$' d/config.yml

# without --out: a folder of its own each time
"$DEEPQ" train CartPole-v1 --quiet $quick total_steps=200
"$DEEPQ" train CartPole-v1 --quiet $quick total_steps=200
[ -d runs/CartPole-v1-default-s0 ] && [ -d runs/CartPole-v1-default-s0-2 ] || fail "folders: $(ls runs)"

# the JSON documents hold what scripts read
"$DEEPQ" train CartPole-v1 --out e --json $quick total_steps=300 >out.txt 2>err.txt
says '"state": "done"' out.txt
"$DEEPQ" eval a --episodes 7 --seed 40 --json >one.json
for key in env agent episodes seed returns mean sd median iqm iqm_low iqm_high steps seconds; do says "\"$key\":" one.json; done
says '"episodes": 7' one.json
says '"seed": 40' one.json
"$DEEPQ" eval a/weights.safetensors --episodes 7 --seed 40 --json --jobs 3 >two.json
[ "$(grep -v -E 'path|seconds' one.json)" = "$(grep -v -E 'path|seconds' two.json)" ] || fail "weights alone evaluate differently"
"$DEEPQ" eval a --episodes 7 >out.txt
says 'IQM .*95% interval' out.txt
"$DEEPQ" eval a --episodes 4 step_limit=5 --json >out.txt
says '"steps": 20' out.txt
"$DEEPQ" agents --json >out.txt
says '"name": "dqn2015"' out.txt

# pictures
"$DEEPQ" plot a -o p.svg >out.txt && says '<svg' p.svg && says 'p.svg' out.txt
"$DEEPQ" plot a c -o p.png --x episode --y loss,epsilon --window 3 --title 'Two seeds' >out.txt
[ "$(head -c 4 p.png | tail -c 3)" = PNG ] || fail "p.png is not a PNG"
"$DEEPQ" plot a d -o p.pdf --x seconds >out.txt && says '^%PDF' p.pdf
"$DEEPQ" plot a -o again.svg >out.txt && cmp p.svg again.svg

# several seeds: the same as one at a time, whatever the number of threads
"$DEEPQ" train CartPole-v1 --out many --seeds 3 --jobs 2 $quick total_steps=1500 >out.txt 2>err.txt
says '^ +2 +done' out.txt
cmp many/seed-0/weights.safetensors a/weights.safetensors
cmp many/seed-1/weights.safetensors c/weights.safetensors
[ -s many/curves.svg ] && [ -s many/seed-2/curves.svg ] || fail "curves are missing"
"$DEEPQ" eval many --episodes 3 --json >out.txt
[ "$(grep -c '"returns"' out.txt)" = 3 ] || fail "eval of a folder of seeds: $(cat out.txt)"

# Ctrl-C saves; resuming ends in the same bits as never having stopped
"$DEEPQ" train CartPole-v1 --out whole --quiet $quick total_steps=60000
"$DEEPQ" train CartPole-v1 --out cut $quick total_steps=60000 >out.txt 2>err.txt &
pid=$!
for _ in $(seq 500); do
    [ "$(cat cut/metrics.csv 2>/dev/null | wc -l)" -gt 20 ] && break
    sleep 0.01
done
kill -INT $pid
status=0
wait $pid || status=$?
if [ $status = 1 ]; then
    says 'saved. Go on with: deepq train --resume cut' err.txt
    ! cmp -s cut/weights.safetensors whole/weights.safetensors || fail "the interrupted training was whole"
else
    [ $status = 0 ] || fail "interrupted: status $status: $(cat err.txt)" # it was faster than the signal
fi
"$DEEPQ" train --resume cut --quiet
cmp cut/weights.safetensors whole/weights.safetensors
[ "$(cut -d, -f1-12 cut/metrics.csv)" = "$(cut -d, -f1-12 whole/metrics.csv)" ] || fail "metrics differ after resuming"
