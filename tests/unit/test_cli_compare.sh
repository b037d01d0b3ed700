# compare and report: the same numbers whatever the number of threads and however often it was stopped; labs'
# mistakes; pages that stand alone.
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
says() { grep -q -E -e "$1" "$2" || fail "'$1' is not in $2: $(head -c 2000 "$2")"; }

# What two comparisons must share: all that is not a time.
numbers() {
    cut -d, -f1-15 "$1/table.csv"
    for run in "$1"/*/seed-*; do
        echo "${run#"$1"/}"
        cut -d, -f1-12 "$run/metrics.csv"
        cat "$run/final.csv"
        cksum <"$run/weights.safetensors"
    done
}

cat >lab.yml <<'TEXT'
title: Two <agents> & "friends"
env: CartPole-v1
seeds: 2
axis: episodes
threshold: 15
final_episodes: 8
common: {net_arch: [8], batch_size: 4, train_freq: 20, learning_starts: 50, buffer_size: 1000, total_steps: 3000, eval_every_steps: 500, eval_episodes: 3}
agents:
  dqn2013:
  slow:
    preset: dqn2015
    learning_rate: 1e-5
TEXT

# one thread and two
"$DEEPQ" compare lab.yml --out one --jobs 1 >one.txt 2>err.txt || fail "compare: $(cat err.txt)"
"$DEEPQ" compare lab.yml --out two --jobs 2 --quiet >out.txt 2>err.txt || fail "compare: $(cat err.txt)"
[ ! -s out.txt ] && [ ! -s err.txt ] || fail "--quiet is not: $(cat out.txt err.txt)"
for file in lab.yml table.csv scores.json scores.svg means.svg curves.svg profile.svg overestimation.svg; do
    [ -s one/$file ] || fail "there is no one/$file"
done
numbers one >a.txt
numbers two >b.txt
cmp a.txt b.txt || fail "two threads came to other numbers than one"
says '^dqn2013 ' one.txt
says '^slow ' one.txt
says 'IQM \[95% interval\]' one.txt
says '^learning_rate: 0.00001$' one/slow/seed-1/config.yml
says '^agent: dqn2015$' one/slow/seed-1/config.yml
says '^target_update: none$' one/dqn2013/seed-0/config.yml
[ "$(wc -l <one/dqn2013/seed-0/final.csv)" = 9 ] || fail "final.csv: $(cat one/dqn2013/seed-0/final.csv)"

# final scores are what eval measures
"$DEEPQ" eval one/slow/seed-1 --episodes 8 --seed 1000 --json >eval.json
mean=$(sed -n 's/.*"mean": \([0-9.]*\),.*/\1/p' eval.json)
says "\"mean\": $mean" one/scores.json

# a comparison's folder shows its table again; its runs compare as runs
"$DEEPQ" compare one >again.txt
head -5 one.txt >head1.txt
head -5 again.txt >head2.txt
cmp head1.txt head2.txt
"$DEEPQ" compare one --json >out.json
says '"probability"' out.json
"$DEEPQ" compare one/slow one/dqn2013 --out gathered >out.txt
says '^slow|^dqn2015' out.txt
[ -s gathered/table.csv ] && [ -s gathered/means.svg ] || fail "gathered: $(ls gathered)"

# stopped with Ctrl-C, then killed, then left alone: the same numbers as never stopped
words="total_steps=40000 checkpoint_steps=4000 final_episodes=3"
"$DEEPQ" compare lab.yml --out whole --quiet $words
for signal in INT KILL; do
    rm -rf cut
    "$DEEPQ" compare lab.yml --out cut --jobs 2 $words >out.txt 2>err.txt &
    pid=$!
    for _ in $(seq 1000); do
        [ -e cut/dqn2013/seed-1/checkpoint/manifest ] && break
        sleep 0.01
    done
    status=0
    kill -$signal $pid 2>/dev/null || true
    wait $pid || status=$?
    [ $status != 0 ] || fail "it was over before the signal came"
    if [ $signal = INT ]; then
        [ $status = 1 ] || fail "interrupted with status $status"
        says 'deepq compare --resume cut' err.txt
        [ ! -e cut/table.csv ] || fail "an unfinished comparison has a table"
        "$DEEPQ" compare cut >out.txt 2>err.txt && fail "an unfinished comparison was shown"
        says 'not finished' err.txt
    fi
    "$DEEPQ" compare --resume cut --quiet
    numbers whole >a.txt
    numbers cut >b.txt
    cmp a.txt b.txt || fail "resumed after SIG$signal, the numbers are others"
done
"$DEEPQ" compare --resume cut --quiet # all finished: nothing to train
numbers cut >b.txt
cmp a.txt b.txt

# choices on the command line
"$DEEPQ" compare lab.yml --dry-run --agents slow --seeds 3 --seed 7 gamma=0.5 >out.txt
[ "$(grep -c '^slow, seed' out.txt)" = 3 ] || fail "--dry-run: $(cat out.txt)"
says '^slow, seed 9' out.txt
[ ! -e runs ] || fail "--dry-run made a folder"

# mistakes: one sentence with file, line and the nearest name; wrong usage is 2, nothing is made
wrong() {
    local wanted=$1 says=$2
    shift 2
    local status=0
    "$DEEPQ" "$@" >out.txt 2>err.txt || status=$?
    [ $status = "$wanted" ] || fail "$*: status $status, not $wanted: $(cat err.txt)"
    says "$says" err.txt
}
printf 'env: CartPole-v1\nagents:\n  dqn2015:\n    gama: 0.5\n' >bad.yml
wrong 2 "bad.yml:4: .*gamma" compare bad.yml --out bad
printf 'env: CartPole-v1\nagents:\n  dqn2015:\n    gamma: 2\n' >bad.yml
wrong 2 "bad.yml:4: .*gamma" compare bad.yml --out bad
printf 'env: CartPole-v1\nagents:\n  dqn2051:\n' >bad.yml
wrong 2 "bad.yml:3: .*dqn2051" compare bad.yml --out bad
printf 'env: CartPole-v9\nagents:\n  dqn2015:\n' >bad.yml
wrong 2 "CartPole-v9" compare bad.yml --out bad
printf 'env: CartPole-v1\nsedes: 2\nagents:\n  dqn2015:\n' >bad.yml
wrong 2 "bad.yml:2: .*seeds" compare bad.yml --out bad
wrong 2 "slow" compare lab.yml --agents slwo --out bad
wrong 2 "gamma" compare lab.yml gama=1 --out bad
wrong 2 "seeds" compare lab.yml --seeds 0 --out bad
wrong 2 "there is a comparison already" compare lab.yml --out one
wrong 1 "nowhere.yml" compare nowhere.yml
wrong 1 "no such run" compare one/slow nowhere
wrong 2 "compare what" compare
[ ! -e bad ] || fail "a mistake left a folder"

# --- report -------------------------------------------------------------------------------------------------

# Every tag of the page is closed in order, and nothing points outside it.
stands_alone() {
    grep -o -E '<[a-zA-Z/][^>]*>' "$1" | awk '
        /\/>$/ { next }
        { name = $0; sub(/^<\/?/, "", name); sub(/[ >].*/, "", name) }
        /^<\// { if (stack[n] != name) { print "</" name "> closes <" stack[n] ">"; exit 1 } n--; next }
        { stack[++n] = name }
        END { if (n) { print "<" stack[n] "> is open"; exit 1 } }' || fail "$1 is not well formed"
    ! grep -q -i -E 'https?:|<script|<link|<iframe|@import|url\(|href=' "$1" || fail "$1 points outside"
    ! grep -o -E '(src|srcset)="[^"]{0,5}' "$1" | grep -v 'data:' || fail "$1 needs other files"
}
"$DEEPQ" report one >out.txt
says '^one/report.html$' out.txt
stands_alone one/report.html
says 'Two &lt;agents&gt; &amp; &quot;friends&quot;' one/report.html
says 'prefers-color-scheme' one/report.html
[ "$(grep -c '<picture>' one/report.html)" -ge 5 ] || fail "the page has $(grep -c '<picture>' one/report.html) pictures"
printf 'GIF89a-not-really' >one/slow/seed-1/episode.gif
"$DEEPQ" report one/slow/seed-1 -o run.html --title "</title><script>alert('1')</script>" >out.txt
stands_alone run.html
says '&lt;script&gt;alert\(&#39;1&#39;\)' run.html
says 'data:image/gif;base64,R0lGODlhLW5vdC1yZWFsbHk=' run.html
says 'learning_rate' run.html
"$DEEPQ" report one/slow one/dqn2013/seed-0 -o runs.html >out.txt
stands_alone runs.html
says 'What tells the agents apart' runs.html
wrong 1 "no such run" report nowhere
wrong 2 "report on what" report
wrong 1 "nowhere/x.html" report one -o nowhere/x.html

# every lab that comes with the program can be trained
for lab in "$DEEPQ_SOURCE"/labs/*.yml; do
    "$DEEPQ" compare "$lab" --dry-run >out.txt 2>err.txt || fail "$lab: $(cat err.txt)"
done
