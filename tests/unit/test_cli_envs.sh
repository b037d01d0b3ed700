# deepq envs and deepq trace: what they print, and one clear sentence for every wrong input.

refuses() { # STATUS TEXT COMMAND...: nothing on standard output, one line with TEXT on standard error
    local status=$1 text=$2 got=0
    shift 2
    "$@" >out 2>err || got=$?
    if [ "$got" != "$status" ] || [ -s out ] || [ "$(wc -l <err)" != 1 ] || ! grep -qF -- "$text" err; then
        echo "'$*' ended with $got, not $status, or without '$text':"
        cat out err
        exit 1
    fi
}

"$DEEPQ" envs >out
grep -q '^CartPole-v1 .* 4 .* 2 .* 500 .* 475 ' out
"$DEEPQ" envs CartPole-v1 | grep -q pole_angle
"$DEEPQ" envs HIVPatient | grep -q ' log10(E)  *less 3 divided by 2$'
"$DEEPQ" envs --json >out
for key in id summary observation_size observation_names observation_low observation_high actions \
    action_names features step_limit reward_threshold source options; do
    grep -q "\"$key\":" out
done
refuses 2 "did you mean 'CartPole-v1'" "$DEEPQ" envs CartPole-v11

printf '0\n1\n1\n' >actions
"$DEEPQ" trace CartPole-v1 --seed 0 --actions actions >out
[ "$(wc -l <out)" = 5 ]
[ "$(head -1 out)" = t,action,obs0,obs1,obs2,obs3,reward,terminated,truncated ]
[ "$(sed -n 2p out)" = 0,-1,0.013696168549358845,-0.023021329194307327,-0.04590264707803726,-0.04834723472595215,0.0,0,0 ]

# An action after the end is not used, and said so.
yes 1 | head -50 >actions
"$DEEPQ" trace CartPole-v1 --actions actions >out 2>err
grep -q 'were not used' err
tail -1 out | grep -q ',1,0$'

"$DEEPQ" trace CartPole-v1 --actions actions --option sutton_barto_reward=true 2>err | tail -1 | grep -q ',-1.0,1,0$'

printf '0\n1\n2\n' >actions
refuses 1 "actions: line 3: action 2 is out of range; CartPole-v1 takes 0 to 1" "$DEEPQ" trace CartPole-v1 --actions actions
printf '0\n-1\n' >actions
refuses 1 "line 2: action -1 is out of range" "$DEEPQ" trace CartPole-v1 --actions actions
printf '0\n0.5\n' >actions
refuses 1 "line 2: action 0.5 is out of range" "$DEEPQ" trace CartPole-v1 --actions actions
printf '0\nleft\n' >actions
refuses 1 "line 2: 'left' is not a number" "$DEEPQ" trace CartPole-v1 --actions actions
: >empty
refuses 1 "empty" "$DEEPQ" trace CartPole-v1 --actions empty
refuses 1 "nowhere: cannot open" "$DEEPQ" trace CartPole-v1 --actions nowhere
refuses 1 "cannot read" "$DEEPQ" trace CartPole-v1 --actions .
printf '0\n' >actions
refuses 2 "did you mean 'CartPole-v1'" "$DEEPQ" trace CartPoel-v1 --actions actions
refuses 2 "sutton_barto_reward" "$DEEPQ" trace CartPole-v1 --actions actions --option sutton_bartoreward=1
refuses 2 "draws no noise" "$DEEPQ" trace CartPole-v1 --actions actions --noise actions
refuses 2 "--state" "$DEEPQ" trace CartPole-v1 --actions actions --state actions

# A full disk is noticed.
if "$DEEPQ" trace CartPole-v1 --actions actions >/dev/full 2>err; then exit 1; fi
grep -q 'standard output' err
