# A published exercise's own networks: their Q values give the targets it states, and its trained agent lands as
# well here as in the simulator it was trained in. Its files are not ours to copy: skipped where they are absent.
set -eu
lunar=${DQ_REFERENCE_DIR:-$DQ_TEST_DATA}/lunar
[ -f "$lunar/lunar_test_model.pth" ] || { echo "no $lunar"; exit 77; }

"$DEEPQ" predict "$lunar/lunar_test_model.pth" --input "$lunar/lunar_test_next_observations.npy" -o q.npy

kind() { head -c 128 "$1" | grep -aoE "'[<|][a-z][0-9]'" | tr -d "'<|"; }
read_any() { # FILE.npy, one number a line
    local header width
    header=$(od -An -tu2 -j8 -N2 "$1" | tr -d ' ')
    case $(kind "$1") in
    f4) width=4 ;;
    f8) width=8 ;;
    b1 | u1) od -An -v -w1 -tu1 -j$((10 + header)) "$1"; return ;;
    *) echo "unknown type in $1" >&2; exit 1 ;;
    esac
    od -An -v -w$width -tf$width -j$((10 + header)) "$1"
}
read_any q.npy >q
read_any "$lunar/lunar_test_rewards.npy" >rewards
read_any "$lunar/lunar_test_dones.npy" >dones
awk -v actions=4 '
FILENAME == "q" { i = int((FNR - 1) / actions); if ((FNR - 1) % actions == 0 || $1 > best[i]) best[i] = $1 }
FILENAME == "rewards" { reward[FNR - 1] = $1 }
FILENAME == "dones" { done[FNR - 1] = $1; rows = FNR }
END {
    split("84.27161251 84.83388991 85.45931969", should, " ")
    for (i = 0; i < rows; i++) {
        target = reward[i] + 0.99 * (1 - done[i]) * best[i]
        difference = target - should[i + 1]
        printf "target %.8f, published %.8f\n", target, should[i + 1]
        if (difference > 1e-5 || difference < -1e-5) bad = 1
    }
    exit bad || rows != 3
}' q rewards dones

"$DEEPQ" envs LunarLander-v3 >/dev/null || exit 77 # built without Box2D
"$DEEPQ" eval "$lunar/lunar-dqn.pth" --env LunarLander-v3 --episodes 100 --seed 0 --json >eval.json
awk -F'[:,]' '/"mean"/ { print "mean return", $2; exit !($2 > 245.9 && $2 < 285.9) }' eval.json

if "$DEEPQ" eval "$lunar/lunar-dqn.pth" 2>err; then exit 1; fi
grep -q -- '--env' err
