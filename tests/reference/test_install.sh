# What cmake --install puts into a prefix serves other programs: the program runs from there, and a small program
# outside is built and run against the library three times: by CMake's package, by pkg-config, and from C++.
set -eu
build=$(dirname "$DEEPQ")
if ! command -v cmake >/dev/null || ! command -v pkg-config >/dev/null || ! cc --version >/dev/null 2>&1; then
    echo "skipped: cmake, pkg-config or cc is missing"
    exit 77
fi
cmake --install "$build" --prefix "$PWD/first" >install.log
# A prefix that was moved still serves.
mv first prefix
prefix=$PWD/prefix
unset DEEPQ_MODULES
"$prefix/bin/deepq" --version
"$prefix/bin/deepq" train CartPole-v1 total_steps=1500 learning_starts=200 net_arch=[16] --out run >/dev/null 2>&1

cat >outside.c <<'END'
#include <deepq/run.h>
#include <stdio.h>

int main(int argc, char **argv) {
    dq_error error;
    dq_policy *policy;
    double returns[4];
    if (argc < 2 || dq_policy_load(&policy, argv[1], &error) ||
        dq_policy_evaluate(policy, NULL, NULL, 4, 100, 1, returns, NULL, &error)) {
        fprintf(stderr, "%s\n", argc < 2 ? "which run?" : error.message);
        return 1;
    }
    printf("%g %g %g %g\n", returns[0], returns[1], returns[2], returns[3]);
    dq_policy_destroy(policy);
    return 0;
}
END
# by CMake's package
mkdir by-cmake
cat >by-cmake/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(outside LANGUAGES C)
find_package(deepq 0.1 REQUIRED)
add_executable(outside ../outside.c)
target_link_libraries(outside PRIVATE deepq::deepq)
END
cmake -S by-cmake -B by-cmake/build -DCMAKE_PREFIX_PATH="$prefix" >cmake.log
cmake --build by-cmake/build >>cmake.log
./by-cmake/build/outside run >by-cmake.txt

# by pkg-config
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name deepq.pc)")
export PKG_CONFIG_PATH
read -ra flags < <(pkg-config --cflags --libs deepq)
cc -Wall -Wextra -Werror outside.c "${flags[@]}" -o by-pkg-config
./by-pkg-config run >by-pkg-config.txt

# from C++
if c++ --version >/dev/null 2>&1; then
    cp outside.c outside.cpp
    c++ -Wall -Wextra -Werror outside.cpp "${flags[@]}" -o by-cpp
    ./by-cpp run >by-cpp.txt
    cmp by-cpp.txt by-cmake.txt
fi

# all of them see the episodes that the program sees
cmp by-pkg-config.txt by-cmake.txt
"$prefix/bin/deepq" eval run --episodes 4 --seed 100 --json >eval.json
read -ra returns <by-cmake.txt
for value in "${returns[@]}"; do grep -q "$value" eval.json; done
