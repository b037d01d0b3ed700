# deepq trace prints every recorded episode whose environment is known: the same columns, the same rows.
set -u
reference=${DQ_REFERENCE_DIR:-$DQ_TEST_DATA}/envs

# Compares the rows of two CSV files by column name: awk -v step=.. -v rows=.. compare_rows RECORD TRACE
compare='
function fail(text) { print FILENAME ":" FNR ": " text; bad = 1; exit 1 }
/^#/ { next }
$1 == "t" { for (i = 1; i <= NF; i++) { if (NR == FNR) name[i] = $i; else column[$i] = i }
            if (NR == FNR) columns = NF; next }
NR == FNR { for (i = 1; i <= NF; i++) record[$1, i] = $i; last = $1; next }
$1 > last { fail("more rows than the record") }
rows && $1 > rows { exit }
contacts && $1 > 0 && (record[$1, contacts + 2] != 0 || record[$1, contacts + 3] != 0) { compared = last; exit }
{ for (i = 1; i <= columns; i++) {
      if (!(name[i] in column)) fail("no column " name[i])
      is = $column[name[i]]; should = record[$1, i]
      if (name[i] == "reward" && $1 == 0) continue
      exact = $1 == 0 && !near_reset || name[i] ~ /^(t|action|terminated|truncated)$/
      allowed = exact ? 0 : $1 == 0 ? near_reset : step
      scale = relative ? (should < 0 ? -should : should) : 1
      difference = is > should ? is - should : should - is
      if (!(difference <= allowed * scale)) fail(name[i] " is " is " and should be " should)
  }
  compared = $1 }
END { if (!bad && compared < (rows && rows < last ? rows : last)) { print "rows after " compared " are missing"; exit 1 } }'

count=0
for record in "$reference"/*.csv; do
    id=$(sed -n 's/^# env: //p' "$record")
    "$DEEPQ" envs "$id" >/dev/null 2>&1 || { echo "$record: no environment $id"; continue; }
    arguments=() tolerance=(-v step=1e-5)
    case $id in
        CartPole-*) tolerance+=(-v rows=250) ;;
        CartPoleSwingUp) tolerance=(-v step=1e-4) ;;
        Acrobot-*) tolerance+=(-v near_reset=1e-7) ;;
        LunarLander-*) tolerance=(-v step=1e-2 -v near_reset=1e-3 -v contacts=7) ;;
        Bicycle) tolerance=(-v step=1e-6 -v near_reset=1e-6) ;;
        HIVPatient) tolerance=(-v step=1e-6 -v relative=1) ;;
    esac
    seed=$(sed -n 's/^# reset seed: //p' "$record")
    mode=$(sed -n 's/^# mode: //p' "$record")
    [ -z "$seed" ] || arguments+=(--seed "$seed")
    [ -z "$mode" ] || arguments+=(--option "start=$mode")
    for option in $(sed -n "s/^# options: {\(.*\)}/\1/p" "$record" | tr -d "' " | tr ':,' '= '); do
        arguments+=(--option "$option")
    done
    grep -v '^#' "$record" | awk -F, 'NR > 2 { print $2 }' >actions
    if grep -q '^t,action,noise,' "$record"; then
        grep -v '^#' "$record" | awk -F, 'NR > 2 { print $3 }' >noise
        # The state is the observation of row 0: all columns between noise and reward.
        grep -v '^#' "$record" | awk -F, 'NR == 1 { for (i = 4; $i != "reward"; i++) end = i }
                                          NR == 2 { for (i = 4; i <= end; i++) print $i }' >state
        arguments+=(--noise noise --state state)
    fi
    "$DEEPQ" trace "$id" --actions actions "${arguments[@]}" >trace.csv 2>note || { cat note; exit 1; }
    awk -F, "${tolerance[@]}" "$compare" "$record" trace.csv || { echo "$record is not reproduced"; exit 1; }
    count=$((count + 1))
done
echo "$count recorded episodes reproduced"
[ "$count" -ge 10 ]
