# Bad input: one sentence that says what was wrong, where, and what would be right; exit status 1 or 2; and nothing
# half-written is left behind.
quick="net_arch=[8] batch_size=4 train_freq=20 learning_starts=50 buffer_size=1000 total_steps=600"

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# refuse STATUS (a pattern of bash) PATTERN ARGUMENT...: the program must fail so, with one line on standard error that matches.
refuse() {
    local wanted=$1 pattern=$2 status=0
    shift 2
    "$DEEPQ" "$@" >stdout.txt 2>stderr.txt || status=$?
    [[ $status = $wanted ]] || fail "deepq $*: status $status, expected $wanted: $(cat stderr.txt)"
    head -n 1 stderr.txt | grep -q -E -e "$pattern" || fail "deepq $*: said: $(head -n 1 stderr.txt)"
    [ ! -s stdout.txt ] || fail "deepq $*: printed to standard output"
}

# wrong words
refuse 2 "no verb 'trian'; did you mean 'train'" trian
refuse 2 "no verb 'xyzzy'.*--help" xyzzy
refuse 2 "no option --epsiodes; did you mean --episodes" eval runs --epsiodes 3
refuse 2 "which environment.*deepq envs" train
refuse 2 "'MountainCar-v0' is one word too many" train CartPole-v1 MountainCar-v0
refuse 2 "no environment 'CartPole-v9'; did you mean 'CartPole-v[01]'" train CartPole-v9
refuse 2 "no agent.*dqn2014" train CartPole-v1 --agent dqn2014
refuse 2 "unknown option 'learning_rat'; did you mean 'learning_rate'" train CartPole-v1 learning_rat=1
refuse 2 "gamma is 2 but has to be between 0 and 1" train CartPole-v1 gamma=2
refuse 2 "gamma.*(number|abc)" train CartPole-v1 gamma=abc
refuse 2 "declares features, and this one does not; choose observation=raw" train CartPole-v1 observation=features
refuse 2 "nothing would ever stop this run" train CartPole-v1 total_steps=0
refuse 2 "--seeds is 0 but has to be between 1" train CartPole-v1 --seeds 0
refuse 2 "--resume.*keeps its own configuration" train --resume somewhere gamma=0.9
refuse 2 "first word: deepq train Acrobot-v1" train CartPole-v1 env=Acrobot-v1

# option files
refuse 1 "nothere.yml" train CartPole-v1 -f nothere.yml
printf 'gamma: 0.9\nlerning_rate: 0.01\n' >bad.yml
refuse 2 "bad.yml:2:.*'lerning_rate'; did you mean 'learning_rate'" train CartPole-v1 -f bad.yml
printf 'gamma: [0.9\n' >bad.yml
refuse '[12]' "bad.yml" train CartPole-v1 -f bad.yml
[ ! -e runs ] || fail "a refused command made a folder: $(ls -R runs)"

# a run to work with
"$DEEPQ" train CartPole-v1 --out run --quiet $quick
refuse 2 "run: there is a run already.*--resume run" train CartPole-v1 --out run $quick
refuse 1 "nothere" train --resume nothere
refuse 1 "nothere" eval nothere
refuse 1 "nothere" plot nothere
refuse 2 ".svg, .png or .pdf" plot run -o picture.gif
refuse 2 "no column 'losss'; there are step" plot run --y losss
refuse 2 "4 numbers.*MountainCar-v0 shows 2" eval run --env MountainCar-v0
refuse 2 "--episodes is 0" eval run --episodes 0
refuse 2 "env.NAME=value and step_limit=N alone" eval run gamma=0.5
refuse 1 "nothere.npy" predict run --input nothere.npy -o q.npy
printf 'not an array' >text.npy
refuse 1 "text.npy" predict run --input text.npy -o q.npy
[ ! -e q.npy ] || fail "a refused prediction left a file"

# truncated and damaged files: never a crash, always a sentence
weights=run/weights.safetensors
size=$(stat -c %s $weights)
for keep in 0 1 7 8 9 100 $((size / 2)) $((size - 1)); do
    head -c "$keep" $weights >cut.safetensors
    refuse 1 "cut.safetensors" eval cut.safetensors
done
for file in run/checkpoint/*; do
    for keep in 0 5 $(($(stat -c %s "$file") / 2)); do
        rm -rf copy
        cp -r run copy
        head -c "$keep" "$file" >"copy/checkpoint/${file##*/}"
        refuse 1 "copy" train --resume copy
    done
done
cp -r run broken && printf '1,2,3\n' >>broken/metrics.csv
refuse 1 "broken/metrics.csv:[0-9]+" plot broken

# standard output that takes nothing
if [ -w /dev/full ]; then
    status=0
    "$DEEPQ" envs >/dev/full 2>stderr.txt || status=$?
    [ $status = 1 ] && grep -q "standard output" stderr.txt || fail "a full standard output: $status, $(cat stderr.txt)"
fi

# folders that cannot be written (root may write anywhere but below a file)
: >plain-file
refuse 1 "plain-file" train CartPole-v1 --out plain-file/run $quick
if [ "$(id -u)" != 0 ]; then
    mkdir locked && chmod a-w locked
    refuse 1 "locked" train CartPole-v1 --out locked/run $quick
fi

# a disk that fills up, by the limit on a file's size: the training stops with a sentence; no temporary file stays
for blocks in 0 1 2 8 32; do
    rm -rf full
    (
        ulimit -f $blocks
        exec "$DEEPQ" train CartPole-v1 --out full --quiet $quick total_steps=3000 2>&1
    ) | cat >stderr.txt # the limit would hold for stderr.txt too
    status=${PIPESTATUS[0]}
    [ $status = 1 ] || fail "file size limit of $blocks blocks: status $status: $(cat stderr.txt)"
    [ "$(wc -l <stderr.txt)" = 1 ] || fail "file size limit of $blocks blocks: said $(cat stderr.txt)"
    leftovers=$(find full -name '*.tmp*' -o -name '*.part' -o -name '*temp*' 2>/dev/null)
    [ -z "$leftovers" ] || fail "left behind: $leftovers"
done

# a disk that is really full, where this machine lets us mount one
mkdir disk
if mount -t tmpfs -o size=48k tmpfs disk 2>/dev/null; then
    status=0
    "$DEEPQ" train CartPole-v1 --out disk/run --quiet $quick total_steps=20000 2>stderr.txt || status=$?
    leftovers=$(find disk -name '*.tmp*' -o -name '*.part' 2>/dev/null)
    umount disk
    [ $status = 1 ] && grep -q -i "space" stderr.txt || fail "a full disk: status $status: $(cat stderr.txt)"
    [ -z "$leftovers" ] || fail "left behind: $leftovers"
fi
