#!/usr/bin/env bash
# What TensorBoard's files cost: trainings with and without them in turn, the median of the pairs' ratios and the
# interval that holds it with 95% (percentile bootstrap).
# Usage: logging_pairs.sh [PAIRS [ENV key=value...]]
#   DEEPQ   the program
#   KEEP    a file to which each pair is added; the medians are then of all in it, so that short runs add up
#   LIMIT   no pair begins after as many seconds
set -euo pipefail
pairs=${1:-20}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- CartPole-v1
program=${DEEPQ:-build/release/deepq}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
keep=${KEEP:-$folder/pairs}

# once NUMBER SWITCH ARGUMENT...: seconds of a whole `deepq train`, on the clock, of the program and of the system for it
TIMEFORMAT='%R %U %S'
once() {
    local out=$folder/$1-$2 switch=$2
    shift 2
    { time "$program" train "$@" -q --out "$out" "tensorboard=$switch" >/dev/null 2>&1; } 2>&1
    rm -rf "$out"
}

once warm true "$@" >/dev/null
for ((i = 0; i < pairs && SECONDS < ${LIMIT:-1000000}; i++)); do
    if ((i % 2)); then
        with=$(once "$i" true "$@") without=$(once "$i" false "$@")
    else
        without=$(once "$i" false "$@") with=$(once "$i" true "$@")
    fi
    echo "$with $without" >>"$keep"
done
awk '
    function sort(x, n,   i, j, t) {
        for (i = 2; i <= n; i++)
            for (j = i; j > 1 && x[j - 1] > x[j]; j--) { t = x[j]; x[j] = x[j - 1]; x[j - 1] = t }
    }
    function median(x, n) { sort(x, n); return n % 2 ? x[(n + 1) / 2] : (x[n / 2] + x[n / 2 + 1]) / 2 }
    function tell(name, with, without, ratio,   i, b, drawn, medians) {
        for (b = 1; b <= 1000; b++) {
            for (i = 1; i <= NR; i++) drawn[i] = ratio[1 + int(NR * rand())]
            medians[b] = median(drawn, NR)
        }
        sort(medians, 1000)
        printf "%s: %.3f s with, %.3f s without; ratio %.4f (95%%: %.4f to %.4f)\n", name, median(with, NR),
            median(without, NR), median(ratio, NR), medians[25], medians[975]
    }
    { clock[NR] = $1; plain[NR] = $4; share[NR] = $1 / $4
      work[NR] = $2 + $3; least[NR] = $5 + $6; extra[NR] = work[NR] / least[NR] }
    END {
        srand(1)
        printf "%d pairs, medians\n", NR
        tell("clock", clock, plain, share)
        tell("processor", work, least, extra)
    }' "$keep"
