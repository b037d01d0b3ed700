# Each public header compiles alone, as C17 and as C++; each private one as C17. Include edges point one way.
set -u
cc=${CC:-cc}
cxx=${CXX:-c++}
failed=0

for header in "$DEEPQ_SOURCE"/include/deepq/*.h; do
    name=deepq/$(basename "$header")
    echo "#include <$name>" > header.c
    cp header.c header.cpp
    if ! "$cc" -std=c17 -Wall -Wextra -Werror -Wpedantic -I "$DEEPQ_SOURCE/include" -fsyntax-only header.c; then
        echo "$name does not compile alone as C17"
        failed=1
    fi
    if command -v "$cxx" > /dev/null &&
        ! "$cxx" -std=c++17 -Wall -Wextra -Werror -I "$DEEPQ_SOURCE/include" -fsyntax-only header.cpp; then
        echo "$name does not compile alone as C++"
        failed=1
    fi
done

cd "$DEEPQ_SOURCE/src"
read -r -a libraries <<< "$(pkg-config --cflags cairo yaml-0.1 json-c libzip)"
for header in */*.h; do
    case $header in
    *_template.h) continue ;; # parts of one .c file, not headers of their own
    esac
    if ! printf '#include "%s"\n' "$header" |
        "$cc" -x c -std=gnu17 -D_GNU_SOURCE -I "$DEEPQ_SOURCE/include" -I . "${libraries[@]}" \
        -fsyntax-only -; then
        echo "src/$header does not compile alone"
        failed=1
    fi
done

exit $failed
