# tests/fuzz/fuzz_NAME.c defines LLVMFuzzerTestOneInput for one parser; tests/fuzz/corpus/NAME holds its seeds.
#
# Every build replays the seeds and thousands of fixed mutations of them (CTest label fuzz, seconds). With
# -DDEEPQ_FUZZ=ON under clang (preset fuzz) there is also libfuzz_NAME, guided by coverage, to run for longer:
#   build/fuzz/tests/libfuzz_npy -max_len=4096 -max_total_time=600 /tmp/npy tests/fuzz/corpus/npy
option(DEEPQ_FUZZ "Build the libFuzzer programs (clang)" OFF)
if(DEEPQ_FUZZ AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "DEEPQ_FUZZ needs clang: cmake --preset fuzz")
endif()

# No parser comes near the kernels, and clang takes many minutes to instrument them.
if(DEEPQ_FUZZ)
    file(GLOB kernels ${PROJECT_SOURCE_DIR}/src/kernel/*.c ${PROJECT_SOURCE_DIR}/src/kernel/*/*.c)
    set_source_files_properties(${kernels} TARGET_DIRECTORY deepq_core PROPERTIES
        COMPILE_OPTIONS "-fno-sanitize=all;-fno-sanitize-coverage=edge;-O0;-g0")
endif()

add_library(fuzz_replay OBJECT ${CMAKE_CURRENT_LIST_DIR}/replay.c)
target_link_libraries(fuzz_replay PRIVATE deepq_core deepq_flags)

file(GLOB fuzz_files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/fuzz_*.c)
foreach(file ${fuzz_files})
    get_filename_component(stem ${file} NAME_WE)
    string(REPLACE "fuzz_" "" name ${stem})
    add_executable(fuzz_${name} ${file} $<TARGET_OBJECTS:fuzz_replay>)
    target_link_libraries(fuzz_${name} PRIVATE deepq_tools deepq_core deepq_flags PkgConfig::ZIP)
    add_test(NAME fuzz.${name} COMMAND fuzz_${name} ${CMAKE_CURRENT_LIST_DIR}/corpus/${name} 5000)
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 300)
    if(DEEPQ_FUZZ)
        add_executable(libfuzz_${name} ${file})
        target_link_libraries(libfuzz_${name} PRIVATE deepq_tools deepq_core deepq_flags PkgConfig::ZIP)
        target_link_options(libfuzz_${name} PRIVATE -fsanitize=fuzzer)
    endif()
endforeach()
