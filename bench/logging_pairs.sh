#!/usr/bin/env bash
# What TensorBoard's files cost: trainings with and without them in turn, and the median of the pairs' ratios.
# Usage: logging_pairs.sh [PAIRS [ENV key=value...]]     (DEEPQ names the program)
set -euo pipefail
pairs=${1:-20}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- CartPole-v1
program=${DEEPQ:-build/release/deepq}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# once NUMBER SWITCH ARGUMENT...: seconds of a whole `deepq train`, on the clock and of the processor
TIMEFORMAT='%R %U %S'
once() {
    local out=$folder/$1-$2 switch=$2
    shift 2
    { time "$program" train "$@" -q --out "$out" "tensorboard=$switch" >/dev/null 2>&1; } 2>&1
    rm -rf "$out"
}

once warm true "$@" >/dev/null
for ((i = 0; i < pairs; i++)); do
    if ((i % 2)); then
        with=$(once "$i" true "$@") without=$(once "$i" false "$@")
    else
        without=$(once "$i" false "$@") with=$(once "$i" true "$@")
    fi
    echo "$with $without"
done | awk '
    function median(x, n,   i, j, t) {
        for (i = 2; i <= n; i++)
            for (j = i; j > 1 && x[j - 1] > x[j]; j--) { t = x[j]; x[j] = x[j - 1]; x[j - 1] = t }
        return n % 2 ? x[(n + 1) / 2] : (x[n / 2] + x[n / 2 + 1]) / 2
    }
    function tell(name, with, without, ratio,   m) {
        m = median(ratio, NR)
        printf "%s: %.3f s with, %.3f s without; ratio %.4f (quartiles %.4f and %.4f)\n", name, median(with, NR),
            median(without, NR), m, ratio[int(NR / 4) + 1], ratio[NR - int(NR / 4)]
    }
    { clock[NR] = $1; plain[NR] = $4; share[NR] = $1 / $4
      work[NR] = $2 + $3; least[NR] = $5 + $6; extra[NR] = work[NR] / least[NR] }
    END {
        printf "%d pairs, medians\n", NR
        tell("clock", clock, plain, share)
        tell("processor", work, least, extra)
    }'
