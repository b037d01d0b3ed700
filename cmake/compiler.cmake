# One place for compiler flags: strict C17, warnings, hardened releases, sanitizers.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # POSIX and GNU library functions
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_STANDARD 17) # of the one C++ file, around Box2D
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g3")
set(CMAKE_CXX_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
set(CMAKE_CXX_FLAGS_DEBUG "${CMAKE_C_FLAGS_DEBUG}")

option(DEEPQ_WERROR "Warnings are errors" OFF)
set(DEEPQ_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=")
option(DEEPQ_COVERAGE "Measure test coverage" OFF)

add_library(deepq_flags INTERFACE)
target_compile_definitions(deepq_flags INTERFACE _GNU_SOURCE)
target_compile_options(deepq_flags INTERFACE
    -Wall -Wextra -Wshadow -Wvla -Wdouble-promotion
    $<$<COMPILE_LANGUAGE:C>:-Wmissing-prototypes -Wstrict-prototypes>
    $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation> # cutting a text to its field is what snprintf is for here
    -fno-math-errno -fno-trapping-math
    -ffp-contract=off) # an FMA is written as one, so that every build rounds alike
if(DEEPQ_WERROR)
    target_compile_options(deepq_flags INTERFACE -Werror)
endif()
if(DEEPQ_SANITIZE)
    target_compile_options(deepq_flags INTERFACE -fsanitize=${DEEPQ_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all
        -Wno-format-truncation) # instrumented code hides from gcc the checks that make a copy fit
    add_link_options(-fsanitize=${DEEPQ_SANITIZE})
else()
    target_compile_options(deepq_flags INTERFACE $<$<CONFIG:Release>:-fstack-protector-strong -D_FORTIFY_SOURCE=2>)
    add_link_options(-Wl,-z,relro,-z,now)
endif()
if(DEEPQ_COVERAGE)
    target_compile_options(deepq_flags INTERFACE --coverage)
    add_link_options(--coverage)
endif()
