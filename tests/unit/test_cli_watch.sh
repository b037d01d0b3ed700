# deepq watch: in a terminal of script(1) and, where that module was built, in a window that nobody sees. The terminal is
# given back at the end, on signals and on a crash.
command -v script >/dev/null || exit 77
unset DISPLAY WAYLAND_DISPLAY SDL_VIDEODRIVER TMUX STY
export TERM=xterm-256color

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
says() { grep -a -q -F -e "$1" "$2" || fail "'$1' is not in $2: $(cat -v "$2" | tail -c 3000)"; }
enters=$(printf '\033[?1049h\033[?25l')
leaves=$(printf '\033[?25h\033[?1049l')

# at_terminal STATUS INPUT COMMAND: runs it in a terminal of 90x30 and keeps what it shows in shown.txt
at_terminal() {
    local wanted=$1 input=$2 status=0
    shift 2
    { sleep 0.5; for c in $input; do printf "$c"; sleep 0.25; done; sleep 0.3; } |
        timeout 60 script -qec "stty cols 90 rows 30; $*" shown.txt >/dev/null 2>&1 || status=$?
    [ $status = "$wanted" ] || fail "$*: status $status, not $wanted: $(cat -v shown.txt | tail -c 2000)"
}

# an episode to its end; the picture in half blocks, the status in words
at_terminal 0 '' "$DEEPQ watch random --env CartPole-v1 --episodes 1 --speed 100"
says "$enters" shown.txt
says "$leaves" shown.txt
says '▀' shown.txt
says '38;2;' shown.txt
says 'CartPole-v1  random  seed 0' shown.txt
says 'over' shown.txt

# keys: pause, step, faster, next, by hand with an arrow, values, quit
at_terminal 0 '\040 s + n p \033[C v q' "$DEEPQ watch random --env MountainCar-v0 --seed 7"
says 'paused' shown.txt
says 'x1.5' shown.txt
says 'seed 8' shown.txt
says 'by hand' shown.txt
says "$leaves" shown.txt

# a policy with its values; every environment is shown
"$DEEPQ" train CartPole-v1 --out a --quiet net_arch=[8] batch_size=4 train_freq=20 learning_starts=50 total_steps=300
at_terminal 0 'q' "$DEEPQ watch a --q"
says 'push left' shown.txt
says '█' shown.txt
for env in $("$DEEPQ" envs --json | sed -nE 's/^ *"id": "([^"]+)".*/\1/p'); do
    at_terminal 0 '' "$DEEPQ watch random --env $env --episodes 1 --speed 1000 step_limit=3"
    says "$env  random" shown.txt
done

# sixels, where that module was built
if at_terminal 0 'q' "$DEEPQ watch random --env CartPole-v1 --pixels sixel" 2>err.txt; then
    says "$(printf '\033P')" shown.txt
else
    says 'sixel' err.txt
fi

# signals and a crash give the terminal back
for signal in INT TERM HUP SEGV; do
    status=0
    rm -f pid
    { for _ in $(seq 100); do [ -s pid ] && break; sleep 0.1; done; sleep 0.5; kill -"$signal" "$(cat pid)"; sleep 0.3; } |
        timeout 60 script -qec "stty cols 90 rows 30; echo \$\$ >pid; exec $DEEPQ watch random --env CartPole-v1" shown.txt \
            >/dev/null 2>&1 || status=$?
    [ $status -gt 128 ] || fail "SIG$signal: status $status"
    says "$enters" shown.txt
    says "$leaves" shown.txt
done

# wrong STATUS SENTENCE ARGUMENT...
wrong() {
    local status=0 wanted=$1 sentence=$2
    shift 2
    "$DEEPQ" watch "$@" >out.txt 2>err.txt </dev/null || status=$?
    [ $status = "$wanted" ] || fail "watch $*: status $status, not $wanted: $(cat err.txt)"
    says "$sentence" err.txt
    [ "$(grep -c '^deepq' err.txt)" = 1 ] || fail "watch $*: $(cat err.txt)"
}
wrong 1 'neither a display nor a terminal' a
wrong 1 'neither a display nor a terminal' a --terminal
wrong 2 'which environment' random
wrong 2 'who plays'
wrong 1 'nothing-here' nothing-here
wrong 2 'speed' a --speed 0
wrong 2 'none of auto' a --pixels ascii
wrong 2 'is not a size' a --size 5
DISPLAY=:9876 wrong 1 'display' a

# a window that nobody sees
status=0
SDL_VIDEODRIVER=dummy timeout 60 "$DEEPQ" watch a --q --episodes 1 --speed 100 >out.txt 2>err.txt || status=$?
if [ $status = 0 ]; then
    says 'space pause' out.txt
else
    says 'deepq-window.so' err.txt
fi
