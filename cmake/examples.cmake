# examples/NAME.c: one program each, against the public headers alone.
file(GLOB example_files CONFIGURE_DEPENDS examples/*.c)
foreach(file ${example_files})
    get_filename_component(stem ${file} NAME_WE)
    add_executable(example_${stem} ${file})
    target_link_libraries(example_${stem} PRIVATE deepq_core deepq_flags)
endforeach()
