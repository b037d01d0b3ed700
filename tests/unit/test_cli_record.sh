# deepq record: every environment to a GIF, an MP4 (where the encoder's module was built) and a PNG, which ffprobe decodes
# where it is installed, and every mistake one sentence that leaves no file.
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}
says() { grep -q -E -e "$1" "$2" || fail "'$1' is not in $2: $(cat "$2")"; }

# wrong STATUS SENTENCE ARGUMENT...: fails with the status and one line, and leaves the folder as it was
wrong() {
    local status=0 wanted=$1 sentence=$2 before
    shift 2
    before=$(ls -A)
    "$DEEPQ" record "$@" >out.txt 2>err.txt || status=$?
    [ $status = "$wanted" ] || fail "record $*: status $status, not $wanted: $(cat err.txt)"
    says "$sentence" err.txt
    [ "$(grep -c '^deepq' err.txt)" = 1 ] || fail "record $*: $(cat err.txt)"
    [ "$(ls -A)" = "$before" ] || fail "record $* left $(ls -A)"
}
# animates FILE CODEC: ffprobe decodes the whole file without a word, and there is more than one frame
animates() {
    command -v ffprobe >/dev/null || return 0
    ffprobe -v error -count_frames -show_entries stream=codec_name,nb_read_frames -of csv=p=0 "$1" >probe.txt 2>&1
    [ "$(wc -l <probe.txt)" = 1 ] && grep -q -E "^$2,([2-9]|[0-9]{2,})$" probe.txt || fail "$1, ffprobe: $(cat probe.txt)"
}
command -v ffprobe >/dev/null || echo "there is no ffprobe: what was recorded is not decoded"
: >out.txt >err.txt

"$DEEPQ" train CartPole-v1 --out a --quiet net_arch=[8] batch_size=4 train_freq=20 learning_starts=50 total_steps=500

has_mp4=0
"$DEEPQ" record a -o m.mp4 >out.txt 2>err.txt && has_mp4=1
for env in $("$DEEPQ" envs --json | sed -nE 's/^ *"id": "([^"]+)".*/\1/p'); do
    "$DEEPQ" record random --env "$env" --seed 3 step_limit=12 --size 150x100 -o "$env.gif" >out.txt
    says "^$env.gif: $env, random" out.txt
    [ "$(head -c 6 "$env.gif")" = GIF89a ] || fail "$env.gif is not a GIF"
    animates "$env.gif" gif
    if [ $has_mp4 = 1 ]; then
        "$DEEPQ" record random --env "$env" --seed 3 step_limit=12 --size 150x100 -o "$env.mp4" >out.txt
        animates "$env.mp4" h264
    fi
    "$DEEPQ" record random --env "$env" --q --step 1 -o "$env.png" --quiet >out.txt
    [ ! -s out.txt ] || fail "--quiet is not"
    [ "$(head -c 4 "$env.png" | tail -c 3)" = PNG ] || fail "$env.png is not a PNG"
done

# a policy; the same words give the same file, another seed another
"$DEEPQ" record a --q -o a.gif >out.txt
says 'CartPole-v1, default, .* return' out.txt
"$DEEPQ" record a/weights.safetensors --q -o b.gif >out.txt
cmp a.gif b.gif
"$DEEPQ" record a --q --seed 5 -o c.gif >out.txt
! cmp -s a.gif c.gif || fail "another seed gave the same film"
"$DEEPQ" record a --env CartPole-v0 --episodes 2 step_limit=7 --fps 10 --speed 2 --size 300x140 -o d.gif >out.txt
says '2 episodes, mean return 7; 300x140' out.txt
"$DEEPQ" record a --step 3 -o e.png >out.txt
says 'step 3 of seed 0, return 3' out.txt

# the return is that of an evaluation
evaluated=$("$DEEPQ" eval a --episodes 1 --seed 2 --json | tr -d ' \n' | sed -E 's/.*"returns":\[([0-9.]+)\.0\].*/\1/')
"$DEEPQ" record a --seed 2 -o f.gif >out.txt
says "return $evaluated;" out.txt

wrong 2 'which environment' random -o n.gif
wrong 2 "did you mean 'CartPole-v1'" random --env CartPole-v11 -o n.gif
wrong 2 'who plays' -o n.gif
wrong 2 'where to' a
wrong 2 'ends in .gif, .mp4 or .png' a -o n.avi
wrong 2 'ends in .gif, .mp4 or .png' a -o n
wrong 1 'nothing-here' nothing-here -o n.gif
wrong 2 'is not a size' a --size 0x10 -o n.gif
wrong 2 'is not a size' a --size 10x99999 -o n.gif
wrong 2 'fps' a --fps 60 -o n.gif
wrong 2 'fps' a --fps 0 -o n.gif
wrong 2 'speed' a --speed nan -o n.gif
wrong 2 'seed' a --seed -1 -o n.gif
wrong 2 'episodes' a --episodes 0 -o n.gif
wrong 2 'one step is a .png' a --step 2 -o n.gif
wrong 2 'shows one step' a --fps 5 -o n.png
wrong 2 'ends after' a --step 5000 -o n.png
wrong 2 'look at' a --env MountainCar-v0 -o n.gif
wrong 2 'alone' a gamma=0.5 -o n.gif
wrong 1 'folder' a -o no/such/n.gif
if [ -e /dev/full ]; then
    ln -s /dev/full full.gif
    wrong 1 'no space left' a -o full.gif
fi
mkdir locked.gif
wrong 1 'locked.gif' a -o locked.gif

# interrupted: no file
"$DEEPQ" record random --env HIVPatient --episodes 200 -o long.gif >out.txt 2>err.txt &
pid=$!
sleep 0.4
kill -INT $pid
status=0
wait $pid || status=$?
[ $status = 1 ] || fail "interrupted: status $status"
says 'interrupted; nothing was written' err.txt
! ls -A | grep -q long || fail "an interrupted recording left $(ls -A | grep long)"

# a training animates what it learned, every so many episodes where asked, and learns the same bits
small="net_arch=[8] batch_size=4 train_freq=20 learning_starts=50 total_steps=900"
"$DEEPQ" train CartPole-v1 --out plain --quiet $small
"$DEEPQ" train CartPole-v1 --out filmed --quiet --record 10 $small
[ "$(head -c 6 plain/episode.gif)" = GIF89a ] || fail "there is no plain/episode.gif"
[ ! -e plain/episodes ] || fail "nobody asked for plain/episodes"
cmp plain/episode.gif filmed/episode.gif
cmp plain/weights.safetensors filmed/weights.safetensors
[ "$(cut -d, -f1-12 plain/metrics.csv)" = "$(cut -d, -f1-12 filmed/metrics.csv)" ] || fail "filming changed the metrics"
ended=$(tail -n 1 filmed/metrics.csv | cut -d, -f2)
[ "$(ls filmed/episodes | wc -l)" = $((ended / 10)) ] || fail "after $ended episodes: $(ls filmed/episodes)"
[ -s filmed/episodes/episode-000010.gif ] || fail "no episode 10: $(ls filmed/episodes)"
"$DEEPQ" train CartPole-v1 --out n --record 0 >out.txt 2>err.txt && fail "--record 0 was taken"
says 'record' err.txt

# MP4, where the encoder's module was built
if "$DEEPQ" record a --q -o m.mp4 >out.txt 2>err.txt; then
    wrong 2 'even sides' a --size 151x100 -o n.mp4
    if command -v ffprobe >/dev/null; then
        ffprobe -v error -show_entries stream=codec_name,pix_fmt,width,height,nb_frames,avg_frame_rate \
            -of default=noprint_wrappers=1 m.mp4 >probe.txt 2>&1
        says 'codec_name=h264' probe.txt
        says 'pix_fmt=yuv420p' probe.txt
        says 'avg_frame_rate=50/1' probe.txt
        frames=$(sed -nE 's/.*, ([0-9]+) frames.*/\1/p' out.txt)
        says "nb_frames=$frames" probe.txt
        [ "$(wc -l <probe.txt)" = 6 ] || fail "ffprobe: $(cat probe.txt)"
    fi
else
    says 'MP4' err.txt
    [ ! -e m.mp4 ] || fail "a failed recording left m.mp4"
fi
