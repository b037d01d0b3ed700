# deepq export, import and show: every format is written and read back, bits are kept on the way round, a full disk
# or a kill leaves the old file, and wrong input is answered with one sentence.
fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

refuse() { # STATUS PATTERN ARGUMENT...
    local wanted=$1 pattern=$2 status=0
    shift 2
    "$DEEPQ" "$@" >stdout.txt 2>stderr.txt || status=$?
    [ "$status" = "$wanted" ] || fail "deepq $*: status $status, expected $wanted: $(cat stderr.txt)"
    head -n 1 stderr.txt | grep -q -E -e "$pattern" || fail "deepq $*: said: $(head -n 1 stderr.txt)"
}

set -eu
"$DEEPQ" train CartPole-v1 --agent default net_arch=[24,16] normalization=batch total_steps=600 learning_starts=100 \
    freeze=hidden1 --out run >/dev/null 2>&1

# there and back again
for ending in onnx c pth safetensors npz; do "$DEEPQ" export run -o "whole.$ending"; done
cmp whole.safetensors run/weights.safetensors
"$DEEPQ" import whole.pth --env CartPole-v1 -o back.safetensors >matched.txt
grep -q '^norm1.running_var .* from 1.running_var$' matched.txt || fail "import said: $(cat matched.txt)"
"$DEEPQ" export back.safetensors -o back.pth
cmp whole.pth back.pth
"$DEEPQ" import whole.npz --env CartPole-v1 -o npz.safetensors >/dev/null
"$DEEPQ" import whole.safetensors -o same.safetensors >/dev/null
cmp whole.safetensors same.safetensors
for file in run whole.safetensors npz.safetensors back.safetensors; do
    "$DEEPQ" eval "$file" --episodes 5 --json | grep -v -E '"(path|seconds|agent)"' >"eval-${file//\//-}.json"
    cmp "eval-${file//\//-}.json" eval-run.json
done

# other names, and tensors that are not there
"$DEEPQ" export run -o other.safetensors --names sequential --map '0=fc1,*.running_var=*.var'
refuse 1 "of the network's tensors are not in the file" import other.safetensors --env CartPole-v1 -o x.safetensors
grep -q 'norm1.running_var .*MISSING' stdout.txt || fail "import said: $(cat stdout.txt)"
[ ! -e x.safetensors ] || fail "a failed import wrote"
"$DEEPQ" import other.safetensors --env CartPole-v1 -o mapped.safetensors --map 'fc1=0,*.var=*.running_var' >/dev/null
"$DEEPQ" export mapped.safetensors -o mapped.pth
cmp whole.pth mapped.pth
"$DEEPQ" import other.safetensors --env CartPole-v1 -o part.safetensors --partial >/dev/null

# show
"$DEEPQ" show run >show.txt
grep -q '^  hidden1.weight *\[24, 4\] *96  frozen ' show.txt || fail "show printed: $(cat show.txt)"
grep -q ' parameters trained, 120 frozen$' show.txt || fail "show printed: $(cat show.txt)"
"$DEEPQ" show run --json -o net.svg | grep -q '"name": "norm2.running_mean"' || fail "show --json lacks a tensor"
grep -q '</svg>' net.svg

# a full disk, a limit on files, a kill: the old file stays
for ending in onnx c pth safetensors npz; do
    ln -sf /dev/full "full.$ending"
    refuse 1 "no space left on the disk" export run -o "full.$ending"
    echo old >"old.$ending"
    (
        ulimit -f 1
        refuse 1 "larger than allowed" export run -o "old.$ending"
    ) || exit 1
    [ "$(cat "old.$ending")" = old ] || fail "old.$ending is not what it was"
    for delay in 0.001 0.003 0.005 0.008; do
        timeout -s KILL "$delay" "$DEEPQ" export run -o "old.$ending" || true
        [ "$(head -c 3 "old.$ending")" = old ] || cmp "old.$ending" "whole.$ending" ||
            [ "$ending" = c ] # its functions have the file's name
    done 2>/dev/null
done
ln -sf /dev/full full.svg
refuse 1 "no space left on the disk" show run -o full.svg
refuse 1 "no space left on the disk" import whole.pth --env CartPole-v1 -o full.safetensors

# wrong input
refuse 2 "which format is that.*\.onnx" export run -o policy.h5
refuse 2 "--int8 is for .c files" export run -o x.onnx --int8
refuse 2 "--map and --names are for .pth" export run -o x.c --map a=b
refuse 2 "--names is own or sequential, not 'mine'" export run -o x.pth --names mine
refuse 2 "'1a' is no name for C functions; 'policy_1a'" export run -o x.c --name 1a
refuse 1 "no such file" export nothing -o x.onnx
refuse 2 "which environment.*CartPole-v1|does not say which environment" import whole.pth -o x.safetensors
refuse 1 "no tensor is called 'fc9'" import whole.pth --env CartPole-v1 -o x.safetensors --map fc9=hidden1
refuse 1 "'0.weight' is float32 \[24, 4\], but the network's 'hidden1.weight' is float32 \[24, 2\]" \
    import whole.pth --env MountainCar-v0 -o x.safetensors
refuse 1 "Tanh between its layers" import "$DQ_TEST_DATA/sb3/tanh.zip" --env CartPole-v1 -o x.safetensors
printf 'not weights at all' >junk.pth
refuse 1 "neither a .pth nor a Stable-Baselines3 .zip" import junk.pth --env CartPole-v1 -o x.safetensors
refuse 1 "torch|class|system|refused|allowed" import "$DQ_TEST_DATA/pth/bad_system.pth" --env CartPole-v1 -o x.safetensors
refuse 2 "drawn as an SVG" show run -o net.bmp
refuse 1 "no tensor of the network is called 'conv'" show run --freeze conv
