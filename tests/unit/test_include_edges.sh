# The folders under src/ include each other one way only, as docs/design.md draws it; the library's folders know
# no library but libc; the public headers include only public headers.
set -u
cd "$DEEPQ_SOURCE"
failed=0

# folder: the folders it may include
declare -A may=(
    [base]=""
    [kernel]="base"
    [nn]="base kernel"
    [env]="base"
    [gym]="base env"
    [replay]="base"
    [io]="base"
    [draw]="base"
    [agent]="base kernel nn replay"
    [run]="base kernel nn env replay agent"
    [tune]="base kernel nn env replay agent run io"
    [export]="base kernel nn env replay agent run io"
    [cli]="base kernel nn env replay agent run io draw tune export"
)

check() { # folder file...
    local folder=$1 file line target
    shift
    for file in "$@"; do
        [ -f "$file" ] || continue
        while IFS= read -r line; do
            target=${line%%/*}
            [ "$target" = "$line" ] && continue # a header of the same folder
            [ "$target" = "$folder" ] && continue
            case " ${may[$folder]} " in
            *" $target "*) ;;
            *)
                echo "$file includes \"$line\", but $folder may include only: ${may[$folder]:-nothing}"
                failed=1
                ;;
            esac
        done < <(sed -nE 's/^[ \t]*#[ \t]*include[ \t]*"([^"]+)".*/\1/p' "$file")
    done
}

for folder in src/*/; do
    name=$(basename "$folder")
    if [ -z "${may[$name]+known}" ]; then
        echo "src/$name is not in the list of tests/unit/test_include_edges.sh"
        failed=1
        continue
    fi
    mapfile -t files < <(find "$folder" -name '*.[ch]')
    check "$name" "${files[@]}"
done
check cli cli/*.[ch]

# libdeepq needs libc and threads alone.
foreign='^[ \t]*#[ \t]*include[ \t]*<(yaml\.h|zip\.h|json|cairo|SDL|gif_lib|libav|chafa|dnnl)'
if grep -rnE "$foreign" src/base src/kernel src/nn src/env src/gym src/replay src/agent src/run include; then
    echo "the library's own folders may use no library but libc and threads"
    failed=1
fi

if grep -nE '^[ \t]*#[ \t]*include[ \t]*"' include/deepq/*.h; then
    echo "a public header may include only <deepq/...> and libc"
    failed=1
fi

exit $failed
