# What the labs' pages say of their trainings: naive fails and replay helps in inf639; with the tuned values
# rainbow and pqn are at least as reliable as the default.
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
column() { # column FOLDER AGENT NAME: one number of table.csv
    awk -F, -v agent="$2" -v name="$3" '
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
        $1 == agent { print $at[name] }' "$1/table.csv"
}
at_least() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }'; }

"$DEEPQ" compare "$DEEPQ_SOURCE/labs/inf639.yml" --agents naive,dqn2013,dqn2015 --out inf639 >/dev/null 2>err.txt ||
    fail "inf639: $(cat err.txt)"
at_least 20 "$(column inf639 naive best)" || fail "naive reached $(column inf639 naive best)"
[ "$(column inf639 dqn2013 better)" = 1 ] || fail "replay did not beat naive every time"
at_least "$(column inf639 dqn2015 mean)" 100 || fail "dqn2015 scored $(column inf639 dqn2015 mean)"

"$DEEPQ" compare "$DEEPQ_SOURCE/labs/family.yml" --agents pqn,rainbow,default --seeds 5 --seed 100 --out family \
    >/dev/null 2>err.txt || fail "family: $(cat err.txt)"
for agent in pqn rainbow default; do
    at_least "$(column family $agent mean)" 475 || fail "$agent scored $(column family $agent mean)"
done
