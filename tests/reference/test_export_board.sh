# The C files of deepq export on a Cortex-M4: cross-compiled, their sizes listed, and run under QEMU, where they give
# the bits that they give on this machine (tests/reference/test_export_c99.c sets those beside the trainer's).
set -eu
for tool in arm-none-eabi-gcc arm-none-eabi-size qemu-system-arm cc; do
    command -v "$tool" >/dev/null && continue
    echo "skipped: there is no $tool (Debian: gcc-arm-none-eabi, libnewlib-arm-none-eabi, qemu-system-arm)"
    exit 77
done
board=$DQ_TEST_DATA/board
strict="-std=c99 -pedantic -Wall -Wextra -Werror -O2"
m4="-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard -ffunction-sections -fdata-sections"

check() { # NAME OPTIONS-OF-EXPORT options of the training...
    local name=$1 export=$2
    shift 2
    "$DEEPQ" train CartPole-v1 --agent default total_steps=600 learning_starts=100 buffer_size=600 --out "$name" "$@" \
        >/dev/null 2>&1
    # shellcheck disable=SC2086
    "$DEEPQ" export "$name" -o policy.c $export
    local sizes="-DINPUTS=4 -DACTIONS=2"
    # shellcheck disable=SC2086
    arm-none-eabi-gcc $strict $m4 -fstack-usage -c policy.c -o policy.o
    # shellcheck disable=SC2086
    arm-none-eabi-gcc -std=gnu99 -Wall -O2 $m4 $sizes -nostartfiles --specs=nano.specs -Wl,--gc-sections \
        -T "$board/board.ld" "$board/driver.c" "$board/board.c" policy.o -lm -o policy.elf
    timeout 100 qemu-system-arm -M mps2-an386 -nographic -monitor none -semihosting-config enable=on,target=native \
        -kernel policy.elf >board.txt 2>&1 || true

    printf '#include <stdio.h>\nvoid print(const char *t);\nvoid print(const char *t) { fputs(t, stdout); }\n' >host.c
    # shellcheck disable=SC2086
    cc $strict $sizes "$board/driver.c" host.c policy.c -lm -o host
    ./host >host.txt
    cmp board.txt host.txt || { echo "$name: the board says"; cat board.txt; echo "and the host"; cat host.txt; exit 1; }
    arm-none-eabi-size policy.o | awk -v name="$name" -v stack="$(awk '{n += $2} END {print n}' policy.su)" \
        'NR == 2 {printf "%-22s flash %7d bytes, static RAM %d, stack %d\n", name, $1, $2 + $3, stack}'
}

check 32-32-floats "" net_arch=[32,32]
check 32-32-int8 --int8 net_arch=[32,32]
check 64-64-floats "" net_arch=[64,64]
check 64-64-int8 --int8 net_arch=[64,64]
check 128-128-floats "" net_arch=[128,128]
check 128-128-int8 --int8 net_arch=[128,128]
check dueling-layer-norm "" net_arch=[32,32] dueling=true normalization=layer
check c51 "" net_arch=[32] head=c51
